"""Keep what a checked copy of somebody else's log knows: whom it follows, and what was seen there.

Guarantees: a file follows one log at most, and its origin never changes. Every checkpoint that was
seen and held is kept as it was served, once, with the time and the place of the first time.

Knows tables `follows` and `sightings` only; `timeline.mirror` writes them, and `writing.writer`
heeds the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from timeline.errors import IsFollower


class Follows(NamedTuple):
    """The one row of table `follows`; all times are in UTC, in ISO 8601."""

    url: str
    """The address or the folder at which the log is published."""
    origin: str
    """The permanent name of the log."""
    policy: str
    """The keys of the log and the witnesses that are wanted, as a tlog-policy."""
    since: str
    """The time when this file first followed the log."""
    seen_at: str
    """The time when a checkpoint of the log was last seen and held."""
    problem: str | None = None
    """What was wrong the last time; None if nothing was."""
    problem_since: str | None = None
    """The time since when it has been wrong without a pause."""

    def told(self) -> dict[str, str | None]:
        """Return what the metadata of a published copy tells: nothing that may name a folder."""
        return {name: value for name, value in self._asdict().items() if name not in _ONLY_HERE}

    @classmethod
    def of_told(cls, metadata: Mapping[str, Any]) -> Self:
        """Return what `told` returned, without the fields that it left out."""
        return cls(**{**dict.fromkeys(_ONLY_HERE, ""), **metadata})


_ONLY_HERE = ("url", "policy")


class Sighting(NamedTuple):
    """A row of table `sightings`: a checkpoint that was seen, and held."""

    size: int
    root: bytes
    note: str
    seen_at: str
    place: str


def follows_of(connection: sqlite3.Connection) -> Follows | None:
    """Return whom this file follows; None if it is a log of its own."""
    row = connection.execute("SELECT * FROM follows").fetchone()
    return Follows._make(row) if row else None


def check_own(connection: sqlite3.Connection, path: str) -> None:
    """Raise IsFollower for a file that follows somebody else's log."""
    if kept := follows_of(connection):
        raise IsFollower(path, kept.origin)


def put(connection: sqlite3.Connection, follows: Follows) -> None:
    """Say whom this file follows, in the place of what was said before."""
    if follows_of(connection) is None:
        connection.execute("INSERT INTO follows VALUES (?, ?, ?, ?, ?, ?, ?)", follows)
        return
    connection.execute(
        "UPDATE follows SET (url, origin, policy, since, seen_at, problem, problem_since)"
        " = (?, ?, ?, ?, ?, ?, ?)",
        follows,
    )


def stop(connection: sqlite3.Connection) -> None:
    """Make the file a log of its own; what was seen stays."""
    connection.execute("DELETE FROM follows")


def see(connection: sqlite3.Connection, sighting: Sighting) -> None:
    """Keep a checkpoint as seen, unless it is kept already."""
    connection.execute(
        "INSERT INTO sightings SELECT ?1, ?2, ?3, ?4, ?5"
        " WHERE NOT EXISTS (SELECT 1 FROM sightings WHERE size = ?1 AND note = ?3)",
        sighting,
    )


def sightings(connection: sqlite3.Connection, limit: int = -1) -> list[Sighting]:
    """Return the checkpoints that were seen, the largest first; of one size, the oldest first."""
    rows = connection.execute(
        "SELECT size, root, note, seen_at, place FROM sightings"
        " ORDER BY size DESC, seen_at, note LIMIT ?",
        (limit,),
    )
    return [*map(Sighting._make, rows)]
