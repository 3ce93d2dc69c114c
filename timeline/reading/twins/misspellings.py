"""Misspellings: this finds new names that look like names that are known already.

Guarantees: it reads, and refuses nothing. Two names are alike if they only differ in case,
diacritics and punctuation, or in one letter of a word of five to eight letters, or in two of a
longer word. Shorter words, numbers and names of countries must be the same: "Iran" is no slip
of "Iraq", nor "Phase 1" of "Phase 2".
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

from timeline.model import countries
from timeline.model.names import OWN_LETTERS, actor_id_of, fold

_MOST_NEW = 200
"""New names, at most, that are compared: if there are more, they are not slips."""
_MOST_SLIPS = 2
"""Letters in which two names may differ, at most."""
_SHORTEST = 3
"""Letters of the shortest name that is compared."""


Name = tuple[str, str]
"""A kind of name ("actor", "place" or "tag"), and the name."""


class Slip(NamedTuple):
    """A slip is a new name, with the known one that may have been meant."""

    what: str
    name: str
    known: str


_IS_KNOWN = {
    "actor": (
        "SELECT 1 FROM actors WHERE actor_id = :id"
        " UNION ALL SELECT 1 FROM actor_names WHERE name_key = :key"
    ),
    "place": "SELECT 1 FROM events WHERE place = :name OR about_place = :name",
    "tag": "SELECT 1 FROM event_tags WHERE tag = :name",
}
_KNOWN = {
    "actor": "SELECT name, aliases FROM actors",
    "place": "SELECT place, NULL FROM events UNION SELECT about_place, NULL FROM events",
    "tag": "SELECT DISTINCT tag, NULL FROM event_tags",
}


def unknown(connection: sqlite3.Connection, names: Iterable[Name]) -> list[Name]:
    """Return the names that the log does not have; none if they are too many to be slips."""
    new: list[Name] = []
    for what, name in names:
        values = {"name": name, "id": actor_id_of(name), "key": fold(name)}
        if not connection.execute(f"{_IS_KNOWN[what]} LIMIT 1", values).fetchone():
            new.append((what, name))
            if len(new) > _MOST_NEW:
                return []
    return new


def slips(connection: sqlite3.Connection, new: Iterable[Name]) -> Iterator[Slip]:
    """Yield the new names that look like a known one; new names are not compared with each other.

    Only names that begin or end with the same two letters are compared.
    """
    by_what: defaultdict[str, list[str]] = defaultdict(list)
    for what, name in new:
        by_what[what].append(name)
    for what, names in by_what.items():
        wanted = {end for name in names for end in _ends(name)}
        known: defaultdict[str, list[str]] = defaultdict(list)
        for name in {*_known(connection, what)}.difference(names):
            for end in _ends(name):
                if end in wanted:
                    known[end].append(name)
        for name in names:
            if found := _nearest(name, {other for end in _ends(name) for other in known[end]}):
                yield Slip(what, name, found)


def _known(connection: sqlite3.Connection, what: str) -> Iterator[str]:
    for name, aliases in connection.execute(_KNOWN[what]):
        if name:
            yield name
        if aliases:
            yield from aliases.split("; ")


def _ends(name: str) -> tuple[str, str]:
    """Return the first and the last two letters of a name, each with all of its digits.

    Names are compared under these keys, so that no number is taken for a slip of another.
    """
    key = _key(name)
    digits = "".join(re.findall(r"\d", key))
    return f"{key[:2]}-{digits}", f"{digits}-{key[-2:]}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    found = (
        (slip, other)
        for other in known
        if _have_like_letters(name, other) and (slip := letters_apart(name, other)) is not None
    )
    return min(found, default=(0, None))[1]


def pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield every pair of names that look alike and begin or end with the same two letters."""
    by_beginning: defaultdict[str, list[str]] = defaultdict(list)
    by_end: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        beginning, end = _ends(name)
        by_beginning[beginning].append(name)
        by_end[end].append(name)
    for one, other in _couples(by_beginning):
        if _have_like_letters(one, other) and letters_apart_either_way(one, other) is not None:
            yield one, other
    for one, other in _couples(by_end):
        if (
            _have_like_letters(one, other)
            and _ends(one)[0] != _ends(other)[0]
            and letters_apart_either_way(one, other) is not None
        ):
            yield one, other


def _couples(blocks: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    return chain.from_iterable(combinations(block, 2) for block in blocks.values())


def _have_like_letters(name: str, other: str) -> bool:
    """Tell quickly whether two names have nearly the same letters; else they are not alike."""
    return (_letters(name) ^ _letters(other)).bit_count() <= 2 * _MOST_SLIPS


def letters_apart_either_way(one: str, other: str) -> int | None:
    """Return what `letters_apart` returns, if either of the two names may be the known one."""
    found = letters_apart(one, other)
    return letters_apart(other, one) if found is None else found


@lru_cache(maxsize=2**17)
def _letters(name: str) -> int:
    """Return the letters of a name as a set of bits; one slip changes two bits at most."""
    bits = 0
    for letter in {*_key(name)}:
        bits |= letter.isalnum() << (ord(letter) % 64)
    return bits


def letters_apart(name: str, known: str) -> int | None:
    """Return the number of letters in which two like names differ; None if they are not alike."""
    words, known_words = words_of_name(name), words_of_name(known)
    joined = "".join(words)
    if joined == "".join(known_words):
        return 0 if len(joined) >= _SHORTEST else None
    if len(words) != len(known_words):
        return None
    total = 0
    for word, known_word in zip(words, known_words, strict=True):
        if word == known_word:
            continue
        slip = _slip(word, known_word, _allowed(word, known_word))
        if slip is None or countries.known_country(word):
            return None
        total += slip
    return total if total <= _MOST_SLIPS else None


def _key(name: str) -> str:
    """Fold a name as `model.names.fold` does, four times as fast, and letters such as Ł, too."""
    return name.casefold() if name.isascii() else fold(name.translate(OWN_LETTERS))


def words_of_name(name: str) -> list[str]:
    """Return the words of a name, without case, diacritics and punctuation."""
    return re.findall(r"\w+", _key(name))


def _allowed(word: str, other: str) -> int:
    if max(len(word), len(other)) < 5 or not (word.isalpha() and other.isalpha()):
        return 0
    return 2 if min(len(word), len(other)) > 8 else 1


def _slip(word: str, other: str, allowed: int) -> int | None:
    """Count the letters to add, drop, change or swap with the next one; None if over `allowed`.

    This is the optimal string alignment distance, given up early.
    """
    if abs(len(word) - len(other)) > allowed:
        return None
    same = 0
    while same < min(len(word), len(other)) and word[same] == other[same]:
        same += 1
    word, other = word[same:], other[same:]
    if not word or not other or not allowed:
        rest = max(len(word), len(other))
        return rest if rest <= allowed else None
    ways = [(word[1:], other[1:]), (word[1:], other), (word, other[1:])]
    if word[:2] == other[1::-1]:
        ways.append((word[2:], other[2:]))
    slips = [slip for way in ways if (slip := _slip(*way, allowed - 1)) is not None]
    return 1 + min(slips) if slips else None
