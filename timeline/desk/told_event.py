"""Tell an event, and what a change does to it, in words for a person who decides.

Guarantees: everything that is recorded is told. All texts are plain; the templates escape them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from timeline.formats import prose, prose_changes
from timeline.formats.labels import label
from timeline.formats.log_names import Names
from timeline.formats.prose_changes import Change
from timeline.model.content import Event
from timeline.projection.differences import differences

_OTHERS = {
    "mode": "Mode",
    "summary": "Summary",
    "note": "Note",
}
_LISTS = {
    "tags": "Tags",
    "contexts": "Subjects",
    "external_ids": "Other ids",
}


class ToldFact(NamedTuple):
    """A fact of an event has a name, and lines of text."""

    what: str
    lines: list[str]


def facts_of(names: Names, content: Mapping[str, Any]) -> list[ToldFact]:
    """Return the facts of an event in words, but its title and the quotes of its citations."""
    told = (ToldFact(what, [*lines]) for what, lines in _facts(names, content))
    return [fact for fact in told if fact.lines]


def _facts(names: Names, content: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield "When", [*_when(content)]
    if event_type := content.get("event_type"):
        yield "Type", [names.event_type(event_type)]
    for field, what in (("place", "Place"), ("about_place", "About")):
        place = content.get(field, {})
        yield what, [each for each in (prose.place(place), prose.coordinates(place)) if each]
    people = content.get("participants", ())
    yield "Who", [_with(prose.participant(who), "role", who) for who in people]
    figures = content.get("quantities", ())
    yield "Figures", [prose.figure(figure, names.language) for figure in figures]
    claims = content.get("claims", ())
    yield "Claims", [_with(prose.claim(claim), "stance", claim) for claim in claims]
    yield "Related", [names.relation(tie) for tie in content.get("relations", ())]
    for field, what in (("modality", "Happened"), ("verification", "How sure")):
        if content.get(field, prose.DEFAULTS[field]) != prose.DEFAULTS[field]:
            yield what, [label(field, content[field])]
    for field, what in _OTHERS.items():
        yield what, [content[field]] if content.get(field) else []
    for field, what in _LISTS.items():
        yield what, [prose.listed(*content.get(field, ()))] if content.get(field) else []
    yield "Pictures", [prose.medium(medium) for medium in content.get("media", ())]
    if content.get("highlight"):
        yield "Highlight", ["yes"]
    for dataset, values in content.get("extra", {}).items():
        yield dataset, [f"{name}: {value}" for name, value in values.items()]


def _with(words: str, field: str, item: Mapping[str, Any]) -> str:
    """Return the words for an item, with the value of a field that is not the default."""
    value = item.get(field, prose.DEFAULTS[field])
    return words if value == prose.DEFAULTS[field] else f"{words} ({label(field, value)})"


def _when(content: Mapping[str, Any]) -> Iterator[str]:
    if occurred := content.get("occurred"):
        words = prose.date_with_weekday(occurred)
        yield words if words == occurred else f"{words} ({occurred})"
    basis = content.get("occurred_basis")
    if given := content.get("occurred_text"):
        yield f"in the source: {given}" + (f" ({label('basis', basis)})" if basis else "")
    elif basis:
        yield label("basis", basis)


def changes_of(names: Names, before: Mapping[str, Any], content: Mapping[str, Any]) -> list[Change]:
    """Return what a change makes of an event, in words: old beside new."""
    old, new = _fields(before), _fields(content)
    changes = [change._asdict() for change in differences(old, new)]
    return [*prose_changes.in_words(names, changes, new)]


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an event is made of, without defaults."""
    return {
        field: content[field]
        for field in Event.model_fields
        if field in content
        and field not in Event.outside
        and content[field] != prose.DEFAULTS.get(field)
    }
