"""Times with offsets on one axis: every way of reading a log agrees about their order."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from running import done
from site_in_process import open_site

from timeline import Timeline
from timeline.reading import facet_index
from timeline.reading.as_of import parse_as_of
from timeline.reading.indexed_selection import IndexedSelection
from timeline.store import storage

EVENTS = {
    "answer": "2025-04-14T20:00-04:00",
    "strike": "2025-04-15T01:00+03:00",
    "eve": "2025-04-14",
    "talks": "2025-04-15T02:00",
    "dinner": "2025-08-14T20:00/2025-08-15T00:00",
    "vigil": "2025-08-14T18:30Z/2025-08-14T21:00Z",
    "call": "2025-08-14T21:30Z",
    "new-year": "2024-12-31T23:00Z",
}
IN_KYIV = ["new-year", "eve", "strike", "talks", "answer", "dinner", "vigil", "call"]


def told(path: Path, zone: str) -> Path:
    with Timeline.create(path, title="A story", time_zone=zone) as timeline:
        timeline.record(
            {"event_id": name, "title": name.capitalize(), "occurred": when}
            for name, when in EVENTS.items()
        )
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told(tmp_path_factory.mktemp("clock") / "story.db", "Europe/Kyiv")


def ids(rows: object) -> list[str]:
    assert isinstance(rows, list)
    return [row["event_id"] for row in rows]


def listed(path: Path, *filters: str) -> list[str]:
    return ids(json.loads(done("-d", path, "list", *filters, "--json")))


def test_a_list_has_one_order(path: Path, tmp_path: Path) -> None:
    assert listed(path) == IN_KYIV
    with Timeline.open(path) as timeline:
        assert ids(timeline.list()) == IN_KYIV
        assert timeline.get("strike")["occurred_from"] == "2025-04-15T01:00:00"
        assert timeline.get("strike")["occurred"] == EVENTS["strike"]
    in_utc = listed(told(tmp_path / "utc.db", "UTC"))
    assert in_utc.index("strike") < in_utc.index("answer")
    assert in_utc.index("answer") < in_utc.index("talks")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--since", "2025-08-15"], ["call"]),
        (["--until", "2025-04-14"], ["new-year", "eve"]),
        (["--year", "2024"], []),
        (["--month", "2025-01"], ["new-year"]),
        # A filter with an offset is moved likewise: 22:00Z is 01:00 in Kyiv.
        (["--since", "2025-04-14T22:01Z", "--until", "2025-04-15"], ["talks", "answer"]),
        (["--since", "2025-04-15T02:00", "--until", "2025-04-15"], ["talks", "answer"]),
        (["--since", "2025-04-14", "--until", "2025-04-14T22:00Z"], ["eve", "strike"]),
    ],
    ids=str,
)
def test_filters_are_by_the_same_clock(path: Path, filters: list[str], found: list[str]) -> None:
    assert listed(path, *filters) == found
    asked = {
        name.removeprefix("--"): value for name, value in zip(*[iter(filters)] * 2, strict=True)
    }
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index
        for moment in {}, {"as_of": "#8"}, {"as_reported": "2099-01-01"}:
            point = parse_as_of(connection, **moment)
            with contextlib.closing(
                IndexedSelection(connection, index, asked, point=point)
            ) as chosen:
                assert chosen.page_of_ids(oldest_first=True).event_ids == found
                assert chosen.count() == len(found)


def test_files_agree(path: Path) -> None:
    ordered = json.loads(done("-d", path, "export", "json"))["events"]
    by_time = sorted(ordered, key=lambda event: event["occurred_from"])
    assert ids(by_time) == IN_KYIV
    features = json.loads(done("-d", path, "export", "geojson"))["features"]
    assert {f["id"]: f["properties"]["occurred_from"] for f in features} == {
        event["event_id"]: event["occurred_from"] for event in ordered
    }
    slides = json.loads(done("-d", path, "export", "timelinejs"))["events"]
    starts = {slide["unique_id"]: slide["start_date"] for slide in slides}
    assert starts["answer"] == {
        "year": 2025,
        "month": 4,
        "day": 15,
        "hour": 3,
        "minute": 0,
        "second": 0,
    }


def test_a_calendar_has_instants_and_not_bounds(path: Path) -> None:
    calendar = done("-d", path, "export", "ics")
    dates = {
        summary.lower(): (start, end)
        for start, end, summary in re.findall(
            r"DTSTART:(\S+)\s+DTEND:(\S+)\s+SUMMARY:(\S+)", calendar
        )
    }
    assert dates["strike"] == ("20250414T220000Z", "20250414T220100Z")
    assert dates["answer"] == ("20250415T000000Z", "20250415T000100Z")
    assert dates["dinner"] == ("20250814T200000", "20250815T000000")
    assert dates["vigil"] == ("20250814T183000Z", "20250814T210000Z")
    assert dates["talks"] == ("20250415T020000", "20250415T020100")


def test_a_person_reads_times_by_the_clock_of_the_log(path: Path) -> None:
    shown = done("-d", path, "list")
    assert "15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)" in shown
    assert "15 April 2025, 01:00 +03:00" in shown
    assert "15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)" in done(
        "-d", path, "show", "answer"
    )
    with open_site(path) as site:
        page = site.page("/events")
        assert "03:00 (14 April 2025, 20:00 -04:00)" in page
        assert "Times of events are in Europe/Kyiv where no other offset is written." in page
        assert "00:30 (14 August 2025, 21:30 UTC)" in page
        assert "15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)" in site.page("/events/answer")
        past = site.page("/events?as_of=%238")
        assert "times in Europe/Kyiv, the log\u2019s time zone today" in past
        table = site.page("/story/events?_period=2025-08-15")
        assert "1 row" in table
        table = site.page("/story/events?_period=2025-04-14T22:00Z")
        assert "strike" in table
        assert "talks" not in table
