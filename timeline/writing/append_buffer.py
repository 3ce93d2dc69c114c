"""Hold back the entries of an append, and answer for the log as if they were in it already.

Guarantees: it sees what the append itself has added so far, though entries and rows are inserted
only by the thousand, table by table. It answers questions, and adds what it is given; other
modules decide what may be added.

These are all the caches on the way of an append. Each begins empty with the append and ends with
it, except `entries._about`.

    cache                        holds                          filled by        emptied by
    AppendBuffer._entries        entries not in the log yet     add              flush
    AppendBuffer._ids            the ids of these entries       add              flush
    AppendBuffer._waiting        entries not folded yet         add              _project
    AppendBuffer._external_ids   their events by external id    claim            flush
    AppendBuffer._versions       newest version by subject      version          add: its subject;
                                                                                 version: at 1,000
    AppendBuffer._sources        sources by id, url or title    sources; add: a  add: an entry but
                                                                new source       of an event or a
                                                                                 new source;
                                                                                 sources: at 10,000
    Projector._rows              rows not in the tables yet     apply            flush
    Projector._events            the events with such rows      apply            flush
    Projector._named             the actors in such rows        apply            flush
    Actors._known                actors by id and name          actor_for        fold,
                                                                                 forget_unnamed
    Entries._asked_ids           the range of the next new ids  _new_id          the next range
    Entries._taken_ids           ids in it that are taken       _new_id,         the next range
                                                                _add_payload
    VocabularyCodes._code        codes by field and word        of               update_log; LRU of
                                                                                 1,024
    ManyEvents._cited            ids of sources by what a       record_prepared  an entry that it
                                 statement says of them                          did not add; 10,000
    ManyEvents._notes_by_sources notes by the sources cited     record_prepared  as _cited
    Quotations._text             captured texts by SHA-256      checked          LRU of 8
    Quotations._text_sha256      SHA-256 by source and version  checked          LRU of 1,000
    entries._about               what a log says of itself      Entries          LRU of 4; kept for
                                                                                 the process

`flush` here also calls `_project` and `Projector.flush`; the projector flushes itself after 1,000
versions, and before it reads tables that have rows waiting.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from timeline.errors import Conflict, InvalidInput, NotFound, NothingChanged, Refused
from timeline.model.limits import ID
from timeline.model.terms import KnownTerms
from timeline.projection import facet_segments, fold
from timeline.projection.folded_content import FoldedContent
from timeline.projection.projector import Projector
from timeline.store import log
from timeline.store.appender import Appender
from timeline.store.codec import Entry, Payload, decode_content

_BATCH = 1_000
"""The number of entries that are held back."""
_MICRO_BATCH = 16
"""New events that are folded together, as they are validated together."""
_SOURCES_AT_HAND = 10_000
_FEW = 2_000
"""The number of entries up to which indexes are made again in a moment."""
_ID_RANGES = """
    SELECT id FROM log WHERE id >= :first AND id < :end
    UNION ALL SELECT substr(subject, 7) FROM log
        WHERE subject >= 'event/' || :first AND subject < 'event/' || :end
    UNION ALL SELECT substr(subject, 8) FROM log
        WHERE subject >= 'source/' || :first AND subject < 'source/' || :end
    UNION ALL SELECT substr(subject, 7) FROM log
        WHERE subject >= 'actor/' || :first AND subject < 'actor/' || :end
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Says how the newest entry of a subject left it; `content` is None if it was erased."""

    version: int
    state: str
    content: dict[str, Any] | None


class AppendBuffer:
    """Holds back the entries of an append, and answers questions as if they were in the log."""

    def __init__(self, connection: sqlite3.Connection, projector: Projector) -> None:
        self._connection = connection
        self._projector = projector
        self._log = Appender(connection)
        self._entries: dict[str, Entry] = {}
        """The entries that are held back, by subject."""
        self._ids: set[str] = set()
        """The entry ids in self._entries."""
        self._waiting: list[tuple[Entry, Payload, FoldedContent | None]] = []
        """The entries in self._entries that are not folded yet."""
        self._external_ids: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        """The newest versions of other subjects that were asked for lately."""
        self._sources: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}

    @property
    def size(self) -> int:
        """Return the `seq` of the next entry, after those of the log and those held back here."""
        return self._log.size + len(self._entries)

    def add(self, entry: Entry, payload: Payload, rows: FoldedContent | None = None) -> None:
        """Append an entry, whose payload is `payload`, and fold it into the tables.

        With the `rows` of its content, that content may be missing in the payload.
        """
        what, _, key = entry.subject.partition("/")
        if entry.subject in self._entries or what not in ("event", "source"):
            self.flush()
        self._entries[entry.subject] = entry
        self._ids.add(entry.id)
        self._versions.pop(entry.subject, None)
        if entry.kind == "source.recorded":
            said = payload.content or {}
            for named in ("source_id", key), ("url", said.get("url")), ("title", said.get("title")):
                if named in self._sources:
                    self._sources[named].append((key, said))
        elif what != "event":
            self._sources.clear()
        self._waiting.append((entry, payload, rows))
        is_new = entry.kind == "event.recorded"  # the tables may be read after any other entry
        # The last entry of a segment is folded from the log, so it must be in the log then.
        if facet_segments.is_last(entry.seq) or len(self._entries) >= _BATCH:
            self.flush()
        elif not is_new or len(self._waiting) >= _MICRO_BATCH:
            self._project()

    def _project(self) -> None:
        for entry, payload, rows in self._waiting:
            self._projector.apply(entry, payload, rows)
        self._waiting.clear()

    def flush(self) -> None:
        """Write everything that is held back, so that the log and the tables can be read."""
        if not self._entries:
            return
        self._log.append(*self._entries.values())
        self._project()
        self._projector.flush()
        self._entries.clear()
        self._ids.clear()
        self._external_ids.clear()

    def make_indexes_late(self) -> None:
        """Drop the indexes of small tables, since many new events come; `make_indexes` follows."""
        if self.size < _FEW:
            self._projector.indexes.drop()

    def make_indexes(self) -> None:
        """Make the indexes that are missing, if any are."""
        self._projector.indexes.make()

    def version(self, subject: str) -> int:
        """Return the newest version of a subject; 0 if there is no such subject."""
        if held := self._entries.get(subject):
            return held.version
        known = self._versions.get(subject)
        if known is None:
            if len(self._versions) >= _BATCH:
                self._versions.clear()
            (known,) = self._connection.execute(
                "SELECT coalesce(max(version), 0) FROM log WHERE subject = ?", (subject,)
            ).fetchone()
            self._versions[subject] = known
        return known

    def suppose(self, subject: str) -> None:
        """Answer from now on as if the log had this subject; for statements that are only tried."""
        self._versions[subject] = self.version(subject) or 1

    def ids(self, first: str, end: str) -> set[str]:
        """Return the ids from `first` up to `end` that an entry, event, source or actor has."""
        self.flush()
        between = {"first": first, "end": end}
        return {found for (found,) in self._connection.execute(_ID_RANGES, between)}

    def entry_by_id(self, entry_id: str) -> Entry | None:
        """Return the entry with this id; None if there is none."""
        if entry_id in self._ids:
            self.flush()
        return log.entry_by_id(self._connection, entry_id)

    def standing(self, subject: str, expect: int | None = None) -> Standing:
        """Return how a subject stands now. Raises NotFound, or Conflict at another version."""
        what, _, key = subject.partition("/")
        version = self.version(subject) if re.fullmatch(ID, key) else 0
        if not version:
            raise NotFound(what, key)
        if expect is not None and expect != version:
            raise Conflict(subject_in_words(subject), expect, version)
        self.flush_if_held(subject)
        state = "current"
        if what != "actor":
            (state,) = self._connection.execute(
                f"SELECT state FROM {what}s WHERE {what}_id = ?",  # noqa: S608
                (key,),
            ).fetchone()
        if state == "erased":
            state = self._last_state(subject)
        newest = self.newest_content(subject)
        return Standing(version, state, decode_content(newest.payload) if newest else None)

    def _last_state(self, subject: str) -> str:
        """Return the state of a subject after all its entries, whether they are erased or not."""
        kinds = self._connection.execute(
            "SELECT kind FROM log WHERE subject = ? ORDER BY version", (subject,)
        )
        return fold.state_of(kind for (kind,) in kinds)

    def newest_content(self, subject: str) -> Entry | None:
        """Return the newest entry of a subject that gives content."""
        return self.contents(subject, "DESC")

    def contents(self, subject: str, order: str, before: int = 2**53) -> Entry | None:
        """Return the first entry of a subject, in this order of versions, that gives content."""
        self.flush_if_held(subject)
        row = self._connection.execute(
            f"SELECT {log.COLUMNS} FROM log WHERE subject = ? AND version < ?"  # noqa: S608
            " AND (kind GLOB '*.recorded' OR kind GLOB '*.updated' OR kind GLOB '*.corrected')"
            f" ORDER BY version {order} LIMIT 1",
            (subject, before),
        ).fetchone()
        return Entry._make(row) if row else None

    def content_before(self, entry: Entry) -> dict[str, Any]:
        """Return the content of the subject of an entry before that entry."""
        before = self.contents(entry.subject, "DESC", entry.version)
        return (decode_content(before.payload) if before else None) or {}

    def sources(self, column: str, value: str) -> list[tuple[str, dict[str, Any]]]:
        """Return id and content of the sources that have this `source_id`, `url` or `title`."""
        named = column, value
        if named not in self._sources:
            if len(self._sources) >= _SOURCES_AT_HAND:
                self._sources.clear()
            found = self._connection.execute(
                f"SELECT source_id FROM sources WHERE {column} = ? ORDER BY source_key",  # noqa: S608
                (value,),
            ).fetchall()
            self._sources[named] = [
                (source_id, decode_content(known.payload) or {} if known else {})
                for (source_id,) in found
                for known in (self.newest_content(f"source/{source_id}"),)
            ]
        return self._sources[named]

    def flush_if_held(self, subject: str) -> None:
        """Write everything that is held back, if an entry of this subject is."""
        if subject in self._entries:
            self.flush()

    def owner_of(self, external_ids: Iterable[str]) -> str | None:
        """Return the id of the event that has one of these external ids; None if none has."""
        for external_id in external_ids:
            if external_id in self._external_ids:
                return self._external_ids[external_id]
            row = self._connection.execute(
                "SELECT event_id FROM event_external_ids WHERE external_id = ?", (external_id,)
            ).fetchone()
            if row:
                return str(row[0])
        return None

    def check_merge(self, subject: str, into: str) -> None:
        """Raise an error unless both subjects exist and a merge of them would not make a circle.

        Raises NotFound, Refused for a circle, NothingChanged if they are merged already.
        """
        self.flush()
        self.standing(into)
        what, _, key = subject.partition("/")
        first = step = into.partition("/")[2]
        while step != key:
            following = self._merged_into(what, step)
            if not following:
                break
            step = following
        else:
            raise Refused(
                f"{subject_in_words(into)} leads back to {key}: a merge cannot go in a circle"
            )
        if self._merged_into(what, key) == first:
            raise NothingChanged(subject_in_words(subject))

    def _merged_into(self, what: str, key: str) -> str | None:
        row = self._connection.execute(
            f"SELECT merged_into FROM {what}s WHERE {what}_id = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return row[0] if row else None

    def check_terms_in_use(self, known: KnownTerms) -> None:
        """Raise InvalidInput for a vocabulary that lacks a term which an event uses now."""
        self.flush()
        for terms, what, used in (
            (known.event_types, "event type", "SELECT DISTINCT event_type FROM events"),
            (known.modes, "mode", "SELECT DISTINCT mode FROM events"),
            (
                known.contexts,
                "context",
                "SELECT DISTINCT value FROM events, json_each(events.contexts)",
            ),
        ):
            codes = {None, *(term.code for term in terms)}
            for (code,) in self._connection.execute(used) if terms else ():
                if code not in codes:
                    raise InvalidInput("vocabulary", f'lacks the {what} "{code}", which is in use')

    def claim(self, external_ids: Iterable[str], event_id: str) -> None:
        """Note that an event of this append has these external ids."""
        self._external_ids.update(dict.fromkeys(external_ids, event_id))


def subject_in_words(subject: str) -> str:
    """Return "event odesa-visit" for the subject event/odesa-visit."""
    return subject.replace("/", " ", 1)
