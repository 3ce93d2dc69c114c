"""Check the rules of a mapping: each of them finds the value of a field in the cells of a row.

Guarantees: a rule is checked before a row is read, and its refusal names the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats.mapped.date_rules import SETTINGS as DATE_SETTINGS
from timeline.formats.mapped.date_rules import checked_date
from timeline.formats.mapped.dates import DateColumn, DateRule
from timeline.formats.mapped.settings import check_names, check_texts, texts
from timeline.formats.mapped.shapes import FieldShape, shape_of
from timeline.formats.mapped.templates import Template
from timeline.model import field_paths

_FOR_COLUMNS = ("words", "other", "split", "item", "decimal", "measure", "unit")
"""The settings that go with a column."""
_SETTINGS = ("column", "text", "value", *_FOR_COLUMNS, *DATE_SETTINGS, "when", "role")
_KINDS = ("column", "text", "value", "start", "year")
DATES = ("occurred", "dated", "published", "accessed", "reported_at")
NUMBERS = (
    *("value", "low", "high", "lat", "lon", "geo_precision", "credibility"),
    *("source_version", "quote_start", "quote_end"),
)
REQUIRED = ("title", "occurred")
"""The fields that a mapping must fill."""
_MAIN = {"participants": "name", "citations": "source", "place": "name", "about_place": "name"}
"""The field that a column fills if a rule is about a whole object, by the list or the object."""


@dataclass(frozen=True)
class Rule:
    """A rule that finds the value of one field in the cells of a row.

    Just one of `column`, `text`, `value` and `date` is set.
    """

    path: str
    shape: FieldShape
    """What the field holds."""
    column: str | None = None
    text: Template | None = None
    value: Any = None
    date: DateRule | None = None
    words: Mapping[str, Any] = field(default_factory=dict)
    other: Any = None
    split: tuple[str, ...] = ()
    """The marks between the items of a list."""
    item: int | None = None
    """The number of the only item of a list that is taken, from 0 on."""
    decimal: str | None = None
    measure: str | None = None
    """The measure of a figure that people wrote, such as "at least 8"."""
    when: tuple[tuple[str, frozenset[str]], ...] = ()
    """The texts that columns must have, each with its column, so that the rule counts."""
    is_one: bool = False
    """Whether the cell is one item of a list, also without marks to split it at."""
    spreads: bool = False
    """Whether each item of the cell makes an object of its own."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that the rule reads; the first one is the most important."""
        return (
            *((self.column,) if self.column else ()),
            *(self.text.columns if self.text else ()),
            *(self.date.columns if self.date else ()),
            *(column for column, _ in self.when),
        )

    @cached_property
    def last_step(self) -> str:
        return field_paths.steps(self.path)[-1]

    @property
    def is_number(self) -> bool:
        """Tell whether the field is a number, or its column has figures."""
        return self.measure is not None or self.last_step in NUMBERS


def checked_rules(path: str, said: Any, first: int = 0) -> Iterator[Rule]:
    """Yield the rules that a field has.

    `first` is the number of the first object that rules for a whole list add. Raises InvalidInput,
    naming the field and the setting.
    """
    try:
        shape = shape_of(path)
    except InvalidInput as error:
        raise InvalidInput(f"fields.{path}", error.problem) from None
    several = said if isinstance(said, list) else [said]
    if isinstance(said, list) and shape not in ("texts", "objects"):
        raise InvalidInput(f"fields.{path}", "is no list, and has one rule")
    for number, each in enumerate(several, first):
        rule = _settings(f"fields.{path}", each)
        is_whole = isinstance(rule.get("value"), list | dict)
        if shape == "objects" and not is_whole:
            yield from _of_object(f"{path}.{number}", rule, is_of_list=True)
        elif shape == "object" and not is_whole:
            yield from _of_object(path, rule, is_of_list=False)
        else:
            yield replace(_rule(path, shape, rule), is_one=isinstance(said, list))


def _settings(where: str, said: Any) -> dict[str, Any]:
    if isinstance(said, str):
        said = {"text" if Template(said).columns else "column": said}
    if not isinstance(said, dict):
        raise InvalidInput(where, "must be a column, or a table with column, text or value")
    check_names(where, said, _SETTINGS)
    return said


