"""Put a backup in the place of a timeline, and keep the file that was there beside it.

Guarantees: a backup that does not hold changes nothing. The timeline is not touched while another
program has it open. Readers find the old file or the whole new one. Nothing of the old file is
lost: what is in its write-ahead log is moved into it first.

The backup is only read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from timeline.errors import Busy, Damaged, NotATimeline, Refused
from timeline.projection import tables
from timeline.proof import verify
from timeline.proof.checks.report import OnProgress
from timeline.store import atomic, log, storage
from timeline.store.node import Node, node_of
from timeline.store.open_files import holders
from timeline.store.scratch_folder import scratch_folder

_LISTED = 20
"""The most entries that are listed one by one."""

_MAGIC = b"SQLite format 3\0"
"""The first bytes of every database of SQLite."""

_TEXTS = "SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL"


class Absent(NamedTuple):
    """An entry of the old file that is not in the backup."""

    seq: int
    kind: str
    subject: str
    recorded_at: str


class Compared(NamedTuple):
    """Says what the old file has and the backup lacks."""

    absent: int
    """The number of entries of the old file that are not in the backup."""
    first: list[Absent]
    """The first of these entries."""
    goes_on: bool
    """Whether the backup has other entries after those that both have."""
    revived: list[int]
    """The numbers of entries that were erased in the old file, and have content in the backup."""
    texts: int
    """The number of texts of sources that are in the old file only."""


class RestoredBackup(NamedTuple):
    """Says what `restore_backup` did."""

    size: int
    """The number of entries in the log now."""
    kept: Path | None
    """The old file; None if there was none."""
    compared: Compared | None
    """The comparison of both files; None if there was no old file, or it cannot be read."""
    old_node: Node | None
    """The node that the old file was; None if it was none, or cannot be read."""
    node: Node | None
    """The node that the file is now; None if it is none."""


def restore_backup(
    path: str | os.PathLike[str],
    backup: str | os.PathLike[str],
    *,
    progress: OnProgress = lambda part, count: None,
) -> RestoredBackup:
    """Put a verified copy of a backup in the place of the timeline at `path`.

    Raises Refused for a backup that does not hold, Busy while another program has the timeline
    open, and StoreError for a file that cannot be read or written.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and Path(backup).exists() and target.samefile(backup):
        raise Refused(f"{os.fspath(backup)} is the timeline itself: name a backup of it")
    if not target.parent.is_dir():
        raise NotATimeline(os.fspath(path), f"there is no folder {target.parent}")
    with scratch_folder(target.parent) as new:
        copy = new / target.name
        size = _checked_copy(backup, copy, progress)
        with storage.storage_errors(path), _alone(target, os.fspath(path)) as old:
            _take_over(copy, target if target.exists() else Path(backup))
            compared = _compare(old, copy) if old else None
            old_node = node_of(old) if old and compared else None
            kept = _put_in_place(copy, target)
    if kept and not Path(path).is_symlink():
        kept = Path(path).with_name(kept.name)  # as the user wrote it
    atomic.sync_folder(target.parent)
    if findings := verify.verify(path, progress=progress).findings:
        raise Refused(
            f"{os.fspath(path)} does not hold after it was restored: {_shown(findings[0])};"
            f" the old file is {kept}"
        )
    with contextlib.closing(storage.connect(path)) as connection:
        return RestoredBackup(size, kept, compared, old_node, node_of(connection))


def _checked_copy(backup: str | os.PathLike[str], copy: Path, progress: OnProgress) -> int:
    """Copy a backup, with what is in its write-ahead log, verify the copy, and return its size."""
    with storage.storage_errors(backup), contextlib.closing(storage.connect(backup)) as connection:
        tables.check(connection, os.fspath(backup))
        tables.check_rules(connection, os.fspath(backup))
        with storage.storage_errors(copy.parent.parent / copy.name):
            connection.execute("VACUUM INTO ?", (os.fspath(copy),))
    report = verify.verify(copy, progress=progress)
    if report.findings:
        raise Refused(
            f"{os.fspath(backup)} does not hold, and was not restored:"
            f" {_shown(report.findings[0])}; timeline verify says more"
        )
    atomic.sync_file(copy)
    return report.size


