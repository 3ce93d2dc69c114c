"""Checks of attached files: this compares them with their hashes and with the log."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from typing import NamedTuple

from timeline.errors import InvalidInput
from timeline.media.attached import ENDINGS, attached_file
from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report
from timeline.store import files

_ROWS = """
SELECT f.sha256, f.media_type, f.size, f.width, f.height, f.attached_at, f.erased_by, b.body
  FROM media_files AS f LEFT JOIN media_bytes AS b USING (sha256) ORDER BY f.sha256
"""
_ERASURES = """
SELECT id FROM log AS e WHERE id = ?1 AND (e.subject = 'media/' || substr(?2, 8)
   OR (e.kind = 'entry.erased' AND EXISTS
       (SELECT 1 FROM log WHERE id = substr(e.subject, 7) AND kind GLOB 'event.*')))
"""


class _Row(NamedTuple):
    """A row of table `media_files` comes with the bytes of the file."""

    sha256: str
    media_type: str | None
    size: int | None
    width: int | None
    height: int | None
    attached_at: str
    erased_by: str | None
    body: bytes | None


def check_media(connection: sqlite3.Connection, report: Report) -> None:
    """Compare each attached file with its hash, and with the entries that name it or erased it."""
    has_files = connection.execute("SELECT EXISTS (SELECT 1 FROM media_files)").fetchone()[0]
    named = files.named_in_log(connection) if has_files else set()
    for row in map(_Row._make, connection.execute(_ROWS)):
        if not is_instant(row.attached_at.encode()):
            report.add("file", f"{row.sha256}, attached_at", "a time", row.attached_at)
        if row.erased_by is not None:
            _check_erased(connection, report, row, is_named=row.sha256 in named)
        elif row.body is None:
            report.add("file", row.sha256, "the bytes of the file", "none")
        else:
            report.media += 1
            _check_bytes(report, row, row.body)
            if row.sha256 not in named:
                report.add("file", row.sha256, "an entry that names it", "none")
    (strays,) = connection.execute(
        "SELECT count(*) FROM media_bytes WHERE sha256 NOT IN (SELECT sha256 FROM media_files)"
    ).fetchone()
    if strays:
        report.add("file", "media_bytes", "bytes of attached files", f"{strays} of others")


def _check_bytes(report: Report, row: _Row, body: bytes) -> None:
    hashed = "sha256:" + hashlib.sha256(body).hexdigest()
    if hashed != row.sha256:
        report.add("file", row.sha256, row.sha256, hashed)
        return
    try:
        file = attached_file(body)
    except InvalidInput as error:
        report.add("file", row.sha256, f"one of {', '.join(ENDINGS)}", error.problem)
        return
    expected = (file.sha256, file.media_type, len(file.body), file.width, file.height)
    if row[:5] != expected:
        report.add("file", row.sha256, expected, row[:5])


def _check_erased(
    connection: sqlite3.Connection, report: Report, row: _Row, *, is_named: bool
) -> None:
    """Check that an entry can have erased the file, and that its bytes and their facts are gone."""
    if not re.fullmatch("sha256:[0-9a-f]{64}", row.sha256):
        report.add("file", row.sha256, "sha256: and 64 hexadecimal digits", row.sha256)
    if row.body is not None:
        report.add("file", row.sha256, f"no bytes: {row.erased_by} erased them", "bytes")
    if any(fact is not None for fact in row[1:5]):
        report.add("file", row.sha256, f"nothing: {row.erased_by} erased the bytes", row[1:5])
    found = connection.execute(_ERASURES, (row.erased_by, row.sha256)).fetchone()
    if found is None:
        where = f"{row.sha256}, erased_by"
        report.add("file", where, "the id of an entry that erased it", row.erased_by)
    elif (
        is_named
        and not connection.execute(
            "SELECT 1 FROM log WHERE id = ? AND kind = 'media.erased'", found
        ).fetchone()
    ):
        report.add("file", row.sha256, "the bytes of a file that entries name", "none")
