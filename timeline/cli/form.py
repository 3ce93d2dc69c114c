"""The form of `--edit` writes an event as lines that a person can fill in, and is read back.

A line is ``key: value``; every character of the value counts. The items of a list are separated
by semicolons, but figures and sources have one line each; a text of several lines is below its
key. A value for which there is no simple line is written as ``path: JSON``. A line that begins
with "# " is a comment.

Guarantees: an item is written as a simple line only if that line reads back as the same item; an
unchanged line changes nothing. Knows no file, no editor and no database.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.cli import output
from timeline.cli.appending import figure, typed_date
from timeline.cli.options import FigureWords
from timeline.errors import InvalidInput, TimelineError
from timeline.formats import prose
from timeline.formats.sheet.cells import BLANKS
from timeline.model import countries, figures, strict_json, typed_dates
from timeline.model.content import Event, Quantity, Said
from timeline.model.hints import nearest, quoted
from timeline.model.list_merge import merged
from timeline.model.media_kinds import kind_of
from timeline.model.plurals import singular
from timeline.model.validation import validate

_PATHS = {
    "id": "event_id",
    "type": "event_type",
    "place": "place.name",
    "country": "place.country",
}
"""Keys of simple lines, each with the path of its value in an event."""
_SPLIT = {
    "actors": "participants",
    "tags": "tags",
    "contexts": "contexts",
    "external_ids": "external_ids",
}
"""Keys of lines with semicolons, each with the list that its items belong to."""
_ONE_A_LINE = {"figure": "quantities", "source": "citations", "media": "media"}
_FIRST = {
    "participants": "actors",
    "tags": "tags",
    "quantities": "figure",
    "citations": "source",
    "media": "media",
}
"""Lists that have a line even when they are empty, each with the key of that line."""
_SHOWN = frozenset(("event_id", "title", "occurred", "event_type", "place", "summary"))
_NAMED = frozenset(("name", "country"))
_NONE: Mapping[str, str] = {}
_TEXTS = frozenset(("summary", "note", "reason"))
_OF_OBJECTS = frozenset(("participants", "quantities", "claims", "relations", "citations", "media"))
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


_ByPath = defaultdict[str, list["Piece"]]


class Piece(NamedTuple):
    """A piece of a form is the text that one line has for a field, or for one item of a list."""

    line: int
    key: str
    text: str

    @property
    def path(self) -> str:
        """Return the path of the field; all items of a list have the path of the list."""
        first = self.key.partition(".")[0]
        if first in _SPLIT or first in _ONE_A_LINE:
            return _SPLIT.get(first) or _ONE_A_LINE[first]
        if first in _LISTS and re.fullmatch(r"\w+(\.(\d+|-))?", self.key):
            return first
        return _PATHS.get(self.key, self.key)


# --- Writing ------------------------------------------------------------------------------


def written(about: str, lines: Iterable[tuple[str, str]], hints: Mapping[str, str]) -> str:
    """Write a form: what it is about, then its lines, the first of each key after its hint."""
    left = dict(hints)
    parts = [comment(about), "\n"]
    for key, value in lines:
        hint = left.pop(key, None)
        parts += [comment(hint) if hint else "", _line(key, value)]
    return "".join(parts)


def comment(text: str) -> str:
    """Write a text as comment lines, folded to the terminal."""
    return re.sub("(?m)^  ", "# ", output.wrapped(text, 2)) + "\n"


def _line(key: str, value: str) -> str:
    if "\n" not in value:
        return f"{key}: {value}\n"
    lines = (f"{_INDENT}{line}".rstrip(" ") for line in value.split("\n"))
    return "\n".join([f"{key}:", *lines, ""])


def event_lines(
    event: Mapping[str, Any], labels: Mapping[str, str], urls: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield key and value of the lines of an event; lines that are often filled in come first.

    `labels` has the labels of event types by code, `urls` the addresses of sources by id.
    """
    place = event.get("place", {})
    country = place.get("country")
    yield "title", event.get("title", "")
    yield "occurred", prose.occurred(event)
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
    """Return the lines of a list, in the order of its items."""
    lines: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        as_it_is = f"{field}.{number}", item if isinstance(item, str) else _json(item)
        key, text = _simple(field, item, urls) or as_it_is
        if lines and key in _SPLIT and lines[-1][0] == key:
            text = f"{lines.pop()[1]}; {text}"
        lines.append((key, text))
    return lines


