"""Turn degrees into places on the map of the world (Web Mercator) and back, and choose views of it.

Guarantees: `degrees(*unit(lon, lat))` is the same place, between 85.05 degrees south and north;
what lies nearer to a pole is drawn at that edge. A view has the shape that is asked for; it may
go across the date line. The map of static/world.svg has these units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from timeline.reading.areas import Area

WORLD = 16_384
"""The width and the height of the world in units; one is 2.4 km at the equator."""
_NORTHERNMOST = math.degrees(math.atan(math.sinh(math.pi)))
_INSIDE = 84.0
"""Degrees of latitude at which a point nearer to a pole is shown, to be seen whole."""
_NARROWEST = 4.0
"""The smallest width of a view in units: places a kilometre apart are then far from each other."""
_USUAL = 1_100.0
"""The smallest width in units of a view that nobody chose, about as large as France."""
_AIR = 1.35
"""How much larger a view is than the places that it is for."""


def unit(lon: float, lat: float) -> tuple[float, float]:
    """Return the place of a point on the map: units to the east, and to the south."""
    if not -_NORTHERNMOST < lat < _NORTHERNMOST:
        lat = math.copysign(_NORTHERNMOST, lat)
    north = math.asinh(math.tan(math.radians(lat)))
    return (lon + 180) / 360 * WORLD, (1 - north / math.pi) / 2 * WORLD


def degrees(x: float, y: float) -> tuple[float, float]:
    """Return longitude and latitude of a place on the map."""
    north = math.pi * (1 - 2 * y / WORLD)
    return x / WORLD * 360 - 180, math.degrees(math.atan(math.sinh(north)))


class View(NamedTuple):
    """A view has a left and an upper edge, a width and a height, in units."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> Area:
        """Return the part of the world in the view, to a thousandth of a degree."""
        bottom = self.top + self.height
        _, north = degrees(0, max(self.top, 0))
        _, south = degrees(0, min(bottom, WORLD))
        north = 90 if self.top <= 0 else round(north, 3)
        south = -90 if bottom >= WORLD else round(south, 3)
        if self.width >= WORLD:
            return Area(-180, south, 180, north)
        west, _ = degrees(self.left % WORLD, 0)
        east, _ = degrees((self.left + self.width) % WORLD, 0)
        return Area(round(west, 3), south, round(east, 3), north)

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Return how far a point in the view lies to the right and down, in parts of the view."""
        x, y = unit(lon, lat if -_INSIDE < lat < _INSIDE else math.copysign(_INSIDE, lat))
        x -= self.left
        if self.width < WORLD:
            x %= WORLD
            if x > (self.width + WORLD) / 2:  # left of the edge, by a rounding
                x = 0.0
        right, down = x / self.width, (y - self.top) / self.height
        return (right if right < 1 else 1.0), (0.0 if down < 0 else down if down < 1 else 1.0)

    def zoomed(self, factor: float) -> View | None:
        """Return the view that shows `factor` times as much; None if the map ends there."""
        if factor > 1 and self.width > 0.99 * WORLD:
            return None
        middle = self.left + self.width / 2, self.top + self.height / 2
        found = _view(middle, self.width * factor, 0, self.width / self.height, _NARROWEST)
        return None if math.isclose(found.width, self.width, rel_tol=0.01) else found


def view_of(area: Area, ratio: float) -> View:
    """Return the view of an area, with more at two sides if it has another shape."""
    (left, top), (right, bottom) = unit(area.west, area.north), unit(area.east, area.south)
    if right < left:
        right += WORLD
    middle = (left + right) / 2, (top + bottom) / 2
    return _view(middle, right - left, bottom - top, ratio, _NARROWEST)


class Reach(NamedTuple):
    """A reach has the middle, the width and the height of the part that places take, in units."""

    middle: tuple[float, float]
    width: float
    height: float

    def view(self, ratio: float, least: float = _USUAL) -> View:
        """Return the view of this part in a shape, with some air around."""
        return _view(self.middle, self.width * _AIR, self.height * _AIR, ratio, least)


def reach_of(points: Sequence[tuple[float, float]]) -> Reach:
    """Return the reach of points (longitude and latitude), of which there must be one.

    It leaves out the widest stretch of longitudes without points.
    """
    lons = [lon for lon, _ in points]
    west, degrees_wide = min(lons), max(lons) - min(lons)
    if degrees_wide > 180:
        west, degrees_wide = _around_the_date_line(sorted({*lons}))
    lats = [lat for _, lat in points]
    left, top = unit(west, max(lats))
    _, bottom = unit(west, min(lats))
    width = degrees_wide / 360 * WORLD
    return Reach((left + width / 2, (top + bottom) / 2), width, bottom - top)


def _around_the_date_line(lons: Sequence[float]) -> tuple[float, float]:
    """Return the first of these longitudes after the widest stretch, and how far they reach."""
    gaps = [after - lon for lon, after in pairwise((*lons, lons[0] + 360))]
    widest = max(range(len(gaps)), key=lambda i: (round(gaps[i], 6), i))
    return lons[(widest + 1) % len(lons)], 360 - gaps[widest]


def _view(
    middle: tuple[float, float], width: float, height: float, ratio: float, least: float
) -> View:
    """Return the view around a point that has at least this width and height, and the shape."""
    width = max(min(width, WORLD), min(height, WORLD) * ratio, least)
    height = width / ratio
    left = (middle[0] - width / 2) % WORLD if width < WORLD else (WORLD - width) / 2
    free = WORLD - height
    top = min(max(middle[1] - height / 2, 0), free) if free > 0 else free / 2
    return View(left, top, width, height)
