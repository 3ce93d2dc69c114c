"""A watch delivers each new entry that its filters choose, in order, once."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running import entries
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import Busy, InvalidInput, NotDelivered, Replaced, StoreError
from timeline.store import atomic
from timeline.watching import entries as watched
from timeline.watching.cursor import Cursor, locked
from timeline.watching.delivery import TAKEN, Delivery, Reception
from timeline.watching.watch import Stopped, Watch, cursor_file_of


class Receiver:
    """A receiver that remembers what it got, and answers as a test says; by default it takes."""

    def __init__(self, *outcomes: Reception) -> None:
        self.got: list[Delivery] = []
        self.outcomes = [*outcomes]

    def __call__(self, delivery: Delivery) -> Reception:
        self.got.append(delivery)
        return self.outcomes.pop(0) if self.outcomes else TAKEN

    @property
    def entries(self) -> list[int]:
        return [delivery.entry for delivery in self.got]


class Run:
    """A run of a watch until it has nothing to do, with what it waited for and said."""

    def __init__(
        self,
        path: Path,
        receiver: Callable[[Delivery], Reception],
        *,
        first: int | None = None,
        again: bool = False,
        once: bool = True,
        waits: int = 50,
        **filters: Any,
    ) -> None:
        self.waited: list[float] = []
        self.notes: list[str] = []

        def pause(seconds: float) -> bool:
            self.waited += [seconds] if seconds else []
            return len(self.waited) >= waits

        with locked(cursor_file_of(str(path))) as cursor:
            watch = Watch(str(path), filters, receiver, cursor, pause=pause, note=self.notes.append)
            watch.begin(first)
            self.counts = watch.counts
            try:
                if again:
                    watch.again()
                watch.run(once=once)
            except Stopped:
                pass


@pytest.fixture
def timeline(tmp_path: Path) -> Iterator[Timeline]:
    """Entry 0 opens the log; 1 and 2 record events, 3 corrects one, 4 retracts it."""
    with Timeline.create(tmp_path / "t.db", title="T", now=TickingClock()) as timeline:
        timeline.record({"event_id": "one", "title": "One", "occurred": "2025", "tags": ["war"]})
        timeline.record({"event_id": "two", "title": "Two", "occurred": "2025"})
        timeline.correct("one", {"title": "First"}, reason="A typo", author="desk")
        timeline.retract("one", reason="A rumour")
        yield timeline


@pytest.fixture
def path(timeline: Timeline, tmp_path: Path) -> Path:
    return tmp_path / "t.db"


def test_a_watch_begins_with_what_comes_and_goes_on_where_it_was(
    path: Path, timeline: Timeline
) -> None:
    receiver = Receiver()
    Run(path, receiver)
    assert receiver.got == []
    timeline.update("two", {"note": "Seen"})
    timeline.record({"event_id": "three", "title": "Three", "occurred": "2025"})
    Run(path, receiver)
    Run(path, receiver, first=0)
    assert receiver.entries == [5, 6]


def test_a_receiver_gets_who_what_when_and_why(path: Path) -> None:
    receiver = Receiver()
    Run(path, receiver, first=3)
    said = json.loads(receiver.got[0].body)
    assert b"\n" not in receiver.got[0].body
    assert (said["type"], said["timestamp"]) == ("event.corrected", "2025-04-13T12:00:04.000000Z")
    assert said["data"] == {
        "entry": 3,
        "event_id": "one",
        "version": 2,
        "state": "current",
        "title": "First",
        "reported_at": said["data"]["reported_at"],
        "author": "desk",
        "reason": "A typo",
        "changes": [{"path": "/title", "old_value": "One", "new_value": "First"}],
        "address": None,
    }
    assert receiver.got[0].id.startswith("entry-3-")


def test_only_what_the_filters_choose_is_delivered_in_any_state(path: Path) -> None:
    for filters, chosen in (
        ({"tag": "war"}, [1, 3, 4]),
        ({"not_tag": ["war"]}, [2]),
        ({"state": "current"}, [2]),
        ({}, [1, 2, 3, 4]),
    ):
        receiver = Receiver()
        Run(path, receiver, first=0, **filters)
        assert receiver.entries == chosen
        cursor_file_of(str(path)).unlink()


def test_what_was_erased_is_left_out_and_counted(path: Path, timeline: Timeline) -> None:
    entry_id = entries(path)[2][1]
    timeline.erase([entry_id], reason="A court order")
    receiver = Receiver()
    run = Run(path, receiver, first=0)
    assert receiver.entries == [1, 3, 4]
    assert (run.counts["taken"], run.counts["erased"]) == (3, 1)


def test_an_entry_that_is_erased_while_it_waits_is_not_tried_again(
    path: Path, timeline: Timeline
) -> None:
    entry_id = entries(path)[2][1]

    def receiver(delivery: Delivery) -> Reception:
        got.append(delivery.entry)
        timeline.erase([entry_id], reason="A court order")
        return Reception("failed", "busy")

    got: list[int] = []
    run = Run(path, receiver, first=2, not_tag=["war"])
    assert got == [2]
    assert run.counts["erased"] == 1


def test_what_fails_is_tried_again_after_ever_longer_waits(path: Path) -> None:
    receiver = Receiver(*[Reception("failed", "busy")] * 12)
    run = Run(path, receiver, first=4, once=False, waits=13)
    assert receiver.entries == [4] * 13
    for number, wait in enumerate(run.waited[:12]):
        longest = min(2.0**number, 300)
        assert longest / 2 <= wait <= longest
    assert run.notes == ["entry 4: busy; trying again"]
    assert len({delivery.id for delivery in receiver.got}) == 1


def test_a_receiver_is_asked_again_when_it_said(path: Path) -> None:
    run = Run(path, Receiver(Reception("failed", "busy", after=17.0)), first=4)
    assert run.waited == [17.0]


def test_what_is_refused_is_told_and_passed(path: Path) -> None:
    receiver = Receiver(TAKEN, Reception("refused", "answered 422"))
    run = Run(path, receiver, first=2)
    assert receiver.entries == [2, 3, 4]
    assert run.notes == ["entry 3 was refused: answered 422"]
    assert (run.counts["taken"], run.counts["refused"]) == (2, 1)


def test_a_receiver_that_takes_nothing_ends_the_watch_and_nothing_is_lost(path: Path) -> None:
    for outcome in (Reception("closed", "answered 404"), *[Reception("failed", "busy")]):
        with pytest.raises(NotDelivered, match=f"entry 2: {outcome.why}"):
            Run(path, Receiver(*[outcome] * 5), first=2)
    receiver = Receiver()
    run = Run(path, receiver)
    assert (receiver.entries, run.notes) == ([2, 3, 4], [])


def test_the_database_is_not_open_while_an_entry_is_delivered(path: Path) -> None:
    def receiver(_: Delivery) -> Reception:
        opened = [each.resolve() for each in Path("/proc/self/fd").iterdir()]
        assert path.resolve() not in opened
        return TAKEN

    # The fixture has the file open, in this process: watch a copy.
    copy = shutil.copy(path, path.with_name("copy.db"))
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    path = Path(copy)
    Run(path, receiver, first=0)


def test_another_log_or_an_older_copy_ends_the_watch(path: Path, timeline: Timeline) -> None:
    Run(path, Receiver())
    other = path.with_name("other.db")
    with Timeline.create(other, title="Another") as another:
        for name in ("one", "two", "three", "four", "five"):
            another.record({"event_id": name, "title": name, "occurred": "2025"})
    for shorter in (False, True):
        if shorter:
            other = path.with_name("short.db")
            Timeline.create(other, title="Short").close()
        shutil.copy(cursor_file_of(str(path)), cursor_file_of(str(other)))
        with pytest.raises(Replaced, match="has no entry 4 such as this watch dealt with last"):
            Run(other, Receiver())


def test_two_watches_never_use_one_cursor(path: Path) -> None:
    cursor = cursor_file_of(str(path))
    with locked(cursor), pytest.raises(Busy, match="give --cursor another name"):
        Run(path, Receiver())
    Run(path, Receiver())


def test_a_file_that_is_no_cursor_is_left_alone(path: Path) -> None:
    cursor = cursor_file_of(str(path))
    for text in (
        "",
        "notes",
        "[]",
        "{}",
        '{"entry": "1", "leaf": "", "sending": null, "doubtful": []}',
    ):
        cursor.write_text(text)
        with pytest.raises(StoreError, match="is not the state of a watch"):
            Run(path, Receiver())
        assert cursor.read_text() == text


def test_a_watch_cannot_begin_with_what_is_not_there(path: Path) -> None:
    with pytest.raises(InvalidInput, match="names entry 99, but the newest is 4"):
        Run(path, Receiver(), first=99)
    with pytest.raises(InvalidInput, match="event_type"):
        Run(path, Receiver(), event_type="nothing of the kind")
    assert not cursor_file_of(str(path)).exists()


def test_a_look_at_a_file_without_changes_does_not_open_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(path, (1, 1))
    os.utime(f"{path}-wal", (1, 1))
    looks: list[int] = []
    opened = watched.opened

    def counted(path: Any) -> Any:
        looks.append(1)
        return opened(path)

    monkeypatch.setattr(watched, "opened", counted)
    Run(path, Receiver(), once=False, waits=10)
    assert len(looks) == 2  # one to begin, one to look


# --- Killed ---------------------------------------------------------------------------------


def _killed_at(step: int, path: Path, arrived: Path, *, again: bool) -> bool:
    """Run a watch in a process that kills itself at a step; tell whether it was killed."""
    child = os.fork()
    if not child:
        steps = iter(range(10_000))

        def mark() -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        def marked(work: Callable[..., Any]) -> Callable[..., Any]:
            def work_between(*arguments: Any, **settings: Any) -> Any:
                mark()
                found = work(*arguments, **settings)
                mark()
                return found

            return work_between

        def deliver(delivery: Delivery) -> Reception:
            mark()
            with arrived.open("a") as file:
                file.write(f"{delivery.entry}\n")
            mark()
            return TAKEN

        code = 1
        try:
            os.fsync = marked(os.fsync)
            Path.replace = marked(Path.replace)  # type: ignore[method-assign]
            Cursor.write = marked(Cursor.write)  # type: ignore[method-assign]
            atomic.sync_folder = marked(atomic.sync_folder)
            Run(path, deliver, first=3, again=again)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("again", [False, True])
def test_a_watch_that_is_killed_at_any_moment_delivers_nothing_twice(
    path: Path, tmp_path: Path, again: bool
) -> None:
    wanted, killed_in_delivery = [3, 4], 0
    for step in range(1_000):
        arrived = tmp_path / f"arrived-{step}"
        arrived.touch()
        cursor_file_of(str(path)).unlink(missing_ok=True)
        if not _killed_at(step, path, arrived, again=False):
            break
        receiver = Receiver()
        run = Run(path, receiver, first=3, again=again)
        before = [int(line) for line in arrived.read_text().split()]
        state = Cursor(cursor_file_of(str(path))).state
        assert state is not None
        got = sorted([*before, *receiver.entries])
        if again:
            assert state.doubtful == ()
            assert sorted({*got}) == wanted
            assert len(got) <= len(wanted) + 1
        else:
            assert len(got) == len({*got})
            assert {*wanted} - {*got} <= {*state.doubtful}
            killed_in_delivery += bool(state.doubtful)
            assert len(state.doubtful) <= 1
        assert run.counts["refused"] == 0
    assert step > 30
    assert again or killed_in_delivery > 3
