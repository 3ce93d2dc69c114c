"""Follow the log of a cluster: apply its messages to the file of a node.

Guarantees: the file is always a beginning of the stream, and its position changes in the same
transaction. The messages of a transaction are applied whole, and the root of the tree is that of
the last one. What a message says wrongly stops a node only if the log would not hold; else it is
noted. A replica that lacks a message, or has another one, is not believed before the leader was
asked.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count, takewhile
from typing import Self

from timeline.cluster import fill, message, notes, texts
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Unanswered
from timeline.cluster.doubt import Doubt, doubt_of, set_aside
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import BadMessage, Commit, Stored
from timeline.cluster.notes import NodeReport, NoteExchange
from timeline.cluster.signals import Signal
from timeline.cluster.streams import StreamState
from timeline.errors import Diverged, ProjectionOutdated, Refused, TooNew, Unfinished, Unreachable
from timeline.intake.foreign_entries import Following
from timeline.model import clock
from timeline.projection import tables
from timeline.store import log, node, scrub, storage
from timeline.store.node import Node

PATIENCE = 30.0
"""The seconds for which an append waits to hear whether it is stored. Measured: 4 to 12 seconds
pass until the servers have chosen a new leader."""
_FAILOVER = 15.0
"""The seconds in which the servers have to answer a question; a new leader takes 4 to 12."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
"""The seconds between two tries of one thing; the last one repeats."""
_AT_ONCE = 5_000
"""The number of entries after which a transaction of a follower ends."""
_LOOK_EVERY = 5.0
"""The seconds after which a follower looks for messages of which it was not told."""
_SHARED_EVERY = 10.0
"""The seconds after which a follower looks for notes of other nodes, and reports, again."""
_TRIES = 3
"""The number of times that messages are asked for before the leader is asked."""


