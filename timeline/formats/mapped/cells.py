"""Find the texts of a column in the cells of a row, also where JSON has a list.

In JSON the list ``kinds`` is in the cells ``kinds.0`` and ``kinds.1``, and the addresses of a list
of objects ``links`` are in ``links.0.url`` and so on: they are the columns ``kinds`` and
``links.url``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from timeline.formats.imports import Cells

_NUMBER = re.compile(r"\.([0-9]+)(?=\.|$)")
_LONGEST_LIST = 100_000
"""Characters of a cell that is read as a list in brackets."""
_MOST_ITEMS = 10_000
"""Items of a list whose places are kept; a JSON object of a row has no more values."""


NOTHING = frozenset(
    (
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "<NA>",
        "nan",
        "NaN",
        "NaT",
        "NULL",
        "null",
        "None",
        "-",
        "\u2013",
        "\u2014",
    )
)
"""The marks that stand for nothing where they are a whole cell, as R, pandas and Excel write it."""
FILE_YEAR = "file.year"
"""The cell with the year that a date without one has by the rows above it."""


class Style(NamedTuple):
    """Tells how the cells of a file are written."""

    nothing: frozenset[str] = NOTHING
    """The marks that stand for nothing."""
    decimal: str | None = None
    """The mark before decimals, or None if nobody says it."""
    language: str = "en"

    def text(self, cells: Cells, column: str) -> str:
        """Return the text of a column, or "" for a mark that stands for nothing."""
        text = text_of(cells, column)
        return "" if text in self.nothing else text


@lru_cache(maxsize=20_000)
def plain_name(name: str) -> str:
    """Return the name of a column without the numbers of list items: links.url."""
    return _NUMBER.sub("", name) if "." in name else name


def text_of(cells: Cells, column: str) -> str:
    """Return the text of a column without blanks at its ends; the items of a list with commas."""
    text = cells.get(column)
    if text is None:
        return ", ".join(filter(None, _nested(cells, column)))
    return text.strip()


def texts_of(cells: Cells, column: str) -> list[str] | None:
    """Return the items of a column that has a list, or None if it has one text.

    An item keeps its place: where an object of JSON lacks the column the item is empty.
    """
    text = cells.get(column)
    if text is None:
        return _nested(cells, column)
    return in_brackets(text.strip())


def in_brackets(text: str) -> list[str] | None:
    """Return the texts of a list as JSON and Python write it, or None for any other text."""
    if text[:1] != "[" or text[-1:] != "]" or len(text) > _LONGEST_LIST:
        return None
    items: object
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        try:
            items = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    if not isinstance(items, list) or any(isinstance(item, list | dict) for item in items):
        return None
    return [str(item).strip() for item in items if item is not None]


def _nested(cells: Cells, column: str) -> list[str]:
    found: dict[int, str] = {}
    for name, cell in cells.items():
        if name.startswith(column[:1]) and name != column and plain_name(name) == column:
            number = _NUMBER.search(name)
            place = int(number[1][:9]) if number else 0
            if place >= _MOST_ITEMS:
                place = max(found, default=-1) + 1
            found[place] = f"{found[place]}, {cell.strip()}" if place in found else cell.strip()
    return [found.get(place, "") for place in range(max(found) + 1)] if found else []


def split(text: str, marks: Sequence[str]) -> list[str]:
    """Split a text at any of some marks, into items without blanks at their ends."""
    if len(marks) == 1:
        return [item.strip() for item in text.split(marks[0])]
    return [item.strip() for item in re.split("|".join(map(re.escape, marks)), text)]
