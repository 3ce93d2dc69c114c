"""Carry the places of an article that a person chose from one screen to the next.

Guarantees: a place is a span of the kept text, in code points, and a quote is the text's own words
there. The address of a screen carries places as `cite=SOURCE&span=START-END&span=...`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, NoText, NotFound
from timeline.reading import captured_texts
from timeline.reading.sources import sources_by_id
from timeline.texts.coverage import Sentence
from timeline.texts.quotes import is_too_short
from timeline.texts.sentences import Span

_SPAN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_LONGEST_QUOTE = 5_000
"""Characters of a quote of several sentences; a citation may have four times as many."""
_MOST_SPANS = 100


class CitedSpans(NamedTuple):
    """The places of one source that are to be cited."""

    source_id: str
    spans: Sequence[Span]

    @property
    def query(self) -> list[tuple[str, str]]:
        """Return the parameters of an address that `cited_spans` reads."""
        return [("cite", self.source_id), *(("span", f"{a}-{b}") for a, b in self.spans)]


def cited_spans(query: Sequence[tuple[str, str]]) -> CitedSpans | None:
    """Return the places that an address carries; None if it carries none. Raises InvalidInput."""
    source_id = next((value for name, value in query if name == "cite"), "")
    if not source_id:
        return None
    spans = [_span(value) for name, value in query if name == "span"]
    if len(spans) > _MOST_SPANS:
        raise InvalidInput(
            "span", f"{len(spans)} places are too many: choose {_MOST_SPANS} at most"
        )
    return CitedSpans(source_id, spans)


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if not found or int(found[1]) >= int(found[2]):
        raise InvalidInput("span", f'"{text[:40]}" is no place in a text: go back to the article')
    return int(found[1]), int(found[2])


def citations(log: sqlite3.Connection, cited: CitedSpans) -> list[dict[str, Any]]:
    """Return the citations of places: source_id, and quote, quote_start and quote_end of each.

    Without places the source is cited as a whole. Raises NotFound, NoText, and InvalidInput for a
    place that is not in the text, or has no words.
    """
    source_id, spans = cited
    if not spans:
        _check_known(log, source_id)
        return [{"source_id": source_id}]
    text = _text(log, source_id)
    found = []
    for start, end in spans:
        if end > len(text) or is_too_short(text[start:end]):
            raise InvalidInput("span", f"no words are at {start} to {end} of {source_id}")
        place = {"quote": text[start:end], "quote_start": start, "quote_end": end}
        found.append({"source_id": source_id, **place})
    return found


def quoted_spans(text: str, sentences: Sequence[Sentence], numbers: Iterable[int]) -> list[Span]:
    """Return one span for each run of chosen sentences of a paragraph; numbers count from 1.

    A reader gets the passage as it stands in the article, with one footnote; a quote over a
    paragraph or a page would have a gap in it. Raises InvalidInput for an unknown number.
    """
    spans: list[Span] = []
    for number in sorted({*numbers}):
        if not 1 <= number <= len(sentences):
            raise InvalidInput("sentences", f"{number} is none of 1 to {len(sentences):,}")
        start, end = sentences[number - 1][:2]
        goes_on = number > 1 and spans and spans[-1][1] == sentences[number - 2].end
        if goes_on and _is_one_quote(text, spans[-1], start, end):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _is_one_quote(text: str, before: Span, start: int, end: int) -> bool:
    """Tell whether a sentence and the one before it are one passage."""
    between = text[before[1] : start]
    return between.splitlines() in ([], [between]) and end - before[0] <= _LONGEST_QUOTE


def next_missing(log: sqlite3.Connection, source_id: str, behind: int = 0) -> int | None:
    """Return the number of the next sentence without an event, from the start if none follows.

    It begins behind a place in the text, in code points. Returns None if no sentence is missing,
    or the text is not here. Raises NotFound.
    """
    _check_known(log, source_id)
    try:
        found = captured_texts.coverage(log, source_id).sentences
    except NoText:
        return None
    return next_missing_of(found, sum(sentence.start < behind for sentence in found))


def next_missing_of(sentences: Sequence[Sentence], after: int = 0) -> int | None:
    """Return the number of the next missing one after a number, from the start if none follows."""
    missing = [number for number, each in enumerate(sentences, 1) if each.state == "missing"]
    return next((number for number in missing if number > after), next(iter(missing), None))


def sentence_path(source_id: str, number: int) -> str:
    """Return the path of a sentence in the screen of its article, below the desk's own path."""
    return f"/articles/{source_id}?at={number}#sentence-{number}"


def _text(log: sqlite3.Connection, source_id: str) -> str:
    _check_known(log, source_id)
    text = captured_texts.newest(log, source_id)
    if text is None:
        raise NoText(source_id, captured_texts.why_absent(log, source_id))
    return text


def _check_known(log: sqlite3.Connection, source_id: str) -> None:
    if not sources_by_id(log, [source_id]):
        raise NotFound("source", source_id)
