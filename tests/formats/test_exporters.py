"""Formats of a selection: each read back by a parser that is not ours, or held to its rules."""

from __future__ import annotations

import contextlib
import csv
import html
import io
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from checked_formats import (
    Rows,
    bounds,
    calendar,
    check_atom,
    check_calendar,
    check_geojson,
    check_json,
    check_lines,
    check_timelinejs,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from once_accepted import as_once_accepted
from running import PROGRAM, done, environment, run
from strategies import events

from timeline import Timeline, demo
from timeline.formats.about import About
from timeline.formats.exporters import sheet_csv
from timeline.formats.exporters.atom import permanent_id
from timeline.formats.exports import FORMATS
from timeline.formats.sheet.lookup import lookup_of
from timeline.reading import query
from timeline.store import log, storage

OF_EVENTS = [
    name for name, each in FORMATS.items() if not each.of_entries and not each.oldest_first
]
"""The others are in test_restore.py and test_chronologies.py."""


def taken(path: Path, *, address: bool = True) -> tuple[Rows, About]:
    """All events of a log, newest recorded first, and what goes with them."""
    with contextlib.closing(storage.connect(path)) as connection:
        ids = [
            event_id
            for (event_id,) in connection.execute("SELECT event_id FROM events ORDER BY seq DESC")
        ]
        about = About(
            log.info(connection),
            lookup_of(connection),
            address=(lambda key: f"https://example.org/events/{key}?a=b&c") if address else None,
            self_url="https://example.org/events.atom?tag=a&type=b",
        )
        return [*query.each(connection, ids)], about


def told(stated: list[dict[str, Any]]) -> tuple[Rows, About]:
    """The same of a log of these events."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.db"
        with Timeline.create(
            path, title='A "story" <b>&', origin="example.org/story", licence="CC-BY-4.0"
        ) as timeline:
            for number, event in enumerate(stated):
                external = [f"n{number}-{key}" for key in event.get("external_ids", ())]
                timeline.record({**event, "event_id": f"e-{number}", "external_ids": external})
        return taken(path)


def one(**fields: Any) -> tuple[Rows, About]:
    return told([{"title": "Talks", "occurred": "2025-04-15", **fields}])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def of_the_demo(story: Path) -> tuple[Rows, About]:
    rows, about = taken(story)
    assert len(rows) == 19
    return rows, about


# --- JSON ---------------------------------------------------------------------------------


def test_a_quote_is_exported_as_web_annotation_has_it(timeline: Timeline) -> None:
    text = (
        "Headline\r\n\r\nHe said 👩‍🚒: “so be it”, and left. The end of the story as it was told."
    )
    timeline.capture(text, {"source_id": "paper", "url": "https://example.org/a"})
    places = [
        {"source_id": "paper", "quote": '"so be it"'},
        {"source_id": "paper", "quote": "Headline"},
        {"source": {"title": "No text"}, "quote": "as anybody says"},
        {"source_id": "paper"},
    ]
    timeline.record({"event_id": "e-1", "title": "T", "occurred": "2025", "citations": places})
    timeline.capture("Another text", {"source_id": "paper"})
    (event,) = json.loads(done("-d", timeline.path, "export", "json"))["events"]
    quote, headline, bare, whole = event["citations"]
    start = text.index("“so")
    assert quote["selector"] == [
        {
            "type": "TextQuoteSelector",
            "exact": "“so be it”",
            "prefix": text[:start],
            "suffix": text[start + 10 : start + 42],
        },
        {"type": "TextPositionSelector", "start": start, "end": start + 10},
    ]
    assert headline["selector"][0]["prefix"] == ""
    assert bare["selector"] == [{"type": "TextQuoteSelector", "exact": "as anybody says"}]
    assert "selector" not in whole


def test_the_json_of_an_event_is_what_show_prints(story: Path) -> None:
    exported = json.loads(done("-d", story, "export", "json"))
    assert len(exported["events"]) == 19
    for event in exported["events"]:
        for citation in event["citations"]:
            selector = citation.pop("selector", [{"exact": None}])
            assert selector[0]["exact"] == citation.get("quote")
        for name in ("event_type_label", "country_code", "country_name"):
            event.pop(name, None)
        assert event == json.loads(done("-d", story, "show", event["event_id"], "--json"))


def test_json_says_of_which_log_it_is() -> None:
    rows, about = one()
    found = check_json(written("json", rows, about)[0], rows)
    assert (found["title"], found["origin"]) == ('A "story" <b>&', "example.org/story")
    assert (found["language"], found["time_zone"]) == ("en", "UTC")
    assert (found["as_of"], found["as_reported"]) == (None, None)


def test_json_says_of_which_moment_and_selection_it_is(story: Path) -> None:
    command = ("-d", story, "export", "json", "--type", "Assault", "--as-reported", "2025-04-14")
    found = json.loads(done(*command, "--as-of", "#33"))
    assert found["as_of"] == 33
    assert found["as_reported"] == "2025-04-14T20:59:59.999999Z"  # the end of the day in Kyiv
    assert found["filters"] == {
        "event_type": "Assault",
        "as_of": "#33",
        "as_reported": "2025-04-14",
    }
    assert json.loads(done("-d", story, "export", "json"))["as_of"] == 63
    before = json.loads(done("-d", story, "export", "json", "--as-of", "2020-01-01"))
    assert (before["as_of"], before["events"]) == (-1, [])


# --- GeoJSON ------------------------------------------------------------------------------


def test_geojson_has_every_event_of_the_demo(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    text, left_out = written("geojson", rows, about)
    check_geojson(text, rows)
    assert left_out == 0
    features = {each["id"]: each for each in json.loads(text)["features"]}
    assert features["sumy-strike"]["geometry"] == {"type": "Point", "coordinates": [34.8, 50.91]}
    assert features["sumy-strike"]["properties"]["geo_precision"] == 1
    assert features["nato-allies-pledge"]["geometry"] is None
    assert features["nato-allies-pledge"]["properties"]["when"] == "first quarter of 2025"


def test_a_place_that_an_event_is_about_is_not_where_it_happened() -> None:
    rows, about = one(about_place={"name": "Black Sea", "lat": "43", "lon": "34"})
    assert json.loads(written("geojson", rows, about)[0])["features"][0]["geometry"] is None


# --- iCalendar ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("occurred", "first", "last", "is_utc", "in_title"),
    [
        ("2025-04-15", "2025-04-15", "2025-04-15", False, ""),
        ("2025-12-31", "2025-12-31", "2025-12-31", False, ""),
        ("2025-04-15~", "2025-04-15", "2025-04-15", False, "around 15 April 2025"),
        ("2025-04", "2025-04-01", "2025-04-30", False, "April 2025"),
        ("2024-02", "2024-02-01", "2024-02-29", False, "February 2024"),
        ("2025-04-XX", "2025-04-01", "2025-04-30", False, "some day in April 2025"),
        ("2025-33", "2025-01-01", "2025-03-31", False, "first quarter of 2025"),
        ("2025-24", "2025-12-01", "2026-02-28", False, "winter 2025"),
        ("2025", "2025-01-01", "2025-12-31", False, "2025"),
        ("202X", "2020-01-01", "2029-12-31", False, "2020s"),
        ("0001", "0001-01-01", "0001-12-31", False, "1 AD"),
        ("2025-04-15/2025-04-20", "2025-04-15", "2025-04-20", False, ""),
        ("2025-02/2025-04", "2025-02-01", "2025-04-30", False, "February to April 2025"),
        ("2025-02-17/..", "2025-02-17", None, False, "17 February 2025 or later"),
        ("2025-02-17/", "2025-02-17", None, False, "from 17 February 2025, end unknown"),
        ("2025-02/..", "2025-02-01", None, False, "February 2025 or later"),
        ("2025-04-15T10:15", "2025-04-15T10:15:00", "2025-04-15T10:15:59", False, ""),
        ("2025-04-15T10", "2025-04-15T10:00:00", "2025-04-15T10:59:59", False, ""),
        ("2025-04-15T23:59:59", "2025-04-15T23:59:59", "2025-04-15T23:59:59", False, ""),
        ("2025-04-15T10:15:30Z", "2025-04-15T10:15:30", "2025-04-15T10:15:30", True, ""),
        ("2025-04-15T01:00+03:00", "2025-04-14T22:00:00", "2025-04-14T22:00:59", True, ""),
        ("2025-04-15T22-05", "2025-04-16T03:00:00", "2025-04-16T03:59:59", True, ""),
        (
            "2025-04-15T10:15+03:00/2025-04-16T10:15Z",
            "2025-04-15T07:15:00",
            "2025-04-16T10:14:59",
            True,
            "",
        ),
        ("2025-04-15T10:15/2025-04-16T12", "2025-04-15T10:15:00", "2025-04-16T12:59:59", False, ""),
        # Two kinds of clock, or a clock and a day: the days as written.
        ("2025-04-15T10:15/2025-04-16T12Z", "2025-04-15", "2025-04-16", False, ""),
        ("2025-04-15T10:15Z/2025-04-15", "2025-04-15", "2025-04-15", False, ""),
        ("2025-04-15/2025-04-16T12:00", "2025-04-15", "2025-04-16", False, ""),
        (
            "2025-04-15T10:15Z/..",
            "2025-04-15T10:15:00",
            None,
            True,
            "15 April 2025, 10:15 UTC or later",
        ),
        ("9999-12-30", "9999-12-30", "9999-12-30", False, ""),
    ],
)
def test_a_calendar_has_the_whole_period_and_nothing_but_it(
    occurred: str, first: str, last: str | None, is_utc: bool, in_title: str
) -> None:
    found, left_out = calendar(*one(occurred=occurred))
    (event,) = found.events
    assert left_out == 0
    assert bounds(event) == (first, last, is_utc)
    assert event["SUMMARY"] == (f"Talks ({in_title})" if in_title else "Talks")
    assert found.walk("VJOURNAL") == []


@pytest.mark.parametrize(
    "occurred",
    [
        "../2025-04-15",
        "/2025-04-15",
        "../..",
        "-0043-03-15",
        "0000",
        "0000/2025",
        "Y-13800000000",
        "Y17000",
        "9999",
        "9999-12-31",
        "0001-01-01T00:00+03:00",
        "9999-12-31T23:59:59",
        "9999-12-31T23:00-05:00",
    ],
)
def test_what_a_calendar_cannot_say_is_counted(occurred: str) -> None:
    found, left_out = calendar(*one(occurred=occurred))
    assert (left_out, found.events) == (1, [])
    (remark,) = found.walk("VJOURNAL")
    assert remark["SUMMARY"].startswith("1 event is not in this calendar")
    assert remark["DTSTAMP"].dt.year >= 2025


def test_the_demo_as_a_calendar(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    found, left_out = calendar(rows, about)
    assert (len(found.events), left_out) == (18, 1)
    assert str(found["X-WR-CALNAME"]) == str(found["NAME"]) == r"NATO and Odesa\, spring 2025"
    strike = next(e for e in found.events if e["UID"].startswith("sumy-strike@"))
    assert strike["UID"] == "sumy-strike@example.org/nato-odesa-demo"
    assert strike["SEQUENCE"] == 4
    assert strike["LAST-MODIFIED"].dt == datetime(2025, 4, 16, 16, 20, tzinfo=UTC)
    assert (strike["GEO"].latitude, strike["GEO"].longitude) == (50.91, 34.8)
    assert strike["LOCATION"] == "Sumy, Ukraine"
    assert strike["URL"] == "https://example.org/events/sumy-strike?a=b&c"
    assert "\nkilled: 35 (Sumy regional prosecutor, 14 April 2025)\n" in strike["DESCRIPTION"]
    assert strike["STATUS"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "CONFIRMED"),
        ({"modality": "ongoing", "verification": "disputed"}, "CONFIRMED"),
        ({"modality": "planned"}, "TENTATIVE"),
        ({"modality": "hypothetical"}, "TENTATIVE"),
        ({"modality": "negated"}, "CANCELLED"),
        ({"modality": "planned", "verification": "refuted"}, "CANCELLED"),
    ],
)
def test_a_calendar_says_what_did_not_happen(fields: dict[str, str], status: str) -> None:
    found, _ = calendar(*one(**fields))
    assert found.events[0]["STATUS"] == status


def test_retracted_and_erased_events_of_a_selection_are_said_to_be_so(timeline: Timeline) -> None:
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    timeline.retract("talks", reason="a hoax")
    rows, about = taken(timeline.path)
    gone = {
        key: rows[0][key] for key in ("event_id", "version", "seq", "recorded_at", "reported_at")
    } | {"event_id": "gone", "state": "erased"}
    found, left_out = calendar([rows[0], gone], about)
    assert [event["STATUS"] for event in found.events] == ["CANCELLED"]
    assert left_out == 1
    feed = feedparser.parse(written("atom", [rows[0], gone], about)[0])
    assert [entry.title for entry in feed.entries] == ["Talks", "(erased)"]
    assert "15 April 2025 - RETRACTED" in feed.entries[0].content[0].value
    slides, left_out = written("timelinejs", [rows[0], gone], about)
    assert (len(json.loads(slides)["events"]), left_out) == (1, 1)
    features = json.loads(written("geojson", [gone], about)[0])["features"]
    assert (features[0]["geometry"], features[0]["properties"]["title"]) == (None, "(erased)")
    assert check_json(written("json", [gone], about)[0], [gone])
    assert written("csv", [gone], about)[0].splitlines()[1].startswith("gone,,")


# --- Atom ---------------------------------------------------------------------------------


def test_the_demo_as_a_feed(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    feed = check_atom(written("atom", rows, about)[0], rows)
    assert feed.feed.title == "NATO and Odesa, spring 2025"
    assert feed.feed.links[0].href == about.self_url
    assert feed.feed.links[0].rel == "self"
    entry = next(e for e in feed.entries if e.title == "Ballistic missile strike on Sumy")
    assert entry.link == "https://example.org/events/sumy-strike?a=b&c"
    assert (entry.tags[0].term, entry.tags[0].label) == ("ASSAULT", "Assault")


def test_ids_of_a_feed_come_from_the_log_and_the_selection_not_from_an_address(
    story: Path, of_the_demo: tuple[Rows, About]
) -> None:
    rows, about = of_the_demo

    def ids(about: About) -> list[str]:
        return re.findall("<id>(.+)</id>", written("atom", rows, about)[0])

    moved = about._replace(self_url="https://elsewhere.example", address=None)
    assert ids(moved) == ids(about)
    chosen = ids(about._replace(filters={"tag": "aid", "actor": "NATO"}))
    assert chosen == ids(about._replace(filters={"actor": "NATO", "tag": "aid"}))
    assert chosen[0] != ids(about)[0]
    assert chosen[1:] == ids(about)[1:]
    text = done("-d", story, "export", "atom")
    assert re.findall("<id>(.+)</id>", text) == ids(about)
    # For ever: a reader has them.
    assert permanent_id("example.org/story", "event", "talks") == (
        "urn:uuid:87a74220-43b8-5f2a-8eb8-3c1c58abe341"
    )


# --- TimelineJS ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("occurred", "start", "end"),
    [
        ("2025-04-15", (2025, 4, 15), None),
        ("2025-04-15T10:15", (2025, 4, 15, 10, 15, 0), None),
        ("2025-04", (2025, 4, 1), (2025, 4, 30)),
        ("2025-33", (2025, 1, 1), (2025, 3, 31)),
        ("2025-02-17/..", (2025, 2, 17), None),
        ("../2025-04-15", (2025, 4, 15), None),
        ("2025-04-15T10:15/2025-04-15T12", (2025, 4, 15, 10, 15, 0), (2025, 4, 15, 12, 59, 59)),
        ("-0043-03-15", (-44, 3, 15), None),  # 44 BC
        ("0000", (-1, 1, 1), (-1, 12, 31)),
        ("0001", (1, 1, 1), (1, 12, 31)),
        ("Y-13800000000", (-13800000001, 1, 1), (-13800000001, 12, 31)),
    ],
)
def test_timelinejs_draws_the_whole_period(
    occurred: str, start: tuple[int, ...], end: tuple[int, ...] | None
) -> None:
    rows, about = one(occurred=occurred)
    (slide,) = check_timelinejs(written("timelinejs", rows, about)[0], rows).events
    assert tuple(slide.start_date.model_dump(exclude_none=True).values()) == start
    last = slide.end_date and tuple(slide.end_date.model_dump(exclude_none=True).values())
    assert last == end


def test_timelinejs_leaves_out_what_has_no_date_and_says_so() -> None:
    rows, about = one(occurred="../..")
    text, left_out = written("timelinejs", rows, about)
    found = check_timelinejs(text, rows)
    assert (left_out, found.events) == (1, [])
    assert "no date is known: 1" in found.title.text.text


def test_the_demo_in_timelinejs(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    found = check_timelinejs(written("timelinejs", rows, about)[0], rows)
    assert len(found.events) == 19
    assert found.title.text.headline == "NATO and Odesa, spring 2025"
    strike = next(slide for slide in found.events if slide.unique_id == "sumy-strike")
    assert (strike.group, strike.display_date) == ("Assault", "13 April 2025")


# --- All of them --------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(events(known_events=(), known_sources=()), max_size=3))
def test_whatever_is_stated_is_in_each_format_by_its_rules(stated: list[dict[str, Any]]) -> None:
    rows, about = told(stated)
    check_json(written("json", rows, about)[0], rows)
    check_geojson(written("geojson", rows, about)[0], rows)
    check_calendar(rows, about)
    check_atom(written("atom", rows, about)[0], rows)
    found = check_timelinejs(written("timelinejs", rows, about)[0], rows)
    assert [slide.unique_id for slide in found.events] == [row["event_id"] for row in rows]
    is_far = any("13800000000" in row["occurred"] for row in rows)
    assert found.scale == ("cosmological" if is_far else "human")


HOSTILE = {
    "title": "</script><script>alert(1)</script> \x1b[31m\u202eBEGIN:VEVENT, =1+1; \\N \x01\ufffe",
    "summary": "]]> --> One\r\nEND:VEVENT\nBEGIN:VALARM\x0bX:1\u2028ATTACH:x\x85Y:2\n<img src=x>",
    "note": "&lt;img src=x onerror=alert(1)&gt; &amp; <iframe>",
    "tags": ["<b>", 'a,b;c"', "\x07"],
    "place": {"name": "<i>\u2066", "lat": "1", "lon": "2"},
    "citations": [{"source": {"title": '"><script>', "url": "http://example.org/?'&a=\x7f"}}],
    "quantities": [{"measure": "<u>", "value": 1, "unit": "<s>", "reported_by": "</p>"}],
}


def test_hostile_texts_are_texts_in_each_format() -> None:
    with as_once_accepted():
        rows, about = one(**HOSTILE)
    about = about._replace(
        info={**about.info, "title": HOSTILE["title"], "licence": "</rights>"},
    )
    check_json(written("json", rows, about)[0], rows)
    check_geojson(written("geojson", rows, about)[0], rows)
    found, _ = calendar(rows, about)
    assert [component.name for component in found.walk()] == ["VCALENDAR", "VEVENT"]
    assert set(found.events[0]) == {
        "UID", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "DTSTART", "DTEND", "SUMMARY",
        "DESCRIPTION", "STATUS", "TRANSP", "CATEGORIES", "LOCATION", "GEO", "URL",
    }  # fmt: skip
    text, _ = written("atom", rows, about)
    feed = check_atom(text, rows)
    assert "</script><script>" in html.unescape(feed.entries[0].title)
    assert not re.search("<(script|img|iframe)", text)
    check_timelinejs(written("timelinejs", rows, about)[0], rows)
    (row,) = csv.DictReader(io.StringIO(written("csv", rows, about)[0], newline=""))
    assert row["title"] == rows[0]["title"]


def test_a_group_of_timelinejs_is_text_even_if_it_is_parsed_twice() -> None:
    rows, about = one()
    rows = [{**rows[0], "event_type": "<img src=x onerror=alert(1)> & co"}]
    found = check_timelinejs(written("timelinejs", rows, about)[0], rows)
    assert html.unescape(html.unescape(found.events[0].group or "")) == rows[0]["event_type"]


def test_a_link_leads_to_http_or_nowhere(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    lookup = about.lookup
    bad = {key: {**source, "url": "javascript:alert(1)"} for key, source in lookup.sources.items()}
    about = about._replace(lookup=lookup._replace(sources=bad))
    for name in ("atom", "timelinejs", "ics"):
        assert "javascript" not in written(name, rows, about)[0]


def test_an_empty_selection_is_a_file_all_the_same() -> None:
    rows, about = told([])
    assert check_json(written("json", rows, about)[0], [])["events"] == []
    check_geojson(written("geojson", rows, about)[0], [])
    found, left_out = calendar(rows, about)  # of which one component must be
    assert (left_out, found.events) == (0, [])
    assert [remark["SUMMARY"] for remark in found.walk("VJOURNAL")] == ["No events"]
    check_atom(written("atom", rows, about)[0], [])
    assert check_timelinejs(written("timelinejs", rows, about)[0], []).events == []
    assert written("csv", rows, about)[0] == done("template").replace("\n", "\r\n")


@pytest.mark.parametrize("name", OF_EVENTS)
def test_a_format_holds_one_event_at_a_time_and_ends_its_pieces_with_a_line(name: str) -> None:
    rows, about = one()
    given_out = 0

    def many() -> Iterator[Mapping[str, Any]]:
        nonlocal given_out
        for number in range(1000):
            given_out += 1
            yield {**rows[0], "event_id": f"e-{number}"}

    for count, piece in enumerate(FORMATS[name].write(many(), about)):
        assert piece.endswith("\n")
        assert abs(given_out - count) <= 3
        if count > 900:
            break
    assert given_out > 890


# --- On the command line ------------------------------------------------------------------


def check_figures(text: str, rows: Rows) -> None:
    found = [*csv.DictReader(io.StringIO(text, newline=""))]
    said = [(row["event_id"], each) for row in rows for each in row.get("quantities", ())]
    assert len(found) == len(said)
    for line, (event_id, figure) in zip(found, said, strict=True):
        assert line["event"] == event_id
        for name in ("measure", "value", "low", "high", "unit", "dated"):
            assert line[name] == str(figure.get(name, ""))
        assert line["qualifier"] == figure.get("qualifier", "exact")
        assert line["said_by"] == figure.get("reported_by", "")


def test_a_figure_is_a_row_with_who_says_so_and_where(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    figure = {"measure": "killed", "low": "20", "unit": "person", "qualifier": "at_least"}
    source_id = next(iter(about.lookup.sources))
    address = about.lookup.sources[source_id]["url"] or source_id
    figure |= {"reported_by": "=1+1", "source_ids": [source_id, "x"]}
    row = {**rows[0], "quantities": [figure]}
    text, left_out = written("figures", [row], about)
    assert left_out == 0
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert line["said_by"] == "'=1+1"
    assert (line["low"], line["qualifier"], line["source"]) == ("20", "at_least", f"{address}; x")


CODED = ("event_type", "event_type_label", "country_code", "country_name")


def test_a_name_has_the_same_value_in_csv_json_and_geojson(of_the_demo: tuple[Rows, About]) -> None:
    rows, about = of_the_demo
    odd = {**rows[0], "tags": ["a; b", "c\\d"], "participants": [{"name": "Smith; Jones"}]}
    bare = {name: value for name, value in rows[0].items() if name not in ("event_type", "place")}
    rows = [*rows, odd, bare]
    collection = json.loads(written("geojson", rows, about)[0])
    assert not collection.keys() & {"self", "next"}
    of_map = [feature["properties"] for feature in collection["features"]]
    of_json = json.loads(written("json", rows, about)[0])["events"]
    sheet = "".join(sheet_csv.write(rows, about, sheet_csv.WITH_CODES))
    of_csv = [*csv.DictReader(io.StringIO(sheet, newline=""))]
    for on_map, event, row in zip(of_map, of_json, of_csv, strict=True):
        for name in CODED:
            assert (on_map[name] or "") == event.get(name, "") == row[name]
        assert (row["type"], row["country"]) == (row["event_type_label"], row["country_name"])
        for name in row.keys() & on_map.keys() - {"occurred"}:  # a season is words in a sheet
            assert row[name] == (on_map[name] or ""), name
        for name in event.keys() & on_map.keys() - {"place", "tags", "at_risk"}:  # not flat there
            assert event[name] == on_map[name], name
    pairs = {(row[code], row[word]) for row in of_csv for code, word in (CODED[:2], CODED[2:])}
    assert {("ASSAULT", "Assault"), ("UKR", "Ukraine"), ("", "")} <= pairs


@pytest.mark.parametrize("name", OF_EVENTS)
def test_every_format_is_written_to_a_file(name: str, story: Path, tmp_path: Path) -> None:
    target = tmp_path / f"out{FORMATS[name].suffix}"
    result = run("-d", story, "export", name, "-o", target)
    assert result.exit_code == 0
    note = "Note: 1 event is left out: ics cannot say when it happened\n"
    assert result.stderr == (note if name == "ics" else "")
    with Timeline.open(story) as timeline:
        order = sorted(timeline.list(), key=lambda row: row["event_key"])
        if FORMATS[name].newest_first:
            order.sort(key=lambda row: row["seq"], reverse=True)
        rows = [timeline.get(row["event_id"]) for row in order]
    text = target.read_bytes().decode()
    check = {
        "json": check_json,
        "geojson": check_geojson,
        "ics": lambda text, _: check_lines(text),
        "atom": check_atom,
        "timelinejs": check_timelinejs,
        "figures": check_figures,
        "csv": lambda text, rows: [*csv.DictReader(io.StringIO(text, newline=""))],
    }[name]
    check(text, rows)


def test_a_sheet_that_is_exported_changes_nothing_when_it_comes_back(
    story: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "demo.csv"
    done("-d", story, "export", "csv", "-o", sheet)
    assert done("-d", story, "sync", "--dry-run", sheet).startswith("19 unchanged.")


@pytest.mark.parametrize("options", [("--bom",), ("--column", "note")])
def test_what_goes_with_sheets_goes_with_nothing_else(story: Path, options: tuple[str]) -> None:
    result = run("-d", story, "export", "json", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: --column and --bom go with csv\n")


def test_filters_and_moments_choose_the_events_of_every_format(story: Path) -> None:
    for name in [name for name, each in FORMATS.items() if not each.needs]:
        command = ("-d", story, "export", name, "--type", "assault")
        text = done(*command)
        is_of_figures = name == "figures"
        assert ("sumy-strike," if is_of_figures else "Ballistic missile strike on Sumy") in text
        assert (
            "nato-allies-pledge," if is_of_figures else "Ukraine accepts the US proposal"
        ) not in text
        assert "sumy" not in done(*command, "--as-of", "2025-04-12").lower()
    result = run("-d", story, "export", "atom", "--country", "Nowhere")
    assert (result.exit_code, result.stderr[:14]) == (1, "Error: country")


def test_an_export_is_one_state_of_the_log_whoever_appends_meanwhile(
    timeline: Timeline, tmp_path: Path
) -> None:
    """Another process appends while the file is written, to a pipe that is read slowly."""
    timeline.record(
        [
            {
                "event_id": f"e-{number}",
                "title": "Before",
                "occurred": "2025",
                "summary": "word " * 180,
            }
            for number in range(2_000)
        ]
    )
    with subprocess.Popen(
        [*PROGRAM, "-d", str(timeline.path), "export", "json"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as export:
        assert export.stdout
        head = export.stdout.readline()  # the rest waits in a pipe that is full
        with timeline.append() as append:
            for number in range(2_000):
                append.update(f"e-{number}", {"title": "After"})
        found = json.loads(head + export.stdout.read())
    assert export.returncode == 0
    assert {event["title"] for event in found["events"]} == {"Before"}
