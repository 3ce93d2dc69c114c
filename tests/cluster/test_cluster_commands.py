"""The commands of a cluster, as a person types them."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from nats_servers import Servers
from running import PROGRAM, done, environment, one_line, run
from small_files import png

from timeline.cluster import follower, health
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.media.attached import attached_file
from timeline.store import storage

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
    assert done("-d", kyiv, "cluster", "follow", "--once").startswith("1 new entry;")
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


def findings(path: Path, *command: str) -> dict[str, str]:
    """What a command finds, by what it is about."""
    printed = json.loads(run("-d", path, "cluster", *command, "--json").stdout)
    return {row["about"]: f"{row['finding']}: {row['says']}" for row in printed}


def test_status_lists_the_nodes(odesa: Path, kyiv: Path) -> None:
    done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15")
    done("-d", kyiv, "cluster", "follow", "--once")
    said = findings(odesa, "status")
    assert said["node odesa"] == said["node kyiv"] == "ok: writer, 2 entries, up to date"
    assert "node kyiv" in done("-d", odesa, "cluster", "status")


def test_status_exits_with_1_if_a_node_is_wrong(
    odesa: Path, kyiv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("-d", kyiv, "cluster", "follow", "--once")
    done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15")
    done("-d", odesa, "cluster", "status")
    monkeypatch.setattr(health, "_GRACE", timedelta())
    assert run("-d", odesa, "cluster", "status").exit_code == 1
    assert findings(odesa, "status")["node kyiv"].startswith("problem: writer, 1 entry, 1 message")


def test_doctor_asks_the_servers(odesa: Path, servers: Servers) -> None:
    monitors = [option for url in servers.monitors for option in ("--monitor", url)]
    printed = done("-d", odesa, "cluster", "doctor", *monitors)
    assert "syncs each message" in " ".join(printed.split())
    assert "problem" not in printed
    assert run("-d", odesa, "cluster", "doctor", "--monitor", "http://127.0.0.1:1").exit_code == 1


def test_a_checkpoint_and_a_publication_are_on_record_on_every_node(
    odesa: Path, kyiv: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    vkey = done("-d", odesa, "keygen", key).strip().splitlines()[-1]
    done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15", "--id", "talks")
    done("-d", odesa, "checkpoint", "--key", key)
    done("-d", odesa, "publish", tmp_path / "public")
    done("-d", kyiv, "cluster", "follow", "--once")
    assert "holds." in done("-d", kyiv, "verify", "--key", vkey)
    done("-d", kyiv, "prove", "#1")
    with contextlib.closing(storage.connect(kyiv)) as connection:
        assert connection.execute("SELECT count(*) FROM publications").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)


def test_erased_text_is_out_of_every_store_and_file(
    odesa: Path, kyiv: Path, servers: Servers, name: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Zyxomma was seen at the quay.")
    done("-d", odesa, "capture", page, "--id", "paper", "--title", "Paper")
    done("-d", kyiv, "cluster", "follow", "--once")
    address = ClusterAddress.parse(servers.address(name))
    with Jetstream(address) as jetstream:
        (stored,) = jetstream.object_names(address.texts(1))
        assert jetstream.object(address.texts(1), stored)
        erased = run("-d", odesa, "erase", "#1", "--reason", "A court")
        assert erased.exit_code == 0
        assert "keep the words until timeline cluster rewrite" in " ".join(erased.stderr.split())
        assert jetstream.object(address.texts(1), stored) is None
    done("-d", kyiv, "cluster", "follow", "--once")
    assert b"Zyxomma" not in kyiv.read_bytes()
    assert findings(odesa, "status")["erased"].startswith("note: 1 erased entry is still")


def test_figures_are_written_for_prometheus(odesa: Path, tmp_path: Path) -> None:
    file = tmp_path / "odesa.prom"
    done("-d", odesa, "cluster", "follow", "--once", "--metrics", file)
    assert 'node="odesa"} 1\n' in file.read_text()


def test_without_the_cluster_a_checkpoint_is_shared_later(
    odesa: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", 0.5)
    key = tmp_path / "key"
    done("-d", odesa, "keygen", key)
    with contextlib.closing(sqlite3.connect(odesa)) as connection, connection:
        connection.execute("UPDATE node SET cluster = 'nats://127.0.0.1:1/away'")
    signed = run("-d", odesa, "checkpoint", "--key", key)
    assert signed.exit_code == 0
    assert "timeline cluster follow shares this" in " ".join(signed.stderr.split())


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


def test_a_file_put_back_to_an_earlier_state_catches_up(
    odesa: Path, kyiv: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    with contextlib.closing(sqlite3.connect(odesa)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    for path, title in ((odesa, "Talks"), (kyiv, "A fire"), (odesa, "A quay")):
        done("-d", path, "append", "--title", title, "--occurred", "2025-04-15")
    restored = run("-d", odesa, "restore", backup)
    assert restored.exit_code == 0, restored.output
    assert "timeline cluster follow brings" in " ".join(restored.stderr.split())
    assert titles(odesa) == []
    assert done("-d", odesa, "cluster", "follow", "--once").startswith("3 new entries")
    done("-d", odesa, "append", "--title", "More", "--occurred", "2025-04-16")
    done("-d", kyiv, "cluster", "follow", "--once")
    assert titles(odesa) == titles(kyiv)
    assert len(titles(kyiv)) == 4


def test_a_node_is_migrated_and_follows_on(odesa: Path, kyiv: Path) -> None:
    with contextlib.closing(sqlite3.connect(kyiv)) as connection, connection:
        connection.execute("UPDATE projection_state SET projection_version = 1")
    done("-d", odesa, "append", "--title", "Talks", "--occurred", "2025-04-15")
    done("-d", kyiv, "migrate")
    done("-d", kyiv, "cluster", "follow", "--once")
    assert titles(kyiv) == ["Talks"]
    said = findings(odesa, "status")
    assert [about for about in said if about.startswith("node")] == ["node kyiv", "node odesa"]
    assert said["node kyiv"] == "ok: writer, 2 entries, up to date"


def test_a_published_copy_of_a_node_is_written_as_any_copy(odesa: Path, tmp_path: Path) -> None:
    done("-d", odesa, "publish", tmp_path / "public")
    copy = tmp_path / "public" / odesa.name
    done("-d", copy, "append", "--title", "Mine", "--occurred", "2025-04-15")
    assert titles(copy) == ["Mine"]
    assert titles(odesa) == []
    assert "is no node" in one_line(run("-d", copy, "cluster", "follow", "--once"))


def test_words_that_two_sources_share_are_erased_with_the_last(
    odesa: Path, kyiv: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Zyxomma was seen at the quay.")
    for source in ("paper", "radio"):
        done("-d", odesa, "capture", page, "--id", source, "--title", source)
    done("-d", kyiv, "cluster", "follow", "--once")
    for seq, is_there in ((1, True), (2, False)):
        done("-d", odesa, "erase", f"#{seq}", "--reason", "A court")
        done("-d", kyiv, "cluster", "follow", "--once")
        for path in (odesa, kyiv):
            assert (b"Zyxomma" in path.read_bytes()) == is_there
            assert "holds." in done("-d", path, "verify")


def test_a_log_is_rewritten_and_its_nodes_leave_and_are_forgotten(odesa: Path, kyiv: Path) -> None:
    done("-d", odesa, "append", "--title", "Nemirovich", "--occurred", "2025-04-15")
    done("-d", odesa, "erase", "#1", "--reason", "A court order")
    printed = " ".join(done("-d", odesa, "cluster", "rewrite").split())
    assert printed.startswith(
        "The cluster follows generation 2: 3 entries. The earlier one is kept"
    )
    assert "until these nodes have moved: kyiv" in printed
    assert "has left" in done("-d", kyiv, "cluster", "leave")
    assert "no node" in one_line(run("-d", odesa, "cluster", "forget", "kyiv"))
    printed = " ".join(done("-d", odesa, "cluster", "rewrite").split())
    assert printed.endswith("Earlier generations are deleted.")
    done("-d", kyiv, "append", "--title", "Mine", "--occurred", "2025-04-15")
    assert titles(kyiv) == ["Mine"]


def test_a_lost_log_is_put_back_by_the_longest_node_or_with_yes(
    servers: Servers, name: str, odesa: Path, kyiv: Path
) -> None:
    done("-d", odesa, "append", "--title", "More", "--occurred", "2025-04-15")
    address = ClusterAddress.parse(servers.address(name))
    with Jetstream(address) as jetstream:
        jetstream.delete_stream(address.stream(1))
    assert "rewrite --lost" in one_line(run("-d", kyiv, "cluster", "follow", "--once"))
    assert "node odesa has 1 more" in one_line(run("-d", kyiv, "cluster", "rewrite", "--lost"))
    done("-d", kyiv, "cluster", "rewrite", "--lost", "--yes")
    assert "export them" in one_line(run("-d", odesa, "cluster", "follow", "--once"))


def test_what_was_erased_is_noted_until_the_log_is_rewritten(odesa: Path, kyiv: Path) -> None:
    done("-d", odesa, "append", "--title", "Zyxomma", "--occurred", "2025-04-15", "--id", "quay")
    picture = odesa.with_name("quay.png")
    picture.write_bytes(png("blue"))
    done("-d", odesa, "attach", picture, "--event", "quay", "--alt", "A quay")
    file = attached_file(png("blue")).sha256.replace("sha256:", "media/")
    done("-d", odesa, "erase", "#1", file, "--reason", "A court")
    done("-d", kyiv, "cluster", "follow", "--once")
    said = "note: 2 erased entries are still in the stream: timeline cluster rewrite"
    assert findings(odesa, "status")["erased"] == findings(kyiv, "doctor")["erased"] == said
    done("-d", odesa, "cluster", "rewrite")
    for path in (kyiv, odesa):
        done("-d", path, "cluster", "follow", "--once")
        assert "erased" not in findings(path, "status")
    assert findings(odesa, "status")["log"].endswith("in generation 2")
