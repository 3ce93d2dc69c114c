"""Take a proposal into the inbox, or say what is wrong with it.

Guarantees: what is kept was checked against the log first. The same proposal again gives the id of
the first one and what became of it, also when a person rejected it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from timeline.errors import InvalidProposal, Refused
from timeline.formats import prose
from timeline.intake.proposals.checked import CheckedProposal, checked
from timeline.intake.proposals.checks import marks
from timeline.intake.proposals.inbox import Inbox, ProposalState
from timeline.intake.proposals.nearby import nearby
from timeline.intake.proposals.proposal import Proposal, Way, parse

TakenState = Literal["open", "known", "recorded", "rejected", "refused"]

_AGAIN: Mapping[ProposalState, TakenState] = {
    "open": "known",
    "later": "known",
    "recorded": "recorded",
    "rejected": "rejected",
}
"""The answer to a proposal that the inbox has already, by the state of the first one."""


class Taken(NamedTuple):
    """The answer to a proposal says whether the inbox keeps it, or what is wrong with it."""

    state: TakenState
    """"known" is one that waits already."""
    proposal_id: str | None = None
    """None if it is refused, or if this was a dry run."""
    event_id: str | None = None
    title: str | None = None
    occurred: str | None = None
    phrase: str | None = None
    """The date in words, with its weekday."""
    near: Sequence[Mapping[str, str]] = ()
    """Events that may be the same: event_id, title, why."""
    marks: Sequence[str] = ()
    notes: Sequence[str] = ()
    problems: Sequence[Mapping[str, str]] = ()
    """What is wrong with a refused one: field, problem."""
    reason: str | None = None
    """Why a person rejected it."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `timeline propose --json` prints, without the line."""
        return {
            "proposal": self.proposal_id,
            "state": self.state,
            "event_id": self.event_id,
            "occurred": self.occurred,
            "phrase": self.phrase,
            "near": [*self.near],
            "marks": [*self.marks],
            "problems": [*self.problems],
            **({"reason": self.reason} if self.reason else {}),
        }


def take(
    log: sqlite3.Connection,
    inbox: Inbox | None,
    body: object,
    *,
    way: Way,
    proposer: str,
    dry_run: bool = False,
) -> Taken:
    """Check a proposal, and keep it in the inbox if nothing is wrong with it.

    A dry run needs no inbox. Raises StoreError for an inbox that cannot be written.
    """
    try:
        proposal = parse(body)
        if inbox and (proposal_id := inbox.known(proposal)):
            return _known(log, inbox, proposal_id)
        found = checked(log, proposal)
        answer = _told(log, proposal, found)
        if dry_run or inbox is None:
            return answer
        added = inbox.add(proposal, way=way, proposer=proposer, log=log)
    except InvalidProposal as error:
        problems = [{"field": each.field, "problem": each.problem} for each in error.problems]
        return Taken("refused", problems=problems)
    except Refused as error:
        return Taken("refused", problems=[{"field": "", "problem": str(error)}])
    if added.is_known:  # another process was quicker
        return _known(log, inbox, added.proposal_id)
    return answer._replace(proposal_id=added.proposal_id)


def _known(log: sqlite3.Connection, inbox: Inbox, proposal_id: str) -> Taken:
    waiting = inbox.get(proposal_id, log)
    proposal = waiting.proposal
    record: Mapping[str, Any] = proposal.record
    return Taken(
        _AGAIN[waiting.state],
        proposal_id,
        event_id=proposal.subject if proposal.kind != "comment" else None,
        title=record.get("title"),
        reason=waiting.reason,
    )


def _told(log: sqlite3.Connection, proposal: Proposal, found: CheckedProposal) -> Taken:
    event_id = proposal.record.get("event_id") or proposal.subject
    is_event = proposal.kind in ("record", "update", "correct")
    near = nearby(log, found.content, found.quotes, but=event_id) if is_event else ()
    occurred = found.content.get("occurred")
    return Taken(
        "open",
        event_id=event_id if proposal.kind != "comment" else None,
        title=found.content.get("title"),
        occurred=occurred,
        phrase=prose.date_with_weekday(occurred) if occurred else None,
        near=[{"event_id": each.event_id, "title": each.title, "why": each.why} for each in near],
        marks=[mark.text for mark in marks(log, proposal, found)],
        notes=found.notes,
    )
