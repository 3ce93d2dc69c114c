"""This module opens a timeline for a command: to read, to append, or to write no entry."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from timeline.api import Timeline
from timeline.cli import output
from timeline.projection import tables
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.store import scrub, storage


@contextlib.contextmanager
def opened(
    database: str, as_of: str | None = None, as_reported: str | None = None
) -> Iterator[tuple[sqlite3.Connection, AsOf]]:
    """Yield a connection that cannot write, and the point that --as-of and --as-reported name."""
    with contextlib.closing(storage.connect(database)) as connection:
        tables.check(connection, database)
        if connection.note:
            output.echo_note(connection.note)
        yield connection, parse_as_of(connection, as_of, as_reported)


def opened_to_append(database: str) -> Timeline:
    """Open a timeline for a command that appends; what it looks up before is read after this.

    A node of a cluster first reads what other sites wrote.
    """
    with contextlib.ExitStack() as stack:
        timeline = stack.enter_context(Timeline.open(database))
        timeline.catch_up()
        stack.pop_all()
    return timeline


@contextlib.contextmanager
def writing(database: str) -> Iterator[sqlite3.Connection]:
    """Yield a connection that can write, after it finished an erasure that was pending."""
    with (
        storage.storage_errors(database),
        contextlib.closing(storage.connect(database, write=True)) as connection,
    ):
        if note := scrub.finish(connection, database):
            output.echo_note(note)
        yield connection
