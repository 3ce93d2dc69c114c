"""Accept entries that were written elsewhere, and append them as they are.

Guarantees: they are held to the rules of the writer, in two layers. The chain: numbers, versions
and times go on, and ids are new. What is said: a payload fits the model of its kind, and has the
form in which it is written here; references lead to something that exists. `ForeignEntries` takes
in an export, and refuses what breaks a rule of either layer. `Following` takes in what a cluster
has stored already: it refuses what breaks the chain, and only tells what is wrong with what is
said, since rules that became stricter must not cut a site off. A payload may be absent only if a
later entry erases it; then it is erased here too.

It cannot check what is not in entries: the texts of sources, and so whether quotes occur in them.
It does not check whether a statement uses the terms of the log's vocabulary or changes anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime

from timeline.errors import ClockBehind, InvalidInput, Refused, TimelineError
from timeline.model import clock
from timeline.model.base import Content
from timeline.model.content import Actor, Annotation, Event, Merge, Said, Source
from timeline.model.log_info import LogInfo
from timeline.model.validation import validate
from timeline.projection import tables
from timeline.projection.folded_content import FoldedContent
from timeline.projection.projector import Projector
from timeline.store import codec, log
from timeline.store.codec import Entry, Payload
from timeline.writing import media, writer
from timeline.writing.append_buffer import AppendBuffer
from timeline.writing.entries import differing, encoded_payload
from timeline.writing.recording_time import MAX_AHEAD
from timeline.writing.resolver import sources_named

_MODELS: dict[str, type[Content]] = {
    "log.opened": LogInfo,
    "log.updated": LogInfo,
    "event.recorded": Event,
    "event.updated": Event,
    "event.corrected": Event,
    "event.merged": Merge,
    "source.recorded": Source,
    "source.updated": Source,
    "source.annotated": Annotation,
    "actor.recorded": Actor,
    "actor.updated": Actor,
    "actor.merged": Merge,
}
"""The model of a payload beside author and reason; all other kinds have no content."""


class ForeignEntries:
    """Takes in the entries of one transaction, which is open, batch by batch.

    `awaiting_erasure` maps the id of each entry without a payload whose entry.erased has not
    been read yet to its `seq`. It is updated here, and must be empty at the end of the export.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        awaiting_erasure: dict[str, int],
        *,
        now: Callable[[], datetime] = clock.now,
        allow_ahead: bool = False,
    ) -> None:
        self._connection = connection
        self._awaiting_erasure = awaiting_erasure
        self._fold_from_here()
        newest = log.newest(connection)
        self._recorded_at = newest.recorded_at if newest else ""
        self._now = clock.utc(now())
        self._latest = None if allow_ahead else clock.utc(clock.parse(self._now) + MAX_AHEAD)
        self._expected: dict[str, tuple[Entry, str]] = {}
        """The events that this batch must bring, each with the entry and field that name it."""
        self._is_stale = False
        """Tells whether all tables have to be made again: they have erased content, or days of
        another time zone than the log's."""
        self.count = 0
        """The number of entries that were accepted."""

    def _fold_from_here(self) -> None:
        self._time_zone = log.time_zone(self._connection)
        self._buffer = AppendBuffer(self._connection, self._projector())

    def _projector(self) -> Projector:
        return Projector(self._connection, self._time_zone)

    def accept(self, entry: Entry) -> None:
        """Check one entry, append it and fold it into the tables.

        Raises InvalidInput with the field that is wrong, and the errors of references to nothing.
        """
        self._check_chain(entry)
        self._buffer.flush_if_held(entry.subject)
        if entry.payload is None:
            self._awaiting_erasure[entry.id] = entry.seq
        else:
            self._check_said(entry, entry.payload)
        erased = self._erased_by(entry) if entry.kind == "entry.erased" else None
        self._buffer.add(entry, codec.payload_of(entry))
        if erased:
            self._buffer.flush()
            writer.empty_entry(self._connection, erased, entry.id)
            self._is_stale = True
        if entry.subject == "log":
            self._buffer.flush()
            self._is_stale |= log.time_zone(self._connection) != self._time_zone
        elif entry.kind == "media.erased":
            self._buffer.flush()
            media.erase_bytes(self._connection, f"sha256:{entry.subject_id}", entry.id)
        self._recorded_at = entry.recorded_at
        self.count += 1

    def end_batch(self) -> None:
        """Check the references to later entries of a batch."""
        for event_id, (entry, field) in self._expected.items():
            if not self._buffer.version(f"event/{event_id}"):
                problem = f'there is no event "{event_id}" up to the end of its batch'
                self._object(entry, InvalidInput(field, problem))
        self._expected.clear()

    def finish(self) -> None:
        """Write what is left before the commit, and make stale tables again.

        Raises InvalidInput if the log does not say any more what it is.
        """
        self._buffer.flush()
        newest = log.newest(self._connection, "log")
        if newest and newest.payload is None:
            problem = "says what the log is, and cannot be absent"
            raise InvalidInput("payload", problem).at(line=newest.seq + 1)
        self._renew_tables()

    def _renew_tables(self) -> None:
        self._buffer.flush()
        if self._is_stale:
            tables.make_anew(self._connection)
            self._fold_from_here()
            self._is_stale = False

    def _object(self, entry: Entry, error: TimelineError) -> None:
        """Take note of what is wrong with what an entry says."""
        raise error.at(line=entry.seq + 1)

    # --- The chain ----------------------------------------------------------------------------

    def _check_chain(self, entry: Entry) -> None:
        if entry.seq != self._buffer.size:
            raise Refused("somebody else appends to this file: it is no copy any more")
        if (entry.kind == "log.opened") != (entry.seq == 0):
            problem = "a log begins with log.opened, once; an export with filters is part of one"
            raise InvalidInput("envelope.kind", problem)
        if known := self._buffer.entry_by_id(entry.id):
            raise InvalidInput("envelope.id", f"is the id of entry {known.seq} already")
        following = self._buffer.version(entry.subject) + 1
        if entry.version != following:
            problem = f"must be {following}, the next of {entry.subject}"
            raise InvalidInput("envelope.version", problem)
        what, _, verb = entry.kind.partition(".")
        if what not in ("log", "entry", "media") and (verb == "recorded") != (entry.version == 1):
            raise InvalidInput("envelope.kind", f"must be {what}.recorded in version 1 alone")
        if entry.kind == "event.recorded" and entry.reported_at is None:
            raise InvalidInput("envelope.reported_at", "is required of event.recorded")
        self._check_time(entry)

    def _check_time(self, entry: Entry) -> None:
        if entry.recorded_at < self._recorded_at:
            problem = f"lies before {self._recorded_at}, when the entry before was recorded"
            raise InvalidInput("envelope.recorded_at", problem)
        if self._latest and entry.recorded_at > self._latest:
            raise ClockBehind(entry.recorded_at, self._now)

    # --- What is said -------------------------------------------------------------------------

    def _check_said(self, entry: Entry, payload: str) -> None:
        """Check a payload and its references; tables that are stale do not count against it."""
        problem = self._problem(entry, payload)
        if problem and self._is_stale:
            self._renew_tables()
            problem = self._problem(entry, payload)
        if problem:
            self._object(entry, problem)

    def _problem(self, entry: Entry, payload: str) -> TimelineError | None:
        try:
            self._check_content(entry, payload)
        except InvalidInput as error:
            field = f"payload.{error.field}" if error.field else "payload"
            return InvalidInput(field, error.problem)
        except TimelineError as error:
            return error
        return None

    def _check_content(self, entry: Entry, payload: str) -> None:
        fields = codec.decode_payload(payload)
        said = validate(Said, {key: fields.get(key) for key in codec.NO_CONTENT})
        content = validate(_MODELS.get(entry.kind, Content), codec.content_of(fields))
        written = encoded_payload(entry.kind, said, content.content())
        if written != payload:
            field = next(iter(differing(fields, codec.decode_payload(written))), "")
            raise InvalidInput(field, "is not in the form in which a Timeline writes it")
        match content:
            case Event():
                self._check_event(entry, content)
            case LogInfo():
                writer.check_time_zone(content)
                if content.origin != log.info(self._connection).get("origin", content.origin):
                    raise InvalidInput("origin", "cannot change")
            case Merge():
                what = entry.subject.partition("/")[0]
                self._buffer.check_merge(entry.subject, f"{what}/{content.into}")
            case _:
                pass

    def _check_event(self, entry: Entry, event: Event) -> None:
        """Check the references of an event; end_batch checks those to later events."""
        for field, source_id in sources_named(event):
            if source_id is None:
                raise InvalidInput(field, "is required: a source has an entry of its own")
            if not self._buffer.version(f"source/{source_id}"):
                raise InvalidInput(field, f'there is no source "{source_id}" before it')
        for number, relation in enumerate(event.relations):
            field = f"relations.{number}.event_id"
            if relation.origin:
                if relation.origin == log.info(self._connection).get("origin"):
                    raise InvalidInput(f"relations.{number}.origin", "is the log itself")
                continue
            if relation.event_id == entry.subject_id:
                raise InvalidInput(field, "an event cannot relate to itself")
            if not self._buffer.version(f"event/{relation.event_id}"):
                self._expected.setdefault(relation.event_id, (entry, f"payload.{field}"))
        for external_id in event.external_ids:
            owner = self._buffer.owner_of((external_id,))
            if owner not in (None, entry.subject_id):
                raise InvalidInput("external_ids", f"{external_id} belongs to event {owner}")
        self._buffer.claim(event.external_ids, entry.subject_id)

    def _erased_by(self, entry: Entry) -> Entry | None:
        """Return the entry that this one erases, if it has a payload here."""
        erased = self._buffer.entry_by_id(entry.subject_id)
        if erased is None:
            problem = f'there is no entry "{entry.subject_id}" before it'
            raise InvalidInput("envelope.subject", problem)
        is_absent = erased.payload is None or erased.id in self._awaiting_erasure
        if not is_absent:
            self._check_present(erased)
        self._awaiting_erasure.pop(erased.id, None)
        return erased if erased.payload is not None else None

    def _check_present(self, erased: Entry) -> None:
        """Raise InvalidInput for an entry that is erased, and has its payload in the export."""
        problem = f"entry {erased.seq}, which it erases, has its payload still"
        raise InvalidInput("envelope.subject", problem)


