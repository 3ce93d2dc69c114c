"""Open a sheet of the CSV contract: a CSV file, a workbook, or either of them packed."""

from __future__ import annotations

import io
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.importers import packed
from timeline.formats.importers.decoding import recoded
from timeline.formats.importers.workbooks import is_workbook, workbook_rows
from timeline.formats.imports import FileNote, Row
from timeline.formats.sheet.reading import Sheet, TableLine
from timeline.model import text_files

_MOST_ROWS = ": split the sheet"


def opened_sheet(
    content: bytes, delimiter: str | None = None, *, encoding: str | None = None
) -> Sheet:
    """Return the sheet that the bytes of a file hold. Raises InvalidInput if it cannot be opened.

    Without the name of an encoding a CSV file is UTF-8, or UTF-16.
    """
    file: Any = packed.plain(io.BytesIO(content))
    if is_workbook(file.peek(8)):
        return _of_workbook(file)
    if encoding:
        file = recoded(file, encoding)
    return Sheet(text_files.whole(file, _MOST_ROWS), delimiter)


def _of_workbook(file: Any) -> Sheet:
    """Return the first sheet of a workbook that has rows; its lines are numbered as its rows."""
    rows: list[Row] = []
    notes: list[str] = []
    for each in workbook_rows(file):
        if isinstance(each, FileNote):
            notes.append(each.text)
        elif isinstance(each, Row):
            rows.append(each)
        else:
            raise InvalidInput(each.field, each.reason).at(line=each.line)
    # A column without a name is only in the rows in which it holds something.
    names = dict.fromkeys(name for row in rows for name in row.cells)
    first = rows[0].line - 1 if rows else 1
    lines = [TableLine(first, first, [*names])]
    for row in rows:
        cells = [row.cells.get(name, "") for name in names]
        lines.append(TableLine(row.line, row.line, cells))
    return Sheet(lines, notes=notes)


def can_take_ids(content: bytes) -> bool:
    """Tell whether ids can be written into a file: it is text, neither packed nor a workbook."""
    return not (is_workbook(content[:8]) or content.startswith((b"PK", b"\x1f\x8b")))
