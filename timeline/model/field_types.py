"""Define the types of fields: texts, numbers, dates, places and codes, each in one spelling.

Guarantees: a value that these types accept has no NUL and no half character (a lone surrogate);
a number is an exact decimal, a date is EDTF, a country is ISO 3166-1 alpha-3; equal values come
out equal. A refusal says what would be right. This module knows no model that uses the types.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictStr,
    StringConstraints,
)

from timeline.errors import InvalidValue
from timeline.model import countries, edtf, hints
from timeline.model.limits import ID, MAX_DIGITS, MAX_NUMBER

ID_PATTERN = f"^{ID}$"
_LINE_BREAKS = r"\n\r\x0b\x0c\x1c-\x1e\u0085\u2028\u2029"
MEDIA_TYPE_PATTERN = r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$"
TIME_ZONE_PATTERN = r"^[A-Za-z0-9_+/-]+$"
LINE_PATTERN = f"^[^\\x00{_LINE_BREAKS}]+$"
_LONGEST_WORD = 60
"""Characters of a `Word`, and of a language tag."""
_LONGEST_NUMBER = 200
"""Characters of a number as it is written, with all its zeros."""
LONGEST_DATE = 200
"""Characters of a date as it is written."""


def _decimal(value: object) -> Decimal:
    """Return a number as an exact Decimal with one spelling: 35, 35.0 and "3.5e1" give the same.

    Raises InvalidValue for a value that is no number, for NaN, and for a number of more than 38
    digits or beyond 1e38.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InvalidValue(value, "must be a number, or a number in a string")
    return _exact(value)


@lru_cache(maxsize=4096, typed=True)
def _exact(value: int | float | str | Decimal) -> Decimal:
    if isinstance(value, int) and abs(value) > MAX_NUMBER:  # str() refuses a very long int
        raise InvalidValue(value, "is too large: at most 1e38")
    text = repr(value) if isinstance(value, float) else str(value).strip()
    shown = hints.printable(text if len(text) <= 45 else text[:42] + "...")
    if len(text) > _LONGEST_NUMBER:
        raise InvalidValue(value, f"{shown} has too many digits: at most {MAX_DIGITS}")
    try:
        number = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan():
        raise InvalidValue(value, f'"{shown}" is not a number: write one such as 35 or 3.5')
    if number.copy_abs() > MAX_NUMBER:  # abs() would round, or overflow
        raise InvalidValue(value, f"{shown} is too large: at most 1e38")
    sign, digits, exponent = number.as_tuple()
    exponent = int(exponent)
    if not any(digits):
        return Decimal(0)
    while digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    if len(digits) > MAX_DIGITS or -exponent > MAX_DIGITS:
        raise InvalidValue(value, f"{shown} has too many digits: at most {MAX_DIGITS}")
    return Decimal((sign, digits + (0,) * max(exponent, 0), min(exponent, 0)))


def _number(limit: float) -> BeforeValidator:
    limits = Annotated[float, Field(ge=-limit, le=limit)]
    written = Annotated[str, Field(max_length=_LONGEST_NUMBER)]
    return BeforeValidator(_decimal, json_schema_input_type=limits | written)


