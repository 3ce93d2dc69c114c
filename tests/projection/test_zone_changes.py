"""One time zone at a time: a log that changes it has the tables that a rebuild makes."""

from __future__ import annotations

import contextlib
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from running import done, run
from tables import derived
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.intake.restore import restore
from timeline.projection import facet_segments, tables
from timeline.proof import verify
from timeline.reading import facet_index
from timeline.reading.as_of import parse_as_of
from timeline.reading.indexed_selection import IndexedSelection
from timeline.store import codec, log, storage

FIRST = date(2025, 4, 1)
DAYS = 30


@pytest.fixture
def segments_of_four_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facet_segments, "SIZE", 4)


def record(timeline: Timeline, count: int) -> None:
    """Record events: one on each of DAYS in turn, reported on its day or a day later."""
    timeline.record(
        {
            "title": f"Event {number}",
            "occurred": (day := FIRST + timedelta(days=number % DAYS)).isoformat(),
            "reported_at": (day + timedelta(days=number % 2)).isoformat(),
        }
        for number in range(count)
    )


def change_zone(timeline: Timeline, zone: str) -> tuple[str, ...]:
    with timeline.append() as append:
        return append.update_log({"time_zone": zone}).notes


def reported_by_day(path: Path) -> list[int]:
    """How many events the file has as reported by the end of each day, by the index."""
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index
        counts = []
        for number in range(DAYS + 2):
            point = parse_as_of(
                connection, as_reported=(FIRST + timedelta(days=number)).isoformat()
            )
            with contextlib.closing(IndexedSelection(connection, index, point=point)) as selected:
                counts.append(selected.count())
        return counts


def check(path: Path) -> None:
    live = derived(path)
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        tables.rebuild(connection)
    assert live == derived(path)
    assert not verify.verify(path).findings


@pytest.mark.parametrize(
    ("before", "after"),
    [("UTC", "Europe/Kyiv"), ("Europe/Kyiv", "America/New_York"), ("Asia/Tokyo", "UTC")],
)
def test_a_zone_that_changes_within_the_log(
    segments_of_four_entries: None, tmp_path: Path, before: str, after: str
) -> None:
    changes_zone_at(tmp_path, 14, before, after, later=9)


@pytest.mark.torture
def test_a_zone_that_changes_after_40_000_entries(tmp_path: Path) -> None:
    changes_zone_at(tmp_path, 40_000, "UTC", "Europe/Kyiv", later=30_000)


def changes_zone_at(path: Path, count: int, before: str, after: str, later: int) -> None:
    file = path / "story.db"
    clock = TickingClock()
    with Timeline.create(file, title="A story", time_zone=before, now=clock) as timeline:
        record(timeline, count)
        known = reported_by_day(file)
        (note,) = change_zone(timeline, after)
        assert note == f"days now end in {after}: the tables are made again from the log"
        assert reported_by_day(file) == known
        record(timeline, later)
        check(file)
        with contextlib.closing(storage.connect(file)) as connection:
            lines = "\n".join(codec.to_wire(entry) for entry in log.read(connection))
    # A copy that meets the change on the way has the same tables.
    copy = path / "copy.db"
    restore(copy, io.BytesIO(lines.encode()), now=clock)
    assert derived(copy) == derived(file)


def test_a_dry_run_says_that_the_tables_would_be_made_again_and_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "story.db"
    with Timeline.create(file, title="A story") as timeline:
        record(timeline, 3)
        before = derived(file)
        with timeline.append(dry_run=True) as append:
            receipt = append.update_log({"time_zone": "Europe/Kyiv"})
        assert "the tables are made again" in receipt.notes[0]
        assert derived(file) == before
        with timeline.append() as append:
            assert append.update_log({"title": "Another title"}).notes == ()


def test_a_server_that_knows_the_old_zone_reads_the_new_tables(
    segments_of_four_entries: None, tmp_path: Path
) -> None:
    file = tmp_path / "story.db"
    with Timeline.create(file, title="A story") as timeline:
        record(timeline, 10)
        with contextlib.closing(storage.connect(file)) as connection:
            known = facet_index.current(connection, None)
            change_zone(timeline, "Europe/Kyiv")
            index = facet_index.current(connection, known)
            assert known
            assert index
            ends = sorted(index.postings["reported"])
    assert all(end.endswith("T20:59:59.999999Z") for end in ends)


def test_a_mirror_that_meets_the_change_says_so(tmp_path: Path) -> None:
    file, copy, export = (tmp_path / name for name in ("story.db", "copy.db", "log.jsonl"))
    zones: list[str | None] = []
    with Timeline.create(file, title="A story", time_zone="Asia/Tokyo") as timeline:
        for zone in (None, "Europe/Kyiv", None):
            record(timeline, 3)
            if zone:
                timeline.about(time_zone=zone)
            done("-d", file, "export", "jsonl", "-o", export)
            ran = run("-d", copy, "import", "jsonl", export)
            assert ("days now end in Europe/Kyiv" in ran.stderr) == bool(zone), ran.stderr
            again = json.loads(done("-d", tmp_path / "new.db", "import", "jsonl", export, "--json"))
            zones.append(again["new_time_zone"])
    assert zones == [None, "Europe/Kyiv", None]
    assert derived(copy) == derived(file)
