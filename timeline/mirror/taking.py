"""Take the entries of a log that a prefix serves into a copy, and leave out what is not right.

Guarantees: an entry comes in only if its envelope has the leaf of the checked tree, its words have
the hash of its envelope, and it keeps the rules of `foreign_entries`. Only whole batches are
committed. A checkpoint is stored in the transaction that has the last entry under it. An entry that
was erased there is erased here, to its last byte. Where something is missing or wrong, all batches
before it are taken.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO

from timeline.errors import (
    ClockBehind,
    InvalidInput,
    NotFetched,
    ProofError,
    Refused,
    TimelineError,
    TooNew,
)
from timeline.intake.foreign_entries import ForeignEntries
from timeline.intake.restore import LONGEST, TAKEN_AT_ONCE
from timeline.mirror.prefix import Prefix
from timeline.mirror.served import Served
from timeline.mirror.trouble import Trouble
from timeline.model import clock, text_files
from timeline.projection import tables
from timeline.proof import checkpoints
from timeline.proof.tile_tree import TileTree
from timeline.proof.tiles import WIDTH, entries_path
from timeline.store import codec, log, storage
from timeline.store.codec import Entry

_LONGEST_FILE = WIDTH * LONGEST


class Taking:
    """Takes what a checked tree has beyond the copy; `run` does it transaction by transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        prefix: Prefix,
        now_served: Served,
        tree: TileTree,
        *,
        now: Callable[[], datetime] = clock.now,
        progress: Callable[[int], object] = lambda count: None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._prefix = prefix
        self._served = now_served
        self._tree = tree
        self._now = now
        self._progress = progress
        self._size = log.size(connection)
        self._end = tree.size
        """The number of entries up to which to take; smaller than the tree once trouble was met."""
        self._trouble: Trouble | None = None
        self.erased: list[int] = []
        """The numbers of the entries that were here and are erased now."""

    def step(self, at_commit: Callable[[], object]) -> bool:
        """Take entries in one transaction, and return whether there may be more.

        `at_commit` is called before the commit. Raises the Trouble that was met, when everything
        before it is in.
        """
        starts = list[int]()
        awaiting = dict[str, int]()
        try:
            return self._transaction(starts, awaiting, at_commit)
        except _At as wrong:
            self._trouble = wrong.trouble
            self._end = max((start for start in starts if start <= wrong.seq), default=self._size)
        if self._end <= self._size:
            raise self._trouble
        return True

    def _transaction(
        self, starts: list[int], awaiting: dict[str, int], at_commit: Callable[[], object]
    ) -> bool:
        with storage.immediate(self._connection):
            tables.check(self._connection, self._path)
            if log.size(self._connection) != self._size:
                raise Refused(f"another program writes into {self._path}: follow it again later")
            foreign = _PublishedEntries(self._connection, awaiting, now=self._now)
            batches = itertools.groupby(self._entries(), key=lambda entry: entry.recorded_at)
            more = self._accept(foreign, batches, starts, awaiting)
            foreign.finish()
            if not more and self._trouble is None:
                self._keep_checkpoint()
            at_commit()
        self._size += foreign.count
        self.erased += foreign.erased
        if not more and self._trouble:
            raise self._trouble
        return more

    def _accept(
        self,
        foreign: _PublishedEntries,
        batches: Iterator[tuple[str, Iterator[Entry]]],
        starts: list[int],
        awaiting: dict[str, int],
    ) -> bool:
        """Accept batches up to the limit of a transaction, and return whether there are more."""
        absent = dict[int, Entry]()
        for _, batch in batches:
            starts.append(self._size + foreign.count)
            for entry in batch:
                if entry.payload is None:
                    absent[entry.seq] = entry
                try:
                    foreign.accept(entry)
                except ClockBehind:
                    raise
                except TimelineError as error:
                    raise _At(entry.seq, _not_right(entry, error)) from None
                self._progress(entry.seq + 1)
            try:
                foreign.end_batch()
            except TimelineError as error:
                raise _At(starts[-1], _not_right(entry, error)) from None
            if foreign.count >= TAKEN_AT_ONCE and not awaiting:
                return True
        if awaiting:
            seq = min(awaiting.values())
            raise _At(seq, _withheld(absent[seq]))
        return False

    def _keep_checkpoint(self) -> None:
        note, keys = self._served.note, self._served.keys
        checkpoints.keep(self._connection, note, keys, self._now())

    # --- Reading --------------------------------------------------------------------------

    def _entries(self) -> Iterator[Entry]:
        """Yield the entries that are not here yet, each checked against the tree."""
        for number in range(self._size // WIDTH, -(-self._end // WIDTH)):
            name = entries_path(number)
            seq = max(number * WIDTH, self._size)
            try:
                leaves = self._tree.leaves(number)
                with self._prefix.opened(name, _LONGEST_FILE) as file:
                    for seq, line in enumerate(_lines(file, len(leaves)), number * WIDTH):
                        if self._size <= seq < self._end:
                            yield _entry(seq, line, leaves[seq % WIDTH])
            except (ProofError, InvalidInput) as error:
                raise _At(max(seq, self._size), Trouble("damaged", f"{name}: {error}")) from None
            except NotFetched as error:
                if error.status != 404:
                    raise
                raise _At(seq, Trouble("withheld", f"{name} is not there")) from None
            if seq % WIDTH + 1 < len(leaves):
                problem = f"{name} ends before entry {seq + 1:,}, which is in the signed tree"
                raise _At(max(seq + 1, self._size), Trouble("withheld", problem))


def _lines(file: IO[bytes], count: int) -> Iterator[bytes]:
    """Yield the first `count` lines of a file of entries.

    The last file may be longer, as it is of a later state. Raises InvalidInput for a line that is
    too long, and for more lines than a file of entries has.
    """
    for number, line in enumerate(text_files.lines(file, longest=LONGEST)):
        if number >= WIDTH:
            raise InvalidInput("", f"has more than {WIDTH} lines")
        if number < count:
            yield line


def _entry(seq: int, line: bytes, leaf: bytes) -> Entry:
    """Return the entry of a line, if it has this leaf. Raises _At."""
    try:
        entry = codec.from_wire(line.removesuffix(b"\n").decode(), seq)
    except TooNew:
        raise
    except (TimelineError, UnicodeDecodeError) as error:
        raise _At(seq, Trouble("damaged", f"entry {seq:,}: {error}")) from None
    if entry.leaf != leaf:
        raise _At(seq, Trouble("damaged", f"entry {seq:,} is not the one in the signed tree"))
    return entry


class _PublishedEntries(ForeignEntries):
    """Takes in entries of a signed tree, and erases here what was erased there."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        awaiting_erasure: dict[str, int],
        *,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(connection, awaiting_erasure, now=now)
        self.erased: list[int] = []

    def _check_present(self, erased: Entry) -> None:
        """Accept an entry that is here with its words: they are taken out now."""
        self.erased.append(erased.seq)


class _At(Exception):
    """Carries trouble with an entry out of a transaction, which is then taken back."""

    def __init__(self, seq: int, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.seq = seq
        self.trouble = trouble


def _not_right(entry: Entry, error: TimelineError) -> Trouble:
    return Trouble("damaged", f"entry {entry.seq:,}: {error}")


def _withheld(entry: Entry) -> Trouble:
    name = f"{entry.subject}, version {entry.version}"
    return Trouble(
        "withheld",
        f"entry {entry.seq:,} ({name}) is in the signed tree; its words are not published, and no "
        "entry erases them",
    )
