"""Tell by the name of a column what it may hold, in the languages of `column_names.csv`.

Guarantees: upper case, accents, punctuation and a number behind a name make no difference, so that
"Start-Date" and "source 2" are known. A name that is only a part of a longer one counts for less.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from timeline.model import names, resources

_SHORTEST_PART = 4
"""Letters of a known name that counts as a part of a longer one: "to" would be in many."""
_ASKED_FOR = ("people", "place", "date", "title")
"""Roles that a question may name by its first word, however short that is."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_IN_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_NUMBERED = re.compile(r"(?<=\D)\s*[0-9]+$")


class ColumnRole(NamedTuple):
    """A role that a column may have, by its name."""

    name: str
    """The role as `column_names.csv` has it: "date", "people", "working" ..."""
    is_whole: bool
    """Whether the whole name of the column is known, not only a part of it."""
    rank: int
    """The place of the known name in the file: names in the front are better known for the role."""


def roles(column: str) -> list[ColumnRole]:
    """Return the roles that the name of a column may stand for, the likeliest first."""
    key = key_of(column)
    found = _known().get(key) or _known().get(_NUMBERED.sub("", key))
    if found:
        return [ColumnRole(role, True, rank) for role, rank in found]
    parts = [
        (len(known), -rank, role)
        for known, several in _known().items()
        if len(known) >= _SHORTEST_PART
        and known in key  # is told a hundred times faster than the pattern
        and re.search(rf"(?<!\w){re.escape(known)}(?!\w)", key)
        for role, rank in several
    ]
    if not parts:  # "Who was there?"
        first = _known().get(key.partition(" ")[0], ())
        return [ColumnRole(role, False, rank) for role, rank in first if role in _ASKED_FOR]
    longest = max(parts)[0]
    return [
        ColumnRole(role, False, -rank)
        for length, rank, role in sorted(parts, reverse=True)
        if length == longest
    ]


def language_of(columns: Iterable[str], otherwise: str = "en") -> str:
    """Return the language of most known names among columns; `otherwise` if none is known."""
    counts: Counter[str] = Counter()
    for column in columns:
        for language in _languages().get(key_of(column), ()):
            counts[language] += 1
    if not counts:
        return otherwise
    order = dict.fromkeys(row["language"] for row in resources.table("column_names.csv"))
    return max(order, key=lambda language: counts[language])


def key_of(column: str) -> str:
    """Return the name of a column as names are compared: folded, without what brackets add."""
    text = _CAMEL.sub(" ", _IN_BRACKETS.sub(" ", column) or column)
    folded = names.fold(re.sub(r"[_.:/\\*?!-]+", " ", text))
    return folded or names.fold(column)


def in_brackets(column: str) -> str:
    """Return what stands in brackets behind a name, such as the EUR of "Amount (EUR)"; or ""."""
    match = _IN_BRACKETS.search(column)
    return match[1].strip() if match else ""


@cache
def _languages() -> dict[str, set[str]]:
    """Return the languages of each known name."""
    found: dict[str, set[str]] = {}
    for row in resources.table("column_names.csv"):
        found.setdefault(key_of(row["name"]), set()).add(row["language"])
    return found


@cache
def _known() -> dict[str, list[tuple[str, int]]]:
    """Return the roles of each known name, each with the place of the name in the file."""
    found: dict[str, list[tuple[str, int]]] = {}
    for rank, row in enumerate(resources.table("column_names.csv")):
        known = found.setdefault(key_of(row["name"]), [])
        if all(role != row["role"] for role, _ in known):
            known.append((row["role"], rank))
    return found
