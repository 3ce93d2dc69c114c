"""Hold citations to the captured texts of the sources that they cite.

Guarantees: a quote that is accepted occurs in the cited text, word for word, and its offsets
select it. A citation that the event has already is not checked again: the text may have changed
since. A quote from a source without a captured text is not checked, but on a node of a cluster it
is refused while the text, which another node has, is still to come.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from timeline.errors import InvalidInput
from timeline.model.content import Citation
from timeline.model.hints import quoted
from timeline.model.validation import validate
from timeline.reading import captured_texts
from timeline.store.codec import decode_content
from timeline.store.node import node_of
from timeline.texts.quotes import CapturedText, alike, is_too_short
from timeline.writing.append_buffer import AppendBuffer

Cited = Sequence[Mapping[str, Any]]
"""The citations of an event in the form in which entries have them."""

_PLACE = ("source_version", "quote_start", "quote_end")
_TEXTS_AT_HAND = 8
_HASHES_AT_HAND = 1_000


class Quotations:
    """Checks the quotes of one append; each text is read once."""

    def __init__(self, connection: sqlite3.Connection, buffer: AppendBuffer) -> None:
        self._connection = connection
        self._buffer = buffer
        self._text: Callable[[str], CapturedText | None] = functools.lru_cache(_TEXTS_AT_HAND)(
            functools.partial(_captured, connection)
        )
        self._supposed: dict[str, CapturedText] = {}
        """Texts that count as captured, by the ids of their sources."""
        self._text_sha256 = functools.lru_cache(_HASHES_AT_HAND)(self._text_sha256_at)

    def suppose(self, source_id: str, text: str) -> None:
        """Hold quotes from a source to this text from now on, as if it had been captured."""
        self._supposed[source_id] = CapturedText(text)

    def checked(
        self,
        citations: Sequence[Citation],
        before: Cited,
        new: Mapping[str, tuple[str, Mapping[str, Any]]],
    ) -> tuple[tuple[Citation, ...], tuple[str, ...]]:
        """Return the citations with their places filled in, and notes on them for a person.

        `before` are the citations that the event has so far, `new` the sources that come with it.
        Raises InvalidInput, with its field, for a quote or a place that is not in the text.
        """
        notes: list[str] = []
        found = []
        for number, citation in enumerate(citations):
            try:
                found.append(self._checked(citation, before, new, notes))
            except InvalidInput as error:
                raise InvalidInput(f"citations.{number}.{error.field}", error.problem) from None
        return tuple(found), tuple(notes)

    def _checked(
        self,
        citation: Citation,
        before: Cited,
        new: Mapping[str, tuple[str, Mapping[str, Any]]],
        notes: list[str],
    ) -> Citation:
        if citation.quote is None and citation.quote_start is None:
            return citation
        if standing := _as_it_stood(citation, before):
            return standing
        citation = _without_old_place(citation, before)
        version, text = self._cited(citation, new)
        if text is None:
            return citation
        if citation.quote_start is not None:
            start, end = _given_place(citation, text)
        else:
            start, end, count = _looked_up(citation, text)
            if count > 1:
                notes.append(
                    f"{quoted(citation.quote or '')} stands {count} times in"
                    f" {citation.source_id}; the first is cited, at {start}"
                )
        place = dict(zip(_PLACE, (version, start, end), strict=True))
        return validate(Citation, {**citation.content(), **place, "quote": text.text[start:end]})

    def _cited(
        self, citation: Citation, new: Mapping[str, tuple[str, Mapping[str, Any]]]
    ) -> tuple[int, CapturedText | None]:
        """Return the version of the source that is cited, and its text if it was captured."""
        source_id = citation.source_id or ""
        if source_id in self._supposed:
            return self._buffer.version(f"source/{source_id}"), self._supposed[source_id]
        if source_id in new:
            newest, text_sha256 = 1, new[source_id][1].get("text_sha256")
        else:
            newest = self._buffer.version(f"source/{source_id}")
            wanted = min(citation.source_version or newest, newest)
            text_sha256 = self._text_sha256(source_id, wanted)
        text = self._text(text_sha256) if text_sha256 else None
        if text_sha256 and not text and self._is_awaited(text_sha256):
            field = "quote_start" if citation.quote is None else "quote"
            problem = (
                f"cannot be checked: the text of {source_id} is not here yet; timeline cluster"
                " follow fetches it, and timeline capture brings it again"
            )
            raise InvalidInput(field, problem)
        if text and citation.source_version and citation.source_version > newest:
            raise InvalidInput("source_version", f"{source_id} is at version {newest}")
        return citation.source_version or newest, text

    def _is_awaited(self, text_sha256: str) -> bool:
        """Return whether a text was captured on another node of a cluster, and is still to come."""
        if node_of(self._connection) is None:
            return False
        row = self._connection.execute(
            "SELECT 1 FROM source_texts WHERE text_sha256 = ?", (text_sha256,)
        )
        return row.fetchone() is None

    def _text_sha256_at(self, source_id: str, version: int) -> str | None:
        """Return the SHA-256 of the text that a version of a source names."""
        entry = self._buffer.contents(f"source/{source_id}", "DESC", version + 1)
        content = decode_content(entry.payload) if entry else None
        return (content or {}).get("text_sha256")


def _captured(connection: sqlite3.Connection, text_sha256: str) -> CapturedText | None:
    body = captured_texts.body(connection, text_sha256)
    return CapturedText(body) if body else None


def _as_it_stood(citation: Citation, before: Cited) -> Citation | None:
    """Return the citation with the quote and the place that the event cites already; else None."""
    for old in before:
        if (
            old["source_id"] == citation.source_id
            and (citation.quote is None or alike(citation.quote, old.get("quote", "")))
            and all(getattr(citation, name) in (None, old.get(name)) for name in _PLACE)
        ):
            return citation.model_copy(update={name: old.get(name) for name in ("quote", *_PLACE)})
    return None


def _without_old_place(citation: Citation, before: Cited) -> Citation:
    """Return the citation without the place of an earlier quote, which was left in it."""
    for old in before:
        if citation.quote_start is not None and all(
            getattr(citation, name) == old.get(name) for name in ("source_id", *_PLACE)
        ):
            return citation.model_copy(update=dict.fromkeys(_PLACE))
    return citation


def _given_place(citation: Citation, text: CapturedText) -> tuple[int, int]:
    """Return the place that a citation gives, if its quote is there.

    A citation without a quote has any place within the text. Raises InvalidInput.
    """
    start, end = citation.quote_start or 0, citation.quote_end or 0
    length = len(text.text)
    if end > length:
        problem = f"lies behind the end of the text of {citation.source_id}, at {length}"
        raise InvalidInput("quote_end", problem)
    there = text.text[start:end]
    if citation.quote is None or alike(citation.quote, there):
        return start, end
    place = text.find(citation.quote)
    where = f"; the quote stands at {place.start} to {place.end}" if place else ""
    raise InvalidInput("quote_start", f"{start} to {end} is {quoted(there)}{where}")


def _looked_up(citation: Citation, text: CapturedText) -> tuple[int, int, int]:
    """Return start and end of the first place of a quote, and the number of its places."""
    quote = citation.quote or ""
    if is_too_short(quote):
        raise InvalidInput(
            "quote", f"{quoted(quote)} is too short to be found by: quote some words"
        )
    found = text.find(quote)
    if found:
        return found
    nearest = text.nearest(quote)
    hint = f'the nearest is "{nearest}"' if nearest else "nothing like it does"
    raise InvalidInput("quote", f"does not stand in the text of {citation.source_id}: {hint}")
