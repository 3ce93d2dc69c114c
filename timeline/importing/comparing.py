"""A row compared with itself in an earlier file: changed, or only written in another way.

Guarantees: white space, the format of a number or a date, an empty cell for none and the order
of the columns are churn, and each has its name; everything else is a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from timeline.importers import Cells, Format
from timeline.importers.spelling import KINDS, respelled

__all__ = ["compared", "filled", "is_in_order", "is_same"]


def filled(cells: Mapping[str, str]) -> Cells:
    """The cells that say something; those are kept."""
    return {column: cell for column, cell in cells.items() if cell.strip()}


def compared(form: Format, old: Cells, new: Cells) -> tuple[list[str], set[str]]:
    """The columns in which two rows differ, and the kinds of churn between them."""
    changed, churn = [], set()
    if old == new:
        return [], set()
    for column in dict.fromkeys((*new, *old)):
        before, now = old.get(column, ""), new.get(column, "")
        if before != now:
            kind = respelled(before, now, form.spellings.get(column))
            if kind:
                churn.add(kind)
            else:
                changed.append(column)
    return changed, churn


def is_same(form: Format, old: Cells, new: Cells) -> bool:
    """Whether two rows say the same."""
    return not compared(form, filled(old), filled(new))[0]


def is_in_order(form: Format, columns: Iterable[str]) -> bool:
    """Whether columns stand in the order in which the format describes them."""
    return _is_in_order(form.order, tuple(columns))


@lru_cache(maxsize=100)
def _is_in_order(order: tuple[str, ...], columns: tuple[str, ...]) -> bool:
    places = {column: place for place, column in enumerate(order)}
    known = [places[column] for column in columns if column in places]
    return known == sorted(known)


ORDER = KINDS[-1]
