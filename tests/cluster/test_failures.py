"""Every failure that the protocol names: what a person is told, and what is left of it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import faulty_vfs
import pytest
from cut_cable import Cable
from faults import Notebook, fork, start_forking
from faulty_vfs import Fault, Form
from nats_servers import Servers, persist
from node_states import EVENT, OTHER, briefly, check_equal, copied, joined, messages, row, state
from running import one_line, run

from timeline import Timeline
from timeline.cluster import follower, membership, message, node
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part
from timeline.errors import InDoubt, Outrun, StorageFull, TimelineError, Unreachable
from timeline.proof import verify
from timeline.store import codec, log, storage

pytestmark = pytest.mark.cluster

KILLED = -signal.SIGKILL
UNNAMED = {"title": "A doubtful event", "occurred": "2025-04-16"}


def typed(path: Path, *arguments: object) -> str:
    """Return the one line with which a command ends that cannot be carried out."""
    return one_line(run("-d", path, *arguments))


def refused(timeline: Timeline, cut: Callable[[], object]) -> TimelineError:
    """Append an event without an id; do something before it is published; return the error."""
    try:
        with timeline.append() as append:
            append.record(UNNAMED)
            cut()
    except TimelineError as error:
        return error
    raise AssertionError


# --- Servers that are away --------------------------------------------------------------------


def test_without_two_of_three_servers_an_append_is_in_doubt_and_its_repetition_finds_it(
    servers: Servers,
    odesa: Timeline,
    kyiv: Timeline,
    address: ClusterAddress,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node, "turn", briefly)
    odesa.record(EVENT)

    def kill_two() -> None:
        leader = servers.leader(address.stream(1))
        servers.kill(*(number for number in range(3) if number != leader))

    assert isinstance(refused(odesa, kill_two), InDoubt)
    line = typed(odesa.path, "append", "--title", "Strike", "--occurred", "2025")
    assert "2 of 3 servers do not answer; nothing was written" in line
    assert odesa.get("talks")["version"] == 1
    assert verify.verify(odesa.path).findings == []
    servers.all_up()
    with Timeline.open(odesa.path) as opened:
        receipt = persist(lambda: opened.record(UNNAMED), Unreachable, InDoubt)
    assert (receipt.seq, receipt.unchanged) == (2, True)
    check_equal(odesa, kyiv)


def test_what_was_never_sent_is_not_in_doubt(
    servers: Servers,
    name: str,
    odesa: Timeline,
    tmp_path: Path,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_noticed = threading.Event()
    disconnected = Jetstream._disconnected

    async def noticing(lost: Jetstream) -> None:
        await disconnected(lost)
        is_noticed.set()

    monkeypatch.setattr(Jetstream, "_disconnected", noticing)

    def cut() -> None:
        is_noticed.clear()  # the connection with which the node joined ended before
        stack.close()
        assert is_noticed.wait(10)

    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(Cable(servers.ports[0]))
        address = ClusterAddress.parse(f"nats://127.0.0.1:{cable.port}/{name}")
        with joined(address, tmp_path / "far.db", "far") as far:
            error = refused(far, cut)
            assert isinstance(error, Unreachable)
            assert str(error).endswith("1 of 1 servers do not answer; nothing was written")
            assert row(far).doubt is None
    assert odesa.catch_up() == 0


def log_size(timeline: Timeline) -> int:
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        return log.size(connection)


def test_what_was_stored_before_a_generation_ended_is_kept_once(
    far: Timeline,
    odesa: Timeline,
    cable: Cable,
    address: ClusterAddress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", 30.0)
    before = messages(address)

    def seal() -> None:
        with Jetstream(address) as jetstream:
            stream = address.stream(1)
            while (there := jetstream.stream(stream)) and there.last == before:
                cable.lost.wait(0.05)
            jetstream.seal(stream, 2)
        cable.mend()

    sealer = threading.Thread(target=seal)
    with far.append() as append:
        receipt = append.record(UNNAMED)
        cable.lose_replies()
        sealer.start()
    sealer.join()
    assert (receipt.seq, row(far).message) == (2, before + 1)
    check_equal(odesa, far)


# --- Messages of a later version --------------------------------------------------------------


def test_a_message_of_a_later_format_says_to_upgrade(
    odesa: Timeline, kyiv: Timeline, address: ClusterAddress
) -> None:
    odesa.record(EVENT)
    kyiv.catch_up()
    publish(address, {"Timeline-Format": "2"}, b"something new")
    check_stopped(odesa, kyiv, said="message 3: is of format 2; this Timeline reads up to 1")


def test_an_entry_of_a_later_format_says_to_upgrade(
    odesa: Timeline, kyiv: Timeline, address: ClusterAddress
) -> None:
    receipt = odesa.record(EVENT)
    kyiv.catch_up()
    with contextlib.closing(storage.connect(odesa.path)) as connection:
        entry = log.entry_at(connection, receipt.seq)
        assert entry
        line = codec.to_wire(entry).replace(r"\"v\":1", r"\"v\":9").encode()
        assert rb"\"v\":9" in line
        (part,) = message.pack(
            [entry], stream=address.stream(1), expected=0, root=bytes(32), node="later"
        )
    publish(address, part.headers | {"Timeline-First": "2", "Timeline-Size": "3"}, line)
    check_stopped(odesa, kyiv, said="upgrade")


def publish(address: ClusterAddress, headers: dict[str, str], body: bytes) -> None:
    """Publish a message as the next one, with the id of its bytes."""
    headers = headers | {
        "Nats-Expected-Last-Sequence": str(messages(address)),
        "Nats-Msg-Id": message._hash(body),
    }
    with Jetstream(address) as jetstream:
        jetstream.publish(address.subject(1), [Part(headers, body)], stream=address.stream(1))


def check_stopped(*timelines: Timeline, said: str) -> None:
    """See that each node stops with one line, keeps what it has and can be read."""
    before = {state(timeline) for timeline in timelines}
    for timeline in timelines:
        assert said in typed(timeline.path, "cluster", "follow", "--once")
        assert said in typed(timeline.path, "append", "--title", "New", "--occurred", "2025")
        assert timeline.get("talks")["version"] == 1
    assert {state(timeline) for timeline in timelines} == before


# --- Disks ------------------------------------------------------------------------------------


def test_servers_without_room_write_nothing(
    odesa: Timeline, kyiv: Timeline, address: ClusterAddress
) -> None:
    odesa.record(EVENT)
    with Jetstream(address) as jetstream:
        config = jetstream.call(f"STREAM.INFO.{address.stream(1)}")["config"]
        jetstream.call(f"STREAM.UPDATE.{address.stream(1)}", {**config, "max_bytes": 1})
        line = typed(odesa.path, "append", "--title", "Strike", "--occurred", "2025")
        assert "the servers have no room; nothing was written: " in line
        jetstream.call(f"STREAM.UPDATE.{address.stream(1)}", config)
    assert kyiv.record(OTHER).seq == 2
    check_equal(odesa, kyiv)


@pytest.fixture(scope="module")
def forking() -> None:
    faulty_vfs.shared_sqlite()
    start_forking()


def calls_of(work: Callable[..., None], path: Path, copy: Path) -> list[str]:
    """Return the calls that change a file, of some work that nothing goes wrong with."""
    book = Notebook(copy.with_suffix(".calls"))
    assert faulty(work, path, copy, None, book) == 0
    (calls,) = book.read("calls")
    return [str(call) for call in calls]


def faulty(
    work: Callable[..., None], path: Path, copy: Path, fault: Fault | None, book: Notebook
) -> int | None:
    """Do some work on a copy of a node's file, on a disk that fails; return the exit code."""
    shutil.copy(path, copy)
    process: BaseProcess = fork(on_a_disk, work, copy, fault, book)
    process.join()
    return process.exitcode


