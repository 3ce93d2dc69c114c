"""Read the cells of a row as the fields of an event, by the rules of a mapping.

Guarantees: a row is refused only for what an event cannot do without. Another cell that cannot be
read is left out of the event, and told with its column. An object of a list is left out if all of
its columns are empty.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.imports import Cells, LeftOut, Reading, Tally
from timeline.formats.mapped.cells import text_of
from timeline.formats.mapped.mapping import Mapping
from timeline.formats.mapped.rules import REQUIRED, Rule
from timeline.formats.mapped.values import ReadValue, value_of
from timeline.model import coordinates, field_paths
from timeline.model.typed_dates import TypedDate

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_EMPTY: tuple[object, ...] = (None, "", [])


class _Part(NamedTuple):
    """Holds a rule, what reads its value, and where the value goes in its event or object."""

    rule: Rule
    steps: tuple[str, ...]
    read: ReadValue


class Events:
    """Reads the events of rows."""

    def __init__(self, mapping: Mapping) -> None:
        self._source = mapping.source
        self._parts: list[_Part] = []
        objects: dict[str, dict[int, list[_Part]]] = {}
        for rule in mapping.rules:
            steps = tuple(field_paths.steps(rule.path))
            read = value_of(rule, mapping.style, has_own_nothing=mapping.has_own_nothing)
            if len(steps) > 1 and steps[1].isdecimal():
                of_list = objects.setdefault(steps[0], {})
                of_list.setdefault(int(steps[1]), []).append(_Part(rule, steps[2:], read))
            else:
                self._parts.append(_Part(rule, steps, read))
        self._objects = [
            (name, parts) for name, items in objects.items() for _, parts in sorted(items.items())
        ]
        self._points = [
            (name, f"{name}.lat", f"{name}.lon")
            for name in ("place", "about_place")
            if any(rule.path in (f"{name}.lat", f"{name}.lon") for rule in mapping.rules)
        ]
        self._column_of = mapping.column_of
        dated = next(rule for rule in mapping.rules if rule.path == "occurred")
        self._dated = dated.columns[0] if dated.columns else ""
        self._country = next(
            (rule.column for rule in mapping.rules if rule.path == "place.country"), None
        )

    def reading(self, cells: Cells) -> Reading:
        """Return what a row says of its event.

        Raises InvalidInput, naming the column, if the title or the date cannot be read.
        """
        left_out: list[LeftOut] = []
        event: dict[str, Any] = {}
        for part in self._parts:
            value = _read(part, cells, left_out)
            if value not in _EMPTY:
                _put(event, part.steps, value, extends=part.rule.shape == "texts")
        for name, parts in self._objects:
            if found := [*_objects(parts, cells, left_out)]:
                event.setdefault(name, []).extend(map(_with_title, found))
        for name, *paths in self._points:
            self._check_point(event, name, paths, cells, left_out)
        if self._source:
            cited = {"source_id": self._source["source_id"]}
            event["citations"] = [cited, *event.get("citations", ())]
        return Reading(event, tuple(left_out))

    def _check_point(
        self,
        event: dict[str, Any],
        name: str,
        paths: Sequence[str],
        cells: Cells,
        left_out: list[LeftOut],
    ) -> None:
        """Read the point of a place that is written in degrees, or both numbers in one cell."""
        place = event.get(name)
        if not isinstance(place, dict):
            return
        point = [place[side] for side in ("lat", "lon") if side in place]
        if all(isinstance(each, str) and _NUMBER.fullmatch(each) for each in point):
            return
        try:
            event[name] = coordinates.in_place(place)
        except InvalidInput as error:
            column = self._column_of(next((p for p in paths if p.endswith(error.field)), paths[0]))
            left_out.append(LeftOut(column, error.problem, text_of(cells, column)))
            event[name] = {key: place[key] for key in place if key not in ("lat", "lon")}

    def tally(self, cells: Cells) -> Tally:
        """Return what a row adds to the totals of its file."""
        sums: dict[tuple[str, str], Decimal] = {}
        for name, parts in self._objects:
            for figure in _objects(parts, cells, []) if name == "quantities" else ():
                measure = figure.get("measure")
                for side in ("value", "low", "high"):
                    amount = figure.get(side)
                    if isinstance(measure, str) and amount and _NUMBER.fullmatch(str(amount)):
                        key = measure.lower(), side
                        sums[key] = sums.get(key, Decimal(0)) + Decimal(str(amount))
        country = text_of(cells, self._country) if self._country else ""
        has_date = bool(self._dated) and bool(text_of(cells, self._dated))
        return Tally(sums, country, "a date" if has_date else "")


def _read(part: _Part, cells: Cells, left_out: list[LeftOut]) -> Any:
    """Read the value of a rule; a cell that an event can do without is left out."""
    try:
        value = part.read(cells, left_out)
    except InvalidInput as error:
        if part.rule.path in REQUIRED:
            raise
        left_out.append(LeftOut(error.field, error.problem, text_of(cells, error.field)))
        return ""
    if isinstance(value, TypedDate):
        return value if part.rule.path == "occurred" else value.edtf
    return value


def _put(event: dict[str, Any], steps: Sequence[str], value: Any, *, extends: bool = False) -> None:
    """Put a value where its path leads; `extends` adds it to the list that is there."""
    if isinstance(value, TypedDate):
        for name, text in value.fields.items():
            event.setdefault(name, text)
        event["occurred"] = value.edtf
        return
    *way, last = steps
    for step in way:
        event = event.setdefault(step, {})
    if isinstance(value, dict | list):
        value = copy.deepcopy(value)  # of a constant, which no row may change
    if extends and isinstance(event.get(last), list):
        event[last] += value
    else:
        event[last] = value


def _objects(parts: Sequence[_Part], cells: Cells, left_out: list[LeftOut]) -> Iterator[Any]:
    """Yield the objects that some rules make together: several if a cell has several items."""
    values = [(part, _read(part, cells, left_out)) for part in parts]
    read = [value for part, value in values if part.rule.columns]
    if read and all(map(_is_empty, read)):
        return
    count = 1
    first: Rule | None = None
    for place, (part, value) in enumerate(values):
        if not part.rule.spreads or value in _EMPTY:
            continue
        if first is None:
            first, count = part.rule, len(value)
        elif len(value) != count:
            problem = f"has {len(value)} items where {first.column} has {count}"
            column = str(part.rule.column)
            left_out.append(LeftOut(column, problem, text_of(cells, column)))
            values[place] = part, ""
    for number in range(count):
        made: dict[str, Any] = {}
        has_item = first is None
        for part, value in values:
            if part.rule.spreads and value not in _EMPTY:
                value = value[number]
                has_item = has_item or value not in _EMPTY
            if value in _EMPTY:
                continue
            if part.steps:
                _put(made, part.steps, value)
            elif isinstance(value, dict):
                made.update(value)
            else:
                yield value
        if made and has_item:
            yield {name: _in_lists(value) for name, value in made.items()}


def _with_title(item: Any) -> Any:
    """Return an item of a list; a source of which only the publisher is known gets a title."""
    source = item.get("source") if isinstance(item, dict) else None
    if isinstance(source, dict) and source.keys() == {"publisher"}:
        source["title"] = source["publisher"]
    return item


def _is_empty(value: Any) -> bool:
    return value in _EMPTY or (isinstance(value, list) and all(item in _EMPTY for item in value))


def _in_lists(value: Any) -> Any:
    """Return a value with lists for the objects whose names are numbers: authors.0, authors.1."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_in_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _in_lists(item) for key, item in value.items()}
