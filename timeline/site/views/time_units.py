"""Divide time into days, months, years and powers of ten of years, over all years of EDTF.

Guarantees: the periods of a unit follow each other without a gap. Every period can be written as
EDTF. Days are numbered from 1 January 1970 (0), in the proleptic Gregorian calendar, before
the year 0 as after it.

Pure: knows no events.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from timeline.formats.local_dates import date_words, day_of_year, month_name, period_words
from timeline.model import edtf

Date = tuple[int, int, int]
"""Astronomical year, month and day."""

_FOUR_DIGITS = range(-9999, 10_000)
"""The years in which EDTF can write a month or a day."""

_KNOWN = 20_000
"""Days whose numbers are kept: those of 50 years. It makes an axis twice as fast."""


@lru_cache(maxsize=_KNOWN)
def day_number(date: Date) -> int:
    """Return the number of a day (days_from_civil, howardhinnant.github.io/date_algorithms)."""
    year, month, day = date
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@lru_cache(maxsize=_KNOWN)
def date_of(number: int) -> Date:
    """Return the date of a day by its number (civil_from_days, as above)."""
    era, of_era = divmod(number + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    part = (5 * of_year + 2) // 153
    month = part + 3 if part < 10 else part - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * part + 2) // 5 + 1


@lru_cache(maxsize=_KNOWN)
def number_of(day: str) -> int:
    """Return the number of a day that is written as table `events` has it."""
    return day_number(edtf.numbers(day)[:3])


class Unit(NamedTuple):
    """A unit divides time into periods, which are numbered."""

    name: str
    years: int
    """The number of years in a period; 0 for a day and a month."""

    def period_of(self, number: int) -> int:
        """Return the number of the period in which a day is."""
        if self.name == "day":
            return number
        year, month, _ = date_of(number)
        return year // self.years if self.years else year * 12 + month - 1

    def start(self, index: int) -> int:
        """Return the first day of a period."""
        if self.name == "day":
            return index
        if self.years:
            return day_number((index * self.years, 1, 1))
        return day_number((index // 12, index % 12 + 1, 1))

    def end(self, index: int) -> int:
        """Return the last day of a period."""
        return self.start(index + 1) - 1

    def bounds(self, index: int) -> tuple[str, str]:
        """Return the first and the last part of a period as EDTF; a day and a month are one."""
        if self.years:
            first = index * self.years
            return _year(first), _year(first + self.years - 1)
        return (edtf_of(self.start(index), is_month=self.name == "month"),) * 2

    def label(self, index: int) -> str:
        """Return a period in words, such as "15 April 2025" or "1790 to 1799"."""
        return period_words(*self.bounds(index))


DAY, MONTH, YEAR = Unit("day", 0), Unit("month", 0), Unit("year", 1)
_NAMES = {10: "decade", 100: "century"}


def next_unit(unit: Unit) -> Unit:
    """Return the next larger unit: month, year, then 10, 100, 1,000 ... years."""
    if unit == DAY:
        return MONTH
    if unit == MONTH:
        return YEAR
    years = unit.years * 10
    return Unit(_NAMES.get(years, f"{years:,} years"), years)


def fitting(first: int, last: int, most: int, least: Unit = DAY) -> Unit:
    """Return the smallest unit from `least` on that divides some days into at most `most` periods.

    It is a year or more in years in which EDTF has no months.
    """
    unit = least
    if not (unit.years or (_is_short(first) and _is_short(last))):
        unit = YEAR
    while unit.period_of(last) - unit.period_of(first) >= most:
        unit = next_unit(unit)
    return unit


def _is_short(number: int) -> bool:
    return date_of(number)[0] in _FOUR_DIGITS


def edtf_of(number: int, *, is_month: bool = False) -> str:
    """Return a day as EDTF, or its month; its year if EDTF has no months in that year."""
    year, month, day = date_of(number)
    if year not in _FOUR_DIGITS:
        return _year(year)
    return f"{_year(year)}-{month:02d}" if is_month else f"{_year(year)}-{month:02d}-{day:02d}"


def _year(year: int) -> str:
    if year not in _FOUR_DIGITS:
        return f"Y{year}"
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


# --- Ticks --------------------------------------------------------------------------------


class Tick(NamedTuple):
    """A tick is a place on an axis that has a name."""

    day: int
    label: str
    year: str = ""
    """The year, if the label is the first one of that year and does not name it."""
    is_january: bool = False
    """Whether the label is the name of January alone."""


_STEPS_OF_DAYS = (1, 2, 5, 7, 14)
_STEPS_OF_MONTHS = (1, 2, 3, 6)


def ticks(first: int, last: int, most: int, *, with_days: bool = True) -> list[Tick]:
    """Return at most `most` ticks between two days, one or more, at even distances."""
    is_short = _is_short(first) and _is_short(last)
    if is_short and with_days and (last - first) // _STEPS_OF_DAYS[-1] < most:
        step = next(step for step in _STEPS_OF_DAYS if (last - first) // step < most)
        return _named([*range(first, last + 1, step)], has_days=True)
    begin, end = MONTH.period_of(first), MONTH.period_of(last)
    begin += MONTH.start(begin) < first
    for step in _STEPS_OF_MONTHS if is_short else ():
        months = range(-(-begin // step) * step, end + 1, step)
        if len(months) <= most:
            return _named([MONTH.start(month) for month in months], has_days=False)
    begin, end = YEAR.period_of(first), YEAR.period_of(last)
    begin += YEAR.start(begin) < first
    step = 1
    while end // step - -(-begin // step) + 1 > most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    years = range(-(-begin // step) * step, end + 1, step)
    return [Tick(YEAR.start(year), YEAR.label(year)) for year in years]


def month_of(number: int) -> Tick:
    """Return a tick at a day, named by its month and year."""
    return _named([number], has_days=False)[0]


def _named(numbers: Sequence[int], *, has_days: bool) -> list[Tick]:
    found = []
    shown = None
    for number in numbers:
        year, month, day = date_of(number)
        words = day_of_year(month, day, is_short=True) if has_days else month_name(month)
        name_of_year = date_words(_year(year)) if year != shown else ""
        found.append(Tick(number, words, name_of_year, month == 1 and not has_days))
        shown = year
    return found
