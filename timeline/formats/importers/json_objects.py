"""Find the list of rows in a JSON object: what a web service answers, GeoJSON, records of Airtable.

Guarantees: the object may have any size; only one row of it is held in memory, and at most
`text_files.LONGEST_LINE` characters before the list. Knows nothing of what values mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from itertools import chain
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.importers.json_rows import array_rows, cells_of, flat, items, parsed
from timeline.formats.imports import Cells, FileNote, Row, Unreadable
from timeline.model import text_files
from timeline.model.hints import nearest, quoted
from timeline.model.strict_json import parse_json

_DEEPEST = 8
"""Objects within objects in which lists are looked for."""
_MOST_COORDINATES = 100
"""Numbers of a geometry that a row keeps: an event has at most 1,000 cells."""
_OF_AIRTABLE = frozenset(("id", "createdTime", "fields", "commentCount"))

_BLANKS = re.compile(r"[ \t\r\n]*")
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_DESCRIPTION = "fields"
"""The name of the list in which pandas, ArcGIS and CKAN describe the columns beside the rows."""
_PLAIN = re.compile(r"[^][{}\",: \t\r\n]+|[,:]")
"""A number, a word such as true, or what stands between two values."""


def object_rows(
    chunks: Iterator[str],
    line: int,
    path: str | None = None,
    wanted: Set[str] = frozenset(),
) -> Iterator[Row | Unreadable | FileNote]:
    """Yield the rows of the list at `path` in a JSON object that begins on `line`.

    Without a path it is the one list of objects that the object has. If it has none, the object is
    a table as pandas writes it, by its `wanted` columns, or a row itself, as are others that follow
    it. Raises InvalidInput for an object that is cut off, that lacks the list, or that has several,
    and for one that has empty lists only and none of the wanted columns.
    """
    walk = _Walk(chunks, line, path)
    yield from walk.members()
    if walk.is_found:
        if path is None and len(walk.names) > 1:
            raise InvalidInput("", _which(walk.names))
        if walk.rest().strip():
            yield Unreadable(walk.line, "", "has more behind the end of the object")
    elif path is None:
        whole = _whole(walk.seen)
        table = _table(whole, wanted)
        if table:
            yield FileNote("read as one table, as pandas writes JSON")
            yield from (Row(line, cells_of(each)) for each in table)
            return
        if walk.empty and wanted and whole and wanted.isdisjoint(name for name, _ in flat(whole)):
            raise InvalidInput("", _no_rows(walk.empty))
        yield from array_rows(chain(("[",), walk.seen, chunks, ("]",)), line)
    else:
        near = nearest(path, walk.names)
        hint = f"did you mean {near}?" if near else _has(walk.names)
        raise InvalidInput("rows", f"the file has no list {quoted(path)}: {hint}")


def _whole(pieces: list[str]) -> dict[str, Any]:
    """Return the object that a text is; an empty one if it is something else."""
    try:
        found = parsed("".join(pieces))
    except InvalidInput:
        return {}
    return found if isinstance(found, dict) else {}


def _table(whole: dict[str, Any], wanted: Set[str]) -> list[dict[str, Any]]:
    """Return the rows of an object that is a table as pandas writes it; none for another object.

    It has columns that are objects by row, rows that are objects by their key, or the names of the
    columns apart from lists of values. The key of a row is its column "index", if that is wanted.
    """
    columns, data = whole.get("columns"), whole.get("data")
    if isinstance(columns, list) and isinstance(data, list):
        names = [str(name) for name in columns]
        keys = whole.get("index")
        if not all(isinstance(each, list) and len(each) == len(names) for each in data):
            return []
        rows = [dict(zip(names, each, strict=True)) for each in data]
        return _keyed(rows, keys if isinstance(keys, list) else [], wanted)
    if not all(isinstance(each, dict) and each for each in whole.values()):
        return []
    keys = [*next(iter(whole.values()), {})]
    if all([*each] == keys for each in whole.values()) and (keys[:1] == ["0"] or wanted & {*whole}):
        return _keyed(
            [{name: column[key] for name, column in whole.items()} for key in keys], keys, wanted
        )
    if any(wanted & {*each} for each in whole.values()):
        return _keyed([*whole.values()], [*whole], wanted)
    return []


def _keyed(rows: list[dict[str, Any]], keys: list[Any], wanted: Set[str]) -> list[dict[str, Any]]:
    if "index" not in wanted or len(keys) != len(rows):
        return rows
    return [{"index": key, **row} for key, row in zip(keys, rows, strict=True)]


def _no_rows(empty: list[str]) -> str:
    what = "is an empty list" if len(empty) == 1 else "are empty lists"
    return f"has no rows: {', '.join(empty[:5])} {what}"


def _which(names: list[str]) -> str:
    return (
        f"has several lists of objects, {', '.join(names)}: say which one has the rows, with"
        f' rows = "{names[0]}" in the mapping'
    )


def _has(names: list[str]) -> str:
    return f"its lists of objects are {', '.join(names)}" if names else "it has no list of objects"


class _Walk:
    """Walks through one object of a text that comes in pieces, and yields the rows of a list."""

    def __init__(self, chunks: Iterator[str], line: int, path: str | None) -> None:
        self._chunks = chunks
        self._path = path
        self._buffer = ""
        self._at = 0
        self.line = line
        """The line on which the text begins that is held."""
        self.seen: list[str] = []
        """The text that was read before the list was found."""
        self._length = 0
        self.names: list[str] = []
        """The names of all lists of objects."""
        self.empty: list[str] = []
        """The names of all empty lists."""
        self.is_found = False
        """Whether the object has the list that is looked for."""

    def rest(self) -> str:
        """Return the text that was read behind the object, and the next piece."""
        return self._buffer[self._at :] + next(self._chunks, "")

    def members(self, name: str = "", depth: int = 0) -> Iterator[Row | Unreadable | FileNote]:
        """Walk through the members of an object, and yield the rows of the list among them."""
        self._take("{")
        if self._next() == "}":
            self._at += 1
            return
        while True:
            key = f"{name}.{self._key()}" if name else self._key()
            self._take(":")
            mark = self._next()
            if mark == "[":
                self._at += 1
                yield from self._list(key)
            elif mark == "{" and depth < _DEEPEST:
                yield from self.members(key, depth + 1)
            else:
                self._skip()
            if self._next() == "}":
                self._at += 1
                return
            self._take(",")

    def _list(self, name: str) -> Iterator[Row | Unreadable | FileNote]:
        """Yield the rows of a list whose bracket was read, or skip it if it is not looked for."""
        is_of_objects = self._next() == "{" and (
            self._path is not None or name.rpartition(".")[2] != _DESCRIPTION
        )
        if self._next() == "]":
            self.empty.append(name)
        if is_of_objects:
            self.names.append(name)
        if name != self._path and (self._path or not is_of_objects or self.is_found):
            self._skip(1)
            return
        self.is_found = True
        self.seen.clear()
        if self._path is None:
            yield FileNote(f"rows found under {name}")
        line = self.line + self._buffer.count("\n", 0, self._at)
        chunks = chain((f"[{self._buffer[self._at :]}",), self._chunks)
        self._buffer, self.line = yield from items(chunks, line, _cells)
        self._at = 0

    def _more(self) -> None:
        """Read more text: as much again as is held, so that a long text is not scanned often."""
        self.line += self._buffer.count("\n", 0, self._at)
        self._buffer, self._at = self._buffer[self._at :], 0
        pieces, length = [self._buffer], 0
        while length <= len(self._buffer):
            piece = next(self._chunks, "")
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
            if not self.is_found:
                self.seen.append(piece)
                self._length += len(piece)
                text_files.check_length(self._length, self.line)
        if not length:
            raise InvalidInput("", "ends within an object: is the file whole?").at(line=self.line)
        self._buffer = "".join(pieces)
        text_files.check_length(len(self._buffer), self.line)

    def _next(self) -> str:
        """Return the next character that is no blank, and go to it."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            self._more()

    def _take(self, mark: str) -> None:
        if (found := self._next()) != mark:
            line = self.line + self._buffer.count("\n", 0, self._at)
            problem = f"is not JSON: {quoted(found)} stands where {quoted(mark)} should be"
            raise InvalidInput("", problem).at(line=line)
        self._at += 1

    def _key(self) -> str:
        self._take('"')
        self._at -= 1
        return str(parse_json(self._text()))

    def _text(self) -> str:
        while not (found := _TEXT.match(self._buffer, self._at)):
            self._more()
        self._at = found.end()
        return found[0]

    def _skip(self, depth: int = 0) -> None:
        """Go behind a value, or behind the end of as many lists and objects."""
        while True:
            mark = self._next()
            if mark == '"':
                self._text()
            elif mark in "[{":
                depth += 1
                self._at += 1
            elif mark in "]}":
                depth -= 1
                self._at += 1
            elif plain := _PLAIN.match(self._buffer, self._at):
                self._at = plain.end()
                if self._at == len(self._buffer) and mark not in ",:":
                    self._at = plain.start()
                    self._more()
                    continue
            if depth <= 0:
                return


