"""A log taken in from its export in wire form: a copy, or what a copy lacks.

Guarantees: envelopes, payloads, salts and leaves are those of the export, byte for byte, and so
is the root of the tree. Each entry is held to what the writer guarantees: numbers, versions and
times go on, ids are new, a payload is well formed by the model of its kind and in the form that
is written here, references lead to something that is there. A payload is absent only if a later
entry of the export erases it; then it goes from the copy too, to its last byte.

What is committed is whole batches, of which `verify` finds nothing wrong. A new file is there when
all of the export is in it, or not at all; one that is there already grows by what was right.

It cannot know what is not in an export: the texts of sources, and so whether quotes stand in them.
Nor does it ask whether a statement is in the words of the log's vocabulary or changes anything.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, cast

from timeline import clock, codec, erasure, log, projection, schema, writer
from timeline.codec import Entry
from timeline.entries import MAX_AHEAD, differing, payload_of
from timeline.errors import ClockBehind, InvalidInput, Refused, TimelineError, Unfinished
from timeline.holdings import Holdings
from timeline.model import Actor, Annotation, Content, Event, LogInfo, Merge, Said, Source
from timeline.projector import Projector
from timeline.validation import validate

__all__ = ["Restored", "restore"]

_AT_ONCE = 5_000
"""Entries after which a transaction ends with the next batch."""

_LONGEST = 3 * codec.MAX_PAYLOAD
"""Bytes of a line: the largest payload, each of its characters escaped, and what goes with it."""

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
"""What a payload says beside author and reason; nothing of every other kind."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` did."""

    size: int
    """Entries in the log now."""
    added: int
    """How many of them were not there before."""
    root: bytes
    """Of the tree over all of them."""
    texts_absent: int
    """Sources whose captured text is not in this file."""


def restore(
    path: str | os.PathLike[str],
    file: IO[bytes],
    *,
    now: Callable[[], datetime] = clock.now,
    progress: Callable[[int], object] = lambda count: None,
) -> Restored:
    """Take in an export in wire form, plain or as gzip: a whole log, from its first entry on.

    Where no file is yet, one is made. A file whose log is the beginning of the export gets the
    rest of it. `progress` is called with the count of lines that were read.

    Raises InvalidInput and its like for an entry that is wrong, with its line; Refused for a
    file with another log, naming the first entry that differs; ClockBehind for entries of more
    than a minute ahead; StoreError for a file that cannot be written.
    """
    with contextlib.ExitStack() as stack:
        lines = _lines(stack.enter_context(_unpacked(file)))
        if Path(path).exists():
            connection = stack.enter_context(contextlib.closing(schema.connect(path, write=True)))
            stack.enter_context(schema.storage_errors(path))
        else:
            connection = stack.enter_context(schema.new_file(path))
            with schema.immediate(connection):
                projection.create(connection)
        return _Restoring(connection, os.fspath(path), now).run(lines, progress)


