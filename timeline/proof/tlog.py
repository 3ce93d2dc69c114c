"""Transparency log: this reads and writes what a log shows to others.

That is checkpoints (c2sp.org/tlog-checkpoint) and proofs of entries (c2sp.org/tlog-proof).

Guarantees: each is read in one form only, so that no byte of a file can change unnoticed. A
proof is checked from its bytes only, without a database. Knows entries as lines of an export.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple, Self

from timeline.errors import InvalidInput, ProofError, TooNew
from timeline.proof import signed_note
from timeline.proof.policy import Policy
from timeline.proof.signed_note import Note, VerifierKey, decode_base64
from timeline.store import codec
from timeline.store.codec import Entry
from timeline.store.merkle import verify_inclusion

_HEADER = "c2sp.org/tlog-proof@v1"
NUMBER = r"0|[1-9][0-9]{0,18}"
"""A size or an index, as a pattern: decimal, without a zero before it."""


class Checkpoint(NamedTuple):
    """A checkpoint has the log's origin, its number of entries, and their root (32 bytes).

    More lines that others wrote below these three, extensions, stay in the text of its note.
    """

    origin: str
    size: int
    root: bytes

    @classmethod
    def of(cls, note: Note) -> Self:
        """Read the text of a note as a checkpoint. Raises ProofError."""
        match note.text.split("\n"):
            case [origin, size, root, *extensions, ""] if (
                origin and re.fullmatch(NUMBER, size) and all(extensions)
            ):
                made = cls(origin, int(size), decode_base64(root))
                if len(made.root) == 32:
                    return made
        raise ProofError("is no checkpoint: three lines of origin, size and root, then signatures")

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint without verifying its signatures. Raises ProofError."""
    note = signed_note.parse(text)
    return Checkpoint.of(note), note


class Proof(NamedTuple):
    """A proof shows that an entry is in a log: it has the entry, and hashes up to a signed root."""

    entry: Entry
    hashes: Sequence[bytes]
    note: Note

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a proof without checking it. Raises ProofError for another form."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 3 or lines[0] != _HEADER:
            raise ProofError(f"is no proof: its first line is {_HEADER}")
        extra = re.fullmatch(r"extra (.+)", lines[1])
        index = re.fullmatch(f"index ({NUMBER})", lines[2])
        if not extra or not index:
            raise ProofError("is no proof: its second line is extra ..., its third index ...")
        wire = decode_base64(extra[1])
        try:
            entry = codec.from_wire(wire.decode(), seq=int(index[1]))
        except (InvalidInput, TooNew, UnicodeDecodeError) as error:
            raise ProofError(f"the entry in it is not whole: {error}") from None
        proof = cls(
            entry, [decode_base64(line) for line in lines[3:]], signed_note.parse(checkpoint)
        )
        if str(proof) != text:
            raise ProofError("is not in the form in which proofs are written")
        return proof

    def __str__(self) -> str:
        extra = base64.b64encode(codec.to_wire(self.entry).encode()).decode()
        hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in self.hashes)
        return f"{_HEADER}\nextra {extra}\nindex {self.entry.seq}\n{hashes}\n{self.note}"

    def verify(self, keys: Collection[VerifierKey]) -> Checkpoint:
        """Return the checkpoint that proves the entry: all of these keys signed it.

        Raises ProofError. Signatures by other keys are passed over (`Note.unchecked` names them);
        every other byte of a proof is checked.
        """
        self.note.verify(keys)
        return self._checkpoint_of(keys)

    def verify_policy(self, policy: Policy) -> Checkpoint:
        """Return the checkpoint that proves the entry: it has the signatures of a policy.

        Raises ProofError. Other signatures are passed over, as `verify` does.
        """
        policy.verify(self.note)
        return self._checkpoint_of(policy.logs)

    def _checkpoint_of(self, keys: Collection[VerifierKey]) -> Checkpoint:
        """Return the checkpoint of a note that was verified, if the entry is under it."""
        checkpoint = Checkpoint.of(self.note)
        logs = {key.name for key in self.note.signers(keys) if not key.is_of_witness}
        if checkpoint.origin not in logs:
            raise ProofError(f"is not signed by its log, {checkpoint.origin}: give its key")
        verify_inclusion(
            self.entry.leaf, self.entry.seq, checkpoint.size, self.hashes, checkpoint.root
        )
        return checkpoint
