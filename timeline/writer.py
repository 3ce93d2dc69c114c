"""The writer: the rules by which a statement becomes an entry, and the only way in.

Guarantees: an append is whole or absent. Its entries share one `recorded_at`, later than
every one before; ids and versions are used once; a reference points to something that is
there; an update that changes nothing is refused; asking twice for the same thing adds it
once. Log and projection change in one transaction under the write lock.

Readers never come here: `query` answers them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from timeline import clock, codec, fold, log, paths, projection, schema
from timeline.codec import Entry
from timeline.errors import (
    AlreadyRecorded,
    ClockBehind,
    InvalidInput,
    InvalidValue,
    NotFound,
    NothingChanged,
    Refused,
)
from timeline.fields import ID_PATTERN
from timeline.holdings import Holdings, spoken
from timeline.model import (
    Actor,
    Annotation,
    Content,
    Event,
    LogInfo,
    Merge,
    Said,
    Source,
    Statement,
)
from timeline.projector import Projector
from timeline.resolver import Resolved, Resolver
from timeline.terms import Terms, plover
from timeline.validation import validate

if TYPE_CHECKING:
    from timeline import texts
    from timeline.article import Document

__all__ = ["Append", "Receipt", "appending", "create_log"]

_MAX_AHEAD = timedelta(seconds=60)
_ID_WINDOW = 60_000_000
"""Microseconds: ids are never made further ahead of the time."""
_MODELS: dict[str, type[Content]] = {"event": Event, "source": Source, "actor": Actor}
_ADVICE = "use timeline update (the story moved on) or timeline correct (we were wrong)"
_NEEDS_REASON = frozenset(
    ("event.corrected", "event.retracted", "source.withdrawn", "entry.erased")
)
_NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one statement."""

    kind: str
    """Such as "event.recorded"."""
    subject: str
    """Such as "event/odesa-talks"."""
    entry_id: str
    seq: int
    """The number of the entry: #41 is a form to cite."""
    version: int
    """Of the subject, from 1."""
    recorded_at: str
    """UTC, ISO 8601, microseconds."""
    occurred: str | None = None
    """EDTF: the date as it was understood, of an event."""
    unchanged: bool = False
    """True if the log said so already, and nothing was added."""
    notes: tuple[str, ...] = ()
    """What a person should know of what was taken, such as a quote that stands twice."""

    @property
    def id(self) -> str:
        """The id of the event, source or actor."""
        return self.subject.partition("/")[2]


def create_log(
    path: str | os.PathLike[str],
    fields: Mapping[str, Any],
    said: Said = _NOTHING,
    *,
    now: Callable[[], datetime] = clock.now,
) -> Receipt:
    """Make the file, with `log.opened` as entry 0.

    `fields` are those of `LogInfo`; without an origin the log is named after its first
    entry, without a vocabulary it has PLOVER's. Raises InvalidInput for a field that is
    wrong, StoreError if the name is taken.
    """
    moment = now()
    info = validate(
        LogInfo,
        {
            "origin": f"timeline-{codec.encode_id(_microseconds(moment))}",
            "vocabulary": vocabulary_fields(plover()),
            **{field: value for field, value in fields.items() if value},
        },
    )
    _check_time_zone(info)
    with schema.new_file(path) as connection, schema.immediate(connection):
        projection.create(connection)
        append = Append(connection, now=lambda: moment)
        return append._add("log.opened", "log", info.content(), said)


def vocabulary_fields(terms: Terms) -> dict[str, Any]:
    """The words of a vocabulary file as the field `vocabulary` of `LogInfo`."""
    return {field: [term._asdict() for term in getattr(terms, field)] for field in terms._fields}


@contextlib.contextmanager
def appending(
    connection: sqlite3.Connection,
    path: str,
    *,
    now: Callable[[], datetime] = clock.now,
    dry_run: bool = False,
) -> Iterator[Append]:
    """One append under the write lock: all that is done in the block, or nothing.

    With `dry_run` everything is checked and done, and then taken back. Raises StoreError
    for a file that cannot be written, and what the operations of `Append` raise.
    """
    with contextlib.suppress(_TakeBack), schema.storage_errors(path), schema.immediate(connection):
        projection.check(connection, path)
        append = Append(connection, now=now)
        yield append
        append.finish()
        if dry_run:
            raise _TakeBack


