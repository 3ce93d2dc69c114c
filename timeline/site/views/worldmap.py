"""Draw places on a map: circles as large as a place is vague, on an outline of the world.

Guarantees: a place known only to the country is drawn as large as a country, an exact one as a
point. Every place is on the map: of very many places, those near each other share a circle, and the
circles add up to all places and all events. Coordinates are tenths of degrees, x to the east, y to
the south (plate carree), as in static/world-110m.svg.

Pure: rows of `selection.Selection.points` in, shapes out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.site.languages import isolated

MOST_PLACES = 250
"""The number of places, at most, that each have a circle of their own."""
_OWN = 100
"""Of more places, the number of those with the most events that still have their own circle."""
_COLUMNS = 16
"""The number of columns of squares on the view; the other places in one square share a circle.
So a map has 253 circles at most; that of 5,000 places takes 10 ms."""

_RADII = {1: 0.0, 2: 2.2, 3: 5.0, 4: 15.0, 5: 15.0, 6: 40.0, 7: 40.0}
"""The radius in tenths of degrees by UCDP where_prec: 25 km for 2, then typical sizes."""

_WORLD = (-1800.0, -900.0, 3600.0, 1800.0)
"""The view of the whole world: left, top, width and height in tenths of degrees."""
_NARROWEST = 240.0
"""The smallest width of a view, in tenths of degrees."""


class Circle(NamedTuple):
    """A circle has the middle of one or several points, their reach, their events and a label."""

    x: float
    y: float
    reach: float
    """The radius within which the places lie; 0 for an exact place."""
    dot: float
    """The radius of the dot in the middle, which grows with the number of events."""
    label: str
    places: int
    """The number of places that share the circle; their names are not known but for one."""
    place: str | None
    event_id: str | None
    """The id of the event, if it is the only one."""


class WorldMap(NamedTuple):
    """A map has a view and the circles in it, the largest first."""

    left: float
    top: float
    width: float
    height: float
    circles: list[Circle]
    places: int
    events: int

    @property
    def shared(self) -> list[Circle]:
        """Return the circles that several places share."""
        return [circle for circle in self.circles if circle.places > 1]


Points = Sequence[Mapping[str, Any]]


def map_of(
    points: Points, described: Callable[[Iterable[Any]], Iterable[Mapping[str, Any]]]
) -> WorldMap | None:
    """Return the map of these points, those with the most events first; None without any.

    `described` returns points with an event there, as `Selection.map_rows` does.
    """
    if not points:
        return None
    groups = _groups(points) if len(points) > MOST_PLACES else [[point] for point in points]
    first = {(row["lat"], row["lon"]): row for row in described(group[0] for group in groups)}
    parts = [_Part.of(group, first[group[0]["lat"], group[0]["lon"]]) for group in groups]
    left, top, width, height = _view([(part.x, part.y, part.reach) for part in parts])
    circles = [_circle(part, width) for part in parts]
    circles.sort(key=lambda circle: -circle.reach)
    events = sum(part.events for part in parts)
    return WorldMap(left, top, width, height, circles, len(points), events)


def _groups(points: Points) -> list[Points]:
    """Return the points that have a circle together, for more points than can have one each."""
    lons, lats = [point["lon"] for point in points], [point["lat"] for point in points]
    corners = (min(lons), -min(lats)), (max(lons), -max(lats))
    left, top, width, _ = _view([(10 * x, 10 * y, 0) for x, y in corners])
    left, top, side = left / 10, top / 10, width / 10 / _COLUMNS
    near = defaultdict(list)
    for point, lon, lat in islice(zip(points, lons, lats, strict=True), _OWN, None):
        near[(lon - left) // side, (lat + top) // side].append(point)
    return [*([point] for point in points[:_OWN]), *near.values()]


class _Part(NamedTuple):
    """A part of the map has the points that one circle shows."""

    x: float
    y: float
    reach: float
    events: int
    places: int
    row: Mapping[str, Any]
    """The first point, with an event there."""

    @classmethod
    def of(cls, group: Points, row: Mapping[str, Any]) -> _Part:
        if len(group) == 1:
            reach = _RADII.get(row["geo_precision"] or 1, 0.0)
            return cls(row["lon"] * 10, -row["lat"] * 10, reach, row["count"], 1, row)
        places = [(point["lon"] * 10, -point["lat"] * 10, point["count"]) for point in group]
        events = sum(place[2] for place in places)
        x, y = (sum(place[axis] * place[2] for place in places) / events for axis in (0, 1))
        reach = max(math.hypot(place[0] - x, place[1] - y) for place in places)
        return cls(x, y, reach, events, len(group), row)


def _circle(part: _Part, width: float) -> Circle:
    row, count = part.row, part.events
    name = prose.place_name(row["place"], row["country"])
    what = row["title"] if count == 1 else f"{count:,} events"
    is_shared = part.places > 1
    dot = width / 120 * min(1 + count**0.5 / 2, 6)
    reach = max(part.reach, 1.5 * dot) if is_shared else part.reach  # The ring is to be seen.
    if is_shared:
        name = f"{part.places:,} places" + (f" near {name}" if name else "")
    return Circle(
        round(part.x, 2),
        round(part.y, 2),
        round(reach, 2),
        round(dot, 2),
        ": ".join(isolated(text) for text in (name, what) if text),
        part.places,
        None if is_shared else row["place"],
        row["event_id"] if count == 1 else None,
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
