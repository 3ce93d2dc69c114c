"""Functions that read rows from CSV, tab-separated values, JSON arrays or JSON Lines as a stream.

Guarantees: of a file of any length only one row is held in memory, and no row is longer than
`text_files.LONGEST_LINE`. A packed file is unpacked as far as it is read, within limits. A row that
cannot be read is `Unreadable`, with its line, and the rows after it are still read. Knows nothing
of what rows mean.
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
from itertools import chain, islice
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.formats.imports import Cells, Row, Unreadable
from timeline.model import text_files
from timeline.model.hints import quoted
from timeline.model.strict_json import parse_json

_GZIP = b"\x1f\x8b"
_CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile)
_CHUNK = 2**16
"""Characters that are read from a file at a time."""
_LARGEST = 16 * 2**30
"""Bytes that a packed file may unpack to."""
_RATIO = 200
"""Times that a packed file may grow. Measured: a log in which 10,000 entries repeat 30 kB grows 115
times, and zeros 1,030 times."""
_RATIO_FROM = 16 * 2**20
"""Bytes that every packed file may unpack to, however small it is."""
_MOST_VALUES = 10_000
"""Values in one JSON object; an event keeps 1,000 of them at most."""
_LONGEST_NAME = 1_000
"""Characters of a name with dots; the import takes names of up to 60."""


def plain(file: IO[bytes]) -> IO[bytes]:
    """Return a file of the same bytes, unpacked if they are packed by gzip."""
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    if buffered.peek(2)[:2] == _GZIP:
        buffered = io.BufferedReader(_Unpacked(buffered), _CHUNK)
    found: IO[bytes] = buffered
    return found


class _Counted(io.RawIOBase):
    """Reads a file, and counts in `taken` the bytes that were read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self.taken += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


class _Unpacked(io.RawIOBase):
    """Reads what a file of gzip holds. Raises InvalidInput if that is too much."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = _Counted(packed)
        self._gzip = gzip.GzipFile(fileobj=self._packed)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._gzip.read(len(buffer))
        self._given += len(piece)
        if self._given > _LARGEST:
            much = f"{_LARGEST // 2**30} GiB"
        elif self._given > max(_RATIO_FROM, _RATIO * self._packed.taken):
            much = f"{_RATIO} times its size"
        else:
            buffer[: len(piece)] = piece
            return len(piece)
        problem = f"unpacks to more than {much}: if that is right, unpack it with gunzip first"
        raise InvalidInput("", problem)


@contextlib.contextmanager
def text(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Open the text of a file of bytes, which stays open afterwards.

    Bytes that are not UTF-8 become lone surrogates, which no field accepts. Raises InvalidInput
    if a packed file is cut off.
    """
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    try:
        encoding = text_files.encoding_of(buffered.peek(2))
        stream = io.TextIOWrapper(buffered, encoding, errors="surrogateescape", newline="")
        try:
            yield stream
        finally:
            stream.detach()
    except _CUT_OFF as error:
        raise InvalidInput("", f"cannot be unpacked: {error}") from None


def lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file of bytes, with their ends. Raises as `text` does.

    Raises InvalidInput for a line that is too long too.
    """
    with text(file) as stream:
        yield from text_files.lines(stream)


def rows(file: IO[bytes], delimiter: str | None = None) -> Generator[Row | Unreadable, None, None]:
    """Yield the rows of a file in any of the forms; a delimiter means that it is CSV.

    Raises InvalidInput if the file has none of the forms, if a row is too long, or if a packed file
    is cut off.
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
                yield from _line_rows(_lines_from(head, stream, skipped + 1), skipped + 1)
            case "<":
                raise InvalidInput("", "is a web page, not data").at(line=skipped + 1)
            case _:
                mark = delimiter or text_files.delimiter_of(head)
                yield from csv_rows(_lines_from(head, stream, skipped + 1), mark, skipped + 1)


def _lines_from(head: str, stream: io.TextIOWrapper, first: int) -> Iterator[str]:
    """Yield the lines of a stream whose line `first` was read up to `head`."""
    if not head.endswith(("\n", "\r")):
        head += stream.readline(text_files.LONGEST_LINE)
        text_files.check_length(len(head), first)
    yield head
    yield from text_files.lines(stream, first=first + 1)


def csv_rows(lines: Iterator[str], delimiter: str, first: int = 1) -> Iterator[Row | Unreadable]:
    """Yield the rows of a CSV file, with the names of its header, which begins on line `first`.

    Raises InvalidInput for a header in which a name is missing or used twice, and for a row that is
    too long.
    """
    line = start = first
    held = 0  # characters of the row so far, which may go over many lines

    def counted() -> Iterator[str]:
        nonlocal held
        for text in lines:
            held += len(text)
            text_files.check_length(held, start)
            yield text

    reader = csv.reader(counted(), delimiter=delimiter, strict=True)
    columns: list[str] = []
    while True:
        start, held = line, 0
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
    seen: set[str] = set()
    for number, name in enumerate(columns):
        if not name:
            raise InvalidInput("", f"column {number + 1} has no name").at(line=line)
        if name in seen:
            raise InvalidInput(name, "stands twice in the header").at(line=line)
        seen.add(name)
    return columns


def _line_rows(lines: Iterator[str], first: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of JSON Lines; nested values get names with dots."""
    return (
        _json_row(line, content) for line, content in enumerate(lines, first) if content.strip()
    )


def _json_row(line: int, content: str) -> Row | Unreadable:
    try:
        return Row(line, cells_of(parse_json(content)))
    except InvalidInput as error:
        return Unreadable(line, error.field, error.problem)


def cells_of(value: object) -> Cells:
    """Return the values in a JSON object as the cells of a row; nested ones get names with dots.

    Raises InvalidInput for anything else than an object, and for one that is too large for a row.
    """
    if not isinstance(value, dict):
        raise InvalidInput("", "is no object with fields")
    cells = dict(islice(flat(value), _MOST_VALUES + 1))
    if len(cells) > _MOST_VALUES:
        raise InvalidInput("", f"has more than {_MOST_VALUES:,} values")
    return cells


_INSIDE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""The part of a text up to its last quotation mark, or up to where the chunk cuts it off."""
_TOKEN = re.compile(rf'"{_INSIDE.pattern}"|[][{{}}"]', re.DOTALL)
"""A whole text, a bracket, or the first quotation mark of a text that the chunk cuts off."""


def _array_rows(chunks: Iterable[str], line: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of a JSON array that begins on `line`.

    Items are found by their brackets, so an error in one does not affect the others. Raises
    InvalidInput if the array is cut off or an item is too long.
    """
    buffer, scanned, depth = "", 0, 0
    kept = 0  # where the item begins, or the text between two items
    is_inside = False  # whether the last chunk ended within a text
    for chunk in chunks:
        buffer += chunk
        if depth < 0:
            break
        while True:
            if is_inside and (inside := _INSIDE.match(buffer, scanned)):
                scanned = inside.end()
                is_inside = not buffer.startswith('"', scanned)
                if is_inside:
                    break
                scanned += 1
            token = _TOKEN.search(buffer, scanned)
            if token is None:
                scanned = len(buffer)
                break
            scanned = token.end()
            is_inside = token[0] == '"'
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
        buffer, scanned, kept = buffer[kept:], scanned - kept, 0
        text_files.check_length(len(buffer), line)
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

    null, empty lists and empty objects are left out. Raises InvalidInput for a name that is too
    long.
    """
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(name[:60], f"has a name of more than {_LONGEST_NAME:,} characters")
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
