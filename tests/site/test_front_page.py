"""The first page: its head, its highlights, the events by day, and the banner of the past."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from site_in_process import Site, open_site

from timeline import Said, Timeline
from timeline.reading import facet_index


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "story.db"


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def shown(site: Site, address: str, selector: str) -> list[str]:
    """The texts of the elements of a page that a CSS selector finds."""
    return [words(each) for each in html.fromstring(site.page(address)).cssselect(selector)]


def told(path: Path) -> Timeline:
    """A timeline that records an entry each day at noon in Kyiv, from 1 March 2025 on."""
    days = (datetime(2025, 3, 1, 10, tzinfo=UTC) + timedelta(days=number) for number in count())
    return Timeline.create(path, title="A story", time_zone="Europe/Kyiv", now=days.__next__)


# --- The head -----------------------------------------------------------------------------


def test_the_head_says_what_the_timeline_is_who_keeps_it_and_when_it_was_updated(
    path: Path,
) -> None:
    with told(path) as timeline, timeline.append() as append:
        append.update_log(
            {
                "description": "What happened.\nAnd who says so.",
                "publisher": "The <news> desk",
                "contact": "desk@example.org",
                "homepage": "https://example.org/desk",
            }
        )
    with open_site(path) as site:
        page = html.fromstring(site.page("/"))
        (head,) = page.cssselect(".masthead")
        assert "What happened. And who says so." in words(head)
        assert "Kept by The <news> desk" in words(head)
        assert "Updated 2 March 2025, 12:00 Kyiv time" in words(head)
        links = {words(link): link.get("href") for link in head.iter("a")}
        assert links["The <news> desk"] == "https://example.org/desk"
        assert links["Write to us"] == "mailto:desk@example.org"
        assert links["Feed"] == "/events.atom"


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("https://example.org/write", "https://example.org/write"),
        ("desk@example.org", "mailto:desk@example.org"),
        ("Ring at the door of 5 High Street", None),
        ("javascript:alert(1)", None),
        ('desk@example.org" onclick="alert(1)', None),
    ],
)
def test_a_contact_is_a_link_only_if_it_is_an_address(
    contact: str, href: str | None, path: Path
) -> None:
    with told(path) as timeline, timeline.append() as append:
        append.update_log({"contact": contact})
    with open_site(path) as site:
        page = html.fromstring(site.page("/"))
        links = [each.get("href") for each in page.cssselect(".byline a") if "Write" in words(each)]
        assert links == ([href] if href else [])
        assert href or contact in words(page.cssselect(".masthead")[0])


def test_the_head_lists_the_newest_acts_each_once(path: Path) -> None:
    with told(path) as timeline:
        timeline.record(
            {"event_id": f"e-{n}", "title": f"Event {n}", "occurred": "2025"} for n in range(5)
        )
        timeline.update("e-1", {"summary": "More"}, reason="A second source")
        timeline.correct("e-2", {"title": "Event two"}, reason="Miscounted")
        timeline.update("e-3", {"highlight": True})
        timeline.retract("e-4", reason="A rumour")
    with open_site(path) as site:
        latest = shown(site, "/", ".latest li")
        assert [re.sub("^.*?[0-9]:[0-9]{2} ", "", each) for each in latest] == [
            "Event 4 retracted: A rumour",
            "Event two corrected: Miscounted",
            "Event 1 updated: A second source",
        ]
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.update("e-0", {"summary": "A"}, Said(reason="A briefing"))
        append.update("e-1", {"summary": "B"}, Said(reason="A call"))
        append.update("e-2", {"summary": "C"}, Said(reason="A briefing"))
    with open_site(path) as site:
        first, second, _ = shown(site, "/", ".latest li p")
        assert first == "Event two and 1 other updated: A briefing"
        assert second == "Event 1 updated: A call"
    with told(path.with_name("other.db")) as timeline:
        timeline.record({"title": f"Event {n}", "occurred": "2025"} for n in range(600))
        timeline.record({"title": f"Late {n}", "occurred": "2025"} for n in range(3))
    with open_site(path.with_name("other.db")) as site:
        first, second = shown(site, "/", ".latest li p")
        assert first == "Late 2 and 2 others recorded"
        assert second == "Event 599 and others recorded"


# --- Highlights ---------------------------------------------------------------------------


@pytest.mark.parametrize("smallest", [0, 5_000], ids=["from the index", "from the tables"])
def test_highlights_are_those_of_the_moment_in_the_order_in_which_they_occurred(
    smallest: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facet_index, "SMALLEST", smallest)
    monkeypatch.setattr("timeline.site.index_cache.SMALLEST", smallest)
    with told(path) as timeline:
        timeline.record(
            {"event_id": "late", "title": "Late", "occurred": "2025-06", "highlight": True}
        )
        timeline.record(
            {"event_id": "soon", "title": "Soon", "occurred": "2025-02", "highlight": True}
        )
        timeline.record({"event_id": "none", "title": "None", "occurred": "2025-03"})
        timeline.update("late", {"highlight": None})
        timeline.retract("soon", reason="A rumour")
        timeline.update("none", {"highlight": True})
    with open_site(path) as site:
        listed = {
            day: shown(site, f"/?as_of=2025-03-{day:02}", ".highlights .headline")
            for day in range(2, 8)
        }
        assert listed == {
            2: ["Late"],
            3: ["Soon", "Late"],
            4: ["Soon", "Late"],
            5: ["Soon"],
            6: [],
            7: ["None"],
        }
        assert shown(site, "/?tag=nothing", ".highlights .headline") == ["None"]


# --- The list -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "head", "rest"),
    [
        ({"occurred": "2025-04-15"}, "15 April Tuesday, 2025", None),
        ({"occurred": "2025-04-15T10:30"}, "15 April Tuesday, 2025", "10:30"),
        ({"occurred": "2025-04-15/2025-04-20"}, "15 April Tuesday, 2025", "until 20 April 2025"),
        ({"occurred": "2025-04-15/.."}, "15 April Tuesday, 2025", "or later"),
        (
            {"occurred": "2025-04-15/..", "modality": "ongoing"},
            "15 April Tuesday, 2025",
            "ongoing",
        ),
        ({"occurred": "2025-04-15~"}, "Around 15 April 2025", None),
        ({"occurred": "2025-04"}, "April 2025", None),
        ({"occurred": "../2025-04-14"}, "By 14 April 2025", None),
        ({"occurred": "0044-03-15"}, "15 March 44 AD", None),
        ({"occurred": "-0043-03-15"}, "15 March 44 BC", None),
        ({"occurred": "-0043-03-15T10:00"}, "15 March 44 BC, 10:00", None),
        ({"occurred": "0044-03-15T10:00"}, "15 March 44 AD", "10:00"),
        ({"occurred": "Y-1000000000"}, None, None),
    ],
    ids=str,
)
def test_an_event_stands_under_the_day_on_which_it_began(
    event: dict[str, Any], head: str | None, rest: str | None, path: Path
) -> None:
    with told(path) as timeline:
        timeline.record({"title": "T", **event})
    with open_site(path) as site:
        (day,) = shown(site, "/", ".day h3")
        assert head is None or day == head
        assert shown(site, "/", ".rest") == ([rest] if rest else [])


def test_what_began_before_a_period_stands_apart(path: Path) -> None:
    with told(path) as timeline:
        for title, occurred in (
            ("Before", "2025-04-01"),
            ("Lasting", "2025-04-05/2025-04-12"),
            ("Perhaps", "2025-04"),
            ("In it", "2025-04-11"),
        ):
            timeline.record({"title": title, "occurred": occurred})
    with open_site(path) as site:
        for order, expected in (
            ("", ["In it", "Also then", "Lasting", "Perhaps"]),
            ("&order=oldest", ["Also then", "Perhaps", "Lasting", "In this period", "In it"]),
        ):
            address = f"/events?since=2025-04-10&until=2025-04-12{order}"
            found = shown(site, address, ".list .also, .list .title")
            assert [each.partition(":")[0] for each in found] == expected
        assert shown(site, "/", ".also") == []


def test_figures_that_differ_show_their_range_and_a_correction_what_it_changed(
    path: Path,
) -> None:
    figures = [
        {"measure": "killed", "value": 20, "dated": "2025-04-13"},
        {"measure": "killed", "value": 35, "dated": "2025-04-15"},
        {"measure": "killed", "value": 34, "dated": "2025-04-14"},
        {"measure": "killed", "value": 60, "unit": "service member", "qualifier": "more_than"},
        {"measure": "missiles", "value": 2, "unit": "item"},
    ]
    with told(path) as timeline:
        timeline.record(
            {"event_id": "strike", "title": "T", "occurred": "2025", "quantities": figures}
        )
        timeline.correct("strike", {"title": "Strike", "place.name": "Sumy"}, reason="A slip")
        timeline.update("strike", {"summary": "More"})
    with open_site(path) as site:
        assert shown(site, "/", ".badges .figure") == [
            "35 killed 4 figures, 20 to 60",
            "2 missiles",
        ]
        assert shown(site, "/", ".corrected") == ["Corrected 3 March 2025 title, place"]
        assert shown(site, "/?as_of=2025-03-02", ".corrected") == []


# --- The past -----------------------------------------------------------------------------


@pytest.fixture
def grown(path: Path) -> Iterator[Site]:
    """The site of a log that grew on 1, 2, ... 14 March, and again on 2 April."""
    with told(path) as timeline:
        for number in range(13):
            timeline.record({"title": f"Event {number}", "occurred": "2025"})
    with Timeline.open(path, now=lambda: datetime(2025, 4, 2, 10, tzinfo=UTC)) as timeline:
        timeline.record({"title": "The last", "occurred": "2025"})
    with open_site(path) as site:
        yield site


def test_the_banner_of_the_past_counts_and_leads_from_day_to_day(grown: Site) -> None:
    (banner,) = shown(grown, "/?as_of=2025-03-08", ".past")
    assert "as it stood on 8 March 2025" in banner
    assert "7 of today\u2019s 14 events; 7 later entries are not shown" in banner
    steps = shown(grown, "/?as_of=2025-03-08", ".past-steps li")
    assert steps == [f"{day} March" for day in range(3, 14)]
    assert shown(grown, "/?as_of=2025-03-08", ".past-steps li [aria-current]") == ["8 March"]
    page = html.fromstring(grown.page("/events?as_of=2025-03-14&q=event"))
    links = {each.get("rel"): each.get("href") for each in page.cssselect(".past-steps > a")}
    assert links == {
        "prev": "/events?q=event&as_of=2025-03-13",
        "next": "/events?q=event&as_of=2025-04-02",
    }


def test_a_day_between_two_entries_belongs_to_the_earlier_one(grown: Site) -> None:
    assert shown(grown, "/?as_of=2025-03-20", ".past-steps li [aria-current]") == ["14 March"]
    assert shown(grown, "/?as_of=2025-04-20", ".past-steps li")[-1] == "2 April"
    assert shown(grown, "/?as_of=2025-02-20", ".past-steps li")[:2] == [
        "1 March 2025",
        "2 March 2025",
    ]
    assert shown(grown, "/?as_of=2025-02-20", ".past-steps [aria-current]") == []


def test_a_page_of_today_has_no_banner_and_one_of_the_past_no_news(grown: Site) -> None:
    assert shown(grown, "/", ".past") == []
    assert shown(grown, "/", ".latest li")
    for address in ("/?as_of=2025-03-08", "/?as_reported=2025-03-08"):
        assert shown(grown, address, ".latest") == []
        assert 'class="past-page"' in grown.page(address)
