"""Choose the stretch of time that a reader sees first, so that most events can be told apart.

Guarantees: it is the run of close dates that has most events, with the runs beside it while the
emptiness between is no longer than the run. What has no end or no beginning never widens it,
and neither does what lies far from all the rest.

Pure: spans in, days out; see `time_units` for the numbers of days.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from timeline.site.views.time_units import DAY, MONTH, YEAR, Unit, next_unit

_MONTHS_BY_DAY = 6
"""Months: a run of at most so many is looked at by day."""
_GAP_IN_DAYS, _NEAR_IN_DAYS = 14, 21
"""Days: a longer gap ends a run; a neighbour that is nearer always belongs to the window."""
_NEAR_IN_YEARS = 5
"""Years, decades or centuries: the same where dates are no closer. For months it is one."""
_MOST_YEARS = 10**12
"""Years: EDTF has no more on either side of the year 0."""
_LEAST_DAYS = 7
"""Days: the shortest window."""


class Dated(NamedTuple):
    """Says how many events begin in one period and end in another; None is an open end."""

    first: int | None
    last: int | None
    events: int


class Window(NamedTuple):
    """A window has a first and a last day, and the smallest unit in which to show it."""

    first: int
    last: int
    least: Unit


def first_window(
    months: Sequence[Dated], days_in: Callable[[int, int], Iterable[Dated]]
) -> Window | None:
    """Return the window for events of these months; None if no event has a bound.

    `days_in` returns the events by day that may be in the months from one to another.
    """
    closed = [*_closed(months)]
    unit = _unit_of_most(closed)
    size = 12 * unit.years or 1
    points = Counter[int]()
    for first, last, events in closed:
        if first // size == last // size:
            points[first // size] += events
    if not points:
        for each in months:
            points.update(bound // size for bound in (each.first, each.last) if bound is not None)
    if not points:
        return None
    near = 1 if unit == MONTH else _NEAR_IN_YEARS
    begin, end = _run(points, gap=near, near=near)
    first_month, last_month = begin * size, (end + 1) * size - 1
    if unit == MONTH and last_month - first_month < _MONTHS_BY_DAY:
        by_day = _by_day([*days_in(first_month, last_month)], first_month, last_month)
        if by_day:
            return by_day
    return Window(MONTH.start(first_month), MONTH.end(last_month), unit)


def _closed(spans: Iterable[Dated]) -> Iterator[tuple[int, int, int]]:
    for first, last, events in spans:
        if first is not None and last is not None:
            yield first, last, events


def _unit_of_most(closed: Sequence[tuple[int, int, int]]) -> Unit:
    """Return the smallest unit, from months on, with half of the events in one period each.

    It is the year without such a unit: an event from before the year 0 until after it is in no
    period of any unit.
    """
    everything = sum(events for *_, events in closed)
    unit = MONTH
    while unit.years <= _MOST_YEARS and everything:
        size = 12 * unit.years or 1
        if 2 * sum(n for first, last, n in closed if first // size == last // size) >= everything:
            return unit
        unit = next_unit(unit)
    return YEAR


def _by_day(days: Sequence[Dated], first_month: int, last_month: int) -> Window | None:
    """Return the window within some months; None if less than half of the dates are of a day."""
    start, stop = MONTH.start(first_month), MONTH.end(last_month)
    within = [each for each in _closed(days) if start <= each[0] and each[1] <= stop]
    points = Counter[int]()
    others = 0
    for first, last, events in within:
        if first == last:
            points[first] += events
        elif MONTH.period_of(first) == MONTH.period_of(last):
            others += events
    if points.total() < max(others, 1):
        return None
    first, last = _run(points, gap=_GAP_IN_DAYS, near=_NEAR_IN_DAYS)
    soon = last + max(7, (last - first) // 5)
    last = max([last, *(end for begin, end, _ in within if first <= begin <= last and end <= soon)])
    pad = max(1, (_LEAST_DAYS - (last - first)) // 2)
    return Window(first - pad, last + pad, DAY)


def _run(points: Counter[int], gap: int, near: int) -> tuple[int, int]:
    """Return the first and the last place of the run that has most events.

    A run ends where nothing follows within `gap` places, or a twelfth of its length. A neighbour
    is added that is within `near` places, or as near as the run is long.
    """
    places = sorted(points)
    run = places
    while True:
        widest_gap = max(gap, (run[-1] - run[0]) // 12)
        ends = [at for at, (one, other) in enumerate(pairwise(run), 1) if other - one > widest_gap]
        if not ends:
            break
        runs = [run[begin:end] for begin, end in pairwise([0, *ends, len(run)])]
        run = max(runs, key=lambda each: (sum(points[place] for place in each), each[-1]))
    first, last = run[0], run[-1]
    before, after = bisect_left(places, first), bisect_right(places, last)
    while True:
        left = first - places[before - 1] if before else None
        right = places[after] - last if after < len(places) else None
        nearest = min(distance for distance in (left, right, _FAR) if distance is not None)
        if nearest > max(near, last - first):
            return first, last
        if nearest == left:
            before -= 1
            first = places[before]
        else:
            last = places[after]
            after += 1


_FAR = 10**18
"""A number that is larger than every distance between two days."""
