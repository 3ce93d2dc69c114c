"""The lists of all actors and of all sources: complete, in order, searched, and counted right."""

from __future__ import annotations

import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from operations import Operation, stories, told
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Event, Participant, Timeline
from timeline.model.content import Said
from timeline.model.names import actor_id_of
from timeline.reading import facet_index
from timeline.reading.as_of import parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.site.views.address import Address
from timeline.site.views.listing import listing_json
from timeline.store import storage

HOSTILE = '<script>alert("1")</script> & "Sons"; ../..~%2F'
NAMES = {
    "zel": ("Volodymyr Zelenskyy", ["Зеленський"]),
    "putin": ("Владимир Путин", []),
    "lodz": ("Łódź City Council", []),
    "sons": (HOSTILE, []),
    "old-ministry": ("Ministry of War", []),
    "ministry": ("Ministry of Defence", []),
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "lists.db"
    with Timeline.create(path, title="Lists", now=TickingClock()) as timeline:
        with timeline.append() as append:
            for actor_id, (name, aliases) in NAMES.items():
                append.record_actor({"actor_id": actor_id, "name": name, "aliases": aliases})
            append.merge_actor("old-ministry", "ministry")
        timeline.record(
            [
                Event(
                    event_id=f"event-{number:03}",
                    title=f"Event {number}",
                    occurred="2025-04-15",
                    participants=[
                        Participant(name="Volodymyr Zelenskyy", office="President", country="UKR"),
                        Participant(name=f"Witness {number // 2:03}"),
                        *([Participant(name="Ministry of War")] if number < 3 else []),
                    ],
                    citations=[{"source": {"title": f"Report {number % 7}", "publisher": "AFP"}}],
                )
                for number in range(240)
            ]
        )
        timeline.capture("They talked.", {"source_id": "notes", "title": HOSTILE})
        with timeline.append() as append:
            append.withdraw_source("notes", Said(reason="It was invented"))
        timeline.retract("event-239", reason="It never was")
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


@pytest.fixture
def connection(story: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(story)) as opened:
        yield opened


def asked(site: Site, path: str) -> Any:
    return json.loads(site.page(path))


def found(site: Site, kind: str, query: str) -> list[str]:
    field = {"actors": "name", "sources": "title"}[kind]
    return [row[field] for row in asked(site, f"/{kind}.json?q={quote(query)}")[kind]]


def walked(site: Site, path: str) -> list[str]:
    """The titles on all pages of a list, by the links from page to page."""
    titles: list[str] = []
    while True:
        titles += site.titles(path)
        following = re.search(r'<a href="([^"]*)" rel="next">', site.page(path))
        if following is None:
            return titles
        path = html.unescape(following[1])


# --- Counts -------------------------------------------------------------------------------


def whole(
    connection: sqlite3.Connection, kind: str, index: FacetIndex | None, **asked: str
) -> list[dict[str, Any]]:
    """The rows of a list, read in pages of two."""
    rows: list[dict[str, Any]] = []
    after = ""
    while True:
        address = Address(after=after, **asked)
        page = listing_json(connection, kind, address, index, size=2)
        rows += page[kind]
        if page["after"] is None:
            assert page["found"] == len(rows)
            return rows
        after = page["after"]


@settings(max_examples=15)
@given(stories)
def test_counts_are_those_of_the_filters_and_of_sql_from_tables_and_index_now_and_then(
    story: list[list[Operation]],
) -> None:
    with told(story) as connection:
        index = facet_index.current(connection, None)
        for kind, facet in (("actors", "actor"), ("sources", "source")):
            key = f"{facet}_id"
            for moment in ({}, {"as_of": "#4"}, {"as_reported": "2025-04-15"}):
                rows = whole(connection, kind, None, **moment)
                assert rows == whole(connection, kind, index, **moment)
                for q in ("zel", "зеленський", "e"):
                    assert whole(connection, kind, None, q=q, **moment) == whole(
                        connection, kind, index, q=q, **moment
                    )
                counts = {row[key]: row["events"] for row in rows}
                assert len(counts) == len(rows)
                point = parse_as_of(connection, **moment)
                with tables_as_of(connection, point) as tables:
                    choices = Selection(tables).choices(facet).rows
                assert {row["value"]: row["count"] for row in choices} == {
                    value: events for value, events in counts.items() if events
                }
        for kind, table in (("actors", "event_actors"), ("sources", "citations")):
            key = f"{kind[:-1]}_id"
            merged = "AND merged_into IS NULL" if kind == "actors" else ""
            rows = connection.execute(
                f"SELECT {key}, (SELECT count(DISTINCT event_id) FROM {table} AS x JOIN events"
                f" USING (event_id) WHERE x.{key} = t.{key} AND state = 'current')"
                f" FROM {kind} AS t WHERE 1 {merged}"
            )
            listed = whole(connection, kind, None)
            assert dict(rows) == {row[key]: row["events"] for row in listed}


# --- Order and pages ----------------------------------------------------------------------


def test_those_with_most_events_are_first_or_the_list_is_by_name(site: Site) -> None:
    by_events = asked(site, "/actors.json")["actors"]
    assert by_events[0]["name"] == "Volodymyr Zelenskyy"
    counts = [row["events"] for row in by_events]
    assert counts == sorted(counts, reverse=True)
    names = walked(site, "/actors?order=name")
    assert names.index("Łódź City Council") + 1 == names.index("Ministry of Defence")
    assert names[-1] == "Владимир Путин"
    assert site.titles("/actors/az") == names[:100]


@pytest.mark.parametrize("path", ["/actors", "/actors?order=name", "/actors?q=witness"])
def test_pages_hold_every_actor_once(path: str, site: Site) -> None:
    witnesses = {f"Witness {number:03}" for number in range(120)}
    others = {name for name, _ in NAMES.values()} - {"Ministry of War"}
    titles = walked(site, path)
    assert len(titles) == len({*titles})
    assert {*titles} == (witnesses if "q=" in path else witnesses | others)


def test_an_append_between_two_pages_lists_nobody_twice(story: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with contextlib.closing(storage.connect(story)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with open_site(copy) as site:
        first = asked(site, "/actors.json?order=name")
        with Timeline.open(copy) as timeline:
            names = [Participant(name=name) for name in ("Aaron", "Witness 000", "Zeno")]
            timeline.record(Event(title="More", occurred="2025", participants=names))
        second = asked(site, f"/actors.json?order=name&after={quote(first['after'])}")
    names = [row["name"] for row in (*first["actors"], *second["actors"])]
    assert len(names) == len({*names})
    assert "Zeno" in names


# --- Search -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("zelensk", "Volodymyr Zelenskyy"),
        ("Зеленский", "Volodymyr Zelenskyy"),
        ("ZELENSKYY volodymyr", "Volodymyr Zelenskyy"),
        ("Putin", "Владимир Путин"),
        ("Vladimir Putin", "Владимир Путин"),
        ("lodz", "Łódź City Council"),
        ("ministry of war", "Ministry of Defence"),
        ('"Sons"', HOSTILE),
    ],
)
def test_an_actor_is_found_by_any_name_in_any_script(query: str, name: str, site: Site) -> None:
    assert found(site, "actors", query) == [name]


def test_a_source_is_found_by_title_and_publisher(site: Site) -> None:
    assert found(site, "sources", "report 3") == ["Report 3"]
    assert len(found(site, "sources", "afp")) == 7


def test_a_search_that_finds_nothing_says_so_and_leads_back(site: Site) -> None:
    page = site.page("/actors?q=nobody+of+that+name&order=name")
    assert "Nothing is found by these words." in page
    assert 'href="/actors?order=name"' in page


# --- What a row says ----------------------------------------------------------------------


def test_a_row_leads_to_the_page_and_to_the_events_whose_number_it_has(site: Site) -> None:
    for path in ("/actors", "/sources"):
        rows = re.findall(
            r'class="title" href="([^"]*)".*?<p class="count">(?:<a href="([^"]*)"[^>]*>)?(\d+) e',
            site.page(path),
            re.DOTALL,
        )
        assert len(rows) > 7
        for page, events, number in (*rows[:8], *rows[-2:]):
            assert site.ask(page).status_code == 200
            if events:
                shown = site.page(html.unescape(events))
                assert f"<strong>{number}</strong> of 239 events" in shown
            else:
                assert number == "0"


def test_a_row_says_who_and_what_it_is(site: Site) -> None:
    text = " ".join(html.unescape(re.sub("<[^>]+>", " ", site.page("/actors"))).split())
    assert "Volodymyr Zelenskyy President Ukraine also Зеленський 239 events" in text
    text = " ".join(html.unescape(re.sub("<[^>]+>", " ", site.page("/sources"))).split())
    assert f"{HOSTILE} text captured withdrawn It was invented 0 events" in text
    assert "Report 0 AFP 35 events" in text


def test_a_hostile_name_is_text(site: Site) -> None:
    for path in ("/actors?q=sons", "/sources?q=sons", "/sources?q=<script>"):
        page = site.page(path)
        assert "<script>alert" not in page
        assert html.escape(HOSTILE, quote=False).replace('"', "&#34;") in page


def test_a_list_of_the_past_has_the_events_of_then(site: Site, story: Path) -> None:
    with Timeline.open(story) as timeline:
        entry = timeline.get("event-009")["seq"]
    rows = asked(site, f"/actors.json?as_of=%23{entry}")["actors"]
    assert rows[0]["events"] == 240
    page = site.page(f"/actors?as_of=%23{entry}&order=name&q=minist")
    assert f"as it stood after entry {entry}" in page
    assert 'href="/actors?q=minist&amp;order=name"' in page
    assert f'href="/events?as_of=%23{entry}&amp;actor=ministry"' in page
    assert asked(site, "/actors.json?as_of=%230")["actors"] == []
    assert "There are none yet." in site.page("/sources?as_of=%230")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/actors?after=x", 'after: "x" is not a place in a list'),
        ("/sources?after=~", 'after: "~" is not a place in a list'),
        ("/actors?order=oldest", 'order: "oldest" is none of events, name'),
        ("/actors?qq=a", "qq: is not a filter: did you mean q?"),
        ("/sources?country=UKR", "country: is not a filter: known are q, order, after, as_of"),
        ("/actors?as_of=the+other+day", "as_of: "),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_one_line(
    path: str, problem: str, site: Site
) -> None:
    answer = site.ask(path)
    assert answer.status_code == 400
    assert problem in html.unescape(answer.text)
    answer = site.ask(path.replace("?", ".json?"))
    assert json.loads(answer.text)["error"].startswith(problem)


def test_every_page_leads_to_both_lists(site: Site) -> None:
    for path in ("/", "/changes", f"/actors/{actor_id_of('Witness 001')}"):
        assert {"/actors", "/sources"} <= {*site.links(path)}
    moment = "?as_of=%2320"
    assert {f"/actors{moment}", f"/sources{moment}"} <= {*site.links(f"/events{moment}")}
