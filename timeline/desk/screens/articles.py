"""Work through the sentences of articles: quote them for events, or mark them as commentary.

Guarantees: what is ticked is looked up in the text that the person saw; if the text is another one
by now, nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from timeline.desk import article_page, citing, forms
from timeline.desk.article_page import facts, source_of
from timeline.desk.citing import CitedSpans
from timeline.desk.refusals import in_words
from timeline.desk.shown_text import shown_pieces
from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.desk.who import WHO, remember_author
from timeline.errors import InvalidInput, NothingChanged, Refused, StoreError
from timeline.formats import prose
from timeline.model.content import Mark, Said
from timeline.model.validation import problems, validate
from timeline.reading import captured_texts, selection
from timeline.reading.captured_texts import Coverage
from timeline.store import log as stored_log
from timeline.texts.quotes import is_too_short
from timeline.texts.sentences import Span

_Problems = list[tuple[str, str]]

REASONS = ("A headline", "Background", "An opinion", "Said in another sentence", "A credit")
"""Reasons why sentences need no event, to choose from."""
_LONGEST_SHOWN = 1_000
"""Characters of a passage that the screen of a mark shows."""


# --- The list -----------------------------------------------------------------------------


def show_all(visit: Visit) -> DeskReply:
    """Show the articles, with how much of each is covered."""
    words = visit.chosen("q").strip()
    found = article_page.article_list(visit.desk.log, words, _number(visit.chosen("from")))
    return Shown("articles", {"words": words, **found})


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


# --- One article --------------------------------------------------------------------------


def show(visit: Visit) -> DeskReply:
    """Show the sentences of an article."""
    return _shown(visit)


def _shown(
    visit: Visit,
    found: _Problems | None = None,
    status: int = 200,
    ticked: Sequence[int] = (),
    reason: str = "",
) -> Shown:
    desk, source_id = visit.desk, visit.parts["source_id"]
    at = _number(visit.chosen("at")) or next(iter(ticked), 1)
    run = desk.drafting.of(source_id)
    started = run and prose.local_instant(run.started.isoformat(), stored_log.time_zone(desk.log))
    context = {
        **article_page.article(desk.log, source_id, at),
        "problems": found or [],
        "ticked": ticked,
        "reason": reason,
        "run": run,
        "run_started": started,
    }
    return Shown("article", context, status)


def work(visit: Visit) -> DeskReply:
    """Take the ticked sentences, or the selected words, to where a button says."""
    desk, source_id = visit.desk, visit.parts["source_id"]
    remember_author(visit)
    source = source_of(desk.log, source_id)
    ticked = [_number(each) for each in visit.every("sentence")]
    if source["text_sha256"] != visit.field("text_sha256"):
        text = "The text of this article was changed meanwhile: look at it, and tick again"
        return _shown(visit, [("", text)], 409)
    coverage = captured_texts.coverage(desk.log, source_id)
    button = visit.field("do")
    try:
        words = _words(visit, coverage)
        spans = _chosen(coverage, ticked, words, is_joined=button in ("event", "cite"))
    except InvalidInput as error:
        return _shown(visit, [("sentences", error.problem)], 400, ticked)
    if not spans:
        return _shown(visit, [("sentences", "Tick the sentences first")], 400)
    cited = CitedSpans(source_id, spans)
    if button == "unmark":
        return _unmark(visit, cited, ticked)
    if button == "commentary":
        return Redirect(f"/articles/{source_id}/commentary?{urlencode(cited.query)}")
    if button == "cite":
        return Redirect(f"/events?{urlencode(cited.query)}")
    fields = forms.for_new_event(desk.log, citing.citations(desk.log, cited))
    draft = desk.inbox.new_draft(fields, by=visit.author)
    return Redirect(f"/drafts/{draft.draft_id}")


def _words(visit: Visit, coverage: Coverage) -> Span | None:
    """Return the place of the words that were selected, without blanks at its ends.

    Raises InvalidInput.
    """
    fields = visit.field("quote_start"), visit.field("quote_end")
    if not any(fields):
        return None
    start, end = map(_number, fields)
    words = coverage.text[start:end]
    if is_too_short(words):
        raise InvalidInput("sentences", "Select some words: these are too short to find them by")
    return start + len(words) - len(words.lstrip()), start + len(words.rstrip())


def _chosen(
    coverage: Coverage, ticked: Sequence[int], words: Span | None, *, is_joined: bool
) -> list[Span]:
    """Return the places of ticked sentences and selected words; words stand for their sentences.

    Raises InvalidInput.
    """
    sentences = coverage.sentences
    if wrong := [number for number in ticked if not 1 <= number <= len(sentences)]:
        raise InvalidInput("sentences", f"{wrong[0]} is none of the sentences of this article")
    if words:
        start, end = words
        ticked = [
            number
            for number in ticked
            if sentences[number - 1].end <= start or end <= sentences[number - 1].start
        ]
    if is_joined:
        spans = citing.quoted_spans(coverage.text, sentences, ticked)
    else:
        spans = [(sentences[number - 1].start, sentences[number - 1].end) for number in ticked]
    return sorted([*spans, words] if words else spans)


# --- Commentary ---------------------------------------------------------------------------


def ask_why(visit: Visit) -> DeskReply:
    """Ask why the chosen passages need no event."""
    return _asked_why(visit)


def _asked_why(visit: Visit, found: _Problems | None = None) -> Shown:
    log, source_id = visit.desk.log, visit.parts["source_id"]
    cited = _of_this_article(visit)
    text = captured_texts.newest(log, source_id) or ""
    citing.citations(log, cited)  # raises for places that are not in the text
    context = {
        "article": facts(source_of(log, source_id)),
        "passages": [
            [*shown_pieces(text, start, min(end, start + _LONGEST_SHOWN))]
            for start, end in cited.spans
        ],
        "spans": [value for name, value in cited.query if name == "span"],
        "why": visit.field("why"),
        "reasons": REASONS,
        "problems": found or [],
    }
    return Shown("commentary", context, 400 if found else 200)


def mark(visit: Visit) -> DeskReply:
    """Mark passages as commentary, beside the marks that are there."""
    source_id = visit.parts["source_id"]
    remember_author(visit)
    cited = _of_this_article(visit)
    why = visit.field("why").strip()
    found: _Problems = []
    wrong = problems(Mark, {"start": 0, "end": 1, "state": "commentary", "why": why})[1]
    if not why:
        found.append(("why", "Say in a few words why this needs no event"))
    elif wrong:
        found.append(("why", wrong[0].text))
    if not visit.author:
        found.append(WHO)
    if found:
        return _asked_why(visit, found)
    citing.citations(visit.desk.log, cited)
    try:
        with visit.desk.timeline.append() as append:
            append.mark_source(
                source_id, cited.spans, why, validate(Said, {"author": visit.author})
            )
    except NothingChanged:
        pass
    except (Refused, StoreError) as error:
        return _asked_why(visit, [("", in_words(error))])
    visit.session.notices.append("Marked as commentary.")
    return Redirect(_onwards(visit, cited))


def _of_this_article(visit: Visit) -> CitedSpans:
    """Return the places that an address, or a form, carries. Raises InvalidInput, NoText."""
    source_id = visit.parts["source_id"]
    source_of(visit.desk.log, source_id)
    carried = [each for each in (*visit.query, *visit.fields) if each[0] == "span"]
    cited = citing.cited_spans([("cite", source_id), *carried])
    if cited is None or not cited.spans:
        raise InvalidInput("span", "no sentence is chosen: go back to the article, and tick some")
    return cited


def _onwards(visit: Visit, cited: CitedSpans) -> str:
    """Return the path of the next missing sentence behind some places, else of the article."""
    number = citing.next_missing(visit.desk.log, cited.source_id, cited.spans[-1][1])
    article = f"/articles/{cited.source_id}"
    return citing.sentence_path(cited.source_id, number) if number else article


def _unmark(visit: Visit, cited: CitedSpans, ticked: Sequence[int]) -> DeskReply:
    """Take the marks on passages back."""
    if not visit.author:
        return _shown(visit, [WHO], 400, ticked)
    said = validate(Said, {"author": visit.author})
    try:
        with visit.desk.timeline.append() as append:
            append.mark_source(cited.source_id, cited.spans, None, said)
    except NothingChanged:
        text = "None of these sentences is marked as commentary"
        return _shown(visit, [("sentences", text)], 400, ticked)
    except (Refused, StoreError) as error:
        return _shown(visit, [("", in_words(error))], 400, ticked)
    visit.session.notices.append("The marks are taken back.")
    return Redirect(citing.sentence_path(cited.source_id, next(iter(ticked), 1)))


# --- Withdrawing and drafting -------------------------------------------------------------


def withdraw(visit: Visit) -> DeskReply:
    """Withdraw a source with a reason, or take its withdrawal back."""
    desk, source_id = visit.desk, visit.parts["source_id"]
    remember_author(visit)
    source_of(desk.log, source_id)
    is_undone, reason = visit.field("do") == "reinstate", visit.field("reason").strip()
    found: _Problems = [] if visit.author else [WHO]
    if not (is_undone or reason):
        found.append(("reason", "Say why the source no longer counts"))
    said = {"author": visit.author, "reason": reason or None}
    found += [(each.path, each.text) for each in problems(Said, said)[1]]
    if found:
        return _shown(visit, found, 400, reason=reason)
    try:
        with desk.timeline.append() as append:
            change = append.reinstate_source if is_undone else append.withdraw_source
            change(source_id, validate(Said, said))
    except NothingChanged:
        pass
    except (Refused, StoreError) as error:
        return _shown(visit, [("", in_words(error))], 400, reason=reason)
    filters = {"source": source_id, "at_risk": "1"}
    at_risk = sum(1 for _ in selection.list_events(desk.log, filters))
    words = "The source counts again." if is_undone else "The source is withdrawn."
    if at_risk:
        events = "1 event has" if at_risk == 1 else f"{at_risk:,} events have"
        words += f" {events} no other source now, and are marked so for readers."
    visit.session.notices.append(words)
    return Redirect(f"/articles/{source_id}")


def draft_with_model(visit: Visit) -> DeskReply:
    """Let the model of this desk draft proposals for an article, in a process of its own."""
    desk, source_id = visit.desk, visit.parts["source_id"]
    source_of(desk.log, source_id)
    if not desk.model:
        raise Refused("this desk has no model: start it with timeline desk --model MODEL")
    if not desk.drafting.start(desk.path, source_id, desk.model):
        visit.session.notices.append("A draft of this article is running already.")
    return Redirect(f"/articles/{source_id}#drafting")


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/articles", show_all),
    ScreenRoute("/articles/{source_id}", show, work),
    ScreenRoute("/articles/{source_id}/commentary", ask_why, mark),
    ScreenRoute("/articles/{source_id}/withdraw", post=withdraw),
    ScreenRoute("/articles/{source_id}/draft", post=draft_with_model),
)
