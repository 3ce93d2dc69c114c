"""Functions that tell which sentences of a text the events of a log quote.

Guarantees: every sentence of the text is listed once, in the order of the text. A quote or a mark
counts for a sentence if the two share a word, which means two letters or digits, the least that
can be quoted; the place in the dateline of an agency does not count. A quoted sentence is covered,
even if it is marked as commentary. Pure: knows no source and no database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from timeline.texts.pages import page_breaks, page_of
from timeline.texts.quotes import is_too_short
from timeline.texts.sentences import Span, after_place, sentences

State = Literal["covered", "commentary", "missing"]
STATES: tuple[State, ...] = ("covered", "commentary", "missing")


class MarkedSpan(NamedTuple):
    """A span of the text that is quoted, or marked as commentary.

    `note` is the id of the event that quotes it, or the reason why it needs no event.
    """

    start: int
    end: int
    note: str


class Sentence(NamedTuple):
    """A sentence of the text, with the events that quote it or the reason why none needs to."""

    start: int
    end: int
    text: str
    state: State
    events: tuple[str, ...]
    """The ids of the events that quote the sentence, sorted."""
    why: str
    """Why a commentary needs no event; "" if nobody said why, or for another state."""
    places: tuple[MarkedSpan, ...]
    """The quotes that share a word with the sentence; a quote may reach beyond it."""
    page: int | None = None
    """The page on which it begins; None if the text has no page numbers."""


def coverage_of(
    text: str, quoted: Iterable[MarkedSpan], marked: Iterable[MarkedSpan]
) -> list[Sentence]:
    """Return the sentences of a text, each with its state.

    `quoted` are the quotes of events, `marked` the spans that are marked as commentary.
    """
    spans = sentences(text)
    places: list[list[MarkedSpan]] = [[] for _ in spans]
    for place in sorted(quoted):
        for number in shared_sentences(text, spans, place):
            places[number].append(place)
    why: dict[int, str] = {}
    for place in marked:
        for number in shared_sentences(text, spans, place):
            why.setdefault(number, place.note)
    breaks = page_breaks(text)
    return [
        Sentence(
            start,
            end,
            text[start:end],
            "covered" if places[number] else "commentary" if number in why else "missing",
            tuple(sorted({place.note for place in places[number]})),
            "" if places[number] else why.get(number, ""),
            tuple(places[number]),
            page_of(start, breaks),
        )
        for number, (start, end) in enumerate(spans)
    ]


def shared_sentences(text: str, spans: Sequence[Span], place: MarkedSpan) -> Iterator[int]:
    """Yield the indexes of the sentences that share a word with a place.

    `spans` are those of all sentences of the text.
    """
    number = bisect_right(spans, place.start, key=lambda span: span[1])
    while number < len(spans) and spans[number][0] < place.end:
        start, end = spans[number]
        start = after_place(text, start, end)
        if not is_too_short(text[max(start, place.start) : min(end, place.end)]):
            yield number
        number += 1
