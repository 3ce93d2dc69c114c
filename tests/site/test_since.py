"""What is new since a reader looked, in exact numbers, for the price of a look if nothing is.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.reading import facet_index


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", now=TickingClock()) as timeline:
        timeline.record({"event_id": "one", "title": "One", "occurred": "2025", "tags": ["war"]})
        timeline.record({"event_id": "two", "title": "Two", "occurred": "2025"})
    return path


def asked(site: Site, query: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.page(f"/since.json?{query}"))
    return found


def test_new_and_changed_events_are_counted_by_the_filters_of_the_page(path: Path) -> None:
    with open_site(path) as site:
        assert asked(site, "entry=2") == {"entry": 2, "new": 0, "changed": 0, "words": []}
        with Timeline.open(path) as timeline:
            timeline.record(
                [
                    {"event_id": each, "title": each, "occurred": "2025"}
                    for each in ("three", "four")
                ]
            )
            timeline.correct("three", {"title": "Third"}, reason="A typo")
            timeline.retract("one", reason="A rumour")
        found = asked(site, "entry=2")
        assert (found["entry"], found["new"], found["changed"]) == (6, 2, 1)
        assert found["words"] == ["2 new since you looked", "1 changed"]
        assert asked(site, "entry=2&tag=war&view=map")["words"] == ["1 changed since you looked"]
        assert asked(site, "entry=4")["words"] == ["2 changed since you looked"]
        assert asked(site, "entry=2&state=current")["changed"] == 0
        assert asked(site, "entry=99") == {"entry": 6, "new": 0, "changed": 0, "words": []}


def test_who_knows_the_newest_entry_gets_nothing(path: Path) -> None:
    with open_site(path) as site:
        first = site.ask("/since.json?entry=1")
        assert first.headers["cache-control"] == "no-cache"
        mark = first.headers["etag"]
        again = site.ask("/since.json?entry=1", **{"if-none-match": mark})
        assert (again.status_code, again.content) == (304, b"")
        with Timeline.open(path) as timeline:
            timeline.update("one", {"note": "Seen"})
        third = site.ask("/since.json?entry=1", **{"if-none-match": mark})
        assert (third.status_code, third.json()["entry"]) == (200, 3)
        assert third.headers["etag"] != mark


def test_what_is_asked_wrongly_is_refused_in_one_line(path: Path) -> None:
    with open_site(path) as site:
        for query, word in (
            ("", "entry"),
            ("entry=x", "entry"),
            ("entry=1&type=nothing", "type"),
            ("entry=1&tagg=x", "tag"),
        ):
            answer = site.ask(f"/since.json?{query}")
            assert answer.status_code == 400
            assert word in answer.json()["error"]


def test_pages_of_now_ask_and_those_of_the_past_do_not(path: Path) -> None:
    with open_site(path) as site:
        for page in ("/", "/events?tag=war", "/events?view=map", "/changes"):
            assert 'data-since="/since.json"' in site.page(page)
            assert "since.js" in site.page(page)
        with open_site(path, settings={"base_url": "/x/"}) as below:
            assert 'data-since="/x/since.json"' in below.page("/")
        for page in ("/events?as_of=2025-04-14", "/embed", "/events/one", "/verify"):
            assert "data-since" not in site.page(page)
            assert "since.js" not in site.page(page)


_kinds = st.sampled_from(("record", "update", "correct", "retract", "reinstate"))
_tags = st.sampled_from(("a", "b"))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(_kinds, st.integers(0, 3), _tags), min_size=1, max_size=8))
def test_the_index_and_the_tables_count_as_the_log_says(
    story: list[tuple[str, int, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "t.db"
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        tags: dict[str, str] = {}
        retracted: set[str] = set()
        with Timeline.create(path, title="T", now=TickingClock()) as timeline:
            for kind, number, tag in story:
                name = f"event-{number}"
                if kind == "record" and name not in first:
                    statement = {"event_id": name, "title": "T", "occurred": "2025", "tags": [tag]}
                    last[name] = first[name] = timeline.record(statement).seq
                    tags[name] = tag
                elif kind in ("update", "correct") and name in first and tags[name] != tag:
                    change = getattr(timeline, kind)(name, {"tags": [tag]}, reason="Why")
                    last[name], tags[name] = change.seq, tag
                elif kind == "retract" and name in first and name not in retracted:
                    last[name] = timeline.retract(name, reason="Why").seq
                    retracted.add(name)
                elif kind == "reinstate" and name in retracted:
                    last[name] = timeline.reinstate(name, reason="Why").seq
                    retracted.discard(name)
        newest = max([0, *last.values()])
        with open_site(path) as site:
            for smallest in (1, 5_000):
                patch.setattr(facet_index, "SMALLEST", smallest)
                patch.setattr("timeline.site.index_cache.SMALLEST", smallest)
                for entry in range(newest + 1):
                    having = [name for name in first if tags[name] == "a"]
                    new = [each for each in having if first[each] > entry and each not in retracted]
                    changed = [each for each in having if first[each] <= entry < last[each]]
                    found = asked(site, f"entry={entry}&tag=a") if "a" in tags.values() else None
                    assert found is None or (found["new"], found["changed"]) == (
                        len(new),
                        len(changed),
                    )
