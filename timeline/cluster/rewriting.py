"""Write the log of a cluster to a new stream, which has no word that was erased.

Guarantees: what the cluster has acknowledged is in the new stream, with the same root, before a
node follows it. The old stream is sealed first, so that nothing is written behind its end, and it
is deleted when no node needs it any more. If it is broken off at any step, it can be run again.

A stream cannot be edited instead: a deleted message stays in the files of the servers. Only a
stream that is deleted leaves nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from timeline.cluster import fill, membership, notes, texts
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Overtaken
from timeline.cluster.doubt import set_aside
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.turn import turn
from timeline.errors import Diverged, NotWritable, Refused
from timeline.model.plurals import counted
from timeline.store import log, node, storage

if TYPE_CHECKING:
    from timeline.cluster.follower import Follower

_TRIES = 3
"""The number of times that a stream is filled if entries are erased meanwhile."""

_ERASURES = """
SELECT count(*) FROM log
 WHERE (subject > 'entry/' AND subject < 'entry0') OR (subject > 'media/' AND subject < 'media0')
"""


def rewrite(
    ours: Follower,
    *,
    lost: bool = False,
    allow_loss: bool = False,
    progress: Callable[[int], object] = lambda count: None,
) -> str:
    """Write the log to the next generation of its stream, and return what was done as a sentence.

    An earlier rewriting that was broken off is finished. `lost` says that the stream is gone or
    damaged: then the log of this file takes its place. Raises Refused if another node has more
    entries than this one, unless `allow_loss`; NotWritable on a node that only reads; Busy.
    """
    if ours.row.role == "reader":
        raise NotWritable(ours.path, "this node only reads: rewrite on a node that writes")
    rewriting = _Rewriting(ours, progress)
    if lost:
        return rewriting.from_this_file(allow_loss=allow_loss)
    return rewriting.from_the_stream()


def delete_old(jetstream: Jetstream, address: ClusterAddress) -> list[str]:
    """Delete the earlier generations if every node has left them; return the names of the others.

    A node that will not come back is waited for until it is forgotten.
    """
    now = fill.generation(jetstream, address)
    old = [*_old(jetstream, address, now)]
    if not old:
        return []
    moved = {each.name for each in notes.reports(jetstream, address) if each.generation >= now}
    waiting = sorted(membership.registered(jetstream, address) - moved)
    for generation in old if not waiting else ():
        texts.delete(jetstream, address, generation)
        jetstream.delete_stream(address.stream(generation))
    return waiting


def _old(jetstream: Jetstream, address: ClusterAddress, now: int) -> Iterator[int]:
    """Yield the earlier generations whose stream is there still."""
    for generation in range(1, now):
        if jetstream.stream(address.stream(generation)) is not None:
            yield generation


class _Rewriting:
    """Rewrites the log of one cluster, on one of its nodes."""

    def __init__(self, ours: Follower, progress: Callable[[int], object]) -> None:
        self._ours = ours
        self._jetstream = ours.jetstream
        self._address = ours.address
        self._connection: sqlite3.Connection = ours.connection
        self._progress = progress
        self._erasures = 0
        """The number of erasures in the log when the new stream was begun."""

    def from_the_stream(self) -> str:
        """Rewrite the stream, while others write, but for the last moment."""
        self._ours.catch_up()
        row = self._ours.row
        stream, new = self._address.stream(row.generation), row.generation + 1
        if not self._is_sealed(stream):
            if any(_old(self._jetstream, self._address, row.generation)):
                return self._moved()
            self._claim(row.name)
            try:
                self._begin(new)
            except NotWritable:  # others may have the right to make streams
                self._jetstream.delete_value(self._address.notes, membership.REWRITING)
                raise
            self._fill_clean(new)
        with turn(self._jetstream, self._address, row.name) as at:
            self._ours.catch_up()
            if self._is_sealed(stream):
                self._begin(new)
            self._fill_clean(new)
            self._jetstream.seal(stream, new)
            self._ours.catch_up()  # what a node wrote whose turn had expired
            self._fill_clean(new)
            self._publish(new)
            self._ours.catch_up()
            at.message = None  # who writes next finds out that there is another stream
        return self._moved()

    def from_this_file(self, *, allow_loss: bool) -> str:
        """Put the log of this file into the place of a stream that is lost."""
        row = self._ours.row
        self._jetstream.create_values(self._address.notes)
        self._jetstream.create_turn()
        now = fill.generation(self._jetstream, self._address)
        if now > row.generation and self._is_in(now):
            self._move(now)
            return self._moved()
        if not allow_loss:
            self._check_longest(row)
        new = max(now, row.generation) + 1
        with turn(self._jetstream, self._address, row.name) as at:
            stream = self._address.stream(new - 1)
            if self._jetstream.stream(stream) is not None:
                self._jetstream.seal(stream, new)
            self._begin(new)
            self._fill(new)
            self._publish(new)
            self._move(new)
            at.message = None
        for generation in _old(self._jetstream, self._address, new):
            texts.delete(self._jetstream, self._address, generation)
            self._jetstream.delete_stream(self._address.stream(generation))
        return self._moved()

    # --- The new stream -------------------------------------------------------------------

    def _begin(self, new: int) -> None:
        """Make the new stream, empty; one that was begun earlier may have words erased since."""
        if fill.generation(self._jetstream, self._address) >= new:
            raise Refused(f"another node has rewritten {self._address} meanwhile: it is done")
        texts.delete(self._jetstream, self._address, new)
        self._jetstream.delete_stream(self._address.stream(new))
        self._erasures = self._count_erasures()
        origin = str(log.info(self._connection)["origin"])
        self._jetstream.create_log(self._address.stream(new), self._address.subject(new), origin)

    def _fill_clean(self, new: int) -> None:
        """Fill the new stream, and begin again if entries are erased meanwhile."""
        for _ in range(_TRIES):
            if self._count_erasures() != self._erasures:
                self._begin(new)
            self._fill(new)
            self._ours.catch_up()
            if self._count_erasures() == self._erasures:
                return
        raise Refused("entries are being erased all the time: repeat this when that has ended")

    def _fill(self, new: int) -> None:
        """Fill the new stream up to the end of this file."""
        name = self._ours.row.name
        texts.put_all(self._jetstream, self._address, self._connection, new)
        fill.fill(self._jetstream, self._address, new, self._connection, name, self._progress)

    def _count_erasures(self) -> int:
        (count,) = self._connection.execute(_ERASURES).fetchone()
        return int(count)

    def _is_sealed(self, stream: str) -> bool:
        state = self._jetstream.stream(stream)
        return state is not None and state.sealed

    def _publish(self, new: int) -> None:
        """Let all nodes follow the new generation."""
        self._jetstream.put_value(self._address.notes, fill.GENERATION, str(new).encode())
        self._jetstream.delete_value(self._address.notes, membership.REWRITING)

    def _claim(self, name: str) -> None:
        """Take the right to rewrite. Raises Refused if another node has it."""
        bucket, key, value = self._address.notes, membership.REWRITING, name.encode()
        revision = self._jetstream.revision(bucket, key)
        found = self._jetstream.value(bucket, key)
        try:
            if found is None:
                self._jetstream.put_value(bucket, key, value, revision)
                return
        except Overtaken:
            found = self._jetstream.value(bucket, key)
        if found and found[0] != value:
            other = found[0].decode()
            raise Refused(
                f"node {other} is rewriting {self._address}: wait, or finish it there; if it will "
                f"not come back, timeline cluster forget {other}"
            )

    # --- The nodes ------------------------------------------------------------------------

    def _moved(self) -> str:
        """Report this node, delete what no node needs, and say what is left to do."""
        row = self._ours.row
        notes.report(self._jetstream, self._address, self._connection)
        waiting = delete_old(self._jetstream, self._address)
        entries = counted(row.size, "entry", "entries")
        done = f"The cluster follows generation {row.generation}: {entries}."
        if not waiting:
            return f"{done} Earlier generations are deleted."
        return (
            f"{done} The earlier one is kept until these nodes have moved: {', '.join(waiting)}. "
            "Then repeat timeline cluster rewrite; timeline cluster forget NODE gives one up."
        )

    def _is_in(self, generation: int) -> bool:
        """Tell whether the log of this file has a place in a generation."""
        try:
            fill.place(self._jetstream, self._address, generation, self._connection)
        except Diverged:
            return False
        return True

    def _move(self, generation: int) -> None:
        """Move this file to a generation, as its old one is lost; an append in doubt is kept."""
        state = self._jetstream.stream(self._address.stream(generation))
        if state is None:
            raise Diverged(str(self._address), f"has no generation {generation}")
        with storage.immediate(self._connection):
            place = fill.place(self._jetstream, self._address, generation, self._connection)
            set_aside(self._ours.path, self._ours.row)
            node.change(
                self._connection,
                generation=generation,
                created=state.created,
                message=place.message,
                message_id=place.message_id,
                doubt=None,
                doubt_body=None,
            )

    def _check_longest(self, row: node.Node) -> None:
        """Raise Refused if another node has reported more entries than this file has."""
        longer = [
            f"{each.name} has {each.size - row.size:,}"
            for each in notes.reports(self._jetstream, self._address)
            if each.size > row.size
        ]
        if longer:
            raise Refused(
                f"other nodes have more entries than this file (node {', node '.join(longer)} "
                "more): do it there, or say --yes to give these entries up"
            )
