"""An event in the words of one log: codes for labels, source ids for sources.

Guarantees: what comes out names only what the log has or what the event brings; nothing is
added here. Refuses, naming the field, what the log's vocabulary or its sources lack.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Container, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from timeline.codec import decode_content
from timeline.errors import AlreadyRecorded, InvalidInput, InvalidValue
from timeline.holdings import Holdings
from timeline.model import Citation, Event, Source
from timeline.terms import Term, Terms, term

if TYPE_CHECKING:
    from timeline.quotations import Cited, Quotations

__all__ = ["Resolved", "Resolver"]


class Resolved(NamedTuple):
    """An event in the words of this log, and the sources that it brings, by their ids."""

    event: Event
    sources: dict[str, tuple[str, Source]]
    """Entry id and source of each."""
    notes: tuple[str, ...] = ()
    """What a person should know of its citations."""


class Resolver:
    """Reads events and sources in the words of a log that says `info` about itself.

    `new_id` makes an id for a source that is new.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        held: Holdings,
        info: Mapping[str, Any],
        new_id: Callable[[str], str],
    ) -> None:
        self._connection = connection
        self._held = held
        self._terms = _terms(info)
        self._new_id = new_id

    def resolved(
        self, event: Event, cited_before: Container[str] = (), citations_before: Cited = ()
    ) -> Resolved:
        """The event in the words of this log: codes for labels, source ids for sources.

        Adds nothing. A source that is in `cited_before` is taken whatever it says by now, a
        citation in `citations_before` whatever the text of its source does.
        """
        found: dict[str, Any] = {}
        if event.event_type:
            found["event_type"] = self._code("event_type", event.event_type)
        if event.mode:
            found["mode"] = self._code("mode", event.mode)
        if event.contexts:
            codes = (self._code("contexts", context) for context in event.contexts)
            found["contexts"] = tuple(dict.fromkeys(codes))
        sources: dict[str, tuple[str, Source]] = {}
        if any(citation.source for citation in event.citations):
            found["citations"] = tuple(
                self._with_source_id(citation, sources, cited_before)
                for citation in event.citations
            )
        self._check_references(event, sources)
        resolved = event.model_copy(update=found) if found else event
        if not any(cited.quote or cited.quote_start is not None for cited in event.citations):
            return Resolved(resolved, sources)
        citations, notes = self._quotations.checked(resolved.citations, citations_before, sources)
        return Resolved(resolved.model_copy(update={"citations": citations}), sources, notes)

    @functools.cached_property
    def _quotations(self) -> Quotations:
        from timeline.quotations import Quotations  # of no use to events without quotes

        return Quotations(self._connection, self._held)

    def _with_source_id(
        self,
        citation: Citation,
        sources: dict[str, tuple[str, Source]],
        cited_before: Container[str],
    ) -> Citation:
        """The citation by id; a source that is new goes into `sources`."""
        source = citation.source
        if not source:
            return citation
        source_id = self.known_source(source, sources, cited_before)
        if not source_id:
            entry_id = self._new_id("source")
            source_id = source.source_id or entry_id
            sources[source_id] = entry_id, source
        return citation.model_copy(update={"source": None, "source_id": source_id})

    def _code(self, field: str, text: str) -> str:
        terms, what = {
            "event_type": (self._terms.event_types, "event type"),
            "mode": (self._terms.modes, "mode"),
            "contexts": (self._terms.contexts, "context"),
        }[field]
        if not terms:
            return text
        try:
            return term(text, terms, what)
        except InvalidValue as error:
            raise InvalidInput(field, error.problem) from None

    def _check_references(self, event: Event, sources: Container[str]) -> None:
        """Every source that is named by its id is in the log, or comes with the event."""
        named = {
            f"citations.{number}.source_id": (citation.source_id,)
            for number, citation in enumerate(event.citations)
            if citation.source_id
        }
        for field in ("quantities", "claims"):
            for number, item in enumerate(getattr(event, field)):
                named[f"{field}.{number}.source_ids"] = item.source_ids
        for field, source_ids in named.items():
            for source_id in source_ids:
                if source_id not in sources and not self._held.version(f"source/{source_id}"):
                    raise InvalidInput(field, f'there is no source "{source_id}" in this log')

    def known_source(
        self,
        source: Source,
        new: Mapping[str, tuple[str, Source]] = MappingProxyType({}),
        cited_before: Container[str] = (),
    ) -> str | None:
        """The id of the source that this one is, found by id, url or title, in log or `new`.

        Raises AlreadyRecorded if only another with this id or url is known.
        """
        said = source.content()
        refusal = None
        for source_id, content in self._sources_like(source, new):
            fields = [field for field in said if content.get(field) != said[field]]
            if not fields or source_id in cited_before:
                return source_id
            advice = f"cite it as {source_id}, or update it first"
            refusal = refusal or AlreadyRecorded(f"source {source_id}", fields, advice)
        if refusal and (source.source_id or source.url):
            raise refusal
        return None  # at most, other documents of the same title

    def captured_source(self, source: Source) -> str | None:
        """The id of the source whose text is captured: found by id, else url, else title.

        Of those with its title, the one that has this text or none, and does not differ.
        """
        said = {**source.content(), "media_type": None}
        for source_id, content in self._sources_like(source, {}):
            known = {"text_sha256": source.text_sha256, **content, "media_type": None}
            if source.source_id or source.url or known.items() >= said.items():
                return source_id
        return None

    def _sources_like(
        self, source: Source, new: Mapping[str, tuple[str, Source]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Id and content of the sources with this id; without one, this url; else this title."""
        column = "source_id" if source.source_id else "url" if source.url else "title"
        value = getattr(source, column)
        rows = self._connection.execute(
            f"SELECT source_id FROM sources WHERE {column} = ? ORDER BY source_key",  # noqa: S608
            (value,),
        ).fetchall()
        for (source_id,) in rows:
            known = self._held.newest_content(f"source/{source_id}")
            yield source_id, (decode_content(known.payload) if known else None) or {}
        for source_id, (_, other) in new.items():
            if value == (source_id if column == "source_id" else getattr(other, column)):
                yield source_id, other.content()


def _terms(info: Mapping[str, Any]) -> Terms:
    words = info.get("vocabulary", {})
    return Terms(
        *(
            tuple(
                Term(term["code"], term["label"], term.get("definition", ""))
                for term in words.get(field, ())
            )
            for field in Terms._fields
        )
    )
