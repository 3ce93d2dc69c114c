"""Histories of one log, which are one up to an entry, signed and asked about by the specifications.

Requests are written here from c2sp.org/tlog-witness, not by our code.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from published import write

from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.tiles import ENTRIES, Tile, partial_tiles
from timeline.proof.tlog import Checkpoint
from timeline.store import merkle

LOG = SigningKey("example.org/story", b"k" * 32)
WITNESS = SigningKey("kyiv.example/witness", b"w" * 32, 4)


class History(NamedTuple):
    """A history of a log: entries from number `common` on are its own."""

    name: str
    common: int

    def leaves(self, size: int) -> list[bytes]:
        words = (self.name if number >= self.common else "" for number in range(size))
        return [merkle.leaf_hash(f"{word}{number}".encode()) for number, word in enumerate(words)]

    def root(self, size: int) -> bytes:
        return merkle.root(self.leaves(size))

    def read_hash(self, level: int, number: int) -> bytes:
        leaves = self.leaves(number + 1 << level)
        return merkle.root(leaves[number << level :])

    def tile(self, tile: Tile) -> bytes:
        hashes = range(tile.start, tile.start + tile.width)
        return b"".join(self.read_hash(8 * tile.level, number) for number in hashes)

    def checkpoint(self, size: int, *keys: SigningKey, more: str = "") -> str:
        """The signed checkpoint, as the specifications of checkpoints and notes have it."""
        text = f"{LOG.name}\n{size}\n{base64.b64encode(self.root(size)).decode()}\n{more}"
        return f"{text}\n" + "".join(str(key.sign(text).signatures[0]) for key in keys or (LOG,))

    def proof(self, old: int, size: int) -> list[str]:
        """The lines of a consistency proof; none where there is no such proof."""
        if not 0 < old <= size:
            return []
        hashes = merkle.consistency_proof(old, size, self.read_hash)
        return [base64.b64encode(value).decode() for value in hashes]

    def published(self, folder: Path, *sizes: int) -> Path:
        """Put the tiles of trees of these sizes into a folder, and return it."""
        for tile in (tile for size in sizes for tile in partial_tiles(size)):
            if tile.level != ENTRIES:
                write(folder / str(tile), self.tile(tile))
        return folder

    def request(self, old: int, size: int, proof: Sequence[str] | None = None) -> bytes:
        lines = self.proof(old, size) if proof is None else proof
        return asked(old, lines, self.checkpoint(size))


A, B = History("a", 4), History("b", 4)


def asked(old: object, proof: Sequence[str], checkpoint: str) -> bytes:
    """The body of a request to sign a checkpoint."""
    return (
        "".join(f"{line}\n" for line in (f"old {old}", *proof, "")).encode() + checkpoint.encode()
    )


def is_one_history(notes: Sequence[Note]) -> bool:
    """Tell whether one of the two histories has all of these checkpoints."""
    signed = [Checkpoint.of(note) for note in notes]
    return any(all(history.root(size) == root for _, size, root in signed) for history in (A, B))
