"""List the proposals that wait: which of them a person chose, by article, and which comes next.

Guarantees: oldest first, within an article and among articles. What a proposal looks like in the
list is found once for each state of the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self, get_args

from timeline.desk.visit import Desk, Visit
from timeline.errors import InvalidProposal
from timeline.formats import prose
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.checks import marks
from timeline.intake.proposals.inbox import Inbox, Waiting
from timeline.intake.proposals.proposal import WAYS, Way
from timeline.model import invisible
from timeline.reading.sources import sources_by_id
from timeline.store import log as entries

Shelf = Literal["open", "later", "rejected"]
SHELVES: tuple[Shelf, ...] = get_args(Shelf)

DOES = {
    "record": "new event",
    "update": "update",
    "correct": "correction",
    "retract": "retraction",
    "merge": "merge",
    "comment": "commentary",
    "capture": "an article",
}
"""What a proposal, or a draft, is about, in words, by its kind."""


class Article(NamedTuple):
    """An article has the key by which the inbox groups proposals, and a title."""

    key: str
    """The id of its source, or what a text that the log lacks is called; "" for none."""
    title: str


NO_ARTICLE = Article("", "Without an article")


class InboxChoice(NamedTuple):
    """A choice among the proposals: where they are, how they came, what they are about."""

    shelf: Shelf = "open"
    way: Way | None = None
    article: str = ""

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """Return the choice that an address or a form names; what is unknown chooses nothing."""
        shelf, way, article = (
            visit.field(name) or visit.chosen(name) for name in ("shelf", "way", "article")
        )
        return cls(
            shelf if shelf in SHELVES else "open",
            way if way in WAYS else None,
            article,
        )

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of an address that names this choice."""
        shelf = self.shelf if self.shelf != "open" else ""
        named = {"shelf": shelf, "way": self.way or "", "article": self.article}
        return {name: value for name, value in named.items() if value}


class Glance(NamedTuple):
    """A proposal has a title, a date and a number of marks in the list."""

    title: str
    when: str
    marks: int
    problem: str
    """Why it cannot be recorded as it is; an empty text if it can be."""


def proposals(desk: Desk, chosen: InboxChoice) -> list[tuple[Article, Waiting]]:
    """Return the chosen proposals with their articles, oldest first."""
    found = desk.inbox.proposals(desk.log, states=(chosen.shelf,), way=chosen.way)
    several = [(article_of(desk.log, waiting.body), waiting) for waiting in found]
    return [each for each in several if chosen.article in ("", each[0].key)]


def following(desk: Desk, chosen: InboxChoice, proposal_id: str) -> str | None:
    """Return the id of the chosen proposal that comes after one, or the first; None without any.

    Proposals of one article come together, as the inbox lists them.
    """
    grouped: dict[Article, list[str]] = {}
    for article, waiting in proposals(desk, chosen):
        grouped.setdefault(article, []).append(waiting.proposal_id)
    waiting_now = desk.inbox.get(proposal_id, desk.log)
    own = article_of(desk.log, waiting_now.body)
    same = [each for each in grouped.get(own, ()) if each != proposal_id]
    others = [each for article, ids in grouped.items() if article != own for each in ids]
    later = [each for each in same if each > proposal_id]
    return next(iter((*later, *same, *others)), None)


def article_of(log: sqlite3.Connection, body: Mapping[str, Any]) -> Article:
    """Return the article that a proposal quotes first, by the JSON of the proposal."""
    if "comment" in body:
        return _known(log, str(body["comment"]))
    record = body.get("record", body)
    citations = body.get("cite") or record.get("citations") or ()
    first: Mapping[str, Any] = next(iter(citations), {})
    if source_id := first.get("source_id"):
        return _known(log, str(source_id))
    source = first.get("source") or {}
    names = [str(source[name]) for name in ("source_id", "url", "title") if source.get(name)]
    if not names:
        return NO_ARTICLE
    return Article(names[0], str(source.get("title") or names[0]))


def _known(log: sqlite3.Connection, source_id: str) -> Article:
    row = sources_by_id(log, [source_id]).get(source_id, {})
    return Article(source_id, str(row.get("title") or row.get("url") or source_id))


def glance(desk: Desk, waiting: Waiting) -> Glance:
    """Return what the list shows of a proposal."""
    return _glance(desk.log, desk.inbox, waiting.proposal_id, entries.size(desk.log))


@lru_cache(maxsize=4096)
def _glance(log: sqlite3.Connection, inbox: Inbox, proposal_id: str, _: int) -> Glance:
    """Look at a proposal; the last argument is the size of the log, which it is looked at in."""
    waiting = inbox.get(proposal_id, log)
    try:
        found = checked(log, waiting.proposal)
    except InvalidProposal as error:
        return Glance(invisible.marked(_title(log, waiting)), "", 0, str(error))
    count = len(marks(log, waiting.proposal, found, received_at=waiting.received_at))
    content = found.content or found.before
    title = str(content.get("title") or _title(log, waiting))
    title = invisible.marked(title)
    return Glance(title, prose.date_with_weekday(content.get("occurred")), count, "")


def _title(log: sqlite3.Connection, waiting: Waiting) -> str:
    """Return what a proposal is called, by its JSON alone."""
    proposal = waiting.proposal
    if proposal.kind == "record":
        return str(proposal.record.get("title") or waiting.proposal_id)
    if proposal.kind == "comment":
        numbers = ", ".join(map(str, proposal.sentences))
        what = "Sentence" if len(proposal.sentences) == 1 else "Sentences"
        return f"{what} {numbers}: {proposal.reason or 'needs no event'}"
    row = log.execute("SELECT title FROM events WHERE event_id = ?", (proposal.subject,)).fetchone()
    return str((row and row[0]) or proposal.subject)


def runs(several: Sequence[Waiting]) -> dict[str, list[str]]:
    """Return the ids of the proposals that one model drafted from an article, if they are many."""
    found: dict[str, list[str]] = {}
    for waiting in several:
        if waiting.way == "draft":
            found.setdefault(waiting.proposer, []).append(waiting.proposal_id)
    return {proposer: ids for proposer, ids in found.items() if len(ids) > 1}
