"""Append entries to the log, with the hashes of the tree over it.

Guarantees: an entry is written as it is, with the inner hashes that it completes, inside the
transaction of the caller; the triggers of the schema refuse everything else.

Only `timeline.writing` may import this module: it knows nothing of what entries mean.
"""

from __future__ import annotations

import sqlite3

from timeline.store import log, merkle
from timeline.store.codec import Entry


class Appender:
    """Appends entries to a log; make a new one for each transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.size = log.size(connection)
        """The number of entries in the log, which is the `seq` of the next one."""
        self._hashes = self.size - self.size.bit_count()
        self._ends = log.ends_at(connection, self.size)

    def append(self, *entries: Entry) -> None:
        """Insert entries whose `seq` continues the log.

        The time for one entry does not grow with the log.
        """
        hashes = [
            hashed
            for size, entry in enumerate(entries, self.size)
            for hashed in merkle.grow(self._ends, size, entry.leaf)
        ]
        self._connection.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", entries
        )
        self._connection.executemany(
            "INSERT INTO tree_hashes VALUES (?, ?)", enumerate(hashes, self._hashes)
        )
        self._hashes += len(hashes)
        self.size += len(entries)
