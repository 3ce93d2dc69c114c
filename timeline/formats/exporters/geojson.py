"""GeoJSON (RFC 7946), which has one feature for each event, at the place where it happened.

Guarantees: an event without coordinates has no place on a map, so its geometry is null (section
3.2), never that of its country or of the place it is about. Coordinates have exactly the digits
that the log has, longitude first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from timeline.formats import json_text, prose
from timeline.formats.about import About, heading
from timeline.formats.coded import codes_and_words
from timeline.formats.media_links import media_links
from timeline.formats.sheet.cells import joined, several
from timeline.formats.sheet.media_cells import media_cells
from timeline.reading.rows import EventDict

_AS_THEY_ARE = (
    "occurred",
    "occurred_from",
    "occurred_to",
    "occurred_precision",
    "modality",
    "verification",
    "state",
    "version",
    "seq",
    "recorded_at",
    "reported_at",
)


_LINKS = ("self", "next")
"""The members of the heading that are left out: the file has no next part."""


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one FeatureCollection, the heading as its foreign members. Leaves nothing out."""
    labels = about.labels
    said = {key: value for key, value in heading(about).items() if key not in _LINKS}
    head = json_text.text({"type": "FeatureCollection", **said})
    yield f'{head[:-1]}, "features": [\n'
    yield from json_text.listed(_feature(event, about, labels) for event in events)
    yield "]}\n"
    return 0


def _feature(event: EventDict, about: About, labels: Mapping[str, str]) -> str:
    event_id = json_text.text(event["event_id"])
    properties = json_text.text(_properties(event, about, labels))
    return (
        f'{{"type": "Feature", "id": {event_id}, "geometry": {_geometry(event)},'
        f' "properties": {properties}}}'
    )


def _geometry(event: EventDict) -> str:
    place = event.get("place", {})
    if "lat" not in place:
        return "null"
    # The log has decimals as JSON writes numbers: copied as text, they lose no digit.
    return f'{{"type": "Point", "coordinates": [{place["lon"]}, {place["lat"]}]}}'


def _media(event: EventDict, about: About) -> dict[str, str]:
    """Return the media as a sheet has them, but the files of the site by their addresses."""
    ours = {each.medium.get("sha256"): each.url for each in media_links(event, about)}
    found = media_cells(event)
    keys = zip(event.get("media", ()), several(found["media_url"]), strict=False)
    return {
        **found,
        "media_url": joined(ours.get(medium.get("sha256")) or key for medium, key in keys),
    }


def _properties(event: EventDict, about: About, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of an event without nesting, for the tables of a map program."""
    place = event.get("place", {})
    return {
        "title": prose.title(event),
        "when": prose.occurred(event),
        **{field: event.get(field) for field in _AS_THEY_ARE},
        **codes_and_words(event, labels),
        "place": place.get("name"),
        "geo_precision": place.get("geo_precision"),
        "actors": joined(dict.fromkeys(each["name"] for each in event.get("participants", ()))),
        "tags": joined(event.get("tags", ())),
        "summary": event.get("summary"),
        **_media(event, about),
        "at_risk": prose.at_risk(event.get("at_risk", ())) or None,
        "url": about.address(event["event_id"]) if about.address else None,
    }
