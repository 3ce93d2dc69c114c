"""What the browse page shows: a selection of events as facets, bars, circles and a list.

Guarantees: every number is exact, and of the very selection and moment that the address
names. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.model import countries, edtf
from timeline.reading import query
from timeline.reading.as_of import NOW, AsOf, parse_as_of
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.reading.sources import withdrawn_sources
from timeline.site.views import histogram, worldmap
from timeline.site.views.address import FACETS, Address
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

PAGE_SIZE = 50
_SHOWN = 8
_CLOCK_TIMES = ("second", "minute", "hour")


class Choice(NamedTuple):
    """A value of a facet."""

    value: str
    label: str
    events: int
    is_chosen: bool
    link: str


class Facet(NamedTuple):
    """A facet with its values, the chosen ones first, and how many are not shown."""

    name: str
    choices: list[Choice]
    hidden: int
    is_open: bool


class Group(NamedTuple):
    """The events of one period: its name, and the events."""

    period: str
    events: list[dict[str, Any]]


def browse(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None = None
) -> dict[str, Any]:
    """All that the page shows, from the index where there is one.

    Raises TimelineError for what the address asks in vain.
    """
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        page = chosen.page(
            after=address.after or None,
            oldest_first=address.order == "oldest",
            size=PAGE_SIZE,
        )
        address = _as_stored(chosen, address)
        facets = [_facet(chosen, address, name) for name in FACETS]
        bars = histogram.bars_of(chosen.spans(), *chosen.bounds())
        everything = chosen.everything()
        return {
            "address": address,
            "opened": _opened(connection),
            "point": point,
            "is_before_opening": point.seq < 0,
            "count": chosen.count(),
            "total": everything.count(),
            "corrected": everything.corrected(),
            "groups": groups_of(connection, page.rows, chosen),
            "next": page.after and address.query(after=page.after),
            "facets": [facet for facet in facets if facet.choices],
            "labels": _labels(connection, address, facets),
            "period": _asked_period(address),
            "histogram": bars,
            "ticks": histogram.ticks(bars.bars) if bars else [],
            "map": worldmap.map_of(_points(chosen)),
        }


_SPELT = ("type", "country", "tag", "modality", "verification", "state", "at_risk", "precision")
"""Facets whose values may be written in several ways."""


def _as_stored(chosen: Selection, address: Address) -> Address:
    """The address with its values as the tables have them: "UKR" for "ua", so that they match."""
    stored = [
        (facet, str(chosen.parse_filter(FACETS[facet], value) or value))
        if facet in _SPELT
        else (facet, value)
        for facet, value in address.chosen
    ]
    return address._replace(chosen=tuple(dict.fromkeys(stored)))


def _asked_period(address: Address) -> str:
    """The period that is asked for, as a person writes it."""
    since, until = (edtf.phrase(each) if each else "" for each in (address.since, address.until))
    if since and until:
        return since if since == until else f"{since} to {until}"
    return f"from {since}" if since else f"to {until}" if until else ""


def _labels(
    tables: sqlite3.Connection, address: Address, facets: Sequence[Facet]
) -> dict[tuple[str, str], str]:
    """What the chosen values are called, those too that nothing is left of."""
    called = {("at_risk", "1"): "at risk", ("at_risk", "0"): "not at risk"}
    called |= {("type", code): label for code, label in query.labels(tables).items()}
    for facet, value in address.chosen:
        if facet == "country":
            called[facet, value] = countries.country_name(value)
    for each in facets:
        called |= {(each.name, choice.value): choice.label for choice in each.choices}
    return called


def _opened(connection: sqlite3.Connection) -> str:
    """When the log began, as a person writes a day."""
    entry = log.entry_at(connection, 0)
    return edtf.phrase(entry.recorded_at[:10]) if entry else ""


@contextlib.contextmanager
def selected(
    connection: sqlite3.Connection,
    point: AsOf,
    index: FacetIndex | None,
    address: Address,
) -> Iterator[Selection]:
    """The events that an address chooses, at that point, from the index where it knows them."""
    filters, text = address.filters, address.q or None
    if index and point.reported == NOW.reported:
        chosen = IndexedSelection(connection, index, filters, text, seq=point.seq)
        with contextlib.closing(chosen):
            yield chosen
    else:
        with tables_as_of(connection, point) as tables:
            yield Selection(tables, filters, text)


def _points(chosen: Selection) -> list[RowDict]:
    """The places on the map, each with what is known of one of its events."""
    points = chosen.points()
    known = {row["seq"]: row for row in chosen.map_rows(point["seq"] for point in points)}
    return [{**known[point["seq"]], **point} for point in points]


def _facet(chosen: Selection, address: Address, name: str) -> Facet:
    picked = {value for facet, value in address.chosen if facet == name}
    limit = None if address.all == name else max(_SHOWN, len(picked))
    rows, total = chosen.choices(FACETS[name], limit, picked)
    rows.sort(key=lambda row: str(row["value"]) not in picked)
    shown = rows[:limit]
    return Facet(
        name,
        [
            Choice(
                str(row["value"]),
                str(row["label"]).replace("_", " "),
                row["count"],
                str(row["value"]) in picked,
                address.toggled(name, str(row["value"])),
            )
            for row in shown
        ],
        total - len(shown),
        bool(picked) or address.all == name,
    )


# --- The list -----------------------------------------------------------------------------


def groups_of(
    connection: sqlite3.Connection, rows: Sequence[RowDict], chosen: Selection
) -> list[Group]:
    """The events of a page of a selection under the period in which they happened."""
    tables = chosen.tables
    labels = query.labels(tables)
    figures = _figures(tables, [row["event_id"] for row in rows])
    found = chosen.excerpts(rows)
    events = (
        {
            **row,
            "time": _time(row),
            "type_label": labels.get(row["event_type"], row["event_type"]),
            "where": prose.place_name(row["place"], row["country"]),
            "figures": figures.get(row["event_id"], []),
            "match": found.get(row["event_id"]),
            "risk": prose.at_risk(withdrawn_sources(tables, row["event_id"]))
            if row["at_risk"]
            else "",
            "erased": prose.erased(erasure_of(connection, row["seq"]), "What it said")
            if row["state"] == "erased"
            else "",
        }
        for row in rows
    )
    periods: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        periods.setdefault(_period(event), []).append(event)
    return [Group(period, members) for period, members in periods.items()]


def _period(row: Mapping[str, Any]) -> str:
    """The day of an event that has a time, else its date, as a person writes it."""
    if row["occurred"] is None:
        return ""
    is_time = row["occurred_precision"] in _CLOCK_TIMES
    return edtf.phrase(row["occurred_from"][:10] if is_time else row["occurred"])


def _time(row: Mapping[str, Any]) -> str:
    """The clock of an event that has one."""
    if row["occurred_precision"] not in _CLOCK_TIMES:
        return ""
    return edtf.phrase(row["occurred"]).rpartition(", ")[2]


def _figures(
    tables: sqlite3.Connection, event_ids: Sequence[str]
) -> dict[str, list[tuple[str, list[str]]]]:
    """The figures of events that compete: a measure with more than one, each in words."""
    marks = ", ".join("?" * len(event_ids))
    cursor = tables.execute(
        f"SELECT * FROM event_quantities WHERE event_id IN ({marks})"  # noqa: S608
        " ORDER BY event_id, measure, position",
        event_ids,
    )
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for (event_id, measure), members in groupby(
        as_dicts(cursor), key=lambda row: (row["event_id"], row["measure"])
    ):
        found.setdefault(event_id, []).append((measure, [_figure(row) for row in members]))
    return found


def _figure(row: RowDict) -> str:
    """ "35 (prosecutor)"."""
    numbers = {key: str(row[key]) for key in ("value", "low", "high") if row[key] is not None}
    by = f" ({row['reported_by']})" if row["reported_by"] else ""
    figure = {**numbers, "unit": row["unit"], "qualifier": row["qualifier"]}
    return f"{prose.amount(figure)}{by}"
