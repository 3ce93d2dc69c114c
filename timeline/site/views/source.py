"""Read what the page of one source shows: its details, its text, and the events that cite it.

Guarantees: the sentences of the text come in its order, each with its state in words. A text that
is too long for a page is cut off, and the page says so. Reads on the connection it is given; knows
no request and no template.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from timeline.errors import NoText, NotFound
from timeline.formats import prose
from timeline.formats.labels import coverage_words, language_name
from timeline.formats.markup import is_link
from timeline.languages.translation import gettext
from timeline.model.invisible import marked
from timeline.projection import fold
from timeline.projection.differences import differences
from timeline.reading import captured_texts, corroboration
from timeline.reading.as_of import NOW
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.sources import sources_by_id, withdrawn_sources
from timeline.site.views import axis
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.store.codec import decode_content, decode_payload
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.coverage import Sentence

_LONGEST = 100_000
"""The number of characters of a text that a page shows."""
_MOST = 200
"""The number of events, of lost quotes and of versions that a page or its JSON lists."""
_MOST_OF_SENTENCE = 20
"""The number of quotes and of events that are shown for one sentence."""


class Run(NamedTuple):
    """A piece of a sentence, with the ids of the events that quote it.

    A character that changes what is seen is shown as its number.
    """

    text: str
    events: tuple[str, ...]


def source_page(
    connection: sqlite3.Connection, source_id: str, index: FacetIndex | None = None
) -> dict[str, Any]:
    """Return all that the page shows, from the index if there is one.

    Raises NotFound for an unknown source.
    """
    source = _source(connection, source_id)
    events, count = _events(connection, source_id)
    address = Address(chosen=(("source", source_id),))
    with selected(connection, NOW, index, address) as chosen:
        shown_axis = axis.axis_of(chosen, axis.FEW_BARS) if count else None
    found = {
        "source": source,
        "axis": shown_axis,
        "events_address": address,
        "title": _title(source),
        "published": prose.date(source["published"]),
        "links": [
            (label, source[field])
            for field, label in (
                ("url", gettext("Original")),
                ("archive_url", gettext("Archived copy")),
            )
            if is_link(source[field])
        ],
        "details": [*_details(source)],
        "events": events,
        "events_count": count,
        "same": [
            (other["source_id"], _title(other), other["publisher"])
            for other in corroboration.same_text(connection, source_id)
        ],
        "versions": _versions(connection, source_id),
        "lost": [],
    }
    try:
        coverage = captured_texts.coverage(connection, source_id, _LONGEST)
    except NoText as absent:
        return {**found, "absent": absent.why}
    quoting = {event_id for each in coverage.sentences for event_id in each.events}
    return {
        **found,
        "summary": coverage_words(coverage.sentences),
        "sentences": [*_shown_sentences(coverage)],
        "titles": _titles(
            connection, {*quoting, *(each["event_id"] for each in coverage.lost_quotes)}
        ),
        "lost": coverage.lost_quotes[:_MOST],
        "lost_count": len(coverage.lost_quotes),
        "length": len(coverage.text),
        "shown": min(len(coverage.text), _LONGEST),
    }


def source_json(connection: sqlite3.Connection, source_id: str) -> dict[str, Any]:
    """Return the page as JSON. Raises NotFound for an unknown source."""
    source = _source(connection, source_id)
    events, count = _events(connection, source_id)
    found: dict[str, Any] = {
        **{name: value for name, value in source.items() if name != "source_key"},
        "events": [event["event_id"] for event in events],
        "events_count": count,
        "same_text": [row["source_id"] for row in corroboration.same_text(connection, source_id)],
        "text_absent": None,
        "characters": None,
        "sentences": [],
        "lost_quotes": [],
        "lost_quotes_count": 0,
    }
    try:
        coverage = captured_texts.coverage(connection, source_id, _LONGEST)
    except NoText as absent:
        return {**found, "text_absent": absent.why}
    return {
        **found,
        "characters": len(coverage.text),
        "sentences": [
            {**each, "why": sentence.why or None}
            for each, sentence in zip(
                coverage.as_json(source_id)["sentences"], coverage.sentences, strict=True
            )
        ],
        "lost_quotes": coverage.lost_quotes[:_MOST],
        "lost_quotes_count": len(coverage.lost_quotes),
    }


def _source(connection: sqlite3.Connection, source_id: str) -> RowDict:
    try:
        return sources_by_id(connection, [source_id])[source_id]
    except KeyError:
        raise NotFound("source", source_id) from None


def _title(source: Mapping[str, Any]) -> str:
    return str(source["title"] or source["url"] or source["source_id"])


def _details(source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the other fields of a source as pairs of label and value, some of them empty."""
    yield gettext("Written by"), source["authors"]
    yield gettext("Publisher"), source["publisher"]
    yield gettext("Published"), prose.date(source["published"])
    yield gettext("Read"), prose.date(source["accessed"])
    yield gettext("Language"), language_name(source["language"] or "")
    yield gettext("Licence of its text"), source["licence"]
    yield gettext("Reliability"), source["reliability"]
    yield gettext("Captured from"), source["media_type"]
    yield gettext("Hash of its text"), source["text_sha256"]


