"""Changes between two versions of an event, put into words of the current language.

Guarantees: every change that `differences` lists is reported; an item of a list is named by
its content, not by its index. Everything returned is plain text, as in `prose`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from timeline.formats import prose
from timeline.formats.labels import country_name, label
from timeline.formats.log_names import Names
from timeline.formats.prose import DEFAULTS, Fields
from timeline.languages import translation
from timeline.languages.translation import current, gettext, ngettext, pgettext
from timeline.model import field_paths
from timeline.reading import query


class Change(NamedTuple):
    """A change that was put into words: the name of what changed, its old and its new value.

    `old` is None if something was added or removed; `new` is then the added or removed value.
    `field` is the field of an event if the values are texts of the log.
    """

    what: str
    old: str | None
    new: str
    is_removed: bool = False
    field: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.new if self.old is None else f'{self.old} -> {self.new}'}"


_MOST_SHOWN = 100_000
"""Characters of the changes of one entry after which a page leaves out the others."""

_ORDER = (
    "title",
    "occurred",
    "occurred_text",
    "occurred_basis",
    "event_type",
    "mode",
    "modality",
    "verification",
    "place",
    "about_place",
    "summary",
    "note",
    "participants",
    "quantities",
    "claims",
    "relations",
    "citations",
    "media",
    "highlight",
    "tags",
    "contexts",
    "external_ids",
    "extra",
)
"""The fields of an event in the order in which their changes are listed."""

_OF_LOG = ("title", "summary", "note")
"""The fields of an event that are texts in the language of the log."""


@cache
def _labels(language: str) -> dict[str, str]:
    """Return the labels of fields by name, in a language, which is the current one."""
    return {
        "title": pgettext("field", "title"),
        "occurred": pgettext("field", "date"),
        "occurred_text": pgettext("field", "date as given"),
        "occurred_basis": pgettext("field", "basis of the date"),
        "event_type": pgettext("field", "type"),
        "mode": pgettext("field", "mode"),
        "modality": pgettext("field", "modality"),
        "verification": pgettext("field", "verification"),
        "place": pgettext("field", "place"),
        "about_place": pgettext("field", "about"),
        "name": pgettext("field", "name"),
        "country": pgettext("field", "country"),
        "admin1": pgettext("field", "region"),
        "geo_precision": pgettext("field", "precision of the place"),
        "summary": pgettext("field", "summary"),
        "note": pgettext("field", "note"),
        "tags": pgettext("field", "tag"),
        "contexts": pgettext("field", "context"),
        "highlight": pgettext("field", "highlight"),
        "external_ids": pgettext("field", "other id"),
        "role": pgettext("field", "role"),
        "office": pgettext("field", "office"),
        "organisation": pgettext("field", "organisation"),
        "as_named": pgettext("field", "name as given"),
        "actor_id": pgettext("field", "actor id"),
        "dated": pgettext("field", "date"),
        "reported_by": pgettext("field", "said by"),
        "stance": pgettext("field", "stance"),
        "statement": pgettext("field", "statement"),
        "source_ids": pgettext("field", "source"),
        "source_version": pgettext("field", "version of the source"),
        "quote": pgettext("field", "quote"),
        "quote_start": pgettext("field", "start of the quote"),
        "quote_end": pgettext("field", "end of the quote"),
        "alt": pgettext("field", "alt"),
        "caption": pgettext("field", "caption"),
        "credit": pgettext("field", "credit"),
        "licence": pgettext("field", "licence"),
    }


class _Item(NamedTuple):
    """The functions and fields that put an item of one kind of list into words.

    `noun` returns what kind of item it is, `words` the whole item, `name` its short form. An item
    that changed in a `decisive` field counts as replaced by another item. `told` are the fields
    that `words` mentions.
    """

    noun: Callable[[Fields], str]
    words: Callable[[Names, Fields], str]
    name: Callable[[Names, Fields], str]
    decisive: frozenset[str]
    told: frozenset[str]


_AMOUNT = frozenset(("value", "low", "high", "qualifier", "unit"))
_ITEMS = {
    "participants": _Item(
        prose.role,
        lambda _, item: prose.participant(item),
        lambda _, item: str(item["name"]),
        frozenset(("name",)),
        frozenset(("name", "office", "organisation", "as_named")),
    ),
    "quantities": _Item(
        lambda _: gettext("figure"),
        lambda names, item: prose.figure(item, names.language),
        lambda names, item: prose.figure({**item, "dated": None}, names.language),
        frozenset(("measure", "reported_by")),
        _AMOUNT | {"measure", "reported_by", "dated"},
    ),
    "claims": _Item(
        lambda item: label("claim", item.get("stance", DEFAULTS["stance"])),
        lambda _, item: prose.claim(item),
        lambda _, item: str(item["speaker"]),
        frozenset(("speaker",)),
        frozenset(("speaker", "statement")),
    ),
    "relations": _Item(
        lambda _: gettext("relation"),
        Names.relation,
        Names.relation,
        frozenset(("type", "event_id")),
        frozenset(("type", "event_id")),
    ),
    "media": _Item(
        prose.medium_kind,
        lambda _, item: prose.medium(item),
        lambda _, item: prose.medium(item),
        frozenset(("kind", "sha256", "url")),
        frozenset(("kind", "sha256", "url", "alt", "media_type", "width", "height")),
    ),
    "citations": _Item(
        lambda _: gettext("source"),
        Names.citation,
        lambda names, item: names.source(item["source_id"]),
        frozenset(("source_id",)),
        frozenset(("source_id", "quote")),
    ),
}


class _Step(NamedTuple):
    way: list[str]
    old: str | None
    new: str | None

    @property
    def part(self) -> tuple[list[str], bool]:
        """Return the path whose changes are reported together, and whether it is a kept item.

        The second value is True if the change lies within an item of a list. It keeps such changes
        apart from an added or removed item, whose index can be that of an item still there.
        """
        if self.way[0] in ("place", "about_place"):
            return self.way[:1], False
        is_within = self.way[0] in _ITEMS and len(self.way) > 2
        return self.way[:2] if is_within else self.way, is_within


def in_words(names: Names, changes: Sequence[Fields], newer: Fields) -> Iterator[Change]:
    """Yield in words the changes that `differences` listed, in the order of the fields.

    `newer` is the later of the two contents that were compared.
    """
    steps = [
        _Step(field_paths.steps(change["path"]), change["old_value"], change["new_value"])
        for change in changes
    ]
    steps.sort(key=lambda step: _ORDER.index(step.way[0]))
    for ((field, *rest), is_within), found in groupby(steps, key=lambda step: step.part):
        group = [*found]
        if field in ("place", "about_place"):
            yield from _place_changes(names, field, group, newer.get(field, {}))
        elif is_within:
            yield from _item(names, _ITEMS[field], group, newer[field][int(rest[0])])
        else:
            for step in group:
                yield from _field(names, step, newer)


@cache
def _in_short(language: str) -> dict[str, str]:
    """Return the words for changed fields of an event, in a language, which is the current one.

    Other fields are "details".
    """
    date, kind, place = gettext("date"), gettext("type"), gettext("place")
    return {
        "title": gettext("title"),
        "summary": gettext("summary"),
        "occurred": date,
        "occurred_text": date,
        "occurred_basis": date,
        "event_type": kind,
        "mode": kind,
        "place": place,
        "about_place": place,
        "participants": gettext("who took part"),
        "modality": gettext("whether it happened"),
        "verification": gettext("how sure"),
        "quantities": gettext("figures"),
        "claims": gettext("claims"),
        "citations": gettext("sources"),
        "relations": gettext("related events"),
        "tags": gettext("tags"),
        "contexts": gettext("subjects"),
        "media": gettext("pictures"),
        "note": gettext("note"),
    }


def fields_in_words(paths: Iterable[str]) -> list[str]:
    """Return what changed in short, from the paths that `differences` listed: "date", "figures".

    Each comes once, in the order of the fields.
    """
    fields = sorted({field_paths.steps(path)[0] for path in paths}, key=_ORDER.index)
    words = _in_short(current())
    return [*dict.fromkeys(words.get(field, gettext("details")) for field in fields)]


def shortened(changes: Iterable[Change]) -> list[Change]:
    """Return the changes of one entry as a page shows them: the first ones, and how many follow."""
    shown: list[Change] = []
    length = left_out = 0
    for change in changes:
        if length >= _MOST_SHOWN:
            left_out += 1
        else:
            shown.append(change)
            length += len(change.old or "") + len(change.new)
    if left_out:
        more = ngettext("{number} more change", "{number} more changes", left_out)
        what = more.format(number=translation.number(left_out))
        shown.append(Change(what, None, gettext("too long for this page, see changes.json")))
    return shown


class VersionInWords(NamedTuple):
    """A version of an event is told by who made it and why, and by what it changed."""

    words: str
    """For example "version 3, corrected by anna: the report was wrong"."""
    changes: list[Change]


def since(connection: sqlite3.Connection, event_id: str, seen: int) -> list[VersionInWords]:
    """Describe the versions of an event after the one that a person saw, oldest first."""
    names = Names(connection)
    found = []
    for row in query.history(connection, event_id, first=seen + 1):
        by = f" by {row['author']}" if row["author"] else ""
        reason = f": {row['reason']}" if row["reason"] else ""
        words = f"version {row['version']}, {row['kind'].partition('.')[2]}{by}{reason}"
        stood = query.get(connection, event_id, version=row["version"])
        found.append(VersionInWords(words, [*in_words(names, row["changes"], stood)]))
    return found


def _field(names: Names, step: _Step, newer: Fields) -> Iterator[Change]:
    """Yield the change of a field of text, or an item of a list that was added or removed."""
    field = step.way[0]
    if field == "occurred":
        old, new = (
            prose.occurred({**newer, "occurred": text}) if text else None
            for text in (step.old, step.new)
        )
        yield from _told(_label(field), old, new)
    elif field in _ITEMS:
        kind, item = _ITEMS[field], json.loads(step.old or step.new or "")
        words = kind.words(names, item)
        was, now = (None, words) if step.old is None else (words, None)
        yield from _told(kind.noun(item), was, now)
    else:
        what = ": ".join(step.way[1:]) if field == "extra" else _label(field)
        values = (_value_in_words(names, field, text) for text in (step.old, step.new))
        for change in _told(what, *values):
            yield change._replace(field=field) if field in _OF_LOG else change


def _item(names: Names, kind: _Item, steps: Sequence[_Step], item: Fields) -> Iterator[Change]:
    """Yield the changes within an item of a list; `item` is its newer form.

    If a decisive field changed, the old and the new item are shown whole, as one change. Changes
    of an amount are one change too. Every other field has a change of its own.
    """
    left = {step.way[2] for step in steps}
    before = _before(steps, item)
    if left & kind.decisive:
        left -= kind.told
        yield Change(kind.noun(item), kind.words(names, before), kind.words(names, item))
    elif left & _AMOUNT:
        left -= _AMOUNT
        now = [prose.amount(item, names.language), "" if left else prose.said(item)]
        was = prose.amount(before, names.language)
        yield Change(label("measure", item["measure"]), was, ", ".join(filter(None, now)))
    for step in steps:
        field = step.way[2]
        if field in left:
            yield from _told(
                f"{kind.name(names, item)}, {_label(field)}",
                _value_in_words(names, field, step.old),
                _value_in_words(names, field, step.new),
            )


def _before(steps: Sequence[_Step], item: Fields) -> Fields:
    """Return the object as it was before these changes of its own fields.

    Lists within the object stay as they are now.
    """
    depth = len(steps[0].part[0])
    was = {**item}
    for step in steps:
        if len(step.way) == depth + 1:
            was[step.way[-1]] = step.old
    return {field: value for field, value in was.items() if value is not None}


def _place_changes(
    names: Names, field: str, steps: Sequence[_Step], place: Fields
) -> Iterator[Change]:
    """Yield the changes of a place: name and country together, then what they do not show.

    The precision, coordinates, and a region or name that the words of the place leave out have
    a change of their own. `place` is the newer one.
    """
    before = _before(steps, place)
    prefix = "" if field == "place" else f"{_label(field)}, "
    silent = {"geo_precision"}
    if prose.place(before) == prose.place(place):
        silent |= {"name", "country", "admin1"}
    else:
        yield from _told(_label(field), prose.place(before), prose.place(place))
        if any("name" in one and "admin1" in one for one in (before, place)):
            silent.add("admin1")
    for step in steps:
        if step.way[1] in silent:
            values = (_value_in_words(names, step.way[1], text) for text in (step.old, step.new))
            yield from _told(f"{prefix}{_label(step.way[1])}", *values)
    if prose.coordinates(before) != prose.coordinates(place):
        points = (prose.coordinates(one) for one in (before, place))
        yield from _told(prefix + gettext("coordinates"), *points)


def _label(field: str) -> str:
    return _labels(current()).get(field, field)


def _value_in_words(names: Names, field: str, text: str | None) -> str | None:
    """Return the value of a field in words; for None the default of the field, if it has one."""
    if text is None:
        return label(field, DEFAULTS[field]) if field in DEFAULTS else None
    match field:
        case "dated":
            return prose.date(text)
        case "event_type":
            return names.event_type(text)
        case "country":
            return country_name(text)
        case "modality" | "verification" | "role" | "stance":
            return label(field, text)
        case "occurred_basis":
            return label("basis", text)
        case "source_ids":
            return names.source(text)
        case _:
            return text


def _told(what: str, old: str | None, new: str | None) -> Iterator[Change]:
    if not old:
        yield Change(gettext("{what} added").format(what=what), None, new or "")
    elif not new:
        removed = gettext("{what} removed").format(what=what)
        yield Change(removed, None, old, is_removed=True)
    else:
        yield Change(what, *_apart(old, new))


_LONG = 240
"""Characters of two texts in total; shorter ones are shown whole."""
_AROUND = 40
"""Characters of common text kept on either side of a difference, and the rest of the word."""


def _apart(old: str, new: str) -> tuple[str, str]:
    """Return two texts; of long ones only the part that differs, with a few words around it."""
    if len(old) + len(new) < _LONG:
        return old, new
    start = _shared(old, new)
    shared = _shared(old[start:][::-1], new[start:][::-1])
    start = old.rfind(" ", 0, max(start - _AROUND, 0)) + 1
    end = old.find(" ", len(old) - shared + _AROUND)
    left_out = len(old) - end if shared and end >= 0 else 0
    return _part(old, start, left_out), _part(new, start, left_out)


def _shared(one: str, other: str) -> int:
    """Return the number of characters that two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _part(text: str, start: int, left_out: int) -> str:
    before, after = "... " if start else "", " ..." if left_out else ""
    return f"{before}{text[start : len(text) - left_out]}{after}"
