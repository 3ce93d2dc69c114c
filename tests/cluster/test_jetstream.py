"""Streams, objects and values on three real servers: what is promised, and each refusal's type."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from nats_servers import Servers, User, persist
from running import environment

from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Missing, Overtaken, Sealed, Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part
from timeline.errors import InvalidInput, NotWritable, StorageFull, StoreError, Unreachable

pytestmark = pytest.mark.cluster


@pytest.fixture
def jetstream(servers: Servers, address: ClusterAddress) -> Iterator[Jetstream]:
    """A connection to a cluster that has the first generation of a log, without a message."""
    with Jetstream(address) as connected:
        connected.create_log(address.stream(1), address.subject(1), "example.org/log")
        yield connected
        servers.all_up()
        connected.delete_stream(address.stream(1))


def part(body: bytes, expected: int | None = None, stream: str | None = None) -> Part:
    headers = {"Nats-Msg-Id": f"sha256:{hashlib.sha256(body).hexdigest()}"}
    if expected is not None:
        headers["Nats-Expected-Last-Sequence"] = str(expected)
    if stream is not None:
        headers["Nats-Expected-Stream"] = stream
    return Part(headers, body)


def parts(bodies: list[bytes], expected: int) -> list[Part]:
    first, *rest = bodies
    return [part(first, expected), *(Part({"Timeline-Part": "x"}, body) for body in rest)]


class Log:
    """The first generation of a log."""

    def __init__(self, jetstream: Jetstream) -> None:
        self.jetstream = jetstream
        self.stream = jetstream.address.stream(1)
        self.subject = jetstream.address.subject(1)

    def publish_once(self, *made: Part) -> int:
        return self.jetstream.publish(self.subject, made, stream=self.stream)

    def publish(self, *made: Part) -> int:
        """Publish as the protocol says: the same again, until there is an answer."""
        return persist(lambda: self.publish_once(*made), Unanswered)

    def read(self, last: int) -> list[bytes]:
        """Read all bodies up to a sequence; a replica that is behind is asked again."""
        found: list[bytes] = []
        until = time.monotonic() + 10
        while len(found) < last:
            read = self.jetstream.read(self.stream, len(found) + 1)
            assert [stored.sequence for stored in read] == [
                *range(len(found) + 1, len(found) + 1 + len(read))
            ]
            found += [stored.body for stored in read]
            assert time.monotonic() < until
        return found


@pytest.fixture
def log(jetstream: Jetstream) -> Log:
    return Log(jetstream)


# --- Streams ------------------------------------------------------------------------------------


def test_a_log_is_made_with_the_flags_of_the_protocol(log: Log) -> None:
    state = log.jetstream.stream(log.stream)
    assert state is not None
    assert (state.name, state.first, state.last, state.messages) == (log.stream, 0, 0, 0)
    assert (state.origin, state.format) == ("example.org/log", "1")
    assert (state.sealed, state.next_generation, state.problems) == (False, None, [])
    config = log.jetstream.call(f"STREAM.INFO.{log.stream}")["config"]
    assert config["allow_atomic"]
    assert config["deny_delete"]
    assert config["deny_purge"]
    assert config["num_replicas"] == 3
    again = log.jetstream.create_log(log.stream, log.subject, "example.org/log")
    assert again.created == state.created


def test_a_stream_that_could_lose_messages_is_told(log: Log) -> None:
    name = f"{log.stream}-bad"
    log.jetstream.create(
        {
            "name": name,
            "subjects": [f"{log.subject}.bad"],
            "max_msgs_per_subject": 1,
            "max_age": 3_600_000_000_000,
            "allow_rollup_hdrs": True,
            "num_replicas": 3,
        }
    )
    state = log.jetstream.stream(name)
    assert state is not None
    assert state.problems == [
        "discard is old, not new",
        "max_age is 3600000000000, not 0",
        "allow_direct is false, not true",
        "max_msgs_per_subject is 1, not -1",
        "deny_delete is false, not true",
        "deny_purge is false, not true",
        "allow_atomic is false, not true",
        "allow_rollup_hdrs is set",
    ]


def test_another_log_of_this_name_is_not_taken_over(log: Log) -> None:
    with pytest.raises(StoreError, match="already in use with a different configuration"):
        log.jetstream.create_log(log.stream, log.subject, "example.org/other")


def test_a_stream_that_is_not_there_is_none(log: Log) -> None:
    other = log.jetstream.address.stream(2)
    assert log.jetstream.stream(other) is None
    assert log.jetstream.at_leader(log.stream, 1) is None
    assert log.jetstream.newest(log.stream, log.subject) is None
    with pytest.raises(Missing):
        log.jetstream.read(other, 1)
    with pytest.raises(Missing):
        log.jetstream.at_leader(other, 1)
    with pytest.raises(Missing):
        log.jetstream.seal(other, 3)
    log.jetstream.delete_stream(other)


def test_a_stream_is_deleted(log: Log) -> None:
    log.jetstream.delete_stream(log.stream)
    assert log.jetstream.stream(log.stream) is None


def test_the_cluster_tells_the_time(log: Log) -> None:
    with pytest.raises(StoreError, match="keep no log of this name"):
        log.jetstream.now()
    log.jetstream.create_values(log.jetstream.address.notes)
    before = datetime.now(UTC)
    assert before - timedelta(seconds=1) < log.jetstream.now() < datetime.now(UTC)
    log.jetstream.delete_stream(f"KV_{log.jetstream.address.notes}")
    log.jetstream.create_turn()
    assert log.jetstream.now() > before


# --- Messages -----------------------------------------------------------------------------------


def test_a_message_is_stored_once_and_read_back(log: Log) -> None:
    made = part("čas".encode(), 0, log.stream)
    assert log.publish(made) == 1
    assert log.publish(made) == 1
    assert log.read(1) == [made.body]
    (read,) = log.jetstream.read(log.stream, 1)
    assert read.headers == made.headers
    assert read == log.jetstream.at_leader(log.stream, 1)
    assert read == log.jetstream.newest(log.stream, log.subject)
    assert abs(datetime.fromisoformat(read.stored_at[:26] + "Z") - datetime.now(UTC)) < timedelta(
        minutes=1
    )


def test_an_empty_answer_is_not_the_end(log: Log) -> None:
    assert log.jetstream.read(log.stream, 1) == []
    for number in range(20):
        log.publish(part(b"%d" % number, number))
        assert log.read(number + 1)[-1] == b"%d" % number


def test_a_wrong_expected_sequence_is_refused(log: Log) -> None:
    log.publish(part(b"first", 0))
    with pytest.raises(Overtaken):
        log.publish(part(b"second", 0))
    with pytest.raises(StoreError, match="expected stream does not match"):
        log.publish(part(b"second", 1, "another"))
    assert log.read(1) == [b"first"]


def test_several_parts_are_all_stored_or_none(log: Log) -> None:
    log.publish(part(b"first", 0))
    bodies = [os.urandom(900_000) for _ in range(4)]
    assert log.publish(*parts(bodies, 1)) == 5
    assert log.read(5) == [b"first", *bodies]
    with pytest.raises(Overtaken):
        log.publish(*parts(bodies, 1))
    with pytest.raises(Overtaken):
        log.publish(*parts([b"a", b"b", b"c"], 4))
    state = log.jetstream.stream(log.stream)
    assert state
    assert state.last == 5
    assert log.publish(*parts([b"%d" % number for number in range(64)], 5)) == 69


def test_a_batch_that_breaks_off_is_never_seen(log: Log) -> None:
    for number in range(1, 4):
        headers = {"Nats-Batch-Id": "broken", "Nats-Batch-Sequence": str(number)}
        log.jetstream.send(log.subject, Part(headers, b"part"))
    assert log.publish(part(b"whole", 0)) == 1
    assert log.publish(*parts([b"a", b"b"], 1)) == 3
    commit = {"Nats-Batch-Id": "broken", "Nats-Batch-Sequence": "5", "Nats-Batch-Commit": "1"}
    with pytest.raises(Unanswered):
        log.publish_once(Part(commit, b"part"))
    assert log.read(3) == [b"whole", b"a", b"b"]


def test_messages_are_published_without_waiting_for_each(log: Log) -> None:
    bodies = [b"%d" % number for number in range(600)]
    sequence = 0
    messages = []
    for number, body in enumerate(bodies):
        made = parts([body, b"+", b"-"], sequence) if number % 150 == 7 else [part(body, sequence)]
        messages.append(made)
        sequence += len(made)
    last = log.jetstream.publish_many(log.subject, messages, stream=log.stream)
    assert last == sequence == 608
    assert log.read(last) == [each.body for made in messages for each in made]
    assert log.jetstream.publish_many(log.subject, [], stream=log.stream) == 0


def test_what_follows_a_message_that_is_refused_is_not_stored(log: Log) -> None:
    messages = [[part(b"%d" % number, number)] for number in range(400)]
    messages[100:101] = [[part(b"no", 99)]]
    with pytest.raises(Overtaken):
        log.jetstream.publish_many(log.subject, messages, stream=log.stream)
    state = log.jetstream.stream(log.stream)
    assert state
    assert state.last == 100


def test_a_read_is_as_long_as_was_asked(log: Log) -> None:
    messages = [[part(b"%d" % number, number)] for number in range(30)]
    log.jetstream.publish_many(log.subject, messages, stream=log.stream)
    log.read(30)
    assert len(log.jetstream.read(log.stream, 3, batch=7)) == 7
    assert len(log.jetstream.read(log.stream, 29)) == 2
    assert len(log.jetstream.read(log.stream, 1, max_bytes=500)) < 10


def test_a_sealed_stream_takes_no_message_and_names_what_follows(log: Log) -> None:
    log.publish(part(b"first", 0))
    log.jetstream.seal(log.stream, 2)
    log.jetstream.seal(log.stream, 2)
    with pytest.raises(Sealed):
        log.publish(part(b"second", 1))
    with pytest.raises(Sealed):
        log.publish(*parts([b"a", b"b"], 1))
    state = log.jetstream.stream(log.stream)
    assert state
    assert (state.sealed, state.next_generation, state.problems) == (True, 2, [])
    assert state.origin == "example.org/log"
    assert log.read(1) == [b"first"]


def test_no_room_is_told_with_the_words_of_the_server(log: Log) -> None:
    name, subject = f"{log.stream}-small", f"{log.subject}.small"
    log.jetstream.create(
        {
            "name": name,
            "subjects": [subject],
            "discard": "new",
            "max_bytes": 1_000,
            "num_replicas": 3,
        }
    )
    with pytest.raises(StorageFull, match="no room; nothing was written: maximum bytes exceeded"):
        log.jetstream.publish(subject, [part(b"x" * 2_000)], stream=name)


def test_a_message_that_the_servers_do_not_take_is_told(log: Log) -> None:
    with pytest.raises(StoreError, match="messages of up to 1,048,576 bytes"):
        log.publish(part(b"x" * 2_000_000, 0))


def test_a_listener_hears_of_a_message(log: Log) -> None:
    heard = log.jetstream.listen(log.subject)
    assert not heard.wait(0)
    log.publish(part(b"first", 0))
    assert heard.wait(10)
    assert not heard.wait(0)
    heard.close()
    assert log.publish(part(b"second", 1)) == 2


def test_a_record_replaces_the_one_that_was_expected(log: Log) -> None:
    address = log.jetstream.address
    log.jetstream.create_turn()
    first = log.jetstream.put_record(address.turn_subject, b"a", 0)
    with pytest.raises(Overtaken):
        log.jetstream.put_record(address.turn_subject, b"b", 0)
    second = log.jetstream.put_record(address.turn_subject, b"c", first)
    third = log.jetstream.put_record(address.turn_subject, b"d", None)
    assert first < second < third
    newest = log.jetstream.newest(address.turn_stream, address.turn_subject)
    assert newest
    assert (newest.body, newest.sequence) == (b"d", third)


# --- Objects and values -------------------------------------------------------------------------


def test_objects_are_put_once_given_back_and_deleted(log: Log) -> None:
    bucket = log.jetstream.address.texts(1)
    log.jetstream.create_objects(bucket)
    big = os.urandom(3 << 20)
    log.jetstream.put_object(bucket, "big", big, {"captured_at": "2025"})
    log.jetstream.put_object(bucket, "empty/č", b"", {})
    assert log.jetstream.object(bucket, "big") == (big, {"captured_at": "2025"})
    assert log.jetstream.object(bucket, "empty/č") == (b"", {})
    assert log.jetstream.object(bucket, "none") is None
    log.jetstream.put_object(bucket, "big", b"other", {"captured_at": "2026"})
    assert log.jetstream.object(bucket, "big") == (big, {"captured_at": "2025"})
    log.jetstream.delete_object(bucket, "big")
    log.jetstream.delete_object(bucket, "big")
    assert log.jetstream.object(bucket, "big") is None
    state = log.jetstream.stream(f"OBJ_{bucket}")
    assert state
    assert state.messages == 2
    log.jetstream.put_object(bucket, "big", b"again", {})
    assert log.jetstream.object(bucket, "big") == (b"again", {})
    log.jetstream.delete_objects(bucket)
    assert log.jetstream.stream(f"OBJ_{bucket}") is None
    with pytest.raises(Missing):
        log.jetstream.put_object(bucket, "big", b"again", {})


def test_values_are_put_given_back_and_deleted(log: Log) -> None:
    bucket = log.jetstream.address.notes
    log.jetstream.create_values(bucket)
    assert log.jetstream.values(bucket) == {}
    assert log.jetstream.value(bucket, "generation") is None
    first = log.jetstream.put_value(bucket, "generation", b"1", 0)
    with pytest.raises(Overtaken):
        log.jetstream.put_value(bucket, "generation", b"2", 0)
    second = log.jetstream.put_value(bucket, "generation", b"2", first)
    assert log.jetstream.value(bucket, "generation") == (b"2", second)
    for number in range(600):
        log.jetstream.put_value(bucket, f"node.{number % 20}", b"%d" % number)
    log.jetstream.delete_value(bucket, "node.3")
    expected = {f"node.{number % 20}": b"%d" % number for number in range(600)}
    del expected["node.3"]
    assert log.jetstream.values(bucket) == {**expected, "generation": b"2"}
    assert log.jetstream.value(bucket, "node.3") is None
    with pytest.raises(Missing):
        log.jetstream.values("no-such")


def test_other_clients_read_the_same_objects_and_values(log: Log) -> None:
    texts, notes = log.jetstream.address.texts(1), log.jetstream.address.notes
    log.jetstream.create_objects(texts)
    log.jetstream.create_values(notes)
    log.jetstream.put_object(texts, "a/b", b"text" * 200_000, {"captured_at": "2025"})
    log.jetstream.put_value(notes, "node.odesa", b"here")
    script = """
