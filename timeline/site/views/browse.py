"""Read what the browse page shows: a selection as facets, bars, circles on a map, and a list.

Guarantees: every number is exact, and counts exactly the selection, as of the moment, that the
address names. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.model import edtf, log_clock
from timeline.reading import deadline, query
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.reading.sources import withdrawn_sources
from timeline.site.views import histogram, worldmap
from timeline.site.views.address import Address
from timeline.site.views.panel import as_stored, panel
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

PAGE_SIZE = 50
"""The number of events on a page."""
_CLOCK_TIMES = ("second", "minute", "hour")
"""The precisions of dates that have a time of day."""
_ISO_DAY = re.compile("[0-9]{4}-")


class Group(NamedTuple):
    """A date in words, and the events of a page that have it."""

    period: str
    events: list[dict[str, Any]]


def browse(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None = None
) -> dict[str, Any]:
    """Return all that the page shows, from the index if there is one.

    Raises TimelineError for an address whose values cannot be read or name an unknown entry.
    """
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        page = chosen.page(
            after=address.after or None,
            oldest_first=address.order == "oldest",
            size=PAGE_SIZE,
        )
        address = as_stored(chosen, address)
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
            **panel(connection, chosen, address),
            "histogram": bars,
            "ticks": histogram.ticks(bars.bars) if bars else [],
            "map": worldmap.map_of(chosen.points(), chosen.map_rows),
        }


def _opened(connection: sqlite3.Connection) -> str:
    """Return the day on which the log began, in words; an empty text for an empty log."""
    entry = log.entry_at(connection, 0)
    return edtf.phrase(entry.recorded_at[:10]) if entry else ""


@contextlib.contextmanager
def selected(
    connection: sqlite3.Connection,
    point: AsOf,
    index: FacetIndex | None,
    address: Address,
) -> Iterator[Selection]:
    """Yield the selection that an address chooses as of a point, from the index if there is one."""
    filters, text = address.filters, address.q or None
    if index:
        chosen = IndexedSelection(connection, index, filters, text, point=point)
        with contextlib.closing(chosen):
            yield chosen
    else:
        with tables_as_of(connection, point) as tables:
            yield Selection(tables, filters, text)


# --- The list -----------------------------------------------------------------------------


def groups_of(
    connection: sqlite3.Connection, rows: Sequence[RowDict], chosen: Selection
) -> list[Group]:
    """Return the events of a page of a selection, grouped by their dates in words."""
    tables = chosen.tables
    labels = query.labels(tables)
    language = str(log.info(connection).get("language", "en"))
    figures = _figures(tables, [row["event_id"] for row in rows], language)
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
        deadline.check()
        periods.setdefault(_period(event), []).append(event)
    return [Group(period, members) for period, members in periods.items()]


def _period(row: Mapping[str, Any]) -> str:
    """Return the day of an event that has a time, otherwise its date, in words."""
    if row["occurred"] is None:
        return ""
    is_time = row["occurred_precision"] in _CLOCK_TIMES and _ISO_DAY.match(row["occurred_from"])
    return edtf.phrase(row["occurred_from"][:10]) if is_time else prose.when(row)


def _time(row: Mapping[str, Any]) -> str:
    """Return the time of day of an event, in words; an empty text if it has none.

    It is by the clock of the log. If the event was written by another one, that follows.
    """
    if row["occurred_precision"] not in _CLOCK_TIMES:
        return ""
    day, _, written = edtf.phrase(row["occurred"]).rpartition(", ")
    here = log_clock.local(row["occurred"], row["occurred_from"], row["occurred_to"])
    if here is None:
        return written
    day_here, _, time_here = edtf.phrase(here).rpartition(", ")
    return f"{time_here} ({written if day == day_here else f'{day}, {written}'})"


def _figures(
    tables: sqlite3.Connection, event_ids: Sequence[str], language: str
) -> dict[str, list[tuple[str, list[str]]]]:
    """Return by event id each measure with its figures in words; several of one measure compete."""
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
        found.setdefault(event_id, []).append(
            (measure, [_figure(row, language) for row in members])
        )
    return found


def _figure(row: RowDict, language: str) -> str:
    """Return a figure in words, with who reported it if that is known: "35 (prosecutor)"."""
    numbers = {key: str(row[key]) for key in ("value", "low", "high") if row[key] is not None}
    by = f" ({row['reported_by']})" if row["reported_by"] else ""
    figure = {**numbers, **{key: row[key] for key in ("measure", "unit", "qualifier")}}
    return f"{prose.amount(figure, language)}{by}"
