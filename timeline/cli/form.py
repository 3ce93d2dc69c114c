"""The form of `--edit`: an event as lines that a person can fill in, and back.

A line is ``key: value``; the value is taken as it stands, whatever it holds. Lists are
written with semicolons, figures and sources one a line, a text of several lines under its
key. What has no simple line stands as ``path: JSON``. A line that begins with "# " is a
comment.

Guarantees: an item is written as a simple line only where that reads back as the same item;
a line that was not touched changes nothing. Knows no file, no editor and no database.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.cli import output
from timeline.cli.appending import figure
from timeline.errors import InvalidInput, TimelineError
from timeline.formats import prose
from timeline.formats.sheet.cells import BLANKS
from timeline.model import countries, strict_json
from timeline.model.content import Event, Said
from timeline.model.field_types import SIGNS
from timeline.model.hints import nearest, quoted

_PATHS = {
    "id": "event_id",
    "type": "event_type",
    "place": "place.name",
    "country": "place.country",
}
"""Keys of simple lines, and the path of what they hold."""
_SPLIT = {
    "actors": "participants",
    "tags": "tags",
    "contexts": "contexts",
    "external_ids": "external_ids",
}
"""Keys of lines with semicolons, and the list that they belong to."""
_ONE_A_LINE = {"figure": "quantities", "source": "citations"}
_FIRST = {
    "participants": "actors",
    "tags": "tags",
    "quantities": "figure",
    "citations": "source",
}
"""Lists that have a line even when they are empty, and its key."""
_SHOWN = frozenset(("event_id", "title", "occurred", "event_type", "place", "summary"))
_NAMED = frozenset(("name", "country"))
_NONE: Mapping[str, str] = {}
_TEXTS = frozenset(("summary", "note", "reason"))
_OF_OBJECTS = frozenset(("participants", "quantities", "claims", "relations", "citations"))
_LISTS = _OF_OBJECTS | frozenset(_SPLIT.values())
_OBJECTS = frozenset(("about_place", "extra"))
_KEYS = {*Event.model_fields, *Said.model_fields, *_PATHS, *_SPLIT, *_ONE_A_LINE} - {
    "event_id",
    "event_type",
}
_LINE = re.compile(rf"((?:{'|'.join(sorted(_KEYS))})(?:\.[\w-]+)*):(.*)")
_INDENT = "  "
_ABOUT_FIGURE = re.compile(r"\s+(said by|dated|source)\s+")
_SOURCES = re.compile(r"[^\s;]+(\s*;\s*[^\s;]+)*")


class Piece(NamedTuple):
    """What one line says of one field, or of one item of a list."""

    line: int
    key: str
    text: str

    @property
    def path(self) -> str:
        """The field that it belongs to; the items of a list have one and the same."""
        first = self.key.partition(".")[0]
        if first in _SPLIT or first in _ONE_A_LINE:
            return _SPLIT.get(first) or _ONE_A_LINE[first]
        if first in _LISTS and re.fullmatch(r"\w+(\.(\d+|-))?", self.key):
            return first
        return _PATHS.get(self.key, self.key)


# --- Writing ------------------------------------------------------------------------------


def written(about: str, lines: Iterable[tuple[str, str]], hints: Mapping[str, str]) -> str:
    """A form: what it is about, and its lines, each behind the hint that there is for its key."""
    left = dict(hints)
    parts = [comment(about), "\n"]
    for key, value in lines:
        hint = left.pop(key, None)
        parts += [comment(hint) if hint else "", _line(key, value)]
    return "".join(parts)


def comment(text: str) -> str:
    """Lines that are not read, folded to the terminal."""
    return re.sub("(?m)^  ", "# ", output.wrapped(text, 2)) + "\n"


def _line(key: str, value: str) -> str:
    if "\n" not in value:
        return f"{key}: {value}\n"
    lines = (f"{_INDENT}{line}".rstrip(" ") for line in value.split("\n"))
    return "\n".join([f"{key}:", *lines, ""])


def event_lines(
    event: Mapping[str, Any], labels: Mapping[str, str], urls: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Key and value of the lines that say what an event is, those that everybody fills in first.

    `labels` are those of event types, by code, `urls` those of sources, by id.
    """
    place = event.get("place", {})
    country = place.get("country")
    yield "title", event.get("title", "")
    yield "occurred", prose.date(event.get("occurred"))
    yield "type", labels.get(event.get("event_type", ""), event.get("event_type", ""))
    yield "place", place.get("name", "")
    yield "country", countries.country_name(country) if country else ""
    yield from ((f"place.{part}", str(place[part])) for part in place if part not in _NAMED)
    for field, key in _FIRST.items():
        yield from item_lines(field, event.get(field, ()), urls) or [(key, "")]
    for field in Event.model_fields:
        if field in event and field not in _SHOWN and field not in _FIRST:
            if field in _LISTS:
                yield from item_lines(field, event[field], urls)
            else:
                yield field, event[field] if isinstance(event[field], str) else _json(event[field])
    yield "summary", event.get("summary", "")


