"""Read what the axis of time shows of a selection: bars, lines, and the strip of all of time.

Guarantees: a bar counts the events that lie wholly in its day, month or year. What lasts or is
dated roughly is never in a bar: it is a line below, or one of many in a band. A bar and the band
below it are together what the filter by that period finds. The window, the bars and the lines
are those of the whole selection: its filter by period chooses the window only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from timeline.formats import prose
from timeline.formats.local_dates import period_words
from timeline.languages.translation import ngettext, number
from timeline.model import edtf
from timeline.reading import spans
from timeline.reading.selection import Selection
from timeline.reading.spans import EventSpans, TimeSpan
from timeline.site.views.axis_strip import Strip, strip_of
from timeline.site.views.axis_window import Dated, first_window
from timeline.site.views.event_classes import CLASSES, TYPES, EventClass, class_of, words_of
from timeline.site.views.time_units import (
    DAY,
    MONTH,
    Tick,
    Unit,
    edtf_of,
    fitting,
    number_of,
    ticks,
)
from timeline.store.rows import RowDict

_MOST_BARS = 125
"""The largest number of periods on an axis; a larger unit is taken if there would be more."""
FEW_BARS = 50
"""The same on the pages of an actor and of a source, which are quicker with fewer bars: on the page
of 4,000 events of an actor, 125 bars take 30 ms."""
_MOST_TICKS = 9
_MOST_LANES = 8
"""The largest number of lines below each other; more become a band."""
_MOST_LINES = 60
"""The largest number of lines; more become a band, and their titles are not read."""
_MOST_TITLED = 120
"""The largest number of events in all bars together of which titles are read."""
_TITLES = 3
"""The number of titles on the card of a bar."""
_GROUPS: spans.Groups = {str(name): codes for name, codes in TYPES.items()}
_BETWEEN = 0.6
"""Per cent of the axis: the least distance of two lines beside each other."""
_LEVELS = 4
"""The number of shades in a band."""


class Bar(NamedTuple):
    """A bar counts the events of one period; `first` and `last` are its bounds, as EDTF."""

    first: str
    last: str
    label: str
    events: int
    parts: list[tuple[EventClass, int]]
    """The number of events by class, from the bottom of the bar to its top."""
    titles: list[str]
    left: float
    """Where the period begins, in per cent of the axis."""
    width: float

    @property
    def more(self) -> str:
        """Return how many more events there are than titles, in words; "" without titles."""
        more = self.events - len(self.titles) if self.titles else 0
        text = ngettext("and {number} more", "and {number} more", more)
        return text.format(number=number(more)) if more else ""


class AxisLine(NamedTuple):
    """A line is an event that lasts, or whose day is not known."""

    event_id: str
    title: str
    time: str
    event_class: EventClass
    lane: int
    left: float
    width: float
    begin: str
    """ "open" without a known beginning, "cut" if it began before the window, otherwise ""."""
    end: str
    """ "open" without a known end, "cut" if it ends after the window, otherwise ""."""
    is_rough: bool
    """Whether it is dated roughly, such as by a month."""


class Shade(NamedTuple):
    """A shade says how many events could be in a period, beside those of its bar."""

    label: str
    events: int
    level: int
    left: float
    width: float


class Edge(NamedTuple):
    """An edge has the number of events beyond one end of the axis."""

    events: int
    words: str
    bound: str
    """The last day before the axis, or the first one after it, as EDTF."""


class Axis(NamedTuple):
    """An axis of time; places and widths are in per cent of its length."""

    unit: str
    first: int
    """The number of the first day; the window may begin later, in the same period."""
    last: int
    label: str
    """The window in words."""
    is_chosen: bool
    """Whether a reader chose the window."""
    bars: list[Bar]
    scale: list[int]
    """The numbers beside the bars; the last one is at the top."""
    ticks: list[tuple[float, Tick]]
    lines: list[AxisLine]
    lanes: int
    shades: list[Shade]
    others: int
    """The number of events that are lines or in the band."""
    before: Edge | None
    after: Edge | None
    strip: Strip

    @property
    def legend(self) -> list[tuple[EventClass, str]]:
        """Return the classes that bars and lines have, with their words."""
        used = {part for bar in self.bars for part, _ in bar.parts}
        used |= {line.event_class for line in self.lines}
        return [(each, words_of(each)) for each in CLASSES if each in used]

    @property
    def names_years(self) -> bool:
        """Return whether two ticks or more are the beginnings of years, named by the month."""
        return sum(tick.is_january for _, tick in self.ticks) > 1

    def words(self, name: EventClass) -> str:
        """Return the words for a class."""
        return words_of(name)


class _Span(NamedTuple):
    """A span of days, by numbers, with its events and the name that the selection has for it."""

    first: int | None
    last: int | None
    events: int
    key: TimeSpan


def axis_of(selection: Selection, most_bars: int = _MOST_BARS) -> Axis | None:
    """Return the axis of a selection; None if no event of it has a known date."""
    chosen = selection.spans()
    months = chosen.months()
    by_month = [
        Dated(_month_number(each.first), _month_number(each.last), each.events) for each in months
    ]

    def days_in(first_month: int, last_month: int) -> list[Dated]:
        counted = chosen.days(_month(first_month), _month(last_month))
        return [Dated(_number(each.first), _number(each.last), each.events) for each in counted]

    window = first_window(by_month, days_in)
    if window is None:
        return None
    asked = _asked(*selection.bounds(), by_month)
    first, last, least = (*asked, DAY) if asked else window
    scale = _Scale.over(first, last, least, most_bars)
    found = [*_spans(chosen, months, scale)]
    strip = strip_of([Dated(*span[:3]) for span in found], scale.unit, first, last)
    label = period_words(edtf_of(first), edtf_of(last))
    return _drawn(chosen, found, scale, strip, label, is_chosen=bool(asked))


def _asked(
    since: str | None, until: str | None, by_month: Sequence[Dated]
) -> tuple[int, int] | None:
    """Return the window of a filter by period, as far as there are events."""
    if not (since or until):
        return None
    known = [month for each in by_month for month in (each.first, each.last) if month is not None]
    begin, end = MONTH.start(min(known)), MONTH.end(max(known))
    first = number_of(_day(since)) if since else begin
    last = number_of(_day(until)) if until else end
    if first > last:  # nothing can match: show the end that was asked for
        return (first, first) if since else (last, last)
    if first > end or last < begin:
        return first, last
    return max(first, begin), min(last, end)


def _day(bound: str) -> str:
    return bound.partition("T")[0]


def _number(bound: str | None) -> int | None:
    return None if bound is None else number_of(_day(bound))


@lru_cache(maxsize=10_000)
def _month_number(month: str | None) -> int | None:
    return None if month is None else MONTH.period_of(number_of(f"{month}-01"))


def _month(index: int) -> str:
    return edtf.sortable(index // 12, index % 12 + 1, 1)[:-3]


def _spans(chosen: EventSpans, months: Sequence[spans.SpanCount], scale: _Scale) -> Iterator[_Span]:
    """Yield the spans of all events: by day near an axis of days, otherwise by month."""
    near = _month(MONTH.period_of(scale.first)), _month(MONTH.period_of(scale.last))
    for counted in months:
        key = counted.first, counted.last
        if scale.unit != DAY or not spans.overlaps(key, *near):
            begin, end = _month_number(counted.first), _month_number(counted.last)
            yield _Span(
                None if begin is None else MONTH.start(begin),
                None if end is None else MONTH.end(end),
                counted.events,
                key,
            )
    for counted in chosen.days(*near) if scale.unit == DAY else ():
        key = counted.first, counted.last
        yield _Span(_number(counted.first), _number(counted.last), counted.events, key)


def _drawn(
    chosen: EventSpans,
    found: Sequence[_Span],
    scale: _Scale,
    strip: Strip,
    label: str,
    *,
    is_chosen: bool,
) -> Axis:
    unit, first, last = scale
    inside: defaultdict[int, list[_Span]] = defaultdict(list)
    others, before, after = [], [], []
    for span in found:
        if span.last is not None and span.last < first:
            before.append(span)
        elif span.first is not None and span.first > last:
            after.append(span)
        elif (place := scale.period(span)) is not None:
            inside[place].append(span)
        else:
            others.append(span)
    bars = [*_bars(chosen, scale, inside)]
    lines = _lines(chosen, scale, others)
    return Axis(
        unit.name,
        first,
        last,
        label,
        is_chosen,
        bars,
        _numbers_beside(max((bar.events for bar in bars), default=0)),
        [(scale.left(tick.day), tick) for tick in ticks(first, last, _MOST_TICKS)],
        lines,
        max((line.lane + 1 for line in lines), default=0),
        [] if lines else [*_shades(scale, others)],
        sum(span.events for span in others),
        _edge(chosen, before, edtf_of(first - 1), is_before=True),
        _edge(chosen, after, edtf_of(last + 1), is_before=False),
        strip,
    )


class _Scale(NamedTuple):
    """A scale gives days a place on the axis, in per cent."""

    unit: Unit
    first: int
    last: int

    @classmethod
    def over(cls, first: int, last: int, least: Unit, most_bars: int) -> _Scale:
        """Return the scale of some days, in whole periods of a unit, which is `least` or more."""
        unit = fitting(first, last, most_bars, least)
        return cls(unit, unit.start(unit.period_of(first)), unit.end(unit.period_of(last)))

    def left(self, day: int) -> float:
        return round((day - self.first) * 100 / (self.last + 1 - self.first), 3)

    def width(self, first: int, last: int) -> float:
        return round((last + 1 - first) * 100 / (self.last + 1 - self.first), 3)

    def within(self, first: int | None, last: int | None) -> tuple[int, int]:
        """Return the part of a span that is on the axis."""
        begin = self.first if first is None else max(first, self.first)
        return begin, self.last if last is None else min(last, self.last)

    def period(self, span: _Span) -> int | None:
        """Return the period in which a span lies; None if it reaches beyond one."""
        if span.first is None or span.last is None:
            return None
        index = self.unit.period_of(span.first)
        return index if self.unit.period_of(span.last) == index else None


def _bars(chosen: EventSpans, scale: _Scale, inside: dict[int, list[_Span]]) -> Iterator[Bar]:
    places = sorted(inside)
    cells = [[span.key for span in inside[place]] for place in places]
    counted = chosen.by_group(cells, _GROUPS)
    titles = _titles(chosen, scale, inside)
    for place, groups in zip(places, counted, strict=True):
        first, last = scale.unit.bounds(place)
        start, end = scale.unit.start(place), scale.unit.end(place)
        parts = [(name, groups.get(name, 0)) for name in CLASSES]
        yield Bar(
            first,
            last,
            scale.unit.label(place),
            sum(span.events for span in inside[place]),
            [(name, events) for name, events in parts if events],
            titles.get(place, []),
            scale.left(start),
            scale.width(start, end),
        )


def _titles(
    chosen: EventSpans, scale: _Scale, inside: dict[int, list[_Span]]
) -> dict[int, list[str]]:
    """Return the first titles of each bar, if there are not too many events in all bars."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    of_all = [span for several in inside.values() for span in several]
    if sum(span.events for span in of_all) <= _MOST_TITLED:
        for row in chosen.dated([span.key for span in of_all]):
            place = scale.unit.period_of(_number(row["occurred_from"]) or 0)
            if len(found[place]) < _TITLES:
                found[place].append(row["title"])
    return found


