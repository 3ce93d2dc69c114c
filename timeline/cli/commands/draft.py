"""Define the command that asks a language model for events of an article: draft."""

from __future__ import annotations

import contextlib

import click

from timeline.cli import output
from timeline.cli.opening import opened
from timeline.cli.options import Command, json_option
from timeline.intake.proposals.inbox import Inbox
from timeline.reading.references import resolve_source


@click.command("draft", cls=Command)
@click.argument("source")
@click.option("-m", "--model", metavar="MODEL", help="The model, as `llm models` names it.")
@click.option(
    "-o", "--option", "options", metavar="KEY VALUE", nargs=2, multiple=True, help="For the model."
)
@click.option("--all", "is_all", is_flag=True, help="Ask for all sentences, not the missing ones.")
@click.option("--dry-run", is_flag=True, help="Ask and check, keep nothing.")
@click.option("--show-prompt", is_flag=True, help="Print what would be sent, and send nothing.")
@json_option
@click.pass_context
def draft_command(
    context: click.Context,
    /,
    source: str,
    model: str | None,
    options: tuple[tuple[str, str], ...],
    is_all: bool,
    dry_run: bool,
    show_prompt: bool,
    as_json: bool,
) -> None:
    """Ask a language model for the events of SOURCE.

    The text of the source is sent to MODEL. What its quotes support waits in the inbox until a
    person decides; the rest is left out, with why. Keys are those of `llm keys`.
    """
    from timeline.desk.drafting import DraftRequest, draft

    if model is None and not show_prompt:
        raise click.UsageError("say which model: -m MODEL")
    database: str = context.obj
    with contextlib.ExitStack() as stack:
        log, _ = stack.enter_context(opened(database))
        request = DraftRequest(log, resolve_source(log, source), is_all=is_all)
        if show_prompt:
            output.echo(request.prompt)
            return
        if not request.wanted or model is None:
            output.echo(f"Nothing is missing in {request.source_id}.", err=True)
            return
        count = f"{len(request.text):,} characters of {request.source_id}"
        output.echo(f"Sends {count} to {output.one_line(model)}", err=True)
        inbox = None if dry_run else stack.enter_context(Inbox.of(database))
        drafted = draft(request, inbox, model, dict(options))
    for each in drafted.left_out:
        output.echo(output.refusal(f"left out: {each}"), err=True)
    if as_json:
        output.dump([each.as_json() for each in drafted.taken])
    else:
        for taken in drafted.taken:
            what = taken.title or taken.event_id or "commentary"
            parts = (_VERBS[taken.state], taken.proposal_id, taken.phrase, what)
            output.echo(output.flow([output.one_line(part) for part in parts if part]))
    if drafted.left_out and not drafted.taken:
        context.exit(1)


_VERBS = {
    "open": "proposed",
    "known": "waits already",
    "recorded": "recorded already",
    "rejected": "rejected already",
    "refused": "refused",
}