class Follower:
    """A file that follows a cluster: a connection that can write it, and one to the servers."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        *,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._connection = connection
        self._path = path
        self._now = now
        self._client: Jetstream | None = None
        self._stopped = threading.Event()
        self._signal: Signal | None = None
        self._suspect = 0
        """Messages up to this sequence are read at the leader: a replica had another one."""
        self.notes: list[str] = []
        """Sentences for a person that were not shown yet."""
        self._foreign: list[str] = []
        """What is wrong with entries of others, and was not reported yet."""
        self._told: set[str] = set()
        """What is wrong with the notes of others, and was told already."""
        self._exchange = NoteExchange()
        self._reported: NodeReport | None = None
        self._shared = float("-inf")
        self.holes = 0
        """The number of times that a replica lacked a message."""

    def close(self) -> None:
        """Close the connection to the cluster."""
        if self._client:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the connection that can write the file."""
        return self._connection

    @property
    def path(self) -> str:
        """Return the name of the file, as the caller gave it."""
        return self._path

    @property
    def row(self) -> Node:
        """Return the row of table `node`; another process may have changed it."""
        row = node.node_of(self._connection)
        if row is None:
            raise Diverged(self._path, "is no node of a cluster any more")
        return row

    @property
    def address(self) -> ClusterAddress:
        return ClusterAddress.parse(self.row.cluster)

    @property
    def jetstream(self) -> Jetstream:
        """Return the connection to the cluster. Raises Unreachable, NotWritable."""
        if self._client is None:
            self._client = Jetstream(self.address, patience=min(_FAILOVER, PATIENCE))
        return self._client

    # --- Following ------------------------------------------------------------------------

    def catch_up(self, until: int | None = None) -> int:
        """Apply the messages up to `until`, or all that there are; return how many entries came.

        Raises Unreachable; Diverged if the cluster lacks what this file has, or at a message that
        is no append of a Timeline; TooNew.
        """
        before = self.row.size
        while True:
            row = self.row
            if until is not None and until <= row.message:
                break
            state = self._state(row)
            row = self.row  # it may have moved to a later generation
            if state.last > row.message or (row.message and until is None):
                self._apply_up_to(row, state.last)
            if not state.next_generation or self.row.message < state.last:
                break
            if not self._move_over(state.next_generation):
                break
            until = None
        return self.row.size - before

    def _state(self, row: Node) -> StreamState:
        """Return the state of the stream of this generation, or move to a later one first."""
        stream = self.address.stream(row.generation)
        state = self.jetstream.stream(stream)
        if state is None and self._move_over(row.generation + 1):
            return self._state(self.row)
        return self._check_stream(row, state)

    def _check_stream(self, row: Node, state: StreamState | None) -> StreamState:
        """Raise Diverged unless a stream is the one of this file, and has its last message."""
        if state is None or state.created != row.created or state.last < row.message:
            raise self._lost(row)
        return state

    def _lost(self, row: Node) -> Diverged:
        return Diverged(
            row.cluster,
            f"no longer has message {row.message} as {self._path} has it, and nothing was changed:"
            " timeline cluster rewrite --lost puts the log of this file in its place",
        )

    def _apply_up_to(self, row: Node, last: int) -> None:
        """Apply the messages after the position of this file, up to the sequence `last`."""
        while True:
            waiting: list[Commit] = []
            try:
                entries = 0
                for commit in message.unpack(self._messages(row, last)):
                    waiting.append(commit)
                    entries += len(commit.entries)
                    if entries >= _AT_ONCE:
                        self._apply(waiting)
                        waiting, entries = [], 0
                self._apply(waiting)
            except TooNew:
                self._apply(waiting)
                raise
            except BadMessage as error:
                self._apply([commit for commit in waiting if commit.sequence < error.sequence])
                if error.sequence <= self._suspect:
                    raise Diverged(row.cluster, f"{error}; nothing of it was taken in") from None
                self._suspect = error.sequence + message.MAX_PARTS
                self.holes += 1
                row = self.row
            else:
                return

    def _messages(self, row: Node, last: int) -> Iterator[Stored]:
        """Yield the messages after the position of this file; check first that it is its place."""
        stream = self.address.stream(row.generation)
        first = row.message + 1
        if row.message:
            found = self._read(stream, row.message)
            (here, *after) = found
            head = message.first_of_run(here)
            if head != here.sequence:
                (here, *_) = self._read(stream, head)
            if here.headers.get("Nats-Msg-Id") != row.message_id:
                raise self._lost(row)
            yield from after
            first += len(after)
        while first <= last:
            found = self._read(stream, first)
            yield from found
            first += len(found)

    def _read(self, stream: str, first: int) -> list[Stored]:
        """Return messages that follow each other, from `first`: one or more."""
        for number in range(0 if first <= self._suspect else _TRIES):
            found = self.jetstream.read(stream, first)
            dense = [
                stored
                for stored, _ in takewhile(
                    lambda pair: pair[0].sequence == pair[1], zip(found, count(first), strict=False)
                )
            ]
            if dense:
                return dense
            self.holes += bool(found)
            time.sleep(PAUSES[number])
        stored = self.jetstream.at_leader(stream, first)
        if stored is None:
            raise BadMessage(first, "", "is missing")
        return [stored]

    def _apply(self, commits: list[Commit]) -> None:
        """Apply messages; find the one with an entry that cannot be folded, and name it."""
        try:
            self._apply_at_once(commits)
        except Refused as error:
            if len(commits) == 1:
                (commit,) = commits
                raise BadMessage(commit.sequence, commit.node, str(error)) from error
            for commit in commits:
                self._apply([commit])

    def _apply_at_once(self, commits: list[Commit]) -> None:
        """Apply messages in one transaction, with the position, and compare the root."""
        if not commits:
            return
        connection = self._connection
        with storage.storage_errors(self._path), storage.immediate(connection):
            row = self.row
            commits = [commit for commit in commits if commit.sequence > row.message]
            if not commits or commits[0].sequence != row.message + 1:
                return  # another process of this machine was quicker
            node.change(connection, writing=1)
            awaiting: dict[str, int] = json.loads(row.unexcused)
            problems: list[str] = []
            following = Following(
                connection,
                awaiting,
                note=lambda entry, problem: problems.append(f"#{entry.seq}: {problem}"),
                folds=_has_todays_tables(connection, self._path),
            )
            settled: dict[str, int | str | bytes | None] = {}
            size_before = size = row.size
            for commit in commits:
                with _naming(commit):
                    if commit.first != size:
                        why = f"begins with entry {commit.first}, and the log has {size} entries"
                        raise BadMessage(commit.sequence, commit.node, why)
                    following.accept_batch(commit.entries)
                size = commit.size
                settled |= self._settled(row, commit)
            following.finish()
            last = commits[-1]
            if log.root_at(connection, last.size) != last.root:
                raise Diverged(
                    row.cluster,
                    f"message {last.sequence} of node {last.node!r} says another root than the log"
                    f" of {self._path} has; nothing of it was taken in",
                )
            node.change(
                connection,
                message=last.sequence + last.parts - 1,
                message_id=last.id,
                size=last.size,
                unexcused=json.dumps(awaiting),
                writing=0,
                **settled,
            )
        self._foreign += problems
        self.notes += [f"not as this version would write it: {problem}" for problem in problems]
        self._scrub()
        texts.fetch(self.jetstream, self.address, connection, size_before)

    def _scrub(self) -> None:
        """Remove erased words from the bytes of the file, or leave that to the next time."""
        with contextlib.suppress(Unfinished):
            scrub.scrub(self._connection, self._path, briefly=True)

    def _move_over(self, generation: int) -> bool:
        """Move to a later generation of the log, at the place of this file; tell if there is one.

        Raises Diverged if the log of that generation is not the one of this file.
        """
        jetstream, address = self.jetstream, self.address
        now = fill.generation(jetstream, address)
        state = jetstream.stream(address.stream(now)) if now >= generation else None
        if state is None:
            return False
        with storage.storage_errors(self._path), storage.immediate(self._connection):
            place = fill.place(jetstream, address, now, self._connection)
            node.change(
                self._connection,
                generation=now,
                created=state.created,
                message=place.message,
                message_id=place.message_id,
            )
        self._reported, self._shared = None, float("-inf")  # the others wait to hear of it
        return True

    def _move_on(self, give_up: float) -> None:
        """Wait for the generation that follows a sealed one, and catch up with it.

        Raises Unreachable if there is none in time.
        """
        row = self.row
        while not self._move_over(row.generation + 1):
            if time.monotonic() > give_up:
                raise Unreachable(
                    row.cluster,
                    "is being rewritten, and that is not finished; nothing was written: repeat"
                    " later, or finish it: timeline cluster rewrite",
                )
            time.sleep(PAUSES[-1])
        self.catch_up()

    def follow(self, each: Callable[[Unreachable | None], object]) -> None:
        """Follow the cluster until `stop` is called; it ends between two transactions.

        `each` is called after every look at the cluster: with None, or with the error if it did
        not answer. Raises the errors of `catch_up` but Unreachable.
        """
        generation = 0
        while not self._stopped.is_set():
            problem: Unreachable | None = None
            try:
                self.catch_up()
                self._scrub()
                row = self.row
                if generation != row.generation:
                    if self._signal:
                        self._signal.close()
                    subject = self.address.subject(row.generation)
                    self._signal = self.jetstream.listen(subject)
                    generation = row.generation
                    self.catch_up()
                self.share()
            except Unreachable as error:
                problem = error
            each(problem)
            if self._signal and not problem:
                self._signal.wait(_LOOK_EVERY)
            else:
                self._stopped.wait(_LOOK_EVERY)

    def share(self) -> None:
        """Share checkpoints and publications with other nodes, and tell how far this one is.

        Within 10 seconds of the last time it does nothing.
        """
        if time.monotonic() - self._shared < _SHARED_EVERY:
            return
        self._shared = time.monotonic()
        found = self._exchange.run(self.jetstream, self.address, self._connection)
        self.notes += [problem for problem in found if problem not in self._told]
        self._told.update(found)
        self._report()

    def _report(self) -> None:
        """Tell the cluster how far this node is; that it does not answer is no error here."""
        with contextlib.suppress(Unreachable, Unanswered):
            self._reported = notes.report(
                self.jetstream,
                self.address,
                self._connection,
                self._reported,
                notes=self._foreign,
                now=self._now,
            )
            self._foreign.clear()

    def stop(self) -> None:
        """End `follow`, from another thread or from the handler of a signal."""
        self._stopped.set()
        if self._signal:
            self._signal.wake()

    def _settled(self, row: Node, commit: Commit) -> dict[str, int | str | bytes | None]:
        """Return the columns that change because a message shows what happened to a doubt.

        A message of this node itself that its file lacks is one of a command that was ended before
        its commit: it may be repeated, too.
        """
        doubt = doubt_of(row)
        if commit.node == row.name and (doubt is None or not doubt.parts):
            lost = Doubt([], commit.entries[0].recorded_at, commit.first, commit.size)
            return {"doubt": lost.as_json(), "doubt_body": b""}
        if doubt is None or not doubt.parts or commit.first != doubt.first:
            return {}
        when = doubt.recorded_at
        if commit.id == doubt.id:
            self.notes.append(f"the append of {when} was stored: {doubt.entries}")
            return {"doubt": doubt._replace(parts=[]).as_json(), "doubt_body": b""}
        self.notes.append(
            f"the append of {when} was not stored, as another node wrote first: its entries are in"
            f" {set_aside(self._path, row)}"
        )
        return {"doubt": None, "doubt_body": None}


def _has_todays_tables(connection: sqlite3.Connection, path: str) -> bool:
    """Return whether entries can be folded; without that, only the log grows. Raises TooNew."""
    try:
        tables.check(connection, path)
    except ProjectionOutdated:
        return False
    return True


@contextlib.contextmanager
def _naming(commit: Commit) -> Iterator[None]:
    """Raise what is wrong with entries as an error about their message."""
    try:
        yield
    except Refused as error:
        raise BadMessage(commit.sequence, commit.node, str(error)) from error
