"""Captured texts of sources: read them, and find what citations quote of them.

Guarantees: nothing here writes. A quote that is no longer in the text is listed as lost; no
citation is moved or removed.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from timeline.errors import NoText
from timeline.reading import deadline
from timeline.store.codec import decode_content
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.coverage import MarkedSpan, Sentence, coverage_of
from timeline.texts.pages import page_breaks, page_of
from timeline.texts.quotes import CapturedText


def body(connection: sqlite3.Connection, text_sha256: str | None) -> str | None:
    """Return a captured text; None if it is not kept here, or was erased."""
    row = connection.execute(
        "SELECT body FROM source_texts WHERE text_sha256 = ?", (text_sha256,)
    ).fetchone()
    return row[0] if row else None


def newest(connection: sqlite3.Connection, source_id: str) -> str | None:
    """Return the captured text of a source as it is now, or None."""
    row = connection.execute(
        "SELECT body FROM sources JOIN source_texts USING (text_sha256) WHERE source_id = ?",
        (source_id,),
    ).fetchone()
    return row[0] if row else None


def cited(connection: sqlite3.Connection) -> Callable[[Mapping[str, Any]], str | None]:
    """Return a function that finds the text of the version that a citation cites, or None."""

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


def cited_pages(connection: sqlite3.Connection) -> Callable[[Mapping[str, Any]], int | None]:
    """Return a function that finds the page of a citation's quote, or None.

    It is None if the place of the quote, or its text, is not known, or if the text has no pages.
    """
    text_of = cited(connection)

    def page(citation: Mapping[str, Any]) -> int | None:
        start = citation.get("quote_start")
        text = text_of(citation) if start is not None else None
        return page_of(start, page_breaks(text)) if text and start is not None else None

    return page


class Coverage(NamedTuple):
    """Coverage tells which sentences of a captured text events quote, and which quotes are lost."""

    text: str
    sentences: list[Sentence]
    lost_quotes: list[RowDict]
    """The citations that `lost_quotes` returns."""

    def as_json(self, source_id: str) -> RowDict:
        """Return the object that `timeline coverage --json` prints."""
        fields = ("start", "end", "text", "state", "events")
        return {
            "source_id": source_id,
            "sentences": [
                {field: getattr(sentence, field) for field in fields} for sentence in self.sentences
            ],
        }


def coverage(
    connection: sqlite3.Connection, source_id: str, longest: int | None = None
) -> Coverage:
    """Return the newest text of a source with what current events quote of it.

    Sentences are listed for the first `longest` characters only. Raises NoText if the text is
    not here.
    """
    text = newest(connection, source_id)
    if text is None:
        raise NoText(source_id, why_absent(connection, source_id))
    quoted: list[MarkedSpan] = []
    lost: list[RowDict] = []
    for citation, place in quoted_places(connection, source_id, text):
        if place:
            quoted.append(MarkedSpan(*place, citation["event_id"]))
        else:
            lost.append(citation)
    marked = (
        MarkedSpan(mark["start"], mark["end"], mark.get("why", ""))
        for mark in marks(connection, source_id)
    )
    return Coverage(text, coverage_of(text[:longest], quoted, marked), lost)


def why_absent(connection: sqlite3.Connection, source_id: str) -> str:
    """Say why the text of a source is not here: it "was erased", for example."""
    text_sha256, is_kept, payload = connection.execute(
        "SELECT s.text_sha256, t.text_sha256 IS NOT NULL, l.payload FROM sources AS s"
        " JOIN log AS l ON l.subject = 'source/' || s.source_id"
        " AND l.kind IN ('source.recorded', 'source.updated')"
        " LEFT JOIN source_texts AS t USING (text_sha256)"
        " WHERE source_id = ? ORDER BY l.version DESC LIMIT 1",
        (source_id,),
    ).fetchone()
    if is_kept or payload is None:
        return "was erased"
    return "is not in this copy" if text_sha256 else "was not captured"


def marks(connection: sqlite3.Connection, source_id: str) -> list[RowDict]:
    """Return the marks on the current text of a source; marks on an earlier text are left out."""
    row = connection.execute(
        "SELECT l.payload, s.text_sha256 FROM sources AS s JOIN log AS l"
        " ON l.subject = 'source/' || s.source_id AND l.kind = 'source.annotated'"
        " WHERE s.source_id = ? ORDER BY l.version DESC LIMIT 1",
        (source_id,),
    ).fetchone()
    annotation = (decode_content(row[0]) if row else None) or {}
    if annotation.get("text_sha256") != (row[1] if row else None):
        return []
    found: list[RowDict] = annotation.get("marks", [])
    return found


def lost_quotes(connection: sqlite3.Connection, source_id: str) -> list[RowDict]:
    """Return the citations of current events whose quote is not in the newest text.

    Each has event_id, position (from 1), source_id, source_version and quote. The list is empty
    if the text of the source is not here.
    """
    text = newest(connection, source_id)
    if text is None:
        return []
    return [citation for citation, place in quoted_places(connection, source_id, text) if not place]


def quoted_places(
    connection: sqlite3.Connection, source_id: str, text: str
) -> Iterator[tuple[RowDict, tuple[int, int] | None]]:
    """Yield the citations of current events that quote a source, each with its place in the text.

    The place is the one in the citation if the quote is found there; else the text is searched,
    for the citation may be older than this text. It is None if the quote is not in the text.
    """
    captured = functools.cache(lambda: CapturedText(text))
    find = functools.cache(lambda quote: captured().find(quote))
    cited = connection.execute(
        "SELECT event_id, position, source_id, source_version, quote, quote_start, quote_end"
        " FROM citations JOIN current_events USING (event_id)"
        " WHERE source_id = ? AND quote IS NOT NULL ORDER BY event_id, position",
        (source_id,),
    )
    for citation in as_dicts(cited):
        deadline.check()
        start, end = citation.pop("quote_start"), citation.pop("quote_end")
        if start is not None and text[start:end] == citation["quote"]:
            yield citation, (start, end)
        else:
            found = find(citation["quote"])
            yield citation, found and (found.start, found.end)
