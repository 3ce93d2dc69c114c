"""Read what the page of one actor shows: events, offices with dates, actors in the same events.

Guarantees: names, aliases and merges are always today's; events are as of the moment that is asked
for. Only one page of events is read, however many there are. Reads on the connection it is given;
knows no request and no template.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from timeline.formats import prose
from timeline.formats.labels import country_name
from timeline.languages.translation import gettext
from timeline.reading import actors, deadline
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import EventPage, Selection
from timeline.site.views import axis
from timeline.site.views.address import Address
from timeline.site.views.browse import PAGE_SIZE
from timeline.site.views.event_list import groups_of
from timeline.store.codec import decode_payload
from timeline.store.rows import RowDict, as_dicts

_COMPANIONS = 20
"""The number of companions that a page lists."""
_NOWHERE = Address()


def actor_page(
    connection: sqlite3.Connection,
    actor_id: str,
    address: Address = _NOWHERE,
    index: FacetIndex | None = None,
) -> dict[str, Any]:
    """Return all that the page shows; `address` names the moment and the part of the list.

    For a merged actor there are no events: they are listed under the actor that it was merged into.
    Raises NotFound for an actor that nothing in the log named by that moment.
    """
    point = parse_as_of(connection, **address.moments)
    with _selected(connection, actor_id, point, index) as (actor, chosen):
        key, into = actor["actor_id"], actor["merged_into"]
        page = chosen.page(
            after=address.after or None, oldest_first=address.order == "oldest", size=PAGE_SIZE
        )
        companions, more = _companions(chosen, key)
        events, offices = chosen.count(), _offices(chosen, key)
        if into:
            page, events, companions, more, offices = EventPage([], None), 0, [], 0, []
        rows = _with_parts(chosen.tables, actor, page.rows)
        groups = groups_of(connection, rows, chosen)
        return {
            "subject": {**actor, "events": events},
            "country": country_name(actor["country"]) if actor["country"] else "",
            "into": actors.find(connection, into) if into else None,
            "why_merged": _why_merged(connection, key),
            "merged": actors.merged(connection, key),
            "address": address,
            "is_now": point.is_now,
            "axis": None if into else axis.axis_of(chosen, axis.FEW_BARS),
            "ends": [] if into else _ends(chosen, page, address),
            "rows": rows,
            "groups": groups,
            "after": page.after,
            "offices": offices,
            "companions": companions,
            "more_companions": more,
        }


@contextlib.contextmanager
def _selected(
    connection: sqlite3.Connection, actor_id: str, point: AsOf, index: FacetIndex | None
) -> Iterator[tuple[RowDict, Selection]]:
    """Yield an actor, and the selection of the actor's events, from the index if there is one."""
    if index:
        actor = _actor_then(connection, actor_id, point, index)
        filters = {"actor": actor["actor_id"]}
        with contextlib.closing(
            IndexedSelection(connection, index, filters, point=point)
        ) as chosen:
            yield actor, chosen
    else:
        with tables_as_of(connection, point) as tables:
            actor = actors.get(tables, actor_id)
            yield actor, Selection(tables, {"actor": actor["actor_id"]})


def _actor_then(
    connection: sqlite3.Connection, actor_id: str, point: AsOf, index: FacetIndex
) -> RowDict:
    """Return an actor of today, or else one that only the events of then name. Raises NotFound."""
    if found := actors.find(connection, actor_id):
        return found
    filters = {"actor": actor_id, "state": "all"}
    with contextlib.closing(IndexedSelection(connection, index, filters, point=point)) as chosen:
        for row in chosen.choices("actor", is_kept=True).rows:
            if row["value"] == actor_id:
                return actors.unrecorded(actor_id, row["label"])
    return actors.get(connection, actor_id)


def _why_merged(connection: sqlite3.Connection, actor_id: str) -> str | None:
    """Return the reason of an actor's newest merge; None if none was given or it was erased."""
    row = connection.execute(
        "SELECT payload FROM log WHERE subject = ? AND kind = 'actor.merged'"
        " ORDER BY version DESC LIMIT 1",
        (f"actor/{actor_id}",),
    ).fetchone()
    return decode_payload(row[0]).get("reason") if row and row[0] else None


