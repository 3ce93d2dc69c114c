"""Entries of a cluster in a site's own file: the same root and tables, and what stops it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign_entry import made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import Operation, begin, stories, tell
from tables import derived
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import Refused, TimelineError, TooNew
from timeline.intake.foreign_entries import Following
from timeline.model.content import Said
from timeline.projection import tables
from timeline.proof.verify import verify
from timeline.store import codec, log, scrub, storage
from timeline.store.codec import Entry
from timeline.writing import erasure

Message = list[Entry]
Notes = list[tuple[int, str]]


class Follower:
    """A site's file, which takes messages in; it keeps what has to be kept between transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: Notes = []
        self.awaiting_erasure: dict[str, int] = {}
        with storage.new_file(path) as connection, storage.immediate(connection):
            tables.create(connection, "UTC")

    def follow(self, messages: list[Message], *, folds: bool = True) -> None:
        """Take messages in, in one transaction."""
        with (
            contextlib.closing(storage.connect(self.path, write=True)) as connection,
            storage.immediate(connection),
        ):
            following = Following(
                connection,
                self.awaiting_erasure,
                note=lambda entry, problem: self.notes.append((entry.seq, problem)),
                folds=folds,
            )
            for message in messages:
                following.accept_batch(message)
            following.finish()

    def refusal(self, *messages: Message) -> TimelineError:
        """Why messages are not taken in; nothing of them is kept."""
        before = self.path.read_bytes()
        with pytest.raises(TimelineError) as caught:
            self.follow([*messages])
        assert self.path.read_bytes() == before
        return caught.value


def sent(path: Path, after: int = -1) -> list[Message]:
    """The log as messages: a message is one append."""
    with contextlib.closing(storage.connect(path)) as connection:
        entries = [*log.read(connection, after)]
    return [
        [codec.from_wire(codec.to_wire(entry), entry.seq) for entry in batch]
        for _, batch in itertools.groupby(entries, key=lambda entry: entry.recorded_at)
    ]


def size(path: Path) -> int:
    with contextlib.closing(storage.connect(path)) as connection:
        return log.size(connection)


def root(path: Path) -> bytes:
    with contextlib.closing(storage.connect(path)) as connection:
        return log.root_at(connection, log.size(connection))


def erase(timeline: Timeline, path: Path, *seqs: int) -> None:
    """Erase entries as the command does."""
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        entries = [log.entry_at(connection, seq) for seq in seqs]
        erasure.erase(
            connection,
            str(path),
            [entry.id for entry in entries if entry],
            Said(reason=f"order {size(path)}"),
            now=timeline._now,
        )


def assert_clean(path: Path) -> None:
    """Finish the erasures of a file, and find nothing wrong with it."""
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        scrub.scrub(connection, str(path))
    assert verify(path).findings == []


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    """A file without entries; at the end of each test, its log and its tables fit together."""
    found = Follower(tmp_path / "follower.db")
    yield found
    if size(found.path):
        assert_clean(found.path)


