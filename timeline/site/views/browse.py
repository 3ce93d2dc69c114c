"""Read what the browse page shows: a selection as facets, bars, circles on a map, and a list.

Guarantees: every number is exact, and counts exactly the selection, as of the moment, that the
address names. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.model import countries, edtf, log_clock
from timeline.reading import deadline, query
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.reading.sources import withdrawn_sources
from timeline.site.views import histogram, worldmap
from timeline.site.views.address import FACETS, NOT, Address
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

PAGE_SIZE = 50
"""The number of events on a page."""
_SHOWN = 8
"""The number of values that a facet shows until a reader asks for all."""
_MOST = 1_000
"""The largest number of values that a facet shows; they take 270 kB of a page."""
_CLOCK_TIMES = ("second", "minute", "hour")
"""The precisions of dates that have a time of day."""
_ISO_DAY = re.compile("[0-9]{4}-")


class Choice(NamedTuple):
    """A value of a facet, with the query string (`link`) that chooses it or takes it back."""

    value: str
    label: str
    events: int
    is_chosen: bool
    link: str


class Facet(NamedTuple):
    """A facet with its values, the chosen ones first; `hidden` is the number not shown."""

    name: str
    choices: list[Choice]
    hidden: int
    is_open: bool

    @property
    def offer(self) -> str:
        """Return the words that offer all values, or as many as a page shows."""
        total = len(self.choices) + self.hidden
        return f"All {total:,}" if total <= _MOST else f"The first {_MOST:,} of {total:,}"


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
            "source_languages": _source_languages(connection, facets),
            "period": _asked_period(address),
            "range": _asked_range(address),
            "histogram": bars,
            "ticks": histogram.ticks(bars.bars) if bars else [],
            "map": worldmap.map_of(chosen.points(), chosen.map_rows),
        }


_SPELT = (
    *("type", "country", "tag", "modality", "verification", "state"),
    *("at_risk", "highlight", "precision"),
)
"""The facets whose values may be written in several ways, such as a code or a label."""


def _as_stored(chosen: Selection, address: Address) -> Address:
    """Return the address with its values as the tables store them, such as "UKR" for "ua".

    They then match the values that the facets list.
    """
    stored = [
        (facet, str(chosen.parse_filter(FACETS[name], value) or value))
        if (name := facet.removesuffix(NOT)) in _SPELT
        else (facet, value)
        for facet, value in address.chosen
    ]
    return address._replace(chosen=tuple(dict.fromkeys(stored)))


def _asked_period(address: Address) -> str:
    """Return the period that is asked for, in words; an empty text if none is."""
    since, until = (edtf.phrase(each) if each else "" for each in (address.since, address.until))
    if since and until:
        return since if since == until else f"{since} to {until}"
    return f"from {since}" if since else f"to {until}" if until else ""


def _asked_range(address: Address) -> str:
    """Return the range of figures that is asked for, in words: "killed: 10 to 50"."""
    least, most = address.at_least, address.at_most
    numbers = f"{least} to {most}" if least and most else ""
    numbers = numbers or (f"at least {least}" if least else f"at most {most}" if most else "any")
    return f"{address.measure}: {numbers} {address.unit}".rstrip()


def _labels(
    tables: sqlite3.Connection, address: Address, facets: Sequence[Facet]
) -> dict[tuple[str, str], str]:
    """Return labels by facet and value.

    Event types and chosen countries have one even if no event has them.
    """
    called = {("at_risk", "1"): "at risk", ("at_risk", "0"): "not at risk"}
    called |= {("highlight", "1"): "highlight", ("highlight", "0"): "not a highlight"}
    called |= {("type", code): label for code, label in query.labels(tables).items()}
    for facet, value in address.chosen:
        if facet.removesuffix(NOT) == "country":
            called["country", value] = countries.country_name(value)
    for each in facets:
        called |= {(each.name, choice.value): choice.label for choice in each.choices}
    return called


def _source_languages(
    connection: sqlite3.Connection, facets: Sequence[Facet]
) -> dict[str, dict[str, str]]:
    """Return the language of each source that the facets list, by id, if it is known."""
    ids = [choice.value for facet in facets if facet.name == "source" for choice in facet.choices]
    rows = connection.execute(
        "SELECT source_id, language FROM sources"
        " WHERE language IS NOT NULL AND source_id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    return {source_id: {"language": language} for source_id, language in rows}


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


def _facet(chosen: Selection, address: Address, name: str) -> Facet:
    picked = {value for facet, value in address.chosen if facet == name}
    deadline.check()
    limit = max(_MOST if address.all == name else _SHOWN, len(picked))
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
