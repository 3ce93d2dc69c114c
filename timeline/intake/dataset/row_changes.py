"""A row compared with itself in an earlier file: changed, or only written in another way.

Guarantees: white space, the format of a number or a date, an empty cell for none and the order
of the columns are churn, and each has its name; everything else is a change.
"""

from __future__ import annotations

from collections.abc import Mapping

from timeline.formats.imports import Cells, Format
from timeline.formats.spelling import ORDER, respelled


def filled(cells: Mapping[str, str]) -> Cells:
    """The cells that say something; those are kept."""
    return {column: cell for column, cell in cells.items() if cell.strip()}


def compared(form: Format, old: Cells, new: Cells) -> tuple[list[str], set[str]]:
    """The columns in which two rows differ, and the kinds of churn between them."""
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


def is_same(form: Format, old: Cells, new: Cells) -> bool:
    """Whether two rows say the same."""
    return not compared(form, filled(old), filled(new))[0]