def on_a_disk(work: Callable[..., None], path: Path, fault: Fault | None, book: Notebook) -> None:
    disk = faulty_vfs.install(fault)
    try:
        work(path)
    except StorageFull as error:
        book.write(full=str(error))
    book.write(calls=disk.calls)


def record_other(path: Path) -> None:
    with Timeline.open(path) as timeline:
        timeline.record({**OTHER, "event_id": path.stem})


def catch_up(path: Path) -> None:
    with Timeline.open(path) as timeline:
        timeline.catch_up()


def moments(calls: list[str], sample: int | None) -> list[int]:
    numbers = range(1, len(calls) + 1)
    return [*numbers] if sample is None else sorted(random.Random(0).sample(numbers, sample))


every_call = pytest.mark.parametrize(
    "sample", [1, pytest.param(None, marks=pytest.mark.torture, id="every call")]
)


@every_call
@pytest.mark.parametrize("form", [Form.KILLED, Form.FULL])
def test_a_disk_that_fails_leaves_an_append_whole_or_not_at_all(
    forking: None,
    odesa: Timeline,
    kyiv: Timeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Form,
    sample: int | None,
) -> None:
    monkeypatch.setattr(node, "turn", briefly)
    odesa.record(EVENT)
    path = copied(odesa, tmp_path / "whole.db")
    numbers = moments(calls_of(record_other, path, tmp_path / "sound.db"), sample)
    for number in numbers:
        book = Notebook(tmp_path / f"{number}.said")
        copy = tmp_path / f"at-{number}.db"
        code = faulty(record_other, path, copy, Fault(form, number), book)
        assert code == (KILLED if form is Form.KILLED else 0)
        assert all("\n" not in line for line in book.read("full"))
        with Timeline.open(copy) as opened:
            receipt = opened.record({**OTHER, "event_id": copy.stem})
            assert opened.record({**OTHER, "event_id": copy.stem}).seq == receipt.seq
            check_equal(kyiv, opened)
    assert len([*kyiv.search("Strike")]) == len(numbers) + 1


