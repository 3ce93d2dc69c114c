"""Count events by period, as bars: how many there were, and how many more there could have been.

Guarantees: an event is never drawn more precisely than its date is known. A bar is solid for events
that lie within its period, and faint for events that could: an event known to the quarter is faint
over the whole quarter, one with an open end up to the end of the axis. Solid and faint together are
the events that the filter by that period finds.

Pure: bounds in, bars out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from timeline.model.edtf import numbers, phrase

_MOST_BARS = 125
"""The largest number of bars on an axis; a larger unit is taken if there would be more."""
Day = tuple[int, int, int]
"""Year, month and day."""


class Bar(NamedTuple):
    """A bar counts the events of one period; `first` and `last` are its bounds, as EDTF."""

    first: str
    last: str
    label: str
    certain: int
    """The number of events that lie within the period."""
    possible: int
    """The number of further events that could lie in the period."""


class Histogram(NamedTuple):
    """A histogram has bars of one unit beside each other, without gaps."""

    unit: str
    bars: list[Bar]
    open_ended: int
    """The number of events without a beginning or an end; they count as `possible`."""

    @property
    def highest(self) -> int:
        """Return the largest number of events in a bar, certain and possible together."""
        return max((bar.certain + bar.possible for bar in self.bars), default=0)


class _Unit(NamedTuple):
    name: str
    number: Callable[[Day], int]
    """A function that returns the index of the period in which a day lies."""
    edtf: Callable[[int], tuple[str, str]]
    """A function that returns the bounds of the period with an index, as EDTF."""


def bars_of(
    spans: Iterable[tuple[str | None, str | None, int]],
    since: str | None = None,
    until: str | None = None,
) -> Histogram | None:
    """Return the histogram of these spans; None if none of them has a bound.

    A span is first day, last day and number of events; bounds are as in table `events`, and None
    for an open end. The axis ends at `since` and `until`, the bounds of the filter, if events reach
    beyond them.
    """
    dated = [(_day(first), _day(last), count) for first, last, count in spans]
    known = [day for first, last, _ in dated for day in (first, last) if day]
    if not known:
        return None
    start = max(min(known), _day(since) or min(known))
    end = max(start, min(max(known), _day(until) or max(known)))
    has_days = 1 <= start[0] <= end[0] <= 9998
    unit = next(
        unit for unit in _units(has_days) if unit.number(end) - unit.number(start) < _MOST_BARS
    )
    zero = unit.number(start)
    size = unit.number(end) - zero + 1
    certain = [0] * size
    steps = [0] * (size + 1)
    for first, last, count in dated:
        begin = unit.number(first) - zero if first else 0
        stop = unit.number(last) - zero if last else size - 1
        if first and last and begin == stop:
            certain[begin] += count
        else:
            steps[max(begin, 0)] += count
            steps[min(stop, size - 1) + 1] -= count
    bars = []
    for index, (sure, possible) in enumerate(zip(certain, accumulate(steps), strict=False)):
        first_edtf, last_edtf = unit.edtf(zero + index)
        bars.append(Bar(first_edtf, last_edtf, _label(first_edtf, last_edtf), sure, possible))
    is_open = (count for first, last, count in dated if not (first and last))
    return Histogram(unit.name, bars, sum(is_open))


@lru_cache(maxsize=10_000)
def _day(bound: str | None) -> Day | None:
    return None if bound is None else numbers(bound)[:3]  # type: ignore[return-value]


def _label(first: str, last: str) -> str:
    return " to ".join(phrase(edtf) for edtf in dict.fromkeys((first, last)))


# --- Units --------------------------------------------------------------------------------


def _units(has_days: bool) -> Iterator[_Unit]:
    """Yield units from small to large: day and month if possible, then 1, 10, 100 ... years."""
    if has_days:
        yield _Unit(
            "day",
            lambda day: date(*day).toordinal(),
            lambda index: (date.fromordinal(index).isoformat(),) * 2,
        )
        yield _Unit(
            "month",
            lambda day: day[0] * 12 + day[1] - 1,
            lambda index: (f"{index // 12:04d}-{index % 12 + 1:02d}",) * 2,
        )
    years = 1
    while True:
        yield _years(years)
        years *= 10


def _years(years: int) -> _Unit:
    return _Unit(
        "year" if years == 1 else f"{years:,} years",
        lambda day: day[0] // years,
        lambda index: (_year(index * years), _year((index + 1) * years - 1)),
    )


def _year(year: int) -> str:
    if 0 <= year <= 9999:
        return f"{year:04d}"
    return f"Y{year}" if year > 9999 or year < -9999 else f"-{-year:04d}"


def ticks(bars: Sequence[Bar], most: int = 6) -> list[int]:
    """Return the indexes of the bars whose labels stand below the axis: at most `most`, evenly."""
    step = -(-len(bars) // most) or 1
    return [*range(0, len(bars), step)]
