"""The words that the model accepts: countries, currencies and other units; how names compare.

Guarantees: whatever is accepted comes back in the one spelling that is stored (a country as
ISO 3166-1 alpha-3, a currency as ISO 4217), and accepting that spelling
again changes nothing. Whatever is refused raises InvalidValue, one line that says what would
be right. The data files lie in db/vocabulary; each is read once, when first needed, and
nothing is read on import. This module knows `errors` and no other.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from timeline.errors import InvalidValue

__all__ = [
    "LONGEST_COUNTRY",
    "Country",
    "countries",
    "country",
    "country_name",
    "data",
    "db_folder",
    "fold",
    "is_currency",
    "known_country",
    "nearest",
    "shown",
    "unit",
]

_LONGEST_UNIT = 60
LONGEST_COUNTRY = 100
"""Characters of any spelling of a country."""
_LONGEST_SLIP = 200
"""Characters of what can be a slip of a known word."""

# Names that several countries share, as `_country_key` writes them: refused, never guessed.
_SHARED_NAMES = {
    "congo": ("COD", "COG"),
    "korea": ("PRK", "KOR"),
    "republic of china": ("CHN", "TWN"),
    "virgin islands": ("VGB", "VIR"),
}


class Country(NamedTuple):
    """A country of ISO 3166-1, or Kosovo; `name` is the one that newspapers print."""

    alpha3: str
    alpha2: str
    name: str


def db_folder() -> Path:
    """The folder db/ of SQL and data: inside the installed package, or beside it in a checkout.

    Raises RuntimeError if it is in neither place: the package is broken, not the input.
    """
    package = Path(__file__).parents[1]
    inside = package / "db"
    beside = package.parent / "db"
    # Asking for vocabulary/ keeps a foreign folder db/ beside the package from being taken.
    for folder in (inside, beside):
        if folder.joinpath("vocabulary").is_dir():
            return folder
    raise RuntimeError(f"the data files are missing: no vocabulary in {inside} or {beside}")


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """The form in which names are compared: no case, no diacritics, single blanks.

    fold(fold(text)) == fold(text).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.casefold().split())


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` is most likely a slip of, or None if none is close.

    Of equally close ones, the one that begins alike: people seldom mistype the first letters.
    """
    words = list(words)
    if word in words:
        return word
    if len(word) > _LONGEST_SLIP:
        return None
    from difflib import SequenceMatcher, get_close_matches  # for slips alone

    target = fold(word)
    known = {fold(candidate): candidate for candidate in words}

    def likeness(candidate: str) -> tuple[float, int]:
        pairs = zip(candidate, target, strict=False)
        alike_at_first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return SequenceMatcher(None, candidate, target).ratio(), alike_at_first

    close = get_close_matches(target, known, n=len(known) or 1)
    return known[max(sorted(close), key=likeness)] if close else None


@cache
def countries() -> tuple[Country, ...]:
    """All countries, in the order of their alpha-3 codes."""
    return tuple(
        Country(row["alpha3"], row["alpha2"], row["name"]) for row in _table("countries.csv")
    )


def country_name(alpha3: str) -> str:
    """The English name of a country. Raises InvalidValue if it is no alpha-3 code, in capitals."""
    try:
        return _country_names()[alpha3]
    except KeyError:
        problem = f"{shown(alpha3)} is not an ISO 3166-1 alpha-3 code such as GBR"
        raise InvalidValue(alpha3, problem) from None


@lru_cache(maxsize=10_000)
def country(text: str) -> str:
    """The ISO 3166-1 alpha-3 code of a country: by alpha-2, alpha-3 or English name.

    Case, diacritics, punctuation and a leading "the" do not matter. Raises InvalidValue.
    """
    if len(text) > LONGEST_COUNTRY:
        problem = f"a text of {len(text)} characters is not a country: at most {LONGEST_COUNTRY}"
        raise InvalidValue(text, problem)
    if alpha3 := known_country(text):
        return alpha3
    raise InvalidValue(text, _no_country(text, _country_key(text)))


def known_country(text: str) -> str | None:
    """What `country` answers; None for what names no country, and no search for the nearest."""
    return _countries_as_written().get(text) or _country_keys().get(_country_key(text))


def is_currency(code: str) -> bool:
    """Whether this is a current ISO 4217 code, in capitals."""
    return code in _currencies()


@lru_cache(maxsize=1024)
def unit(text: str) -> str:
    """What a quantity is counted in: an ISO 4217 code, or a noun in lower case ("person").

    Three capital letters are always meant as a currency; any other capitals become small.
    Raises InvalidValue.
    """
    noun = " ".join(text.split())
    if not noun:
        raise InvalidValue(text, 'a unit must not be empty: write "EUR" or "person"')
    if len(text.strip().splitlines()) > 1 or not noun.isprintable():
        raise InvalidValue(text, "a unit must be one line without control characters")
    if re.fullmatch("[A-Z]{3}", noun):
        if is_currency(noun):
            return noun
        near = nearest(noun, _currencies())
        hint = f"did you mean {near}?" if near else 'write "EUR", or a noun such as "person"'
        raise InvalidValue(text, f"{shown(noun)} is not an ISO 4217 currency: {hint}")
    noun = noun.lower()
    if len(noun) > _LONGEST_UNIT:
        problem = f"a unit must have at most {_LONGEST_UNIT} characters, not {len(noun)}"
        raise InvalidValue(text, problem)
    return noun


def shown(text: str) -> str:
    """The text as a message quotes it: one printable line, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'"{line}"' if len(line) <= _LONGEST_UNIT else f'"{line[:_LONGEST_UNIT]}..."'


def data(name: str) -> str:
    """The text of a file in db/vocabulary/."""
    return db_folder().joinpath("vocabulary", name).read_text(encoding="utf-8")


@cache
def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data(name))))


@cache
def _currencies() -> frozenset[str]:
    return frozenset(row["code"] for row in _table("currencies.csv"))


@cache
def _country_names() -> dict[str, str]:
    return {each.alpha3: each.name for each in countries()}


@cache
def _countries_as_written() -> dict[str, str]:
    """Codes and names just as the file has them -> alpha-3: most are given so."""
    return {spelling: each.alpha3 for each in countries() for spelling in each}


@cache
def _country_keys() -> dict[str, str]:
    """Every spelling of every country, as `_country_key` writes it -> alpha-3."""
    return {
        _country_key(spelling): row["alpha3"]
        for row in _table("countries.csv")
        for spelling in (row["alpha3"], row["alpha2"], row["name"], *row["aliases"].split(";"))
        if spelling
    }


def _country_key(text: str) -> str:
    """Folded, without dots ("U.S."), other punctuation as blanks, without a leading "the"."""
    plain = fold(text).replace(".", "").replace("&", " and ")
    return " ".join(re.findall(r"\w+", plain)).removeprefix("the ")


def _no_country(text: str, key: str) -> str:
    """Why this names no country, and which one may be meant."""
    if not text.strip():
        return (
            "a country must not be empty: write its English name or an ISO 3166-1 code such as GBR"
        )
    if key in _SHARED_NAMES:
        choice = " or ".join(_named(alpha3) for alpha3 in _SHARED_NAMES[key])
        return f"{shown(text)} is the name of several countries: write {choice}"
    # A short text is a code, and codes are all alike: GER is one letter from GEO, not from DEU.
    near = nearest(key, _country_keys()) if len(key) > 3 else None
    hint = (
        f"did you mean {_named(_country_keys()[near])}?"
        if near
        else "write its English name or an ISO 3166-1 code such as GBR"
    )
    return f"{shown(text)} is not a country: {hint}"


def _named(alpha3: str) -> str:
    return f'"{country_name(alpha3)}" ({alpha3})'
