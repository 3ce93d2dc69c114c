"""Check a proposal against the log as the writer would, and take it into the inbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.proposal import Proposal, Way


class BroughtQuote(NamedTuple):
    """A quote that a proposal brings, at its place in the kept text of its source."""

    source_id: str
    """The id of the source; that of a source which comes with the proposal may be made up."""
    title: str
    """The title of the source, else its address."""
    published: str | None
    quote: str
    """The text's own words."""
    start: int
    end: int
    places: int
    """The number of places at which the quote stands in the text."""
    text: str
    """The whole kept text, or the text that comes with the proposal."""


class CheckedProposal(NamedTuple):
    """A proposal that was checked has the event that the writer would make of it."""

    content: Mapping[str, Any]
    """The event as it would be; empty for a comment, for a merge and a retraction as it is."""
    before: Mapping[str, Any]
    """The event as it is in its newest version; empty for a new one."""
    version: int
    """The newest version of the event, 0 for a new one; it may be beyond `expect`."""
    quotes: Sequence[BroughtQuote]
    notes: Sequence[str]


class Taken(NamedTuple):
    """The answer to a proposal: `intake.proposals` keeps it, or says what is wrong with it."""

    proposal_id: str | None
    """None if it is refused, or if this was a dry run."""
    state: Literal["open", "known", "recorded", "rejected", "refused"]
    event_id: str | None
    occurred: str | None
    phrase: str | None
    """The date in words, with its weekday."""
    near: Sequence[Mapping[str, str]]
    """Events that may be the same: event_id, title, why."""
    marks: Sequence[str]
    problems: Sequence[Mapping[str, str]]
    """For a refused one: field, problem."""
    reason: str | None = None
    """Why a person rejected it, if it is known and rejected."""


def checked(log: sqlite3.Connection, proposal: Proposal) -> CheckedProposal:
    """Return what the writer would make of a proposal. Raises InvalidProposal with all problems.

    An `expect` that is behind the newest version is no problem: it is a mark.
    """
    raise NotImplementedError


def take(
    log: sqlite3.Connection,
    inbox: Inbox,
    body: object,
    *,
    way: Way,
    proposer: str,
    dry_run: bool = False,
) -> Taken:
    """Check a proposal, and keep it in the inbox if nothing is wrong with it."""
    raise NotImplementedError
