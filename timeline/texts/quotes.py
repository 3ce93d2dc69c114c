"""Functions that find a quote in the text from which it is taken.

Guarantees: a quote that is found differs from the text only in white space and quotation marks.
Its span, counted in Unicode code points, selects the text's own words and never cuts a character
that is made of several code points. Pure: knows no source and no database.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from timeline.texts.sentences import Span, sentences

_BLANKS = re.compile("[\\s\u200b\ufeff]+")
_MARKS = re.compile("[\"'`´‘’‚‛“”„‟«»‹›′″「」『』〝〞〟＂＇]")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_CONTEXT = 32
"""Code points before and after a quote that tell it from the same words elsewhere."""
_LONGEST_SHOWN = 160
"""Code points of the nearest passage that are shown, plus the rest of the last word."""
_LONGEST_COMPARED = 2_000
"""Code points of a quote and of a sentence that are compared to find the nearest passage."""


class Found(NamedTuple):
    """The place of a quote in a text, which `start` and `end` (exclusive) give in code points."""

    start: int
    end: int
    places: int
    """The number of places at which the quote is found."""


class CapturedText:
    """A text in which quotes can be found; white space and quotation marks are folded once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded = _folded(text)
        # The folded text is shorter: from position _from[n] on, it lags behind by _lags[n + 1].
        runs = [found.span() for found in _BLANKS.finditer(text) if len(found[0]) > 1]
        self._lags = [0, *accumulate(end - start - 1 for start, end in runs)]
        self._from = [start + 1 - lag for (start, _), lag in zip(runs, self._lags, strict=False)]

    def find(self, quote: str) -> Found | None:
        """Return the first place with a quote's exact words, else its first place, else None."""
        folded = _folded(quote).strip()
        spans = [
            span
            for start in _places(self._folded, folded)
            if self._is_whole(
                span := (self._position(start), self._position(start + len(folded) - 1) + 1)
            )
        ]
        if not spans:
            return None
        words = quote.strip()
        exact = (span for span in spans if self.text[slice(*span)] == words)
        return Found(*next(exact, spans[0]), len(spans))

    def nearest(self, quote: str) -> str | None:
        """Return the passage that is most like a quote, on one line; None if nothing is like it.

        Likeness is the number of groups of three letters that a sentence shares with the quote; it
        must be at least a third of those of the shorter one.
        """
        wanted = _shingles(quote)
        best, most, size = None, 0, 0
        for span in sentences(self.text):
            shingles = _shingles(self.text[slice(*span)])
            if (shared := len(wanted & shingles)) > most:
                best, most, size = span, shared, len(shingles)
        if best is None or most * 3 < min(len(wanted), size):
            return None
        return self._beside(quote[:_LONGEST_COMPARED], *best)

    def _beside(self, quote: str, start: int, end: int) -> str:
        """Return the whole words of a sentence that are where the quote would be, on one line."""
        sentence = self.text[start : min(end, start + _LONGEST_COMPARED)]
        match = difflib.SequenceMatcher(None, quote, sentence, autojunk=False).find_longest_match()
        first = start + max(0, match.b - match.a)
        last = min(first + min(len(quote), _LONGEST_SHOWN), len(self.text))
        while first > start and not self.text[first - 1].isspace():
            first -= 1
        while (
            last < min(len(self.text), first + 2 * _LONGEST_SHOWN) and not self.text[last].isspace()
        ):
            last += 1
        return _BLANKS.sub(" ", self.text[first:last]).strip()

    def _position(self, folded: int) -> int:
        """Return the position in the text for a position in the folded text."""
        return folded + self._lags[bisect_right(self._from, folded)]

    def _is_whole(self, span: Span) -> bool:
        """Tell whether a span cuts no letter from its accents, and no emoji from its other half."""
        start, end = span
        is_parted = _goes_on(self.text[start]) or (start and self.text[start - 1] == "\u200d")
        return not is_parted and not (end < len(self.text) and _goes_on(self.text[end]))


def is_too_short(quote: str) -> bool:
    """Tell whether a quote has less than two letters or digits, too few to find it by."""
    return sum(character.isalnum() for character in quote) < 2


def alike(one: str, other: str) -> bool:
    """Tell whether two quotes differ only in white space and quotation marks, or not at all."""
    return one == other or _folded(one).strip() == _folded(other).strip()


def selectors(
    quote: str, start: int | None = None, end: int | None = None, text: str | None = None
) -> list[dict[str, Any]]:
    """Return a quote as selectors of the W3C Web Annotation Data Model.

    If the span of the quote is known, a TextPositionSelector is added; if `text` is known too, the
    TextQuoteSelector has the words before and after the quote.
    """
    exact: dict[str, Any] = {"type": "TextQuoteSelector", "exact": quote}
    if start is None or end is None:
        return [exact]
    if text is not None:
        exact["prefix"] = text[max(0, start - _CONTEXT) : start]
        exact["suffix"] = text[end : end + _CONTEXT]
    return [exact, {"type": "TextPositionSelector", "start": start, "end": end}]


def _folded(text: str) -> str:
    """Return the text with one blank for each run of white space and one kind of quotation mark."""
    return _BLANKS.sub(" ", _MARKS.sub('"', text))


def _places(text: str, words: str) -> Iterator[int]:
    """Yield the positions of folded words in a folded text; places do not overlap."""
    at = text.find(words) if words else -1
    while at >= 0:
        yield at
        at = text.find(words, at + len(words))


def _shingles(text: str) -> set[str]:
    """Return the groups of three letters or digits in a text, by which texts are compared."""
    letters = "".join(filter(str.isalnum, text.casefold()))
    return {letters[at : at + 3] for at in range(len(letters) - 2)}


def _goes_on(character: str) -> bool:
    """Tell whether a code point belongs to the character before it."""
    return (
        unicodedata.category(character).startswith("M")
        or character == "\u200d"
        or ord(character) in _SKIN_TONES
    )
