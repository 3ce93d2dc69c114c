"""The axis of time: which stretch is shown first, what bars and lines count, the strip of all."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from edtf_strategies import canonical
from hypothesis import given, settings
from hypothesis import strategies as st
from site_in_process import open_site
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.model import edtf
from timeline.model.names import actor_id_of
from timeline.reading import facet_index
from timeline.reading.as_of import AsOf
from timeline.reading.selection import Selection
from timeline.site.views.address import Address
from timeline.site.views.axis import Axis, axis_of
from timeline.site.views.axis_strip import Strip
from timeline.site.views.browse import selected
from timeline.site.views.event_classes import class_of
from timeline.site.views.time_units import DAY, MONTH, YEAR, date_of, day_number, fitting, ticks
from timeline.store import storage

Given = str | tuple[str, str]


def axis(path: Path, dates: Iterable[Given], **filters: str) -> Axis | None:
    """Return the axis of a log with an event for each date, of a type if one is given."""
    with Timeline.create(path, title="T", now=TickingClock()) as timeline:
        timeline.record(
            {
                "event_id": f"e-{number:04d}",
                "title": f"Event {number}",
                "occurred": each if isinstance(each, str) else each[0],
                **({} if isinstance(each, str) else {"event_type": each[1]}),
            }
            for number, each in enumerate(dates)
        )
    with closing(storage.connect(path)) as connection:
        return axis_of(Selection(connection, filters))


def shown(path: Path, dates: Iterable[Given], **filters: str) -> Axis:
    found = axis(path, dates, **filters)
    assert found is not None
    return found


def bars(found: Axis) -> list[tuple[str, int]]:
    return [(bar.label, bar.events) for bar in found.bars]


def window(found: Axis) -> tuple[str, str, str]:
    first, last = ("-".join(map(str, date_of(day))) for day in (found.first, found.last))
    return found.unit, first, last


# --- The window ---------------------------------------------------------------------------

STORY = [
    *("2025-03-11", "2025-03-25", "2025-03-25", "2025-04-11", "2025-04-13"),
    *["2025-04-15"] * 5,
]


def test_the_run_of_days_that_has_most_events_is_shown_by_day(path: Path) -> None:
    found = shown(path, STORY)
    assert window(found) == ("day", "2025-3-10", "2025-4-16")
    assert bars(found)[-1] == ("15 April 2025", 5)
    assert found.scale == [2, 4, 6]


@pytest.mark.parametrize(
    ("outliers", "before", "after"),
    [
        (["1794~"], (1, "around 1794"), None),
        (["1794~", "1920", "1987-05-03"], (3, "May 1987"), None),
        (["Y-4540000000", "2091-01-01"], (1, "4540000001 BC"), (1, "1 January 2091")),
        (["../1990", "1960/..", "2024/..", "../.."], (1, "by 1990"), None),
    ],
)
def test_outliers_and_open_ends_never_widen_it(
    outliers: list[str],
    before: tuple[int, str] | None,
    after: tuple[int, str] | None,
    path: Path,
) -> None:
    found = shown(path, [*STORY, *outliers])
    assert window(found) == ("day", "2025-3-10", "2025-4-16")
    beyond = [(edge.events, edge.words) if edge else None for edge in (found.before, found.after)]
    assert beyond == [before, after]
    assert (
        len(found.lines)
        == found.others
        == len(outliers) - sum(each[0] for each in (before, after) if each)
    )


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2024-05-03"], ("day", "2024-4-30", "2024-5-6")),
        (["2024-05-03T10:15"], ("day", "2024-4-30", "2024-5-6")),
        (["1960/.."], ("year", "1960-1-1", "1960-12-31")),
        (["1914", "1915~", "1918"], ("year", "1914-1-1", "1918-12-31")),
        (["1914-08", "1914-09", "1915-02"], ("month", "1914-8-1", "1914-9-30")),
        (["-0043-03-15", "-0043-03-16"], ("day", "-43-3-12", "-43-3-19")),
        (["Y-66000000", "Y-66000001"], ("year", "-66000001-1-1", "-66000000-12-31")),
        (["Y-4540000000"] * 2 + ["2025"], ("year", "-4540000000-1-1", "-4540000000-12-31")),
        ([f"{year}-06-01" for year in range(1900, 2025)], ("year", "1900-1-1", "2024-12-31")),
        ([f"{year}-06-01" for year in range(1000, 2025, 5)], ("decade", "1000-1-1", "2029-12-31")),
    ],
)
def test_any_story_has_a_window(
    dates: list[str], expected: tuple[str, str, str], path: Path
) -> None:
    assert window(shown(path, dates)) == expected


@pytest.mark.parametrize("dates", [[], ["../.."]])
def test_without_a_known_date_there_is_no_axis(dates: list[str], path: Path) -> None:
    assert axis(path, dates) is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"since": "2025-04-13", "until": "2025-04-13"}, ("day", "2025-4-13", "2025-4-13")),
        ({"since": "2025-04-12T10:00"}, ("day", "2025-4-12", "2025-4-30")),
        ({"until": "2025-03"}, ("decade", "1790-1-1", "2029-12-31")),
        ({"since": "1794", "until": "1794"}, ("month", "1794-1-1", "1794-12-31")),
        ({"since": "1900", "until": "1910"}, ("year", "1900-1-1", "1910-12-31")),
        ({"since": "2030"}, ("month", "2030-1-1", "2030-1-31")),
    ],
)
def test_a_filter_by_period_chooses_the_window_and_leaves_the_strip(
    asked: dict[str, str], expected: tuple[str, str, str], path: Path
) -> None:
    found = shown(path, ["1794~", *STORY], **asked)
    assert found.is_chosen
    if expected[0] == "month" and asked == {"since": "2030"}:
        expected = ("day", "2030-1-1", "2030-1-1")
    assert window(found) == expected
    assert found.strip.stretches[0].first == day_number((1794, 1, 1))


# --- Bars, lines and the band -------------------------------------------------------------


def test_a_bar_has_its_classes_and_the_first_titles(path: Path) -> None:
    (bar,) = shown(path, [("2025-04-15", "ASSAULT"), ("2025-04-15", "AGREE"), "2025-04-15"]).bars
    assert bar.parts == [("talk", 1), ("force", 1), ("other", 1)]
    assert bar.titles == ["Event 0", "Event 1", "Event 2"]
    assert (bar.first, bar.last) == ("2025-04-15", "2025-04-15")


def test_titles_are_left_out_where_there_are_very_many_events(path: Path) -> None:
    assert [bar.titles for bar in shown(path, ["2025-04-15"] * 121).bars] == [[]]


def test_what_lasts_or_is_rough_is_a_line_and_in_no_bar(path: Path) -> None:
    found = shown(
        path, [*STORY, "2025-33", "2025-04-15/2025-04-20", "2025-04-02/..", "../2025-04-14"]
    )
    assert sum(bar.events for bar in found.bars) == len(STORY)
    lines = [(line.time, line.begin, line.end, line.is_rough) for line in found.lines]
    assert sorted(lines) == [
        ("15 to 20 April 2025", "", "", False),
        ("2 April 2025 or later", "", "open", False),
        ("by 14 April 2025", "open", "", False),
        ("first quarter of 2025", "cut", "", True),
    ]
    for lane in range(found.lanes):
        its = sorted(
            (each.left, each.left + each.width) for each in found.lines if each.lane == lane
        )
        assert all(end < begin for (_, end), (begin, _) in pairwise(its))


def test_more_than_eight_lines_below_each_other_become_a_band(path: Path) -> None:
    found = shown(path, [*STORY, *["2025-03-20/2025-04-10"] * 9])
    assert (found.lines, found.lanes, found.others) == ([], 0, 9)
    assert {(shade.events, shade.level) for shade in found.shades} == {(9, 4)}


_dates = st.one_of(
    canonical,
    st.dates(date(2025, 1, 1), date(2025, 5, 1)).map(str),
    st.dates(date(2025, 1, 1), date(2025, 5, 1)).map(lambda day: str(day)[:7]),
    st.dates(date(2025, 1, 1), date(2025, 5, 1)).map("{}/..".format),
    st.dates(date(2025, 1, 1), date(2025, 5, 1)).map("../{}".format),
)
_types = st.sampled_from(("AGREE", "AID", "REQUEST", "ASSAULT", None))
_events = st.lists(st.tuples(_dates, _types), min_size=1, max_size=25)
_periods = st.one_of(
    st.none(), st.sampled_from(("2025-02", "2025-04-11", "1990", "0500", "-0100", "Y12000"))
)


@settings(max_examples=30, deadline=None)
@given(_events, _events, _periods, _periods, st.booleans())
def test_every_number_agrees_with_sql_now_and_as_of_an_entry(
    early: list[tuple[str, str | None]],
    late: list[tuple[str, str | None]],
    since: str | None,
    until: str | None,
    has_index: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with Timeline.create(path, title="T", now=TickingClock()) as timeline:
            for name, several in (("early", early), ("late", late)):
                timeline.record(
                    {
                        "event_id": f"{name}-{number}",
                        "title": "E",
                        "occurred": occurred,
                        **({"event_type": code} if code else {}),
                    }
                    for number, (occurred, code) in enumerate(several)
                )
        with closing(storage.connect(path)) as connection:
            index = facet_index.current(connection, None) if has_index else None
            pairs = [(name, each) for name, each in (("since", since), ("until", until)) if each]
            for seq, prefix in ((2**53, "%"), (len(early), "early%")):
                with selected(connection, AsOf(seq=seq), index, Address.of(pairs)) as chosen:
                    found = axis_of(chosen)
                    agrees_with_sql(found, connection, prefix)


def agrees_with_sql(found: Axis | None, connection: sqlite3.Connection, prefix: str) -> None:
    """Compare an axis with the events of now that have an id with this prefix."""

    def rows(condition: str, *values: object) -> list[Any]:
        sql = f"SELECT event_type FROM events AS e WHERE event_id LIKE ? AND ({condition})"
        return [code for (code,) in connection.execute(sql, (prefix, *values))]

    day = "substr({0}, 1, instr({0} || 'T', 'T') - 1)"
    first, last = day.format("occurred_from"), day.format("occurred_to")
    if found is None:
        assert rows("occurred_from IS NOT NULL OR occurred_to IS NOT NULL") == []
        return
    counted = {}
    for bar in found.bars:
        start, end = bounds(bar.first, bar.last)
        codes = rows(f"{first} >= ? AND {last} <= ?", start, end)
        assert len(codes) == bar.events == sum(number for _, number in bar.parts)
        for name, number in bar.parts:
            assert number == sum(class_of(code) == name for code in codes)
        counted[bar.label] = bar.events
        assert bar.titles == ["E"] * min(bar.events, 3)
    start, end = bounds_of_days(found.first, found.last)
    inside = rows(
        f"(occurred_to IS NULL OR {last} >= ?) AND (occurred_from IS NULL OR {first} <= ?)",
        start,
        end,
    )
    assert sum(counted.values()) + found.others == len(inside)
    before, after = (each.events if each else 0 for each in (found.before, found.after))
    assert before == len(rows(f"{last} < ?", start))
    assert after == len(rows(f"{first} > ?", end))
    if found.lines:
        assert len(found.lines) == found.others
    for shade in found.shades:
        index = (
            next(
                each
                for each in range(found.first, found.last + 1)
                if UNITS[found.unit].label(UNITS[found.unit].period_of(each)) == shade.label
            )
            if found.unit in UNITS and found.last - found.first < 4_000
            else None
        )
        if index is None:
            continue
        start, end = bounds(*UNITS[found.unit].bounds(UNITS[found.unit].period_of(index)))
        could = rows(
            f"(occurred_to IS NULL OR {last} >= ?) AND (occurred_from IS NULL OR {first} <= ?)",
            start,
            end,
        )
        assert shade.events == len(could) - counted.get(shade.label, 0)
    is_sound(found.strip)


UNITS = {unit.name: unit for unit in (DAY, MONTH, YEAR)}


def bounds(first: str, last: str) -> tuple[str, str]:
    start, end = edtf.parse(first).occurred_from, edtf.parse(last).occurred_to
    assert start
    assert end
    return start, end


def bounds_of_days(first: int, last: int) -> tuple[str, str]:
    return edtf.sortable(*date_of(first)), edtf.sortable(*date_of(last))


def is_sound(strip: Strip) -> None:
    """Check that a strip goes from 0 to 100 per cent and stays within."""
    assert strip.stretches[0].left == 0
    assert strip.stretches[-1].right == pytest.approx(100)
    for one, other in pairwise(strip.stretches):
        assert one.left < one.right < other.left
        assert one.last < other.first
    for mark in (*strip.heap, *strip.band):
        assert 0 <= mark.left < mark.left + mark.width <= 100
        assert mark.height > 0
    assert 0 <= strip.left <= strip.left + strip.width <= 101
    assert len(strip.ticks) >= 1


# --- Time ---------------------------------------------------------------------------------


@given(st.integers(-(10**14), 10**14))
def test_a_day_has_a_number_in_every_year(number: int) -> None:
    assert day_number(date_of(number)) == number


@given(st.dates())
def test_the_number_of_a_day_is_that_of_the_calendar(day: date) -> None:
    number = day.toordinal() - date(1970, 1, 1).toordinal()
    assert date_of(number) == (day.year, day.month, day.day)


_numbers = st.one_of(st.integers(-(10**14), 10**14), st.integers(-800_000, 800_000))


@given(_numbers, _numbers, st.integers(1, 12))
def test_units_and_ticks_fit_any_stretch(one: int, other: int, most: int) -> None:
    first, last = sorted((one, other))
    unit = fitting(first, last, 125)
    begin, end = unit.period_of(first), unit.period_of(last)
    assert end - begin < 125
    assert unit.start(begin) <= first <= unit.end(begin) < unit.start(begin + 1)
    found = ticks(first, last, most)
    assert len(found) <= most
    assert all(first <= tick.day <= last for tick in found)
    for bound in unit.bounds(begin):
        assert edtf.parse(bound).edtf == bound


# --- Pages --------------------------------------------------------------------------------


def test_actors_and_sources_have_an_axis_that_leads_to_their_events(path: Path) -> None:
    demo.build(path)
    rutte = actor_id_of("Mark Rutte")
    with open_site(path) as site:
        for page, chosen in (
            (f"/actors/{rutte}", f"actor={rutte}"),
            (f"/actors/{rutte}?as_of=2025-04-17", f"as_of=2025-04-17&amp;actor={rutte}"),
            ("/sources/odesa-briefing", "source=odesa-briefing"),
        ):
            shown = site.page(page)
            period = "since=2025-04-15&amp;until=2025-04-15&amp;"
            found = re.search(
                f'href="/events[?]{period}{re.escape(chosen)}" aria-label="15 April 2025: (\\d+)',
                shown,
            )
            assert found, page
            listed = site.page(f"/events?{period}{chosen}".replace("&amp;", "&"))
            assert int(found[1]) <= len({*re.findall('href="/events/([a-z0-9-]+)', listed)})
            for link in site.links(page):
                if link.startswith("/events?"):
                    assert site.ask(link).status_code == 200, link


def test_a_story_of_nothing_dated_has_a_page_without_an_axis(path: Path) -> None:
    with Timeline.create(path, title="T") as timeline:
        timeline.record({"event_id": "one", "title": "One", "occurred": "../.."})
    with open_site(path) as site:
        assert 'class="axis' not in site.page("/")
        assert 'class="axis' not in site.page("/events?since=2025")


texts = st.text(min_size=1, max_size=12)
names = st.sampled_from(("q", "place", "type", "since", "actor", "not_tag", "after", "find_tag"))


@given(st.lists(st.tuples(names, texts)), texts, texts)
def test_the_address_of_a_bar_is_that_of_its_period(
    pairs: list[tuple[str, str]], since: str, until: str
) -> None:
    asked = Address.of(pairs)
    assert asked.of_periods()(since, until) == asked.query(since=since, until=until)
