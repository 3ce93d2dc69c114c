"""Read what the script of a static site draws with: entries of the list, and pieces of the page.

Guarantees: the templates of the live pages draw them, so what the script shows has their markup.
A piece has everything that it may ever show, and the script takes out what an address leaves out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from timeline.reading.as_of import NOW
from timeline.reading.facet_index import FacetIndex
from timeline.reading.filters import MATCHED
from timeline.site.views.address import FACETS, Address
from timeline.site.views.axis import Axis, AxisLine, Bar, Edge, Shade
from timeline.site.views.browse import browse, selected
from timeline.site.views.event_classes import CLASSES
from timeline.site.views.event_list import Group, events_of
from timeline.site.views.panel import OPEN, Chip, Choice, Facet, title_of
from timeline.site.views.time_units import Tick
from timeline.store import log

ReadPart = Callable[[sqlite3.Connection, Address, FacetIndex | None], dict[str, Any]]

ROWS = 500
"""Events whose entries are in one part: 40 to 60 kB, compressed."""
_SAMPLE = 777
"""A number that stands where the script writes another one."""
_MORE = "more"
"""The name of a facet that is none, whose piece says how many values are not shown."""
_CHIPS = (*FACETS, "period", "place", "area", "measure", "q")


def index(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return where pages find the index: in a folder named by the number of entries in the log.

    Hosts may let browsers keep its files for ever.
    """
    return {"index": f"search/{log.size(connection)}", "index_rows": ROWS}


def entries(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None
) -> dict[str, Any]:
    """Return events in whatever state, newest first, each in a group of its own."""
    everything = Address((("state", "all"),), after=address.after)
    with selected(connection, NOW, index, everything) as chosen:
        page = chosen.page(after=address.after or None, size=ROWS)
        events = events_of(connection, page.rows, chosen)
        groups = [Group(each.pop("head"), each.pop("weekday"), False, [each]) for each in events]
        return {"address": everything, "groups": groups, "after": page.after}


def live(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None
) -> dict[str, Any]:
    """Return two states of the page: one of everything, and one with all that narrows it."""
    whole = {**browse(connection, address, index), "groups": [], "wrong": {}, "given": {}}
    narrowed = {
        "address": Address(q="q", order="oldest", after="~", all=_MORE),
        "groups": [Group("", "", is_also, []) for is_also in (True, False)],
        "chips": [Chip(name, "", "", name in FACETS, "") for name in _CHIPS],
        "next": "?",
        "facets": [*(_facet(name, title_of(name)) for name in FACETS), _facet(_MORE, "")],
        "axis": whole["axis"] and _axis(whole["axis"]),
        "lined": whole["axis"] and _axis(whole["axis"])._replace(lines=_LINES),
    }
    return {**whole, "narrowed": narrowed}


def _facet(name: str, title: str) -> Facet:
    choice = Choice("", "{}", _SAMPLE, False, False, None)
    return Facet(name, title, [choice], _SAMPLE, name in OPEN, name in MATCHED, "")


_LINES = [
    AxisLine("", "", "", "other", 0, 0, 0, end, end, is_rough=False) for end in ("open", "cut")
]
"""Lines of an axis with the two kinds of ends."""


def _axis(drawn: Axis) -> Axis:
    """Return an axis with one of each piece, over the strip of a drawn axis."""
    edge = Edge(_SAMPLE, "{}", "0001")
    return drawn._replace(
        unit="day",
        label="{}",
        is_chosen=True,
        bars=[
            Bar("0001", "0001", "{}", _SAMPLE + 1, [(each, 1) for each in CLASSES], ["{}"], 0, 0)
        ],
        scale=[_SAMPLE],
        ticks=[(0.0, Tick(0, "{}", "{}"))],
        lines=[],
        lanes=0,
        shades=[Shade("{}", _SAMPLE, 1, 0, 0)],
        others=_SAMPLE,
        before=edge,
        after=edge,
    )


PARTS: Mapping[str, ReadPart] = {"entries": entries, "live": live}
"""What reads each part, by the name of its template."""
