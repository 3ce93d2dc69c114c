"""Put events into the terms of one log: codes for labels, source ids for sources.

Guarantees: the result names only what the log has or the event brings; nothing is added here.
Raises an error, with the field, for what the log's vocabulary or its sources lack.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from timeline.errors import AlreadyRecorded, InvalidInput
from timeline.model.content import Citation, Event, Source
from timeline.model.invisible import one_form
from timeline.model.terms import KnownTerms
from timeline.writing.append_buffer import AppendBuffer
from timeline.writing.one_form import comparable, in_one_form
from timeline.writing.vocabulary_codes import VocabularyCodes

if TYPE_CHECKING:
    from timeline.writing.citations import Cited, Quotations

Brought = dict[str, tuple[str, dict[str, Any]]]
"""Sources that come with an event, by their ids: entry id and content of each."""
_NOTHING_BROUGHT: Brought = {}


class Resolved(NamedTuple):
    """Holds the content of an event in the terms of this log, and the sources that it brings."""

    content: dict[str, Any]
    sources: Brought
    notes: tuple[str, ...] = ()
    """Notes on its citations, for a person."""


class Resolver:
    """Puts events and sources into the terms of a log.

    `new_id` makes an id for a source that is new.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        buffer: AppendBuffer,
        terms: KnownTerms,
        new_id: Callable[[], str],
    ) -> None:
        self._connection = connection
        self._buffer = buffer
        self._codes = VocabularyCodes(terms)
        self._new_id = new_id

    def resolved(
        self,
        event: Event,
        cited_before: Container[str] = (),
        citations_before: Cited = (),
        before: Mapping[str, Any] | None = None,
        files_before: Container[str] = (),
    ) -> Resolved:
        """Return an event in the terms of this log: codes for labels, source ids for sources.

        Adds nothing. A source in `cited_before` is accepted even if its content has changed by now,
        and a citation in `citations_before` even if the text of its source has. Names are put into
        one form, but those that the content `before` has stay as they are. A file in
        `files_before`, by its hash, need not be attached here.
        """
        sources: Brought = {}
        citations = tuple(
            self._by_source_id(citation, sources, cited_before) for citation in event.citations
        )
        event = event.model_copy(update={**self._codes.of(event), "citations": citations})
        for field, source_id in sources_named(event):
            if source_id not in sources and not self._buffer.version(f"source/{source_id}"):
                raise InvalidInput(field, f'there is no source "{source_id}" in this log')
        if event.media:
            from timeline.writing.media import checked  # not loaded for events without media

            media = checked(self._connection, event.media, files_before)
            event = event.model_copy(update={"media": media})
        notes: tuple[str, ...] = ()
        if any(cited.quote or cited.quote_start is not None for cited in citations):
            citations, notes = self._quotations.checked(citations, citations_before, sources)
            event = event.model_copy(update={"citations": citations})
        return Resolved(in_one_form(event.content(), before), sources, notes)

    def suppose_text(self, source_id: str, text: str) -> None:
        """Hold quotes from a source to this text, as if it had been captured."""
        self._quotations.suppose(source_id, text)

    @functools.cached_property
    def _quotations(self) -> Quotations:
        from timeline.writing.citations import Quotations  # not loaded for events without quotes

        return Quotations(self._connection, self._buffer)

    def _by_source_id(
        self, citation: Citation, sources: Brought, cited_before: Container[str]
    ) -> Citation:
        """Return the citation by the id of its source; a new source is put into `sources`."""
        source = citation.source
        if source is None:
            return citation
        source_id = self.source_id(source, sources, cited_before)
        return citation.model_copy(update={"source": None, "source_id": source_id})

    def source_id(self, source: Source, new: Brought, cited_before: Container[str] = ()) -> str:
        """Return the id of a source; one that is not known is put into `new`.

        Raises AlreadyRecorded as `known_source` does.
        """
        content = in_one_form(source.content())
        source_id = self.known_source(source, content, new, cited_before)
        if not source_id:
            entry_id = self._new_id()
            source_id = source.source_id or entry_id
            new[source_id] = entry_id, content
        return source_id

    def known_source(
        self,
        source: Source,
        said: Mapping[str, Any],
        new: Brought = _NOTHING_BROUGHT,
        cited_before: Container[str] = (),
    ) -> str | None:
        """Return the id of a source, found by its id, url or title in the log or in `new`.

        `said` is the content of the source, in one form. Raises AlreadyRecorded if the source with
        its id or url has another content.
        """
        refusal = None
        for source_id, content in self._sources_like(source, new):
            known = comparable(content)
            fields = [field for field in said if known.get(field) != said[field]]
            if not fields or source_id in cited_before:
                return source_id
            advice = f"cite it as {source_id}, or update it first"
            refusal = refusal or AlreadyRecorded(f"source {source_id}", fields, advice)
        if refusal and (source.source_id or source.url):
            raise refusal
        return None  # the sources that were found, if any, are other documents of the same title

    def captured_source(self, source: Source) -> str | None:
        """Return the id of the source whose text is captured: found by id, else url, else title.

        Among sources with the same title it is one with this text, or with no text, whose other
        fields are equal.
        """
        said = {**in_one_form(source.content()), "media_type": None}
        for source_id, content in self._sources_like(source, {}):
            known = {
                "text_sha256": source.text_sha256,
                **comparable(content),
                "media_type": None,
            }
            if source.source_id or source.url or known.items() >= said.items():
                return source_id
        return None

    def _sources_like(
        self, source: Source, new: Brought
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield id and content of the sources with this id, else with this url, else this title."""
        column = "source_id" if source.source_id else "url" if source.url else "title"
        value = getattr(source, column)
        forms = [value]
        if column == "title":
            # An older version recorded titles as they were typed: composed or not.
            forms += [one_form(value), normalize("NFD", one_form(value))]
        for each in dict.fromkeys(forms):
            yield from self._buffer.sources(column, each)
            for source_id, (_, content) in new.items():
                if each == (source_id if column == "source_id" else content.get(column)):
                    yield source_id, content


def sources_named(event: Event) -> Iterator[tuple[str, str | None]]:
    """Yield each field in which an event names a source, and the id of the source.

    The id is None for a citation that holds the source itself.
    """
    for number, citation in enumerate(event.citations):
        yield f"citations.{number}.source_id", citation.source_id
    for field in ("quantities", "claims"):
        for number, item in enumerate(getattr(event, field)):
            for source_id in item.source_ids:
                yield f"{field}.{number}.source_ids", source_id
    for number, medium in enumerate(event.media):
        if medium.source_id:
            yield f"media.{number}.source_id", medium.source_id
