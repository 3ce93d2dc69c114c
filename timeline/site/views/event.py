"""Read what the page of one event shows: its state, its sources, and all of its versions.

Guarantees: the content, figures and sources are of one version and one moment; the list of versions
comes in pages, newest first, that leave none out. An event that was retracted, merged or erased
says so and why. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from timeline.errors import NotFound
from timeline.formats import prose, prose_changes
from timeline.formats.prose import Names
from timeline.model import edtf
from timeline.projection.actors import known_as
from timeline.reading import comparison, corroboration, deadline, query
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.entries import erasure_of
from timeline.reading.sources import sources_by_id
from timeline.site.views.media import media_shown

_TIES = {
    "part_of": "is part of",
    "follows": "follows",
    "responds_to": "responds to",
    "condition_of": "is a condition of",
    "fulfils": "fulfils",
    "contradicts": "contradicts",
    "same_as": "is the same as",
    "about": "is about",
}
"""The words for each type of relation, from an event to the event that it names."""


VERSIONS = 50
"""The number of versions on a page."""
_MOST_TIES = 200
"""The number of relations of other events to an event that its page shows."""


def event_page(
    connection: sqlite3.Connection,
    event_id: str,
    version: int | None,
    as_of: AsOf = NOW,
    *,
    before: int | None = None,
    size: int = VERSIONS,
) -> dict[str, Any]:
    """Return all that the page shows; without `version` the newest one by that moment.

    It lists `size` versions, from the one before `before` back, or fewer if their changes are very
    long. Raises NotFound for an event or a
    version that was not recorded by that moment.
    """
    names = Names(connection, as_of)
    event = query.get(connection, event_id, version=version, as_of=as_of)
    newest = query.get(connection, event_id)["version"]
    last = newest if before is None else min(before - 1, newest)
    first = max(last - size + 1, 1)
    if size <= VERSIONS:  # The file of a static site has all.
        first = _first(connection, event_id, first, last)
    is_newest = event["version"] == newest
    ties, more_ties = _ties(connection, event, as_of, is_newest=is_newest)
    return {
        "event": event,
        "title": prose.title(event),
        "facts": prose.main_facts(event, names.labels),
        "why": _why(connection, event),
        "remarks": [
            f"{remark[0].upper()}{remark[1:]}."
            for remark in (
                prose.at_risk(event.get("at_risk", ())),
                corroboration.uncorroborated_event(connection, event, as_of),
            )
            if remark
        ],
        "is_newest": is_newest,
        "newest": newest,
        "who": [_who(connection, each) for each in event.get("participants", ())],
        "figures": _figures(names, event),
        "claims": [
            {"stance": prose.stance(each), "said": prose.claim(each)}
            for each in event.get("claims", ())
        ],
        "ties": ties,
        "more_ties": more_ties,
        "citations": _citations(connection, event, as_of),
        "media": media_shown(connection, event.get("media", ())),
        "details": [*_details(event)],
        "datasets": event.get("extra", {}),
        "versions": _versions(connection, names, event_id, first, last),
        "earlier": first if first > 1 else None,
    }


def _first(connection: sqlite3.Connection, event_id: str, first: int, last: int) -> int:
    """Return the first of these versions whose changes a page has room for, with all later ones."""
    lengths = connection.execute(
        "SELECT version, sum(length(coalesce(old_value, '') || coalesce(new_value, '')))"
        " FROM field_changes WHERE event_id = ? AND version BETWEEN ? AND ?"
        " GROUP BY version ORDER BY version DESC",
        (event_id, first, last),
    )
    total = 0
    for version, length in lengths:
        total += length
        if total >= comparison.LONGEST_PAGE:
            return int(version)
    return first


def _who(connection: sqlite3.Connection, participant: Mapping[str, Any]) -> dict[str, Any]:
    """Return a participant, with the id of the actor that it is today if there is one.

    `listed_as` is the name of that actor if it is another one.
    """
    known = known_as(connection, participant.get("actor_id"), participant["name"])
    actor_id, name = known or (None, participant["name"])
    return {
        "role": prose.role(participant),
        "name": participant["name"],
        "capacity": prose.capacity(participant),
        "actor_id": actor_id,
        "listed_as": name if name != participant["name"] else None,
    }


def _why(connection: sqlite3.Connection, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return why an event is not current; None if it is.

    `what` says what happened. A retracted or merged event also has a `reason`, and a merged one
    has `into` and `title`: the id and the title of the event that it was merged into.
    """
    match event["state"]:
        case "retracted":
            seq, reason = _reason(connection, event)
            reason = reason or prose.erased(erasure_of(connection, seq), "The reason")
            return {"what": "This event was retracted.", "reason": reason}
        case "merged":
            into = event["merged_into"]
            title = prose.title(query.get(connection, into))
            _, reason = _reason(connection, event)
            what = "This event was merged into another one:"
            return {"what": what, "reason": reason, "into": into, "title": title}
        case "erased":
            gone = erasure_of(connection, event["seq"])
            return {"what": prose.erased(gone, "What was said about this event")}
    return None


