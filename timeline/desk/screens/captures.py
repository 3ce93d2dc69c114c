"""Capture an article: give its text, look at what will be kept, keep it.

Guarantees: what was pasted, uploaded or typed is a draft in the inbox before anything else is done
with it. Nothing is ever fetched.
"""

from __future__ import annotations

import contextlib

from timeline.desk import captures
from timeline.desk.article_page import facts, name_of, source_of
from timeline.desk.captures import FIELDS, CaptureFields, CaptureOutcome, Unread
from timeline.desk.refusals import in_words
from timeline.desk.shown_text import count_unseen, shown_pieces
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.desk.who import WHO, remember_author
from timeline.errors import NotFound, Refused, StoreError, TimelineError
from timeline.reading import captured_texts
from timeline.reading.sources import sources_by_id
from timeline.texts.sentences import sentences

_MOST_SHOWN = 100_000
"""Characters of a text that the check page shows."""


def begin(visit: Visit) -> DeskReply:
    """Show the form for a text: a new one, that of a draft, or one for a newer text."""
    if draft_id := visit.chosen("draft"):
        return _form(visit, captures.draft_fields(visit.desk, draft_id), draft_id)
    article = visit.chosen("article")
    source = source_of(visit.desk.log, article) if article else None
    return _form(visit, captures.empty(source))


def take(visit: Visit) -> DeskReply:
    """Keep a text as a draft, and lead to its check; one that cannot be read comes back."""
    draft_id = visit.field("draft")
    fields = _begun(visit, draft_id)
    if url := visit.field("url"):
        fields = captures.with_values(fields, {"url": url})
    problems: list[tuple[str, str]] = []
    upload, typed = visit.files.get("file"), visit.field("text")
    try:
        document = captures.document_sent(fields, upload, typed, visit.field("pasted_html"))
        if document != captures.document_of(fields):
            fields = captures.with_document(fields, document)
    except Unread as error:
        problems = [(error.field, error.problem)]
        fields = {**fields, "document": None, "typed": typed}
    try:
        draft_id = _saved(visit, fields, draft_id)
    except StoreError as error:
        problems.append(("", _unkept(error)))
    if problems:
        return _form(visit, fields, draft_id, problems)
    return Redirect(f"/captures/{draft_id}")


def check(visit: Visit) -> DeskReply:
    """Show what will be kept of a draft, and what keeping it does."""
    draft_id = visit.parts["draft_id"]
    fields = captures.draft_fields(visit.desk, draft_id)
    if not fields["document"]:
        return Redirect(f"/articles/new?draft={draft_id}")
    return _checked(visit, draft_id, fields)


def keep(visit: Visit) -> DeskReply:
    """Save what was typed about a text, then keep it, check it again, or give it up."""
    desk, draft_id = visit.desk, visit.parts["draft_id"]
    remember_author(visit)
    if visit.field("do") == "give-up":
        desk.inbox.drop_draft(draft_id)
        visit.session.notices.append("The draft is given up.")
        return Redirect("/articles")
    fields = captures.draft_fields(desk, draft_id)
    fields = captures.with_values(fields, {name: visit.field(name) for name in FIELDS})
    fields["meant"] = visit.field("meant")
    try:
        _saved(visit, fields, draft_id)
    except StoreError as error:
        return _checked(visit, draft_id, fields, [("", _unkept(error))])
    if visit.field("do") == "text":
        return Redirect(f"/articles/new?draft={draft_id}")
    if visit.field("do") != "keep":
        return Redirect(f"/captures/{draft_id}")
    asked, problems = captures.plan(desk, fields)
    if asked and asked.others:
        problems = [("meant", "Say whether this is a newer text, or another article")]
    if not visit.author:
        problems = [*problems, WHO]
    if problems or not asked:
        return _checked(visit, draft_id, fields, problems)
    try:
        with desk.timeline.append() as append:
            outcome = captures.captured(append, fields, asked, visit.author)
    except (Refused, StoreError) as error:
        return _checked(visit, draft_id, fields, [("", in_words(error))])
    with contextlib.suppress(StoreError):  # the text is kept; its draft can stay
        desk.inbox.drop_draft(draft_id)
    visit.session.notices += [_done(outcome), *(f"{note}." for note in outcome.receipt.notes)]
    return Redirect(f"/articles/{outcome.receipt.id}")


def _unkept(error: StoreError) -> str:
    return f"{in_words(error).rstrip('.')}. What you typed is on this page: leave it open"


