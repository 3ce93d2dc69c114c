"""Checks of captured texts: this compares them with their hashes and with the log."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report, text_of
from timeline.store.codec import decode_content

_HASH = re.compile(rb"sha256:[0-9a-f]{64}")
_NAMES_A_TEXT = "kind IN ('source.recorded', 'source.updated') AND payload IS NOT NULL"


class _Row(NamedTuple):
    """A row of table `source_texts`, as it is stored."""

    name: bytes
    body: bytes | None
    captured_at: bytes
    original: bytes | None
    erased_by: bytes | None


def check_texts(connection: sqlite3.Connection, report: Report) -> None:
    """Compare each text with its hash, and with the entries that name it or erased it."""
    connection.text_factory = bytes
    rows = connection.execute(
        "SELECT text_sha256, body, captured_at, original_sha256, erased_by FROM source_texts"
        " ORDER BY text_sha256"
    ).fetchall()
    naming = _naming(connection) if rows else {}
    for row in map(_Row._make, rows):
        where = text_of(row.name)
        if not _HASH.fullmatch(row.name):
            report.add("text", where, "a hash as its name", where)
        if row.original is not None and not _HASH.fullmatch(row.original):
            report.add("text", f"{where}, original_sha256", "a hash", text_of(row.original))
        if not is_instant(row.captured_at):
            report.add("text", f"{where}, captured_at", "a time", text_of(row.captured_at))
        if row.body is None:
            _check_erased(connection, report, row, naming)
            continue
        report.texts += 1
        if row.erased_by is not None:
            by = text_of(row.erased_by)
            report.add("text", f"{where}, erased_by", "nothing, as the text is here", by)
        hashed = "sha256:" + hashlib.sha256(row.body).hexdigest()
        if hashed != where:
            report.add("text", where, where, hashed)
        if row.name not in naming and not _is_mentioned(connection, row.name):
            report.add("text", where, "an entry that names it", "none")
    connection.text_factory = str


def _naming(connection: sqlite3.Connection) -> Mapping[bytes, int]:
    """Return the texts that entries of sources name, each with the seq of the first entry."""
    naming: dict[bytes, int] = {}
    for seq, payload in connection.execute(
        f"SELECT seq, payload FROM log WHERE {_NAMES_A_TEXT} ORDER BY seq"  # noqa: S608
    ):
        try:
            name = (decode_content(payload.decode()) or {}).get("text_sha256")
        except ValueError:
            continue  # check_entries has reported this payload
        if isinstance(name, str):
            naming.setdefault(name.encode(), seq)
    return naming


def _is_mentioned(connection: sqlite3.Connection, name: bytes) -> bool:
    """Return whether an entry of a source has these words anywhere: then no erasure took the text.

    See `writer.empty_entry`.
    """
    row = connection.execute(
        f"SELECT 1 FROM log WHERE {_NAMES_A_TEXT} AND instr(payload, CAST(? AS TEXT))",  # noqa: S608
        (name,),
    )
    return row.fetchone() is not None


def _check_erased(
    connection: sqlite3.Connection, report: Report, row: _Row, naming: Mapping[bytes, int]
) -> None:
    """Check that an `entry.erased` of a source's entry can have taken this text with it."""
    where = text_of(row.name)
    erasure = connection.execute(
        "SELECT e.seq FROM log AS e JOIN log AS erased ON erased.id = substr(e.subject, 7)"
        " WHERE e.id = CAST(? AS TEXT) AND e.kind = 'entry.erased'"
        " AND erased.subject GLOB 'source/*'",
        (row.erased_by,),
    ).fetchone()
    if erasure is None:
        by = text_of(row.erased_by or b"")
        report.add("text", f"{where}, erased_by", "the id of an entry.erased of a source", by)
    elif naming.get(row.name, erasure[0]) < erasure[0]:
        found = f"entry #{naming[row.name]} names it still"
        report.add("text", f"{where}, body", f"a text that entry #{erasure[0]} erased", found)
