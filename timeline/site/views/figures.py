"""Read the figures of an event for its page: by measure, in the order in which they became known.

Guarantees: every figure is listed, with the numbers of its sources on the page. A measure with
enough figures has a chart of steps. Its line follows the figures of the commonest unit; a figure
of another unit, and a lone voice against the others, stands apart from the line.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.formats.local_dates import clock_words, day_of_year
from timeline.formats.log_names import Names
from timeline.languages import translation
from timeline.languages.translation import gettext
from timeline.model import clock
from timeline.model.time_zones import zone
from timeline.reading.known_since import known_since
from timeline.site.language_marks import isolated

_FEWEST = 3
"""The number of figures of a measure from which on it has a chart."""
_MOST = 200
"""The number of figures, the last to become known, that a chart draws."""
_LEFT, _WIDTH = 4.0, 88.0
"""Percent of the chart before the first figure, and between the first and the last one."""
_LETTER, _LINE = 1.8, 13.0
"""Percent of the width of a chart that half a letter of a label takes, on a telephone, and percent
of its height that a label takes. Labels that would lie over each other are left out."""


class ShownFigure(NamedTuple):
    """A figure has its words, and the numbers on the page of the sources that give it.

    `known` is when its version was recorded, by the clock of the log.
    """

    number: int
    amount: str
    by: str | None
    dated: str
    known: str
    version: int
    sources: list[int]
    is_apart: bool


class Measure(NamedTuple):
    """A measure has its figures, and a chart if they are many and became known over time.

    `newest` is the last figure of the commonest unit, `lowest` and `highest` are the amounts that
    differ most.
    """

    name: str
    figures: list[ShownFigure]
    newest: ShownFigure
    lowest: str
    highest: str
    chart: Chart | None


class Chart(NamedTuple):
    """A chart of steps; all places are percent of its width and height, from the top left."""

    points: list[Point]
    steps: list[tuple[float, float, float, float]]
    heights: list[tuple[float, str]]
    days: list[tuple[float, str]]


class Point(NamedTuple):
    """A figure on a chart; its label is empty if the label of another one would be too near."""

    x: float
    y: float
    label: str
    tip: str
    is_apart: bool


class _Told(NamedTuple):
    quantity: Mapping[str, Any]
    figure: ShownFigure
    value: Decimal
    recorded_at: str


def measures_of(
    connection: sqlite3.Connection,
    names: Names,
    event: Mapping[str, Any],
    numbers: Mapping[str, int],
    time_zone: str,
) -> list[Measure]:
    """Return the measures of an event in the order in which it names them, those with charts first.

    `numbers` are the numbers of its sources on the page, by source id.
    """
    quantities = event.get("quantities", ())
    told: dict[str, list[_Told]] = {}
    for number, (quantity, since) in enumerate(
        zip(quantities, known_since(connection, event), strict=True), 1
    ):
        figure = ShownFigure(
            number,
            prose.amount(quantity, names.language),
            quantity.get("reported_by"),
            prose.date(quantity.get("dated")),
            prose.local_instant(since.recorded_at, time_zone),
            since.version,
            sorted({numbers[each] for each in quantity.get("source_ids", ()) if each in numbers}),
            is_apart=False,
        )
        told.setdefault(quantity["measure"], []).append(
            _Told(quantity, figure, _value(quantity), since.recorded_at)
        )
    found = [_measure(name, several, time_zone) for name, several in told.items()]
    return sorted(found, key=lambda measure: measure.chart is None)


def _measure(name: str, told: list[_Told], time_zone: str) -> Measure:
    told.sort(key=lambda each: (each.recorded_at, each.figure.number))
    apart = _apart(told)
    told = [
        each._replace(figure=each.figure._replace(is_apart=number in apart))
        for number, each in enumerate(told)
    ]
    by_value = sorted(told, key=lambda each: each.value)
    moments = {each.recorded_at for each in told}
    return Measure(
        name,
        [each.figure for each in told],
        [each.figure for each in told if not each.figure.is_apart][-1],
        by_value[0].figure.amount,
        by_value[-1].figure.amount,
        _chart(told[-_MOST:], time_zone) if len(told) >= _FEWEST and len(moments) > 1 else None,
    )


def _value(quantity: Mapping[str, Any]) -> Decimal:
    return Decimal(next(quantity[field] for field in ("value", "low", "high") if field in quantity))


# --- Figures beside the line --------------------------------------------------------------


def _apart(told: Sequence[_Told]) -> set[int]:
    """Return the places of the figures that stand apart from the line.

    They have another unit than most, or break the rise and are the only figure of their speaker.
    """
    units = Counter(each.quantity["unit"] for each in told)
    unit = max(units, key=lambda each: units[each])
    same = [place for place, each in enumerate(told) if each.quantity["unit"] == unit]
    rising = {same[place] for place in _rising([told[place].value for place in same])}
    voices = Counter(each.figure.by for each in told)
    return {
        place
        for place, each in enumerate(told)
        if each.quantity["unit"] != unit
        or (place not in rising and each.figure.by and voices[each.figure.by] == 1)
    }


def _rising(values: Sequence[Decimal]) -> Iterator[int]:
    """Yield, from the last back, the places of the most values that never fall."""
    lowest: list[Decimal] = []
    ends: list[int] = []
    before: list[int | None] = []
    for place, value in enumerate(values):
        length = bisect_right(lowest, value)
        before.append(ends[length - 1] if length else None)
        lowest[length : length + 1], ends[length : length + 1] = [value], [place]
    last: int | None = ends[-1]
    while last is not None:
        yield last
        last = before[last]


# --- The chart ----------------------------------------------------------------------------


def _chart(told: Sequence[_Told], time_zone: str) -> Chart:
    moments = [clock.parse(each.recorded_at) for each in told]
    begin, whole = moments[0], (moments[-1] - moments[0]) / timedelta(microseconds=1)
    heights = _heights([each.value for each in told])
    bottom, top = heights[0], heights[-1]

    def across(moment: datetime) -> float:
        share = (moment - begin) / timedelta(microseconds=1) / whole if whole else 1
        return round(_LEFT + _WIDTH * share, 2)

    def down(value: Decimal) -> float:
        return round(100 - 100 * float((value - bottom) / (top - bottom)), 2)

    places = [
        (across(moment), down(each.value)) for moment, each in zip(moments, told, strict=True)
    ]
    line = [place for place, each in zip(places, told, strict=True) if not each.figure.is_apart]
    return Chart(
        [*_points(told, places)],
        [*_steps(line)],
        [(down(value), _short(value)) for value in heights],
        [(across(day), words) for day, words in _days(begin, moments[-1], time_zone)],
    )


def _points(told: Sequence[_Told], places: Sequence[tuple[float, float]]) -> Iterator[Point]:
    labelled: list[tuple[float, float, int]] = []
    found = []
    for each, (x, y) in reversed([*zip(told, places, strict=True)]):
        label = f"{_SIGNS[each.quantity.get('qualifier', 'exact')]}{_short(each.value)}"
        if any(
            abs(x - other_x) < _LETTER * (len(label) + length) and abs(y - other_y) < _LINE
            for other_x, other_y, length in labelled
        ):
            label = ""
        else:
            labelled.append((x, y, len(label)))
        said = (each.figure.amount, each.figure.by, each.figure.known)
        tip = ", ".join(isolated(text) for text in said if text)
        found.append(Point(x, y, label, tip, each.figure.is_apart))
    yield from reversed(found)


_SIGNS = {
    "exact": "",
    "more_than": "> ",
    "at_least": "\N{GREATER-THAN OR EQUAL TO} ",
    "about": "~ ",
}
"""What stands before the number of a figure on a chart, by its qualifier."""


def _steps(line: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, float, float]]:
    """Yield the ends of the lines: along to the next figure, then up or down to it."""
    for (x, y), (next_x, next_y) in zip(line, [*line[1:], (100.0, line[-1][1])], strict=True):
        yield x, y, next_x, y
        if next_y != y:
            yield next_x, y, next_x, next_y


def _heights(values: Iterable[Decimal]) -> list[Decimal]:
    """Return round numbers, a few, that the values lie between; 0 is one of them."""
    numbers = [Decimal(0), *values]
    least, most = min(numbers), max(numbers)
    most = most if most > least else Decimal(1)
    step = Decimal(1).scaleb((most - least).adjusted())
    step *= next(part for part in _PARTS if (most - least) / (step * part) <= _MARKS)
    if all(each == each.to_integral_value() for each in numbers):
        step = max(step, Decimal(1))
    first = (least / step).to_integral_value("ROUND_FLOOR")
    last = (most / step).to_integral_value("ROUND_FLOOR") + 1  # room for a label on top
    return [step * number for number in range(int(first), int(last) + 1)]


_PARTS = (Decimal("0.2"), Decimal("0.5"), Decimal(1), Decimal(2), Decimal(5))
_SCALES = (12, 9, 6)
"""Powers of ten that a chart writes as a word."""


def _short(value: Decimal) -> str:
    """Return a number as a chart has room for: "36", "1.2 bn"."""
    if abs(value) >= Decimal(10) ** 15:
        return f"{value:.1e}"
    for power in _SCALES:
        if abs(value) >= Decimal(10) ** power:
            forms = {
                12: gettext("{number} tn"),
                9: gettext("{number} bn"),
                6: gettext("{number} m"),
            }
            return forms[power].format(number=_plain(value.scaleb(-power), 1))
    return _plain(value, 2)


def _plain(value: Decimal, places: int) -> str:
    text = f"{value:.{places}f}"
    return translation.number(Decimal(text.rstrip("0").rstrip(".")))


_MARKS = 4
"""The number of marks on a side of a chart, about: as many are written side by side."""
_STRETCHES = (1, 2, 3, 7, 14, 30, 61, 122, 365, 730, 1825, 3650)
"""Days between two marks on the time of a chart; the first with at most `_MARKS` is taken."""


def _days(begin: datetime, end: datetime, time_zone: str) -> Iterator[tuple[datetime, str]]:
    """Yield the beginnings of days between two moments, few enough to be written side by side."""
    here = zone(time_zone)
    first, last = begin.astimezone(here), end.astimezone(here)
    days = (last.date() - first.date()).days
    step = next((each for each in _STRETCHES if days // each <= _MARKS), days // _MARKS + 1)
    is_one_year = first.year == last.year
    for number in range(step, days + 1, step):
        day = first.date() + timedelta(days=number)
        midnight = datetime(day.year, day.month, day.day, tzinfo=here)
        words = day_of_year(day.month, day.day) if is_one_year else prose.date(day.isoformat())
        yield midnight, words
    if not days:
        for moment in (first, last):
            yield moment, clock_words(f"{moment:%H:%M}")
