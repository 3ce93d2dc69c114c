"""Define the command that opens the desk: desk."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.options import Command, author_option
from timeline.errors import TimelineError


@click.command("desk", cls=Command)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    default=8002,
    show_default=True,
    help="The port to listen on, at 127.0.0.1.",
)
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@author_option
@click.option("--model", metavar="MODEL", help="The model that drafts events of an article.")
@click.option(
    "--launcher",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a file to double-click (.desktop, .command), and end.",
)
@click.pass_obj
def desk_command(
    database: str,
    /,
    port: int,
    no_browser: bool,
    author: str | None,
    model: str | None,
    launcher: Path | None,
) -> None:
    """Record events in your browser, and decide what machines propose.

    Only the browser of this machine gets in, with the address that is printed. Is a desk open for
    this timeline already, it is opened again.
    """
    from timeline.desk.serve import serve_desk, show_problem, write_launcher

    if launcher:
        given = {"--author": author, "--model": model}
        options = [word for name, value in given.items() if value for word in (name, value)]
        write_launcher(database, launcher, ["--port", str(port), *options])
        output.echo(f"Wrote {launcher}: double-click it to open the desk.")
        return
    try:
        serve_desk(
            database,
            port=port,
            author=author,
            model=model,
            is_open=not no_browser,
            tell=lambda line: output.echo(output.one_line(line), err=True),
        )
    except TimelineError as error:
        if not no_browser and not sys.stderr.isatty():
            show_problem(output.refusal(str(error)))
        raise
