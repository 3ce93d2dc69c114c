"""The totals of a file beside those of the log: nothing came in twice, nothing was lost.

Guarantees: the side of the file is added up from its cells, that of the log from its tables,
over the rows that are in. Where a figure was changed in the log, the two differ, and say so.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from timeline.intake.dataset.staging import Staging


class Figure(NamedTuple):
    """The sum of one figure, in the file and in the log."""

    measure: str
    field: str
    """value, low or high."""
    in_file: Decimal
    in_log: Decimal

    @property
    def reconciles(self) -> bool:
        """Whether the sums are equal, as far as SQLite adds fractions."""
        return abs(self.in_file - self.in_log) <= abs(self.in_file) * Decimal("1e-9")


class Totals(NamedTuple):
    """What the rows that are in add up to."""

    figures: list[Figure]
    countries: Counter[tuple[str, str | None]]
    """Rows by the publisher's name of a country and the log's code."""
    dates: Counter[tuple[str, str | None]]
    """Rows by how precise the publisher calls the date and what the log makes of it."""


def totals(staging: Staging) -> Totals:
    """Both sides of the rows that were recorded, updated or unchanged."""
    sums: dict[tuple[str, str], Decimal] = {}
    countries: Counter[tuple[str, str | None]] = Counter()
    dates: Counter[tuple[str, str | None]] = Counter()
    for tally, country, precision in staging.tallied():
        for key, amount in tally.figures.items():
            sums[key] = sums.get(key, Decimal(0)) + amount
        if tally.country or country:
            countries[tally.country, country] += 1
        dates[tally.date, precision] += 1
    logged = {
        (measure, field): Decimal(str(amount or 0))
        for measure, *amounts in staging.figures()
        for field, amount in zip(("value", "low", "high"), amounts, strict=True)
    }
    figures = [
        Figure(*key, amount, logged.get(key, Decimal(0))) for key, amount in sorted(sums.items())
    ]
    return Totals(figures, countries, dates)
