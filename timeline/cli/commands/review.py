"""Define the command by which a person decides, on a terminal, what machines propose.

Guarantees: nothing is recorded without a person at a terminal, one proposal at a time. There is no
option that says yes. --list and --json only read.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from timeline.api import Timeline
from timeline.cli import output, proposal_view
from timeline.cli.appending import settle_clock
from timeline.cli.opening import opened, opened_to_append
from timeline.cli.options import Command, author_option, json_option
from timeline.errors import InvalidProposal, NotFound, TimelineError
from timeline.formats.log_names import Names
from timeline.intake.proposals.checked import CheckedProposal, checked
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.inbox import Inbox, Waiting
from timeline.intake.proposals.nearby import Near, nearby
from timeline.intake.proposals.proposal import WAYS, Way
from timeline.model import field_paths
from timeline.model.content import Event, Said
from timeline.model.validation import validate
from timeline.reading import query
from timeline.reading.references import resolve_event
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

_NO_TERMINAL = "a person decides: run it on a terminal, or open timeline desk"
_KEYS = "r record, c change, a add to another, x reject, l later, u undo, q quit"
_REASONS = ("not in the source", "wrong", "double", "not for this timeline")


@click.command("review", cls=Command)
@click.argument("proposal", required=False)
@click.option("--list", "is_list", is_flag=True, help="List what waits, and decide nothing.")
@json_option
@click.option("--way", type=click.Choice(WAYS), help="Only what came in this way.")
@click.option(
    "--purge",
    "days",
    metavar="DAYS",
    type=click.IntRange(0),
    help="Delete what was decided DAYS ago or earlier.",
)
@author_option
@click.pass_obj
def review_command(
    database: str,
    /,
    proposal: str | None,
    is_list: bool,
    as_json: bool,
    way: Way | None,
    days: int | None,
    author: str | None,
) -> None:
    """Decide what machines propose, one proposal after the other.

    Each is shown with its quotes, with what they do not say, and with events nearby.
    """
    if days is not None:
        _purge(database, days)
    elif is_list or as_json:
        _list(database, proposal, way, as_json=as_json)
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(_NO_TERMINAL)
    else:
        _decide(database, proposal, way, author)


# --- Reading ------------------------------------------------------------------------------


def _list(database: str, proposal_id: str | None, way: Way | None, *, as_json: bool) -> None:
    with opened(database) as (log, _), contextlib.ExitStack() as stack:
        inbox = Inbox.to_read(database)
        if inbox is None:
            found: list[Waiting] = []
            if proposal_id:
                raise NotFound("proposal", proposal_id)
        else:
            stack.enter_context(inbox)
            found = (
                [inbox.get(proposal_id, log)]
                if proposal_id
                else inbox.proposals(log, states=("open", "later"), way=way)
            )
        if as_json:
            names = Names(log)
            output.dump_each(_fields(names, each) for each in found)
        elif proposal_id:
            _show(log, found[0])
        elif found:
            _print_list(Names(log), found)
        else:
            output.echo("No proposal waits.")


def _print_list(names: Names, found: list[Waiting]) -> None:
    for each in found:
        what, title = proposal_view.summary(names, each)
        later = "later" if each.state == "later" else ""
        output.echo(output.flow([output.bold(each.proposal_id), what, later]))
        output.echo(output.wrapped(title, 2))
        output.echo(output.dim(output.wrapped(each.proposed_by, 2)))


def _fields(names: Names, waiting: Waiting) -> dict[str, Any]:
    """Return a proposal as `--json` prints it."""
    _, title = proposal_view.summary(names, waiting)
    return {
        "proposal": waiting.proposal_id,
        "state": waiting.state,
        "received_at": waiting.received_at,
        "proposed_by": waiting.proposed_by,
        "title": title,
        "decided_at": waiting.decided_at,
        "decided_by": waiting.decided_by,
        "reason": waiting.reason,
        "body": waiting.body,
    }


def _show(log: sqlite3.Connection, waiting: Waiting) -> None:
    """Print a proposal, or why it cannot be recorded as it is."""
    if waiting.state == "recorded":
        proposal_view.print_head(Names(log), waiting)
        return
    try:
        found, every = _checked(log, waiting)
    except InvalidProposal as error:
        proposal_view.print_head(Names(log), waiting)
        output.echo()
        output.echo("This cannot be recorded as it is:")
        for problem in error.problems:
            output.echo(output.hanging(f"- {problem}", 2))
    else:
        proposal_view.print_proposal(log, waiting, found, every, _near(log, waiting, found))


def _checked(
    log: sqlite3.Connection, waiting: Waiting
) -> tuple[CheckedProposal, list[ProposalMark]]:
    """Return a proposal with its marks, as the log is now. Raises InvalidProposal."""
    found = checked(log, waiting.proposal)
    return found, marks(log, waiting.proposal, found, received_at=waiting.received_at)


def _near(log: sqlite3.Connection, waiting: Waiting, found: CheckedProposal) -> list[Near]:
    if waiting.proposal.kind != "record":
        return []
    return nearby(log, found.content, found.quotes)


def _purge(database: str, days: int) -> None:
    with opened(database) as (log, _):
        inbox = Inbox.if_there(database)
        if inbox is None:
            proposals, drafts = 0, 0
        else:
            with inbox:
                proposals, drafts = inbox.purge(days, log)
    output.echo(f"deleted  {_counted(proposals, 'proposal')}, {_counted(drafts, 'draft')}")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


# --- Deciding -----------------------------------------------------------------------------


def _decide(database: str, proposal_id: str | None, way: Way | None, author: str | None) -> None:
    with opened_to_append(database) as timeline, opened(database) as (log, _):
        inbox = Inbox.if_there(database)
        if inbox is None:
            if proposal_id:
                raise NotFound("proposal", proposal_id)
            output.echo("No proposal waits.")
            return
        with inbox:
            _Review(timeline, log, inbox, author).run(proposal_id, way)


class _Review:
    """One person at a terminal decides one proposal after the other."""

    def __init__(
        self, timeline: Timeline, log: sqlite3.Connection, inbox: Inbox, author: str | None
    ) -> None:
        from timeline.desk.visit import Desk

        self._desk = Desk(Path(timeline.path), timeline, log, inbox)
        self._log, self._inbox = log, inbox
        self._author = author
        self._rejected: list[str] = []

    def run(self, proposal_id: str | None, way: Way | None) -> None:
        """Go through all proposals that wait, those for later at the end; or through one."""
        if proposal_id:
            left = [proposal_id]
        else:
            left = [
                each.proposal_id
                for state in ("open", "later")
                for each in self._inbox.proposals(self._log, states=(state,), way=way)
            ]
        if not left:
            output.echo("No proposal waits.")
            return
        settle_clock(self._desk.timeline)
        while left:
            waiting = self._inbox.get(left[0], self._log)
            if not proposal_id and waiting.state not in ("open", "later"):
                left.pop(0)  # somebody else decided it meanwhile
                continue
            output.echo()
            output.echo(output.dim(f"{len(left):,} to decide"))
            again = self._decided(waiting)
            if again is None:
                return
            left[:1] = again

    def _decided(self, waiting: Waiting) -> list[str] | None:
        """Let a person decide a proposal; return those to show next, None to quit."""
        _show(self._log, waiting)
        decisions: Mapping[str, Callable[[Waiting], bool]] = {
            "r": self._record,
            "c": self._change,
            "a": self._add,
            "x": self._reject,
            "l": self._later,
        }
        while True:
            output.echo()
            key = _asked(_KEYS).lower()
            if key == "q":
                return None
            if key == "u":
                if undone := self._undo():
                    return list(dict.fromkeys((undone, waiting.proposal_id)))
                continue
            if key not in decisions:
                output.echo("Type one of these letters, and Enter.")
                continue
            try:
                if decisions[key](waiting):
                    return []
            except TimelineError as error:
                output.echo(output.hanging(f"Error: {output.refusal(str(error))}", 0), err=True)

    def _record(self, waiting: Waiting) -> bool:
        from timeline.desk.record import record_proposal

        every = [] if waiting.state == "recorded" else _checked(self._log, waiting)[1]
        for mark in every:
            output.echo(output.hanging(f"- {mark.text}", 0))
            if not click.confirm("  I have looked at it"):
                output.echo("Nothing was recorded.")
                return False
        ticked = {mark.key for mark in every}
        receipt = record_proposal(
            self._desk, waiting.proposal_id, author=self._person(), ticked=ticked
        )
        return _told(receipt)

    def _change(self, waiting: Waiting) -> bool:
        """Let a person change an event that is proposed, in the form of --edit, and record it."""
        from timeline.cli.edit import proposal_by_form
        from timeline.desk.record import check_not_rejected, proposer_of
        from timeline.intake.proposals.operation import carry_out, operation_of

        check_not_rejected(self._inbox.get(waiting.proposal_id, self._log))
        operation = operation_of(self._log, waiting.proposal)
        if operation.kind not in ("record", "update", "correct"):
            raise TimelineError("only an event or its fields can be changed: reject this one")
        shown = query.get(self._log, operation.event_id) if operation.event_id else {}
        operation = operation._replace(expect=shown.get("version"))
        before = _of_event(shown)
        proposed = field_paths.changed(before, operation.changes) if shown else operation.record
        content = validate(Event, _of_event(proposed)).content()
        author = self._person()

        def record(append: Append, changes: list[tuple[str, Any]], said: Said) -> Receipt:
            typed = operation._replace(reason=said.reason, reported_at=said.reported_at)
            own_id = {"event_id": operation.record.get("event_id")}
            event = {} if shown else field_paths.changed(own_id, changes)
            return carry_out(
                append,
                typed._replace(record=event, changes=changes if shown else ()),
                author=author,
                proposed_by=proposer_of(waiting, is_edited=True),
                entry_id=waiting.proposal_id,
            )

        words = {
            "reason": operation.reason or operation.record.get("reason"),
            "reported_at": operation.record.get("reported_at"),
        }
        receipt = proposal_by_form(self._desk.timeline, content, before, words, record)
        if receipt is None:
            output.echo("Nothing was changed, and nothing recorded.")
            return False
        return _told(receipt)

    def _add(self, waiting: Waiting) -> bool:
        """Add what a proposed new event says to an event that is there."""
        from timeline.desk.record import add_to, check_not_rejected, preview_of, proposer_of
        from timeline.intake.proposals.operation import carry_out

        check_not_rejected(self._inbox.get(waiting.proposal_id, self._log))
        event_id, _ = resolve_event(self._log, _asked("Add to which event? Its id"))
        operation = add_to(self._desk, waiting.proposal_id, event_id)
        words: dict[str, Any] = {
            "author": self._person(),
            "proposed_by": proposer_of(waiting, is_edited=True),
            "entry_id": waiting.proposal_id,
        }
        before = query.get(self._log, event_id)
        with preview_of(self._desk, operation, **words) as (tables, _receipt):
            content = query.get(tables, event_id)
        proposal_view.print_changes(Names(self._log), before, content)
        if not click.confirm(f"Record this as an update of {event_id}"):
            return False
        with self._desk.timeline.append() as append:
            receipt = carry_out(append, operation, **words)
        return _told(receipt)

    def _reject(self, waiting: Waiting) -> bool:
        output.echo(output.wrapped(f"Why? Such as: {', '.join(_REASONS)}."))
        reason = _asked("Reason")
        self._inbox.decide(
            waiting.proposal_id, "rejected", self._log, by=self._person(), reason=reason
        )
        self._rejected.append(waiting.proposal_id)
        output.echo(f"rejected  {waiting.proposal_id}")
        return True

    def _later(self, waiting: Waiting) -> bool:
        self._inbox.decide(waiting.proposal_id, "later", self._log, by=self._person())
        return True

    def _undo(self) -> str | None:
        if not self._rejected:
            output.echo("Nothing was rejected yet.")
            return None
        undone = self._rejected.pop()
        self._inbox.decide(undone, "reopened", self._log, by=self._person())
        output.echo(f"reopened  {undone}")
        return undone

    def _person(self) -> str:
        """Return who decides: as --author says, else asked for once."""
        if not self._author:
            self._author = _asked("Who are you? A handle, which is published")
        return self._author


def _of_event(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some fields that an event may have."""
    return {field: fields[field] for field in Event.model_fields if field in fields}


def _asked(question: str) -> str:
    """Ask until something is typed. The end of the input, Ctrl-D, quits."""
    text: str = click.prompt(question, prompt_suffix=": ")
    return text.strip()


def _told(receipt: Receipt) -> bool:
    output.echo_receipt(receipt)
    for note in receipt.notes:
        output.echo_note(note)
    return True
