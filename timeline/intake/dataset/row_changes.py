"""Compare a row with the same row of an earlier file: is it changed, or only written otherwise?

Guarantees: white space, the format of a number or a date, an empty cell instead of none, and the
order of the columns are churn, and each kind of churn has a name. Everything else is a change.
"""

from __future__ import annotations

from collections.abc import Mapping

from timeline.formats.imports import Cells, Format
from timeline.formats.spelling import ORDER, respelled


def filled(cells: Mapping[str, str]) -> Cells:
    """Return the cells that are not empty; only those are kept in the log."""
    return {column: cell for column, cell in cells.items() if cell.strip()}


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


def is_same(form: Format, old: Cells, new: Cells) -> bool:
    """Return whether two rows say the same."""
    return not compared(form, filled(old), filled(new))[0]
