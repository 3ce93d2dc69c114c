"""Define the commands of who is a witness: witness trust, untrust, serve, evidence."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timeline.cli import output
from timeline.cli.given_keys import VerifierKeyType, signing_key
from timeline.cli.options import Command
from timeline.model.plurals import counted
from timeline.proof.signed_note import VerifierKey
from timeline.store import atomic

if TYPE_CHECKING:
    from timeline.mirror.evidence import Evidence

_ALARM = 3
"""The exit code if a log has signed two histories."""

_state_option = click.option(
    "--state",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="What the witness has signed. It is one thing with the key: never put an older one back.",
)


@click.command("trust", cls=Command)
@click.argument("key", metavar="VKEY", type=VerifierKeyType())
@_state_option
def trust_command(key: VerifierKey, state: Path) -> None:
    """Sign the checkpoints of somebody's log from now on.

    VKEY is the verifier key of the log. If there is no FILE, it is made.
    """
    from timeline.mirror.witness_state import WitnessState

    with WitnessState(state, can_make=True) as opened_state:
        opened_state.trust(key)
    output.echo(output.one_line(f"{key.name} is trusted."))


@click.command("untrust", cls=Command)
@click.argument("key", metavar="VKEY", type=VerifierKeyType())
@_state_option
def untrust_command(key: VerifierKey, state: Path) -> None:
    """Sign what this key of a log signs no more.

    What was signed of the log stays: if it is trusted again, it has to go on from there.
    """
    from timeline.mirror.witness_state import WitnessState

    with WitnessState(state) as opened_state:
        opened_state.untrust(key)
    output.echo(output.wrapped(f"The key of {key.name} is trusted no more. What was signed stays."))


@click.command("serve", cls=Command)
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key that keygen --witness made.",
)
@_state_option
@click.option(
    "--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen."
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    default=7380,
    show_default=True,
    help="The port to listen on.",
)
def serve_command(key_file: Path, state: Path, host: str, port: int) -> None:
    """Sign what logs ask for over HTTP, if it goes on.

    It speaks HTTP, by c2sp.org/tlog-witness: put a server that speaks TLS before it. It says a
    line for each checkpoint that it signs, or that may be of another history.
    """
    from timeline.mirror.witness_server import serve_witness
    from timeline.mirror.witness_state import WitnessState

    key = signing_key(key_file)
    with WitnessState(state) as opened_state:
        serve_witness(
            opened_state,
            key,
            host=host,
            port=port,
            tell=lambda line: output.echo(output.one_line(line), err=True),
        )


@click.command("evidence", cls=Command)
@_state_option
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    help="The address or the folder where the log is published: its tiles tell more.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Write there; default here.",
)
def evidence_command(state: Path, source: str | None, folder: Path) -> None:
    """Write a fork file for each log that showed another history.

    Such a file proves to anybody, with the key of the log, that it signed two histories. The exit
    code is 3 if there is one, and 1 if that cannot be told of some checkpoints.
    """
    from timeline.mirror.evidence import evidence_in
    from timeline.mirror.prefix import open_prefix
    from timeline.mirror.witness_state import WitnessState

    with contextlib.ExitStack() as stack:
        prefix = stack.enter_context(open_prefix(source)) if source else None
        found = [*evidence_in(stack.enter_context(WitnessState(state)), prefix)]
    for each in found:
        _say_evidence(each, folder)
    if not found:
        output.echo("Nothing was refused.")
    if any(each.fork for each in found):
        sys.exit(_ALARM)
    if any(each.problem for each in found):
        sys.exit(1)


def _say_evidence(evidence: Evidence, folder: Path) -> None:
    """Write the fork file, if there is a fork, and say what a refused checkpoint shows."""
    from timeline.mirror.evidence import file_name

    origin, size, _ = evidence.checkpoint
    said = f"{origin}, {counted(size, 'entry', 'entries')}"
    if evidence.problem:
        output.echo(output.hanging(f"{said}: cannot be told: {evidence.problem}.", 0), err=True)
    elif evidence.fork is None:
        output.echo(output.hanging(f"{said}: goes on; it was sent with a wrong proof.", 0))
    else:
        path = folder / file_name(evidence.fork)
        atomic.put(path, str(evidence.fork).encode())
        output.echo(f"ALARM: {origin} has signed two histories.", err=True)
        output.echo(f"Proof, for anybody: {path} (timeline verify FILE --key VKEY)")