def _simple(field: str, item: Any, urls: Mapping[str, str]) -> tuple[str, str] | None:
    """Return key and text of an item that fits in a simple line, else None."""
    match field:
        case "participants":
            key, text = "actors", item["name"]
            is_simple = item.keys() == {"name"} and ";" not in text
        case "quantities":
            key, text = "figure", _figure_text(item)
            is_simple = _reads_as(text, item)
        case "citations":
            cited = item.get("source_id", "")
            key, text = "source", urls.get(cited, cited)
            is_simple = item.keys() == {"source_id"}
        case "media":
            key, text = "media", _medium_text(item)
            is_simple = not re.search(r"\|.*\|.*\||\n", text) and _medium(text) == item
        case "tags" | "contexts" | "external_ids":
            key, text = field, item
            is_simple = ";" not in text
        case _:
            return None
    return (key, text) if is_simple else None


def figure_lines(figures: Iterable[FigureWords]) -> list[tuple[str, str]]:
    """Return the lines of figures that the options of a command describe."""
    return [
        ("figure", f"{each.text}{_about_figure(each.said_by, each.dated, each.sources)}")
        for each in figures
    ]


def _figure_text(item: Mapping[str, Any]) -> str:
    said = _about_figure(item.get("reported_by"), item.get("dated"), item.get("source_ids", ()))
    return f"{item['measure']} = {figures.written(item)}{said}"


def _about_figure(said_by: str | None, dated: str | None, sources: Sequence[str]) -> str:
    """Return the end of a line about a figure: who says it, for which day, and its sources."""
    day = dated and typed_dates.written(dated)
    pairs = (
        ("said by", said_by),
        ("dated", day),
        ("source", "; ".join(sources)),
    )
    return "".join(f" {word} {value}" for word, value in pairs if value)


def _reads_as(text: str, item: Mapping[str, Any]) -> bool:
    try:
        read = validate(Quantity, _figure(text, str)).content()
        return {**read, "unit": item["unit"]} == item and read["unit"] == singular(item["unit"])
    except InvalidInput:
        return False


def _medium_text(item: Mapping[str, Any]) -> str:
    """Return the line of a medium: address, words for those who cannot see it, maker."""
    parts = (str(item.get(field, "")) for field in ("url", "alt", "credit"))
    return " | ".join(parts).rstrip(" |")


def _medium(text: str) -> dict[str, str]:
    """Read a line such as "https://example.org/a.jpg | The quay | Mara K." as a medium.

    Raises InvalidInput.
    """
    url, *others = (part.strip() for part in text.split("|"))
    if len(others) > 2:
        problem = "has more than an address, its words and who made it: write it as JSON"
        raise InvalidInput("media", problem)
    alt, credit = (*others, "", "")[:2]
    kind = kind_of(url) or ("image" if alt else "document")
    said = {"kind": kind, "url": url, "alt": alt, "credit": credit}
    return {field: value for field, value in said.items() if value}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- Reading ------------------------------------------------------------------------------


def pieces(text: str) -> list[Piece]:
    """Read the lines of a form into pieces; a line without a value gives an empty text.

    Raises InvalidInput, with its number, for a line that cannot be read.
    """
    found: list[Piece] = []
    filled: dict[str, int] = {}
    for line, key, value in _keyed_lines(text):
        parts = value.split(";") if key in _SPLIT else [value]
        found += (Piece(line, key, part.strip(BLANKS)) for part in parts)
        path = found[-1].path
        if value and path not in _LISTS and filled.setdefault(path, line) != line:
            problem = f"was already given in line {filled[path]}: keep one of the two lines"
            raise InvalidInput(key, problem).at(line=line)
    return found


