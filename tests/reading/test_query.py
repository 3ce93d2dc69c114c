"""Reading: as of any moment on both clocks, lists, search, facets, and what people type."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import EVENTS, NEW_EVENTS, Operation, begin, event_operations, stories, tell
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import Ambiguous, InvalidInput, NotFound
from timeline.model import names
from timeline.model.content import Said
from timeline.reading import query, selection
from timeline.reading.as_of import NOW, AsOf, parse_as_of
from timeline.reading.entries import log_entries
from timeline.reading.filters import FILTERS
from timeline.reading.sources import sources_by_id
from timeline.store import storage

PAST = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with its first entry, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "timeline.db"
    Timeline.create(path, title="A story", now=TickingClock()).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def fresh(empty: Path, folder: Path) -> Path:
    path = folder / "story.db"
    for name in folder.glob("story.db*"):
        name.unlink()
    shutil.copy(empty, path)
    return path


# --- One event as of both clocks ----------------------------------------------------------


def tell_of_the_strike(timeline: Timeline, clock: TickingClock) -> None:
    """Entries 1 to 5: 20 killed, on the 14th 34, on the 15th 35, retracted, reinstated."""
    clock.set("2025-04-13T18:00:00")
    timeline.record(
        {
            "event_id": "strike",
            "title": "Strike on Sumy",
            "occurred": "2025-04-13",
            "quantities": [{"measure": "killed", "value": 20}],
        }
    )
    clock.set("2025-04-14T18:00:00")
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-14")
    clock.set("2025-04-15T18:00:00")
    timeline.correct(
        "strike", {"quantities.0.value": 35}, reason="Counted again", reported_at="2025-04-15"
    )
    clock.set("2025-04-16T18:00:00")
    timeline.retract("strike", reason="A hoax", reported_at="2025-04-16")
    clock.set("2025-04-17T18:00:00")
    timeline.reinstate("strike", reported_at="2025-04-17")


def believed(timeline: Timeline, event_id: str = "strike", **when: object) -> tuple[Any, ...]:
    """Version, figure and state of an event; none if it was not there."""
    try:
        found = timeline.get(event_id, **when)
    except NotFound:
        return (None,)
    return found["version"], int(found["quantities"][0]["value"]), found["state"]


STANDS = {
    1: (1, 20, "current"),
    2: (2, 34, "current"),
    3: (3, 35, "current"),
    4: (4, 35, "retracted"),
    5: (5, 35, "current"),
    None: (None,),
}


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        ("2025-04-12", None),
        ("2025-04-13T18:00:00Z", None),
        ("2025-04-13T18:00:01Z", 1),
        ("2025-04-13T20:00:00.5+02:00", None),
        ("2025-04-13T20:00:01+02:00", 1),
        ("2025-04-13", 1),
        (date(2025, 4, 13), 1),
        ("13 April 2025", 1),
        ("2025-04-14T18:00:00.999999Z", 1),
        ("2025-04-14T18:00", 2),  # to the end of that minute
        ("2025-04-14", 2),
        ("2025-04-15", 3),
        ("2025-04-16", 4),
        (datetime(2025, 4, 16, 18, 0, 1, tzinfo=UTC), 4),
        ("2025-04-17", 5),
        ("2030-01-01", 5),
        ("0005-01-01", None),
        (0, None),
        ("#0", None),
        ("#1", 1),
        (1, 1),
        ("2", 2),
        ("#3", 3),
        (4, 4),
        ("#5", 5),
    ],
)
def test_an_event_stands_as_this_log_knew_it_at_a_time_a_day_or_an_entry(
    timeline: Timeline, clock: TickingClock, moment: object, version: int | None
) -> None:
    tell_of_the_strike(timeline, clock)
    assert believed(timeline, as_of=moment) == STANDS[version]


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        ("2025-04-12", None),
        ("2025-04-13T23:59:58Z", None),  # a day counts from its last instant
        ("2025-04-13", 1),
        ("2025-04-14T12:00:00Z", 1),
        ("2025-04-14", 2),
        ("2025-04-15", 3),
        ("2025-04-16", 4),
        ("2025-04-17", 5),
        ("#1", 1),
        ("#3", 3),
        (5, 5),
    ],
)
def test_an_event_stands_as_it_had_been_reported(
    timeline: Timeline, clock: TickingClock, moment: object, version: int | None
) -> None:
    tell_of_the_strike(timeline, clock)
    assert believed(timeline, as_reported=moment) == STANDS[version]


def test_as_of_both_clocks_is_the_lower_of_the_two_versions(
    timeline: Timeline, clock: TickingClock
) -> None:
    tell_of_the_strike(timeline, clock)
    days = [f"2025-04-{day}" for day in range(12, 19)]
    for recorded, reported in itertools.product(days, days):
        versions = [
            believed(timeline, as_of=recorded)[0],
            believed(timeline, as_reported=reported)[0],
        ]
        lower = None if None in versions else min(versions)
        assert believed(timeline, as_of=recorded, as_reported=reported) == STANDS[lower]
    assert believed(timeline, as_of="2025-04-14", as_reported="2025-04-16")[0] == 2
    assert believed(timeline, as_of="2025-04-16", as_reported="2025-04-14")[0] == 2


def test_lists_in_the_past_have_the_same_events_as_single_looks(
    timeline: Timeline, clock: TickingClock
) -> None:
    tell_of_the_strike(timeline, clock)
    for day in range(12, 19):
        when = {"as_of": f"2025-04-{day}"}
        listed = [(row["version"], row["state"]) for row in timeline.list(state="all", **when)]
        one = believed(timeline, **when)
        assert listed == ([] if one == (None,) else [(one[0], one[2])])


def test_a_report_that_is_found_late_does_not_rewrite_what_was_said_on_a_day(
    timeline: Timeline, clock: TickingClock
) -> None:
    """Version 3 is found on the 16th and was published on the 13th."""
    clock.set("2025-04-14T09:00:00")
    timeline.record(
        {
            "event_id": "strike",
            "title": "Strike",
            "occurred": "2025-04-13",
            "quantities": [{"measure": "killed", "value": 20}],
        },
        reported_at="2025-04-14",
    )
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-15")
    clock.set("2025-04-16T09:00:00")
    timeline.update("strike", {"quantities.0.value": 35}, reported_at="2025-04-13")
    timeline.update("strike", {"quantities.0.value": 36}, reported_at="same")
    timeline.update("strike", {"quantities.0.value": 37}, reported_at="2025-04-17")
    assert [row["reported_from"][:10] for row in timeline.history("strike")] == [
        "2025-04-14",
        "2025-04-15",
        "2025-04-15",
        "2025-04-15",
        "2025-04-17",
    ]
    assert believed(timeline, as_reported="2025-04-13") == (None,)
    assert believed(timeline, as_reported="2025-04-14")[:2] == (1, 20)
    # Of those that count from the same instant, the last.
    assert believed(timeline, as_reported="2025-04-15")[:2] == (4, 36)
    assert believed(timeline, as_reported="2025-04-17")[:2] == (5, 37)
    assert timeline.get("strike", version=3)["reported_at"] == "2025-04-13"
    assert timeline.get("strike", version=4)["reported_at"] == "2025-04-13"


def test_days_end_when_they_end_in_the_time_zone_of_the_log(
    path: Path, clock: TickingClock
) -> None:
    """In Kyiv at 21:00 UTC in summer, at 22:00 in winter."""
    clock.set("2025-01-01T00:00:00")
    with Timeline.create(path, title="Odesa", time_zone="Europe/Kyiv", now=clock) as timeline:
        for event_id, month, ends in (("winter", "01", "22:00"), ("summer", "07", "21:00")):
            clock.set(f"2025-{month}-15T12:00:00")
            timeline.record(
                {"event_id": event_id, "title": "One", "occurred": "2025"},
                reported_at=f"2025-{month}-15",
            )
            clock.set(f"2025-{month}-15T{ends}:00")
            clock.time -= clock.step  # recorded at the very moment when the day has ended
            timeline.update(event_id, {"title": "Two"}, reported_at=f"2025-{month}-16")
            versions = timeline.history(event_id)
            assert [row["reported_from"] for row in versions] == [
                f"2025-{month}-15T{int(ends[:2]) - 1}:59:59.999999Z",
                f"2025-{month}-16T{int(ends[:2]) - 1}:59:59.999999Z",
            ]
            assert versions[1]["recorded_at"] == f"2025-{month}-15T{ends}:00.000000Z"
            for clock_name in ("as_of", "as_reported"):
                for day, version in ((15, 1), (16, 2)):
                    when = {clock_name: f"2025-{month}-{day}"}
                    assert timeline.get(event_id, **when)["version"] == version
            local = {"as_of": f"2025-{month}-16T00:00:00"}  # without an offset: in Kyiv
            assert timeline.get(event_id, **local)["version"] == 2
            local = {"as_of": f"2025-{month}-15T23:59:59.999999"}
            assert timeline.get(event_id, **local)["version"] == 1


def test_an_entry_inside_a_batch_stands_for_the_end_of_the_batch(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.record({"event_id": "strike", "title": "One", "occurred": "2025"})
        append.update("strike", {"title": "Two"})
        append.record({"event_id": "other", "title": "Other", "occurred": "2025"})
    timeline.update("strike", {"title": "Three"})
    for seq in (1, 2, 3):
        assert timeline.get("strike", as_of=seq)["version"] == 2
        assert len(timeline.list(as_of=f"#{seq}")) == 2
    assert timeline.get("strike", as_of=4)["version"] == 3


def test_before_the_log_opened_there_was_nothing(timeline: Timeline, clock: TickingClock) -> None:
    tell_of_the_strike(timeline, clock)
    when = {"as_of": "2025-04-12"}
    assert timeline.list(**when) == timeline.search("Strike", **when) == []
    assert set(map(str, timeline.facets(**when).values())) == {"[]"}
    for read in (timeline.get, timeline.history):
        with pytest.raises(NotFound, match="as of then"):
            read("strike", **when)
    with reading(timeline.path) as connection:
        point = parse_as_of(connection, "2025-04-12")
        assert [*log_entries(connection, as_of=point)] == []


@pytest.mark.parametrize(
    ("moment", "error"),
    [
        ("soon", InvalidInput),
        ("2025-04", InvalidInput),
        ("2025-02-30", InvalidInput),
        ("2025-04-15T25:00:00Z", InvalidInput),
        ("", InvalidInput),
        (True, InvalidInput),
        (1.5, InvalidInput),
        ("half \ud800", InvalidInput),
        ("#6", NotFound),
        ("#999999999999999", NotFound),
        (-1, NotFound),
        (2**70, NotFound),
        (-(2**70), NotFound),
    ],
)
@pytest.mark.parametrize("which", ["as_of", "as_reported"])
def test_what_is_no_moment_is_refused(
    timeline: Timeline, clock: TickingClock, which: str, moment: object, error: type[Exception]
) -> None:
    tell_of_the_strike(timeline, clock)
    for read in (timeline.list, lambda **when: timeline.get("strike", **when)):
        with pytest.raises(error) as caught:
            read(**{which: moment})
        if isinstance(caught.value, InvalidInput):
            assert caught.value.field == which


def test_a_version_is_there_from_its_own_time_on(timeline: Timeline, clock: TickingClock) -> None:
    tell_of_the_strike(timeline, clock)
    assert timeline.get("strike", version=2)["quantities"][0]["value"] == "34"
    assert timeline.get("strike", version=2, as_of=3)["version"] == 2
    for version, when in ((3, {"as_of": 2}), (6, {}), (0, {}), (-1, {})):
        with pytest.raises(NotFound):
            timeline.get("strike", version=version, **when)
    for event_id in ("nowhere", "", "STRIKE", "half \ud800", "nul\x00"):
        for read in (timeline.get, timeline.history):
            with pytest.raises(NotFound):
                read(event_id)


def test_an_event_is_read_with_its_content_its_bounds_and_how_it_stands(
    timeline: Timeline, clock: TickingClock
) -> None:
    tell_of_the_strike(timeline, clock)
    assert timeline.get("strike", version=4) == {
        "event_id": "strike",
        "title": "Strike on Sumy",
        "occurred": "2025-04-13",
        "quantities": [{"measure": "killed", "value": "35", "unit": "person"}],
        "modality": "actual",
        "verification": "reported",
        "occurred_from": "2025-04-13",
        "occurred_to": "2025-04-13",
        "occurred_precision": "day",
        "state": "retracted",
        "version": 4,
        "seq": 4,
        "recorded_at": "2025-04-16T18:00:01.000000Z",
        "reported_at": "2025-04-16",
    }


def test_a_history_has_every_version_with_what_it_changed(
    timeline: Timeline, clock: TickingClock
) -> None:
    tell_of_the_strike(timeline, clock)
    versions = timeline.history("strike")
    assert [(row["version"], row["kind"], row["reason"]) for row in versions] == [
        (1, "event.recorded", None),
        (2, "event.updated", None),
        (3, "event.corrected", "Counted again"),
        (4, "event.retracted", "A hoax"),
        (5, "event.reinstated", None),
    ]
    assert [row["changes"] for row in versions] == [
        [],
        [{"path": "/quantities/0/value", "old_value": "20", "new_value": "34"}],
        [{"path": "/quantities/0/value", "old_value": "34", "new_value": "35"}],
        [],
        [],
    ]
    for earlier, later in itertools.pairwise(versions):
        assert earlier["superseded_at"] == later["recorded_at"]
    assert versions[-1]["superseded_at"] is None


# --- The past is what it was --------------------------------------------------------------

Answers = dict[str, Any]


def answers(read: Callable[..., Any], *args: Any, **when: Any) -> Any:
    try:
        return read(*args, **when)
    except NotFound:
        return None


@PAST
@given(story=st.lists(event_operations, min_size=1, max_size=12))
def test_an_event_as_of_an_entry_is_what_it_was_right_after(
    empty: Path, tmp_path: Path, story: list[Operation]
) -> None:
    """Appends of one entry; each event, its history, and each moment between two appends."""
    path = fresh(empty, tmp_path)
    then: dict[int, Answers] = {}
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for operation in story:
            tell(timeline, [operation])
            with reading(path) as connection:
                seq, recorded_at = connection.execute(
                    "SELECT seq, recorded_at FROM log ORDER BY seq DESC LIMIT 1"
                ).fetchone()
            then[seq] = {
                "recorded_at": recorded_at,
                "get": {key: answers(timeline.get, key) for key in (*EVENTS, *NEW_EVENTS)},
                "history": {key: answers(timeline.history, key) for key in (*EVENTS, *NEW_EVENTS)},
            }
        for seq, known in then.items():
            for moment in (seq, f"#{seq}", known["recorded_at"]):
                for event_id in (*EVENTS, *NEW_EVENTS):
                    assert answers(timeline.get, event_id, as_of=moment) == known["get"][event_id]
                    assert (
                        answers(timeline.history, event_id, as_of=moment)
                        == known["history"][event_id]
                    )


@PAST
@given(story=stories, data=st.data())
def test_many_events_are_read_as_each_of_them_is(
    empty: Path, tmp_path: Path, story: list[list[Operation]], data: st.DataObject
) -> None:
    """In any order, twice too, at any point of both clocks; the first that is not there ends it."""
    path = fresh(empty, tmp_path)
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
    with reading(path) as connection:
        newest = connection.execute("SELECT max(seq) FROM log").fetchone()[0]
        some_ids = st.lists(st.sampled_from((*EVENTS, *NEW_EVENTS, "nul\x00", "half \ud800")))
        ids = data.draw(some_ids)
        reported = st.sampled_from((NOW.reported, "2025-04-14T", "2025-04-15T", "2025-04-13T"))
        for seq in (NOW.seq, *range(-1, newest + 1)):
            point = AsOf(seq, data.draw(reported))
            assert _until_not_found(query.each(connection, ids, as_of=point)) == _until_not_found(
                query.get(connection, event_id, as_of=point) for event_id in ids
            )


def _until_not_found(found: Iterator[Any]) -> tuple[list[Any], str]:
    events: list[Any] = []
    try:
        events.extend(found)
    except NotFound as error:
        return events, str(error)
    return events, ""


def test_more_events_than_are_looked_up_at_once_are_read_in_their_order(timeline: Timeline) -> None:
    timeline.record(
        [{"event_id": f"e-{n}", "title": f"{n}", "occurred": "2025"} for n in range(1_201)]
    )
    wanted = [f"e-{n * 7 % 1_201}" for n in range(1_201)]
    with reading(timeline.path) as connection:
        assert [event["event_id"] for event in query.each(connection, iter(wanted))] == wanted
        assert [*query.each(connection, [])] == []


READS: tuple[Callable[..., Any], ...] = (
    lambda t, **when: t.list(state="all", **when),
    lambda t, **when: t.list(country="Ukraine", since="2025-04-14", **when),
    lambda t, **when: t.list(at_risk="yes", **when),
    lambda t, **when: t.facets(**when),
    lambda t, **when: t.facets(state="all", text="odesa", **when),
    lambda t, **when: t.search("odesa", **when),
    lambda t, **when: t.search("lodz", state="all", **when),
)


def without_names_of_today(found: Any) -> Any:
    """All but names of actors and titles of sources, which are always today's."""
    if isinstance(found, dict):
        return {key: rows for key, rows in found.items() if key not in ("actor", "source")}
    return [{key: row[key] for key in row if key not in ("actors", "match")} for row in found]


