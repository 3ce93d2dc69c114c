"""The pages of one tag, event type, country and month, and the lists that lead to them."""

from __future__ import annotations

import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import Operation, stories, told
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Event, Place, Timeline
from timeline.reading import facet_index
from timeline.reading.selection import Selection
from timeline.site.views import value_pages
from timeline.site.views.address import Address
from timeline.site.views.listing import listing_json, months_page
from timeline.store import storage

TAGS = ("harbour", "harbour talks", "a/b", "../..", "map", "az", "p", "停火", "<b>&amp;")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("values") / "values.db"
    with Timeline.create(path, title="Values", now=TickingClock()) as timeline:
        timeline.record(
            [
                Event(
                    event_id=f"event-{number:02}",
                    title=f"Event {number}",
                    occurred=("2025-04-15", "2025-04", "2025", "2025-03-30/2025-04-02")[number % 4],
                    event_type=("CONSULT", "AID")[number % 2],
                    tags=[TAGS[number % len(TAGS)], *(["every"] if number else [])],
                    place=Place(name="Odesa", country=("UKR", "ROU", "POL")[number % 3]),
                )
                for number in range(60)
            ]
        )
        timeline.retract("event-11", reason="It never was")
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


@pytest.fixture(scope="module")
def connection(story: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(story)) as opened:
        yield opened


def pages(connection: sqlite3.Connection) -> list[tuple[str, dict[str, str]]]:
    """Every page of a value, with the parameters of the list that it is."""
    found = [
        (value_pages.path_of(facet, value), {facet: value})
        for facet in ("tag", "type", "country")
        for value in value_pages.values(connection, facet)
    ]
    return [*found, ("/months/2025-04", {"since": "2025-04", "until": "2025-04"})]


def test_a_page_is_the_list_that_the_filter_chooses(
    site: Site, connection: sqlite3.Connection
) -> None:
    for path, asked in pages(connection):
        query = urlencode(asked)
        assert site.titles(path) == site.titles(f"/events?{query}"), path
        assert site.titles(path), path


def test_a_page_says_of_what_it_is_and_leads_to_all_of_them(site: Site) -> None:
    for path, heading, every in (
        ("/tags/harbour", "Tag: harbour", "/tags"),
        ("/types/AID", "Kind of event: Aid", "/types"),
        ("/countries/ROU", "Country: Romania", "/countries"),
        ("/months/2025-04", "April 2025", "/months"),
    ):
        page = site.page(path)
        assert re.findall("<h1.*?>(.*?)</h1>", page) == [heading]
        assert f"<title>{heading} - Values</title>" in page
        assert every in site.links(path)
        assert "/" in site.links(path)


def test_the_short_address_is_the_canonical_one_of_exactly_this_selection(
    site: Site, connection: sqlite3.Connection
) -> None:
    def canonical(path: str) -> str:
        (found,) = re.findall(
            '<link rel="canonical" href="http://localhost([^"]*)">', site.page(path)
        )
        return html.unescape(found)

    for path, asked in pages(connection):
        query = urlencode(asked)
        for same in (path, f"/events?{query}", f"{path}?as_of=%2330", f"/events?{query}&all=tag"):
            assert canonical(same) == path
        narrower = canonical(f"{path}?q=event&order=oldest")
        assert narrower.startswith("/events?")
        assert site.titles(narrower) == site.titles(f"{path}?q=event&order=oldest")
    assert canonical("/events?country=romania") == "/countries/ROU"
    for query in ("tag=every&tag=map", "tag!=map", "since=2025-04", "since=2025-03&until=2025-04"):
        assert canonical(f"/events?{query}").startswith("/events?")


def test_what_is_shared_of_a_page_is_its_selection(site: Site) -> None:
    page = html.unescape(site.page("/tags/harbour"))
    assert 'value="http://localhost/tags/harbour"' in page
    assert 'value="http://localhost/events?tag=harbour&as_of=%23' in page
    assert "http://localhost/embed?tag=harbour" in page
    for path in ("/tags/harbour", "/types/AID", "/countries/ROU", "/months/2025-04"):
        described = json.loads(site.page(f"/oembed?url={quote('http://localhost' + path)}"))
        (frame,) = re.findall('src="http://localhost(/embed[^"]*)"', described["html"])
        shown = site.titles(html.unescape(frame))
        assert shown == site.titles(path)[:20]


