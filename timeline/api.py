"""`Timeline` is one object with which Python code writes and reads a timeline.

Guarantees: a connection that cannot write serves all reading (`timeline.reading`), and a second
connection all writing (`timeline.writing`). Every method that writes makes one append: either all
of it is kept, or an error is raised and nothing is kept.

Every error that Timeline raises on purpose is a `TimelineError` of one line (`timeline.errors`).
The models that a caller makes, such as ``Event(...)``, raise pydantic's ValidationError instead.
Both InvalidInput and ValidationError are ValueErrors.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import (
    IO,
    TYPE_CHECKING,
    Any,
    Literal,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from timeline.errors import InvalidInput, InvalidValue, Outrun, Refused, TimelineError
from timeline.model import clock
from timeline.model.content import Event, Said, Source
from timeline.model.validation import validate
from timeline.projection import tables
from timeline.reading.as_of import parse_as_of
from timeline.store import log, storage
from timeline.store.node import node_of
from timeline.writing import writer
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

if TYPE_CHECKING:
    from timeline.cluster.node import ClusterNode
    from timeline.reading.rows import ChangeRow, EventDict, EventRow, VersionRow
    from timeline.writing.erasure import Erasure

    EventRows = list[EventRow]
    VersionRows = list[VersionRow]
    ChangeRows = list[ChangeRow]

T = TypeVar("T")

NewEvent = Event | Mapping[str, Any]
EventChanges = Mapping[str, Any] | Event

Rows = list[dict[str, Any]]
Ids = list[str] | tuple[str, ...] | set[str]
When = str | int | date
"""A moment: a day (which means its end) or a time, ISO 8601, or an entry number: "#41" or 41.