# --- The same log -------------------------------------------------------------------------


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories, st.data())
def test_every_story_with_erasures_gives_every_follower_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, story: list[list[Operation]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("story")
    path = folder / "timeline.db"
    live, late = Follower(folder / "live.db"), Follower(folder / "late.db")
    with Timeline.create(path, title="T", now=TickingClock()) as timeline:
        begin(timeline)
        for operations in story:
            tell(timeline, operations)
            if data.draw(st.booleans()):
                seq = data.draw(st.integers(1, size(path) - 1))
                with contextlib.suppress(Refused):  # it says what the log is
                    erase(timeline, path, seq)
            if data.draw(st.booleans()):
                live.follow(sent(path, after=size(live.path) - 1))
        live.follow(sent(path, after=size(live.path) - 1))
    messages = sent(path)
    while messages:  # its messages have no words any more where they were erased
        first = data.draw(st.integers(1, len(messages)))
        late.follow(messages[:first])
        messages = messages[first:]
    for each in (live, late):
        assert root(each.path) == root(path)
        assert derived(each.path) == derived(path)
        assert (each.notes, each.awaiting_erasure) == ([], {})
        assert_clean(each.path)


def test_an_erasure_takes_the_words_out_of_a_file_that_has_them(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    said = {"title": "Nemo Nemirovich talks", "occurred": "2025", "external_ids": ["case:1"]}
    timeline.record(said)
    follower.follow(sent(path))
    assert b"Nemirovich" in follower.path.read_bytes()
    erase(timeline, path, 1)
    timeline.record({"title": "Other", "occurred": "2025", "external_ids": ["case:1"]})
    follower.follow(sent(path, after=1))
    assert follower.notes == []
    assert derived(follower.path) == derived(path)
    with contextlib.closing(storage.connect(follower.path, write=True)) as connection:
        assert scrub.pending(connection) == [2]
        scrub.scrub(connection, str(follower.path))
    held = b"".join(file.read_bytes() for file in follower.path.parent.glob("follower.db*"))
    assert b"Nemirovich" not in held


def test_the_tables_are_made_again_once_for_many_erasures(
    timeline: Timeline, path: Path, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline.record([{"title": f"Event {n}", "occurred": "2025"} for n in range(9)])
    follower.follow(sent(path))
    for seq in range(1, 6):
        erase(timeline, path, seq)
    times: list[int] = []
    make_anew = tables.make_anew
    monkeypatch.setattr(tables, "make_anew", lambda c: times.append(make_anew(c)))
    follower.follow(sent(path, after=9))
    assert times == [15]
    assert derived(follower.path) == derived(path)


def test_what_is_absent_may_be_excused_by_a_later_transaction(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record({"title": "One", "occurred": "2025"})
    timeline.record({"title": "Two", "occurred": "2025"})
    erase(timeline, path, 1)
    messages = sent(path)
    for message in messages[:-1]:
        follower.follow([message])
    assert [*follower.awaiting_erasure.values()] == [1]
    follower.follow(messages[-1:])
    assert follower.awaiting_erasure == {}
    assert derived(follower.path) == derived(path)


def test_a_log_whose_first_words_about_itself_were_erased_is_followed_in_small_steps(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record({"title": "One", "occurred": "2025-04-15"})
    with timeline.append() as append:
        append.update_log({"title": "Another", "time_zone": "Europe/Kyiv"})
    erase(timeline, path, 0)
    for message in sent(path):
        follower.follow([message])
    assert derived(follower.path) == derived(path)


def test_a_clock_that_is_years_ahead_stops_nobody_who_follows(
    follower: Follower, tmp_path: Path
) -> None:
    path = tmp_path / "future.db"
    with Timeline.create(path, title="T", now=TickingClock("2199-01-01T00:00:00")) as timeline:
        timeline.record({"title": "One", "occurred": "2025"})
    follower.follow(sent(path))
    assert root(follower.path) == root(path)


def test_tables_of_another_version_wait_for_their_rebuild(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    follower.follow(sent(path))
    before = derived(follower.path)
    timeline.record([{"event_id": "one", "title": "One", "occurred": "2025"}])
    timeline.update("one", {"title": "Two"})
    follower.follow(sent(path, after=0), folds=False)
    assert derived(follower.path) == before
    assert root(follower.path) == root(path)
    with contextlib.closing(storage.connect(follower.path, write=True)) as connection:
        tables.rebuild(connection)
    assert derived(follower.path) == derived(path)


def test_tables_of_another_version_lose_the_words_that_are_erased(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record({"title": "Nemirovich", "occurred": "2025"})
    follower.follow(sent(path))
    erase(timeline, path, 1)
    follower.follow(sent(path, after=1), folds=False)
    assert derived(follower.path) == derived(path)


# --- What stops it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seq": 3}, "somebody else appends to this file"),
        ({"id": "one"}, "entry 2: envelope.id: is the id of entry 1 already"),
        ({"version": 2}, "entry 2: envelope.version: must be 1, the next of event/made-2"),
        ({"kind": "log.opened", "subject": "log", "version": 2}, "entry 2: envelope.kind: a log"),
        ({"kind": "event.updated"}, "entry 2: envelope.kind: must be event.recorded in version 1"),
        ({"reported_at": None}, "entry 2: envelope.reported_at: is required of event.recorded"),
        ({"recorded_at": "2000-01-01T00:00:00.000000Z"}, "entry 2: envelope.recorded_at: must be"),
        ({"v": 3}, "entry 2: is of format 3; this Timeline reads up to 2: upgrade it"),
        ({"payload": {"title": "T"}}, "entry 2 cannot be put into the tables: KeyError('occurred'"),
        ({"payload": {"title": "T", "occurred": "2025", "event_type": []}},
         "an entry up to 2 cannot be put into the tables: "),
        ({"kind": "entry.erased", "subject": "entry/nothing", "payload": {"reason": "R"}},
         'entry 2: envelope.subject: there is no entry "nothing" before it'),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_follow_stops_it(
    changes: dict[str, Any], message: str, timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record({"title": "One", "occurred": "2025"}, entry_id="one")
    follower.follow(sent(path))
    newest = sent(path)[-1][-1]
    error = follower.refusal([made(newest, **changes)])
    assert isinstance(error, TooNew if "format" in message else Refused)
    assert str(error).startswith(message)


def test_two_messages_never_share_a_time_and_one_message_has_one(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record([{"title": "One", "occurred": "2025"}, {"title": "Two", "occurred": "2025"}])
    opened, both = sent(path)
    follower.follow([opened])
    assert "entry 2: envelope.recorded_at: must be later than" in str(
        follower.refusal(both[:1], both[1:])
    )
    other = made(both[0])
    error = follower.refusal([both[0], other])
    assert f"must be {both[0].recorded_at}, as in all entries of its message" in str(error)
    follower.follow([both])


# --- What is told, and taken in ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"payload": {"occurred": "2025", "title": "T"}}, "payload: is not in the form in which"),
        ({"payload": {"title": "T", "occurred": "2025", "colour": "red"}},
         "payload.colour: is not a field"),
        ({"payload": {"title": "T", "occurred": "2025", "citations": [{"source_id": "gone"}]}},
         'payload.citations.0.source_id: there is no source "gone" before it'),
        ({"payload": {"title": "T", "occurred": "2025",
                      "relations": [{"type": "follows", "event_id": "nowhere"}]}},
         'payload.relations.0.event_id: there is no event "nowhere" up to the end of its batch'),
        ({"kind": "event.merged", "subject": "event/one", "version": 2,
          "payload": {"into": "nowhere"}}, 'no event "nowhere"'),
    ],
)  # fmt: skip
def test_what_the_model_would_refuse_today_is_told_and_taken_in(
    changes: dict[str, Any], note: str, timeline: Timeline, path: Path, follower: Follower
) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    messages = sent(path)
    entry = made(messages[-1][-1], **changes)
    follower.follow([*messages, [entry]])
    ((seq, problem),) = follower.notes
    assert seq == 2
    assert problem.startswith(note)
    assert size(follower.path) == 3


def test_an_erasure_of_one_transaction_gives_no_false_note(
    timeline: Timeline, path: Path, follower: Follower
) -> None:
    for event_id in ("one", "two"):
        timeline.record({"event_id": event_id, "title": event_id, "occurred": "2025"})
    timeline.merge("one", "two")
    erase(timeline, path, 3)
    timeline.merge("two", "one")
    whole = sent(path)
    follower.follow(whole)
    assert follower.notes == []
    assert derived(follower.path) == derived(path)
