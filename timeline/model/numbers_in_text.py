"""Find the numbers that a text says, in digits and in English words.

Guarantees: a number that can be read in two ways, such as "1.200" or "20m", is found in both. So a
number that is missing here stands nowhere in the text; one that is found may mean something else.
The scales are those of `figures` and, in other languages, of `figure_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from timeline.model.figure_words import scales_of_other_languages
from timeline.model.figures import SCALES, SHORT_SCALES

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: number * 10 for number, word in enumerate(_TENS, start=2)},
}
_MULTIPLES = {"dozen": 12, "hundred": 100}
_LARGE = {word: 10**power for word, power in SCALES.items()}
_THOUSANDS = ".,'_ \N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
"""What may stand between the thousands of a number."""


def numbers_in(text: str) -> frozenset[Decimal]:
    """Return the numbers that a text says; both sides of "20 to 40 million" are millions."""
    return frozenset((*_in_digits(text), *_in_words(text)))


# --- Digits -------------------------------------------------------------------------------


@cache
def _powers() -> dict[str, int]:
    """Return the powers of ten by the words for them."""
    plurals = {f"{word}s": power for word, power in SCALES.items()}
    others = {word: SCALES[english] for word, english in scales_of_other_languages().items()}
    return {**SHORT_SCALES, **SCALES, **plurals, **others}


@cache
def _number() -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(_powers(), key=len, reverse=True)))
    digits = rf"(?:\d{{1,3}}(?:[{_THOUSANDS}]\d{{3}}(?!\d))+|\d+)(?:[.,]\d+)?"
    to = r"(?:\s+(?:to|and|or)\s+|\s?[\N{HYPHEN}-\N{HORIZONTAL BAR}-]\s?)\D{0,3}?"
    ends = r"(?![^\W\d_])"
    return re.compile(
        rf"(?<![^\W_])(?P<number>{digits})"
        rf"(?:[\s-]?(?P<scale>{words}){ends}|(?={to}{digits}\s?(?P<shared>{words}){ends}))?",
        re.IGNORECASE,
    )


def _in_digits(text: str) -> Iterator[Decimal]:
    for found in _number().finditer(text):
        word = (found["scale"] or found["shared"] or "").lower()
        for number in _readings(found["number"]):
            if word:
                yield number.scaleb(_powers()[word])
            if not found["scale"] or word in SHORT_SCALES:
                yield number


def _readings(written: str) -> Iterator[Decimal]:
    """Yield a number in its readings: "1.200" has two. What blanks divide may be several."""
    parts = re.fullmatch(r"(.*)[.,](\d+)", written)
    if parts:
        whole = re.sub(r"\D", "", parts[1])
        yield Decimal(f"{whole}.{parts[2]}")
    if not parts or len(parts[2]) == 3:
        yield Decimal(re.sub(r"\D", "", written))
    if re.search(r"\s", written):
        yield from map(Decimal, re.findall(r"\d+", written))


# --- Words --------------------------------------------------------------------------------


@cache
def _run() -> re.Pattern[str]:
    """Return the pattern of words that say a number together: "two hundred and twelve"."""
    larger = "|".join((*_MULTIPLES, *_LARGE))
    word = rf"(?:{'|'.join(_SMALL)}|{larger})"
    between = r"(?:[\s-]+|\s+and\s+)"
    return re.compile(
        rf"\b(?:an?\s+(?={larger})|(?={'|'.join(_SMALL)})){word}\b(?:{between}{word}\b)*",
        re.IGNORECASE,
    )


def _in_words(text: str) -> Iterator[Decimal]:
    for run in _run().finditer(text):
        yield from map(Decimal, _said(re.findall(r"[a-z]+", run[0].lower())))


def _said(words: list[str]) -> Iterator[int]:
    """Yield the numbers that number words say; after "five", "ten" is another number."""
    total = group = 0
    room = None  # the size below which the next small number belongs to this number
    for word in words:
        if word in _SMALL:
            value = _SMALL[word]
            if room is not None and value >= room:
                yield total + group
                total = group = 0
            group += value
            room = 10 if value >= 20 else 0
        elif word in _MULTIPLES:
            group = (group or 1) * _MULTIPLES[word]
            room = 100
        elif word in _LARGE:
            total += (group or 1) * _LARGE[word]
            group, room = 0, 1000
    yield total + group