@every_call
@pytest.mark.parametrize("form", [Form.KILLED, Form.FULL])
def test_a_disk_that_fails_leaves_a_follower_at_its_place(
    forking: None, odesa: Timeline, kyiv: Timeline, tmp_path: Path, form: Form, sample: int | None
) -> None:
    path = copied(kyiv, tmp_path / "whole.db")
    for number in range(3):
        odesa.record({**EVENT, "event_id": f"talks-{number}-{part}"} for part in range(20))
    for number in moments(calls_of(catch_up, path, tmp_path / "sound.db"), sample):
        book = Notebook(tmp_path / f"{number}.said")
        copy = tmp_path / f"at-{number}.db"
        code = faulty(catch_up, path, copy, Fault(form, number), book)
        assert code == (KILLED if form is Form.KILLED else 0)
        assert all("\n" not in line for line in book.read("full"))
        with Timeline.open(copy) as opened:
            check_equal(odesa, opened)


# --- The turn ---------------------------------------------------------------------------------


def append_slowly(path: Path, book: Notebook) -> None:
    """Append, and stand still within the block."""
    with pytest.MonkeyPatch.context() as patch, Timeline.open(path) as timeline:
        patch.setattr(node, "turn", briefly)
        try:
            with timeline.append() as append:
                append.record(UNNAMED)
                book.write(inside=True)
                signal.raise_signal(signal.SIGSTOP)
        except Outrun as error:
            book.write(outrun=str(error))


def test_a_writer_that_stood_still_for_long_keeps_nothing(
    odesa: Timeline, kyiv: Timeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_forking()
    monkeypatch.setattr(node, "turn", briefly)
    book = Notebook(tmp_path / "said")
    process = fork(append_slowly, kyiv.path, book)
    persist(lambda: book.read("inside")[0], IndexError)
    assert odesa.record(OTHER).seq == 1
    assert process.pid
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    assert book.read("outrun") == ["another site wrote meanwhile; nothing was kept: do it again"]
    check_equal(odesa, kyiv)
    assert log_size(kyiv) == 2


# --- Servers with bad disks -------------------------------------------------------------------


@pytest.mark.torture
def test_a_server_that_lost_old_messages_stops_no_node_and_is_named(
    servers: Servers, name: str, odesa: Timeline, address: ClusterAddress, tmp_path: Path
) -> None:
    for number in range(40):
        odesa.record({**EVENT, "event_id": f"talks-{number}", "summary": f"{number} " * 2000})
    leader = servers.leader(address.stream(1))
    rotten = next(number for number in range(3) if number != leader)
    servers.kill(rotten)
    (block,) = servers.store(rotten).glob(f"jetstream/**/{address.stream(1)}/msgs/1.blk")
    damaged = bytearray(block.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    block.write_bytes(damaged)
    servers.restart(rotten)
    near = ClusterAddress.parse(servers.address(name, rotten))
    with joined(near, tmp_path / "near.db", "near") as near_it:
        assert odesa.record(OTHER).seq == 41
        check_equal(odesa, near_it)


class SmallServers(Servers):
    """Servers with so little room for streams that a log fills it."""

    def configuration(self, number: int) -> str:
        """Make the configuration file of a server."""
        config = json.loads(super().configuration(number))
        config["jetstream"]["max_file_store"] = 3_000_000
        return json.dumps(config)


@pytest.mark.torture
def test_servers_whose_room_is_used_up_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with SmallServers() as servers:
        Timeline.create(path, title="Story").close()
        membership.init(ClusterAddress.parse(servers.address("story")), str(path), "only")
        with Timeline.open(path) as timeline:

            def fill_up() -> None:
                for number in range(2000):
                    words = base64.b85encode(random.Random(number).randbytes(70_000)).decode()
                    timeline.record({"title": "Talks", "occurred": "2025", "summary": words})

            with pytest.raises(StorageFull, match="the servers have no room; nothing was written"):
                fill_up()
            assert timeline.get(timeline.search("Talks")[0]["event_id"])["version"] == 1
        assert verify.verify(path).findings == []