class _Restoring:
    """An export on its way into one file."""

    def __init__(
        self, connection: sqlite3.Connection, path: str, now: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._path = path
        self._now = now
        self._unexcused: dict[str, int] = {}
        """Id and seq of entries without a payload, until their erasure comes."""
        self._emptied: list[Entry] = []
        """Entries that had a payload here until now."""

    def run(self, lines: Iterator[str], progress: Callable[[int], object]) -> Restored:
        before = log.size(self._connection)
        batches = itertools.groupby(
            self._new_entries(lines, progress), key=lambda entry: entry.recorded_at
        )
        while self._take_some(batches):
            pass
        size = log.size(self._connection)
        if not size:
            raise InvalidInput("", "holds no entry").at(line=1)
        if self._emptied:
            self._scrub()
        (absent,) = self._connection.execute(
            "SELECT count(*) FROM sources WHERE text_sha256 IS NOT NULL AND text_sha256 NOT IN"
            " (SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL)"
        ).fetchone()
        return Restored(size, size - before, log.root_at(self._connection, size), absent)

    def _new_entries(
        self, lines: Iterator[str], progress: Callable[[int], object]
    ) -> Iterator[Entry]:
        """The entries behind those that are here already, which must be the same."""
        stored = log.read(self._connection)
        seq = -1
        for seq, line in enumerate(lines):
            here = next(stored, None)
            if here is None or line != codec.to_wire(here):
                with _naming(seq):
                    entry = codec.from_wire(line, seq)
                    if here is not None:
                        self._compare(here, entry)
                if here is None:
                    yield entry
            progress(seq + 1)
        if next(stored, None) is not None:
            size = log.size(self._connection)
            raise Refused(
                f"{self._path} has {size} entries, and the export ends with its entry {seq}: "
                "there is nothing to add"
            )
        if self._unexcused:
            seq = min(self._unexcused.values())
            problem = "is absent, and no later entry.erased of this export says why"
            raise InvalidInput("payload", problem).at(line=seq + 1)

    def _compare(self, here: Entry, entry: Entry) -> None:
        """Raise Refused unless the two are one, but that the words are gone by now."""
        if here.envelope != entry.envelope or (here.payload is None and entry.payload is not None):
            raise Refused(f"entry {entry.seq} is another one in {self._path}: nothing was added")
        if here.payload is not None and entry.payload is None:
            self._unexcused[entry.id] = entry.seq

    def _take_some(self, batches: Iterator[tuple[str, Iterator[Entry]]]) -> bool:
        """One transaction; whether there may be more.

        It ends where no entry waits for its erasure.
        """
        with schema.immediate(self._connection):
            projection.check(self._connection, self._path)
            taking = _Taking(self._connection, self._now, self._unexcused)
            more = False
            for _, batch in batches:
                for entry in batch:
                    with _naming(entry.seq):
                        taking.take(entry)
                taking.end_batch()
                if taking.count >= _AT_ONCE and not self._unexcused:
                    more = True
                    break
            taking.finish()
        self._emptied += taking.emptied
        return more

    def _scrub(self) -> None:
        try:
            erasure.scrub(self._connection, self._path)
        except Unfinished as error:
            advice = f"timeline erase #{self._emptied[0].seq} finishes it"
            raise Unfinished(error.path, error.why, advice) from error


@contextlib.contextmanager
def _naming(seq: int) -> Iterator[None]:
    """Errors of an entry with the line that it is on."""
    try:
        yield
    except TimelineError as error:
        raise error.at(line=seq + 1)  # noqa: B904 - it is the same error


@contextlib.contextmanager
def _unpacked(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is in a file, which may be gzip. It stays open."""
    buffered = io.BufferedReader(cast("io.RawIOBase", file))
    try:
        is_gzip = buffered.peek(2)[:2] == b"\x1f\x8b"
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=buffered)) if is_gzip else buffered
    finally:
        buffered.detach()


def _lines(file: IO[bytes]) -> Iterator[str]:
    """The lines of a file, never one that no entry can be."""
    number = 0
    try:
        while line := file.readline(_LONGEST + 1):
            number += 1
            if len(line) > _LONGEST:
                raise InvalidInput("", "is longer than an entry can be").at(line=number)
            yield line.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        raise InvalidInput("", "is not UTF-8").at(line=number) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        problem = "is where the gzip data ends too early, or is damaged"
        raise InvalidInput("", problem).at(line=number + 1) from None


class _Taking:
    """The entries of one transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: Callable[[], datetime],
        unexcused: dict[str, int],
    ) -> None:
        self._connection = connection
        self._unexcused = unexcused
        self._log = log.Appender(connection)
        self._fold_from_here()
        newest = log.newest(connection)
        self._recorded_at = newest.recorded_at if newest else ""
        self._now = clock.utc(now())
        self._latest = clock.utc(clock.parse(self._now) + MAX_AHEAD)
        self._expected: dict[str, tuple[int, str]] = {}
        """Events that this batch must bring: the seq and the field that name them."""
        self.count = 0
        self.emptied: list[Entry] = []
        """Entries that had a payload here, which this transaction took out."""
        self._is_stale = False

    def _fold_from_here(self) -> None:
        self._projector = Projector(self._connection)
        self._held = Holdings(self._connection, self._projector)

    def take(self, entry: Entry) -> None:
        """Check one entry, append it and fold it into the tables."""
        self._check_envelope(entry)
        if entry.payload is not None:
            self._check_payload(entry, entry.payload)
        elif entry.subject == "log":
            raise InvalidInput("payload", "says what the log is, and cannot be absent")
        else:
            self._unexcused[entry.id] = entry.seq
        erased = self._erased_by(entry) if entry.kind == "entry.erased" else None
        self._log.append(entry)
        self._projector.apply(entry)
        if erased:
            writer.take_out(self._connection, erased, entry.id)
            self.emptied.append(erased)
            self._is_stale = True
        self._recorded_at = entry.recorded_at
        self.count += 1

    def end_batch(self) -> None:
        """The last checks of a batch, on references into it; what was erased is forgotten."""
        for event_id, (seq, field) in self._expected.items():
            if not self._held.version(f"event/{event_id}"):
                problem = f'there is no event "{event_id}" up to the end of its batch'
                raise InvalidInput(field, problem).at(line=seq + 1)
        self._expected.clear()
        if self._is_stale:
            projection.make_anew(self._connection)
            self._fold_from_here()
            self._is_stale = False

    def finish(self) -> None:
        """What is left to do before the commit."""
        self._projector.flush()

    # --- Checks -------------------------------------------------------------------------------

    def _check_envelope(self, entry: Entry) -> None:
        if entry.seq != self._log.size:
            raise Refused("somebody else appends to this file: it is no copy any more")
        if (entry.kind == "log.opened") != (entry.seq == 0):
            problem = "a log begins with log.opened, once; an export with filters is part of one"
            raise InvalidInput("envelope.kind", problem)
        if known := log.entry_by_id(self._connection, entry.id):
            raise InvalidInput("envelope.id", f"is the id of entry {known.seq} already")
        following = self._held.version(entry.subject) + 1
        if entry.version != following:
            problem = f"must be {following}, the next of {entry.subject}"
            raise InvalidInput("envelope.version", problem)
        what, _, verb = entry.kind.partition(".")
        if what not in ("log", "entry") and (verb == "recorded") != (entry.version == 1):
            raise InvalidInput("envelope.kind", f"must be {what}.recorded in version 1 alone")
        if entry.kind == "event.recorded" and entry.reported_at is None:
            raise InvalidInput("envelope.reported_at", "is required of event.recorded")
        if entry.recorded_at < self._recorded_at:
            problem = f"lies before {self._recorded_at}, when the entry before was recorded"
            raise InvalidInput("envelope.recorded_at", problem)
        if entry.recorded_at > self._latest:
            raise ClockBehind(entry.recorded_at, self._now)

    def _check_payload(self, entry: Entry, payload: str) -> None:
        try:
            self._check_content(entry, payload)
        except InvalidInput as error:
            field = f"payload.{error.field}" if error.field else "payload"
            raise InvalidInput(field, error.problem) from None

    def _check_content(self, entry: Entry, payload: str) -> None:
        fields = codec.decode_payload(payload)
        said = validate(Said, {key: fields.get(key) for key in ("author", "reason")})
        content = validate(_MODELS.get(entry.kind, Content), codec.content_of(fields))
        written = payload_of(entry.kind, said, content.content())
        if written != payload:
            field = next(iter(differing(fields, codec.decode_payload(written))), "")
            raise InvalidInput(field, "is not in the form in which a Timeline writes it")
        match content:
            case Event():
                self._check_event(entry, content)
            case LogInfo():
                writer.check_time_zone(content)
                if entry.seq and content.origin != log.info(self._connection)["origin"]:
                    raise InvalidInput("origin", "cannot change")
            case Merge():
                what = entry.subject.partition("/")[0]
                self._held.check_merge(entry.subject, f"{what}/{content.into}")
            case _:
                pass

    def _check_event(self, entry: Entry, event: Event) -> None:
        """References hold; of those to events the end of the batch decides."""
        named: list[tuple[str, str | None]] = [
            (f"citations.{number}.source_id", citation.source_id)
            for number, citation in enumerate(event.citations)
        ]
        for field in ("quantities", "claims"):
            for number, item in enumerate(getattr(event, field)):
                named += ((f"{field}.{number}.source_ids", each) for each in item.source_ids)
        for field, source_id in named:
            if source_id is None:
                raise InvalidInput(field, "is required: a source has an entry of its own")
            if not self._held.version(f"source/{source_id}"):
                raise InvalidInput(field, f'there is no source "{source_id}" before it')
        for number, relation in enumerate(event.relations):
            field = f"relations.{number}.event_id"
            if relation.event_id == entry.subject_id:
                raise InvalidInput(field, "an event cannot relate to itself")
            if not self._held.version(f"event/{relation.event_id}"):
                self._expected.setdefault(relation.event_id, (entry.seq, f"payload.{field}"))
        if entry.version > 1:
            self._held.settle()
        for external_id in event.external_ids:
            owner = self._held.owner_of((external_id,))
            if owner not in (None, entry.subject_id):
                raise InvalidInput("external_ids", f"{external_id} belongs to event {owner}")
        self._held.claim(event.external_ids, entry.subject_id)

    def _erased_by(self, entry: Entry) -> Entry | None:
        """The entry that this one erases, if it has a payload here."""
        erased = log.entry_by_id(self._connection, entry.subject_id)
        if erased is None:
            problem = f'there is no entry "{entry.subject_id}" before it'
            raise InvalidInput("envelope.subject", problem)
        is_absent = erased.payload is None or erased.id in self._unexcused
        if not is_absent:
            problem = f"entry {erased.seq}, which it erases, has its payload still"
            raise InvalidInput("envelope.subject", problem)
        self._unexcused.pop(erased.id, None)
        return erased if erased.payload is not None else None
