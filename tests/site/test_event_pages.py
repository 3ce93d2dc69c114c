"""The page of an event: its neighbours in a list, its figures over time, its numbered sources.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.model.clock import utc
from timeline.site.views import figures
from timeline.site.views.figures import Measure, ShownFigure

STRIKE = "/events/sumy-strike"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "odesa.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


def ids(site: Site, path: str) -> list[str]:
    """The ids of the events of a list, in its order."""
    return re.findall(r'<a class="title" href="/events/([^"?]*)', site.page(path))


def step(page: str, rel: str) -> str | None:
    found = re.search(rf'<a class="{rel}" href="([^"]*)"', page)
    return html.unescape(found[1]) if found else None


# --- Earlier and later --------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?type=CONSULT",
        "?country=UKR&verification=corroborated&verification=disputed",
        "?as_of=2025-04-14",
        "?q=Odesa",
        "?type=no-such-type",
    ],
)
def test_later_and_later_leads_through_the_list_one_came_from(query: str, site: Site) -> None:
    known = "" if "no-such" in query else query
    listed = ids(site, f"/events{known}{'&' if known else '?'}order=oldest")
    address: str | None = f"/events/{listed[0]}{query}"
    walked = []
    while address:
        page = site.page(address)
        walked.append(address)
        before = step(page, "prev")
        assert before == (walked[-2] if len(walked) > 1 else None)
        address = step(page, "next")
    assert walked == [f"/events/{each}{query}" for each in listed]


def test_the_list_leads_to_events_with_its_filters_and_back(site: Site) -> None:
    links = site.links("/events?type=ASSAULT&order=oldest")
    assert f"{STRIKE}?order=oldest&type=ASSAULT" in links
    assert "/events?type=ASSAULT" in site.links(f"{STRIKE}?type=ASSAULT&order=oldest")
    assert "Back to the list" not in site.page(STRIKE)


def test_facts_lead_to_the_list_that_they_choose(site: Site) -> None:
    links = site.links(f"{STRIKE}?as_of=2025-04-16")
    for query in ("type=ASSAULT", "country=UKR", "place=Sumy"):
        chosen = [link for link in links if link.startswith("/events?") and query in link]
        assert chosen, query
        for link in chosen:
            assert "sumy-strike" in ids(site, link)
            assert "as_of=2025-04-16" in link


def test_a_page_of_the_past_says_so_and_leads_to_now(site: Site) -> None:
    page = site.page(f"{STRIKE}?as_of=2025-04-14&type=ASSAULT")
    assert "You are seeing this event as it stood on 14 April 2025." in page
    assert f'href="{STRIKE}?type=ASSAULT">See the event as it is now' in page
    assert "You are seeing" not in site.page(STRIKE)


def test_an_erased_event_has_no_place_in_time(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        for event_id in ("one", "two"):
            timeline.record({"event_id": event_id, "title": event_id, "occurred": "2025"})
    done("-d", path, "erase", "#1", "--reason", "A court", "--yes")
    with open_site(path) as site:
        gone = site.page("/events/one")
        assert (step(gone, "prev"), step(gone, "next")) == (None, None)
        assert "That it was there can still be shown" in gone


# --- Figures and sources ------------------------------------------------------------------


def test_figures_come_in_the_order_in_which_they_became_known(site: Site) -> None:
    def amounts(page: str) -> list[str]:
        rows = re.findall(r'<tr class="given".*?</tr>', page, re.DOTALL)
        return [re.findall(r'class="amount">(.*?)</bdi>', row)[0] for row in rows]

    page = site.page(STRIKE)
    rival = "more than 60 service members"
    assert amounts(page) == ["more than 20", "34", rival, "35", "36"]
    assert page.count('<svg class="point"') == 5
    assert page.count('class="swatch apart"') == 1
    assert amounts(site.page(f"{STRIKE}/2")) == ["more than 20", "34", rival]
    assert 'class="toll"' not in site.page(f"{STRIKE}/1")


def test_numbers_beside_figures_and_claims_lead_to_their_sources(site: Site) -> None:
    page = site.page(STRIKE)
    named = {int(number) for number in re.findall(r'href="#source-(\d+)"', page)}
    there = [int(number) for number in re.findall(r'<li id="source-(\d+)"', page)]
    assert there == [*range(1, len(there) + 1)]
    assert named
    assert named <= {*there}


def test_a_source_that_only_a_figure_names_is_listed_and_numbered(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        sources = [{"source": {"source_id": "paper", "title": "A paper"}}]
        timeline.record({"title": "One", "occurred": "2025", "citations": sources})
        figure = {"measure": "killed", "value": "3", "source_ids": ["paper"]}
        timeline.record(
            {"event_id": "two", "title": "Two", "occurred": "2025", "quantities": [figure]}
        )
    with open_site(path) as site:
        page = site.page("/events/two")
    assert 'href="#source-1" aria-label="Source 1"' in page
    assert re.search(r'<li id="source-1">.*?/sources/paper', page, re.DOTALL)


def test_what_was_corrected_is_said_at_the_top_and_open_below(site: Site) -> None:
    page = site.page("/events/ankara-black-sea-meeting")
    badge = re.search(r'<a class="corrected" href="#changed">(.*?)</a>', page)
    assert badge
    words = re.sub("<[^>]*>", "", badge[1])
    assert words.startswith("Corrected 16 April 2025 title, date, how sure, place")
    assert "<strong>Corrected once</strong> since it was first recorded on" in page
    assert re.search(r'<li class="was-corrected">.*?<details open>', page, re.DOTALL)
    assert 'class="corrected"' not in site.page("/events/ankara-black-sea-meeting/1")


_values = st.lists(
    st.tuples(
        st.decimals("-1e38", "1e38", places=2) | st.integers(0, 60).map(Decimal),
        st.sampled_from(("person", "soldier")),
        st.sampled_from((None, "mayor", "ministry", "paper")),
        st.sampled_from((0, 1, 60, 90_000, 40_000_000)),
    ),
    min_size=1,
    max_size=8,
)


@given(_values)
def test_a_chart_has_every_figure_once_and_lies_within_its_frame(
    values: list[tuple[Decimal, str, str | None, int]],
) -> None:
    clock = TickingClock()
    told = []
    for number, (value, unit, by, seconds) in enumerate(values, 1):
        clock.time += timedelta(seconds=seconds)
        figure = ShownFigure(number, f"{value}", by, "", "", 1, [], is_apart=False)
        quantity = {"unit": unit, "value": f"{value}"}
        told.append(figures._Told(quantity, figure, value, utc(clock.time)))
    measure = figures._measure("killed", told, "Europe/Kyiv")
    assert sorted(each.number for each in measure.figures) == [*range(1, len(values) + 1)]
    line = [each for each in measure.figures if not each.is_apart]
    assert measure.newest == line[-1]
    assert len({values[each.number - 1][1] for each in line}) == 1
    check_chart(measure)


def check_chart(measure: Measure) -> None:
    if measure.chart is None:
        return
    chart = measure.chart
    assert len(chart.points) == len(measure.figures)
    numbers = [
        *(number for point in chart.points for number in (point.x, point.y)),
        *(number for ends in chart.steps for number in ends),
        *(place for place, _ in (*chart.heights, *chart.days)),
    ]
    assert all(0 <= number <= 100 for number in numbers)
    assert [point.x for point in chart.points] == sorted(point.x for point in chart.points)
    assert 2 <= len(chart.heights) <= 9
    assert "0" in [words for _, words in chart.heights]
    assert len(chart.days) <= 6
    for (_, _, x, y), (next_x, next_y, _, _) in zip(chart.steps, chart.steps[1:], strict=False):
        assert (x, y) == (next_x, next_y)


def test_a_version_says_which_tool_proposed_it(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story") as timeline:
        event = {"event_id": "talks", "title": "Talks", "occurred": "2025"}
        timeline.record({**event, "author": "mk", "proposed_by": "example <model> 3"})
        timeline.update("talks", {"title": "Talks in Odesa"})
    with open_site(path) as site:
        page = site.page("/events/talks")
    assert "by <bdi>mk</bdi>, proposed by <bdi>example &lt;model&gt; 3</bdi>" in page
    assert page.count("proposed by") == 1
