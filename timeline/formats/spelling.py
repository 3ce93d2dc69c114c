"""Functions that compare cells by meaning: numbers, dates and white space.

Guarantees: two spellings of one number or one date have the same normal text, so they can be
told from cells that mean something else. Each kind of meaningless difference has a name. A text
that is no number or no date stays as it is (stripped of blanks at its ends) and equals only itself.
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
from timeline.model import edtf

WHITE_SPACE = "white space"
ORDER = "order of fields"


class Spelling(NamedTuple):
    """A rule for a column in which one value can be written in several ways.

    `kind` names such a difference, and `normal` returns the one text for all spellings of a value.
    """

    kind: str
    normal: Callable[[str], str]


def respelled(old: str, new: str, spelling: Spelling | None) -> str | None:
    """Return the kind of difference between two texts of the same meaning; else None.

    Only for texts that are not equal: two equal texts would count as differing in white space.
    """
    if " ".join(old.split()) == " ".join(new.split()):
        return WHITE_SPACE
    if spelling and old and new and spelling.normal(old) == spelling.normal(new):
        return spelling.kind
    return None


_GROUPS = re.compile(r"(?<=[0-9])[ \u00a0\u202f'\u2019](?=[0-9]{3}(?![0-9]))")


def number(text: str, *, decimal: str = ".") -> str:
    """Return a number as the log writes it: "12" for 12.0, 1.2e1 and +12; "1234" for 1,234.

    `decimal` is the mark before the fraction, a point or a comma; the other of the two, blanks
    and apostrophes may separate groups of thousands. Returns a text that is no number unchanged
    but for blanks at its ends.
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
    if not value:
        return "0"
    exact = f"{value:f}"  # normalize() would round to 28 digits
    return exact.rstrip("0").rstrip(".") if "." in exact else exact


@lru_cache(maxsize=10_000)
def _date(text: str, formats: tuple[str, ...]) -> str:
    if "edtf" in formats:
        return edtf.parse(text).edtf
    for form in formats:
        try:
            read = datetime.strptime(text, form)  # noqa: DTZ007 - the result needs no time zone
        except ValueError:
            continue
        has_time = any(mark in form for mark in ("%H", "%I", "%T", "%X"))
        return read.isoformat(timespec="minutes") if has_time else read.date().isoformat()
    return read_date(text).edtf


def date(text: str, formats: Iterable[str] = ()) -> str:
    """Return the EDTF of a date that is written in one of these formats.

    A format is one of strptime, or "edtf". A date that fits none of them is read if it has only
    one reading. Raises InvalidValue.
    """
    return _date(text.strip(), tuple(formats))


def _date_or_text(text: str, formats: tuple[str, ...] = ()) -> str:
    try:
        return date(text, formats)
    except InvalidValue:
        return text.strip()


def dates(formats: Iterable[str]) -> Spelling:
    """Return the Spelling of a column of dates in these formats (those of strptime)."""
    return Spelling("date format", partial(_date_or_text, formats=tuple(formats)))


def numbers(decimal: str) -> Spelling:
    """Return the Spelling of a column of numbers with this decimal mark."""
    return Spelling("number format", partial(number, decimal=decimal))


NUMBER = numbers(".")
DATE = dates(())
