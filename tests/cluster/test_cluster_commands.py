"""The commands of a cluster, as a person types them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from nats_servers import Servers
from running import PROGRAM, done, environment, one_line, run

pytestmark = pytest.mark.cluster


@pytest.fixture
def odesa(servers: Servers, name: str, tmp_path: Path) -> Path:
    """The file of the first node of a log."""
    path = tmp_path / "odesa.db"
    done("-d", path, "init", "--title", "Story")
    done("cluster", "init", servers.address(name), path, "--node", "odesa")
    return path


@pytest.fixture
def kyiv(servers: Servers, name: str, odesa: Path, tmp_path: Path) -> Path:
    """The file of a second node."""
    path = tmp_path / "kyiv.db"
    printed = done("cluster", "join", servers.address(name), path, "--node", "kyiv")
    assert "is node kyiv of" in " ".join(printed.split())
    return path


def titles(path: Path) -> list[str]:
    return [event["title"] for event in json.loads(done("-d", path, "list", "--json"))]


def test_every_command_works_on_the_file_of_a_node(odesa: Path, kyiv: Path) -> None:
    done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15", "--id", "talks")
    done("-d", kyiv, "update", "talks", "--set", "title=Talks in Odesa")
    done("-d", odesa, "correct", "talk", "--set", "title=Talks in Kyiv", "--reason", "the place")
    assert done("-d", kyiv, "cluster", "follow", "--once").startswith("1 new entr")
    assert titles(kyiv) == titles(odesa) == ["Talks in Kyiv"]
    for path in (odesa, kyiv):
        assert "holds." in done("-d", path, "verify")
        assert "node" in done("-d", path, "doctor")


def test_a_follower_reads_what_others_write_until_it_is_stopped(odesa: Path, kyiv: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "-d", str(kyiv), "cluster", "follow"], env=environment(), cwd=kyiv.parent
    ) as follower:
        done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15")
        until = time.monotonic() + 60
        while titles(kyiv) != ["Talks"]:
            assert follower.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        follower.send_signal(signal.SIGTERM)
        assert follower.wait(30) == 0


def test_a_file_that_is_no_node_follows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alone.db"
    done("-d", path, "init", "--title", "Story")
    assert "is no node of a cluster" in one_line(run("-d", path, "cluster", "follow", "--once"))


def test_an_address_in_the_place_of_a_file_says_how_to_join() -> None:
    said = one_line(run("-d", "nats://h1/story", "list"))
    assert said == (
        "a cluster is written through a file: timeline cluster join nats://h1/story FILE"
    )


def test_a_wrong_address_is_refused(tmp_path: Path) -> None:
    said = one_line(run("cluster", "join", "nats://user:secret@h1/story", tmp_path / "a.db"))
    assert "TIMELINE_NATS_CREDS" in said
    assert "secret" not in said
