"""Make fork files of the checkpoints that a witness refused.

Guarantees: nothing is called a fork unless its file convinces whoever has the key of the log. Two
checkpoints of one size do so by themselves. For two sizes, hashes are needed that lead from one to
the other: they come from published tiles, of which none is trusted unchecked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from timeline.errors import ProofError, TimelineError
from timeline.mirror.history import fork_between
from timeline.mirror.prefix import Prefix
from timeline.mirror.published_tree import published_tree
from timeline.mirror.witness_state import WitnessState
from timeline.proof.fork import Fork
from timeline.proof.signed_note import Note
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import RefusedCheckpoint


class Evidence(NamedTuple):
    """A checkpoint that was refused shows a fork, or goes on, or it cannot be told."""

    checkpoint: Checkpoint
    fork: Fork | None
    problem: str = ""
    """Why it cannot be told; "" if it can."""


def file_name(fork: Fork) -> str:
    """Return a name for a fork file, which no other fork has: fork-1204-1210-1a2b3c4d.txt."""
    sizes = "-".join(str(Checkpoint.of(note).size) for note in (fork.first, fork.second))
    return f"fork-{sizes}-{hashlib.sha256(str(fork).encode()).hexdigest()[:8]}.txt"


def evidence_in(state: WitnessState, prefix: Prefix | None = None) -> Iterator[Evidence]:
    """Yield what the refused checkpoints show, the oldest first.

    `prefix` is where their log is published; of other logs, its tiles tell nothing.
    """
    for refused in state.refused():
        checkpoint = Checkpoint.of(refused.refused)
        log = state.log(checkpoint.origin)
        newest = log.newest if log and log.newest else refused.newest
        try:
            fork = _fork_of(refused, newest, prefix)
            if fork:
                fork.verify(state.keys_of(checkpoint.origin))
            yield Evidence(checkpoint, fork)
        except TimelineError as error:
            yield Evidence(checkpoint, None, str(error))


def _fork_of(refused: RefusedCheckpoint, newest: Note, prefix: Prefix | None) -> Fork | None:
    """Return the fork that a refused checkpoint shows; None if it is of the same history.

    `newest` is the checkpoint of the log that was signed last of all. Raises a TimelineError if it
    cannot be told.
    """
    if refused.is_fork:
        return Fork(Checkpoint.of(refused.refused).root, (), *refused)
    if prefix is None:
        raise ProofError("it is of another size: give --from SOURCE, whose tiles can tell")
    try:
        return _fork_by_tiles(*refused, prefix)
    except TimelineError:  # the tiles may be of the history that was signed
        return _fork_by_tiles(refused.refused, newest, prefix)


def _fork_by_tiles(first: Note, second: Note, prefix: Prefix) -> Fork | None:
    tree = published_tree(prefix, Checkpoint.of(second))
    return fork_between(first, second, tree.read_hash)
