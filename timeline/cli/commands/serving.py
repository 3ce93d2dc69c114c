"""Define the commands that show a timeline in a browser: serve, demo."""

from __future__ import annotations

from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.options import Command, embed_of, embed_options

_port_option = click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    default=8001,
    show_default=True,
    help="The port to listen on.",
)


@click.command(
    "serve",
    cls=Command,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_port_option
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; 0.0.0.0 lets other machines in.",
)
@click.option(
    "--url", metavar="URL", help="Where readers find it, behind a proxy; for citations and feeds."
)
@click.option(
    "--beside",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    help="Show another timeline too, such as one that you follow. May be repeated.",
)
@embed_options
@click.argument("datasette_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def serve_command(
    database: str,
    /,
    port: int,
    host: str,
    url: str | None,
    beside: tuple[str, ...],
    embed_from: tuple[str, ...],
    no_embed: bool,
    datasette_options: tuple[str, ...],
) -> None:
    """Show the timeline in a browser.

    Reload a page to see what was appended meanwhile. Options after -- go to Datasette.
    """
    from timeline.site.public_url import site_url
    from timeline.site.serve import serve

    public = None if url is None else site_url(url)
    embed = embed_of(embed_from, no_embed=no_embed)
    serve(
        database,
        host=host,
        port=port,
        url=public,
        embed=embed,
        beside=beside,
        options=datasette_options,
        tell=_tell,
    )


@click.command("demo", cls=Command)
@_port_option
@click.option("--no-serve", is_flag=True, help="Only build the file.")
@click.pass_context
def demo_command(context: click.Context, port: int, no_serve: bool) -> None:
    """Build the demonstration, and show it in a browser.

    It has 19 events around a visit to Odesa in 2025, and replaces an earlier demonstration.
    """
    from timeline import demo

    if not no_serve:
        from timeline.site.serve import free_port, serve

        # Check this before the file is replaced: another process may be serving the old one.
        free_port("127.0.0.1", port)
    given = context.find_root().params["database"]
    path = Path(given or "db/demo/timeline.db")
    if not given:
        path.parent.mkdir(parents=True, exist_ok=True)
    entries = demo.build(path)
    output.echo(f"Built {path}: {entries} entries.")
    if not no_serve:
        serve(str(path), port=port, tell=_tell)


def _tell(line: str) -> None:
    output.echo(output.one_line(line), err=True)
