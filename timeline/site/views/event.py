"""Read what the page of one event shows: what happened, who says so, and what changed.

Guarantees: the content, figures and sources are of one version and one moment; the list of versions
comes in pages, newest first, that leave none out. An event that was retracted, merged or erased
says so and why. The events before and after it are those of the list that the reader came from.
Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from timeline.errors import InvalidInput, NotFound
from timeline.formats import prose
from timeline.formats.labels import country_name, label
from timeline.formats.log_names import Names
from timeline.formats.prose import DEFAULTS
from timeline.languages.translation import gettext
from timeline.projection.actors import known_as
from timeline.reading import corroboration, query
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.captured_texts import cited_pages
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.selection import Selection
from timeline.reading.sources import sources_by_id
from timeline.site.views import event_versions, worldmap
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.site.views.event_classes import class_of
from timeline.site.views.event_list import last_corrections
from timeline.site.views.event_versions import VERSIONS
from timeline.site.views.figures import measures_of
from timeline.site.views.map_labels import language_of
from timeline.site.views.media import media_shown
from timeline.store import log

_NOWHERE = Address()
_MOST_TIES = 200
"""The number of relations of other events to an event that its page shows."""


def event_page(
    connection: sqlite3.Connection,
    event_id: str,
    version: int | None,
    as_of: AsOf = NOW,
    *,
    address: Address = _NOWHERE,
    index: FacetIndex | None = None,
    before: int | None = None,
    size: int = VERSIONS,
) -> dict[str, Any]:
    """Return all that the page shows; without `version` the newest one by that moment.

    `address` is that of the list from which the reader came. The page lists `size` versions, from
    the one before `before` back, or fewer if their changes are very long. Raises NotFound for an
    event or a version that was not recorded by that moment.
    """
    names = Names(connection, as_of)
    zone = log.time_zone(connection)
    event = query.get(connection, event_id, version=version, as_of=as_of)
    newest = query.get(connection, event_id)["version"]
    ties, more_ties = _ties(connection, names, event, as_of, is_newest=event["version"] == newest)
    sources = _sources(connection, event, as_of)
    numbers = {source["source_id"]: source["number"] for source in sources}
    return {
        "event": event,
        "title": prose.title(event),
        "facts": _facts(event, names),
        "why": _why(connection, event),
        "remarks": [
            f"{remark[0].upper()}{remark[1:]}."
            for remark in (
                prose.at_risk(event.get("at_risk", ())),
                corroboration.uncorroborated_event(connection, event, as_of),
            )
            if remark
        ],
        "is_newest": event["version"] == newest,
        "newest": newest,
        "recorded": prose.local_instant(event["recorded_at"], zone),
        "who": [_who(connection, each) for each in event.get("participants", ())],
        "measures": measures_of(connection, names, event, numbers, zone),
        "claims": [_claim(each, numbers) for each in event.get("claims", ())],
        "ties": ties,
        "more_ties": more_ties,
        "sources": sources,
        "small_map": worldmap.small_map(event, language_of(log.info(connection))),
        "media": media_shown(connection, event.get("media", ())),
        "details": [*_details(event)],
        "datasets": event.get("extra", {}),
        "corrected": last_corrections(connection, {event_id: event["version"]}).get(event_id),
        "steps": _steps(connection, event, as_of, address, index),
        **event_versions.versions_shown(
            connection, names, event_id, newest, zone, before=before, size=size
        ),
    }


def _facts(event: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return the main facts of an event; those that lead to a list have the value of a filter."""
    place, event_type = event.get("place", {}), event.get("event_type")
    name, country = place.get("name"), place.get("country")
    return {
        "class": class_of(event_type),
        "type": event_type,
        "type_label": names.event_type(event_type) if event_type else "",
        "when": prose.when(event),
        "place": name,
        "region": None if name else place.get("admin1"),
        "country": country,
        "country_name": country_name(country) if country else "",
        "marks": [
            (event[field], label(field, event[field]))
            for field in ("modality", "verification")
            if event.get(field, DEFAULTS[field]) != DEFAULTS[field]
        ],
        "state": label("state", event["state"]) if event["state"] != "current" else "",
        "tags": event.get("tags", []),
    }


def _steps(
    connection: sqlite3.Connection,
    event: Mapping[str, Any],
    as_of: AsOf,
    address: Address,
    index: FacetIndex | None,
) -> dict[str, dict[str, str] | None]:
    """Return the events before and after an event in the list of this address, if they are there.

    Filters that cannot be read choose every event. An erased event has no place in time.
    """
    if "occurred" not in event:
        return {"earlier": None, "later": None}
    try:
        if address.is_narrowed or not as_of.is_now:
            with selected(connection, as_of, index, address) as chosen:
                found = chosen.neighbours(event)
        else:
            found = Selection(connection).neighbours(event)
    except InvalidInput:
        found = Selection(connection).neighbours(event)
    return {
        side: row
        and {"event_id": row["event_id"], "title": prose.title(row), "when": prose.when(row)}
        for side, row in found._asdict().items()
    }


def _claim(claim: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "stance": claim.get("stance", DEFAULTS["stance"]),
        "speaker": claim["speaker"],
        "statement": claim.get("statement"),
        "sources": [numbers[each] for each in claim.get("source_ids", ()) if each in numbers],
    }


