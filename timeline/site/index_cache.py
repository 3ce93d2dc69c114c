"""The facet indexes of a Datasette: one of each large timeline, made when first asked for.

Guarantees: what it hands out is of the moment that the connection sees.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from timeline.reading.facet_index import SMALLEST, FacetIndex, current

T = TypeVar("T")

_indexes: WeakKeyDictionary[Any, dict[str, FacetIndex]] = WeakKeyDictionary()
_lock = Lock()


def index_of(datasette: Any, database: str, connection: sqlite3.Connection) -> FacetIndex | None:
    """The facet index of a large timeline, brought up to what this connection sees."""
    few = connection.execute("SELECT 1 FROM events LIMIT 1 OFFSET ?", (SMALLEST - 1,)).fetchone()
    if few is None:
        return None
    with _lock:
        known = _indexes.setdefault(datasette, {})
        found = current(connection, known.get(database))
        if found:
            known[database] = found
        return found


def at_one_moment(connection: sqlite3.Connection, read: Callable[[sqlite3.Connection], T]) -> T:
    """What is read in one transaction."""
    if connection.in_transaction:
        # Whoever left it open shares the connection: it would show the past for ever.
        connection.rollback()
    connection.execute("BEGIN")
    try:
        return read(connection)
    finally:
        connection.execute("ROLLBACK")
