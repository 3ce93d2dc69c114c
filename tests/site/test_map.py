"""The map: views, clusters that add up, names, and the way by plain links to an event."""

from __future__ import annotations

import contextlib
import html
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.reading import areas, facet_index
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.selection import Selection
from timeline.site.views import map_labels, mercator, worldmap
from timeline.site.views.worldmap import NARROW, WIDE, MapPicture, map_of
from timeline.store import storage

TYPES = ("AGREE", "AID", "REQUEST", "ASSAULT", None)

_lons = st.one_of(st.integers(-18_000, 18_000), st.integers(17_800, 18_000)).map(lambda n: n / 100)
_lats = st.one_of(st.integers(-9_000, 9_000), st.integers(4_600, 4_700)).map(lambda n: n / 100)
places = st.lists(st.tuples(_lats, _lons), min_size=1, max_size=40)


def record(timeline: Timeline, points: list[tuple[float, float]], **fields: Any) -> None:
    with timeline.append() as append:
        for number, (lat, lon) in enumerate(points):
            event: dict[str, Any] = {
                "event_id": f"event-{number}",
                "title": f"Event {number}",
                "occurred": "2025-04-15",
                "place": {"name": f"Town {number}", "lat": str(lat), "lon": str(lon), **fields},
            }
            if TYPES[number % len(TYPES)]:
                event["event_type"] = TYPES[number % len(TYPES)]
            append.record(event)
        append.record({"event_id": "nowhere", "title": "Nowhere", "occurred": "2025"})


def pictures(chosen: Selection, box: str = "") -> dict[str, MapPicture]:
    shown = map_of(chosen, "", box, "en")
    return {picture.shape.name: picture for picture in shown.pictures}


def in_sql(connection: sqlite3.Connection, picture: MapPicture) -> int:
    """The events in a picture, counted by a query of its own."""
    west, south, east, north = picture.area
    across = "lon >= ? OR lon <= ?" if west > east else "lon BETWEEN ? AND ?"
    (count,) = connection.execute(
        "WITH places AS (SELECT round(lat, 2) AS lat, round(lon, 2) AS lon FROM events"
        f" WHERE state = 'current') SELECT count(*) FROM places WHERE ({across})"
        " AND lat BETWEEN ? AND ?",
        (west, east, south, north),
    ).fetchone()
    return int(count)


