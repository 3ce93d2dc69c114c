"""Add the entries that are about events: record, update, correct, retract, reinstate, merge.

Guarantees: a reference leads to something that exists. An update that changes nothing is refused.
The sources that an event brings are recorded before it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from timeline.errors import AlreadyRecorded, InvalidInput, NothingChanged, TimelineError
from timeline.model import field_paths
from timeline.model.content import SAME_REPORT, Event, Merge, Said, Statement
from timeline.model.media import Medium
from timeline.model.validation import validate
from timeline.projection import fold
from timeline.store import codec
from timeline.store.codec import Entry
from timeline.store.files import FILE, file_hashes, name_of
from timeline.writing.entries import (
    NO_WORDS,
    Entries,
    differing,
    encoded_payload,
    fields_changed,
)
from timeline.writing.event_statement import (
    in_todays_form,
    names_in,
    notes_on,
    own_words,
    validated_statement,
)
from timeline.writing.one_form import comparable, in_one_form
from timeline.writing.receipt import Receipt, receipt_of
from timeline.writing.recording_time import RecordingTime
from timeline.writing.resolver import Brought, Resolved

_ADVICE = "use timeline update (the story moved on) or timeline correct (we were wrong)"


class EventEntries(Entries):
    """Adds entries about events; `Append` inherits it.

    Every operation takes `said` (author, reason, reported_at). Some take an `entry_id` that the
    caller made, so that nothing is added twice: with the same kind, subject and content it returns
    the first receipt, with other content it raises AlreadyRecorded.
    """

    def __init__(self, connection: sqlite3.Connection, time: RecordingTime) -> None:
        super().__init__(connection, time)
        self._expected_events: dict[str, InvalidInput] = {}
        self.names: dict[tuple[str, str], None] = {}
        """Each ("actor" | "place" | "tag", name) in the events of this append, in their order."""
        self.notes: list[str] = []
        """The notes of all receipts, each with the event that it is about, and one on the file."""
        self.repeatable: list[Entry] = []
        """Entries of an earlier append of which its caller may not know that they are stored. A
        statement without an entry id that says what one of them says is that one again."""

    def finish(self) -> None:
        """Check the references to later events of this append, and write what is left."""
        for event_id, error in self._expected_events.items():
            if not self._buffer.version(f"event/{event_id}"):
                raise error
        super().finish()

    def has(self, what: str, key: str) -> bool:
        """Return whether there is an event, a source or an actor (`what`) with this id."""
        return bool(self._buffer.version(f"{what}/{key}"))

    def worded(self, event: Event) -> dict[str, Any]:
        """Return the content that an event would have with the codes of this log; adds nothing.

        A source that would be new gets an id that is made up. Raises InvalidInput.
        """
        return self._resolver.resolved(event).content

    def record(
        self,
        event: Event | Mapping[str, Any],
        said: Said = NO_WORDS,
        *,
        entry_id: str | None = None,
    ) -> Receipt:
        """Record a new event; if the same content is recorded already, add nothing.

        What a `Statement` says about itself goes before `said`. Raises InvalidInput for a
        malformed statement, and AlreadyRecorded if its event_id or one of its external ids
        belongs to an event with other content.
        """
        given = event if isinstance(event, Event) else validated_statement(event)
        if entry_id and (known := self._known_entry(entry_id)):
            subject = f"event/{given.event_id or entry_id}"
            return self._same_entry(known, "event.recorded", subject, lambda: given)
        if isinstance(given, Statement):
            said = own_words(given, said)
        event_id = given.event_id or self._buffer.owner_of(given.external_ids) or entry_id
        if event_id and self._buffer.version(f"event/{event_id}"):
            return self._recorded_already(event_id, given)
        resolved = _noted(self._resolver.resolved(in_todays_form(given, {})), {})
        if self.repeatable and not event_id:
            payload = encoded_payload("event.recorded", said, resolved.content)
            if again := self._repeated("event.recorded", said, lambda e: e.payload == payload):
                return again
        entry_id = entry_id or self._new_id()
        if said.reported_at == SAME_REPORT:
            problem = 'must be a day or a time: "same" keeps the date of an earlier version'
            raise InvalidInput("reported_at", problem)
        return self._add_event("event.recorded", event_id or entry_id, resolved, said, entry_id)

    def _repeated(self, kind: str, said: Said, is_same: Callable[[Entry], bool]) -> Receipt | None:
        """Take out the repeatable entry that a statement says again, and return its receipt."""
        day = None if said.reported_at == SAME_REPORT else said.reported_at
        for number, entry in enumerate(self.repeatable):
            is_day = said.reported_at is None or entry.reported_at == day
            if entry.kind == kind and is_day and is_same(entry):
                return receipt_of(self.repeatable.pop(number))
        return None

    def _is_change(
        self, entry: Entry, event_id: str, changes: field_paths.Changes | Event, said: Said
    ) -> bool:
        """Tell whether an entry made these changes of the version before it, perhaps among others.

        A source that is cited by now need not be cited by the changes.
        """
        author, reason, proposed_by, content = codec.payload_of(entry)
        if entry.subject != f"event/{event_id}" or content is None:
            return False
        if (author, reason, proposed_by) != (said.author, said.reason, said.proposed_by):
            return False
        before = self._buffer.content_before(entry)
        try:
            revised = self._revised(event_id, before, changes).content
        except TimelineError:
            return False
        fields = differing(comparable(before), comparable(revised))
        return bool(fields) and set(fields).isdisjoint(
            differing(comparable(content), comparable(revised))
        )

    def update(
        self,
        event_id: str,
        changes: field_paths.Changes | Event,
        said: Said = NO_WORDS,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """Change an event by path, or replace it whole (with `expect`): the story moved on.

        Raises NotFound, Conflict, NothingChanged, InvalidInput.
        """
        return self._change("event.updated", event_id, changes, said, expect, entry_id)

    def correct(
        self,
        event_id: str,
        changes: field_paths.Changes | Event,
        said: Said,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """Change an event as `update` does, but because we were wrong; `said.reason` says why."""
        return self._change("event.corrected", event_id, changes, said, expect, entry_id)

    def attach(
        self,
        event_id: str,
        content: bytes,
        about: Mapping[str, Any],
        said: Said = NO_WORDS,
        *,
        allow_large: bool = False,
    ) -> Receipt:
        """Keep a file, without its metadata, and show it with an event.

        `about` has the fields of a `Medium` that are not in the bytes, such as `alt`. If the event
        shows the file already, no entry is added; bytes that were not here are now. Raises
        InvalidInput, NotFound, Refused for a file that was erased and, unless `allow_large`, for
        one with which all files have more than 1 GiB.
        """
        newest = self._buffer.newest_content(f"event/{event_id}")
        kept = self.kept_file(content, allow_large=allow_large)
        if newest and kept["sha256"] in file_hashes(codec.decode_content(newest.payload)):
            return receipt_of(newest)
        medium = validate(Medium, {**kept, **about}).content()
        return self.update(event_id, [("media.-", medium)], said)

    def kept_file(self, content: bytes, *, allow_large: bool = False) -> dict[str, str]:
        """Keep a file for an event of this append; return the fields of its `Medium`: kind, sha256.

        `attach` keeps a file for an event that is recorded. Raises as `attach` does.
        """
        from timeline.media.attached import attached_file
        from timeline.writing.media import keep

        file = attached_file(content)
        if keep(self._connection, file, self._recorded_at, allow_large=allow_large):
            self.kept_files.append(file.sha256)
        kind = "image" if file.media_type.startswith("image/") else "document"
        return {"kind": kind, "sha256": file.sha256}

    def retract(
        self, event_id: str, said: Said, *, expect: int | None = None, entry_id: str | None = None
    ) -> Receipt:
        """Retract an event, which should not be in the log.

        Raises NothingChanged if it is retracted already.
        """
        return self._change_state("event.retracted", event_id, {}, said, expect, entry_id)

    def reinstate(
        self,
        event_id: str,
        said: Said = NO_WORDS,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """Take back a retraction or a merge. Raises NothingChanged if the event is current."""
        return self._change_state("event.reinstated", event_id, {}, said, expect, entry_id)

    def merge(
        self,
        event_id: str,
        into: str,
        said: Said = NO_WORDS,
        *,
        expect: int | None = None,
        entry_id: str | None = None,
    ) -> Receipt:
        """Merge an event into another one that is the same, and which stays.

        Raises Refused if `into` leads back to `event_id`.
        """
        content = validate(Merge, {"into": into}).content()
        return self._change_state("event.merged", event_id, content, said, expect, entry_id)

    def _change(
        self,
        kind: str,
        event_id: str,
        changes: field_paths.Changes | Event,
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
                lambda: _changed(event_id, self._buffer.content_before(known), changes),
            )
        if again := self._repeated(
            kind, said, lambda entry: self._is_change(entry, event_id, changes, said)
        ):
            return again
        standing = self._buffer.standing(subject, expect)
        content = standing.content or {}
        resolved = self._revised(event_id, content, changes)
        if comparable(resolved.content) == comparable(content):
            raise NothingChanged(f"event {event_id}")
        resolved = _noted(resolved, content)
        receipt = self._add_event(kind, event_id, resolved, said, entry_id)
        before = content.get("quantities", ())
        figures = tuple(new for new in receipt.figures if new not in before)
        notes = tuple(map(_dropped, sorted(file_hashes(content) - file_hashes(resolved.content))))
        self.notes.extend(f"{event_id}: {note}" for note in notes)
        return replace(receipt, figures=figures, notes=(*receipt.notes, *notes))

    def _revised(
        self, event_id: str, content: dict[str, Any], changes: field_paths.Changes | Event
    ) -> Resolved:
        """Return an event after changes by path, or the event that replaces it."""
        return self._resolver.resolved(
            in_todays_form(_changed(event_id, content, changes), content),
            citations_before=content.get("citations", ()),
            before=content,
            files_before=file_hashes(content),
        )

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
        if self.repeatable:
            payload = encoded_payload(kind, said, content)
            if again := self._repeated(
                kind, said, lambda e: (e.subject, e.payload) == (subject, payload)
            ):
                return again
        standing = self._buffer.standing(subject, expect)
        into = content.get("into")
        if into:
            self._buffer.check_merge(subject, f"event/{into}")
        elif fold.state_after(kind, standing.state) == standing.state:
            raise NothingChanged(f"event {event_id}")
        return self._add(kind, subject, content, said, entry_id)

    def _recorded_already(self, event_id: str, event: Event) -> Receipt:
        """Return the receipt of an entry with the same content: the newest, or else the first."""
        subject = f"event/{event_id}"
        known = [self._buffer.newest_content(subject), self._buffer.contents(subject, "ASC")]
        contents = [codec.decode_content(entry.payload) if entry else None for entry in known]
        cited = [citation for each in contents for citation in (each or {}).get("citations", ())]
        files = {sha256 for each in contents for sha256 in file_hashes(each)}
        fields: list[str] = []
        for entry, content in zip(known, contents, strict=True):
            own = (content or {}).get("citations", ())
            said = self._resolver.resolved(
                in_todays_form(event, content or {}),
                citations_before=[*own, *cited],
                files_before=files,
            ).content
            found = comparable(content)
            if entry and found == comparable(said):
                return receipt_of(entry)
            fields = fields or differing(found, comparable(said))
        raise AlreadyRecorded(f"event {event_id}", fields, _ADVICE)

    def _add_event(
        self, kind: str, event_id: str, resolved: Resolved, said: Said, entry_id: str | None
    ) -> Receipt:
        """Append the content of an event, after the sources that it brings.

        Everything that can be refused is refused before anything is added.
        """
        content = resolved.content
        payload = self._payload(kind, f"event/{event_id}", said, content)
        external_ids = content.get("external_ids", ())
        for external_id in external_ids:
            owner = self._buffer.owner_of((external_id,))
            if owner not in (None, event_id):
                raise InvalidInput("external_ids", f"{external_id} belongs to event {owner}")
        relations = content.get("relations", ())
        for number, relation in enumerate(relations):
            if relation.get("origin") == self._info["origin"]:
                problem = "is this timeline: leave origin out"
                raise InvalidInput(f"relations.{number}.origin", problem)
            if relation["event_id"] == event_id and "origin" not in relation:
                raise InvalidInput(
                    f"relations.{number}.event_id", "an event cannot relate to itself"
                )
        self._bring(resolved.sources, said)
        notes = resolved.notes
        if content.get("verification") == "corroborated":
            notes += self._notes_on_origins(c["source_id"] for c in content.get("citations", ()))
        self._buffer.claim(external_ids, event_id)
        self.names.update(dict.fromkeys(names_in(content)))
        for number, relation in enumerate(relations):
            if "origin" in relation or self._buffer.version(f"event/{relation['event_id']}"):
                continue
            problem = f'there is no event "{relation["event_id"]}" in this log or this input'
            self._expected_events.setdefault(
                relation["event_id"], InvalidInput(f"relations.{number}.event_id", problem)
            )
        self.notes.extend(f"{event_id}: {note}" for note in notes)
        entry_id = entry_id or self._new_id()
        return self._add_payload(kind, f"event/{event_id}", content, payload, said, entry_id, notes)

    def _bring(self, sources: Brought, said: Said) -> None:
        """Record the sources that come with an event, by its author."""
        for source_id, (entry_id, source) in sources.items():
            author = Said(author=said.author)
            self._add("source.recorded", f"source/{source_id}", source, author, entry_id)

    def _notes_on_origins(self, source_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the note on an event that is said to be corroborated, and has no two origins."""
        from timeline.reading import corroboration

        note = corroboration.uncorroborated(self._connection, source_ids)
        return (note,) if note else ()


def _changed(
    event_id: str, content: Mapping[str, Any], changes: field_paths.Changes | Event
) -> Event:
    """Return the event after changes by path, or the event that replaces it."""
    if not isinstance(changes, Event):
        fields = fields_changed("event_id", event_id, content, changes)
        return validate(Event, in_one_form(fields, content))
    if changes.event_id not in (None, event_id):
        raise InvalidInput("event_id", f"cannot change: this is event {event_id}")
    return changes


def _dropped(sha256: str) -> str:
    """Return the note on a file that an event does not show any more."""
    name = name_of(sha256)[: len(FILE) + 8]
    return f"earlier versions show {name} still: timeline erase {name} takes it out of all"


def _noted(resolved: Resolved, before: Mapping[str, Any]) -> Resolved:
    """Return an event with the notes on what was not there before."""
    notes = notes_on(resolved.content, before)
    return resolved._replace(notes=(*resolved.notes, *notes)) if notes else resolved
