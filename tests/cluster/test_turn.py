"""Turns at writing: they are taken one after the other, and none is held for ever."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from nats_servers import Servers
from running import environment

from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.turn import LastTurn, turn
from timeline.errors import Busy

pytestmark = pytest.mark.cluster

EXPIRY = 1.5


@pytest.fixture
def jetstream(servers: Servers, address: ClusterAddress) -> Iterator[Jetstream]:
    with Jetstream(address, patience=20) as connected:
        yield connected
        servers.all_up()
        connected.delete_stream(address.turn_stream)


@contextlib.contextmanager
def holder(address: ClusterAddress, node: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the turn until it is told to end; then it says that message 99 is last."""
    script = """
import sys
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.turn import turn
address = ClusterAddress.parse(sys.argv[1])
with Jetstream(address) as jetstream:
    with turn(jetstream, address, sys.argv[2], expiry=float(sys.argv[3])) as ours:
        print("held", flush=True)
        sys.stdin.readline()
        ours.message = 99
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(address), node, str(EXPIRY)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.close()
    process.stdin = None
    assert process.wait(timeout=60) == 0


def said(jetstream: Jetstream) -> dict[str, object]:
    newest = jetstream.newest(jetstream.address.turn_stream, jetstream.address.turn_subject)
    assert newest
    read: dict[str, object] = json.loads(newest.body)
    return read


def comes_to_say(jetstream: Jetstream, expected: dict[str, object]) -> bool:
    """Whether the record says something, soon: nobody waits for the answer when a turn ends."""
    until = time.monotonic() + 30
    while said(jetstream) != expected:
        if time.monotonic() > until:
            return False
    return True


def test_a_turn_is_told_how_far_the_one_before_came(jetstream: Jetstream) -> None:
    address = jetstream.address
    with turn(jetstream, address, "odesa") as first:
        assert first.message is None
        assert said(jetstream)["node"] == "odesa"
        first.message = 813
    with turn(jetstream, address, "kyiv") as second:
        assert second.message == 813
    with contextlib.suppress(ValueError), turn(jetstream, address, "lviv") as third:
        assert third.message == 813
        raise ValueError
    with turn(jetstream, address, "odesa") as fourth:
        assert fourth.message == 813
        fourth.message = 814
    assert comes_to_say(jetstream, {"free": True, "message": 814})


def test_a_process_takes_the_next_turn_unless_another_had_one(jetstream: Jetstream) -> None:
    address = jetstream.address
    odesa, kyiv = LastTurn(), LastTurn()
    for name, last, known, message in (
        ("odesa", odesa, None, 813),
        ("odesa", odesa, 813, 814),
        ("kyiv", kyiv, 814, 815),
        ("odesa", odesa, 815, 816),
        ("odesa", odesa, 816, 817),
        ("kyiv", kyiv, 817, 818),
    ):
        with turn(jetstream, address, name, last=last) as ours:
            assert ours.message == known
            assert said(jetstream)["node"] == name
            ours.message = message
    assert comes_to_say(jetstream, {"free": True, "message": 818})
    jetstream.delete_stream(address.turn_stream)
    with turn(jetstream, address, "kyiv", last=kyiv) as ours:
        assert ours.message is None


def test_turns_of_many_writers_never_overlap(jetstream: Jetstream) -> None:
    address = jetstream.address
    jetstream.create_turn()
    writing = threading.Lock()
    numbers: list[int | None] = []

    def write(name: str) -> None:
        last = LastTurn()
        with Jetstream(address) as own:
            for _ in range(10):
                with turn(own, address, name, last=last) as ours:
                    assert writing.acquire(blocking=False)
                    numbers.append(ours.message)
                    ours.message = len(numbers)
                    writing.release()

    threads = [threading.Thread(target=write, args=(f"n{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [None, *range(1, 30)]


def test_who_waits_too_long_is_told_who_writes(
    address: ClusterAddress, jetstream: Jetstream
) -> None:
    with holder(address, "odesa") as process:
        with pytest.raises(Busy) as busy, turn(jetstream, address, "kyiv", patience=0.0):
            pass
        assert str(busy.value) == (
            f"{address}: odesa has been writing for 0 seconds: try again later"
        )
        # The holder repeats its record: it does not expire.
        with (
            pytest.raises(Busy),
            turn(jetstream, address, "kyiv", patience=2 * EXPIRY, expiry=EXPIRY),
        ):
            pass
        end(process)
    with turn(jetstream, address, "kyiv") as ours:
        assert ours.message == 99


def test_the_turn_of_a_holder_that_was_killed_expires(
    address: ClusterAddress, jetstream: Jetstream
) -> None:
    with turn(jetstream, address, "lviv") as ours:
        ours.message = 12
    with holder(address, "odesa") as process:
        process.kill()
        with turn(jetstream, address, "kyiv", expiry=EXPIRY) as ours:
            assert ours.message is None
            assert said(jetstream)["node"] == "kyiv"


def test_a_holder_that_stood_still_leaves_the_turn_to_the_next(
    address: ClusterAddress, jetstream: Jetstream
) -> None:
    with holder(address, "odesa") as process:
        os.kill(process.pid, signal.SIGSTOP)
        with turn(jetstream, address, "kyiv", expiry=EXPIRY):
            os.kill(process.pid, signal.SIGCONT)
            end(process)
            assert said(jetstream)["node"] == "kyiv"
        assert comes_to_say(jetstream, {"free": True})


def test_a_record_that_nobody_of_us_wrote_is_nobodys(jetstream: Jetstream) -> None:
    address = jetstream.address
    jetstream.create_turn()
    for body in (b"", b"[1]", b"{", b'{"node": 3, "message": "x"}', b"\xff"):
        jetstream.put_record(address.turn_subject, body, None)
        with turn(jetstream, address, "odesa") as ours:
            assert ours.message is None


def test_records_that_were_lost_are_made_anew(jetstream: Jetstream) -> None:
    """The records are in memory: of servers that were restarted, nobody knows how far they came."""
    address = jetstream.address
    for lost in ("PURGE", "DELETE"):
        with turn(jetstream, address, "odesa", expiry=EXPIRY) as ours:
            ours.message = 813
        assert comes_to_say(jetstream, {"free": True, "message": 813})
        jetstream.call(f"STREAM.{lost}.{address.turn_stream}")
        with turn(jetstream, address, "kyiv", expiry=EXPIRY) as ours:
            assert ours.message is None
            assert said(jetstream)["node"] == "kyiv"


@pytest.mark.torture
def test_all_servers_may_be_restarted_while_a_turn_is_held(
    servers: Servers, jetstream: Jetstream
) -> None:
    address = jetstream.address
    with turn(jetstream, address, "odesa", expiry=EXPIRY):
        servers.kill(0, 1, 2)
        servers.restart(0, 1, 2)
    with turn(jetstream, address, "kyiv", expiry=EXPIRY):
        assert said(jetstream)["node"] == "kyiv"
