"""Read the log: its entries, the position of a moment in it, and the tree over it.

Guarantees: nothing here writes; `appender` does.

Knows nothing of what entries mean, but for those in which the log describes itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from timeline.errors import ProofError
from timeline.store import merkle
from timeline.store.codec import Entry, decode_content
from timeline.store.merkle import ReadHash

_COLUMNS = (
    "seq, id, kind, subject, version, recorded_at, reported_at, envelope, payload, salt, leaf"
)


def size(connection: sqlite3.Connection) -> int:
    """How many entries there are."""
    (count,) = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM log").fetchone()
    return int(count)


def read_hash(connection: sqlite3.Connection) -> ReadHash:
    """Where `merkle` finds the hashes of the tree over the log, one row each."""

    def read(level: int, number: int) -> bytes:
        found = connection.execute(
            "SELECT hash FROM tree_hashes WHERE position = ?"
            if level
            else "SELECT leaf FROM log WHERE seq = ?",
            (merkle.position(level, number) if level else number,),
        ).fetchone()
        if found is None:
            raise ProofError(f"the tree lacks hash {number} of level {level}: run timeline verify")
        return bytes(found[0])

    return read


def root_at(connection: sqlite3.Connection, size: int) -> bytes:
    """The root over the first `size` entries, from O(log size) stored hashes."""
    read = read_hash(connection)
    return merkle.root_of([read(*peak) for peak in merkle.peaks(size)])


def read(connection: sqlite3.Connection, after: int = -1) -> Iterator[Entry]:
    """The entries behind `after`, in their order, streamed."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM log WHERE seq > ? ORDER BY seq",  # noqa: S608
        (after,),
    )
    return map(Entry._make, rows)


def read_some(connection: sqlite3.Connection, seqs: Sequence[int]) -> Iterator[Entry]:
    """The entries of these numbers, in the order of the log."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM log WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",  # noqa: S608
        (json.dumps(seqs),),
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
