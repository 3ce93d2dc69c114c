"""Compare the tree that a prefix serves with all that was seen of its log before.

Guarantees: it reads O(log size) hashes, and no entry. Nothing is called a fork unless the file that
proves it passes its own check. Entries that somebody wrote into the copy are never laid to the
publisher's charge.
"""

from __future__ import annotations

import sqlite3

from timeline.errors import Refused
from timeline.formats import prose
from timeline.mirror.served import Served
from timeline.mirror.trouble import Trouble
from timeline.proof import checkpoints
from timeline.proof.fork import Fork
from timeline.proof.signed_note import Note, parse
from timeline.proof.tile_tree import TileTree
from timeline.proof.tlog import Checkpoint
from timeline.store import log, merkle
from timeline.store.follows import Sighting, sightings


class History:
    """Holds what a copy has seen and holds of a log, and compares what is served now."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self.seen = next(iter(sightings(connection, 1)), None)
        """The largest checkpoint that was seen."""
        self.held = checkpoints.newest(connection)
        """The newest checkpoint all of whose entries are here."""
        self.size = log.size(connection)

    def check_not_older(self, now: Served) -> None:
        """Raise Trouble for a checkpoint smaller than one that was seen: it is older, or a fork."""
        served = now.checkpoint
        if self.seen is None or served.size >= self.seen.size:
            return
        if self.held and 0 < served.size <= self.held.size:
            read_hash = log.read_hash(self._connection)
            raise_fork(fork_between(now.note, parse(self.held.note), read_hash), now)
        day = prose.instant(self.seen.seen_at)
        raise Trouble(
            "older",
            f"serves {served.size:,} entries, and {self.seen.size:,} were seen on {day}: a cache, "
            "or put back",
        )

    def check_goes_on(self, now: Served, tree: TileTree) -> None:
        """Check that the tree goes on from all that was seen, and from what is here.

        Raises Trouble for a fork, and Refused if somebody wrote into the copy.
        """
        for before in (self.held, self.seen):
            if before and 0 < before.size <= tree.size:
                raise_fork(fork_between(parse(before.note), now.note, tree.read_hash), now)
        size = min(self.size, tree.size)
        if tree.root_at(size) != log.root_at(self._connection, size):
            self._refuse_own_entries(tree)

    def _refuse_own_entries(self, tree: TileTree) -> None:
        """Raise Refused, with the first entry that is not of the log that is followed."""
        same = self.held.size if self.held else 0
        other = min(self.size, tree.size)
        while other - same > 1:
            middle = (same + other) // 2
            if tree.root_at(middle) == log.root_at(self._connection, middle):
                same = middle
            else:
                other = middle
        raise Refused(
            f"{self._path} has entries from #{same} on that are not of {self._origin()}: somebody "
            "wrote into the copy. Follow into a new file"
        )

    def _origin(self) -> str:
        return str(log.info(self._connection)["origin"])


def raise_fork(fork: Fork | None, now: Served) -> None:
    """Raise Trouble with a fork, if there is one, that convinces whoever has the key of the log."""
    if fork:
        Fork.parse(str(fork)).verify(now.keys)
        problem = f"{now.checkpoint.origin} has signed two histories"
        raise Trouble("fork", problem, is_alarm=True, fork=fork)


def sighting_of(note: Note, seen_at: str, place: str) -> Sighting:
    """Return the row that keeps a checkpoint as seen."""
    checkpoint = Checkpoint.of(note)
    return Sighting(checkpoint.size, checkpoint.root, str(note), seen_at, place)


def fork_between(first: Note, second: Note, read_hash: merkle.ReadHash) -> Fork | None:
    """Return the fork of two checkpoints of one log; None if the second goes on from the first.

    The first is not larger. `read_hash` reads the tree of the second; it is not asked for two of
    one size. Raises ProofError if it cannot tell.
    """
    before, after = Checkpoint.of(first), Checkpoint.of(second)
    if before.size == after.size:
        return None if before.root == after.root else Fork(after.root, (), first, second)
    root = merkle.root_of([read_hash(*peak) for peak in merkle.peaks(before.size)])
    if root == before.root:
        return None
    proof = merkle.consistency_proof(before.size, after.size, read_hash)
    return Fork(root, tuple(proof), first, second)
