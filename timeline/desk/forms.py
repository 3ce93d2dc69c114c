"""Make a form of an event, and an operation of a form that was filled in.

The fields of a draft are JSON: `kind` is the operation; `values` are the fields of the form as they
are now, in their order, as pairs of name and text; `begun` are the fields as they were when the
form was filled from the event or the proposal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from timeline.desk.operation import DeskOperation
from timeline.errors import InvalidInput, TimelineError
from timeline.intake.proposals.inbox import Draft, Waiting

FormFields = dict[str, Any]


class InvalidForm(TimelineError, ValueError):
    """A form that cannot be read has `problems`: pairs of the id of a field and a sentence."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = tuple(problems)


def for_new_event(
    log: sqlite3.Connection, citations: Sequence[Mapping[str, Any]] = ()
) -> FormFields:
    """Return the fields of a form for a new event that cites these places.

    Each citation has source_id, and may have quote, quote_start and quote_end. "Reported at" is
    filled with the day on which the first source was published.
    """
    raise NotImplementedError


def for_event(
    log: sqlite3.Connection,
    event_id: str,
    kind: Literal["update", "correct", "retract", "reinstate", "merge"],
    citations: Sequence[Mapping[str, Any]] = (),
) -> tuple[FormFields, int]:
    """Return the fields of a form that changes an event, and the version that it is filled from."""
    raise NotImplementedError


def for_proposal(log: sqlite3.Connection, waiting: Waiting) -> tuple[FormFields, int | None]:
    """Return the fields of a form that has what a proposal says, and the version it changes."""
    raise NotImplementedError


def operation(log: sqlite3.Connection, draft: Draft) -> DeskOperation:
    """Return what a draft asks for; raises InvalidForm with all problems of the form.

    The texts that a proposal brings are not in a draft: whoever records it adds them.
    """
    raise NotImplementedError


def is_edited(log: sqlite3.Connection, draft: Draft) -> bool:
    """Tell whether a person changed what the form was filled with. Raises InvalidForm."""
    raise NotImplementedError


def problem(draft: Draft, error: InvalidInput) -> tuple[str, str]:
    """Return the id of the field of a form that an error of the writer is about, and its words."""
    raise NotImplementedError


def rebased(log: sqlite3.Connection, draft: Draft) -> tuple[FormFields, int, list[str]]:
    """Return the fields of a draft on top of the newest version of its event.

    Returns that version too, and sentences that say what changed since the one that the person
    saw. The fields keep the sentences, so that the form shows them. What the person did not touch
    follows the newest version, what was touched keeps what was typed, and lists are merged.
    """
    raise NotImplementedError


def added_to(
    log: sqlite3.Connection, event_id: str, content: Mapping[str, Any]
) -> tuple[FormFields, int]:
    """Return a form that adds the figures, claims and citations of a content to an event.

    Returns the version of the event too, as `for_event` does.
    """
    raise NotImplementedError