@PAST
@given(story=stories)
def test_lists_facets_and_search_as_of_the_end_of_an_append_are_what_they_were(
    empty: Path, tmp_path: Path, story: list[list[Operation]]
) -> None:
    """But for names of actors and titles of sources, which are always today's."""
    path = fresh(empty, tmp_path)
    then: dict[int, list[Any]] = {}
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
            with reading(path) as connection:
                (seq,) = connection.execute("SELECT max(seq) FROM log").fetchone()
            then[seq] = [without_names_of_today(read(timeline)) for read in READS]
        for seq, known in then.items():
            found = [without_names_of_today(read(timeline, as_of=seq)) for read in READS]
            assert [*map(_unordered, found)] == [*map(_unordered, known)]
            both = [
                without_names_of_today(read(timeline, as_of=seq, as_reported="2030-01-01"))
                for read in READS
            ]
            assert both == found


def _unordered(found: Any) -> Any:
    """Rows without their order: the rank of a match depends on the names of actors."""
    return sorted(found, key=repr) if isinstance(found, list) else found


@PAST
@given(story=st.lists(st.lists(event_operations, min_size=1, max_size=4), max_size=8))
def test_without_new_names_even_the_order_and_the_matches_are_what_they_were(
    empty: Path, tmp_path: Path, story: list[list[Operation]]
) -> None:
    path = fresh(empty, tmp_path)
    then: dict[int, list[Any]] = {}

    def all_answers(timeline: Timeline, **when: Any) -> list[Any]:
        return [
            timeline.list(state="all", **when),
            timeline.facets(**when)["source"],
            timeline.search("odesa", **when),
        ]

    with Timeline.open(path, now=TickingClock()) as timeline:
        with timeline.append() as append:
            append.record_actor(
                {"actor_id": "all", "name": "NATO", "aliases": ["Orbán", "Zelensky", "Mark Rutte"]}
            )
            append.record_actor({"actor_id": "zel", "name": "Volodymyr Zelenskyy"})
            append.record_actor({"actor_id": "rutte", "name": "Mark Rutte"})
            append.record_actor({"actor_id": "nato", "name": "Nato"})
        begin_without_actors(timeline)
        for append_of in story:
            tell(timeline, append_of)
            with reading(path) as connection:
                (seq,) = connection.execute("SELECT max(seq) FROM log").fetchone()
            then[seq] = all_answers(timeline)
        for seq, known in then.items():
            assert all_answers(timeline, as_of=seq) == known


