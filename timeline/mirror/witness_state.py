"""Keep what a witness has signed, in a file of its own.

Guarantees: what was signed is on the disk before an answer is returned. Two requests at once are
answered one after the other, also by two processes. A log that is trusted again goes on from what
was signed before. A file belongs to one key for ever. It is one thing with that key: nothing here
can notice that an older copy of it was put back.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from timeline.errors import InvalidInput, NotATimeline, NotFound
from timeline.model import clock
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey, VerifierKey
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import (
    KnownLog,
    RefusedCheckpoint,
    WitnessAnswer,
    add_checkpoint,
    check_is_of_witness,
    origin_hash,
)
from timeline.store import storage
from timeline.store.own_files import WITNESS_STATE, open_own, own_errors

_PATIENCE = 20.0
"""Seconds for which a request waits for another process."""
_MOST_REFUSED = 100
"""Refused checkpoints of each log that are kept: so many forks, and so many that may be one."""


class WitnessState:
    """The state of a witness in a file that is open; it is a context manager, or else is closed."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        can_make: bool = False,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """Open the state of a witness; with `can_make`, make it if there is none.

        Raises StoreError. Without `can_make`, a missing file is an error: a witness that begins
        anew under its old key may sign a second history.
        """
        self.path = Path(path)
        self._now = now
        if not (can_make or self.path.exists()):
            problem = "does not exist: timeline witness trust VKEY --state FILE makes one"
            raise NotATimeline(str(path), problem)
        with self._errors():
            self._connection = open_own(self.path, WITNESS_STATE, patience=_PATIENCE)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> WitnessState:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Whom it trusts -------------------------------------------------------------------

    def trust(self, key: VerifierKey) -> None:
        """Sign checkpoints of the log of this key from now on. Raises InvalidInput for another."""
        if key.is_of_witness:
            raise InvalidInput("VKEY", f"is of a witness, {key.name}: the key of a log is wanted")
        with self._writing():
            self._execute("INSERT INTO logs (origin) VALUES (?) ON CONFLICT DO NOTHING", key.name)
            self._execute(
                "INSERT INTO keys VALUES (?, ?, ?, NULL)"
                " ON CONFLICT DO UPDATE SET untrusted_at = NULL",
                *(str(key), key.name, self._time()),
            )

    def untrust(self, key: VerifierKey) -> None:
        """Stop to trust this key; what was signed of its log stays. Raises NotFound."""
        with self._writing():
            done = self._execute(
                "UPDATE keys SET untrusted_at = ? WHERE verifier_key = ? AND untrusted_at IS NULL",
                *(self._time(), str(key)),
            )
            if not done.rowcount:
                raise NotFound("trusted key", str(key))

    def trusted(self) -> list[str]:
        """Return the origins of the logs that are trusted."""
        with self._errors():
            rows = self._execute(
                "SELECT DISTINCT origin FROM keys WHERE untrusted_at IS NULL ORDER BY origin"
            ).fetchall()
        return [origin for (origin,) in rows]

    def bind(self, key: SigningKey) -> None:
        """Make this the state of a witness's key. Raises InvalidInput if it is another key's."""
        check_is_of_witness(key)
        with self._writing():
            row = self._execute("SELECT verifier_key FROM witness").fetchone()
            if row is None:
                self._execute("INSERT INTO witness VALUES (?)", str(key.verifier))
            elif row[0] != str(key.verifier):
                problem = f"is not that of {self.path}, which is the state of {row[0]}"
                raise InvalidInput("key", problem)

    # --- What it signed -------------------------------------------------------------------

    def answer(self, body: bytes, key: SigningKey) -> WitnessAnswer:
        """Answer a request to sign a checkpoint, and keep what was signed or refused.

        `key` is the one that the state is bound to.
        """
        with self._writing():
            answer = add_checkpoint(self.log, body, self._now(), key)
            if answer.known:
                self._execute(
                    "UPDATE logs SET newest = ? WHERE origin = ?",
                    *(str(answer.known.newest), answer.known.origin),
                )
            if answer.refused:
                self._keep(answer.refused)
        return answer

    def log(self, origin: str) -> KnownLog | None:
        """Return what is known of a log, with the keys that are trusted; None if nothing is."""
        with self._errors():
            row = self._execute("SELECT newest FROM logs WHERE origin = ?", origin).fetchone()
            trusted = self._execute(
                "SELECT verifier_key FROM keys WHERE origin = ? AND untrusted_at IS NULL"
                " ORDER BY trusted_at, verifier_key",
                origin,
            ).fetchall()
        keys = [VerifierKey.parse(key) for (key,) in trusted]
        return row and KnownLog(origin, keys, row[0] and signed_note.parse(row[0]))

    def signed(self, name: str) -> Note | None:
        """Return the newest checkpoint that was signed of the log with this `origin_hash`."""
        with self._errors():
            rows = self._execute("SELECT origin FROM logs").fetchall()
        log = next((self.log(origin) for (origin,) in rows if origin_hash(origin) == name), None)
        return log.newest if log else None

    # --- What it refused ------------------------------------------------------------------

    def refused(self) -> list[RefusedCheckpoint]:
        """Return the refused checkpoints that may be of another history, the oldest first."""
        with self._errors():
            rows = self._execute("SELECT newest, note FROM refused ORDER BY number").fetchall()
        return [RefusedCheckpoint(*map(signed_note.parse, notes)) for notes in rows]

    def keys_of(self, origin: str) -> list[VerifierKey]:
        """Return every key of a log that was ever trusted."""
        with self._errors():
            rows = self._execute(
                "SELECT verifier_key FROM keys WHERE origin = ?", origin
            ).fetchall()
        return [VerifierKey.parse(key) for (key,) in rows]

    def _keep(self, refused: RefusedCheckpoint) -> None:
        """Keep a refused checkpoint, and drop the oldest ones of its kind that are too many."""
        origin, is_fork = Checkpoint.of(refused.refused).origin, refused.is_fork
        self._execute(
            "INSERT INTO refused (origin, newest, note, is_fork, refused_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(origin, str(refused.newest), str(refused.refused), is_fork, self._time()),
        )
        self._execute(
            "DELETE FROM refused WHERE number IN (SELECT number FROM refused"
            " WHERE origin = ? AND is_fork = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
            *(origin, is_fork, _MOST_REFUSED),
        )

    # --- The file -------------------------------------------------------------------------

    def _execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._errors(), storage.immediate(self._connection):
            yield

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return own_errors(self.path, patience=_PATIENCE)

    def _time(self) -> str:
        return clock.utc(self._now())
