"""Names in other scripts: this spells them in Latin letters, in the ways that people spell them.

Guarantees: a name in Latin letters has no other spelling here. Where a script leaves open how a
name is said, each way is a spelling: Arabic writes no short vowels, and has one letter for b and
p, and one for f and v; Ukrainian says the Russian g as h; Greek writes d as nt. Knows no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, product, zip_longest

from timeline.model.names import fold
from timeline.reading.twins.sounds import (
    FEWEST_CONSONANTS,
    FEWEST_WITH_VOWELS,
    are_of_two_genders,
    consonants,
    differ_in_a_final_a,
    have_like_vowels,
    sounds,
)

_OTHER_LETTERS = re.compile(r"[\u0370-\u1dbf\u1f00-\u1fff\u2c80-\ud7ff\uf900-\ufdff\ufe70-\ufefc]")
_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_SERBIAN = re.compile("[ћђљњџј]")
_SERBIAN_LETTERS = str.maketrans(
    {"ч": "c", "ћ": "c", "ш": "s", "ж": "z", "ц": "c", "х": "h", "џ": "dz", "ђ": "d"}
)
_GREEK = (("ντ", "d"), ("μπ", "b"), ("γκ", "g"), ("ου", "u"), ("αυ", "av"), ("ευ", "ev"))
"""Two letters of Greek that are one sound, without accents, and the letters for it."""
_ARABIC_VOWELS = str.maketrans(
    {**dict.fromkeys("اآأإىةعٱ", "a"), **dict.fromkeys("ءئؤ"), "و": "u", "ي": "y", "ی": "y"}
)
"""Letters of Arabic that are vowels, or are heard as none, and the Latin letters for them."""
_OPEN_SOUNDS = {"f": "fv", "b": "bp", "j": "jg"}
"""Letters of an Arabic name that are spelled in two ways in Latin letters."""
_MOST_SPELLINGS = 32
"""Spellings of one word, at most, that are compared."""

_MOST_DIFFERENCES = 4
"""Places in which two names in Latin letters differ, at most, that a reason names."""

Spelled = Sequence[Sequence[str]]
"""The words of a name, each with its spellings in Latin letters."""


def is_latin(name: str) -> bool:
    """Tell whether a name has no letter of another script."""
    return name.isascii() or _OTHER_LETTERS.search(name) is None


def is_arabic(name: str) -> bool:
    """Tell whether a name has letters of Arabic or Persian."""
    return not name.isascii() and _ARABIC.search(name) is not None


@lru_cache(maxsize=2**14)
def latin(name: str) -> str:
    """Return a name in Latin letters, in lower case, as it is spelled letter by letter."""
    if is_latin(name):
        return name
    text = name
    if is_arabic(name):
        text = re.sub(r"(?<!\w)[اٱ]ل(?=\w{2})", "", text).translate(_ARABIC_VOWELS)
    return " ".join(re.sub("^u(?=[auy]|.$)", "w", word) for word in _in_ascii(text).split())


@lru_cache(maxsize=2**14)
def spellings(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the spellings of each word of a name, without accents, the plainest one first."""
    words = re.findall(r"\w+", fold(latin(name)))
    if is_latin(name):
        return tuple((word,) for word in words)
    if is_arabic(name):
        return tuple(tuple(_of_arabic(word)) for word in words)
    ways = [words, *([*re.findall(r"\w+", each)] for each in _other_ways(name))]
    like = [way for way in ways if len(way) == len(words)]
    return tuple(tuple(dict.fromkeys(each)) for each in zip(*like, strict=True))


def _other_ways(name: str) -> Iterator[str]:
    folded = fold(name)
    if "г" in folded:
        yield _in_ascii(name.casefold().replace("г", "h"))
    if _SERBIAN.search(name.casefold()):
        yield _in_ascii(name.casefold().translate(_SERBIAN_LETTERS))
    greek = folded
    for letters, sound in _GREEK:
        greek = greek.replace(letters, sound)
    if greek != folded:
        yield _in_ascii(greek)


