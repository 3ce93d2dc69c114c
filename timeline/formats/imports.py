"""The formats of other people's data: what a row of a publisher's file says, as an event.

Guarantees: each module here is pure - bytes in, rows and statements out - and streams: of a
file of any length it holds a row (but for `timelinejs`: what a browser holds as a whole).
Nothing of a row is lost, for its cells go with it as they were written. What cannot be read is
said, with its line, and the rows behind it are read.

Knows no log: which rows are new, changed or gone is `importing`'s business. A package may
bring a format of its own by an entry point in the group ``timeline.importers``: a function
like the `importer` of the modules here.
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

__all__ = ["Cells", "Format", "Row", "Tally", "Unreadable", "importer", "names"]

_GROUP = "timeline.importers"
_OWN = {
    "gdelt": "timeline.formats.importers.gdelt",
    "mapped": "timeline.formats.importers.mapped",
    "timelinejs": "timeline.formats.timelinejs.importer",
    "ucdp": "timeline.formats.importers.ucdp",
}

Cells = dict[str, str]
"""Column to text, both as the publisher wrote them, in the order of the file."""


class Row(NamedTuple):
    """A row of a file, and the line in which it begins, from 1."""

    line: int
    cells: Cells
    is_of_a_table: bool = False
    """Whether every row of the file has the same columns."""


class Unreadable(NamedTuple):
    """What should have been a row."""

    line: int
    field: str
    """The column, or "" for the whole row."""
    reason: str


class Tally(NamedTuple):
    """What a row adds to the totals of its file, read from its cells alone."""

    figures: Mapping[tuple[str, str], Decimal]
    """By measure and by "value", "low" or "high"."""
    country: str = ""
    """As the publisher calls it."""
    date: str = ""
    """How precise the publisher says that the date is."""


@dataclass(frozen=True)
class Format:
    """How the file of one publisher is read."""

    scheme: str
    """Of the external ids, ``scheme:id``; and the name under which `extra` keeps the cells."""
    read: Callable[[IO[bytes]], Generator[Row | Unreadable, None, None]]
    """The rows of a file. Raises InvalidInput for what is no such file at all."""
    identify: Callable[[Cells], str]
    """The publisher's id of a row. Raises InvalidInput, naming the column."""
    event: Callable[[Cells], dict[str, Any]]
    """The fields of a `model.Statement`, without ids and `extra`. Raises InvalidInput."""
    tally: Callable[[Cells], Tally]
    """What the row adds to the totals."""
    identifying: frozenset[str]
    """The columns that `identify` reads."""
    spellings: Mapping[str, Spelling] = field(default_factory=dict)
    """Of the columns whose text can be written in several ways."""
    source: Mapping[str, Any] | None = None
    """The dataset itself, a `model.Source` with its id: recorded if the log has none of it."""


def names() -> list[str]:
    """What `importer` knows: our own formats, and those of other packages."""
    return sorted({*_OWN, *(point.name for point in entry_points(group=_GROUP))})


def importer(name: str, mapping: Path | None = None) -> Format:
    """The format of this name; one that is `mapped` needs the file that maps it.

    Raises InvalidInput for a mapping that is wrong, missing or not asked for.
    """
    if name in _OWN:
        make = importlib.import_module(_OWN[name]).importer
    else:
        (point,) = entry_points(group=_GROUP, name=name)
        make = point.load()
    found: Format = make(mapping)
    return found
