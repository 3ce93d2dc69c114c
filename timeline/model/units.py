"""Read the units of quantities: currencies of ISO 4217, and nouns.

Guarantees: an accepted unit comes back in the one spelling that is stored, and accepting that
spelling again changes nothing. A refusal is an InvalidValue of one line that says what would be
right.
"""

import re
from functools import cache, lru_cache

from timeline.errors import InvalidValue
from timeline.model import hints, resources

COUNTED_IN_PEOPLE = ("killed", "injured")
"""The measures that are counted in people unless another unit is given."""

_LONGEST_UNIT = 60
"""Characters of a unit that is a noun; longer ones are refused."""


def is_currency(code: str) -> bool:
    """Tell whether `code` is a current ISO 4217 code, in capitals."""
    return code in currencies()


@lru_cache(maxsize=1024)
def unit(text: str) -> str:
    """Return the stored spelling of a unit: an ISO 4217 code, or a noun in lower case ("person").

    Three capital letters are always read as a currency. Capitals of any other unit become small
    letters, unless the unit holds a digit: "F-16", "CO2". Raises InvalidValue for an unknown
    currency, and for a text that is empty, too long, or not one printable line.
    """
    noun = " ".join(text.split())
    if not noun:
        raise InvalidValue(text, 'a unit must not be empty: write "EUR" or "person"')
    if len(text.strip().splitlines()) > 1 or not noun.isprintable():
        raise InvalidValue(text, "a unit must be one line without control characters")
    if re.fullmatch("[A-Z]{3}", noun):
        if is_currency(noun):
            return noun
        near = hints.nearest(noun, currencies())
        hint = f"did you mean {near}?" if near else 'write "EUR", or a noun such as "person"'
        raise InvalidValue(text, f"{hints.quoted(noun)} is not an ISO 4217 currency: {hint}")
    if not any(character.isdecimal() for character in noun):
        noun = noun.lower()
    if len(noun) > _LONGEST_UNIT:
        problem = f"a unit must have at most {_LONGEST_UNIT} characters, not {len(noun)}"
        raise InvalidValue(text, problem)
    return noun


@cache
def currencies() -> frozenset[str]:
    """Return the current ISO 4217 codes, in capitals."""
    return frozenset(row["code"] for row in resources.table("currencies.csv"))
