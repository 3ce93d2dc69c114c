"""Draw the places of a selection on the map: dots, clusters that add up, and names.

Guarantees: the events of all marks in a picture add up to the events in that part of the world,
and these with those elsewhere to all events with a place on the map. A mark is on the place that
has most of its events; marks lie far enough apart to be pressed. A place known only to the region
is drawn as large as a region.

Asks a `Selection`; knows no request and no template.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Literal, NamedTuple

from timeline.formats import prose
from timeline.languages.translation import ngettext, number
from timeline.reading import areas
from timeline.reading.areas import Area
from timeline.reading.selection import Selection
from timeline.site.language_marks import isolated
from timeline.site.views.event_classes import CLASSES, EventClass, class_of, words_of
from timeline.site.views.map_labels import Label, Room, half_width, labels
from timeline.site.views.mercator import WORLD, Reach, View, reach_of, view_of
from timeline.store.rows import RowDict

_LISTED = 60
"""The number of places that are listed below a map."""

_SAMPLE = 8
"""The number of places of a cluster among which most clusters already show several classes."""
_FEW = 50
"""The number of places in a picture up to which their marks may be as near as a finger allows."""

_RADII = {1: 0.0, 2: 0.22, 3: 0.5, 4: 1.5, 5: 1.5, 6: 4.0, 7: 4.0}
"""The radius in degrees of latitude by UCDP where_prec: 25 km for 2, then typical sizes."""


class Shape(NamedTuple):
    """A shape has the smallest size of a picture, and the distance between its marks, in pixels."""

    name: str
    width: int
    height: int
    apart: int


WIDE = Shape("wide", 660, 440, 30)
NARROW = Shape("narrow", 288, 288, 30)
SMALL = Shape("small", 288, 192, 30)
"""The shape of the map on the page of one event."""


class MapMark(NamedTuple):
    """A mark has the events at one place, or at several near each other."""

    x: float
    """How far to the right, in percent of the picture."""
    y: float
    size: float
    """The radius of the circle with the number of events, in pixels."""
    classes: list[EventClass]
    events: int
    places: int
    event_id: str | None
    """The id of the event, if it is the only one."""
    label: str
    """What the mark says to a screen reader and in a tip."""
    name: str
    """The name that is written beside it; empty if there is no room."""
    is_left: bool
    """Whether the name is written at the left."""
    area: Area
    """The part of the map that shows the places by themselves; for one place, the place."""


class Circle(NamedTuple):
    """A circle shows how vague a place is, in the units of the map."""

    x: float
    y: float
    r: float
    of: EventClass | Literal["many"]


class MapPicture(NamedTuple):
    """A picture is a part of the map in one shape."""

    shape: Shape
    view: View
    area: Area
    marks: list[MapMark]
    circles: list[Circle]
    labels: list[Label]
    events: int
    closer: Area | None
    """A smaller part in the middle; None if the map ends there."""
    farther: Area | None

    @property
    def copies(self) -> list[int]:
        """Return where the world begins in the picture: twice if it goes across the date line."""
        is_across = self.view.width < WORLD < self.view.left + self.view.width
        return [0, WORLD] if is_across else [0]

    @property
    def classes(self) -> list[EventClass]:
        """Return the classes that the marks have colours of, in the order of a legend."""
        shown = {mark.classes[0] for mark in self.marks if len(mark.classes) == 1}
        return [each for each in CLASSES if each in shown]

    @property
    def has_mixed(self) -> bool:
        """Return whether a mark has events of several classes, and so no colour."""
        return any(len(mark.classes) > 1 for mark in self.marks)


class ListedPlace(NamedTuple):
    """A place in the list below the map has a name, a number of events, and its area."""

    name: str
    events: int
    event_id: str | None
    area: Area


class WorldMap(NamedTuple):
    """A map has pictures in two shapes, of which a page shows one, and a list of places."""

    pictures: list[MapPicture]
    places: list[ListedPlace]
    """The places with the most events."""
    other_places: int
    events: int
    """The number of events with a place on the map."""

    @property
    def words(self) -> Mapping[EventClass, str]:
        """Return the words of a legend for each class of events."""
        return {each: words_of(each) for each in CLASSES}


def map_of(chosen: Selection, area: str, box: str, language: str) -> WorldMap:
    """Return the map of a selection. `area` and `box` are texts of areas, or empty.

    The map shows the box, or else the area to which the events are narrowed, or else all places.
    Raises InvalidValue for a box that is no area.
    """
    points = chosen.points()
    asked = areas.parse(box or area) if box or area else points and _reach(points)
    pictures = []
    if asked:
        pictures = [_picture(chosen, points, shape, asked, language) for shape in (WIDE, NARROW)]
    listed = [_place(row) for row in chosen.map_rows(points[:_LISTED])]
    events = sum(point["count"] for point in points)
    return WorldMap(pictures, listed, max(len(points) - _LISTED, 0), events)


def small_map(event: Mapping[str, Any], language: str) -> MapPicture | None:
    """Return the map of one event (`query.get`); None if its place has no coordinates."""
    place = event.get("place") or {}
    if "lat" not in place:
        return None
    lat, lon = round(float(place["lat"]), 2), round(float(place["lon"]), 2)
    row = {
        "place": place.get("name"),
        "country": place.get("country"),
        "lat": lat,
        "lon": lon,
        "geo_precision": place.get("geo_precision"),
        "title": "",
        "count": 1,
        "event_id": event["event_id"],
    }
    radius = _radius(row)
    reach = [(lon, lat), *((lon, max(min(lat + each, 90), -90)) for each in (-radius, radius))]
    view = reach_of(reach).view(SMALL.width / SMALL.height)
    room = Room(SMALL.width, SMALL.height)
    mark = _mark(view, room, [row], row, [class_of(event.get("event_type"))])
    found = labels(view, room, language)
    circles = _vague(view, [mark], [row])
    return MapPicture(SMALL, view, view.area, [mark], circles, found, 1, None, None)


def _reach(points: Sequence[RowDict]) -> Reach:
    return reach_of([(point["lon"], point["lat"]) for point in points])


# --- One picture --------------------------------------------------------------------------


def _picture(
    chosen: Selection, points: Sequence[RowDict], shape: Shape, asked: Area | Reach, language: str
) -> MapPicture:
    ratio = shape.width / shape.height
    view = asked.view(ratio) if isinstance(asked, Reach) else view_of(asked, ratio)
    area = view.area
    inside = points
    if isinstance(asked, Area):
        inside = [point for point in points if area.contains(point["lat"], point["lon"])]
    groups = clusters(inside, view, shape)
    rows = {(row["lat"], row["lon"]): row for row in chosen.map_rows(group[0] for group in groups)}
    room = Room(shape.width, shape.height)
    first = [rows[group[0]["lat"], group[0]["lon"]] for group in groups]
    for group in groups:
        x, y = view.place(group[0]["lon"], group[0]["lat"])
        size = _size(sum(point["count"] for point in group)) + 3
        room.take((x * shape.width, y * shape.height, size, size))
    marks = [
        _mark(view, room, group, row, _classes(chosen, group))
        for group, row in zip(groups, first, strict=True)
    ]
    closer, farther = view.zoomed(0.5), view.zoomed(2)
    return MapPicture(
        shape,
        view,
        area,
        marks,
        _vague(view, marks, first),
        labels(view, room, language),
        sum(mark.events for mark in marks),
        closer and closer.area,
        farther and farther.area,
    )


def clusters(points: Sequence[RowDict], view: View, shape: Shape) -> list[list[RowDict]]:
    """Return the points in groups: each is nearer than `shape.apart` to the first of its group.

    Points with many events come first, so that these have marks of their own.
    """
    groups: defaultdict[tuple[int, int], list[tuple[float, float, list[RowDict]]]]
    groups = defaultdict(list)
    apart = shape.apart * (1 if len(points) <= _FEW else 1.4)  # large numbers have large marks
    across, down = shape.width / apart, shape.height / apart
    for point in points:
        x, y = view.place(point["lon"], point["lat"])
        x, y = x * across, y * down
        column, row = int(x), int(y)
        for i, j in _AROUND:
            members = _near(groups.get((column + i, row + j), ()), x, y)
            if members:
                members.append(point)
                break
        else:
            groups[column, row].append((x, y, [point]))
    found = [members for several in groups.values() for _, _, members in several]
    return sorted(found, key=lambda members: -sum(point["count"] for point in members))


_AROUND = sorted(product((-1, 0, 1), repeat=2), key=lambda each: each != (0, 0))
"""A square of the grid of clusters, and the eight around it."""


def _near(
    groups: Sequence[tuple[float, float, list[RowDict]]], x: float, y: float
) -> list[RowDict] | None:
    """Return the first group whose first point is nearer than 1 to this place."""
    for its_x, its_y, members in groups:
        if (its_x - x) ** 2 + (its_y - y) ** 2 < 1:
            return members
    return None


def _classes(chosen: Selection, group: Sequence[RowDict]) -> list[EventClass]:
    """Return the classes of events at these points; of many points, perhaps only two of them."""
    found: set[EventClass] = set()
    for some in (group[:_SAMPLE], group[_SAMPLE:]):
        if some and len(found) < 2:
            found |= {class_of(each) for each in chosen.event_types_at(some)}
    return [each for each in CLASSES if each in found]


def _mark(
    view: View, room: Room, group: Sequence[RowDict], row: RowDict, classes: list[EventClass]
) -> MapMark:
    events, places = sum(point["count"] for point in group), len(group)
    x, y = view.place(row["lon"], row["lat"])
    size = _size(events)
    where = prose.place_name(row["place"], row["country"])
    what = row["title"]
    if events > 1:
        text = ngettext("{number} event", "{number} events", events)
        what = text.format(number=number(events))
    if places > 1 and where:
        text = ngettext("{number} place near {place}", "{number} places near {place}", places)
        where = text.format(number=number(places), place=where)
    elif places > 1:
        text = ngettext("{number} place", "{number} places", places)
        where = text.format(number=number(places))
    name, is_left = _name_beside(room, x, y, size, row["place"] if places == 1 else None)
    if places > 1:
        area = _reach(group).view(view.width / view.height, 0).area
    else:
        area = Area(row["lon"], row["lat"], row["lon"], row["lat"])
    return MapMark(
        round(100 * x, 2),
        round(100 * y, 2),
        size,
        classes,
        events,
        places,
        row["event_id"] if events == 1 else None,
        ": ".join(isolated(text) for text in (where, what) if text),
        name,
        is_left,
        area,
    )


def _size(events: int) -> float:
    """Return the radius of a mark in pixels, for which the number of events fits into it."""
    if events == 1:
        return 9.0
    digits = len(number(events))
    return round(max(10 + 1.5 * math.log2(events), 5 + 3.4 * digits), 1)


def _name_beside(
    room: Room, x: float, y: float, size: float, place: str | None
) -> tuple[str, bool]:
    """Return the name of a place if there is room for it beside its mark, and on which side."""
    name = town(place) if place else ""
    half = half_width(name, 7.4)
    for is_left, side in ((False, 1), (True, -1)):
        middle = x * room.width + side * (size + 5 + half)
        if name and room.has((middle, y * room.height, half, 9)):
            return name, is_left
    return "", False


def town(place: str) -> str:
    """Return the town of a place: "Odesa" for "Military hospital, Odesa"."""
    first, *others = re.split("[,،、] *", place)
    return others[-1] if others and len(others[-1]) > 4 else first


def _radius(row: RowDict) -> float:
    """Return the radius of a place in degrees of latitude; 0 for an exact one."""
    return _RADII.get(row["geo_precision"] or 1, 0.0)


def _vague(view: View, marks: Sequence[MapMark], rows: Sequence[RowDict]) -> list[Circle]:
    """Return the circles of marks for one place that is known only roughly."""
    found = []
    for mark, row in zip(marks, rows, strict=True):
        if mark.places == 1 and (radius := _radius(row)):
            x, y = view.place(row["lon"], row["lat"])
            stretch = 1 / max(math.cos(math.radians(row["lat"])), 0.05)
            found.append(
                Circle(
                    round(view.left + x * view.width, 1),
                    round(view.top + y * view.height, 1),
                    round(radius / 360 * WORLD * stretch, 1),
                    mark.classes[0] if len(mark.classes) == 1 else "many",
                )
            )
    return found


def _place(row: RowDict) -> ListedPlace:
    name = prose.place_name(row["place"], row["country"]) or prose.coordinates(row)
    area = Area(row["lon"], row["lat"], row["lon"], row["lat"])
    return ListedPlace(name, row["count"], row["event_id"] if row["count"] == 1 else None, area)