def item_lines(
    field: str, items: Sequence[Any], urls: Mapping[str, str] = _NONE
) -> list[tuple[str, str]]:
    """The lines of a list, in the order of its items."""
    lines: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        as_it_is = f"{field}.{number}", item if isinstance(item, str) else _json(item)
        key, text = _simple(field, item, urls) or as_it_is
        if lines and key in _SPLIT and lines[-1][0] == key:
            text = f"{lines.pop()[1]}; {text}"
        lines.append((key, text))
    return lines


def _simple(field: str, item: Any, urls: Mapping[str, str]) -> tuple[str, str] | None:
    """Key and text of an item that a simple line can say whole."""
    match field:
        case "participants":
            key, text = "actors", item["name"]
            is_simple = item.keys() == {"name"} and ";" not in text
        case "quantities":
            key, text = "figure", _figure_text(item)
            is_simple = _reads_as(text, item)
        case "citations":
            key, text = "source", urls.get(item["source_id"], item["source_id"])
            is_simple = item.keys() == {"source_id"}
        case "tags" | "contexts" | "external_ids":
            key, text = field, item
            is_simple = ";" not in text
        case _:
            return None
    return (key, text) if is_simple else None


def _figure_text(item: Mapping[str, Any]) -> str:
    sign = SIGNS[item.get("qualifier", "exact")]
    unit = "" if item["unit"] == _usual_unit(item["measure"]) else f" {item['unit']}"
    said_by = f" said by {item['reported_by']}" if "reported_by" in item else ""
    dated = f" dated {item['dated']}" if "dated" in item else ""
    sources = f" source {'; '.join(item['source_ids'])}" if "source_ids" in item else ""
    return f"{item['measure']} = {sign}{item.get('value')}{unit}{said_by}{dated}{sources}"


def _usual_unit(measure: str) -> str | None:
    return "person" if measure in ("killed", "injured") else None


def _reads_as(text: str, item: Mapping[str, Any]) -> bool:
    try:
        read = _figure(text, str)
    except InvalidInput:
        return False
    read["unit"] = read["unit"] or _usual_unit(read["measure"])
    if read["qualifier"] == "exact":
        del read["qualifier"]
    return {key: value for key, value in read.items() if value} == item


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- Reading ------------------------------------------------------------------------------


def pieces(text: str) -> list[Piece]:
    """What the lines of a form say, one by one; an empty one says nothing.

    Raises InvalidInput, with the line, for one that cannot be read.
    """
    found: list[Piece] = []
    filled: dict[str, int] = {}
    for line, key, value in _keyed_lines(text):
        parts = value.split(";") if key in _SPLIT else [value]
        found += (Piece(line, key, part.strip(BLANKS)) for part in parts)
        path = found[-1].path
        if value and path not in _LISTS and filled.setdefault(path, line) != line:
            problem = f"stands there twice: line {filled[path]} says it too"
            raise InvalidInput(key, problem).at(line=line)
    return found


