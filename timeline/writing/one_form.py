"""Put the names in a content into one form, so that what looks the same is the same.

Guarantees: a name that the version before has stays as it is stored, and so does every text that
is no name. What was accepted once is never refused: only what is new in a content is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from timeline.errors import InvalidInput
from timeline.model import hints, invisible
from timeline.model.edtf_words import one_date

_LINES = ("title", "name")
_LISTS = ("tags", "aliases")
_PLACES = ("place", "about_place")
_OF_PLACE = ("name", "admin1")
_OF_PARTICIPANT = ("name", "organisation")
_LONGEST, _LONGEST_TAG = 500, 60
"""Characters of a name, and of a tag; the form of a name may be longer than the name."""
_FREE_TEXTS = frozenset(
    ("summary", "note", "statement", "quote", "reason", "definition", "why", "extra")
)
"""Fields that may have several lines, or somebody else's words."""
_Change = Callable[[str, str], str]
"""A function of the path of a name, without the numbers of items, and of the name."""


def in_one_form(
    content: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a content with its names in one form, those that were there `before` as they were.

    The content may be malformed. Raises InvalidInput for a name that is too long in this form.
    """
    stored = {*_names(before)} if before else set()
    if not stored and invisible.has_one_form("\n".join(name for _, name in _names(content))):
        return dict(content)
    formed = {(path, invisible.one_form(name)): name for path, name in stored}
    exact = {(path, name): name for path, name in stored}

    def change(path: str, name: str) -> str:
        form = invisible.one_form(name)
        known = exact.get((path, name)) or formed.get((path, form))
        return known or _checked(path, name, form)

    return _with_names(content, change)


def comparable(content: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a content in the form in which two contents are compared.

    An interval of two equal dates is that date. No length is asked: what was accepted once may be
    longer in this form.
    """
    fields = _with_names(content or {}, lambda _, name: invisible.one_form(name))
    return {**fields, "occurred": one_date(fields["occurred"])} if "occurred" in fields else fields


def check_seen(content: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput if a line that is new has a character that changes what is seen."""
    stored = {text for _, text in _lines(before or {})}
    for field, text in _lines(content):
        if text not in stored and (found := invisible.deceiving(text)):
            problem = f"has {invisible.named(found)}, which nobody sees and which changes what is"
            shown = hints.quoted(invisible.marked(text))
            raise InvalidInput(field, f"{problem} seen: take it out of {shown}")


def _checked(path: str, name: str, form: str) -> str:
    longest = _LONGEST_TAG if path == "tags" else _LONGEST
    if len(name) <= longest < len(form):
        raise InvalidInput(path, f"is too long: at most {longest} characters")
    if name.strip() and not form:
        raise InvalidInput(path, f"has only {invisible.named(name[0])}, which nobody sees")
    return form


def _names(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each name in a content after its path."""
    yield from _names_in("", content, _LINES)
    for field in _LISTS:
        names = content.get(field)
        if isinstance(names, list | tuple):
            yield from ((field, name) for name in names if isinstance(name, str))
    for field in _PLACES:
        if isinstance(place := content.get(field), dict):
            yield from _names_in(f"{field}.", place, _OF_PLACE)
    people = content.get("participants")
    for who in people if isinstance(people, list | tuple) else ():
        if isinstance(who, dict):
            yield from _names_in("participants.", who, _OF_PARTICIPANT)


def _names_in(
    path: str, fields: Mapping[str, Any], parts: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(name := fields.get(part), str):
            yield f"{path}{part}", name


def _with_names(content: Mapping[str, Any], change: _Change) -> dict[str, Any]:
    """Return a content with every name changed; what is no text stays as it is."""
    fields = {**content, **_parts("", content, _LINES, change)}
    for field in _LISTS:
        names = content.get(field)
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            fields[field] = [*dict.fromkeys(change(field, name) for name in names)]
    for field in _PLACES:
        if isinstance(place := content.get(field), dict):
            fields[field] = {**place, **_parts(f"{field}.", place, _OF_PLACE, change)}
    people = content.get("participants")
    if isinstance(people, list | tuple) and all(isinstance(who, dict) for who in people):
        fields["participants"] = [
            {**who, **_parts("participants.", who, _OF_PARTICIPANT, change)} for who in people
        ]
    return fields


def _parts(
    path: str, fields: Mapping[str, Any], parts: tuple[str, ...], change: _Change
) -> dict[str, str]:
    return {
        part: change(f"{path}{part}", fields[part])
        for part in parts
        if isinstance(fields.get(part), str)
    }


def _lines(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of one line in a content after its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in _FREE_TEXTS:
                yield from _lines(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _lines(item, f"{path}.{number}")
