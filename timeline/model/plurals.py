"""Say a unit that is an English noun in the plural, and find the noun of a plural.

Guarantees: ``singular(plural(noun)) == noun``: a noun of which this does not hold has no plural
here. What is no plain English word (F-16, km2, CO2) stays as it is.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from timeline.model.patterns import lazy_pattern

_IRREGULAR = dict(
    pair.split("/")
    for pair in (
        "ache/aches analysis/analyses atlas/atlases avalanche/avalanches axe/axes bus/buses"
        " cache/caches calf/calves calorie/calories canvas/canvases child/children cookie/cookies"
        " crisis/crises foot/feet gas/gases goose/geese half/halves headache/headaches hero/heroes"
        " junkie/junkies knife/knives leaf/leaves lens/lenses lie/lies life/lives loaf/loaves"
        " mosquito/mosquitoes mouse/mice movie/movies niche/niches person/people pie/pies"
        " potato/potatoes quiz/quizzes rookie/rookies selfie/selfies shelf/shelves thief/thieves"
        " tie/ties tomato/tomatoes tooth/teeth torpedo/torpedoes veto/vetoes virus/viruses"
        " volcano/volcanoes wife/wives wolf/wolves zombie/zombies"
    ).split()
)
_REGULAR = {several: one for one, several in _IRREGULAR.items()}
_NO_PLURAL = lazy_pattern(
    "aid|aircraft|ammunition|arms|barracks|cattle|chassis|clothes|corps|equipment|fish|forces|goods"
    "|gwh|headquarters|hovercraft|infantry|kph|kwh|livestock|means|mph|mwh|news|percent|personnel"
    "|police|series|sheep|spacecraft|species|staff|troops|twh|works|.{4,}ed"
)
"""Words that are the same for one and for several, such as "wounded", and symbols of units."""
_MEN = lazy_pattern(r"(?:.*[a-z])?(?<!hu)(?<!ger)(?<!ro)(?<!otto)m(a|e)n")
_BETWEEN = r" (?:of|per|in|from|with|at|on|for) "
_PARTS = lazy_pattern(rf"((?:.*? )??)([a-z]{{3,}})({_BETWEEN}.+)?")


@lru_cache(maxsize=1024)
def plural(noun: str) -> str:
    """Return the plural of a unit: "service members", "tonnes of CO2"; the unit if it has none."""
    several = _in_parts(noun, _several)
    return several if _in_parts(several, _one) == noun == singular(noun) else noun


@lru_cache(maxsize=1024)
def singular(noun: str) -> str:
    """Return the noun of a unit in the plural; any other unit as it is."""
    one = _in_parts(noun, _one)
    return one if _in_parts(one, _several) == noun else noun


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its noun: "1 entry", "1,200 entries"."""
    return f"{count:,} {one if count == 1 else many}"


def _in_parts(noun: str, change: Callable[[str], str]) -> str:
    match = None if re.search(" (?:and|or) ", noun) else _PARTS.fullmatch(noun)
    if match is None or _NO_PLURAL.fullmatch(match[2]) or re.search(_BETWEEN, match[1]):
        return noun
    before, word, after = match.groups()
    return f"{before}{change(word)}{after or ''}"


def _several(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if (men := _MEN.fullmatch(word)) and men[1] == "a":
        return f"{word[:-2]}en"
    if re.search("(?:ss|x|zz|ch|sh)$", word):
        return f"{word}es"
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if re.search("[^aeiou]y$", word) else f"{word}s"


def _one(word: str) -> str:
    if word in _REGULAR or word in _IRREGULAR:
        return _REGULAR.get(word, word)
    if (men := _MEN.fullmatch(word)) and men[1] == "e":
        return f"{word[:-2]}an"
    if re.search("(?:ss|x|zz|ch|sh)es$", word):
        return word[:-2]
    if re.search("[^aeiou]ies$", word):
        return f"{word[:-3]}y"
    return word[:-1] if re.search("[^siu]s$", word) else word
