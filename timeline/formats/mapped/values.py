"""Read the value of one rule in the cells of a row.

Guarantees: a cell that cannot be read raises InvalidInput with its column; an item of a list that
cannot be read is left out, and the other items stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.imports import Cells, LeftOut
from timeline.formats.mapped import cells as of_cells
from timeline.formats.mapped.cells import Style
from timeline.formats.mapped.dates import DateColumn
from timeline.formats.mapped.rules import Rule
from timeline.formats.several_in_cell import links_in, names_in
from timeline.formats.spelling import number
from timeline.model import figures, hints

ReadValue = Callable[[Cells, list[LeftOut]], Any]
"""Reads a value in the cells of a row; what is left out of it goes into the list."""

NAMES, LINKS = "names", "links"
"""The words for which `split` finds names, or addresses, as people put several into one cell."""
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_ADDRESS = re.compile(r"https?://\S", re.I)
_OF_LINES = ("summary", "note", "statement", "quote", "reason", "alt", "caption")
"""The fields that may have several lines; in all others a line break is a blank."""
_COUNTRY_CODE = "NA"
"""The code of Namibia, which also stands for nothing."""


def value_of(rule: Rule, style: Style, *, has_own_nothing: bool) -> ReadValue:
    """Return what reads the value of a rule.

    `has_own_nothing` tells whether the mapping says itself what stands for nothing.
    """
    if rule.last_step == "country" and not has_own_nothing:
        style = style._replace(nothing=style.nothing - {_COUNTRY_CODE})
    if rule.value is not None:
        read = _constant(rule)
    elif rule.date is not None and rule.column is None:
        date = rule.date
        read = lambda cells, left_out: date.read(style, cells, left_out)  # noqa: E731
    elif rule.text is not None:
        text = rule.text
        read = lambda cells, left_out: text.filled(lambda name: style.text(cells, name))  # noqa: E731
    elif rule.shape == "texts" or rule.spreads or rule.item is not None:
        read = _items(rule, style)
    else:
        read = _one(rule, style)
    return _if(rule, read) if rule.when else read


def _constant(rule: Rule) -> ReadValue:
    value = rule.value
    if rule.shape == "texts" and not isinstance(value, list):
        value = [value]
    return lambda cells, left_out: value


def _if(rule: Rule, read: ReadValue) -> ReadValue:
    """Return what reads a value in the rows only for which the rule counts."""

    def checked(cells: Cells, left_out: list[LeftOut]) -> Any:
        for column, texts in rule.when:
            if of_cells.text_of(cells, column) not in texts:
                return None
        return read(cells, left_out)

    return checked


def _one(rule: Rule, style: Style) -> ReadValue:
    column = str(rule.column)
    nothing = style.nothing
    empty = rule.words.get("", "")
    convert = _conversion(rule, style)
    text_of = of_cells.text_of
    if convert is None:
        is_line = rule.last_step not in _OF_LINES

        def plain(cells: Cells, left_out: list[LeftOut]) -> Any:
            text = text_of(cells, column)
            if is_line and not text.isprintable():
                text = _in_a_line(text)
            return "" if text in nothing else text

        return plain

    def read(cells: Cells, left_out: list[LeftOut]) -> Any:
        text = text_of(cells, column)
        if not text or (text in nothing and text not in rule.words):
            return empty
        try:
            return convert(text)
        except InvalidValue as error:
            raise InvalidInput(column, error.problem) from None

    return read


def _items(rule: Rule, style: Style) -> ReadValue:
    """Return what reads the items of a list, or the one item that the rule takes."""
    column = str(rule.column)
    convert = _conversion(rule, style) or _in_a_line
    separated = _splitter(rule)

    def several(cells: Cells) -> list[str]:
        listed = of_cells.texts_of(cells, column)
        if listed is not None:
            return listed if not rule.split else [x for item in listed for x in separated(item)]
        text = style.text(cells, column)
        return separated(text) if text else []

    def converted(item: str, left_out: list[LeftOut]) -> Any:
        if not item or (item in style.nothing and item not in rule.words):
            return ""
        try:
            return convert(item)
        except InvalidValue as error:
            left_out.append(LeftOut(column, error.problem, item))
            return ""

    def read(cells: Cells, left_out: list[LeftOut]) -> Any:
        items = several(cells)
        if rule.item is not None:
            items = items[rule.item : rule.item + 1]
        values = [converted(item, left_out) for item in items]
        if rule.spreads:
            return values
        values = [value for value in values if value not in ("", None)]
        return values if rule.shape == "texts" else next(iter(values), "")

    return read


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def _splitter(rule: Rule) -> Callable[[str], list[str]]:
    marks = rule.split
    if not marks:
        return lambda text: [text]
    if marks == (NAMES,):
        return names_in
    if marks == (LINKS,):
        return _links
    return lambda text: of_cells.split(text, marks)


def _links(text: str) -> list[str]:
    """Return the addresses in a text, or the text itself if it has none."""
    return [*links_in(text).addresses] or [text]


def _conversion(rule: Rule, style: Style) -> Callable[[str], Any] | None:
    """Return what makes a value of the text of a cell, or None if the value is the text."""
    words, other = rule.words, rule.other
    if words or other is not None:

        def word(text: str) -> Any:
            if text in words:
                return words[text]
            if (plain := number(text)) in words:  # 1.0 is 1
                return words[plain]
            if other is None:
                raise InvalidValue(text, f"{hints.quoted(text)} is not among the words of the map")
            return other

        return word
    if isinstance(date := rule.date, DateColumn):

        def day(text: str) -> Any:
            found = date.converted(style, text)
            return found.edtf if found else ""

        return day
    if rule.measure is not None:
        return lambda text: _figure(rule, style, text)
    if rule.is_number:
        decimal = rule.decimal or style.decimal or "."
        is_of_point = rule.last_step in ("lat", "lon")
        return lambda text: _number(text, decimal, is_of_point=is_of_point)
    return _source if rule.last_step == "source" else None


def _number(text: str, decimal: str, *, is_of_point: bool) -> str:
    plain = number(text, decimal=decimal)
    if not is_of_point and not _NUMBER.fullmatch(plain):  # a point may have letters and signs
        problem = "is not a number: a rule with measure reads figures in words and with units"
        other = "," if decimal == "." else "."
        if _NUMBER.fullmatch(number(text, decimal=other)):
            problem = f'is not a number: if its "{other}" stands before decimals, say decimal'
        raise InvalidValue(text, f"{hints.quoted(text)} {problem}")
    return plain


def _figure(rule: Rule, style: Style, text: str) -> dict[str, str]:
    """Read a figure that people wrote. Raises InvalidValue."""
    decimal = rule.decimal or style.decimal
    plain = text
    if decimal and _NUMBER.fullmatch(found := number(text, decimal=decimal)):
        plain = figures.plain_number(found)
    measure = str(rule.measure)
    try:
        amount = figures.read(plain, measure, is_english=figures.is_english(style.language))
    except InvalidValue as error:
        problem = error.problem.replace(hints.quoted(plain), hints.quoted(text))
        raise InvalidValue(text, problem) from None
    said = {name: value for name, value in amount._asdict().items() if value is not None}
    return {"measure": measure, **said}


def _source(text: str) -> dict[str, str]:
    return {"url" if _ADDRESS.match(text) else "title": _in_a_line(text)}
