"""Define the commands about captured sources: coverage, annotate, withdraw."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from timeline.cli import output
from timeline.cli.appending import appending
from timeline.cli.opening import opened, opened_to_append
from timeline.cli.options import (
    Command,
    dry_run_option,
    is_dry_run,
    json_option,
    said_options,
    writing_options,
)
from timeline.errors import InvalidInput
from timeline.formats.labels import coverage_words
from timeline.model import hints
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.reading import captured_texts, selection
from timeline.reading.references import resolve_source
from timeline.reading.sources import sources_by_id
from timeline.texts.coverage import Sentence


@click.command("coverage", cls=Command)
@click.argument("source")
@json_option
@click.pass_obj
def coverage_command(database: str, /, source: str, as_json: bool) -> None:
    """List the sentences of SOURCE, and which of them events quote.

    SOURCE is an id, any unique beginning of one, or an address. A sentence is covered if a
    current event quotes at least one word of it. Otherwise it is commentary, if it is marked
    so, or missing. `timeline annotate` takes the numbers.
    """
    with opened(database) as (connection, _):
        source_id = resolve_source(connection, source)
        found = captured_texts.coverage(connection, source_id)
        row = sources_by_id(connection, [source_id])[source_id]
    if as_json:
        output.dump(found.as_json(source_id))
        return
    output.echo(output.bold(output.wrapped(row["title"] or row["url"] or source_id)))
    output.echo(output.dim(output.wrapped(f"{source_id}, version {row['version']}")))
    if row["state"] == "withdrawn":
        output.echo(output.wrapped(f"withdrawn: {row['withdrawn_reason'] or '(erased)'}"))
    output.echo(coverage_words(found.sentences))
    numbered = [*enumerate(found.sentences, 1)]
    for state in ("missing", "commentary", "covered"):
        some = [
            [f"{number:>{len(str(len(numbered)))}}", _said_of(sentence)]
            for number, sentence in numbered
            if sentence.state == state
        ]
        if some:
            output.echo()
            output.echo(output.bold(state.capitalize()))
            output.echo(output.table(some, 2))
    if found.lost_quotes:
        output.echo()
        output.echo(output.bold("Quotes that are not in it"))
        for each in found.lost_quotes:
            output.echo(output.hanging(f"{each['event_id']}: {hints.quoted(each['quote'])}", 2))


def _said_of(sentence: Sentence) -> str:
    """Write a sentence, and below it the events that quote it, or why it is commentary."""
    page = f" (page {sentence.page})" if sentence.page else ""
    text = " ".join(sentence.text.split()) + page
    below = ", ".join(sentence.events) or sentence.why
    return f"{text}\n-> {below}" if below else text


@click.command("annotate", cls=Command)
@click.argument("source")
@click.option(
    "--sentence", "numbers", metavar="N,M-O", help="Sentences, as `timeline coverage` numbers them."
)
@click.option("--start", metavar="N", type=click.IntRange(0), help="Or a span: code points from 0.")
@click.option("--end", metavar="N", type=click.IntRange(1), help="Where it ends, exclusive.")
@click.option("--why", metavar="TEXT", help="Why it needs no event.")
@click.option("--remove", is_flag=True, help="Remove the marks instead.")
@said_options
@writing_options
@dry_run_option
@json_option
@click.pass_obj
def annotate_command(
    database: str,
    /,
    source: str,
    numbers: str | None,
    start: int | None,
    end: int | None,
    why: str | None,
    remove: bool,
    as_json: bool,
    **said: str | None,
) -> None:
    """Mark sentences of the text of SOURCE as commentary.

    Commentary needs no event. The marks belong to the text as it is now: a changed text has
    none.
    """
    if (numbers is None) == (start is None) or (start is None) != (end is None):
        raise click.UsageError("say which: --sentence N, or --start and --end")
    if (why is None) != remove:
        raise click.UsageError("say why they need no event: --why TEXT, or --remove the marks")
    words = validate(Said, said)
    with opened_to_append(database) as timeline, appending(timeline) as append:
        source_id = timeline.resolve_source(source)
        before = append.coverage(source_id)
        spans = _spans(numbers, before.sentences) if numbers else [(start or 0, end or 0)]
        receipt = append.mark_source(source_id, spans, why, words)
        after = append.coverage(source_id)
    if as_json:
        output.dump(output.receipt_fields(receipt))
    else:
        output.echo_receipt(receipt)
        output.echo(output.dim(f"  {coverage_words(after.sentences)}"))


def _spans(text: str, found: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Return start and end of the sentences that a text such as "3,5-7" names."""
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= len(found):
            problem = f'"{part}" is none of the sentences 1 to {len(found):,}'
            raise InvalidInput("sentence", problem)
        numbers += range(first, last + 1)
    return [(found[number - 1].start, found[number - 1].end) for number in numbers]


@click.command("withdraw", cls=Command)
@click.argument("source")
@click.option("--reason", metavar="TEXT", help="Why it no longer counts; required.")
@click.option("--undo", is_flag=True, help="Take the withdrawal back.")
@said_options
@writing_options
@dry_run_option
@json_option
@click.pass_obj
def withdraw_command(
    database: str, /, source: str, undo: bool, as_json: bool, **words: str | None
) -> None:
    """Mark SOURCE as withdrawn by its publisher, with a reason.

    SOURCE is an id, any unique beginning of one, or an address. Events of which all
    sources are withdrawn are at risk, and marked so everywhere until they have another one.
    """
    if not undo and words["reason"] is None:
        raise click.UsageError("say why: --reason TEXT")
    said = validate(Said, words)
    with opened_to_append(database) as timeline, appending(timeline) as append:
        source_id = timeline.resolve_source(source)
        change = append.reinstate_source if undo else append.withdraw_source
        receipt = change(source_id, said)
    with opened(database) as (connection, _):
        # A dry run has changed nothing, so what it would put at risk cannot be looked up.
        filters = {"source": source_id, "at_risk": "1"}
        found = () if is_dry_run() else selection.list_events(connection, filters)
        at_risk = [row["event_id"] for row in found]
    if as_json:
        output.dump({**output.receipt_fields(receipt), "at_risk": at_risk})
        return
    output.echo_receipt(receipt)
    for event_id in at_risk:
        output.echo(output.hanging(f"at risk: {event_id}", 2))
