"""Read areas of the map, such as "29,44,33.5,47": west, south, east and north in degrees.

Guarantees: the tables and the facet index find the same events in an area, since both look at
coordinates rounded to hundredths of a degree (about a kilometre), as maps draw them. An area
whose west is greater than its east goes across the date line.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.languages.translation import gettext, pgettext

_NUMBER = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,9})?", re.ASCII)

SQL = (
    "(SELECT round(e.lat, 2) BETWEEN area ->> 1 AND area ->> 3"
    " AND CASE WHEN area ->> 0 <= area ->> 2"
    " THEN round(e.lon, 2) BETWEEN area ->> 0 AND area ->> 2"
    " OR abs(round(e.lon, 2)) = 180 AND (area ->> 0 = -180 OR area ->> 2 = 180)"
    " ELSE round(e.lon, 2) >= area ->> 0 OR round(e.lon, 2) <= area ->> 2 END"
    " FROM (SELECT ? AS area))"
)
"""The condition that an event AS e has a place in an area, which is given as `Area.stored`."""


class Area(NamedTuple):
    """An area has two meridians and two parallels as its edges, which belong to it."""

    west: float
    south: float
    east: float
    north: float

    @property
    def stored(self) -> str:
        """Return the area as a JSON array of its four numbers."""
        return json.dumps([*self])

    def contains(self, lat: float, lon: float) -> bool:
        """Tell whether a point, rounded to hundredths of a degree, lies in the area."""
        if not self.south <= lat <= self.north:
            return False
        if self.west > self.east:
            return lon >= self.west or lon <= self.east
        is_at_both_edges = abs(lon) == 180 and (self.west == -180 or self.east == 180)
        return self.west <= lon <= self.east or is_at_both_edges

    @property
    def words(self) -> str:
        """Return the area in words: "44° N to 47° N, 29° E to 33.5° E"; for a point two degrees."""
        south, north = (_degrees(number, "NS") for number in (self.south, self.north))
        west, east = (_degrees(number, "EW") for number in (self.west, self.east))
        pairs = ((south, north), (west, east))
        span = gettext("{low} to {high}")
        return ", ".join(a if a == b else span.format(low=a, high=b) for a, b in pairs)

    def __str__(self) -> str:
        """Return the area as people and addresses write it."""
        return ",".join(f"{number:.9f}".rstrip("0").rstrip(".") for number in self)


def _degrees(number: float, sides: str) -> str:
    """Return degrees of latitude or longitude in words; `sides` has the letters of both sides."""
    shown = f"{abs(number):.3f}".rstrip("0").rstrip(".")
    letters = {
        "N": pgettext("degrees", "N"),
        "S": pgettext("degrees", "S"),
        "E": pgettext("degrees", "E"),
        "W": pgettext("degrees", "W"),
    }
    return f"{shown}° {letters[sides[number < 0]]}"


def parse(text: str) -> Area:
    """Read an area. Raises InvalidValue, with what to write instead."""
    numbers = [each.strip() for each in text.split(",")]
    if len(numbers) != 4 or not all(map(_NUMBER.fullmatch, numbers)):
        raise InvalidValue(
            text,
            f'"{text}" is not an area: write west,south,east,north in degrees, as in 29,44,33.5,47',
        )
    area = Area(*(float(each) + 0.0 for each in numbers))
    if not all(-180 <= each <= 180 for each in (area.west, area.east)):
        raise InvalidValue(text, f'"{text}" is not an area: west and east are from -180 to 180')
    if not -90 <= area.south <= area.north <= 90:
        raise InvalidValue(
            text,
            f'"{text}" is not an area: south is the second number and north the fourth,'
            " from -90 to 90",
        )
    return area
