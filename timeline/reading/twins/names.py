"""Likeness of names: this judges whether two names may be those of one actor, and says why.

Guarantees: a judgement depends on the two texts only, in either order, and a person decides on
it; in doubt, two names are taken for those of two actors. Of many names only those are worth
comparing that share one of their `keys`, or whose `forms` are a slip apart
(`misspellings.pairs`).

Knows no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

from timeline.model import countries
from timeline.reading.twins import misspellings, scripts
from timeline.reading.twins.sounds import are_of_two_genders, consonants, sound_alike

_OFFICES = frozenset((
    "ambassador", "chairman", "chairwoman", "chancellor", "chief", "colonel", "commander",
    "commissioner", "deputy", "doctor", "dr", "excellency", "foreign", "general", "governor",
    "her", "his", "king", "lady", "lieutenant", "lord", "major", "marshal", "mayor", "minister",
    "mp", "mr", "mrs", "ms", "pm", "pope", "premier", "president", "prime", "prince", "princess",
    "prof", "professor", "queen", "representative", "royal", "secretary", "senator", "sir",
    "spokesman", "spokesperson", "spokeswoman", "vice",
))  # fmt: skip
"""Words of an office or a title, after which a name may follow."""
_SMALL = frozenset(("a", "and", "at", "by", "de", "for", "in", "la", "of", "on", "the", "to"))
"""Words that are left out of abbreviations, and are in no name of a person."""
_SHORTEST_SURNAME = 4
"""Letters of a surname that is compared with whole names, at least."""
_ARTICLES = frozenset(("al", "el", "ad", "an", "ar", "as", "ash", "at", "az"))
"""The article of Arabic names, as it is spelled in Latin letters."""
_MOST_KEYS = 64
"""Spellings of a whole name, at most, by which other names are looked for."""
_MOST_OF_A_PERSON = 4
"""Words in the name of a person, at most."""

INITIAL, SURNAME = 4, 5
"""The ranks of names that are only alike by an initial, or only by a surname."""


class Likeness(NamedTuple):
    """A likeness has a rank, of which 1 is the closest, and a reason."""

    rank: int
    why: str


def likeness(one: str, other: str) -> Likeness | None:
    """Return how two names are alike; None if they are the names of two actors."""
    if not (scripts.is_latin(one) and scripts.is_latin(other)):
        return _in_one_script(one, other) or _across_scripts(one, other)
    return _in_one_script(one, other)


def _in_one_script(one: str, other: str) -> Likeness | None:
    country, other_country = _country(one), _country(other)
    if country and other_country:
        called = countries.country_name(country)
        return Likeness(1, f"two names of {called}") if country == other_country else None
    if not _plain(one) or not _plain(other):
        return None
    if found := _same(one, other):
        return found
    if _is_short_for(one, other) or _is_short_for(other, one):
        return Likeness(2, "the one is made of the first letters of the other")
    words, others = _bare(one), _bare(other)
    in_office = ", but for an office" if _has_office(one) or _has_office(other) else ""
    if words == others:
        return Likeness(2, "the same but for an office")
    for left, right in ((words, others), (sorted(words), sorted(others))):
        if are_of_two_genders(left, right):
            continue
        slips = misspellings.letters_apart_either_way(" ".join(left), " ".join(right))
        if slips and scripts.is_arabic(one) and scripts.is_arabic(other):
            continue  # a letter more or less makes another name: Mahmud, Muhammad
        if slips is not None:
            letters = f"{slips} letter{'' if slips == 1 else 's'} apart" if slips else "the same"
            return Likeness(3, f"{letters}{in_office}")
        if sound_alike(left, right):
            return Likeness(3, f"two spellings of one sound{in_office}")
    if _has_initial(words, others) or _has_initial(others, words):
        return Likeness(INITIAL, f"the one has an initial{in_office}")
    if _is_surname(words, other) or _is_surname(others, one):
        return Likeness(SURNAME, f"the one is a surname{in_office}")
    return None


def is_bare(name: str) -> bool:
    """Tell whether a name has neither an office nor an article."""
    return _bare(name) == misspellings.words_of_name(name)


def is_alone(name: str) -> bool:
    """Tell whether a name is one word, with or without an office."""
    return len(_bare(name)) == 1


def have_same_words(one: str, other: str) -> bool:
    """Tell whether two names differ only in case, accents, punctuation, article or word order."""
    return sorted(_plain(one)) == sorted(_plain(other))


def are_relatives(one: str, other: str) -> bool:
    """Tell whether two whole names share a surname but belong to two persons."""
    words, others = _bare(one), _bare(other)
    return (
        len(words) > 1
        and len(others) > 1
        and _is_one_word(words[-1], others[-1])
        and likeness(one, other) is None
    )


def _same(one: str, other: str) -> Likeness | None:
    words, others = _plain(one), _plain(other)
    if words == others and misspellings.words_of_name(one) != misspellings.words_of_name(other):
        return Likeness(1, 'the same but for "the"')
    if "".join(words) == "".join(others):
        return Likeness(1, "the same but for case, accents or punctuation")
    if sorted(words) == sorted(others):
        return Likeness(1, "the same words in another order")
    return None


def keys(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the keys of a name, each with whether to look for other names by it.

    Two names are compared if one of them looks by a key that the other has. A whole name does
    not look by its initial, surname or abbreviation: those short names look for it.
    """
    if country := _country(name):
        yield f"country {country}", True
    yield f"letters {''.join(_plain(name))}", True
    for words in {tuple(_plain(name)), tuple(_bare(name))} - {()}:
        yield f"words {' '.join(sorted(words))}", True
        yield f"sound {' '.join(sorted(map(consonants, words)))}", True
        if not _ARTICLES.isdisjoint(words):
            yield (
                f"sound {' '.join(sorted(consonants(w) for w in words if w not in _ARTICLES))}",
                True,
            )
        last = consonants(words[-1])
        if 1 < len(words) <= _MOST_OF_A_PERSON:
            yield f"initial {words[0][:1]} {last}", len(words[0]) == 1
        if len(words) == 1 or _is_person(name):
            yield f"surname {last}", len(words) == 1
    if not scripts.is_latin(name):
        yield from _keys_in_latin(name)
    if short := _short(name):
        yield f"short {short}", True
    for letters in _initials(name):
        yield f"short {letters}", False


