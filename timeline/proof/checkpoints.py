"""Checkpoints: this signs the log, and proves an entry to somebody who has no database.

Guarantees: a signed log continues the one that was signed before; a stored checkpoint lists
the keys by which its signatures were verified; a proof is made from a stored checkpoint and a
few stored hashes, never from the whole log. Knows the log and its checkpoints, no other table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from timeline.errors import InvalidInput, NotFound, ProofError
from timeline.model import clock
from timeline.proof import tlog
from timeline.proof.signed_note import Note, SigningKey, VerifierKey, parse
from timeline.proof.tlog import Checkpoint, Proof
from timeline.store import log, merkle
from timeline.store.storage import immediate

OF_KEY = "instr(char(10) || verifier_keys || char(10), char(10) || ? || char(10))"
"""The condition in SQL that a key signed a stored checkpoint."""


class StoredCheckpoint(NamedTuple):
    """A stored checkpoint is a row of table `checkpoints`."""

    size: int
    root: bytes
    note: str
    verifier_keys: str
    """The keys by which signatures were verified, one per line, the log's own first."""
    stored_at: str

    @property
    def keys(self) -> list[VerifierKey]:
        """Return the keys by which signatures were verified, the log's own first."""
        return [*map(VerifierKey.parse, self.verifier_keys.splitlines())]


def stored(connection: sqlite3.Connection, limit: int = -1) -> list[StoredCheckpoint]:
    """Return the checkpoints, the newest first.

    Of one size, the one with most signatures is first, and of these the one that was stored last.
    """
    rows = connection.execute(
        "SELECT * FROM checkpoints ORDER BY size DESC, length(note) DESC, stored_at DESC LIMIT ?",
        (limit,),
    )
    return [*map(StoredCheckpoint._make, rows)]


def newest(connection: sqlite3.Connection) -> StoredCheckpoint | None:
    """Return the newest checkpoint, with all of its signatures, or None."""
    return next(iter(stored(connection, 1)), None)


def sizes(connection: sqlite3.Connection) -> list[int]:
    """Return the sizes of the log that were signed, each once."""
    return [size for (size,) in connection.execute("SELECT DISTINCT size FROM checkpoints")]


def newest_size(connection: sqlite3.Connection, key: VerifierKey) -> int:
    """Return the size of the newest checkpoint that this key signed; 0 if it signed none."""
    (size,) = connection.execute(
        f"SELECT coalesce(max(size), 0) FROM checkpoints WHERE {OF_KEY}",  # noqa: S608
        (str(key),),
    ).fetchone()
    return int(size)


def signed(connection: sqlite3.Connection, keys: Sequence[SigningKey]) -> Note:
    """Sign the log as it is with each of these keys, and store nothing.

    The note has the signatures too that are stored under the same text. Raises InvalidInput for the
    key of another log, ProofError if the log does not continue the one that was signed last.
    """
    origin = str(log.info(connection)["origin"])
    for key in keys:
        if key.is_of_witness:
            raise InvalidInput("key", f"is the key of a witness, {key.name}, and signs no log")
        if key.name != origin:
            raise InvalidInput("key", f"is of {key.name}; this log is {origin}")
    size = log.size(connection)
    if last := newest(connection):
        _check_grown(connection, last, size)
    text = str(Checkpoint(origin, size, log.root_at(connection, size)))
    before = stored_under(connection, text)
    note = Note(text, parse(before.note).signatures if before else ())
    return note.with_more(line for key in keys for line in key.sign(text).signatures)


def sign(
    connection: sqlite3.Connection,
    key: SigningKey,
    *,
    now: Callable[[], datetime] = clock.now,
) -> StoredCheckpoint:
    """Sign the log as it is, and store the note; the same log gives the same note.

    Raises what `signed` raises.
    """
    with immediate(connection):
        return keep(connection, signed(connection, [key]), [key.verifier], now())


def _check_grown(connection: sqlite3.Connection, last: StoredCheckpoint, size: int) -> None:
    if size < last.size:
        raise ProofError(
            f"the log has {size} entries, and {last.size} were signed: run timeline verify"
        )
    if log.root_at(connection, last.size) != last.root:
        raise ProofError(
            f"the first {last.size} entries are not those that were signed: run timeline verify"
        )


def cosign(
    connection: sqlite3.Connection, text: str, witnesses: Collection[VerifierKey]
) -> StoredCheckpoint:
    """Store the signatures of witnesses under a checkpoint of this log.

    `text` is a checkpoint that was stored here, with more signatures under it. Those by other
    keys are kept as they are, unchecked. Raises ProofError if the checkpoint was not stored here,
    or if one of these witnesses did not sign it.
    """
    given = parse(text)
    with immediate(connection):
        if stored_under(connection, given.text) is None:
            raise ProofError("is no checkpoint of this log: timeline checkpoint makes one")
        return keep(connection, given, witnesses, clock.now())


def stored_under(connection: sqlite3.Connection, text: str) -> StoredCheckpoint | None:
    """Return the stored checkpoint with this text, that with most signatures; None if none is."""
    row = connection.execute(
        "SELECT * FROM checkpoints WHERE substr(note, 1, length(?1)) = ?1"
        " ORDER BY length(note) DESC LIMIT 1",
        (f"{text}\n",),
    ).fetchone()
    return StoredCheckpoint._make(row) if row else None


def keep(
    connection: sqlite3.Connection, note: Note, keys: Collection[VerifierKey], at: datetime
) -> StoredCheckpoint:
    """Store a checkpoint all of whose entries are in this file, in the caller's transaction.

    `keys` are those by which its signatures were verified, the log's own first, unless the text is
    stored already: then its signatures stay, and get more. Raises ProofError unless each key
    signed, and every time well.
    """
    before = stored_under(connection, note.text)
    if before:
        note = parse(before.note).with_more(note.signatures)
        keys = [*before.keys, *keys]
    note.verify(keys)
    if before and str(note) == before.note:
        return before
    checkpoint = Checkpoint.of(note)
    row = StoredCheckpoint(
        checkpoint.size,
        checkpoint.root,
        str(note),
        "\n".join(dict.fromkeys(map(str, keys))),
        clock.utc(at),
    )
    connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)", row)
    return row


def prove(connection: sqlite3.Connection, seq: int) -> Proof:
    """Prove that entry `seq` is in the log, by the newest checkpoint.

    Raises NotFound for an entry that is not there, ProofError if no checkpoint covers it.
    """
    entry = log.entry_at(connection, seq)
    if entry is None:
        raise NotFound("entry", f"#{seq}")
    last = newest(connection)
    if last is None or last.size <= seq:
        raise ProofError(f"no checkpoint covers entry #{seq} yet: run timeline checkpoint first")
    _, note = tlog.parse_checkpoint(last.note)
    hashes = merkle.inclusion_proof(seq, last.size, log.read_hash(connection))
    return Proof(entry, hashes, note)
