"""The pages of what was known on a day: the state that the day's last checkpoint signed."""

from __future__ import annotations

import contextlib
import html
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done
from site_in_process import Site, open_site

from timeline import Event, Timeline
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.site.views import known_days
from timeline.store import storage

FIRST = datetime(2025, 4, 14, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days: one signed twice, one at a time that is the next day in Kyiv, one not at all."""
    path = tmp_path_factory.mktemp("known") / "known.db"
    now = FIRST

    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    def sign() -> None:
        with contextlib.closing(storage.connect(path, write=True)) as connection:
            checkpoints.sign(connection, key, now=clock)

    with Timeline.create(path, title="Known", time_zone="Europe/Kyiv", now=clock) as timeline:
        key = SigningKey.generate(timeline.info["origin"])
        timeline.record(Event(event_id="one", title="First", occurred="2025-04-14"))
        sign()
        timeline.record(Event(event_id="two", title="Second", occurred="2025-04-14"))
        sign()
        timeline.record(Event(event_id="late", title="After the checkpoint", occurred="2025-04-14"))
        now = FIRST + timedelta(days=1, hours=13)
        timeline.correct("one", {"title": "First, corrected"}, reason="It was wrong")
        sign()
        now = FIRST + timedelta(days=4)
        timeline.record(Event(event_id="last", title="Unsigned", occurred="2025-04-18"))
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


def test_a_day_has_the_events_that_its_last_checkpoint_signed(site: Site) -> None:
    assert sorted(site.titles("/known/2025-04-14")) == ["First", "Second"]
    assert sorted(site.titles("/known/2025-04-16")) == [
        *("After the checkpoint", "First, corrected", "Second"),
    ]
    page = site.page("/known/2025-04-14")
    assert "<h1>Known on 14 April 2025</h1>" in page
    assert "You are seeing this timeline" in page
    assert re.search(
        r"The checkpoint of 14 April 2025, 12:\d\d Kyiv time signed the first 3 entries", page
    )
    assert 'class="past-page"' in page
    (entry,) = {*re.findall(r'href="/events/one\?as_of=%23(\d+)"', page)}
    assert site.titles(f"/events?as_of=%23{entry}") == site.titles("/known/2025-04-14")


def test_days_lead_to_each_other_and_everything_to_the_days(site: Site) -> None:
    assert "/known/2025-04-16" in site.links("/known/2025-04-14")
    assert "/known/2025-04-14" in site.links("/known/2025-04-16")
    listed = [link for link in site.links("/known") if link.startswith("/known/")]
    assert listed == ["/known/2025-04-16", "/known/2025-04-14"]
    page = " ".join(html.unescape(re.sub("<[^>]+>", " ", site.page("/known"))).split())
    assert "2025 16 April 2025 3 events 14 April 2025 2 events" in page
    for path in ("/verify", "/changes", "/events?as_of=2025-04-14", "/known/2025-04-14"):
        assert "/known" in site.links(path)


@pytest.mark.parametrize("day", ["2025-04-15", "2025-04-18", "2025-13-01", "0000-00-00"])
def test_a_day_without_a_checkpoint_has_no_page(day: str, site: Site) -> None:
    answer = site.ask(f"/known/{day}")
    assert answer.status_code == 404
    assert f'no checkpoint of "{day}": /known lists the days that have one' in html.unescape(
        answer.text
    )


def test_what_is_shared_of_a_day_lasts(site: Site) -> None:
    page = html.unescape(site.page("/known/2025-04-14"))
    assert re.search(r'value="http://localhost/events\?as_of=%23\d+"', page)


def test_a_static_site_has_every_day_with_the_versions_of_then(story: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    done("-d", story, "publish", folder, "--static", "--no-embed")
    days = sorted(path.parent.name for path in folder.glob("known/*/index.html"))
    assert days == ["2025-04-14", "2025-04-16"]
    page = (folder / "known/2025-04-14/index.html").read_text()
    assert re.findall(r'class="title" href="([^"?]*)', page) == [
        *("../../events/two/1/", "../../events/one/1/"),
    ]
    assert "Back to now" in page
    assert 'href="../2025-04-16/"' in page
    assert "<form" not in page
    assert "static_search.js" not in page
    assert (folder / "known/2025-04-16/index.html").read_text().count("events/one/2/") >= 1
    assert 'href="2025-04-14/"' in (folder / "known/index.html").read_text()
    assert 'href="../known/"' in (folder / "verify/index.html").read_text()


# --- Which days are kept ------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 4_000), min_size=1, max_size=600, unique=True).map(sorted),
    st.integers(1, 2_000),
)
def test_a_static_site_has_a_bounded_number_of_days(steps: list[int], events: int) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE events (event_key INTEGER PRIMARY KEY)")
        connection.executemany(
            "INSERT INTO events VALUES (?)", ((number,) for number in range(events))
        )
        start = datetime(2014, 1, 1, tzinfo=UTC)
        every = [
            known_days.KnownDay((start + timedelta(days=step)).date().isoformat(), step, "")
            for step in steps
        ]
        kept = known_days.of_those(connection, every)
        assert kept
        assert kept == sorted({*kept})
        assert kept[-1] == every[-1]
        assert {*kept} <= {*every}
        assert len(kept) <= 366 + 12 * 11
        listed = sum(min(each.size, events) for each in kept)
        assert listed <= 50_000 or len(kept) == 1
        if len(every) <= 366 and len(every) * events <= 50_000:
            assert kept == every
