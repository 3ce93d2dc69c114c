"""Areas of the map: the tables and the index find the events whose places are inside."""

from __future__ import annotations

import contextlib
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidValue
from timeline.reading import areas, facet_index
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.selection import Selection
from timeline.store import storage

_HUNDREDTHS = Decimal("0.01")
_lons = st.one_of(
    st.integers(-18_000, 18_000), st.sampled_from((-18_000, 18_000, 17_999, -17_999, 0))
)
_lats = st.one_of(st.integers(-9_000, 9_000), st.sampled_from((-9_000, 9_000, 0)))


def _degrees(hundredths: int) -> Decimal:
    return hundredths * _HUNDREDTHS


def _is_inside(lat: int, lon: int, edges: tuple[int, int, int, int]) -> bool:
    """Whether going east from the west edge one meets the point before the east edge."""
    west, south, east, north = edges
    width = (east - west) % 36_000 if east - west != 36_000 else 36_000
    return south <= lat <= north and ((lon - west) % 36_000 <= width)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(_lats, _lons), min_size=1, max_size=12),
    corners=st.lists(st.tuples(_lons, _lats, _lons, _lats), min_size=1, max_size=6),
)
def test_tables_and_index_find_what_is_inside(
    points: list[tuple[int, int]], corners: list[tuple[int, int, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with (
            Timeline.create(path, title="Places", now=TickingClock()) as timeline,
            timeline.append() as append,
        ):
            for number, (lat, lon) in enumerate(points):
                append.record(
                    {
                        "event_id": f"event-{number}",
                        "title": "T",
                        "occurred": "2025",
                        "place": {"lat": str(_degrees(lat)), "lon": str(_degrees(lon))},
                    }
                )
            append.record({"event_id": "nowhere", "title": "T", "occurred": "2025"})
        with contextlib.closing(storage.connect(path)) as connection:
            index = facet_index.current(connection, None)
            assert index is not None
            for west, south, east, north in [*corners, *((p[1], p[0], p[1], p[0]) for p in points)]:
                edges = (west, min(south, north), east, max(south, north))
                text = ",".join(str(_degrees(each)) for each in edges)
                expected = {
                    f"event-{number}"
                    for number, point in enumerate(points)
                    if _is_inside(*point, edges)
                }
                for chosen in (
                    Selection(connection, {"area": text}),
                    IndexedSelection(connection, index, {"area": text}),
                ):
                    assert set(chosen.newest()) == expected
                    assert chosen.count() == len(expected)


@given(st.tuples(_lons, _lats, _lons, _lats))
def test_an_area_is_written_as_it_is_read(corners: tuple[int, int, int, int]) -> None:
    west, south, east, north = corners
    area = areas.parse(
        ",".join(f"{_degrees(each)}" for each in (west, min(south, north), east, max(south, north)))
    )
    assert areas.parse(str(area)) == area


def test_a_point_counts_to_a_hundredth_of_a_degree(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    lat = Decimal("46.4849").quantize(_HUNDREDTHS, ROUND_HALF_EVEN)
    with Timeline.create(path, title="Places", now=TickingClock()) as timeline:
        timeline.record(
            {"title": "T", "occurred": "2025", "place": {"lat": "46.4849", "lon": "30.7351"}}
        )
        assert len(timeline.list(area=f"30.74,{lat},30.74,{lat}")) == 1
        assert timeline.list(area="30.73,46.48,30.735,46.49") == []


@pytest.mark.parametrize("text", ["", ",,,", "1,2,3,4,5", "west,1,2,3", "0,0,0,91", "-181,0,0,0"])
def test_what_is_no_area_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not an area") as caught:
        areas.parse(text)
    assert "\n" not in str(caught.value)


def test_an_area_has_words() -> None:
    assert areas.parse("29,44,33.5,47").words == "44° N to 47° N, 29° E to 33.5° E"
    assert areas.parse("170,-20,-170,0").words == "20° S to 0° N, 170° E to 170° W"
    assert areas.parse("30.73,46.48,30.73,46.48").words == "46.48° N, 30.73° E"
