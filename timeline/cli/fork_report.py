"""This module says what a fork file proves."""

from __future__ import annotations

import base64
import sys
from collections.abc import Collection
from typing import NoReturn

from timeline.cli import output
from timeline.errors import ProofError
from timeline.proof.fork import Fork
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import Checkpoint

FORK = 3
"""The exit code of two checkpoints that show two histories."""


def report_fork(
    name: str, text: str, keys: Collection[VerifierKey], *, as_json: bool = False
) -> NoReturn:
    """Say what a fork file proves, and end with the exit code for that.

    Raises ProofError if it proves nothing; with `as_json` the process ends with 1 then.
    """
    try:
        first, second = Fork.parse(text).verify(keys)
    except ProofError as error:
        if not as_json:
            raise ProofError(f"{name} {error}") from None
        output.dump({"proven": False, "problem": str(error)})
        sys.exit(1)
    if as_json:
        output.dump(
            {
                "proven": True,
                "origin": first.origin,
                "checkpoints": [size_and_root(checkpoint) for checkpoint in (first, second)],
            }
        )
    else:
        output.echo(output.wrapped(f"Proven: the key of {first.origin} signed two histories."))
        rows = [[f"{each.size:,} entries", _base64(each.root)] for each in (first, second)]
        output.echo(output.table(rows, 2))
        if first.size < second.size:
            output.echo(f"The first {first.size:,} entries of the second are others.")
    sys.exit(FORK)


def size_and_root(checkpoint: Checkpoint) -> dict[str, object]:
    """Return the size and the root of a checkpoint for JSON."""
    return {"size": checkpoint.size, "root": _base64(checkpoint.root)}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