def begin_without_actors(timeline: Timeline) -> None:
    with timeline.append() as append:
        for event_id in EVENTS:
            append.record({"event_id": event_id, "title": event_id, "occurred": "2025-04-15"})
        for source_id in ("paper", "radio"):
            append.record_source({"source_id": source_id, "title": source_id})


@PAST
@given(story=stories, day=st.integers(12, 17))
def test_lists_as_reported_have_the_same_versions_as_single_looks(
    empty: Path, tmp_path: Path, story: list[list[Operation]], day: int
) -> None:
    path = fresh(empty, tmp_path)
    when = {"as_reported": f"2025-04-{day}"}
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
        single = {
            event_id: answers(timeline.get, event_id, **when) for event_id in (*EVENTS, *NEW_EVENTS)
        }
        listed = {row["event_id"]: row for row in timeline.list(state="all", **when)}
        assert set(listed) == {event_id for event_id, found in single.items() if found}
        for event_id, row in listed.items():
            for field in ("version", "title", "state", "seq", "reported_at", "recorded_at"):
                assert row[field] == single[event_id][field]


def test_names_of_actors_in_the_past_are_todays(timeline: Timeline) -> None:
    timeline.record(
        {
            "event_id": "visit",
            "title": "Visit",
            "occurred": "2025",
            "participants": [{"name": "Turkey"}],
        }
    )
    timeline.retract("visit", reason="Never held")
    with timeline.append() as append:
        append.record_actor({"actor_id": "tur", "name": "Türkiye", "aliases": ["Turkey"]})
    assert timeline.list(as_of="#1")[0]["actors"] == "Türkiye"
    assert timeline.facets(as_of="#1")["actor"] == [
        {"value": "tur", "label": "Türkiye", "count": 1}
    ]
    for name in ("Turkey", "Türkiye", "tur"):
        assert len(timeline.list(as_of="#1", actor=name)) == 1
    assert timeline.get("visit", as_of="#1")["participants"] == [{"name": "Turkey"}]


