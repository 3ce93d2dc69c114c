"""Settle how the dates of a whole column are meant, where one date alone would leave it in doubt.

Guarantees: what the column settles is told with its reason, date by date. A date that nothing
settles stays in doubt, and is never guessed. The order of the rows counts only where exactly one
reading lies between the dates above and below.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.formats.guessing.contents import SERIAL, is_no_date
from timeline.formats.sheet.dates import read_date
from timeline.model import edtf, typed_dates
from timeline.model.date_habits import DateHabits, orders
from timeline.model.figures import is_english

_NARROW = 45
"""Days of a date that says where it lies among others, at most: a month does, a year does not."""
_WITHOUT_YEAR = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\.?")
UNKNOWN = "../.."
"""The EDTF of a date of which nothing is known."""
_FIRST_IN = {True: "the day first", False: "the month first"}


class SettledDate(NamedTuple):
    """A date that was read by more than its own words."""

    row: int
    """The index of its row, from 0."""
    cell: str
    edtf: str
    why: str


class DateInDoubt(NamedTuple):
    """A date that nothing settles, with its readings in EDTF: the one with the day first leads."""

    row: int
    cell: str
    readings: tuple[str, ...]


@dataclass
class SettledDates:
    """Says how the dates of a column are meant."""

    day_first: bool | None = None
    """Whether the day comes first in all dates in digits; None if the column does not say it."""
    year: int | None = None
    """The year of all dates that have none; None if none lacks it, or they have several."""
    words: dict[str, str] = field(default_factory=dict)
    """The EDTF of the cells that only the column settles, or that say no date, by cell."""
    settled: list[SettledDate] = field(default_factory=list)
    in_doubt: list[DateInDoubt] = field(default_factory=list)
    """The dates whose day and month could change places."""
    without_year: list[DateInDoubt] = field(default_factory=list)
    """The dates without a year, each with what the order of the rows makes of it, if anything."""
    unknown: int = 0
    """The number of cells that say no date."""


class _Day(NamedTuple):
    """The first and the last day of a date that lies where it says, at an index of the column."""

    row: int
    first: date
    last: date


def settled(
    cells: Sequence[str],
    *,
    day_first: bool | None = None,
    year: int | None = None,
    known: Mapping[str, str] | None = None,
    language: str = "en",
    why: str = "as you said",
) -> SettledDates:
    """Settle the dates in the cells of a column, in the order of its rows.

    `day_first` and `year` are what a person said, or what else says them, as `why` tells of the
    first; `known` are cells that were settled before.
    """
    return _Column(cells, known or {}, language).settle(day_first, year, why)


class _Column:
    """Settles the dates of one column."""

    def __init__(self, cells: Sequence[str], known: Mapping[str, str], language: str) -> None:
        self._cells = [cell.strip() for cell in cells]
        self._known = known
        self._language = language
        self._found = SettledDates(words={**known})
        self._days: list[_Day] = []
        """The dates that lie where they say, in the order of the rows."""

    def settle(self, day_first: bool | None, year: int | None, why: str) -> SettledDates:
        found = self._found
        in_doubt: list[int] = []
        yearless: list[int] = []
        deciding: dict[bool, str] = {}
        decided: list[int] = []
        for index, cell in enumerate(self._cells):
            if is_no_date(cell):
                found.unknown += 1
                found.words[cell] = UNKNOWN
                continue
            order = orders(cell)
            if len(order) == 1 or len(order := _orders_without_year(cell)) == 1:
                deciding.setdefault(True in order, cell)
                decided.append(index)
            if cell in self._known:
                self._lies(index, self._known[cell])
            elif SERIAL.fullmatch(cell):
                self._settle_serial(index, cell)
            elif len(orders(cell)) == 2:
                in_doubt.append(index)
            elif (read := self._read(cell, DateHabits(day_first=True))) is not None:
                self._lies(index, read)
            elif self._read(cell, DateHabits(True, 2024)) is not None:
                yearless.append(index)
        if day_first is None and len(deciding) == 1:
            ((day_first, example),) = deciding.items()
            why = f"as {example}"
        if day_first is None:  # what has its year by the order of the rows may settle the rest
            self._keep_decided(decided)
            self._settle_years(yearless, year)
            yearless = []
            if not deciding:
                day_first = self._order_of_rows(in_doubt)
                why = "as the rows around say"
            if day_first is None and not deciding and not is_english(self._language):
                day_first, why = True, "as the language of the sheet has it"
        found.day_first = day_first
        for index in in_doubt:
            self._settle_order(index, day_first, why)
        self._settle_years(yearless, year)
        self._doubt_unlike()
        found.settled.sort()
        return found

    def _doubt_unlike(self) -> None:
        """Put in doubt again what the rows around settled in two ways, for it is written alike."""
        found = self._found
        readings: dict[str, set[str]] = {}
        for each in found.settled:
            readings.setdefault(each.cell, set()).add(each.edtf)
        for each in found.settled:
            if len(both := readings[each.cell]) > 1:
                found.words.pop(each.cell, None)
                either = tuple(self._readings(each.cell).values())
                readings_ = either if len(either) == 2 else tuple(sorted(both))
                found.in_doubt.append(DateInDoubt(each.row, each.cell, readings_))
        found.settled = [each for each in found.settled if len(readings[each.cell]) == 1]

    def _read(self, cell: str, habits: DateHabits) -> str | None:
        return _read(cell, habits, self._language)

    def _lies(self, row: int, read: str) -> None:
        """Remember where a date lies, if it is narrow enough to say anything about the others."""
        if (day := _day_of(row, read)) is not None:
            insort(self._days, day)

    def _settle_serial(self, row: int, cell: str) -> None:
        """Read the number of a day as Excel counts them from 1900 on."""
        read = (date(1899, 12, 30) + timedelta(int(cell))).isoformat()
        self._found.words[cell] = read
        self._found.settled.append(SettledDate(row, cell, read, "as Excel counts the days"))
        self._lies(row, read)

    # --- Day and month ----------------------------------------------------------------------

    def _readings(self, cell: str) -> dict[bool, str]:
        """Return the readings of a date in digits, by whether its day comes first."""
        either = ((first, self._read(cell, DateHabits(first))) for first in (True, False))
        return {first: read for first, read in either if read is not None}

    def _between(self, index: int) -> bool | None:
        """Tell whether the day comes first in a date, by the one reading that fits its place."""
        readings = self._readings(self._cells[index])
        fitting = [first for first, read in readings.items() if self._fits(index, read)]
        return fitting[0] if len(fitting) == 1 else None

    def _fits(self, index: int, read: str) -> bool:
        """Tell whether a date lies between the dates above and below it, in either direction."""
        if (day := _day_of(index, read)) is None:
            return False
        above, below = self._around(index)
        if above is None or below is None:
            return False
        rises = above.first <= day.last and day.first <= below.last
        falls = above.last >= day.first and day.last >= below.first
        return rises or falls

    def _around(self, index: int) -> tuple[_Day | None, _Day | None]:
        """Return the nearest dates above and below a row that lie where they say."""
        above = bisect_left(self._days, index, key=_row_of)
        below = bisect_right(self._days, index, key=_row_of)
        return (
            self._days[above - 1] if above else None,
            self._days[below] if below < len(self._days) else None,
        )

    def _order_of_rows(self, in_doubt: Sequence[int]) -> bool | None:
        """Tell whether the day comes first in all dates in doubt, if the rows around all say so."""
        said = {self._between(index) for index in in_doubt}
        return said.pop() if len(said) == 1 else None

    def _keep_decided(self, decided: Sequence[int]) -> None:
        """Keep the dates that have one order but a year of two digits, which leaves them in doubt.

        16/4/25 may be 25 April 2016 where dates stand alone; among dates in digits it is not.
        """
        for index in decided:
            cell = self._cells[index]
            read = self._read(cell, DateHabits(day_first=True))
            if read and cell not in self._found.words and not self._read(cell, DateHabits()):
                self._found.words[cell] = read
                why = f"{_FIRST_IN[True in orders(cell)]}, as the month is not above 12"
                self._found.settled.append(SettledDate(index, cell, read, why))

    def _settle_order(self, index: int, day_first: bool | None, why: str) -> None:
        cell = self._cells[index]
        readings = self._readings(cell)
        first = self._between(index) if day_first is None else day_first
        if first is None or first not in readings:
            in_doubt = DateInDoubt(index, cell, tuple(readings.values()))
            self._found.in_doubt.append(in_doubt)
            return
        read = readings[first]
        if day_first is None:
            self._found.words[cell] = read
            why = f"{_FIRST_IN[first]}, by the rows above and below"
        else:
            why = f"{_FIRST_IN[first]}, {why}"
        self._found.settled.append(SettledDate(index, cell, read, why))
        self._lies(index, read)

    # --- Years ------------------------------------------------------------------------------

    def _settle_years(self, yearless: Sequence[int], year: int | None) -> None:
        found = self._found
        if not yearless:
            return
        years = dict.fromkeys(yearless, year) if year else {i: self._year(i) for i in yearless}
        several = {*years.values()}
        if len(several) == 1:
            found.year = several.pop()
        for index in yearless:
            cell = self._cells[index]
            given = years[index]
            readings = self._in_year(index, given) if given else []
            if len(readings) > 1:
                found.in_doubt.append(DateInDoubt(index, cell, tuple(readings)))
                continue
            found.without_year.append(DateInDoubt(index, cell, tuple(readings)))
            for read in readings:
                why = "from --year" if year else "the year by the order of the rows"
                found.settled.append(SettledDate(index, cell, read, why))
                self._lies(index, read)
                if found.year is None or self._read(cell, DateHabits(None, found.year)) != read:
                    found.words[cell] = read

    def _in_year(self, index: int, year: int) -> list[str]:
        """Return the readings of a date in a year: two where day and month may change places."""
        cell = self._cells[index]
        orders_ = (True, False) if self._found.day_first is None else (self._found.day_first,)
        either = (self._read(cell, DateHabits(first, year)) for first in orders_)
        readings = [*dict.fromkeys(read for read in either if read)]
        fitting = [read for read in readings if self._fits(index, read)]
        return fitting if len(fitting) == 1 else readings

    def _year(self, index: int) -> int | None:
        """Return the year that makes a date lie between its neighbours, or else nearest to one."""
        near = [day for day in self._around(index) if day is not None]
        candidates = {day.first.year + step for day in near for step in (-1, 0, 1)}
        days = [
            (each, day)
            for each in sorted(candidates)
            for read in self._in_year(index, each)
            if (day := _day_of(index, read))
        ]
        if not days:
            return near[0].first.year if near else None

        def distance(day: _Day) -> tuple[bool, int]:
            is_out = len(near) == 2 and not self._fits(index, day.first.isoformat())
            return is_out, min(abs((day.first - other.first).days) for other in near)

        return min(days, key=lambda each: distance(each[1]))[0]


def _row_of(day: _Day) -> int:
    return day.row


def _day_of(row: int, read: str) -> _Day | None:
    """Return where a date lies; None for one that is open, wide, or not of the years 1 to 9999."""
    when = edtf.parse(read)
    if when.occurred_from is None or when.occurred_to is None:
        return None
    try:
        first, last = (
            date.fromisoformat(bound[:10]) for bound in (when.occurred_from, when.occurred_to)
        )
    except ValueError:
        return None
    return _Day(row, first, last) if (last - first).days <= _NARROW else None


def _orders_without_year(cell: str) -> set[bool]:
    """Return the orders of a date in digits that has no year, such as 14/2 or 4.2."""
    match = _WITHOUT_YEAR.fullmatch(cell)
    return orders(f"{match[1]}{match[2]}{match[3]}{match[2]}2024") if match else set()


def lacks_year(cell: str, language: str) -> bool:
    """Tell whether a cell is a date that lacks nothing but its year."""
    read = [_read(cell, DateHabits(day_first=True, year=year), language) for year in (None, 2024)]
    return read[0] is None and read[1] is not None


def _read(cell: str, habits: DateHabits, language: str) -> str | None:
    try:
        return read_date(cell, language=language, habits=habits).edtf
    except InvalidValue:
        return None


def in_words(date: SettledDate) -> str:
    """Say a date that was settled, in words: "12 Apr: 12 April 2025, from --year"."""
    return f"{date.cell}: {edtf.phrase(typed_dates.written(date.edtf))}, {date.why}"
