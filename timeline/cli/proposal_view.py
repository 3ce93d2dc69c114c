"""Show a proposal on a terminal in words: its event or change, its quotes, its marks.

Guarantees: nothing here decides or writes. No line is wider than the terminal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from timeline.cli import output
from timeline.cli.event_sections import print_sections, sections
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.intake.proposals.checked import BroughtQuote, CheckedProposal
from timeline.intake.proposals.checks import ProposalMark
from timeline.intake.proposals.inbox import Waiting
from timeline.intake.proposals.nearby import Near
from timeline.intake.proposals.proposal import Proposal, parse
from timeline.model.content import Event
from timeline.projection.differences import differences
from timeline.texts.sentences import sentences

_KINDS = {
    "record": "new event",
    "update": "update of",
    "correct": "correction of",
    "retract": "retraction of",
    "merge": "merge of",
    "comment": "commentary in",
}


def summary(names: Names, waiting: Waiting) -> tuple[str, str]:
    """Return what a proposal would do, such as "update of odesa-visit", and its title."""
    proposal = parse(waiting.body)
    what = " ".join(filter(None, [_KINDS[proposal.kind], proposal.subject]))
    if proposal.kind == "record":
        return what, str(proposal.record.get("title", ""))
    if proposal.kind == "comment":
        numbers = ", ".join(map(str, proposal.sentences))
        return what, f"sentences {numbers} of {names.source(proposal.subject or '')}"
    title = names.event(proposal.subject or "")
    return what, f"{title} into {names.event(proposal.into)}" if proposal.into else title


def print_proposal(
    log: sqlite3.Connection,
    waiting: Waiting,
    found: CheckedProposal,
    marks: Sequence[ProposalMark],
    near: Sequence[Near],
) -> None:
    """Print a proposal that was checked."""
    names = Names(log)
    print_head(names, waiting)
    proposal = waiting.proposal
    if proposal.kind == "record":
        _print_event(names, found.content)
    elif proposal.kind in ("update", "correct"):
        print_changes(names, found.before, found.content)
    quotes = [row for quote in found.quotes for row in _in_sentences(quote)]
    if proposal.kind == "comment":
        quotes += [*_commented(log, proposal)]
    print_sections(
        {
            "Quotes": quotes,
            "Nearby": [[each.event_id, f"{each.when}, {each.title}: {each.why}"] for each in near],
            "Look at": [[str(number), mark.text] for number, mark in enumerate(marks, 1)],
            "Notes": [["-", note] for note in found.notes],
        }
    )


def print_head(names: Names, waiting: Waiting) -> None:
    """Print the title of a proposal, what it would do, and who proposed it why."""
    proposal = waiting.proposal
    what, title = summary(names, waiting)
    output.echo(output.bold(output.wrapped(title)))
    output.echo(output.wrapped(f"{what}, proposed by {waiting.proposed_by}"))
    received = prose.instant(waiting.received_at, names.time_zone)
    output.echo(output.dim(output.wrapped(f"{waiting.proposal_id}, received {received}")))
    if waiting.state in ("rejected", "later", "recorded"):
        by = f" by {waiting.decided_by}" if waiting.decided_by else ""
        reason = f": {waiting.reason}" if waiting.reason else ""
        output.echo(output.wrapped(f"{waiting.state}{by}{reason}"))
    for name, text in (("why", proposal.why), ("reason", proposal.reason)):
        if text:
            output.echo(output.hanging(f"{name}: {text}", 0))


def _print_event(names: Names, content: Mapping[str, Any]) -> None:
    output.echo(output.wrapped(prose.facts({"state": "current", **content}, names.labels)))
    if "summary" in content:
        output.echo()
        output.echo(output.wrapped(content["summary"]))
    # The sources are shown with their quotes.
    print_sections(sections(names, {**content, "citations": ()}))


def print_changes(names: Names, before: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    """Print what changes between two states of an event, old beside new."""
    old, new = _content(before), _content(content)
    rows = [each._asdict() for each in differences(old, new)]
    output.echo()
    for change in prose_changes.in_words(names, rows, new):
        output.echo(output.change(*change[:3]))


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says, without its id and without default values."""
    return {
        field: event[field]
        for field in Event.model_fields
        if field != "event_id" and field in event and event[field] != prose.DEFAULTS.get(field)
    }


def _in_sentences(quote: BroughtQuote) -> Iterator[list[str]]:
    """Yield the sentences in which a quote stands, with the quote in angle quotation marks."""
    spans = [
        each for each in sentences(quote.text) if each[0] < quote.end and quote.start < each[1]
    ]
    start = min([quote.start, *(each[0] for each in spans)])
    end = max([quote.end, *(each[1] for each in spans)])
    words = f"{quote.text[start : quote.start]}«{quote.quote}»{quote.text[quote.end : end]}"
    yield [
        "-",
        f"{' '.join(words.split())}\n{prose.listed(quote.title, prose.date(quote.published))}",
    ]


def _commented(log: sqlite3.Connection, proposal: Proposal) -> Iterator[list[str]]:
    """Yield the sentences that a comment is about, with their numbers."""
    from timeline.reading.captured_texts import coverage

    found = coverage(log, proposal.subject or "").sentences
    for number in proposal.sentences:
        if number <= len(found):
            yield [str(number), " ".join(found[number - 1].text.split())]