A time without an offset is in the log's time zone.
"""
_TRIES = 3
"""The number of times that one call is tried if another node of the cluster is quicker."""
_GUARDS = ("entry_id", "expect")
"""The arguments that guard one statement; calls for many statements take none of them."""


class StatementWords(TypedDict, total=False):
    """A statement has these words about it (`model.content.Said`), and a guard.

    `author` is a handle. `proposed_by` names a model, a scraper or a tool, never a person.
    `reported_at` is a day or time, ISO 8601, or "same" for that of the version before; if not
    given, it is the day of recording. `entry_id` guards against doing the same twice: a second call
    with the same id returns the first receipt and adds nothing.
    """

    author: str | None
    reason: str | None
    proposed_by: str | None
    reported_at: str | None
    entry_id: str | None


class LogFields(TypedDict, total=False):
    """`LogFields` are fields that describe a log, and author and reason of a change.

    An empty value takes a field out.
    """

    title: str
    licence: str | None
    language: str | None
    time_zone: str | None
    notice: str | None
    description: str | None
    publisher: str | None
    contact: str | None
    homepage: str | None
    author: str | None
    reason: str | None


class Guarded(StatementWords, total=False):
    """`StatementWords`, and the version that the event must have (`expect`)."""

    expect: int | None


Several = str | Sequence[str] | None
"""One value of a filter, or several."""


class Filters(TypedDict, total=False):
    """Filters choose events, and have the names in `filters.FILTERS`; None chooses all events.

    A value may be written as a person would: ``country="Ukraine"``, ``since="April 2025"``. Of
    several values, one is enough: ``actor=["NATO", "EU"]``; with ``actor_match="all"`` an event
    must have all of them. ``not_actor="EU"`` leaves out the events with a value. A figure is chosen
    by ``measure="killed", at_least=10, at_most=50``: an event matches if it has one that may be
    in this range, as "more than 20" may be.
    """

    event_type: Several
    country: Several
    place: Several
    area: Several
    actor: Several
    tag: Several
    source: Several
    modality: Several
    verification: Several
    precision: Several
    year: int | str | None
    month: str | None
    state: Several
    since: str | date | None
    until: str | date | None
    at_risk: bool | str | None
    highlight: bool | str | None
    measure: Several
    unit: Several
    at_least: float | Decimal | str | None
    at_most: float | Decimal | str | None
    actor_match: Literal["any", "all"] | None
    tag_match: Literal["any", "all"] | None
    source_match: Literal["any", "all"] | None
    not_event_type: Several
    not_country: Several
    not_actor: Several
    not_tag: Several
    not_source: Several
    not_modality: Several
    not_verification: Several
    not_precision: Several
    not_state: Several
    not_at_risk: bool | str | None
    not_highlight: bool | str | None


class Timeline:
    """A timeline in a file; it is a context manager, or else has to be closed.

    >>> with Timeline.create(path, title="My story") as timeline:
    ...     timeline.record(Event(title="Talks in Odesa", occurred="15 April 2025"))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        now: Callable[[], datetime] = clock.now,
        trust_clock: bool = False,
        ahead: str | None = None,
        fork: bool = False,
        patience: float = storage.PATIENCE,
    ):
        """Open a timeline that exists. Call `Timeline.open` or `Timeline.create` instead."""
        self.path = Path(path)
        self.trust_clock = trust_clock
        self.ahead = ahead
        self.fork = fork
        self._patience = patience
        self._now = now
        self._reader = storage.connect(self.path)
        self._writer: sqlite3.Connection | None = None
        self._node: ClusterNode | None = None
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
        """Create a new timeline; the arguments describe it (`model.log_info.LogInfo`).

        `time_zone` is the IANA name of the zone in which days begin and end; default UTC. Raises
        InvalidInput for a malformed value, StoreError if the file exists or cannot be written.
        """
        vocabulary = None
        if vocabulary_file:
            from timeline.model.vocabulary import read_vocabulary

            vocabulary = read_vocabulary(Path(vocabulary_file))
        fields = {
            "title": title,
            "origin": origin,
            "licence": licence,
            "language": language,
            "time_zone": time_zone,
            "vocabulary": vocabulary,
            "notice": notice,
        }
        writer.create_log(path, fields, validate(Said, {"author": author}), now=now)
        return cls(path, now=now)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        now: Callable[[], datetime] = clock.now,
        trust_clock: bool = False,
        ahead: str | None = None,
        fork: bool = False,
        patience: float = storage.PATIENCE,
    ) -> Self:
        """Open a timeline that exists.

        With `trust_clock`, an append after a long silence does not raise ClockLeapt. `ahead` is the
        reason to write a log that is ahead of the clock; without it, an append raises ClockBehind.
        With `fork`, an append makes a mirror a log of its own; without it, it raises IsMirror.
        All three can be changed later: they are attributes of the object. `patience` are the
        seconds for which an append waits for another writer.

        Raises NotATimeline for a missing or foreign file, TooNew for one of a newer version,
        TooOld for one that needs ``timeline migrate``, ProjectionOutdated for one that needs
        ``timeline rebuild``.
        """
        return cls(
            path, now=now, trust_clock=trust_clock, ahead=ahead, fork=fork, patience=patience
        )

    @classmethod
    def restore(
        cls,
        path: str | os.PathLike[str],
        file: IO[bytes],
        *,
        now: Callable[[], datetime] = clock.now,
        allow_ahead: bool = False,
    ) -> Self:
        """Restore a log that ``timeline export jsonl`` wrote, entry by entry, byte for byte.

        If `path` exists and contains the beginning of that log, the missing entries are added: so
        a mirror follows its original. The file is marked as a mirror. `file` is open for bytes,
        plain or gzip. Raises InvalidInput with the line of a wrong entry, Refused if `path`
        contains another log, ClockBehind for entries ahead of the clock, unless `allow_ahead`, and
        StoreError. After an error, no new file is left.
        """
        from timeline.intake.restore import restore

        restore(path, file, now=now, allow_ahead=allow_ahead)
        return cls(path, now=now)

    def close(self) -> None:
        """Close the connections to the file."""
        self._reader.close()
        if self._node:
            self._node.close()
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
        """Make several operations one append: all or nothing, with one `recorded_at`.

        The block gets a `writer.Append`. Its methods take one statement each, also about sources
        and actors; `record_each` takes many events, and is faster. With `dry_run` everything is
        checked, and nothing is kept. Until the block ends, other writers have to wait, and readers
        need not. Raises Busy after waiting for another writer for `patience` seconds, NotWritable,
        StorageFull, ClockBehind, ClockLeapt, IsMirror. In a node of a cluster, also Outrun,
        ClockAhead, Unreachable, InDoubt, and Busy if another node writes.
        """
        node = self._as_node()
        with (node.appending if node else writer.appending)(
            self._writing(),
            os.fspath(self.path),
            now=self._now,
            trust_clock=self.trust_clock,
            ahead=self.ahead,
            fork=self.fork,
            dry_run=dry_run,
        ) as append:
            yield append

    def _appended(self, write: Callable[[Append], T], *, again: bool = True) -> T:
        """Return what `write` returns, in one append; do it again if another node was quicker."""
        for _ in range(_TRIES - 1 if again else 0):
            with contextlib.suppress(Outrun), self.append() as append:
                return write(append)
        with self.append() as append:
            return write(append)

    def _as_node(self) -> ClusterNode | None:
        """Return the file as a node of a cluster, if it is one."""
        if node_of(self._writing()) is None:
            return None
        if self._node is None:
            from timeline.cluster.node import ClusterNode

            self._node = ClusterNode(self._writing(), os.fspath(self.path))
        return self._node

    def catch_up(self) -> int:
        """Read what other nodes of the cluster wrote, and return how many entries came.

        Every append does so too. In a file that is no node of a cluster it does nothing. Raises
        Unreachable, Diverged.
        """
        node = self._as_node() if node_of(self._reader) else None
        return node.catch_up() if node else 0

    @overload
    def record(self, events: NewEvent, **words: Unpack[StatementWords]) -> Receipt: ...

    @overload
    def record(
        self, events: Iterable[NewEvent], **words: Unpack[StatementWords]
    ) -> list[Receipt]: ...

    def record(
        self, events: NewEvent | Iterable[NewEvent], **words: Unpack[StatementWords]
    ) -> Receipt | list[Receipt]:
        """Record one event, or many at once; an event that is recorded already stays as it is.

        `event_id` and `external_ids` tell whether an event is recorded already. If it is, and has
        the same content, the receipt says `unchanged`; with other content, AlreadyRecorded is
        raised. A mapping may have its own author, reason and reported_at. Raises InvalidInput for
        a malformed event; among many, `error.item` is its number, from 1.
        """
        said = _said(words, guards=("entry_id",))
        if isinstance(events, Event | Mapping):
            entry_id = words.get("entry_id")
            return self._appended(lambda append: append.record(events, said, entry_id=entry_id))
        _check_unguarded(words)
        return self._appended(
            lambda append: [*_one_by_one(append.record_each(events, said))],
            again=not isinstance(events, Iterator),
        )

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
        """Update an event because the story moved on.

        `changes` is ``{path: value}``, or a whole event together with `expect`. A path is, for
        example, ``place.country``, ``quantities.0.value`` or, to add to a list, ``tags.-``; the
        value None removes a field. To update several events, give ``{event_id: changes}``. Raises
        NotFound, Conflict if the event is not at the version `expect`, NothingChanged,
        InvalidInput.
        """
        return self._appended(lambda append: _changed(append.update, events, changes, words))

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
        """Correct what the log said wrongly: as `update`, but `reason` is required.

        Raises InvalidInput without a reason, and the errors of `update`.
        """
        return self._appended(lambda append: _changed(append.correct, events, changes, words))

    @overload
    def retract(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def retract(self, events: Ids, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def retract(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | list[Receipt]:
        """Retract one event, or many at once, for a `reason`.

        Raises NotFound, Conflict, InvalidInput without a reason, NothingChanged if an event is
        retracted already.
        """
        return self._appended(lambda append: _each(append.retract, events, words))

    @overload
    def reinstate(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def reinstate(self, events: Ids, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def reinstate(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | list[Receipt]:
        """Take back the retraction or the merge of one event, or of many at once.

        Raises NotFound, Conflict, NothingChanged if an event is current.
        """
        return self._appended(lambda append: _each(append.reinstate, events, words))

    @overload
    def merge(self, events: str, into: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def merge(self, events: Ids, into: str, **words: Unpack[Guarded]) -> list[Receipt]: ...

    def merge(
        self, events: str | Ids, into: str, **words: Unpack[Guarded]
    ) -> Receipt | list[Receipt]:
        """Merge one event, or several, into the event `into`, which stays.

        Raises NotFound, Conflict, Refused if `into` was itself merged into the event.
        """
        return self._appended(
            lambda append: _each(functools.partial(append.merge, into=into), events, words)
        )

    def about(self, **fields: Unpack[LogFields]) -> Receipt:
        """Change what the log says about itself; `info` returns what it says now.

        A new time zone holds for all entries, earlier ones too: the tables are made again. Raises
        InvalidInput for a value that is wrong, NothingChanged if the log says all this already.
        """
        changes = {**fields}
        words = {word: changes.pop(word, None) for word in ("author", "reason")}
        said = validate(Said, words)
        return self._appended(lambda append: append.update_log(changes, said))

    def attach(
        self,
        event_id: str,
        content: bytes,
        about: Mapping[str, Any],
        *,
        allow_large: bool = False,
        **words: Unpack[StatementWords],
    ) -> Receipt:
        """Keep the bytes of a picture or a PDF, without metadata, and show it with an event.

        `about` has the fields of a `Medium` that are not in the bytes: `alt` (a picture needs it),
        `caption`, `credit`, `licence`, `source_id`, `url`. If the event shows the file already, no
        entry is added. Raises InvalidInput for another type of file or one that is damaged,
        NotFound, and Refused for a file that was erased and, unless `allow_large`, for one with
        which all files have more than 1 GiB.
        """
        said = _said(words)
        return self._appended(
            lambda append: append.attach(event_id, content, about, said, allow_large=allow_large)
        )

    def capture(
        self,
        document: str | bytes,
        source: Source | Mapping[str, Any],
        *,
        keep_hidden: bool = False,
        author: str | None = None,
        reported_at: str | None = None,
    ) -> Receipt:
        """Keep the text of a source, given as text, or as the bytes of a text, HTML or PDF file.

        If the source is recorded already (``Append.capture`` says how it is found), it is updated
        with the fields that differ. From then on, a quote from it must be found in the text.
        Passages that a page of HTML hides are left out, unless `keep_hidden`. Raises InvalidInput
        for a document that is no text.
        """
        from timeline.texts.document import Document, read

        said = validate(Said, {"author": author, "reported_at": reported_at})
        try:
            if isinstance(document, bytes):
                found = read(document, keep_hidden=keep_hidden)
            else:
                found = Document(str(document))
        except InvalidValue as error:
            raise InvalidInput("document", error.problem) from None
        return self._appended(lambda append: append.capture(source, found, said))

    def erase(
        self,
        entry_ids: Sequence[str],
        *,
        reason: str,
        author: str | None = None,
        progress: Callable[[int], object] = lambda count: None,
    ) -> Erasure:
        """Erase the content of entries for good; the entries stay, and every proof still holds.

        "media/" with the hash of an attached file, in place of an id, erases the bytes of the file.
        `reason` is published: it must not repeat the erased words. Other versions of an event
        repeat its words: erase each of them. `progress` is called with the number of entries read
        while the tables are rebuilt. A log that is ahead of the clock is written all the same.

        Raises NotFound, Refused for an entry that says what the log is, InvalidInput, and
        Unfinished if another program still reads old pages; the next append then finishes it.
        """
        from timeline.writing import erasure

        said = validate(Said, {"reason": reason, "author": author})
        node = self._as_node()
        return erasure.erase(
            self._writing(),
            os.fspath(self.path),
            entry_ids,
            said,
            now=self._now,
            trust_clock=self.trust_clock,
            fork=self.fork,
            progress=progress,
            appending=node.appending if node else writer.appending,
        )

    # --- Reading --------------------------------------------------------------------------

    @property
    def info(self) -> dict[str, Any]:
        """Return how the log describes itself: title, origin, time zone, vocabulary ..."""
        with self._reading() as connection:
            return log.info(connection)

    def resolve(self, text: str) -> tuple[str, int | None]:
        """Return the event id, and the version or None, that `text` means.

        `text` is an event id, any unique beginning of one, ID@3 for version 3, or #41 for an
        entry. Raises NotFound, Ambiguous.
        """
        from timeline.reading.references import resolve_event

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
        """Return one event, with the fields that ``timeline schema`` describes, and more.

        Lists and objects are nested; figures and coordinates are decimal strings. More fields are
        occurred_from, occurred_to (ISO 8601, times in the log's time zone, None for an open end),
        occurred_precision, state, version, seq, recorded_at (UTC) and reported_at; a merged event
        also has merged_into. Raises NotFound for an event, or a version of it, that was not
        recorded by that moment.
        """
        from timeline.reading import query

        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            event = query.get(connection, event_id, version=version, as_of=point)
            return cast("EventDict", event)

    def history(
        self, event_id: str, *, as_of: When | None = None, as_reported: When | None = None
    ) -> VersionRows:
        """Return the versions of an event, oldest first, as rows of table `event_versions`.

        Each has event_id, version, seq, kind, state, recorded_at, superseded_at (None for the
        last one), reported_at, reported_from, author, reason, proposed_by, merged_into and
        `changes`. A change is a dict of path (RFC 6901), old_value and new_value: text, JSON in
        text for a nested value, None for a missing field. Raises NotFound.
        """
        from timeline.reading import query

        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            return cast("VersionRows", query.history(connection, event_id, as_of=point))

    def changes(
        self, start: When, end: When | None = None, *, reported: bool = False
    ) -> ChangeRows:
        """Return the events that differ between the moments `start` and `end` (default: now).

        The moments are on the clock of recording; with `reported`, on the clock of reporting.
        Each row has event_id, title, `before` and `after` (dicts of version and state, None if
        the event was not recorded yet), `changes` as in `history`, and the `entries` in between,
        oldest first: dicts of version, kind, seq, recorded_at, reported_at, author and reason.
        Raises InvalidInput for a malformed moment, NotFound for an unknown entry.
        """
        from timeline.reading import comparison

        with self._reading() as connection:
            found = comparison.changes(connection, start, end, reported=reported)
            return cast("ChangeRows", [*found])

    def list(
        self,
        *,
        limit: int | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> EventRows:
        """Return the chosen rows of table `events`, in the order in which the events happened.

        Rows are flat: `contexts`, `tags` and `extra` are JSON in text. Numbers are int or float,
        unknown values None. Raises InvalidInput for a filter that cannot be read.
        """
        from timeline.reading import selection

        with self._tables(as_of, as_reported) as past:
            return cast("EventRows", [*selection.list_events(past, filters, limit=limit)])

    def search(
        self,
        text: str,
        *,
        limit: int | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> EventRows:
        """Return the chosen rows of table `events` that contain all words of `text`, best first.

        Put a phrase in double quotes. `match` is an excerpt, with each found word between U+0002
        and U+0003. Raises InvalidInput for a filter that cannot be read, or a text without words.
        """
        from timeline.reading import selection

        with self._tables(as_of, as_reported) as past:
            return cast("EventRows", [*selection.search(past, text, filters, limit=limit)])

    def facets(
        self,
        *,
        text: str | None = None,
        as_of: When | None = None,
        as_reported: When | None = None,
        **filters: Unpack[Filters],
    ) -> dict[str, Rows]:
        """Count the chosen events by the values of every facet, exactly.

        Returns by the name of the facet (`selection.FACETS`) rows of value, label and count, the
        most frequent value first. Raises InvalidInput as `list` and `search` do.
        """
        from timeline.reading import selection

        with self._tables(as_of, as_reported) as past:
            return selection.facets(past, filters, text=text)

    def text(self, source_id: str) -> str | None:
        """Return the newest captured text of a source, or None."""
        from timeline.reading import captured_texts

        with self._reading() as connection:
            return captured_texts.newest(connection, source_id)

    def lost_quotes(self, source_id: str) -> Rows:
        """Return the citations whose quote is not in the newest text of a source.

        Each has event_id, position (from 1), source_id, source_version and quote.
        """
        from timeline.reading import captured_texts

        with self._reading() as connection:
            return captured_texts.lost_quotes(connection, source_id)

    def resolve_source(self, text: str) -> str:
        """Return the id of the source that `text` means.

        `text` is a source id, any unique beginning of one, or the address of a source. Raises
        NotFound, Ambiguous.
        """
        from timeline.reading.references import resolve_source

        with self._reading() as connection:
            return resolve_source(connection, text)

    def coverage(self, source_id: str) -> dict[str, Any]:
        """Return for each sentence of a source's text whether events quote it.

        The dict has `source_id` and `sentences`, in the order of the text. Each sentence has
        start, end (code points), text, state (covered, commentary or missing) and the `events`
        that quote it. Raises NotFound, NoText.
        """
        from timeline.reading import captured_texts
        from timeline.reading.references import resolve_source

        with self._reading() as connection:
            source_id = resolve_source(connection, source_id)
            return captured_texts.coverage(connection, source_id).as_json(source_id)

    def _writing(self) -> sqlite3.Connection:
        """Return the connection that writes. Raises Refused in the middle of an append."""
        if self._writer is None:
            self._writer = storage.connect(self.path, write=True, patience=self._patience)
        if self._writer.in_transaction:
            raise Refused("this timeline is in the middle of an append: use that one")
        return self._writer

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with storage.storage_errors(self.path):
            yield self._reader

    @contextlib.contextmanager
    def _tables(self, as_of: When | None, as_reported: When | None) -> Iterator[sqlite3.Connection]:
        from timeline.reading.past_tables import tables_as_of

        with self._reading() as connection:
            point = parse_as_of(connection, as_of, as_reported)
            with tables_as_of(connection, point) as past:
                yield past


def _said(words: StatementWords | Guarded, guards: Container[str] = _GUARDS) -> Said:
    """Return the words without the guards. Raises InvalidInput for an unknown word."""
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
    """Raise InvalidInput if a guard was given for many events: a guard belongs to one event."""
    for guard in _GUARDS:
        if words.get(guard) is not None:
            raise InvalidInput(
                guard, "belongs to one event: give events one by one, inside an append"
            )


def _one_by_one(receipts: Iterator[Receipt]) -> Iterator[Receipt]:
    """Yield the receipts of many statements; an error gets the number of its statement, from 1."""
    for item in itertools.count(1):
        try:
            receipt = next(receipts, None)
        except TimelineError as error:
            raise error.at(item=item)  # noqa: B904 - it is the same error
        if receipt is None:
            return
        yield receipt
