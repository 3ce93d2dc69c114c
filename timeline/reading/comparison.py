"""Comparing two moments: this tells how one event, or every event, changed between them.

Guarantees: a comparison has what differs between two versions of an event and nothing else,
with every entry between them and its reason. Nothing here writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from timeline.errors import NotFound
from timeline.projection.differences import differences
from timeline.reading import deadline, query
from timeline.reading.as_of import VERSION_AT, parse_as_of
from timeline.store.rows import RowDict, as_dicts

_ENTRY_COLUMNS = "version, kind, seq, recorded_at, reported_at, author, reason"


def compare(
    connection: sqlite3.Connection, event_id: str, before: int | None, after: int | None
) -> RowDict:
    """Compare two versions of an event; None means a time when the event was not there.

    `before` and `after` have version and state, `changes` the differences field by field
    (RFC 6901), `entries` what was recorded between the two, oldest first. Raises NotFound for a
    version that the event does not have.
    """
    old, old_content = _side(connection, event_id, before)
    new, new_content = _side(connection, event_id, after)
    first, last = sorted((before or 0, after or 0))
    entries = connection.execute(
        f"SELECT {_ENTRY_COLUMNS} FROM event_versions"  # noqa: S608
        " WHERE event_id = ? AND version > ? AND version <= ? ORDER BY version",
        (event_id, first, last),
    )
    return {
        "event_id": event_id,
        "title": (new_content or old_content or {}).get("title"),
        "before": old,
        "after": new,
        "changes": [
            change._asdict() for change in differences(old_content or {}, new_content or {})
        ],
        "entries": list(as_dicts(entries)),
    }


def _side(
    connection: sqlite3.Connection, event_id: str, version: int | None
) -> tuple[RowDict | None, RowDict | None]:
    """Return version and state of an event, and its content then; None if that was erased."""
    if version is None:
        return None, None
    row = connection.execute(
        "SELECT state, content_seq FROM event_versions WHERE event_id = ? AND version = ?",
        (event_id, version),
    ).fetchone()
    if row is None:
        raise NotFound("event", f"{event_id}@{version}")
    return {"version": version, "state": row[0]}, query.content(connection, row[1])


def changes(
    connection: sqlite3.Connection, start: object, end: object = None, *, reported: bool = False
) -> Iterator[RowDict]:
    """Yield the comparison of every event that has another version at `end` than at `start`.

    The two are moments of the recorded clock, or with `reported` of the reported one; `end` is
    now if it is None. Events come in the order in which they occurred, as known today. Raises
    InvalidInput, NotFound for what is no moment of this log.
    """
    clock_name = "as_reported" if reported else "as_of"
    points = [parse_as_of(connection, **{clock_name: moment}) for moment in (start, end)]
    differing = connection.execute(
        f"SELECT event_id, old, new FROM (SELECT e.event_id, e.occurred_from,"  # noqa: S608
        f" {VERSION_AT} AS old, {VERSION_AT} AS new FROM events AS e)"
        " WHERE old IS NOT new ORDER BY occurred_from, event_id",
        (*points[0], *points[1]),
    ).fetchall()
    for event_id, before, after in differing:
        deadline.check()
        yield compare(connection, event_id, before, after)