def _keyed_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Number, key and value of each line; what stands under a text belongs to it."""
    start, key = 0, ""
    value: list[str] = []
    for number, line in enumerate((line.rstrip(BLANKS) for line in text.split("\n")), 1):
        if line.startswith("# ") or line == "#":
            continue
        if any("\ud800" <= character <= "\udfff" for character in line):
            raise InvalidInput("", "is not UTF-8: save the form as UTF-8").at(line=number)
        if found := _LINE.fullmatch(line):
            if key:
                yield start, key, "\n".join(value).strip(BLANKS)
            start, key, value = number, found[1], [found[2].strip(BLANKS)]
        elif key in _TEXTS:
            value.append(line.removeprefix(_INDENT))
        elif line:
            raise _no_line(line).at(line=number)
    if key:
        yield start, key, "\n".join(value).strip(BLANKS)


def _no_line(line: str) -> InvalidInput:
    key, colon, _ = line.partition(":")
    near = nearest(key, _KEYS) if colon else None
    hint = f'did you mean "{near}:"?' if near else 'write one such as "title: Talks in Odesa"'
    return InvalidInput("", f"{quoted(line)} is not a line of the form: {hint}")


@contextlib.contextmanager
def located(form: Sequence[Piece]) -> Iterator[None]:
    """An error of a field is one of the line that says it."""
    try:
        yield
    except InvalidInput as error:
        counts: dict[str, int] = defaultdict(int)
        lines: dict[str, Piece] = {}
        for piece in form:
            path = piece.path
            if path in _LISTS and piece.text:
                counts[path] += 1
                path = f"{path}.{counts[path] - 1}"
            lines.setdefault(path, piece)
        steps = error.field.split(".")
        for count in range(len(steps), 0, -1):
            if error.line is None and (said := lines.get(".".join(steps[:count]))):
                rest = ".".join(steps[count:])
                problem = f"{rest}: {error.problem}" if rest else error.problem
                raise InvalidInput(said.key, problem).at(line=said.line) from None
        raise


def said(form: Sequence[Piece]) -> dict[str, str]:
    """What a form says with the statement: author, reason, reported_at."""
    return {piece.key: piece.text for piece in form if piece.key in Said.model_fields}


# --- Changes ------------------------------------------------------------------------------


def changes(
    form: Sequence[Piece],
    source_id: Callable[[str], str],
    before: Sequence[Piece] = (),
    content: Mapping[str, Any] = _NONE,
    now: Mapping[str, Any] = _NONE,
) -> list[tuple[str, Any]]:
    """The changes by path that lead from `before`, the form of an event's `content`, to `form`.

    `now` is the content that is to change. What another has added to a list since is kept,
    and what another has taken out is not put back. `source_id` finds or makes the source of
    an address. A new figure that names no source has those that are new.

    Raises InvalidInput, with the line.
    """
    mine, theirs = _by_path(form), _by_path(before)
    found: list[tuple[str, Any]] = []
    new_sources: list[str] = []
    for path in sorted({*mine, *theirs}, key=lambda path: path != "citations"):
        if _says(mine[path]) == _says(theirs[path]):
            continue
        if path not in _LISTS:
            found.append((path, _field_value(mine[path][0]) if mine[path] else None))
            continue
        old, current = content.get(path, []), now.get(path, [])
        known = defaultdict(list)
        for said, item in zip(_says(theirs[path]), old, strict=True):
            known[said].append(item)
        items: list[Any] = []
        for piece, said in zip(mine[path], _says(mine[path]), strict=True):
            if known[said]:
                items.append(known[said].pop(0))
                continue
            with _of(piece):
                items += _new_items(piece, source_id, new_sources)
        if path == "citations":
            new_sources += (item.get("source_id") for item in items if item not in old)
        items = [item for item in items if item in current or item not in old]
        items += [item for item in current if item not in old and item not in items]
        found.append((path, items))
    return found


def _by_path(form: Iterable[Piece]) -> defaultdict[str, list[Piece]]:
    """What is said of each field of the event."""
    found = defaultdict(list)
    for piece in form:
        if piece.text and piece.key not in Said.model_fields:
            found[piece.path].append(piece)
    return found


def _says(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    return [(piece.key, piece.text) for piece in pieces]


@contextlib.contextmanager
def _of(piece: Piece) -> Iterator[None]:
    """An error is one of this line, whatever line of the value it counts."""
    try:
        yield
    except TimelineError as error:
        error.line = piece.line
        raise


def _field_value(piece: Piece) -> object:
    with _of(piece):
        return _object(piece) if piece.path in _OBJECTS else piece.text


def _new_items(
    piece: Piece, source_id: Callable[[str], str], new_sources: Sequence[str]
) -> list[Any]:
    if piece.key == "actors":
        return [{"name": piece.text}]
    if piece.key == "figure":
        quantity = _figure(piece.text, source_id)
        return [{**quantity, "source_ids": quantity["source_ids"] or list(new_sources)}]
    if piece.key == "source":
        return [{"source_id": source_id(piece.text)}]
    if piece.path not in _OF_OBJECTS:
        return [piece.text]
    value = _object(piece)
    return value if isinstance(value, list) else [value]


def _object(piece: Piece) -> Any:
    try:
        return strict_json.parse_json(piece.text)
    except InvalidInput as error:
        raise InvalidInput(piece.key, error.problem) from None


def _figure(text: str, source_id: Callable[[str], str]) -> dict[str, Any]:
    """ "killed = >20 said by Mayor of Sumy dated 2025-04-13 source ID" as a quantity."""
    what, *rest = _ABOUT_FIGURE.split(text)
    about = {"": what}
    last = ""
    for word, value in zip(rest[::2], rest[1::2], strict=True):
        # "a military source in Kyiv" names nobody's address.
        if word in about or (word == "source" and not _SOURCES.fullmatch(value)):
            about[last] += f" {word} {value}"
        else:
            about[word], last = value, word
    sources = (part.strip() for part in about.get("source", "").split(";"))
    return {
        **figure(about[""]),
        "reported_by": about.get("said by"),
        "dated": about.get("dated"),
        "source_ids": [source_id(source) for source in sources if source],
    }
