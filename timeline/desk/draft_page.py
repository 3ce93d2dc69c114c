"""Prepare what the page of a draft shows: its fields, its rows in words, and what they offer.

Guarantees: what a person typed is shown as it was typed, also if it cannot be read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from timeline.desk import form_rows, forms, known_names
from timeline.desk.date_echo import echo
from timeline.desk.form_rows import CITED, KINDS, FormRow
from timeline.desk.forms import FormProblem
from timeline.errors import NotFound
from timeline.formats import prose
from timeline.formats.labels import label
from timeline.formats.log_names import Names
from timeline.intake.proposals.inbox import Draft
from timeline.intake.proposals.proposal import BroughtText
from timeline.model.content import Claim, Event, Participant, Relation
from timeline.reading import captured_texts, query
from timeline.store import log as stored_log
from timeline.texts.quotes import CapturedText
from timeline.texts.sentences import sentences

FormChoice = tuple[str, str]
"""A value and the words for it."""

_HEADINGS = {
    "record": "New event",
    "update": "Change an event",
    "correct": "Change an event",
    "retract": "Retract an event",
    "reinstate": "Reinstate an event",
    "merge": "Merge an event into another one",
    "comment": "Sentences that need no event",
}
_BASES = {
    "stated": "the source states it",
    "resolved": "worked out from the words of the source",
    "inferred": "inferred from something else",
}


class ShownQuote(NamedTuple):
    """A quote is shown inside its sentence."""

    before: str
    quote: str
    after: str


class ShownRow(NamedTuple):
    """A row is shown in words, or with fields."""

    row: FormRow
    number: int
    """Its number for people, from 1."""
    words: str
    """What its item says; empty for a new row."""
    quote: ShownQuote | None = None


def context(
    log: sqlite3.Connection,
    draft: Draft,
    problems: Sequence[FormProblem] = (),
    brought: Sequence[BroughtText] = (),
) -> dict[str, Any]:
    """Return what the template of a draft needs; `brought` are the texts of its proposal."""
    fields = draft.fields
    kind = fields["kind"]
    texts = {name: text for name, text in fields["values"] if name.count(".") < 2}
    found: dict[str, Any] = {
        "draft": draft,
        "path": f"/drafts/{draft.draft_id}",
        "kind": kind,
        "heading": _HEADINGS[kind],
        "event_title": _title(log, draft.event_id),
        "texts": texts,
        "problems": problems,
        "problems_of": _by_field(problems),
        "meanwhile": fields["meanwhile"],
        "events": known_names.events(log) if kind != "comment" else [],
    }
    if kind not in forms.WHOLE_FORMS:
        return found
    names = Names(log)
    wrong = {field.rpartition(".")[0] for field, _ in problems}
    return found | {
        "echo": echo(
            texts.get("occurred", ""),
            language=names.language,
            time_zone=stored_log.time_zone(log),
        ),
        "rows": {
            each.name: [
                _shown(log, names, row.opened() if row.name in wrong else row, number, brought)
                for number, row in enumerate(form_rows.rows(fields["values"], each), 1)
            ]
            for each in KINDS
        },
        "choices": _choices(names, texts),
        "source_choices": _source_choices(names, fields["values"]),
        "actors": known_names.actors(log),
        "places": known_names.places(log),
        "tags": known_names.tags(log),
        "measures": known_names.measures(log),
        "sources": known_names.sources(log),
        "has_more": _is_filled(texts, ("modality", "verification"), prose.DEFAULTS),
    }


def _is_filled(texts: Mapping[str, str], names: Sequence[str], defaults: Mapping[str, str]) -> bool:
    return any(texts.get(name, "") not in ("", defaults.get(name)) for name in names)


def _title(log: sqlite3.Connection, event_id: str | None) -> str | None:
    if event_id is None:
        return None
    try:
        return prose.title(query.get(log, event_id))
    except NotFound:
        return None


def _by_field(problems: Sequence[FormProblem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field, text in problems:
        found.setdefault(field, []).append(text)
    return found


# --- Rows ---------------------------------------------------------------------------------


def _shown(
    log: sqlite3.Connection,
    names: Names,
    row: FormRow,
    number: int,
    brought: Sequence[BroughtText],
) -> ShownRow:
    words = "" if row.kept is None else _in_words(names, row.kind.name, row.kept)
    quote = _quote(log, row, brought) if row.kind.name == "citations" else None
    return ShownRow(row, number, words, quote)


def _in_words(names: Names, kind: str, item: Any) -> str:
    """Return an item of a list in words."""
    match kind:
        case "people":
            return prose.listed(f"{prose.participant(item)} ({prose.role(item)})")
        case "figures":
            return prose.figure(item, names.language)
        case "claims":
            return f"{item['speaker']} {prose.stance(item)}: {item.get('statement', '')}".rstrip(
                ": "
            )
        case "relations":
            return names.relation(item)
        case "citations":
            source = item.get("source") or {}
            key = item.get("source_id")
            return names.source(key) if key else source.get("title") or source.get("url", "")
        case _:
            return str(item)


def _quote(
    log: sqlite3.Connection, row: FormRow, brought: Sequence[BroughtText]
) -> ShownQuote | None:
    """Return the quote of a citation inside its sentence, or alone where its text is not kept."""
    kept = row.kept or {}
    quote = row.texts.get("quote", kept.get("quote", "")).strip()
    if not quote:
        return None
    text = _text(log, row, brought)
    place = _place(text, quote, kept) if text else None
    if not text or place is None:
        return ShownQuote("", quote, "")
    start, end = place
    around = [span for span in sentences(text) if span[0] < end and span[1] > start]
    first, last = (around[0][0], around[-1][1]) if around else place
    return ShownQuote(text[min(first, start) : start], text[start:end], text[end : max(last, end)])


def _text(log: sqlite3.Connection, row: FormRow, brought: Sequence[BroughtText]) -> str | None:
    """Return the text that a citation is taken from, if it is kept or came with the proposal."""
    kept = row.kept or {}
    source_id = row.texts.get("source_id", kept.get("source_id", "")).strip()
    for document in brought:
        said = document.source.model_dump(include={"source_id", "url", "title"})
        if any(text and text == kept.get("source", {}).get(name) for name, text in said.items()):
            return document.text
    text = captured_texts.cited(log)(kept) if kept.get("source_version") else None
    return text or captured_texts.newest(log, source_id)


def _place(text: str, quote: str, kept: Mapping[str, Any]) -> tuple[int, int] | None:
    if kept.get("quote") == quote and "quote_start" in kept:
        return kept["quote_start"], kept["quote_end"]
    found = CapturedText(text).find(quote)
    return (found.start, found.end) if found else None


# --- What the fields offer ----------------------------------------------------------------


def _choices(names: Names, texts: Mapping[str, str]) -> dict[str, list[FormChoice]]:
    types = sorted(names.labels.items(), key=lambda each: each[1].lower())
    own = texts.get("event_type", "")
    if own and own not in names.labels:
        types.append((own, own))
    return {
        "event_type": [("", "not said"), *types],
        "occurred_basis": [("", "not said"), *_BASES.items()],
        "modality": _values(Event, "modality", "modality"),
        "verification": _values(Event, "verification", "verification"),
        "role": _values(Participant, "role", "role"),
        "stance": _values(Claim, "stance", "stance"),
        "type": _values(Relation, "type", "relation"),
    }


def _values(model: type[Any], field: str, labels: str) -> list[FormChoice]:
    """Return the values that a field of the model takes, each with its label."""
    return [
        (value, label(labels, value)) for value in get_args(model.model_fields[field].annotation)
    ]


def _source_choices(names: Names, values: form_rows.FormValues) -> list[FormChoice]:
    """Return what a figure or a claim may have as its source."""
    citations, *others = KINDS
    ids: dict[str, None] = {}
    for row in form_rows.rows(values, citations):
        typed = row.texts.get("source_id", "").strip()
        ids |= dict.fromkeys(filter(None, [typed, (row.kept or {}).get("source_id")]))
    for kind in others:
        for row in form_rows.rows(values, kind):
            ids |= dict.fromkeys(filter(None, [row.texts.get("source", "")]))
    ids.pop(CITED, None)
    several = [(key, "; ".join(map(names.source, key.split(";")))) for key in ids]
    return [(CITED, "the sources that this form cites"), ("", "no source"), *several]