import asyncio, sys, nats
async def main():
    client = await nats.connect(sys.argv[1])
    js = client.jetstream()
    store = await js.object_store(sys.argv[2])
    found = await store.get("a/b")
    assert found.data == b"text" * 200_000 and found.info.headers == {"captured_at": ["2025"]}
    await store.put("theirs", b"t" * 500_000)
    values = await js.key_value(sys.argv[3])
    assert (await values.get("node.odesa")).value == b"here"
    await values.put("node.kyiv", b"there")
    await values.delete("node.odesa")
    await client.close()
asyncio.run(main())
"""
    url = log.jetstream.address.urls[0]
    subprocess.run([sys.executable, "-c", script, url, texts, notes], check=True, timeout=60)
    assert log.jetstream.object(texts, "theirs") == (b"t" * 500_000, {})
    assert log.jetstream.values(notes) == {"node.kyiv": b"there"}


# --- Servers that fail --------------------------------------------------------------------------


def test_a_follower_that_stands_still_is_not_noticed(servers: Servers, log: Log) -> None:
    leader = servers.leader(log.stream)
    frozen = (leader + 1) % 3
    address = ClusterAddress.parse(servers.address(log.jetstream.address.name, leader))
    with Jetstream(address) as beside:
        other = Log(beside)
        servers.freeze(frozen)
        for number in range(5):
            assert other.publish(part(b"%d" % number, number)) == number + 1
        assert other.read(5) == [b"%d" % number for number in range(5)]


def connections(servers: Servers) -> list[int]:
    return [servers.told(number, "/connz")["num_connections"] for number in servers.up()]


def test_a_server_that_stands_still_is_left_for_another(servers: Servers, log: Log) -> None:
    """Its connections stay open, but nothing comes."""
    address, leader = log.jetstream.address, servers.leader(log.stream)
    with contextlib.ExitStack() as opened:
        ours = leader
        while ours == leader:
            before = connections(servers)
            beside = opened.enter_context(Jetstream(address))
            after = connections(servers)
            ours = next(number for number in range(3) if after[number] > before[number])
        servers.freeze(ours)
        other = Log(beside)
        for number in range(5):
            assert other.publish(part(b"%d" % number, number)) == number + 1
        assert other.read(5) == [b"%d" % number for number in range(5)]


def unreachable(address: ClusterAddress) -> str:
    """Give what is told once the leader has noticed that it leads nobody."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            Jetstream(address, patience=0.5).close()
        except Unreachable as error:
            return str(error)
    raise AssertionError("nothing was told")


