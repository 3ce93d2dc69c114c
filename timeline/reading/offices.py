"""Reading offices: this finds those that the events of a selection name with an actor.

Guarantees: nothing here writes. An office is as the events name it, now or as of any moment; which
participants are the actor is always today's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pyroaring import BitMap

from timeline.model.log_clock import occurred_in
from timeline.reading.facet_index import FacetIndex, contents
from timeline.store.rows import RowDict, as_dicts

_NAMED = (
    "SELECT x.office, x.organisation, e.event_id, e.occurred, e.occurred_from, e.seq, x.position"
    " FROM event_actors AS x JOIN events AS e USING (event_id)"
    " WHERE x.actor_id = ? AND x.office IS NOT NULL AND {}"
)


def in_tables(
    tables: sqlite3.Connection, actor_id: str, chosen: str, values: Sequence[Any]
) -> list[RowDict]:
    """Return a row for each office that an event in these tables names with an actor.

    Each has office, organisation, event_id and occurred; they are in the order of the events.
    `chosen` is a condition on events AS e, with its values.
    """
    return _in_order(as_dicts(tables.execute(_NAMED.format(chosen), (actor_id, *values))))


def in_versions(
    connection: sqlite3.Connection, index: FacetIndex, actor_id: str, seqs: BitMap
) -> list[RowDict]:
    """Return what `in_tables` returns, for these versions of events.

    Today's tables have those that are still the newest of their events; the log has the others.
    """
    of_today = as_dicts(connection.execute(_NAMED.format("1"), (actor_id,)))
    superseded = seqs - index.alive()
    return _in_order(
        [
            *(row for row in of_today if row["seq"] in seqs),
            *_in_contents(connection, index, actor_id, superseded),
        ]
    )


def _in_contents(
    connection: sqlite3.Connection, index: FacetIndex, actor_id: str, seqs: BitMap
) -> Iterator[RowDict]:
    for seq, event_id, content in contents(connection, seqs):
        said = content or {}
        for position, each in enumerate(said.get("participants", ())):
            named = index.actor_ids[each.get("actor_id"), each["name"]]
            if named == actor_id and "office" in each:
                when = occurred_in(said["occurred"], index.time_zone)
                yield {
                    "office": each["office"],
                    "organisation": each.get("organisation"),
                    "event_id": event_id,
                    "occurred": said["occurred"],
                    "occurred_from": when.occurred_from,
                    "seq": seq,
                    "position": position,
                }


def _in_order(rows: Iterable[RowDict]) -> list[RowDict]:
    return sorted(
        rows, key=lambda row: (row["occurred_from"] or "", row["event_id"], row["position"])
    )
