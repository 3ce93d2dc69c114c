"""Make fork files of the checkpoints that a witness refused.

Guarantees: nothing is called a fork unless its file convinces whoever has the key of the log. Two
checkpoints of one size do so by themselves. For two sizes, hashes are needed that lead from one to
the other: they come from tiles, of which none is trusted unchecked.

Knows the state of the witness; the caller brings the tiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from timeline.errors import ProofError, TimelineError
from timeline.mirror.witness_state import WitnessState
from timeline.proof.fork import Fork
from timeline.proof.signed_note import Note, VerifierKey
from timeline.proof.tile_tree import FetchTile, TileTree
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import RefusedCheckpoint
from timeline.store import merkle


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


def evidence_in(state: WitnessState, fetch: FetchTile | None = None) -> Iterator[Evidence]:
    """Yield what the refused checkpoints show, the oldest first.

    `fetch` brings tiles of the log that they are of: of another log, they tell nothing.
    """
    for refused in state.refused():
        checkpoint = Checkpoint.of(refused.refused)
        log = state.log(checkpoint.origin)
        newest = log.newest if log and log.newest else refused.newest
        try:
            fork = _fork_of(refused, newest, state.keys_of(checkpoint.origin), fetch)
            yield Evidence(checkpoint, fork)
        except TimelineError as error:
            yield Evidence(checkpoint, None, str(error))


def _fork_of(
    refused: RefusedCheckpoint,
    newest: Note,
    keys: Collection[VerifierKey],
    fetch: FetchTile | None,
) -> Fork | None:
    """Return the fork that a refused checkpoint shows; None if it is of the same history.

    `newest` is the checkpoint of the log that was signed last of all. Raises ProofError, or what
    `fetch` raises, if it cannot be told.
    """
    if refused.is_fork:
        return _checked(Checkpoint.of(refused.refused).root, (), refused, keys)
    if fetch is None:
        raise ProofError("it is of another size, and only its tiles can tell")
    try:
        return _by_tiles(refused, keys, fetch)
    except TimelineError:  # the tiles may be of the history that was signed
        return _by_tiles((refused.refused, newest), keys, fetch)


def _by_tiles(
    notes: tuple[Note, Note], keys: Collection[VerifierKey], fetch: FetchTile
) -> Fork | None:
    """Return the fork of two checkpoints by the tiles of the second; None if it goes on."""
    first, second = (Checkpoint.of(note) for note in notes)
    tree = TileTree(second.size, second.root, fetch)
    root = tree.root_at(first.size)
    if root == first.root:
        return None
    proof = merkle.consistency_proof(first.size, second.size, tree.read_hash)
    return _checked(root, proof, notes, keys)


def _checked(
    root: bytes, proof: Sequence[bytes], notes: tuple[Note, Note], keys: Collection[VerifierKey]
) -> Fork:
    """Return a fork that convinces whoever has these keys. Raises ProofError for any other."""
    fork = Fork(root, tuple(proof), *notes)
    fork.verify(keys)
    return fork