def _keyed_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, key and value of each line; the lines below a text belong to it."""
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
    """Raise an InvalidInput about a field as one about the form line that set the field."""
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
    """Return what a form says about the statement: author, reason, reported_at."""
    return {piece.key: piece.text for piece in form if piece.key in Said.model_fields}


# --- Changes ------------------------------------------------------------------------------


def changes(
    form: Sequence[Piece],
    source_id: Callable[[str], str],
    before: Sequence[Piece] = (),
    content: Mapping[str, Any] = _NONE,
    now: Mapping[str, Any] = _NONE,
    *,
    language: str = "en",
) -> list[tuple[str, Any]]:
    """Return the changes by path that lead from `before` to `form`.

    `before` is the form of an event's `content`, and `now` the content that the changes apply to.
    Items that somebody else has added to a list meanwhile are kept, and items that somebody else
    has removed are not added again. `source_id` finds or records the source of an address. A new
    figure without a source gets the new sources of the event. `language` is that of the log:
    figures and dates are read by it.

    Raises InvalidInput, with the number of the line.
    """
    mine, theirs = _by_path(form), _by_path(before)
    found: list[tuple[str, Any]] = []
    new_sources: list[str] = []
    for path in sorted({*mine, *theirs}, key=lambda path: path != "citations"):
        if _says(mine[path]) == _says(theirs[path]):
            continue
        if path == "occurred" and mine[path]:
            with _of(mine[path][0]):
                date = typed_date("occurred", mine[path][0].text, language)
            fields = {**dict.fromkeys(typed_dates.stale(date.fields, content)), **date.fields}
            found += (each for each in fields.items() if not _is_typed(each[0], mine, theirs))
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
                items += _new_items(piece, source_id, new_sources, language)
        if path == "citations":
            new_sources += (item.get("source_id") for item in items if item not in old)
        found.append((path, merged(items, old, current)))
    return found


def _is_typed(path: str, mine: _ByPath, theirs: _ByPath) -> bool:
    """Return whether a person typed a field that the words of a vague date would fill."""
    return path != "occurred" and bool(mine[path]) and _says(mine[path]) != _says(theirs[path])


def _by_path(form: Iterable[Piece]) -> _ByPath:
    """Group by path the pieces that set a field of the event."""
    found = defaultdict(list)
    for piece in form:
        if piece.text and piece.key not in Said.model_fields:
            found[piece.path].append(piece)
    return found


def _says(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    return [(piece.key, piece.text) for piece in pieces]


@contextlib.contextmanager
def _of(piece: Piece) -> Iterator[None]:
    """Set the line of an error to that of the form, in place of a line within the value."""
    try:
        yield
    except TimelineError as error:
        error.line = piece.line
        raise


def _field_value(piece: Piece) -> object:
    with _of(piece):
        return _object(piece) if piece.path in _OBJECTS else piece.text


def _new_items(
    piece: Piece, source_id: Callable[[str], str], new_sources: Sequence[str], language: str
) -> list[Any]:
    if piece.key == "actors":
        return [{"name": piece.text}]
    if piece.key == "figure":
        quantity = _figure(piece.text, source_id, language)
        return [{**quantity, "source_ids": quantity["source_ids"] or list(new_sources)}]
    if piece.key == "source":
        return [{"source_id": source_id(piece.text)}]
    if piece.key == "media" and not piece.text.startswith(("{", "[")):
        return [_medium(piece.text)]
    if piece.path not in _OF_OBJECTS:
        return [piece.text]
    value = _object(piece)
    return value if isinstance(value, list) else [value]


def _object(piece: Piece) -> Any:
    try:
        return strict_json.parse_json(piece.text)
    except InvalidInput as error:
        raise InvalidInput(piece.key, error.problem) from None


def _figure(text: str, source_id: Callable[[str], str], language: str = "en") -> dict[str, Any]:
    """Read a figure as a quantity: "killed = >20 said by Mayor of Sumy dated 2025-04-13"."""
    what, *rest = _ABOUT_FIGURE.split(text)
    about = {"": what}
    last = ""
    for word, value in zip(rest[::2], rest[1::2], strict=True):
        # In "said by a military source in Kyiv", the word "source" is part of the name.
        if word in about or (word == "source" and not _SOURCES.fullmatch(value)):
            about[last] += f" {word} {value}"
        else:
            about[word], last = value, word
    sources = (part.strip() for part in about.get("source", "").split(";"))
    return {
        **figure(about[""], language),
        "reported_by": about.get("said by"),
        "dated": typed_date("dated", about["dated"], language).edtf if "dated" in about else None,
        "source_ids": [source_id(source) for source in sources if source],
    }