# --- Numbers ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(points=places, way=st.lists(st.integers(0, 30), max_size=4))
def test_clusters_add_up_and_agree_with_sql_at_every_zoom(
    points: list[tuple[float, float]], way: list[int]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with Timeline.create(path, title="Places", now=TickingClock()) as timeline:
            record(timeline, points)
        with contextlib.closing(storage.connect(path)) as connection:
            index = facet_index.current(connection, None)
            assert index is not None
            by_tables, by_index = Selection(connection), IndexedSelection(connection, index)
            box = ""
            for step in [*way, None]:
                shown = map_of(by_tables, "", box, "en")
                assert shown == map_of(by_index, "", box, "en")
                assert shown.events == len(points)
                for picture in shown.pictures:
                    agrees(connection, picture)
                    if not box:
                        assert picture.events == len(points)
                picture = shown.pictures[step % 2 if step else 0]
                if step is None or not picture.marks:
                    break
                mark = picture.marks[step % len(picture.marks)]
                box = str(mark.area if mark.places > 1 else picture.closer or picture.area)


def agrees(connection: sqlite3.Connection, picture: MapPicture) -> None:
    """Check that the numbers in a picture add up, in all and where one zooms to."""
    marks = picture.marks
    assert sum(mark.events for mark in marks) == picture.events == in_sql(connection, picture)
    assert Selection(connection, {"area": str(picture.area)}).count() == picture.events
    for mark in marks:
        assert 0 <= mark.x <= 100
        assert 0 <= mark.y <= 100
        assert mark.classes
        chosen = Selection(connection, {"area": str(mark.area)})
        assert chosen.count() >= mark.events
        if mark.places == 1:
            assert chosen.count() == mark.events
            assert (mark.event_id is None) == (mark.events > 1)


@settings(max_examples=40, deadline=None)
@given(places)
def test_every_cluster_splits_when_one_zooms_to_it(points: list[tuple[float, float]]) -> None:
    rows = [{"lat": lat, "lon": lon, "count": 1} for lat, lon in dict.fromkeys(points)]
    for shape in (WIDE, NARROW):
        ratio = shape.width / shape.height
        view = mercator.reach_of([(row["lon"], row["lat"]) for row in rows]).view(ratio)
        for group in worldmap.clusters(rows, view, shape):
            shown = [(row["lon"], row["lat"]) for row in group]
            if len(group) > 1 and all(abs(lat) < 84 for _, lat in shown):
                closer = mercator.reach_of(shown).view(ratio, 0)
                assert closer.width <= view.width
                assert len(worldmap.clusters(group, closer, shape)) > 1


def test_marks_of_one_kind_have_its_class_and_others_none(tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "t.db", title="T", now=TickingClock()) as timeline:
        record(timeline, [(46.48, 30.72)] * 6 + [(50.91, 34.8)])
        with contextlib.closing(storage.connect(timeline.path)) as connection:
            odesa, sumy = pictures(Selection(connection))["wide"].marks
            assert odesa.classes == ["talk", "help", "demand", "force", "other"]
            assert (odesa.events, odesa.event_id) == (6, None)
            assert odesa.label == "Town 0: 6 events"
            assert (sumy.classes, sumy.events, sumy.event_id) == (["help"], 1, "event-6")
            assert sumy.label == "Town 6: Event 6"


# --- Views --------------------------------------------------------------------------------


@given(places, st.sampled_from([WIDE, NARROW]))
def test_a_view_holds_all_of_its_places(
    points: list[tuple[float, float]], shape: worldmap.Shape
) -> None:
    ratio = shape.width / shape.height
    view = mercator.reach_of([(lon, lat) for lat, lon in points]).view(ratio)
    assert view.width / view.height == pytest.approx(ratio)
    for lat, lon in points:
        assert view.area.contains(lat, lon)
        x, y = view.place(lon, lat)
        assert 0 <= x <= 1
        assert 0 <= y <= 1


@given(places)
def test_an_area_of_a_view_leads_to_the_same_view(points: list[tuple[float, float]]) -> None:
    view = mercator.reach_of([(lon, lat) for lat, lon in points]).view(1.5)
    if view.width >= mercator.WORLD:
        return
    again = mercator.view_of(areas.parse(str(view.area)), 1.5)
    assert again.width == pytest.approx(view.width, abs=0.5)
    turned = abs(again.left - view.left) % mercator.WORLD
    assert min(turned, mercator.WORLD - turned) < 0.5
    closer = view.zoomed(0.5)
    assert closer is not None
    assert closer.zoomed(0.5) is not None
    assert view.width / closer.width == pytest.approx(2)


def test_places_on_both_sides_of_the_date_line_are_near_each_other() -> None:
    view = mercator.reach_of([(178.4, -18.1), (-171.8, -13.8)]).view(1.5)
    assert view.width < 2_000
    assert view.area.west > view.area.east
    assert view.place(178.4, -18.1)[0] < view.place(-171.8, -13.8)[0]


def test_a_map_ends_at_the_whole_world_and_at_a_kilometre() -> None:
    view = mercator.view_of(areas.parse("-180,-60,180,84"), 1.5)
    assert view.zoomed(2) is None
    for _ in range(40):
        closer = view.zoomed(0.5)
        if closer is None:
            break
        view = closer
    assert view.width == pytest.approx(4)


# --- Names --------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-80, 80),
    least=st.sampled_from([20.0, 300.0, 2_000.0, 16_384.0]),
    language=st.sampled_from(["en", "ar", "zh-Hant", "tlh"]),
    shape=st.sampled_from([WIDE, NARROW]),
)
def test_names_cover_neither_each_other_nor_marks(
    lon: float, lat: float, least: float, language: str, shape: worldmap.Shape
) -> None:
    view = mercator.reach_of([(lon, lat)]).view(shape.width / shape.height, least)
    room = map_labels.Room(shape.width, shape.height)
    room.take((shape.width / 2, shape.height / 2, 15, 15))
    boxes = [(shape.width / 2, shape.height / 2, 15.0, 15.0)]
    for label in map_labels.labels(view, room, language):
        half = map_labels.half_width(label.name, 6.6)
        x, y = label.x * shape.width, label.y * shape.height
        box = (x + half + 3 if label.is_city else x, y, half - 1, 8.0)
        for other in boxes:
            apart = abs(box[0] - other[0]) >= box[2] + other[2]
            assert apart or abs(box[1] - other[1]) >= box[3] + other[3], (label, other)
        boxes.append(box)


