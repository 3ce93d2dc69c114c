"""Make the rows and the state of an event from the content of an entry.

Guarantees: pure functions of the bytes in the log, so that a rebuild, a live append and a
look into the past give the same rows. Contents are the JSON of payloads (`Event.content()`),
not models: an entry that was accepted once is never judged again.

Knows neither database nor clock.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from timeline.model import search_words
from timeline.model.log_clock import occurred_in

_encode = json.JSONEncoder(ensure_ascii=False).encode

StoredContent = Mapping[str, Any]
"""The content of an entry, as the JSON of its payload has it."""
_Values = tuple[Any, ...]

_CONTENT_KINDS = frozenset(
    ("event.recorded", "event.updated", "event.corrected", "source.recorded", "source.updated")
)
_STATES = {
    "event.recorded": "current",
    "event.reinstated": "current",
    "event.retracted": "retracted",
    "event.merged": "merged",
    "source.recorded": "current",
    "source.reinstated": "current",
    "source.withdrawn": "withdrawn",
}


def gives_content(kind: str) -> bool:
    """Return whether an entry of this kind contains the whole content of its subject."""
    return kind in _CONTENT_KINDS


def state_after(kind: str, before: str) -> str:
    """Return the state of a subject after an entry; most kinds of entry leave it as it was."""
    return _STATES.get(kind, before)


def state_of(kinds: Iterable[str]) -> str:
    """Return the state of a subject after entries of these kinds, in their order."""
    return functools.reduce(lambda state, kind: state_after(kind, state), kinds, "current")


# --- Rows ---------------------------------------------------------------------------------

CONTENT_COLUMNS = (
    "title",
    "occurred",
    "event_type",
    "place",
    "country",
    "modality",
    "verification",
    "highlight",
    "summary",
    "note",
    "mode",
    "contexts",
    "tags",
    "occurred_text",
    "occurred_basis",
    "occurred_from",
    "occurred_to",
    "occurred_precision",
    "year",
    "month",
    "admin1",
    "lat",
    "lon",
    "geo_precision",
    "about_place",
    "about_country",
    "about_admin1",
    "about_lat",
    "about_lon",
    "about_geo_precision",
    "extra",
)
"""The columns of `events` that follow only from the content of the event."""

_NOWHERE: StoredContent = {}


def content_row(content: StoredContent | None, time_zone: str) -> dict[str, Any]:
    """Return the values of CONTENT_COLUMNS, in their order; bounds are in the zone of the log.

    If the content was erased, all values are None.
    """
    if content is None:
        return dict.fromkeys(CONTENT_COLUMNS)
    when = occurred_in(content["occurred"], time_zone)
    get = content.get
    place, about = get("place", _NOWHERE), get("about_place", _NOWHERE)
    return {
        "title": content["title"],
        "occurred": content["occurred"],
        "event_type": get("event_type"),
        "place": place.get("name"),
        "country": place.get("country"),
        "modality": get("modality", "actual"),
        "verification": get("verification", "reported"),
        "highlight": int("highlight" in content),
        "summary": get("summary"),
        "note": get("note"),
        "mode": get("mode"),
        "contexts": _json(get("contexts")),
        "tags": _json(get("tags")),
        "occurred_text": get("occurred_text"),
        "occurred_basis": get("occurred_basis"),
        "occurred_from": when.occurred_from,
        "occurred_to": when.occurred_to,
        "occurred_precision": when.precision,
        "year": when.year,
        "month": when.month,
        "admin1": place.get("admin1"),
        "lat": _degrees(place.get("lat")),
        "lon": _degrees(place.get("lon")),
        "geo_precision": place.get("geo_precision"),
        "about_place": about.get("name"),
        "about_country": about.get("country"),
        "about_admin1": about.get("admin1"),
        "about_lat": _degrees(about.get("lat")),
        "about_lon": _degrees(about.get("lon")),
        "about_geo_precision": about.get("geo_precision"),
        "extra": _json(get("extra")),
    }


def _degrees(text: str | None) -> float | None:
    return None if text is None else float(text)


def _tags(event_id: str, content: StoredContent) -> Iterator[_Values]:
    return ((event_id, tag) for tag in content.get("tags", ()))


def _quantities(event_id: str, content: StoredContent) -> Iterator[_Values]:
    for position, figure in enumerate(content.get("quantities", ()), 1):
        yield (
            event_id,
            position,
            figure["measure"],
            figure.get("qualifier", "exact"),
            _number(figure.get("value")),
            _number(figure.get("low")),
            _number(figure.get("high")),
            figure["unit"],
            figure.get("dated"),
            figure.get("reported_by"),
            _json(figure.get("source_ids")),
        )


def _claims(event_id: str, content: StoredContent) -> Iterator[_Values]:
    for position, claim in enumerate(content.get("claims", ()), 1):
        yield (
            event_id,
            position,
            claim["speaker"],
            claim.get("stance", "asserts"),
            claim.get("statement"),
            _json(claim.get("source_ids")),
        )


def _relations(event_id: str, content: StoredContent) -> Iterator[_Values]:
    for tie in content.get("relations", ()):
        origin = tie.get("origin", "")
        yield event_id, tie["type"], tie["event_id"], origin, None if origin else tie["event_id"]


def _media(event_id: str, content: StoredContent) -> Iterator[_Values]:
    for position, medium in enumerate(content.get("media", ()), 1):
        yield event_id, position, *(medium.get(field) for field in _MEDIUM_FIELDS)


def _citations(event_id: str, content: StoredContent) -> Iterator[_Values]:
    for position, citation in enumerate(content.get("citations", ()), 1):
        yield (
            event_id,
            position,
            citation["source_id"],
            citation.get("source_version"),
            citation.get("quote"),
            citation.get("quote_start"),
            citation.get("quote_end"),
            citation.get("credibility"),
        )


def _external_ids(event_id: str, content: StoredContent) -> Iterator[_Values]:
    return ((external_id, event_id) for external_id in content.get("external_ids", ()))


_MEDIUM_FIELDS = (
    "kind",
    "sha256",
    "url",
    "media_type",
    "width",
    "height",
    "alt",
    "caption",
    "credit",
    "licence",
    "source_id",
)

CHILD_FIELDS = {
    "event_tags": "tags",
    "event_quantities": "quantities",
    "event_claims": "claims",
    "event_relations": "relations",
    "event_media": "media",
    "citations": "citations",
    "event_external_ids": "external_ids",
}
"""The field of a content that each of CHILD_TABLES shows."""

CHILD_TABLES: dict[str, Callable[[str, StoredContent], Iterator[_Values]]] = {
    "event_tags": _tags,
    "event_quantities": _quantities,
    "event_claims": _claims,
    "event_relations": _relations,
    "event_media": _media,
    "citations": _citations,
    "event_external_ids": _external_ids,
}
"""The tables whose rows follow only from the content of an event, and the functions for them."""


def joined_names(names: Iterable[str]) -> str | None:
    """Return the names of an event's actors as column `actors` of `events` has them."""
    return "; ".join(dict.fromkeys(names)) or None


