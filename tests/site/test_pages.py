"""The pages of a timeline, in a real Datasette in this process: what they show and where they lead.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import feedparser
import pytest
from datasette.app import Datasette
from site_in_process import FILES, Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.model.names import actor_id_of
from timeline.reading import selection
from timeline.site.views.address import Address

RUTTE = f"/actors/{actor_id_of('Mark Rutte')}"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "odesa.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


@pytest.fixture
def told(story: Path) -> Iterator[Timeline]:
    with Timeline.open(story) as timeline:
        yield timeline


def test_the_root_and_events_show_the_same(site: Site, told: Timeline) -> None:
    shown = site.titles("/")
    assert shown == site.titles("/events")
    assert sorted(shown) == sorted(row["title"] for row in told.list())
    text = site.page("/")
    assert "<strong>19</strong> events" in text
    assert "3 corrected, kept here since <bdi>11 March 2025</bdi>" in text
    assert '<html lang="en" ' in text
    assert "Demonstration: recording times are staged" in text


def test_events_come_newest_first_or_oldest_first(site: Site, told: Timeline) -> None:
    oldest = [row["title"] for row in told.list()]
    assert site.titles("/events?order=oldest") != site.titles("/events")
    assert {*site.titles("/events?order=oldest")} == {*oldest}
    assert site.titles("/events?order=oldest")[0] == oldest[0]


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("type=ASSAULT", {"event_type": "ASSAULT"}),
        ("type=ASSAULT&type=AGREE", {"event_type": ["ASSAULT", "AGREE"]}),
        ("country=UKR&verification=disputed", {"country": "UKR", "verification": "disputed"}),
        ("since=2025-03-20&until=2025-03-30", {"since": "2025-03-20", "until": "2025-03-30"}),
        ("state=retracted", {"state": "retracted"}),
        ("actor=Mark+Rutte", {"actor": "Mark Rutte"}),
        ("tag=ceasefire&precision=day", {"tag": "ceasefire", "precision": "day"}),
        ("utm_source=letter", {}),
    ],
)
def test_an_address_is_a_selection(
    query: str, filters: dict[str, Any], site: Site, told: Timeline
) -> None:
    with told._tables(None, None) as tables:
        expected = [row["title"] for row in selection.Selection(tables, filters).page().rows]
    assert sorted(site.titles(f"/events?{query}")) == sorted(expected)


VALUE = re.compile(
    r'<li[^>]*><label class="yes"><input type="checkbox" name="(\w+)" value="([^"]*)"( checked)?>'
    r'.*?name="\w+!" value="[^"]*"[^>]*?( checked)?>.*?<span class="count">([\d,]+)</span></li>',
    re.DOTALL,
)
"""A value in the panel: facet, value, whether it is chosen, whether it is excluded, count."""


def test_a_count_is_the_number_of_events_on_the_page_that_the_choice_leads_to(site: Site) -> None:
    for query in (
        "country=UKR",
        "type=CONSULT&actor!=" + actor_id_of("Ukraine"),
        f"actor={actor_id_of('Ukraine')}&actor={actor_id_of('Mark Rutte')}&actor_match=all",
        "tag!=nothing&verification!=corroborated",
    ):
        address = Address.of(parse_qsl(query))
        values = VALUE.findall(site.page(f"/events?{query}&all=actor"))
        assert len(values) > 10
        for name, value, is_chosen, is_excluded, count in values:
            value = html.unescape(value)
            rest = tuple(
                each
                for each in address.chosen
                if each != (f"{name}!", value)
                and (each[0] != name or getattr(address, f"{name}_match", "") == "all")
            )
            asked = address._replace(chosen=(*rest, (name, value)))
            found = site.titles(f"/events{asked.query()}")
            assert len(found) == int(count), (query, name, value)
            assert bool(is_chosen) == ((name, value) in address.chosen)
            assert bool(is_excluded) == ((f"{name}!", value) in address.chosen)


def test_what_is_chosen_or_excluded_never_vanishes(site: Site) -> None:
    values = VALUE.findall(
        site.page("/events?type=SANCTION&country=UKR&country=FRA&country!=RUS&tag!=none&q=nothing")
    )
    found = {(name, value): (yes.strip(), no.strip(), n) for name, value, yes, no, n in values}
    assert found == {
        ("type", "SANCTION"): ("checked", "", "0"),
        ("country", "UKR"): ("checked", "", "0"),
        ("country", "FRA"): ("checked", "", "0"),
        ("country", "RUS"): ("", "checked", "0"),
        ("tag", "none"): ("", "checked", "0"),
    }


@pytest.mark.parametrize(
    "query",
    [
        f"actor!={actor_id_of('Ukraine')}",
        "type!=CONSULT&type!=Agreement&as_of=2025-04-15",
        f"actor={actor_id_of('Ukraine')}&actor={actor_id_of('Mark Rutte')}&actor_match=all",
        "measure=killed&at_least=30",
        "measure=killed&at_most=30&as_reported=2025-04-14",
        "country=UKR&country!=UKR",
    ],
)
def test_a_file_and_a_feed_have_the_events_of_the_page_at_the_same_address(
    query: str, site: Site
) -> None:
    titles = sorted(site.titles(f"/events?{query}"))
    assert 0 < len(titles) < 19
    exported = json.loads(site.page(f"/events.json?{query}"))
    assert sorted(event["title"] for event in exported["events"]) == titles
    feed = feedparser.parse(site.page(f"/events.atom?{query}"))
    assert sorted(entry["title"] for entry in feed["entries"]) == titles


def test_a_range_or_a_match_that_cannot_be_read_is_named_in_one_line(site: Site) -> None:
    for query, problem in (
        ("at_least=5", "at_least: needs a measure beside it, such as killed"),
        ("measure=killed&at_most=few", "at_most: &#34;few&#34; is not a number"),
        ("actor_match=none", "actor_match: &#34;none&#34; is none of any, all"),
        ("country!=Ukrain", "not_country: "),
        ("place!=Odesa", "place!: is not a filter"),
        ("country_match=all", "country_match: is not a filter"),
    ):
        answer = site.ask(f"/events?{query}")
        assert answer.status_code == 400
        said = answer.text.partition('role="alert" dir="auto"><bdi lang="en">')[2]
        assert said.startswith(problem)
        refused = site.ask(f"/events.json?{query}")
        assert refused.status_code == 400
        assert json.loads(refused.text)["error"] == html.unescape(said.partition("</bdi>")[0])


def test_values_are_found_by_a_text_and_ordered_by_name(site: Site) -> None:
    def actors(query: str) -> list[str]:
        text = site.page(f"/events?{query}").partition('id="values-actor"')[2].partition("</ul>")[0]
        return [html.unescape(label) for label in re.findall(r'class="label"[^>]*>(.*?)<', text)]

    assert actors("find_actor=UKR") == ["Ukraine", "Wounded Ukrainian service members"]
    assert actors("find_actor=nobody") == []
    some, every = actors("values=name"), actors("values=name&all=actor")
    assert every == sorted(every, key=str.casefold)
    assert some == every[:8]
    assert sorted(actors("all=actor")) == sorted(every)
    assert "Ukraine" in actors(f"find_actor=rutte&actor={actor_id_of('Ukraine')}")


def test_a_facet_with_very_many_values_shows_the_most_frequent_and_counts_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(text: str) -> int:
        facet = text.partition('id="facet-actor"')[2].partition("</details>")[0]
        return facet.count("<li")

    every = shown(site.page("/events?all=actor"))
    assert f'aria-label="All {every} of Who"' in site.page("/events")
    monkeypatch.setattr("timeline.site.views.panel._MOST", 12)
    assert 'aria-label="The first 12 of Who"' in site.page("/events")
    text = site.page("/events?all=actor")
    assert shown(text) == 12
    assert f"And {every - 12} more" in text


def test_a_value_may_be_written_in_any_way(site: Site) -> None:
    written = site.page("/events?country=ua&type=Consultation")
    stored = site.page("/events?country=UKR&type=CONSULT")
    assert (
        written.replace("country=ua&amp;type=Consultation", "country=UKR&amp;type=CONSULT")
        == stored
    )
    chosen = {value[:2] for value in VALUE.findall(stored) if value[2]}
    assert chosen == {("country", "UKR"), ("type", "CONSULT")}


def test_as_known_on_a_day_the_page_is_that_of_then(site: Site, told: Timeline) -> None:
    for moment in ("2025-04-13", "#40", "2025-04-16T12:00"):
        query = moment.replace("#", "%23").replace(":", "%3A")
        expected = [row["title"] for row in told.list(as_of=moment)]
        assert sorted(site.titles(f"/events?as_of={query}")) == sorted(expected)
    expected = [row["title"] for row in told.list(as_reported="2025-04-14")]
    assert sorted(site.titles("/events?as_reported=2025-04-14")) == sorted(expected)


def test_who_looks_at_the_past_stays_there(site: Site) -> None:
    links = site.links("/events/rutte-odesa-visit?as_of=2025-04-16")
    there = [link for link in links if link.endswith("as_of=2025-04-16")]
    assert "/?as_of=2025-04-16" in there
    assert any(link.startswith("/events/") for link in there)


def test_a_day_before_the_log_was_opened_says_so_and_offers_the_other_clock(site: Site) -> None:
    text = site.page("/events?as_of=2025-01-01")
    assert "This timeline was opened on <bdi>11 March 2025</bdi>" in text
    assert "/events?as_reported=2025-01-01" in text
    assert site.titles("/events?as_of=2025-01-01") == []


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/events?since=nonsense", 400, "since: &#34;nonsense&#34; is not a date"),
        ("/events?as_of=tomorrow", 400, "as_of: "),
        ("/events?type=NOTHING", 400, "is not an event type of this log"),
        ("/events?after=nowhere", 400, "is not a place in a list"),
        ("/events?as_of=%239999", 404, "the newest is #63"),
        ("/events/not-there", 404, "no event &#34;not-there&#34;"),
        ("/events/sumy-strike/99", 404, "no event &#34;sumy-strike@99&#34;"),
        ("/changes?from=nonsense", 400, "nonsense"),
        ("/events?contry=UKR", 400, "contry: is not a filter: did you mean country?"),
        ("/events.csv?contry=UKR", 400, "contry: is not a filter: did you mean country?"),
        ("/events.json?nothing-like-it=1", 400, "is not a filter: known are type, actor"),
        ("/nothing", 404, "no page &#34;/nothing&#34;"),
        ("/nothing/at/all.html", 404, "no page &#34;/nothing/at/all.html&#34;"),
        ("/events/NOT-AN-ID", 404, "no page"),
        ("/odesa/nothing", 404, "no page"),
        ("/-/nothing", 404, "no page"),
        ("/nothing.json", 404, '"error": "no page'),
    ],
)
def test_what_is_asked_in_vain_is_a_page_that_says_so(
    path: str, status: int, problem: str, site: Site
) -> None:
    answer = site.ask(path)
    assert (answer.status_code, problem in answer.text) == (status, True), answer.text
    assert "Traceback" not in answer.text


def test_a_filter_that_cannot_be_read_keeps_the_page_and_the_other_filters(site: Site) -> None:
    kept = site.titles("/events?country=UKR")
    for wrong in (
        "since=nonsense",
        "type=NOTHING",
        "contry=UKR",
        "as_of=tomorrow",
        "until=x&since=y",
    ):
        answer = site.ask(f"/events?country=UKR&{wrong}")
        assert answer.status_code == 400
        assert all(title in html.unescape(answer.text) for title in kept), wrong
        assert 'role="alert"' in answer.text
    text = site.ask("/events?since=nonsense").text
    assert re.search(
        r'<input id="since"[^>]*value="nonsense"[^>]*aria-describedby="wrong-since"', text
    )
    assert 'id="wrong-since"' in text
    assert 'id="wrong-until"' not in text


def test_figures_are_a_file_of_their_own(site: Site) -> None:
    rows = [*csv.DictReader(io.StringIO(site.page("/figures.csv?type=ASSAULT"), newline=""))]
    assert {row["measure"] for row in rows} >= {"killed", "injured"}
    assert "/figures.csv?type=ASSAULT" in site.links("/events?type=ASSAULT")


def test_codes_and_words_have_the_same_names_in_every_file(site: Site) -> None:
    names = ("event_type", "event_type_label", "country_code", "country_name")
    rows = csv.DictReader(io.StringIO(site.page("/events.csv?type=ASSAULT"), newline=""))
    features = json.loads(site.page("/events.geojson?type=ASSAULT"))["features"]
    found = [
        {tuple(row[name] for name in names) for row in rows},
        {tuple(each[name] for name in names) for each in events_of(site, "type=ASSAULT")},
        {tuple(each["properties"][name] for name in names) for each in features},
    ]
    assert found == [{("ASSAULT", "Assault", "UKR", "Ukraine")}] * 3


def events_of(site: Site, query: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(site.page(f"/events.json?{query}"))["events"]
    return found


def test_the_marks_of_trackers_are_passed_over(site: Site) -> None:
    marks = "utm_source=x&utm_medium=y&fbclid=1&gclid=2&_trace=1"
    assert site.titles(f"/events?country=UKR&{marks}") == site.titles("/events?country=UKR")
    assert site.ask(f"/events.csv?{marks}").status_code == 200


def test_an_event_has_a_page_for_itself_and_for_each_version(site: Site, told: Timeline) -> None:
    for row in told.list(state="all"):
        event_id = row["event_id"]
        page = site.page(f"/events/{event_id}")
        assert html.escape(row["title"], quote=True).replace("&#x27;", "&#39;") in page
        for version in told.history(event_id):
            number = version["version"]
            text = site.page(f"/events/{event_id}/{number}")
            assert f"Version {number}</a>" in text
            stood = json.loads(site.page(f"/events/{event_id}/{number}.json"))
            assert stood == {**told.get(event_id, version=number), "witnessed": []}
    assert "This is version 2 of 5" in site.page("/events/sumy-strike/2")


def test_many_versions_and_relations_of_an_event_come_in_parts(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.site.routes.VERSIONS", 5)
    monkeypatch.setattr("timeline.site.views.event._MOST_TIES", 3)
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025"})
    for number in range(2, 13):
        timeline.update("talks", {"summary": f"Version {number}"})
    timeline.retract("talks", reason="There were none")
    relations = [{"type": "part_of", "event_id": "talks"}]
    timeline.record(
        {"event_id": f"day-{n}", "title": f"Day {n}", "occurred": "2025", "relations": relations}
        for n in range(5)
    )
    with open_site(path) as site:
        for first in ("/events/talks", "/events/talks/3", "/events/talks?as_of=%2312"):
            address, seen = first, []
            while address:
                text = site.page(address)
                assert "Updated 11 times, retracted once" in text
                assert "It has 13 <" in text
                numbers = [int(number) for number in re.findall(r">Version (\d+)</a>", text)]
                assert len(numbers) <= 5
                seen += numbers
                following = re.findall(r'rel="next" href="([^"#]*)#versions"', text)
                address = html.unescape(following[0]) if following else ""
                assert not address or address.startswith(first)
            assert seen == [*range(13, 0, -1)]
        text = site.page("/events/talks?before=5")
        assert "There were none" in text
        assert text.count("is part of this event") == 3
        assert "And 2 more events relate to this one" in text
        assert site.ask("/events/talks?before=x").status_code == 400


def test_competing_figures_stand_side_by_side(site: Site) -> None:
    text = site.page("/events/sumy-strike")
    rows = re.findall(r"<tr [^>]*>.*?</tr>", text, re.DOTALL)
    killed = [row for row in rows if "Sumy regional prosecutor" in row or "Acting mayor" in row]
    assert len(killed) == 2
    listed = site.page("/events?type=ASSAULT")
    assert "<bdi>36</bdi></strong>" in listed
    assert "<bdi>5 figures, 20 to 60</bdi>" in listed


def test_a_retracted_and_a_merged_event_say_so_and_why(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        for name in ("one", "two", "three"):
            timeline.record({"event_id": name, "title": name.title(), "occurred": "2025"})
        timeline.retract("one", reason="It was a rumour")
        timeline.merge("two", "three", reason="The same")
    with open_site(path) as site:
        retracted, merged = site.page("/events/one"), site.page("/events/two")
        assert "This event was retracted." in retracted
        assert "It was a rumour" in retracted
        assert '<a href="/events/three">Three</a>' in merged
        assert site.titles("/") == ["Three"]


def test_changes_are_a_stream_a_feed_and_a_comparison(site: Site, told: Timeline) -> None:
    rows = json.loads(site.page("/changes.json"))["changes"]
    assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
    feed = feedparser.parse(site.page("/changes.atom"))
    assert not feed.bozo
    assert len(feed.entries) == len(rows) > 10
    assert len({entry.id for entry in feed.entries}) == len(rows)
    only = json.loads(site.page("/changes.json?kind=corrected"))["changes"]
    assert {row["kind"] for row in only} == {"event.corrected"}
    compared = json.loads(site.page("/changes.json?from=2025-04-14&to=2025-04-16"))["compared"]
    expected = told.changes("2025-04-14", "2025-04-16")
    assert [row["event_id"] for row in compared] == [row["event_id"] for row in expected]
    assert "Compare two days" in site.page("/changes?from=2025-04-14")


@pytest.mark.parametrize("smallest", [1, 5_000], ids=["from the index", "from the tables"])
def test_a_comparison_comes_in_pages_with_links_and_in_json(
    smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", smallest)
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", now=TickingClock()) as timeline:
        timeline.record(
            {
                "event_id": f"e-{n:03d}",
                "title": f"E {n}",
                "occurred": "2025" if n % 3 else "../2024",
            }
            for n in range(120)
        )
        timeline.correct({f"e-{n:03d}": {"title": f"F {n}"} for n in range(120)}, reason="r")
        expected = [row["event_id"] for row in timeline.changes("#0")]
    with open_site(path) as site:
        for clock in ("", "reported"):
            address, seen = f"/changes?from=%230&clock={clock}", []
            while address:
                text = site.page(address).partition('id="stream"')[0]
                seen += re.findall(r'<li><a href="/events/([^"/]*)"', text)
                following = re.findall(r'rel="next" href="([^"]*)"', text)
                address = html.unescape(following[0]) if following else ""
            assert seen == expected
        after, seen = "", []
        while after is not None:
            found = json.loads(site.page(f"/changes.json?from=%230&after={after}"))
            assert len(found["compared"]) <= 50
            seen += [row["event_id"] for row in found["compared"]]
            after = found["after"]
        assert seen == expected
        assert json.loads(site.page("/changes.json"))["after"] is None
        answer = site.ask("/changes?from=%230&after=nowhere")
        assert answer.status_code == 400
        assert "after: &#34;nowhere&#34; is not a place in a list" in answer.text


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "query", ["", "?type=ASSAULT&type=AGREE", "?as_of=2025-04-13", "?as_reported=2025-04-14"]
)
def test_a_selection_is_offered_in_every_format(file: str, query: str, site: Site) -> None:
    answer = site.ask(f"/{file}{query}")
    assert answer.status_code == 200
    assert answer.text.strip()
    assert f"/{file}" in "".join(site.links(f"/events{query}"))
    if file == "events.json":
        found = json.loads(answer.text)
        assert [event["title"] for event in found["events"]]
        assert found["next"] is None


def test_json_comes_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {"event_id": f"e-{n:03d}", "title": f"E {n}", "occurred": f"2025-01-{n % 9 + 1:02d}"}
            for n in range(25)
        )
    monkeypatch.setattr("timeline.site.views.feeds.JSON_SIZE", 10)
    with open_site(path) as site:
        address, seen = "/events.json", []
        while address:
            found = json.loads(site.page(address))
            seen += [event["event_id"] for event in found["events"]]
            address = (found["next"] or "").partition("http://localhost")[2]
        assert len(seen) == len({*seen}) == 25


def test_pages_of_a_list_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {
                "event_id": f"e-{n:03d}",
                "title": f"E {n}",
                "occurred": "2025" if n % 3 else "../2024",
            }
            for n in range(120)
        )
    with open_site(path) as site:
        address, seen = "/events", []
        while address:
            seen += site.titles(address)
            following = re.search(r'<a href="([^"]*)" rel="next"', site.page(address))
            address = html.unescape(following[1]) if following else ""
        assert len(seen) == len({*seen}) == 120


def test_an_append_shows_at_the_next_request(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline, open_site(path) as site:
        assert "There are no events yet" in site.page("/")
        assert "timeline append" in site.page("/")
        timeline.record({"title": "Now there is one", "occurred": "2025"})
        assert site.titles("/") == ["Now there is one"]


def test_a_large_timeline_is_answered_from_the_index_and_says_the_same(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_site(story) as by_tables:
        expected = {
            path: by_tables.page(path)
            for path in (
                *("/", "/?type=AGREE&q=black", "/?tag=nato", "/?as_of=%231", "/?as_of=2020-01-01"),
                *("/?as_of=%2316&q=odesa", "/?as_of=%2317&type=aid&order=oldest&all=actor"),
                *("/events.csv?as_of=%2316", "/events.json?as_of=%2317", "/events.atom"),
                *("/?as_reported=2025-04-14", "/?as_reported=2025-04-15T12:00&q=odesa"),
                *("/?as_reported=2025-04-16&as_of=%2317&order=oldest", "/?as_reported=1999-01-01"),
                *(f"/{file}?as_reported=2025-04-14&type=AGREE" for file in FILES),
                *("/events.jsonl?as_reported=2025-04-15", "/events.json?as_reported=%2317"),
            )
        }
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", 1)
    with open_site(story) as by_index:
        for path, text in expected.items():
            assert by_index.page(path) == text


def test_two_timelines_each_have_their_pages(story: Path, tmp_path: Path) -> None:
    other = tmp_path / "kharkiv.db"
    with Timeline.create(other, title="Kharkiv", language="uk") as timeline:
        timeline.record({"event_id": "first", "title": "A first one", "occurred": "2025"})
    with open_site(story, other) as site:
        assert len(site.titles("/")) == 19
        assert site.titles("/timelines/kharkiv/events") == ["A first one"]
        assert '<html lang="uk" ' in site.page("/timelines/kharkiv/events/first")
        assert "/timelines/kharkiv/changes" in site.links("/timelines/kharkiv/events")
    config = {"plugins": {"timeline": {"root": "kharkiv", "prefixes": {"odesa": "/nato"}}}}
    settings = {"metadata": config} if not _is_new() else {"config": config}
    datasette = Datasette([str(story), str(other)], **settings)
    with asyncio.Runner() as runner:
        runner.run(datasette.invoke_startup())
        for path, title in (("/", "Kharkiv"), ("/nato/events", "NATO and Odesa, spring 2025")):
            assert f"<h1>{title}</h1>" in runner.run(datasette.client.get(path)).text


def _is_new() -> bool:
    return hasattr(Datasette, "add_query")


def test_links_hold_under_a_base_url(story: Path) -> None:
    with open_site(story, settings={"base_url": "/story/"}) as site:
        for path in ("/", "/events/sumy-strike", RUTTE, "/changes"):
            outside = ("http", "#", "mailto:")
            links = [link for link in site.links(path) if not link.startswith(outside)]
            assert links
            assert [link for link in links if not link.startswith("/story/")] == []


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    hostile = "<script>alert(1)</script>\"'&{{7919*7907}} </title>"
    with Timeline.create(path, title=f"T {hostile}") as timeline:
        timeline.record(
            {
                "event_id": "hostile",
                "title": hostile,
                "summary": hostile,
                "occurred": "2025",
                "participants": [{"name": hostile, "office": hostile, "as_named": hostile}],
                "tags": [hostile],
                "place": {"name": hostile, "lat": 1, "lon": 1},
                "quantities": [
                    {"measure": "killed", "value": n, "reported_by": hostile} for n in (1, 2)
                ],
                "citations": [{"source": {"title": hostile}, "quote": hostile}],
            }
        )
        timeline.correct("hostile", {"title": f"{hostile} 2"}, reason=hostile)
    with open_site(path) as site:
        actor = f"/actors/{actor_id_of(hostile)}"
        for address in (
            *("/", "/events?q=alert", "/events/hostile", "/events/hostile/1", "/changes"),
            actor,
        ):
            text = site.page(address)
            assert "<script>alert" not in text
            assert "&lt;script&gt;alert(1)" in text
            assert "62615533" not in text
        for query in ("q=%3Cscript%3E", "place=%3Cscript%3E", "until=%22%3E%3Cscript%3E"):
            assert "<script>" not in site.ask(f"/events?{query}").text.replace('<script src="', "")


def test_a_page_sends_a_strict_policy_and_names_no_other_host(site: Site) -> None:
    for path in ("/", "/events/sumy-strike", RUTTE, "/changes", "/events/none"):
        answer = site.ask(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe-inline" not in policy
        assert "default-src 'self'" in policy or "default-src 'none'" in policy
        assert not re.search(r'(?:src|style)="(?!/)', answer.text), path
        assert "<style" not in answer.text
        assert not re.search(r"<script(?![^>]* src=| type=\"application/ld\+json\">)", answer.text)


def test_who_may_not_see_the_database_may_not_see_its_pages(story: Path) -> None:
    rules = {"databases": {"odesa": {"allow": {"id": "root"}}}}
    settings = {"config": rules} if _is_new() else {"metadata": rules}
    datasette = Datasette([str(story)], **settings)
    with asyncio.Runner() as runner:
        runner.run(datasette.invoke_startup())
        for path in (
            *("/", "/events", "/events/sumy-strike", "/events.json", "/changes.atom"),
            *("/verify", "/verify.txt", "/verify.json", "/events/sumy-strike/1.tlog-proof"),
        ):
            answer = runner.run(datasette.client.get(path))
            assert answer.status_code == 403, path
            assert "Sumy" not in answer.text
