"""Draw places on a map: circles as large as a place is vague, on an outline of the world.

Guarantees: a place known only to the country is drawn as large as a country, an exact one as a
point; the view contains every place that is drawn, and the map counts the others. Coordinates are
tenths of degrees, x to the east, y to the south (plate carree), as in static/world-110m.svg.

Pure: rows of `selection.Selection.points` in, shapes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from timeline.formats import prose

MOST_PLACES = 250
"""The number of places, at most, that the map shows: those with the most events. The map of a
million events then takes 7 ms (bench/RESULTS.md)."""

_RADII = {1: 0.0, 2: 2.2, 3: 5.0, 4: 15.0, 5: 15.0, 6: 40.0, 7: 40.0}
"""The radius in tenths of degrees by UCDP where_prec: 25 km for 2, then typical sizes."""

_WORLD = (-1800.0, -900.0, 3600.0, 1800.0)
"""The view of the whole world: left, top, width and height in tenths of degrees."""
_NARROWEST = 240.0
"""The smallest width of a view, in tenths of degrees."""


class Circle(NamedTuple):
    """A circle shows a point: its middle, how vague it is, its events, and its label."""

    x: float
    y: float
    reach: float
    """The radius within which the place lies; 0 for an exact place."""
    dot: float
    """The radius of the dot in the middle, which grows with the number of events."""
    label: str
    place: str | None
    event_id: str | None
    """The id of the event, if it is the only one."""


class WorldMap(NamedTuple):
    """A map has a view and the circles in it, the vaguest first."""

    left: float
    top: float
    width: float
    height: float
    circles: list[Circle]
    events: int
    """The number of events in the circles."""
    left_out: int
    """The number of places that are not drawn, since each has fewer events."""


def map_of(points: Sequence[Mapping[str, Any]], total: int) -> WorldMap | None:
    """Return the map of these points, of `total` in all, with their counts; None without any."""
    if not points:
        return None
    left, top, width, height = _view(
        [(point["lon"] * 10, -point["lat"] * 10, _reach(point)) for point in points]
    )
    circles = [_circle(point, width) for point in points]
    circles.sort(key=lambda circle: -circle.reach)
    events = sum(point["count"] for point in points)
    return WorldMap(left, top, width, height, circles, events, total - len(points))


def _reach(point: Mapping[str, Any]) -> float:
    return _RADII.get(point["geo_precision"] or 1, 0.0)


def _circle(point: Mapping[str, Any], width: float) -> Circle:
    count = point["count"]
    name = prose.place_name(point["place"], point["country"])
    what = point["title"] if count == 1 else f"{count:,} events"
    return Circle(
        round(point["lon"] * 10, 2),
        round(-point["lat"] * 10, 2),
        _reach(point),
        round(width / 120 * min(1 + count**0.5 / 2, 6), 2),
        f"{name}: {what}" if name else what,
        point["place"],
        point["event_id"] if count == 1 else None,
    )


def _view(places: Sequence[tuple[float, float, float]]) -> tuple[float, float, float, float]:
    """Return the view, twice as wide as high, that contains all places with some room around."""
    left = min(x - reach for x, _, reach in places)
    right = max(x + reach for x, _, reach in places)
    top = min(y - reach for _, y, reach in places)
    bottom = max(y + reach for _, y, reach in places)
    width = max((right - left) * 1.3, (bottom - top) * 2.6, _NARROWEST)
    if width >= _WORLD[2]:
        return _WORLD
    x = min(max((left + right - width) / 2, _WORLD[0]), _WORLD[0] + _WORLD[2] - width)
    y = min(max((top + bottom - width / 2) / 2, _WORLD[1]), _WORLD[1] + _WORLD[3] - width / 2)
    return round(x, 1), round(y, 1), round(width, 1), round(width / 2, 1)
