"""Find the actor of each participant, by its id or by one of its names.

Guarantees: the answer depends only on the entries so far. An alias makes two names one. If two
recorded actors have the same name, a participant with an id is that actor, and one without an id
is the actor that was recorded first. A merged actor is the one that it was merged into.

Part of the projection: works inside the projector's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from timeline.model.names import actor_id_of, fold
from timeline.store.codec import Entry


class Actors:
    """Keeps the tables `actors` and `actor_names`, and finds actors in them."""

    def __init__(
        self, connection: sqlite3.Connection, known: sqlite3.Connection | None = None
    ) -> None:
        self._connection = connection
        self._reader = known or connection
        """The connection on which actors are looked up; it differs where the tables hold few
        events."""
        self._known: dict[tuple[str | None, str], tuple[str, str]] = {}

    def actor_for(self, actor_id: str | None, name: str) -> tuple[str, str]:
        """Return id and name of a participant's actor: by id, by a known name, or a new one."""
        key = actor_id, name
        if key not in self._known:
            known = known_as(self._reader, *key)
            if known is None:
                known = actor_id or actor_id_of(name), name
                self._connection.execute(
                    "INSERT OR IGNORE INTO actors (actor_id, name) VALUES (?, ?)", known
                )
            self._known[key] = known
        return self._known[key]

    def fold(self, entry: Entry, payload: Mapping[str, Any]) -> set[str]:
        """Put the content of an actor's entry into the tables.

        Returns the ids of the actors whose events must be projected again, since their participants
        may be another actor from now on.
        """
        self._known.clear()
        actor_id = entry.subject_id
        touched = self._chain(actor_id)
        if entry.kind == "actor.merged":
            self._connection.execute(
                "UPDATE actors SET merged_into = ? WHERE actor_id = ?",
                (payload.get("into"), actor_id),
            )
        elif payload:
            self._put(entry, payload)
        # Events of a merged actor are listed under the actor that it was merged into.
        touched |= self._chain(actor_id)
        for name in self._names_of(actor_id):
            touched.add(actor_id_of(name))
            touched.update(
                other
                for (other,) in self._connection.execute(
                    "SELECT actor_id FROM actor_names WHERE name_key = ?", (name,)
                )
            )
        return touched

    def _put(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        names = [payload["name"], *payload.get("aliases", ())]
        self._connection.execute(
            "INSERT INTO actors (actor_id, name, aliases, country, wikidata, seq)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (actor_id) DO UPDATE SET"
            " name = excluded.name, aliases = excluded.aliases, country = excluded.country,"
            " wikidata = excluded.wikidata, seq = coalesce(seq, excluded.seq)",
            (
                entry.subject_id,
                names[0],
                "; ".join(names[1:]) or None,
                payload.get("country"),
                payload.get("wikidata"),
                entry.seq,
            ),
        )
        self._connection.execute("DELETE FROM actor_names WHERE actor_id = ?", (entry.subject_id,))
        self._connection.executemany(
            "INSERT OR IGNORE INTO actor_names VALUES (?, ?)",
            ((fold(name), entry.subject_id) for name in names),
        )

    def events_of(self, actor_ids: Iterable[str]) -> list[str]:
        """Return the ids of the events that these actors take part in."""
        return sorted(
            {
                event_id
                for actor_id in actor_ids
                for (event_id,) in self._connection.execute(
                    "SELECT event_id FROM event_actors WHERE actor_id = ?", (actor_id,)
                )
            }
        )

    def of_event(self, event_id: str) -> set[str]:
        """Return the ids of the actors of an event."""
        return {
            actor_id
            for (actor_id,) in self._connection.execute(
                "SELECT actor_id FROM event_actors WHERE event_id = ?", (event_id,)
            )
        }

    def forget_unnamed(self, actor_ids: set[str]) -> None:
        """Drop actors that no participant names any more and that were never recorded."""
        for actor_id in actor_ids:
            dropped = self._connection.execute(
                "DELETE FROM actors WHERE actor_id = ? AND seq IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM event_actors AS x WHERE x.actor_id = actors.actor_id)",
                (actor_id,),
            ).rowcount
            if dropped:
                self._known.clear()

    def _chain(self, actor_id: str) -> set[str]:
        """Return the ids of an actor and of those that its merges lead to."""
        return {
            step
            for (step,) in self._connection.execute(
                "WITH RECURSIVE chain (step) AS (SELECT ? UNION SELECT a.merged_into"
                " FROM chain JOIN actors AS a ON a.actor_id = chain.step"
                " WHERE a.merged_into IS NOT NULL) SELECT step FROM chain",
                (actor_id,),
            )
        }

    def _names_of(self, actor_id: str) -> set[str]:
        return {
            name
            for (name,) in self._connection.execute(
                "SELECT name_key FROM actor_names WHERE actor_id = ?", (actor_id,)
            )
        }


def known_as(
    connection: sqlite3.Connection, actor_id: str | None, name: str
) -> tuple[str, str] | None:
    """Return id and name of the actor with this id or, without an id, with this name; only reads.

    A merged actor is followed to the last actor in its chain of merges that exists. (The content of
    an actor may have been erased after others were merged into it.)
    """
    known = None
    row = _with_id(connection, actor_id) if actor_id else _named(connection, name)
    while row:
        known_id, known_name, next_id = row
        known = known_id, known_name
        row = _with_id(connection, next_id) if next_id else None
    return known


_Actor = tuple[str, str, str | None]
"""Id and name of an actor, and the id of the one that it was merged into."""


def _with_id(connection: sqlite3.Connection, actor_id: str) -> _Actor | None:
    row: _Actor | None = connection.execute(
        "SELECT actor_id, name, merged_into FROM actors WHERE actor_id = ?", (actor_id,)
    ).fetchone()
    return row


def _named(connection: sqlite3.Connection, name: str) -> _Actor | None:
    """Return the actor that was recorded first with this name, else the one that it names."""
    row: _Actor | None = connection.execute(
        "SELECT actor_id, name, merged_into FROM actors WHERE actor_id = coalesce("
        " (SELECT n.actor_id FROM actor_names AS n JOIN actors AS a USING (actor_id)"
        "  WHERE n.name_key = ? ORDER BY a.seq LIMIT 1), ?)",
        (fold(name), actor_id_of(name)),
    ).fetchone()
    return row
