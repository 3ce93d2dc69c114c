"""An append that is told again is known as the same one, and no other is taken for it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import operations
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import png
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.model.content import Said
from timeline.store import log, storage
from timeline.store.codec import Entry
from timeline.writing.repetition import repeated_entries
from timeline.writing.writer import Append

PLAIN = {"title": "Talks in Odesa", "occurred": "2025-04-15"}
PAPER = {"title": "A paper", "url": "https://example.org/a"}
Tell = Callable[[Append], object]


def told(path: Path, tell: Tell, at: str = "2025-04-20T12:00", **options: Any) -> list[Entry]:
    """The entries of an append at some time, which is kept."""
    clock = TickingClock(at)
    with (
        Timeline.open(path, now=clock, trust_clock=True, **options) as timeline,
        contextlib.closing(storage.connect(path)) as connection,
    ):
        size = log.size(connection)
        with timeline.append() as append:
            tell(append)
        return [*log.read(connection, size - 1)]


def told_twice(path: Path, tell: Tell, again: Tell | None = None) -> list[tuple[int, int]] | None:
    """Which entries of an append another one repeats two days later, both counted from 0."""
    first = told(path, tell)
    second = told(path, again or tell, "2025-04-22T12:00")
    return pairs(first, second)


def pairs(first: list[Entry], second: list[Entry]) -> list[tuple[int, int]] | None:
    found = repeated_entries(first, second, "UTC")
    if found is None:
        return None
    numbers = {entry.id: number for number, entry in enumerate(second)}
    return [(first.index(entry), numbers[some_id]) for some_id, entry in found.items()]


@pytest.fixture
def log_path(timeline: Timeline, path: Path) -> Path:
    operations.begin(timeline)
    timeline.close()
    return path


@settings(max_examples=25)
@given(st.lists(operations.operations, min_size=1, max_size=5))
def test_the_same_statements_in_the_same_log_are_a_repetition(
    some: list[operations.Operation],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder) / "one.db", Path(folder) / "other.db"
        with Timeline.create(one, title="A story", now=TickingClock()) as timeline:
            operations.begin(timeline)
        shutil.copy(one, other)
        appends = []
        for path, at in ((one, "2025-04-20T12:00"), (other, "2025-04-22T15:00")):
            with Timeline.open(path, now=TickingClock(at), trust_clock=True) as timeline:
                size = len([*timeline._reader.execute("SELECT seq FROM log")])
                operations.tell(timeline, some)
                appends.append([*log.read(timeline._reader, size - 1)])
        first, second = appends
        assert pairs(first, second) == [(number, number) for number in range(len(second))]
        if second:
            assert repeated_entries(first, [*second, second[-1]], "UTC") is None
            assert repeated_entries(first[:-1], second, "UTC") is None


def test_an_event_without_an_id_is_known_again(log_path: Path) -> None:
    assert told_twice(log_path, lambda a: a.record(PLAIN)) == [(0, 0)]


def test_what_came_with_it_the_first_time_may_be_missing_the_second_time(log_path: Path) -> None:
    def tell(append: Append) -> None:
        append.record({"event_id": "with-an-id", **PLAIN})
        append.record({"external_ids": ["gdelt:7"], **PLAIN})
        append.record(PLAIN, entry_id="job-2025-04-20")
        append.record_actor({"name": "Mark Rutte", "actor_id": "mr-rutte"})
        append.attach("event-a", png("red"), {"alt": "Red"})
        append.record({**PLAIN, "citations": [{"source": PAPER}, {"source": {"title": "Radio"}}]})

    assert told_twice(log_path, tell) == [(7, 0)]


def two_days(append: Append, *, backwards: bool = False) -> None:
    first = append.record(PLAIN)
    second = append.record({**PLAIN, "title": "Talks, the second day"})
    append.update(second.id, {"relations.-": {"type": "follows", "event_id": first.id}})
    both = (first.id, second.id)
    append.merge(*both) if backwards else append.merge(*reversed(both))


def test_ids_that_were_made_up_lead_to_each_other(log_path: Path) -> None:
    assert told_twice(log_path, two_days) == [(number, number) for number in range(4)]


def test_ids_that_were_made_up_do_not_lead_crosswise(log_path: Path) -> None:
    assert told_twice(log_path, two_days, lambda a: two_days(a, backwards=True)) is None


@pytest.mark.parametrize(
    "other",
    [
        lambda a: a.record({**PLAIN, "title": "Talks in Lviv"}),
        lambda a: a.record({**PLAIN, "event_id": "of-their-own"}),
        lambda a: a.record(PLAIN, entry_id="job-2025-04-20"),
        lambda a: a.record({**PLAIN, "place": {"lat": 46.5, "lon": 30.7}}),
        lambda a: a.record(PLAIN, Said(author="nb")),
        lambda a: a.record(PLAIN, Said(reason="Why")),
        lambda a: a.record(PLAIN, Said(proposed_by="a-model")),
        lambda a: a.record(PLAIN, Said(reported_at="2025-04-19")),
        lambda a: [a.record(PLAIN), a.record(PLAIN)],
        lambda a: [a.record({**PLAIN, "title": "Talks in Lviv"}), a.record(PLAIN)],
        lambda a: a.update("event-a", {"title": "Talks in Odesa"}),
        lambda a: a.retract("event-a", Said(reason="Why")),
    ],
)
def test_something_else_is_no_repetition_in_either_order(log_path: Path, other: Tell) -> None:
    first = told(log_path, lambda a: a.record(PLAIN))
    second = told(log_path, other, "2025-04-22T12:00")
    assert pairs(first, second) is None
    assert pairs(second, first) is None


def test_a_part_of_an_append_is_no_repetition(log_path: Path) -> None:
    def tell(append: Append) -> None:
        append.record(PLAIN)
        append.update("event-a", {"note": "Seen"})
        append.record({**PLAIN, "title": "Talks in Lviv"})

    first = told(log_path, tell)
    second = told(log_path, lambda a: a.record(PLAIN), "2025-04-22T12:00")
    assert pairs(first, second) is None
    assert pairs(first, []) is None


def test_events_of_an_append_just_before_are_told_apart(log_path: Path) -> None:
    """Their ids lie in the time of the appends after them: all have nearly the same time."""
    made: list[str] = []
    told(log_path, lambda a: made.extend(a.record(PLAIN).id for _ in range(50)))
    at = "2025-04-20T12:00"  # the clock stands still: each append is a microsecond later
    first = told(log_path, lambda a: a.retract(made[40], Said(reason="_")), at)
    second = told(log_path, lambda a: a.retract(made[41], Said(reason="_")), at)
    assert pairs(first, second) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2025-04-19", "2025-04-19", [(0, 0)]),
        ("2025-04-19", "2025-04-18", None),
        ("2025-04-19", None, None),
        (None, "2025-04-22", [(0, 0)]),
        (None, "2025-04-20", [(0, 0)]),
        (None, "2025-04-21", None),
    ],
)
def test_a_given_day_is_known_again_and_differs_from_another_one(
    log_path: Path, first: str | None, second: str | None, expected: object
) -> None:
    def on(day: str | None) -> Tell:
        return lambda a: a.record(PLAIN, Said(reported_at=day))

    assert told_twice(log_path, on(first), on(second)) == expected


def test_the_day_is_that_of_the_log_and_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "kyiv.db"
    Timeline.create(
        path, title="Kyiv", time_zone="Europe/Kyiv", now=TickingClock("2025-04-15T20:59:50")
    ).close()
    appends = [
        told(path, lambda a: a.record(PLAIN), at)
        for at in ("2025-04-15T20:59:30", "2025-04-16T00:30", "2025-04-16T22:30")
    ]
    assert [each[0].reported_at for each in appends] == ["2025-04-15", "2025-04-16", "2025-04-17"]
    for later in appends[1:]:
        assert repeated_entries(appends[0], later, "Europe/Kyiv")
    assert repeated_entries(appends[0], appends[2], "UTC") is None


def test_a_note_that_the_log_is_ahead_of_the_clock_is_no_statement(log_path: Path) -> None:
    told(log_path, lambda a: a.update("event-a", {"note": "Late"}), "2025-05-20T12:00")
    behind = {"ahead": "the clock was wrong"}
    first = told(log_path, lambda a: a.record(PLAIN), "2025-04-20T12:00", **behind)
    second = told(log_path, lambda a: a.record(PLAIN), "2025-04-22T12:00", **behind)
    third = told(log_path, lambda a: a.record(PLAIN), "2025-05-23T12:00")
    assert [len(each) for each in (first, second, third)] == [2, 2, 1]
    assert pairs(first, second) == [(1, 1)]
    assert pairs(first, third) == [(1, 0)]
    assert pairs(third, second) == [(0, 1)]


def test_what_was_erased_is_not_said_again(log_path: Path) -> None:
    first = told(log_path, lambda a: a.record(PLAIN))
    second = told(log_path, lambda a: a.record(PLAIN), "2025-04-22T12:00")
    assert pairs([first[0]._replace(payload=None, salt=None)], second) is None


@settings(max_examples=25)
@given(st.data())
def test_one_changed_word_makes_it_another_append(data: st.DataObject) -> None:
    """Wherever it is in a payload."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        with Timeline.create(path, title="A story", now=TickingClock()) as timeline:
            operations.begin(timeline)
        content = data.draw(operations.contents)
        content.pop("external_ids", None)
        first = told(path, lambda a: a.record(content, Said(author="nb")))
        number = data.draw(st.sampled_from([i for i, e in enumerate(first) if e.payload]))
        payload = json.loads(first[number].payload or "")
        where = data.draw(st.sampled_from([*leaves(payload)]))
        changed = json.dumps(with_leaf(payload, where), ensure_ascii=False)
        second = [*first]
        second[number] = first[number]._replace(payload=changed)
    assert pairs(first, [*first]) == [(i, i) for i in range(len(first))]
    assert pairs(first, second) is None


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    if not isinstance(value, dict | list):
        yield path
    for key, item in items:
        yield from leaves(item, (*path, key))


def with_leaf(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return f"{value}, changed" if isinstance(value, str) else None
    copy = value.copy()
    copy[path[0]] = with_leaf(value[path[0]], path[1:])
    return copy
