"""Read what the card of a page shows: the picture that a chat shows where somebody shares it.

Guarantees: the card of an event is of one version, and never changes while the log says the same
of itself; that of the whole timeline is of its newest entry. All words are plain text. Reads on the
connection it is given; knows no request and no pixel.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from timeline.formats import prose
from timeline.formats.labels import label
from timeline.formats.log_names import Names
from timeline.formats.prose import DEFAULTS, Fields
from timeline.languages.translation import gettext, ngettext, number
from timeline.reading import query
from timeline.reading.as_of import NOW
from timeline.reading.facet_index import FacetIndex
from timeline.site.views import axis
from timeline.site.views.address import Address
from timeline.site.views.axis import Axis
from timeline.site.views.browse import selected
from timeline.site.views.event_classes import EventClass, class_of
from timeline.site.views.figures import Measure, measures_of
from timeline.site.views.time_units import DAY, edtf_of
from timeline.store import log

WIDTH, HEIGHT = 1200, 630
"""Pixels: the size that Open Graph and X recommend."""

_LONGEST = 600
"""Characters of a text, of which a card has room for 300."""


class CardPoint(NamedTuple):
    """A figure on the line of a card; its place is in per cent, from the top left."""

    x: float
    y: float
    label: str
    is_apart: bool


class CardBar(NamedTuple):
    """A bar of a card, with the number of events by class; its place is in per cent."""

    left: float
    width: float
    parts: tuple[tuple[EventClass, int], ...]


class CardFigure(NamedTuple):
    """The leading figure of an event has its words, and the line of how it changed, if it did."""

    amount: str
    words: tuple[str, ...]
    points: tuple[CardPoint, ...]
    steps: tuple[tuple[float, float, float, float], ...]


class Card(NamedTuple):
    """A card has its texts, and a figure or bars; "" and () stand for what it does not have."""

    kind: str
    """What kind of event it is."""
    event_class: EventClass
    facts: tuple[str, ...]
    """When and where it was, and how sure that is; for a timeline, how much it has."""
    title: str
    summary: str
    figure: CardFigure | None
    bars: tuple[CardBar, ...]
    ends: tuple[str, str]
    """The words for the beginning and the end of the bars."""
    source: str
    """The title of the timeline; on its own card, who keeps it."""
    edition: str
    """Which version this is, with the number of sources; for a timeline, when it was updated."""


def event_card(connection: sqlite3.Connection, event_id: str, version: int | None) -> Card | None:
    """Return the card of a version of an event, or of its newest one.

    Returns None if it was erased. Raises NotFound for an unknown event or version.
    """
    event = query.get(connection, event_id, version=version)
    if event["state"] == "erased":
        return None
    names, info = Names(connection), log.info(connection)
    measures = measures_of(connection, names, event, {}, log.time_zone(connection))
    kind = names.event_type(event["event_type"]) if "event_type" in event else ""
    is_current = event["state"] == "current"
    if not is_current:
        kind = label("state", event["state"]).capitalize()
    sources = len({citation["source_id"] for citation in event.get("citations", ())})
    counted = ngettext("{count} source", "{count} sources", sources).format(count=number(sources))
    edition = gettext("Version {version}").format(version=event["version"])
    return Card(
        kind,
        class_of(event.get("event_type")) if is_current else "other",
        (prose.when(event), prose.place(event.get("place", {})), *_marks(event)),
        prose.title(event)[:_LONGEST],
        str(event.get("summary") or "")[:_LONGEST],
        _figure(measures[0]) if measures and is_current else None,
        (),
        ("", ""),
        str(info["title"])[:_LONGEST],
        prose.listed(edition, counted if sources else None),
    )


def log_card(connection: sqlite3.Connection, index: FacetIndex | None) -> Card:
    """Return the card of the whole timeline, as of now."""
    info, newest = log.info(connection), log.newest(connection)
    with selected(connection, NOW, index, Address()) as chosen:
        count, drawn = chosen.count(), axis.axis_of(chosen)
    counted = ngettext("{count} event", "{count} events", count).format(count=number(count))
    updated = newest and prose.local_instant(newest.recorded_at, log.time_zone(connection))
    bars = drawn.bars if drawn else ()
    return Card(
        "",
        "other",
        (counted, drawn.label if drawn else ""),
        str(info["title"])[:_LONGEST],
        str(info.get("description") or "")[:_LONGEST],
        None,
        tuple(CardBar(bar.left, bar.width, tuple(bar.parts)) for bar in bars),
        _ends(drawn) if drawn else ("", ""),
        str(info.get("publisher") or info["origin"])[:_LONGEST],
        gettext("Updated {when}").format(when=updated) if updated else "",
    )


def _ends(drawn: Axis) -> tuple[str, str]:
    """Return the words for the first and the last day, or month, of an axis."""
    is_month = drawn.unit != DAY.name
    first, last = (edtf_of(day, is_month=is_month) for day in (drawn.first, drawn.last))
    return prose.date(first), prose.date(last)


def _marks(event: Fields) -> list[str]:
    return [
        label(field, event[field])
        for field in ("modality", "verification")
        if event.get(field, DEFAULTS[field]) != DEFAULTS[field]
    ]


def _figure(measure: Measure) -> CardFigure:
    newest, chart = measure.newest, measure.chart
    said = gettext("{measure}, says {name}") if newest.by else "{measure}"
    words = [said.format(measure=measure.name, name=newest.by)]
    if len(measure.figures) > 1:
        counted = ngettext("{count} figure", "{count} figures", len(measure.figures))
        if measure.lowest != measure.highest:
            counted = ngettext(
                "{count} figure, from {lowest} to {highest}",
                "{count} figures, from {lowest} to {highest}",
                len(measure.figures),
            )
        words.append(
            counted.format(
                count=number(len(measure.figures)), lowest=measure.lowest, highest=measure.highest
            )
        )
    return CardFigure(
        newest.amount,
        tuple(words),
        tuple(CardPoint(*point[:3], point.is_apart) for point in chart.points) if chart else (),
        tuple(chart.steps) if chart else (),
    )