# --- The text -----------------------------------------------------------------------------


def _shown_sentences(coverage: captured_texts.Coverage) -> Iterator[dict[str, Any]]:
    """Yield the sentences with the quotes in each, and whether one begins a paragraph."""
    before = 0
    for number, sentence in enumerate(coverage.sentences, 1):
        yield {
            "number": number,
            "state": sentence.state,
            "why": sentence.why,
            "page": sentence.page,
            "events": sentence.events[:_MOST_OF_SENTENCE],
            "more": len(sentence.events[_MOST_OF_SENTENCE:]),
            "runs": [*_runs(sentence)],
            "is_first": not {*"\n\f"}.isdisjoint(coverage.text[before : sentence.start]),
        }
        before = sentence.end


def _runs(sentence: Sentence) -> Iterator[Run]:
    """Yield the pieces of a sentence, cut where a quote begins or ends in it."""
    here = sentence.places[:_MOST_OF_SENTENCE]
    cuts = {sentence.start, sentence.end}
    for place in here:
        cuts |= {max(place.start, sentence.start), min(place.end, sentence.end)}
    for start, end in pairwise(sorted(cuts)):
        events = (place.note for place in here if place.start <= start and end <= place.end)
        text = sentence.text[start - sentence.start : end - sentence.start]
        yield Run(marked(text), tuple(dict.fromkeys(events)))


# --- Events and versions ------------------------------------------------------------------


def _events(connection: sqlite3.Connection, source_id: str) -> tuple[list[RowDict], int]:
    """Return the first events that cite a source, by date, and the number of all."""
    cited = "FROM events WHERE event_id IN (SELECT event_id FROM citations WHERE source_id = ?)"
    (count,) = connection.execute(f"SELECT count(*) {cited}", (source_id,)).fetchone()
    rows = connection.execute(
        f"SELECT * {cited} ORDER BY occurred_from, event_id LIMIT ?",
        (source_id, _MOST),
    )
    found = [
        {
            **row,
            "when": prose.when(row),
            "title": prose.title(row),
            "risk": prose.at_risk(withdrawn_sources(connection, row["event_id"]))
            if row["at_risk"]
            else "",
        }
        for row in as_dicts(rows)
    ]
    return found, count


def _titles(connection: sqlite3.Connection, event_ids: set[str]) -> dict[str, str]:
    rows = connection.execute(
        "SELECT event_id, title FROM events WHERE event_id IN (SELECT value FROM json_each(?))",
        (json.dumps([*event_ids]),),
    )
    return {event_id: title or event_id for event_id, title in rows}


def _versions(connection: sqlite3.Connection, source_id: str) -> list[dict[str, Any]]:
    """Return the newest versions of a source, newest first, each with the fields it changed."""
    rows = as_dicts(
        connection.execute(
            "SELECT seq, kind, version, recorded_at, payload FROM log WHERE subject = ?"
            " ORDER BY version DESC LIMIT ?",
            (f"source/{source_id}", _MOST),
        )
    )
    found: list[dict[str, Any]] = []
    content: RowDict | None = None
    for row in reversed([*rows]):
        payload = row.pop("payload")
        said = decode_payload(payload) if payload else {}
        changed: list[str] = []
        if fold.gives_content(row["kind"]):
            before, content = content, decode_content(payload)
            if before and content:
                paths = (change.path for change in differences(before, content))
                names = dict.fromkeys(path.split("/")[1] for path in paths)
                changed = [_field(name) for name in names]
        found.append(
            {
                **row,
                "verb": row["kind"].partition(".")[2],
                "recorded": prose.instant(row["recorded_at"]),
                "author": said.get("author"),
                "reason": said.get("reason"),
                "changed": changed,
                "erased": ""
                if payload
                else prose.erased(erasure_of(connection, row["seq"]), gettext("What it said")),
            }
        )
    return found[::-1]


def _field(name: str) -> str:
    """Return the words for a field of a source."""
    return {
        "title": gettext("title"),
        "publisher": gettext("publisher"),
        "authors": gettext("authors"),
        "url": gettext("address"),
        "archive_url": gettext("archived copy"),
        "published": gettext("published"),
        "accessed": gettext("accessed"),
        "language": gettext("language"),
        "licence": gettext("licence"),
        "reliability": gettext("reliability"),
        "media_type": gettext("media type"),
        "text_sha256": gettext("its text"),
    }.get(name, name.replace("_", " "))
