"""Reading actors: one of them, those of a name, and all with the events they take part in.

Guarantees: nothing here writes. Who is who is always as of today; events are those of the
tables that are read, of now or of then.
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
    """Every actor, with the most events first: what is said of it, and how many events it has.

    `aliases` is a list, `events` the number of current ones. `seq` is the first entry about
    it, None for an actor that is known by participants alone.
    """
    return _rows(connection, "ORDER BY events DESC, a.name COLLATE NOCASE, a.actor_id")


def merged(connection: sqlite3.Connection, actor_id: str) -> list[RowDict]:
    """The actors that were merged into this one, not by way of another."""
    return [*_rows(connection, "WHERE a.merged_into = ? ORDER BY a.name", actor_id)]


def get(connection: sqlite3.Connection, actor_id: str) -> RowDict:
    """One actor as in `listed`.

    The id that participants had by a name leads to the actor whose name that has become.
    Raises NotFound.
    """
    if found := find(connection, actor_id):
        return found
    for name_key, named_id in connection.execute("SELECT name_key, actor_id FROM actor_names"):
        if names.actor_id_of(name_key) == actor_id:
            return get(connection, named_id)
    raise NotFound("actor", actor_id)


def find(connection: sqlite3.Connection, actor_id: str) -> RowDict | None:
    """The actor with this very id."""
    return next(_rows(connection, "WHERE a.actor_id = ?", actor_id), None)


def _rows(connection: sqlite3.Connection, rest: str, *values: str) -> Iterator[RowDict]:
    for row in as_dicts(connection.execute(f"{_ACTORS} {rest}", values)):
        row["aliases"] = row["aliases"].split("; ") if row["aliases"] else []
        yield row


def named(connection: sqlite3.Connection, name: str) -> list[str]:
    """The ids of the actors that have this name, without those that were merged into others.

    If they all were, all of them.
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
    """Who participants without an id are by the name of an actor, if they are another one.

    None if that is recorded: an entry about `actor` leaves them who they are. Without one the
    first entry about an actor takes all of its name that have no id.
    """
    found = holder(connection, actor["name"])
    is_other = found and found["seq"] is None and found["actor_id"] != actor["actor_id"]
    return found if is_other else None


def holder(connection: sqlite3.Connection, name: str) -> RowDict | None:
    """Who participants of a name are, if they have no id; None if nobody is."""
    known = known_as(connection, None, name)
    return get(connection, known[0]) if known else None
