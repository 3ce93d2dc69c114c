"""Define the commands about witnesses, who sign a log's checkpoints."""

from __future__ import annotations

import click

from timeline.cli.commands.asked_witnesses import (
    add_command,
    ask_command,
    list_command,
    remove_command,
)
from timeline.cli.commands.being_witness import (
    evidence_command,
    serve_command,
    trust_command,
    untrust_command,
)
from timeline.cli.options import CommandGroup


@click.group("witness", cls=CommandGroup)
def witness_command() -> None:
    """Let others countersign a log, or countersign theirs.

    A witness signs a checkpoint only if it goes on from the last one that the witness saw.

    add, remove, list and ask are about the witnesses of this log: read docs/proof.md first. trust,
    untrust, serve and evidence are for who is a witness: read docs/mirror.md first.
    """


for _command in (add_command, remove_command, list_command, ask_command):
    witness_command.add_command(_command)
for _command in (trust_command, untrust_command, serve_command, evidence_command):
    witness_command.add_command(_command)
