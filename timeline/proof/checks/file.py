"""Checks of the file itself: this reads its header, its pages and its indexes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report
from timeline.store import scrub

_HEADER = 100
"""The bytes of the header of a database (sqlite.org/fileformat2.html, section 1.3)."""

_FIELDS = {
    "write and read version": (18, 20, ("0101", "0202")),
    "schema format": (44, 48, ("00000004",)),
    "default cache size": (48, 52, ("00000000",)),
    "auto-vacuum": (52, 56, ("00000000",)),
    "text encoding": (56, 60, ("00000001",)),
    "incremental vacuum": (64, 68, ("00000000",)),
    "reserved bytes": (72, 92, ("00" * 20,)),
}
"""The first byte of a field, the byte after its last one, and the values that it has in our files.

Of the other fields, SQLite checks some itself: the page size, the number of pages and the free
pages. `storage.connect` checks the application id and the user version. SQLite changes the others
by itself, and no reader gets other rows by them: the counters of changes to the file and to the
schema, and the version of SQLite.
"""


def check_header(path: str | os.PathLike[str], report: Report) -> None:
    """Check the fields of the header that never change while the file is a timeline."""
    header = _header(path)
    if header is None:
        report.unnoticed.append("The header of the file: this system does not list open files.")
        return
    for name, (start, end, allowed) in _FIELDS.items():
        if (value := header[start:end].hex()) not in allowed:
            report.add("file", f"header, {name}", " or ".join(allowed), value)


def _header(path: str | os.PathLike[str]) -> bytes | None:
    """Read the header through a descriptor by which SQLite has the file open.

    If the file were opened once more, closing it would drop the locks of SQLite on it.
    """
    wanted, listed = Path(path).stat(), Path("/dev/fd")
    for each in listed.iterdir() if listed.is_dir() else ():
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(int(each.name)), wanted):
                return os.pread(int(each.name), _HEADER, 0)
    return None


def check_pages(connection: sqlite3.Connection, report: Report) -> None:
    """Let SQLite check the pages and indexes of the file, and the types of values.

    It does not check CHECK constraints: SQLite leaves them out of a schema that cannot be written.
    The other checks look at these values themselves.
    """
    for (problem,) in connection.execute("PRAGMA integrity_check(20)"):
        if problem != "ok":
            report.add("file", "integrity_check", "ok", problem)


def check_erasures(connection: sqlite3.Connection, report: Report) -> None:
    """Report every erasure whose words may still be bytes in the file."""
    for seq in scrub.pending(connection):
        report.add(
            "scrub pending",
            f"#{seq}",
            "a file without the words that this entry erased",
            "a file that may still have them: the next command that writes removes them",
        )


def check_mirror(connection: sqlite3.Connection, report: Report) -> None:
    """Check that a file that is marked as a mirror is marked as one of its own log."""
    for origin, since in connection.execute("SELECT origin, since FROM mirror"):
        if origin != report.origin:
            report.add("mirror", origin, f"a mirror of {report.origin}", f"one of {origin}")
        if not is_instant(since.encode()):
            report.add("mirror", f"{origin}, since", "a time", since)
