"""Keep the facet index of each large timeline of a Datasette, built when it is first needed.

Guarantees: an index that is returned has exactly the entries that the connection sees.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from timeline.reading import deadline
from timeline.reading.facet_index import SMALLEST, FacetIndex, current

T = TypeVar("T")

_indexes: WeakKeyDictionary[Any, dict[str, FacetIndex]] = WeakKeyDictionary()
_lock = Lock()


def index_of(datasette: Any, database: str, connection: sqlite3.Connection) -> FacetIndex | None:
    """Return the facet index as of what this connection sees; None for a small timeline.

    None too if the index that is kept is ahead of the connection.
    """
    few = connection.execute("SELECT 1 FROM events LIMIT 1 OFFSET ?", (SMALLEST - 1,)).fetchone()
    if few is None:
        return None
    with deadline.paused(connection), _lock:
        known = _indexes.setdefault(datasette, {})
        found = current(connection, known.get(database))
        if found:
            known[database] = found
        return found


def forget(datasette: Any, database: str) -> None:
    """Forget the index of a timeline whose file was replaced: it may be ahead of the new one."""
    with _lock:
        _indexes.get(datasette, {}).pop(database, None)


def at_one_moment(connection: sqlite3.Connection, read: Callable[[sqlite3.Connection], T]) -> T:
    """Return what `read` reads in one transaction of its own."""
    if connection.in_transaction:
        # Another user of this connection left it open: it would go on showing an old state.
        connection.rollback()
    connection.execute("BEGIN")
    try:
        return read(connection)
    finally:
        connection.execute("ROLLBACK")
