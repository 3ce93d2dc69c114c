"""Record what a person decided: a draft, or a proposal as it is.

Guarantees: the entry has the id of the draft or the proposal, so that recording it twice, also
after a crash or after the event moved on, gives the first receipt. The author is the person, and
`proposed_by` the program; neither is ever taken from what a program wrote. The documents of a
proposal are captured in the same append: all is kept, or nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from timeline.desk import forms
from timeline.desk.visit import Desk
from timeline.errors import AlreadyRecorded, Refused
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.inbox import Draft, Waiting
from timeline.intake.proposals.operation import DeskOperation, carry_out, operation_of
from timeline.intake.proposals.proposal import Proposal
from timeline.reading import query
from timeline.writing.new_citations import new_citations
from timeline.writing.receipt import Receipt

_LONGEST_PROPOSER = 100
"""Characters of `proposed_by` in an entry."""
_EDITED = " (edited)"
_OF_NEW_EVENT = ("quantities", "claims")
"""The lists of a proposed new event that can be added to another one, beside its citations."""


class NotTicked(Refused):
    """A proposal has `marks` that the person has not looked at."""

    def __init__(self, unticked: Sequence[ProposalMark]) -> None:
        count = f"{len(unticked)} marks" if len(unticked) > 1 else "1 mark"
        super().__init__(f"look at {count} first: {unticked[0].text}")
        self.marks = tuple(unticked)


# --- Operations ---------------------------------------------------------------------------


def add_to(desk: Desk, proposal_id: str, event_id: str) -> DeskOperation:
    """Return the update that adds what a proposed new event says to another event.

    Its figures, claims and citations are added, but those that the event has. Raises NotFound, and
    Refused for a proposal that is no new event.
    """
    proposal = desk.inbox.get(proposal_id, desk.log).proposal
    if proposal.kind != "record":
        raise Refused("only a new event can be added to another one")
    event = query.get(desk.log, event_id)
    changes = [
        (f"{field}.-", item)
        for field in _OF_NEW_EVENT
        for item in proposal.record.get(field, ())
        if item not in event.get(field, ())
    ]
    return DeskOperation(
        "update",
        event_id=event_id,
        expect=event["version"],
        changes=[*changes, *new_citations(event, proposal.record.get("citations", ()))],
        reported_at=proposal.record.get("reported_at"),
        documents=proposal.documents,
    )


# --- Into the log -------------------------------------------------------------------------


def record_proposal(
    desk: Desk, proposal_id: str, *, author: str, ticked: Collection[str]
) -> Receipt:
    """Record a proposal as it is; one that is recorded already gives the first receipt.

    `ticked` has the keys of the marks that the person has looked at. Raises NotTicked for others,
    InvalidProposal for one that does not fit the log any more, such as a quote that is gone from
    its text, Refused for one that was rejected, and the errors of the writer.
    """
    waiting = desk.inbox.get(proposal_id, desk.log)
    if waiting.state != "recorded":
        check_not_rejected(waiting)
        proposal = waiting.proposal
        found = checked(desk.log, proposal)
        everything = marks(desk.log, proposal, found, received_at=waiting.received_at)
        unticked = [mark for mark in everything if mark.key not in ticked]
        if unticked:
            raise NotTicked(unticked)
        operation = operation_of(desk.log, proposal)
        # The person has seen the newest version, and that it is not the one that was changed.
        operation = operation._replace(expect=found.version if operation.expect else None)
    with desk.timeline.append() as append:
        if known := append.receipt(proposal_id):
            return known
        check_not_rejected(desk.inbox.get(proposal_id, desk.log))
        return carry_out(
            append,
            operation,
            author=author,
            proposed_by=proposer_of(waiting),
            entry_id=proposal_id,
        )


def record_draft(desk: Desk, draft_id: str, *, author: str) -> Receipt:
    """Record a draft, which stays in the inbox; the same draft again gives the first receipt.

    Raises what `forms.operation` raises, Conflict if the event moved on since the draft's version,
    Refused for the draft of a proposal that was rejected, and the errors of the writer.
    """
    operation, proposed_by = operation_of_draft(desk, desk.inbox.draft(draft_id))
    with desk.timeline.append() as append:
        known = append.receipt(draft_id)
        try:
            return carry_out(
                append, operation, author=author, proposed_by=proposed_by, entry_id=draft_id
            )
        except AlreadyRecorded:
            if known:
                raise Refused(
                    f"this form was recorded already, as event {known.id}, with other words: "
                    "update that event"
                ) from None
            raise


def operation_of_draft(desk: Desk, draft: Draft) -> tuple[DeskOperation, str | None]:
    """Return what a draft asks of the writer, and what the entry says about who proposed it.

    Raises what `forms.operation` raises, and Refused for the draft of a rejected proposal.
    """
    operation = forms.operation(desk.log, draft)
    if operation.kind != "comment":
        operation = operation._replace(expect=draft.version)
    if draft.of_proposal is None:
        return operation, None
    waiting = desk.inbox.get(draft.of_proposal, desk.log)
    check_not_rejected(waiting)
    is_edited = _is_edited(desk.log, draft, waiting.proposal)
    operation = operation._replace(documents=waiting.proposal.documents)
    return operation, proposer_of(waiting, is_edited=is_edited)


def proposer_of(waiting: Waiting, *, is_edited: bool = False) -> str:
    """Return what an entry says about who proposed it, in 100 characters at most."""
    edited = _EDITED if is_edited else ""
    return waiting.proposed_by[: _LONGEST_PROPOSER - len(edited)] + edited


def check_not_rejected(waiting: Waiting) -> None:
    """Raise Refused for a proposal that was rejected."""
    if waiting.state == "rejected":
        by = f" by {waiting.decided_by}" if waiting.decided_by else ""
        raise Refused(f"{waiting.proposal_id} was rejected{by}: reopen it first")


def _is_edited(log: sqlite3.Connection, draft: Draft, proposal: Proposal) -> bool:
    """Tell whether a draft says anything else than its proposal, or says it of another event."""
    is_moved = (draft.fields["kind"], draft.event_id) != (proposal.kind, proposal.subject)
    return is_moved or forms.is_edited(log, draft)


# --- Preview ------------------------------------------------------------------------------


@contextlib.contextmanager
def preview_of(
    desk: Desk,
    operation: DeskOperation,
    *,
    entry_id: str,
    author: str | None = None,
    proposed_by: str | None = None,
) -> Iterator[tuple[sqlite3.Connection, Receipt]]:
    """Carry out an operation in a dry run; the block reads the tables as they would be.

    The connection is the writer's, and other writers wait until the block ends; then everything
    is taken back. Raises what `carry_out` raises.
    """
    with desk.timeline.append(dry_run=True) as append:
        receipt = carry_out(
            append, operation, author=author, proposed_by=proposed_by, entry_id=entry_id
        )
        yield append.settled(), receipt
