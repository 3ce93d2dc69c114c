"""This module says which witnesses have signed a checkpoint, and why the others have not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from timeline.cli import output
from timeline.errors import Refused
from timeline.model.plurals import counted
from timeline.proof.checkpoints import StoredCheckpoint
from timeline.proof.signed_note import Signature
from timeline.proof.witness_list import Witness

if TYPE_CHECKING:
    from timeline.mirror.witnesses import Countersignature

quorum_option = click.option(
    "--quorum",
    metavar="K",
    type=click.IntRange(1),
    help="End with exit code 1 if fewer than K witnesses have signed.",
)


def say_unchecked(signatures: Collection[Signature], *, err: bool = False) -> None:
    """Say how many signatures nobody checked, if there are any."""
    if signatures:
        count = counted(len(signatures), "signature by a key", "signatures by keys")
        output.echo(f"{count} that you did not give: not checked.", err=err)


def report(
    stored: StoredCheckpoint,
    asked: Sequence[Witness],
    answers: Sequence[Countersignature],
    quorum: int | None,
) -> None:
    """Say on stderr who has signed. Raises Refused if those are fewer than the quorum."""
    found = {each.witness: each for each in answers}
    for witness in asked:
        signed = witness.key in stored.keys
        line = f"Signed by {witness.name}." if signed else _why_not(witness, found.get(witness))
        output.echo(output.one_line(line), err=True)
    count = sum(witness.key in stored.keys for witness in asked)
    if quorum and count < quorum:
        have = counted(count, "witness has", "witnesses have")
        raise Refused(
            f"{have} signed, and {quorum} are wanted; the checkpoint is stored: "
            "timeline witness ask asks the others again"
        )


def _why_not(witness: Witness, answer: Countersignature | None) -> str:
    if answer is None:
        return f"Not signed by {witness.name} yet: timeline witness ask fetches what it signs."
    if answer.problem:
        return f"Not signed by {witness.name}: {answer.problem}"
    return f"Not signed by {witness.name} yet: it has signed an older checkpoint."
