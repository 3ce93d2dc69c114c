"""Say in English the words around a number that a person wrote in another language.

Guarantees: only words with one meaning are known: those before a number ("mindestens 8"), its
scale ("1,2 Mrd.") and the people that it counts ("7 Personen"). The digits and marks stay as they
are.

The patterns are made when the first figure is read: most commands read none.
"""

import re
from functools import cache

_BEFORE = {
    "at least": (
        "mindestens", "wenigstens", "au moins", "al menos", "por lo menos", "almeno", "pelo menos",
        "minstens", "ten minste", "co najmniej", "щонайменше", "принаймні", "не менше",
        "как минимум", "по меньшей мере", "не менее", "ما لا يقل عن",
    ),
    "more than": (
        "mehr als", "über", "plus de", "más de", "mas de", "più di", "oltre", "mais de", "meer dan",
        "ponad", "więcej niż", "понад", "більше", "більш як", "более", "свыше", "больше", "أكثر من",
    ),
    "about": (
        "etwa", "rund", "circa", "ca.", "ca", "ungefähr", "environ", "unos", "unas", "alrededor de",
        "cerca de", "près de", "ongeveer", "około", "близько", "приблизно", "около", "примерно",
        "حوالي",
    ),
    "up to": ("bis zu", "jusqu'à", "hasta", "fino a", "até", "tot", "do", "до"),
}  # fmt: skip
"""Words before a number, by what they are in English."""
_BEHIND = {
    "thousand": ("tausend", "tsd.", "tsd", "тис.", "тис", "тыс.", "тыс", "tys.", "tys"),
    "million": (
        "millionen", "mio.", "mio", "millions", "millones", "milioni", "milhões", "miljoen", "mln.",
        "mln", "мільйонів", "мільйона", "мільйон", "млн.", "млн", "миллионов", "миллиона",
    ),
    "milliard": (
        "milliarden", "milliarde", "mrd.", "mrd", "milliards", "miliardi", "miliardo", "mld.",
        "mld", "miljard", "мільярдів", "мільярда", "млрд.", "млрд", "миллиардов", "миллиарда",
    ),
    "people": (
        "personen", "menschen", "personnes", "personas", "persone", "pessoas", "personen", "osób",
        "osoby", "осіб", "особи", "людей", "людини", "человек", "человека", "أشخاص",
    ),
}  # fmt: skip
"""Words behind a number, by what they are in English."""


def in_english(text: str) -> str | None:
    """Return a figure with English words for the known ones of it; None if it has none of them."""
    found = _before().sub(lambda match: f"{_words(_BEFORE)[match[1].lower()]} ", text.strip(), 1)
    found = _behind().sub(lambda match: _words(_BEHIND)[match[1].lower()], found)
    return None if found == text.strip() else found


def scales_of_other_languages() -> dict[str, str]:
    """Return the words for thousands, millions and so on, with what they are in English."""
    return _words({english: words for english, words in _BEHIND.items() if english != "people"})


def _words(several: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: english for english, words in several.items() for word in words}


def _any_of(several: dict[str, tuple[str, ...]]) -> str:
    return "|".join(map(re.escape, sorted(_words(several), key=len, reverse=True)))


@cache
def _before() -> re.Pattern[str]:
    return re.compile(rf"^({_any_of(_BEFORE)})\s+(?=[0-9])", re.IGNORECASE)


@cache
def _behind() -> re.Pattern[str]:
    return re.compile(rf"(?<=[0-9\s])({_any_of(_BEHIND)})(?![^\W\d_])", re.IGNORECASE)
