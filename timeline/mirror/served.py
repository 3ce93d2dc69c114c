"""Read the checkpoint that a prefix serves now, and hold it to a policy.

Guarantees: what is returned has one form, is of the log that is wanted, and is signed by one of its
keys and by the quorum of the policy. Signatures by others are passed over, as C2SP says.
"""

from __future__ import annotations

from typing import NamedTuple

from timeline.errors import NotFetched, ProofError
from timeline.mirror.prefix import Prefix, read
from timeline.mirror.trouble import Trouble
from timeline.model import clock
from timeline.proof.policy import Policy
from timeline.proof.published import CHECKPOINT
from timeline.proof.signed_note import Note, VerifierKey
from timeline.proof.tlog import Checkpoint, parse_checkpoint

LONGEST = 1_000_000
"""Bytes of a checkpoint that is read."""


class Cosigned(NamedTuple):
    """A witness of a policy, and the time that it signed; None if it has not signed."""

    name: str
    signed_at: str | None


class Served(NamedTuple):
    """A checkpoint that a prefix serves, checked."""

    checkpoint: Checkpoint
    note: Note
    keys: tuple[VerifierKey, ...]
    """The keys by which signatures were checked: the log's own first, then those of witnesses."""
    witnesses: tuple[Cosigned, ...]


def served(
    prefix: Prefix, policy: Policy, name: str = CHECKPOINT, believed: str = "a key that was given"
) -> Served:
    """Read the checkpoint of a prefix, and hold it to a policy.

    `believed` names the keys of the log to a person. Raises Trouble, and NotFetched if it did not
    come.
    """
    try:
        content = read(prefix, name, LONGEST)
    except NotFetched as error:
        if error.status == 404:
            problem = "serves no checkpoint: nothing is signed there, or it is gone"
            raise NotFetched(prefix.place, problem, 404) from None
        raise
    try:
        checkpoint, note = parse_checkpoint(content.decode())
    except (ProofError, UnicodeDecodeError):
        raise Trouble("damaged", f"{name} is no signed checkpoint") from None
    return checked(checkpoint, note, policy, believed)


def checked(
    checkpoint: Checkpoint, note: Note, policy: Policy, believed: str = "a key that was given"
) -> Served:
    """Hold a checkpoint to a policy, whose keys of the log are `believed`. Raises Trouble."""
    origins = {key.name for key in policy.logs}
    if checkpoint.origin not in origins:
        names = " or ".join(sorted(origins))
        raise Trouble(
            "unsigned", f"the checkpoint is of {checkpoint.origin}, not of {names}", is_alarm=True
        )
    own = note.signers([key for key in policy.logs if key.name == checkpoint.origin])
    if not own:
        raise Trouble("unsigned", f"its checkpoint is not signed by {believed}", is_alarm=True)
    signed = {name: key for name, key, _ in policy.witnesses.values() if note.signers([key])}
    try:
        note.verify([*own, *signed.values()])
    except ProofError as error:
        raise Trouble("unsigned", f"of the checkpoint, {error}", is_alarm=True) from None
    times = {name: note.seconds_of(key) for name, key in signed.items()}
    witnesses = tuple(
        Cosigned(name, clock.of_seconds(seconds) if (seconds := times.get(name)) else None)
        for name in policy.witnesses
    )
    if not policy.is_reached(signed):
        missing = ", ".join(each.name for each in witnesses if each.signed_at is None)
        problem = f"not enough witnesses have signed {checkpoint.size:,} entries: {missing} did not"
        raise Trouble("unsigned", problem)
    return Served(checkpoint, note, (*own, *signed.values()), witnesses)