def _of_object(path: str, said: dict[str, Any], *, is_of_list: bool) -> Iterator[Rule]:
    """Yield the rules that fill the main field of an object, and the fields that go with it."""
    where = f"fields.{path.rpartition('.')[0] if is_of_list else path}"
    name = path.partition(".")[0]
    given = {field: said[field] for field in ("role", "unit") if field in said}
    rest = {setting: value for setting, value in said.items() if setting not in given}
    if name == "quantities":
        if not isinstance(said.get("measure"), str) or "column" not in said:
            raise InvalidInput(where, "must have a column and its measure, such as killed")
        main = _rule(path, "object", rest)
        main = replace(main, spreads=bool(main.split))
    elif name in _MAIN:
        main = _rule(f"{path}.{_MAIN[name]}", shape_of(f"{path}.{_MAIN[name]}"), rest)
        if is_of_list and main.column and main.item is None:
            main = replace(main, spreads=True)
    else:
        raise InvalidInput(where, f"is no text: write the field that is meant, as {path}.name")
    yield main
    allowed = {"participants": "role", "quantities": "unit"}.get(name)
    for setting, value in given.items():
        if setting != allowed:
            raise InvalidInput(f"{where}.{setting}", "does not go with this field")
        yield Rule(f"{path}.{setting}", "value", value=value)


def _rule(path: str, shape: FieldShape, said: dict[str, Any]) -> Rule:
    where = f"fields.{path}"
    is_date = field_paths.steps(path)[-1] in DATES and "value" not in said
    is_date = is_date or any(setting in DATE_SETTINGS for setting in said)
    kinds = [kind for kind in _KINDS if kind in said]
    if not kinds or len({*kinds} - {"year"}) > 1 or (not is_date and len(kinds) > 1):
        raise InvalidInput(where, "must have one of column, text and value")
    date = checked_date(where, said) if is_date else None
    for setting in _FOR_COLUMNS:
        goes_with_dates = date and setting in ("words", "other")
        if setting in said and "column" not in said and not goes_with_dates:
            raise InvalidInput(f"{where}.{setting}", "goes with column")
    check_texts(where, said, ("column", "text", "measure"))
    if "role" in said:
        raise InvalidInput(f"{where}.role", "goes with participants, or participants.0")
    if ("measure" in said or "unit" in said) and shape != "object":
        raise InvalidInput(f"{where}.measure", "goes with quantities, or quantities.0")
    if said.get("decimal", ".") not in (".", ","):
        raise InvalidInput(f"{where}.decimal", 'must be "." or ","')
    if not isinstance(said.get("words", {}), dict):
        raise InvalidInput(f"{where}.words", "must be a table from text to word")
    item = said.get("item")
    if item is not None and (type(item) is not int or item < 0):
        raise InvalidInput(f"{where}.item", "must be the number of an item, from 0 on")
    split = texts(f"{where}.split", said.get("split", []), 'what is between items, such as ";"')
    is_in_list = any(step.isdecimal() for step in field_paths.steps(path))
    if split and shape == "value" and item is None and not is_in_list:
        raise InvalidInput(f"{where}.split", "goes with a list: say which item, such as item = 0")
    is_cell = date is None or bool(split) or item is not None
    if date and is_cell and not isinstance(date, DateColumn):
        setting = "split" if split else "item"
        raise InvalidInput(f"{where}.{setting}", "goes with a date that stands in one column")
    return Rule(
        path,
        shape,
        column=said.get("column") if is_cell else None,
        text=Template(said["text"]) if "text" in said and not date else None,
        value=said.get("value"),
        date=date,
        words={} if date else said.get("words", {}),
        other=None if date else said.get("other"),
        split=split,
        item=item,
        decimal=said.get("decimal"),
        measure=said.get("measure"),
        when=_condition(f"{where}.when", said.get("when", {})),
        spreads=bool(split) and item is None and shape == "value" and is_in_list,
    )


def _condition(where: str, said: Any) -> tuple[tuple[str, frozenset[str]], ...]:
    found = conditions(where, said)
    return tuple((column, frozenset(several)) for column, several in found.items())


def conditions(where: str, said: Any) -> dict[str, list[str]]:
    """Return the texts that columns must have, by column. Raises InvalidInput."""
    if not isinstance(said, dict):
        raise InvalidInput(where, 'must be a table such as { Status = ["confirmed"] }')
    found = {
        column: [several] if isinstance(several, str) else several
        for column, several in said.items()
    }
    for column, several in found.items():
        if not isinstance(several, list) or not all(isinstance(text, str) for text in several):
            raise InvalidInput(f"{where}.{column}", "must be a text, or a list of texts")
    return found


def checked_pattern(where: str, said: Any) -> re.Pattern[str]:
    """Return a regular expression with named groups. Raises InvalidInput."""
    if not isinstance(said, str):
        raise InvalidInput(where, "must be a regular expression in a text")
    try:
        pattern = re.compile(said)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidInput(where, f"is no regular expression: {error}") from None
    if not pattern.groupindex:
        raise InvalidInput(where, "has no named group: write one such as (?P<town>.+)")
    return pattern