@pytest.mark.parametrize(
    "path", ["/tags/nothing", "/types/NONE", "/countries/XXX", "/months/2025-13"]
)
def test_an_unknown_value_has_no_page(path: str, site: Site) -> None:
    assert site.ask(path).status_code == 404


def test_a_page_can_be_narrowed_and_looked_at_in_the_past(site: Site, story: Path) -> None:
    assert len(site.titles("/tags/every?country=ROU")) < len(site.titles("/tags/every"))
    with Timeline.open(story) as timeline:
        entry = timeline.get("event-11", version=1)["seq"]
    assert "Event 11" in site.titles(f"/types/AID?as_of=%23{entry}")
    assert "Event 11" not in site.titles("/types/AID")


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True))
def test_every_tag_has_a_path_and_the_path_leads_to_the_tag(tags: list[str]) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE event_tags (event_id TEXT, tag TEXT)")
        said = [tag for tag in tags if tag.isprintable()]
        connection.executemany("INSERT INTO event_tags VALUES ('e', ?)", ((tag,) for tag in said))
        assert value_pages.values(connection, "tag") == sorted(said, key=str.encode)
        for tag in said:
            path = value_pages.path_of("tag", tag)
            assert re.fullmatch("/tags/[a-z0-9-]+", path)
            found = value_pages.tags_of(connection, path.removeprefix("/tags/"))
            assert tag in found
            assert {value_pages.path_of("tag", each) for each in found} == {path}


# --- Lists --------------------------------------------------------------------------------


def test_a_list_has_every_value_with_the_number_of_events_on_its_page(site: Site) -> None:
    for path in ("/tags", "/types", "/countries", "/months"):
        rows = re.findall(
            r'href="(/\w+/[^"]+)"[^>]*>[^<]*(?:<span class="sr">[^<]*</span>)?</a>.*?'
            r'<(?:p|span) class="count">(\d+)',
            site.page(path),
            re.DOTALL,
        )
        assert rows, path
        for page, number in rows:
            assert f"<strong>{number}</strong> of 59 events" in site.page(page), page
    assert {
        row["country"]: row["events"] for row in asked(site, "/countries.json")["countries"]
    } == {
        "UKR": 20,
        "ROU": 20,
        "POL": 19,
    }
    assert [row["tag"] for row in asked(site, "/tags.json?q=HARB&order=name")["tags"]] == [
        *("harbour", "harbour talks"),
    ]
    assert asked(site, "/types.json?q=aid")["types"][0] == {
        "type": "AID",
        "label": "Aid",
        "events": 29,
    }


def asked(site: Site, path: str) -> Any:
    return json.loads(site.page(path))


@settings(max_examples=12)
@given(stories)
def test_counts_of_lists_and_months_are_those_of_the_filters(
    story: list[list[Operation]],
) -> None:
    with told(story) as connection:
        for index in (None, facet_index.current(connection, None)):
            for kind, facet in (
                ("tags", "tag"),
                ("types", "event_type"),
                ("countries", "country"),
            ):
                listed = listing_json(connection, kind, Address(), index)[kind]
                name = {"event_type": "type"}.get(facet, facet)
                for row in listed:
                    assert row["events"] == Selection(connection, {facet: row[name]}).count()
                choices = Selection(connection).choices(facet).rows
                assert [row[name] for row in listed] == [row["value"] for row in choices]
            months = [
                month
                for _, months in months_page(connection, Address(), index)["years"]
                for month in months
            ]
            within = connection.execute(
                "SELECT DISTINCT month FROM current_events WHERE month > ''"
            )
            assert {f"/months/{month}" for (month,) in within} == {each.path for each in months}
            for month in months:
                name = month.path.rpartition("/")[2]
                period = {"since": name, "until": name}
                assert month.events == Selection(connection, period).count()


def test_lists_of_the_past_have_what_there_was(site: Site, story: Path) -> None:
    with Timeline.open(story) as timeline:
        entry = timeline.get("event-00")["seq"]
    assert asked(site, f"/tags.json?as_of=%23{entry - 1}")["tags"] == []
    assert "There are none yet." in site.page(f"/months?as_of=%23{entry - 1}")
    assert "There are none yet." in site.page(f"/countries?as_of=%23{entry - 1}")


def test_the_list_of_events_leads_to_all_lists(site: Site) -> None:
    every = {f"/{name}" for name in ("actors", "sources", "tags", "types", "countries", "months")}
    assert every <= {*site.links("/")}
