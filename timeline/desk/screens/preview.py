"""Show what readers will see of a draft, record it, and show the receipt.

Guarantees: the preview is a dry run, so it shows what would be recorded, and nothing else. What was
typed stays in the inbox whatever happens here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.desk import citing, form_filling, forms, told_event
from timeline.desk.article_page import name_of, source_of
from timeline.desk.forms import FormProblem, InvalidForm
from timeline.desk.record import operation_of_draft, preview_of, record_draft
from timeline.desk.refusals import in_words
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, SentFile, Shown, Visit
from timeline.desk.who import WHO, remember_author
from timeline.errors import Conflict, NotFound, NothingChanged, TimelineError
from timeline.formats import prose
from timeline.formats.log_names import Names
from timeline.formats.prose_changes import Change
from timeline.intake.proposals.checked import CheckedProposal, quotes_of
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.inbox import Draft, is_entry
from timeline.intake.proposals.nearby import Near, nearby
from timeline.intake.proposals.operation import DeskOperation, carry_out
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.reading import query, references
from timeline.reading.twins import misspellings
from timeline.reading.twins.misspellings import Name, Slip
from timeline.site.alone import event_alone
from timeline.site.views.media import file_pieces, media_type_of
from timeline.store import log as entries
from timeline.store.codec import payload_of
from timeline.store.rows import RowDict
from timeline.writing.actor_aliases import record_aliases
from timeline.writing.checking import Trial

_KEPT = "kept_names"
"""The field of a draft with the new names that the person keeps."""


class PreviewOfDraft(NamedTuple):
    """A preview says what a draft would make of the timeline, in words and as a page."""

    page: str
    """The page of the event; empty for sentences that need no event."""
    changes: Sequence[Change] = ()
    new_names: Sequence[Name] = ()
    slips: Sequence[Slip] = ()
    near: Sequence[Near] = ()


def show(visit: Visit) -> DeskReply:
    """Show what readers will see of a draft; that of a recorded one leads to its receipt."""
    draft = visit.desk.inbox.draft(visit.parts["draft_id"])
    if is_entry(visit.desk.log, draft.draft_id):
        return Redirect(f"/recorded/{draft.draft_id}")
    return _shown(visit, draft)


def act(visit: Visit) -> DeskReply:
    """Record a draft, or do what another button of its preview says."""
    draft = visit.desk.inbox.draft(visit.parts["draft_id"])
    remember_author(visit)
    path = f"/drafts/{draft.draft_id}/preview"
    match visit.field("do"):
        case "record":
            return _record(visit, draft)
        case "use":
            names = (visit.field("what"), visit.field("name"), visit.field("known"))
            visit.desk.inbox.save_draft(draft.draft_id, form_filling.renamed(draft.fields, *names))
        case "keep":
            kept = [*draft.fields.get(_KEPT, ()), [visit.field("what"), visit.field("name")]]
            visit.desk.inbox.save_draft(draft.draft_id, {**draft.fields, _KEPT: kept})
        case "same-actor":
            return _known_as(visit, draft)
        case "add":
            return _add(visit, draft)
    return Redirect(path)


def recorded(visit: Visit) -> DeskReply:
    """Show the receipt of an entry."""
    desk, log = visit.desk, visit.desk.log
    entry = entries.entry_by_id(log, visit.parts["entry_id"])
    if entry is None:
        raise NotFound("entry", visit.parts["entry_id"])
    what, _, subject = entry.subject.partition("/")
    event = query.get(log, subject, version=entry.version) if what == "event" else None
    following = desk.inbox.proposals(log)
    context = {
        "entry": entry,
        "did": entry.kind.partition(".")[2],
        "said": payload_of(entry),
        "event": event,
        "title": prose.title(event) if event else name_of(source_of(log, subject)),
        "article": subject if what == "source" else None,
        "when": prose.local_instant(entry.recorded_at, entries.time_zone(log)),
        "is_newest": event is not None and query.get(log, subject)["version"] == entry.version,
        "following": following[0].proposal_id if following else None,
        "missing": _next_sentence(log, event) if event else None,
    }
    return Shown("recorded", context)


def _next_sentence(log: sqlite3.Connection, event: RowDict) -> str | None:
    """Return the path of the next missing sentence of the article that an event cites last."""
    if not event.get("citations"):
        return None
    citation = event["citations"][-1]
    source_id = citation["source_id"]
    number = citing.next_missing(log, source_id, citation.get("quote_end", 0))
    return citing.sentence_path(source_id, number) if number else None


# --- What the buttons do ------------------------------------------------------------------


def _record(visit: Visit, draft: Draft) -> DeskReply:
    """Record a draft; the form comes back if it has problems, or if the event moved on."""
    path = f"/drafts/{draft.draft_id}"
    if not visit.author:
        return _shown(visit, draft, [WHO], 400)
    try:
        unticked = [
            (f"mark-{mark.key}", mark.text)
            for mark in _marks(visit, draft)
            if mark.key not in visit.every("ticked")
        ]
        if unticked and not is_entry(visit.desk.log, draft.draft_id):
            return _shown(visit, draft, unticked, 400)
        record_draft(visit.desk, draft.draft_id, author=visit.author)
    except InvalidForm:
        return Redirect(f"{path}?check=1")
    except Conflict:
        return _rebased(visit, draft)
    except TimelineError as error:
        return _shown(visit, draft, [("", in_words(error))], 400)
    return Redirect(f"/recorded/{draft.draft_id}")


def _rebased(visit: Visit, draft: Draft) -> DeskReply:
    """Lead to the form; a button also puts what was typed on top of the newest version."""
    if visit.is_form:
        fields, version, _ = forms.rebased(visit.desk.log, draft)
        visit.desk.inbox.save_draft(draft.draft_id, fields, version=version)
    return Redirect(f"/drafts/{draft.draft_id}")


def _known_as(visit: Visit, draft: Draft) -> DeskReply:
    """Record that a name is another spelling of an actor's, at once and for all events."""
    name, known = visit.field("name"), visit.field("known")
    said = validate(Said, {"author": visit.author})
    if not visit.author:
        return _shown(visit, draft, [WHO], 400)
    log = visit.desk.log
    try:
        with visit.desk.timeline.append() as append:
            record_aliases(append, log, references.resolve_actor(log, known), [name], said)
    except NothingChanged:
        pass
    except TimelineError as error:
        return _shown(visit, draft, [("", in_words(error))], 400)
    visit.session.notices.append(f"Recorded: {name} is another spelling of {known}.")
    return Redirect(f"/drafts/{draft.draft_id}/preview")


