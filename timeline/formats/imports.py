"""The registry of formats of other publishers, whose rows are read as events.

Guarantees: each format is pure; it takes bytes and returns rows and statements. It also streams:
of a file of any length only one row is held in memory (TimelineJS, whose files a browser holds
whole, is read whole). Nothing in a row is lost, for its cells are kept as they were written. What
cannot be read is reported with its line, and the rows after it are still read.

Knows no log: `timeline.intake.dataset` finds out which rows are new, changed or gone. A package
can add a format of its own by an entry point in the group ``timeline.importers``: a function like
`importer` in the modules that _OWN lists.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any, NamedTuple

from timeline.formats.spelling import Spelling

_GROUP = "timeline.importers"
_OWN = {
    "gdelt": "timeline.formats.importers.gdelt",
    "mapped": "timeline.formats.mapped.importer",
    "timelinejs": "timeline.formats.timelinejs.importer",
    "ucdp": "timeline.formats.importers.ucdp",
}

Cells = dict[str, str]
"""The text of each column, both as the publisher wrote them, in the order of the file."""


class Row(NamedTuple):
    """A row of a file; `line` is the line on which it begins, counted from 1."""

    line: int
    cells: Cells
    is_of_a_table: bool = False
    """Whether every row of the file has the same columns."""


class Unreadable(NamedTuple):
    """A part of a file that should be a row but cannot be read; `line` is counted from 1."""

    line: int
    field: str
    """The column that is wrong, or "" for the whole row."""
    reason: str


class FileNote(NamedTuple):
    """A note for a person on how a file was read."""

    text: str


class Tally(NamedTuple):
    """The amounts that a row adds to the totals of its file, read only from its cells."""

    figures: Mapping[tuple[str, str], Decimal]
    """Amounts by measure and field; the field is "value", "low" or "high"."""
    country: str = ""
    """The country as the publisher calls it, or ""."""
    date: str = ""
    """How precise the date is, in the publisher's words, or ""."""


class LeftOut(NamedTuple):
    """A cell that could not be read, and was left out of its event; `extra` keeps its text."""

    column: str
    problem: str
    cell: str


class Reading(NamedTuple):
    """Holds the fields of an event that the cells of a row fill, as far as they could be read."""

    fields: dict[str, Any]
    """The fields of a `model.content.Statement`, without ids and `extra`."""
    left_out: tuple[LeftOut, ...] = ()
    """The cells that could not be read, and that an event can do without."""
    notes: tuple[str, ...] = ()
    """Notes for a person on cells that could be meant otherwise, each with its words."""


@dataclass(frozen=True)
class Format:
    """A format that reads the files of one publisher."""

    scheme: str
    """The scheme of the external ids, ``scheme:id``; `extra` keeps the cells under this name."""
    read: Callable[[IO[bytes]], Generator[Row | Unreadable | FileNote, None, None]]
    """Yields the rows of a file, and notes on it.

    Raises InvalidInput if it is no file of this format at all.
    """
    identify: Callable[[Cells], str]
    """Returns the publisher's id of a row. Raises InvalidInput, naming the column."""
    event: Callable[[Cells], dict[str, Any] | Reading]
    """Returns a row as the fields of a `model.content.Statement`, without ids and `extra`.

    It returns a Reading if cells were left out. Raises InvalidInput for what an event cannot do
    without.
    """
    tally: Callable[[Cells], Tally]
    """Returns what a row adds to the totals of its file."""
    identifying: frozenset[str]
    """The columns that `identify` reads."""
    spellings: Mapping[str, Spelling] = field(default_factory=dict)
    """The rules for columns in which one value can be written in several ways, by column."""
    column_of: Callable[[str], str] = field(default=lambda path: path)
    """Returns the column that fills the field of this path, such as ``place.lat``."""
    identity_is_said: bool = True
    """Whether the id of a row is the publisher's own.

    If it is made of the title or the date, a row keeps its event when one of them changes.
    """
    source: Mapping[str, Any] | None = None
    """The dataset itself: the fields of a `model.content.Source`, with its id.

    The import records it if the log has no source of this id.
    """

    def reading(self, cells: Cells) -> Reading:
        """Return what a row says of its event. Raises InvalidInput as `event` does."""
        read = self.event(cells)
        return read if isinstance(read, Reading) else Reading(read)


def names() -> list[str]:
    """List the names that `importer` knows: our own formats and those of other packages, sorted."""
    return sorted({*_OWN, *(point.name for point in entry_points(group=_GROUP))})


def importer(name: str, mapping: Path | None = None) -> Format:
    """Return the format of this name; `mapped` needs the path of a mapping file.

    Raises InvalidInput for a mapping that is wrong, missing or not needed.
    """
    if name in _OWN:
        make = importlib.import_module(_OWN[name]).importer
    else:
        (point,) = entry_points(group=_GROUP, name=name)
        make = point.load()
    found: Format = make(mapping)
    return found
