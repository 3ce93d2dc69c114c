"""What may be said a second time, as its caller cannot know that it is stored, is one entry."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import operations
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import png
from ticking_clock import TickingClock

from timeline import Receipt, Timeline
from timeline.errors import Conflict, InvalidInput, NothingChanged, TimelineError
from timeline.model.content import Event, Said
from timeline.store import log
from timeline.store.codec import Entry
from timeline.writing.writer import Append

PLAIN = {"title": "Talks in Odesa", "occurred": "2025-04-15"}
PAPER = {"title": "A paper", "url": "https://example.org/a"}
KILLED = {"measure": "killed", "value": 35}
Tell = Callable[[Append], Any]


class Retried(Timeline):
    """A timeline in which each append may repeat the one before it."""

    stored: tuple[Entry, ...] = ()

    @contextlib.contextmanager
    def append(self, *, dry_run: bool = False) -> Iterator[Append]:
        before = log.size(self._reader)
        with super().append(dry_run=dry_run) as append:
            append.repeatable = [*self.stored]
            yield append
        self.stored = (*log.read(self._reader, before - 1),)


@pytest.fixture
def retried(timeline: Timeline, clock: TickingClock) -> Iterator[Retried]:
    operations.begin(timeline)
    clock.set("2025-04-20T12:00")
    with Retried(timeline.path, now=clock, trust_clock=True) as retried:
        yield retried


def told(timeline: Timeline, tell: Tell) -> Any:
    with timeline.append() as append:
        return tell(append)


def added(timeline: Timeline, tell: Tell) -> list[str]:
    """The kinds of the entries that an append adds two days later."""
    size = log.size(timeline._reader)
    assert isinstance(timeline._now, TickingClock)
    timeline._now.set("2025-04-22T12:00")
    told(timeline, tell)
    return [entry.kind for entry in log.read(timeline._reader, size - 1)]


STATEMENTS: dict[str, Tell] = {
    "an event": lambda a: a.record(PLAIN),
    "an event with words": lambda a: a.record(
        PLAIN, Said(author="nb", reason="Why", proposed_by="a-model", reported_at="2025-04-19")
    ),
    "an event with a source": lambda a: a.record({**PLAIN, "citations": [{"source": PAPER}]}),
    "an update": lambda a: a.update("event-a", {"note": "Seen"}),
    "a figure": lambda a: a.update("event-a", {"quantities.-": KILLED}),
    "a correction": lambda a: a.correct("event-a", {"note": "Seen"}, Said(reason="Why")),
    "a whole event": lambda a: a.update("event-a", Event(**PLAIN), expect=1),
    "an expected version": lambda a: a.update("event-a", {"tags.-": "port"}, expect=1),
    "the day of before": lambda a: a.update("event-a", {"note": "_"}, Said(reported_at="same")),
    "a retraction": lambda a: a.retract("event-a", Said(reason="Why"), expect=1),
    "a merge": lambda a: a.merge("event-a", "event-b"),
    "there and back": lambda a: [
        a.retract("event-a", Said(reason="Why")),
        a.reinstate("event-a"),
        a.retract("event-a", Said(reason="Why")),
    ][-1],
    "a picture": lambda a: a.attach("event-a", png("red"), {"alt": "Red"}),
}


@pytest.mark.parametrize("tell", STATEMENTS.values(), ids=STATEMENTS)
def test_what_is_said_again_is_the_entry_of_the_first_time(retried: Retried, tell: Tell) -> None:
    first: Receipt = told(retried, tell)
    receipts: list[Receipt] = []
    assert added(retried, lambda a: receipts.append(tell(a))) == []
    (again,) = receipts
    assert again.unchanged
    assert (again.entry_id, again.seq, again.version) == (
        first.entry_id,
        first.seq,
        first.version,
    )


def test_it_is_one_entry_only_once(retried: Retried) -> None:
    told(retried, lambda a: a.record(PLAIN))
    twice = added(retried, lambda a: [a.record(PLAIN), a.record(PLAIN)])
    assert twice == ["event.recorded"]
    retried.stored = ()
    told(retried, lambda a: [a.record(PLAIN), a.record(PLAIN)])
    assert added(retried, lambda a: [a.record(PLAIN), a.record(PLAIN)]) == []


@pytest.mark.parametrize(
    "other",
    [
        lambda a: a.record({**PLAIN, "title": "Talks in Lviv"}),
        lambda a: a.record({**PLAIN, "event_id": "of-their-own"}),
        lambda a: a.record(PLAIN, entry_id="job-2025-04-20"),
        lambda a: a.record(PLAIN, Said(author="nb")),
        lambda a: a.record(PLAIN, Said(reason="Why")),
        lambda a: a.record(PLAIN, Said(proposed_by="a-model")),
        lambda a: a.record(PLAIN, Said(reported_at="2025-04-19")),
        lambda a: a.update("event-a", {"quantities.-": {**KILLED, "value": 36}}),
        lambda a: a.update("event-a", {"quantities.-": KILLED}, Said(author="nb")),
        lambda a: a.update("event-a", {"quantities.-": KILLED}, Said(reported_at="2025-04-19")),
        lambda a: a.update("event-a", {"quantities.-": KILLED, "note": "Seen"}),
        lambda a: a.update("event-b", {"quantities.-": KILLED}),
        lambda a: a.correct("event-a", {"quantities.-": KILLED}, Said(reason="Why")),
        lambda a: a.retract("event-b", Said(reason="Why")),
        lambda a: a.reinstate("event-c"),
    ],
)
def test_something_else_is_an_entry_of_its_own(retried: Retried, other: Tell) -> None:
    def tell(append: Append) -> None:
        append.record(PLAIN)
        append.update("event-a", {"quantities.-": KILLED})
        append.retract("event-c", Said(reason="Why"))

    told(retried, tell)
    assert len(added(retried, other)) == 1


def test_a_source_that_is_cited_by_now_may_be_missing_in_the_repetition(retried: Retried) -> None:
    source_id = told(retried, lambda a: a.record_source(PAPER)).id
    figure = ("quantities.-", KILLED)
    told(
        retried, lambda a: a.update("event-a", [figure, ("citations.-", {"source_id": source_id})])
    )
    assert added(retried, lambda a: a.update("event-a", [figure])) == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda a: a.update("event-a", {"note": None}), NothingChanged),
        (lambda a: a.update("event-a", {"note": "Seen"}, expect=1), Conflict),
        (lambda a: a.update("event-a", {"occurred": "soon"}), InvalidInput),
        (lambda a: a.retract("event-a", Said()), InvalidInput),
    ],
)
def test_what_is_wrong_is_refused_as_ever(
    retried: Retried, wrong: Tell, error: type[TimelineError]
) -> None:
    told(retried, lambda a: a.update("event-a", {"tags.-": "port"}))
    with pytest.raises(error):
        told(retried, wrong)


def test_what_was_erased_meanwhile_is_said_anew(retried: Retried) -> None:
    told(retried, lambda a: a.record(PLAIN))
    retried.stored = tuple(each._replace(payload=None, salt=None) for each in retried.stored)
    assert added(retried, lambda a: a.record(PLAIN)) == ["event.recorded"]


@settings(max_examples=30)
@given(st.lists(operations.event_operations, min_size=1, max_size=6))
def test_no_append_about_events_is_stored_twice(some: list[operations.Operation]) -> None:
    """Operations that are refused the first time are left out the second time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        with Timeline.create(path, title="A story", now=TickingClock()) as timeline:
            operations.begin(timeline)
        accepted: list[operations.Operation] = []
        clock = TickingClock("2025-04-20T12:00")
        with Retried(path, now=clock, trust_clock=True) as timeline:
            with contextlib.suppress(TimelineError), timeline.append() as append:
                for operation in some:
                    with contextlib.suppress(TimelineError):
                        operation(append)
                        accepted.append(operation)
            if log.size(timeline._reader) > 3:
                kinds = added(timeline, lambda a: [operation(a) for operation in accepted])
                assert kinds == []
