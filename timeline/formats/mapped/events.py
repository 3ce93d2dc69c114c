"""Read the cells of a row as the fields of an event, by the rules of a mapping.

Guarantees: a row is refused only for what an event cannot do without. Another cell that cannot be
read is left out of the event, and told with its column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.imports import Cells, LeftOut, Reading
from timeline.formats.mapped.mapping import Mapping as Mapped
from timeline.formats.mapped.rules import DATES, IN_BRACES, NUMBERS, REQUIRED, Rule
from timeline.formats.sheet.dates import read_date
from timeline.formats.spelling import date, number
from timeline.model import field_paths, hints

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def reading(mapping: Mapped, cells: Cells) -> Reading:
    """Return what a row says of its event.

    Raises InvalidInput, naming the column, if the title or the date cannot be read.
    """
    filled: dict[str, bool] = {}
    found: dict[str, Any] = {}
    left_out: list[LeftOut] = []
    for rule in mapping.rules:
        try:
            value = _mapped_value(mapping, rule, cells)
        except InvalidValue as error:
            column = rule.columns[0]
            if rule.path in REQUIRED:
                raise InvalidInput(column, error.problem) from None
            left_out.append(LeftOut(column, error.problem, cells.get(column, "")))
            value = ""
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
    return Reading(event, tuple(left_out))


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


def _mapped_value(mapping: Mapped, rule: Rule, cells: Cells) -> Any:
    if rule.text is not None:
        said = IN_BRACES.sub(lambda match: cells.get(match[1], "").strip(), rule.text)
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


def _item(mapping: Mapped, rule: Rule, text: str) -> Any:
    if rule.words:
        if text in rule.words:
            return rule.words[text]
        if rule.other is None:
            raise InvalidValue(text, f"{hints.quoted(text)} is not among the words of the map")
        return rule.other
    if rule.dates or rule.last_step in DATES:
        return date(text, rule.dates)
    if rule.last_step in NUMBERS:
        if not _NUMBER.fullmatch(plain := number(text, decimal=mapping.decimal)):
            raise InvalidValue(text, f"{hints.quoted(text)} is not a number")
        return plain
    return text
