"""Find things by words of their names, in whichever script each of these is written.

Guarantees: case and accents do not matter. Words in one script find a name in another one if they
have the consonants of words of it, as `twins.scripts` spells both in Latin letters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache

from timeline.model import names
from timeline.reading.selection import folded
from timeline.reading.twins import scripts
from timeline.reading.twins.sounds import consonants

_FEWEST = 3
"""Consonants, at least, of a word that is compared across scripts: shorter ones are too common."""

Sounds = Mapping[str, Collection[int]]
"""The places of the names that have a word with these consonants."""


class NameSearch:
    """It finds things by their names; things are known by their ids."""

    def __init__(self, called: Mapping[str, Collection[str]]) -> None:
        """Take the names of each thing."""
        self._texts = {each: " ".join(map(folded, its)) for each, its in called.items()}
        self._named = [(each, name) for each, its in called.items() for name in its]

    def found(self, text: str) -> set[str]:
        """Return the ids of the things whose names, taken together, have all words of a text.

        Across scripts, one name must have all of them.
        """
        words = folded(text).split()
        ids = {each for each, its in self._texts.items() if all(word in its for word in words)}
        sounds = [_sounds_of_word(word) for word in names.fold(text).split()]
        if all(sounds):
            others = self._in_other_scripts if scripts.is_latin(text) else self._in_latin
            having = [
                {place for each in several for place in others.get(each, ())} for several in sounds
            ]
            ids |= {self._named[place][0] for place in set.intersection(*having)} if having else ids
        return ids

    @cached_property
    def _in_latin(self) -> Sounds:
        return self._sounds(is_latin=True)

    @cached_property
    def _in_other_scripts(self) -> Sounds:
        return self._sounds(is_latin=False)

    def _sounds(self, *, is_latin: bool) -> Sounds:
        """Return the consonants of the words of names; for 100,000 names it takes 2 s, once."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for place, (_, name) in enumerate(self._named):
            if scripts.is_latin(name) == is_latin:
                for word in re.findall(r"\w+", names.fold(name)):
                    for each in _sounds_of_word(word):
                        found[each].append(place)
        return dict(found)


@lru_cache(maxsize=2**14)
def _sounds_of_word(word: str) -> frozenset[str]:
    """Return the consonants of a word in each of its spellings in Latin letters."""
    spelled = (each for several in scripts.spellings(word) for each in several)
    return frozenset(found for each in spelled if len(found := consonants(each)) >= _FEWEST)