def test_an_external_id_that_moved_between_two_reports_does_not_break_the_past(
    timeline: Timeline,
) -> None:
    event = {"title": "Talks", "occurred": "2025", "external_ids": ["gdelt:1"]}
    timeline.record({"event_id": "first", **event}, reported_at="2025-04-01")
    timeline.update("first", {"external_ids": None}, reported_at="2025-04-03")
    timeline.record({"event_id": "second", **event}, reported_at="2025-04-01")
    # On the 2nd both were reported with it: the second report was found late.
    assert len(timeline.list(as_reported="2025-04-02")) == 2


def test_a_word_that_the_vocabulary_has_lost_is_still_counted_in_the_past(
    timeline: Timeline,
) -> None:
    timeline.record({"event_id": "old", "title": "x", "occurred": "2025", "event_type": "AID"})
    timeline.update("old", {"event_type": None})
    with timeline.append() as append:
        append.update_log({"vocabulary.event_types": [{"code": "NEW", "label": "New"}]})
    assert timeline.facets(as_of="#1")["event_type"] == [
        {"value": "AID", "label": "AID", "count": 1}
    ]
    assert len(timeline.list(as_of="#1", event_type="AID")) == 1
    with pytest.raises(InvalidInput):
        timeline.list(event_type="AID")


# --- What people type for an event --------------------------------------------------------


@pytest.fixture
def named(timeline: Timeline) -> Timeline:
    """Entries 1 to 4: three events, and a second version of the first."""
    for event_id in ("odesa-visit", "odesa-talks", "sumy"):
        timeline.record({"event_id": event_id, "title": event_id, "occurred": "2025"})
    timeline.update("odesa-visit", {"note": "a"})
    return timeline


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("odesa-visit", ("odesa-visit", None)),
        ("odesa-v", ("odesa-visit", None)),
        ("s", ("sumy", None)),
        ("sumy@1", ("sumy", 1)),
        ("odesa-v@2", ("odesa-visit", 2)),
        ("#1", ("odesa-visit", 1)),
        ("#3", ("sumy", 1)),
        ("#4", ("odesa-visit", 2)),
    ],
)
def test_an_event_is_named_by_a_beginning_a_version_or_an_entry(
    named: Timeline, text: str, expected: tuple[str, int | None]
) -> None:
    assert named.resolve(text) == expected


def test_an_id_that_is_the_beginning_of_another_is_found(named: Timeline) -> None:
    for number in range(40):
        named.record({"event_id": f"sumy-{number}", "title": "x", "occurred": "2025"})
    assert named.resolve("sumy") == ("sumy", None)
    with pytest.raises(Ambiguous):
        named.resolve("sum")


