"""Checks of signatures: this compares the log with its checkpoints and its publications."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping

from timeline.errors import InvalidValue, ProofError
from timeline.proof.checkpoints import StoredCheckpoint, newest
from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey, parse
from timeline.proof.tlog import Checkpoint, parse_checkpoint
from timeline.store.codec import decode_content


def sizes(connection: sqlite3.Connection, given: Mapping[str, str]) -> Iterator[int]:
    """Yield the sizes of the log at which the root of its tree is needed."""
    yield from (size for (size,) in connection.execute("SELECT size FROM publications"))
    stored = (note for (note,) in connection.execute("SELECT note FROM checkpoints"))
    for note in (*stored, *given.values()):
        with contextlib.suppress(ProofError):
            yield parse_checkpoint(note)[0].size


def check_checkpoints(
    connection: sqlite3.Connection,
    report: Report,
    given: Mapping[str, str],
    policy: Policy,
    roots: Mapping[int, bytes],
) -> None:
    """Compare the log with checkpoints, stored and given, and with what was published.

    If the policy has keys of logs, one of them must have signed each. The newest must have its
    quorum of witnesses.
    """
    report.origin = _origin(connection)
    keys = policy.logs
    witnesses = [each.key for each in policy.witnesses.values()]
    stored_keys = set(witnesses)
    sizes: set[int] = set()
    for row in map(StoredCheckpoint._make, connection.execute(_CHECKPOINTS)):
        report.checkpoints += 1
        sizes.add(row.size)
        name = f"stored, over {row.size}"
        signers = _signers(report, name, row)
        stored_keys.update(signers)
        checkpoint = _check_note(report, name, row.note, [*signers, *witnesses], keys, roots)
        if checkpoint and (checkpoint.size, checkpoint.root) != (row.size, row.root):
            said = f"size {checkpoint.size}, root {checkpoint.root.hex()}"
            report.add("checkpoint", name, said, f"size {row.size}, root {row.root.hex()}")
        if not is_instant(row.stored_at.encode()):
            report.add("checkpoint", f"{name}, stored_at", "a time", row.stored_at)
    for name, text in given.items():
        _check_note(report, name, text, stored_keys, keys, roots)
    if policy.wanted:
        _check_quorum(connection, report, policy)
    _check_publications(connection, report, sizes, roots)
    _say_what_went_unnoticed(report, given, keys)


def _check_quorum(connection: sqlite3.Connection, report: Report, policy: Policy) -> None:
    """Check that the newest checkpoint has the signatures of witnesses that a policy wants."""
    last = newest(connection)
    if last is None:
        report.add("checkpoint", "newest", f"one with the quorum {policy.quorum}", "none is stored")
        return
    try:
        policy.verify(parse(last.note))
    except ProofError as error:
        report.add("checkpoint", f"stored, over {last.size}", "what the policy wants", error)


_CHECKPOINTS = (
    "SELECT size, root, note, verifier_keys, stored_at FROM checkpoints ORDER BY size, note"
)


def _signers(report: Report, name: str, row: StoredCheckpoint) -> list[VerifierKey]:
    """Return the keys stored with a note: its log's own first; each of them signed the note."""
    try:
        keys = [VerifierKey.parse(line) for line in row.verifier_keys.split("\n")]
        signed = {(signature.name, signature.key_id) for signature in parse(row.note).signatures}
    except (ProofError, InvalidValue) as error:
        report.add("checkpoint", f"{name}, verifier_keys", "the keys that signed it", error)
        return []
    if (
        "\n".join(map(str, keys)) != row.verifier_keys
        or len(set(keys)) < len(keys)
        or keys[0].name != report.origin
        or not {(key.name, key.key_id) for key in keys} <= signed
    ):
        expected = f"the key of {report.origin}, then those of witnesses, if they signed"
        report.add("checkpoint", f"{name}, verifier_keys", expected, row.verifier_keys)
    return keys


def _check_note(
    report: Report,
    name: str,
    text: str,
    stored_keys: Collection[VerifierKey],
    keys: Collection[VerifierKey],
    roots: Mapping[int, bytes],
) -> Checkpoint | None:
    """Check a note: no signature by a known key may be wrong, and a given key must have signed."""
    try:
        checkpoint, note = parse_checkpoint(text)
        signers = {(signature.name, signature.key_id) for signature in note.signatures}
        known = [key for key in stored_keys if (key.name, key.key_id) in signers]
        trusted = [key for key in keys if (key.name, key.key_id) in signers]
        if keys and not trusted:
            raise ProofError(f"is signed by {note.signatures[0].key}, whose key was not given")
        note.verify([*known, *trusted])
    except (ProofError, InvalidValue) as error:
        report.add("checkpoint", name, "a signed note that holds", error)
        return None
    holds = _holds(report, name, checkpoint, roots)
    report.unnoticed += [
        f"The signature of {signature.name} under the checkpoint {name}: its key was not given."
        for signature in note.unchecked([*known, *trusted])
    ]
    if not known and not trusted:
        report.unnoticed.append(f"No signature of {name} was checked: its key was not given.")
    elif holds:
        report.signed = max(report.signed, checkpoint.size)
    return checkpoint


def _check_publications(
    connection: sqlite3.Connection,
    report: Report,
    signed: Collection[int],
    roots: Mapping[int, bytes],
) -> None:
    """Hold the record of what was published to the log, and to the stored checkpoints."""
    for when, size, root, checkpoint_size in connection.execute(
        "SELECT published_at, size, root, checkpoint_size FROM publications ORDER BY published_at"
    ):
        name = f"publication {when}"
        if size < 0:
            report.add("publication", f"{name}, size", "0 or more", size)
        _holds(report, name, Checkpoint(report.origin, size, root), roots)
        if not is_instant(when.encode()):
            report.add("publication", name, "a time", when)
        if checkpoint_size is not None and not (
            checkpoint_size in signed and checkpoint_size <= size
        ):
            expected = f"the size of a stored checkpoint, up to {size}"
            report.add("publication", f"{name}, checkpoint_size", expected, checkpoint_size)


def _holds(report: Report, name: str, checkpoint: Checkpoint, roots: Mapping[int, bytes]) -> bool:
    """Check that the log continues the one of a checkpoint or a publication."""
    if checkpoint.origin != report.origin:
        report.add("checkpoint", name, f"one of {report.origin}", f"one of {checkpoint.origin}")
    elif checkpoint.size > report.size:
        report.add("checkpoint", name, f"{checkpoint.size} entries", f"{report.size} entries")
    elif checkpoint.root != roots[checkpoint.size]:
        report.add("checkpoint", name, checkpoint.root.hex(), roots[checkpoint.size].hex())
    else:
        return True
    return False


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
