"""This module has all names that a package needs to add a format of its own (docs/import.md)."""

from timeline.formats.importers.decoding import lines
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import (
    Cells,
    FileNote,
    Format,
    LeftOut,
    Reading,
    Row,
    Tally,
    Unreadable,
)
from timeline.formats.spelling import DATE, NUMBER, Spelling, date, number

__all__ = [
    "DATE",
    "NUMBER",
    "Cells",
    "FileForm",
    "FileNote",
    "Format",
    "LeftOut",
    "Reading",
    "Row",
    "Spelling",
    "Tally",
    "Unreadable",
    "date",
    "lines",
    "number",
    "rows",
]
