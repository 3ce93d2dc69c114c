"""The captured texts of sources, and the quotes that rest on them.

Guarantees: it reads. A citation that no longer stands is told, never moved or taken out.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from timeline import query
from timeline.codec import decode_content
from timeline.quotes import CapturedText

__all__ = ["body", "cited", "lost_quotes", "newest"]


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


def cited(connection: sqlite3.Connection) -> Callable[[Mapping[str, Any]], str | None]:
    """What finds the text that a citation has its place in: as it was when it was cited."""

    @functools.lru_cache(8)
    def text_of(source_id: str, version: int) -> str | None:
        row = connection.execute(
            "SELECT payload FROM log WHERE subject = ? AND version <= ?"
            " AND kind IN ('source.recorded', 'source.updated') ORDER BY version DESC LIMIT 1",
            (f"source/{source_id}", version),
        ).fetchone()
        content = decode_content(row[0]) if row else None
        return body(connection, (content or {}).get("text_sha256"))

    def found(citation: Mapping[str, Any]) -> str | None:
        version = citation.get("source_version")
        return text_of(citation["source_id"], version) if version else None

    return found


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
