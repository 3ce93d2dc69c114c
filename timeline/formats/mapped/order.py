"""Give dates without a year the year that the rows above them say.

Guarantees: a date gets the year in which it lies nearest to the date above it. Before the first
date with a year nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Self

from timeline.errors import InvalidInput
from timeline.formats.imports import Cells
from timeline.formats.mapped.cells import FILE_YEAR, Style
from timeline.formats.mapped.dates import DateColumn, DateRule, DateSpan, PreciseDate
from timeline.formats.mapped.mapping import Mapping

_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")


class YearsInOrder:
    """Adds to the cells of each row the year that its date has, if it has none itself."""

    def __init__(self, dated: DateColumn, style: Style) -> None:
        self._dated = dated
        self._style = style
        self._last: date | None = None

    @classmethod
    def of(cls, mapping: Mapping) -> Self | None:
        """Return what follows the dates of a mapping; None if no rule wants it."""
        rules = (rule.date for rule in mapping.rules if rule.path == "occurred" and rule.date)
        dated = next((found for rule in rules if (found := _following(rule))), None)
        return cls(dated, mapping.style) if dated else None

    def add(self, cells: Cells) -> None:
        """Add the year to a row that needs it."""
        if (day := self._day(cells)) is not None:
            self._last = day
            return
        if self._last is None:
            return
        last = self._last
        years = (last.year - 1, last.year, last.year + 1)
        near = [(abs(day - last), day) for year in years if (day := self._day(cells, year))]
        if near:
            self._last = min(near)[1]
            cells[FILE_YEAR] = f"{self._last.year:04d}"

    def _day(self, cells: Cells, year: int | None = None) -> date | None:
        """Return the first day of the date of a row; None if it cannot be read."""
        said = {**cells, FILE_YEAR: f"{year:04d}"} if year else cells
        try:
            found = self._dated.read(self._style, said, [])
        except InvalidInput:
            return None
        match = _DAY.match(found.edtf) if found else None
        try:
            return date(*(int(part or 1) for part in match.groups())) if match else None
        except ValueError:
            return None


def _following(rule: DateRule) -> DateColumn | None:
    """Return the date in a rule whose year follows the rows, or None."""
    if isinstance(rule, DateSpan):
        return _following(rule.start)
    if isinstance(rule, PreciseDate):
        return _following(rule.date)
    return rule if isinstance(rule, DateColumn) and rule.follows_rows else None
