"""Find names by words of them, in whichever script each of them is written.

Guarantees: case and accents do not matter. Words in one script find a name in another one if they
have the consonants of words of it, as `twins.scripts` spells both in Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from timeline.model import names
from timeline.reading.selection import folded
from timeline.reading.twins import scripts
from timeline.reading.twins.sounds import consonants

_FEWEST = 3
"""Consonants, at least, of a word that is compared across scripts: shorter ones are too common."""


class Wanted:
    """It tells which names have all words of a text."""

    def __init__(self, text: str) -> None:
        self._words = folded(text).split()
        self._is_latin = scripts.is_latin(text)
        self._sounds = [_sounds_of_word(word) for word in names.fold(text).split()]
        self._has_sounds = all(self._sounds)

    def is_in(self, called: Collection[str]) -> bool:
        """Tell whether one of several names of one thing, or all of them together, have the words.

        Across scripts, one name must have all of them.
        """
        text = " ".join(map(folded, called))
        return all(word in text for word in self._words) or (
            self._has_sounds and any(map(self._sounds_like, called))
        )

    def _sounds_like(self, name: str) -> bool:
        if scripts.is_latin(name) == self._is_latin:
            return False
        sounds = _sounds_of_name(name)
        return all(not sounds.isdisjoint(each) for each in self._sounds)


@lru_cache(maxsize=2**14)
def _sounds_of_name(name: str) -> frozenset[str]:
    return frozenset[str]().union(*map(_sounds_of_word, re.findall(r"\w+", names.fold(name))))


@lru_cache(maxsize=2**14)
def _sounds_of_word(word: str) -> frozenset[str]:
    """Return the consonants of a word in each of its spellings in Latin letters."""
    spelled = (each for several in scripts.spellings(word) for each in several)
    return frozenset(found for each in spelled if len(found := consonants(each)) >= _FEWEST)