def _keys_in_latin(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the keys that names in Latin letters have which may be this name."""
    words = scripts.spellings(name)
    if not words:
        return
    yield f"letters {''.join(first for first, *_ in words)}", True
    sounds = [sorted(set(map(consonants, each))) for each in words]
    for each in islice(product(*sounds), _MOST_KEYS):
        yield f"sound {' '.join(sorted(each))}", True
    for last in sounds[-1]:
        if 1 < len(words) <= _MOST_OF_A_PERSON:
            initials = {spelling[:1] for spelling in words[0]}
            for initial in sorted(initials):
                yield f"initial {initial} {last}", len(words[0][0]) == 1
        yield f"surname {last}", len(words) == 1


def forms(name: str) -> set[str]:
    """Return a name without its article, with and without its office, to compare for slips."""
    return {" ".join(words) for words in (_plain(name), _bare(name)) if words}


# --- Words --------------------------------------------------------------------------------


@lru_cache(maxsize=2**16)
def _plain(name: str) -> list[str]:
    """Return the words of a name, without case, accents, punctuation and a leading "the"."""
    words = misspellings.words_of_name(name)
    return words[1:] if words[:1] == ["the"] and len(words) > 1 else words


@lru_cache(maxsize=2**16)
def _bare(name: str) -> list[str]:
    """Return words without an office: X of "President X", "NATO Secretary General X", "X, MP"."""
    before, comma, behind = name.partition(",")
    if comma and _plain(before) and not _OFFICES.isdisjoint(_plain(behind)):
        return _bare(before)
    words = _plain(name)
    offices = [place for place, word in enumerate(words) if word in _OFFICES]
    bare = words[offices[-1] + 1 :] if offices else words
    return words if not bare or bare[0] in _SMALL else bare


def _has_office(name: str) -> bool:
    return _bare(name) != _plain(name)


@lru_cache(maxsize=2**16)
def _country(name: str) -> str | None:
    """Return the country with this name, or None; a code of a country must be in capitals."""
    if len(name) <= 3 and not name.isupper():
        return None
    return countries.known_country(name)


# --- Abbreviations ------------------------------------------------------------------------


def _short(name: str) -> str | None:
    """Return the letters of an abbreviation such as NATO or U.N.; None for any other name."""
    return name.replace(".", "") if re.fullmatch(r"(?:[A-Z]\.?){2,8}", name) else None


@lru_cache(maxsize=2**16)
def _initials(name: str) -> set[str]:
    """Return the abbreviations that a name of several words may have."""
    words = re.findall(r"\w+", " ".join(_plain(name.replace("-", ""))).upper())
    large = [word for word in words if word.lower() not in _SMALL]
    return {"".join(word[0] for word in some) for some in (words, large) if len(some) > 1}


def _is_short_for(short: str, name: str) -> bool:
    return _short(short) in _initials(name)


# --- Persons ------------------------------------------------------------------------------


def _is_person(name: str) -> bool:
    """Tell whether a name may be a person's: a few capitalised words, and none such as "of"."""
    words = name.split()
    return 1 < len(words) <= _MOST_OF_A_PERSON + 2 and all(
        word[:1].isupper() and word.lower() not in _SMALL for word in words
    )


def _has_initial(words: list[str], others: list[str]) -> bool:
    """Tell whether the first name has initials, as V. Zelensky, and may be short for the second."""
    if not 1 < len(words) <= _MOST_OF_A_PERSON or not 1 < len(others) <= _MOST_OF_A_PERSON:
        return False
    *given, last = words
    *others_given, other_last = others
    return (
        all(len(word) == 1 for word in given)
        and len(others_given[0]) > 1
        and all(one == other[:1] for one, other in zip(given, others_given, strict=False))
        and _is_one_word(last, other_last)
    )


def _is_surname(words: list[str], name: str) -> bool:
    """Tell whether the first is a surname, as Zelensky, and the second a whole name with it."""
    others = _bare(name)
    return (
        len(words) == 1
        and len(words[0]) >= _SHORTEST_SURNAME
        and 1 < len(others) <= _MOST_OF_A_PERSON
        and words[0].isalpha()
        and words[0] not in _OFFICES
        and _is_person(name)
        and not _country(words[0])
        and _is_one_word(words[0], others[-1])
    )


def _is_one_word(one: str, other: str) -> bool:
    if one == other:
        return True
    is_slip = misspellings.letters_apart_either_way(one, other) is not None
    return (is_slip or sound_alike([one], [other])) and not are_of_two_genders([one], [other])


# --- Scripts ------------------------------------------------------------------------------


def _across_scripts(one: str, other: str) -> Likeness | None:
    """Return how two names are alike in Latin letters, of which one at least is in other ones."""
    one, other = sorted((one, other), key=lambda name: (scripts.is_latin(name), name))
    are_arabic = scripts.is_arabic(one), scripts.is_arabic(other)
    words, others = _words_in_latin(one, any(are_arabic)), _words_in_latin(other, any(are_arabic))
    if not words or not others or all(are_arabic):
        return None
    if "".join(each[0] for each in words) == "".join(each[0] for each in others):
        return Likeness(3, "the same in Latin letters")
    alike = scripts.alike_in_arabic if any(are_arabic) else scripts.alike_in_latin
    if are_arabic[1]:
        one, words, other, others = other, others, one, words
    for turned in (others, [*others[1:], *others[:1]], [*others[-1:], *others[:-1]]):
        if spelled := alike(words, turned):
            return Likeness(3, scripts.difference(*spelled, is_arabic=any(are_arabic)))
    for short, whole in ((words, others), (others, words)):
        if not 1 < len(whole) <= _MOST_OF_A_PERSON or len(short) > len(whole):
            continue
        lasts = (short[-1:], whole[-1:]) if short is words else (whole[-1:], short[-1:])
        if not alike(*lasts):
            continue
        if len(short) == 1:
            return Likeness(SURNAME, "the one is a surname, in Latin letters")
        firsts = short[0][0], whole[0][0]
        if len(firsts[0]) == 1 < len(firsts[1]) and firsts[1].startswith(firsts[0]):
            return Likeness(INITIAL, "the one has an initial, in Latin letters")
    return None


def _words_in_latin(name: str, without_article: bool) -> scripts.Spelled:
    if not scripts.is_latin(name):
        return scripts.spellings(name)
    return [(word,) for word in _bare(name) if not (without_article and word in _ARTICLES)]
