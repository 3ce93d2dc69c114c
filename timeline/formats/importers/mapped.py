"""The format of any CSV or JSON file, for which a mapping file says which column fills which field.

The mapping is TOML. `scheme` names the publisher; `id` names the column, or the columns, that
identify a row; `[fields]` has a rule for each field path. A rule is the name of a column, or a
table with one of these three:

    column   a column, with the options `words` (text to word), `other` (the word for texts that
             are not in `words`), `date` (one or several formats of strptime) and `split` (what
             separates the items of a list)
    text     a text with columns in braces: "{kind} in {town}"
    value    a value that is the same for every row

`delimiter` separates the columns of CSV, `decimal` is the mark before a fraction ("." or ","), and
`numbers` lists columns that hold numbers but fill no field.

`[source]` is the dataset itself, with the fields of a source; every event cites it. Without an id
of its own it gets the scheme as its id ("+" and "." become "-").

An object of a list, such as ``quantities.0``, is left out if all of its columns are empty.

Guarantees: the whole mapping is checked before a row is read. Knows nothing of the log.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Tally, Unreadable
from timeline.formats.sheet.dates import read_date
from timeline.formats.spelling import Spelling, date, dates, number, numbers
from timeline.model import field_paths, hints
from timeline.model.content import Event, Said, Source
from timeline.model.validation import validate

_SETTINGS = ("scheme", "id", "fields", "delimiter", "decimal", "numbers", "source")
_RULES = ("column", "text", "value", "words", "other", "date", "split")
_IN_BRACES = re.compile(r"\{([^{}]+)\}")
_DATES = ("occurred", "dated", "published", "accessed", "reported_at")
_NUMBERS = (
    *("value", "low", "high", "lat", "lon", "geo_precision", "credibility"),
    *("source_version", "quote_start", "quote_end"),
)


@dataclass(frozen=True)
class _Rule:
    """A rule that finds the value of one field in the cells of a row.

    Just one of `column`, `text` and `value` is set; the other attributes go with `column`.
    """

    path: str
    column: str | None = None
    text: str | None = None
    value: Any = None
    words: Mapping[str, Any] = field(default_factory=dict)
    other: Any = None
    dates: tuple[str, ...] = ()
    split: str | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that the rule reads."""
        if self.column is not None:
            return (self.column,)
        return tuple(_IN_BRACES.findall(self.text or ""))

    @property
    def last_step(self) -> str:
        return field_paths.steps(self.path)[-1]


