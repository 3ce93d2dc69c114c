"""Find out which source gets a text that is captured, if a source has its address already."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from timeline.reading.sources import sources_at, sources_by_id
from timeline.store.rows import RowDict
from timeline.texts.document import Document, sha256
from timeline.writing.stated_facts import Chosen


class SourceMeant(NamedTuple):
    """Holds which source gets the text: the one with this id, or else one that capturing finds."""

    source_id: str | None
    others: Mapping[str, RowDict] = {}
    """The sources with the same address, by id, if a person has to say which one is meant."""


def source_meant(
    connection: sqlite3.Connection, given: Mapping[str, Any], stated: Chosen, document: Document
) -> SourceMeant:
    """Find out which source gets the text, if another source has the same address.

    It is the one with the same text, the one whose address is exactly the given one, or one that
    has no text yet; else a person decides.
    """
    source_id = given.get("source_id")
    own = sources_by_id(connection, [source_id] if source_id else []).get(source_id or "", {})
    url = given.get("url") or (None if own.get("url") else stated.fields.get("url"))
    rows = sources_at(connection, url) if url else []
    by_id = {row["source_id"]: row for row in rows}
    if not by_id or source_id in by_id:
        return SourceMeant(source_id)
    text_sha256 = sha256(document.text.encode())
    for row in rows:
        if row["text_sha256"] == text_sha256:
            return SourceMeant(row["source_id"])
    if not source_id and any(row["url"] == given.get("url") for row in rows):
        return SourceMeant(None)
    if not source_id and len(rows) == 1 and row["text_sha256"] is None:
        return SourceMeant(row["source_id"])
    return SourceMeant(source_id, by_id)
