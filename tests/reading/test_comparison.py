"""What was believed then and no longer later: versions compared, changes between two moments."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import Operation, begin, stories, tell
from running import done, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import NotFound
from timeline.reading import comparison, facet_index
from timeline.reading.facet_index import FacetIndex
from timeline.store import log, storage


@pytest.fixture
def told(timeline: Timeline, clock: TickingClock) -> Timeline:
    """A toll that rises and is corrected, and talks that are retracted."""
    strike = {"event_id": "strike", "title": "Strike", "occurred": "2025-04-13"}
    figure = {"measure": "killed", "value": 20}
    timeline.record({**strike, "quantities": [figure]}, reported_at="2025-04-13")
    clock.set("2025-04-14T10:00:00")
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-14")
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-12"})
    clock.set("2025-04-15T10:00:00")
    timeline.correct("strike", {"quantities.0.value": 35}, reason="one more")
    timeline.retract("talks", reason="there were none")
    return timeline


def test_changes_are_the_events_that_stood_otherwise_in_the_order_they_happened(
    told: Timeline,
) -> None:
    talks, strike = told.changes("2025-04-14", "2025-04-15")
    assert (talks["event_id"], talks["title"]) == ("talks", "Talks")
    assert talks["before"] == {"version": 1, "state": "current"}
    assert talks["after"] == {"version": 2, "state": "retracted"}
    assert talks["changes"] == []
    assert [entry["reason"] for entry in talks["entries"]] == ["there were none"]
    assert strike["changes"] == [
        {"path": "/quantities/0/value", "old_value": "34", "new_value": "35"}
    ]
    assert [(e["version"], e["kind"]) for e in strike["entries"]] == [(3, "event.corrected")]


def test_changes_until_now_hold_everything_since(told: Timeline) -> None:
    assert [row["event_id"] for row in told.changes("2025-04-13")] == ["talks", "strike"]
    (strike,) = (row for row in told.changes("2025-04-13") if row["event_id"] == "strike")
    assert [entry["version"] for entry in strike["entries"]] == [2, 3]
    assert told.changes("2025-04-15") == []


def test_an_event_that_was_not_there_has_no_before(told: Timeline) -> None:
    (talks,) = (row for row in told.changes("2025-04-13") if row["event_id"] == "talks")
    assert talks["before"] is None
    assert talks["after"] == {"version": 2, "state": "retracted"}


def test_the_reverse_tells_what_was_not_yet_believed(told: Timeline) -> None:
    forth = told.changes("2025-04-13", "2025-04-15")
    back = told.changes("2025-04-15", "2025-04-13")
    assert [(row["before"], row["after"]) for row in back] == [
        (row["after"], row["before"]) for row in forth
    ]
    assert [row["entries"] for row in back] == [row["entries"] for row in forth]


def test_the_reported_clock_tells_when_it_was_said(timeline: Timeline) -> None:
    event = {"event_id": "strike", "title": "Strike", "occurred": "2025-04-13"}
    timeline.record(event, reported_at="2025-03-01")
    timeline.update("strike", {"title": "Attack"}, reported_at="2025-03-03")
    assert timeline.changes("2025-03-01", "2025-03-02", reported=True) == []
    (row,) = timeline.changes("2025-03-02", "2025-03-03", reported=True)
    assert row["changes"] == [{"path": "/title", "old_value": "Strike", "new_value": "Attack"}]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories)
def test_no_other_event_stood_otherwise(story: list[list[Operation]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Timeline.create(Path(folder) / "timeline.db", title="T", now=TickingClock()) as timeline,
    ):
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
        newest = timeline.list(state="all")
        size = max((row["seq"] for row in newest), default=0)
        middle = f"#{size // 2}"
        then = {row["event_id"]: row["version"] for row in timeline.list(as_of=middle, state="all")}
        now = {row["event_id"]: row["version"] for row in newest}
        differing = {key for key in now if then.get(key) != now[key]}
        assert {row["event_id"] for row in timeline.changes(middle)} == differing


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories, few=st.sampled_from((0, 3_000)))
def test_pages_of_changes_hold_all_of_them_from_the_index_and_from_the_tables(
    story: list[list[Operation]], few: int
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        Timeline.create(Path(folder) / "timeline.db", title="T", now=TickingClock()) as timeline,
        contextlib.closing(storage.connect(timeline.path)) as connection,
    ):
        patch.setattr(comparison, "_FEW", few)
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
        newest = log.newest(connection)
        assert newest is not None
        moments = ("#0", f"#{newest.seq // 2}", f"#{newest.seq}", "2025-04-14")
        made = facet_index.current(connection, None)
        for start, end in itertools.permutations(moments, 2):
            for reported, index in itertools.product((False, True), (None, made)):
                expected = [*comparison.changes(connection, start, end, reported=reported)]
                assert pages(connection, start, end, reported, index) == expected


def pages(
    connection: sqlite3.Connection, start: str, end: str, reported: bool, index: FacetIndex | None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = comparison.changes_page(
            connection, start, end, reported=reported, after=after, size=2, index=index
        )
        assert len(page.rows) <= 2
        found += page.rows
        after = page.after
        if after is None:
            return found


def test_the_commands_say_the_same_in_words_and_in_json(told: Timeline) -> None:
    path = told.path
    assert done("-d", path, "changes", "--from", "2025-04-14", "--to", "2025-04-15") == (
        "Talks\n"
        "  talks: version 1 -> version 2, retracted\n"
        "  version 2 retracted: there were none\n"
        "\n"
        "Strike\n"
        "  strike: version 2 -> version 3\n"
        "  - killed: 34 -> 35\n"
        "  version 3 corrected: one more\n"
    )
    rows = json.loads(done("-d", path, "changes", "--from", "2025-04-14", "--json"))
    assert rows == told.changes("2025-04-14")
    nothing = run("-d", path, "changes", "--from", "2025-04-15")
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "No changes.\n")


@pytest.mark.parametrize(
    ("arguments", "sides"),
    [
        ([], (2, 3)),
        (["1"], (1, 3)),
        (["1", "2"], (1, 2)),
        (["2025-04-13", "2025-04-14"], (1, 2)),
        (["#1", "#4"], (1, 3)),
    ],
)
def test_diff_takes_versions_and_moments(
    told: Timeline, arguments: list[str], sides: tuple[int, int]
) -> None:
    found = json.loads(done("-d", told.path, "diff", "strike", *arguments, "--json"))
    assert (found["before"]["version"], found["after"]["version"]) == sides


def test_diff_of_a_first_version_has_no_before(told: Timeline) -> None:
    assert done("-d", told.path, "diff", "strike@1") == (
        "Strike\n  13 April 2025\n  strike: added as version 1\n"
    )


def test_diff_refuses_versions_and_moments_that_are_not_there(told: Timeline) -> None:
    for arguments in (["9"], ["1", "9"], ["2025-01-01"], ["0"]):
        result = run("-d", told.path, "diff", "strike", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith('Error: no event "strike')
    with pytest.raises(NotFound):
        told.changes("#99")
