"""Calculate with bounds of dates that have a time of day, for years that `datetime` does not know.

Guarantees: `at_second(second_of(x)) == x` for every second of every year, before year 0 too. The
calendar is proleptic Gregorian. Years are counted from March, so that a leap day is the last day
of its year.
"""

import re

Bound = tuple[int, ...]
"""A bound is (year, month, day) or (year, month, day, hour, minute, second)."""

_MINUTES = re.compile(r"T[0-9]{2}:")


def second_of(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Count the seconds from 1 March of year 0 to a second."""
    year -= month <= 2
    days = 365 * year + year // 4 - year // 100 + year // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def at_second(count: int) -> Bound:
    """Return year, month, day, hour, minute and second of a count of seconds.

    Source: https://howardhinnant.github.io/date_algorithms.html, civil_from_days.
    """
    days, rest = divmod(count, 86_400)
    era, in_era = divmod(days, 146_097)
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    day = in_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    minutes, second = divmod(rest, 60)
    return year + era * 400 + (month <= 2), month, day, *divmod(minutes, 60), second


def to_second(bound: Bound, *, latest: bool) -> Bound:
    """Return a bound with a time of day: a day as its first second, or as its latest."""
    return bound if len(bound) == 6 else (*bound, *((23, 59, 59) if latest else (0, 0, 0)))


def says_end(right: str) -> bool:
    """Tell whether the right side of an interval is a clock that says when it ended, as 11:00."""
    return _MINUTES.search(right) is not None


def end_of_clocks(begin: Bound, end: Bound, last: Bound) -> Bound:
    """Return the last bound of an interval whose right side says when it ended.

    `end` and `last` are the first and the last second of that side. What ends at midnight does not
    touch the next day. Only an interval that would be empty ends with its last second.
    """
    said = at_second(second_of(*end) - 1) if end[3:] == (0, 0, 0) else end
    return said if said > to_second(begin, latest=False) else last