def whole(low: int, high: int, what: str) -> BeforeValidator:
    """Make the validator of a whole number from `low` to `high`, or of its digits in a string.

    `what` completes the message of a refusal: "must be {what}".
    """

    def check(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidValue(value, f"must be {what}")
        return value

    limits = Annotated[int, Field(ge=low, le=high)]
    return BeforeValidator(check, json_schema_input_type=limits)


def _between(limit: int, what: str) -> AfterValidator:
    def check(value: Decimal) -> Decimal:
        if abs(value) > limit:
            raise InvalidValue(
                value, f"{value:f} is not a {what}: it lies between -{limit} and {limit}"
            )
        return value

    return AfterValidator(check)


@lru_cache(maxsize=1024)
def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_link = False
    if not is_link or re.search(r"[\s<>\"\x00-\x1f]", value):
        raise InvalidValue(value, "must be a web address that begins with http:// or https://")
    return value


def _edtf(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(value, 'must be a date in a string, such as "2025-04-15"')
    return edtf.parse(value).edtf


def filled(fields: object) -> object:
    """Return an object without its empty values; any other value is returned as it is.

    Raises InvalidValue if two names differ only in the blanks around them.
    """
    if not isinstance(fields, dict):
        return fields
    names = [name.strip() if isinstance(name, str) else name for name in fields]
    if len(times := Counter(names)) < len(names):
        twice = next(name for name in names if times[name] > 1)
        raise InvalidValue(fields, f'has the name "{hints.printable(twice[:60])}" twice')
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _country(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(value, "must be a country: a name or an ISO 3166-1 code")
    return countries.country(value)


def _flag(value: object) -> bool:
    """Return whether a value says yes: true, or one of a few words."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word in ("true", "yes", "1", "x") or word is True:
        return True
    if word in ("false", "no", "0", "") or word is False:
        return False
    raise InvalidValue(value, "must be yes or no")


def _lower(value: str) -> str:
    """Lower the case of a word. Raises InvalidValue if that makes it longer than 60 characters.

    A few letters are longer in lower case than in upper case.
    """
    lower = value.lower()
    if len(lower) > _LONGEST_WORD:
        raise InvalidValue(value, f"is too long: at most {_LONGEST_WORD} characters")
    return lower


def _unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


Id = Annotated[StrictStr, StringConstraints(pattern=ID_PATTERN)]
Line = Annotated[
    StrictStr,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=LINE_PATTERN),
]
Text = Annotated[
    StrictStr,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100_000, pattern=r"^[^\x00]+$"
    ),
]
Quote = Annotated[
    StrictStr, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]+$")
]
Verbatim = Annotated[
    StrictStr, StringConstraints(min_length=1, max_length=100_000, pattern=r"^[^\x00]+$")
]
"""A text that somebody else wrote, kept with the blanks around it."""
Word = Annotated[Line, StringConstraints(max_length=_LONGEST_WORD)]
Plain = PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json")
T = TypeVar("T")
if TYPE_CHECKING:
    # A type checker sees all types that may be given. A model holds a Decimal, or a tuple.
    Exact = Decimal | int | float | str
    Many = tuple[T, ...] | list[T]
else:
    Exact = Decimal
    Many = tuple[T, ...]
Number = Annotated[Exact, _number(float(MAX_NUMBER)), Plain]
Latitude = Annotated[Exact, _number(90), Plain, _between(90, "latitude")]
Longitude = Annotated[Exact, _number(180), Plain, _between(180, "longitude")]
Edtf = Annotated[
    str,
    BeforeValidator(_edtf, json_schema_input_type=Annotated[str, Field(max_length=LONGEST_DATE)]),
]
CountryCode = Annotated[
    str,
    BeforeValidator(
        _country,
        json_schema_input_type=Annotated[str, Field(max_length=countries.LONGEST_COUNTRY)],
    ),
]
Url = Annotated[Line, StringConstraints(max_length=2_000), AfterValidator(_url)]
Wikidata = Annotated[StrictStr, StringConstraints(pattern=r"^Q[1-9][0-9]{0,11}$")]
Sha256 = Annotated[StrictStr, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Origin = Annotated[StrictStr, StringConstraints(max_length=200, pattern=r"^[^\s+\x00]+$")]
Language = Annotated[
    StrictStr,
    StringConstraints(max_length=_LONGEST_WORD, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
]
GeoPrecision = Annotated[
    Literal[1, 2, 3, 4, 5, 6, 7],
    whole(1, 7, "a whole number from 1 (exact place) to 7 (sea or air space)"),
]
Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool)]
Position = Annotated[int, whole(0, 2**53, "a whole number of code points, from 0")]
Lower = AfterValidator(_lower)
Unique = AfterValidator(_unique)
SourceIds = Annotated[Many[Id], Field(max_length=200), Unique]

PATTERNS = {
    ID_PATTERN: "must be 3 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit",
    LINE_PATTERN: "must be one line",
    r"^[^\x00]+$": "must not hold a NUL character",
    r"^Q[1-9][0-9]{0,11}$": "must be a Wikidata item such as Q57792",
    r"^sha256:[0-9a-f]{64}$": "must be sha256: and 64 lower-case hex digits",
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "must be a language tag such as en or pt-BR",
    r"^[a-z][a-z0-9+.-]*:[^\s\x00]+$": "must be scheme:id, such as gdelt:1024",
    MEDIA_TYPE_PATTERN: "must be a media type in lower case, such as image/jpeg",
    TIME_ZONE_PATTERN: "must be a time zone such as Europe/Kyiv or UTC",
    r"^[^\s+\x00]+$": "must be a name without blanks or +, such as example.org/odesa",
}
"""The message for a text that does not match a pattern, by pattern."""
