"""Reading actors: find one of them, those of a name, or list all with their number of events.

Guarantees: nothing here writes. Which actor a name means is always as of today; events are
those of the tables that are read, of now or of then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from timeline.errors import NotFound
from timeline.model import names
from timeline.projection.actors import known_as
from timeline.store.rows import RowDict, as_dicts

_ACTORS = (
    "SELECT a.actor_id, a.name, a.aliases, a.country, a.wikidata, a.merged_into, a.seq,"
    " (SELECT count(DISTINCT e.event_id) FROM event_actors AS x JOIN events AS e USING (event_id)"
    "   WHERE x.actor_id = a.actor_id AND e.state = 'current') AS events"
    " FROM actors AS a"
)


def listed(connection: sqlite3.Connection) -> Iterator[RowDict]:
    """Yield every actor: its fields and its number of events, the one with the most first.

    `aliases` is a list, `events` the number of current events. `seq` is the first entry about
    the actor, None for one that is only known from the participants of events.
    """
    return _actor_rows(connection, "ORDER BY events DESC, a.name COLLATE NOCASE, a.actor_id")


def merged(connection: sqlite3.Connection, actor_id: str) -> list[RowDict]:
    """Return the actors that were merged directly into this one."""
    return [*_actor_rows(connection, "WHERE a.merged_into = ? ORDER BY a.name", actor_id)]


def get(connection: sqlite3.Connection, actor_id: str) -> RowDict:
    """Return one actor, as `listed` yields it.

    An id that was made from a name leads to the actor who has that name today. Raises NotFound.
    """
    if found := find(connection, actor_id):
        return found
    for name_key, named_id in connection.execute("SELECT name_key, actor_id FROM actor_names"):
        if names.actor_id_of(name_key) == actor_id:
            return get(connection, named_id)
    raise NotFound("actor", actor_id)


def find(connection: sqlite3.Connection, actor_id: str) -> RowDict | None:
    """Return the actor with exactly this id, or None."""
    return next(_actor_rows(connection, "WHERE a.actor_id = ?", actor_id), None)


def unrecorded(actor_id: str, name: str) -> RowDict:
    """Return an actor that is only known from participants, as `listed` yields it."""
    nothing = dict.fromkeys(("country", "wikidata", "merged_into", "seq"))
    return {"actor_id": actor_id, "name": name, "aliases": [], **nothing, "events": 0}


def _actor_rows(connection: sqlite3.Connection, rest: str, *values: str) -> Iterator[RowDict]:
    for row in as_dicts(connection.execute(f"{_ACTORS} {rest}", values)):
        row["aliases"] = row["aliases"].split("; ") if row["aliases"] else []
        yield row


def named(connection: sqlite3.Connection, name: str) -> list[str]:
    """Return the ids of the actors with this name that were not merged into others.

    If all of them were merged, return all.
    """
    key = names.fold(name)
    called = dict(
        connection.execute(
            "SELECT actor_id, merged_into FROM actor_names JOIN actors USING (actor_id)"
            " WHERE name_key = ? ORDER BY actor_id",
            (key,),
        )
    )
    by_participants = connection.execute("SELECT actor_id, name FROM actors WHERE seq IS NULL")
    called |= {actor_id: None for actor_id, other in by_participants if names.fold(other) == key}
    return [each for each, into in called.items() if into is None] or [*called]


def namesake(connection: sqlite3.Connection, actor: RowDict) -> RowDict | None:
    """Return the unrecorded actor that bears the name of `actor`, if it is another one.

    The first entry about `actor` would take over its events. None if the other actor is
    recorded: it then keeps its events.
    """
    found = holder(connection, actor["name"])
    is_other = found and found["seq"] is None and found["actor_id"] != actor["actor_id"]
    return found if is_other else None


def holder(connection: sqlite3.Connection, name: str) -> RowDict | None:
    """Return the actor that participants with this name and no id are, or None."""
    known = known_as(connection, None, name)
    return get(connection, known[0]) if known else None
