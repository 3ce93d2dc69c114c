"""The feed of corrections alone: each act once, of the events that an address chooses.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import feedparser
import pytest
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.reading import facet_index


@pytest.fixture(params=["with the tables", "with the index"])
def path(tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three events: two corrected at once, one retracted, taken back, merged; all updated."""
    if request.param == "with the index":
        monkeypatch.setattr(facet_index, "SMALLEST", 1)
        monkeypatch.setattr("timeline.site.index_cache.SMALLEST", 1)
    clock = TickingClock("2025-04-13T20:30:00")
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", now=clock) as timeline:
        for name in ("one", "two", "three"):
            actors = [{"name": "Volodymyr Zelenskyy"}] if name == "two" else []
            timeline.record(
                {
                    "event_id": name,
                    "title": name,
                    "occurred": "2025",
                    "tags": [f"tag-{name}"],
                    "participants": actors,
                }
            )
        clock.set("2025-04-14T06:00:00")
        timeline.update("one", {"note": "Seen again"}, reason="A second report")
        timeline.correct(
            {"one": {"place.name": "Sumy"}, "two": {"title": "The second <b>"}},
            reason="Wrong & old",
        )
        clock.set("2025-04-15T06:00:00")
        timeline.retract("three", reason="A rumour")
        timeline.reinstate("three", reason="It was true")
    return path


def entries(site: Site, query: str = "") -> list[Any]:
    found = feedparser.parse(site.page(f"/corrections.atom{query}"))
    assert not found.bozo, found.get("bozo_exception")
    assert len({entry.id for entry in found.entries}) == len(found.entries)
    return list(found.entries)


def test_the_feed_has_each_correction_once_and_no_update(path: Path) -> None:
    with open_site(path) as site:
        told = entries(site)
        assert [entry.tags[0].term for entry in told] == ["reinstated", "retracted", "corrected"]
        corrected = told[2]
        assert corrected.title == "The second <b>: corrected"
        assert "Wrong &amp; old" in corrected.summary
        assert "one" in corrected.summary
        assert corrected.link.endswith("/events/two/2")
        assert corrected.updated == "2025-04-14T06:00:02.000000Z"


def test_the_feed_follows_the_filters_of_the_events(path: Path) -> None:
    with open_site(path) as site:
        assert [each.title for each in entries(site, "?tag=tag-one")] == ["one: corrected"]
        zelenskyy = "?actor=Volodymyr+Zelenskyy"
        assert [each.title for each in entries(site, zelenskyy)] == ["The second <b>: corrected"]
        assert len(entries(site, "?tag=tag-three")) == 2
        assert len(entries(site, "?q=second")) == 1
        assert entries(site, "?state=retracted") == []
        feeds = [
            feedparser.parse(site.page(f"/corrections.atom{each}")).feed.id
            for each in ("", zelenskyy)
        ]
        assert len({*feeds, feedparser.parse(site.page("/changes.atom")).feed.id}) == 3


def test_the_ids_of_the_feed_stay(path: Path) -> None:
    with open_site(path) as site:
        before = entries(site)
        some = entries(site, "?tag=tag-one")
        assert some[0].id == before[2].id
        with Timeline.open(path) as timeline:
            timeline.correct("one", {"title": "The first"}, reason="A typo")
        after = entries(site)
        assert [each.id for each in after[1:]] == [each.id for each in before]
        assert after[1:][0].updated == before[0].updated


def test_what_is_asked_wrongly_is_refused_in_one_line(path: Path) -> None:
    with open_site(path) as site:
        for query, word in (
            ("?as_of=2025", "as_of"),
            ("?tagg=x", "tag"),
            ("?type=nothing", "type"),
        ):
            answer = site.ask(f"/corrections.atom{query}")
            assert (answer.status_code, answer.text.count("\n")) == (400, 1)
            assert word in answer.text


def test_the_pages_name_the_feed_with_their_filters(path: Path) -> None:
    with open_site(path) as site:
        front = site.page("/events?tag=tag-one")
        assert 'type="application/atom+xml"' in front
        assert any(
            each.endswith("/corrections.atom?tag=tag-one")
            for each in site.links("/events?tag=tag-one")
        )
        assert any(each.endswith("/corrections.atom") for each in site.links("/changes"))
        assert "corrections.atom" not in site.page("/events?as_of=2025-04-14")
