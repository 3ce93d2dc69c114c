"""Compare a row with the same row of an earlier file: is it changed, or only written otherwise?

Guarantees: white space, the format of a number or a date, an empty cell instead of none, and the
order of the columns are churn, and each kind of churn has a name. Everything else is a change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from timeline.formats.imports import Cells, Format
from timeline.formats.spelling import ORDER, respelled

LONGEST_CELL = 100_000
"""Characters of a cell that an event keeps; the model takes no more."""
_LONGEST_NAME = 60
"""Characters of the name of a column under which an event keeps its cell."""


def filled(cells: Mapping[str, str]) -> Cells:
    """Return the cells as the log keeps them: those that are not empty, under names that fit.

    A cell that is too long is cut off.
    """
    return {
        kept_name(column): cell[:LONGEST_CELL] for column, cell in cells.items() if cell.strip()
    }


@lru_cache(maxsize=10_000)
def kept_name(column: str) -> str:
    """Return the name of a column in `extra`: printable, and at most 60 characters.

    The name of a long column ends with a hash of it, so that two of them stay apart.
    """
    plain = " ".join("".join(mark if mark.isprintable() else " " for mark in column).split())
    if plain and len(plain) <= _LONGEST_NAME:
        return plain
    mark = hashlib.sha256(column.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain[: _LONGEST_NAME - 10].strip()}… {mark}"


def compared(form: Format, old: Cells, new: Cells) -> tuple[list[str], set[str]]:
    """Return the columns in which two rows differ, and the kinds of churn between them."""
    changed, churn = [], set()
    for column in dict.fromkeys((*new, *old)):
        before, now = old.get(column, ""), new.get(column, "")
        if before != now:
            kind = respelled(before, now, form.spellings.get(column))
            if kind:
                churn.add(kind)
            else:
                changed.append(column)
    if [column for column in new if column in old] != [column for column in old if column in new]:
        churn.add(ORDER)
    return changed, churn


def digest(form: Format, cells: Cells) -> bytes:
    """Return a hash of what a row says, without its id and however it is written."""
    said = sorted(
        (column, form.spellings[column].normal(cell) if column in form.spellings else cell)
        for column, cell in cells.items()
        if cell.strip() and column not in form.identifying
    )
    folded = [(column, " ".join(cell.split())) for column, cell in said]
    return hashlib.sha256(json.dumps(folded).encode()).digest()
