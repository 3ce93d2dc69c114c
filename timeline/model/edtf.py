"""Read and write when something happened: EDTF text, its bounds and its precision.

Guarantees:

- `parse` reads the Extended Date/Time Format (ISO 8601-2:2019 as profiled by the Library of
  Congress, levels 0 to 2) and plain English, and refuses everything else with `InvalidValue`.
- Bounds are as written, never invented: an open or unknown end is None, a time is not
  converted to another zone (`log_clock` does that), and an uncertain or approximate date has the
  bounds of the date. An interval to 11:00 ends at 11:00, not with the last second of that minute.
- Bounds sort as text in the order of time, over all years from -(10**12 - 1) to 10**12 - 1.
- ``parse(phrase(x)).edtf == x`` for every ``x`` that `parse` returns.

Beyond the profile of the Library of Congress this module reads times without minutes or
seconds, intervals of times and of quarters, and qualified seasons and quarters (2025-33~). It
refuses sets and dates with holes, such as 2025-XX-15, which are not one interval; and
quadrimesters and millennia, which can be written as intervals.

It may not know databases, the command line, time zones by name, or what day it is today.
The calendar is proleptic Gregorian for every year. Plain English is read and written by
`timeline.model.edtf_words`.
"""

import calendar
import re
import unicodedata
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from timeline.errors import InvalidValue
from timeline.model import edtf_words
from timeline.model.clock_bounds import Bound, end_of_clocks, says_end, second_of, to_second
from timeline.model.patterns import lazy_pattern

Precision = Literal[
    "second", "minute", "hour", "day", "month", "quarter", "season", "half_year",
    "year", "decade", "century", "interval", "open",
]  # fmt: skip


class Occurred(NamedTuple):
    """A time as it is stored: the EDTF text, and the fields that are derived from it.

    If both bounds are known, ``occurred_from <= occurred_to``, also as text.
    """

    edtf: str  # canonical: as given, or as read from words; letters in upper case
    occurred_from: str | None  # first day or second, see `sortable`; None if open or unknown
    occurred_to: str | None  # last day or second, inclusive; None if open or unknown
    precision: Precision
    year: int | None  # astronomical (0 is 1 BC); None unless both bounds are in one year
    month: str | None  # "2025-04"; None unless both bounds are in one month, years 0000 to 9999


class _Span(NamedTuple):
    """A span of time has a first and a last bound, both inclusive, and a precision."""

    first: Bound
    last: Bound
    precision: Precision
    offset: int | None = None  # minutes east of UTC; None if no offset is written


