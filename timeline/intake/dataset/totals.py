"""Compare the totals of a file with those of the log: nothing was doubled, nothing was lost.

Guarantees: the file's totals are added up from its cells, the log's totals from its entries, both
exactly, over the rows that were accepted. If a figure was changed in the log, or left out, the two
differ, and this is shown.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, localcontext
from typing import NamedTuple

from timeline.intake.dataset.staging import Staging

_Sums = dict[tuple[str, str], Decimal]
_FIELDS = ("value", "low", "high")
_DIGITS = 100
"""Digits of a sum: the model takes numbers of 38 digits before and after the point."""
_ACCEPTED = (
    " FROM staged AS s LEFT JOIN event_external_ids AS x USING (external_id)"
    " JOIN events AS e ON e.event_id = coalesce(x.event_id, s.event_id)"
)
_OF_ACCEPTED = " WHERE s.outcome IN ('recorded', 'updated', 'unchanged')"
_ROWS = f"SELECT s.cells, e.country, e.occurred_precision{_ACCEPTED}{_OF_ACCEPTED}"
_WHOLE = (
    "SELECT q.measure, sum(q.value), sum(q.low), sum(q.high),"
    " total(abs(q.value)) + total(abs(q.low)) + total(abs(q.high)),"
    " max(coalesce(q.value <> CAST(q.value AS INTEGER), 0)"
    "  OR coalesce(q.low <> CAST(q.low AS INTEGER), 0)"
    "  OR coalesce(q.high <> CAST(q.high AS INTEGER), 0))"
    f"{_ACCEPTED} JOIN event_quantities AS q ON q.event_id = e.event_id{_OF_ACCEPTED}"
    " GROUP BY q.measure"
)
"""Sums of the tables, which have figures as floating-point numbers; whether any is a fraction."""
_EXACT = (
    "SELECT q.value ->> 'measure', q.value ->> 'value', q.value ->> 'low', q.value ->> 'high'"
    f"{_ACCEPTED} JOIN event_versions AS v ON v.event_id = e.event_id AND v.version = e.version"
    " JOIN log AS l ON l.seq = v.content_seq, json_each(l.payload, '$.quantities') AS q"
    f"{_OF_ACCEPTED}"
)
"""The figures of the entries, which are exact."""
_EXACT_BELOW = 2**53
"""The sum of whole floating-point numbers below which it is exact."""


class Figure(NamedTuple):
    """Holds the sum of one figure in the file and in the log."""

    measure: str
    field: str
    """The part of the figure: value, low or high."""
    in_file: Decimal
    in_log: Decimal

    @property
    def reconciles(self) -> bool:
        """Return whether the sums are equal."""
        return self.in_file == self.in_log


class Totals(NamedTuple):
    """Holds the totals of the accepted rows."""

    figures: list[Figure]
    countries: Counter[tuple[str, str | None]]
    """The number of rows by the publisher's name of a country and the log's code."""
    dates: Counter[tuple[str, str | None]]
    """The number of rows by the precision of the date that the publisher and the log give."""


def totals(staging: Staging) -> Totals:
    """Return the totals of the rows that were recorded, updated or unchanged."""
    sums: _Sums = {}
    countries: Counter[tuple[str, str | None]] = Counter()
    dates: Counter[tuple[str, str | None]] = Counter()
    with localcontext() as context:
        context.prec = _DIGITS
        for cells, country, precision in staging.connection.execute(_ROWS):
            tally = staging.form.tally(json.loads(cells))
            for key, amount in tally.figures.items():
                sums[key] = sums.get(key, Decimal(0)) + amount
            if tally.country or country:
                countries[tally.country, country] += 1
            dates[tally.date, precision] += 1
        logged = _in_log(staging, sums)
    figures = [
        Figure(*key, amount, logged.get(key, Decimal(0))) for key, amount in sorted(sums.items())
    ]
    return Totals(figures, countries, dates)


def _in_log(staging: Staging, in_file: _Sums) -> _Sums:
    """Return the exact sums of the log's figures.

    The tables are asked first. If a figure is a fraction or the sums differ, the entries are read.
    """
    if not in_file:
        return {}
    logged: _Sums = {}
    is_exact = True
    for measure, *amounts, size, has_fraction in staging.connection.execute(_WHOLE):
        is_exact &= size < _EXACT_BELOW and not has_fraction
        for field, amount in zip(_FIELDS, amounts, strict=True):
            if amount is not None:
                logged[measure, field] = Decimal(amount)
    if is_exact and all(logged.get(key) == amount for key, amount in in_file.items()):
        return logged
    logged = {}
    for measure, *amounts in staging.connection.execute(_EXACT):
        for field, amount in zip(_FIELDS, amounts, strict=True):
            if amount is not None:
                key = measure, field
                logged[key] = logged.get(key, Decimal(0)) + Decimal(amount)
    return logged
