"""Compare the rows of two tables, for the checks of tables and of the index that is searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from timeline.proof.checks.report import Report, text_of

Values = tuple[Any, ...]
"""The values of a row; a text is bytes, as it is stored."""


def compare_rows(
    report: Report,
    table: str,
    names: tuple[str, ...],
    width: int,
    expected: Iterator[Values],
    found: Iterator[Values],
) -> None:
    """Report the values that differ in two tables, both sorted by their first `width` columns.

    `names` are those of all columns; the first ones say where a difference is.
    """
    for right, wrong in _differing(expected, found, width):
        either = right or wrong or ()
        where = ", ".join(
            f"{name} {_value_in_report(value)}"
            for name, value in zip(names, either[:width], strict=False)
        )
        if right is None or wrong is None:
            sides = ("a row", "no row") if right else ("no row", "a row")
            report.add(table, where, *sides)
        else:
            for name, one, other in zip(names, right, wrong, strict=True):
                if one != other:
                    expected_value, found_value = _value_in_report(one), _value_in_report(other)
                    report.add(table, f"{where}, {name}", expected_value, found_value)


def _differing(
    expected: Iterator[Values], found: Iterator[Values], width: int
) -> Iterator[tuple[Values | None, Values | None]]:
    """Yield the rows that differ in two tables, both sorted by their first `width` columns."""
    right, wrong = next(expected, None), next(found, None)
    while right is not None or wrong is not None:
        if right == wrong:
            right, wrong = next(expected, None), next(found, None)
        elif wrong is None or (right is not None and right[:width] < wrong[:width]):
            yield right, None
            right = next(expected, None)
        elif right is None or wrong[:width] < right[:width]:
            yield None, wrong
            wrong = next(found, None)
        else:
            yield right, wrong
            right, wrong = next(expected, None), next(found, None)


def _value_in_report(value: object) -> str:
    return (
        text_of(value) if isinstance(value, bytes) else "nothing" if value is None else str(value)
    )
