"""The projection: every table that derives from the log, made, checked and rebuilt.

Guarantees: a live append and a rebuild run the same code (`projector`) over the same entries
in the same order, so they leave the same values; tables of another version are never read.
Tables of others are left alone.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

from timeline import codec, log, schema, vocabulary
from timeline.errors import ProjectionOutdated, TooNew
from timeline.projector import Projector

__all__ = ["PROJECTION_VERSION", "check", "create", "rebuild", "tables"]

PROJECTION_VERSION = 1
"""Raised with every change of db/projection.sql or of what is put into its tables."""


def create(connection: sqlite3.Connection) -> None:
    """Make the empty tables, inside the transaction that is open."""
    schema.run_script(connection, _script())
    connection.execute(
        "INSERT INTO projection_state VALUES (?, ?)", (PROJECTION_VERSION, codec.VERSION)
    )
    connection.executemany(
        "INSERT INTO countries VALUES (?, ?)",
        ((country.alpha3, country.name) for country in vocabulary.countries()),
    )


def tables() -> dict[str, str]:
    """Our tables and views and what each is, in the order in which they are made."""
    made = re.findall(r"(?m)^CREATE (?:VIRTUAL )?(TABLE|VIEW) (\w+)", _script())
    return {name: kind for kind, name in made}


def _script() -> str:
    return (vocabulary.db_folder() / "projection.sql").read_text(encoding="utf-8")


def check(connection: sqlite3.Connection, path: str) -> None:
    """Raise TooNew or ProjectionOutdated unless this package reads the log and its tables."""
    if newest := log.newest(connection):
        codec.check_version(newest.seq, newest.envelope)
    try:
        row = connection.execute(
            "SELECT projection_version, entry_version FROM projection_state"
        ).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        row = None  # there is no such table
    if row and row[1] > codec.VERSION:
        raise TooNew(
            path, f"has entries of format {row[1]}; this Timeline reads up to {codec.VERSION}"
        )
    if not row or row[0] != PROJECTION_VERSION:
        raise ProjectionOutdated(path, "its tables are of another version: run timeline rebuild")


def rebuild(
    connection: sqlite3.Connection, progress: Callable[[int], object] = lambda count: None
) -> int:
    """Drop our tables and fold the whole log again, in one transaction.

    `progress` is called with the count of entries, which is returned.
    """
    count = 0
    with schema.immediate(connection):
        for name, kind in reversed(tables().items()):
            connection.execute(f"DROP {kind} IF EXISTS {name}")
        create(connection)
        projector = Projector(connection)
        for count, entry in enumerate(log.read(connection), 1):
            projector.apply(entry)
            progress(count)
        projector.flush()
    return count
