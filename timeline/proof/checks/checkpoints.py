"""Checks of signatures: this compares the log with its checkpoints and its publications."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping

from timeline.errors import InvalidValue, ProofError
from timeline.proof.checks.report import Report
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import Checkpoint, parse_checkpoint
from timeline.store.codec import decode_content


def sizes(connection: sqlite3.Connection, given: Mapping[str, str]) -> Iterator[int]:
    """Yield the sizes of the log at which the root of its tree is needed."""
    yield from (size for (size,) in connection.execute("SELECT size FROM checkpoints"))
    yield from (size for (size,) in connection.execute("SELECT size FROM publications"))
    for text in given.values():
        with contextlib.suppress(ProofError):
            yield parse_checkpoint(text)[0].size


def check_checkpoints(
    connection: sqlite3.Connection,
    report: Report,
    given: Mapping[str, str],
    keys: Collection[VerifierKey],
    roots: Mapping[int, bytes],
) -> None:
    """Compare the log with checkpoints, stored and given, and with what was published."""
    report.origin = _origin(connection)
    for size, root, text, stored_keys in connection.execute(
        "SELECT size, root, note, verifier_keys FROM checkpoints ORDER BY size, note"
    ):
        report.checkpoints += 1
        checkpoint = _check_note(
            report, f"stored, over {size}", text, stored_keys.splitlines(), keys, roots
        )
        if checkpoint and (checkpoint.size, checkpoint.root) != (size, root):
            report.add(
                "checkpoint",
                f"stored, over {size}",
                f"size {checkpoint.size}, root {checkpoint.root.hex()}",
                f"size {size}, root {root.hex()}",
            )
    for name, text in given.items():
        _check_note(report, name, text, (), keys, roots)
    for when, size, root in connection.execute(
        "SELECT published_at, size, root FROM publications ORDER BY published_at"
    ):
        _hold_to(report, f"publication {when}", Checkpoint(report.origin, size, root), roots)
    _say_what_went_unnoticed(report, given, keys)


def _check_note(
    report: Report,
    name: str,
    text: str,
    stored_keys: Collection[str],
    keys: Collection[VerifierKey],
    roots: Mapping[int, bytes],
) -> Checkpoint | None:
    """Check a note: all keys stored with it must have signed it, and one of the given keys."""
    try:
        checkpoint, note = parse_checkpoint(text)
        note.verify([VerifierKey.parse(key) for key in stored_keys])
        signers = {(signature.name, signature.key_id) for signature in note.signatures}
        trusted = [key for key in keys if (key.name, key.key_id) in signers]
        if keys and not trusted:
            raise ProofError(f"is signed by {note.signatures[0].key}, whose key was not given")
        note.verify(trusted)
    except (ProofError, InvalidValue) as error:
        report.add("checkpoint", name, "a signed note that holds", error)
        return None
    _hold_to(report, name, checkpoint, roots)
    report.signed = max(report.signed, min(checkpoint.size, report.size))
    return checkpoint


def _hold_to(report: Report, name: str, checkpoint: Checkpoint, roots: Mapping[int, bytes]) -> None:
    """Check that the log continues the one of a checkpoint or a publication."""
    if checkpoint.origin != report.origin:
        report.add("checkpoint", name, f"one of {report.origin}", f"one of {checkpoint.origin}")
    elif checkpoint.size > report.size:
        report.add("checkpoint", name, f"{checkpoint.size} entries", f"{report.size} entries")
    elif checkpoint.root != roots[checkpoint.size]:
        report.add("checkpoint", name, checkpoint.root.hex(), roots[checkpoint.size].hex())


def _origin(connection: sqlite3.Connection) -> str:
    """Return the origin with which the log was opened, which never changes; "" if unreadable."""
    row = connection.execute("SELECT payload FROM log WHERE seq = 0").fetchone()
    try:
        return str((decode_content(row[0]) or {})["origin"])
    except (TypeError, KeyError, ValueError):
        return ""


def _say_what_went_unnoticed(
    report: Report, given: Mapping[str, str], keys: Collection[VerifierKey]
) -> None:
    if not given:
        report.unnoticed.append(
            "Nothing from outside this file was looked at: had the whole log been written anew, "
            "or put back to an older state, it would look the same. Keep a checkpoint elsewhere, "
            "and hand it in with --checkpoint."
        )
    if (report.checkpoints or given) and not keys:
        report.unnoticed.append(
            "Whose signatures these are was not checked: hand in the log's verifier key with --key."
        )
    if report.signed < report.size:
        report.unnoticed.append(
            f"The last {report.size - report.signed} of {report.size} entries are under no "
            "checkpoint yet: timeline checkpoint signs them."
        )