def test_a_beginning_of_several_is_refused_with_all_of_them(named: Timeline) -> None:
    with pytest.raises(Ambiguous) as caught:
        named.resolve("odesa")
    assert caught.value.matches == ("odesa-talks", "odesa-visit")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("odesa-vist", "did you mean odesa-visit?"),
        ("SUMY", "did you mean sumy?"),
        ("kyiv", ""),
        ("", ""),
        ("@2", ""),
        ("sumy@", "such as ID@3"),
        ("sumy@0", "such as ID@3"),
        ("sumy@two", "such as ID@3"),
        ("#0", "that entry is about log"),
        ("#99", ""),
        ("#", ""),
        ("%", ""),
        ("half \ud800", ""),
        ("nul\x00", ""),
    ],
)
def test_what_names_no_event_is_refused_with_the_nearest(
    named: Timeline, text: str, hint: str
) -> None:
    with pytest.raises(NotFound) as caught:
        named.resolve(text)
    assert hint in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec=None, exclude_categories=()), max_size=12))
def test_any_text_names_an_event_or_is_refused(demo: Timeline, text: str) -> None:
    with contextlib.suppress(NotFound, Ambiguous):
        event_id, _ = demo.resolve(text)
        assert demo.get(event_id)["event_id"] == event_id


# --- Filters ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timeline]:
    """A small world in which every filter has something to take and something to leave."""
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    with Timeline.create(path, title="A small world", now=TickingClock()) as timeline:
        with timeline.append() as append:
            append.record_source(
                {
                    "source_id": "paper",
                    "title": "A paper",
                    "publisher": "The Daily",
                    "url": "https://example.org/a",
                }
            )
            append.record_source({"source_id": "radio", "title": "A radio"})
            append.record_actor(
                {"actor_id": "zel", "name": "Volodymyr Zelenskyy", "aliases": ["Zelensky"]}
            )
            append.record_actor({"actor_id": "office", "name": "Office of the President"})
            append.record_actor({"actor_id": "bankova", "name": "Bankova"})
            append.merge_actor("bankova", "office")
            append.merge_actor("office", "zel")
            for event in SMALL_WORLD:
                append.record(event)
            append.retract("gone", Said(reason="Never held"))
            append.merge("twin", "talks")
        yield timeline


SMALL_WORLD: tuple[dict[str, Any], ...] = (
    {
        "event_id": "talks",
        "highlight": True,
        "title": "Talks in Odesa",
        "occurred": "2025-04-15",
        "event_type": "Consultation",
        "place": {"name": "Odesa", "country": "UA"},
        "participants": [{"name": "Zelensky"}, {"name": "Mark Rutte"}],
        "tags": ["Łódź", "Peace"],
        "citations": [{"source_id": "paper"}, {"source_id": "radio"}],
    },
    {
        "event_id": "strike",
        "title": "A strike, and who's to blame",
        "occurred": "2025-04-13T10:15",
        "event_type": "ASSAULT",
        "place": {"name": "Sumy", "country": "UA", "lat": "50.91", "lon": "34.80"},
        "participants": [{"name": "John Smith", "actor_id": "smith-poet"}],
        "tags": ["war"],
        "citations": [{"source_id": "radio"}],
        "verification": "disputed",
    },
    {
        "event_id": "plan",
        "title": "A visit is planned",
        "occurred": "2025-33",
        "modality": "planned",
        "place": {"name": "Ankara", "country": "TR"},
        "participants": [{"name": "Bankova"}, {"name": "MARK RUTTE"}],
    },
    {"event_id": "until-then", "title": "It went on until then", "occurred": "../2025-04-14"},
    {"event_id": "since-then", "title": "It goes on since then", "occurred": "2025-04-14/.."},
    {"event_id": "month", "title": "Some time in April", "occurred": "2025-04"},
    {"event_id": "years", "title": "Over the year's end", "occurred": "2024-12/2025-01"},
    {
        "event_id": "gone",
        "title": "A hoax",
        "occurred": "2025-04-15",
        "place": {"name": "Odesa", "country": "UA"},
    },
    {"event_id": "twin", "title": "The same talks", "occurred": "2025-04-15"},
)
ALL = {event["event_id"] for event in SMALL_WORLD}
CURRENT = ALL - {"gone", "twin"}


def ids(rows: list[dict[str, Any]]) -> set[str]:
    found = [row["event_id"] for row in rows]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("event_type", "CONSULT", {"talks"}),
        ("event_type", "consultation", {"talks"}),
        ("event_type", " Assault ", {"strike"}),
        ("event_type", "AID", set()),
        ("country", "UKR", {"talks", "strike"}),
        ("country", "ukraine", {"talks", "strike"}),
        ("country", "Türkiye", {"plan"}),
        ("country", "France", set()),
        ("place", "Odesa", {"talks"}),
        ("place", " odesa ", {"talks"}),
        ("area", "30,45,40,60", {"strike"}),
        ("area", " 34.8, 50.91, 34.8, 50.91 ", {"strike"}),
        ("area", "170,45,34.8,50.91", {"strike"}),
        ("area", "34.81,-90,34.79,90", set()),
        ("actor", "zel", {"talks", "plan"}),
        ("actor", "Volodymyr Zelenskyy", {"talks", "plan"}),
        ("actor", "zelensky", {"talks", "plan"}),
        ("actor", "bankova", {"talks", "plan"}),  # merged, by way of another
        ("actor", "Office of the President", {"talks", "plan"}),
        ("actor", "Mark Rutte", {"talks", "plan"}),
        ("actor", "mark  rutte", {"talks", "plan"}),
        ("actor", names.actor_id_of("Mark Rutte"), {"talks", "plan"}),
        ("actor", "smith-poet", {"strike"}),
        ("actor", "john smith", {"strike"}),
        ("actor", "Nobody", set()),
        ("tag", "peace", {"talks"}),
        ("tag", "ŁÓDŹ", {"talks"}),
        ("tag", " War", {"strike"}),
        ("source", "paper", {"talks"}),
        ("source", "https://example.org/a", {"talks"}),
        ("source", "the daily", {"talks"}),
        ("source", "radio", {"talks", "strike"}),
        ("modality", "planned", {"plan"}),
        ("modality", "Planned", {"plan"}),
        ("verification", "disputed", {"strike"}),
        ("precision", "quarter", {"plan"}),
        ("precision", "open", {"until-then", "since-then"}),
        ("precision", "half year", set()),
        ("year", 2025, CURRENT - {"years", "until-then", "since-then"}),
        ("year", "2025", CURRENT - {"years", "until-then", "since-then"}),
        ("year", -44, set()),
        ("month", "2025-04", {"talks", "strike", "month"}),
        ("month", "April 2025", {"talks", "strike", "month"}),
        ("month", "2025-04-15", {"talks", "strike", "month"}),
        ("state", "current", CURRENT),
        ("state", "retracted", {"gone"}),
        ("state", "Merged", {"twin"}),
        ("state", "erased", set()),
        ("state", "all", ALL),
        ("state", None, CURRENT),
        ("at_risk", "yes", set()),
        ("at_risk", False, CURRENT),
        ("highlight", "yes", {"talks"}),
        ("highlight", "no", CURRENT - {"talks"}),
        ("country", None, CURRENT),
    ],
)
def test_each_filter_takes_what_people_write(
    demo: Timeline, name: str, value: object, expected: set[str]
) -> None:
    assert ids(demo.list(**{name: value})) == expected
    as_of = {"as_of": "2030-01-01"}
    assert ids(demo.list(**{name: value}, **as_of)) == expected


