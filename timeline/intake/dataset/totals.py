"""Compare the totals of a file with those of the log: nothing was doubled, nothing was lost.

Guarantees: the file's totals are added up from its cells, the log's totals from its tables, both
over the rows that were accepted. If a figure was changed in the log, the two differ, and this is
shown.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from timeline.intake.dataset.staging import Staging


class Figure(NamedTuple):
    """Holds the sum of one figure in the file and in the log."""

    measure: str
    field: str
    """The part of the figure: value, low or high."""
    in_file: Decimal
    in_log: Decimal

    @property
    def reconciles(self) -> bool:
        """Return whether the sums are equal, as precisely as SQLite adds fractions."""
        return abs(self.in_file - self.in_log) <= abs(self.in_file) * Decimal("1e-9")


class Totals(NamedTuple):
    """Holds the totals of the accepted rows."""

    figures: list[Figure]
    countries: Counter[tuple[str, str | None]]
    """The number of rows by the publisher's name of a country and the log's code."""
    dates: Counter[tuple[str, str | None]]
    """The number of rows by the precision of the date that the publisher and the log give."""


def totals(staging: Staging) -> Totals:
    """Return the totals of the rows that were recorded, updated or unchanged."""
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
