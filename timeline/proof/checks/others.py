"""Checks of what a file knows of other logs and of witnesses: whom it follows, and whom it asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from timeline.errors import InvalidInput, InvalidValue, ProofError
from timeline.proof.checks.entries import is_instant
from timeline.proof.checks.report import Report
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import Checkpoint, parse_checkpoint
from timeline.store.follows import Sighting, follows_of, sightings


def check_follows(connection: sqlite3.Connection, report: Report) -> None:
    """Check whom the file follows, and that the keys of that log signed what was seen of it."""
    (count,) = connection.execute("SELECT count(*) FROM follows").fetchone()
    if count > 1:
        report.add("follows", "rows", "one", count)
    following = follows_of(connection)
    keys: Collection[VerifierKey] = ()
    if following:
        if following.origin != report.origin:
            report.add("follows", "origin", report.origin, following.origin)
        times = (following.since, following.seen_at, following.problem_since or following.since)
        if not all(is_instant(time.encode()) for time in times):
            report.add("follows", following.origin, "times", ", ".join(times))
        try:
            keys = Policy.parse(following.policy).logs
        except InvalidInput as error:
            report.add("follows", "policy", "a policy", error)
    for sighting in sightings(connection):
        _check_sighting(sighting, report, keys)


def _check_sighting(sighting: Sighting, report: Report, keys: Collection[VerifierKey]) -> None:
    name = f"of {sighting.size:,} entries"
    try:
        checkpoint, note = parse_checkpoint(sighting.note)
        note.verify(note.signers(keys))
        if keys and not note.signers(keys):
            raise ProofError("is signed by no key of the policy")
    except ProofError as error:
        report.add("sighting", name, "a signed checkpoint", error)
        return
    if checkpoint != Checkpoint(report.origin, sighting.size, sighting.root):
        expected = f"{report.origin}, {sighting.size}, {sighting.root.hex()}"
        found = f"{checkpoint.origin}, {checkpoint.size}, {checkpoint.root.hex()}"
        report.add("sighting", name, expected, found)
    if not is_instant(sighting.seen_at.encode()):
        report.add("sighting", f"{name}, seen_at", "a time", sighting.seen_at)


def check_witnesses(connection: sqlite3.Connection, report: Report) -> None:
    """Check the form of the rows about witnesses, which nothing else in the file repeats."""
    for name, key, added_at, removed_at in connection.execute(
        "SELECT name, verifier_key, added_at, removed_at FROM witnesses"
    ):
        try:
            whole = str(VerifierKey.parse(key)) == key
        except InvalidValue:
            whole = False
        if not whole:
            report.add("witness", f"{name}, verifier_key", "a verifier key", key)
        if not all(is_instant(time.encode()) for time in (added_at, removed_at or added_at)):
            report.add("witness", name, "times", f"{added_at}, {removed_at}")
