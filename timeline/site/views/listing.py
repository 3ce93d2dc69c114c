"""Read what the pages of all actors, sources, tags, event types, countries and months show.

Guarantees: the number of events beside each is that of the filters, at the moment that is asked
for; names, offices and publishers are always today's. Only one page of the list is read in full.
Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats import prose
from timeline.formats.labels import country_name
from timeline.formats.local_dates import month_name
from timeline.languages.translation import gettext
from timeline.model import hints
from timeline.reading import offices
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.listings import ListedValue, Listing, ValuePage
from timeline.reading.sources import sources_by_id
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.site.views.event_classes import EventClass, class_of
from timeline.site.views.panel import label_of
from timeline.site.views.value_pages import path_of
from timeline.store.rows import RowDict, as_dicts

PAGE_SIZE = 100
"""The number of values on a page; 100 actors of the demonstration take 60 kB of HTML."""

PARAMETERS = ("q", "order", "after", "as_of", "as_reported")
"""The parameters that the page of a list knows."""

_MOST_NAMES = 5
"""The number of other names that are shown of an actor."""

FACETS = {
    "actors": "actor",
    "sources": "source",
    "tags": "tag",
    "types": "event_type",
    "countries": "country",
}
"""The facet of each list, by the path of its page."""

_IDS = {"tags": "tag", "types": "type", "countries": "country"}
"""The parameter that chooses a value, by the path of the list; the JSON calls a value so."""


class ListRow(NamedTuple):
    """A row of a list has a value with what is known of it, and the address of its events."""

    value: ListedValue
    path: str
    """The path of its page."""
    details: RowDict
    facts: list[str]
    """What is known of it, in words."""
    events_address: Address | None
    """The address of its events; None if its page lists just these."""
    mark: EventClass | None
    """The class of an event type."""


def listing_page(
    connection: sqlite3.Connection,
    kind: str,
    address: Address,
    index: FacetIndex | None = None,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """Return all that the page of a list shows; `kind` is a key of FACETS.

    Raises TimelineError for an address whose values cannot be read or name an unknown entry.
    """
    point = parse_as_of(connection, **address.moments)
    page = _page(connection, FACETS[kind], address, point, index, size)
    match kind:
        case "actors":
            known = _actors(connection, page.values, index)
        case "sources":
            known = _sources(connection, page.values, point)
        case _:
            known = _plain(connection, kind, page.values)
    moment = address.everything_then
    return {
        "kind": kind,
        "facet": FACETS[kind],
        "address": address,
        "is_now": point.is_now,
        "rows": [
            ListRow(
                value._replace(label=label_of(_IDS[kind], value.value, value.label))
                if kind in ("types", "countries")
                else value,
                path_of(_IDS[kind], value.value) if kind in _IDS else f"/{kind}/{value.value}",
                details,
                [fact for fact in facts if fact],
                None if kind in _IDS else moment._replace(chosen=((FACETS[kind], value.value),)),
                class_of(value.value) if kind == "types" else None,
            )
            for value, (details, facts) in zip(page.values, known, strict=True)
        ],
        "found": page.found,
        "total": page.total,
        "after": page.after,
    }


def listing_json(
    connection: sqlite3.Connection,
    kind: str,
    address: Address,
    index: FacetIndex | None = None,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """Return a page of a list as JSON; `after` is the parameter for the next page."""
    shown = listing_page(connection, kind, address, index, size)
    return {
        kind: [{**row.details, "events": row.value.events} for row in shown["rows"]],
        **{name: shown[name] for name in ("found", "total", "after")},
    }


def _page(
    connection: sqlite3.Connection,
    facet: str,
    address: Address,
    point: AsOf,
    index: FacetIndex | None,
    size: int,
) -> ValuePage:
    if address.order not in ("", "events", "name"):
        shown = hints.printable(address.order)
        raise InvalidInput("order", f'"{shown}" is none of events, name')
    moment = address.everything_then
    with selected(connection, point, index, moment) as chosen:
        return Listing(connection, chosen, index, point, facet).page(
            text=address.q, by_name=address.order == "name", after=address.after, size=size
        )


# --- Actors -------------------------------------------------------------------------------

_ACTORS = (
    "SELECT a.actor_id, a.name, a.aliases, a.country, a.wikidata"
    " FROM json_each(?) AS wanted CROSS JOIN actors AS a ON a.actor_id = wanted.value"
)
_MERGED = (
    "SELECT a.merged_into, a.name FROM actors AS a"
    " WHERE a.merged_into IN (SELECT value FROM json_each(?)) ORDER BY a.name"
)


def _actors(
    connection: sqlite3.Connection, values: Sequence[ListedValue], index: FacetIndex | None
) -> Iterator[tuple[RowDict, list[str]]]:
    """Yield what is known of each actor today, and the facts of its row."""
    ids = json.dumps([each.value for each in values])
    latest = offices.latest(connection, index, [each.value for each in values])
    known = {row["actor_id"]: row for row in as_dicts(connection.execute(_ACTORS, (ids,)))}
    merged: defaultdict[str, list[str]] = defaultdict(list)
    for into, name in connection.execute(_MERGED, (ids,)):
        merged[into].append(name)
    for value in values:
        row, named = known.get(value.value, {}), latest.get(value.value, {})
        aliases = row["aliases"].split("; ") if row.get("aliases") else []
        details: RowDict = {
            "actor_id": value.value,
            "name": value.label,
            "aliases": aliases,
            "merged": merged[value.value],
            "country": row.get("country") or named.get("country"),
            "office": named.get("office"),
            "organisation": named.get("organisation"),
            "wikidata": row.get("wikidata"),
        }
        others = [*dict.fromkeys((*aliases, *merged[value.value]))]
        others = [name for name in others if name != value.label][:_MOST_NAMES]
        also = gettext("also {names}").format(names=", ".join(others)) if others else ""
        office = prose.office_of(details["office"], details["organisation"]) or ""
        country = country_name(details["country"]) if details["country"] else ""
        yield details, [office, country if country != value.label else "", also]


# --- Sources ------------------------------------------------------------------------------

_OF_SOURCES = ("publisher", "published", "language", "url", "state", "withdrawn_reason")


def _sources(
    connection: sqlite3.Connection, values: Sequence[ListedValue], point: AsOf
) -> Iterator[tuple[RowDict, list[str]]]:
    """Yield what is known of each source, and the facts of its row.

    It is what is known today, but for whether the source was withdrawn.
    """
    known = sources_by_id(connection, (each.value for each in values), point)
    for value in values:
        row = known[value.value]
        has_text = row["text_sha256"] is not None
        details = {
            "source_id": value.value,
            "title": value.label,
            **{name: row[name] for name in _OF_SOURCES},
            "has_text": has_text,
        }
        published = prose.date(row["published"]) if row["published"] else ""
        captured = gettext("text captured") if has_text else ""
        yield details, [row["publisher"], published, captured]


# --- Tags, event types, countries ---------------------------------------------------------


def _plain(
    connection: sqlite3.Connection, kind: str, values: Sequence[ListedValue]
) -> Iterator[tuple[RowDict, list[str]]]:
    """Yield each value with its label, and what the vocabulary says of an event type."""
    said: dict[str, str] = {}
    if kind == "types":
        said = dict(connection.execute("SELECT code, coalesce(definition, '') FROM event_types"))
    for value in values:
        details: RowDict = {_IDS[kind]: value.value, "label": value.label}
        yield details, [said.get(value.value, "")]


# --- Months -------------------------------------------------------------------------------


class ListedMonth(NamedTuple):
    """A month of a year, with the number of events that may have been in it."""

    name: str
    path: str
    events: int


def months_page(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None = None
) -> dict[str, Any]:
    """Return the months in which an event is known to lie, by year, the newest year first.

    Their numbers are those of the filter by period: of all events that may have been then.
    """
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        counted = chosen.spans().months()
    months = sorted({each.first for each in counted if each.first and each.first == each.last})
    begun = _up_to(months, ((each.first or "", each.events) for each in counted))
    ended = _up_to(months, ((each.last, each.events) for each in counted if each.last), before=True)
    years: defaultdict[str, list[ListedMonth]] = defaultdict(list)
    for month, since, until in zip(months, begun, ended, strict=True):
        if path := path_of("month", month):
            name = month_name(int(month[5:7]))
            years[month[:4]].append(ListedMonth(name, path, since - until))
    return {
        "kind": "months",
        "address": address,
        "is_now": point.is_now,
        "years": [*years.items()][::-1],
    }


def _up_to(
    months: Sequence[str], counted: Iterable[tuple[str, int]], *, before: bool = False
) -> Iterator[int]:
    """Yield the number of events with a bound up to each month, or before it."""
    bounds = sorted(counted)
    sums = [0, *accumulate(events for _, events in bounds)]
    keys = [bound for bound, _ in bounds]
    for month in months:
        yield sums[(bisect_left if before else bisect_right)(keys, month)]
