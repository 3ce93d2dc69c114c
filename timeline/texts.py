"""The captured texts of sources, and the quotes that rest on them.

Guarantees: it reads. A citation that no longer stands is told, never moved or taken out.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline import query
from timeline.quotes import CapturedText

__all__ = ["body", "lost_quotes", "newest"]


def body(connection: sqlite3.Connection, text_sha256: str | None) -> str | None:
    """A captured text; None if it is not kept here, or was erased."""
    row = connection.execute(
        "SELECT body FROM source_texts WHERE text_sha256 = ?", (text_sha256,)
    ).fetchone()
    return row[0] if row else None


def newest(connection: sqlite3.Connection, source_id: str) -> str | None:
    """The captured text of a source as it is now."""
    row = connection.execute(
        "SELECT body FROM sources JOIN source_texts USING (text_sha256) WHERE source_id = ?",
        (source_id,),
    ).fetchone()
    return row[0] if row else None


def lost_quotes(connection: sqlite3.Connection, source_id: str) -> list[dict[str, Any]]:
    """The citations of current events whose quote does not stand in the newest text.

    Each with event_id, position (from 1), source_id, source_version and quote. None if the
    text of the source is not here.
    """
    text = newest(connection, source_id)
    if text is None:
        return []
    captured = CapturedText(text)
    cited = connection.execute(
        "SELECT event_id, position, source_id, source_version, quote"
        " FROM citations JOIN current_events USING (event_id)"
        " WHERE source_id = ? AND quote IS NOT NULL ORDER BY event_id, position",
        (source_id,),
    )
    return [each for each in query.rows(cited) if not captured.find(each["quote"])]
