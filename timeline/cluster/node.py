"""Append to a cluster, and find out what happened to an append that is in doubt.

Guarantees: an append runs once, in the transaction of the file. Its entries are published before
the commit, with the sequence that they must get. So both the stream and the file have them, or
neither, or the append is in doubt: then the file keeps its bytes aside, and the next command that
writes finds out whether the cluster stored it.

Correctness rests on the expected sequence; the turn only spares work.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

from timeline.cluster import follower, message, texts
from timeline.cluster.answers import Overtaken, Sealed, Unanswered
from timeline.cluster.doubt import Doubt, doubt_of, parts_of, set_aside
from timeline.cluster.follower import PAUSES, Follower
from timeline.cluster.message import Part
from timeline.cluster.turn import EXPIRY, LastTurn, turn
from timeline.errors import (
    ClockAhead,
    InDoubt,
    NotWritable,
    Outrun,
    StorageFull,
    Unreachable,
)
from timeline.model import clock
from timeline.store import log, node, storage
from timeline.store.codec import Entry
from timeline.store.node import Node
from timeline.writing import writer
from timeline.writing.writer import Append

_SEALED_PATIENCE = 60.0
"""The seconds for which an append waits for the generation that follows a sealed one."""
_MOST_AHEAD = timedelta(seconds=5)
"""The time by which the clock of this machine may be ahead of the cluster's."""
_CLOCK_EVERY = 60.0
"""The seconds after which the clocks are compared again."""
_REPEATED_WITHIN = timedelta(days=1)
"""The time in which a statement may be the repetition of one that was in doubt, and was stored."""


