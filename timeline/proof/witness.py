"""Answer a request for the signature of a witness, by the letter of c2sp.org/tlog-witness.

Guarantees: a checkpoint is signed only if it goes on from the newest one that was signed before.
So the signatures of one key over one log cover one history, whatever is asked and in whatever
order, as long as the caller keeps what an answer knows before anybody sees the answer.

Knows neither database nor network.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from timeline.errors import InvalidInput, ProofError
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey, VerifierKey, decode_base64
from timeline.proof.tiles import HASH_SIZE
from timeline.proof.tlog import NUMBER, Checkpoint
from timeline.store import merkle

LONGEST_REQUEST = 65_536
"""The bytes of a request, at most; one with sixteen signatures has some 5,000."""
_MOST_HASHES = 63
TEXT_TYPE = "text/plain; charset=utf-8"
"""The type of checkpoints, of signatures, and of what is wrong with a request."""
_SIZE_TYPE = "text/x.tlog.size"


def origin_hash(origin: str) -> str:
    """Return the name under which witnesses show what they signed: SHA-256 of the origin, hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


def check_is_of_witness(key: SigningKey) -> None:
    """Raise InvalidInput for the key of a log, which must sign nothing but its log."""
    if not key.is_of_witness:
        problem = f"is of a log, {key.name}: timeline keygen --witness NAME makes one of a witness"
        raise InvalidInput("key", problem)


class WitnessRequest(NamedTuple):
    """A request to a witness: sign this checkpoint, which goes on from one that you signed."""

    old: int
    """The size of the newest checkpoint that the witness signed; 0 if it signed none."""
    proof: Sequence[bytes]
    """The consistency proof (RFC 6962) from `old` to the checkpoint."""
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request without checking it. Raises ProofError for another form."""
        try:
            head, _, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise ProofError("is not UTF-8") from None
        first, *hashes = head.split("\n")
        old = re.fullmatch(f"old ({NUMBER})", first)
        if not old:
            raise ProofError("is no request: its first line is old SIZE")
        if len(hashes) > _MOST_HASHES:
            raise ProofError(f"has {len(hashes)} hashes, and a proof has {_MOST_HASHES} at most")
        made = cls(int(old[1]), [*map(decode_base64, hashes)], signed_note.parse(note))
        if any(len(value) != HASH_SIZE for value in made.proof):
            raise ProofError(f"has a hash that is not of {HASH_SIZE} bytes")
        if made.old > Checkpoint.of(made.note).size:
            raise ProofError("has an old size that is beyond the size of the checkpoint")
        return made

    def __str__(self) -> str:
        hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in self.proof)
        return f"old {self.old}\n{hashes}\n{self.note}"


class KnownLog(NamedTuple):
    """A log that a witness knows has a name, keys, and the checkpoint that was signed last."""

    origin: str
    keys: Sequence[VerifierKey]
    """The keys that are trusted; a log without any gets no signature."""
    newest: Note | None = None
    """The checkpoint with the signatures of the log and of the witness; None before the first."""

    @property
    def size(self) -> int:
        """Return the size that was signed last, 0 before the first."""
        return Checkpoint.of(self.newest).size if self.newest else 0

    @property
    def root(self) -> bytes:
        """Return the root that was signed last, that of an empty tree before the first."""
        return Checkpoint.of(self.newest).root if self.newest else merkle.root_of([])

    def signed(self, note: Note) -> Note:
        """Return a note with the signatures of the log alone. Raises ProofError if none holds."""
        signers = note.signers(self.keys)
        if not signers:
            raise ProofError(f"is signed by no key of {self.origin} that is trusted here")
        note.verify(signers)
        passed_over = note.unchecked(signers)
        held = [line for line in note.signatures if line not in passed_over]
        return Note(note.text, tuple(dict.fromkeys(held)))

    def check_goes_on(self, proof: Sequence[bytes], checkpoint: Checkpoint) -> None:
        """Raise ProofError unless a checkpoint goes on from the newest one, by this proof."""
        if self.size:
            size, root = checkpoint.size, checkpoint.root
            merkle.verify_consistency(self.size, size, proof, self.root, root)
        elif proof:
            raise ProofError("has a proof from size 0, from which every tree goes on")
        elif not checkpoint.size and checkpoint.root != self.root:
            raise ProofError("has another root than a tree without entries")


class RefusedCheckpoint(NamedTuple):
    """A checkpoint that its log signed was not shown to go on from the newest one."""

    newest: Note
    """The checkpoint that was signed last."""
    refused: Note

    @property
    def is_fork(self) -> bool:
        """Return whether the two show two histories by themselves: of one size, with two roots."""
        newest, refused = (Checkpoint.of(note) for note in self)
        return newest.size == refused.size and newest.root != refused.root


class WitnessAnswer(NamedTuple):
    """An answer of a witness, and what it knows from then on."""

    status: int
    content_type: str
    body: str
    known: KnownLog | None = None
    """The log as it is known from then on, to be kept before the answer is seen; None if that is
    as before."""
    refused: RefusedCheckpoint | None = None


def add_checkpoint(
    known: Callable[[str], KnownLog | None], body: bytes, now: datetime, key: SigningKey
) -> WitnessAnswer:
    """Answer a request to sign a checkpoint: `known` finds a log by its origin.

    Each answer but 200 changes nothing. Between the look-up and the time when what is known is
    kept, no other request about this log may be answered.
    """
    if len(body) > LONGEST_REQUEST:
        return _refusal(413, f"is longer than {LONGEST_REQUEST:,} bytes")
    try:
        request = WitnessRequest.parse(body)
        checkpoint = Checkpoint.of(request.note)
    except ProofError as error:
        return _refusal(400, error)
    log = known(checkpoint.origin)
    if log is None or not log.keys:
        return _refusal(404, "is of a log that is not known here")
    try:
        note = log.signed(request.note)
    except ProofError as error:
        return _refusal(403, error)
    if request.old != log.size:
        return WitnessAnswer(409, _SIZE_TYPE, f"{log.size}\n")
    try:
        log.check_goes_on(request.proof, checkpoint)
    except ProofError as error:
        return _refusal(422, error)._replace(refused=_refused(log, note))
    own = key.sign(note.text, int(now.timestamp())).signatures
    newest = Note(note.text, note.signatures + own)
    return WitnessAnswer(200, TEXT_TYPE, "".join(map(str, own)), known=log._replace(newest=newest))


def _refusal(status: int, problem: object) -> WitnessAnswer:
    return WitnessAnswer(status, TEXT_TYPE, f"this request: {problem}\n")


def _refused(log: KnownLog, note: Note) -> RefusedCheckpoint | None:
    """Return what to keep of a checkpoint that may be of another history, else None."""
    checkpoint = Checkpoint.of(note)
    is_same = (checkpoint.size, checkpoint.root) == (log.size, log.root)
    return RefusedCheckpoint(log.newest, note) if log.newest and log.size and not is_same else None
