"""Read dates by a pattern of strptime, such as "%d.%m.%Y", as EDTF.

Guarantees: what a pattern lacks is never invented: "%Y" reads a year, "%b %Y" a month, and "%d %B"
is refused unless the year is known. Seconds and the offset from UTC are kept. The names of months
are English. Also reads the seconds or milliseconds that programs count from 1970 on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from timeline.errors import InvalidValue
from timeline.model import hints
from timeline.model.edtf_words import year_of_edtf

_WHOLE = {
    "%c": "%a %b %d %H:%M:%S %Y",
    "%x": "%m/%d/%y",
    "%X": "%H:%M:%S",
    "%D": "%m/%d/%y",
    "%F": "%Y-%m-%d",
    "%R": "%H:%M",
    "%T": "%H:%M:%S",
    "%e": "%d",
    "%h": "%b",
}
"""Patterns that stand for others: in R and in C, or in English."""
EPOCHS = {"epoch": 1, "epoch_ms": 1000}
"""The names of dates that are counted from 1970 in UTC, with how many of the count are a second."""
_COUNTS = {9: "epoch", 10: "epoch", 12: "epoch_ms", 13: "epoch_ms"}
"""The name that a count of so many digits most likely has: that of dates from 1973 to 2286."""
_PIECE = re.compile(r"%-?(.)")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]+)?")
_ORDER = re.compile(r"%([dm])([./-])%(?!\1)[dm]")
_LEAP_YEAR = 2000
"""The year by which a date without a year is read, so that 29 February is one."""


@lru_cache(maxsize=1_000)
def plain(pattern: str) -> str:
    """Return a pattern in pieces that Python knows: "%-d" and "%e" are "%d"."""
    return _PIECE.sub(lambda piece: _WHOLE.get(f"%{piece[1]}", f"%{piece[1]}"), pattern)


@lru_cache(maxsize=1_000)
def _pieces(pattern: str) -> frozenset[str]:
    return frozenset(_PIECE.findall(plain(pattern)))


def problem_of(pattern: str) -> str | None:
    """Say what is wrong with a pattern, or return None."""
    if pattern in EPOCHS:
        return None
    try:
        whole = plain(pattern) if has_year(pattern) else f"%Y {plain(pattern)}"
        datetime.strptime("", whole)  # noqa: DTZ007 - only the pattern is tried
    except ValueError as error:
        if "does not match" not in str(error):
            return f"is no pattern of strptime: {error}"
    except re.error:
        return "is no pattern of strptime: it has a part twice"
    has = _pieces(pattern)
    has_weekday = bool(has & {"A", "a", "w", "u"})
    is_day = bool(has & {"d", "j"}) or ("G" in has and has_weekday)
    if has & {"G", "V"} and not (has_weekday and has >= {"G", "V"}):
        return "has a week: %G and %V make a date with a weekday such as %u only"
    if has & {"U", "W"} and not is_day:
        if not has_weekday or not has & {"Y", "y"}:
            return "has a week: that is a date with a year and %A only"
        is_day = True
    if has & {"H", "I", "M", "S"} and not is_day:
        return "has a time without a day"
    if "d" in has and not has & {"m", "b", "B", "j"}:
        return "has a day without a month"
    if "I" in has and "p" not in has:
        return "has %I without %p: a time of 12 hours needs AM or PM"
    if has & {"M", "S"} and not has & {"H", "I"}:
        return "has minutes without hours"
    if not has & {"Y", "y", "G", "m", "b", "B", "d", "j"}:
        return 'has no part of a date: write one such as "%d.%m.%Y"'
    return None


def counted(text: str, pattern: str) -> str | None:
    """Read a count since 1970, which is a number in decimal form; None for any other text."""
    if not _NUMBER.fullmatch(text):
        return None
    seconds = math.floor(Decimal(text) / EPOCHS[pattern])
    try:
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        raise InvalidValue(text, f"{hints.quoted(text)} lies outside the years 1 to 9999") from None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def count_of(text: str) -> str | None:
    """Return the name of the count that a number since 1970 most likely is, or None."""
    whole = text.partition(".")[0].removeprefix("-")
    return _COUNTS.get(len(whole)) if _NUMBER.fullmatch(text) else None


def has_year(pattern: str) -> bool:
    """Tell whether the dates of a pattern have a year."""
    return bool(_pieces(pattern) & {"Y", "y", "G"})


def day_first(text: str, patterns: Iterable[str]) -> bool | None:
    """Tell whether the day comes first in a date in digits, by the patterns with the same mark.

    A date with slashes is told by "%d/%m/%Y %H:%M", and not by "%d.%m.%Y". Returns None if the
    patterns do not tell.
    """
    found = {
        order[1] == "d"
        for pattern in patterns
        if (order := _ORDER.search(plain(pattern))) and order[2] in text
    }
    return found.pop() if len(found) == 1 else None


def read(text: str, pattern: str, year: int | None = None) -> str | None:
    """Read a date by a pattern; None if it is not written so.

    `year` is that of dates whose pattern has none. Raises InvalidValue if it is not known, and for
    a day that the year lacks.
    """
    has = _pieces(pattern)
    try:
        if has_year(pattern):
            when = datetime.strptime(text, plain(pattern))  # noqa: DTZ007 - its offset is kept
        else:
            when = datetime.strptime(f"{_LEAP_YEAR} {text}", f"%Y {plain(pattern)}")  # noqa: DTZ007
            if year is None:
                problem = f"{hints.quoted(text)} has no year: the mapping can say year = 2025"
                raise InvalidValue(text, problem)
            when = when.replace(year=year)
    except InvalidValue:
        raise
    except ValueError as error:
        if "out of range" in str(error) or "must be in" in str(error):
            raise InvalidValue(text, f"{hints.quoted(text)} is no day of its month") from None
        return None
    return _edtf(when, has)


def _edtf(when: datetime, has: frozenset[str]) -> str:
    """Write the parts of a date that its pattern has."""
    is_day = bool(has & {"d", "j", "G", "U", "W"})
    date = year_of_edtf(when.year)
    if is_day or has & {"m", "b", "B"}:
        date += f"-{when.month:02d}"
    if not is_day:
        return date
    date += f"-{when.day:02d}"
    if not has & {"H", "I"}:
        return date
    date += f"T{when.hour:02d}"
    if "M" in has:
        date += f":{when.minute:02d}"
    if "S" in has:
        date += f":{when.second:02d}"
    offset = when.strftime("%z")
    if "Z" in has:
        offset = (
            offset or "+0000"
        )  # strptime knows UTC and GMT only, beside the zone of the machine
    if offset and "M" in has:
        date += "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"
    return date
