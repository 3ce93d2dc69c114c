"""Read the header of a sheet: the column of the contract that each name means, if any.

Guarantees: a column that is none of ours does no harm: it is left out. But a name that looks like a
slip of one of ours is refused, and so are two columns for one field. A refusal names the cell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from timeline.errors import InvalidCell, InvalidInput
from timeline.formats.coded import REPEATS
from timeline.formats.sheet.cells import BLANKS, COLUMNS, MEDIA, PATHS, held_by, letters
from timeline.formats.sheet.problems import Problems
from timeline.model import field_paths, hints
from timeline.model.content import Event
from timeline.model.invisible import without

Meant = Mapping[str, str | None]
"""The column that a name in a header means, by the name; None if that column is left out."""

_OURS = (*COLUMNS, *REPEATS, *MEDIA, "highlight")
_LIKENESS = 0.8
"""How alike two names must be for a slip, from 0 to 1: titel and title are, status and tags not."""
_MISTYPED = (*_OURS, *(name for name in Event.model_fields if name != "note"))
"""The names of which others may be slips. Notes is the working column of many sheets, no slip."""
_TOGETHER = (("source_url", "source_title"), MEDIA)
"""Columns that go together: those after the first one need it."""


class Header:
    """The columns of a sheet: each is one of the contract, or left out.

    `meant` says what names mean that would be refused or left out.
    """

    def __init__(self, line: int, header: Sequence[str], meant: Meant) -> None:
        self.names = [without(name).strip(BLANKS) for name in header]
        self.columns: list[str | None] = []
        """The column of the contract that each name means; None if it is left out."""
        self.slips: dict[str, str] = {}
        """The names that look like slips, each with the column that was likely meant."""
        self.problems = Problems()
        """What is wrong with the header; a name in it still means its column, if only one does."""
        self._line = line
        self._meant = {_folded(name): column for name, column in meant.items()}
        for name in self.names:
            column = self._column(name) if name else None
            if column in self.columns and column:
                self._refuse(len(self.columns), "stands twice in the header")
                column = None
            self.columns.append(column)
        self._check_together()
        if not any(self.columns):
            known = f"known are {', '.join(COLUMNS)}"
            problem = f"no column is known: {known}; `timeline import sheet` reads other sheets"
            with self.problems.gathered():
                raise InvalidInput("", problem).at(line=line)

    def _column(self, name: str) -> str | None:
        """Return the column that a name means; a problem with it is gathered."""
        folded, number = _folded(name), len(self.columns)
        if folded in self._meant:
            return self._meant[folded]
        if folded in _OURS:
            return folded
        for column, path in PATHS.items():
            if name == path:
                self._refuse(number, held_by(column))
                return column
        first = re.split(r"[./]", name.removeprefix("/"), maxsplit=1)[0]
        if first in Event.model_fields:
            try:
                field_paths.steps(name)
            except InvalidInput as error:
                self._refuse(number, error.problem)
                return None
            return name
        near = hints.nearest(_folded(first), _MISTYPED, _LIKENESS)
        near = near and near + name[len(first) :]
        if not near or near in (*map(_folded, self.names), *self.columns):
            return None
        self.slips[name] = near
        ways = f"rename it, or pass --ignore-column {shlex.quote(name)}"
        self._refuse(number, f"is not a column: did you mean {near}? {ways}")
        return near

    def _check_together(self) -> None:
        """Gather the columns without another one that they need, and leave them out."""
        found = [*self.columns]
        for number, column in enumerate(found):
            if column is None:
                continue
            if REPEATS.get(column, column) not in found:
                self._refuse(number, held_by(REPEATS[column]))
            elif "media_url" in found and field_paths.steps(column)[0] == "media":
                self._refuse(number, held_by("media_url"))
            elif needed := next((one for one, *rest in _TOGETHER if column in rest), None):
                if needed in found:
                    continue
                self._refuse(number, f"needs the column {needed} beside it")
            else:
                continue
            self.columns[number] = None

    def _refuse(self, number: int, problem: str) -> None:
        with self.problems.gathered():
            address = f"{letters(number)}{self._line}"
            raise InvalidCell(self.names[number], problem, address).at(line=self._line)

    def left_out(self, number: int) -> str:
        """Name a column that is left out."""
        name = self.names[number] if number < len(self.names) else ""
        return name or f"{letters(number)} (without a name)"


def _folded(name: str) -> str:
    return "_".join(name.lower().split())