def _who(connection: sqlite3.Connection, participant: Mapping[str, Any]) -> dict[str, Any]:
    """Return a participant, with the id of the actor that it is today if there is one.

    `listed_as` is the name of that actor if it is another one.
    """
    known = known_as(connection, participant.get("actor_id"), participant["name"])
    actor_id, name = known or (None, participant["name"])
    return {
        "role": participant.get("role", DEFAULTS["role"]),
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
            reason = reason or prose.erased(erasure_of(connection, seq), gettext("The reason"))
            return {"what": gettext("This event was retracted."), "reason": reason}
        case "merged":
            into = event["merged_into"]
            title = prose.title(query.get(connection, into))
            _, reason = _reason(connection, event)
            what = gettext("This event was merged into another one:")
            return {"what": what, "reason": reason, "into": into, "title": title}
        case "erased":
            gone = erasure_of(connection, event["seq"])
            return {"what": prose.erased(gone, gettext("What was said about this event"))}
    return None


def _reason(connection: sqlite3.Connection, event: Mapping[str, Any]) -> tuple[int, str | None]:
    """Return seq and reason of the entry that gave an event its state, retracted or merged."""
    row: tuple[int, str | None] = connection.execute(
        "SELECT seq, reason FROM event_versions WHERE event_id = ? AND version <= ? AND kind = ?"
        " ORDER BY version DESC LIMIT 1",
        (event["event_id"], event["version"], f"event.{event['state']}"),
    ).fetchone()
    return row


def _verb(relation: str) -> str:
    """Return the words for a relation between two events, which stand before and after them."""
    return {
        "part_of": gettext("is part of"),
        "follows": gettext("follows"),
        "responds_to": gettext("responds to"),
        "condition_of": gettext("is a condition of"),
        "fulfils": gettext("fulfils"),
        "contradicts": gettext("contradicts"),
        "same_as": gettext("is the same as"),
        "about": gettext("is about"),
    }[relation]


def _ties(
    connection: sqlite3.Connection,
    names: Names,
    event: Mapping[str, Any],
    as_of: AsOf,
    *,
    is_newest: bool,
) -> tuple[list[dict[str, Any]], int]:
    """Return the relations that this version names, then those of other events to this one.

    Relations of other events are today's, and only come with the newest version; with them comes
    the number of those that are left out.
    """
    ties = []
    for relation in event.get("relations", ()):
        other = relation["event_id"]
        if "origin" in relation:
            title = names.related_event(relation)
            ties.append({"verb": _verb(relation["type"]), "title": title, "out": True})
            continue
        try:
            title = prose.title(query.get(connection, other, as_of=as_of))
        except NotFound:
            title = other
        verb = _verb(relation["type"])
        ties.append({"verb": verb, "event_id": other, "title": title, "out": True})
    related = query.related(connection, event["event_id"]) if is_newest else []
    others = [tie for tie in related if tie["direction"] == "from"]
    for tie in others[:_MOST_TIES]:
        title, verb = prose.title(tie), _verb(tie["relation"])
        ties.append({"verb": verb, "event_id": tie["event_id"], "title": title, "out": False})
    return ties, len(others[_MOST_TIES:])


def _sources(
    connection: sqlite3.Connection, event: Mapping[str, Any], as_of: AsOf
) -> list[dict[str, Any]]:
    """Return the sources of an event, numbered, each once, with all words quoted from it.

    Those that it cites come first, then those that only a figure or a claim names.
    """
    citations = event.get("citations", ())
    told = [*event.get("quantities", ()), *event.get("claims", ())]
    ids = dict.fromkeys(
        [citation["source_id"] for citation in citations]
        + [source_id for each in told for source_id in each.get("source_ids", ())]
    )
    known = sources_by_id(connection, ids, as_of)
    found: dict[str, dict[str, Any]] = {}
    for number, source_id in enumerate(ids, 1):
        source = known.get(source_id, {})
        published = source.get("published")
        found[source_id] = {
            "number": number,
            "source_id": source_id,
            "title": source.get("title") or source.get("url") or source_id,
            **{field: source.get(field) for field in _OF_SOURCE},
            "published": prose.date(published) or None,
            "published_edtf": published,
            "withdrawn": source.get("state") == "withdrawn",
            "quotes": [],
        }
    page = cited_pages(connection)
    for citation in citations:
        if "quote" in citation:
            quote = {"text": citation["quote"], "page": page(citation)}
            found[citation["source_id"]]["quotes"].append(quote)
    return [*found.values()]


_OF_SOURCE = ("url", "archive_url", "publisher", "language", "reliability", "withdrawn_reason")


def _details(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the other fields of an event as pairs of label and text."""
    if where := prose.coordinates(event.get("place", {})):
        yield gettext("Coordinates"), where
    if "about_place" in event:
        yield gettext("About"), prose.place(event["about_place"])
    if "occurred_text" in event:
        yield gettext("Date as given"), event["occurred_text"]
    yield gettext("Date as EDTF"), event.get("occurred", "")
    if "mode" in event:
        yield gettext("Mode"), event["mode"]
    for field, name in (("contexts", gettext("Contexts")), ("external_ids", gettext("Other ids"))):
        if field in event:
            yield name, ", ".join(event[field])
