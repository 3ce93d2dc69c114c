"""Fold texts and questions into the words that are searched, in every script.

Guarantees: pure functions, alike for a text and for a question about it. Case, diacritics, width
and ligatures do not matter: Łódź and LODZ are one word. Marks that make another letter stay: the
vowels of Hindi and Thai, the voicing of Japanese. Runs of scripts that have no blanks between words
become overlapping pairs of characters, and their last character alone, so that each part of a run
is found. The place in the text is known for each character of a folded word. The index has the
results, so each change of them raises PROJECTION_VERSION.

Imports nothing but the standard library and `names`, since a process that runs SQL loads it too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from timeline.model.names import OWN_LETTERS

_KEPT_CLASSES = frozenset((0, 8, 84, 91, 103, 118, 129, 130, 132))
"""The combining classes of marks that make another letter.

Only U+3099 and U+309A, which make カ to ガ, have class 8. Most vowels have class 0; some of Telugu
(84, 91), Thai (103), Lao (118) and Tibetan (129, 130, 132) have classes of their own.
"""

_KEPT_CATEGORIES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Co"))
"""The categories of characters that words are made of; the tokenizer of `event_search` has them."""

_VARIATION_SELECTORS = frozenset(
    (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)

_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ecf\u0edc-\u0edf"  # Lao
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d"  # Burmese
    "\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f"
    "\u1780-\u17d3\u17d7\u17dc\u17dd"  # Khmer
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Chinese and Japanese
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""The letters and marks of scripts that have no blanks between words, for a regular expression."""


@cache
def _unspaced() -> re.Pattern[str]:
    """Return the pattern of a run of such letters and marks, which takes 2 ms to make."""
    return re.compile(f"[{_UNSPACED}]+")


_PART = re.compile(r'"([^"\x00]+)"|([^\s"\x00]+)')
"""Matches a phrase or a word of a question."""

_SEPARATORS = "".join(chr(code) for code in range(128) if not chr(code).isalnum())
"""The characters that may stand between folded words."""


class Places(NamedTuple):
    """Says for each character of folded words from which part of the text it came."""

    words: str
    starts: Sequence[int]
    ends: Sequence[int]


class _Letters(dict[int, str]):
    """Maps a character to the letters that words have of it, and to a blank if it ends a word."""

    def __missing__(self, code: int) -> str:
        letters = unicodedata.normalize("NFKD", chr(code)).casefold()
        self[code] = folded = "".join(map(_folded, letters))
        return folded


_LETTERS = _Letters()


def _folded(letter: str) -> str:
    code, category = ord(letter), unicodedata.category(letter)
    is_unseen = category == "Cf" or code == 0x34F or code in _VARIATION_SELECTORS
    if is_unseen or unicodedata.combining(letter) not in _KEPT_CLASSES:
        return ""
    is_of_a_word = letter.isascii() or category in _KEPT_CATEGORIES or _unspaced().match(letter)
    return OWN_LETTERS.get(code, letter) if is_of_a_word else " "


def words(text: str) -> str:
    """Return the words of a text as the index has them, with separators between them."""
    letters = _letters(text)
    return letters if letters.isascii() else _unspaced().sub(_pairs, letters)


def _letters(text: str) -> str:
    """Return a text without case, diacritics and all that is in no word of a text."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_LETTERS))


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    pairs = [one + other for one, other in pairwise(run)]
    return f" {' '.join((*pairs, run[-1]))} "


def words_with_places(text: str) -> Places:
    """Return what `words` returns, with the start and the end in the text of each character."""
    if text.isascii():
        return Places(text.lower(), range(len(text)), range(1, len(text) + 1))
    folded: list[str] = []
    spans: list[tuple[int, int]] = []
    for start, end in _clusters(text):
        letters = _letters(text[start:end])
        folded.append(letters)
        spans += [(start, end)] * len(letters)
    letters = "".join(folded)
    order: list[int] = []  # the place among the letters of each character of the words
    for run in _unspaced().finditer(letters):
        first, last = run.start(), run.end() - 1
        order += (*range(order[-1] + 1 if order else 0, first), first)
        for place in range(first, last):
            order += (place, place + 1, place)
        order += (last, last)
    order += range(order[-1] + 1 if order else 0, len(letters))
    starts, ends = ([spans[place][side] for place in order] for side in (0, 1))
    return Places(_unspaced().sub(_pairs, letters), starts, ends)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text that can be folded apart: a character with what joins it."""
    start = 0
    for place in range(1, len(text)):
        if not _joins(text[place]):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _joins(character: str) -> bool:
    """Tell whether a character can become one with the character before it."""
    if character.isascii():
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.category(first) in ("Mn", "Mc", "Me", "Cf")
        or "\u1160" <= first <= "\u11ff"  # vowels and finals of Hangul
        or "\ud7b0" <= first <= "\ud7fb"
    )


def phrases(question: str, *, goes_on: bool) -> list[str]:
    """Return the words and phrases of a question, each once, as FTS5 takes them.

    A phrase is between double quotes. If the question `goes_on`, its last word may be unfinished.
    A word that is repeated would be looked up again, which takes as long every time.
    """
    parts = [
        (letters, bool(word))
        for phrase, word in _PART.findall(question)
        if (letters := _letters(phrase or word).replace('"', " ").rstrip(_SEPARATORS))
    ]
    return [
        *dict.fromkeys(
            _phrase(letters, goes_on=goes_on and is_word and number == len(parts))
            for number, (letters, is_word) in enumerate(parts, 1)
        )
    ]


def is_found_by_half(found: str, phrases: Iterable[str]) -> bool:
    """Tell whether a question found only the first character of the pair at the end of `found`.

    `found` are folded words of a text, as marked by FTS5, and `phrases` are those of the question.
    """
    pair = found[-2:]
    return (
        bool(_unspaced().fullmatch(pair))
        and len(pair) == 2
        and any(phrase.endswith(f'{pair[0]}" *') for phrase in phrases)
        and not any(phrase.endswith(f'{pair}"') for phrase in phrases)
    )


def _phrase(letters: str, *, goes_on: bool) -> str:
    """Quote a phrase for FTS5; a star behind it says that its last word may be longer.

    In a text a run may be longer, so a question has no last character alone, unless that is all of
    the run.
    """
    found = _unspaced().sub(_pairs, letters).strip()
    if _unspaced().match(letters[-1]):
        if len(letters) > 1 and _unspaced().match(letters[-2]):
            return f'"{found[:-1].rstrip()}"'
        goes_on = True
    return f'"{found}"' + " *" * goes_on
