"""Count the cells that were left out of their events, by column and reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from timeline.formats.imports import LeftOut

_OF_THIS_CELL = re.compile(r'"[^"]*"|[0-9]+(?:[.,:-][0-9]+)*')
"""What differs from cell to cell in a reason: quoted texts, numbers and dates."""
_MOST_GROUPS = 1_000
"""Reasons that are held; any further one counts as another reason of its column."""


class RowPlace(NamedTuple):
    """Says where a row stands in its file."""

    number: int
    """The number of the row, counted from 1."""
    line: int


def kind_of(problem: str) -> str:
    """Return what is the same in the problems of several cells of one kind."""
    return _OF_THIS_CELL.sub("#", problem)


@dataclass
class LeftOutCells:
    """Counts the cells of one column that were left out for one reason, with one example."""

    column: str
    problem: str
    cell: str
    """The text of the first of these cells."""
    line: int
    """The line of the first of these rows."""
    item: int
    """The number of the first of these rows in the file, counted from 1."""
    rows: int = 0

    def sentence(self, in_words: Callable[[RowPlace], str]) -> str:
        """Say it as an item of a list; `in_words` says where a row is."""
        cell = self.cell if len(self.cell) <= 60 else f"{self.cell[:59]}…"
        said = "" if not cell or cell in self.problem else f"{cell}: "
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        such = "" if self.rows == 1 else "such as "
        where = in_words(RowPlace(self.item, self.line))
        return f"{self.column}, {rows}, {such}{where}: {said}{self.problem}"


class LeftOutCount:
    """Holds the counts of one import, in groups."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], LeftOutCells] = {}
        self.cells = 0

    def add(self, place: RowPlace, cell: LeftOut) -> None:
        """Count a cell of the row at this place."""
        self.cells += 1
        kind = kind_of(cell.problem)
        if (cell.column, kind) not in self._groups and len(self._groups) >= _MOST_GROUPS:
            kind = ""
        group = self._groups.setdefault(
            (cell.column, kind),
            LeftOutCells(cell.column, cell.problem, cell.cell, place.line, place.number),
        )
        group.rows += 1

    def groups(self) -> list[LeftOutCells]:
        """List the groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.rows)
