"""Read what the browse page shows: a selection as facets, bars, circles on a map, and a list.

Guarantees: every number is exact, and counts exactly the selection, as of the moment, that the
address names. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats import prose
from timeline.model import hints
from timeline.reading.as_of import NOW, AsOf, parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import EventPage, Selection
from timeline.site.views import axis, past, worldmap
from timeline.site.views.address import Address
from timeline.site.views.event_list import events_of, groups_of
from timeline.site.views.map_labels import language_of
from timeline.site.views.masthead import masthead
from timeline.site.views.panel import as_stored, panel
from timeline.store import log
from timeline.store.rows import RowDict

PAGE_SIZE = 50
"""The number of events on a page."""
_ON_A_CARD = 8
"""The number of events on the card of a place."""
_HIGHLIGHTS = 12
"""The number of highlights that a page shows: the newest, if there are more."""


def browse(
    connection: sqlite3.Connection,
    address: Address,
    index: FacetIndex | None = None,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """Return all that the page shows, from the index if there is one; `size` is that of the list.

    Raises TimelineError for an address whose values cannot be read or name an unknown entry.
    """
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        drawn, page = None, EventPage([], None)
        if is_map(address):
            drawn = drawn_map(connection, chosen, address)
        else:
            page = chosen.page(
                after=address.after or None,
                oldest_first=address.order == "oldest",
                size=size,
            )
        address = as_stored(chosen, address)
        everything = chosen.everything()
        return {
            "address": address,
            "opened": _opened(connection),
            "point": point,
            "is_before_opening": point.seq < 0,
            "count": chosen.count(),
            "total": everything.count(),
            "total_now": _total_now(connection, index) if not point.is_now else None,
            "corrected": everything.corrected(),
            "groups": groups_of(connection, page.rows, chosen),
            "highlights": _highlights(connection, chosen),
            "past": past.banner(connection, address, point),
            **masthead(connection, log.info(connection)),
            "next": page.after and address.query(after=page.after),
            **panel(connection, chosen, address),
            "axis": axis.axis_of(chosen),
            "map": drawn,
        }


def map_alone(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None
) -> dict[str, Any]:
    """Return only the map that the page shows. Raises TimelineError as `browse` does."""
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        drawn = drawn_map(connection, chosen, address)
        return {"address": address, "count": chosen.count(), "map": drawn}


def card(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None
) -> dict[str, Any]:
    """Return the first events that an address chooses. Raises TimelineError as `browse` does."""
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        page = chosen.page(oldest_first=address.order == "oldest", size=_ON_A_CARD)
        groups = groups_of(connection, page.rows, chosen)
        return {"address": address, "count": chosen.count(), "groups": groups, "next": page.after}


def events_at(
    connection: sqlite3.Connection, places: Sequence[worldmap.ListedPlace]
) -> dict[str, list[RowDict]]:
    """Return the newest events at each of these places, by the area of the place."""
    return {
        str(place.area): Selection(connection, {"area": str(place.area)}).page(size=PAGE_SIZE).rows
        for place in places
    }


def is_map(address: Address) -> bool:
    """Tell whether a page shows the map, not the list. Raises InvalidInput for another view."""
    if address.view not in ("", "list", "map"):
        raise InvalidInput("view", f'"{hints.printable(address.view)}" is none of list, map')
    return address.view == "map"


def drawn_map(
    connection: sqlite3.Connection, chosen: Selection, address: Address
) -> worldmap.WorldMap:
    """Return the map of a selection. Raises InvalidInput for a part of it that is none."""
    language = language_of(log.info(connection))
    try:
        return worldmap.map_of(chosen, address.area, address.box, language)
    except InvalidValue as error:
        raise InvalidInput("box", error.problem) from None


def _opened(connection: sqlite3.Connection) -> str:
    """Return the day on which the log began, in words; an empty text for an empty log."""
    entry = log.entry_at(connection, 0)
    return prose.date(entry.recorded_at[:10]) if entry else ""


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


def _highlights(connection: sqlite3.Connection, chosen: Selection) -> list[dict[str, Any]]:
    """Return the highlights of the story, whatever is chosen, in the order in which they occurred.

    They are as of the moment of the selection.
    """
    highlights = chosen.everything({"highlight": "yes"})
    rows = highlights.page(size=_HIGHLIGHTS).rows[::-1]
    return [*events_of(connection, rows, highlights)]


def _total_now(connection: sqlite3.Connection, index: FacetIndex | None) -> int:
    with selected(connection, NOW, index, Address()) as chosen:
        return chosen.count()
