"""Find events, show one with its versions, and begin a change of it."""

from __future__ import annotations

from itertools import islice
from typing import get_args

from timeline.desk import citing, forms, told_event
from timeline.desk.forms import ChangeKind
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.intake.proposals.nearby import nearby
from timeline.reading import query, selection
from timeline.store import log as entries
from timeline.store.rows import RowDict, as_dicts

_PAGE = 50
"""Events on a page."""
_VERSIONS = 50
"""The newest versions of an event, which its page lists."""
_KINDS: tuple[str, ...] = get_args(ChangeKind)


def find(visit: Visit) -> DeskReply:
    """List the events with some words, or the newest; with `cite`, one is chosen for citations."""
    text = visit.chosen("q").strip()
    number = visit.chosen("page")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1
    rows = _rows(visit, text, page)
    cited = citing.cited_spans(visit.query)
    context = {
        "text": text,
        "page": page,
        "has_more": len(rows) > _PAGE,
        "events": [_row(row) for row in rows[:_PAGE]],
        "cited": cited.query if cited else [],
    }
    return Shown("events", context)


def show(visit: Visit) -> DeskReply:
    """Show an event as it stands, with its versions."""
    log, event_id = visit.desk.log, visit.parts["event_id"]
    event = query.get(log, event_id)
    names, zone = Names(log), entries.time_zone(log)
    first = max(1, event["version"] - _VERSIONS + 1)
    versions = []
    for row in reversed(query.history(log, event_id, first=first)):
        stood = query.get(log, event_id, version=row["version"])
        changes = prose_changes.in_words(names, row["changes"], stood)
        when = prose.local_instant(row["recorded_at"], zone)
        versions.append({**row, "when": when, "words": prose_changes.shortened(changes)})
    text = visit.chosen("q").strip()
    near = nearby(log, event, but=event_id) if event["state"] == "current" else []
    found = [_row(row) for row in _rows(visit, text, 1)[:10]] if text else []
    near_ids = {event_id, *(each.event_id for each in near)}
    other = visit.chosen("into")
    context = {
        "event": event,
        "title": prose.title(event),
        "facts": told_event.facts_of(names, event),
        "citations": [names.citation(each) for each in event.get("citations", ())],
        "versions": versions,
        "first": first,
        "near": near,
        "text": text,
        "found": [each for each in found if each["event_id"] not in near_ids],
        "other": _other(visit, names, other) if other else None,
    }
    return Shown("event", context)


def begin(visit: Visit) -> DeskReply:
    """Begin the draft of a change, with the places of an article that are to be cited."""
    desk, event_id, kind = visit.desk, visit.parts["event_id"], visit.field("do")
    path = f"/events/{event_id}"
    if kind not in _KINDS:
        return Redirect(path)
    cited = citing.cited_spans(visit.fields)
    citations = citing.citations(desk.log, cited) if cited else ()
    fields, version = forms.for_event(desk.log, event_id, kind, citations)  # type: ignore[arg-type]
    typed = [[name, text] for name in ("reason", "into") if (text := visit.field(name))]
    named = {name for name, _ in typed}
    values = [each for each in fields["values"] if each[0] not in named]
    draft = desk.inbox.new_draft(
        {**fields, "values": [*values, *typed]},
        event_id=event_id,
        version=version,
        by=visit.author,
    )
    return Redirect(f"/drafts/{draft.draft_id}")


def _other(visit: Visit, names: Names, event_id: str) -> dict[str, object]:
    """Return the event into which another one may be merged."""
    event = query.get(visit.desk.log, event_id)
    facts = told_event.facts_of(names, event)
    return {"event_id": event_id, "title": prose.title(event), "facts": facts}


def _rows(visit: Visit, text: str, page: int) -> list[RowDict]:
    """Return the rows of a page of events, and one more if others follow."""
    start = (page - 1) * _PAGE
    log = visit.desk.log
    if text:
        return [*islice(selection.search(log, text), start, start + _PAGE + 1)]
    newest = "SELECT * FROM events ORDER BY seq DESC LIMIT ? OFFSET ?"
    return [*as_dicts(log.execute(newest, (_PAGE + 1, start)))]


def _row(row: RowDict) -> dict[str, str]:
    when = prose.when(row) if row["title"] else ""
    state = "" if row["state"] == "current" else row["state"]
    return {
        "event_id": row["event_id"],
        "title": prose.title(row),
        "when": when,
        "place": row["place"] or "",
        "state": state,
    }


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/events", get=find),
    ScreenRoute("/events/{event_id}", get=show, post=begin),
)
