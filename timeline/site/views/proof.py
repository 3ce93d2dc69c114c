"""Read what the page about checkpoints shows, and the proof that an event's page offers.

Guarantees: only a few rows are read, however long the log is; for a witness that signed little, all
checkpoints are looked through. Nothing is verified here, and the page says so: a check by the
publisher's own machine would prove nothing. Reads on the connection it is given; knows no request
and no template.
"""

from __future__ import annotations

import base64
import sqlite3
from typing import Any

from timeline.errors import ProofError
from timeline.proof import checkpoints, cosignatures, witness_list
from timeline.proof.checkpoints import StoredCheckpoint
from timeline.proof.signed_note import VerifierKey
from timeline.proof.witness import origin_hash
from timeline.reading import query
from timeline.store import log
from timeline.store.rows import as_dicts

_SHOWN = 20
"""The number of checkpoints and of publications that are shown, the newest ones."""


def verify_page(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the checkpoints, and how many entries none covers yet, for the page and for JSON."""
    rows = checkpoints.stored(connection, _SHOWN)
    found = [_described(row) for row in rows]
    size, origin = log.size(connection), str(log.info(connection)["origin"])
    return {
        "origin": origin,
        "size": size,
        "uncovered": size - (found[0]["size"] if found else 0),
        "checkpoint": found[0] if found else None,
        "earlier": found[1:],
        "log_keys": [str(key) for key in rows[0].keys if not key.is_of_witness] if rows else [],
        "witnesses": _witnesses(connection, rows, origin),
        "publications": _publications(connection),
    }


def _described(row: StoredCheckpoint) -> dict[str, Any]:
    return {
        "size": row.size,
        "root": _base64(row.root),
        "note": row.note,
        "verifier_keys": row.verifier_keys.splitlines(),
        "stored_at": row.stored_at,
    }


def _witnesses(
    connection: sqlite3.Connection, rows: list[StoredCheckpoint], origin: str
) -> list[dict[str, Any]]:
    """Return those who are asked to sign too, and others who did lately, by their names.

    `rows` are the newest checkpoints. One that signed nothing has only null for what it signed.
    """
    urls = {each.key: each.url for each in witness_list.asked(connection)}
    lately = {key for row in rows for key in cosignatures.witness_keys(row.verifier_keys)}
    gone = witness_list.asked_no_more(connection)
    keys = {*urls, *(key for key in lately if str(key) not in gone)}
    newest = cosignatures.witness_keys(rows[0].verifier_keys) if rows else ()

    def described(key: VerifierKey) -> dict[str, Any]:
        first, last = cosignatures.first_and_newest(connection, key) or (None, None)
        url = urls.get(key)
        return {
            "name": key.name,
            "verifier_key": str(key),
            "first_signed": first and first.at,
            "size": last and last.size,
            "signed_at": last and last.at,
            "has_signed_newest": key in newest,
            "own_copy": f"{url}/{origin_hash(origin)}/checkpoint" if url else None,
        }

    return [described(key) for key in sorted(keys)]


def _publications(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    cursor = connection.execute(
        "SELECT * FROM publications ORDER BY published_at DESC LIMIT ?", (_SHOWN,)
    )
    return [{**row, "root": _base64(row["root"])} for row in as_dicts(cursor)]


def checkpoint_note(connection: sqlite3.Connection) -> str:
    """Return the newest checkpoint as it was signed. Raises ProofError if there is none."""
    last = checkpoints.newest(connection)
    if last is None:
        raise ProofError("there is no checkpoint yet: run timeline checkpoint first")
    return last.note


def covering(connection: sqlite3.Connection, seq: int) -> dict[str, Any] | None:
    """Return the newest checkpoint with the leaf of an entry; None if it does not cover it."""
    last, entry = checkpoints.newest(connection), log.entry_at(connection, seq)
    if last is None or entry is None or last.size <= seq:
        return None
    return {**_described(last), "leaf": _base64(entry.leaf)}


def witnessed(connection: sqlite3.Connection, seq: int) -> list[dict[str, str]]:
    """Return by what time each witness saw an entry, the earliest first."""
    found = cosignatures.witnesses_of(connection, seq)
    return [{"name": each.key.name, "by": each.at} for each in found]


def proof_of(connection: sqlite3.Connection, event_id: str, version: int) -> str:
    """Return the proof of a version of an event, as the text of a file.

    Raises NotFound for an unknown event or version, ProofError if no checkpoint covers it.
    """
    seq = query.get(connection, event_id, version=version)["seq"]
    return str(checkpoints.prove(connection, seq))


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