class _TakeBack(Exception):
    """Ends a dry run."""


class Append:
    """The operations of one append, each with one statement. Made by `appending`.

    All take `said` (author, reason, reported_at), and an `entry_id` of the caller's making
    to be safe against sending the same thing twice: with the same kind, subject and content
    it returns the first receipt, with other content it raises AlreadyRecorded.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._connection = connection
        self._projector = Projector(connection)
        self._info = log.info(connection)
        newest = log.newest(connection)
        self._log = log.Appender(connection)
        moment = now()
        if newest:
            last = clock.parse(newest.recorded_at)
            if last - moment > _MAX_AHEAD:
                raise ClockBehind(newest.recorded_at, clock.utc(moment))
            moment = max(moment, last + timedelta(microseconds=1))
        self._moment = moment
        self._recorded_at = clock.utc(moment)
        self._next_id = self._first_free_id()
        self._held = Holdings(connection, self._projector)
        self._resolver = Resolver(connection, self._held, self._info, self._new_id)
        self._expected_events: dict[str, InvalidInput] = {}
        self.names: dict[tuple[str, str], None] = {}
        """Every ("actor" | "place" | "tag", name) that its events say, in their order."""
        self.notes: list[str] = []
        """Those of its receipts, each with the event that it is about."""

    def finish(self) -> None:
        """The last checks, on references into this append; called by `appending`."""
        for event_id, error in self._expected_events.items():
            if not self._held.version(f"event/{event_id}"):
                raise error
        self._projector.flush()

    # --- Events ---------------------------------------------------------------------------

    def record(
        self,
        event: Event | Mapping[str, Any],
        said: Said = _NOTHING,
        *,
        entry_id: str | None = None,
    ) -> Receipt:
        """Record a new event; one that is recorded with the same content is left alone.

        What a `Statement` says about itself goes before `said`. Raises InvalidInput for a
        malformed statement, and AlreadyRecorded if its event_id or one of its external ids
        belongs to an event with other content.
        """
        given = event if isinstance(event, Event) else validate(Statement, event)
        if entry_id and (known := self._known_entry(entry_id)):
            subject = f"event/{given.event_id or entry_id}"
            return self._same_entry(known, "event.recorded", subject, lambda: given)
        if isinstance(given, Statement):
            said = _own_words(given, said)
        event_id = given.event_id or self._held.owner_of(given.external_ids) or entry_id
        if event_id and self._held.version(f"event/{event_id}"):
            return self._recorded_already(event_id, given)
        resolved = self._resolver.resolved(given)
        entry_id = entry_id or self._new_id("event")
        if not said.reported_at:
            day = clock.day_in(self._moment, self._time_zone)
            said = said.model_copy(update={"reported_at": day})
        return self._add_event("event.recorded", event_id or entry_id, resolved, said, entry_id)

    def update(
        self,
        event_id: str,
        changes: paths.Changes | Event,
        said: Said = _NOTHING,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """The story moved on: change an event by path, or replace it whole (with `expect`).

        Raises NotFound, Conflict, NothingChanged, InvalidInput.
        """
        return self._change("event.updated", event_id, changes, said, expect, entry_id)

    def correct(
        self,
        event_id: str,
        changes: paths.Changes | Event,
        said: Said,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """We were wrong: as `update`, and `said.reason` tells why."""
        return self._change("event.corrected", event_id, changes, said, expect, entry_id)

    def retract(
        self, event_id: str, said: Said, *, expect: int | None = None, entry_id: str | None = None
    ) -> Receipt:
        """It should not stand here. Raises NothingChanged if it is retracted already."""
        return self._change_state("event.retracted", event_id, {}, said, expect, entry_id)

    def reinstate(
        self,
        event_id: str,
        said: Said = _NOTHING,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """Take back a retraction or a merge. Raises NothingChanged if it stands."""
        return self._change_state("event.reinstated", event_id, {}, said, expect, entry_id)

    def merge(
        self,
        event_id: str,
        into: str,
        said: Said = _NOTHING,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """It is the same as another event, which stays.

        Raises Refused if `into` leads back to `event_id`.
        """
        content = validate(Merge, {"into": into}).content()
        return self._change_state("event.merged", event_id, content, said, expect, entry_id)

    def _change(
        self,
        kind: str,
        event_id: str,
        changes: paths.Changes | Event,
        said: Said,
        expect: int | None,
        entry_id: str | None,
    ) -> Receipt:
        if isinstance(changes, Event) and expect is None:
            raise InvalidInput("expect", "is required with a whole event: the version it replaces")
        subject = f"event/{event_id}"
        if entry_id and (known := self._known_entry(entry_id)):
            return self._same_entry(
                known,
                kind,
                subject,
                lambda: _changed(event_id, self._held.content_before(known), changes),
            )
        standing = self._held.standing(subject, expect)
        content = standing.content or {}
        resolved = self._resolver.resolved(
            _changed(event_id, content, changes), citations_before=content.get("citations", ())
        )
        if resolved.event.content() == standing.content:
            raise NothingChanged(f"event {event_id}")
        return self._add_event(kind, event_id, resolved, said, entry_id)

    def _change_state(
        self,
        kind: str,
        event_id: str,
        content: dict[str, Any],
        said: Said,
        expect: int | None,
        entry_id: str | None,
    ) -> Receipt:
        subject = f"event/{event_id}"
        if entry_id and (known := self._known_entry(entry_id)):
            return self._same_entry(known, kind, subject, lambda: content)
        standing = self._held.standing(subject, expect)
        into = content.get("into")
        if into:
            self._held.check_merge(subject, f"event/{into}")
        elif fold.state_after(kind, standing.state) == standing.state:
            raise NothingChanged(f"event {event_id}")
        return self._add(kind, subject, content, said, entry_id)

    def _recorded_already(self, event_id: str, event: Event) -> Receipt:
        """The receipt of the entry that says the same: the newest content, or the first."""
        subject = f"event/{event_id}"
        known = [self._held.newest_content(subject), self._held.contents(subject, "ASC")]
        contents = [codec.decode_content(entry.payload) if entry else None for entry in known]
        cited = [citation for each in contents for citation in (each or {}).get("citations", ())]
        fields: list[str] = []
        for entry, content in zip(known, contents, strict=True):
            own = (content or {}).get("citations", ())
            said = self._resolver.resolved(event, citations_before=[*own, *cited]).event.content()
            if entry and content == said:
                return _receipt(entry, unchanged=True)
            fields = fields or _differing(content, said)
        raise AlreadyRecorded(f"event {event_id}", fields, _ADVICE)

    # --- Sources, actors, the log ---------------------------------------------------------

    def record_source(self, source: Source | Mapping[str, Any], said: Said = _NOTHING) -> Receipt:
        """Record a source; one that is known (by id, url or content) is left alone.

        Raises AlreadyRecorded if the known one says otherwise.
        """
        source = source if isinstance(source, Source) else validate(Source, source)
        known = self._resolver.known_source(source)
        newest = self._held.newest_content(f"source/{known}") if known else None
        if newest:
            return _receipt(newest, unchanged=True)
        entry_id = self._new_id("source")
        subject = f"source/{source.source_id or entry_id}"
        return self._add("source.recorded", subject, source.content(), said, entry_id)

    def capture(
        self, source: Source | Mapping[str, Any], document: Document, said: Said = _NOTHING
    ) -> Receipt:
        """Keep the text of a source, which is recorded or, where it says otherwise, updated.

        A source is found again by its id, else by its url, else by its title if its text is
        the same or was not captured yet; what is not given of it stays. With the same text
        it is left alone. Raises InvalidInput, Refused for a text that was erased.
        """
        from timeline import article

        try:
            article.check(document.text)
        except InvalidValue as error:
            raise InvalidInput("text", error.problem) from None
        given = source if isinstance(source, Source) else validate(Source, source)
        found = {
            "text_sha256": article.sha256(document.text.encode()),
            **({"media_type": document.media_type} if document.media_type else {}),
        }
        given = given.model_copy(update=found)
        source_id = self._resolver.captured_source(given)
        newest = self._held.newest_content(f"source/{source_id}") if source_id else None
        before = (codec.decode_content(newest.payload) if newest else None) or {}
        fields = {"media_type": "text/plain", **before, **given.content()}
        content = validate(Source, {**fields, "source_id": source_id or given.source_id}).content()
        self._keep_text(content["text_sha256"], document)
        if newest and content == before:
            return _receipt(newest, unchanged=True)
        if source_id:
            return self._add("source.updated", f"source/{source_id}", content, said)
        entry_id = self._new_id("source")
        subject = f"source/{given.source_id or entry_id}"
        return self._add("source.recorded", subject, content, said, entry_id)

    def _keep_text(self, text_sha256: str, document: Document) -> None:
        row = self._connection.execute(
            "SELECT body FROM source_texts WHERE text_sha256 = ?", (text_sha256,)
        ).fetchone()
        if row and row[0] is None:
            raise Refused("this text was erased from the log: it is not taken in again")
        if not row:
            self._connection.execute(
                "INSERT INTO source_texts (text_sha256, body, captured_at, original_sha256)"
                " VALUES (?, ?, ?, ?)",
                (text_sha256, document.text, self._recorded_at, document.original_sha256),
            )

    def lost_quotes(self, source_id: str) -> list[dict[str, Any]]:
        """`texts.lost_quotes`, of what this append has added too."""
        from timeline import texts

        self._held.settle()
        return texts.lost_quotes(self._connection, source_id)

    def record_actor(self, actor: Actor | Mapping[str, Any], said: Said = _NOTHING) -> Receipt:
        """Record an actor and its names; with the same id and content it is left alone."""
        actor = actor if isinstance(actor, Actor) else validate(Actor, actor)
        entry_id = self._new_id("actor")
        subject = f"actor/{actor.actor_id or entry_id}"
        known = self._held.newest_content(subject)
        if known:
            if fields := _differing(codec.decode_content(known.payload), actor.content()):
                raise AlreadyRecorded(
                    spoken(subject), fields, "use timeline actor alias, or another id"
                )
            return _receipt(known, unchanged=True)
        return self._add("actor.recorded", subject, actor.content(), said, entry_id)

    def update_source(
        self, source_id: str, changes: paths.Changes, said: Said = _NOTHING
    ) -> Receipt:
        """Change a source by path. Raises NotFound, NothingChanged, InvalidInput."""
        return self._update("source", source_id, changes, said)

    def update_actor(self, actor_id: str, changes: paths.Changes, said: Said = _NOTHING) -> Receipt:
        """Change an actor by path. Raises NotFound, NothingChanged, InvalidInput."""
        return self._update("actor", actor_id, changes, said)

    def withdraw_source(self, source_id: str, said: Said) -> Receipt:
        """The source no longer stands by what it said; `said.reason` tells why."""
        return self._change_source("source.withdrawn", source_id, said)

    def reinstate_source(self, source_id: str, said: Said = _NOTHING) -> Receipt:
        """Take back a withdrawal."""
        return self._change_source("source.reinstated", source_id, said)

    def annotate_source(
        self, source_id: str, annotation: Annotation, said: Said = _NOTHING
    ) -> Receipt:
        """Mark spans of the text of a source as it is now; replaces all marks before.

        Raises Refused if it has another text, or none; InvalidInput for a span behind its end.
        """
        from timeline import texts

        subject = f"source/{source_id}"
        content = self._held.standing(subject).content or {}
        if content.get("text_sha256") != annotation.text_sha256:
            raise Refused(f"this is not the text of source {source_id} as it is now")
        length = len(texts.body(self._connection, annotation.text_sha256) or "")
        for number, mark in enumerate(annotation.marks if length else ()):
            if mark.end > length:
                problem = f"lies behind the end of the text of {source_id}, at {length}"
                raise InvalidInput(f"marks.{number}.end", problem)
        return self._add("source.annotated", subject, annotation.content(), said)

    def mark_source(
        self,
        source_id: str,
        spans: Sequence[tuple[int, int]],
        why: str | None,
        said: Said = _NOTHING,
    ) -> Receipt:
        """Mark spans as commentary beside what is marked already; without a `why`, unmark them.

        Marks that share a character with a span are replaced. Raises Refused and InvalidInput
        as `annotate_source`, NothingChanged.
        """
        from timeline import texts

        content = self._held.standing(f"source/{source_id}").content or {}
        before = texts.marks(self._connection, source_id)
        marks = [
            mark
            for mark in before
            if not any(mark["start"] < end and start < mark["end"] for start, end in spans)
        ]
        if why is not None:
            mark = {"state": "commentary", "why": why}
            marks += [{"start": start, "end": end, **mark} for start, end in spans]
        marks.sort(key=lambda mark: (mark["start"], mark["end"]))
        annotation = validate(
            Annotation, {"text_sha256": content.get("text_sha256"), "marks": marks}
        )
        if annotation.content().get("marks", []) == before:
            raise NothingChanged(spoken(f"source/{source_id}"))
        return self.annotate_source(source_id, annotation, said)

    def coverage(self, source_id: str) -> texts.Coverage:
        """`texts.coverage`, of what this append has added too."""
        from timeline import texts

        self._held.settle()
        return texts.coverage(self._connection, source_id)

    def merge_actor(self, actor_id: str, into: str, said: Said = _NOTHING) -> Receipt:
        """The two are one. Raises Refused if `into` leads back to `actor_id`."""
        content = validate(Merge, {"into": into}).content()
        self._held.standing(f"actor/{actor_id}")
        self._held.check_merge(f"actor/{actor_id}", f"actor/{into}")
        return self._add("actor.merged", f"actor/{actor_id}", content, said)

    def update_log(self, changes: paths.Changes, said: Said = _NOTHING) -> Receipt:
        """Change what the log says about itself. Its origin stays for ever."""
        info = validate(LogInfo, paths.changed(self._info, changes))
        content = info.content()
        if content == self._info:
            raise NothingChanged("the log")
        if content["origin"] != self._info["origin"]:
            raise InvalidInput("origin", "cannot change: proofs and addresses are named after it")
        _check_time_zone(info)
        self._held.check_words_in_use(info.vocabulary)
        self._info = content
        self._resolver = Resolver(self._connection, self._held, content, self._new_id)
        return self._add("log.updated", "log", content, said)

    def erase(self, entry_id: str, said: Said) -> Receipt:
        """Take out what an entry says; `said.reason` tells why. Called by `erasure` alone.

        The text of a source goes with the last entry that names it. Raises NotFound, and
        Refused for an entry that says what the log is.
        """
        entry = log.entry_by_id(self._connection, entry_id)
        if entry is None:
            raise NotFound("entry", entry_id)
        if entry.subject == "log":
            raise Refused(f"entry #{entry.seq} says what the log is, and cannot be erased")
        subject = f"entry/{entry_id}"
        if entry.payload is None:
            erasing = log.newest(self._connection, subject)
            return _receipt(erasing or entry, unchanged=True)
        receipt = self._add("entry.erased", subject, {}, said)
        self._connection.execute(
            "UPDATE log SET payload = NULL, salt = NULL WHERE seq = ?", (entry.seq,)
        )
        if text := (codec.decode_content(entry.payload) or {}).get("text_sha256"):
            self._connection.execute(
                "UPDATE source_texts SET body = NULL, erased_by = ?"
                " WHERE text_sha256 = ? AND body IS NOT NULL AND NOT EXISTS"
                " (SELECT 1 FROM log WHERE kind IN ('source.recorded', 'source.updated')"
                "   AND instr(payload, source_texts.text_sha256))",
                (receipt.entry_id, text),
            )
        return receipt

    def _update(self, what: str, key: str, changes: paths.Changes, said: Said) -> Receipt:
        subject = f"{what}/{key}"
        before = self._held.standing(subject).content or {}
        fields = _fields_changed(f"{what}_id", key, before, changes)
        content = validate(_MODELS[what], fields).content()
        if content == before:
            raise NothingChanged(spoken(subject))
        return self._add(f"{what}.updated", subject, content, said)

    def _change_source(self, kind: str, source_id: str, said: Said) -> Receipt:
        subject = f"source/{source_id}"
        standing = self._held.standing(subject)
        if fold.state_after(kind, standing.state) == standing.state:
            raise NothingChanged(spoken(subject))
        return self._add(kind, subject, {}, said)

    # --- One entry ------------------------------------------------------------------------

    def _add(
        self,
        kind: str,
        subject: str,
        content: dict[str, Any],
        said: Said,
        entry_id: str | None = None,
    ) -> Receipt:
        """Append one entry and fold it into the tables."""
        payload = _payload(kind, said, content)
        return self._add_payload(kind, subject, payload, said, entry_id or self._new_id())

    def _add_event(
        self, kind: str, event_id: str, resolved: Resolved, said: Said, entry_id: str | None
    ) -> Receipt:
        """Append the content of an event behind the sources that it brings.

        All that can be refused is refused before anything is added.
        """
        event = resolved.event
        payload = _payload(kind, said, event.content())
        for external_id in event.external_ids:
            owner = self._held.owner_of((external_id,))
            if owner not in (None, event_id):
                raise InvalidInput("external_ids", f"{external_id} belongs to event {owner}")
        for number, relation in enumerate(event.relations):
            if relation.event_id == event_id:
                raise InvalidInput(
                    f"relations.{number}.event_id", "an event cannot relate to itself"
                )
        author = Said(author=said.author)
        for source_id, (source_entry_id, source) in resolved.sources.items():
            subject = f"source/{source_id}"
            self._add("source.recorded", subject, source.content(), author, source_entry_id)
        notes = resolved.notes
        if event.verification == "corroborated":
            from timeline import texts

            source_ids = [citation.source_id or "" for citation in event.citations]
            notes += tuple(filter(None, [texts.uncorroborated(self._connection, source_ids)]))
        self._held.claim(event.external_ids, event_id)
        self.names |= dict.fromkeys(_names(event))
        for number, relation in enumerate(event.relations):
            problem = f'there is no event "{relation.event_id}" in this log or this input'
            self._expected_events.setdefault(
                relation.event_id, InvalidInput(f"relations.{number}.event_id", problem)
            )
        self.notes.extend(f"{event_id}: {note}" for note in notes)
        subject = f"event/{event_id}"
        return self._add_payload(kind, subject, payload, said, entry_id or self._new_id(), notes)

    def _add_payload(
        self,
        kind: str,
        subject: str,
        payload: str,
        said: Said,
        entry_id: str,
        notes: tuple[str, ...] = (),
    ) -> Receipt:
        entry = codec.encode(
            seq=self._log.size,
            id=entry_id,
            kind=kind,
            subject=subject,
            version=self._held.version(subject) + 1,
            recorded_at=self._recorded_at,
            reported_at=said.reported_at,
            payload=payload,
        )
        self._log.append(entry)
        self._projector.apply(entry)
        return _receipt(entry, notes=notes)

    @property
    def _time_zone(self) -> str:
        return str(self._info.get("time_zone", "UTC"))

    def _first_free_id(self) -> int:
        """The number of the next id: the time, or what follows the ids made ahead of it.

        A large batch makes ids faster than microseconds pass.
        """
        first = _microseconds(self._moment)
        made = self._connection.execute(
            "SELECT id FROM log WHERE id >= ? AND id < ? AND length(id) = 11 ORDER BY id DESC",
            (codec.encode_id(first), codec.encode_id(first + _ID_WINDOW)),
        )
        for (entry_id,) in made:
            if (number := codec.decode_id(entry_id)) is not None:
                return number + 1
        return first

    def _new_id(self, what: str = "entry") -> str:
        """An id that no entry has, and nothing of the class `what` either."""
        while True:
            entry_id = codec.encode_id(self._next_id)
            self._next_id += 1
            if not log.entry_by_id(self._connection, entry_id) and not self._held.version(
                f"{what}/{entry_id}"
            ):
                return entry_id

    def _known_entry(self, entry_id: str) -> Entry | None:
        if not re.fullmatch(ID_PATTERN, entry_id):
            raise InvalidInput("entry_id", "must be 3 to 64 characters of a-z, 0-9, - and _")
        return log.entry_by_id(self._connection, entry_id)

    def _same_entry(
        self, known: Entry, kind: str, subject: str, said: Callable[[], Event | dict[str, Any]]
    ) -> Receipt:
        """The first receipt, if the entry says the same; AlreadyRecorded if it does not."""
        fields = [
            *(["kind"] if known.kind != kind else []),
            *(["subject"] if known.subject != subject else []),
        ]
        if not fields:
            before, now = codec.decode_content(known.payload), said()
            if isinstance(now, Event):
                cited = (before or {}).get("citations", ())
                source_ids = {citation["source_id"] for citation in cited}
                now = self._resolver.resolved(now, source_ids, cited).event.content()
            fields = _differing(before, now)
        if fields:
            raise AlreadyRecorded(f"entry {known.id}", fields, "use another entry id")
        return _receipt(known, unchanged=True)


def _payload(kind: str, said: Said, content: dict[str, Any]) -> str:
    """The payload of an entry. Raises InvalidInput without a reason where one is needed."""
    if kind in _NEEDS_REASON and not said.reason:
        raise InvalidInput("reason", "is required: say in a few words why")
    return codec.encode_payload(said.author, said.reason, content)


def _names(event: Event) -> Iterator[tuple[str, str]]:
    """What an event calls by a name that others may have; an id says who somebody is."""
    yield from (("actor", who.name) for who in event.participants if not who.actor_id)
    yield from (("place", at.name) for at in (event.place, event.about_place) if at and at.name)
    yield from (("tag", tag) for tag in event.tags)


def _receipt(entry: Entry, *, unchanged: bool = False, notes: tuple[str, ...] = ()) -> Receipt:
    content = codec.decode_content(entry.payload) if entry.kind.startswith("event.") else None
    return Receipt(
        entry.kind,
        entry.subject,
        entry.id,
        entry.seq,
        entry.version,
        entry.recorded_at,
        (content or {}).get("occurred"),
        unchanged,
        notes,
    )


def _changed(event_id: str, content: Mapping[str, Any], changes: paths.Changes | Event) -> Event:
    """The event after changes by path, or the one that takes its place."""
    if not isinstance(changes, Event):
        return validate(Event, _fields_changed("event_id", event_id, content, changes))
    if changes.event_id not in (None, event_id):
        raise InvalidInput("event_id", f"cannot change: this is event {event_id}")
    return changes


def _fields_changed(
    field: str, key: str, content: Mapping[str, Any], changes: paths.Changes
) -> dict[str, Any]:
    """Content with changes by path; its own id, in `field`, is not among them."""
    fields = paths.changed(content, changes)
    if fields.get(field, key) != key:
        raise InvalidInput(field, f"cannot change: this is {key}")
    return {**fields, field: key}


def _own_words(statement: Statement, said: Said) -> Said:
    own = {field: value for field in Said.model_fields if (value := getattr(statement, field))}
    return said.model_copy(update=own)


def _differing(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """The top-level fields in which two contents differ."""
    return [
        field
        for field in dict.fromkeys((*new, *(old or {})))
        if (old or {}).get(field) != new.get(field)
    ]


def _check_time_zone(info: LogInfo) -> None:
    try:
        clock.zone(info.time_zone)
    except InvalidValue as error:
        raise InvalidInput("time_zone", error.problem) from None


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
