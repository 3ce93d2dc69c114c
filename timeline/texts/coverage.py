"""What of a text events rest on, sentence by sentence; and which texts tell the same.

Guarantees: every sentence of the text is there once, in its order. A quote or a mark counts for
a sentence if the two share a word: two letters or digits, the least that can be quoted. What is
quoted is covered, whatever it is marked as. Pure: knows no source and no database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from timeline.texts.quotes import is_too_short
from timeline.texts.sentences import Span, sentences

State = Literal["covered", "commentary", "missing"]
STATES: tuple[State, ...] = ("covered", "commentary", "missing")


class Place(NamedTuple):
    """A span of the text, and what it is marked with: an event that quotes it, or a why."""

    start: int
    end: int
    note: str


class Sentence(NamedTuple):
    """A sentence of the text, and what became of it."""

    start: int
    end: int
    text: str
    state: State
    events: tuple[str, ...]
    """Those that quote it, in order of their ids."""
    why: str
    """Of commentary: why it needs no event, if that was said."""
    places: tuple[Place, ...]
    """What the events quote; a quote may reach beyond the sentence."""


def coverage_of(text: str, quoted: Iterable[Place], marked: Iterable[Place]) -> list[Sentence]:
    """The sentences of a text, of which events quote some, and some are marked as commentary."""
    spans = sentences(text)
    places: list[list[Place]] = [[] for _ in spans]
    for place in sorted(quoted):
        for number in _shared(text, spans, place):
            places[number].append(place)
    why: dict[int, str] = {}
    for place in marked:
        for number in _shared(text, spans, place):
            why.setdefault(number, place.note)
    return [
        Sentence(
            start,
            end,
            text[start:end],
            "covered" if places[number] else "commentary" if number in why else "missing",
            tuple(sorted({place.note for place in places[number]})),
            "" if places[number] else why.get(number, ""),
            tuple(places[number]),
        )
        for number, (start, end) in enumerate(spans)
    ]


def _shared(text: str, spans: Sequence[Span], place: Place) -> Iterator[int]:
    """The numbers of the sentences that share a word with a place."""
    number = bisect_right(spans, place.start, key=lambda span: span[1])
    while number < len(spans) and spans[number][0] < place.end:
        start, end = spans[number]
        if not is_too_short(text[max(start, place.start) : min(end, place.end)]):
            yield number
        number += 1


def summary(found: Sequence[Sentence]) -> str:
    """ "13 of 16 covered, 3 commentary, none missing"."""
    covered, commentary, missing = (
        sum(sentence.state == state for sentence in found) for state in STATES
    )
    return (
        f"{covered:,} of {len(found):,} covered, {commentary:,} commentary,"
        f" {f'{missing:,}' if missing else 'none'} missing"
    )


# --- The same words -----------------------------------------------------------------------


def same_words(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two texts, as `fingerprint` has them, are one and a reprint of it.

    They are if nine in ten sentences of the shorter one stand in the other. A publisher may put
    a headline before a text, and a line of its own behind it.
    """
    least = min(len(one), len(other))
    return least > 0 and len(one & other) * 10 >= least * 9


def fingerprint(text: str) -> frozenset[str]:
    """The sentences of a text by their letters and digits alone: what a reprint leaves."""
    letters = ("".join(filter(str.isalnum, text[slice(*span)])) for span in sentences(text))
    return frozenset(each.casefold() for each in letters if each)
