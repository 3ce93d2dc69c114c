"""Define the commands about witnesses, who sign a log's checkpoints."""

from __future__ import annotations

import click

from timeline.cli.commands.being_witness import (
    evidence_command,
    serve_command,
    trust_command,
    untrust_command,
)
from timeline.cli.options import CommandGroup


@click.group("witness", cls=CommandGroup)
def witness_command() -> None:
    """Sign the logs of others, as a witness.

    A witness signs a checkpoint only if it goes on from the last one that the witness saw. Read
    docs/mirror.md first.
    """


for _command in (trust_command, untrust_command, serve_command, evidence_command):
    witness_command.add_command(_command)
