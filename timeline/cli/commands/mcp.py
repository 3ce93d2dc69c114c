"""Define the command `mcp`, which serves a timeline to the client of a language model."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.opening import opened
from timeline.cli.options import Command
from timeline.errors import TimelineError
from timeline.intake.proposals.inbox import inbox_path


@click.command("mcp", cls=Command)
@click.option("--no-texts", is_flag=True, help="Keep the texts of sources back.")
@click.option("--read-only", is_flag=True, help="Leave out the tool that proposes.")
@click.option(
    "--inbox",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep proposals in FILE, not beside the timeline.",
)
@click.option("--config", is_flag=True, help="Print what a client wants in its settings, and end.")
@click.pass_obj
def mcp_command(
    database: str, /, no_texts: bool, read_only: bool, inbox: Path | None, config: bool
) -> None:
    """Serve the timeline to a language model (MCP).

    The client, such as Claude Desktop or an editor, starts this command and speaks with it by stdin
    and stdout; no port is opened. It can read, and propose what a person then decides.
    """
    with opened(database):
        pass
    if config:
        _print_config(database, no_texts, read_only, inbox)
        return
    if find_spec("mcp") is None:
        raise TimelineError("MCP is spoken by an extra: pip install 'timeline-store[mcp]'")
    from timeline.desk.mcp_server import serve

    serve(
        database,
        inbox or inbox_path(database),
        shows_texts=not no_texts,
        may_propose=not read_only,
    )


def _print_config(database: str, no_texts: bool, read_only: bool, inbox: Path | None) -> None:
    program = shutil.which("timeline", path=str(Path(sys.executable).parent))
    start = [program] if program else [sys.executable, "-m", "timeline"]
    arguments = [*start[1:], "-d", str(Path(database).resolve()), "mcp"]
    if no_texts:
        arguments.append("--no-texts")
    if read_only:
        arguments.append("--read-only")
    if inbox:
        arguments += ["--inbox", str(inbox.resolve())]
    output.dump({"mcpServers": {"timeline": {"command": start[0], "args": arguments}}})
