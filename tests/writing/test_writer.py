"""The rules of an append: what is recorded, what is refused, and that it is all or nothing."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sqlite3
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from once_accepted import as_once_accepted
from tables import everything
from ticking_clock import TickingClock

from timeline import Event, Source, Timeline
from timeline.errors import (
    AlreadyRecorded,
    ClockBehind,
    Conflict,
    InvalidInput,
    NotFound,
    NothingChanged,
    ProjectionOutdated,
    Refused,
    StoreError,
    TimelineError,
)
from timeline.model.content import Annotation, Said, Statement
from timeline.projection import tables
from timeline.store import codec, storage
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append, appending

TALKS: dict[str, Any] = {
    "event_id": "talks",
    "title": "Talks in Odesa",
    "occurred": "2025-04-15",
}
WHY = Said(reason="The source took it back")
HASH = "sha256:" + "0" * 64


def test_a_place_at_0_0_is_recorded_with_a_note(timeline: Timeline) -> None:
    sea = {"name": "Sumy", "country": "UKR", "lat": "0.00", "lon": 0}
    receipt = timeline.record({**TALKS, "place": sea})
    assert receipt.notes == (
        "place is at 0, 0, which lies in the sea off Africa: leave lat and lon out if they are not "
        "known",
    )
    assert timeline.update("talks", {"title": "New"}).notes == ()
    assert timeline.update("talks", {"place.lat": 1}).notes == ()
    (note,) = timeline.update("talks", {"about_place": {"lat": 0, "lon": 0}}).notes
    assert note.startswith("about_place is at 0, 0")


def test_an_interval_of_two_equal_dates_is_recorded_as_that_date(timeline: Timeline) -> None:
    said = {"event_id": "one", "title": "T", "occurred": "2025-04-15/2025-04-15"}
    timeline.record(said)
    assert timeline.get("one")["occurred"] == "2025-04-15"
    assert timeline.record(said).unchanged
    assert timeline.record({**said, "occurred": "2025-04-15"}).unchanged
    with pytest.raises(NothingChanged):
        timeline.update("one", {"occurred": "2025-04-15/2025-04-15"})
    timeline.update("one", {"occurred": "2025/2025"})
    assert timeline.get("one")["occurred"] == "2025"


def test_a_unit_in_the_plural_is_the_same_unit(timeline: Timeline) -> None:
    figure = {"measure": "delivered", "value": 5, "unit": "tanks"}
    said: dict[str, Any] = {**TALKS, "quantities": [figure]}
    timeline.record(said)
    one = {**said, "quantities": [{**figure, "unit": "tank"}]}
    assert timeline.record(one).unchanged
    assert timeline.record(said).unchanged
    timeline.update("talks", {"quantities": [{**figure, "unit": "tank", "value": 6}]})
    assert timeline.get("talks")["quantities"][0]["unit"] == "tanks"
    timeline.update("talks", {"quantities": [{**figure, "unit": "gun"}]})
    assert timeline.get("talks")["quantities"][0]["unit"] == "gun"


def test_equal_ends_that_were_recorded_once_stay_as_they_are(
    timeline: Timeline, tmp_path: Path
) -> None:
    said = {"event_id": "one", "title": "T", "occurred": "2025-04-15/2025-04-16"}
    timeline.record(said)
    lines = []
    for entry in log_of(timeline):
        envelope, payload, salt = entry.envelope, entry.payload, entry.salt
        assert payload is not None
        assert salt is not None
        if "2025-04-16" in payload:
            before = codec.payload_hash(salt, payload)
            payload = payload.replace("2025-04-16", "2025-04-15")
            envelope = envelope.replace(before, codec.payload_hash(salt, payload))
        lines.append({"envelope": envelope, "salt": salt.hex(), "payload": payload})
    file = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
    with Timeline.restore(tmp_path / "old.db", file, now=timeline._now) as old:
        old.fork = True
        assert old.get("one")["occurred"] == "2025-04-15/2025-04-15"
        assert old.record({**said, "occurred": "2025-04-15"}).unchanged
        assert old.record({**said, "occurred": "2025-04-15/2025-04-15"}).unchanged
        with pytest.raises(NothingChanged):
            old.update("one", {"occurred": "2025-04-15"})
        old.update("one", {"title": "New"})
        assert old.get("one")["occurred"] == "2025-04-15/2025-04-15"


def log_of(timeline: Timeline) -> list[codec.Entry]:
    """All entries, oldest first."""
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        return [
            codec.Entry._make(row) for row in connection.execute("SELECT * FROM log ORDER BY seq")
        ]


def payload_of(timeline: Timeline, receipt: Receipt) -> dict[str, Any]:
    payload = log_of(timeline)[receipt.seq].payload
    assert payload is not None
    return codec.decode_payload(payload)


def rows(timeline: Timeline, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        return connection.execute(sql, values).fetchall()


def batch(timeline: Timeline, *operations: Callable[[Append], object]) -> None:
    """One append of several operations."""
    with timeline.append() as append:
        for operation in operations:
            operation(append)


# --- A new log ----------------------------------------------------------------------------


def test_a_new_log_opens_with_entry_0_which_says_what_it_is(path: Path) -> None:
    with Timeline.create(path, title="Odesa", author="nb") as timeline:
        (entry,) = log_of(timeline)
        assert (entry.seq, entry.kind, entry.subject, entry.version) == (0, "log.opened", "log", 1)
        assert entry.payload is not None
        payload = json.loads(entry.payload)
        assert payload["author"] == "nb"
        assert payload["origin"] == f"timeline-{entry.id}"
        # English and UTC are the default, and defaults are left out.
        assert set(payload) == {"author", "origin", "title", "vocabulary"}
        codes = [term["code"] for term in payload["vocabulary"]["event_types"]]
        assert len(codes) == 16
        assert codes[:2] == ["AGREE", "CONSULT"]


def test_what_is_said_of_a_new_log_is_kept(path: Path) -> None:
    with Timeline.create(
        path,
        title="Odesa",
        origin="example.org/odesa",
        licence="CC-BY-4.0",
        language="uk",
        time_zone="Europe/Kyiv",
        notice="A test",
    ) as timeline:
        info = timeline.info
        del info["vocabulary"]
        assert info == {
            "origin": "example.org/odesa",
            "title": "Odesa",
            "licence": "CC-BY-4.0",
            "language": "uk",
            "time_zone": "Europe/Kyiv",
            "notice": "A test",
        }


def test_a_log_may_have_a_vocabulary_of_its_own(path: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("code,label,definition\nQUAKE,Earthquake,The ground moves\n")
    with Timeline.create(path, title="Quakes", vocabulary_file=words) as timeline:
        timeline.record({**TALKS, "event_type": "earthquake", "mode": "any word"})
        assert timeline.get("talks")["event_type"] == "QUAKE"
        with pytest.raises(InvalidInput, match="QUAKE") as caught:
            timeline.record({"title": "x", "occurred": "2025", "event_type": "QUAKES"})
        assert caught.value.field == "event_type"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Europe/Odesa City"),
        ("time_zone", "Europe/Atlantis"),
        ("language", "English"),
        ("origin", "two words"),
        ("title", ""),
        ("title", "two\nlines"),
        ("notice", "NUL \x00"),
    ],
)
def test_a_log_that_is_described_wrongly_is_refused_and_leaves_no_file(
    path: Path, field: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Timeline.create(path, **{"title": "Odesa", field: value})
    assert caught.value.field == field
    assert [*path.parent.iterdir()] == []


def test_a_name_that_is_taken_is_refused_and_the_file_left_alone(
    timeline: Timeline, path: Path
) -> None:
    before = everything(path)
    with pytest.raises(StoreError):
        Timeline.create(path, title="Another")
    assert everything(path) == before


# --- The recorded clock, numbers, ids -----------------------------------------------------


def test_all_entries_of_one_append_share_their_time_and_the_next_append_is_later(
    timeline: Timeline,
) -> None:
    with timeline.append() as append:
        first = append.record(TALKS)
        second = append.record({"title": "More talks", "occurred": "2025-04-16"})
        third = append.update("talks", {"summary": "Long ones"})
    later = timeline.retract("talks", reason="Never held")
    assert first.recorded_at == second.recorded_at == third.recorded_at
    assert third.recorded_at < later.recorded_at
    assert [entry.recorded_at for entry in log_of(timeline)[1:]] == [
        *(3 * [first.recorded_at]),
        later.recorded_at,
    ]


@pytest.mark.parametrize("step", [timedelta(0), timedelta(seconds=-50)])
def test_times_rise_by_a_microsecond_though_the_clock_stands_still_or_goes_back(
    path: Path, step: timedelta
) -> None:
    start = datetime(2025, 4, 13, 12, tzinfo=UTC)
    times = itertools.chain([start], itertools.repeat(start + step))
    with Timeline.create(path, title="Odesa", now=lambda: next(times)) as timeline:
        for number in range(5):
            timeline.record({"title": f"Event {number}", "occurred": "2025"})
        assert [entry.recorded_at for entry in log_of(timeline)] == [
            f"2025-04-13T12:00:00.00000{number}Z" for number in range(6)
        ]


def test_writing_is_refused_while_the_log_is_more_than_60_seconds_ahead(
    timeline: Timeline, clock: TickingClock
) -> None:
    clock.set("2025-04-13T13:00:00")
    timeline.record(TALKS)  # at 13:00:01
    clock.set("2025-04-13T12:59:59")  # one second before the next look
    timeline.update("talks", {"summary": "60 seconds ahead will do"})
    clock.set("2025-04-13T12:59:58")
    before = everything(timeline.path)
    clock.time -= timedelta(seconds=60)
    with pytest.raises(ClockBehind) as caught:
        timeline.update("talks", {"summary": "More is refused"})
    assert caught.value.last > caught.value.now
    assert everything(timeline.path) == before


def test_the_limit_of_60_seconds_is_exact(path: Path) -> None:
    start = datetime(2025, 4, 13, 12, tzinfo=UTC)
    now = start
    with Timeline.create(path, title="Odesa", now=lambda: now) as timeline:
        now = start - timedelta(seconds=60, microseconds=1)
        with pytest.raises(ClockBehind):
            timeline.record(TALKS)
        now = start - timedelta(seconds=60)
        timeline.record(TALKS)


def test_entries_are_numbered_without_gaps_and_versions_count_from_1(timeline: Timeline) -> None:
    timeline.record([TALKS, {"title": "Other", "occurred": "2025", "event_id": "other"}])
    with timeline.append() as append:
        append.update("talks", {"note": "a"})
        append.update("other", {"note": "a"})
        append.update("talks", {"note": "b"})
        append.record_source({"source_id": "paper", "title": "A paper"})
        append.update_source("paper", {"publisher": "P"})
    with pytest.raises(NotFound):
        timeline.update("nowhere", {"note": "c"})
    timeline.retract("talks", reason="Never held")
    entries = log_of(timeline)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    assert [(entry.subject, entry.version) for entry in entries] == [
        ("log", 1),
        ("event/talks", 1),
        ("event/other", 1),
        ("event/talks", 2),
        ("event/other", 2),
        ("event/talks", 3),
        ("source/paper", 1),
        ("source/paper", 2),
        ("event/talks", 4),
    ]


def test_ids_that_are_made_up_sort_by_time_and_never_clash(path: Path) -> None:
    """A batch of thousands makes ids ahead of the clock; the next one follows at once."""
    start = datetime(2025, 4, 13, 12, tzinfo=UTC)
    with Timeline.create(path, title="Odesa", now=lambda: start) as timeline:
        for batch in range(3):
            timeline.record(
                {"title": f"{batch}/{number}", "occurred": "2025"} for number in range(2_000)
            )
        ids = [entry.id for entry in log_of(timeline)]
        assert len(set(ids)) == 6_001
        assert ids == sorted(ids)
        assert rows(timeline, "SELECT count(*), count(DISTINCT event_id) FROM events") == [
            (6_000, 6_000)
        ]


def test_ids_sort_by_time_also_when_the_last_entry_of_a_batch_had_an_id_of_its_own(
    path: Path,
) -> None:
    start = datetime(2025, 4, 13, 12, tzinfo=UTC)
    with Timeline.create(path, title="Odesa", now=lambda: start) as timeline:
        with timeline.append() as append:
            for number in range(50):
                append.record({"title": f"Event {number}", "occurred": "2025"})
                # Looks an id up, and needs none.
                append.record_actor({"actor_id": "nato", "name": "NATO"})
            append.record(TALKS, entry_id="an-id-of-ours")
        timeline.record({"title": "Later", "occurred": "2025"})
        ids = [entry.id for entry in log_of(timeline) if entry.id != "an-id-of-ours"]
        assert ids == sorted(ids)


def test_an_id_of_ones_own_that_looks_like_a_made_up_one_does_not_set_their_clock(
    timeline: Timeline,
) -> None:
    timeline.record(TALKS, entry_id="zzzzzzzzzzz")
    receipt = timeline.record({"title": "Later", "occurred": "2025"})
    ids = [entry.id for entry in log_of(timeline) if entry.id != "zzzzzzzzzzz"]
    assert receipt.entry_id == ids[-1]
    assert ids == sorted(ids)
    assert receipt.entry_id.startswith(ids[0][:5])


def test_a_made_up_id_steps_aside_for_one_that_a_person_took(path: Path) -> None:
    start = datetime(2025, 4, 13, 12, tzinfo=UTC)
    with Timeline.create(path, title="Odesa", now=lambda: start) as timeline:
        number = codec.decode_id(log_of(timeline)[0].id)
        assert number is not None
        entry, event, source = (codec.encode_id(number + step) for step in (5, 15, 16))
        timeline.record({"title": "x", "occurred": "2025", "event_id": "by-entry"}, entry_id=entry)
        timeline.record({**TALKS, "event_id": event})
        with timeline.append() as append:
            append.record_source({"source_id": source, "title": "A paper"})
        receipts = timeline.record(
            {
                "title": f"Event {number}",
                "occurred": "2025",
                "citations": [{"source": {"title": f"Source {number}"}}],
            }
            for number in range(20)
        )
        assert {receipt.version for receipt in receipts} == {1}
        assert not {event, entry} & {receipt.id for receipt in receipts}
        assert rows(timeline, "SELECT count(*) FROM sources") == [(21,)]
        assert {version for (version,) in rows(timeline, "SELECT version FROM log")} == {1}


# --- Recording ----------------------------------------------------------------------------


def test_an_event_without_an_id_gets_that_of_its_entry(timeline: Timeline) -> None:
    receipt = timeline.record({"title": "Talks", "occurred": "15 April 2025"})
    assert receipt.id == receipt.entry_id
    assert (receipt.kind, receipt.version, receipt.occurred, receipt.unchanged) == (
        "event.recorded",
        1,
        "2025-04-15",
        False,
    )
    assert timeline.get(receipt.id)["title"] == "Talks"
    given = timeline.record({"title": "Talks", "occurred": "2025"}, entry_id="job-1")
    assert (given.id, given.entry_id) == ("job-1", "job-1")


def test_an_event_with_an_id_keeps_it_and_its_entry_has_another(timeline: Timeline) -> None:
    receipt = timeline.record(TALKS)
    assert (receipt.id, receipt.subject) == ("talks", "event/talks")
    assert receipt.entry_id != "talks"


def test_the_same_content_again_is_unchanged_and_adds_nothing(timeline: Timeline) -> None:
    first = timeline.record(TALKS)
    before = everything(timeline.path)
    again = timeline.record(TALKS, author="somebody else", reported_at="2025-01-01")
    assert again.unchanged
    assert (again.entry_id, again.seq, again.version, again.recorded_at, again.occurred) == (
        first.entry_id,
        first.seq,
        1,
        first.recorded_at,
        "2025-04-15",
    )
    assert everything(timeline.path) == before


def test_the_first_and_the_newest_content_are_unchanged_and_nothing_between(
    timeline: Timeline,
) -> None:
    first = timeline.record(TALKS)
    timeline.update("talks", {"summary": "Two"})
    third = timeline.update("talks", {"summary": "Three"})
    timeline.retract("talks", reason="Never held")
    assert timeline.record(TALKS).entry_id == first.entry_id
    assert timeline.record({**TALKS, "summary": "Three"}).entry_id == third.entry_id
    with pytest.raises(AlreadyRecorded):
        timeline.record({**TALKS, "summary": "Two"})
    assert len(log_of(timeline)) == 5


def test_other_content_under_the_same_id_names_the_fields_and_the_command(
    timeline: Timeline,
) -> None:
    timeline.record({**TALKS, "note": "Gone in the second"})
    with pytest.raises(AlreadyRecorded, match="timeline correct") as caught:
        timeline.record({**TALKS, "title": "Talk in Odesa", "tags": ["new"]})
    assert set(caught.value.fields) == {"title", "tags", "note"}


def test_an_event_is_found_again_by_its_external_ids(timeline: Timeline) -> None:
    statement = {"title": "Talks", "occurred": "2025", "external_ids": ["gdelt:1", "ucdp:7"]}
    first = timeline.record(statement)
    again = timeline.record(statement)
    assert again.unchanged
    assert again.id == first.id
    with pytest.raises(AlreadyRecorded) as caught:
        timeline.record({"title": "Other", "occurred": "2025", "external_ids": ["ucdp:7"]})
    assert caught.value.subject == f"event {first.id}"
    assert set(caught.value.fields) == {"title", "external_ids"}


def test_an_event_is_found_by_external_ids_within_one_batch(timeline: Timeline) -> None:
    statement = {"title": "Talks", "occurred": "2025", "external_ids": ["gdelt:1"]}
    first, second = timeline.record([statement, statement])
    assert not first.unchanged
    assert second.unchanged
    assert second.id == first.id


def test_an_external_id_belongs_to_one_event(timeline: Timeline) -> None:
    timeline.record({**TALKS, "external_ids": ["gdelt:1"]})
    first = {"event_id": "first", "title": "a", "occurred": "2025"}
    second = {"event_id": "second", "title": "b", "occurred": "2025"}
    for taken in ("gdelt:1", "gdelt:2", "gdelt:3"):
        with pytest.raises(InvalidInput, match=f"{taken} belongs to event") as caught:
            batch(
                timeline,
                lambda append: append.record({**first, "external_ids": ["gdelt:2"]}),
                lambda append: append.update("first", {"external_ids.-": "gdelt:3"}),
                lambda append: append.record({**second, "external_ids": ["gdelt:4", taken]}),  # noqa: B023
            )
        assert caught.value.field == "external_ids"
    assert len(log_of(timeline)) == 2


def test_an_update_moves_an_external_id_to_another_event(timeline: Timeline) -> None:
    timeline.record({**TALKS, "external_ids": ["gdelt:1"]})
    timeline.record({"event_id": "other", "title": "Other", "occurred": "2025"})
    with pytest.raises(InvalidInput, match="belongs to event talks"):
        timeline.update("other", {"external_ids.0": "gdelt:1"})
    with timeline.append() as append:
        append.update("talks", {"external_ids": None})
        append.update("other", {"external_ids.0": "gdelt:1"})
        found = append.record({"title": "Other", "occurred": "2025", "external_ids": ["gdelt:1"]})
    assert found.unchanged
    assert found.id == "other"
    assert timeline.record(TALKS | {"external_ids": ["gdelt:1"]}).unchanged, "its first content"
    with pytest.raises(InvalidInput, match="belongs to event other"):
        timeline.update("talks", {"external_ids.0": "gdelt:1"})


def test_an_external_id_is_free_again_within_one_batch(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.record({**TALKS, "external_ids": ["gdelt:1"]})
        append.update("talks", {"external_ids": None})
        taken = append.record({"title": "Other", "occurred": "2025", "external_ids": ["gdelt:1"]})
    assert rows(timeline, "SELECT * FROM event_external_ids") == [("gdelt:1", taken.id)]


def test_a_report_has_the_day_of_recording_in_the_time_zone_of_the_log(
    path: Path, clock: TickingClock
) -> None:
    with Timeline.create(path, title="Odesa", time_zone="Europe/Kyiv", now=clock) as timeline:
        clock.set("2025-04-14T20:59:00")  # 23:59 in Kyiv
        timeline.record(TALKS)
        clock.set("2025-04-14T21:01:00")
        timeline.record({**TALKS, "event_id": "next-day"})
        assert timeline.get("talks")["reported_at"] == "2025-04-14"
        assert timeline.get("next-day")["reported_at"] == "2025-04-15"


@pytest.mark.parametrize("kind", ["update", "correct", "retract"])
def test_a_change_is_reported_on_the_day_of_recording_unless_it_says_when(
    timeline: Timeline, kind: str
) -> None:
    timeline.record(TALKS, reported_at="1 April 2025")
    change = getattr(timeline, kind)
    receipt = change("talks", *([] if kind == "retract" else [{"note": "a"}]), reason="why")
    assert log_of(timeline)[receipt.seq].reported_at == "2025-04-13"
    assert timeline.get("talks")["reported_at"] == "2025-04-13"


def test_the_day_of_recording_is_that_of_the_time_zone_of_the_log(
    tmp_path: Path, clock: TickingClock
) -> None:
    clock.set("2025-04-14T23:30:00")
    with Timeline.create(
        tmp_path / "kyiv.db", title="A story", time_zone="Europe/Kyiv", now=clock
    ) as timeline:
        timeline.record(TALKS, reported_at="2025-04-01")
        receipt = timeline.update("talks", {"note": "a"})
        assert log_of(timeline)[receipt.seq].reported_at == "2025-04-15"


def test_what_is_no_report_has_no_day_of_report(timeline: Timeline) -> None:
    with timeline.append() as append:
        source = append.record_source({"url": "https://example.org/a"})
        actor = append.record_actor({"name": "Anna"})
        withdrawn = append.withdraw_source(source.id, Said(reason="A mistake"))
    entries = log_of(timeline)
    assert [entries[each.seq].reported_at for each in (source, actor)] == [None, None]
    assert entries[withdrawn.seq].reported_at == "2025-04-13"


def test_same_keeps_the_day_of_the_version_before(timeline: Timeline) -> None:
    with pytest.raises(InvalidInput, match=r"^reported_at: must be a day or a time"):
        timeline.record(TALKS, reported_at="same")
    timeline.record(TALKS, reported_at="14 April 2025")
    receipt = timeline.update("talks", {"note": "a"}, reported_at="same")
    assert log_of(timeline)[receipt.seq].reported_at is None
    assert timeline.get("talks")["reported_at"] == "2025-04-14"
    timeline.update("talks", {"note": "b"}, reported_at="2025-04-15T10:00Z")
    assert timeline.get("talks")["reported_at"] == "2025-04-15T10:00Z"


def test_what_a_statement_says_of_itself_goes_before_what_is_said_of_all(
    timeline: Timeline,
) -> None:
    mine, all_of_it = timeline.record(
        [
            {**TALKS, "author": "mine", "reported_at": "2025-04-02"},
            {"title": "Other", "occurred": "2025"},
        ],
        author="all",
        reason="an import",
        reported_at="2025-04-01",
    )
    assert payload_of(timeline, mine)["author"] == "mine"
    assert payload_of(timeline, mine)["reason"] == "an import"
    assert payload_of(timeline, all_of_it)["author"] == "all"
    assert timeline.get("talks")["reported_at"] == "2025-04-02"
    assert timeline.get(all_of_it.id)["reported_at"] == "2025-04-01"


def test_models_are_taken_as_dicts_are(timeline: Timeline) -> None:
    timeline.record(Event(**TALKS))
    assert timeline.record(TALKS).unchanged
    statement = Statement(**{**TALKS, "event_id": "said"}, author="nb")
    assert payload_of(timeline, timeline.record(statement))["author"] == "nb"


# --- The same thing twice -----------------------------------------------------------------

Operation = Callable[[Append, str], Receipt]
OPERATIONS: dict[str, tuple[Operation, Operation]] = {
    "record": (
        lambda append, key: append.record({"title": "New", "occurred": "2025"}, entry_id=key),
        lambda append, key: append.record({"title": "Other", "occurred": "2025"}, entry_id=key),
    ),
    "record under an id": (
        lambda append, key: append.record({**TALKS, "event_id": "new"}, entry_id=key),
        lambda append, key: append.record({**TALKS, "event_id": "other-id"}, entry_id=key),
    ),
    "update": (
        lambda append, key: append.update("talks", {"note": "a"}, entry_id=key),
        lambda append, key: append.update("talks", {"note": "other"}, entry_id=key),
    ),
    "update by adding": (
        lambda append, key: append.update("talks", {"tags.-": "a"}, entry_id=key),
        lambda append, key: append.update("talks", {"tags.-": "other"}, entry_id=key),
    ),
    "update of the whole": (
        lambda append, key: append.update(
            "talks", Event(title="Whole", occurred="2025"), expect=1, entry_id=key
        ),
        lambda append, key: append.update(
            "talks", Event(title="Other", occurred="2025"), expect=1, entry_id=key
        ),
    ),
    "correct": (
        lambda append, key: append.correct("talks", {"note": "a"}, WHY, entry_id=key),
        lambda append, key: append.update("talks", {"note": "a"}, entry_id=key),
    ),
    "retract": (
        lambda append, key: append.retract("talks", WHY, entry_id=key),
        lambda append, key: append.retract("goal", WHY, entry_id=key),
    ),
    "reinstate": (
        lambda append, key: append.reinstate("gone", entry_id=key),
        lambda append, key: append.retract("gone", WHY, entry_id=key),
    ),
    "merge": (
        lambda append, key: append.merge("talks", "goal", entry_id=key),
        lambda append, key: append.merge("talks", "gone", entry_id=key),
    ),
}


@pytest.fixture
def three(timeline: Timeline) -> Timeline:
    """Events talks (with tags), goal, and gone, which is retracted."""
    timeline.record(
        [
            {**TALKS, "tags": ["one"]},
            *({"event_id": key, "title": key, "occurred": "2025"} for key in ("goal", "gone")),
        ]
    )
    timeline.retract("gone", reason="Never held")
    return timeline


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_entry_id_makes_an_operation_safe_to_repeat(three: Timeline, name: str) -> None:
    operation, other = OPERATIONS[name]
    with three.append() as append:
        first = operation(append, "job-1")
        in_the_same_batch = operation(append, "job-1")
    with three.append() as append:  # the event moves on
        append.update("talks", {"title": "Later talks", "tags": ["quite", "different"]})
        append.update("gone", {"title": "Later"})
    before = everything(three.path)
    with three.append() as append:
        again = operation(append, "job-1")
    for repeated in (again, in_the_same_batch):
        assert repeated.unchanged
        assert (repeated.entry_id, repeated.seq, repeated.version, repeated.subject) == (
            "job-1",
            first.seq,
            first.version,
            first.subject,
        )
        assert repeated.recorded_at == first.recorded_at
    with three.append() as append, pytest.raises(AlreadyRecorded, match="another entry id"):
        other(append, "job-1")
    assert everything(three.path) == before


def test_an_entry_id_that_something_quite_different_has_is_refused(timeline: Timeline) -> None:
    timeline.record(TALKS)
    opened = log_of(timeline)[0].id
    with pytest.raises(AlreadyRecorded) as caught:
        timeline.update("talks", {"note": "a"}, entry_id=opened)
    assert caught.value.fields == ("kind", "subject")
    with pytest.raises(AlreadyRecorded):
        timeline.record({"title": "x", "occurred": "2025"}, entry_id=opened)


def test_an_entry_id_that_is_the_id_of_an_event_does_not_become_its_second_version(
    timeline: Timeline,
) -> None:
    timeline.record(TALKS)
    with pytest.raises(AlreadyRecorded) as caught:
        timeline.record({"title": "Other", "occurred": "2025"}, entry_id="talks")
    assert caught.value.subject == "event talks"
    assert len(log_of(timeline)) == 2


def test_a_repeated_statement_with_its_source_inside_is_unchanged_whatever_became_of_that(
    timeline: Timeline,
) -> None:
    statement = {
        "title": "Talks",
        "occurred": "2025",
        "citations": [{"source": {"url": "https://example.org/a", "title": "First headline"}}],
    }
    first = timeline.record(statement, entry_id="job-1")
    (source_id,) = rows(timeline, "SELECT source_id FROM sources")[0]
    with timeline.append() as append:
        append.update_source(source_id, {"title": "Second headline"})
    again = timeline.record(statement, entry_id="job-1")
    assert again.unchanged
    assert again.seq == first.seq


@pytest.mark.parametrize("entry_id", ["ab", "Upper", "with space", "x" * 65, "-dash", "nul\x00id"])
def test_a_malformed_entry_id_is_refused(timeline: Timeline, entry_id: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        timeline.record(TALKS, entry_id=entry_id)
    assert caught.value.field == "entry_id"


# --- Updating and correcting --------------------------------------------------------------


@pytest.mark.parametrize("change", ["update", "correct"])
@pytest.mark.parametrize(
    ("path_to", "value", "field", "expected"),
    [
        ("title", "New title", "title", "New title"),
        ("/title", "New title", "title", "New title"),
        ("place.name", "Odesa", "place", {"name": "Odesa", "country": "UKR"}),
        ("/place/name", "Odesa", "place", {"name": "Odesa", "country": "UKR"}),
        (
            "quantities.0.value",
            35,
            "quantities",
            [{"measure": "killed", "value": "35", "unit": "person"}],
        ),
        ("/tags/-", "more", "tags", ["one", "more"]),
        ("tags.0", None, "tags", None),
        ("place", "", "place", None),
        ("/extra/ns/a~1b", "text", "extra", {"ns": {"a/b": "text"}}),
    ],
)
def test_an_event_is_changed_by_path_and_keeps_the_rest(
    timeline: Timeline, change: str, path_to: str, value: object, field: str, expected: object
) -> None:
    statement = {
        **TALKS,
        "place": {"country": "UKR"},
        "tags": ["one"],
        "quantities": [{"measure": "killed", "value": 34}],
    }
    timeline.record(statement)
    receipt = getattr(timeline, change)("talks", {path_to: value}, reason="Seen again")
    assert (receipt.kind, receipt.version) == (
        f"event.{change}{'d' * (change == 'update')}",
        2,
    ) or (
        receipt.kind,
        receipt.version,
    ) == ("event.corrected", 2)
    before, after = timeline.get("talks", version=1), timeline.get("talks")
    assert after.get(field) == expected
    kept = [key for key in statement if key != field]
    assert {key: after.get(key) for key in kept} == {key: before.get(key) for key in kept}


def test_a_whole_event_takes_the_place_of_another_at_the_expected_version(
    timeline: Timeline,
) -> None:
    timeline.record({**TALKS, "note": "Gone afterwards"})
    timeline.update("talks", Event(title="Whole", occurred="2025"), expect=1)
    now = timeline.get("talks")
    assert now["title"] == "Whole"
    assert "note" not in now
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", Event(title="Other", occurred="2025"))
    assert caught.value.field == "expect"


def test_a_whole_event_of_another_id_is_refused(timeline: Timeline) -> None:
    timeline.record(TALKS)
    other = Event(event_id="other", title="Other", occurred="2025")
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", other, expect=1)
    assert caught.value.field == "event_id"
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", {"event_id": "other", "note": "a"})
    assert caught.value.field == "event_id"
    timeline.update("talks", Event(**{**TALKS, "note": "a"}), expect=1)
    timeline.update("talks", {"event_id": "talks", "note": "b"})


@pytest.mark.parametrize("operation", ["update", "correct", "retract", "reinstate", "merge"])
def test_a_stale_expectation_is_a_conflict(three: Timeline, operation: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "update": ("talks", {"note": "a"}),
        "correct": ("talks", {"note": "a"}),
        "merge": ("talks", "goal"),
    }
    change = getattr(three, operation)
    given = arguments.get(operation, ("gone" if operation == "reinstate" else "talks",))
    actual = 2 if operation == "reinstate" else 1
    with pytest.raises(Conflict) as caught:
        change(*given, reason="Why", expect=7)
    assert (caught.value.expected, caught.value.actual) == (7, actual)
    assert change(*given, reason="Why", expect=actual).version == actual + 1


def test_a_change_that_changes_nothing_is_refused(three: Timeline) -> None:
    for changes in ({}, {"title": "Talks in Odesa"}, {"occurred": "15 April 2025"}, {"note": ""}):
        with pytest.raises(NothingChanged):
            three.update("talks", changes)
        with pytest.raises(NothingChanged):
            three.correct("talks", changes, reason="Why")
    with pytest.raises(NothingChanged):
        three.retract("gone", reason="Why")
    with pytest.raises(NothingChanged):
        three.reinstate("talks")
    assert len(log_of(three)) == 5


@pytest.mark.parametrize(
    ("operation", "arguments"), [("correct", ("talks", {"note": "a"})), ("retract", ("talks",))]
)
def test_a_correction_and_a_retraction_need_a_reason(
    timeline: Timeline, operation: str, arguments: tuple[Any, ...]
) -> None:
    timeline.record(TALKS)
    for reason in (None, ""):
        with pytest.raises(InvalidInput) as caught:
            getattr(timeline, operation)(*arguments, reason=reason)
        assert caught.value.field == "reason"
    receipt = getattr(timeline, operation)(*arguments, reason="Seen again")
    assert payload_of(timeline, receipt)["reason"] == "Seen again"


@pytest.mark.parametrize("event_id", ["nowhere", "", "UPPER", "half \ud800", "nul\x00"])
def test_changing_an_event_that_is_not_there_is_refused(timeline: Timeline, event_id: str) -> None:
    timeline.record(TALKS)
    for operation, *more in (
        ("update", {"note": "a"}),
        ("correct", {"note": "a"}),
        ("retract",),
        ("reinstate",),
        ("merge", "talks"),
    ):
        with pytest.raises(NotFound):
            getattr(timeline, operation)(event_id, *more, reason="Why")


def test_a_wrong_path_or_value_is_refused_by_name(timeline: Timeline) -> None:
    timeline.record(TALKS)
    for changes, field in (
        ({"titel": "x"}, "titel"),
        ({"occurred": "04/05/2025"}, "occurred"),
        ({"title": None}, "title"),
        ({"tags.3": "x"}, "tags.3"),
        ({"title.deeper": "x"}, "title.deeper"),
        ({"place.lat": 46}, "place"),
    ):
        with pytest.raises(InvalidInput) as caught:
            timeline.update("talks", changes)
        assert caught.value.field == field
    assert len(log_of(timeline)) == 2


# --- States -------------------------------------------------------------------------------


def test_an_event_goes_and_comes_back(three: Timeline) -> None:
    states = []
    for step in (
        lambda: three.retract("talks", reason="Never held"),
        lambda: three.reinstate("talks"),
        lambda: three.merge("talks", "goal"),
        lambda: three.reinstate("talks"),
    ):
        assert step().occurred is None
        found = three.get("talks")
        states.append((found["state"], found.get("merged_into"), found["title"]))
    assert states == [
        ("retracted", None, "Talks in Odesa"),
        ("current", None, "Talks in Odesa"),
        ("merged", "goal", "Talks in Odesa"),
        ("current", None, "Talks in Odesa"),
    ]


def test_a_merge_can_be_turned_into_a_retraction_and_the_other_way_round(three: Timeline) -> None:
    three.merge("talks", "goal")
    three.retract("talks", reason="Never held")
    assert three.get("talks")["state"] == "retracted"
    assert "merged_into" not in three.get("talks")
    three.merge("talks", "goal")
    assert three.get("talks")["merged_into"] == "goal"


@pytest.mark.parametrize("state", ["retracted", "merged"])
def test_updating_an_event_that_is_gone_changes_its_content_only(
    three: Timeline, state: str
) -> None:
    if state == "merged":
        three.merge("gone", "goal")
    three.update("gone", {"summary": "Known better"})
    three.correct("gone", {"note": "Wrong before"}, reason="Seen again")
    found = three.get("gone")
    assert (found["state"], found["summary"], found["note"]) == (
        state,
        "Known better",
        "Wrong before",
    )
    assert found.get("merged_into") == ("goal" if state == "merged" else None)
    three.reinstate("gone")
    assert three.get("gone")["summary"] == "Known better"


def test_merges_make_chains_but_no_circles(three: Timeline) -> None:
    three.merge("talks", "goal")
    three.merge("goal", "gone")
    for event_id, into in (("gone", "talks"), ("gone", "goal"), ("gone", "gone")):
        with pytest.raises(Refused, match="circle"):
            three.merge(event_id, into)
    with pytest.raises(NothingChanged):
        three.merge("talks", "goal")
    with pytest.raises(NotFound):
        three.merge("gone", "nowhere")
    with pytest.raises(InvalidInput):
        three.merge("gone", "No Id")
    three.reinstate("goal")  # un-merges: the chain is cut
    three.merge("gone", "talks")
    assert three.get("gone")["merged_into"] == "talks"


def test_a_circle_is_seen_within_one_batch(three: Timeline) -> None:
    with pytest.raises(Refused, match="circle"):
        batch(
            three,
            lambda append: append.merge("talks", "goal"),
            lambda append: append.merge("goal", "talks"),
        )
    assert three.get("talks")["state"] == "current"


# --- Sources ------------------------------------------------------------------------------

PAPER = {"source_id": "paper", "title": "Two killed", "url": "https://example.org/a"}


def cite(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "An event", "occurred": "2025", "citations": [{"source": source, **more}]}


def cited(timeline: Timeline, receipt: Receipt) -> list[str]:
    return [citation["source_id"] for citation in timeline.get(receipt.id)["citations"]]


@pytest.mark.parametrize(
    "source",
    [
        PAPER,
        {"source_id": "paper"},
        {"url": "https://example.org/a"},
        {"title": "Two killed"},
        {"url": "https://example.org/a", "title": "Two killed"},
    ],
)
def test_a_source_inside_an_event_is_known_by_id_by_url_or_by_title(
    timeline: Timeline, source: dict[str, Any]
) -> None:
    with timeline.append() as append:
        append.record_source(PAPER)
    receipt = timeline.record(cite(source, quote="two"))
    assert cited(timeline, receipt) == ["paper"]
    assert "source" not in timeline.get(receipt.id)["citations"][0]
    assert rows(timeline, "SELECT count(*) FROM sources") == [(1,)]


def test_a_source_inside_an_event_that_is_new_is_recorded_before_it_by_the_same_author(
    timeline: Timeline,
) -> None:
    receipt = timeline.record(cite({"title": "New", "publisher": "P"}), author="nb")
    (source_id,) = cited(timeline, receipt)
    source, event = log_of(timeline)[1:]
    assert (source.kind, source.subject, source.recorded_at) == (
        "source.recorded",
        f"source/{source_id}",
        event.recorded_at,
    )
    assert source.id == source_id < event.id
    assert source.payload == '{"author":"nb","title":"New","publisher":"P"}'
    assert timeline.record(cite({"title": "New", "publisher": "P"})).id != receipt.id
    assert rows(timeline, "SELECT count(*) FROM sources") == [(1,)]


def test_one_new_source_is_cited_twice_in_one_event(timeline: Timeline) -> None:
    source = {"url": "https://example.org/a", "title": "T"}
    receipt = timeline.record(
        {
            "title": "An event",
            "occurred": "2025",
            "citations": [
                {"source": source, "quote": "one"},
                {"source": {"url": "https://example.org/a"}, "quote": "two"},
                {"source": {"title": "Another"}},
            ],
        }
    )
    first, second, third = cited(timeline, receipt)
    assert first == second != third
    assert rows(timeline, "SELECT count(*) FROM sources") == [(2,)]


@pytest.mark.parametrize(
    "source",
    [
        {"source_id": "paper", "title": "Three killed"},
        {"source_id": "paper", "url": "https://example.org/b"},
        {"url": "https://example.org/a", "publisher": "P"},
    ],
)
def test_a_known_source_that_says_otherwise_is_refused(
    timeline: Timeline, source: dict[str, Any]
) -> None:
    with timeline.append() as append:
        append.record_source(PAPER)
    for attempt in (
        lambda: timeline.record(cite(source)),
        lambda: timeline.record(
            {**cite(PAPER), "citations": [{"source": s} for s in (PAPER, source)]}
        ),
        lambda: _record_source(timeline, source),
    ):
        with pytest.raises(AlreadyRecorded, match="cite it as paper") as caught:
            attempt()
        assert caught.value.subject == "source paper"
    assert len(log_of(timeline)) == 2


def _record_source(timeline: Timeline, source: dict[str, Any]) -> Receipt:
    with timeline.append() as append:
        return append.record_source(source)


def test_documents_of_the_same_title_are_told_apart_and_each_is_found_again(
    timeline: Timeline,
) -> None:
    papers = [{"title": "Morning report", "publisher": publisher} for publisher in "ABC"]
    for _ in range(2):
        receipts = timeline.record(cite(paper) | {"title": paper["publisher"]} for paper in papers)
        assert len({*map(str, (cited(timeline, receipt) for receipt in receipts))}) == 3
    assert rows(timeline, "SELECT count(*) FROM sources") == [(3,)]


def test_two_sources_of_one_address_are_each_found_again(timeline: Timeline) -> None:
    url = "https://example.org/live"
    with timeline.append() as append:
        append.record_source({"source_id": "morning", "url": url, "title": "Morning"})
        append.record_source({"source_id": "evening", "url": url, "title": "Evening"})
    assert cited(timeline, timeline.record(cite({"url": url, "title": "Evening"}))) == ["evening"]
    assert cited(timeline, timeline.record(cite({"url": url}))) == ["morning"]


def test_an_operation_that_is_refused_leaves_nothing_in_an_append_that_goes_on(
    timeline: Timeline,
) -> None:
    timeline.record(TALKS)
    new = {
        "citations": [{"source": {"title": "New"}}],
        "relations": [{"type": "follows", "event_id": "nowhere"}],
        "external_ids": ["gdelt:1"],
    }
    with timeline.append() as append:
        with pytest.raises(AlreadyRecorded):
            append.record({**TALKS, **new})
        with pytest.raises(InvalidInput, match="reason"):
            append.correct("talks", new, Said())
        receipt = append.record({"title": "x", "occurred": "2025", "external_ids": ["gdelt:1"]})
    assert [entry.kind for entry in log_of(timeline)] == [
        "log.opened",
        "event.recorded",
        "event.recorded",
    ]
    assert receipt.seq == 2


def test_a_source_is_updated_withdrawn_reinstated_and_annotated(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.record_source(Source(**PAPER, text_sha256=HASH))
        append.update_source("paper", {"publisher": "P", "/authors/-": "A. Author"})
        append.withdraw_source("paper", WHY)
        append.annotate_source("paper", Annotation(text_sha256=HASH))
        append.reinstate_source("paper")
    assert [entry.kind for entry in log_of(timeline)[1:]] == [
        f"source.{verb}" for verb in ("recorded", "updated", "withdrawn", "annotated", "reinstated")
    ]
    assert rows(timeline, "SELECT publisher, authors, state, version FROM sources") == [
        ("P", "A. Author", "current", 5)
    ]


def test_what_cannot_be_said_of_a_source_is_refused(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.record_source(PAPER)
        with pytest.raises(NothingChanged):
            append.update_source("paper", {"title": "Two killed"})
        with pytest.raises(NothingChanged):
            append.reinstate_source("paper")
        with pytest.raises(InvalidInput) as caught:
            append.withdraw_source("paper", Said())
        assert caught.value.field == "reason"
        with pytest.raises(InvalidInput) as caught:
            append.update_source("paper", {"source_id": "other", "title": "x"})
        assert caught.value.field == "source_id"
        append.withdraw_source("paper", WHY)
        with pytest.raises(NothingChanged):
            append.withdraw_source("paper", WHY)
        for attempt in (
            lambda: append.update_source("nowhere", {"title": "x"}),
            lambda: append.withdraw_source("nowhere", WHY),
            lambda: append.annotate_source("nowhere", Annotation(text_sha256=HASH)),
        ):
            with pytest.raises(NotFound):
                attempt()
    assert len(log_of(timeline)) == 3


# --- References ---------------------------------------------------------------------------


def test_a_relation_may_point_forward_in_the_same_batch(timeline: Timeline) -> None:
    timeline.record(
        [
            {**TALKS, "relations": [{"type": "part_of", "event_id": "series"}]},
            {"event_id": "series", "title": "Series", "occurred": "2025"},
        ]
    )
    found = rows(timeline, "SELECT event_id, relation, related_event_id FROM event_relations")
    assert found == [("talks", "part_of", "series")]


def test_a_relation_to_nowhere_is_refused_by_name(timeline: Timeline) -> None:
    relations = [
        {"type": "part_of", "event_id": "series"},
        {"type": "follows", "event_id": "nowhere"},
    ]
    with pytest.raises(InvalidInput, match='no event "nowhere"') as caught:
        timeline.record(
            [
                {**TALKS, "relations": relations},
                {"event_id": "series", "title": "Series", "occurred": "2025"},
            ]
        )
    assert caught.value.field == "relations.1.event_id"
    timeline.record(TALKS)
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", {"relations.-": relations[1]})
    assert caught.value.field == "relations.0.event_id"
    assert len(log_of(timeline)) == 2


def test_an_event_is_not_related_to_itself(timeline: Timeline) -> None:
    def to(event_id: str) -> dict[str, Any]:
        return {"relations": [{"type": "follows", "event_id": event_id}]}

    timeline.record(TALKS)
    whole = Event(title="Talks", occurred="2025", **to("talks"))
    for attempt in (
        lambda: timeline.record(
            {"title": "x", "occurred": "2025", **to("job-1")}, entry_id="job-1"
        ),
        lambda: timeline.record(
            {"event_id": "self", "title": "x", "occurred": "2025", **to("self")}
        ),
        lambda: timeline.update("talks", to("talks")),
        lambda: timeline.update("talks", whole, expect=1),
    ):
        with pytest.raises(InvalidInput, match="cannot relate to itself"):
            attempt()
    assert len(log_of(timeline)) == 2


@pytest.mark.parametrize(
    ("field", "item", "named"),
    [
        ("citations", {"source_id": "nowhere"}, "citations.0.source_id"),
        (
            "quantities",
            {"measure": "killed", "value": 1, "source_ids": ["nowhere"]},
            "quantities.0.source_ids",
        ),
        ("claims", {"speaker": "S", "source_ids": ["nowhere"]}, "claims.0.source_ids"),
    ],
)
def test_a_reference_to_an_unknown_source_is_refused_by_name(
    timeline: Timeline, field: str, item: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match='no source "nowhere"') as caught:
        timeline.record({**TALKS, field: [item]})
    assert caught.value.field == named
    timeline.record(TALKS)
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", {f"{field}.-": item})
    assert caught.value.field == named


def test_a_figure_may_name_the_source_that_its_event_brings(timeline: Timeline) -> None:
    statement = cite(PAPER) | {
        "quantities": [{"measure": "killed", "value": 2, "source_ids": ["paper"]}]
    }
    timeline.record(statement)
    assert rows(timeline, "SELECT source_ids FROM event_quantities") == [('["paper"]',)]


# --- Words of the log ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["CONSULT", "consult", "Consultation", "CONSULTATION", " consult "]
)
def test_an_event_type_is_taken_as_code_or_label_in_any_case(timeline: Timeline, word: str) -> None:
    timeline.record({**TALKS, "event_type": word})
    assert timeline.get("talks")["event_type"] == "CONSULT"


@pytest.mark.parametrize(
    ("field", "word", "nearest"),
    [
        ("event_type", "Consultatoin", "CONSULT"),
        ("event_type", "no such thing", "AGREE"),
        ("mode", "vist", "visit"),
        ("contexts", ["militry"], "military"),
    ],
)
def test_a_word_that_the_vocabulary_lacks_is_refused_with_the_nearest(
    timeline: Timeline, field: str, word: object, nearest: str
) -> None:
    with pytest.raises(InvalidInput, match=nearest) as caught:
        timeline.record({**TALKS, field: word})
    assert caught.value.field == field


def test_modes_and_contexts_are_folded_too_and_each_stands_once(timeline: Timeline) -> None:
    timeline.record({**TALKS, "mode": "VISIT", "contexts": ["Military", "diplomatic", "military"]})
    found = timeline.get("talks")
    assert (found["mode"], found["contexts"]) == ("visit", ["military", "diplomatic"])


# --- Actors and the log itself ------------------------------------------------------------


def test_actors_are_recorded_updated_and_merged(timeline: Timeline) -> None:
    with timeline.append() as append:
        first = append.record_actor({"actor_id": "zel", "name": "Volodymyr Zelenskyy"})
        assert append.record_actor({"actor_id": "zel", "name": "Volodymyr Zelenskyy"}).unchanged
        append.update_actor("zel", {"/aliases/-": "Zelensky"})
        made_up = append.record_actor({"name": "President of Ukraine"})
        append.merge_actor(made_up.id, "zel")
    assert first.version == 1
    assert [entry.kind for entry in log_of(timeline)[1:]] == [
        "actor.recorded",
        "actor.updated",
        "actor.recorded",
        "actor.merged",
    ]
    assert rows(timeline, "SELECT actor_id, name, aliases, merged_into FROM actors ORDER BY 1") == [
        (made_up.id, "President of Ukraine", None, "zel"),
        ("zel", "Volodymyr Zelenskyy", "Zelensky", None),
    ]


def test_what_cannot_be_said_of_an_actor_is_refused(timeline: Timeline) -> None:
    with timeline.append() as append:
        for actor_id in ("zel", "amb", "usa"):
            append.record_actor({"actor_id": actor_id, "name": actor_id})
        with pytest.raises(AlreadyRecorded) as already:
            append.record_actor({"actor_id": "zel", "name": "Other"})
        assert already.value.fields == ("name",)
        with pytest.raises(NothingChanged):
            append.update_actor("zel", {"name": "zel"})
        append.merge_actor("zel", "amb")
        append.merge_actor("amb", "usa")
        with pytest.raises(NothingChanged):
            append.merge_actor("zel", "amb")
        for into in ("zel", "amb", "usa"):
            with pytest.raises(Refused, match="circle"):
                append.merge_actor("usa", into)
        for attempt in (
            lambda: append.merge_actor("nowhere", "usa"),
            lambda: append.merge_actor("usa", "nowhere"),
            lambda: append.update_actor("nowhere", {"name": "x"}),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_the_log_changes_what_it_says_of_itself_but_never_its_origin(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.update_log({"title": "Another title", "time_zone": "Europe/Kyiv"})
        for changes, field in (
            ({"origin": "example.org/other"}, "origin"),
            ({"time_zone": "Europe/Atlantis"}, "time_zone"),
            ({"title": None}, "title"),
            ({"colour": "red"}, "colour"),
        ):
            with pytest.raises(InvalidInput) as caught:
                append.update_log(changes)
            assert caught.value.field == field
        with pytest.raises(NothingChanged):
            append.update_log({"title": "Another title"})
    assert timeline.info["title"] == "Another title"
    assert timeline.info["origin"] == "example.org/story"
    assert log_of(timeline)[-1].version == 2


def test_a_new_time_zone_holds_from_its_entry_on(timeline: Timeline, clock: TickingClock) -> None:
    clock.set("2025-04-14T22:00:00")
    with timeline.append() as append:
        append.record(TALKS)
        append.update_log({"time_zone": "Europe/Kyiv"})
        append.record({**TALKS, "event_id": "after"})
    assert timeline.get("talks")["reported_at"] == "2025-04-14"
    assert timeline.get("after")["reported_at"] == "2025-04-15"


@pytest.mark.parametrize(
    ("kind", "field", "word", "other"),
    [
        ("event_types", "event_type", "AID", {"code": "AGREE", "label": "Agreement"}),
        ("modes", "mode", "visit", {"code": "call", "label": "Call"}),
        ("contexts", "contexts", ["military"], {"code": "legal", "label": "Legal"}),
    ],
)
def test_the_vocabulary_keeps_the_words_that_are_in_use(
    timeline: Timeline, kind: str, field: str, word: object, other: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match="which is in use") as caught:
        batch(
            timeline,
            lambda append: append.record({**TALKS, field: word}),
            lambda append: append.update_log({f"vocabulary.{kind}": [other]}),
        )
    assert caught.value.field == "vocabulary"
    with timeline.append() as append:
        append.record({**TALKS, field: word})
        append.update("talks", {field: None})
        append.update_log({f"vocabulary.{kind}": [other]})
        with pytest.raises(InvalidInput):
            append.update("talks", {field: word})
        append.update_log({f"vocabulary.{kind}": None})
        append.update("talks", {field: ["Any word"] if kind == "contexts" else "Any word"})


# --- All or nothing -----------------------------------------------------------------------


class Interrupted(BaseException):
    """Something that no handler of errors catches."""


def fail_with(error: BaseException) -> Callable[[Append], None]:
    def fail(append: Append) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (lambda append: append.record({"title": "x"}), InvalidInput),
        (lambda append: append.update("nowhere", {"note": "a"}), NotFound),
        (lambda append: append.record({**TALKS, "title": "Other"}), AlreadyRecorded),
        (fail_with(KeyboardInterrupt()), KeyboardInterrupt),
        (fail_with(Interrupted()), Interrupted),
        (fail_with(GeneratorExit()), GeneratorExit),
        (fail_with(sqlite3.OperationalError("as if")), sqlite3.OperationalError),
    ],
)
def test_an_error_in_the_middle_of_a_batch_leaves_the_file_as_it_was(
    three: Timeline, fail: Callable[[Append], None], expected: type[BaseException]
) -> None:
    before = everything(three.path)
    with pytest.raises(expected):
        batch(
            three,
            lambda append: append.record(cite(PAPER)),
            lambda append: append.update("talks", {"participants.-": {"name": "NATO"}}),
            lambda append: append.record_actor({"actor_id": "nato", "name": "NATO"}),
            lambda append: append.withdraw_source("paper", WHY),
            lambda append: append.merge("goal", "talks"),
            lambda append: append.update_log({"title": "Other"}),
            fail,
        )
    assert everything(three.path) == before
    assert three.update("talks", {"note": "The next append works"}).seq == len(before["log"])


def test_a_statement_that_fails_at_the_end_takes_the_whole_batch_with_it(
    timeline: Timeline,
) -> None:
    before = everything(timeline.path)
    with pytest.raises(InvalidInput) as caught:
        timeline.record([*({"title": f"{n}", "occurred": "2025"} for n in range(1_500)), {}])
    assert caught.value.item == 1_501
    assert everything(timeline.path) == before


def test_a_dry_run_checks_everything_and_leaves_nothing(three: Timeline) -> None:
    before = everything(three.path)
    with three.append(dry_run=True) as append:
        receipt = append.record(cite(PAPER))
        append.update("talks", {"note": "a"})
    assert (receipt.seq, receipt.version) == (len(before["log"]) + 1, 1)
    with pytest.raises(InvalidInput), three.append(dry_run=True) as append:
        append.record(
            {**TALKS, "event_id": "tied", "relations": [{"type": "about", "event_id": "nowhere"}]}
        )
    assert everything(three.path) == before


def test_an_append_inside_an_append_is_refused_and_both_are_taken_back(three: Timeline) -> None:
    before = everything(three.path)
    with pytest.raises(Refused, match="in the middle of an append"):
        batch(
            three,
            lambda append: append.update("talks", {"note": "a"}),
            lambda append: three.update("talks", {"note": "b"}),
        )
    assert everything(three.path) == before


def test_tables_of_another_version_refuse_writing(timeline: Timeline, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE projection_state SET projection_version = 0")
        connection.commit()
    before = everything(path)
    with pytest.raises(ProjectionOutdated, match="timeline rebuild"):
        timeline.record(TALKS)
    assert everything(path) == before
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        tables.rebuild(connection)
    timeline.record(TALKS)


# --- How long it takes ---------------------------------------------------------------------


def test_an_update_costs_the_same_however_long_the_history(timeline: Timeline) -> None:
    """In instructions of SQLite: the median of the first hundred and of the last."""
    timeline.record({**TALKS, "participants": [{"name": "NATO"}], "external_ids": ["gdelt:1"]})
    counts = []
    with contextlib.closing(storage.connect(timeline.path, write=True)) as connection:
        ticks = itertools.count()
        connection.set_progress_handler(lambda: next(ticks) < 0, 1)
        with appending(connection, str(timeline.path)) as append:
            for number in range(1_000):
                before = next(ticks)
                append.update("talks", {"note": str(number)})
                counts.append(next(ticks) - before)
        connection.set_progress_handler(None, 1)
    first, last = statistics.median(counts[:100]), statistics.median(counts[-100:])
    assert last < first * 1.2


# --- What no log can hold -----------------------------------------------------------------


@pytest.mark.parametrize("text", ["NUL \x00 inside", "half \ud83d character"])
@pytest.mark.parametrize(
    "field", ["title", "summary", "tags.-", "place.name", "participants.0.name", "extra.a.b"]
)
def test_nul_and_lone_surrogates_are_refused(timeline: Timeline, field: str, text: str) -> None:
    timeline.record(TALKS)
    with pytest.raises(InvalidInput) as caught:
        timeline.update("talks", {field: text})
    assert caught.value.field
    with pytest.raises(InvalidInput):
        timeline.update("talks", {"note": "a"}, reason=text)
    assert len(log_of(timeline)) == 2


def test_a_payload_above_4_mebibytes_is_refused_and_one_just_below_is_kept(
    timeline: Timeline,
) -> None:
    def of(size: int) -> dict[str, Any]:
        texts = {f"k{number:02}": "є" * 100_000 for number in range(size // 200_000)}
        return {**TALKS, "extra": {"ns": texts}}

    with pytest.raises(InvalidInput, match=f"at most {4 * 2**20}"):
        timeline.record({**of(4_200_000), **cite({"title": "New"})})
    assert len(log_of(timeline)) == 1
    timeline.record(of(4_100_000))
    assert len(timeline.get("talks")["extra"]["ns"]) == 20


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_any_text_is_kept_as_it_is_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-text.db"
    if not path.exists():
        Timeline.create(path, title="Texts").close()
    with Timeline.open(path) as timeline:
        try:
            receipt = timeline.record({"title": "x", "occurred": "2025", "summary": f"<{text}>"})
        except TimelineError:
            assert "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text)
        else:
            assert timeline.get(receipt.id)["summary"] == f"<{text}>"


def test_a_source_that_was_recorded_decomposed_is_found_by_its_title(timeline: Timeline) -> None:
    with timeline.append() as append, as_once_accepted():
        first = append.record_source({"title": "Cafe\u0301 Odesa"})
    with timeline.append() as append:
        assert append.record_source({"title": "Caf\u00e9 Odesa"}).id == first.id
