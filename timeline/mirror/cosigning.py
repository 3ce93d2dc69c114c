"""Countersign logs that are followed, without a server: what was signed is put into a folder.

Guarantees: the folder that is published is the state of the witness. A checkpoint is put there only
if it goes on from the one that is there, which is never replaced by a smaller one; a reader finds
the old one or the new one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from timeline.errors import NotWritable, ProofError, StoreError
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey, VerifierKey
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import (
    KnownLog,
    WitnessRequest,
    add_checkpoint,
    check_is_of_witness,
    origin_hash,
)
from timeline.store import atomic, merkle
from timeline.store.scratch_folder import locked_folder


def cosign_into(
    folder: Path,
    note: Note,
    key: SigningKey,
    *,
    log_keys: Collection[VerifierKey],
    read_hash: merkle.ReadHash,
    now: datetime,
) -> Note | None:
    """Sign a checkpoint into `folder`, and return it; None if it, or a larger one, is there.

    `read_hash` reads the tree of the checkpoint, which was checked before. Raises InvalidInput for
    the key of a log, ProofError if the tree does not go on from what was signed before, StoreError
    if that cannot be read or written.
    """
    check_is_of_witness(key)
    checkpoint = Checkpoint.of(note)
    target = folder / origin_hash(checkpoint.origin) / "checkpoint"
    with _errors(target):
        target.parent.mkdir(exist_ok=True)
        with locked_folder(target.parent):
            known = KnownLog(checkpoint.origin, [*log_keys], _signed_before(target, key))
            is_there = known.newest is not None and known.newest.text == note.text
            if is_there or known.size > checkpoint.size:
                return None
            signed = _signed(known, note, key, read_hash, now)
            with atomic.replacing(target) as file:
                file.write(str(signed).encode())
            atomic.sync_folder(target.parent)
    return signed


def _signed_before(target: Path, key: SigningKey) -> Note | None:
    """Return what this key signed last; None if there is nothing. Raises StoreError."""
    if not target.exists():
        return None
    try:
        note = signed_note.parse(target.read_bytes().decode())
        note.verify([key.verifier])
        Checkpoint.of(note)
    except (ProofError, UnicodeDecodeError) as error:
        problem = f"is no checkpoint that {key.name} has signed ({error}): give another folder"
        raise StoreError(str(target), problem) from None
    return note


def _signed(
    known: KnownLog, note: Note, key: SigningKey, read_hash: merkle.ReadHash, now: datetime
) -> Note:
    sizes = known.size, Checkpoint.of(note).size
    proof = merkle.consistency_proof(*sizes, read_hash) if known.size else []
    request = WitnessRequest(known.size, proof, note)
    answer = add_checkpoint({known.origin: known}.get, str(request).encode(), now, key)
    if answer.known is None or answer.known.newest is None:
        raise ProofError(f"is not signed: {answer.body.strip()}")
    return answer.known.newest


@contextlib.contextmanager
def _errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritable(str(target), f"cannot be written: {error.strerror}") from None
