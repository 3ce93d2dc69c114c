"""Write ids into the text of a CSV sheet, and leave every other character as it is.

Guarantees: delimiter, quotes, line ends, encoding and byte order mark stay; only empty cells of the
column `id` are filled, or a column `id` is added as the first one. Pure: knows a text, no file.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping

from timeline.model import text_files

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def with_ids(content: bytes, delimiter: str, column: int | None, ids: Mapping[int, str]) -> bytes:
    """Return the bytes of a sheet with an id in each row whose line is in `ids`.

    `column` is the index of the column `id`; without it the sheet gets one.
    """
    encoding = text_files.encoding_of(content).removesuffix("-sig")
    mark, coding = next(
        ((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", encoding)
    )
    text = content[len(mark) :].decode(coding)
    pieces = _pieces(text, delimiter, column, ids)
    return mark + "".join(pieces).encode(coding)


def _pieces(text: str, delimiter: str, column: int | None, ids: Mapping[int, str]) -> Iterator[str]:
    is_header = True
    for line, record in _records(text, delimiter):
        if column is not None:
            yield _filled(record, delimiter, column, ids[line]) if line in ids else record
        elif line in ids:
            yield f"{ids[line]}{delimiter}{record}"
        elif is_header and record.strip(f" \t\r\n{delimiter}") and not _is_hint(line, record):
            yield f"id{delimiter}{record}"
            is_header = False
        else:
            yield record


def _is_hint(line: int, record: str) -> bool:
    return line == 1 and bool(re.match(r'"?sep=.', record))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, str]]:
    """Yield each record of a CSV text as it is written, after the line on which it begins."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text):
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    start = 1
    for _ in reader:
        yield start, "".join(taken)
        start = reader.line_num + 1
        taken.clear()


def _filled(record: str, delimiter: str, column: int, event_id: str) -> str:
    """Return a record with an id in a column whose cell is empty, or that it is too short for."""
    body = record.rstrip("\r\n")
    end = record[len(body) :]
    cells = [*re.finditer(rf"(?:^|(?<={re.escape(delimiter)}))({_cell(delimiter)})", body)]
    if column >= len(cells):
        return f"{body}{delimiter * (column - len(cells) + 1)}{event_id}{end}"
    cell = cells[column]
    mark = '"' if cell[1].startswith('"') else ""
    return f"{body[: cell.start(1)]}{mark}{event_id}{mark}{body[cell.end(1) :]}{end}"


def _cell(delimiter: str) -> str:
    """Return the pattern of a cell as it is written."""
    mark = re.escape(delimiter)
    return rf'"(?:[^"]|"")*"|[^{mark}]*'
