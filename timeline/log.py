"""The log: append entries, read them back, find a moment in it.

Guarantees: `append` writes entries as they are or not at all, inside the transaction of
its caller; the triggers of the schema refuse everything else. Reading never writes.

Knows nothing of what entries mean, but for those in which the log describes itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from timeline.codec import Entry, decode_content

__all__ = ["append", "entry_at", "entry_by_id", "info", "newest", "position_at", "read"]

_COLUMNS = (
    "seq, id, kind, subject, version, recorded_at, reported_at, envelope, payload, salt, leaf"
)


def append(connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Insert entries whose `seq` continues the log."""
    connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", entries)


def read(connection: sqlite3.Connection, after: int = -1) -> Iterator[Entry]:
    """The entries behind `after`, in their order, streamed."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM log WHERE seq > ? ORDER BY seq",  # noqa: S608
        (after,),
    )
    return map(Entry._make, rows)


def newest(connection: sqlite3.Connection, subject: str | None = None) -> Entry | None:
    """The newest entry, of one subject or of all; None if there is none."""
    where, order = ("subject = ?", "version") if subject else ("? IS NULL", "seq")
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM log WHERE {where} ORDER BY {order} DESC LIMIT 1",  # noqa: S608
        (subject,),
    ).fetchone()
    return Entry._make(row) if row else None


def entry_at(connection: sqlite3.Connection, seq: int) -> Entry | None:
    """Entry number `seq`."""
    return _one(connection, "seq", seq)


def entry_by_id(connection: sqlite3.Connection, entry_id: str) -> Entry | None:
    """The entry with this id."""
    return _one(connection, "id", entry_id)


def _one(connection: sqlite3.Connection, column: str, value: int | str) -> Entry | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM log WHERE {column} = ?",  # noqa: S608
        (value,),
    ).fetchone()
    return Entry._make(row) if row else None


def position_at(connection: sqlite3.Connection, recorded_at: str) -> int:
    """The number of the last entry recorded at or before this UTC time; -1 if none."""
    (seq,) = connection.execute(
        "SELECT coalesce(max(seq), -1) FROM log WHERE recorded_at = "
        "(SELECT max(recorded_at) FROM log WHERE recorded_at <= ?)",
        (recorded_at,),
    ).fetchone()
    return int(seq)


def info(connection: sqlite3.Connection) -> dict[str, Any]:
    """What the log says about itself now (`LogInfo`); empty before its first entry."""
    entry = newest(connection, "log")
    return (decode_content(entry.payload) if entry else None) or {}
