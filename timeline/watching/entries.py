"""Find the next entry that a watch delivers, and make what its receiver gets.

Guarantees: an entry is read in a transaction of its own, which has ended before it is delivered. An
entry whose content was erased is never delivered.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any, NamedTuple

from timeline.errors import Replaced
from timeline.formats import prose
from timeline.projection import tables
from timeline.reading.selection import Selection
from timeline.store import log, storage
from timeline.store.rows import as_dicts
from timeline.watching.cursor import LogPosition
from timeline.watching.delivery import Delivery

_AT_ONCE = 500
"""Entries that are compared with the filters together."""

_BEGINNING = LogPosition(-1, "")

_VERSIONS = """
SELECT v.event_id, v.version, v.kind, v.state, v.recorded_at, v.reported_at, v.author, v.reason,
       l.seq, l.leaf, l.payload IS NULL AS is_erased, e.title
  FROM log AS l
  CROSS JOIN event_versions AS v
    ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq
  JOIN events AS e ON e.event_id = v.event_id
"""


class NextEntry(NamedTuple):
    """A search for the next entry has its number, if there is one, and where the search ended."""

    entry: int | None
    end: LogPosition
    """The position of the entry that was found, else of the newest entry of the log."""
    erased: int
    """The number of erased entries on the way."""


@contextlib.contextmanager
def opened(path: str | PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Yield a connection that sees one state of a timeline."""
    with contextlib.closing(storage.connect(path)) as connection:
        tables.check(connection, str(path))
        connection.execute("BEGIN")
        yield connection


def position_of(connection: sqlite3.Connection, entry: int | None = None) -> LogPosition:
    """Return the position of an entry, of the newest one by default."""
    found = log.newest(connection) if entry is None else log.entry_at(connection, entry)
    return LogPosition(found.seq, found.leaf.hex()) if found else _BEGINNING


def check(connection: sqlite3.Connection, path: str, done: LogPosition) -> None:
    """Raise Replaced if a log does not have the entry that a watch dealt with last."""
    if done.entry >= 0 and position_of(connection, done.entry) != done:
        raise Replaced(
            path,
            f"has no entry {done.entry} such as this watch dealt with last, so an older copy or"
            " another log took its place: to begin anew, give --cursor the name of a new file",
        )


def following(
    connection: sqlite3.Connection, filters: Mapping[str, Any], done: LogPosition
) -> NextEntry:
    """Find the next entry about an event that the filters choose, as the event is now.

    Events in every state are chosen unless the filters name one. Raises InvalidInput for a filter
    that cannot be read.
    """
    if all(filters.get(name) is None for name in ("state", "not_state")):
        filters = {**filters, "state": "all"}
    chosen = Selection(connection, filters)
    rows = as_dicts(
        connection.execute(f"{_VERSIONS} WHERE l.seq > ? ORDER BY l.seq", (done.entry,))
    )
    erased = 0
    while some := [row for _, row in zip(range(_AT_ONCE), rows, strict=False)]:
        wanted = chosen.among({row["event_id"] for row in some})
        for row in some:
            if row["is_erased"]:
                erased += 1
            elif row["event_id"] in wanted:
                return NextEntry(row["seq"], LogPosition(row["seq"], row["leaf"].hex()), erased)
    return NextEntry(None, position_of(connection), erased)


def delivery_of(connection: sqlite3.Connection, entry: int, site: str = "") -> Delivery | None:
    """Return an entry as its receiver gets it; None if it was erased.

    `site` is the address of the site whose pages are named.
    """
    row = next(as_dicts(connection.execute(f"{_VERSIONS} WHERE l.seq = ?", (entry,))), None)
    if row is None or row["is_erased"]:
        return None
    changes = connection.execute(
        "SELECT path, old_value, new_value FROM field_changes"
        " WHERE event_id = ? AND version = ? ORDER BY position",
        (row["event_id"], row["version"]),
    )
    page = f"events/{row['event_id']}/{row['version']}"
    said = {
        "type": row["kind"],
        "timestamp": row["recorded_at"],
        "data": {
            "entry": entry,
            **{key: row[key] for key in ("event_id", "version", "state")},
            "title": prose.title(row),
            **{key: row[key] for key in ("reported_at", "author", "reason")},
            "changes": [*as_dicts(changes)],
            "address": f"{site}{page}" if site else None,
        },
    }
    return Delivery(
        entry,
        f"entry-{entry}-{row['leaf'].hex()[:16]}",
        json.dumps(said, ensure_ascii=False).encode(),
        row["event_id"],
        row["version"],
        row["kind"],
    )
