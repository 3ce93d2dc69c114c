"""Read the log: its entries, the position of a moment in it, and the tree over it.

Guarantees: nothing here writes; `appender` does.

Knows nothing of what entries mean, except for those in which the log describes itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from timeline.errors import ProofError
from timeline.model import time_zones
from timeline.store import merkle
from timeline.store.codec import Entry, decode_content
from timeline.store.merkle import ReadHash

COLUMNS = "seq, id, kind, subject, version, recorded_at, reported_at, envelope, payload, salt, leaf"
"""The columns of table `log`, in the order of the fields of an `Entry`."""


def size(connection: sqlite3.Connection) -> int:
    """Return the number of entries in the log."""
    (count,) = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM log").fetchone()
    return int(count)


def read_hash(connection: sqlite3.Connection) -> ReadHash:
    """Return a function that reads the hashes of the tree for `merkle`, one row each."""

    def read(level: int, number: int) -> bytes:
        found = connection.execute(
            "SELECT hash FROM tree_hashes WHERE position = ?"
            if level
            else "SELECT leaf FROM log WHERE seq = ?",
            (_place(level, number),),
        ).fetchone()
        if found is None:
            raise ProofError(f"the tree lacks hash {number} of level {level}: run timeline verify")
        return bytes(found[0])

    return read


def hashes(connection: sqlite3.Connection, level: int, start: int, count: int) -> bytes:
    """Return `count` hashes of complete subtrees of one level, from number `start` on, in a row.

    Raises ProofError if the tree does not have all of them.
    """
    found = connection.execute(
        "SELECT hash FROM tree_hashes WHERE position IN (SELECT value FROM json_each(?))"
        " ORDER BY position"
        if level
        else "SELECT leaf FROM log WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
        (json.dumps([_place(level, start + each) for each in range(count)]),),
    ).fetchall()
    if len(found) < count:
        raise ProofError(f"the tree lacks a hash of level {level}: run timeline verify")
    return b"".join(hashed for (hashed,) in found)


def _place(level: int, number: int) -> int:
    """Return the number of the row of a hash: in `log` for level 0, else in `tree_hashes`."""
    return merkle.position(level, number) if level else number


def ends_at(connection: sqlite3.Connection, size: int) -> list[bytes]:
    """Return the hashes of the `merkle.peaks` of the tree over the first `size` entries."""
    peaks = merkle.peaks(size)
    positions = [merkle.position(level, number) for level, number in peaks if level]
    inner = [
        hashed
        for (hashed,) in connection.execute(
            "SELECT hash FROM tree_hashes WHERE position IN (SELECT value FROM json_each(?))"
            " ORDER BY position",
            (json.dumps(positions),),
        )
    ]
    if len(inner) < len(positions):
        raise ProofError(f"the tree over {size} entries lacks a hash: run timeline verify")
    last = [read_hash(connection)(*peak) for peak in peaks if not peak[0]]
    return inner + last


def root_at(connection: sqlite3.Connection, size: int) -> bytes:
    """Return the root over the first `size` entries."""
    return merkle.root_of(ends_at(connection, size))


def read(connection: sqlite3.Connection, after: int = -1) -> Iterator[Entry]:
    """Stream the entries after number `after`, in their order."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM log WHERE seq > ? ORDER BY seq",  # noqa: S608
        (after,),
    )
    return map(Entry._make, rows)


def read_some(connection: sqlite3.Connection, seqs: Sequence[int]) -> Iterator[Entry]:
    """Stream the entries of these numbers, in the order of the log."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM log WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",  # noqa: S608
        (json.dumps([*seqs]),),
    )
    return map(Entry._make, rows)


def newest(connection: sqlite3.Connection, subject: str | None = None) -> Entry | None:
    """Return the newest entry, of one subject or of the whole log; None if there is none."""
    where, order = ("subject = ?", "version") if subject else ("? IS NULL", "seq")
    row = connection.execute(
        f"SELECT {COLUMNS} FROM log WHERE {where} ORDER BY {order} DESC LIMIT 1",  # noqa: S608
        (subject,),
    ).fetchone()
    return Entry._make(row) if row else None


def entry_at(connection: sqlite3.Connection, seq: int) -> Entry | None:
    """Return entry number `seq`; None if there is none."""
    return _one(connection, "seq", seq)


def entry_by_id(connection: sqlite3.Connection, entry_id: str) -> Entry | None:
    """Return the entry with this id; None if there is none."""
    return _one(connection, "id", entry_id)


def _one(connection: sqlite3.Connection, column: str, value: int | str) -> Entry | None:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM log WHERE {column} = ?",  # noqa: S608
        (value,),
    ).fetchone()
    return Entry._make(row) if row else None


def position_at(connection: sqlite3.Connection, recorded_at: str) -> int:
    """Return the number of the last entry recorded at or before this UTC time; -1 if none was."""
    (seq,) = connection.execute(
        "SELECT coalesce(max(seq), -1) FROM log WHERE recorded_at = "
        "(SELECT max(recorded_at) FROM log WHERE recorded_at <= ?)",
        (recorded_at,),
    ).fetchone()
    return int(seq)


def info(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what the log says about itself now (`LogInfo`); empty before its first entry.

    Its newest entry about itself is never erased; while an export is restored, it may be missing.
    """
    (payload,) = connection.execute(
        "SELECT payload FROM log WHERE subject = 'log' AND payload IS NOT NULL"
        " ORDER BY version DESC LIMIT 1"
    ).fetchone() or (None,)
    return decode_content(payload) or {}


def time_zone(connection: sqlite3.Connection) -> str:
    """Return the time zone of the log now, or UTC if this version of `tzdata` lacks that zone."""
    return time_zones.known(str(info(connection).get("time_zone", "UTC")))
