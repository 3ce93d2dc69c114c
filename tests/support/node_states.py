"""Nodes of one log, made, brought up to date and looked over by the tests of a cluster."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from timeline import Timeline
from timeline.cluster import membership, message
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.turn import turn
from timeline.proof import verify
from timeline.store import log, storage
from timeline.store.node import Node, leave, node_of
from timeline.writing import writer

EVENT = {"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"}
OTHER = {"event_id": "strike", "title": "Strike", "occurred": "2025-04-13"}
briefly = functools.partial(turn, expiry=1.5)
"""A turn that expires sooner, so that nobody waits for long."""


@contextlib.contextmanager
def joined(
    address: ClusterAddress, path: Path, node: str, *, reads_only: bool = False
) -> Iterator[Timeline]:
    membership.join(address, str(path), node, reads_only=reads_only)
    with Timeline.open(path) as timeline:
        timeline.catch_up()
        yield timeline


def copied(timeline: Timeline, copy: Path) -> Path:
    """Copy the file of a node, as a backup does."""
    with contextlib.closing(sqlite3.connect(timeline.path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def row(timeline: Timeline) -> Node:
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        found = node_of(connection)
    assert found
    return found


def state(timeline: Timeline) -> tuple[int, bytes, int]:
    """Return the number of entries, the root, and the position of a node that holds."""
    assert verify.verify(timeline.path).findings == []
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        size = log.size(connection)
        return size, log.root_at(connection, size), row(timeline).message


def check_equal(*nodes: Timeline) -> None:
    """Bring nodes up to date, and see that they have the same log and that it holds."""
    for node in nodes:
        with Timeline.open(node.path) as opened:
            opened.catch_up()
    assert len({state(node) for node in nodes}) == 1


def messages(address: ClusterAddress) -> int:
    with Jetstream(address) as jetstream:
        found = jetstream.stream(address.stream(1))
    assert found
    return found.last


def outrun(timeline: Timeline, address: ClusterAddress) -> None:
    """Publish an entry as another node that does not wait for its turn."""
    timeline.catch_up()
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(timeline, Path(folder) / "copy.db")
        with contextlib.closing(storage.connect(copy, write=True)) as connection:
            before = node_of(connection)
            assert before
            leave(connection)
            with writer.appending(connection, str(copy)) as append:
                append.record(
                    {"event_id": f"quick-{before.size}", "title": "Quick", "occurred": "2025"}
                )
            publish(address, connection, before)


def publish(address: ClusterAddress, connection: sqlite3.Connection, before: Node) -> None:
    entries = [*log.read(connection, before.size - 1)]
    parts = message.pack(
        entries,
        stream=address.stream(1),
        expected=before.message,
        root=log.root_at(connection, log.size(connection)),
        node="stranger",
    )
    with Jetstream(address) as jetstream:
        jetstream.publish(address.subject(1), parts, stream=address.stream(1))