def search_row(content: StoredContent, actors: str | None) -> _Values:
    """Return the words of an event for `event_search`, from the texts that `search_texts` returns.

    The same words are needed to take them out of the index again.
    """
    return tuple(text and search_words.words(text) for text in search_texts(content, actors))


def search_texts(content: StoredContent, actors: str | None) -> tuple[str | None, ...]:
    """Return the texts of an event that are searched: title, summary, quotes, actors, places.

    `actors` are the names that `joined_names` returned.
    """
    places = [content.get("place", _NOWHERE), content.get("about_place", _NOWHERE)]
    return (
        content["title"],
        content.get("summary"),
        _joined_lines(c["quote"] for c in content.get("citations", ()) if "quote" in c),
        searched_names(actors, content.get("participants", ())),
        _joined_lines(p[key] for p in places for key in ("name", "admin1") if key in p),
    )


def searched_names(actors: str | None, participants: Sequence[StoredContent]) -> str | None:
    """Return the names by which the participants of an event are searched, one a line."""
    names = [*(actors.split("; ") if actors else ()), *(p["name"] for p in participants)]
    return _joined_lines([*names, *(p["as_named"] for p in participants if "as_named" in p)])


def _joined_lines(texts: Iterator[str] | Sequence[str]) -> str | None:
    return "\n".join(dict.fromkeys(texts)) or None


def _json(value: object) -> str | None:
    return _encode(value) if value else None


def _number(text: str | None) -> int | float | None:
    """Return a decimal for SQL: an integer if SQLite can hold it as one, otherwise a float."""
    if text is None:
        return None
    if "." not in text and -(2**63) <= (whole := int(text)) < 2**63:
        return whole
    return float(text)
