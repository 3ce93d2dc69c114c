"""Scrub a file: remove from its bytes the words that were erased from its rows.

Guarantees: an erasure is marked in table `scrub_pending` by the transaction that makes it, and the
mark is deleted only when no byte of the words is left in the file, its free pages or its
write-ahead log. A process that is killed in between leaves the mark; the next command that writes
finishes the work.

Knows what is marked, not what was erased.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from timeline.errors import StoreError, Unfinished
from timeline.store import storage
from timeline.store.open_files import holders

_PATIENCE = 5_000
"""The milliseconds to wait for readers of old pages, if the words are erased now."""

_BRIEFLY = 200
"""The milliseconds to wait for them, if an earlier erasure is to be finished on the way."""


def pending(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the entries whose erasure is not finished, in their order."""
    return [seq for (seq,) in connection.execute("SELECT seq FROM scrub_pending ORDER BY seq")]


def named(seqs: list[int]) -> str:
    """Return "#12, #14" for entries whose erasure is pending."""
    return ", ".join(f"#{seq}" for seq in seqs)


def scrub(connection: sqlite3.Connection, path: str, *, briefly: bool = False) -> None:
    """Finish every erasure that is pending; only what is in a row then remains in the file.

    It waits for readers of old pages, or only `briefly`. Raises Unfinished if that is not possible
    now; then the marks stay.
    """
    seqs = pending(connection)
    if not seqs:
        return
    with _unfinished(path), _waiting(connection, _BRIEFLY if briefly else _PATIENCE):
        # VACUUM writes the whole file into the write-ahead log. So look first whether a reader
        # would keep it there: then nothing is written, however often this is tried.
        _empty_log(connection, path)
        connection.execute("VACUUM")
        _empty_log(connection, path)
        with storage.immediate(connection):
            connection.executemany("DELETE FROM scrub_pending WHERE seq = ?", [(s,) for s in seqs])


def finish(connection: sqlite3.Connection, path: str) -> str | None:
    """Finish an erasure that an earlier command left pending, before this one writes.

    Returns what to tell the user: that it is finished now, or why not. Returns None if nothing was
    pending.
    """
    seqs = pending(connection)
    if not seqs:
        return None
    try:
        scrub(connection, path, briefly=True)
    except Unfinished as error:
        return str(error)
    return f"finished the erasure of entry {named(seqs)}: its words are out of the file now"


def _empty_log(connection: sqlite3.Connection, path: str) -> None:
    """Move the write-ahead log into the database and make it empty. Raises Unfinished."""
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        found = holders(path)
        who = f"; it is open in {', '.join(found)}" if found else ""
        raise Unfinished(path, f"another program is still reading or writing{who}")


@contextlib.contextmanager
def _unfinished(path: str) -> Iterator[None]:
    """Turn every error of the file into Unfinished."""
    try:
        with storage.storage_errors(path):
            yield
    except Unfinished:
        raise
    except StoreError as error:
        raise Unfinished(path, error.problem.partition(";")[0]) from error


@contextlib.contextmanager
def _waiting(connection: sqlite3.Connection, patience: int) -> Iterator[None]:
    """Let the connection wait for others for so many milliseconds."""
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {patience}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")
