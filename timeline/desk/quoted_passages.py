"""Show quotes inside the sentences around them, with what nobody sees made visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from timeline.formats import prose
from timeline.intake.proposals.checked import BroughtQuote
from timeline.model import invisible
from timeline.texts.coverage import MarkedSpan, shared_sentences
from timeline.texts.pages import PAGE_BREAK
from timeline.texts.sentences import Span, sentences

_AROUND = 1
"""Sentences that are shown before and after a quoted one."""
_PARAGRAPH = "\n\n"


class PassagePiece(NamedTuple):
    """A piece of a passage is quoted, or stands around a quote."""

    text: str
    is_quote: bool


class Passage(NamedTuple):
    """A passage is a paragraph, or the part of it around a quote."""

    pieces: list[PassagePiece]
    is_apart: bool
    """Whether sentences before it are left out."""


class QuotedText(NamedTuple):
    """A text has the passages that quotes of it stand in."""

    source_id: str
    title: str
    published: str
    """When it was published, in words; an empty text if that is not known."""
    passages: list[Passage]


def quoted_texts(quotes: Sequence[BroughtQuote]) -> list[QuotedText]:
    """Return the passages of each text that is quoted, in the order of the text."""
    by_source: dict[str, list[BroughtQuote]] = {}
    for quote in quotes:
        by_source.setdefault(quote.source_id, []).append(quote)
    return [
        QuotedText(
            source_id,
            several[0].title,
            prose.date_with_weekday(several[0].published),
            passages(several[0].text, [(quote.start, quote.end) for quote in several]),
        )
        for source_id, several in by_source.items()
    ]


def passages(text: str, places: Iterable[Span]) -> list[Passage]:
    """Return the sentences around some places of a text, as passages; places are marked."""
    spans = sentences(text)
    marked = sorted(places)
    shown: set[int] = set()
    for place in marked:
        for number in shared_sentences(text, spans, MarkedSpan(*place, "")):
            shown.update(range(number - _AROUND, number + _AROUND + 1))
    found: list[Passage] = []
    end = 0
    for number in sorted(shown.intersection(range(len(spans)))):
        start, stop = spans[number]
        is_apart = number - 1 not in shown and number > 0
        if not found or is_apart or _PARAGRAPH in text[end:start]:
            found.append(Passage(_pieces(text, (start, stop), marked), is_apart))
        else:
            found[-1].pieces.extend(_pieces(text, (end, stop), marked))
        end = stop
    return found


def _pieces(text: str, span: Span, marked: Sequence[Span]) -> list[PassagePiece]:
    at, end = span
    found: list[PassagePiece] = []
    for first, last in marked:
        first, last = max(first, at), min(last, end)
        if first < last:
            found += [PassagePiece(_visible(text[at:first]), False)] if at < first else []
            found.append(PassagePiece(_visible(text[first:last]), True))
            at = last
    return found + ([PassagePiece(_visible(text[at:end]), False)] if at < end else [])


def _visible(text: str) -> str:
    """Return a text with blanks for its line breaks, and numbers for what nobody sees."""
    line = text.replace(PAGE_BREAK, " ").replace("\n", " ")
    return "".join(f"[{invisible.code(each)}]" if invisible.hidden(each) else each for each in line)
