"""Keep the mark of a mirror: a file that `import jsonl` keeps in step with a log elsewhere.

Guarantees: the mark says of which log, and since when. It is added by the transaction that takes
entries from there, and deleted by the transaction that makes the file another log.

Knows only table `mirror`; `intake.restore` adds the mark, and `writing.writer` heeds it.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Mirror(NamedTuple):
    """A mirror is the one row of table `mirror`."""

    origin: str
    """The permanent name of the log that is written elsewhere."""
    since: str
    """The time in UTC when this file took the first entry from there, in ISO 8601."""


def mirror_of(connection: sqlite3.Connection) -> Mirror | None:
    """Return of what this file is a mirror; None if it is a log of its own."""
    row = connection.execute("SELECT origin, since FROM mirror").fetchone()
    return Mirror._make(row) if row else None


def mark(connection: sqlite3.Connection, mirror: Mirror) -> None:
    """Mark a file as a mirror, unless it is marked already."""
    if mirror_of(connection) is None:
        connection.execute("INSERT INTO mirror VALUES (?, ?)", mirror)


def unmark(connection: sqlite3.Connection) -> None:
    """Make the file a log of its own."""
    connection.execute("DELETE FROM mirror")
