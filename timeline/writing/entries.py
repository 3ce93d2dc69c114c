"""Add the entries of one append: give each its time, its id and its receipt.

Guarantees: the entries of one append share one `recorded_at`, later than every one before. Ids and
versions are used once. The same statement sent twice is added once. Log and projection change
together. `event_entries`, `source_entries` and `writer` decide which statements are accepted.
"""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from timeline.errors import AlreadyRecorded, InvalidInput
from timeline.model import clock, field_paths, time_zones
from timeline.model.content import SAME_REPORT, Event, Said
from timeline.model.invisible import deceiving
from timeline.model.limits import ID
from timeline.model.terms import KnownTerms, known_terms
from timeline.model.validation import validate
from timeline.projection.folded_content import FoldedContent
from timeline.projection.projector import Projector
from timeline.store import codec, log
from timeline.store.codec import Entry, Payload
from timeline.store.files import file_hashes
from timeline.writing.append_buffer import AppendBuffer
from timeline.writing.one_form import check_seen, comparable
from timeline.writing.receipt import Receipt, new_receipt, receipt_of
from timeline.writing.recording_time import RecordingTime
from timeline.writing.resolver import Resolver

NO_WORDS = Said.model_construct()
"""A `Said` without author, reason and time of report. It is not validated, as that would build
the model at the start of every program."""

_ID_WINDOW = 60_000_000
"""The time, in microseconds, by which new ids may be ahead of the clock."""
_IDS = 1_000
"""The number of new ids for which one query finds out whether they are taken."""
_NEEDS_REASON = frozenset(
    ("event.corrected", "event.retracted", "source.withdrawn", "entry.erased", "media.erased")
)


