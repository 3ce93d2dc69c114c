"""A log moves into a stream and is found there: the same root, from wherever it was broken off."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timeline import Timeline
from timeline.cluster import fill, message
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.errors import Diverged, Refused, TimelineError
from timeline.store import log, storage

pytestmark = pytest.mark.cluster


@pytest.fixture
def jetstream(address: ClusterAddress) -> Iterator[Jetstream]:
    """A connection to a cluster that has an empty stream for the first generation of a log."""
    with Jetstream(address) as connected:
        connected.create_log(address.stream(1), address.subject(1), "example.org/story")
        yield connected


@pytest.fixture
def connection(timeline: Timeline, path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=True)) as connected:
        yield connected


def record(timeline: Timeline, *sizes: int) -> None:
    """Make appends of so many events."""
    for size in sizes:
        timeline.record([{"title": "T", "occurred": "2025"} for _ in range(size)])


def lines(connection: sqlite3.Connection) -> list[str]:
    return [message.to_wire(entry) for entry in log.read(connection)]


def in_stream(jetstream: Jetstream, generation: int = 1) -> list[message.Commit]:
    """All appends of a stream, read at its leader."""
    stream = jetstream.address.stream(generation)
    state = jetstream.stream(stream)
    assert state is not None
    found = (jetstream.at_leader(stream, number) for number in range(1, state.last + 1))
    return [*message.unpack(stored for stored in found if stored is not None)]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(TimelineError) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_append_becomes_a_message_byte_for_byte(
    timeline: Timeline, jetstream: Jetstream, connection: sqlite3.Connection
) -> None:
    record(timeline, 1, 5, 2)
    counts: list[int] = []
    end = fill.fill(jetstream, jetstream.address, 1, connection, "odesa", counts.append)
    commits = in_stream(jetstream)
    assert [len(commit.entries) for commit in commits] == [1, 1, 5, 2]
    assert {commit.node for commit in commits} == {"odesa"}
    assert [message.to_wire(entry) for commit in commits for entry in commit.entries] == lines(
        connection
    )
    assert (end.message, end.size, end.root) == (4, 9, log.root_at(connection, 9))
    assert end.message_id == commits[-1].id
    assert counts[-1] == 9


def test_filling_goes_on_where_the_stream_ends(
    timeline: Timeline, jetstream: Jetstream, connection: sqlite3.Connection
) -> None:
    def stop(count: int) -> None:
        if count > 300:
            raise KeyboardInterrupt

    record(timeline, *[1] * 400)
    with pytest.raises(KeyboardInterrupt):
        fill.fill(jetstream, jetstream.address, 1, connection, "odesa", stop)
    fill.fill(jetstream, jetstream.address, 1, connection, "odesa")
    record(timeline, 3)
    end = fill.fill(jetstream, jetstream.address, 1, connection, "odesa")
    assert (end.message, end.size) == (402, 404)
    assert fill.fill(jetstream, jetstream.address, 1, connection, "odesa") == end
    assert [commit.size for commit in in_stream(jetstream)] == [*range(1, 402), 404]


def test_an_append_of_several_parts_has_one_place(
    timeline: Timeline,
    jetstream: Jetstream,
    connection: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(message, "PART", 1_000)
    record(timeline, 1, 8, 1, 8)
    end = fill.fill(jetstream, jetstream.address, 1, connection, "odesa")
    assert end.message > 15
    assert fill.place(jetstream, jetstream.address, 1, connection) == end
    places = {0: 0} | {
        commit.size: commit.sequence + commit.parts - 1 for commit in in_stream(jetstream)
    }
    assert len(places) == 6
    for size, last in places.items():
        found = fill.place(jetstream, jetstream.address, 1, cut(connection, size))
        assert (found.message, found.size) == (last, size)


def cut(connection: sqlite3.Connection, size: int) -> sqlite3.Connection:
    """The log as it was when it had so many entries."""
    copy = sqlite3.connect(":memory:")
    connection.backup(copy)
    copy.executescript("DROP TRIGGER log_never_forgets; DROP TRIGGER tree_hashes_never_forget")
    copy.execute("DELETE FROM log WHERE seq >= ?", (size,))
    copy.execute("DELETE FROM tree_hashes WHERE position >= ?", (size - size.bit_count(),))
    return copy


def test_a_file_that_ends_within_an_append_has_no_place(
    timeline: Timeline, jetstream: Jetstream, connection: sqlite3.Connection
) -> None:
    record(timeline, 1, 5, 1)
    fill.fill(jetstream, jetstream.address, 1, connection, "odesa")
    for size in (3, 4, 6):
        assert "message 3 goes on behind the end of this file" in refusal(
            lambda size=size: fill.place(jetstream, jetstream.address, 1, cut(connection, size))
        )


def test_another_log_is_refused_by_the_first_message_that_differs(
    timeline: Timeline, jetstream: Jetstream, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    record(timeline, 1, 2, 1)
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as copy:
        connection.backup(copy)
    record(timeline, 1, 1)
    fill.fill(jetstream, jetstream.address, 1, connection, "odesa")
    with Timeline.open(other) as theirs:
        record(theirs, 1)
    with contextlib.closing(storage.connect(other)) as copy:
        assert "message 5 is the first whose entries this file has not" in refusal(
            lambda: fill.place(jetstream, jetstream.address, 1, copy)
        )
        assert "has 7 entries already, and this file only 6" in refusal(
            lambda: fill.fill(jetstream, jetstream.address, 1, copy, "kyiv")
        )
    with Timeline.open(other) as theirs:
        record(theirs, 3)
    with contextlib.closing(storage.connect(other)) as copy:
        assert "has 7 entries, and this file 2 more" in refusal(
            lambda: fill.place(jetstream, jetstream.address, 1, copy)
        )
        assert "has 7 entries already, which are not the first of this file" in refusal(
            lambda: fill.fill(jetstream, jetstream.address, 1, copy, "kyiv")
        )


def test_an_append_that_no_message_holds_is_named(
    timeline: Timeline,
    jetstream: Jetstream,
    connection: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(message, "MAX_PARTS", 1)
    monkeypatch.setattr(message, "PART", 20_000)
    monkeypatch.setattr(message, "PACK_ABOVE", 1_000_000)
    record(timeline, 90)
    with pytest.raises(Refused, match="entries 1 to 90 are one append, and too much"):
        fill.fill(jetstream, jetstream.address, 1, connection, "odesa")


def test_a_stream_that_is_not_there_is_named(
    jetstream: Jetstream, connection: sqlite3.Connection
) -> None:
    with pytest.raises(Diverged, match=f"has no stream TL_{jetstream.address.name}_2"):
        fill.fill(jetstream, jetstream.address, 2, connection, "odesa")
    assert fill.generation(jetstream, jetstream.address) == 0
