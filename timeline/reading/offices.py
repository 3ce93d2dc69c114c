"""Reading offices: this finds those that the events of a selection name with an actor.

Guarantees: nothing here writes. An office is as the events name it, now or as of any moment; which
participants are the actor is always today's.
"""

from __future__ import annotations

import json
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


_LATEST = 20
"""Events of an actor, the last recorded ones, that are read to say what the actor is now."""

_PARTS = "SELECT x.actor_id, x.office, x.organisation, x.country"
_IN_EVENTS = (
    f"{_PARTS} FROM json_each(?) AS wanted"
    " CROSS JOIN events AS e ON e.seq = wanted.value ->> 1"
    " CROSS JOIN event_actors AS x ON x.event_id = e.event_id AND x.actor_id = wanted.value ->> 0"
    " ORDER BY e.seq, x.position"
)
_RANKED = (
    f"{_PARTS} FROM (SELECT x.*, e.seq, dense_rank() OVER"  # noqa: S608
    "   (PARTITION BY x.actor_id ORDER BY e.seq DESC) AS place"
    "   FROM event_actors AS x JOIN events AS e USING (event_id)"
    "   WHERE x.actor_id IN (SELECT value FROM json_each(?)) AND e.state = 'current') AS x"
    f" WHERE place <= {_LATEST} ORDER BY seq, position"
)


def latest(
    connection: sqlite3.Connection, index: FacetIndex | None, actor_ids: Sequence[str]
) -> dict[str, RowDict]:
    """Return the office, with its organisation, and the country that events last named, by actor.

    Only the current events that were recorded last are read of each actor, as many for an actor
    of a million events as for one of twenty.
    """
    if index is None:
        rows = connection.execute(_RANKED, (json.dumps([*actor_ids]),))
    else:
        current = index.alive() & index.having("state", "current")
        pairs = [
            (actor_id, seq)
            for actor_id in actor_ids
            for seq in (index.having("actor", actor_id) & current)[-_LATEST:]
        ]
        rows = connection.execute(_IN_EVENTS, (json.dumps(pairs),))
    found: dict[str, RowDict] = {}
    for actor_id, office, organisation, country in rows:
        row = found.setdefault(actor_id, {"office": None, "organisation": None, "country": None})
        if office:
            row |= {"office": office, "organisation": organisation}
        row["country"] = country or row["country"]
    return found


def _in_order(rows: Iterable[RowDict]) -> list[RowDict]:
    return sorted(
        rows, key=lambda row: (row["occurred_from"] or "", row["event_id"], row["position"])
    )
