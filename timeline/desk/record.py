"""Record what a person decided: a draft, or a proposal as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from timeline.desk.visit import Desk
from timeline.intake.proposals.proposal import BroughtText
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append


class DeskOperation(NamedTuple):
    """One operation of the writer, as a form or a proposal describes it."""

    kind: Literal["record", "update", "correct", "retract", "reinstate", "merge", "comment"]
    event_id: str | None = None
    """The event that is changed; the source of a comment; None for a new event."""
    expect: int | None = None
    record: Mapping[str, Any] = {}
    """The new event."""
    changes: Sequence[tuple[str, Any]] = ()
    """New values by path."""
    into: str | None = None
    sentences: Sequence[int] = ()
    reason: str | None = None
    reported_at: str | None = None
    documents: Sequence[BroughtText] = ()
    """Texts that are captured first, in the same append."""


def carry_out(
    append: Append, operation: DeskOperation, *, author: str, proposed_by: str | None, entry_id: str
) -> Receipt:
    """Carry out one operation in an append that is open, with its documents before it."""
    raise NotImplementedError


def operation_of(desk: Desk, proposal_id: str) -> DeskOperation:
    """Return the operation that a proposal describes, as it is."""
    raise NotImplementedError


def record_proposal(
    desk: Desk, proposal_id: str, *, author: str, ticked: Collection[str]
) -> Receipt:
    """Record a proposal as it is. Raises NotTicked if a mark is not among those `ticked`."""
    raise NotImplementedError


def record_draft(desk: Desk, draft_id: str, *, author: str) -> Receipt:
    """Record a draft. Raises what `forms.operation` raises, Conflict, and the writer's errors."""
    raise NotImplementedError
