"""Files become nodes of a cluster, each at its place in the stream, or are refused in one line."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timeline import Timeline
from timeline.cluster import fill, membership
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.errors import InvalidInput, IsMirror, Refused, StoreError, TimelineError, TooNew
from timeline.proof.verify import verify
from timeline.store import log, mirror, node, storage
from timeline.store.mirror import Mirror
from timeline.store.node import Node

pytestmark = pytest.mark.cluster


@pytest.fixture
def jetstream(address: ClusterAddress) -> Iterator[Jetstream]:
    with Jetstream(address) as connected:
        yield connected


@pytest.fixture
def first(timeline: Timeline, path: Path, address: ClusterAddress) -> str:
    """The file of a story that is on a cluster; it is node odesa there."""
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    timeline.update("one", {"title": "Two"})
    membership.init(address, str(path), "odesa")
    return str(path)


def row_of(path: str | Path) -> Node | None:
    with contextlib.closing(storage.connect(path)) as connection:
        return node.node_of(connection)


def copied(path: str, copy: Path) -> str:
    """A copy of a node's file that is no node, as a publication is one."""
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    with (
        contextlib.closing(storage.connect(copy, write=True)) as connection,
        storage.immediate(connection),
    ):
        node.leave(connection)
    return str(copy)


def refusal(act: Callable[[], object], kind: type[TimelineError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def broken(*_: object) -> None:
    """Stand in for a step at which the process ends."""
    raise KeyboardInterrupt


# --- The first node -----------------------------------------------------------------------


def test_a_log_moves_to_a_cluster_and_its_file_is_the_first_node(
    first: str, address: ClusterAddress, jetstream: Jetstream
) -> None:
    row = row_of(first)
    assert row is not None
    state = jetstream.stream(address.stream(1))
    assert state is not None
    assert (row.cluster, row.name, row.role) == (str(address), "odesa", "writer")
    assert (row.generation, row.created, row.message, row.size) == (1, state.created, 3, 3)
    assert (state.last, state.origin, state.problems) == (3, "example.org/story", [])
    assert fill.generation(jetstream, address) == 1
    assert verify(first).findings == []


def test_a_file_that_is_the_node_already_stays_it(first: str, address: ClusterAddress) -> None:
    row = row_of(first)
    assert membership.init(address, first, "odesa") == row
    assert membership.join(address, first, "odesa") == row
    for act in (membership.init, membership.join):
        assert f"{first} is node odesa of {address}" in refusal(
            lambda act=act: act(address, first, "kyiv"), Refused
        )


@pytest.mark.parametrize("step", ["create_turn", "create_values", "put_value", "revision"])
def test_an_init_that_is_broken_off_is_run_again(
    step: str,
    timeline: Timeline,
    path: Path,
    address: ClusterAddress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timeline.record({"title": "One", "occurred": "2025"})
    with monkeypatch.context() as patch:
        patch.setattr(Jetstream, step, broken)
        with pytest.raises(KeyboardInterrupt):
            membership.init(address, str(path), "odesa")
    assert row_of(path) is None
    timeline.record({"title": "Two", "occurred": "2025"})
    assert membership.init(address, str(path), "odesa").size == 3
    assert verify(path).findings == []


def test_a_registration_that_was_broken_off_is_repeated_by_the_same_file_only(
    timeline: Timeline,
    path: Path,
    address: ClusterAddress,
    jetstream: Jetstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(node, "join", broken)
        with pytest.raises(KeyboardInterrupt):
            membership.init(address, str(path), "odesa")
    copy = copied(str(path), tmp_path / "copy.db")
    assert "has a node odesa already" in refusal(
        lambda: membership.join(address, copy, "odesa"), Refused
    )
    membership.init(address, str(path), "odesa")
    jetstream.delete_value(address.notes, "node.odesa")
    membership.join(address, copy, "odesa")


def test_a_name_on_the_cluster_belongs_to_one_log(
    first: str, address: ClusterAddress, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with Timeline.create(other, title="Another", origin="example.org/other"):
        pass
    for act in (membership.init, membership.join):
        assert (
            f"{address} has the log example.org/story, and {other} the log example.org/other"
            in refusal(lambda act=act: act(address, str(other), "kyiv"), Refused)
        )
    assert row_of(other) is None


def test_a_mirror_is_not_the_first_node(
    timeline: Timeline, path: Path, address: ClusterAddress, jetstream: Jetstream
) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        mirror.mark(connection, Mirror("example.org/story", "2025-04-15T10:00:00.000000Z"))
    refusal(lambda: membership.init(address, str(path), "odesa"), IsMirror)
    assert jetstream.stream(address.stream(1)) is None


def test_a_stream_that_may_lose_messages_is_refused(
    timeline: Timeline, path: Path, address: ClusterAddress, jetstream: Jetstream
) -> None:
    jetstream.create_log(address.stream(1), address.subject(1), "example.org/story")
    config = jetstream.call(f"STREAM.INFO.{address.stream(1)}")["config"]
    jetstream.call(f"STREAM.UPDATE.{address.stream(1)}", {**config, "max_msgs": 9})
    assert "may lose messages: max_msgs is 9, not -1" in refusal(
        lambda: membership.init(address, str(path), "odesa"), StoreError
    )


def test_a_stream_of_a_later_format_is_said_to_be_newer(
    timeline: Timeline, path: Path, address: ClusterAddress, jetstream: Jetstream
) -> None:
    jetstream.create_log(address.stream(1), address.subject(1), "example.org/story")
    config = jetstream.call(f"STREAM.INFO.{address.stream(1)}")["config"]
    config["metadata"]["timeline-format"] = "2"
    jetstream.call(f"STREAM.UPDATE.{address.stream(1)}", config)
    assert "format 2: upgrade" in refusal(
        lambda: membership.init(address, str(path), "odesa"), TooNew
    )


def test_a_name_of_a_node_is_plain(address: ClusterAddress, path: Path) -> None:
    for name in ("", "Odesa", "-odesa", "odesa.ua", "a" * 32, "odesa\n"):
        for act in (membership.init, membership.join):
            assert "is no name of a node: write 1 to 31" in refusal(
                lambda act=act, name=name: act(address, str(path), name), InvalidInput
            )


# --- More nodes ---------------------------------------------------------------------------


def test_a_new_file_begins_before_the_first_message(
    first: str, address: ClusterAddress, tmp_path: Path
) -> None:
    row = membership.join(address, str(tmp_path / "kyiv.db"), "kyiv")
    assert row_of(tmp_path / "kyiv.db") == row
    assert (row.message, row.message_id, row.size) == (0, "", 0)
    assert (row.role, row.with_texts) == ("writer", 1)
    reader = membership.join(address, str(tmp_path / "r.db"), "r", reads_only=True)
    assert (reader.role, reader.with_texts) == ("reader", 0)
    both = membership.join(address, str(tmp_path / "s.db"), "s", reads_only=True, with_texts=True)
    assert (both.role, both.with_texts) == ("reader", 1)


def test_a_copy_begins_at_its_place_and_is_no_mirror_any_more(
    timeline: Timeline, first: str, path: Path, address: ClusterAddress, tmp_path: Path
) -> None:
    copy = copied(first, tmp_path / "kyiv.db")
    with contextlib.closing(storage.connect(copy, write=True)) as connection:
        mirror.mark(connection, Mirror("example.org/story", "2025-04-15T10:00:00.000000Z"))
    row, of_first = membership.join(address, copy, "kyiv"), row_of(first)
    assert of_first is not None
    assert (row.message, row.message_id, row.size) == (3, of_first.message_id, 3)
    assert row.unexcused == "{}"
    with contextlib.closing(storage.connect(copy)) as connection:
        assert mirror.mirror_of(connection) is None
    assert verify(copy).findings == []
    with Timeline.open(copy) as mine:
        mine.record({"title": "Mine", "occurred": "2025"})
    after = row_of(copy)
    assert after is not None
    assert (after.message, after.size) == (4, 4)


def test_a_copy_that_went_its_own_way_is_refused_and_stays_as_it_is(
    first: str, address: ClusterAddress, tmp_path: Path
) -> None:
    copy = copied(first, tmp_path / "kyiv.db")
    with Timeline.open(copy) as mine:
        mine.record({"title": "Mine", "occurred": "2025"})
    assert "has 3 entries, and this file 1 more" in refusal(
        lambda: membership.join(address, copy, "kyiv"), StoreError
    )
    assert row_of(copy) is None
    with contextlib.closing(storage.connect(copy)) as connection:
        assert log.size(connection) == 4


def test_two_nodes_of_one_name_are_refused(
    first: str, address: ClusterAddress, tmp_path: Path
) -> None:
    assert "has a node odesa already: give this one another name with --node" in refusal(
        lambda: membership.join(address, str(tmp_path / "kyiv.db"), "odesa"), Refused
    )
    assert not (tmp_path / "kyiv.db").exists()


def test_a_cluster_without_the_log_says_how_to_put_it_there(
    address: ClusterAddress, tmp_path: Path
) -> None:
    assert "timeline cluster init puts one there" in refusal(
        lambda: membership.join(address, str(tmp_path / "kyiv.db"), "kyiv"), Refused
    )
    assert [*tmp_path.glob("kyiv*")] == []


def test_a_cluster_that_lost_its_stream_says_how_to_put_it_back(
    first: str, address: ClusterAddress, jetstream: Jetstream, tmp_path: Path
) -> None:
    jetstream.delete_stream(address.stream(1))
    copy = copied(first, tmp_path / "copy.db")
    for act in (membership.init, membership.join):
        assert "timeline cluster rewrite --lost puts it there again" in refusal(
            lambda act=act: act(address, copy, "kyiv"), StoreError
        )
