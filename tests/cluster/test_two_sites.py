"""Two nodes of one log, on three real servers: append, follow, and what goes wrong in between."""

from __future__ import annotations

import base64
import contextlib
import random
import signal
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from cut_cable import Cable
from node_states import EVENT, OTHER, check_equal, copied, joined, messages, outrun, state

from timeline import Receipt, Timeline
from timeline.cli.appending import appending
from timeline.cluster import follower
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part
from timeline.errors import (
    AlreadyRecorded,
    ClockAhead,
    Conflict,
    Diverged,
    InDoubt,
    InvalidInput,
    NotWritable,
    Outrun,
    Refused,
)
from timeline.model.content import Event
from timeline.proof import verify
from timeline.store import codec
from timeline.store.codec import MAX_PAYLOAD
from timeline.store.node import change

pytestmark = pytest.mark.cluster


# --- Two sites --------------------------------------------------------------------------------


def test_what_one_node_records_is_on_the_other(odesa: Timeline, kyiv: Timeline) -> None:
    receipt = odesa.record(EVENT, author="olena")
    assert kyiv.catch_up() == 1
    assert kyiv.get("talks")["title"] == "Talks"
    assert kyiv.history("talks")[0]["recorded_at"] == receipt.recorded_at
    later = kyiv.update("talks", {"title": "Talks in Odesa"})
    assert (later.seq, later.version) == (2, 2)
    check_equal(odesa, kyiv)


def test_the_same_event_from_two_nodes_is_one_entry(odesa: Timeline, kyiv: Timeline) -> None:
    first = odesa.record({**EVENT, "external_ids": ["acled:1"]})
    again = kyiv.record({**EVENT, "external_ids": ["acled:1"]})
    assert (again.seq, again.unchanged) == (first.seq, True)
    with pytest.raises(AlreadyRecorded):
        kyiv.record({**EVENT, "title": "Other talks"})
    unnamed = {"title": "Talks", "occurred": "2025-04-15", "external_ids": ["acled:1"]}
    assert kyiv.record(unnamed).unchanged
    check_equal(odesa, kyiv)


def test_of_two_updates_that_expect_one_version_one_is_refused(
    odesa: Timeline, kyiv: Timeline
) -> None:
    odesa.record(EVENT)
    assert odesa.update("talks", {"title": "A"}, expect=1).version == 2
    with pytest.raises(Conflict):
        kyiv.update("talks", {"title": "B"}, expect=1)
    assert kyiv.update("talks", {"tags.-": "odesa"}, expect=2).version == 3
    assert odesa.update("talks", {"title": "C"}).version == 4
    check_equal(odesa, kyiv)


def test_an_append_that_adds_nothing_is_no_message(
    address: ClusterAddress, odesa: Timeline, kyiv: Timeline
) -> None:
    odesa.record(EVENT)
    before = messages(address)
    assert kyiv.record(EVENT).unchanged
    with kyiv.append(dry_run=True) as append:
        append.record(OTHER)
    with contextlib.suppress(Refused), kyiv.append() as append:
        append.record(OTHER)
        raise Refused("not now")
    assert messages(address) == before
    assert odesa.record(OTHER).seq == 2
    check_equal(odesa, kyiv)


def test_an_append_of_many_entries_is_one_message(
    address: ClusterAddress, odesa: Timeline, kyiv: Timeline
) -> None:
    odesa.record({**EVENT, "event_id": f"talks-{n}"} for n in range(300))
    assert messages(address) == 2
    check_equal(odesa, kyiv)


def test_a_node_that_only_reads_refuses_to_write(
    address: ClusterAddress, odesa: Timeline, tmp_path: Path
) -> None:
    odesa.record(EVENT)
    with joined(address, tmp_path / "reader.db", "reader", reads_only=True) as reader:
        assert reader.get("talks")["version"] == 1
        with pytest.raises(NotWritable, match="only reads"):
            reader.record(OTHER)
        check_equal(odesa, reader)


# --- Clocks -----------------------------------------------------------------------------------


def test_a_clock_ahead_of_the_cluster_writes_nothing(
    address: ClusterAddress, odesa: Timeline
) -> None:
    before = messages(address)
    with (
        Timeline.open(odesa.path, now=clock_ahead(timedelta(minutes=5))) as ahead,
        pytest.raises(ClockAhead, match="set the clock here"),
    ):
        ahead.record(EVENT)
    assert messages(address) == before
    assert odesa.record(EVENT).seq == 1


