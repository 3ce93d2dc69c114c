"""Functions that read and write figures as cells: those of one measure, or a part in each column.

Guarantees: a figure that stays or is replaced keeps its place and the fields that a cell cannot
hold. Pure: knows figures and cells, no events and no database.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.sheet.cells import SheetRow, several
from timeline.model import field_paths, figures
from timeline.model.content import Quantity
from timeline.model.plurals import singular
from timeline.model.units import COUNTED_IN_PEOPLE
from timeline.model.validation import validate

WRITTEN = "und"
"""Stands for the language of a cell as an export writes it: its marks and its unit are plain."""
_NUMBERS = ("value", "low", "high", "qualifier", "unit")


def written_figures(event: Mapping[str, Any], measure: str) -> list[str]:
    """Return the figures of one measure of an event, each as a cell has it."""
    return [figures.written(q) for q in event.get("quantities", ()) if q["measure"] == measure]


def figure_in(measure: str, text: str, language: str = WRITTEN) -> dict[str, Any]:
    """Return the content of the `Quantity` that an item of a cell gives. Raises InvalidInput."""
    try:
        amount = figures.read(text, measure, is_english=figures.is_english(language))
    except InvalidValue as error:
        raise InvalidInput(measure, error.problem) from None
    return validate(Quantity, {"measure": measure, **amount._asdict()}).content()


def figures_in_columns(row: SheetRow, said: Mapping[str, Any]) -> list[Any]:
    """Return the figures of a new event, of which columns name parts by number.

    `said` has the value of each of these columns. A figure that also stands in the cell of its
    measure is taken once. Raises InvalidInput for a figure of which the row does not say what was
    counted.
    """
    numbered: dict[int, dict[str, Any]] = {}
    for column, value in said.items():
        way = field_paths.steps(column)
        if len(way) != 3 or not re.fullmatch(r"[0-9]{1,9}", way[1], re.ASCII):
            raise row.invalid(column, "is no field of a figure: write quantities.0.dated")
        numbered.setdefault(int(way[1]), {})[way[2]] = value
    others = []
    unclaimed = sorted(numbered)
    for measure in COUNTED_IN_PEOPLE:
        for text in filter(None, several(row.cells.get(measure, ""))):
            figure = figure_in(measure, text)
            number = next((n for n in unclaimed if _is_part(numbered[n], figure)), None)
            if number is None:
                others.append(figure)
            else:
                unclaimed.remove(number)
                numbered[number] = {**figure, **numbered[number]}
    for number, figure in numbered.items():
        if not figure.get("measure"):
            column = next(each for each in said if each.startswith(f"quantities.{number}."))
            raise row.invalid(column, f"needs the column quantities.{number}.measure beside it")
    found: list[Any] = []
    while numbered or others:
        following = min(numbered, default=len(found) + 1)
        is_next = following == len(found) or not others
        found.append(numbered.pop(following) if is_next else others.pop(0))
    return found


def _is_part(part: Mapping[str, Any], figure: Mapping[str, Any]) -> bool:
    """Tell whether what columns say of a figure, maybe without its measure, fits this one."""
    common = part.keys() & {"measure", *_NUMBERS}
    alike = {key: str(part[key]) for key in common}
    if "unit" in alike:
        alike["unit"] = singular(alike["unit"])
    return bool(common) and all(text == str(figure.get(key, "")) for key, text in alike.items())


def with_figures(quantities: list[Any], measure: str, cell: str) -> list[Any]:
    """Return the quantities with the figures of one measure as a cell has them.

    A figure that stays or is replaced keeps its place and the fields that a cell cannot hold.
    """
    texts = [text for text in several(cell) if text]
    old = [figure for figure in quantities if figure["measure"] == measure]
    counterparts = _counterparts([*map(figures.written, old)], texts)
    new = [
        figure_in(measure, text) if index is None else _revised(old[index], text)
        for text, index in zip(texts, counterparts, strict=True)
    ]
    found: list[Any] = []
    index = done = 0
    for quantity in quantities:
        if quantity["measure"] != measure:
            found.append(quantity)
            continue
        if index in counterparts:
            behind = counterparts.index(index) + 1
            found += new[done:behind]
            done = behind
        index += 1
    return found + new[done:]


def _revised(figure: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return a figure with the numbers of an item; all other fields, such as who gives it, stay."""
    if text == figures.written(figure):
        return figure
    rest = {key: value for key, value in figure.items() if key not in _NUMBERS}
    return {**rest, **figure_in(figure["measure"], text)}


def _counterparts(old: Sequence[str], new: Sequence[str]) -> list[int | None]:
    """Return for each new item the index of the old item that it is or replaces, else None."""
    found: list[int | None] = [None] * len(new)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        for step in range(min(old_to - old_from, new_to - new_from)):
            found[new_from + step] = old_from + step
    return found
