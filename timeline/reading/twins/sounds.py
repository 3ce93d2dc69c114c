"""This module compares how words in Latin letters sound: by consonants, then by vowels.

Guarantees: the answer is the same in either order. Knows no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from timeline.model import countries

FEWEST_CONSONANTS = 5
"""Consonants, at least, of two names that only have more or fewer vowels."""
_ENOUGH_CONSONANTS = 9
"""Consonants, at least, of two names that are alike although their vowels differ."""
FEWEST_WITH_VOWELS = 4
"""Consonants, at least, of two names that also have like vowels, or are in two scripts."""

_LETTERS = (
    ("sch", "sh"), ("tch", "ch"), ("kh", "h"), ("gh", "g"), ("dh", "d"), ("th", "t"), ("zh", "z"),
    ("ph", "f"), ("ck", "k"), ("x", "ks"), ("q", "k"), ("w", "v"), ("c", "k"), ("kh", "ch"),
    ("z", "s"),
)  # fmt: skip
"""Letters in which transliterations differ, and the letters that replace them, in this order.

The pair of "kh" turns the "kh", to which the pair before it has turned a "ch", back to "ch".
"""


def sounds(word: str) -> str:
    """Return a word in the one spelling of its consonants, each of them once."""
    for letters, sound in _LETTERS:
        word = word.replace(letters, sound)
    word = re.sub(r"([a-z])\1+", r"\1", word)
    return re.sub(r"^[jy](?=[aeou])", "", word)


@lru_cache(maxsize=2**16)
def consonants(word: str) -> str:
    """Return the sound of a word without its vowels: "slnsk" for Zelensky and Selenskyj.

    A vowel at the beginning is kept: "evgn" for Evgeny and Yevgeniy.
    """
    word = sounds(word)
    return word[:1] + re.sub(r"[aeiouyj]", "", word[1:])


def sound_alike(words: list[str], others: list[str]) -> bool:
    """Tell whether two names only differ in vowels and in how their consonants are spelled."""
    if len(words) != len(others):
        return False
    if any(map(countries.known_country, (*words, *others))):
        return False
    said = [*map(consonants, words)]
    if said != [*map(consonants, others)] or differ_in_a_final_a(words, others):
        return False
    count = sum(map(len, said))
    if count >= _ENOUGH_CONSONANTS or all(map(have_like_vowels, words, others)):
        return count >= FEWEST_WITH_VOWELS
    return count >= FEWEST_CONSONANTS and not all(map(_have_as_many_vowels, words, others))


def differ_in_a_final_a(words: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether two words with the same consonants may be of a woman and a man: Olga, Oleg."""
    return any(
        one.endswith("a") != other.endswith("a") for one, other in zip(words, others, strict=True)
    )


def _have_as_many_vowels(word: str, other: str) -> bool:
    return len(_vowels(word)) == len(_vowels(other))


def _vowels(word: str) -> list[str]:
    return re.findall("[aeiouyj]+", word[1:])


def have_like_vowels(word: str, other: str) -> bool:
    """Tell whether the vowels of two words are as near as o and u, or a and e, or e and i."""
    vowels, others = _vowels(word), _vowels(other)
    return len(vowels) == len(others) and all(
        any(not pair.isdisjoint(one) and not pair.isdisjoint(two) for pair in _NEAR_VOWELS)
        for one, two in zip(vowels, others, strict=True)
    )


_NEAR_VOWELS = [{*"ou"}, {*"ae"}, {*"eiyj"}]


_FINAL_A = ("a", "а", "я")
_VOWELS = "aeiouyаеёєиіїйоуыэюяь"


def are_of_two_genders(words: list[str], others: list[str]) -> bool:
    """Tell whether two words differ in a final "a", as Zelenska (a woman) and Zelensky do."""
    return len(words) == len(others) and any(
        word.endswith(_FINAL_A) != other.endswith(_FINAL_A)
        and word.rstrip(_VOWELS) == other.rstrip(_VOWELS)
        for word, other in zip(words, others, strict=True)
    )
