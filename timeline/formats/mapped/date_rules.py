"""Check the rules of dates in a mapping."""

from __future__ import annotations

from typing import Any

from timeline.errors import InvalidInput
from timeline.formats import date_patterns
from timeline.formats.mapped.dates import (
    PRECISIONS,
    DateColumn,
    DateParts,
    DateRule,
    DateSpan,
    PreciseDate,
)
from timeline.formats.mapped.settings import check_names, check_texts, texts
from timeline.formats.mapped.templates import Template

_HOW = ("date", "day_first", "year")
"""The settings that say how a date is written; a start and an end can share them."""
_PARTS = ("year", "month", "day", "hour", "minute", "time")
SETTINGS = (*dict.fromkeys((*_HOW, *_PARTS)), "start", "end", "precision", "precisions")
_OF_A_DATE = ("column", "text", "words", "other", *dict.fromkeys((*_HOW, *_PARTS)))


def checked_date(where: str, said: dict[str, Any]) -> DateRule:
    """Return the rule of a date. Raises InvalidInput, naming the setting."""
    if "precision" in said or "precisions" in said:
        return _precise(where, said)
    if "start" in said or "end" in said:
        return _span(where, said)
    if "column" in said or "text" in said:
        return _column(where, said)
    return _parts(where, said)


def _precise(where: str, said: dict[str, Any]) -> PreciseDate:
    check_texts(where, said, ("precision",))
    codes = said.get("precisions")
    if "precision" not in said:
        raise InvalidInput(f"{where}.precision", "is required: the column of the precisions")
    if not isinstance(codes, dict) or not codes:
        problem = 'must say what each code means, such as { 1 = "day", 2 = "week", 3 = "month" }'
        raise InvalidInput(f"{where}.precisions", problem)
    for code, precision in codes.items():
        if precision not in PRECISIONS:
            problem = f"must be one of {', '.join(PRECISIONS)}"
            raise InvalidInput(f"{where}.precisions.{code}", problem)
    rest = {name: value for name, value in said.items() if not name.startswith("precision")}
    return PreciseDate(checked_date(where, rest), said["precision"], codes)


def _span(where: str, said: dict[str, Any]) -> DateSpan:
    shared = {name: said[name] for name in _HOW if name in said}
    sides = []
    for name in ("start", "end"):
        if name not in said:
            raise InvalidInput(f"{where}.{name}", "is required: the column of this date")
        side = {"column": said[name]} if isinstance(said[name], str) else said[name]
        if not isinstance(side, dict):
            raise InvalidInput(f"{where}.{name}", "must be a column, or a table of a date")
        check_names(f"{where}.{name}", side, _OF_A_DATE)
        is_of_parts = not {"column", "text"} & side.keys()
        sides.append(checked_date(f"{where}.{name}", side if is_of_parts else shared | side))
    return DateSpan(*sides)


def _column(where: str, said: dict[str, Any]) -> DateColumn:
    check_texts(where, said, ("column", "text", "time"))
    if part := next((name for name in ("month", "day", "hour", "minute") if name in said), None):
        raise InvalidInput(f"{where}.{part}", "goes with year, and without column")
    patterns = texts(f"{where}.date", said.get("date", []), 'a format such as "%d.%m.%Y"')
    for pattern in patterns:
        if pattern != "edtf" and (problem := date_patterns.problem_of(pattern)):
            raise InvalidInput(f"{where}.date", f'"{pattern}" {problem}')
    if (day_first := said.get("day_first")) not in (None, True, False):
        raise InvalidInput(f"{where}.day_first", "must be true or false")
    year = said.get("year")
    is_year = type(year) is int and 1 <= year <= 9999
    if year is not None and not is_year and not (isinstance(year, str) and year):
        problem = 'must be a year such as 2025, "order", or the column of the year'
        raise InvalidInput(f"{where}.year", problem)
    if year == "order" and not where.startswith("fields.occurred"):
        raise InvalidInput(f"{where}.year", '"order" goes with occurred: write a year such as 2025')
    return DateColumn(
        said.get("column", ""),
        Template(said["text"]) if "text" in said else None,
        patterns,
        day_first,
        year if isinstance(year, int) else None,
        year == "order",
        year if isinstance(year, str) and year != "order" else None,
        said.get("time"),
        said.get("words", {}),
        said.get("other"),
    )


def _parts(where: str, said: dict[str, Any]) -> DateParts:
    check_texts(where, said, _PARTS[1:])
    year = said.get("year")
    if not (isinstance(year, str) and year) and type(year) is not int:
        raise InvalidInput(f"{where}.year", "must be the column of the year")
    if stray := next((name for name in ("date", "day_first", "words") if name in said), None):
        raise InvalidInput(f"{where}.{stray}", "goes with column")
    for name, needed in (("day", "month"), ("hour", "day"), ("time", "day"), ("minute", "hour")):
        if name in said and needed not in said:
            raise InvalidInput(f"{where}.{needed}", f"is required with {name}")
    return DateParts(year, *(said.get(name) for name in _PARTS[1:]))
