"""Forks of a log that has leaves, but no database."""

from __future__ import annotations

from timeline.proof.fork import Fork
from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.tlog import Checkpoint
from timeline.store import merkle

KEY = SigningKey("example.org/story", b"k" * 32)


def leaves(size: int, from_where: int, what: str) -> list[bytes]:
    """Return leaves of a history that is another one from an entry on."""
    return [
        merkle.leaf_hash(f"{what if number >= from_where else ''}{number}".encode())
        for number in range(size)
    ]


def signed(hashes: list[bytes], key: SigningKey = KEY, origin: str = KEY.name) -> Note:
    return key.sign(str(Checkpoint(origin, len(hashes), merkle.root(hashes))))


def fork_of(first: list[bytes], second: list[bytes], **signing: SigningKey) -> Fork:
    def read_hash(level: int, number: int) -> bytes:
        return merkle.root(second[number << level : number + 1 << level])

    size = len(first)
    proof = merkle.consistency_proof(size, len(second), read_hash)
    root = merkle.root(second[:size])
    return Fork(root, tuple(proof), signed(first, **signing), signed(second, **signing))