def parse(text: str) -> Occurred:
    """Read a date in EDTF or in plain English words.

    Blanks around the text and the case of its letters do not matter; otherwise EDTF is kept as
    it is given. Raises `InvalidValue` for any other text; its problem says what would be right.
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        problem = f"a text of {len(stripped)} characters is not a date: the limit is {_LONGEST}"
        raise InvalidValue(text, problem)
    try:
        return _parse(stripped)
    except InvalidValue as refusal:
        raise InvalidValue(text, refusal.problem) from None


def phrase(edtf: str, *, ongoing: bool = False) -> str:
    """Say a date in plain English, exactly as precise as the date is.

    What is `ongoing` goes on "since 1960"; anything else happened in "1960 or later".
    ``parse(phrase(x)).edtf == x`` for canonical ``x``. Raises `InvalidValue` as `parse` does.
    """
    return edtf_words.to_words(parse(edtf).edtf, ongoing=ongoing)


def sortable(year: int, month: int, day: int) -> str:
    """Write a day so that text sorts as time does; the year is astronomical (0 is 1 BC).

    Years 0 to 9999 are plain ISO 8601. Later ones are "Y" and twelve digits; earlier ones "-"
    and the twelve digits of ``10**12 + year``. In ASCII "-" < "0" < "Y". |year| < 10**12.
    """
    if 0 <= year <= 9999:
        return f"{year:04d}-{month:02d}-{day:02d}"
    if year > 0:
        return f"Y{year:012d}-{month:02d}-{day:02d}"
    return f"-{_TOO_FAR + year:012d}-{month:02d}-{day:02d}"


def numbers(bound: str) -> tuple[int, ...]:
    """Read a bound of `Occurred` into its numbers: the inverse of `sortable`.

    The numbers are the astronomical year, month and day; if the bound has a time of day, also
    hour, minute and second. Raises `InvalidValue` for any other text.
    """
    match = _BOUND.fullmatch(bound)
    if match is None:
        raise InvalidValue(bound, f'"{bound}" is not a bound')
    sign, year, *others = match.groups()
    first = int(year) - (_TOO_FAR if sign == "-" else 0)
    return first, *(int(other) for other in others if other)


_LONGEST = 200  # characters of a text that is read as a date
_TOO_FAR = 10**12  # years; the years -(10**12 - 1) to 10**12 - 1 are read
_NO_BOUND = ("", "..")  # a side of an interval that is unknown, or open

_BOUND = lazy_pattern(
    r"([Y-])?([0-9]+)-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2}))?"
)
_UNPRINTABLE = lazy_pattern(r"[^ -~]")
_DATE = lazy_pattern(r"(-?[0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIME = lazy_pattern(
    r"(-?[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?"
    r"(Z|([+-])([0-9]{2})(?::([0-9]{2}))?)?"
)
_UNSPECIFIED = lazy_pattern(r"(-?[0-9X]{4})(?:-([0-9X]{2})(?:-([0-9X]{2}))?)?")
_LONG_YEAR = lazy_pattern(r"Y(-?)([0-9]+)(?:E([0-9]+))?(?:S([0-9]+))?")
_LONG_DATE = lazy_pattern(r"Y-?[0-9]+-.*")
_ROUNDED_YEAR = lazy_pattern(r"(-?)([0-9]{4})S([0-9]+)")
_QUALIFIER = lazy_pattern(r"[?~%]")

_MONTH_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# EDTF code: (precision, first month, number of months). Seasons are meteorological. Codes 21 to
# 24 are spring to winter without a hemisphere (read as northern), 25 to 28 the northern ones,
# 29 to 32 the southern ones.
_PARTS_OF_YEAR: dict[int, tuple[Precision, int, int]] = {
    **{21 + i: ("season", start, 3) for i, start in enumerate((3, 6, 9, 12) * 2 + (9, 12, 3, 6))},
    **{33 + i: ("quarter", start, 3) for i, start in enumerate((1, 4, 7, 10))},
    **{40 + i: ("half_year", start, 6) for i, start in enumerate((1, 7))},
}
_QUADRIMESTERS = range(37, 40)

# Number of significant digits in a year of four digits: the precision of that year.
_ROUNDED: dict[int, Precision] = {4: "year", 3: "decade", 2: "century"}


@lru_cache(maxsize=8192)
def _parse(text: str) -> Occurred:
    text = edtf_words.plain(text)
    if not text:
        raise InvalidValue(text, f"a date is missing: {edtf_words.HINT}")
    if foreign := _UNPRINTABLE.search(text):
        name = unicodedata.name(foreign[0], "a control character")
        problem = f"a date cannot have {name} (U+{ord(foreign[0]):04X}) in it: "
        raise InvalidValue(text, f"{problem}write plain letters, digits and hyphens")
    occurred = _expression(text.upper())
    if occurred is None and (edtf := edtf_words.to_edtf(text)) is not None:
        occurred = _expression(_included(edtf))
    if occurred is None:
        from timeline.model import edtf_variants

        if (edtf := edtf_variants.to_edtf(text)) is not None:
            occurred = _expression(_included(edtf))
    if occurred is None:
        from timeline.model.edtf_problems import explain

        raise InvalidValue(text, explain(text, _parse))
    return occurred


def _included(edtf: str) -> str:
    """Return an interval that leaves out the date of "before 1960" or "after 1960": ../1959.

    Other EDTF is returned as it is.
    """
    beside, _, date = edtf.rpartition(" ")
    if not beside or (when := _expression(date)) is None:
        return date
    from timeline.model.edtf_neighbours import neighbour

    bound = when.occurred_from if beside == "before" else when.occurred_to
    found = neighbour(date, when.precision, numbers(bound), beside) if bound else None
    if found is None:
        raise _refused(edtf, "leaves out what has no neighbour: write an interval such as ../1959")
    return f"../{found}" if beside == "before" else f"{found}/.."


def _expression(edtf: str) -> Occurred | None:
    """Read a point or an interval; return None if it has no form that EDTF knows."""
    left, slash, right = edtf.partition("/")
    if slash:
        return _interval(edtf, left, right)
    if edtf[0] in "[{":
        raise _refused(edtf, "is a set of dates: write one date, or an interval such as 2025/2026")
    span = _point(edtf)
    return None if span is None else between(edtf, span.first, span.last, span.precision)


def _interval(edtf: str, left: str, right: str) -> Occurred | None:
    """Read an interval from its two sides: an open side is "..", an unknown side is empty.

    Returns None if a side has no form that EDTF knows.
    """
    if edtf == "../..":
        return Occurred(edtf, None, None, "open", None, None)
    if left in _NO_BOUND and right in _NO_BOUND:
        raise _refused(edtf, "says nothing: write ../.. for a date that is not known")
    begin, end = _point(left), _point(right)
    if begin is None and end is not None and left in _NO_BOUND:
        return Occurred(edtf, None, bound_text(end.last), "open", None, None)
    if end is None and begin is not None and right in _NO_BOUND:
        return Occurred(edtf, bound_text(begin.first), None, "open", None, None)
    if begin is None or end is None:
        return None
    _check_order(edtf, begin, end)
    last = end.last
    if says_end(right):
        last = end_of_clocks(begin.first, end.first, last)
    if len(begin.first) > len(last) and begin.first[:3] == last:
        last = to_second(last, latest=True)  # a day without a time sorts before its own times
    return between(edtf, begin.first, last, "interval")


def _check_order(edtf: str, begin: _Span, end: _Span) -> None:
    """Refuse an interval that runs backwards, by its times as written or in real time."""
    first = to_second(begin.first, latest=False)
    last = to_second(end.last, latest=True)
    if begin.offset is not None and end.offset is not None:
        minutes_between = begin.offset - end.offset
        if second_of(*first) - minutes_between * 60 > second_of(*last):
            raise _refused(edtf, "ends before it begins")
        if first > last:
            raise _refused(edtf, "runs backwards by the clock: write both times in one offset")
    if first > last:
        raise _refused(edtf, "ends before it begins")


def between(edtf: str, first: Bound, last: Bound, precision: Precision) -> Occurred:
    """Return what is known of a date with these bounds."""
    year = first[0] if first[0] == last[0] else None
    in_one_month = year is not None and 0 <= year <= 9999 and first[1] == last[1]
    month = f"{year:04d}-{first[1]:02d}" if in_one_month else None
    return Occurred(edtf, bound_text(first), bound_text(last), precision, year, month)


def bound_text(bound: Bound) -> str:
    """Write a bound as text that sorts as time does, see `sortable`."""
    day = sortable(bound[0], bound[1], bound[2])
    return day if len(bound) == 3 else f"{day}T{bound[3]:02d}:{bound[4]:02d}:{bound[5]:02d}"


def _point(edtf: str) -> _Span | None:
    """Read one date, time or part of a year; return None if it has no form that EDTF knows."""
    if match := _DATE.fullmatch(edtf):
        return _date(edtf, *match.groups())
    if match := _TIME.fullmatch(edtf):
        return _time(edtf, match)
    if match := _UNSPECIFIED.fullmatch(edtf):
        return _unspecified(edtf, *match.groups())
    if match := _LONG_YEAR.fullmatch(edtf):
        return _long_year(edtf, *match.groups())
    if match := _ROUNDED_YEAR.fullmatch(edtf):
        return _rounded_year(edtf, *match.groups())
    if _LONG_DATE.fullmatch(edtf):
        raise _refused(edtf, "is not a date: a year with Y stands alone, without a month")
    if _QUALIFIER.search(edtf):
        return _qualified(edtf)
    return None


def _date(edtf: str, year_text: str, month_text: str | None, day_text: str | None) -> _Span:
    if year_text == "-0000":
        raise _refused(edtf, "is not a date: the year 1 BC is written 0000")
    year = int(year_text)
    if month_text is None:
        return _months(year, 1, 12, "year")
    month = int(month_text)
    if day_text is None and month in _PARTS_OF_YEAR:
        precision, start, count = _PARTS_OF_YEAR[month]
        return _months(year, start, count, precision)
    if day_text is None and month in _QUADRIMESTERS:
        raise _refused(edtf, "is a third of a year: write its months, such as 2025-01/2025-04")
    if not month:
        raise _refused(edtf, f"is not a date: for an unknown month write {year_text}-XX")
    if month > 12:
        raise _refused(edtf, f"is not a date: there is no month {month}")
    if day_text is None:
        return _months(year, month, 1, "month")
    day = int(day_text)
    length = _month_length(year, month)
    if not day:
        raise _refused(edtf, f"is not a date: for an unknown day write {edtf[:-2]}XX")
    if day > length:
        name = f"{edtf_words.MONTHS[month - 1]} {edtf_words.year_words(year)}"
        raise _refused(edtf, f"is not a date: {name} has {length} days")
    return _Span((year, month, day), (year, month, day), "day")


def _months(year: int, month: int, count: int, precision: Precision) -> _Span:
    """Return the span of `count` whole months from `month` on.

    It may end in the next year, as winter does.
    """
    years, last = divmod(month + count - 2, 12)
    end = (year + years, last + 1, _month_length(year + years, last + 1))
    return _Span((year, month, 1), end, precision)


def _month_length(year: int, month: int) -> int:
    return _MONTH_LENGTHS[month] + (month == 2 and calendar.isleap(year))


def _time(edtf: str, match: re.Match[str]) -> _Span:
    """Return the span of an hour, a minute or a second, by the clock as written."""
    date, hour, minute, second, zone, sign, zone_hour, zone_minute = match.groups()
    day = _date(date, date[:-6], date[-5:-3], date[-2:]).first
    for unit, value, limit in (("hours", hour, 23), ("minutes", minute, 59)):
        if int(value or 0) > limit:
            raise _refused(edtf, f"is not a time: {unit} run from 00 to {limit}")
    if int(second or 0) > 59:
        raise _refused(edtf, "is not a time: seconds run from 00 to 59, without leap seconds")
    offset = None
    if zone is not None:
        offset = int(zone_hour or 0) * 60 + int(zone_minute or 0)
        if int(zone_minute or 0) > 59 or offset > 14 * 60 or (sign == "-" and not offset):
            raise _refused(edtf, "has no such offset: write Z for UTC, or one up to +14:00")
        offset = -offset if sign == "-" else offset
    precision: Precision = "second" if second else "minute" if minute else "hour"
    first = (*day, int(hour), int(minute or 0), int(second or 0))
    last = (*day, int(hour), int(minute or 59), int(second or 59))
    return _Span(first, last, precision, offset)


def _unspecified(edtf: str, year: str, month: str | None, day: str | None) -> _Span:
    """Return the span of a date in which X replaces digits (ISO 8601-2, 8.3).

    Refuses a date whose days are not one whole month, year, decade or century.
    """
    match (year.count("X"), month, day):
        case (0, "XX", None | "XX"):
            return _date(edtf, year, None, None)
        case (0, str(), "XX") if "X" not in month:
            _date(edtf, year, month, "01")  # refuses a month that does not exist
            return _months(int(year), int(month), 1, "month")
        case ((1 | 2) as unknown, None, None) if year.endswith("X" * unknown):
            first, last = edtf_words.unspecified_years(year)
            return _Span((first, 1, 1), (last, 12, 31), _ROUNDED[4 - unknown])
    advice = "only a day, month, decade or century can be left out, as in 2025-04-XX or 20XX"
    raise _refused(edtf, f"leaves out too much or too little: {advice}")


def _long_year(edtf: str, sign: str, digits: str, power: str | None, known: str | None) -> _Span:
    """Return the span of a year with Y.

    `power` is the power of ten after E, `known` the number of significant digits after S.
    """
    if power is None and len(digits) <= 4:
        raise _refused(edtf, f"is not a year: four digits take no Y, write {sign}{digits:0>4}")
    if len(digits) > 12 or int(power or 0) > 12 or int(digits) * 10 ** int(power or 0) >= _TOO_FAR:
        raise _refused(edtf, "is too far away: a year has at most twelve digits")
    _check_grammar(edtf, "a year with Y looks like Y17000, Y-17E7 or Y17000S2")
    size = int(digits) * 10 ** int(power or 0)
    count = len(str(size)) if known is None else int(known)
    span = _round(edtf, sign, size, count)
    return span._replace(precision="year" if span.first[0] == span.last[0] else "interval")


def _rounded_year(edtf: str, sign: str, digits: str, known: str) -> _Span:
    if digits.startswith("0"):
        raise _refused(edtf, "is not clear: write a year before 1000 as 095X or 09XX instead")
    if int(known) == 1:
        ends = (f"{sign}{digits[0]}999", f"{sign}{digits[0]}000")
        raise _refused(edtf, f"is a millennium: write {'/'.join(sorted(ends, key=int))}")
    _check_grammar(edtf, "digits that count are written as in 1950S2")
    span = _round(edtf, sign, int(digits), int(known))
    return span._replace(precision=_ROUNDED[int(known)])


def _round(edtf: str, sign: str, size: int, known: int) -> _Span:
    """Return the span of all years that have the length of `size` and its first `known` digits."""
    length = len(str(size))
    if not 1 <= known <= length:
        raise _refused(edtf, f"is not a year: of {length} digits 1 to {length} can count")
    unit = 10 ** (length - known)
    near = size // unit * unit
    far = near + unit - 1
    first, last = (-far, -near) if sign else (near, far)
    return _Span((first, 1, 1), (last, 12, 31), "year")


def _qualified(edtf: str) -> _Span | None:
    """Return the span of a qualified date; None if it has no form that EDTF knows.

    ? (uncertain), ~ (approximate) and % (both) do not change the bounds.
    """
    plain = _QUALIFIER.sub("", edtf)
    span = _point(plain)
    if span is not None and len(span.first) == 6:
        raise _refused(edtf, f"qualifies a time: only dates take ?, ~ and %, as in {plain[:10]}~")
    if span is None or edtf[:-1] == plain:
        return span
    advice = "write ?, ~ or % once at the end, or beside the part of a plain date that it is for"
    if not _DATE.fullmatch(plain):
        raise _refused(edtf, f"is not EDTF: {advice}")
    _check_grammar(edtf, advice)
    return span


def _check_grammar(edtf: str, advice: str) -> None:
    """Refuse a text that the EDTF package does not read: it has the whole grammar of level 2.

    Only its yes or no is used: it sets other bounds, and takes milliseconds for one text.
    """
    if not _edtf_package()(edtf):
        raise _refused(edtf, f"is not EDTF: {advice}")


@cache
def _edtf_package() -> Callable[[str], bool]:
    """Import the EDTF package, which is slow to import, when it is first needed.

    Returns a function that tells whether the package reads a text.
    """
    with warnings.catch_warnings():
        # Under "python -W", pyparsing warns about the package's grammar.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"edtf\.parser\.")
        from edtf import is_valid_edtf
    return lru_cache(maxsize=1024)(is_valid_edtf)


def _refused(edtf: str, problem: str) -> InvalidValue:
    return InvalidValue(edtf, f'"{edtf}" {problem}')
