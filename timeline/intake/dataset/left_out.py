"""Count the cells that were left out of their events, by column and reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from timeline.formats.imports import LeftOut

_OF_THIS_CELL = re.compile(r'"[^"]*"|[0-9]+(?:[.,:-][0-9]+)*')
"""What differs from cell to cell in a reason: quoted texts, numbers and dates."""
_MOST_GROUPS = 1_000
"""Reasons that are held; any further one counts as another reason of its column."""


@dataclass
class LeftOutCells:
    """Counts the cells of one column that were left out for one reason, with one example."""

    column: str
    problem: str
    cell: str
    """The text of the first of these cells."""
    line: int
    """The line of the row of the first of these cells."""
    rows: int = 0

    def __str__(self) -> str:
        cell = self.cell if len(self.cell) <= 60 else f"{self.cell[:59]}…"
        said = "" if not cell or cell in self.problem else f"{cell}: "
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        such = "line" if self.rows == 1 else "such as line"
        return f"{self.column}, {rows}, {such} {self.line}: {said}{self.problem}"


class LeftOutCount:
    """Holds the counts of one import, in groups."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], LeftOutCells] = {}
        self.cells = 0

    def add(self, line: int, cell: LeftOut) -> None:
        self.cells += 1
        kind = _OF_THIS_CELL.sub("#", cell.problem)
        if (cell.column, kind) not in self._groups and len(self._groups) >= _MOST_GROUPS:
            kind = ""
        group = self._groups.setdefault(
            (cell.column, kind), LeftOutCells(cell.column, cell.problem, cell.cell, line)
        )
        group.rows += 1

    def groups(self) -> list[LeftOutCells]:
        """List the groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.rows)