# --- The objects of other formats ---------------------------------------------------------


def _cells(value: object) -> Cells:
    """Return the cells of an object in a list; those of a feature or a record by their own names.

    A feature is that of GeoJSON, a record that of Airtable. Raises InvalidInput as `cells_of` does.
    """
    if isinstance(value, dict):
        if value.get("type") == "Feature" and "geometry" in value:
            return _feature_cells(value)
        if "id" in value and value.keys() <= _OF_AIRTABLE and isinstance(value.get("fields"), dict):
            return _record_cells(value)
    return cells_of(value)


def _feature_cells(feature: dict[str, Any]) -> Cells:
    """Return the properties of a feature of GeoJSON, and where it is.

    A point gives longitude and latitude; only the type is kept of an outline of many points.
    """
    cells = cells_of(feature.get("properties") or {})
    own = {key: feature[key] for key in feature.keys() - {"type", "properties", "geometry"}}
    cells = cells_of(dict(sorted(own.items()))) | cells
    geometry = feature["geometry"]
    if isinstance(geometry, dict):
        where = dict(flat(geometry, "geometry"))
        if geometry.get("type") == "Point" and "geometry.coordinates.1" in where:
            cells.setdefault("longitude", where["geometry.coordinates.0"])
            cells.setdefault("latitude", where["geometry.coordinates.1"])
        if len(where) > _MOST_COORDINATES:
            where = {"geometry.type": where.get("geometry.type", "")}
        cells |= where
    return cells


def _record_cells(record: dict[str, Any]) -> Cells:
    """Return the fields of a record of Airtable, with its id and the time of its creation."""
    cells = cells_of(record["fields"])
    own = cells_of({key: record[key] for key in ("id", "createdTime") if key in record})
    if "id" in cells:
        own["record id"] = own.pop("id", "")
    return own | cells
