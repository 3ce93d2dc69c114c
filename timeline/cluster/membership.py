"""Make a file a node of a cluster: the first one, whose log moves there, or one more.

Guarantees: a file becomes a node in one transaction, in which its place in the stream is known, and
its log is the log there. A file with another log is refused. No two nodes have one name. If it is
broken off, it can be run again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.cluster import fill, notes, texts
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Overtaken
from timeline.cluster.doubt import doubt_of, set_aside
from timeline.cluster.fill import StreamPlace
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.streams import StreamState
from timeline.errors import (
    Diverged,
    InvalidInput,
    IsMirror,
    NotFound,
    Refused,
    StoreError,
    TooNew,
    Unreachable,
)
from timeline.projection import tables
from timeline.store import follows, log, mirror, node, storage
from timeline.store.node import Node

if TYPE_CHECKING:
    from timeline.cluster.follower import Follower

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")

REWRITING = "rewriting"
"""The key of the name of the node that rewrites the log."""

_FORMAT = "1"
"""The format of the streams that this package reads."""

_UNEXCUSED = """
SELECT id, seq FROM log AS l WHERE payload IS NULL AND NOT EXISTS
 (SELECT 1 FROM log AS e WHERE e.subject = 'entry/' || l.id)
"""


def init(
    address: ClusterAddress,
    path: str,
    name: str,
    progress: Callable[[int], object] = lambda count: None,
) -> Node:
    """Put the log of a file on a cluster, and make the file its first node.

    `progress` is called with the number of entries that are there. Raises Refused and Diverged if
    the cluster has another log of this name, IsMirror, and StoreError for unsafe streams.
    """
    _check_name(name)
    with _opened(path) as connection, Jetstream(address) as jetstream:
        if known := _known(connection, path, address, name):
            return known
        follows.check_own(connection, path)
        if kept := mirror.mirror_of(connection):
            raise IsMirror(*kept)
        now = fill.generation(jetstream, address)
        if now > 1:
            raise Refused(f"{address} is in its generation {now}: timeline cluster join is the way")
        state = jetstream.stream(address.stream(1))
        if state is None and now:
            raise _lost(address, 1)
        origin = str(log.info(connection)["origin"])
        state = state or jetstream.create_log(address.stream(1), address.subject(1), origin)
        _check_stream(address, state, path, origin)
        jetstream.create_turn()
        jetstream.create_values(address.notes)
        texts.put_all(jetstream, address, connection, 1)
        end = fill.fill(jetstream, address, 1, connection, name, progress)
        with storage.immediate(connection):
            if log.size(connection) > end.size:  # somebody appended meanwhile
                texts.put_all(jetstream, address, connection, 1)
                end = fill.fill(jetstream, address, 1, connection, name, progress)
            with contextlib.suppress(Overtaken):
                jetstream.put_value(address.notes, fill.GENERATION, b"1", 0)
            row = _row(address, name, "writer", 1, state, end)
            _claim(jetstream, address, name, path)
            node.join(connection, row)
        return row


def join(
    address: ClusterAddress,
    path: str,
    name: str,
    *,
    reads_only: bool = False,
    with_texts: bool = False,
) -> Node:
    """Make a file a node of a cluster, at its place there; if there is no file, it is made empty.

    The texts and files that it lacks are fetched.
    Raises Refused if the cluster has no log of this name, the log of another origin, or a node of
    this name; Diverged if the log of the file is no beginning of it, naming the first message that
    differs.
    """
    _check_name(name)
    with contextlib.ExitStack() as stack:
        is_new = not Path(path).exists()
        connection = stack.enter_context(storage.new_file(path) if is_new else _opened(path))
        if known := _known(connection, path, address, name):
            return known
        jetstream = stack.enter_context(Jetstream(address))
        generation = fill.generation(jetstream, address)
        if not generation:
            raise Refused(f"{address} has no log yet: timeline cluster init puts one there")
        state = jetstream.stream(address.stream(generation))
        if state is None:
            raise _lost(address, generation)
        with storage.immediate(connection):
            if is_new:
                tables.create(connection, "UTC")
            origin = log.info(connection).get("origin", state.origin)
            _check_stream(address, state, path, origin)
            follows.check_own(connection, path)
            place = fill.place(jetstream, address, generation, connection)
            role = "reader" if reads_only else "writer"
            row = _row(address, name, role, int(with_texts or not reads_only), state, place)
            row = row._replace(
                generation=generation, unexcused=json.dumps(dict(connection.execute(_UNEXCUSED)))
            )
            _claim(jetstream, address, name, path)
            mirror.unmark(connection)
            node.join(connection, row)
        texts.fetch(jetstream, address, connection, 0)
    return row


def leave(ours: Follower) -> None:
    """Make the file of a node a log of its own, also if the cluster does not answer.

    Raises Refused if it is not known yet whether the cluster has the last append.
    """
    row = ours.row
    doubt = doubt_of(row)
    try:
        if doubt and doubt.parts:
            raise Refused(
                f"it is not known yet whether the last append was stored: timeline -d {ours.path} "
                "cluster follow --once finds it out, then leave"
            )
        ours.jetstream.delete_value(ours.address.notes, f"{notes.NODE}{row.name}")
    except Unreachable:
        set_aside(ours.path, row)
    with storage.immediate(ours.connection):
        node.leave(ours.connection)


def forget(ours: Follower, name: str) -> None:
    """Give up a node that will not come back: nothing waits for it any more.

    Raises NotFound, and Refused for this node itself.
    """
    jetstream, bucket = ours.jetstream, ours.address.notes
    if name == ours.row.name:
        raise Refused(f"{name} is this node: timeline cluster leave is the way")
    if jetstream.value(bucket, f"{notes.NODE}{name}") is None:
        raise NotFound("node", name)
    jetstream.delete_value(bucket, f"{notes.NODE}{name}")
    claim = jetstream.value(bucket, REWRITING)
    if claim and claim[0] == name.encode():
        jetstream.delete_value(bucket, REWRITING)


def registered(jetstream: Jetstream, address: ClusterAddress) -> set[str]:
    """Return the names of all nodes of a cluster."""
    keys = jetstream.values(address.notes)
    return {key.removeprefix(notes.NODE) for key in keys if key.startswith(notes.NODE)}


@contextlib.contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    with (
        storage.storage_errors(path),
        contextlib.closing(storage.connect(path, write=True)) as connection,
    ):
        yield connection


def _known(
    connection: sqlite3.Connection, path: str, address: ClusterAddress, name: str
) -> Node | None:
    """Return the row of a file that is this node already. Raises Refused for another node."""
    row = node.node_of(connection)
    if row is None:
        return None
    if row.name == name and ClusterAddress.parse(row.cluster).name == address.name:
        return row
    raise Refused(
        f"{path} is node {row.name} of {row.cluster}: timeline -d {path} cluster leave makes it a "
        "log of its own"
    )


def _row(
    address: ClusterAddress,
    name: str,
    role: str,
    with_texts: int,
    state: StreamState,
    place: StreamPlace,
) -> Node:
    return Node(
        cluster=str(address),
        name=name,
        role=role,
        with_texts=with_texts,
        generation=1,
        created=state.created,
        message=place.message,
        message_id=place.message_id,
        size=place.size,
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        problem = f'"{name}" is no name of a node: write 1 to 31 of a-z, 0-9 and hyphens, as odesa'
        raise InvalidInput("node", problem)


def _check_stream(address: ClusterAddress, state: StreamState, path: str, origin: object) -> None:
    """Raise an error for a stream of another log or format, or one that may lose messages."""
    if state.format != _FORMAT:
        raise TooNew(str(address), f"keeps its log in format {state.format}: upgrade this Timeline")
    if state.origin != origin:
        raise Refused(f"{address} has the log {state.origin}, and {path} the log {origin}")
    if state.problems:
        problems = "; ".join(state.problems)
        raise StoreError(str(address), f"its stream {state.name} may lose messages: {problems}")


def _lost(address: ClusterAddress, generation: int) -> Diverged:
    return Diverged(
        str(address),
        f"has no stream {address.stream(generation)} any more: on a node that has the whole log, "
        "timeline cluster rewrite --lost puts it there again",
    )


def _claim(jetstream: Jetstream, address: ClusterAddress, name: str, path: str) -> None:
    """Register a node, in the transaction that makes it one. Raises Refused for a name in use.

    If the transaction is broken off, the same file on the same machine may claim the name again.
    """
    key = f"{notes.NODE}{name}"
    machine = f"{socket.getfqdn()}:{os.path.realpath(path)}"
    claim = json.dumps({"file": hashlib.sha256(machine.encode()).hexdigest()}).encode()
    revision = jetstream.revision(address.notes, key)
    found = jetstream.value(address.notes, key)
    if found and found[0] == claim:
        return
    with contextlib.suppress(Overtaken):
        if not found:
            jetstream.put_value(address.notes, key, claim, revision)
            return
    raise Refused(
        f"{address} has a node {name} already: give this one another name with --node; if that one "
        f"will not come back, timeline cluster forget {name} on another node"
    )