def _reason(connection: sqlite3.Connection, event: Mapping[str, Any]) -> tuple[int, str | None]:
    """Return seq and reason of the entry that gave an event its state, retracted or merged."""
    row: tuple[int, str | None] = connection.execute(
        "SELECT seq, reason FROM event_versions WHERE event_id = ? AND version <= ? AND kind = ?"
        " ORDER BY version DESC LIMIT 1",
        (event["event_id"], event["version"], f"event.{event['state']}"),
    ).fetchone()
    return row


def _figures(names: Names, event: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the figures by measure; several figures of one measure compete."""
    found: dict[str, list[dict[str, Any]]] = {}
    for figure in event.get("quantities", ()):
        found.setdefault(figure["measure"], []).append(
            {
                "amount": prose.amount(figure, names.language),
                "by": figure.get("reported_by"),
                "dated": edtf.phrase(figure["dated"]) if "dated" in figure else None,
                "sources": [names.named(source_id) for source_id in figure.get("source_ids", ())],
            }
        )
    return found


def _ties(
    connection: sqlite3.Connection, event: Mapping[str, Any], as_of: AsOf, *, is_newest: bool
) -> tuple[list[dict[str, Any]], int]:
    """Return the relations that this version names, then those of other events to this one.

    Relations of other events are today's, and only come with the newest version; with them comes
    the number of those that are left out.
    """
    ties = []
    for relation in event.get("relations", ()):
        other = relation["event_id"]
        if "origin" in relation:
            title = f"{other} of {relation['origin']}"
            ties.append({"verb": _TIES[relation["type"]], "title": title, "out": True})
            continue
        try:
            title = prose.title(query.get(connection, other, as_of=as_of))
        except NotFound:
            title = other
        verb = _TIES[relation["type"]]
        ties.append({"verb": verb, "event_id": other, "title": title, "out": True})
    related = query.related(connection, event["event_id"]) if is_newest else []
    others = [tie for tie in related if tie["direction"] == "from"]
    for tie in others[:_MOST_TIES]:
        title, verb = prose.title(tie), _TIES[tie["relation"]]
        ties.append({"verb": verb, "event_id": tie["event_id"], "title": title, "out": False})
    return ties, len(others[_MOST_TIES:])


def _citations(
    connection: sqlite3.Connection, event: Mapping[str, Any], as_of: AsOf
) -> list[dict[str, Any]]:
    """Return the sources of an event, each once, with all words that are quoted from it."""
    citations = event.get("citations", ())
    sources = sources_by_id(connection, (citation["source_id"] for citation in citations), as_of)
    found: dict[str, dict[str, Any]] = {}
    for citation in citations:
        source = sources.get(citation["source_id"], {})
        published = source.get("published")
        cited = found.setdefault(
            citation["source_id"],
            {
                "source_id": citation["source_id"],
                "title": source.get("title") or source.get("url") or citation["source_id"],
                "url": source.get("url"),
                "archive_url": source.get("archive_url"),
                "publisher": source.get("publisher"),
                "language": source.get("language"),
                "published": edtf.phrase(published) if published else None,
                "reliability": source.get("reliability"),
                "withdrawn": source.get("state") == "withdrawn",
                "withdrawn_reason": source.get("withdrawn_reason"),
                "quotes": [],
            },
        )
        if "quote" in citation:
            cited["quotes"].append(citation["quote"])
    return [*found.values()]


def _details(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the other fields of an event as pairs of label and text."""
    if where := prose.coordinates(event.get("place", {})):
        yield "Coordinates", where
    if "about_place" in event:
        yield "About", prose.place(event["about_place"])
    if "occurred_text" in event:
        yield "Date as given", event["occurred_text"]
    yield "Date as EDTF", event.get("occurred", "")
    for field, label in (("mode", "Mode"), ("note", "Note")):
        if field in event:
            yield label, event[field]
    for field, label in (("contexts", "Contexts"), ("tags", "Tags"), ("external_ids", "Other ids")):
        if field in event:
            yield label, ", ".join(event[field])


def _versions(
    connection: sqlite3.Connection, names: Names, event_id: str, first: int, last: int
) -> list[dict[str, Any]]:
    """Return these versions, newest first, each with its changes in words."""
    found = []
    for row in query.history(connection, event_id, first=first, last=last):
        deadline.check()
        stood = query.get(connection, event_id, version=row["version"])
        gone = erasure_of(connection, row["seq"])
        found.append(
            {
                **row,
                "verb": row["kind"].partition(".")[2],
                "reported": edtf.phrase(row["reported_at"]) if row["reported_at"] else "",
                "recorded": prose.instant(row["recorded_at"]),
                "words": prose_changes.shortened(
                    prose_changes.in_words(names, row["changes"], stood)
                ),
                "erased": prose.erased(gone, "What it said") if gone else "",
            }
        )
    return found[::-1]
