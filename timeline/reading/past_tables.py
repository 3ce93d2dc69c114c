"""Tables of the past: this folds the tables of the projection as of any moment into memory.

Guarantees: nothing here writes to the file. The code that answers from today's tables also
answers from these, so that answers about the past and the present are made in the same way.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from timeline.projection import tables
from timeline.projection.projector import Projector
from timeline.reading import deadline
from timeline.reading.as_of import VERSION_AT, AsOf
from timeline.reading.sources import withdrawals
from timeline.store.codec import decode_content
from timeline.store.rows import RowDict, as_dicts


@contextlib.contextmanager
def tables_as_of(
    connection: sqlite3.Connection, as_of: AsOf, seqs: Iterable[int] | None = None
) -> Iterator[sqlite3.Connection]:
    """Yield the tables of the projection as they were then, in memory; for now `connection`.

    With `seqs` they hold only the events whose versions these entries made, and the sources
    that those cite. Names of actors, and what is known of sources, are always today's.
    """
    if as_of.is_now:
        yield connection
        return
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as past:
        deadline.join(past)
        _make_tables(past)
        past.execute("BEGIN")
        withdrawn = withdrawals(connection, as_of)
        past.execute("DELETE FROM projection_state")
        _copy(past, "projection_state", connection.execute("SELECT * FROM projection_state"))
        zone = tables.time_zone(past)
        if seqs is None:
            for table in ("event_types", "actors", "actor_names", "sources"):
                _copy(past, table, connection.execute(f"SELECT * FROM {table}"))  # noqa: S608
            projector = Projector(past, zone, withdrawn=withdrawn)
            found = _contents_as_of(connection, as_of)
        else:
            _copy(past, "event_types", connection.execute("SELECT * FROM event_types"))
            projector = Projector(past, zone, known=connection, withdrawn=withdrawn)
            found = _contents_in(connection, seqs)
        for standing, content in found:
            projector.put(standing, content)
        projector.flush()
        if seqs is not None:
            cited = past.execute("SELECT DISTINCT source_id FROM citations")
            sources = connection.execute(
                "SELECT * FROM sources WHERE source_id IN (SELECT value FROM json_each(?))",
                (json.dumps([source_id for (source_id,) in cited]),),
            )
            _copy(past, "sources", sources)
        past.execute("UPDATE sources SET state = 'current', withdrawn_reason = NULL")
        past.executemany(
            "UPDATE sources SET state = 'withdrawn', withdrawn_reason = ? WHERE source_id = ?",
            ((row["reason"], source_id) for source_id, row in withdrawn.items()),
        )
        past.execute("COMMIT")
        yield past


def _make_tables(past: sqlite3.Connection) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as empty:
        empty.deserialize(_empty_tables())
        empty.backup(past)


@cache
def _empty_tables() -> bytes:
    """Return a file of empty tables: it is copied more quickly than they are made."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        empty.execute("BEGIN")
        tables.create(empty, "UTC")
        empty.execute("COMMIT")
        return empty.serialize()


def _copy(past: sqlite3.Connection, table: str, rows: sqlite3.Cursor) -> None:
    marks = ", ".join("?" * len(rows.description))
    past.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608


_STANDING = (
    "SELECT v.event_id, v.state, v.merged_into, v.version, v.seq, v.recorded_at,"
    " v.reported_at, e.first_recorded_at, e.event_key, l.payload,"
    " (SELECT count(*) FROM event_versions AS c WHERE c.event_id = v.event_id"
    "   AND c.version <= v.version AND c.kind = 'event.corrected') AS corrections_count"
)
_Version = tuple[RowDict, dict[str, Any] | None]
"""A version of an event: its row, and its content (None if that was erased)."""


def _contents_in(connection: sqlite3.Connection, seqs: Iterable[int]) -> Iterator[_Version]:
    """Yield the versions of events that these entries made."""
    cursor = connection.execute(
        f"{_STANDING} FROM json_each(?) AS wanted"
        " CROSS JOIN entry_versions AS v ON v.seq = wanted.value"
        " CROSS JOIN events AS e ON e.event_id = v.event_id"
        " CROSS JOIN log AS l ON l.seq = v.content_seq",
        (json.dumps([*seqs]),),
    )
    return _with_contents(cursor)


def _contents_as_of(connection: sqlite3.Connection, as_of: AsOf) -> Iterator[_Version]:
    cursor = connection.execute(
        f"{_STANDING} FROM events AS e JOIN event_versions AS v ON v.event_id = e.event_id"
        f" AND v.version = {VERSION_AT}"
        " JOIN log AS l ON l.seq = v.content_seq",
        as_of,
    )
    return _with_contents(cursor)


def _with_contents(cursor: sqlite3.Cursor) -> Iterator[_Version]:
    for row in as_dicts(cursor):
        payload = row.pop("payload")
        yield row, decode_content(payload)
