"""`Timeline`: one object to keep and to read a timeline from Python.

Guarantees: reading goes to `query` on a connection that cannot write, writing to `writer`
on one of its own; neither knows the other. Every method that writes is one append.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack, overload

from timeline import clock, comparison, log, projection, query, schema, selection, writer
from timeline.errors import InvalidInput, Refused, TimelineError
from timeline.model import Event, Said
from timeline.terms import read_terms
from timeline.validation import validate
from timeline.writer import Append, Receipt

__all__ = ["Timeline"]

Statement = Event | Mapping[str, Any]
Changes = Mapping[str, Any] | Event
Receipts = list[Receipt]
Rows = list[dict[str, Any]]
Ids = list[str] | tuple[str, ...] | set[str]


class Words(TypedDict, total=False):
    """What goes with a statement: `timeline.model.Said`, and guards against doing it twice."""

    author: str | None
    reason: str | None
    reported_at: str | None
    entry_id: str | None


class Guarded(Words, total=False):
    """`Words`, and the version that the event must be at."""

    expect: int | None


class Timeline:
    """A timeline in a file: a context manager, or `close` it.

    >>> with Timeline.create(path, title="My story") as timeline:
    ...     timeline.record(Event(title="Talks in Odesa", occurred="15 April 2025"))
    """

    def __init__(self, path: str | os.PathLike[str], *, now: Callable[[], datetime] = clock.now):
        self.path = Path(path)
        self._now = now
        self._reader = schema.connect(self.path)
        self._writer: sqlite3.Connection | None = None
        try:
            with schema.storage_errors(path):
                projection.check(self._reader, os.fspath(path))
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
        """A new timeline. Raises InvalidInput, or StoreError if the name is taken."""
        terms = read_terms(Path(vocabulary_file)) if vocabulary_file else None
        fields = {
            "title": title,
            "origin": origin,
            "licence": licence,
            "language": language,
            "time_zone": time_zone,
            "vocabulary": writer.vocabulary_fields(terms) if terms else None,
            "notice": notice,
        }
        writer.create_log(path, fields, validate(Said, {"author": author}), now=now)
        return cls(path, now=now)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, now: Callable[[], datetime] = clock.now) -> Self:
        """A timeline that is there. Raises NotATimeline, TooNew, ProjectionOutdated."""
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

        With `dry_run` all is checked, and nothing is kept.
        """
        if self._writer is None:
            self._writer = schema.connect(self.path, write=True)
        if self._writer.in_transaction:
            raise Refused("this timeline is in the middle of an append: use that one")
        with writer.appending(
            self._writer, os.fspath(self.path), now=self._now, dry_run=dry_run
        ) as append:
            yield append

    @overload
    def record(self, events: Statement, **words: Unpack[Words]) -> Receipt: ...

    @overload
    def record(self, events: Iterable[Statement], **words: Unpack[Words]) -> Receipts: ...

    def record(
        self, events: Statement | Iterable[Statement], **words: Unpack[Words]
    ) -> Receipt | Receipts:
        """Record one event, or many at once; what is recorded already is left alone.

        Raises InvalidInput, AlreadyRecorded; of many, `error.item` counts from 1.
        """
        said = _said(words)
        with self.append() as append:
            if isinstance(events, Event | Mapping):
                return append.record(events, said, entry_id=words.get("entry_id"))
            _check_unguarded(words)
            return [*_one_by_one(append.record(event, said) for event in events)]

    @overload
    def update(self, events: str, changes: Changes, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def update(self, events: Mapping[str, Changes], **words: Unpack[Guarded]) -> Receipts: ...

    def update(
        self,
        events: str | Mapping[str, Changes],
        changes: Changes | None = None,
        **words: Unpack[Guarded],
    ) -> Receipt | Receipts:
        """The story moved on: ``{path: value}``, or a whole event with `expect`.

        Of many: ``{event_id: changes}``. Raises NotFound, Conflict, NothingChanged,
        InvalidInput.
        """
        with self.append() as append:
            return _changed(append.update, events, changes, words)

    @overload
    def correct(self, events: str, changes: Changes, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def correct(self, events: Mapping[str, Changes], **words: Unpack[Guarded]) -> Receipts: ...

    def correct(
        self,
        events: str | Mapping[str, Changes],
        changes: Changes | None = None,
        **words: Unpack[Guarded],
    ) -> Receipt | Receipts:
        """We were wrong: as `update`, with a `reason`."""
        with self.append() as append:
            return _changed(append.correct, events, changes, words)

    @overload
    def retract(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def retract(self, events: Ids, **words: Unpack[Guarded]) -> Receipts: ...

    def retract(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | Receipts:
        """It should not stand here, for a `reason`; one event, or many at once."""
        with self.append() as append:
            return _each(append.retract, events, words)

    @overload
    def reinstate(self, events: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def reinstate(self, events: Ids, **words: Unpack[Guarded]) -> Receipts: ...

    def reinstate(self, events: str | Ids, **words: Unpack[Guarded]) -> Receipt | Receipts:
        """Take back a retraction or a merge; of one event, or of many at once."""
        with self.append() as append:
            return _each(append.reinstate, events, words)

    @overload
    def merge(self, events: str, into: str, **words: Unpack[Guarded]) -> Receipt: ...

    @overload
    def merge(self, events: Ids, into: str, **words: Unpack[Guarded]) -> Receipts: ...

    def merge(self, events: str | Ids, into: str, **words: Unpack[Guarded]) -> Receipt | Receipts:
        """One event, or several, are the same as another, which stays."""
        with self.append() as append:
            return _each(functools.partial(append.merge, into=into), events, words)

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
            return query.resolve_event(connection, text)

    def get(
        self,
        event_id: str,
        *,
        version: int | None = None,
        as_of: object = None,
        as_reported: object = None,
    ) -> dict[str, Any]:
        """One event with its content and how it stands. Raises NotFound."""
        with self._reading() as connection:
            point = query.parse_as_of(connection, as_of, as_reported)
            return query.get(connection, event_id, version=version, as_of=point)

    def history(self, event_id: str, *, as_of: object = None, as_reported: object = None) -> Rows:
        """The versions of an event, oldest first, each with its changes. Raises NotFound."""
        with self._reading() as connection:
            point = query.parse_as_of(connection, as_of, as_reported)
            return query.history(connection, event_id, as_of=point)

    def changes(self, start: object, end: object = None, *, reported: bool = False) -> Rows:
        """What was believed at `start` and no longer at `end` (now), event by event.

        The two are moments of the recorded clock, with `reported` of the reported one. Each
        row has `before` and `after` (version and state, or None), the fields that differ, and
        the entries in between with their reasons.
        """
        with self._reading() as connection:
            return [*comparison.changes(connection, start, end, reported=reported)]

    def list(
        self,
        *,
        limit: int | None = None,
        as_of: object = None,
        as_reported: object = None,
        **filters: object,
    ) -> Rows:
        """Rows of table `events`, in the order in which they happened.

        The filters are those of `selection.FILTERS`, such as ``actor="Mark Rutte"``.
        """
        with self._tables(as_of, as_reported) as tables:
            return [*selection.list_events(tables, filters, limit=limit)]

    def search(
        self,
        text: str,
        *,
        limit: int | None = None,
        as_of: object = None,
        as_reported: object = None,
        **filters: object,
    ) -> Rows:
        """Rows of table `events` that hold all words of `text`, best first."""
        with self._tables(as_of, as_reported) as tables:
            return [*selection.search(tables, text, filters, limit=limit)]

    def facets(
        self,
        *,
        text: str | None = None,
        as_of: object = None,
        as_reported: object = None,
        **filters: object,
    ) -> dict[str, Rows]:
        """Exact counts of the values of every facet, of a selection of events."""
        with self._tables(as_of, as_reported) as tables:
            return selection.facets(tables, filters, text=text)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with schema.storage_errors(self.path):
            yield self._reader

    @contextlib.contextmanager
    def _tables(self, as_of: object, as_reported: object) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            point = query.parse_as_of(connection, as_of, as_reported)
            with selection.tables_as_of(connection, point) as tables:
                yield tables


def _said(words: Words | Guarded) -> Said:
    fields = {field: value for field, value in words.items() if field in Said.model_fields}
    return validate(Said, fields)


def _guards(words: Guarded) -> dict[str, Any]:
    return {"expect": words.get("expect"), "entry_id": words.get("entry_id")}


def _changed(
    change: Callable[..., Receipt],
    events: str | Mapping[str, Changes],
    changes: Changes | None,
    words: Guarded,
) -> Receipt | Receipts:
    said = _said(words)
    if isinstance(events, str):
        return change(events, changes or {}, said, **_guards(words))
    _check_unguarded(words)
    return [*_one_by_one(change(event_id, wanted, said) for event_id, wanted in events.items())]


def _each(change: Callable[..., Receipt], events: str | Ids, words: Guarded) -> Receipt | Receipts:
    said = _said(words)
    if isinstance(events, str):
        return change(events, said=said, **_guards(words))
    _check_unguarded(words)
    return [*_one_by_one(change(event_id, said=said) for event_id in events)]


def _check_unguarded(words: Words | Guarded) -> None:
    """Guards are of one event: of many, they are given in an `append`."""
    for guard in ("entry_id", "expect"):
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
