"""Read, write and check fork files, which show to anybody that a key signed two histories.

    timeline/fork@v1
    root <base64: the root that the tree of the second checkpoint has at the size of the first>
    <base64, one per line: the consistency proof (RFC 6962) from there to the second root>

    <first checkpoint>

    <second checkpoint>

Guarantees: a file is read in one form only. A fork that `verify` accepts is one: both checkpoints
are signed and of one log, the first one is not larger, and the second tree has another root at its
size. It says that the key signed twice, not who did: a stolen key looks the same.

Knows neither database nor network.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple, Self

from timeline.errors import ProofError
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, VerifierKey, decode_base64
from timeline.proof.tlog import Checkpoint
from timeline.store.merkle import verify_consistency

HEADER = "timeline/fork@v1"
_LONGEST = 2_200_000
"""Characters of a fork file, at most: two notes, and a proof of a tree of any size."""


class Fork(NamedTuple):
    """Two checkpoints of one log, of which the second does not go on from the first."""

    root: bytes
    """The root that the second tree has at the size of the first, 32 bytes."""
    proof: Sequence[bytes]
    """The consistency proof from `root` to the root of the second; empty for one size."""
    first: Note
    second: Note

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a fork file without checking it. Raises ProofError for another form."""
        parts = text.split("\n\n") if len(text) < _LONGEST else []
        lines = parts[0].split("\n") if parts else []
        root = re.fullmatch("root (.+)", lines[1]) if len(lines) > 1 else None
        if len(parts) != 5 or lines[0] != HEADER or not root:
            raise ProofError(f"is no fork file: its first line is {HEADER}")
        made = cls(
            decode_base64(root[1]),
            tuple(map(decode_base64, lines[2:])),
            signed_note.parse(f"{parts[1]}\n\n{parts[2]}\n"),
            signed_note.parse(f"{parts[3]}\n\n{parts[4]}"),
        )
        if str(made) != text:
            raise ProofError("is not in the form in which fork files are written")
        return made

    def __str__(self) -> str:
        hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in self.proof)
        root = base64.b64encode(self.root).decode()
        return f"{HEADER}\nroot {root}\n{hashes}\n{self.first}\n{self.second}"

    def verify(self, keys: Collection[VerifierKey]) -> tuple[Checkpoint, Checkpoint]:
        """Return the two checkpoints, if one of these keys signed each of two histories.

        Raises ProofError with the reason why the file proves nothing.
        """
        first, second = Checkpoint.of(self.first), Checkpoint.of(self.second)
        for note, checkpoint in ((self.first, first), (self.second, second)):
            _check_signed(note, checkpoint, keys)
        if first.origin != second.origin:
            raise ProofError(f"proves nothing: it is about {first.origin} and {second.origin}")
        if not 0 < first.size <= second.size:
            raise ProofError("proves nothing: the first checkpoint must not be larger, nor empty")
        try:
            verify_consistency(first.size, second.size, self.proof, self.root, second.root)
        except ProofError as error:
            raise ProofError(f"proves nothing: {error}") from None
        if self.root == first.root:
            raise ProofError("proves no fork: the second checkpoint goes on from the first")
        return first, second


def _check_signed(note: Note, checkpoint: Checkpoint, keys: Collection[VerifierKey]) -> None:
    """Raise ProofError unless one of the keys that have the name of the log signed the note."""
    own = [key for key in keys if key.name == checkpoint.origin]
    signed = note.signers(own)
    if not signed:
        raise ProofError(f"proves nothing: no key of {checkpoint.origin} that you gave signed it")
    note.verify(signed)
