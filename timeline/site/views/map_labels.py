"""Place the names of countries and cities on a view of the map, so that none covers another.

Guarantees: a name never covers a mark or another name in a picture of the given size or a larger
one, as far as its width can be estimated. Names are Natural Earth's; those of countries are in
the language of the page, else in that of the log if Natural Earth has it, otherwise in English.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from timeline.languages.translation import closest, current
from timeline.model.resources import db_folder
from timeline.site.views.mercator import WORLD, View

_WIDE = 3_000
"""Units: views that are wider have fewer cities."""
_COUNTRY, _CITY = 8.2, 6.6
"""Pixels that a letter takes in the name of a country (13 px, spaced) and of a city (12 px)."""
_HALF = 9
"""Pixels: half of the height of a line."""


class Label(NamedTuple):
    """A label has a place in parts of the view, and a name; a city has a dot at its place."""

    x: float
    y: float
    name: str
    is_city: bool


Box = tuple[float, float, float, float]
"""The middle of a rectangle, and half of its width and height, in pixels."""


class Room:
    """The room on a picture is what marks and names have not taken yet."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._taken: list[Box] = []

    def take(self, box: Box) -> None:
        """Take a rectangle, free or not."""
        self._taken.append(box)

    def has(self, box: Box) -> bool:
        """Take a rectangle if it is free and inside the picture, and tell whether it is."""
        x, y, w, h = box
        if not (w <= x <= self.width - w and h <= y <= self.height - h):
            return False
        for its_x, its_y, its_w, its_h in self._taken:
            if abs(x - its_x) < w + its_w and abs(y - its_y) < h + its_h:
                return False
        self._taken.append(box)
        return True


@lru_cache(maxsize=4_096)
def half_width(name: str, letter: float) -> float:
    """Return half of the width of a name in pixels; a Chinese character is two letters wide."""
    letters = sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in name
    )
    return letters * letter / 2


def language_of(info: Mapping[str, Any]) -> str:
    """Return the language for names on a page of a log that says this about itself.

    It is that of the page; if the page only has it for want of the log's own, it is the log's.
    """
    of_log = str(info.get("language", "en"))
    return of_log if closest(of_log) == current() else current()


def labels(view: View, room: Room, language: str) -> list[Label]:
    """Return the names that find room on a picture, the largest countries first."""
    found = [*_countries(view, room, language)]
    return [*found, *_cities(view, room, {label.name for label in found})]


def _countries(view: View, room: Room, language: str) -> Iterator[Label]:
    least = 34 / room.width * view.width
    for x, y, size, name in _names(language):
        if size < least:
            return
        if (at := _within(view, x, y)) is None:
            continue
        half = half_width(name, _COUNTRY) + 3
        if room.has((at[0] * room.width, at[1] * room.height, half, _HALF)):
            yield Label(*at, name, is_city=False)


def _cities(view: View, room: Room, others: set[str]) -> Iterator[Label]:
    # A picture of 300 px has up to 8 cities, one of 680 px up to 18; twice as many close up.
    left = round(room.width / 38) * (1 if view.width > _WIDE else 2)
    for x, y, name in _table("cities"):
        if left == 0:
            return
        if name in others or (at := _within(view, x, y)) is None:
            continue
        half = half_width(name, _CITY) + 8
        if room.has((at[0] * room.width + half - 6, at[1] * room.height, half, _HALF)):
            left -= 1
            yield Label(*at, name, is_city=True)


def _within(view: View, x: float, y: float) -> tuple[float, float] | None:
    """Return where a place is in a view, in parts of it; None if it is outside."""
    right = (x - view.left) % WORLD if view.width < WORLD else x - view.left
    down = y - view.top
    if right > view.width or not 0 <= down <= view.height:
        return None
    return right / view.width, down / view.height


@cache
def _names(language: str) -> list[tuple[int, int, int, str]]:
    """Return place, size (the root of the area) and name of all countries, the largest first."""
    short = language.lower().split("-")[0]
    return [
        (x, y, size, names.get(short) or names["en"]) for x, y, size, names in _table("countries")
    ]


@cache
def _table(name: str) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(
        db_folder().joinpath("world", f"{name}.json").read_text(encoding="utf-8")
    )
    return found
