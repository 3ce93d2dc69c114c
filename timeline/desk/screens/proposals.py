"""Show a proposal beside its quotes, and decide it.

Guarantees: one decision at a time, by a person who has said who they are. A proposal is recorded
only if each of its marks is ticked, and only as the person saw it: was it decided meanwhile,
nothing happens, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.desk import forms, told_event
from timeline.desk import waiting as shelf
from timeline.desk.quoted_passages import passages, quoted_texts
from timeline.desk.record import NotTicked, record_proposal
from timeline.desk.refusals import in_words
from timeline.desk.rejection import REASONS, reason_of
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.desk.waiting import DOES, InboxChoice
from timeline.errors import InvalidInput, InvalidProposal, NotFound, Refused, TimelineError
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.intake.proposals.checked import CheckedProposal, checked
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.inbox import Draft, Waiting
from timeline.intake.proposals.nearby import Near, nearby
from timeline.model.content import Said
from timeline.model.validation import problems as problems_of
from timeline.reading import captured_texts, query
from timeline.reading.references import resolve_event
from timeline.store import log as entries
from timeline.store.codec import payload_of

_MOST_FOUND = 10
"""Events that the search for another event shows."""

_Problems = Sequence[tuple[str, str]]


def show(visit: Visit) -> DeskReply:
    """Show a proposal."""
    return _shown(visit, _waiting(visit))


def decide(visit: Visit) -> DeskReply:
    """Carry out what a person decided about a proposal, and open the next one."""
    waiting = _waiting(visit)
    act = _ACTS.get(visit.field("do"))
    if act is None:
        return _shown(visit, waiting, status=400)
    if meanwhile := _decided_meanwhile(visit, waiting):
        return meanwhile
    if problem := _introduced(visit):
        return _shown(visit, waiting, [problem])
    try:
        return act(visit, waiting)
    except InvalidProposal as error:
        return _shown(visit, waiting, [("", str(each)) for each in error.problems])
    except TimelineError as error:
        status = 409 if isinstance(error, Refused) else 400
        return _shown(visit, waiting, [("", in_words(error))], status)


def _waiting(visit: Visit) -> Waiting:
    return visit.desk.inbox.get(visit.parts["proposal_id"], visit.desk.log)


def _decided_meanwhile(visit: Visit, waiting: Waiting) -> DeskReply | None:
    """Answer a form of a proposal that is no longer as the person saw it; None if it still is."""
    if visit.field("state") in ("", waiting.state):
        return None
    if waiting.state == "recorded" and visit.field("do") == "record":
        entry = entries.entry_by_id(visit.desk.log, waiting.proposal_id)
        if entry and payload_of(entry).author == _handle(visit):
            return Redirect(f"/recorded/{waiting.proposal_id}")  # the answer was lost
    return _shown(visit, waiting, [("", f"Nothing was done: {_state(visit, waiting)}")], 409)


def _state(visit: Visit, waiting: Waiting) -> str:
    """Say what somebody decided about a proposal, and when."""
    log = visit.desk.log
    moment, by = waiting.decided_at, waiting.decided_by
    entry = entries.entry_by_id(log, waiting.proposal_id)
    if entry:
        moment, by = entry.recorded_at, payload_of(entry).author
    words = {"later": "put off", "open": "reopened"}.get(waiting.state, waiting.state)
    when = f" on {prose.local_instant(moment, entries.time_zone(log))}" if moment else ""
    reason = f" ({waiting.reason})" if waiting.reason else ""
    return f"this proposal was {words}{f' by {by}' if by else ''}{when}{reason}."


# --- Who decides --------------------------------------------------------------------------


def _handle(visit: Visit) -> str:
    return visit.author or visit.field("who").strip()


def _introduced(visit: Visit) -> tuple[str, str] | None:
    """Keep who the person says they are; return what is wrong with it, or None."""
    who = visit.field("who").strip()
    if visit.author or not who:
        return None
    _, wrong = problems_of(Said, {"author": who})
    if wrong:
        return "who", f"Who are you? {wrong[0].text}"
    visit.session.author = who
    return None


# --- The decisions ------------------------------------------------------------------------


def _record(visit: Visit, waiting: Waiting) -> DeskReply:
    if not visit.author:
        return _shown(visit, waiting, [("who", "Say who you are: entries have an author")])
    try:
        receipt = record_proposal(
            visit.desk, waiting.proposal_id, author=visit.author, ticked={*visit.every("ticked")}
        )
    except NotTicked as refusal:
        unticked = [(f"mark-{mark.key}", mark.text) for mark in refusal.marks]
        return _shown(visit, waiting, unticked)
    visit.session.notices.append(f"Recorded: {shelf.glance(visit.desk, waiting).title}.")
    return _next(visit, waiting, else_to=f"/recorded/{receipt.entry_id}")


def _change(visit: Visit, waiting: Waiting) -> DeskReply:
    fields, version = forms.for_proposal(visit.desk.log, waiting)
    proposal = waiting.proposal
    event_id = None if proposal.kind == "record" else proposal.subject
    return _draft(visit, waiting, fields, event_id, version)


def _add(visit: Visit, waiting: Waiting) -> DeskReply:
    if waiting.proposal.kind != "record":
        raise Refused("only a new event can be added to another one")
    typed = visit.field("event").strip()
    if not typed:
        problem = ("find", "Choose the event to which this is added, or search for it")
        return _shown(visit, waiting, [problem])
    try:
        event_id, _ = resolve_event(visit.desk.log, typed)
    except (NotFound, InvalidInput) as error:
        return _shown(visit, waiting, [("find", in_words(error))])
    proposed, _ = forms.for_proposal(visit.desk.log, waiting)
    fields, version = forms.added_to(visit.desk.log, event_id, proposed["content"])
    return _draft(visit, waiting, fields, event_id, version)


def _draft(
    visit: Visit,
    waiting: Waiting,
    fields: Mapping[str, Any],
    event_id: str | None,
    version: int | None,
) -> DeskReply:
    """Open the form of a proposal; one that is there already is kept as it is."""
    draft = visit.desk.inbox.new_draft(
        fields,
        of_proposal=waiting.proposal_id,
        event_id=event_id,
        version=version,
        by=visit.author,
    )
    if (draft.event_id, draft.fields["kind"]) != (event_id, fields["kind"]):
        problem = "There is another form of this proposal: go on with it, or give it up first"
        return _shown(visit, waiting, [("go-on", problem)], 409)
    return Redirect(f"/drafts/{draft.draft_id}")


def _find(visit: Visit, waiting: Waiting) -> DeskReply:
    query = {**InboxChoice.of(visit).query, "find": visit.field("find").strip()}
    return Redirect(_path(visit, waiting.proposal_id, query) + "#add")


def _reject(visit: Visit, waiting: Waiting) -> DeskReply:
    reason, problem = reason_of(visit)
    if problem:
        return _shown(visit, waiting, [problem])
    return _decided(visit, waiting, "rejected", reason)


def _later(visit: Visit, waiting: Waiting) -> DeskReply:
    return _decided(visit, waiting, "later")


def _decided(visit: Visit, waiting: Waiting, decision: Any, reason: str | None = None) -> DeskReply:
    title = shelf.glance(visit.desk, waiting).title
    following = _next(visit, waiting, else_to=_inbox(visit))
    visit.desk.inbox.decide(
        waiting.proposal_id, decision, visit.desk.log, by=visit.author, reason=reason
    )
    words = f"Rejected ({reason})" if decision == "rejected" else "Kept for later"
    visit.session.notices.append(f"{words}: {title}.")
    return following


def _reopen(visit: Visit, waiting: Waiting) -> DeskReply:
    visit.desk.inbox.decide(waiting.proposal_id, "reopened", visit.desk.log, by=visit.author)
    visit.session.notices.append("Reopened.")
    return Redirect(_path(visit, waiting.proposal_id, {}))


_ACTS: Mapping[str, Callable[[Visit, Waiting], DeskReply]] = {
    "record": _record,
    "change": _change,
    "add": _add,
    "find": _find,
    "reject": _reject,
    "later": _later,
    "reopen": _reopen,
}


def _next(visit: Visit, waiting: Waiting, *, else_to: str) -> Redirect:
    chosen = InboxChoice.of(visit)
    found = shelf.following(visit.desk, chosen, waiting.proposal_id)
    return Redirect(_path(visit, found, chosen.query) if found else else_to)


def _path(visit: Visit, proposal_id: str, query: Mapping[str, str]) -> str:
    return visit.link(f"/proposals/{proposal_id}", **query).removeprefix(visit.key)


def _inbox(visit: Visit) -> str:
    return visit.link("/", **InboxChoice.of(visit).query).removeprefix(visit.key)


# --- The page -----------------------------------------------------------------------------


class _Seen(NamedTuple):
    """A proposal as the log has it now: what the writer would make of it, or why it refuses."""

    found: CheckedProposal
    marks: list[ProposalMark]
    problems: list[str]


def _looked_at(visit: Visit, waiting: Waiting) -> _Seen:
    log, proposal = visit.desk.log, waiting.proposal
    try:
        found = checked(log, proposal)
    except InvalidProposal as error:
        return _Seen(CheckedProposal({}, {}, 0, (), ()), [], [str(each) for each in error.problems])
    return _Seen(found, marks(log, proposal, found, received_at=waiting.received_at), [])


def _shown(
    visit: Visit, waiting: Waiting, problems: _Problems = (), status: int | None = None
) -> Shown:
    log, proposal = visit.desk.log, waiting.proposal
    seen = _looked_at(visit, waiting)
    found, names = seen.found, Names(log)
    is_new = proposal.kind == "record"
    near = nearby(log, found.content, found.quotes) if is_new and found.content else []
    content = found.content or found.before
    chosen = InboxChoice.of(visit)
    context = {
        "waiting": waiting,
        "proposal": proposal,
        "does": DOES[proposal.kind],
        "title": shelf.glance(visit.desk, waiting).title,
        "received": prose.local_instant(waiting.received_at, entries.time_zone(log)),
        "state_words": "" if waiting.state == "open" else _state(visit, waiting),
        "refusals": seen.problems,
        "marks": seen.marks,
        "ticked": {*visit.every("ticked")},
        "texts": quoted_texts(found.quotes),
        "facts": told_event.facts_of(names, content) if is_new else [],
        "changes": told_event.changes_of(names, found.before, found.content)
        if found.content and not is_new
        else [],
        "events": [_event(names, visit, each) for each in (proposal.subject, proposal.into) if each]
        if proposal.kind in ("retract", "merge")
        else [],
        "subject": names.event(proposal.subject)
        if proposal.subject and proposal.kind != "comment"
        else "",
        "since": prose_changes.since(log, proposal.subject, proposal.expect)
        if proposal.subject and proposal.expect and found.version > proposal.expect
        else [],
        "comment": _commented(visit, waiting) if proposal.kind == "comment" else None,
        "near": near,
        "found_events": _events_found(visit, near) if is_new else [],
        "find": visit.field("find") or visit.chosen("find"),
        "draft": _draft_of(visit, waiting),
        "chosen": chosen,
        "following": shelf.following(visit.desk, chosen, waiting.proposal_id),
        "reasons": REASONS,
        "reason": visit.field("reason"),
        "words": visit.field("words"),
        "who": visit.field("who"),
        "problems": problems,
        "problem_of": dict(problems),
    }
    return Shown("proposal", context, status or (400 if problems else 200))


def _event(names: Names, visit: Visit, event_id: str) -> dict[str, Any]:
    event = query.get(visit.desk.log, event_id)
    return {
        "event_id": event_id,
        "title": prose.title(event),
        "facts": told_event.facts_of(names, event),
    }


def _commented(visit: Visit, waiting: Waiting) -> dict[str, Any]:
    """Return the sentences that need no event, inside their article."""
    proposal = waiting.proposal
    source_id = str(proposal.subject)
    article = shelf.article_of(visit.desk.log, waiting.body)
    try:
        coverage = captured_texts.coverage(visit.desk.log, source_id)
    except TimelineError:
        return {"article": article, "passages": []}
    numbers = (number for number in proposal.sentences if number <= len(coverage.sentences))
    places = [
        (sentence.start, sentence.end)
        for sentence in (coverage.sentences[number - 1] for number in numbers)
    ]
    return {"article": article, "passages": passages(coverage.text, places)}


def _events_found(visit: Visit, near: Sequence[Near]) -> list[Near]:
    """Return the events that a person searched for, but those nearby."""
    text = visit.field("find") or visit.chosen("find")
    if not text:
        return []
    known = {each.event_id for each in near}
    try:
        rows = visit.desk.timeline.search(text, limit=_MOST_FOUND)
    except InvalidInput:
        return []
    return [
        Near(row["event_id"], row["title"] or row["event_id"], prose.when(row), "")
        for row in rows
        if row["event_id"] not in known
    ]


def _draft_of(visit: Visit, waiting: Waiting) -> Draft | None:
    """Return the form of a proposal that is begun and not recorded, or None."""
    if waiting.state == "recorded":
        return None
    try:
        return visit.desk.inbox.draft(waiting.proposal_id)
    except NotFound:
        return None


ROUTES: tuple[ScreenRoute, ...] = (ScreenRoute("/proposals/{proposal_id}", show, decide),)
