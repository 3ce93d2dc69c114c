"""One text for what can be written in several: numbers, dates, white space.

Guarantees: two cells are told apart in what they say, not in how they say it; the kinds of
difference that say nothing have a name each. A text that is no number, or no date,
stays as it is, and is itself alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.formats.sheet.dates import read_date

__all__ = ["DATE", "NUMBER", "ORDER", "WHITE_SPACE", "Spelling", "date", "number", "respelled"]

WHITE_SPACE = "white space"
ORDER = "order of fields"


class Spelling(NamedTuple):
    """The kind of difference between two spellings, and the one spelling of a text."""

    kind: str
    normal: Callable[[str], str]


def respelled(old: str, new: str, spelling: Spelling | None) -> str | None:
    """The kind of difference between two texts that say the same; None if they do not.

    Texts that are equal differ in nothing: do not ask.
    """
    if " ".join(old.split()) == " ".join(new.split()):
        return WHITE_SPACE
    if spelling and old and new and spelling.normal(old) == spelling.normal(new):
        return spelling.kind
    return None


_GROUPS = re.compile(r"(?<=[0-9])[ \u00a0\u202f'\u2019](?=[0-9]{3}(?![0-9]))")


def number(text: str, *, decimal: str = ".") -> str:
    """A number as the log writes it: "12" of 12.0, 1.2e1 and +12; "1234" of 1,234.

    `decimal` is the mark between whole and fraction, point or comma; the other one, blanks
    and apostrophes part thousands.
    """
    plain = _GROUPS.sub("", text.strip())
    other = "," if decimal == "." else "."
    if re.fullmatch(rf"[+-]?[0-9]{{1,3}}(\{other}[0-9]{{3}})+(\{decimal}[0-9]+)?", plain):
        plain = plain.replace(other, "")
    plain = plain.replace(decimal, ".") if other not in plain else plain
    if not re.fullmatch(r"[+-]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?", plain):
        return text.strip()
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return text.strip()
    return f"{value.normalize() + 0:f}" if value else "0"


@lru_cache(maxsize=10_000)
def _date(text: str, formats: tuple[str, ...]) -> str:
    for form in formats:
        try:
            read = datetime.strptime(text, form)  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
        has_time = any(mark in form for mark in ("%H", "%I", "%T", "%X"))
        return read.isoformat(timespec="minutes") if has_time else read.date().isoformat()
    return read_date(text)


def date(text: str, formats: Iterable[str] = ()) -> str:
    """The EDTF of a date in one of these formats (as strptime has them), or in any one
    that has one reading. Raises InvalidValue.
    """
    return _date(text.strip(), tuple(formats))


def _date_or_text(text: str, formats: tuple[str, ...] = ()) -> str:
    try:
        return date(text, formats)
    except InvalidValue:
        return text.strip()


def dates(formats: Iterable[str]) -> Spelling:
    """Of dates in these formats."""
    return Spelling("date format", partial(_date_or_text, formats=tuple(formats)))


def numbers(decimal: str) -> Spelling:
    """Of numbers with this decimal mark."""
    return Spelling("number format", partial(number, decimal=decimal))


NUMBER = numbers(".")
DATE = dates(())
