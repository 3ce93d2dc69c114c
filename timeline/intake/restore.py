"""Restore a log from its export in wire form: make a copy, or add what a copy lacks.

Guarantees: envelopes, payloads, salts and leaves are those of the export, byte for byte, and so is
the root of the tree. Everything that `foreign_entries` refuses is refused. Only whole batches are
committed, in which `verify` finds nothing wrong. A new file appears when the whole export is in it,
or not at all; an existing file grows by the batches before an error. Content that was erased in the
export is erased here too, to its last byte. A file that got entries is marked as a mirror.

The export is read once, as a stream.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from timeline.errors import InvalidInput, Refused, TimelineError
from timeline.formats.importers.packed import plain
from timeline.intake.foreign_entries import ForeignEntries
from timeline.model import clock, text_files
from timeline.projection import tables
from timeline.store import codec, follows, log, mirror, node, scrub, storage
from timeline.store.codec import Entry

TAKEN_AT_ONCE = 5_000
"""The number of entries after which a transaction ends with the next batch."""

LONGEST = 3 * codec.MAX_PAYLOAD
"""The most bytes in a line: the largest payload, with every character escaped, and the rest of
the entry."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Says what `restore` did."""

    size: int
    """The number of entries in the log now."""
    added: int
    """The number of them that were not there before."""
    root: bytes
    """The root of the tree over all of them."""
    texts_absent: int
    """The number of sources whose captured text is not in this file."""
    new_time_zone: str | None
    """The time zone that the log has since one of these entries; None if it has the same as before
    or had no entries. With a new one all tables are made again."""


def restore(
    path: str | os.PathLike[str],
    file: IO[bytes],
    *,
    now: Callable[[], datetime] = clock.now,
    allow_ahead: bool = False,
    progress: Callable[[int], object] = lambda count: None,
) -> Restored:
    """Restore a whole log from an export in wire form, plain or as gzip.

    If there is no file yet, it is made. A file whose log is the beginning of the export gets the
    rest of it. `progress` is called with the count of lines that were read.

    Raises InvalidInput and similar errors, with the line, for an entry that is wrong; IsFollower
    for a file that follows a published log; Refused for a node of a cluster, and for a file with
    another log, with the first entry that differs; ClockBehind for entries more than a minute ahead
    of the clock, unless `allow_ahead`; StoreError for a file that cannot be written.
    """
    connection: sqlite3.Connection
    with contextlib.ExitStack() as stack:
        lines = _entry_lines(plain(file))
        if Path(path).exists():
            connection = stack.enter_context(contextlib.closing(storage.connect(path, write=True)))
            stack.enter_context(storage.storage_errors(path))
            follows.check_own(connection, os.fspath(path))
            if kept := node.node_of(connection):
                raise Refused(
                    f"this file is a node of {kept.cluster}: it grows with it alone; timeline"
                    " cluster follow brings what is new"
                )
        else:
            connection = stack.enter_context(storage.new_file(path))
            with storage.immediate(connection):
                tables.create(connection, "UTC")
        return _Restoring(connection, os.fspath(path), now, allow_ahead).run(lines, progress)


class _Restoring:
    """Restores an export into one file."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        now: Callable[[], datetime],
        allow_ahead: bool,
    ) -> None:
        self._connection = connection
        self._path = path
        self._now = now
        self._allow_ahead = allow_ahead
        self._awaiting_erasure: dict[str, int] = {}
        """The id of each entry without a payload whose erasure has not been read yet, with its
        seq."""

    def run(self, lines: Iterator[str], progress: Callable[[int], object]) -> Restored:
        before = log.size(self._connection)
        zone_before = log.time_zone(self._connection)
        batches = itertools.groupby(
            self._new_entries(lines, progress), key=lambda entry: entry.recorded_at
        )
        while self._accept_some(batches):
            pass
        scrub.scrub(self._connection, self._path)
        size = log.size(self._connection)
        (absent,) = self._connection.execute(
            "SELECT count(*) FROM sources WHERE text_sha256 IS NOT NULL AND text_sha256 NOT IN"
            " (SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL)"
        ).fetchone()
        zone = log.time_zone(self._connection)
        new_zone = zone if before and zone != zone_before else None
        root = log.root_at(self._connection, size)
        return Restored(size, size - before, root, absent, new_zone)

    def _new_entries(
        self, lines: Iterator[str], progress: Callable[[int], object]
    ) -> Iterator[Entry]:
        """Yield the entries after those that are in the file already, which must be the same."""
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
        if seq < 0:
            raise InvalidInput("", "holds no entry").at(line=1)
        if next(stored, None) is not None:
            size = log.size(self._connection)
            raise Refused(
                f"{self._path} has {size} entries, and the export ends with its entry {seq}: "
                "there is nothing to add"
            )
        if self._awaiting_erasure:
            seq = min(self._awaiting_erasure.values())
            problem = "is absent, and no later entry.erased of this export says why"
            raise InvalidInput("payload", problem).at(line=seq + 1)

    def _compare(self, here: Entry, entry: Entry) -> None:
        """Raise Refused unless both are one entry, whose content the export may have erased."""
        if here.envelope != entry.envelope or (here.payload is None and entry.payload is not None):
            raise Refused(f"entry {entry.seq} is another one in {self._path}: nothing was added")
        if here.payload is not None and entry.payload is None:
            self._awaiting_erasure[entry.id] = entry.seq

    def _accept_some(self, batches: Iterator[tuple[str, Iterator[Entry]]]) -> bool:
        """Accept entries in one transaction, and return whether there may be more.

        A transaction ends only where no entry waits for its erasure.
        """
        with storage.immediate(self._connection):
            tables.check(self._connection, self._path)
            foreign = ForeignEntries(
                self._connection,
                self._awaiting_erasure,
                now=self._now,
                allow_ahead=self._allow_ahead,
            )
            more = False
            for _, batch in batches:
                for entry in batch:
                    with _naming(entry.seq):
                        foreign.accept(entry)
                foreign.end_batch()
                if foreign.count >= TAKEN_AT_ONCE and not self._awaiting_erasure:
                    more = True
                    break
            foreign.finish()
            if foreign.count:
                origin = str(log.info(self._connection)["origin"])
                mirror.mark(self._connection, mirror.Mirror(origin, clock.utc(self._now())))
        return more


@contextlib.contextmanager
def _naming(seq: int) -> Iterator[None]:
    """Put the line of an entry on its errors."""
    try:
        yield
    except TimelineError as error:
        raise error.at(line=seq + 1)  # noqa: B904 - it is the same error


def _entry_lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file. Raises InvalidInput for one that is too long for an entry."""
    number = 0
    try:
        for line in text_files.lines(file, longest=LONGEST):
            number += 1
            yield line.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        raise InvalidInput("", "is not UTF-8").at(line=number) from None
    except InvalidInput as error:  # of a line that is too long, or of a packed file
        raise error if error.line else error.at(line=number + 1)  # noqa: B904 - it is the same
