"""Read the rows of a workbook: XLSX, XLSM, XLSB and XLS of Excel, and ODS of LibreOffice.

Guarantees: a workbook is read by a process of its own, which has limits of memory and of time, so
that none can do harm; one that grows beyond measure when it is unpacked is refused before. Dates
are ISO 8601, whole numbers have no fraction, and a cell with an error is empty. Knows nothing of
what columns mean.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Set
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.formats.importers import packed
from timeline.formats.importers.tables import (
    FIRST_LINES,
    TAGS_SKIPPED,
    Record,
    TableHeader,
    has_tags,
    header_at,
    skipped_note,
)
from timeline.formats.imports import FileNote, Row, Unreadable
from timeline.model import hints, text_files

_READER = Path(__file__).with_name("workbook_reader.py")
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of files of Excel until 2003, and of those that are locked with a password."""
_MOST_NAMES = 8
"""Names of sheets that a note lists."""


def is_workbook(beginning: bytes) -> bool:
    """Tell whether a file that begins so is a workbook, once ZIP files of other data are opened."""
    return beginning.startswith((packed.ZIP, _OLD))


def workbook_rows(
    file: IO[bytes], sheet: str | None = None, wanted: Set[str] = frozenset()
) -> Iterator[Row | Unreadable | FileNote]:
    """Yield the rows of a sheet, and notes on how it was read.

    Without a name it is the first sheet with the wanted columns, or else with a table. The line of
    a row is its number in the sheet. Raises InvalidInput for what cannot be read as a workbook, and
    for a header that lacks a wanted column or has it twice.
    """
    content = text_files.whole(file, ": save the sheet as CSV")
    if content.startswith(packed.ZIP):
        with packed.opened(io.BytesIO(content)) as archive:
            packed.check_sizes(archive.infolist())
    if find_spec("python_calamine") is None:
        raise InvalidInput(
            "",
            "is a workbook: install what reads it, with pip install 'timeline-store[sheets]',"
            " or save the sheet as CSV",
        )
    with tempfile.TemporaryFile() as spooled:
        spooled.write(content)
        del content
        spooled.seek(0)
        command = [sys.executable, "-P", str(_READER), json.dumps([sheet, sorted(wanted)])]
        with subprocess.Popen(  # noqa: S603
            command, stdin=spooled, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield from _rows(_told(process), wanted)
            finally:
                process.kill()


def _told(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Yield what the process prints, up to its end. Raises InvalidInput if it did not get there."""
    for line in process.stdout or ():
        told = json.loads(line) if line.endswith(b"\n") else {}
        if isinstance(told, dict):
            if "end" in told:
                return
            if "error" in told:
                raise InvalidInput("", " ".join(told["error"].split()))
        yield told
    raise InvalidInput("", "takes too much memory or time as a workbook: save the sheet as CSV")


def _rows(told: Iterator[Any], wanted: Set[str]) -> Iterator[Row | Unreadable | FileNote]:
    about = next(told)
    if "lacks" in about:
        near = hints.nearest(about["lacks"], about["sheets"])
        hint = f"did you mean {near}?" if near else f"it has {_listed(about['sheets'])}"
        raise InvalidInput("sheet", f"the workbook has no {hints.quoted(about['lacks'])}: {hint}")
    name, others = about["sheet"], about["others"]
    if name is None:
        raise InvalidInput("", "has no sheet with a header and a row")
    if others:
        is_or_are = "is" if len(others) == 1 else "are"
        yield FileNote(
            f"read from the sheet {hints.quoted(name)}; {_listed(others)} {is_or_are} not read"
        )
    if errors := about["errors"]:
        have = "1 cell has an error" if errors == 1 else f"{errors:,} cells have an error"
        yield FileNote(f"{have} such as #REF! in the workbook, and count as empty")
    rows = (
        Record(number, cells)
        for number, cells in enumerate(told, 1)
        if any(cell.strip() for cell in cells)
    )
    beginning = [*islice(rows, FIRST_LINES)]
    if not beginning:
        raise InvalidInput("", f"has nothing in the sheet {hints.quoted(name)}")
    at = header_at(beginning, wanted)
    if at:
        title = " ".join(cell for cell in beginning[0].cells if cell)
        yield skipped_note("row", beginning[at].line, title)
    first = beginning[at]
    header = TableHeader(first.cells, first.line, wanted, f"that of the sheet {hints.quoted(name)}")
    below = beginning[at + 1 :]
    if below and has_tags(below[0].cells):
        yield FileNote(TAGS_SKIPPED)
        del below[0]
    for record in chain(below, rows):
        yield header.row(record.line, record.cells)


def _listed(names: list[str]) -> str:
    return hints.first_of([hints.quoted(name) for name in names], _MOST_NAMES)