def _of_arabic(word: str) -> Iterator[str]:
    """Yield an Arabic word letter by letter, then its spellings without the vowels within it."""
    yield word
    sounds = [_OPEN_SOUNDS.get(each, each) for each in re.sub("[auy]", "", word[1:])]
    first = "aeiou" if word[0] in "au" else _OPEN_SOUNDS.get(word[0], word[0])
    yield from islice(map("".join, product(first, *sounds)), _MOST_SPELLINGS)


def _in_ascii(text: str) -> str:
    from anyascii import anyascii  # its tables of letters are read from files

    return re.sub("['`]", "", anyascii(text)).lower()


# --- Likeness ---------------------------------------------------------------------------


def alike_in_latin(words: Spelled, others: Spelled) -> tuple[str, str] | None:
    """Return the spellings in which two names are alike, or None."""
    if len(words) != len(others):
        return None
    pairs = []
    for some, more in zip(words, others, strict=True):
        found = (
            (one, two) for one, two in product(some, more) if consonants(one) == consonants(two)
        )
        if (pair := next(found, None)) is None:
            return None
        pairs.append(pair)
    left, right = (list(each) for each in zip(*pairs, strict=True))
    if differ_in_a_final_a(left, right) or are_of_two_genders(left, right):
        return None
    count = sum(len(consonants(word)) for word in left)
    is_sure = len(left) > 1 or count >= FEWEST_CONSONANTS
    if count < FEWEST_WITH_VOWELS or not (is_sure or all(map(have_like_vowels, left, right))):
        return None
    return " ".join(left), " ".join(right)


def alike_in_arabic(words: Spelled, others: Spelled) -> tuple[str, str] | None:
    """Return how an Arabic name and another one are spelled if they are alike, or None."""
    if len(words) != len(others):
        return None
    pairs = []
    for (plain, *some), more in zip(words, others, strict=True):
        sounds = {consonants(each) for each in some}
        found = (two for two in more if consonants(two) in sounds and _may_be_said(plain, two))
        if (two := next(found, None)) is None:
            return None
        pairs.append((plain, two))
    left, right = (" ".join(each) for each in zip(*pairs, strict=True))
    if sum(len(consonants(word)) for word in right.split()) < FEWEST_WITH_VOWELS:
        return None
    return left, right


def _may_be_said(arabic: str, word: str) -> bool:
    """Tell whether the long vowels that an Arabic word writes fit the vowels of another word."""
    written, said = (re.findall("[^aeiouyj][aeiouyj]*", sounds(each)) for each in (arabic, word))
    for place, (long, vowels) in enumerate(zip_longest(written, said, fillvalue=""), 1):
        if len(long) > 1 and not any(
            letter in long[1:] and not near.isdisjoint(vowels[1:])
            for letter, near in (("u", {*"ou"}), ("y", {*"eiyj"}), ("a", {*"aeo"}))
        ):
            return False
        if len(long) == 1 and len(vowels) > (1 if place == len(written) else 2):
            return False
    return True


def difference(left: str, right: str, *, is_arabic: bool) -> str:
    """Say how two names in Latin letters differ."""
    if is_arabic:
        return f'the same consonants in Latin letters ("{left}"): Arabic writes no short vowels'
    from difflib import SequenceMatcher

    places = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    differences = dict.fromkeys(
        f"{left[a - before : b + after]}/{right[c - before : d + after]}"
        for what, a, b, c, d in places
        if what != "equal"
        for before, after in [_neighbours(left, right, a, b, c, d)]
    )
    if len(differences) > _MOST_DIFFERENCES:
        return f'two spellings of one sound in Latin letters ("{left}")'
    return f'the same in Latin letters ("{left}") but for {", ".join(differences)}'


def _neighbours(left: str, right: str, a: int, b: int, c: int, d: int) -> tuple[int, int]:
    """Return how many letters to show before and after a place, so that neither side is empty."""
    if a < b and c < d:
        return 0, 0
    return (0, 1) if left[b : b + 1].strip() and right[d : d + 1].strip() else (min(a, 1), 0)
