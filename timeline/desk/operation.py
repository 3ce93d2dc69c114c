"""Define what a form or a proposal asks of the writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from timeline.intake.proposals.proposal import BroughtText


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
