"""Record many events, one after the other, and quicker than one by one.

Guarantees: what is recorded is what `record` would record, in the order of the input. An error is
raised when its statement has its turn.

The first statements are taken and validated some ahead. Behind them another process prepares
statements, if there is a processor for it: `prepared` says what it makes, and what it leaves to
`record`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from timeline.errors import TimelineError
from timeline.model.content import Event, Said, Source
from timeline.model.validation import validate
from timeline.writing.entries import NO_WORDS
from timeline.writing.event_entries import EventEntries
from timeline.writing.event_statement import InputPlace, Placed, validated
from timeline.writing.receipt import Receipt
from timeline.writing.recording_time import RecordingTime
from timeline.writing.resolver import Brought

if TYPE_CHECKING:
    from timeline.writing.prepared import Prepared, Setting

_ALONE = 500
"""The number of statements that one process records as quickly as two: starting the other one
takes about as long."""
_CITED_AT_HAND = 10_000


class ManyEvents(EventEntries):
    """Records many events; `Append` inherits it."""

    def __init__(self, connection: sqlite3.Connection, time: RecordingTime) -> None:
        super().__init__(connection, time)
        self._cited: dict[str, str] = {}
        """The ids of sources by what statements say of them, as in `Prepared.sources`."""
        self._notes_by_sources: dict[tuple[str, ...], tuple[str, ...]] = {}
        """What `_notes_on_origins` said of these sources."""
        self._known_size = 0
        """The number of entries for which the two hold."""

    def record_each(
        self, events: Iterable[Event | Mapping[str, Any]], said: Said = NO_WORDS
    ) -> Iterator[Receipt]:
        """Record many events, one after the other, and yield their receipts as they come.

        This is quicker than `record` for each: statements are taken and validated ahead, some
        thousands of them by another process. An error is raised when its statement has its turn.
        """
        return self.record_placed(((InputPlace(), event) for event in events), said)

    def record_placed(self, events: Iterable[Placed], said: Said = NO_WORDS) -> Iterator[Receipt]:
        """Record many events as `record_each` does; an error says the place of its statement."""
        waiting = iter(events)
        yield from self._recorded(validated(islice(waiting, _ALONE)), said)
        if following := next(waiting, None):
            yield from self._recorded_with_help(itertools.chain([following], waiting), said)

    def _recorded(self, events: Iterable[Placed], said: Said) -> Iterator[Receipt]:
        for place, event in events:
            try:
                receipt = self.record(event, said)
            except TimelineError as error:
                error.at(line=place.line, item=place.item)
                raise
            yield receipt

    def _recorded_with_help(self, events: Iterator[Placed], said: Said) -> Iterator[Receipt]:
        """Record events of which another process prepares the most."""
        from timeline.store import helper_process  # not loaded for a few statements
        from timeline.writing.statement_chunks import held, prepared_chunks

        if not helper_process.is_possible():
            yield from self._recorded(validated(events), said)
            return
        self._buffer.make_indexes_late()
        resolver = self._resolver
        chunks = prepared_chunks(held(events, self._is_known), self.setting(said))
        with contextlib.closing(chunks):
            for chunk in chunks:
                for each in chunk:
                    # The log may have other words by now.
                    prepared = each.prepared if self._resolver is resolver else None
                    receipt = self.record_prepared(prepared) if prepared else None
                    if receipt:
                        yield receipt
                    else:
                        yield from self._recorded([(each.key, each.statement())], said)
        self._buffer.make_indexes()

    def setting(self, said: Said) -> Setting:
        """Return for what statements are prepared that this append records, with these words."""
        from timeline.writing.prepared import Setting, words_of

        return Setting(self._info, words_of(said), self._zone_of_tables)

    def _is_known(self, event_id: object) -> bool:
        return isinstance(event_id, str) and self.has("event", event_id)

    def record_prepared(self, prepared: Prepared) -> Receipt | None:
        """Record a statement that was prepared; return None if it has to take the ordinary way."""
        event_id, rows = prepared.event_id, prepared.rows
        if self.repeatable or self._note or (event_id and self.has("event", event_id)):
            return None
        if rows.external_ids and self._buffer.owner_of(rows.external_ids):
            return None
        brought: Brought = {}
        source_ids = self._source_ids(prepared.sources, brought)
        if source_ids is None:
            return None
        entry_id = self._new_id()
        event_id = event_id or entry_id
        said = prepared.said
        self._bring(brought, said)
        notes = prepared.notes
        if prepared.is_corroborated:
            notes += self._on_origins(source_ids)
        self._buffer.claim(rows.external_ids, event_id)
        self.names.update(dict.fromkeys(prepared.names))
        self.notes.extend(f"{event_id}: {note}" for note in notes)
        receipt = self._add_payload(
            "event.recorded",
            f"event/{event_id}",
            prepared.told,
            prepared.with_source_ids(source_ids),
            said,
            entry_id,
            notes,
            rows.with_source_ids(source_ids),
        )
        self._cited.update(zip(prepared.sources, source_ids, strict=True))
        self._known_size = self._buffer.size
        return receipt

    def _source_ids(self, sources: Iterable[str], brought: Brought) -> tuple[str, ...] | None:
        """Return the ids of cited sources; a new one is put into `brought`. None if one is wrong.

        What was found before is found again, until an entry comes that is not added here.
        """
        if self._buffer.size != self._known_size or len(self._cited) > _CITED_AT_HAND:
            self._cited.clear()
            self._notes_by_sources.clear()
        found = []
        for source in sources:
            source_id = self._cited.get(source) or self._source_id(source, brought)
            if source_id is None:
                return None
            found.append(source_id)
        return tuple(found)

    def _source_id(self, source: str, brought: Brought) -> str | None:
        if not source.startswith("{"):
            return source if self.has("source", source) else None
        try:
            return self._resolver.source_id(validate(Source, json.loads(source)), brought)
        except TimelineError:
            return None

    def _on_origins(self, source_ids: tuple[str, ...]) -> tuple[str, ...]:
        notes = self._notes_by_sources.get(source_ids)
        if notes is None:
            notes = self._notes_by_sources[source_ids] = self._notes_on_origins(source_ids)
        return notes