def _numbers_beside(highest: int) -> list[int]:
    """Return at most four round numbers for the height of bars; the last is at least 3."""
    step = 1
    while highest > 3 * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    top = max(-(-highest // step) * step, 3)
    return [*range(step, top + 1, step)]


# --- What lasts, or is dated roughly ------------------------------------------------------


def _lines(chosen: EventSpans, scale: _Scale, others: Sequence[_Span]) -> list[AxisLine]:
    """Return the lines; none if they are too many to tell them apart."""
    if not 0 < sum(span.events for span in others) <= _MOST_LINES:
        return []
    rows = chosen.dated([span.key for span in others])
    lines = [_line(scale, row) for row in rows]
    lines.sort(key=lambda line: (line.begin == "", line.left, -line.width))
    ends = [-_BETWEEN] * _MOST_LANES
    placed = []
    for line in lines:
        lane = next((lane for lane, end in enumerate(ends) if end + _BETWEEN <= line.left), None)
        if lane is None:
            return []
        ends[lane] = line.left + line.width
        placed.append(line._replace(lane=lane))
    return placed


def _line(scale: _Scale, row: RowDict) -> AxisLine:
    first, last = _number(row["occurred_from"]), _number(row["occurred_to"])
    begin, end = scale.within(first, last)
    return AxisLine(
        row["event_id"],
        row["title"] or "",
        prose.when(row),
        class_of(row["event_type"]),
        0,
        scale.left(begin),
        scale.width(begin, end),
        "open" if first is None else "cut" if first < scale.first else "",
        "open" if last is None else "cut" if last > scale.last else "",
        row["occurred_precision"] not in ("interval", "open"),
    )


def _shades(scale: _Scale, others: Iterable[_Span]) -> Iterator[Shade]:
    """Yield the periods in which an event could be that is in no bar."""
    zero = scale.unit.period_of(scale.first)
    steps = [0] * (scale.unit.period_of(scale.last) - zero + 2)
    for span in others:
        begin, end = map(scale.unit.period_of, scale.within(span.first, span.last))
        steps[begin - zero] += span.events
        steps[end - zero + 1] -= span.events
    counted = [*accumulate(steps)][:-1]
    highest = max(counted)
    for place, events in enumerate(counted, zero):
        if events:
            start = scale.unit.start(place)
            yield Shade(
                scale.unit.label(place),
                events,
                -(-events * _LEVELS // highest),
                scale.left(start),
                scale.width(start, scale.unit.end(place)),
            )


def _edge(
    chosen: EventSpans, beyond: Sequence[_Span], bound: str, *, is_before: bool
) -> Edge | None:
    """Return what is beyond one end of the axis, with the date of the event next to it."""
    if not beyond:
        return None
    events = sum(span.events for span in beyond)
    days = [(span.last if is_before else span.first) or 0 for span in beyond]
    nearest = max(days) if is_before else min(days)
    if events == 1:
        words = prose.when(chosen.dated([beyond[0].key])[0])
    else:
        words = prose.date(edtf_of(nearest, is_month=True))
    return Edge(events, words, bound)
