"""Read the objects of a JSON array, or of JSON Lines, as rows.

Guarantees: only one object is held in memory. An object that cannot be read is `Unreadable`, with
its line, and the objects after it are still read. Knows nothing of what their values mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Set
from decimal import Decimal
from itertools import islice
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.imports import Cells, Row, Unreadable
from timeline.model import text_files
from timeline.model.hints import quoted
from timeline.model.strict_json import parse_json

_MOST_VALUES = 10_000
"""Values in one JSON object; an event keeps 1,000 of them at most."""
_LONGEST_NAME = 1_000
"""Characters of a name with dots; the import takes names of up to 60."""


def line_rows(lines: Iterator[str], first: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of JSON Lines; nested values get names with dots."""
    return (
        _json_row(line, content) for line, content in enumerate(lines, first) if content.strip()
    )


def _json_row(
    line: int, content: str, cells: Callable[[object], Cells] | None = None
) -> Row | Unreadable:
    try:
        return Row(line, (cells or cells_of)(parsed(content)))
    except InvalidInput as error:
        return Unreadable(line, error.field, error.problem)


_NO_NUMBER = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?(?:NaN|Infinity)', re.DOTALL)
"""A text, or what Python writes for a number that is none."""


def parsed(content: str) -> Any:
    """Read JSON in which a number may be NaN or Infinity, as Python writes it: that is a text.

    Raises InvalidInput.
    """
    if "NaN" in content or "Infinity" in content:
        content = _NO_NUMBER.sub(
            lambda found: found[0] if found[0][0] == '"' else f'"{found[0]}"', content
        )
    return parse_json(content)


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


def array_rows(chunks: Iterable[str], line: int) -> Iterator[Row | Unreadable]:
    """Yield a row for each object of a JSON array that begins on `line`.

    Items are found by their brackets, so an error in one does not affect the others. Raises
    InvalidInput if the array is cut off or an item is too long.
    """
    chunks = iter(chunks)
    rest, line = yield from items(chunks, line, cells_of)
    if (rest + next(chunks, "")).strip():
        yield Unreadable(line, "", "has more behind the end of the array")


def items(
    chunks: Iterator[str], line: int, cells: Callable[[object], Cells]
) -> Generator[Row | Unreadable, None, tuple[str, int]]:
    """Yield a row for each object of an array, and return the text behind it, with its line."""
    buffer, scanned, depth = "", 0, 0
    kept = 0  # where the item begins, or the text between two items
    is_inside = False  # whether the last chunk ended within a text
    for chunk in chunks:
        buffer += chunk
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
                    yield _json_row(line, item, cells)
                    line += item.count("\n")
                    kept = scanned
                elif depth == 0:
                    yield from _stray(buffer[kept : token.start()], line)
                    return buffer[scanned:], line + buffer.count("\n", kept, scanned)
        buffer, scanned, kept = buffer[kept:], scanned - kept, 0
        text_files.check_length(len(buffer), line)
    raise InvalidInput("", "ends within the array: is the file whole?").at(line=line)


def _stray(between: str, line: int) -> Iterator[Unreadable]:
    """Yield the text between two objects of an array as unreadable, if it is more than a comma."""
    if found := between.strip(" \t\r\n,"):
        line += between.count("\n", 0, between.index(found))
        yield Unreadable(line, "", f"is no object with fields: {quoted(found)}")


def are_lines(first: str, second: str, wanted: Set[str]) -> bool:
    """Tell whether a file that begins with these two lines is JSON Lines, not one large object.

    The second line is "" in a file of one line: that is a row if it has the wanted columns itself.
    """
    if not first.rstrip().endswith("}"):
        return False
    if second.lstrip().startswith("{"):
        return True
    depth = 0
    for token in _TOKEN.finditer(first):
        depth += (token[0] in "[{") - (token[0] in "]}")
    if depth or second:
        return not depth
    row = _json_row(1, first)
    return isinstance(row, Row) and bool(wanted) and len(wanted & {*row.cells}) * 2 >= len(wanted)


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