def _add(visit: Visit, draft: Draft) -> DeskReply:
    """Begin a draft that adds what a new event says to another event."""
    desk = visit.desk
    content = forms.operation(desk.log, draft).record
    event_id = visit.field("event")
    fields, version = forms.added_to(desk.log, event_id, content)
    new = desk.inbox.new_draft(fields, event_id=event_id, version=version, by=visit.author)
    visit.session.notices.append("The draft of the new event is still in your inbox.")
    return Redirect(f"/drafts/{new.draft_id}")


# --- The page -----------------------------------------------------------------------------


def _shown(
    visit: Visit, draft: Draft, problems: Sequence[FormProblem] = (), status: int = 200
) -> DeskReply:
    found = PreviewOfDraft("")
    try:
        found = _looked_at(visit, draft)
    except InvalidForm:
        return Redirect(f"/drafts/{draft.draft_id}?check=1")
    except Conflict:
        return _rebased(visit, draft)
    except TimelineError as error:
        problems, status = problems or [("", in_words(error))], max(status, 400)
    kept = {tuple(each) for each in draft.fields.get(_KEPT, ())}
    context = {
        "draft": draft,
        "path": f"/drafts/{draft.draft_id}/preview",
        "problems": problems,
        "found": found,
        "slips": [slip for slip in found.slips if (slip.what, slip.name) not in kept],
        "marks": _marks(visit, draft),
        "ticked": visit.every("ticked"),
        "who": visit.author or draft.by or "",
    }
    return Shown("preview", context, status)


def _looked_at(visit: Visit, draft: Draft) -> PreviewOfDraft:
    """Carry a draft out in a dry run, and look at the event. Raises what recording would raise."""
    desk = visit.desk
    operation, proposed_by = operation_of_draft(desk, draft)
    if operation.kind == "comment":
        return PreviewOfDraft("")
    preview = preview_of(
        desk,
        operation,
        entry_id=draft.draft_id,
        author=visit.author,
        proposed_by=proposed_by,
    )
    with preview as (connection, receipt):
        page = event_alone(connection, receipt.id, visit.link("/static/site"))
        page = page.replace(' src="/media/', f' src="{visit.link("/media")}/')
    found = _tried(visit, draft, operation)
    new = misspellings.unknown(desk.log, _names(found.content))
    is_new = operation.kind == "record" and not draft.of_proposal
    return PreviewOfDraft(
        page,
        told_event.changes_of(Names(desk.log), found.before, found.content),
        new,
        [*misspellings.slips(desk.log, new)],
        nearby(desk.log, found.content, found.quotes) if is_new else (),
    )


def _tried(visit: Visit, draft: Draft, operation: DeskOperation) -> CheckedProposal:
    """Return what the writer would make of a draft, with the quotes that it brings."""
    log = visit.desk.log
    before = query.get(log, draft.event_id) if draft.event_id else {}
    trial = Trial(log)
    carry_out(trial, operation, author=visit.author, proposed_by=None, entry_id=draft.draft_id)
    trial.finish()
    is_event = operation.kind in forms.WHOLE_FORMS
    return CheckedProposal(
        trial.content if is_event else before,
        before,
        before.get("version", 0),
        quotes_of(log, trial, before.get("citations", ())) if is_event else (),
        (),
    )


def _names(content: Mapping[str, Any]) -> Iterator[Name]:
    for who in content.get("participants", ()):
        yield "actor", who["name"]
    if place := content.get("place", {}).get("name"):
        yield "place", place
    for tag in content.get("tags", ()):
        yield "tag", tag


def _marks(visit: Visit, draft: Draft) -> list[ProposalMark]:
    """Return what the quotes do not say of the draft of a proposal, as it is now."""
    if not draft.of_proposal:
        return []
    log = visit.desk.log
    try:
        waiting = visit.desk.inbox.get(draft.of_proposal, log)
        operation, _ = operation_of_draft(visit.desk, draft)
        found = _tried(visit, draft, operation)
    except TimelineError:
        return []  # recording it says what is wrong
    return marks(log, waiting.proposal, found, received_at=waiting.received_at)


def picture(visit: Visit) -> DeskReply:
    """Send a picture of an event, for the preview."""
    name = visit.parts["name"]
    media_type = media_type_of(name)
    if not media_type.startswith("image/"):
        raise NotFound("picture", name)
    with file_pieces(visit.desk.log, name) as pieces:
        return SentFile(b"".join(pieces), media_type)


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/media/{name}", get=picture),
    ScreenRoute("/drafts/{draft_id}/preview", get=show, post=act),
    ScreenRoute("/recorded/{entry_id}", get=recorded),
)
