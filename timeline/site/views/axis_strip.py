"""Lay out all of time in a strip: busy stretches to scale, long empty ones as breaks.

Guarantees: every event with a known bound is in the strip. A stretch is as wide as the root of
its days times its events, so that one vague year does not crowd out a full month.

Pure: spans of days in, percentages out; see `time_units` for the numbers of days.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, groupby, pairwise
from math import ceil, sqrt
from typing import NamedTuple

from timeline.languages.translation import gettext, ngettext, number
from timeline.site.views.axis_window import Dated
from timeline.site.views.time_units import DAY, MONTH, Unit, month_of, ticks

_MOST_BREAKS = 3
"""The largest number of breaks."""
_LEAST_BREAK = 60
"""Days: no shorter stretch becomes a break."""
_GAP = 5.0
"""Per cent of the strip that a break takes."""
_LEAST_WIDTH = 8.0
"""Per cent of the strip, at least, that a stretch takes."""
_CELLS = 200
"""The number of places in the strip that have a height of their own."""
_TICK = 9
"""Per cent of the strip that a tick needs."""
_WINDOW = 0.5
"""Per cent: the least width of the window."""
_DAYS_OF_A_YEAR, _DAYS_OF_A_MONTH = 365.2425, 31


class Stretch(NamedTuple):
    """A stretch of days has a place in the strip, in per cent."""

    left: float
    right: float
    first: int
    last: int

    def place(self, number: int) -> float:
        """Return the place of a day, in per cent of the strip."""
        part = (number - self.first) / (self.last + 1 - self.first)
        return self.left + min(max(part, 0), 1) * (self.right - self.left)


class StripMark(NamedTuple):
    """A mark has a place in the strip and a height or a level."""

    left: float
    width: float
    height: float


class StripLabel(NamedTuple):
    """A label has a place in the strip, in per cent."""

    left: float
    words: str


class Strip(NamedTuple):
    """A strip is all of time, with the window that the axis shows."""

    stretches: list[Stretch]
    heap: list[StripMark]
    """How many events lie in a place; the highest has 100."""
    band: list[StripMark]
    """How many more could lie in a place, in levels from 1 to 4."""
    breaks: list[StripLabel]
    ticks: list[StripLabel]
    left: float
    """Where the window begins, in per cent."""
    width: float
    first: int
    """The first day of the window."""
    last: int


def strip_of(spans: Sequence[Dated], unit: Unit, first: int, last: int) -> Strip:
    """Return the strip for spans of days, and for a window that is shown in a unit."""
    stretches = _stretches(spans, first, last)
    starts = [each.first for each in stretches]

    def place(number: int) -> float:
        return stretches[max(bisect_right(starts, number) - 1, 0)].place(number)

    least = MONTH if unit == DAY else unit
    heap = [0.0] * _CELLS
    steps = [0] * (_CELLS + 1)
    for begin, end, events in spans:
        left = 0 if begin is None else place(begin) * _CELLS / 100
        right = _CELLS if end is None else place(end + 1) * _CELLS / 100
        low = min(int(left), _CELLS - 1)
        high = max(low, min(ceil(right) - 1, _CELLS - 1))
        if begin is None or end is None or least.period_of(begin) != least.period_of(end):
            steps[low] += events
            steps[high + 1] -= events
        elif low == high:
            heap[low] += events
        else:
            for cell in range(low, high + 1):
                part = min(cell + 1, right) - max(cell, left)
                heap[cell] += events * part / (right - left)
    left, right = place(first), place(last + 1)
    return Strip(
        stretches,
        [*_marks(heap, 100)],
        [*_marks([*accumulate(steps)][:-1], 4)],
        [*_breaks(stretches)],
        [*_labels(stretches)],
        round(left, 2),
        round(max(right - left, _WINDOW), 2),
        first,
        last,
    )


def _stretches(spans: Sequence[Dated], first: int, last: int) -> list[Stretch]:
    """Return the stretches between the breaks, which are the longest empty stretches of time."""
    weights = Counter[int]({first: 0, last: 0})
    for each in spans:
        for bound in (each.first, each.last):
            if bound is not None:
                weights[bound] += each.events
    places = sorted(weights)
    breaks: list[tuple[int, int]] = []
    left = places[-1] - places[0]
    for begin, end in sorted(pairwise(places), key=lambda gap: gap[0] - gap[1])[:_MOST_BREAKS]:
        is_long = end - begin > max(_LEAST_BREAK, left / 4)
        if is_long and (begin, end) != (first, last) and not _is_filled(begin, end, spans):
            breaks.append((begin, end))
            left -= end - begin
    breaks.sort()
    ends = [
        (begin, end)
        for (_, begin), (end, _) in pairwise([(0, places[0]), *breaks, (places[-1], 0)])
    ]
    known = [0, *accumulate(weights[place] for place in places)]
    roots = [
        sqrt(
            (end + 1 - begin)
            * max(1, known[bisect_right(places, end)] - known[bisect_left(places, begin)])
        )
        for begin, end in ends
    ]
    room = 100 - _GAP * len(breaks)
    widths = [max(root / sum(roots) * room, _LEAST_WIDTH) for root in roots]
    found = []
    left_end = 0.0
    for (begin, end), width in zip(ends, widths, strict=True):
        right = left_end + width * room / sum(widths)
        pad = 0 if end - begin > _LEAST_BREAK else 2
        found.append(Stretch(round(left_end, 3), round(right, 3), begin - pad, end + pad))
        left_end = right + _GAP
    return found


def _is_filled(begin: int, end: int, spans: Iterable[Dated]) -> bool:
    """Return whether a span lasts over a stretch: exactly so long, or longer if it is short."""
    return any(
        each.first == begin and each.last == end
        if end - begin > _DAYS_OF_A_YEAR
        else each.first is not None
        and each.last is not None
        and each.first <= begin
        and end <= each.last
        for each in spans
    )


def _marks(heights: Sequence[float], most: int) -> Iterator[StripMark]:
    """Yield a mark for each run of places with one height; the highest has `most`."""
    highest = max(heights)
    levels = [ceil(most * height / highest) if height > 0 else 0 for height in heights]
    cell = 0
    for level, several in groupby(levels):
        cells = len([*several])
        if level:
            yield StripMark(cell * 100 / _CELLS, cells * 100 / _CELLS, level)
        cell += cells


def _breaks(stretches: Sequence[Stretch]) -> Iterator[StripLabel]:
    for one, other in pairwise(stretches):
        yield StripLabel((one.right + other.left) / 2, _length(other.first - one.last - 1))


def _length(days: int) -> str:
    """Return the length of an empty stretch in words, such as "37 years"."""
    years = days / _DAYS_OF_A_YEAR
    if years >= 1e9:
        return gettext("{number} billion years").format(
            number=number(Decimal(f"{years / 1e9:.1f}"))
        )
    if years >= 1e6:
        return gettext("{number} million years").format(
            number=number(Decimal(f"{years / 1e6:.1f}"))
        )
    if years >= 2:
        text, count = ngettext("{number} year", "{number} years", int(years)), int(years)
    else:
        count = round(years * 12)
        text = ngettext("{number} month", "{number} months", count)
    return text.format(number=number(count))


def _labels(stretches: Sequence[Stretch]) -> Iterator[StripLabel]:
    """Yield the ticks below the strip: at least one for each stretch, and others with room."""
    for each in stretches:
        free = each.left
        most = max(1, int((each.right - each.left) / _TICK))
        with_days = each.last - each.first <= 2 * _DAYS_OF_A_MONTH
        found = ticks(each.first, each.last, most, with_days=with_days)
        for tick in found or [month_of(each.first)]:
            place = each.place(tick.day)
            if free <= place <= 100 - _TICK:
                yield StripLabel(round(place, 2), f"{tick.label} {tick.year}".strip())
                free = place + _TICK