UNBOUNDED = {"until-then", "since-then"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("since", "2025-04-15", {"talks", "month", "since-then"}),
        ("since", "2025-04-14", {"talks", "month", *UNBOUNDED}),
        ("since", "2025-04-13", {"talks", "strike", "month", *UNBOUNDED}),
        ("since", "2025-04-13T10:15:30", {"talks", "strike", "month", *UNBOUNDED}),
        ("since", "2025-04-13T10:16", {"talks", "month", *UNBOUNDED}),
        # A day that is not over yet could still hold it.
        ("since", "2025-04-15T18:00", {"talks", "month", "since-then"}),
        ("since", "2025-03-31", CURRENT - {"years"}),
        ("since", "2025-04", CURRENT - {"years", "plan"}),
        ("since", "first quarter of 2025", CURRENT),
        ("since", "2025-01-31", CURRENT),
        ("since", "../2025-04-15", CURRENT),  # no first day: no limit
        ("until", "2025-04-13", {"strike", "plan", "month", "years", "until-then"}),
        ("until", "2025-04-13T10:14", {"plan", "month", "years", "until-then"}),
        ("until", "2025-04-13T10:15", {"strike", "plan", "month", "years", "until-then"}),
        ("until", "2025-04-14", CURRENT - {"talks"}),
        ("until", "2025-04", CURRENT),
        ("until", "2024", {"years", "until-then"}),
        ("until", "-0044", {"until-then"}),
        ("until", "2025-04-15/..", CURRENT),  # no last day: no limit
    ],
)
def test_a_period_takes_all_that_could_have_happened_in_it(
    demo: Timeline, name: str, value: str, expected: set[str]
) -> None:
    assert ids(demo.list(**{name: value})) == expected


def test_filters_go_together(demo: Timeline) -> None:
    assert ids(demo.list(country="UA", since="2025-04-14", until="April 2025")) == {"talks"}
    assert ids(demo.list(country="UA", state="all")) == {"talks", "strike", "gone"}
    assert ids(demo.search("odesa", tag="war")) == set()
    assert [row["event_id"] for row in demo.list(limit=2)] == ["until-then", "years"]


def test_a_list_is_in_the_order_in_which_things_happened(demo: Timeline) -> None:
    assert [row["event_id"] for row in demo.list()] == [
        "until-then",  # no start
        "years",
        "plan",
        "month",
        "strike",
        "since-then",
        "talks",
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("event_type", "Consultatoin", "did you mean CONSULT"),
        ("country", "Ukrain", "did you mean"),
        ("since", "04/05/2025", "2025"),
        ("until", "soon", ""),
        ("month", "2025", "is not a month"),
        ("year", "last year", "is not a year"),
        ("year", "2025.5", "is not a year"),
        ("modality", "imagined", "hypothetical"),
        ("verification", "true", "corroborated"),
        ("precision", "fortnight", "quarter"),
        ("state", "deleted", "retracted"),
        ("at_risk", "perhaps", "yes, no"),
        ("highlight", "perhaps", "yes, no"),
        ("place", "half \ud800", "surrogate"),
        ("area", "30,45,40", "write west,south,east,north in degrees"),
        ("area", "30;45;40;60", "write west,south,east,north in degrees"),
        ("area", "30,60,40,45", "south is the second number"),
        ("area", "30,45,181,60", "from -180 to 180"),
        ("area", "1e1,45,nan,60", "write west,south,east,north in degrees"),
        ("actor", "half \ud800", "surrogate"),
        ("colour", "red", "known are event_type"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_by_name(
    demo: Timeline, name: str, value: str, problem: str
) -> None:
    for read in (demo.list, demo.facets, lambda **f: demo.search("odesa", **f)):
        with pytest.raises(InvalidInput) as caught:
            read(**{name: value})
        assert caught.value.field == name
        assert problem in str(caught.value)


def test_every_filter_is_tried(demo: Timeline) -> None:
    marks = test_each_filter_takes_what_people_write.pytestmark  # type: ignore[attr-defined]
    tried = {case[0] for case in marks[0].args[1]} | {"since", "until"}
    others = {"measure", "unit", "at_least", "at_most"}  # tests/reading/test_filters.py
    others |= {name for name in FILTERS if name.startswith("not_") or name.endswith("_match")}
    assert tried == set(FILTERS) - others


def test_a_log_without_words_of_its_own_filters_by_any_type(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.update_log({"vocabulary.event_types": None})
        append.record({"title": "x", "occurred": "2025", "event_type": "Anything"})
    assert len(timeline.list(event_type="Anything")) == 1
    assert timeline.list(event_type="Nothing") == []
    assert timeline.facets()["event_type"] == [
        {"value": "Anything", "label": "Anything", "count": 1}
    ]


# --- Facets -------------------------------------------------------------------------------


def counted_plainly(timeline: Timeline, rows: list[dict[str, Any]]) -> dict[str, Counter[Any]]:
    """The counts of every facet, from the contents of the events themselves."""
    columns = {
        "event_type": "event_type",
        "country": "country",
        "year": "year",
        "month": "month",
        "modality": "modality",
        "verification": "verification",
        "precision": "occurred_precision",
        "state": "state",
    }
    counts = {
        facet: Counter(row[column] for row in rows if row[column] is not None)
        for facet, column in columns.items()
    }
    counts["at_risk"] = Counter(row["at_risk"] for row in rows if row["at_risk"])
    counts["highlight"] = Counter(row["highlight"] for row in rows if row["highlight"])
    counts |= {facet: Counter() for facet in ("actor", "tag", "source")}
    with reading(timeline.path) as connection:
        for row in rows:
            content = timeline.get(row["event_id"])
            counts["tag"].update(set(content.get("tags", ())))
            counts["source"].update({c["source_id"] for c in content.get("citations", ())})
            counts["actor"].update(
                {
                    actor_id
                    for (actor_id,) in connection.execute(
                        "SELECT actor_id FROM event_actors WHERE event_id = ?", (row["event_id"],)
                    )
                }
            )
    return counts


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"state": "all"},
        {"country": "UKR"},
        {"actor": "Mark Rutte", "since": "2025-04-01"},
        {"tag": "peace"},
        {"source": "radio"},
        {"month": "April 2025", "verification": "reported"},
        {"country": "France"},
    ],
)
def test_facets_are_the_plain_counts_of_a_list(demo: Timeline, filters: dict[str, Any]) -> None:
    found = demo.facets(**filters)
    assert list(found) == list(selection.FACETS)
    plain = counted_plainly(demo, demo.list(**filters))
    assert {
        facet: {row["value"]: row["count"] for row in rows} for facet, rows in found.items()
    } == {facet: dict(plain[facet]) for facet in found}
    for facet, rows in found.items():
        order = (
            (lambda row: row["value"])
            if facet in ("year", "month")
            else (lambda row: (-row["count"], row["label"]))
        )
        assert rows == sorted(rows, key=order)


