"""The feed of changes: by day, each act once, without what only curates, and none is lost.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import TimelineError
from timeline.model.content import Said
from timeline.site.views import change_feed
from timeline.store import storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three events, changed in one act, then marked, corrected and retracted."""
    clock = TickingClock("2025-04-13T20:30:00")
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", time_zone="Europe/Kyiv", now=clock) as timeline:
        names = ("one", "two", "three")
        timeline.record({"event_id": each, "title": each, "occurred": "2025"} for each in names)
        timeline.update(
            {each: {"note": "Seen again"} for each in names},
            reason="A second report",
            author="desk",
        )
        timeline.update("one", {"highlight": True})
        clock.set("2025-04-13T21:30:00")
        timeline.correct("two", {"title": "The second"}, reason="A wrong title")
        timeline.retract("three", reason="A rumour")
    return path


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def acts(site: Site, query: str = "") -> list[str]:
    page = site.page(f"/changes{query}").partition('id="stream"')[2]
    found = re.findall(r'<li class="was-\w+"[^>]*>(.*?)</article>', page, re.DOTALL)
    return [words(each) for each in found]


def test_an_act_over_several_events_is_told_once_and_names_them(path: Path) -> None:
    with open_site(path) as site:
        told = acts(site)
        assert len(told) == 3
        assert told[0].startswith("Retracted 00:30 three A rumour")
        assert told[1].startswith("Corrected title 00:30 The second A wrong title 1 change")
        assert told[2].startswith("Updated note 23:30 desk three A second report 1 change")
        assert told[2].endswith("The same for The second ; one")
        page = site.page("/changes")
        days = re.findall(r"<h3><bdi>(.*?)</bdi>.*?weekday\">(.*?)</span>", page)
        assert days == [("14 April", "Monday, 2025"), ("13 April", "Sunday, 2025")]
        opened = re.findall(r"<details open><summary>", page)
        assert len(opened) == 1  # that of the correction


def test_a_change_of_a_highlight_is_left_out_and_counted_unless_asked_for(path: Path) -> None:
    with open_site(path) as site:
        page = site.page("/changes")
        assert "1 change of a picture or a highlight is left out here." in words(page)
        assert "All 5" in words(page)
        assert 'href="/changes?all=1"' in page
        assert len(acts(site, "?all=1")) == 4
        assert "left out" not in site.page("/changes?all=1")
        assert "left out" not in site.page("/changes?kind=corrected")
        changes = json.loads(site.page("/changes.json"))["changes"]
        assert len(changes) == 6


def test_the_kinds_are_counted_and_one_can_be_chosen(path: Path) -> None:
    with open_site(path) as site:
        kinds = words(
            site.page("/changes").partition('class="kinds views"')[2].partition("</nav>")[0]
        )
        assert kinds.endswith("All 5 Corrections 1 Updates 3 Retracted 1")
        assert len(acts(site, "?kind=updated")) == 1


_acts = st.lists(
    st.tuples(
        st.sets(st.sampled_from(("one", "two", "three")), min_size=1),
        st.sampled_from(("a report", "another", None)),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(_acts, st.integers(1, 4), st.integers(2, 6), st.booleans())
def test_every_change_is_told_on_some_page(
    story: list[tuple[set[str], str | None, bool]], size: int, read: int, with_curation: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(change_feed, "_ACTS", size)
        patch.setattr(change_feed, "_READ", read)
        path = Path(folder) / "t.db"
        expected: set[tuple[str, int]] = set()
        with Timeline.create(path, title="T", now=TickingClock()) as timeline:
            for each in ("one", "two", "three"):
                timeline.record({"event_id": each, "title": each, "occurred": "2025"})
            lit = False
            for number, (names, reason, is_curation) in enumerate(story):
                lit = lit != is_curation
                changes: dict[str, Any] = {"highlight": lit or None} if is_curation else {}
                changes = changes or {"note": f"{number}"}
                with timeline.append() as append:
                    for name in sorted(names):
                        with contextlib.suppress(TimelineError):
                            receipt = append.update(name, changes, Said(reason=reason))
                            if with_curation or not is_curation:
                                expected.add((name, receipt.version))
        assert told(path, with_curation) == expected


def told(path: Path, with_curation: bool) -> set[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    before: int | None = None
    with contextlib.closing(storage.connect(path)) as connection:
        while True:
            page = change_feed.feed(connection, before=before, with_curation=with_curation)
            for day in page["days"]:
                for change, others, more in day.acts:
                    assert more == 0
                    found += [(row["event_id"], row["version"]) for row in (change, *others)]
            before = page["next"]
            if before is None:
                break
    assert len(found) == len({*found})
    return {*found}
