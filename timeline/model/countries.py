"""Find the country that people mean by a name or a code.

Guarantees: an accepted country comes back as its ISO 3166-1 alpha-3 code, and accepting that
code again changes nothing. A refusal is an InvalidValue of one line that says what would be
right. The data file is read when it is first needed, not on import.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.model import hints, names, resources

LONGEST_COUNTRY = 100
"""Characters of a text that is read as a country; longer texts are refused."""

# Alpha-3 codes of the countries that share a name, by the name as `_country_key` writes it.
# Such a name is refused, never guessed.
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


@cache
def countries() -> tuple[Country, ...]:
    """Return all countries, in the order of their alpha-3 codes."""
    return tuple(
        Country(row["alpha3"], row["alpha2"], row["name"])
        for row in resources.table("countries.csv")
    )


def country_name(alpha3: str) -> str:
    """Return the English name of a country.

    Raises InvalidValue if `alpha3` is not an alpha-3 code in capitals.
    """
    try:
        return _country_names()[alpha3]
    except KeyError:
        problem = f"{hints.quoted(alpha3)} is not an ISO 3166-1 alpha-3 code such as GBR"
        raise InvalidValue(alpha3, problem) from None


@lru_cache(maxsize=10_000)
def country(text: str) -> str:
    """Return the ISO 3166-1 alpha-3 code of a country with this alpha-2, alpha-3 or English name.

    Case, diacritics, punctuation and a leading "the" do not matter. Raises InvalidValue if the
    text is no country, or a name that several countries share.
    """
    if len(text) > LONGEST_COUNTRY:
        problem = f"a text of {len(text)} characters is not a country: at most {LONGEST_COUNTRY}"
        raise InvalidValue(text, problem)
    if alpha3 := known_country(text):
        return alpha3
    raise InvalidValue(text, _no_country(text, _country_key(text)))


def known_country(text: str) -> str | None:
    """Return the alpha-3 code as `country` does, or None if the text is not a country.

    It makes no message, and so does not search for the country that may be meant.
    """
    return _countries_as_written().get(text) or _country_keys().get(_country_key(text))


@cache
def _country_names() -> dict[str, str]:
    return {each.alpha3: each.name for each in countries()}


@cache
def _countries_as_written() -> dict[str, str]:
    """Return alpha-3 codes by code and name as the file spells them.

    Most texts are spelled like this, and are found without being folded.
    """
    return {spelling: each.alpha3 for each in countries() for spelling in each}


@cache
def _country_keys() -> dict[str, str]:
    """Return alpha-3 codes by every spelling of a country, as `_country_key` writes it."""
    return {
        _country_key(spelling): row["alpha3"]
        for row in resources.table("countries.csv")
        for spelling in (row["alpha3"], row["alpha2"], row["name"], *row["aliases"].split(";"))
        if spelling
    }


def _country_key(text: str) -> str:
    """Fold a name of a country: without dots ("U.S.") and without a leading "the".

    "&" becomes "and", and other punctuation becomes blanks.
    """
    plain = names.fold(text).replace(".", "").replace("&", " and ")
    return " ".join(re.findall(r"\w+", plain)).removeprefix("the ")


def _no_country(text: str, key: str) -> str:
    """Explain why a text is not a country, and which country may be meant."""
    if not text.strip():
        return (
            "a country must not be empty: write its English name or an ISO 3166-1 code such as GBR"
        )
    if key in _SHARED_NAMES:
        choice = " or ".join(_named(alpha3) for alpha3 in _SHARED_NAMES[key])
        return f"{hints.quoted(text)} is the name of several countries: write {choice}"
    # A text of up to three letters is a code, and no near code is suggested: GER is one letter
    # from GEO (Georgia), but means DEU (Germany).
    near = hints.nearest(key, _country_keys()) if len(key) > 3 else None
    hint = (
        f"did you mean {_named(_country_keys()[near])}?"
        if near
        else "write its English name or an ISO 3166-1 code such as GBR"
    )
    return f"{hints.quoted(text)} is not a country: {hint}"


def _named(alpha3: str) -> str:
    return f'"{country_name(alpha3)}" ({alpha3})'
