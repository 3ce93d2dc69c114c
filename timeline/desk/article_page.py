"""Read what the screens of articles show: how much of each is covered, its sentences, lost quotes.

Guarantees: the sentences have the numbers of `timeline coverage`, and states in words.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from timeline.desk.citing import next_missing_of
from timeline.desk.shown_text import count_unseen, shown_pieces
from timeline.errors import NoText, NotFound
from timeline.formats import prose
from timeline.formats.labels import coverage_words
from timeline.formats.markup import is_link
from timeline.reading import captured_texts
from timeline.reading.captured_texts import Coverage
from timeline.reading.sources import sources_by_id
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.coverage import STATES, Sentence
from timeline.texts.quotes import CapturedText

ON_A_PAGE = 300
"""Sentences of one page of an article."""
_IN_LIST = 30
"""Articles of one page of the list; the text of each is read."""
_LONGEST = 100_000
"""Characters of a text that the list looks at."""
_MOST_QUOTES = 20
"""Quotes of one sentence, and lost quotes, that are shown."""

_WHAT_TO_DO = {
    "was not captured": "Its text was not captured: capture it, and its sentences are listed here.",
    "was erased": "Its text was erased from the log and cannot be taken in again: read the reason "
    "in its history, and cite another source.",
    "is not in this copy": "Its text is not in this copy of the timeline: capture it again here, "
    "or work where it was captured.",
}


def source_of(log: sqlite3.Connection, source_id: str) -> RowDict:
    """Return the row of a source. Raises NotFound, which says what to do."""
    try:
        return sources_by_id(log, [source_id])[source_id]
    except KeyError:
        why = "look for it in the list of articles, or capture it"
        raise NotFound("source", source_id, why) from None


def name_of(source: Mapping[str, Any]) -> str:
    """Return the title of a source, else its address, else its id."""
    return str(source["title"] or source["url"] or source["source_id"])


def facts(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a screen says about a source beside its title."""
    return {
        "source_id": source["source_id"],
        "name": name_of(source),
        "publisher": source["publisher"] or "",
        "published": prose.date(source["published"]),
        "authors": source["authors"] or "",
        "url": source["url"] if is_link(source["url"]) else "",
        "language": source["language"] or "",
        "is_withdrawn": source["state"] == "withdrawn",
        "withdrawn_reason": source["withdrawn_reason"] or "",
    }


# --- The list -----------------------------------------------------------------------------


def article_list(log: sqlite3.Connection, words: str, first: int) -> dict[str, Any]:
    """Return a page of the sources in which all words stand: those with a text first, newest first.

    Words are looked for in title, publisher, address and id.
    """
    rows = as_dicts(
        log.execute(
            "SELECT s.*, t.body IS NOT NULL AS has_text FROM sources AS s"
            " LEFT JOIN source_texts AS t USING (text_sha256) ORDER BY has_text DESC, s.seq DESC"
        )
    )
    wanted = words.casefold().split()
    found = [row for row in rows if all(word in _searched(row) for word in wanted)]
    shown = found[first : first + _IN_LIST]
    return {
        "articles": [_listed(log, row) for row in shown if row["has_text"]],
        "without_text": [
            {**facts(row), "why": captured_texts.why_absent(log, row["source_id"])}
            for row in shown
            if not row["has_text"]
        ],
        "count": len(found),
        "first": first,
        "last": first + len(shown),
        "previous": max(first - _IN_LIST, 0) if first else None,
        "next": first + _IN_LIST if first + _IN_LIST < len(found) else None,
    }


def _searched(row: Mapping[str, Any]) -> str:
    fields = (row[name] or "" for name in ("title", "publisher", "url", "source_id"))
    return " ".join(fields).casefold()


def _listed(log: sqlite3.Connection, row: Mapping[str, Any]) -> dict[str, Any]:
    coverage = captured_texts.coverage(log, row["source_id"], _LONGEST)
    return {
        **facts(row),
        **_covered(coverage.sentences),
        "is_cut": len(coverage.text) > _LONGEST,
        "lost_count": len(coverage.lost_quotes),
    }


def _covered(sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Return in words, and in numbers for a bar, how much of a text is covered."""
    states = [sentence.state for sentence in sentences]
    return {
        "summary": coverage_words(sentences),
        "bar": [(state, states.count(state)) for state in STATES],
        "total": len(states),
        "next_missing": next_missing_of(sentences),
    }


# --- One article --------------------------------------------------------------------------


def article(log: sqlite3.Connection, source_id: str, at: int = 1) -> dict[str, Any]:
    """Return what the screen of an article shows: the page of its sentences that has number `at`.

    Raises NotFound for an unknown source.
    """
    source = source_of(log, source_id)
    found: dict[str, Any] = {"article": facts(source), "text_sha256": source["text_sha256"]}
    try:
        coverage = captured_texts.coverage(log, source_id)
    except NoText as error:
        can_capture = error.why != "was erased"
        return {**found, "absent": _WHAT_TO_DO[error.why], "can_capture": can_capture}
    count = len(coverage.sentences)
    first = (min(max(at, 1), max(count, 1)) - 1) // ON_A_PAGE * ON_A_PAGE
    shown = coverage.sentences[first : first + ON_A_PAGE]
    lost = coverage.lost_quotes[:_MOST_QUOTES]
    ids = {*(event for each in shown for event in each.events), *(e["event_id"] for e in lost)}
    return {
        **found,
        **_covered(coverage.sentences),
        "absent": "",
        "sentences": [*_sentences(coverage, first, shown)],
        "first": first + 1,
        "last": first + len(shown),
        "previous": first - ON_A_PAGE + 1 if first else None,
        "next": first + ON_A_PAGE + 1 if first + ON_A_PAGE < count else None,
        "events": _events(log, ids),
        "lost": [*_lost(coverage.text, lost)],
        "lost_count": len(coverage.lost_quotes),
        "unseen": count_unseen(coverage.text),
    }


def _sentences(
    coverage: Coverage, first: int, shown: Sequence[Sentence]
) -> Iterator[dict[str, Any]]:
    before = coverage.sentences[first - 1] if first else None
    for number, sentence in enumerate(shown, first + 1):
        between = coverage.text[before.end if before else 0 : sentence.start]
        yield {
            "number": number,
            "state": sentence.state,
            "why": sentence.why,
            "events": sentence.events[:_MOST_QUOTES],
            "more": len(sentence.events[_MOST_QUOTES:]),
            "begins": between.splitlines() not in ([], [between]),
            "new_page": sentence.page if before is None or before.page != sentence.page else None,
            "pieces": [
                *shown_pieces(
                    coverage.text,
                    sentence.start,
                    sentence.end,
                    sentence.places[:_MOST_QUOTES],
                )
            ],
        }
        before = sentence


def _events(log: sqlite3.Connection, event_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return title and date of events, by id."""
    rows = log.execute(
        "SELECT * FROM events WHERE event_id IN (SELECT value FROM json_each(?))",
        (json.dumps([*event_ids]),),
    )
    return {row["event_id"]: (prose.title(row), prose.when(row)) for row in as_dicts(rows)}


def _lost(text: str, lost: Sequence[RowDict]) -> Iterator[dict[str, Any]]:
    """Yield the lost quotes, each with the passage of the new text that is most like it."""
    captured = CapturedText(text) if lost else None
    for each in lost:
        nearest = captured.nearest(each["quote"]) if captured else None
        yield {"event_id": each["event_id"], "quote": each["quote"], "nearest": nearest}