def _shown(finding: tuple[str, str, str, str]) -> str:
    what, where, expected, found = finding
    return f"{what} {where}: expected {expected}, found {found}"


@contextlib.contextmanager
def _alone(target: Path, name: str) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection beside which no other program can work; None without a timeline to read.

    What is in the write-ahead log of the old file is then in the file, and the files beside it are
    gone; beside a damaged file they stay. Raises Busy while another program has it open.
    """
    with contextlib.ExitStack() as stack:
        old = None
        if target.exists():
            with contextlib.suppress(Damaged):
                old = _exclusive(target, name, stack)
        if found := holders(target):
            raise Busy(name, f"is open in {', '.join(found)}: end that, then repeat")
        yield old


def _exclusive(target: Path, name: str, stack: contextlib.ExitStack) -> sqlite3.Connection:
    """Open the old file, for this process alone. Raises Damaged, Busy and other StoreErrors."""
    with target.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise Damaged(name, "is no database")
    with storage.storage_errors(name):
        connection = storage.connect(target, write=True, older=True)
        stack.callback(connection.close)
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            # SQLite refuses to leave the mode with a write-ahead log while others have it open.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            found = ", ".join(holders(target)) or "another program"
            raise Busy(name, f"is open in {found}: end that, then repeat") from None
        return connection


def _compare(old: sqlite3.Connection, copy: Path) -> Compared | None:
    """Compare the old file with the copy; return None if the old file is damaged."""
    try:
        with contextlib.closing(storage.connect(copy)) as new:
            return _compare_logs(old, new)
    except sqlite3.DatabaseError:
        return None


def _compare_logs(old: sqlite3.Connection, new: sqlite3.Connection) -> Compared:
    theirs = new.execute("SELECT leaf, payload IS NOT NULL FROM log ORDER BY seq")
    absent, first, revived, is_same = 0, [], [], True
    for *said, leaf, has_content in old.execute(
        "SELECT seq, kind, subject, recorded_at, leaf, payload IS NOT NULL FROM log ORDER BY seq"
    ):
        known = theirs.fetchone() if is_same else None
        is_same = known is not None and known[0] == leaf
        if not is_same:
            absent += 1
            first += [Absent(*said)] if absent <= _LISTED else []
        elif known and known[1] and not has_content:
            revived.append(said[0])
    size, common = log.size(new), log.size(old) - absent
    kept = {text for (text,) in new.execute(_TEXTS)}
    texts = sum(text not in kept for (text,) in old.execute(_TEXTS))
    return Compared(absent, first, size > common, revived, texts)


def _take_over(copy: Path, like: Path) -> None:
    """Give the copy the permissions of a file, and its owner, if this user may."""
    status = like.stat()
    with contextlib.suppress(PermissionError):
        os.chown(copy, status.st_uid, status.st_gid)
    copy.chmod(stat.S_IMODE(status.st_mode))


def _put_in_place(copy: Path, target: Path) -> Path | None:
    """Move the copy into its place, and return the new name of the file that was there."""
    kept = atomic.free_name(target, "before-restore")
    for left in storage.beside(target):  # they belong to the old file, or to one that is gone
        if left.name.endswith("-shm"):
            left.unlink(missing_ok=True)
        elif left.exists():
            left.replace(kept.with_name(left.name.replace(target.name, kept.name, 1)))
    if not target.exists():
        copy.replace(target)
        return None
    try:
        kept.hardlink_to(target)
    except OSError:  # some file systems have no second name for a file
        target.rename(kept)
    copy.replace(target)
    return kept
