"""Define the command with which programs propose events: propose."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any

import click

from timeline.cli import output
from timeline.cli.appending import naming
from timeline.cli.opening import opened
from timeline.cli.options import Command, json_option
from timeline.errors import InvalidInput
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.taking import Taken, take
from timeline.model import strict_json, text_files

_LONGEST = 80 * 2**20
"""Bytes of a line: a proposal with 16 texts of 4 MiB, written with escapes where it needs them."""
_ONE_A_LINE = ": write one object per line, and use --nl"
_VERBS = {
    "open": "proposed",
    "known": "waits already",
    "recorded": "recorded already",
    "rejected": "rejected already",
}


@click.command("propose", cls=Command)
@click.argument("file", type=click.File("rb"))
@click.option("--nl", is_flag=True, help="One JSON object per line.")
@click.option(
    "--by", metavar="NAME", help="The program that proposes; your user name if not given."
)
@click.option("--dry-run", is_flag=True, help="Check everything, keep nothing.")
@json_option
@click.pass_context
def propose_command(
    context: click.Context,
    /,
    file: IO[bytes],
    nl: bool,
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose events and changes, which a person decides.

    FILE has a JSON object or an array of them; - is stdin. Each is taken for itself: what is good
    waits in the inbox, what is not is named with its line. docs/proposals.md has the shape.
    """
    database: str = context.obj
    refused = 0
    with ExitStack() as stack:
        log, _ = stack.enter_context(opened(database))
        inbox = None if dry_run else stack.enter_context(Inbox.of(database))
        with naming(getattr(file, "name", "-")):
            for line, body in _proposals(file, nl=nl):
                taken = (
                    Taken("refused", problems=[{"field": body.field, "problem": body.problem}])
                    if isinstance(body, InvalidInput)
                    else take(
                        log,
                        inbox,
                        body,
                        way="propose",
                        proposer=by or _user(),
                        dry_run=dry_run,
                    )
                )
                refused += taken.state == "refused"
                if as_json:
                    click.echo(json.dumps({"line": line, **taken.as_json()}, ensure_ascii=False))
                else:
                    _echo(line, taken, dry_run=dry_run)
    if refused:
        context.exit(1)


def _proposals(file: IO[bytes], *, nl: bool) -> Iterator[tuple[int, Any]]:
    """Yield each object after its line; what is no JSON is the InvalidInput that says so.

    Without --nl, the rest of a file with malformed JSON cannot be read: that is the last one.
    """
    if nl:
        for number, line in enumerate(text_files.lines(file, longest=_LONGEST), 1):
            if line.strip():
                try:
                    yield number, strict_json.parse_json(text_files.decoded(line))
                except InvalidInput as error:
                    yield number, error
        return
    items = strict_json.parse_json_items(text_files.decoded(text_files.whole(file, _ONE_A_LINE)))
    try:
        yield from items
    except InvalidInput as error:
        yield error.line or 1, error


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "propose"


def _echo(line: int, taken: Taken, *, dry_run: bool) -> None:
    """Print what became of a proposal: a line, then what the person will have to look at."""
    for problem in taken.problems:
        where = (f"line {line}", problem["field"], problem["problem"])
        output.echo(f"Error: {': '.join(filter(None, map(output.one_line, where)))}", err=True)
    if taken.state == "refused":
        return
    verb = "would be proposed" if dry_run and taken.state == "open" else _VERBS[taken.state]
    when = taken.phrase
    if taken.occurred and taken.occurred != when:
        when = f"{when} ({taken.occurred})"
    parts = (verb, taken.proposal_id, when, taken.title or taken.event_id)
    output.echo(output.flow([output.one_line(part) for part in parts if part]))
    for each in taken.near:
        output.echo_note(f"nearby: {each['event_id']}, {each['title']}: {each['why']}")
    for text in (*taken.marks, *taken.notes):
        output.echo_note(text)
    if taken.reason:
        output.echo_note(f"why it was rejected: {taken.reason}")
