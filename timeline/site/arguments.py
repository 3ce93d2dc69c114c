"""Read the arguments of an address, and refuse more of them than any page has a use for.

Guarantees: reading takes time in proportion to the length of the address. Every page that takes the
arguments as they are given here has few of them to work on, and none is long.

Knows no request and no page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qsl

from timeline.errors import InvalidInput
from timeline.model import search_words

MOST_NAMES = 64
"""The largest number of different parameters in an address."""
MOST_VALUES = 64
"""The largest number of values of one parameter."""
MOST = 256
"""The largest number of values of all parameters together.

Datasette writes all of them into every link of a page. With 256 values, a page of the table
`events` with all facets takes 0.1 s longer than without; with 4,096 values it took 15 s.
"""
LONGEST = 2_000
"""The largest number of characters of a value."""
MOST_WORDS = 64
"""The largest number of words to search for; Chinese and its like have one for each character.

In 100,000 events, SQLite takes 3 ms of processor time for each word that all of them have.
"""
MOST_BEGINNINGS = 4
"""The largest number of beginnings of words to search for, such as w*, or 水 alone.

In 100,000 events, SQLite takes 270 ms for one that all of them have 22 times. It finds all of them
in one long step, which no deadline can end.
"""


def arguments(
    query_string: str, is_limited: Callable[[str], bool] = lambda name: True
) -> list[tuple[str, str]]:
    """Return the parameters of an address with their values, in the order of the address.

    `is_limited` tells from the name of a parameter whether a long value is refused. Raises
    InvalidInput for too many parameters, values or words, and for a value that is too long.
    """
    pairs = parse_qsl(query_string, keep_blank_values=True)
    values = Counter(name for name, _ in pairs)
    _check_number("", len(values), MOST_NAMES, "different parameters")
    for name, number in values.items():
        _check_number(name, number, MOST_VALUES, "values")
    _check_number("", len(pairs), MOST, "values of parameters")
    for name, value in pairs:
        if is_limited(name):
            _check_number(name, len(value), LONGEST, "characters")
        if name == "q" or name.startswith("_search"):
            words = re.findall("[0-9a-z\x80-\U0010ffff]+", search_words.words(value))
            _check_number(name, len(words), MOST_WORDS, "words")
            phrases = search_words.phrases(value, goes_on=False)
            beginnings = sum(phrase.endswith("*") for phrase in phrases)
            if name == "q":
                beginnings = max(beginnings, len(re.findall(r"\w\*", value)))
            _check_number(name, beginnings, MOST_BEGINNINGS, "beginnings of words")
    return pairs


def whole_number(name: str, text: str) -> int | None:
    """Read the number that a parameter has; None for an empty text. Raises InvalidInput."""
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,15}", text):
        raise InvalidInput(name, f'"{text}" is not a number: write one such as 41')
    return int(text)


def _check_number(field: str, number: int, most: int, what: str) -> None:
    if number > most:
        whose = "has" if field else "the address has"
        raise InvalidInput(field, f"{whose} {number:,} {what}: give at most {most:,}")
