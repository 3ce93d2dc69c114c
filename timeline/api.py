"""`Timeline`: one object to keep and to read a timeline from Python.

Guarantees: reading goes to `query` on a connection that cannot write, writing to `writer`
on one of its own; neither knows the other. Every method that writes is one append: all of
it is kept, or an error is raised and nothing is.

Every refusal is a `TimelineError` of one line (`timeline.errors`). Only ``Event(...)`` and
its parts, made by the caller, raise pydantic's ValidationError; it and InvalidInput are both
ValueErrors.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypedDict, Unpack, cast, overload

from timeline.errors import InvalidInput, InvalidValue, Refused, TimelineError
from timeline.model import clock
from timeline.model.content import Event, Said, Source
from timeline.model.validation import validate
from timeline.model.vocabulary import read_vocabulary
from timeline.projection import tables
from timeline.reading import comparison, query, selection
from timeline.reading.as_of import parse_as_of
from timeline.reading.past_tables import tables_as_of
from timeline.reading.references import resolve_event, resolve_source
from timeline.reading.rows import ChangeRow, EventDict, EventRow, VersionRow
from timeline.store import log, storage
from timeline.writing import writer
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

NewEvent = Event | Mapping[str, Any]
EventChanges = Mapping[str, Any] | Event

Rows = list[dict[str, Any]]
EventRows = list[EventRow]
VersionRows = list[VersionRow]
ChangeRows = list[ChangeRow]
Ids = list[str] | tuple[str, ...] | set[str]
When = str | int | date
"""A moment: a day (its end) or a time, ISO 8601, or the number of an entry: "#41" or 41.