def test_countries_have_their_names_in_the_language_of_the_log() -> None:
    view = mercator.view_of(areas.parse("20,40,45,55"), 1.5)
    names = {
        language: {
            each.name for each in map_labels.labels(view, map_labels.Room(660, 440), language)
        }
        for language in ("en", "ar", "uk", "xx")
    }
    assert {"Ukraine", "Kyiv"} <= names["en"] & names["xx"]
    assert "أوكرانيا" in names["ar"]
    assert "Україна" in names["uk"]


# --- Pages --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


def wide(text: str) -> str:
    """The wide picture of a page, with what stands below it."""
    return text.partition('class="drawn wide"')[2].partition("</section>")[0]


def marks(text: str) -> list[tuple[str, str]]:
    """Address and label of each mark in the wide picture."""
    found = re.findall(r'<a href="([^"]*)"[^>]*? aria-label="([^"]*)"', wide(text), re.S)
    return [(html.unescape(link), html.unescape(label)) for link, label in found]


def test_the_map_is_a_view_of_its_own_and_says_what_it_has_not(site: Site) -> None:
    text = site.page("/events?view=map")
    assert "<strong>14 events</strong> on this part of the map" in wide(text)
    assert "5 events of 19 are not on the map: their places have no coordinates." in text
    assert 'class="events"' not in text
    assert "world.svg" not in site.page("/events")
    listed = text.partition('class="places"')[2].partition("</ul>")[0]
    assert sum(int(number) for number in re.findall(r"</a> (\d+)</li>", listed)) == 14
    alone = site.page("/map")
    assert (
        alone.partition("<main")[2].partition("</main>")[0]
        == (text.partition("<main")[2].partition("</main>")[0])
    )


def test_plain_links_lead_from_the_map_to_an_event(site: Site) -> None:
    address = "/events?view=map&box=-180,-60,180,84"
    for _ in range(12):
        text = site.page(address)
        events = [link for link, _ in marks(text) if urlsplit(link).path != "/events"]
        if events:
            break
        address = next(link for link, label in marks(text) if " places" in label)
        assert parse_qs(urlsplit(address).query)["view"] == ["map"]
    assert events
    assert "<h1" in site.page(events[0])


def test_a_place_of_several_events_leads_to_their_list(site: Site) -> None:
    (link,) = [link for link, label in marks(site.page("/events?view=map")) if "Odesa" in label]
    assert len(site.titles(link)) == 5
    assert re.search(r"on the map: 46[.]\d+° N, 30[.]\d+° E", site.page(link))
    assert len(site.titles(f"{link}&type=CONSULT")) < 5


def test_the_area_in_view_is_offered_as_a_filter(site: Site) -> None:
    text = wide(site.page("/events?view=map&box=20,40,45,55"))
    (count,) = re.findall(r"<strong>(\d+) events</strong> on this part", text)
    (link,) = re.findall(r'href="([^"]*)"[^>]*>Filter to this area', text)
    narrowed = site.page(html.unescape(link))
    assert f"<strong>{count} events</strong> on this part of the map" in wide(narrowed)
    assert "elsewhere" not in wide(narrowed)
    assert "Filter to this area" not in narrowed