class Entries:
    """Adds the entries of one append, in the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection, time: RecordingTime) -> None:
        self._connection = connection
        about = log.newest(connection, "log")
        self._info, terms = _about(about.payload if about else None)
        self._time = time
        self._recorded_at = clock.utc(time.moment)
        self._note = time.note
        self._zone_of_tables = self._time_zone
        self._buffer = AppendBuffer(connection, Projector(connection, self._zone_of_tables))
        self._next_id = self._first_free_id()
        self._asked_ids = ("", "")
        self._taken_ids: set[str] = set()
        self._resolver = Resolver(connection, self._buffer, terms, self._new_id)
        self.kept_texts: list[str] = []
        """The SHA-256 of each text of a source that this append keeps and the file lacked."""
        self.kept_files: list[str] = []
        """The SHA-256 of each attached file that this append keeps and the file lacked."""
        self.at_commit: Callable[[], object] = lambda: None
        """What is called right before the commit: from then on the append may be kept."""

    def finish(self) -> None:
        """Check and write what is left at the end of the append; `writer.appending` calls it."""
        self._buffer.flush()
        self._buffer.make_indexes()

    def settled(self) -> sqlite3.Connection:
        """Write what is held back, and return the connection, on which the tables show it.

        Whoever reads there in a dry run sees what would be.
        """
        self._buffer.flush()
        return self._connection

    def receipt(self, entry_id: str) -> Receipt | None:
        """Return the receipt of the entry with this id; None if there is none."""
        known = self._known_entry(entry_id)
        return receipt_of(known) if known else None

    def _add(
        self,
        kind: str,
        subject: str,
        content: dict[str, Any],
        said: Said,
        entry_id: str | None = None,
    ) -> Receipt:
        """Append one entry and fold it into the tables."""
        payload = self._payload(kind, subject, said, content)
        return self._add_payload(kind, subject, content, payload, said, entry_id or self._new_id())

    def _payload(self, kind: str, subject: str, said: Said, content: Mapping[str, Any]) -> str:
        """Return the payload of an entry. Raises InvalidInput.

        A line that the version before lacks may have no character that changes what is seen.
        """
        payload = encoded_payload(kind, said, content)
        if not payload.isascii() and deceiving(payload):
            newest = self._buffer.newest_content(subject)
            before = codec.decode_content(newest.payload) if newest else None
            check_seen({"author": said.author, **content}, before)
        return payload

    def _add_payload(
        self,
        kind: str,
        subject: str,
        content: dict[str, Any],
        payload: str,
        said: Said,
        entry_id: str,
        notes: tuple[str, ...] = (),
        rows: FoldedContent | None = None,
    ) -> Receipt:
        """Append one entry with a payload that `_payload` has made already.

        With the `rows` of its content, `content` is only what `Prepared.told` has of it.
        If the log is far ahead of the clock, the first entry of an append is one that says so.
        """
        if note := self._note:
            self._note = None
            self._add("log.updated", "log", self._info, validate(Said, {"reason": note}))
        entry = self._encoded(kind, subject, content, payload, said, entry_id)
        parts = Payload(said.author, said.reason, said.proposed_by, content)
        self._buffer.add(entry, parts, rows)
        first, end = self._asked_ids
        self._taken_ids.update(
            given for given in (entry_id, entry.subject_id) if first <= given < end
        )
        return new_receipt(entry, content, notes)

    def _encoded(
        self,
        kind: str,
        subject: str,
        content: Mapping[str, Any],
        payload: str,
        said: Said,
        entry_id: str,
    ) -> Entry:
        """Return the next entry of a subject; adds nothing."""
        return codec.encode(
            seq=self._buffer.size,
            id=entry_id,
            kind=kind,
            subject=subject,
            version=self._buffer.version(subject) + 1,
            recorded_at=self._recorded_at,
            reported_at=self._reported_at(kind, said),
            payload=payload,
            v=2 if said.proposed_by else codec.format_of(kind, content),
        )

    def _reported_at(self, kind: str, said: Said) -> str | None:
        """Return the date of the report that an entry states; None keeps that of before.

        If none is given it is the day of the clock, also if the log is ahead of it. Entries that
        are no reports have a date only if one is given.
        """
        if said.reported_at == SAME_REPORT:
            return None
        is_report = kind.startswith("event.") or kind in ("source.withdrawn", "source.reinstated")
        if said.reported_at or not is_report:
            return said.reported_at
        return clock.day_in(self._time.clock, self._time_zone)

    @property
    def info(self) -> dict[str, Any]:
        """Return what the log says about itself, with the changes of this append."""
        return self._info

    @property
    def has_new_zone(self) -> bool:
        """Tell whether this append changed the time zone: the tables have the old one."""
        return self._time_zone != self._zone_of_tables

    @property
    def _time_zone(self) -> str:
        return time_zones.known(str(self._info.get("time_zone", "UTC")))

    def _first_free_id(self) -> int:
        """Return the number of the next id: the time, or the number after an id made ahead of it.

        A large append makes ids faster than microseconds pass.
        """
        first = microseconds(self._time.moment)
        made = self._connection.execute(
            "SELECT id FROM log WHERE id >= ? AND id < ? AND length(id) = 11 ORDER BY id DESC",
            (codec.encode_id(first), codec.encode_id(first + _ID_WINDOW)),
        )
        for (entry_id,) in made:
            if (number := codec.decode_id(entry_id)) is not None:
                return number + 1
        return first

    def _new_id(self) -> str:
        """Make an id that no entry, event, source or actor has."""
        while True:
            entry_id = codec.encode_id(self._next_id)
            if entry_id >= self._asked_ids[1]:
                self._asked_ids = entry_id, codec.encode_id(self._next_id + _IDS)
                self._taken_ids = self._buffer.ids(*self._asked_ids)
            self._next_id += 1
            if entry_id not in self._taken_ids:
                return entry_id

    def _known_entry(self, entry_id: str) -> Entry | None:
        if not re.fullmatch(ID, entry_id):
            raise InvalidInput("entry_id", "must be 3 to 64 characters of a-z, 0-9, - and _")
        return self._buffer.entry_by_id(entry_id)

    def _same_entry(
        self, known: Entry, kind: str, subject: str, said: Callable[[], Event | dict[str, Any]]
    ) -> Receipt:
        """Return the first receipt if the entry has the same content.

        Raises AlreadyRecorded if it has another content.
        """
        fields = [
            *(["kind"] if known.kind != kind else []),
            *(["subject"] if known.subject != subject else []),
        ]
        if not fields:
            before, now = codec.decode_content(known.payload), said()
            if isinstance(now, Event):
                cited = (before or {}).get("citations", ())
                source_ids = {citation["source_id"] for citation in cited}
                files = file_hashes(before)
                now = self._resolver.resolved(now, source_ids, cited, files_before=files).content
            fields = differing(comparable(before), comparable(now))
        if fields:
            raise AlreadyRecorded(f"entry {known.id}", fields, "use another entry id")
        return receipt_of(known)


@functools.lru_cache(maxsize=4)
def _about(payload: str | None) -> tuple[dict[str, Any], KnownTerms]:
    """Return what a log says about itself, and its terms; the same payload is read once."""
    info = codec.decode_content(payload) or {}
    return info, known_terms(info.get("vocabulary", {}))


def encoded_payload(kind: str, said: Said, content: Mapping[str, Any]) -> str:
    """Return the payload of an entry. Raises InvalidInput if a reason is needed and missing."""
    if kind in _NEEDS_REASON and not said.reason:
        raise InvalidInput("reason", "is required: say in a few words why")
    return codec.encode_payload(said.author, said.reason, content, said.proposed_by)


def fields_changed(
    field: str, key: str, content: Mapping[str, Any], changes: field_paths.Changes
) -> dict[str, Any]:
    """Return the content after changes by path; its own id, in `field`, may not change."""
    fields = field_paths.changed(content, changes)
    if fields.get(field, key) != key:
        raise InvalidInput(field, f"cannot change: this is {key}")
    return {**fields, field: key}


def differing(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """Return the top-level fields in which two contents differ."""
    return [
        field
        for field in dict.fromkeys((*new, *(old or {})))
        if (old or {}).get(field) != new.get(field)
    ]


def microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
