"""Record what a person decided: a draft, or a proposal as it is."""

from __future__ import annotations

from collections.abc import Collection

from timeline.desk.operation import DeskOperation as DeskOperation
from timeline.desk.visit import Desk
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append


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