def test_the_map_of_a_day_in_the_past_has_the_events_of_then(site: Site) -> None:
    then = site.page("/events?view=map&as_of=2025-04-13")
    assert "<strong>14 events</strong>" not in wide(then)
    assert all("as_of=2025-04-13" in link for link, _ in marks(then))


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("view=map&box=1,2,3", '"1,2,3" is not an area: write west,south,east,north'),
        ("view=map&area=here", '"here" is not an area: write west,south,east,north'),
        ("view=globe", '"globe" is none of list, map'),
    ],
)
def test_a_wrong_part_of_the_map_is_refused_in_one_line(
    site: Site, query: str, problem: str
) -> None:
    answer = site.ask(f"/events?{query}")
    assert answer.status_code == 400
    assert problem in html.unescape(answer.text)
    assert 'id="map"' in answer.text or "view=globe" in query


def test_the_area_holds_in_every_format(site: Site) -> None:
    area = "area=30.5,46.3,31,46.6"
    assert len(site.ask(f"/events.json?{area}").text) < len(site.ask("/events.json").text)
    assert len(site.ask(f"/events.csv?{area}").text.splitlines()) == 1 + 5
    assert site.ask("/events.csv?area=1").status_code == 400


def test_a_script_gets_the_map_and_the_card_of_a_place_alone(site: Site) -> None:
    part = site.page("/events?view=map&part=map&box=20,40,45,55")
    assert part.lstrip().startswith('<div id="map">')
    assert wide(part) == wide(site.page("/events?view=map&box=20,40,45,55"))
    card = site.page("/events?area=30.72,46.48,30.74,46.49&part=map_card")
    assert card.count("<li>") == 5
    assert "<html" not in part + card


def test_index_and_tables_draw_the_same_map(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [
        *("/events?view=map", "/events?view=map&as_of=%2317", "/events?view=map&type=AGREE"),
        *("/events?view=map&box=20,40,45,55", "/events?area=20,40,45,55&as_of=2025-04-14"),
        "/events?view=map&area=20,40,45,55&as_reported=2025-04-14",
    ]
    with open_site(story) as by_tables:
        expected = {path: by_tables.page(path) for path in paths}
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", 1)
    with open_site(story) as by_index:
        for path, text in expected.items():
            assert by_index.page(path) == text


@pytest.mark.parametrize("smallest", [1, 5_000], ids=["from the index", "from the tables"])
def test_ten_thousand_places_share_marks_that_add_up(
    smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", smallest)
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        record(
            timeline, [(n % 130 - 60 + n / 1e5, n * 7 % 360 - 180 + n / 1e5) for n in range(2_000)]
        )
    with open_site(path) as opened:
        text = opened.page("/events?view=map")
    found = [re.search(r"([\d,]+) events$", label) for _, label in marks(text)]
    numbers = [int(each[1].replace(",", "")) if each else 1 for each in found]
    assert sum(numbers) == 2_000
    assert len(numbers) < 250
    assert "And 1,940 more places" in text


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([], "No event here has a place with coordinates."),
        ([(50.91, 34.8)], "<strong>1 event</strong> on this part of the map"),
        (
            [(90, 0), (-90, 0), (0, 180), (0, -180)],
            "<strong>4 events</strong> on this part of the map",
        ),
    ],
)
def test_no_place_one_place_and_the_poles(
    points: list[tuple[float, float]], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        record(timeline, points, geo_precision=3)
    with open_site(path) as opened:
        assert said in opened.page("/events?view=map")


def test_the_page_of_an_event_has_a_small_map(site: Site) -> None:
    text = site.page("/events/sumy-strike")
    assert 'class="map small"' in text
    (link,) = re.findall(r'href="([^"]*)">On the map with the others', text)
    assert any("Sumy" in label for _, label in marks(site.page(html.unescape(link))))
