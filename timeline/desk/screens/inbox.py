"""Show the inbox: the drafts of a person, and the proposals that wait."""

from __future__ import annotations

from typing import Any

from timeline.desk import waiting as shelf
from timeline.desk.rejection import REASONS, reason_of
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.desk.waiting import DOES, SHELVES, InboxChoice
from timeline.formats import prose
from timeline.formats.log_names import Names
from timeline.intake.proposals.inbox import Draft
from timeline.intake.proposals.proposal import WAYS
from timeline.store import log as entries

_ON_A_PAGE = 50
"""Proposals that a page shows; each is looked at in the log."""


def show(visit: Visit) -> DeskReply:
    """Show the drafts, then the chosen proposals by article, oldest first."""
    return _shown(visit, InboxChoice.of(visit))


def reject_run(visit: Visit) -> DeskReply:
    """Reject the proposals of one draft run that the person saw; each can be reopened."""
    chosen = InboxChoice.of(visit)
    reason, problem = reason_of(visit)
    if problem:
        return _shown(visit, chosen, problem=problem, run=visit.field("run"))
    desk = visit.desk
    count = 0
    for proposal_id in visit.every("proposal"):
        if desk.inbox.get(proposal_id, desk.log).state == chosen.shelf:
            desk.inbox.decide(proposal_id, "rejected", desk.log, by=visit.author, reason=reason)
            count += 1
    proposals = f"{count} proposals" if count != 1 else "1 proposal"
    visit.session.notices.append(f"{proposals} rejected: {reason}.")
    return Redirect(visit.link("/", **chosen.query).removeprefix(visit.key))


def _shown(
    visit: Visit, chosen: InboxChoice, *, problem: tuple[str, str] | None = None, run: str = ""
) -> Shown:
    desk = visit.desk
    everything = shelf.proposals(desk, chosen._replace(article=""))
    wanted = [each for each in everything if chosen.article in ("", each[0].key)]
    first = int(visit.chosen("from")) if visit.chosen("from").isdecimal() else 0
    groups: dict[Any, list[dict[str, Any]]] = {}
    for article, waiting in wanted[first : first + _ON_A_PAGE]:
        item = {"waiting": waiting, "glance": shelf.glance(desk, waiting)}
        groups.setdefault(article, []).append({**item, "does": DOES[waiting.proposal.kind]})
    context = {
        "drafts": [_draft(visit, draft) for draft in desk.inbox.drafts(desk.log)],
        "groups": [
            {
                "article": article,
                "items": items,
                "runs": shelf.runs([item["waiting"] for item in items]),
            }
            for article, items in groups.items()
        ],
        "chosen": chosen,
        "shelves": {
            name: len(desk.inbox.proposals(desk.log, states=(name,), way=chosen.way))
            for name in SHELVES
        },
        "ways": WAYS,
        "articles": sorted({article for article, _ in everything}, key=lambda each: each.title),
        "count": len(wanted),
        "first": first,
        "next": first + _ON_A_PAGE if first + _ON_A_PAGE < len(wanted) else None,
        "reasons": REASONS,
        "problems": [problem] if problem else [],
        "run": run,
        "has_articles": bool(desk.log.execute("SELECT 1 FROM sources LIMIT 1").fetchone()),
    }
    return Shown("inbox", context, 400 if problem else 200)


def _draft(visit: Visit, draft: Draft) -> dict[str, str]:
    """Return a draft as the inbox lists it."""
    log = visit.desk.log
    values = dict(draft.fields.get("values", ()))
    kind = DOES.get(draft.fields.get("kind", ""), draft.fields.get("kind", ""))
    title = str(values.get("title") or "").strip() or "Without a title yet"
    if draft.event_id and "title" not in values:
        title = Names(log).event(draft.event_id)
    return {
        "draft_id": draft.draft_id,
        "title": title,
        "kind": kind,
        "of": "of a proposal" if draft.of_proposal else "",
        "by": draft.by or "",
        "saved": prose.local_instant(draft.saved_at, entries.time_zone(log)),
    }


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/", show),
    ScreenRoute("/reject", post=reject_run),
)