def test_a_clock_behind_goes_on_after_the_newest_entry(odesa: Timeline, kyiv: Timeline) -> None:
    first = odesa.record(EVENT)
    with Timeline.open(kyiv.path, now=clock_ahead(timedelta(seconds=-30))) as behind:
        second = behind.record(OTHER)
    assert second.recorded_at > first.recorded_at
    moments = [datetime.fromisoformat(receipt.recorded_at) for receipt in (first, second)]
    assert moments[1] - moments[0] == timedelta(microseconds=1)
    check_equal(odesa, kyiv)


def clock_ahead(by: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + by


# --- In doubt ---------------------------------------------------------------------------------


def in_doubt(timeline: Timeline, cut: Callable[[], None]) -> str:
    """Append an event without an id, and cut the cable before it is published."""
    try:
        with timeline.append() as append:
            append.record({"title": "A doubtful event", "occurred": "2025-04-16"})
            cut()
    except InDoubt as error:
        return str(error)
    raise AssertionError


def again(timeline: Timeline) -> Receipt:
    """Repeat the append of `in_doubt` by a new command, as a person would."""
    with Timeline.open(timeline.path) as opened:
        return opened.record({"title": "A doubtful event", "occurred": "2025-04-16"})


def doubtful(timeline: Timeline) -> int:
    """Return how many entries say what `in_doubt` says."""
    return len([*timeline.search("doubtful")])


def test_a_lost_reply_leaves_an_append_in_doubt_that_its_retry_finds(
    far: Timeline, odesa: Timeline, cable: Cable
) -> None:
    message = in_doubt(far, cable.lose_replies)
    assert "not known yet whether" in message
    assert "\n" not in message
    assert doubtful(far) == 0
    odesa.catch_up()
    assert doubtful(odesa) == 1
    cable.mend()
    receipt = again(far)
    assert (receipt.seq, receipt.unchanged) == (2, True)
    assert not again(far).unchanged
    check_equal(odesa, far)


def test_a_lost_request_is_sent_again_by_the_next_command(
    far: Timeline, odesa: Timeline, cable: Cable
) -> None:
    in_doubt(far, lambda: cable.lose_requests(after=b"HPUB tl."))
    assert verify.verify(far.path).findings == []
    cable.mend()
    with Timeline.open(far.path) as opened, opened.append() as append:
        append.record(OTHER)
    assert any("was stored: entry 2" in note for note in append.notes)
    assert again(far).unchanged
    check_equal(odesa, far)
    assert doubtful(odesa) == 1


def test_an_append_in_doubt_that_was_overtaken_is_put_aside(
    far: Timeline, odesa: Timeline, cable: Cable, address: ClusterAddress
) -> None:
    in_doubt(far, lambda: cable.lose_requests(after=b"HPUB tl."))
    outrun(odesa, address)
    cable.mend()
    with Timeline.open(far.path) as opened, opened.append() as append:
        append.record(OTHER)
    (note,) = append.notes
    assert "was not stored, as another node wrote first" in note
    (line,) = Path(f"{far.path}.not-stored.jsonl").read_text().splitlines()
    assert "A doubtful event" in line
    assert not again(far).unchanged
    check_equal(odesa, far)


def test_a_copy_of_a_file_in_doubt_settles_it_too(
    far: Timeline, odesa: Timeline, cable: Cable, tmp_path: Path
) -> None:
    in_doubt(far, cable.lose_replies)
    copy = copied(far, tmp_path / "copy.db")
    cable.mend()
    with Timeline.open(copy) as second:
        assert again(second).unchanged
        assert again(far).unchanged
        check_equal(odesa, far, second)
        assert doubtful(odesa) == 1


@pytest.mark.parametrize("what", ["replies", "requests"])
def test_a_short_cut_is_not_noticed(
    far: Timeline, odesa: Timeline, cable: Cable, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", 30.0)
    mender = threading.Thread(target=lambda: (cable.lost.wait(30), cable.mend()))
    with far.append() as append:
        receipt = append.record({**OTHER, "tags": ["x"]})
        mender.start()
        cable.lose_replies() if what == "replies" else cable.lose_requests(after=b"HPUB tl.")
    mender.join()
    assert receipt.seq == 2
    check_equal(odesa, far)
    assert odesa.get("strike")["version"] == 1


def test_ctrl_c_while_waiting_leaves_an_append_in_doubt(
    far: Timeline, odesa: Timeline, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", 60.0)

    def interrupt() -> None:
        cable.lost.wait(30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    in_doubt(far, lambda: cable.lose_requests(after=b"HPUB tl."))
    interrupter.join()
    cable.mend()
    assert not again(far).unchanged or doubtful(far) == 1
    check_equal(odesa, far)


@pytest.mark.parametrize("is_late", [False, True])
def test_ctrl_c_after_the_cluster_stored_it_never_denies_that_it_is_written(
    odesa: Timeline, address: ClusterAddress, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    """It comes before the commands ignore it, or after that."""
    publish = Jetstream.publish

    def interrupted(*arguments: Any, **settings: Any) -> int:
        last = publish(*arguments, **settings)
        if not is_late and arguments[1] == address.subject(1):
            signal.raise_signal(signal.SIGINT)
        return last

    def changed(*arguments: Any, **fields: Any) -> None:
        change(*arguments, **fields)
        if is_late and "message" in fields:
            signal.raise_signal(signal.SIGINT)

    def append_one() -> Receipt:
        with click.Context(click.Command("append")), appending(odesa) as append:
            return append.record({"title": "A doubtful event", "occurred": "2025-04-16"})

    with monkeypatch.context() as patched:
        patched.setattr(Jetstream, "publish", interrupted)
        patched.setattr("timeline.cluster.node.node.change", changed)
        if is_late:
            append_one()
        else:
            with pytest.raises(InDoubt):
                append_one()
            assert again(odesa).unchanged
    odesa.catch_up()
    assert doubtful(odesa) == 1


def test_an_append_that_ended_between_cluster_and_file_is_found_by_its_repetition(
    odesa: Timeline, kyiv: Timeline
) -> None:
    def end() -> None:
        raise RuntimeError("as if it were killed")

    try:
        with kyiv.append() as append:
            append.record({"title": "A doubtful event", "occurred": "2025-04-16"})
            append.at_commit = end
    except RuntimeError:
        assert doubtful(kyiv) == 0
    assert again(kyiv).unchanged
    check_equal(odesa, kyiv)
    assert doubtful(odesa) == 1


def test_what_another_node_stored_first_is_never_overwritten(
    odesa: Timeline, kyiv: Timeline, address: ClusterAddress
) -> None:
    with contextlib.ExitStack() as stack:
        append = stack.enter_context(kyiv.append())
        append.record(OTHER)
        outrun(odesa, address)
        with pytest.raises(Outrun, match="do it again"):
            stack.close()
    assert kyiv.record(OTHER).seq == 2
    check_equal(odesa, kyiv)


# --- What is not the log of this file -----------------------------------------------------------


def test_a_message_of_a_stranger_stops_every_node_and_is_named(
    odesa: Timeline, kyiv: Timeline, address: ClusterAddress
) -> None:
    odesa.record(EVENT)
    headers = {
        "Nats-Msg-Id": "x",
        "Nats-Expected-Last-Sequence": str(messages(address)),
        "Timeline-Node": "nobody",
    }
    with Jetstream(address) as jetstream:
        part = Part(headers, b"Hello")
        jetstream.publish(address.subject(1), [part], stream=address.stream(1))
    for timeline in (odesa, kyiv):
        before = state(odesa)
        with pytest.raises(Diverged, match=r'message 3 \(Timeline-Node "nobody"\): '):
            timeline.catch_up()
        with pytest.raises(Diverged, match="message 3"):
            timeline.record(OTHER)
        assert state(odesa) == before
        assert timeline.get("talks")["version"] == 1


def test_a_stream_that_is_gone_or_another_one_changes_nothing(
    odesa: Timeline, address: ClusterAddress
) -> None:
    odesa.record(EVENT)
    before = state(odesa)
    with Jetstream(address) as jetstream:
        jetstream.delete_stream(address.stream(1))
        with pytest.raises(Diverged, match="no longer has message 2"):
            odesa.catch_up()
        jetstream.create_log(address.stream(1), address.subject(1), odesa.info["origin"])
    with pytest.raises(Diverged, match="no longer has message 2"):
        odesa.record(OTHER)
    assert state(odesa) == before


def test_a_file_put_back_to_last_week_catches_up(
    odesa: Timeline, kyiv: Timeline, tmp_path: Path
) -> None:
    backup = copied(kyiv, tmp_path / "backup.db")
    odesa.record(EVENT)
    kyiv.record(OTHER)
    with Timeline.open(backup) as old:
        assert old.catch_up() == 2
        check_equal(odesa, kyiv, old)


def test_an_erasure_reaches_the_bytes_of_every_node(odesa: Timeline, kyiv: Timeline) -> None:
    receipt = odesa.record({**EVENT, "summary": "Mariupolska street 9"})
    kyiv.catch_up()
    assert b"Mariupolska" in kyiv.path.read_bytes() + wal(kyiv)
    odesa.erase([receipt.entry_id], reason="a court said so")
    kyiv.catch_up()
    for timeline in (odesa, kyiv):
        assert b"Mariupolska" not in timeline.path.read_bytes() + wal(timeline)
    check_equal(odesa, kyiv)


def wal(timeline: Timeline) -> bytes:
    path = timeline.path.with_name(f"{timeline.path.name}-wal")
    return path.read_bytes() if path.exists() else b""


def test_the_largest_entry_travels_in_parts(
    address: ClusterAddress, odesa: Timeline, kyiv: Timeline
) -> None:
    noise = base64.b64encode(random.Random(1).randbytes(MAX_PAYLOAD)).decode()
    fields = {f"noise_{n}": noise[n * 100_000 :][:100_000] for n in range(41)}
    before = messages(address)
    with odesa.append(dry_run=True) as append:
        almost = Event(**EVENT, extra={"test": {**fields, "last": "x"}})
        room = MAX_PAYLOAD - len(codec.encode_payload(None, None, append.worded(almost))) + 1
    odesa.record({**EVENT, "extra": {"test": {**fields, "last": noise[-room:]}}})
    assert messages(address) > before + 1  # gzip cannot shrink it to the size of one message
    check_equal(odesa, kyiv)
    assert kyiv.get("talks")["extra"] == {"test": {**fields, "last": noise[-room:]}}
    with pytest.raises(InvalidInput):
        odesa.record({**OTHER, "extra": {"test": {**fields, "last": noise[-room - 9 :]}}})


@pytest.mark.torture
def test_an_append_of_64_parts_is_stored_and_a_larger_one_is_refused(
    address: ClusterAddress, odesa: Timeline, kyiv: Timeline
) -> None:
    def large(event_id: str) -> dict[str, Any]:
        noise = base64.b85encode(random.Random(event_id).randbytes(3_120_000)).decode()
        fields = {f"noise_{n}": noise[n * 100_000 :][:100_000] for n in range(39)}
        return {**OTHER, "event_id": event_id, "extra": {"test": fields}}

    before = messages(address)
    odesa.record([large(f"large-{number}") for number in range(17)])
    assert 55 < messages(address) - before <= 64
    check_equal(odesa, kyiv)
    before = messages(address)
    with pytest.raises(Refused, match="too much for one append on a cluster"):
        odesa.record([large(f"larger-{number}") for number in range(20)])
    assert messages(address) == before
    check_equal(odesa, kyiv)


def test_an_erasure_is_finished_when_a_reader_lets_go_of_old_pages(
    odesa: Timeline, kyiv: Timeline
) -> None:
    receipt = odesa.record({**EVENT, "summary": "Mariupolska street 9"})
    kyiv.catch_up()
    with contextlib.closing(sqlite3.connect(kyiv.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        (before,) = reader.execute("SELECT summary FROM events").fetchone()
        odesa.erase([receipt.entry_id], reason="a court said so")
        kyiv.catch_up()
        assert before in str(reader.execute("SELECT summary FROM events").fetchall())
        assert kyiv.get("talks").get("summary") is None
        assert [finding.what for finding in verify.verify(kyiv.path).findings] == ["scrub pending"]
    odesa.record(OTHER)
    kyiv.catch_up()
    assert b"Mariupolska" not in kyiv.path.read_bytes() + wal(kyiv)
    check_equal(odesa, kyiv)
