"""A publication is a checked copy of the file for readers, and is on record in both files.

Guarantees: a copy appears under its name only when it is whole and verified; it has one state of
the log. It is in journal mode DELETE, so that it can be read from a folder that nobody can write
to. A reader who has the previous copy open can go on reading that one. The log's own file and the
copy both record when the copy was made, its number of entries, its root, and the size of its
newest checkpoint. If none of the last three changed since the newest publication, no other one is
recorded.

Texts of sources are left out while the copy is made, so that no byte of them reaches it, unless
they are wanted. Attached files are in it, unless they are not wanted. The copy of a node is no
node, and the copy of a file that follows a log follows none. In the log's own file this module
writes one row of table `publications`, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from timeline.errors import Refused, Unfinished
from timeline.model import clock
from timeline.projection import tables
from timeline.proof import checkpoints, verify
from timeline.proof.checks.report import OnProgress
from timeline.proof.checks.schema import foreign_tables
from timeline.publish.row_copy import copy_rows
from timeline.store import atomic, log, node, schema, scrub, storage
from timeline.store.scratch_folder import scratch_folder


class Publication(NamedTuple):
    """A publication is a row of table `publications`, about a copy that was published."""

    published_at: str
    """The time in UTC when the copy was made, in ISO 8601 with microseconds."""
    size: int
    """The number of entries in the log."""
    root: bytes
    """The root of the tree over them, 32 bytes."""
    checkpoint_size: int | None
    """The number of entries that the newest checkpoint covers; None if nothing is signed."""


def publish(
    path: str | os.PathLike[str],
    target: Path,
    *,
    with_texts: bool = False,
    with_media: bool = True,
    now: Callable[[], datetime] = clock.now,
    progress: OnProgress = lambda part, count: None,
) -> Publication:
    """Put a checked copy of a timeline in the place of `target`, and record that.

    Raises StoreError for a file that cannot be read or written. Raises Refused if `target` is the
    timeline itself, or if `verify` finds something wrong; the message names the first finding.
    """
    if target.exists() and Path(path).exists() and target.samefile(path):
        raise Refused(f"{target} is the timeline itself: publish into another folder")
    with (
        scratch_folder(target.parent) as new,
        atomic.replaced(target, new / target.name) as copy,
    ):
        made = make_copy(
            path, copy, with_texts=with_texts, with_media=with_media, now=now, progress=progress
        )
        copy.chmod(0o644)
        atomic.sync_file(copy)
        record(path, made)
    atomic.sync_folder(target.parent)
    return made


def make_copy(
    path: str | os.PathLike[str],
    copy: Path,
    *,
    with_texts: bool = False,
    with_media: bool = True,
    now: Callable[[], datetime] = clock.now,
    progress: OnProgress = lambda part, count: None,
) -> Publication:
    """Make a checked copy of a timeline under a name that is free, and return what to record.

    Only its owner can read the copy. The log's own file is not changed: `record` does that. Raises
    StoreError for a file that cannot be read or written, and Refused, naming the first finding, if
    `verify` finds something wrong.
    """
    with storage.storage_errors(path), contextlib.closing(storage.connect(path)) as connection:
        tables.check(connection, os.fspath(path))
        tables.check_rules(connection, os.fspath(path))
        without = foreign_tables(connection)
        if seqs := scrub.pending(connection):
            raise Unfinished(
                os.fspath(path), f"scrub pending of {scrub.named(seqs)}; it was not published"
            )
    on_the_web = "place LIKE 'http://%' OR place LIKE 'https://%'"  # and in no folder of ours
    wanted = {"node": "FALSE", "follows": "FALSE", "sightings": on_the_web}
    if not with_texts:
        wanted["source_texts"] = "body IS NULL"
    if not with_media:
        wanted |= {"media_files": "erased_by IS NOT NULL", "media_bytes": "FALSE"}
    with storage.storage_errors(copy):
        try:
            copy_rows(connection.address, copy, wanted, without)
        except sqlite3.IntegrityError as error:
            raise _refusal(path, f"{error}") from error
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as new:
            made = _described(new, now)
            with storage.immediate(new):
                _put(new, made)
                node.leave(new)
                # Write in any case: SQLite counts the transactions that write, in the header.
                new.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
            new.execute("VACUUM")
    report = verify.verify(copy, progress=progress)
    if report.findings:
        what, where, expected, found = report.findings[0]
        raise _refusal(path, f"{what} {where}: expected {expected}, found {found}")
    return made


def _refusal(path: str | os.PathLike[str], finding: str) -> Refused:
    return Refused(
        f"{os.fspath(path)} does not hold, and was not published: {finding};"
        " timeline verify says more"
    )


def _described(connection: sqlite3.Connection, now: Callable[[], datetime]) -> Publication:
    """Describe a copy as a publication: the newest one again, if its log has the same state."""
    size = log.size(connection)
    root, signed = log.root_at(connection, size), checkpoints.newest(connection)
    made = Publication(clock.utc(now()), size, root, signed.size if signed else None)
    newest = connection.execute(
        "SELECT published_at, size, root, checkpoint_size FROM publications"
        " ORDER BY published_at DESC LIMIT 1"
    ).fetchone()
    return Publication(*newest) if newest and newest[1:] == made[1:] else made


def record(path: str | os.PathLike[str], made: Publication) -> None:
    """Record a publication in the log's own file, unless it is recorded there already."""
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
