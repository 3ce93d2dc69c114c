"""This module opens a timeline for a command that reads."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from timeline.projection import tables
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.store import storage


@contextlib.contextmanager
def opened(
    database: str, as_of: str | None = None, as_reported: str | None = None
) -> Iterator[tuple[sqlite3.Connection, AsOf]]:
    """Yield a connection that cannot write, and the point that --as-of and --as-reported name."""
    with contextlib.closing(storage.connect(database)) as connection:
        tables.check(connection, database)
        yield connection, parse_as_of(connection, as_of, as_reported)
