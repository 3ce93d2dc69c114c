"""Read what the page of one actor shows: events, offices with dates, actors in the same events.

Guarantees: names, aliases and merges are always today's; events are as of the moment that is asked
for. Only one page of events is read, however many there are. Reads on the connection it is given;
knows no request and no template.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from timeline.formats import prose
from timeline.model import countries
from timeline.reading import actors
from timeline.reading.as_of import parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import EventPage, Selection
from timeline.site.views.address import Address
from timeline.site.views.browse import PAGE_SIZE, groups_of
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
    with tables_as_of(connection, point) as tables:
        actor = actors.get(tables, actor_id)
        key = actor["actor_id"]
        chosen = (
            IndexedSelection(tables, index, {"actor": key})
            if index and point.is_now
            else Selection(tables, {"actor": key})
        )
        ends = {
            row["event_id"]: row
            for is_first in (True, False)
            for row in chosen.page(oldest_first=is_first, size=1).rows
        }
        page = chosen.page(
            after=address.after or None, oldest_first=address.order == "oldest", size=PAGE_SIZE
        )
        if actor["merged_into"]:
            page, ends = EventPage([], None), {}
        rows = _with_parts(tables, actor, page.rows)
        companions = _companions(tables, key)
        return {
            "subject": actor,
            "country": countries.country_name(actor["country"]) if actor["country"] else "",
            "into": actors.find(tables, actor["merged_into"]) if actor["merged_into"] else None,
            "why_merged": _why_merged(connection, key),
            "merged": actors.merged(tables, key),
            "address": address,
            "is_now": point.is_now,
            "ends": [*ends.values()],
            "rows": rows,
            "groups": groups_of(connection, rows, chosen),
            "after": page.after,
            "offices": _offices(tables, key),
            "companions": companions[:_COMPANIONS],
            "more_companions": len(companions[_COMPANIONS:]),
        }


def _why_merged(connection: sqlite3.Connection, actor_id: str) -> str | None:
    """Return the reason of an actor's newest merge; None if none was given or it was erased."""
    row = connection.execute(
        "SELECT payload FROM log WHERE subject = ? AND kind = 'actor.merged'"
        " ORDER BY version DESC LIMIT 1",
        (f"actor/{actor_id}",),
    ).fetchone()
    return decode_payload(row[0]).get("reason") if row and row[0] else None


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
    written = f"written as {part['name']}" if part["name"] != actor["name"] else ""
    return " - ".join(filter(None, (part["role"], prose.capacity(part), written)))


def _offices(tables: sqlite3.Connection, actor_id: str) -> list[dict[str, Any]]:
    """Return the offices that are named with the actor, each with its first and last event."""
    cursor = tables.execute(
        "SELECT x.office, x.organisation, e.event_id, e.occurred"
        " FROM event_actors AS x JOIN events AS e USING (event_id)"
        " WHERE x.actor_id = ? AND x.office IS NOT NULL AND e.state = 'current'"
        " ORDER BY e.occurred_from, e.event_id",
        (actor_id,),
    )
    named: defaultdict[tuple[str, str | None], list[RowDict]] = defaultdict(list)
    for row in as_dicts(cursor):
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


def _companions(tables: sqlite3.Connection, actor_id: str) -> list[RowDict]:
    """Return the other actors in the same events, each with the number of these, highest first."""
    cursor = tables.execute(
        "SELECT y.actor_id, a.name, count(DISTINCT y.event_id) AS events"
        " FROM event_actors AS x JOIN events AS e USING (event_id)"
        " JOIN event_actors AS y USING (event_id) JOIN actors AS a ON a.actor_id = y.actor_id"
        " WHERE x.actor_id = :id AND y.actor_id <> :id AND e.state = 'current'"
        " GROUP BY y.actor_id ORDER BY 3 DESC, 2, 1",
        {"id": actor_id},
    )
    return [*as_dicts(cursor)]


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
