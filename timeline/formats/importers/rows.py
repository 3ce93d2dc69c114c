"""Functions that read rows from CSV, tab-separated values, JSON arrays or JSON Lines as a stream.

Guarantees: of a file of any length only one row is held in memory. A row that cannot be read is
`Unreadable`, with its line, and the rows after it are still read. Knows nothing of what rows mean.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.formats.imports import Row, Unreadable
from timeline.model import text_files
from timeline.model.hints import quoted
from timeline.model.strict_json import parse_json

_GZIP = b"\x1f\x8b"
_CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile)
_CHUNK = 2**16
"""Characters that are read from a file at a time."""
_LONGEST = 16 * 2**20
"""Characters of one item of a JSON array; a longer one is refused."""


def plain(file: IO[bytes]) -> IO[bytes]:
    """Return a file of the same bytes, unpacked if they are packed by gzip."""
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    is_packed = buffered.peek(2)[:2] == _GZIP
    found: IO[bytes] = gzip.GzipFile(fileobj=buffered) if is_packed else buffered  # type: ignore[assignment]
    return found


@contextlib.contextmanager
def text(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Open the text of a file of bytes, which stays open afterwards.

    Bytes that are not UTF-8 become lone surrogates, which no field accepts. Raises InvalidInput
    if a packed file is cut off.
    """
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    encoding = text_files.encoding_of(buffered.peek(2))
    stream = io.TextIOWrapper(buffered, encoding, errors="surrogateescape", newline="")
    try:
        yield stream
    except _CUT_OFF as error:
        raise InvalidInput("", f"cannot be unpacked: {error}") from None
    finally:
        stream.detach()


def lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file of bytes, with their ends. Raises as `text` does."""
    with text(file) as stream:
        yield from iter(stream.readline, "")  # `yield from` a stream would close it


def rows(file: IO[bytes], delimiter: str | None = None) -> Generator[Row | Unreadable, None, None]:
    """Yield the rows of a file in any of the forms; a delimiter means that it is CSV.

    Raises InvalidInput if the file has none of the forms, or if a packed file is cut off.
    """
    skipped = 0
    with text(file) as stream:
        while not (head := stream.readline(_CHUNK)).strip():
            if not head:
                raise InvalidInput("", "is empty")
            skipped += 1
        match head.lstrip()[0]:
            case "[" if delimiter is None:
                chunks = iter(lambda: stream.read(_CHUNK), "")
                yield from _array_rows(chain((head,), chunks), skipped + 1)
            case "{" if delimiter is None:
                yield from _line_rows(_lines_from(head, stream), skipped + 1)
            case "<":
                raise InvalidInput("", "is a web page, not data").at(line=skipped + 1)
            case _:
                mark = delimiter or text_files.delimiter_of(head)
                yield from csv_rows(_lines_from(head, stream), mark, skipped + 1)


def _lines_from(head: str, stream: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a stream whose first line was read up to `head`."""
    yield head if head.endswith(("\n", "\r")) else head + stream.readline()
    yield from iter(stream.readline, "")


def csv_rows(lines: Iterator[str], delimiter: str, first: int = 1) -> Iterator[Row | Unreadable]:
    """Yield the rows of a CSV file, with the names of its header, which begins on line `first`.

    Raises InvalidInput for a header in which a name is missing or used twice.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    columns: list[str] = []
    line = first
    while True:
        start = line
        try:
            cells = next(reader, None)
        except csv.Error as error:
            line = reader.line_num + first
            yield Unreadable(start, "", f"cannot be read as CSV: {error}")
            continue
        line = reader.line_num + first
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = _header(cells, start)
        elif len(cells) < len(columns) or any(cells[len(columns) :]):
            reason = f"has {len(cells)} cells where the header has {len(columns)}"
            yield Unreadable(start, "", reason)
        else:
            yield Row(start, dict(zip(columns, cells, strict=False)), is_of_a_table=True)


def _header(cells: Sequence[str], line: int) -> list[str]:
    columns = text_files.named_columns([cell.strip() for cell in cells])
    for number, name in enumerate(columns):
        if not name:
            raise InvalidInput("", f"column {number + 1} has no name").at(line=line)
        if name in columns[:number]:
            raise InvalidInput(name, "stands twice in the header").at(line=line)
    return columns


def _line_rows(lines: Iterator[str], first: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of JSON Lines; nested values get names with dots."""
    return (
        _json_row(line, content) for line, content in enumerate(lines, first) if content.strip()
    )


def _json_row(line: int, content: str) -> Row | Unreadable:
    try:
        value = parse_json(content)
    except InvalidInput as error:
        return Unreadable(line, error.field, error.problem)
    if not isinstance(value, dict):
        return Unreadable(line, "", "is no object with fields")
    return Row(line, dict(flat(value)))


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}"]', re.DOTALL)
"""A whole text, a bracket, or the first quotation mark of a text that the chunk cuts off."""


def _array_rows(chunks: Iterable[str], line: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of a JSON array that begins on `line`.

    Items are found by their brackets, so an error in one does not affect the others. Raises
    InvalidInput if the array is cut off or an item is too long.
    """
    buffer, scanned, depth = "", 0, 0
    kept = 0  # where the item begins, or the text between two items
    for chunk in chunks:
        buffer += chunk
        if depth < 0:
            break
        while token := _TOKEN.search(buffer, scanned):
            if token[0] == '"':
                scanned = token.start()
                break
            scanned = token.end()
            if token[0] in "[{":
                depth += 1
                if depth == 2:
                    yield from _stray(buffer[kept : token.start()], line)
                    line += buffer.count("\n", kept, token.start())
                    kept = token.start()
                elif depth == 1:
                    line += buffer.count("\n", kept, scanned)
                    kept = scanned
            elif token[0] in "]}":
                depth -= 1
                if depth == 1:
                    item = buffer[kept:scanned]
                    yield _json_row(line, item)
                    line += item.count("\n")
                    kept = scanned
                elif depth == 0:
                    yield from _stray(buffer[kept : token.start()], line)
                    line += buffer.count("\n", kept, scanned)
                    kept, depth = scanned, -1
                    break
        else:
            scanned = len(buffer)
        buffer, scanned, kept = buffer[kept:], scanned - kept, 0
        if len(buffer) > _LONGEST:
            raise InvalidInput("", "has an item too long to be a row").at(line=line)
    if depth >= 0:
        raise InvalidInput("", "ends within the array: is the file whole?").at(line=line)
    if buffer.strip():
        yield Unreadable(line, "", "has more behind the end of the array")


def _stray(between: str, line: int) -> Iterator[Unreadable]:
    """Yield the text between two objects of an array as unreadable, if it is more than a comma."""
    if found := between.strip(" \t\r\n,"):
        line += between.count("\n", 0, between.index(found))
        yield Unreadable(line, "", f"is no object with fields: {quoted(found)}")


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values in a nested JSON value as texts, each with its path as a dotted name.

    null, empty lists and empty objects are left out.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from flat(item, f"{name}.{number}" if name else str(number))
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, int | Decimal):
        yield name, str(value)
    elif value is not None:
        yield name, value
