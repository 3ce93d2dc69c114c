"""The cable that tests cut: what is lost, what is passed, and one message under each cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from cut_cable import Cable
from nats_servers import Servers, persist

from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part

pytestmark = pytest.mark.cluster


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says what it hears, in capital letters."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                with client:
                    while heard := client.recv(100):
                        client.sendall(heard.upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def test_bytes_are_passed_lost_and_passed_again(echo: int) -> None:
    with Cable(echo) as cable:
        with socket.create_connection(("127.0.0.1", cable.port), timeout=30) as client:
            client.sendall(b"one")
            assert client.recv(100) == b"ONE"
            cable.lose_requests(after=b"PUB")
            client.sendall(b"two PUB three")
            assert client.recv(100) == b"TWO "
            assert cable.lost.wait(10)
            client.sendall(b"four")
            cable.mend()
            assert client.recv(100) == b""
        with socket.create_connection(("127.0.0.1", cable.port), timeout=30) as client:
            cable.lose_replies()
            client.sendall(b"five")
            assert cable.lost.wait(10)
            cable.mend()
            assert client.recv(100) == b""


@pytest.mark.parametrize(
    ("cut", "stored"),
    [(Cable.lose_replies, True), (lambda cable: cable.lose_requests(b"HPUB tl."), False)],
    ids=["reply", "request"],
)
def test_a_message_under_a_cut_is_unanswered_and_stored_once(
    servers: Servers, name: str, cut: Callable[[Cable], None], stored: bool
) -> None:
    with Cable(servers.ports[0]) as cable:
        address = ClusterAddress.parse(f"nats://127.0.0.1:{cable.port}/{name}")
        with Jetstream(address) as jetstream:
            stream, subject = address.stream(1), address.subject(1)
            jetstream.create_log(stream, subject, "example.org/log")
            made = Part({"Nats-Msg-Id": "x", "Nats-Expected-Last-Sequence": "0"}, b"words")
            cut(cable)
            with pytest.raises(Unanswered) as unanswered:
                jetstream.publish(subject, [made], stream=stream)
            assert unanswered.value.sent
            with Jetstream(ClusterAddress.parse(servers.address(name, 1))) as beside:
                assert (beside.at_leader(stream, 1) is not None) == stored
            cable.mend()
            again = partial(jetstream.publish, subject, [made], stream=stream)
            assert persist(again, Unanswered) == 1
            state = jetstream.stream(stream)
            assert state
            assert state.last == 1
            jetstream.delete_stream(stream)
