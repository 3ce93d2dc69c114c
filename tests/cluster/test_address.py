"""Addresses of clusters: what is read is given back, and what is wrong is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.cluster.address import ClusterAddress
from timeline.errors import InvalidInput

NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,30}\Z")
HOSTS = st.from_regex(r"\A([a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?|\[[0-9a-f:]{2,20}\])\Z")
PORTS = st.none() | st.integers(1, 65_535)
SERVERS = st.builds(lambda host, port: host if port is None else f"{host}:{port}", HOSTS, PORTS)


@given(st.lists(SERVERS, min_size=1, max_size=5, unique=True), NAMES, st.booleans())
def test_an_address_is_given_back_as_it_was_read(servers: list[str], name: str, tls: bool) -> None:
    written = f"{'tls' if tls else 'nats'}://{','.join(servers)}/{name}"
    read = ClusterAddress.parse(written)
    assert read == (tuple(servers), name, tls)
    assert str(read) == written
    assert ClusterAddress.parse(str(read)) == read


def test_each_server_has_an_address_with_a_port() -> None:
    assert ClusterAddress.parse("nats://h1,h2:4223,[::1],[::1]:80/odesa").urls == [
        "nats://h1:4222",
        "nats://h2:4223",
        "nats://[::1]:4222",
        "nats://[::1]:80",
    ]
    assert ClusterAddress.parse("tls://h1/odesa").urls == ["tls://h1:4222"]


def test_the_names_of_what_a_cluster_keeps_are_those_of_the_protocol() -> None:
    address = ClusterAddress.parse("nats://h1/front-2")
    assert address.stream(3) == "TL_front-2_3"
    assert address.subject(3) == "tl.front-2.3"
    assert address.texts(3) == "TL_front-2_3_texts"
    assert address.media(3) == "TL_front-2_3_media"
    assert address.turn_stream == "TL_front-2_turn"
    assert address.turn_subject == "tl.front-2.turn"
    assert address.notes == "TL_front-2"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("odesa", "write nats://HOST,HOST,HOST/NAME"),
        ("timeline.db", "write nats://HOST,HOST,HOST/NAME"),
        ("https://h1/odesa", "write nats://HOST,HOST,HOST/NAME"),
        ("NATS://h1/odesa", "write nats://HOST,HOST,HOST/NAME"),
        ("nats://h1", "the name of the log is missing"),
        ("nats://h1/", "the name of the log is missing"),
        ("nats://h1/Odesa", '"Odesa" is no name of a log'),
        ("nats://h1/-odesa", '"-odesa" is no name of a log'),
        ("nats://h1/odesa/2", '"odesa/2" is no name of a log'),
        ("nats://h1/odesa?x=1", '"odesa?x=1" is no name of a log'),
        ("nats://h1/odesa\n", "is no name of a log"),
        ("nats://h1/" + "a" * 32, "is no name of a log"),
        ("nats://h1/a.b", '"a.b" is no name of a log'),
        ("nats://h1/oдesa", "is no name of a log"),
        ("nats:///odesa", '"" is no server'),
        ("nats://h1,,h2/odesa", '"" is no server'),
        ("nats://h1, h2/odesa", '" h2" is no server'),
        ("nats://h1:0/odesa", '"h1:0" is no server'),
        ("nats://h1:65536/odesa", '"h1:65536" is no server'),
        ("nats://h1:port/odesa", '"h1:port" is no server'),
        ("nats://h_1/odesa", '"h_1" is no server'),
        ("nats://h1,H1/odesa", "a server stands there twice"),
    ],
)
def test_what_is_no_address_is_said(written: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ClusterAddress.parse(written)
    assert said in str(refused.value)


@pytest.mark.parametrize("written", ["nats://jo:secret@h1/odesa", "nats://secret@h1,h2/odesa"])
def test_a_password_in_an_address_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ClusterAddress.parse(written)
    assert "secret" not in str(refused.value)
    assert "TIMELINE_NATS_CREDS" in str(refused.value)
