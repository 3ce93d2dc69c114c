"""Check the rules of a mapping: each of them finds the value of one field in the cells of a row.

Guarantees: a rule is checked before a row is read, and its refusal names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from timeline.errors import InvalidInput
from timeline.model import field_paths, hints
from timeline.model.content import Event, Said

_SETTINGS = ("column", "text", "value", "words", "other", "date", "split")
_KINDS = ("column", "text", "value")
IN_BRACES = re.compile(r"\{([^{}]+)\}")
DATES = ("occurred", "dated", "published", "accessed", "reported_at")
NUMBERS = (
    *("value", "low", "high", "lat", "lon", "geo_precision", "credibility"),
    *("source_version", "quote_start", "quote_end"),
)
REQUIRED = ("title", "occurred")
"""The fields that a mapping must fill."""


@dataclass(frozen=True)
class Rule:
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
        return tuple(IN_BRACES.findall(self.text or ""))

    @cached_property
    def last_step(self) -> str:
        return field_paths.steps(self.path)[-1]


def checked_rule(path: str, said: Any) -> Rule:
    """Return the rule for a field. Raises InvalidInput, naming the field and the setting."""
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
    check_names(where, said, _SETTINGS)
    if sum(kind in said for kind in _KINDS) != 1:
        raise InvalidInput(where, "must have one of column, text and value")
    if "column" not in said and (stray := [name for name in _SETTINGS[3:] if name in said]):
        raise InvalidInput(f"{where}.{stray[0]}", "goes with column")
    for name in ("column", "text", "split"):
        if name in said and (not isinstance(said[name], str) or not said[name]):
            raise InvalidInput(f"{where}.{name}", "must be text")
    formats = said.get("date", [])
    formats = [formats] if isinstance(formats, str) else formats
    if not are_texts(formats):
        raise InvalidInput(f"{where}.date", 'must be a format such as "%d.%m.%Y", or a list')
    if not isinstance(said.get("words", {}), dict):
        raise InvalidInput(f"{where}.words", "must be a table from text to word")
    return Rule(
        path,
        said.get("column"),
        said.get("text"),
        said.get("value"),
        said.get("words", {}),
        said.get("other"),
        tuple(formats),
        said.get("split"),
    )


def check_names(where: str, said: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise InvalidInput for a setting of this name, which is not known, with the nearest one."""
    for name in said:
        if name not in known:
            near = hints.nearest(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise InvalidInput(f"{where}.{name}".strip("."), f"is not a setting: {hint}")


def are_texts(value: Any) -> bool:
    """Tell whether a value is a list of texts that are not empty."""
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