class Following(ForeignEntries):
    """Takes in what a cluster has stored, message by message, in one transaction, which is open.

    `note` is called with an entry and what is wrong with what it says; it is taken in all the same.
    `awaiting_erasure` may hold entries when the transaction ends: give it to the next one. Without
    `folds`, entries are appended and not folded, for tables of another version; an erasure makes
    such tables again. Nothing is asked of clocks.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        awaiting_erasure: dict[str, int],
        *,
        note: Callable[[Entry, str], object],
        folds: bool = True,
    ) -> None:
        self._note = note
        self._folds = folds
        self._is_first = True
        """Tells whether the next entry is the first of its message."""
        super().__init__(connection, awaiting_erasure, allow_ahead=True)

    def accept_batch(self, entries: Iterable[Entry]) -> None:
        """Take in the entries of one message, all of which were recorded at one time.

        Raises Refused for an entry that does not follow on those before it, or cannot be folded,
        and TooNew.
        """
        self._is_first = True
        for entry in entries:
            try:
                self.accept(entry)
            except InvalidInput as error:
                raise Refused(f"entry {entry.seq}: {error}") from error
            self._is_first = False
        self.end_batch()

    def finish(self) -> None:
        """Write what is left before the commit, and make stale tables again."""
        self._renew_tables()

    def _projector(self) -> Projector:
        if self._folds:
            return _Naming(self._connection, self._time_zone)
        return _Idle(self._connection, self._time_zone, withdrawn=())

    def _object(self, entry: Entry, error: TimelineError) -> None:
        self._note(entry, str(error))

    def _check_time(self, entry: Entry) -> None:
        if self._is_first and entry.recorded_at <= self._recorded_at:
            problem = f"must be later than {self._recorded_at}, the time of the message before"
            raise InvalidInput("envelope.recorded_at", problem)
        if not self._is_first and entry.recorded_at != self._recorded_at:
            problem = f"must be {self._recorded_at}, as in all entries of its message"
            raise InvalidInput("envelope.recorded_at", problem)

    def _check_said(self, entry: Entry, payload: str) -> None:
        if self._folds:
            super()._check_said(entry, payload)

    def _check_present(self, erased: Entry) -> None:
        """Accept it: the node has the payload, which is taken out now."""


class _Naming(Projector):
    """Folds entries, and names the entry that cannot be folded: no check came before."""

    _newest = 0

    def apply(
        self, entry: Entry, payload: Payload | None = None, rows: FoldedContent | None = None
    ) -> None:
        """Fold one entry. Raises Refused if that is not possible."""
        self._newest = entry.seq
        try:
            super().apply(entry, payload, rows)
        except _UNFOLDABLE as error:
            raise _refusal(f"entry {entry.seq}", error) from error

    def flush(self) -> None:
        """Insert all rows that were held back. Raises Refused if that is not possible."""
        try:
            super().flush()
        except _UNFOLDABLE as error:
            raise _refusal(f"an entry up to {self._newest}", error) from error


class _Idle(Projector):
    """Leaves the tables as they are."""

    def apply(
        self, entry: Entry, payload: Payload | None = None, rows: FoldedContent | None = None
    ) -> None:
        """Fold nothing. Raises TooNew."""
        codec.check_version(entry.seq, entry.envelope)

    def flush(self) -> None:
        """Insert nothing."""


_UNFOLDABLE = (
    *(AttributeError, LookupError, TypeError, ValueError, ArithmeticError),
    *(sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
)
"""What the fold raises for a payload that no model would accept."""


def _refusal(what: str, error: Exception) -> TimelineError:
    if isinstance(error, TimelineError):
        return error
    return Refused(f"{what} cannot be put into the tables: {error!r}")
