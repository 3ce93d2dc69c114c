"""Read a mapping, which is TOML, and check it: docs/import.md describes its settings.

`scheme` names the publisher, `id` the columns that identify a row, and `[fields]` has a rule for
each field path. `[source]` is the dataset itself, with the fields of a source; every event cites
it. Without an id of its own it gets the scheme as its id ("+" and "." become "-").

Guarantees: the whole mapping is checked before a row is read. Knows nothing of the log.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections import abc
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.mapped.cells import NOTHING, Style, plain_name
from timeline.formats.mapped.rules import (
    REQUIRED,
    Rule,
    checked_pattern,
    checked_rules,
    conditions,
)
from timeline.formats.mapped.settings import are_texts, check_names
from timeline.formats.mapped.shapes import has_field, shape_of
from timeline.formats.spelling import Spelling, numbers
from timeline.model import field_paths
from timeline.model.content import Source
from timeline.model.validation import validate

_SETTINGS = (
    *("scheme", "id", "fields", "delimiter", "decimal", "numbers", "source", "encoding", "rows"),
    *("leave_out", "nothing", "language", "only", "patterns"),
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Mapping:
    """A mapping that was checked."""

    scheme: str
    identifying: tuple[str, ...]
    """The columns that identify a row."""
    rules: tuple[Rule, ...]
    style: Style
    delimiter: str | None = None
    numbers: tuple[str, ...] = ()
    source: abc.Mapping[str, Any] | None = None
    encoding: str | None = None
    """The encoding of the file; None if it is UTF-8, or UTF-16 with a byte order mark."""
    list_path: str | None = None
    """The dotted name of the list of rows in a JSON object, such as "data.items"."""
    left_out: frozenset[str] = frozenset()
    """The columns that are not kept."""
    has_own_nothing: bool = False
    """Whether the mapping says itself what stands for nothing."""
    only: abc.Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The texts that columns of a row must have, so that the row is read."""
    patterns: abc.Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """The patterns whose named groups make columns, such as "Where.town", by column."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return all columns of a file that the mapping reads."""
        made = {f"{column}.{group}" for column in self.patterns for group in self.groups(column)}
        named = (column for rule in self.rules for column in rule.columns)
        every = (*self.identifying, *named, *self.numbers, *self.only, *self.patterns)
        return tuple(column for column in dict.fromkeys(every) if column not in made)

    def groups(self, column: str) -> tuple[str, ...]:
        """Return the named groups of the pattern of a column."""
        return tuple(self.patterns[column].groupindex)

    @cached_property
    def spellings(self) -> dict[str, Spelling]:
        found = {
            rule.column: numbers(rule.decimal or self.style.decimal or ".")
            for rule in self.rules
            if rule.column and rule.is_number
        }
        found |= dict.fromkeys(self.numbers, numbers(self.style.decimal or "."))
        for rule in self.rules:
            if rule.date:
                found |= rule.date.spellings(self.style)
        return found

    @cached_property
    def needed(self) -> frozenset[str]:
        """Return the columns without which no row can be read."""
        required = (rule for rule in self.rules if rule.path in REQUIRED)
        first = (rule.columns[0] for rule in required if rule.columns)
        return frozenset((*self.identifying, *first))

    @cached_property
    def lists(self) -> tuple[Rule, ...]:
        """Return the rules whose cells must be lists, for nothing says how to split them."""
        return tuple(
            rule
            for rule in self.rules
            if rule.shape == "texts" and rule.column and not rule.split
            if not rule.is_one and rule.item is None
        )

    def column_of(self, path: str) -> str:
        """Return the column that fills a field, or the path itself if no column does.

        That is the column of the longest path among the rules that `path` begins with. An object of
        a list that one rule makes of many items has the column of that rule.
        """
        steps = field_paths.steps(path)
        if self.source and steps[0] == "citations" and len(steps) > 1 and steps[1].isdecimal():
            steps[1] = str(int(steps[1]) - 1)  # the first citation is the dataset
        path = ".".join(steps)
        columns = {rule.path: rule.columns[0] for rule in reversed(self.rules) if rule.columns}
        beginnings = [".".join(steps[:length]) for length in range(len(steps), 0, -1)]
        for each in beginnings:
            if each in columns:
                return columns[each]
        spread = {plain_name(path): column for path, column in reversed(columns.items())}
        for each in beginnings:
            if (plain := plain_name(each)) in spread and plain != each:
                return spread[plain]
        return path


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a mapping file, which is checked.

    Raises InvalidInput, naming what is wrong.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput("map", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput("map", f"{path} is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput("map", f"{path} is not TOML: {error}") from None
    try:
        checked(said)
    except InvalidInput as error:
        raise InvalidInput("map", f"{path}: {error}") from None
    return said


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises InvalidInput, naming what is wrong."""
    return checked(read_settings(path))


def checked(said: dict[str, Any]) -> Mapping:
    """Return the mapping that TOML says. Raises InvalidInput, naming what is wrong."""
    check_names("", said, _SETTINGS)
    scheme = said.get("scheme")
    if not isinstance(scheme, str) or not re.fullmatch("[a-z][a-z0-9+.-]{0,39}", scheme):
        raise InvalidInput("scheme", "must be a short name of the publisher such as acled")
    identifying = said.get("id")
    identifying = [identifying] if isinstance(identifying, str) else identifying
    if not are_texts(identifying) or not identifying:
        raise InvalidInput("id", "must be the column, or the list of columns, with the row's id")
    delimiter = said.get("delimiter")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        raise InvalidInput("delimiter", "must be one character")
    lists = {name: said.get(name, []) for name in ("numbers", "leave_out")}
    for name, columns in lists.items():
        if not are_texts(columns):
            raise InvalidInput(name, "must be a list of columns")
    if (list_path := said.get("rows")) is not None and not isinstance(list_path, str):
        raise InvalidInput("rows", 'must be the name of a list in JSON, such as "data.items"')
    mapping = Mapping(
        scheme,
        tuple(identifying),
        _checked_fields(said.get("fields")),
        _checked_style(said),
        delimiter,
        tuple(lists["numbers"]),
        _checked_source(said["source"], scheme) if "source" in said else None,
        _checked_encoding(said.get("encoding")),
        list_path,
        frozenset(lists["leave_out"]),
        "nothing" in said,
        {
            name: frozenset(texts)
            for name, texts in conditions("only", said.get("only", {})).items()
        },
        _checked_patterns(said.get("patterns", {})),
    )
    used = {*mapping.columns} - ({*mapping.only} - {c for r in mapping.rules for c in r.columns})
    if both := sorted(mapping.left_out & used):
        raise InvalidInput("leave_out", f"has {both[0]}, which the mapping uses")
    return mapping


def _checked_fields(fields: Any) -> tuple[Rule, ...]:
    if not isinstance(fields, dict):
        raise InvalidInput("fields", "must be a table of field paths")
    fields = {path: said for name in fields for path, said in _flat(name, fields[name])}
    rules: list[Rule] = []
    for path, said in fields.items():
        rules += checked_rules(path, said, _after(path, fields))
    for needed in REQUIRED:
        if needed not in fields:
            raise InvalidInput(f"fields.{needed}", "is required")
    return tuple(rules)


def _flat(path: str, said: Any) -> abc.Iterator[tuple[str, Any]]:
    """Yield the rules of fields by their whole paths: TOML makes a table of ``place.name``."""
    try:
        is_nested = (
            isinstance(said, dict)
            and shape_of(path) in ("object", "objects")
            and not {"column", "text"} & said.keys()
            and any(has_field(path, name) for name in said)
        )
    except InvalidInput:
        is_nested = False
    if not is_nested:
        yield path, said
        return
    for name, inner in said.items():
        yield from _flat(f"{path}.{name}", inner)


def _after(path: str, fields: abc.Iterable[str]) -> int:
    """Return the number behind those that the fields give to objects of the list of this path."""
    numbered = (field_paths.steps(other) for other in fields if other.startswith(f"{path}."))
    return max((int(steps[1]) + 1 for steps in numbered if steps[1].isdecimal()), default=0)


def _checked_style(said: abc.Mapping[str, Any]) -> Style:
    if said.get("decimal", ".") not in (".", ","):
        raise InvalidInput("decimal", 'must be "." or ","')
    nothing = said.get("nothing", [*NOTHING])
    if not isinstance(nothing, list) or not all(isinstance(mark, str) for mark in nothing):
        raise InvalidInput("nothing", 'must be a list of texts, such as ["NA", "-99"]')
    language = said.get("language", "en")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise InvalidInput("language", "must be a language tag such as en or pt-BR")
    return Style(frozenset(mark.strip() for mark in nothing), said.get("decimal"), language)


def _checked_patterns(said: Any) -> dict[str, re.Pattern[str]]:
    if not isinstance(said, dict):
        raise InvalidInput("patterns", "must be a table of regular expressions, by column")
    return {name: checked_pattern(f"patterns.{name}", pattern) for name, pattern in said.items()}


def _checked_source(source: Any, scheme: str) -> dict[str, Any]:
    try:
        validate(Source, source)
    except InvalidInput as error:
        raise InvalidInput(f"source.{error.field}".strip("."), error.problem) from None
    return {"source_id": re.sub("[+.]", "-", scheme), **source}


def _checked_encoding(encoding: Any) -> str | None:
    if encoding is None:
        return None
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError):
        raise InvalidInput("encoding", "must be an encoding such as cp1252 or utf-16") from None
    return str(encoding)