def _begun(visit: Visit, draft_id: str) -> CaptureFields:
    """Return the fields of the draft that a form belongs to; of a new one if it is gone."""
    try:
        if draft_id:
            return captures.draft_fields(visit.desk, draft_id)
    except (NotFound, StoreError):
        pass
    found = sources_by_id(visit.desk.log, [visit.field("article")])
    return captures.empty(next(iter(found.values()), None))


def _saved(visit: Visit, fields: CaptureFields, draft_id: str) -> str:
    """Save a draft, a new one if there is none with this id; return its id."""
    inbox = visit.desk.inbox
    try:
        if draft_id:
            return inbox.save_draft(draft_id, fields, by=visit.author).draft_id
    except NotFound:
        pass
    return inbox.new_draft(fields, by=visit.author).draft_id


def _form(
    visit: Visit,
    fields: CaptureFields,
    draft_id: str = "",
    problems: list[tuple[str, str]] | None = None,
) -> Shown:
    article = sources_by_id(visit.desk.log, [fields["article"]]).get(fields["article"])
    context = {
        "draft_id": draft_id,
        "text": captures.text_of(fields),
        "url": captures.values_of(fields)["url"],
        "article": facts(article) if article else None,
        "problems": problems or [],
    }
    return Shown("capture", context, 400 if problems else 200)


def _checked(
    visit: Visit,
    draft_id: str,
    fields: CaptureFields,
    problems: list[tuple[str, str]] | None = None,
) -> Shown:
    desk = visit.desk
    document = captures.document_of(fields)
    text = document.text if document else ""
    asked, wrong = captures.plan(desk, fields)
    others = asked.others if asked else {}
    outcome, refusal = None, ""
    if asked and not others:
        try:
            with desk.timeline.append(dry_run=True) as append:
                outcome = captures.captured(append, fields, asked, visit.author)
        except TimelineError as error:
            refusal = in_words(error)
    context = {
        "draft_id": draft_id,
        "values": captures.values_of(fields),
        "also": captures.also_stated(fields),
        "pieces": [*shown_pieces(text, 0, min(len(text), _MOST_SHOWN))],
        "is_cut": len(text) > _MOST_SHOWN,
        "length": len(text),
        "sentences": len(sentences(text)),
        "hidden": document.hidden_passages if document else 0,
        "unseen": count_unseen(text),
        "others": [facts(row) for row in others.values()],
        "meant": fields["meant"],
        "effects": _effects(visit, fields, outcome),
        "lost": outcome.lost_quotes if outcome else (),
        "refusal": refusal,
        "problems": problems if problems is not None else wrong if visit.chosen("check") else [],
    }
    return Shown("capture_check", context, 400 if problems else 200)


def _effects(visit: Visit, fields: CaptureFields, outcome: CaptureOutcome | None) -> list[str]:
    """Say in sentences what keeping a draft does."""
    log = visit.desk.log
    same = captures.same_text(visit.desk, fields)
    names = ", ".join(f"“{name_of(each)}”" for each in same)
    if outcome is None:
        return [f"This text is kept already, of {names}."] if same else []
    receipt = outcome.receipt
    if receipt.kind == "source.recorded" and not receipt.unchanged:
        as_reprint = "They count as one origin." if same else ""
        known = [f"{names} has the same text. {as_reprint}"] if same else []
        return ["This is a new article.", *known]
    before = source_of(log, receipt.id)
    name = f"“{name_of(before)}”"
    if receipt.unchanged:
        return [f"This text is kept already, of {name}: keeping it again adds nothing."]
    if any(each["source_id"] == receipt.id for each in same):
        return [f"This text is kept already, of {name}: only what is said about it changes."]
    if before["text_sha256"] is None:
        return [f"{name} is known without a text: it gets this one."]
    effects = [f"This is a newer text of {name}; the earlier one stays in its history."]
    if outcome.lost_quotes:
        effects.append(f"{_lost(len(outcome.lost_quotes))}:")
    if marks := captured_texts.marks(log, receipt.id):
        counted = "1 mark" if len(marks) == 1 else f"{len(marks):,} marks"
        effects.append(f"The earlier text keeps its {counted} of commentary; this one has none.")
    return effects


def _done(outcome: CaptureOutcome) -> str:
    if outcome.receipt.unchanged:
        return "Nothing was added: this text was kept already."
    lost = outcome.lost_quotes
    return f"The text is kept. {_lost(len(lost))}: see below." if lost else "The text is kept."


def _lost(count: int) -> str:
    if count == 1:
        return "1 quote of an event is not in it"
    return f"{count:,} quotes of events are not in it"


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/articles/new", begin, take),
    ScreenRoute("/captures/{draft_id}", check, keep),
)