@dataclass(frozen=True)
class _Mapping:
    """A mapping file that was read and checked."""

    scheme: str
    identifying: tuple[str, ...]
    rules: tuple[_Rule, ...]
    delimiter: str | None
    decimal: str
    numbers: tuple[str, ...]
    source: Mapping[str, Any] | None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return all columns that the mapping names: of ids, of fields, and of other numbers."""
        named = (column for rule in self.rules for column in rule.columns)
        return tuple(dict.fromkeys((*self.identifying, *named, *self.numbers)))

    @cached_property
    def spellings(self) -> dict[str, Spelling]:
        number_columns = [rule.column for rule in self.rules if rule.last_step in _NUMBERS]
        found = {
            column: numbers(self.decimal) for column in (*number_columns, *self.numbers) if column
        }
        return found | {
            rule.column: dates(rule.dates)
            for rule in self.rules
            if rule.column and rule.last_step in _DATES
        }


def importer(mapping: Path | None) -> Format:
    """Return the format that a mapping file describes.

    Raises InvalidInput, naming what is wrong.
    """
    if mapping is None:
        raise InvalidInput("map", "is required: the file that says which column is which field")
    read = _read_mapping(mapping)
    return Format(
        scheme=read.scheme,
        read=lambda file: _checked_rows(read, file),
        identify=lambda cells: _identify(read, cells),
        event=lambda cells: _event(read, cells),
        tally=lambda cells: _tally(read, cells),
        identifying=frozenset(read.identifying),
        spellings=read.spellings,
        source=read.source,
    )


# --- The mapping file ---------------------------------------------------------------------


def _read_mapping(path: Path) -> _Mapping:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput("map", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput("map", f"{path} is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput("map", f"{path} is not TOML: {error}") from None
    try:
        return _checked(said)
    except InvalidInput as error:
        raise InvalidInput("map", f"{path}: {error}") from None


def _checked(said: dict[str, Any]) -> _Mapping:
    _check_names("", said, _SETTINGS)
    scheme = said.get("scheme")
    if not isinstance(scheme, str) or not re.fullmatch("[a-z][a-z0-9+.-]{0,39}", scheme):
        raise InvalidInput("scheme", "must be a short name of the publisher such as acled")
    identifying = said.get("id")
    identifying = [identifying] if isinstance(identifying, str) else identifying
    if not _are_texts(identifying) or not identifying:
        raise InvalidInput("id", "must be the column, or the list of columns, with the row's id")
    decimal = said.get("decimal", ".")
    if decimal not in (".", ","):
        raise InvalidInput("decimal", 'must be "." or ","')
    delimiter = said.get("delimiter")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        raise InvalidInput("delimiter", "must be one character")
    if not _are_texts(columns := said.get("numbers", [])):
        raise InvalidInput("numbers", "must be a list of columns")
    fields = said.get("fields")
    if not isinstance(fields, dict):
        raise InvalidInput("fields", "must be a table of field paths")
    rules = tuple(_rule(path, rule) for path, rule in fields.items())
    for needed in ("title", "occurred"):
        if needed not in fields:
            raise InvalidInput(f"fields.{needed}", "is required")
    source = said.get("source")
    if source is not None:
        source = {"source_id": re.sub("[+.]", "-", scheme), **_checked_source(source)}
    return _Mapping(scheme, tuple(identifying), rules, delimiter, decimal, tuple(columns), source)


def _checked_source(source: Any) -> dict[str, Any]:
    try:
        validate(Source, source)
    except InvalidInput as error:
        raise InvalidInput(f"source.{error.field}".strip("."), error.problem) from None
    return dict(source)


def _rule(path: str, said: Any) -> _Rule:
    where = f"fields.{path}"
    try:
        first = field_paths.steps(path)[0]
    except InvalidInput as error:
        raise InvalidInput(where, error.problem) from None
    known = [*Event.model_fields, *Said.model_fields]
    if first not in known or first in ("event_id", "external_ids", "extra"):
        near = hints.nearest(first, known)
        hint = f": did you mean {near}?" if near else ""
        raise InvalidInput(where, f"is no field that a mapping can fill{hint}")
    if isinstance(said, str):
        said = {"column": said}
    if not isinstance(said, dict):
        raise InvalidInput(where, "must be a column, or a table with column, text or value")
    _check_names(where, said, _RULES)
    if sum(kind in said for kind in ("column", "text", "value")) != 1:
        raise InvalidInput(where, "must have one of column, text and value")
    if "column" not in said and (stray := [name for name in _RULES[3:] if name in said]):
        raise InvalidInput(f"{where}.{stray[0]}", "goes with column")
    for name in ("column", "text", "split"):
        if name in said and (not isinstance(said[name], str) or not said[name]):
            raise InvalidInput(f"{where}.{name}", "must be text")
    formats = said.get("date", [])
    formats = [formats] if isinstance(formats, str) else formats
    if not _are_texts(formats):
        raise InvalidInput(f"{where}.date", 'must be a format such as "%d.%m.%Y", or a list')
    if not isinstance(said.get("words", {}), dict):
        raise InvalidInput(f"{where}.words", "must be a table from text to word")
    return _Rule(
        path,
        said.get("column"),
        said.get("text"),
        said.get("value"),
        said.get("words", {}),
        said.get("other"),
        tuple(formats),
        said.get("split"),
    )


def _check_names(where: str, said: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in said:
        if name not in known:
            near = hints.nearest(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise InvalidInput(f"{where}.{name}".strip("."), f"is not a setting: {hint}")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


# --- Rows ---------------------------------------------------------------------------------


def _checked_rows(
    mapping: _Mapping, file: IO[bytes]
) -> Generator[Row | Unreadable | FileNote, None, None]:
    """Yield the rows of a file.

    Raises InvalidInput if a mapped column is not in the header of a table, or if the first object
    of a JSON file has none of the mapped columns.
    """
    is_first = True
    form = FileForm(mapping.delimiter, columns=frozenset(mapping.columns))
    with contextlib.closing(rows(file, form)) as found:
        for row in found:
            if is_first and isinstance(row, Row):
                is_first = False
                _check_columns(mapping, row)
            yield row


def _check_columns(mapping: _Mapping, row: Row) -> None:
    lacking = [name for name in mapping.columns if name not in row.cells]
    # In JSON a column may be in some of the objects only.
    if lacking and (row.is_of_a_table or len(lacking) == len(mapping.columns)):
        near = hints.nearest(lacking[0], row.cells)
        hint = f": did you mean {near}?" if near else ""
        raise InvalidInput(lacking[0], f"is in the mapping, and no column of this{hint}")


def _identify(mapping: _Mapping, cells: Cells) -> str:
    parts = []
    for column in mapping.identifying:
        text = cells.get(column, "").strip()
        if column in mapping.spellings:
            text = mapping.spellings[column].normal(text)
        if not text:
            raise InvalidInput(column, "is empty, and rows are told apart by it")
        parts.append(text)
    return "-".join(parts)


def _event(mapping: _Mapping, cells: Cells) -> dict[str, Any]:
    filled: dict[str, bool] = {}
    found: dict[str, Any] = {}
    for rule in mapping.rules:
        try:
            value = _mapped_value(mapping, rule, cells)
        except InvalidValue as error:
            raise InvalidInput(rule.columns[0], error.problem) from None
        if rule.columns:
            for item in _items(rule.path):
                filled[item] = filled.get(item, False) or value not in (None, "", [])
        found[rule.path] = value
        if rule.path == "occurred" and rule.column and not (rule.dates or rule.words):
            found = {**_words(cells.get(rule.column, "")), **found}
    changes = {
        path: value
        for path, value in found.items()
        if value not in (None, "", []) and all(filled.get(item, True) for item in _items(path))
    }
    event = _nested(changes)
    if mapping.source:
        cited = {"source_id": mapping.source["source_id"]}
        event["citations"] = [cited, *event.get("citations", ())]
    return event


def _words(cell: str) -> dict[str, str]:
    """Return the fields that keep the words of a vague date, such as mid-April 2025."""
    date = read_date(cell) if cell.strip() else None
    return {} if date is None or date.words is None else {**date.fields}


def _items(path: str) -> Iterator[str]:
    """Yield the items of lists in a path: ``quantities.0`` for ``quantities.0.value``."""
    steps = field_paths.steps(path)
    for number_, step in enumerate(steps):
        if step.isdecimal():
            yield ".".join(steps[: number_ + 1])


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the objects and lists that these paths and values make up.

    If items of a list are left out, the later ones move up.
    """
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *way, last = field_paths.steps(path)
        here = tree
        for step in way:
            here = here.setdefault(step, {})
        here[last] = value
    nested: dict[str, Any] = _lists(tree)
    return nested


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(item) for key, item in value.items()}


