"""What status and doctor say of a cluster: nothing of a sound one, and each thing that is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from nats_servers import PROGRAM, Servers

from timeline import Timeline
from timeline.cluster import health, membership, notes
from timeline.cluster import servers as asked
from timeline.cluster.address import ClusterAddress
from timeline.cluster.health import ClusterHealth
from timeline.cluster.message import Part
from timeline.cluster.metrics import MetricsFile
from timeline.cluster.node import ClusterNode
from timeline.cluster.servers import Server, StreamThere
from timeline.errors import InvalidInput, NotWritable, Refused, StoreError, Unreachable
from timeline.model.content import Said
from timeline.store import log, node, storage
from timeline.writing import erasure

pytestmark = pytest.mark.cluster

DEADLINE = 30.0


class Site:
    """A node of a cluster."""

    def __init__(self, address: ClusterAddress, path: Path) -> None:
        self.address, self.path = address, path
        self.connection = storage.connect(path, write=True)
        self.node = ClusterNode(self.connection, str(path))
        self.jetstream = self.node.jetstream

    def close(self) -> None:
        self.node.close()
        self.connection.close()

    def record(self, title: str) -> None:
        with self.node.appending(self.connection, str(self.path)) as append:
            append.record({"title": title, "occurred": "2025"})
        self.report()

    def report(self) -> None:
        notes.report(self.jetstream, self.address, self.connection)

    @property
    def health(self) -> ClusterHealth:
        return ClusterHealth(self.node)

    def status(self) -> dict[str, list[str]]:
        return found(self.health.status())


@pytest.fixture
def sites(tmp_path: Path, address: ClusterAddress) -> Iterator[tuple[Site, Site]]:
    """Two nodes of one log of two entries, both up to date."""
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    with Timeline.create(one, title="A story", origin="example.org/story") as timeline:
        timeline.record({"event_id": "fire", "title": "A fire", "occurred": "2025"})
        with contextlib.closing(sqlite3.connect(one)) as connection:
            connection.execute("VACUUM INTO ?", (str(other),))
    membership.init(address, str(one), "odesa")
    membership.join(address, str(other), "kyiv")
    made = Site(address, one), Site(address, other)
    for site in made:
        site.report()
    yield made
    for site in made:
        site.close()


def found(findings: list[list[str]]) -> dict[str, list[str]]:
    """What is said, by what it is about, with its level in front."""
    said: dict[str, list[str]] = {}
    for level, about, says in findings:
        assert level in ("ok", "note", "problem")
        said.setdefault(about, []).append(f"{level}: {says}")
    return said


def bad(findings: list[list[str]]) -> list[str]:
    return [f"{about}: {says}" for level, about, says in findings if level == "problem"]


# --- Nodes ------------------------------------------------------------------------------------


def test_nodes_that_are_up_to_date(sites: tuple[Site, Site]) -> None:
    said = sites[0].status()
    assert said == {
        "log": ["ok: example.org/story: 2 messages in generation 1"],
        "node odesa": ["ok: writer, 2 entries, up to date"],
        "node kyiv": ["ok: writer, 2 entries, up to date"],
    }


def test_a_node_that_is_behind_for_long_is_named(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = sites
    one.record("A second fire")
    assert one.status()["node kyiv"] == ["ok: writer, 2 entries, 1 message behind"]
    monkeypatch.setattr(health, "_GRACE", timedelta())
    one.record("A third fire")
    (said,) = one.status()["node kyiv"]
    assert said.startswith("problem: writer, 2 entries, 2 messages behind; last report ")
    assert one.status()["node odesa"] == ["ok: writer, 4 entries, up to date"]


def test_a_node_with_another_log_is_named(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    one.record("A second fire")
    key = f"{notes.NODE}kyiv"
    (report,) = (each for each in notes.reports(one.jetstream, one.address) if each.name == "kyiv")
    root = "A" * 43 + "="
    changed = report._replace(root=root, message=3, size=3)
    one.jetstream.put_value(one.address.notes, key, json.dumps(changed._asdict()).encode())
    (said,) = one.status()["node kyiv"]
    assert said.startswith("problem: writer, 3 entries, of which the root is another than here")


def test_a_node_that_has_erased_words_in_its_file_is_named_until_it_reports(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = sites
    entry = log.entry_at(one.connection, 1)
    assert entry
    said = Said(reason="A court")
    erasure.erase(one.connection, str(one.path), [entry.id], said, appending=one.node.appending)
    monkeypatch.setattr(health, "_GRACE", timedelta())
    found = one.status()
    assert found["node odesa"] == ["ok: writer, 3 entries, up to date"]
    assert "may still have words that were erased, up to entry #2" in found["node kyiv"][1]
    assert found["erased"] == [
        "note: 1 erased entry is still in the stream: timeline cluster rewrite"
    ]


def test_what_was_erased_before_is_not_in_the_stream(
    tmp_path: Path, address: ClusterAddress
) -> None:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        receipt = timeline.record({"title": "A secret", "occurred": "2025"})
        timeline.erase([receipt.entry_id], reason="A court")
    membership.init(address, str(path), "odesa")
    site = Site(address, path)
    assert "erased" not in site.status()
    site.close()


def test_what_a_node_lacks_and_does_not_know_is_noted(sites: tuple[Site, Site]) -> None:
    one, other = sites
    with storage.immediate(other.connection):
        doubt = json.dumps({"recorded_at": "2025-04-14T12:00:00.000000Z"})
        node.change(other.connection, doubt=doubt, doubt_body=b"")
    notes.report(other.jetstream, other.address, other.connection, notes=["#1: title: is odd"])
    said = one.status()["node kyiv"]
    assert said[1].startswith("note: does not know yet whether its append of 14 April 2025")
    assert re.fullmatch(r"note: as [0-9.a-z]+ reads it: #1: title: is odd", said[2])


def test_a_node_that_never_reported_is_noted(sites: tuple[Site, Site], tmp_path: Path) -> None:
    one, _ = sites
    membership.join(one.address, str(tmp_path / "third.db"), "lviv")
    assert one.status()["node lviv"] == ["note: has joined, and not reported yet"]


def test_a_stream_that_is_gone_is_told(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    one.jetstream.delete_stream(one.address.stream(1))
    ((level, about, says),) = one.health.status()
    assert (level, about) == ("problem", "log")
    assert "has no stream" in says
    assert "rewrite --lost" in says
    assert any("not on the servers any more" in each for each in bad(one.health.doctor(())))


def test_a_stream_that_was_made_anew_is_told(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    one.jetstream.delete_stream(one.address.stream(1))
    one.jetstream.create_log(one.address.stream(1), one.address.subject(1), "example.org/story")
    assert one.status()["log"][0].startswith("problem: ")


def test_notes_that_are_gone_are_told_and_stop_nothing(sites: tuple[Site, Site]) -> None:
    one, other = sites
    one.jetstream.delete_stream(f"KV_{one.address.notes}")
    one.record("A second fire")
    assert other.node.catch_up() == 1
    other.node.share()
    assert any("has no notes any more" in note for note in other.node.notes)
    (said,) = one.status()["notes"]
    assert said.startswith("problem: ")
    assert f"KV_{one.address.notes}: is not on the servers any more" in bad(one.health.doctor(()))


def test_a_forged_note_is_told(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    one.jetstream.put_value(one.address.notes, "publication.today", b"{}")
    (said,) = one.status()["notes"]
    assert said.startswith("problem: the note publication.today in the cluster does not fit")


# --- Servers ----------------------------------------------------------------------------------


def test_a_sound_cluster(sites: tuple[Site, Site], servers: Servers) -> None:
    findings = sites[0].health.doctor(servers.monitors)
    assert bad(findings) == []
    said = found(findings)
    assert said["servers"] == [
        "note: several are on one machine, and are lost together: for trying out only"
    ]
    for number in range(3):
        assert re.fullmatch(
            r"ok: [0-9.]+, syncs each message, has 2 messages", *said[f"server s{number}"]
        )
    assert sum(about.startswith(("TL_", "KV_", "OBJ_")) for about in said) == 5
    assert said["clock"][0].startswith("ok: ")


def test_without_monitors_the_servers_are_not_asked(sites: tuple[Site, Site]) -> None:
    findings = sites[0].health.doctor(())
    assert bad(findings) == []
    (said,) = found(findings)["servers"]
    assert said.startswith("note: not asked")


def test_a_server_that_is_down_is_named(sites: tuple[Site, Site], servers: Servers) -> None:
    one, _ = sites
    down = next(number for number in range(3) if number != servers.leader(one.address.stream(1)))
    servers.stop(down)
    assert one.status()["servers"] == [f"note: not in step: s{down}"]
    said = bad(one.health.doctor(servers.monitors))
    assert f"{one.address.stream(1)}: not in step: s{down}" in said
    assert any(f"{servers.monitors[down]}: does not answer" in each for each in said)


def test_limits_that_somebody_set_are_named(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    stream = one.address.stream(1)
    config = one.jetstream.call(f"STREAM.INFO.{stream}")["config"]
    one.jetstream.call(f"STREAM.UPDATE.{stream}", {**config, "max_age": 3_600_000_000_000})
    assert any(each.startswith(f"{stream}: max_age is ") for each in bad(one.health.doctor(())))


def test_a_server_of_which_a_block_was_damaged_is_named(
    sites: tuple[Site, Site], servers: Servers
) -> None:
    """A bit of the first of two blocks flips while the server is stopped."""
    one, _ = sites
    stream = one.address.stream(1)
    messages = (
        [Part({"Nats-Expected-Last-Sequence": str(number)}, os.urandom(900_000))]
        for number in range(2, 14)
    )
    one.jetstream.publish_many(one.address.subject(1), messages, stream=stream)
    number = next(each for each in range(3) if each != servers.leader(stream))
    servers.stop(number)
    (block,) = servers.store(number).glob(f"jetstream/*/streams/{stream}/msgs/1.blk")
    data = bytearray(block.read_bytes())
    data[len(data) // 3] ^= 1
    block.write_bytes(data)
    block.with_name("index.db").unlink(missing_ok=True)
    servers.restart(number)
    found: list[str] = []
    deadline = time.monotonic() + 30
    while not found and time.monotonic() < deadline:  # it is caught up a little after its start
        said = bad(one.health.doctor(servers.monitors))
        found = [each for each in said if each.startswith(f"server s{number}: ")]
    assert len(found) == 1
    assert "stop it, empty its store, start it" in found[0]


def test_with_two_servers_down_the_third_is_asked_all_the_same(
    sites: tuple[Site, Site], servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = sites
    monkeypatch.setattr(one.jetstream, "patience", 0.5)
    servers.kill(0, 1)
    said = bad(one.health.doctor(servers.monitors))
    assert any("2 of 3 servers do not answer" in each for each in said), said
    for number in (0, 1):
        assert any(f"{servers.monitors[number]}: does not answer" in each for each in said)
    assert not any("server s2" in each for each in said)


KEPT: dict[str, tuple[StreamThere | None, str]] = {
    "a hole": (StreamThere(15, 1, 22, ""), "lacks 7 of the 22 messages that it says it has"),
    "no beginning": (StreamThere(15, 8, 22, ""), "lacks 7 of the 22 messages"),
    "nothing": (None, "has nothing of TL_"),
    "not all yet": (StreamThere(1, 1, 1, ""), "has 1 of 22 messages"),
}


@pytest.mark.parametrize(("there", "says"), KEPT.values(), ids=KEPT)
def test_what_a_server_lacks(there: StreamThere | None, says: str) -> None:
    (said,) = health._kept_wrong(there, "TL_x_1", 22)
    assert says in said


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[str]:
    """The monitor of a server that syncs every two minutes, as servers do if nobody says more."""
    options = ["-a", "127.0.0.1", "-p", "-1", "-m", "-1", "-js", "-sd", str(tmp_path / "store")]
    process = subprocess.Popen(
        [PROGRAM, *options, "--ports_file_dir", tmp_path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + DEADLINE
        ports: list[Path] = []
        while not ports or not ports[0].read_text():
            assert time.monotonic() < until
            ports = [*tmp_path.glob("*.ports")]
        (url,) = json.loads(ports[0].read_text())["monitoring"]
        yield url
    finally:
        process.kill()
        process.wait()


def test_servers_that_may_lose_messages_are_refused(servers: Servers, careless: str) -> None:
    asked.check_durable(servers.monitors)
    with pytest.raises(Refused, match="sync_interval: always"):
        asked.check_durable([*servers.monitors, careless])


@pytest.mark.parametrize(
    ("url", "error", "why"),
    [
        ("http://127.0.0.1:1", Unreachable, "does not answer"),
        ("127.0.0.1:8222", InvalidInput, "is no address"),
        ("file:///etc/passwd", InvalidInput, "is no address"),
    ],
)
def test_what_is_no_monitor(url: str, error: type[StoreError], why: str) -> None:
    with pytest.raises(error, match=why):
        asked.ask(url)


def test_servers_that_do_not_belong_together_are_named() -> None:
    there = {("TL_x_1", "now"): StreamThere(5, 1, 5, "2025-04-14T12:00:00Z")}
    other = {("TL_x_1", "now"): StreamThere(5, 1, 5, "2025-04-15T12:00:00Z")}
    one = Server("http://h1:8222", "A", "s1", "2.15.1", 1_048_576, True, 0.0, there)
    third = Server("http://h3:8222", "C", "s3", "2.12.0", 1_048_576, True, 0.0, other)
    said = found([*health._together([one, one, third], "TL_x_1")])["servers"]
    assert [each.partition(":")[0] for each in said] == [
        *("problem", "note", "note", "note", "problem")
    ]
    assert "2.12.0, 2.15.1" in " ".join(said)


TOLD: dict[str, tuple[dict[str, object], str]] = {
    "not durable": ({"is_durable": False}, "sync_interval: always"),
    "small messages": ({"max_payload": 65_536}, "max_payload: 1MB"),
    "a clock ahead": ({"ahead": 90.0}, "90 s ahead of"),
    "a clock behind": ({"ahead": -90.0}, "90 s behind"),
}


@pytest.mark.parametrize(("changes", "says"), TOLD.values(), ids=TOLD)
def test_what_a_server_says_of_itself(changes: dict[str, object], says: str) -> None:
    sound = Server("http://h1:8222", "A", "s1", "2.15.1", 1_048_576, True, 0.0, {})
    ((level, about, said),) = health._server(sound._replace(**changes), None)
    assert (level, about) == ("problem", "server s1")
    assert says in said


# --- Metrics ----------------------------------------------------------------------------------


def figures(path: Path) -> dict[str, float]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    said = {}
    for line in lines:
        found = re.fullmatch(
            r'timeline_node_(\w+)\{log="([a-z0-9-]+)",node="(\w+)"\} ([0-9.]+)', line
        )
        assert found, line
        said[found[1]] = float(found[4])
    return said


def test_figures_for_prometheus(sites: tuple[Site, Site], tmp_path: Path) -> None:
    one, other = sites
    path = tmp_path / "node.prom"
    metrics = MetricsFile(path)
    one.record("A second fire")
    other.node.holes = 2
    metrics.write(other.node, 1)
    said = figures(path)
    assert said.pop("lag_seconds") >= 0
    assert said.pop("last_contact_seconds") < DEADLINE
    assert said == {
        "size": 2,
        "message": 2,
        "lag_messages": 1,
        "scrub_pending": 0,
        "texts_missing": 0,
        "holes_total": 2,
        "reconnects_total": 0,
        "notes_total": 1,
    }
    one.record("A third fire")
    metrics.write(other.node, 1)
    assert figures(path)["lag_messages"] == 1  # not within ten seconds
    MetricsFile(path).write(other.node, 1)
    assert figures(path)["lag_messages"] == 2
    assert {each.name for each in tmp_path.iterdir() if "prom" in each.name} == {"node.prom"}


def test_figures_that_cannot_be_written(sites: tuple[Site, Site], tmp_path: Path) -> None:
    one, _ = sites
    metrics = MetricsFile(tmp_path / "no folder" / "node.prom")
    with pytest.raises(NotWritable, match="cannot be written"):
        metrics.write(one.node, 0)