def test_servers_that_are_killed_cost_no_message(servers: Servers, log: Log) -> None:
    """First the leader is lost, which the other two get over; then one of them, too."""
    address = log.jetstream.address
    log.jetstream.create_values(address.notes)
    for number in range(5):
        log.publish(part(b"%d" % number, number))
    heard = log.jetstream.listen(log.subject)
    with Jetstream(address, patience=0.2) as impatient:
        servers.kill(servers.leader(log.stream))
        # Most servers are there, so it waits until they have chosen another leader.
        assert impatient.at_leader(log.stream, 5) == log.jetstream.at_leader(log.stream, 5)
    for number in range(5, 8):
        assert log.publish(part(b"%d" % number, number)) == number + 1
    assert heard.wait(10)
    assert log.read(8) == [b"%d" % number for number in range(8)]
    servers.kill(*({*servers.up()} - {servers.leader(log.stream)}))
    with pytest.raises(Unanswered):
        log.publish_once(part(b"8", 8))
    assert log.read(8) == [b"%d" % number for number in range(8)]
    assert unreachable(address) == f"{address}: 2 of 3 servers do not answer; nothing was written"
    servers.all_up()
    assert log.publish(part(b"8", 8)) == 9
    assert log.read(9) == [b"%d" % number for number in range(9)]


