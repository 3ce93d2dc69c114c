"""Ctrl-C in the last moments of an append: it never says of what was written that nothing was."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from timeline import Timeline
from timeline.cli.appending import appending
from timeline.errors import InDoubt, TimelineError
from timeline.writing import writer
from timeline.writing.writer import Append

NOTHING = "interrupted; nothing was written"


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Slow(Timeline):
    """A timeline with something to do between an append and its commit."""

    def __init__(self, path: Path, work: Callable[[Append], object]) -> None:
        super().__init__(path)
        self._work = work

    @contextlib.contextmanager
    def append(self, *, dry_run: bool = False) -> Iterator[Append]:
        @contextlib.contextmanager
        def around(append: Append) -> Iterator[None]:
            yield
            self._work(append)

        with writer.appending(
            self._writing(), os.fspath(self.path), dry_run=dry_run, trust_clock=True, around=around
        ) as append:
            yield append


def append_one(timeline: Timeline, *, dry_run: bool = False) -> None:
    with click.Context(click.Command("append")), appending(timeline, dry_run=dry_run) as append:
        append.record({"title": "Talks", "occurred": "2025-04-15"})


def count(path: Path) -> int:
    with Timeline.open(path) as timeline:
        return len(timeline.list())


@pytest.fixture
def closed(timeline: Timeline) -> Path:
    timeline.close()
    return timeline.path


def test_it_is_heard_while_only_the_commit_is_missing(closed: Path) -> None:
    with Slow(closed, lambda append: press_ctrl_c()) as slow:
        with pytest.raises(TimelineError, match=NOTHING):
            append_one(slow)
        assert count(closed) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_waits_may_say_that_it_is_in_doubt(closed: Path) -> None:
    def wait(append: Append) -> None:
        try:
            press_ctrl_c()
        except KeyboardInterrupt:
            raise InDoubt(str(closed), "2025-04-15T10:00:00.000000Z") from None

    with Slow(closed, wait) as slow, pytest.raises(InDoubt):
        append_one(slow)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_stored_elsewhere_before_the_commit_is_kept(closed: Path) -> None:
    def store(append: Append) -> None:
        append.at_commit()
        press_ctrl_c()

    with Slow(closed, store) as slow:
        append_one(slow)
    assert count(closed) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_is_ignored_from_the_commit_on(closed: Path) -> None:
    pressed = []

    def see(sql: str) -> None:
        if sql == "COMMIT":
            pressed.append(sql)
            press_ctrl_c()

    with Timeline.open(closed, trust_clock=True) as timeline:
        timeline._writing().set_trace_callback(see)
        append_one(timeline)
    assert pressed
    assert count(closed) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_dry_run_is_not_at_its_commit(closed: Path) -> None:
    called: list[str] = []
    with Timeline.open(closed, trust_clock=True) as timeline:
        for dry_run in (True, False):
            with timeline.append(dry_run=dry_run) as append:
                append.at_commit = lambda: called.append("commit")
            assert len(called) == (not dry_run)