def _mapped_value(mapping: _Mapping, rule: _Rule, cells: Cells) -> Any:
    if rule.text is not None:
        said = _IN_BRACES.sub(lambda match: cells.get(match[1], "").strip(), rule.text)
        return " ".join(said.split()) if any(map(cells.get, rule.columns)) else ""
    if rule.column is None:
        return rule.value
    text = cells.get(rule.column, "").strip()
    if not text:
        return ""
    read: Callable[[str], Any] = lambda item: _item(mapping, rule, item)  # noqa: E731
    if rule.split is None:
        return read(text)
    return [read(item.strip()) for item in text.split(rule.split) if item.strip()]


def _item(mapping: _Mapping, rule: _Rule, text: str) -> Any:
    if rule.words:
        if text in rule.words:
            return rule.words[text]
        if rule.other is None:
            raise InvalidValue(text, f"{hints.quoted(text)} is not among the words of the map")
        return rule.other
    if rule.dates or rule.last_step in _DATES:
        return date(text, rule.dates)
    if rule.last_step in _NUMBERS:
        return number(text, decimal=mapping.decimal)
    return text


def _tally(mapping: _Mapping, cells: Cells) -> Tally:
    figures: dict[tuple[str, str], Decimal] = {}
    country = when = ""
    measures = {
        rule.path.removesuffix(".measure"): rule.value
        for rule in mapping.rules
        if rule.path.startswith("quantities.") and rule.last_step == "measure"
    }
    for rule in mapping.rules:
        if rule.path == "place.country" and rule.column:
            country = cells.get(rule.column, "").strip()
        elif rule.path == "occurred" and rule.column:
            when = "a date" if cells.get(rule.column, "").strip() else ""
        elif rule.column and rule.path.startswith("quantities.") and rule.last_step in _NUMBERS:
            measure = measures.get(rule.path.rpartition(".")[0])
            text = number(cells.get(rule.column, ""), decimal=mapping.decimal)
            if isinstance(measure, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
                key = measure.lower(), rule.last_step
                figures[key] = figures.get(key, Decimal(0)) + Decimal(text)
    return Tally(figures, country, when)