def test_no_server_at_all_is_told(name: str) -> None:
    address = ClusterAddress.parse(f"nats://127.0.0.1:1,127.0.0.1:2/{name}")
    with pytest.raises(Unreachable, match="2 of 2 servers do not answer; nothing was written"):
        Jetstream(address, patience=0.5)


# --- Rights -------------------------------------------------------------------------------------


def test_a_reader_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = ["$JS.API.STREAM.INFO.>", "$JS.API.STREAM.MSG.GET.>", "$JS.API.DIRECT.GET.>"]
    with Servers([User("writer", "w"), User("reader", "r", ask)]) as servers:
        address = ClusterAddress.parse(servers.address("log"))
        with pytest.raises(NotWritable, match="its servers refuse this account"):
            Jetstream(address)
        monkeypatch.setenv("TIMELINE_NATS_USER", "writer")
        monkeypatch.setenv("TIMELINE_NATS_PASSWORD", "w")
        with Jetstream(address) as writer:
            writer.create_log(address.stream(1), address.subject(1), "example.org/log")
            Log(writer).publish(part(b"first", 0))
        monkeypatch.setenv("TIMELINE_NATS_PASSWORD", "other")
        with pytest.raises(NotWritable, match="its servers refuse this account"):
            Jetstream(address)
        monkeypatch.setenv("TIMELINE_NATS_USER", "reader")
        monkeypatch.setenv("TIMELINE_NATS_PASSWORD", "r")
        with Jetstream(address) as reader:
            log = Log(reader)
            assert log.read(1) == [b"first"]
            with pytest.raises(NotWritable, match="this account may read log, not write"):
                log.publish(part(b"second", 1))
            with pytest.raises(NotWritable, match="this account may read log, not write"):
                log.publish(*parts([b"a", b"b", b"c"], 1))
            with pytest.raises(NotWritable, match="this account has no right to ask"):
                reader.delete_stream(log.stream)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"USER": "jo"}, "TIMELINE_NATS_USER: set it together with TIMELINE_NATS_PASSWORD"),
        ({"CREDS": "a", "USER": "jo"}, "TIMELINE_NATS_CREDS: set it, or"),
        ({"CREDS": "/nowhere"}, "TIMELINE_NATS_CREDS: /nowhere cannot be read: No such file"),
        ({"CREDS": __file__}, "is no .creds file"),
    ],
)
def test_credentials_that_cannot_be_used_are_told_at_once(
    name: str, variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(f"TIMELINE_NATS_{variable}", value)
    with pytest.raises(InvalidInput) as refused:
        Jetstream(ClusterAddress.parse(f"nats://127.0.0.1:1/{name}"))
    assert said in str(refused.value)


def test_no_password_is_sent_to_a_server_without_tls(
    servers: Servers, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMELINE_NATS_USER", "jo")
    monkeypatch.setenv("TIMELINE_NATS_PASSWORD", "secret")
    address = ClusterAddress.parse(servers.address(name).replace("nats://", "tls://"))
    with pytest.raises(Unreachable, match="secure connection not available"):
        Jetstream(address, patience=0.5)
    monkeypatch.setenv("TIMELINE_NATS_CA", __file__)
    with pytest.raises(InvalidInput, match=r"TIMELINE_NATS_CA: .* no certificate in PEM form"):
        Jetstream(address, patience=0.5)


# --- The process --------------------------------------------------------------------------------


def test_without_the_extra_one_line_says_what_to_install() -> None:
    script = """
import sys
class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "nats":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from timeline.errors import TimelineError
try:
    import timeline.cluster.jetstream
except TimelineError as error:
    print(error)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout == "a cluster needs an extra: pip install 'timeline-store[cluster]'\n"
    assert ended.stderr == ""


def test_ctrl_c_is_heard_while_waiting_and_nothing_is_printed(name: str) -> None:
    script = """
import sys
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
print("asking", flush=True)
try:
    Jetstream(ClusterAddress.parse(sys.argv[1]), patience=300)
except KeyboardInterrupt:
    print("heard")
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"nats://127.0.0.1:{silent.getsockname()[1]}/{name}"
        process = subprocess.Popen(
            [sys.executable, "-c", script, address],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "asking\n"
        silent.accept()[0].close()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said == "heard\n"
    assert process.returncode == 0
