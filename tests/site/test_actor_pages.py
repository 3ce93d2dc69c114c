"""The pages of actors, in a real Datasette: their events, offices and company, now and then."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from site_in_process import Site, open_site

from timeline import Timeline, demo
from timeline.model.content import Said
from timeline.model.names import actor_id_of
from timeline.reading import past_tables

ZELENSKYY, RUTTE = actor_id_of("Volodymyr Zelenskyy"), actor_id_of("Mark Rutte")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("actors") / "odesa.db"
    demo.build(path)
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.record_actor(
            {
                "actor_id": ZELENSKYY,
                "name": "Volodymyr Zelenskyy",
                "aliases": ["Zelensky"],
                "country": "UKR",
                "wikidata": "Q3874799",
            }
        )
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


def text_of(page: str) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def asked(site: Site, path: str) -> Any:
    return json.loads(site.page(path))


def test_a_page_has_what_is_known_and_every_event(site: Site, story: Path) -> None:
    page = site.page(f"/actors/{ZELENSKYY}")
    with Timeline.open(story) as timeline:
        expected = [row["title"] for row in timeline.list(actor=ZELENSKYY)]
    assert sorted(site.titles(f"/actors/{ZELENSKYY}")) == sorted(expected)
    for words in ("Also Zelensky", "Country Ukraine", "Wikidata Q3874799", "4 events"):
        assert words in text_of(page)
    assert 'href="https://www.wikidata.org/wiki/Q3874799"' in page
    assert 'recipient - President of Ukraine, named "President Volodymyr Zelenskyy"' in text_of(
        page
    )
    assert f'href="/events?actor={ZELENSKYY}"' in page
    assert f"_facet_m2m=actors&amp;_actor={ZELENSKYY}" in page


def test_what_a_page_leads_to_is_there(site: Site) -> None:
    for link in site.links(f"/actors/{ZELENSKYY}"):
        if link.startswith("/"):
            assert site.ask(link).status_code == 200, link


def test_json_says_the_same(site: Site) -> None:
    found = asked(site, f"/actors/{RUTTE}.json")
    assert (found["name"], found["events"], found["seq"]) == ("Mark Rutte", 4, None)
    assert found["offices"] == [
        {
            "office": "Secretary General of NATO",
            "organisation": "NATO",
            "first": "2025-04-15",
            "last": "2025-04-15",
            "events": 4,
        }
    ]
    assert found["companions"][0] == {
        "actor_id": ZELENSKYY,
        "name": "Volodymyr Zelenskyy",
        "events": 3,
    }
    assert len(found["participations"]) == 4
    assert {part["role"] for row in found["participations"] for part in row["parts"]} == {"actor"}
    assert found["after"] is None
    missing = site.ask("/actors/nobody-here.json")
    assert (missing.status_code, json.loads(missing.text)) == (
        404,
        {"error": 'no actor "nobody-here"'},
    )


def test_as_known_on_a_day_the_office_is_that_of_then_and_names_are_todays(site: Site) -> None:
    then = text_of(site.page(f"/actors/{RUTTE}?as_of=2025-04-15"))
    assert "Prime Minister of the Netherlands by 15 April 2025" in then
    assert (
        "You are seeing this page as it stood on 15 April 2025. Names and merges of actors" in then
    )
    assert "Secretary General" not in then
    now = text_of(site.page(f"/actors/{RUTTE}"))
    assert "Prime Minister of the Netherlands" not in now
    assert "always today's" not in now
    links = site.links(f"/actors/{RUTTE}?as_of=2025-04-15")
    assert f"/actors/{ZELENSKYY}?as_of=2025-04-15" in links
    assert f"/events?as_of=2025-04-15&actor={RUTTE}" in links
    assert "No event names this actor at that time" in site.page(
        f"/actors/{RUTTE}?as_of=2025-03-12"
    )


def test_a_bar_of_the_axis_leads_to_the_events_of_the_actor(site: Site) -> None:
    query = "?as_of=2025-04-16"
    bars = [link for link in site.links(f"/actors/{RUTTE}{query}") if "since=" in link]
    assert bars
    for link in bars:
        assert "as_of=2025-04-16" in link
        assert {*site.titles(link)} <= {*site.titles(f"/actors/{RUTTE}{query}")}


def test_an_address_that_asks_in_vain_is_told(site: Site) -> None:
    assert site.ask("/actors/nobody-here").status_code == 404
    assert site.ask(f"/actors/{RUTTE}?as_of=tomorrow").status_code == 400
    assert site.ask(f"/actors/{RUTTE}?after=nowhere").status_code == 400


def test_participants_and_the_facet_lead_to_actors(site: Site) -> None:
    assert f"/actors/{RUTTE}" in site.links("/events/rutte-odesa-visit")
    assert f"/actors/{RUTTE}?as_of=2025-04-16" in site.links(
        "/events/rutte-odesa-visit?as_of=2025-04-16"
    )
    assert f"/actors/{RUTTE}" in site.links("/events/rutte-odesa-visit/1")
    assert f"/actors/{RUTTE}" in site.links("/events")


@pytest.fixture
def path(tmp_path: Path, timeline: Timeline) -> Path:
    """Three spellings and a namesake with an id."""
    timeline.record(
        {
            "event_id": event_id,
            "title": event_id.title(),
            "occurred": occurred,
            "participants": [who, {"name": "Press"}],
        }
        for event_id, occurred, who in (
            ("first", "2019-05", {"name": "V. Zelensky", "office": "President-elect"}),
            ("second", "2019-06", {"name": "Zelensky", "office": "President"}),
            ("third", "2025", {"name": "Volodymyr Zelenskyy", "office": "President"}),
            ("other", "2025", {"name": "Zelensky", "actor_id": "another"}),
        )
    )
    with timeline.append() as append:
        for name in ("Volodymyr Zelenskyy", "V. Zelensky"):
            append.record_actor({"actor_id": actor_id_of(name), "name": name})
        append.update_actor(ZELENSKYY, {"aliases.-": "Zelensky"})
        append.merge_actor(actor_id_of("V. Zelensky"), ZELENSKYY, Said(reason="One man"))
    return timeline.path


def test_a_merge_is_told_on_both_pages(path: Path) -> None:
    merged = f"/actors/{actor_id_of('V. Zelensky')}"
    with open_site(path) as site:
        page = site.page(merged)
        assert f'href="/actors/{ZELENSKYY}"' in page
        assert "merged into another one: Volodymyr Zelenskyy . One man" in text_of(page)
        assert site.titles(merged) == []
        assert asked(site, f"{merged}.json")["merged_into"] == ZELENSKYY
        page = site.page(f"/actors/{ZELENSKYY}")
        assert f'href="{merged}"' in page
        assert site.titles(f"/actors/{ZELENSKYY}") == ["Third", "Second", "First"]
        assert "First event First , May 2019 Last event Third , 2025" in text_of(page)


def test_names_as_written_stay_and_namesakes_apart(path: Path) -> None:
    with open_site(path) as site:
        words = text_of(site.page(f"/actors/{ZELENSKYY}"))
        assert "actor - President - written as Zelensky" in words
        assert "President June 2019 to 2025 2 events" in words
        assert "President-elect May 2019 1 event" in words
        assert site.titles("/actors/another") == ["Other"]
        page = site.page("/events/second")
        assert f'<a href="/actors/{ZELENSKYY}" aria-label="About Zelensky">' in page
        assert "(listed as Volodymyr Zelenskyy)" in page


def test_the_address_of_a_name_leads_to_whose_name_it_became(path: Path) -> None:
    with open_site(path) as site:
        page = site.page(f"/actors/{actor_id_of('Zelensky')}")
        assert "<h1>Volodymyr Zelenskyy</h1>" in page
        assert f'<link rel="canonical" href="http://localhost/actors/{ZELENSKYY}">' in page


def test_an_actor_without_events_has_a_page(path: Path) -> None:
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.record_actor({"actor_id": "nobody", "name": "Nobody yet"})
    with open_site(path) as site:
        assert "No event names this actor." in text_of(site.page("/actors/nobody"))


MOMENTS = (
    *("", "as_of=%230", "as_of=%234", "as_of=%2312", "as_of=%2340", "as_of=2025-04-15"),
    *("as_reported=2025-04-13", "as_reported=2025-04-15T12:00", "as_reported=2025-04-16"),
    *("as_of=%2340&as_reported=2025-04-15", "as_reported=2019-01-01", "as_reported=%239"),
    *("as_reported=2997-01-01", "as_reported=2998-01-01", "as_reported=2998-01-02"),
)


def test_the_index_says_of_an_actor_what_the_tables_say_at_any_moment(
    story: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Timeline.open(path) as timeline:
        timeline.update(
            "second", {"participants.0.office": "Head of state"}, reported_at="2998-01-01"
        )
        timeline.update("other", {"participants": None})
        timeline.retract("third", reason="no", reported_at="2998-01-02")
        timeline.reinstate("third", reported_at="2998-01-03")
    actors = [
        *((story, each) for each in (ZELENSKYY, RUTTE, actor_id_of("NATO"), "nobody-here")),
        *((path, each) for each in (ZELENSKYY, actor_id_of("V. Zelensky"), "another")),
        *((path, actor_id_of(name)) for name in ("Zelensky", "Press", "Nobody")),
    ]
    asked = [
        (file, f"/actors/{actor_id}{suffix}?{moment}")
        for file, actor_id in actors
        for suffix in ("", ".json")
        for moment in MOMENTS
    ]
    answers = []
    for smallest in (5_000, 1):  # by the tables, by the index
        monkeypatch.setattr("timeline.site.index_cache.SMALLEST", smallest)
        with open_site(story) as one, open_site(path) as other:
            sites = {story: one, path: other}
            answers.append({each: sites[each[0]].ask(each[1]).text for each in asked})
    by_tables, by_index = answers
    assert {key: text for key, text in by_index.items() if text != by_tables[key]} == {}
    assert "Head of state" in by_tables[path, f"/actors/{ZELENSKYY}?"]
    assert "Another" not in by_tables[path, "/actors/another?"]


def test_a_page_of_the_past_makes_tables_of_its_own_events_only(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", 1)
    made: list[object] = []
    whole = past_tables._contents_as_of
    monkeypatch.setattr(past_tables, "_contents_as_of", lambda *of: made.append(of) or whole(*of))
    with open_site(story) as site:
        for moment in MOMENTS:
            for page in (f"/actors/{ZELENSKYY}", f"/actors/{ZELENSKYY}.json", "/events"):
                assert site.ask(f"{page}?{moment}").status_code == 200
    assert made == []


def test_many_events_come_in_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Timeline.open(path) as timeline:
        timeline.record(
            {
                "event_id": f"e-{number:03}",
                "title": f"E {number}",
                "occurred": f"2024-{number % 12 + 1:02}" if number % 5 else "before 2024",
                "participants": [{"name": "Press"}, {"name": f"Somebody {number}"}],
            }
            for number in range(120)
        )
    press = f"/actors/{actor_id_of('Press')}"
    for smallest in (5_000, 0):  # by the tables, by the index
        monkeypatch.setattr("timeline.site.index_cache.SMALLEST", smallest)
        with open_site(path) as site:
            for order in ("", "?order=oldest"):
                address, seen = press + order, []
                while address:
                    seen += site.titles(address)
                    following = re.search(r'href="([^"]*)" rel="next"', site.page(address))
                    address = html.unescape(following[1]) if following else ""
                assert len(seen) == len({*seen}) == 124
            assert "And 102 more" in site.page(press)
            after, events = "", []
            while after is not None:
                found = asked(site, f"{press}.json?after={after}")
                events += [row["event_id"] for row in found["participations"]]
                after = found["after"]
            assert len(events) == len({*events}) == 124
