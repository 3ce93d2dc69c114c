"""Fill in the form of an event, which is a draft until it is recorded.

Guarantees: a form that was sent is saved before anything else is done with it; where it cannot be
saved, the answer has everything that was typed.
"""

from __future__ import annotations

from collections.abc import Sequence

from timeline.desk import draft_page, form_filling, forms
from timeline.desk.date_echo import echo
from timeline.desk.forms import FormProblem, InvalidForm
from timeline.desk.refusals import in_words
from timeline.desk.visit import DeskReply, ForScript, Redirect, ScreenRoute, Shown, Visit
from timeline.desk.who import WHO, remember_author
from timeline.errors import InvalidInput, NotFound, StoreError, TimelineError
from timeline.intake.proposals.inbox import Draft, is_entry
from timeline.intake.proposals.operation import DeskOperation, carry_out
from timeline.intake.proposals.proposal import BroughtText
from timeline.reading import query
from timeline.store import log as stored_log


def begin(visit: Visit) -> DeskReply:
    """Begin a new event."""
    desk = visit.desk
    draft = desk.inbox.new_draft(forms.for_new_event(desk.log), by=visit.author)
    return Redirect(f"/drafts/{draft.draft_id}")


def show(visit: Visit) -> DeskReply:
    """Show the form of a draft; that of a recorded one leads to its receipt."""
    desk = visit.desk
    draft = desk.inbox.draft(visit.parts["draft_id"])
    if is_entry(desk.log, draft.draft_id):
        return Redirect(f"/recorded/{draft.draft_id}")
    if draft.fields["kind"] == "capture":
        return Redirect(f"/captures/{draft.draft_id}")
    found = _problems(visit, draft) if visit.chosen("check") else []
    return _shown(visit, draft, found, 409 if draft.fields["meanwhile"] else 200)


def save(visit: Visit) -> DeskReply:
    """Save what was typed, then do what the button says."""
    draft_id, button = visit.parts["draft_id"], visit.field("do")
    remember_author(visit)
    try:
        draft = visit.desk.inbox.draft(draft_id)
        draft = draft._replace(fields=form_filling.sent(draft.fields, visit.fields))
    except StoreError as error:
        return _unkept(visit, _of_sent(visit, draft_id), error)
    pressed = form_filling.pressed(draft.fields, button)
    fields = pressed.fields if pressed else draft.fields
    try:
        draft = visit.desk.inbox.save_draft(draft_id, fields, by=visit.author)
    except StoreError as error:
        return _unkept(visit, draft._replace(fields=fields), error)
    path = f"/drafts/{draft_id}"
    if pressed:
        return Redirect(f"{path}?focus={pressed.focus}")
    if button == "give-up":
        visit.desk.inbox.drop_draft(draft_id)
        visit.session.notices.append("The draft is given up.")
        return Redirect("/")
    if button == "preview":
        return _preview(visit, draft)
    visit.session.notices.append("Saved: this draft waits in your inbox.")
    return Redirect(path)


def echo_of_date(visit: Visit) -> DeskReply:
    """Say back the date that a person types."""
    log = visit.desk.log
    info = stored_log.info(log)
    found = echo(
        visit.chosen("text"),
        language=str(info.get("language", "en")),
        time_zone=stored_log.time_zone(log),
    )
    return ForScript({**found._asdict(), "readings": [each._asdict() for each in found.readings]})


def _preview(visit: Visit, draft: Draft) -> DeskReply:
    """Lead to the preview; a form with problems, or of an event that moved on, comes back."""
    if _is_behind(visit, draft):
        fields, version, _ = forms.rebased(visit.desk.log, draft)
        visit.desk.inbox.save_draft(draft.draft_id, fields, version=version)
        return Redirect(f"/drafts/{draft.draft_id}")
    found = _problems(visit, draft)
    if found:
        return _shown(visit, draft, found, 400)
    return Redirect(f"/drafts/{draft.draft_id}/preview")


def _is_behind(visit: Visit, draft: Draft) -> bool:
    if draft.event_id is None or draft.version is None:
        return False
    try:
        return bool(query.get(visit.desk.log, draft.event_id)["version"] > draft.version)
    except NotFound:
        return False


def _problems(visit: Visit, draft: Draft) -> list[FormProblem]:
    """Return everything that is wrong with a form."""
    found: list[FormProblem] = []
    if not visit.author:
        found.append(WHO)
    try:
        operation = forms.operation(visit.desk.log, draft)
    except InvalidForm as error:
        return [*found, *error.problems]
    return found + _refusals(visit, draft, operation)


def _refusals(visit: Visit, draft: Draft, operation: DeskOperation) -> list[FormProblem]:
    """Return why the writer, or the inbox, would refuse a form that can be read."""
    desk = visit.desk
    if draft.of_proposal:
        waiting = desk.inbox.get(draft.of_proposal, desk.log)
        operation = operation._replace(documents=waiting.proposal.documents)
        if waiting.state == "rejected":
            why = f": {waiting.reason}" if waiting.reason else ""
            by = f" by {waiting.decided_by}" if waiting.decided_by else ""
            return [("", f"The proposal was rejected{by}{why}. Reopen it first")]
    author = visit.author or draft.draft_id
    try:
        with desk.timeline.append(dry_run=True) as append:
            carry_out(append, operation, author=author, proposed_by=None, entry_id=draft.draft_id)
    except InvalidInput as error:
        return [forms.problem(draft, error)]
    except TimelineError as error:
        return [("", in_words(error))]
    return []


def _shown(
    visit: Visit, draft: Draft, found: list[FormProblem], status: int, unkept: str = ""
) -> Shown:
    context = draft_page.context(visit.desk.log, draft, found, _brought(visit, draft))
    more = {"focus": visit.chosen("focus"), "unkept": unkept, "who": visit.author or draft.by or ""}
    return Shown("draft", {**context, **more}, status)


def _brought(visit: Visit, draft: Draft) -> Sequence[BroughtText]:
    """Return the texts that the proposal of a draft brings; none where the inbox is unreadable."""
    if draft.of_proposal is None:
        return ()
    try:
        return visit.desk.inbox.get(draft.of_proposal, visit.desk.log).proposal.documents
    except (NotFound, StoreError):
        return ()


def _unkept(visit: Visit, draft: Draft, error: StoreError) -> Shown:
    """Show a form that the inbox cannot keep, with everything that was typed."""
    return _shown(visit, draft, [], 503, unkept=in_words(error))


def _of_sent(visit: Visit, draft_id: str) -> Draft:
    """Return a draft of what was sent alone, for an inbox that cannot be read."""
    fields = forms.for_new_event(visit.desk.log)
    kind = visit.field("kind")
    fields = {**fields, "kind": kind if kind in forms.KINDS_OF_FORM else "record"}
    return Draft(draft_id, None, None, None, form_filling.sent(fields, visit.fields), None, "")


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/drafts/new", post=begin),
    ScreenRoute("/drafts/echo", get=echo_of_date),
    ScreenRoute("/drafts/{draft_id}", get=show, post=save),
)