def _ends(chosen: Selection, page: EventPage, address: Address) -> list[RowDict]:
    """Return the first and the last event of a list; only one if it has no other."""
    rows = page.rows if address.order == "oldest" else page.rows[::-1]
    if address.after or page.after:
        rows = [
            row
            for is_first in (True, False)
            for row in chosen.page(oldest_first=is_first, size=1).rows
        ]
    return [*{row["event_id"]: row for row in (*rows[:1], *rows[-1:])}.values()]


def _with_parts(
    tables: sqlite3.Connection, actor: RowDict, rows: Sequence[RowDict]
) -> list[RowDict]:
    """Return these events, each with the actor's parts in it, as rows (`taken`) and in words.

    The words are `parts`, in the order of `taken`.
    """
    cursor = tables.execute(
        "SELECT x.event_id, x.name, x.role, x.as_named, x.office, x.organisation"
        " FROM json_each(?) AS e CROSS JOIN event_actors AS x"
        " ON x.event_id = e.value AND x.actor_id = ?",
        (json.dumps([row["event_id"] for row in rows]), actor["actor_id"]),
    )
    taken: defaultdict[str, list[RowDict]] = defaultdict(list)
    for part in as_dicts(cursor):
        deadline.check()
        taken[part.pop("event_id")].append(part)
    return [
        {
            **row,
            "taken": taken[row["event_id"]],
            "parts": [_part(actor, part) for part in taken[row["event_id"]]],
        }
        for row in rows
    ]


def _part(actor: RowDict, part: Mapping[str, Any]) -> str:
    """Return one part in words, as in "host - President of Ukraine, written as Zelensky".

    It has the role, the office, and the name that the event uses if that is another one.
    """
    written = ""
    if part["name"] != actor["name"]:
        written = gettext("written as {name}").format(name=part["name"])
    return " - ".join(filter(None, (prose.role(part), prose.capacity(part), written)))


def _offices(chosen: Selection, actor_id: str) -> list[dict[str, Any]]:
    """Return the offices that are named with the actor, each with its first and last event."""
    named: defaultdict[tuple[str, str | None], list[RowDict]] = defaultdict(list)
    for row in chosen.offices(actor_id):
        named[row["office"], row["organisation"]].append(row)
    return [
        {
            "office": office,
            "organisation": organisation,
            "first": rows[0]["occurred"],
            "last": rows[-1]["occurred"],
            "events": len({row["event_id"] for row in rows}),
        }
        for (office, organisation), rows in named.items()
    ]


def _companions(chosen: Selection, actor_id: str) -> tuple[list[RowDict], int]:
    """Return the actors who are most often in the same events, and the number of all others.

    Each has the number of these events.
    """
    found = chosen.choices("actor", _COMPANIONS + 1, (actor_id,), is_kept=True)
    others = [row for row in found.rows if row["value"] != actor_id][:_COMPANIONS]
    companions = [
        {"actor_id": row["value"], "name": row["label"], "events": row["count"]} for row in others
    ]
    return companions, max(0, found.total - 1 - len(others))


# --- JSON ---------------------------------------------------------------------------------


def actor_json(
    connection: sqlite3.Connection,
    actor_id: str,
    address: Address = _NOWHERE,
    index: FacetIndex | None = None,
) -> dict[str, Any]:
    """Return the page of an actor as JSON; `after` is the parameter for the next page of events."""
    shown = actor_page(connection, actor_id, address, index)
    return {
        **shown["subject"],
        "merged": [row["actor_id"] for row in shown["merged"]],
        "offices": shown["offices"],
        "companions": shown["companions"],
        "more_companions": shown["more_companions"],
        "participations": [
            {
                **{field: row[field] for field in ("event_id", "title", "occurred")},
                "parts": row["taken"],
            }
            for row in shown["rows"]
        ],
        "after": shown["after"],
    }
