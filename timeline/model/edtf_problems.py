"""Explain in one line why words are not a date, and what would be right.

This module is imported only when a date is refused. It may not know today's date.
"""

import calendar
import contextlib
import re
from collections.abc import Callable, Sequence

from timeline.errors import InvalidValue
from timeline.model.edtf_words import HINT, MONTHS, normal, to_words


def explain(words: str, parse: Callable[[str], object]) -> str:
    """Say in one line why words cannot be read as a date, and what would be right.

    `parse` reads a date, or raises InvalidValue.
    """
    text = normal(words)
    if example := with_year(words, parse):
        return f'"{words}" has no year: write it too, as in "{example}"'
    numeric = _NUMERIC.search(text)
    if numeric and numeric[0] == text:
        return _explain_numeric(numeric)
    for pattern, problem in _PROBLEMS:
        if match := re.search(pattern, text):
            return f'"{words}" ' + problem.format(words, *match.groups())
    return f'"{words}" is not a date: {HINT}'


def with_year(words: str, parse: Callable[[str], object], years: Sequence[str] = ()) -> str | None:
    """Return words that lack only their year with one of these years; None for other words.

    Without `years` it is a year that serves as an example. `parse` reads a date, or raises
    InvalidValue.
    """
    if not re.search("[a-z]", words, re.I) or _HAS_YEAR.search(words):
        return None
    ends = [each.end() for each in re.finditer(r"(?<=\w)\.?(?= |,|\?|$)", words)]
    for end in reversed(ends):
        before, after = words[:end], words[end:]
        for year in years or _EXAMPLES:
            whole = f"{before} {year}{after}"
            with contextlib.suppress(InvalidValue):
                parse(whole)
                return whole
    return None


_HAS_YEAR = re.compile(r"[0-9]{3}|[0-9] (?:bce?|ad|ce)\b|\bad [0-9]|'[0-9]{2}", re.I)
_EXAMPLES = ("2025", "2024", "2026", "2023", "2027", "2022", "2028")
"""Years that stand for the one that is missing: a weekday fits one of them."""
_NUMERIC = re.compile(
    r"(?<![0-9])(?:([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})"
    r"|(?![0-9]{4}-[0-9]{2}(?:-[0-9]{2})?(?![0-9/-]))"
    r"([0-9]{4})([./-])([0-9]{1,2})(?:\6([0-9]{1,2}))?)(?![0-9./-])"
)

_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in map(str.lower, MONTHS))
_WITHOUT_YEAR = r"^(?!.*(?:[0-9]{4}|[0-9] (?:bce?|ad|ce)\b|\bad [0-9]))"

# Pattern and problem, searched in this order: the first pattern that is found decides.
# In a problem {0} is the whole text, {1} the first group of the pattern, and so on.
_PROBLEMS = (
    (
        _WITHOUT_YEAR + r".*\b(yesterday|today|tonight|tomorrow|now|last|next|this|previous|"
        r"coming|ago|recently|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
        'depends on the day it is read ("{1}"): write the date itself, such as 2025-04-15',
    ),
    (
        r"\b([0-9]{1,2})(?:st|nd|rd|th) century",
        "can begin in a year 00 or in a year 01: write its years, such as 1901/2000, "
        "or 19XX for 1900 to 1999",
    ),
    (
        r"(?<![0-9])([0-9]{2})00s\b",
        "can be read as ten years ({1}0X) or as a hundred ({1}XX): write one of these",
    ),
    (
        r"^([0-9]{4})([01][0-9])([0-3][0-9])$",
        "has no hyphens: write {1}-{2}-{3}",
    ),
    (
        r"(?<![0-9-])([0-9]{4}(?:-[0-9]{2}){0,2})(?: ?- ?|\.\.)([0-9]{4}(?:-[0-9]{2}){0,2})$",
        "is not an interval: write {1}/{2}",
    ),
    (
        r"[0-9]:[0-9]{2}\.[0-9]",
        "has a fraction of a second: leave it out",
    ),
    (
        r"[0-9] ?([ap])\.?m\b",
        "has a clock of twelve hours ({1}m): write 15:30 for 3:30 pm",
    ),
    (
        r"[0-9]:[0-9]{2} ?([a-z]{3,4})\b",
        'names a time zone ("{1}"): write UTC, or an offset such as +02:00',
    ),
    (
        r"\b(early|mid|middle|late|beginning|end)\b",
        'is vague ("{1}"): write the days or months it stands for, such as 2025-04-11/2025-04-20',
    ),
    (
        rf"(?:[0-9](?:st|nd|rd|th)? (?:{_MONTH})|\b(?:{_MONTH}) [0-9]{{1,2}}(?:st|nd|rd|th)?)"
        r" '?[0-9]{2}$|'[0-9]{2}\b|(?<![0-9])[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}(?![0-9])"
        r"|^[0-9]{2}s?$",
        'has a year of two digits: write all four, as in "15 April 2025"',
    ),
    (
        _WITHOUT_YEAR + rf".*(?:[0-9]{{3}}$|\b(?:{_MONTH}|spring|summer|autumn|fall|winter"
        r"|quarter|half|q[1-4]|h[12])\b)",
        'has no year of four digits: write it too, as in "15 April 2025", or "987 AD"',
    ),
)


def _explain_numeric(match: re.Match[str]) -> str:
    """Say how a date in digits can be read, in each order of day and month."""
    one, _, two, year, first, _, month, day = match.groups()
    orders = [(year, two, one), (year, one, two)] if year else [(first, month, day)]
    readings = [reading for order in dict.fromkeys(orders) if (reading := _reading(*order))]
    if not readings:
        return f'"{match[0]}" is not a date in any order of day and month: {HINT}'
    if len(readings) > 1:
        return f'"{match[0]}" can be read as {" or ".join(readings)}: write one of these'
    return f'"{match[0]}" is not how a date is written here: write {readings[0]}'


def _reading(year: str, month: str, day: str | None) -> str | None:
    """Return one reading as "4 May 2025 (2025-05-04)", or None if there is no such day."""
    if not 1 <= int(month) <= 12:
        return None
    if day is None:
        edtf = f"{year}-{month:0>2}"
    elif 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
        edtf = f"{year}-{month:0>2}-{day:0>2}"
    else:
        return None
    return f"{to_words(edtf)} ({edtf})"