A time without an offset is in the log's time zone.
"""
_GUARDS = ("entry_id", "expect")


class StatementWords(TypedDict, total=False):
    """What goes with a statement: `model.content.Said`, and a guard against doing it twice.

    `author` is a handle, `reported_at` a day or time, ISO 8601. With an `entry_id` of one's
    own making the same call a second time returns the first receipt and adds nothing.
    """

    author: str | None
    reason: str | None
    reported_at: str | None
    entry_id: str | None


class Guarded(StatementWords, total=False):
    """`StatementWords`, and the version that the event must be at."""

    expect: int | None


class Filters(TypedDict, total=False):
    """What chooses events, as `filters.FILTERS` has it; None chooses all.

    The values are words that a person would use: ``country="Ukraine"``, ``since="April 2025"``.
    """

    event_type: str | None
    country: str | None
    place: str | None
    actor: str | None
    tag: str | None
    source: str | None
    modality: str | None
    verification: str | None
    precision: str | None
    year: int | str | None
    month: str | None
    state: str | None
    since: str | date | None
    until: str | date | None
    at_risk: bool | str | None


class Timeline:
    """A timeline in a file: a context manager, or `close` it.

    >>> with Timeline.create(path, title="My story") as timeline:
    ...     timeline.record(Event(title="Talks in Odesa", occurred="15 April 2025"))
    """

    def __init__(self, path: str | os.PathLike[str], *, now: Callable[[], datetime] = clock.now):
        """Open a timeline that exists. Call `Timeline.open` or `Timeline.create` instead."""
        self.path = Path(path)
        self._now = now
        self._reader = storage.connect(self.path)
        self._writer: sqlite3.Connection | None = None
        try:
            with storage.storage_errors(path):
                tables.check(self._reader, os.fspath(path))
        except BaseException:
            self._reader.close()
            raise

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        title: str,
        origin: str | None = None,
        licence: str | None = None,
        language: str | None = None,
        time_zone: str | None = None,
        vocabulary_file: str | os.PathLike[str] | None = None,
        notice: str | None = None,
        author: str | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> Self:
        """A new timeline, which says of itself what is given here (`model.LogInfo`).

        `time_zone` is an IANA name, in which days end: UTC if not given. Raises InvalidInput
        for what is malformed, StoreError if the name is taken or cannot be written.
        """
        fields = {
            "title": title,
            "origin": origin,
            "licence": licence,
            "language": language,
            "time_zone": time_zone,
            "vocabulary": read_vocabulary(Path(vocabulary_file)) if vocabulary_file else None,
            "notice": notice,
        }
        writer.create_log(path, fields, validate(Said, {"author": author}), now=now)
        return cls(path, now=now)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, now: Callable[[], datetime] = clock.now) -> Self:
        """A timeline that is there.

        Raises NotATimeline for a missing or foreign file, TooNew for one of a newer version,
        ProjectionOutdated for one that needs ``timeline rebuild``.
        """
        return cls(path, now=now)

    @classmethod
    def restore(
        cls,
        path: str | os.PathLike[str],
        file: IO[bytes],
        *,
        now: Callable[[], datetime] = clock.now,
    ) -> Self:
        """A copy of the log that ``timeline export jsonl`` wrote, entry by entry, byte for byte.

        A file that is there already, and holds the beginning of that log, gets what it lacks:
        so a mirror follows. `file` is open for bytes, plain or gzip. Raises InvalidInput, with
        its line, for an entry that is wrong, Refused for a file that holds another log,
        ClockBehind, StoreError; a new file is then not made.
        """
        from timeline.intake.restore import restore

        restore(path, file, now=now)
        return cls(path, now=now)

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()
        if self._writer:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- Writing --------------------------------------------------------------------------

    @contextlib.contextmanager
    def append(self, *, dry_run: bool = False) -> Iterator[Append]:
        """Several operations as one append: all or nothing, one `recorded_at`.

        The block gets a `writer.Append`, which takes one statement at a time, also sources
        and actors; its `record_each` takes many events, and is quicker. With `dry_run` all is
        checked, and nothing is kept. The file stays locked for other writers until the block
        ends; readers go on reading. Raises Busy after 60 seconds of waiting for another writer,
        NotWritable, StorageFull, ClockBehind.
        """
        if self._writer is None:
            self._writer = storage.connect(self.path, write=True)
        if self._writer.in_transaction:
            raise Refused("this timeline is in the middle of an append: use that one")
        with writer.appending(
            self._writer, os.fspath(self.path), now=self._now, dry_run=dry_run
        ) as append:
            yield append

    @overload
    def record(self, events: NewEvent, **words: Unpack[StatementWords]) -> Receipt: ...

    @overload
    def record(
        self, events: Iterable[NewEvent], **words: Unpack[StatementWords]
    ) -> list[Receipt]: ...

    def record(
        self, events: NewEvent | Iterable[NewEvent], **words: Unpack[StatementWords]
    ) -> Receipt | list[Receipt]:
        """Record one event, or many at once; what is recorded already is left alone.

        An event is found again by its `event_id` or one of its `external_ids`: with the same
        content the receipt says `unchanged`, with other content it raises AlreadyRecorded. A
        mapping may have author, reason and reported_at of its own. Raises InvalidInput for
        what is malformed; of many, `error.item` counts from 1.
        """
        said = _said(words, guards=("entry_id",))
        with self.append() as append:
            if isinstance(events, Event | Mapping):
                return append.record(events, said, entry_id=words.get("entry_id"))
            _check_unguarded(words)
            return [*_one_by_one(append.record_each(events, said))]

    @overload
    def update(self, events: str, changes: EventChanges, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def update(
        self, events: Mapping[str, EventChanges], **words: Unpack[Guarded]
    ) -> list[Receipt]: ...

    def update(
        self,
        events: str | Mapping[str, EventChanges],
        changes: EventChanges | None = None,
        **words: Unpack[Guarded],
    ) -> Receipt | list[Receipt]:
        """The story moved on: ``{path: value}``, or a whole event with `expect`.

        A path is such as ``place.country``, ``quantities.0.value`` or, to add to a list,
        ``tags.-``; None takes a field out. Of many: ``{event_id: changes}``. Raises NotFound,
        Conflict if the event is not at the version `expect`, NothingChanged, InvalidInput.
        """
        with self.append() as append:
            return _changed(append.update, events, changes, words)

    @overload
    def correct(self, events: str, changes: EventChanges, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def correct(
        self, events: Mapping[str, EventChanges], **words: Unpack[Guarded]
    ) -> list[Receipt]: ...

    def correct(
        self,
        events: str | Mapping[str, EventChanges],
        changes: EventChanges | None = None,
        **words: Unpack[Guarded],
    ) -> Receipt | list[Receipt]:
        """We were wrong: as `update`, with a `reason`; without one it raises InvalidInput."""
        with self.append() as append:
            return _changed(append.correct, events, changes, words)

    @overload
    def retract(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def retract(self, events: Ids, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def retract(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | list[Receipt]:
        """It should not stand here, for a `reason`; one event, or many at once.

        Raises NotFound, Conflict, InvalidInput without a reason, NothingChanged if it is
        retracted already.
        """
        with self.append() as append:
            return _each(append.retract, events, words)

    @overload
    def reinstate(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def reinstate(self, events: Ids, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def reinstate(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | list[Receipt]:
        """Take back a retraction or a merge; of one event, or of many at once.

        Raises NotFound, Conflict, NothingChanged if it stands.
        """
        with self.append() as append:
            return _each(append.reinstate, events, words)

    @overload
    def merge(self, events: str, into: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def merge(self, events: Ids, into: str, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def merge(
        self, events: str | Ids, into: str, **words: Unpack[Guarded]
    ) -> Receipt | list[Receipt]:
        """One event, or several, are the same as another, which stays.

        Raises NotFound, Conflict, Refused if `into` leads back to the event.
        """
        with self.append() as append:
            return _each(functools.partial(append.merge, into=into), events, words)

    def capture(
        self,
        document: str | bytes,
        source: Source | Mapping[str, Any],
        *,
        author: str | None = None,
        reported_at: str | None = None,
    ) -> Receipt:
        """Keep the text of a source: as text, or as the bytes of a file of text or HTML.

        The source is found again as ``Append.capture`` says, and updated where it says
        otherwise. From then on, what is quoted from it must stand in the text. Raises
        InvalidInput for a document that is no text.
        """
        from timeline.texts.document import Document, read

        said = validate(Said, {"author": author, "reported_at": reported_at})
        try:
            found = read(document) if isinstance(document, bytes) else None
        except InvalidValue as error:
            raise InvalidInput("document", error.problem) from None
        with self.append() as append:
            return append.capture(source, found or Document(str(document)), said)

    # --- Reading --------------------------------------------------------------------------

    @property
    def info(self) -> dict[str, Any]:
        """What the log says about itself: title, origin, time zone, vocabulary ..."""
        with self._reading() as connection:
            return log.info(connection)

    def resolve(self, text: str) -> tuple[str, int | None]:
        """Event id and version of ID, any unique beginning of one, ID@3 or #41.

        Raises NotFound, Ambiguous.
        """
        with self._reading() as connection:
            return resolve_event(connection, text)

    def get(
        self,
        event_id: str,
        *,
        version: int | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
    ) -> EventDict:
        """One event: the fields that it has, as ``timeline schema`` describes them, and more.

        Lists and objects are nested, figures and coordinates are decimal strings. Then come
        occurred_from, occurred_to (ISO 8601, None for an open end), occurred_precision,
        state, version, seq, recorded_at (UTC), reported_at, and merged_into of a merged one.
        Raises NotFound for an event, or a version of it, that was not there as of then.
        """
        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            event = query.get(connection, event_id, version=version, as_of=point)
            return cast(EventDict, event)

    def history(
        self, event_id: str, *, as_of: When | None = None, as_reported: When | None = None
    ) -> VersionRows:
        """The versions of an event, oldest first: rows of table `event_versions`.

        Each has event_id, version, seq, kind, state, recorded_at, superseded_at (None of the
        last), reported_at, reported_from, author, reason, merged_into, and its `changes`:
        dicts of path (RFC 6901), old_value and new_value, which are text, JSON for what is
        nested, None for what was not there. Raises NotFound.
        """
        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            return cast(VersionRows, query.history(connection, event_id, as_of=point))

    def changes(
        self, start: When, end: When | None = None, *, reported: bool = False
    ) -> ChangeRows:
        """What was believed at `start` and no longer at `end` (now), event by event.

        The two are moments of the recorded clock, with `reported` of the reported one. Each
        row has event_id, title, `before` and `after` (dicts of version and state, None when
        it was not there), `changes` as in `history`, and the `entries` in between, oldest
        first: dicts of version, kind, seq, recorded_at, reported_at, author and reason.
        Raises InvalidInput for what is no moment, NotFound for an entry that is not there.
        """
        with self._reading() as connection:
            found = comparison.changes(connection, start, end, reported=reported)
            return cast(ChangeRows, [*found])

    def list(
        self,
        *,
        limit: int | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> EventRows:
        """Rows of table `events`, flat, in the order in which they happened.

        Numbers are int or float, `contexts`, `tags` and `extra` JSON text; what is not known
        is None. Raises InvalidInput for a filter that cannot be read.
        """
        with self._tables(as_of, as_reported) as past:
            return cast(EventRows, [*selection.list_events(past, filters, limit=limit)])

    def search(
        self,
        text: str,
        *,
        limit: int | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> EventRows:
        """Rows of table `events` that hold all words of `text`, best first.

        A phrase stands in double quotes. `match` has the words around, the found ones between
        U+0002 and U+0003. Raises InvalidInput, also for a text without a word.
        """
        with self._tables(as_of, as_reported) as past:
            return cast(EventRows, [*selection.search(past, text, filters, limit=limit)])

    def facets(
        self,
        *,
        text: str | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> dict[str, Rows]:
        """Exact counts of the values of every facet, of a selection of events.

        By facet (`selection.FACETS`) rows of value, label and count, the most frequent first.
        Raises InvalidInput as `list` and `search` do.
        """
        with self._tables(as_of, as_reported) as past:
            return selection.facets(past, filters, text=text)

    def text(self, source_id: str) -> str | None:
        """The captured text of a source as it is now; None if there is none."""
        from timeline.reading import captured_texts

        with self._reading() as connection:
            return captured_texts.newest(connection, source_id)

    def lost_quotes(self, source_id: str) -> Rows:
        """The citations whose quote does not stand in the newest text of a source.

        Each has event_id, position (from 1), source_id, source_version and quote.
        """
        from timeline.reading import captured_texts

        with self._reading() as connection:
            return captured_texts.lost_quotes(connection, source_id)

    def resolve_source(self, text: str) -> str:
        """The id of a source, from it, any unique beginning of it, or its address.

        Raises NotFound, Ambiguous.
        """
        with self._reading() as connection:
            return resolve_source(connection, text)

    def coverage(self, source_id: str) -> dict[str, Any]:
        """What became of the text of a source: source_id and, in their order, its `sentences`.

        Each has start, end (code points), text, state (covered, commentary, missing) and the
        `events` that quote it. Raises NotFound, NoText.
        """
        from timeline.reading import captured_texts

        with self._reading() as connection:
            source_id = resolve_source(connection, source_id)
            return captured_texts.coverage(connection, source_id).as_json(source_id)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with storage.storage_errors(self.path):
            yield self._reader

    @contextlib.contextmanager
    def _tables(self, as_of: When | None, as_reported: When | None) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            with tables_as_of(connection, point) as past:
                yield past


def _said(words: StatementWords | Guarded, guards: Container[str] = _GUARDS) -> Said:
    """The words without the guards. Raises InvalidInput for one that is unknown."""
    return validate(Said, {name: value for name, value in words.items() if name not in guards})


def _guards(words: Guarded) -> dict[str, Any]:
    return {"expect": words.get("expect"), "entry_id": words.get("entry_id")}


def _changed(
    change: Callable[..., Receipt],
    events: str | Mapping[str, EventChanges],
    changes: EventChanges | None,
    words: Guarded,
) -> Receipt | list[Receipt]:
    said = _said(words)
    if isinstance(events, str):
        return change(events, changes or {}, said, **_guards(words))
    _check_unguarded(words)
    return [*_one_by_one(change(event_id, wanted, said) for event_id, wanted in events.items())]


def _each(
    change: Callable[..., Receipt], events: str | Ids, words: Guarded
) -> Receipt | list[Receipt]:
    said = _said(words)
    if isinstance(events, str):
        return change(events, said=said, **_guards(words))
    _check_unguarded(words)
    return [*_one_by_one(change(event_id, said=said) for event_id in events)]


def _check_unguarded(words: StatementWords | Guarded) -> None:
    """Guards are of one event: of many, they are given in an `append`."""
    for guard in _GUARDS:
        if words.get(guard) is not None:
            raise InvalidInput(guard, "is of one event: give it one by one, in an append")


def _one_by_one(receipts: Iterator[Receipt]) -> Iterator[Receipt]:
    """The receipts of many statements; an error says which of them, counted from 1."""
    for item in itertools.count(1):
        try:
            receipt = next(receipts, None)
        except TimelineError as error:
            raise error.at(item=item)  # noqa: B904 - it is the same error
        if receipt is None:
            return
        yield receipt