class ClusterNode(Follower):
    """A node that can write: it follows the cluster, and appends to it."""

    _clock_checked = float("-inf")
    _is_stored = False
    """Whether the cluster has the append that is not committed here yet."""

    @functools.cached_property
    def _last_turn(self) -> LastTurn:
        return LastTurn()

    # --- Appending ------------------------------------------------------------------------

    @contextlib.contextmanager
    def appending(
        self,
        connection: sqlite3.Connection,
        path: str,
        *,
        dry_run: bool = False,
        now: Callable[[], datetime] = clock.now,
        trust_clock: bool = False,
        ahead: str | None = None,
        fork: bool = False,
    ) -> Iterator[Append]:
        """Run the block as one append to the cluster, as `writer.appending` does in a file.

        Raises the errors of `writer.appending`; Busy if another node has the turn for 60 seconds,
        ClockAhead, NotWritable on a node that only reads, Unreachable before anything was sent,
        InDoubt after it, and Outrun if another node wrote first.
        """
        row = self.row
        if row.role == "reader":
            raise NotWritable(
                path, f"this node only reads {row.cluster}: write on another node, or join anew"
            )
        local = functools.partial(
            writer.appending,
            connection,
            path,
            now=now,
            trust_clock=trust_clock,
            ahead=ahead,
            fork=fork,
        )
        self._check_clock(now)
        if dry_run:
            self.catch_up()
            with local(dry_run=True, around=self._unpublished) as append:
                yield append
            return
        self._is_stored = False
        try:
            with turn(
                self.jetstream, self.address, row.name, expiry=EXPIRY, last=self._last_turn
            ) as ours:
                known, ours.message = ours.message, None  # if it fails, the next one looks itself
                self._settle(known)
                with local(around=self._published) as append:
                    yield append
                ours.message = self.row.message
        except _Doubtful as doubtful:
            self._keep_doubt(doubtful)
            raise InDoubt(row.cluster, doubtful.doubt.recorded_at) from None
        except StorageFull as error:
            if not self._is_stored:
                raise
            raise StorageFull(
                path,
                "the disk is full or fails, but the cluster has stored the append: make room; the"
                " next command that writes takes it in",
            ) from error
        except Sealed:
            self._move_on(time.monotonic() + _SEALED_PATIENCE)
            raise Outrun from None
        with contextlib.suppress(Unreachable, Unanswered):
            texts.take_out(self.jetstream, self.address, self._connection, row.size)
        self._report()

    @contextlib.contextmanager
    def _unpublished(self, append: Append) -> Iterator[None]:
        """Let a dry run insert into the log."""
        node.change(self._connection, writing=1)
        yield

    @contextlib.contextmanager
    def _published(self, append: Append) -> Iterator[None]:
        """Publish what an append added, after its block and before its commit."""
        append.notes += self.notes
        self.notes.clear()
        row = self.row
        append.repeatable = self._stored_in_doubt(row)
        stored = len(append.repeatable)
        node.change(self._connection, writing=1)
        yield
        if len(append.repeatable) < stored:
            node.change(self._connection, doubt=None, doubt_body=None)
        entries = [*log.read(self._connection, row.size - 1)]
        jetstream, address = self.jetstream, self.address
        texts.put(jetstream, address, self._connection, append.kept_texts, append.kept_files)
        if not entries:
            node.change(self._connection, writing=0)
            return
        size = entries[-1].seq + 1
        parts = message.pack(
            entries,
            stream=address.stream(row.generation),
            expected=row.message,
            root=log.root_at(self._connection, size),
            node=row.name,
        )
        doubtful = _Doubtful(parts, entries[0].recorded_at, entries[0].seq, size)
        try:
            last = self._publish(parts, row, doubtful)
            self._is_stored = True
            append.at_commit()  # the cluster has it: nobody may say now that nothing was written
            node.change(
                self._connection,
                message=last,
                message_id=parts[0].headers["Nats-Msg-Id"],
                size=size,
                writing=0,
            )
        except KeyboardInterrupt:
            raise doubtful from None

    def _publish(
        self, parts: list[Part], row: Node, doubtful: _Doubtful, *, sent: bool = False
    ) -> int:
        """Publish the parts of one append, again and again, and return the sequence of the last.

        `sent` says that they were published before. Raises `doubtful` if it is not known in time
        whether they are stored, or at Ctrl-C; Unreachable if nothing was sent; Outrun if another
        node wrote first; Sealed.
        """
        stream, subject = self.address.stream(row.generation), self.address.subject(row.generation)
        give_up = time.monotonic() + follower.PATIENCE
        try:
            for number in count():
                try:
                    try:
                        return self.jetstream.publish(subject, parts, stream=stream)
                    except (Overtaken, Sealed) as refused:
                        if (last := self._found(stream, row, parts)) is not None:
                            return last
                        if isinstance(refused, Sealed):
                            raise
                except Unanswered as silence:
                    sent = sent or silence.sent
                pause = PAUSES[min(number, len(PAUSES) - 1)]
                if time.monotonic() + pause > give_up:
                    raise doubtful if sent else self.jetstream.unreachable("no connection")
                time.sleep(pause)
        except KeyboardInterrupt:
            raise doubtful from None
        raise AssertionError

    def _found(self, stream: str, row: Node, parts: list[Part]) -> int | None:
        """Return the sequence of the last part if the leader has the append; None if nothing.

        Raises Outrun if it has another append there, Diverged for a stream that is not the one of
        this file, and Unanswered.
        """
        try:
            there = self.jetstream.at_leader(stream, row.message + 1)
            if there is None:
                self._check_stream(row, self.jetstream.stream(stream))
                return None
        except Unreachable as error:
            raise Unanswered(str(error)) from error
        if there.headers.get("Nats-Msg-Id") != parts[0].headers["Nats-Msg-Id"]:
            raise Outrun
        return row.message + len(parts)

    def _check_clock(self, now: Callable[[], datetime]) -> None:
        """Raise ClockAhead if the clock here is ahead of the cluster's; ask once a minute."""
        if time.monotonic() - self._clock_checked < _CLOCK_EVERY:
            return
        theirs, ours = self.jetstream.now(), now()
        if ours - theirs > _MOST_AHEAD:
            raise ClockAhead(clock.utc(ours), clock.utc(theirs))
        self._clock_checked = time.monotonic()

    # --- In doubt -------------------------------------------------------------------------

    def _keep_doubt(self, doubtful: _Doubtful) -> None:
        """Keep the bytes of an append in doubt, in a transaction of their own.

        Another process of this machine may have read already what is stored in its place: then it
        is the append, which is kept as stored, or that of another node, which raises Outrun.
        """
        doubt, body = doubtful.doubt, doubtful.body
        with storage.storage_errors(self._path), storage.immediate(self._connection):
            if here := log.entry_at(self._connection, doubt.first):
                if here.id not in next(message.lines(doubt.parts[0], body)).decode():
                    raise Outrun
                doubt, body = doubt._replace(parts=[]), b""
            node.change(self._connection, doubt=doubt.as_json(), doubt_body=body)

    def _stored_in_doubt(self, row: Node) -> list[Entry]:
        """Return the entries of an append that was in doubt, and was stored."""
        doubt = doubt_of(row)
        if doubt is None or self._now() - clock.parse(doubt.recorded_at) > _REPEATED_WITHIN:
            return []
        return [*log.read_some(self._connection, [*range(doubt.first, doubt.size)])]

    def _settle(self, known: int | None) -> None:
        """Apply what others wrote, up to the message `known`, and settle an append in doubt."""
        row = self.row
        doubt = doubt_of(row)
        if doubt is None or not doubt.parts:
            self.catch_up(known)
            return
        self.catch_up()
        row = self.row
        doubt = doubt_of(row)
        if doubt is None or not doubt.parts:
            return
        if doubt.stream != self.address.stream(row.generation):
            self._give_up(row, doubt)
            return
        if row.message != doubt.expected:
            return
        parts = parts_of(row, doubt)
        with contextlib.suppress(Outrun):
            self._publish(parts, row, _Doubtful(parts, *doubt[1:]), sent=True)
        self.catch_up()

    def _give_up(self, row: Node, doubt: Doubt) -> None:
        """Set an append aside that an earlier generation, which is sealed, did not store."""
        self.notes.append(
            f"the append of {doubt.recorded_at} was not stored, as the log was rewritten meanwhile:"
            f" its entries are in {set_aside(self._path, row)}"
        )
        with storage.storage_errors(self._path), storage.immediate(self._connection):
            node.change(self._connection, doubt=None, doubt_body=None)


class _Doubtful(Exception):
    """Ends an append of which it is not known whether the cluster stored it."""

    def __init__(self, parts: list[Part], recorded_at: str, first: int, size: int) -> None:
        super().__init__()
        self.doubt = Doubt([part.headers for part in parts], recorded_at, first, size)
        self.body = b"".join(part.body for part in parts)
