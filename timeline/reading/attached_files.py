"""Read what is known of attached files: their types, and whether they were erased."""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.store.codec import decode_payload

_ERASURES = """
SELECT seq, recorded_at, payload FROM log
 WHERE subject = 'media/' || substr(?1, 8)
    OR id = (SELECT erased_by FROM media_files WHERE sha256 = ?1)
 ORDER BY seq LIMIT 1
"""


def attached_row(connection: sqlite3.Connection, sha256: str) -> dict[str, Any]:
    """Return what is known of a file: `media_type`, and the `rowid` of its bytes.

    Both are None if the file is not here. `erased` is the day on which it was erased, else None,
    with the `reason`.
    """
    row = connection.execute(
        "SELECT f.media_type, b.rowid FROM media_files AS f"
        " LEFT JOIN media_bytes AS b USING (sha256) WHERE f.sha256 = ?",
        (sha256,),
    ).fetchone()
    found = {"media_type": None, "rowid": None, "erased": None, "reason": None}
    if row:
        found |= dict(zip(("media_type", "rowid"), row, strict=True))
    if erasure := connection.execute(_ERASURES, (sha256,)).fetchone():
        _, recorded_at, payload = erasure
        said = decode_payload(payload) if payload else {}
        found |= {"erased": recorded_at, "reason": said.get("reason")}
    return found