def test_every_value_of_a_facet_is_a_filter_that_lists_as_many(demo: Timeline) -> None:
    for facet, rows in demo.facets(state="all").items():
        for row in rows:
            filters = {"state": "all", facet: row["value"]}
            assert len(demo.list(**filters)) == row["count"], (facet, row)


def test_facets_have_labels_that_people_read(demo: Timeline) -> None:
    found = demo.facets()
    labels = {facet: [row["label"] for row in rows] for facet, rows in found.items()}
    assert labels["event_type"] == ["Assault", "Consultation"]
    assert labels["country"] == ["Ukraine", "Turkey"] or labels["country"] == ["Ukraine", "Türkiye"]
    assert labels["actor"] == ["Mark Rutte", "Volodymyr Zelenskyy", "John Smith"]
    assert labels["source"] == ["A radio", "A paper"]


@PAST
@given(story=stories)
def test_facets_are_the_plain_counts_of_a_list_whatever_was_told(
    empty: Path, tmp_path: Path, story: list[list[Operation]]
) -> None:
    path = fresh(empty, tmp_path)
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
        for text in (None, "odesa"):
            rows = timeline.search(text, state="all") if text else timeline.list(state="all")
            found = timeline.facets(state="all", text=text)
            plain = counted_plainly(timeline, rows)
            assert {
                facet: {row["value"]: row["count"] for row in rows} for facet, rows in found.items()
            } == {facet: dict(plain[facet]) for facet in found}


# --- Search -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("talks", {"talks"}),
        ("TALKS odesa", {"talks"}),
        ("odesa talks", {"talks"}),
        ("talks sumy", set()),
        ('"talks in odesa"', {"talks"}),
        ('"odesa in talks"', set()),
        ('"in odesa" rutte', {"talks"}),
        ("od", {"talks"}),  # the last word may be unfinished
        ("od talks", set()),  # but no other
        ('"od"', set()),  # and no phrase
        ("talks ode", {"talks"}),
        ("zelenskyy", {"talks", "plan"}),
        ("zelensky", {"talks", "plan"}),
        ("who's", {"strike"}),
        ("year's", {"years"}),
        ("\"who's to blame", {"strike"}),
        ('talks"', {"talks"}),
        ("talks OR strike", set()),  # words like others
        ("talks AND odesa", set()),
        ("NOT talks", set()),
        ("title:talks", set()),
        ("talks*", {"talks"}),
        ("^talks", {"talks"}),
        ("(talks)", {"talks"}),
        ("talks - odesa", {"talks"}),
        ("talks -", {"talks"}),
        ("talks + odesa", {"talks"}),
        ("NEAR(talks odesa)", set()),
        ("{title}: talks", set()),
        ("talks\x00odesa", {"talks"}),
        ("talks\nodesa", {"talks"}),
        ("hoax", set()),
    ],
)
def test_search_takes_the_words_of_people(demo: Timeline, text: str, expected: set[str]) -> None:
    assert ids(demo.search(text)) == expected
    assert {row["value"]: row["count"] for row in demo.facets(text=text)["state"]} == (
        {"current": len(expected)} if expected else {}
    )


def test_search_shows_the_words_around_a_match(demo: Timeline) -> None:
    (row,) = demo.search("odesa")
    assert row["match"] == "Talks in \x02Odesa\x03"
    assert ids(demo.search("hoax", state="all")) == {"gone"}
    assert len(demo.search("a", limit=2)) == 2


def test_search_shows_the_words_around_a_match_in_a_long_text(timeline: Timeline) -> None:
    hay = "hay " * 3_000
    timeline.record(
        [
            {"event_id": "one", "title": "A", "occurred": "2025", "summary": f"{hay}needle {hay}"},
            {"event_id": "two", "title": "Needles", "occurred": "2025", "summary": hay},
            {"event_id": "far", "title": "A", "occurred": "2025", "summary": hay * 2 + "needle"},
        ]
    )
    found = {row["event_id"]: row.get("match") for row in timeline.search("needle")}
    assert re.fullmatch(r"\.\.\. (hay )*\x02needle\x03( hay)+ \.\.\.", found["one"])
    assert found["two"] == "\x02Needles\x03"
    assert found["far"] is None
    found = {row["event_id"]: row.get("match") for row in timeline.search("hay needle")}
    assert "\x02needle\x03" in found["one"]


def test_the_best_match_comes_first(timeline: Timeline) -> None:
    timeline.record(
        [
            {
                "event_id": "by-the-way",
                "title": "Something else altogether",
                "summary": "It was a long day, and somewhere, by the way, talks were held, too",
                "occurred": "2025-01-01",
            },
            {"event_id": "all-about", "title": "Talks", "occurred": "2025-02-01"},
        ]
    )
    assert [row["event_id"] for row in timeline.search("talks")] == ["all-about", "by-the-way"]


