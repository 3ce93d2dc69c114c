"""Read who else signed a log, and when: the signatures of witnesses under its checkpoints.

Guarantees: a signature counts if it was checked when the checkpoint was stored; nothing is verified
here again. A witness signs larger and larger checkpoints (c2sp.org/tlog-witness), so the first time
that it saw an entry is in the smallest checkpoint over it that it signed.

Knows table `checkpoints`, and asks nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from timeline.model import clock
from timeline.proof import signed_note
from timeline.proof.checkpoints import OF_KEY
from timeline.proof.signed_note import VerifierKey

_MOST = 50
"""The number of checkpoints, at most, in which the first signatures over an entry are sought."""
_COLUMNS = "SELECT size, note, verifier_keys FROM checkpoints"
_OVER = f"""
SELECT min(size), note, verifier_keys FROM (
  SELECT * FROM ({_COLUMNS} WHERE size > ?1 ORDER BY size LIMIT ?2)
   UNION ALL
  SELECT * FROM ({_COLUMNS} WHERE size > ?1 ORDER BY size DESC, length(note) DESC LIMIT 1))
 WHERE instr(verifier_keys, char(10))
 GROUP BY verifier_keys ORDER BY 1
"""  # noqa: S608
"""The smallest checkpoint over an entry that the same keys signed, of those signed by several."""


class Cosignature(NamedTuple):
    """Tells that a witness signed a checkpoint, and when."""

    key: VerifierKey
    size: int
    """The number of entries under the checkpoint."""
    seconds: int

    @property
    def at(self) -> str:
        """Return the time that the witness signed, in UTC, in ISO 8601."""
        return clock.of_seconds(self.seconds)


def witnesses_of(connection: sqlite3.Connection, seq: int) -> list[Cosignature]:
    """Return the first signature of each witness over an entry, the earliest first.

    Of a log with many checkpoints over the entry, the first ones and the newest one are read.
    """
    found = dict[str, Cosignature]()
    for row in connection.execute(_OVER, (seq, _MOST)):
        for each in _cosignatures(*row):
            found.setdefault(each.key.name, each)
    return sorted(found.values(), key=lambda each: each.seconds)


def first_and_newest(
    connection: sqlite3.Connection, key: VerifierKey
) -> tuple[Cosignature, Cosignature] | None:
    """Return the first and the newest signature of a witness; None if it signed nothing."""
    found = list[Cosignature]()
    for order in ("size", "size DESC"):
        rows = connection.execute(
            f"{_COLUMNS} WHERE {OF_KEY} ORDER BY {order} LIMIT 1", (str(key),)
        )
        found += (each for row in rows for each in _cosignatures(*row) if each.key == key)
    return (found[0], found[-1]) if found else None


@lru_cache(maxsize=256)
def witness_keys(verifier_keys: str) -> tuple[VerifierKey, ...]:
    """Return those of the keys under a stored checkpoint that are of witnesses."""
    keys = map(VerifierKey.parse, verifier_keys.splitlines())
    return tuple(key for key in keys if key.is_of_witness)


def _cosignatures(size: int, note: str, verifier_keys: str) -> Iterator[Cosignature]:
    """Yield the signature of each witness under a stored checkpoint, its first one."""
    signed = signed_note.parse(note)
    for key in witness_keys(verifier_keys):
        if seconds := signed.seconds_of(key):
            yield Cosignature(key, size, seconds)
