"""Checks of the file itself: this reads its header, its pages and its indexes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report
from timeline.store import scrub
from timeline.store.node import Node, awaiting, node_of

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


_NODE_FIELDS = {
    "cluster": re.compile(r"(?:nats|tls)://[^\s@/]+/[a-z0-9][a-z0-9-]{0,30}"),
    "name": re.compile(r"[a-z0-9][a-z0-9-]{0,62}"),
    "role": re.compile("writer|reader"),
    "created": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"),
    "message_id": re.compile("(?:sha256:[0-9a-f]{64})?"),
}
"""The form of the texts in the row of a node."""


def check_node(connection: sqlite3.Connection, report: Report) -> None:
    """Check the form of what the row of a node says, and that its log is as long as it says.

    `check_entries` has looked whether the entries whose erasure is still to come, by the row, have
    no payload.
    """
    (count,) = connection.execute("SELECT count(*) FROM node").fetchone()
    if count > 1:
        report.add("node", "rows", "one", count)
    if node := node_of(connection):
        for field, expected, found in _wrong_in(node, report.size):
            report.add("node", f"{node.name}, {field}", expected, found)
        try:
            awaiting(connection)
        except ValueError:
            expected = "a JSON object of ids and numbers of entries"
            report.add("node", f"{node.name}, unexcused", expected, node.unexcused)


def _wrong_in(node: Node, size: int) -> Iterator[tuple[str, str, object]]:
    """Yield each field that is wrong, with what it should be and what it is."""
    for field, form in _NODE_FIELDS.items():
        if not form.fullmatch(value := getattr(node, field)):
            yield field, f"a text of the form {form.pattern}", value
    if node.with_texts not in ((1,) if node.role == "writer" else (0, 1)):
        yield "with_texts", "1 for a writer, 0 or 1 for a reader", node.with_texts
    if node.generation < 1:
        yield "generation", "a number from 1", node.generation
    if node.message < 0 or (node.message == 0) != (node.message_id == ""):
        yield "message", "a number from 1 with an id, or 0 without one", node.message
    if not 0 <= node.size <= size:
        yield "size", f"at most the {size:,} entries of the log", node.size
    if not -1 <= node.scrubbed < size:
        yield "scrubbed", f"the number of an entry, or -1; the log has {size:,}", node.scrubbed
    if node.writing:
        yield "writing", "0 outside a transaction", node.writing
    if (node.doubt is None) != (node.doubt_body is None) or not _is_object(node.doubt or "{}"):
        yield "doubt", "a JSON object, with its messages, or neither", node.doubt


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
