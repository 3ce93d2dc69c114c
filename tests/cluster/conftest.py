"""What the tests of a cluster share: three servers, started once for each process of the tests."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cut_cable import Cable
from nats_servers import Servers

from timeline import Timeline
from timeline.cluster.address import ClusterAddress

if TYPE_CHECKING:
    from node_files import Nodes

# Without the extra, the tests of the marker `cluster` cannot even be imported.
if importlib.util.find_spec("nats") is None:
    pure = ("test_address.py", "test_log_contract.py", "test_message.py")
    tests = Path(__file__).parent.glob("test_*.py")
    collect_ignore = [path.name for path in tests if path.name not in pure]

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def running_servers() -> Iterator[Servers]:
    with Servers() as servers:
        yield servers


@pytest.fixture
def servers(running_servers: Servers) -> Iterator[Servers]:
    """Three servers, all of which run; what a test does to them is put right after it.

    Streams are deleted then: each takes time of the servers, also if nothing happens to it.
    """
    from timeline.cluster.jetstream import Jetstream

    yield running_servers
    running_servers.all_up()
    with Jetstream(ClusterAddress.parse(running_servers.address("any"))) as jetstream:
        for stream in jetstream.call("STREAM.NAMES").get("streams") or ():
            jetstream.delete_stream(stream)


@pytest.fixture
def name() -> str:
    """A name of a log that no other test has."""
    return f"log-{os.getpid()}-{next(_NUMBERS)}"


@pytest.fixture
def address(servers: Servers, name: str) -> ClusterAddress:
    return ClusterAddress.parse(servers.address(name))


@pytest.fixture
def nodes(tmp_path: Path, address: ClusterAddress) -> Iterator[Nodes]:
    """What makes the files of nodes, all of one log."""
    from node_files import Nodes

    nodes = Nodes(tmp_path, address)
    yield nodes
    for each in nodes.made:
        each.close()


@pytest.fixture
def odesa(address: ClusterAddress, tmp_path: Path) -> Iterator[Timeline]:
    """The first node of a log of one entry."""
    from timeline.cluster import membership

    path = tmp_path / "odesa.db"
    Timeline.create(path, title="Story").close()
    membership.init(address, str(path), "odesa")
    with Timeline.open(path) as timeline:
        yield timeline


@pytest.fixture
def kyiv(address: ClusterAddress, odesa: Timeline, tmp_path: Path) -> Iterator[Timeline]:
    """A second node of the log."""
    from node_states import joined

    with joined(address, tmp_path / "kyiv.db", "kyiv") as timeline:
        yield timeline


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an append wait two seconds only until it is in doubt, and others for its turn."""
    monkeypatch.setattr("timeline.cluster.follower.PATIENCE", 2.0)
    monkeypatch.setattr("timeline.cluster.node.EXPIRY", 2.0)


@pytest.fixture
def cable(servers: Servers) -> Iterator[Cable]:
    with Cable(servers.ports[0]) as cable:
        yield cable


@pytest.fixture
def far(
    cable: Cable, name: str, odesa: Timeline, tmp_path: Path, impatient: None
) -> Iterator[Timeline]:
    """A node whose only way to the servers is a cable."""
    from node_states import EVENT, joined

    address = ClusterAddress.parse(f"nats://127.0.0.1:{cable.port}/{name}")
    with joined(address, tmp_path / "far.db", "far") as timeline:
        timeline.record(EVENT)
        yield timeline
