"""Choose what a source takes over of the things that its document says of itself.

Guarantees: each field gets the first statement that a source may have; every statement before it
is named with the reason why it was left out. Nothing that a document says raises an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.model.content import Source
from timeline.model.hints import quoted
from timeline.model.validation import validate
from timeline.texts.page_facts import Stated


class Chosen(NamedTuple):
    """Holds what a source takes over from its document."""

    fields: dict[str, Any]
    """The values of the fields of a source, in the order of the model."""
    where: dict[str, str]
    """Where the document says each of them, such as og:title."""
    notes: list[str]
    """What was left out, and why, for a person."""


def chosen(stated: Iterable[Stated], given: Iterable[str] = ()) -> Chosen:
    """Choose among the statements of a document; the fields in `given` are said by a person."""
    fields: dict[str, Any] = {}
    where: dict[str, str] = {}
    notes: list[str] = []
    modified = ""
    for field, value, place in stated:
        if field == "modified":
            modified = modified or str(value)
        elif field == "unread":
            notes.append(f"left out: {value}")
        elif field not in fields and field not in given:
            try:
                source = validate(Source, {"title": "a", field: value})
            except InvalidInput as error:
                notes.append(f"left out: {_shown(value)} in {place}: {field} {error.problem}")
                continue
            fields[field] = source.content()[field]
            where[field] = place
    if modified and "published" not in fields and "published" not in given:
        notes.append(
            f"the page says when it was changed ({_shown(modified)}), not when it was published:"
            " add --published"
        )
    ordered = {field: fields[field] for field in Source.model_fields if field in fields}
    return Chosen(ordered, where, notes)


def _shown(value: str | tuple[str, ...]) -> str:
    return quoted(value if isinstance(value, str) else ", ".join(value))
