"""Fill a stream of a cluster from the log of a file, and find the place of a file in a stream.

Guarantees: a stream is only ever continued, from where it ends, and only if its log is the
beginning of the file's log. The batches of the file become its messages, and not one byte of an
entry changes. At the end the root of the stream is that of the file. If it is broken off, it can be
run again.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from timeline.cluster import message
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Overtaken, Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part, Stored
from timeline.errors import Diverged, Refused
from timeline.store import log, merkle
from timeline.store.codec import Entry

GENERATION = "generation"
"""The key of the number of the generation that nodes follow."""

_PATIENCE = 30.0
"""The seconds without a new message after which filling is given up; a new leader of the stream
takes 4 to 12 seconds."""

_PAUSE = 0.2
"""The seconds until filling goes on after a message that was not answered."""


class StreamPlace(NamedTuple):
    """A place in a stream is the end of a message."""

    message: int
    """The sequence of the last part; 0 before the first message."""
    message_id: str
    """The Nats-Msg-Id of the message; "" before the first one."""
    size: int
    """The number of entries in the log there."""
    root: bytes
    """The root of the tree over them."""


def generation(jetstream: Jetstream, address: ClusterAddress) -> int:
    """Return the number of the generation that nodes follow; 0 if the cluster has no such log."""
    if jetstream.stream(f"KV_{address.notes}") is None:
        return 0
    found = jetstream.value(address.notes, GENERATION)
    return int(found[0]) if found else 0


def fill(
    jetstream: Jetstream,
    address: ClusterAddress,
    generation: int,
    connection: sqlite3.Connection,
    name: str,
    progress: Callable[[int], object] = lambda count: None,
) -> StreamPlace:
    """Publish the log of a file, from where the stream of a generation ends, as node `name`.

    Returns the place of the file in the stream, which is its end. `progress` is called with the
    number of entries in the stream. Raises Diverged if the stream has other entries, or more;
    Unreachable if nothing is stored for 30 seconds.
    """
    stream, subject = address.stream(generation), address.subject(generation)
    give_up, before = time.monotonic() + _PATIENCE, -1
    while True:
        end = _end(jetstream, stream)
        _check_continues(address, end, connection)
        progress(end.size)
        if end.size == log.size(connection):
            return end
        if end.message > before:
            give_up, before = time.monotonic() + _PATIENCE, end.message
        try:
            messages = _messages(connection, stream, end, name, progress)
            jetstream.publish_many(subject, messages, stream=stream)
        except (Overtaken, Unanswered) as error:  # an earlier try may be stored now: look again
            if time.monotonic() > give_up:
                raise jetstream.unreachable(str(error)) from None
            time.sleep(_PAUSE)


def _messages(
    connection: sqlite3.Connection,
    stream: str,
    end: StreamPlace,
    name: str,
    progress: Callable[[int], object],
) -> Iterator[list[Part]]:
    """Yield the batches after the end of a stream as messages that follow it."""
    expected = end.message
    entries = log.read(connection, end.size - 1)
    for _, batch in itertools.groupby(entries, key=lambda entry: entry.recorded_at):
        whole = list(batch)
        first, size = whole[0].seq, whole[-1].seq + 1
        root = log.root_at(connection, size)
        try:
            parts = message.pack(whole, stream=stream, expected=expected, root=root, node=name)
        except Refused:
            raise Refused(
                f"entries {first} to {size - 1} are one append, and too much for one message of a "
                "cluster: this log cannot move there"
            ) from None
        yield parts
        expected += len(parts)
        progress(size)


def _check_continues(
    address: ClusterAddress, end: StreamPlace, connection: sqlite3.Connection
) -> None:
    size = log.size(connection)
    if end.size > size:
        raise Diverged(
            str(address), f"has {end.size} entries already, and this file only {size}: join it"
        )
    if end.root != log.root_at(connection, end.size):
        raise Diverged(
            str(address), f"has {end.size} entries already, which are not the first of this file"
        )


def place(
    jetstream: Jetstream, address: ClusterAddress, generation: int, connection: sqlite3.Connection
) -> StreamPlace:
    """Find the place of the log of a file in the stream of a generation.

    Raises Diverged if it has none there, naming the first message that differs.
    """
    stream = address.stream(generation)
    size = log.size(connection)
    end = _end(jetstream, stream)
    if size > end.size:
        raise Diverged(
            str(address),
            f"has {end.size} entries, and this file {size - end.size} more, which the cluster has "
            "not: export them (timeline export jsonl), then join with another file",
        )
    found = _first(jetstream, stream, end, lambda there: there.size >= size)
    if found.size == size and found.root == log.root_at(connection, size):
        return found

    def differs(there: StreamPlace) -> bool:
        return there.size > size or there.root != log.root_at(connection, there.size)

    found = _first(jetstream, stream, end, differs)
    raise Diverged(
        str(address),
        f"message {found.message} goes on behind the end of this file, which is no whole copy"
        if found.size > size
        else f"message {found.message} is the first whose entries this file has not",
    )


def _first(
    jetstream: Jetstream, stream: str, end: StreamPlace, wanted: Callable[[StreamPlace], bool]
) -> StreamPlace:
    """Return the first place that is wanted, by a binary search; the last one must be."""
    low = _START
    if wanted(low):
        return low
    found, high = end, end.message
    while low.message + 1 < high:
        there = _at(jetstream, stream, (low.message + high) // 2)
        first = there.first
        if wanted(there.place):
            found, high = there.place, first
        else:
            low = there.place
    return found


_START = StreamPlace(0, "", 0, merkle.root_of(()))


def entry_there(
    jetstream: Jetstream, address: ClusterAddress, generation: int, seq: int
) -> Entry | None:
    """Return an entry as the stream of a generation has it; None if the stream ends before it."""
    stream = address.stream(generation)
    end = _end(jetstream, stream)
    if seq >= end.size:
        return None
    last = _first(jetstream, stream, end, lambda there: there.size > seq).message
    first = _at(jetstream, stream, last).first
    run = (_read(jetstream, stream, sequence) for sequence in range(first, last + 1))
    for commit in message.unpack(run):
        return next((entry for entry in commit.entries if entry.seq == seq), None)
    return None


class _There(NamedTuple):
    """Says what one message of a stream is."""

    first: int
    place: StreamPlace


def _end(jetstream: Jetstream, stream: str) -> StreamPlace:
    """Return the place at the end of a stream."""
    state = jetstream.stream(stream)
    if state is None:
        raise Diverged(str(jetstream.address), f"has no stream {stream}")
    return _at(jetstream, stream, state.last).place if state.last else _START


def _at(jetstream: Jetstream, stream: str, sequence: int) -> _There:
    """Return the first part and the end of the message to which a part belongs."""
    part = _read(jetstream, stream, sequence)
    first = message.first_of_run(part)
    head = part if first == sequence else _read(jetstream, stream, first)
    said = message.head_of(head)
    last = first + said.parts - 1
    return _There(first, StreamPlace(last, said.id, said.size, said.root))


def _read(jetstream: Jetstream, stream: str, sequence: int) -> Stored:
    found = jetstream.at_leader(stream, sequence)
    if found is None:
        raise Diverged(str(jetstream.address), f"has no message {sequence} in {stream}")
    return found
