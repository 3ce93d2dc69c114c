"""How many events could have happened in each year, or in each month of one.

Guarantees: a period counts every event whose bounds leave it possible, as the filters
`since` and `until` take it. Listed is every period between the bounds of an event; of an
event with an open side only the period that it names, not all those that it leaves possible.

Pure functions over integers: years, or months since January of the year 0.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class PeriodCount(NamedTuple):
    """The first and the last period in which so many events could have happened."""

    first: int | None  # None: open
    last: int | None
    events: int


def most_likely(
    spans: Iterable[PeriodCount], size: int, within: tuple[int, int] | None = None
) -> tuple[list[tuple[int, int]], bool]:
    """The `size` periods with the most events, in the order of time, each with its count.

    Of periods with as many events, the later ones. With it: whether there are more of them.
    `within` is the first and the last one that may be listed.
    """
    listed: list[tuple[int, int]] = []
    for begin, end, count in _runs(spans):
        first, last = (max(begin, within[0]), min(end, within[1])) if within else (begin, end)
        # Of a run of a million years, no more than can be shown, and one.
        listed += [(count, period) for period in range(max(first, last - size), last + 1)]
    likely = heapq.nlargest(size, listed)
    return sorted((period, count) for count, period in likely), len(listed) > size


def _runs(spans: Iterable[PeriodCount]) -> Iterator[tuple[int, int, int]]:
    """The listed periods in runs that have the same count: the first, the last, the count."""
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
