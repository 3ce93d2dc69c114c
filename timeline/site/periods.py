"""Count the events that could have happened in each year, or in each month of a year.

Guarantees: a period counts every event that could have happened in it, just as the filters
`since` and `until` find it. Every period between the bounds of an event is listed; for an event
with an open end only the period of its one bound is listed.

Pure: periods are integers, either years or months since January of the year 0.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class PeriodCount(NamedTuple):
    """A span of periods has a number of events that could have happened in any of them."""

    first: int | None
    """The first possible period; None for an open beginning."""
    last: int | None
    """The last possible period; None for an open end."""
    events: int


def most_likely(
    spans: Iterable[PeriodCount], size: int, within: tuple[int, int] | None = None
) -> tuple[list[tuple[int, int]], bool]:
    """Return the `size` periods with the most events, oldest first, each with its count.

    Later periods go before earlier ones with as many events. The second result tells whether there
    are more periods. `within` is the first and the last period that may be listed.
    """
    listed: list[tuple[int, int]] = []
    for begin, end, count in _runs(spans):
        first, last = (max(begin, within[0]), min(end, within[1])) if within else (begin, end)
        # A run may have a million years: take as many as can be shown, and one more.
        listed += [(count, period) for period in range(max(first, last - size), last + 1)]
    likely = heapq.nlargest(size, listed)
    return sorted((period, count) for count, period in likely), len(listed) > size


def _runs(spans: Iterable[PeriodCount]) -> Iterator[tuple[int, int, int]]:
    """Yield runs of listed periods with the same count: the first, the last, and the count."""
    possible, named = Counter[int](), Counter[int]()
    count = listed = 0
    for span in spans:
        bounds = [bound for bound in (span.first, span.last) if bound is not None]
        if bounds:
            named[min(bounds)] += span.events
            named[max(bounds) + 1] -= span.events
        if span.first is None:
            count += span.events
        else:
            possible[span.first] += span.events
        if span.last is not None:
            possible[span.last + 1] -= span.events
    points = sorted(possible.keys() | named.keys())
    for begin, following in pairwise(points):
        count += possible[begin]
        listed += named[begin]
        if listed:
            yield begin, following - 1, count
