"""Define the command that keeps a picture or a document for an event: attach."""

from __future__ import annotations

from typing import IO

import click

from timeline.cli import output
from timeline.cli.appending import appending, print_receipt, source_id
from timeline.cli.opening import opened_to_append
from timeline.cli.options import (
    Command,
    ahead_option,
    dry_run_option,
    fork_option,
    json_option,
    keep_in_meta,
    said_options,
)
from timeline.media.attached import LARGEST
from timeline.model.content import Said
from timeline.model.validation import validate


@click.command("attach", cls=Command)
@click.argument("file", type=click.File("rb"))
@click.option("--event", required=True, metavar="EVENT", help="The event that it shows.")
@click.option("--alt", metavar="TEXT", help="What a picture shows, for those who cannot see it.")
@click.option("--caption", metavar="TEXT", help="The words below it.")
@click.option("--credit", metavar="NAME", help="Who made it; published.")
@click.option("--licence", help="Its licence, such as CC-BY-4.0.")
@click.option("--source", metavar="SOURCE", help="The source that it is from: an address or an id.")
@click.option("--url", metavar="URL", help="Where it is on the web.")
@click.option("--reason", metavar="TEXT", help="Why; published.")
@said_options
@click.option(
    "--yes",
    is_flag=True,
    callback=keep_in_meta,
    help="Keep more than 1 GiB of files; trust a clock over a day ahead.",
)
@ahead_option
@fork_option
@dry_run_option
@json_option
@click.pass_obj
def attach_command(
    database: str,
    /,
    file: IO[bytes],
    event: str,
    source: str | None,
    reason: str | None,
    author: str | None,
    reported_at: str | None,
    yes: bool,
    as_json: bool,
    **about: str | None,
) -> None:
    """Keep a picture or a document, and show it with an event.

    FILE is a JPEG, PNG, WebP, GIF or PDF of at most 10 MiB; - is stdin. A picture is kept without
    its metadata: no place, no camera, no name. Each needs --alt. A PDF is kept as it is. The same
    file again adds nothing.
    """
    said = validate(Said, {"author": author, "reason": reason, "reported_at": reported_at})
    content = file.read(LARGEST + 1)
    with opened_to_append(database) as timeline:
        event_id, _ = timeline.resolve(event)
        with appending(timeline) as append:
            if source:
                about["source_id"] = source_id(append, source, said)
            receipt = append.attach(event_id, content, about, said, allow_large=yes)
    print_receipt(receipt, as_json)
    if content.startswith(b"%PDF") and not receipt.unchanged:
        output.echo_note("the PDF is kept as it is: its metadata may name its author and program")
