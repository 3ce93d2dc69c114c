"""Settle what the writer of a sheet meant by a date that has several readings, or lacks its year.

Guarantees: only what a habit decides is written otherwise; all else of the text stays as it was
typed. A date that the habit does not fit (16/4/25 where the month comes first) keeps its one
reading in the other order.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from timeline.model.patterns import lazy_pattern


class DateHabits(NamedTuple):
    """Tells how dates are written in a sheet, where a date alone would not tell."""

    day_first: bool | None = None
    """Whether 4/12/2025 is 4 December (or 12 April); None leaves it in doubt."""
    year: int | None = None
    """The year of dates that have none, such as "12 Apr"."""


NO_HABITS = DateHabits()
_IN_DIGITS = lazy_pattern(
    r"(?:(?<![0-9:./+-])|(?<=[./][0-9]{4}-)|(?<=[./][0-9]{2}-))"
    r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})"
    r"(?![0-9./]|:[0-9]|-(?![0-9]{1,2}[./]))"
)
_NO_YEAR = lazy_pattern(r"([0-9]{1,2})([./])([0-9]{1,2})\.?(?=$|,? )")
"""Finds a day and a month at the beginning of a date, such as those of "16.04." and "4/16 9:30"."""
_TWO_DAYS = lazy_pattern(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{4}-[0-9]{2}-[0-9]{2})$")
_DAY_ALONE = lazy_pattern(r"(?<![0-9:./-])([0-9]{1,2})-([a-z]{3,9})(?![\w./-])", re.I)
_OF_A_CENTURY = lazy_pattern(r"[0-2][0-9]")
"""Finds a year of two digits that `edtf_variants` reads in one way only."""


def settled(text: str, habits: DateHabits) -> str:
    """Return a date with its days and months in the order of ISO 8601, as the habits say it.

    A year of two digits stays in doubt where it may be of two centuries.
    """
    if habits.year is not None:
        text = _with_year(_DAY_ALONE.sub(r"\1 \2", text), habits.year, habits.day_first)
    if habits.day_first is None:
        return text
    text = _IN_DIGITS.sub(lambda match: _in_order(match, day_first=bool(habits.day_first)), text)
    return _TWO_DAYS.sub(r"\1/\2", text)


def orders(text: str) -> set[bool]:
    """Return for a date in digits whether its day may come first (True), its month (False), both.

    A text without such a date has no order. A day that is its own month (4/4/25) tells nothing.
    """
    found: set[bool] = set()
    for match in _IN_DIGITS.finditer(text):
        one, _, two, year = match.groups()
        if int(one) != int(two):
            found |= {first for first in (True, False) if _iso(one, two, year, day_first=first)}
    return found


def _with_year(text: str, year: int, day_first: bool | None) -> str:
    """Add the year to a day and a month in digits; a point between them says which comes first."""
    match = _NO_YEAR.match(text)
    if match is None or (day_first is None and match[2] != "."):
        return text
    either = (_iso(match[1], match[3], f"{year:04d}", day_first=first) for first in (True, False))
    day, month = either if day_first is not False else reversed([*either])
    return f"{day or month}{text[match.end() :]}" if day or month else text


def _in_order(match: re.Match[str], *, day_first: bool) -> str:
    one, _, two, year = match.groups()
    if len(year) == 2 and not _OF_A_CENTURY.fullmatch(year):
        return match[0]
    either = (_iso(one, two, year, day_first=first) for first in (day_first, not day_first))
    return next(filter(None, either), match[0])


def _iso(one: str, two: str, year: str, *, day_first: bool) -> str | None:
    day, month = (one, two) if day_first else (two, one)
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)).isoformat()
    except ValueError:
        return None
