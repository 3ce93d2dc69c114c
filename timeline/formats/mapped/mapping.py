"""Read a mapping, which is TOML, and check it.

`scheme` names the publisher; `id` names the column, or the columns, that identify a row;
`[fields]` has a rule for each field path. A rule is the name of a column, or a table with one of
these three:

    column   a column, with the options `words` (text to word), `other` (the word for texts that
             are not in `words`), `date` (one or several formats of strptime) and `split` (what
             separates the items of a list)
    text     a text with columns in braces: "{kind} in {town}"
    value    a value that is the same for every row

`delimiter` separates the columns of CSV, `decimal` is the mark before a fraction ("." or ","), and
`numbers` lists columns that hold numbers but fill no field. `leave_out` lists columns that are not
kept. `encoding` names the encoding of the file, and `rows` the list of its rows in JSON.

`[source]` is the dataset itself, with the fields of a source; every event cites it. Without an id
of its own it gets the scheme as its id ("+" and "." become "-").

Guarantees: the whole mapping is checked before a row is read. Knows nothing of the log.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections import abc
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.mapped.rules import (
    DATES,
    NUMBERS,
    REQUIRED,
    Rule,
    are_texts,
    check_names,
    checked_rule,
)
from timeline.formats.spelling import Spelling, dates, numbers
from timeline.model import field_paths
from timeline.model.content import Source
from timeline.model.validation import validate

_SETTINGS = (
    *("scheme", "id", "fields", "delimiter", "decimal", "numbers", "source"),
    *("encoding", "rows", "leave_out"),
)


@dataclass(frozen=True)
class Mapping:
    """A mapping that was checked."""

    scheme: str
    identifying: tuple[str, ...]
    """The columns that identify a row."""
    rules: tuple[Rule, ...]
    delimiter: str | None = None
    decimal: str = "."
    numbers: tuple[str, ...] = ()
    source: abc.Mapping[str, Any] | None = None
    encoding: str | None = None
    """The encoding of the file; None if it is UTF-8, or UTF-16 with a byte order mark."""
    list_path: str | None = None
    """The dotted name of the list of rows in a JSON object, such as "data.items"."""
    left_out: frozenset[str] = frozenset()
    """The columns that are not kept."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return all columns that the mapping names: of ids, of fields, and of other numbers."""
        named = (column for rule in self.rules for column in rule.columns)
        return tuple(dict.fromkeys((*self.identifying, *named, *self.numbers)))

    @cached_property
    def spellings(self) -> dict[str, Spelling]:
        number_columns = [rule.column for rule in self.rules if rule.last_step in NUMBERS]
        found = {
            column: numbers(self.decimal) for column in (*number_columns, *self.numbers) if column
        }
        return found | {
            rule.column: dates(rule.dates)
            for rule in self.rules
            if rule.column and rule.last_step in DATES
        }

    def column_of(self, path: str) -> str:
        """Return the column that fills a field, or the path itself if no column does.

        That is the column of the longest path among the rules that `path` begins with.
        """
        steps = field_paths.steps(path)
        if self.source and steps[0] == "citations" and len(steps) > 1 and steps[1].isdecimal():
            steps[1] = str(int(steps[1]) - 1)  # the first citation is the dataset
        columns = {
            tuple(field_paths.steps(rule.path)): rule.columns[0]
            for rule in self.rules
            if rule.columns
        }
        beginnings = (tuple(steps[:length]) for length in range(len(steps), 0, -1))
        return next((columns[each] for each in beginnings if each in columns), path)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises InvalidInput, naming what is wrong."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput("map", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput("map", f"{path} is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput("map", f"{path} is not TOML: {error}") from None
    try:
        return checked(said)
    except InvalidInput as error:
        raise InvalidInput("map", f"{path}: {error}") from None


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
    decimal = said.get("decimal", ".")
    if decimal not in (".", ","):
        raise InvalidInput("decimal", 'must be "." or ","')
    delimiter = said.get("delimiter")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        raise InvalidInput("delimiter", "must be one character")
    lists = {name: said.get(name, []) for name in ("numbers", "leave_out")}
    for name, columns in lists.items():
        if not are_texts(columns):
            raise InvalidInput(name, "must be a list of columns")
    if (list_path := said.get("rows")) is not None and not isinstance(list_path, str):
        raise InvalidInput("rows", 'must be the name of a list in JSON, such as "data.items"')
    fields = said.get("fields")
    if not isinstance(fields, dict):
        raise InvalidInput("fields", "must be a table of field paths")
    rules = tuple(checked_rule(path, rule) for path, rule in fields.items())
    for needed in REQUIRED:
        if needed not in fields:
            raise InvalidInput(f"fields.{needed}", "is required")
    mapping = Mapping(
        scheme,
        tuple(identifying),
        rules,
        delimiter,
        decimal,
        tuple(lists["numbers"]),
        _checked_source(said["source"], scheme) if "source" in said else None,
        _checked_encoding(said.get("encoding")),
        list_path,
        frozenset(lists["leave_out"]),
    )
    if used := sorted(mapping.left_out & {*mapping.columns}):
        raise InvalidInput("leave_out", f"has {used[0]}, which the mapping uses")
    return mapping


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
