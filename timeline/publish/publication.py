"""A copy of the file for readers: checked, whole, and on record.

Guarantees: what appears under the name of a copy is all of one state of the log, verified, in
journal mode DELETE, so that it can be read from a folder that nobody writes in; whoever reads
the copy before it goes on reading that. The log's own file remembers when a copy was made, of
how many entries, under which root and checkpoint; the copy says so of itself. A state of the
log that was published is not put on record again.

Texts of sources are left out, to the last byte, unless they are wanted. Writes one row of the
log's file, and nothing else in it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from timeline.errors import Refused
from timeline.model import clock
from timeline.projection import tables
from timeline.proof import checkpoints, verify
from timeline.proof.checks.report import OnProgress
from timeline.publish.scratch_folder import scratch_folder
from timeline.store import atomic, log, storage


class Publication(NamedTuple):
    """A copy that was published: a row of table `publications`."""

    published_at: str
    """UTC, ISO 8601, microseconds."""
    size: int
    """Entries."""
    root: bytes
    checkpoint_size: int | None
    """Entries under the newest checkpoint; None if nothing is signed."""


def publish(
    path: str | os.PathLike[str],
    target: Path,
    *,
    with_texts: bool = False,
    now: Callable[[], datetime] = clock.now,
    progress: OnProgress = lambda part, count: None,
) -> Publication:
    """Put a copy of a timeline in the place of `target`.

    Raises StoreError for a file that cannot be read or written, and Refused, naming the first
    finding, for one of which `verify` finds that it does not hold.
    """
    if target.exists() and Path(path).exists() and target.samefile(path):
        raise Refused(f"{target} is the timeline itself: publish into another folder")
    with (
        scratch_folder(target.parent) as new,
        atomic.replaced(target, new / target.name) as copy,
    ):
        made = make_copy(path, copy, with_texts=with_texts, now=now, progress=progress)
        atomic.sync_file(copy)
        record(path, made)
    atomic.sync_folder(target.parent)
    return made


def make_copy(
    path: str | os.PathLike[str],
    copy: Path,
    *,
    with_texts: bool = False,
    now: Callable[[], datetime] = clock.now,
    progress: OnProgress = lambda part, count: None,
) -> Publication:
    """Make a checked copy of a timeline under a name that is free; says what it is.

    Nothing is on record yet: `record` does that. Raises as `publish` does.
    """
    with storage.storage_errors(path), contextlib.closing(storage.connect(path)) as connection:
        tables.check(connection, os.fspath(path))
        with storage.storage_errors(copy):
            connection.execute("VACUUM INTO ?", (os.fspath(copy),))
    with (
        storage.storage_errors(copy),
        contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as new,
    ):
        new.execute("PRAGMA journal_mode = DELETE")
        made = _described(new, now)
        with storage.immediate(new):
            _put(new, made)
            if not with_texts:
                _leave_out_texts(new)
        new.execute("VACUUM")
    report = verify.verify(copy, progress=progress)
    if report.findings:
        what, where, expected, found = report.findings[0]
        raise Refused(
            f"{os.fspath(path)} does not hold, and was not published: {what} {where}: expected"
            f" {expected}, found {found}; timeline verify says more"
        )
    copy.chmod(0o644)
    return made


def _described(connection: sqlite3.Connection, now: Callable[[], datetime]) -> Publication:
    """What a file is as a publication: an earlier one, if nothing was added since."""
    size = log.size(connection)
    root, signed = log.root_at(connection, size), checkpoints.newest(connection)
    made = Publication(clock.utc(now()), size, root, signed.size if signed else None)
    newest = connection.execute(
        "SELECT published_at, size, root, checkpoint_size FROM publications"
        " ORDER BY published_at DESC LIMIT 1"
    ).fetchone()
    return Publication(*newest) if newest and newest[1:] == made[1:] else made


def record(path: str | os.PathLike[str], made: Publication) -> None:
    """Remember in the log's own file what was published; what is on record stays as it is."""
    with (
        storage.storage_errors(path),
        contextlib.closing(storage.connect(path, write=True)) as connection,
        storage.immediate(connection),
    ):
        _put(connection, made)


def _put(connection: sqlite3.Connection, made: Publication) -> None:
    connection.execute(
        "INSERT INTO publications SELECT ?1, ?2, ?3, ?4"
        " WHERE NOT EXISTS (SELECT 1 FROM publications WHERE published_at = ?1)",
        made,
    )


def _leave_out_texts(connection: sqlite3.Connection) -> None:
    """Delete the texts that are not erased. In the log's own file a trigger forbids it."""
    name = "source_texts_never_forget"
    (definition,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = ?", (name,)
    ).fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DELETE FROM source_texts WHERE body IS NOT NULL")
    connection.execute(definition)