@pytest.mark.parametrize(
    "text", ["", " ", '""', "-", "_", "*", "\x00", '" "', "\ud800", "a \ud800"]
)
def test_a_search_without_a_word_is_refused(demo: Timeline, text: str) -> None:
    for read in (demo.search, lambda text: demo.facets(text=text)):
        with pytest.raises(InvalidInput) as caught:
            read(text)
        assert caught.value.field == "text"


@settings(max_examples=600, deadline=None)
@given(
    text=st.one_of(
        st.text(st.characters(codec=None, exclude_categories=())),
        st.text("\"'*^-+:(){}[]~<>&|\\ \x00_aé²Ⅷ٣́\U00010400\ue000,.NEAROTDX"),
        st.lists(st.sampled_from(["talks", '"', "OR", "NEAR(", "*", "^", "title :", "-", ")"])).map(
            " ".join
        ),
    )
)
def test_no_text_breaks_a_search(demo: Timeline, text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert ids(demo.search(text)) <= CURRENT


def test_a_search_of_thousands_of_words_is_answered(demo: Timeline) -> None:
    assert demo.search(" ".join(f"word{number}" for number in range(5_000))) == []


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(sorted(FILTERS)),
    value=st.one_of(
        st.text(st.characters(codec=None, exclude_categories=())), st.integers(), st.booleans()
    ),
)
def test_no_value_breaks_a_filter(demo: Timeline, name: str, value: object) -> None:
    with contextlib.suppress(InvalidInput):
        assert ids(demo.list(**{name: value})) <= ALL


# --- The log and the neighbours -----------------------------------------------------------


def test_the_entries_of_the_log_come_newest_first(timeline: Timeline, clock: TickingClock) -> None:
    tell_of_the_strike(timeline, clock)
    with reading(timeline.path) as connection:
        entries = [*log_entries(connection)]
        assert [entry["seq"] for entry in entries] == [5, 4, 3, 2, 1, 0]
        assert entries[1] == {
            "seq": 4,
            "id": entries[1]["id"],
            "kind": "event.retracted",
            "subject": "event/strike",
            "version": 4,
            "recorded_at": "2025-04-16T18:00:01.000000Z",
            "reported_at": "2025-04-16",
            "payload": {"reason": "A hoax"},
            "leaf": entries[1]["leaf"],
        }
        assert connection.execute("SELECT leaf FROM log WHERE seq = 4").fetchone() == (
            bytes.fromhex(entries[1]["leaf"]),
        )
        assert [entry["seq"] for entry in log_entries(connection, limit=2)] == [5, 4]
        point = parse_as_of(connection, "2025-04-14")
        assert [entry["seq"] for entry in log_entries(connection, as_of=point)] == [2, 1, 0]


def test_related_events_are_named_both_ways(demo: Timeline, timeline: Timeline) -> None:
    timeline.record(
        [
            {"event_id": "series", "title": "Series", "occurred": "2025"},
            *(
                {
                    "event_id": f"part-{number}",
                    "title": f"Part {number}",
                    "occurred": "2025",
                    "relations": [{"type": "part_of", "event_id": "series"}],
                }
                for number in (1, 2)
            ),
        ]
    )
    with reading(timeline.path) as connection:
        assert [
            (row["direction"], row["relation"], row["event_id"], row["title"])
            for row in query.related(connection, "series")
        ] == [("from", "part_of", "part-1", "Part 1"), ("from", "part_of", "part-2", "Part 2")]
        assert [row["direction"] for row in query.related(connection, "part-1")] == ["to"]
    with reading(demo.path) as connection:
        assert set(sources_by_id(connection, ["paper", "nowhere"])) == {"paper"}
        assert query.labels(connection)["CONSULT"] == "Consultation"


# --- How the past is found ----------------------------------------------------------------


def steps(connection: sqlite3.Connection, read: Callable[[], object]) -> int:
    """How many instructions SQLite takes for what `read` asks."""
    count = itertools.count()
    connection.set_progress_handler(lambda: next(count) < 0, 1)
    read()
    connection.set_progress_handler(None, 1)
    return next(count)


def test_a_look_into_the_past_costs_the_same_however_long_the_history(
    timeline: Timeline, clock: TickingClock
) -> None:
    timeline.record({"event_id": "short", "title": "0", "occurred": "2025"})
    timeline.record({"event_id": "long", "title": "0", "occurred": "2025"})
    with timeline.append() as append:
        for number in range(1, 1_001):
            day = Said(reported_at=f"{2030 + number}-01-01")
            append.update("long", {"title": str(number)}, day)
            if number % 200 == 0:
                append.update("short", {"title": str(number)}, day)
    middle = rows_of(timeline, "SELECT seq FROM log WHERE subject = 'event/long' AND version = 500")
    moments: list[dict[str, object]] = [
        {},
        {"as_of": middle[0][0]},
        {"as_of": "2025-04-15"},
        {"as_reported": middle[0][0]},
        {"as_reported": "2530-01-01"},
        {"as_of": middle[0][0], "as_reported": "2530-01-01"},
    ]
    with reading(timeline.path) as connection:
        for moment in moments:
            taken = []
            for event_id in ("short", "long"):
                point = parse_as_of(connection, **moment)
                query.get(connection, event_id, as_of=point)
                taken.append(
                    steps(
                        connection,
                        lambda: query.get(
                            connection,
                            event_id,  # noqa: B023
                            as_of=parse_as_of(connection, **moment),  # noqa: B023
                        ),
                    )
                )
            assert max(taken) < 200, moment
            assert taken[1] <= taken[0] * 1.2, moment


def rows_of(timeline: Timeline, sql: str) -> list[tuple[Any, ...]]:
    with reading(timeline.path) as connection:
        return connection.execute(sql).fetchall()


def test_a_period_may_be_given_in_the_language_of_the_log(tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "uk.db", title="Одеса", language="uk") as timeline:
        timeline.record([{"event_id": "talks", "title": "Розмови", "occurred": "2025-04-15"}])
        assert [row["event_id"] for row in timeline.list(since="15 квітня 2025")] == ["talks"]
        assert timeline.list(since="16 квітня 2025") == []
        assert [row["event_id"] for row in timeline.list(until="квітень 2025")] == ["talks"]
        with pytest.raises(InvalidInput, match="since: "):
            timeline.list(since="15 квітнярика 2025")
