"""Bring a file of an older schema up to the schema that this package writes.

Guarantees: a copy of the file is made beside it before anything is changed. A log that does not
hold is not touched. The log is only read, and the result is verified, with its tables. A file that
is up to date is not changed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from timeline.errors import ProjectionOutdated, Refused, TooOld
from timeline.projection import tables
from timeline.proof import verify
from timeline.proof.checks.entries import check_entries
from timeline.proof.checks.report import Report
from timeline.store import atomic, schema, scrub, storage
from timeline.store.scratch_folder import scratch_folder


class Migrated(NamedTuple):
    """Says what was done to a file."""

    copy: Path
    """The file as it was before."""
    entries: int
    schema_version: int


def migrate(
    path: str | os.PathLike[str], *, progress: Callable[[int], object] = lambda count: None
) -> Migrated | None:
    """Bring a file up to this package's schema and tables; return None if it is there already.

    An erasure that is pending is finished, too. Raises StoreError for a file that cannot be read or
    written, Unfinished for an erasure that cannot be finished now, and Refused for a log that does
    not hold, before or after.
    """
    name = os.fspath(path)
    with (
        storage.storage_errors(path),
        contextlib.closing(storage.connect(path, write=True, older=True)) as connection,
    ):
        if not _needs_it(connection, name):
            scrub.scrub(connection, name)
            return None
        report = Report()
        check_entries(connection, report, (), lambda part, count: None)
        if report.findings:
            what, where, *_ = report.findings[0]
            raise Refused(
                f"{name} does not hold ({what} {where}): run timeline verify; not touched"
            )
        copy = _copied(connection, Path(path))
        schema.migrate(connection)
        entries = tables.rebuild(connection, progress)
        scrub.scrub(connection, name)
    if findings := verify.verify(path).findings:
        what, where, *_ = findings[0]
        raise Refused(
            f"{name} does not hold any more ({what} {where}): put {copy}, as it was before, back"
        )
    return Migrated(copy, entries, schema.SCHEMA_VERSION)


def _needs_it(connection: sqlite3.Connection, path: str) -> bool:
    try:
        schema.check(connection, path)
        tables.check(connection, path)
    except (ProjectionOutdated, TooOld):
        return True
    return False


def _copied(connection: sqlite3.Connection, path: Path) -> Path:
    """Make a whole copy of a file beside it, with its permissions, and return its name."""
    with scratch_folder(path.parent) as new:
        building = new / path.name
        connection.execute("VACUUM INTO ?", (os.fspath(building),))
        building.chmod(stat.S_IMODE(path.stat().st_mode))
        atomic.sync_file(building)
        copy = atomic.free_name(path, "before-migration")
        building.replace(copy)
    atomic.sync_folder(path.parent)
    return copy
