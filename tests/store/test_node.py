"""A file that is a node: its log grows with the cluster alone, and all that reads it works."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import done, one_line, run
from signed_story import a_node
from site_in_process import open_site
from tampering import unguarded

from timeline import Timeline
from timeline.errors import Refused, TooNew
from timeline.projection import tables
from timeline.proof import verify
from timeline.store import log, node, schema, storage
from timeline.store.node import Node
from timeline.writing import writer

CLUSTER = "nats://h1,h2:4223,h3/story"
EVENT = {"event_id": "quay", "title": "A quay", "occurred": "2025"}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        yield connection


def made(path: Path) -> Path:
    with Timeline.create(path, title="A story") as timeline:
        timeline.record(EVENT)
    return path


def join(path: Path, **fields: Any) -> Node:
    with opened(path) as connection, storage.immediate(connection):
        row = a_node(log.size(connection))._replace(doubt=None, doubt_body=None, **fields)
        node.join(connection, row)
    return row


def guarded(path: Path) -> bool:
    with opened(path) as connection:
        query = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'node_guard')"
        return bool(connection.execute(query).fetchone()[0])


def node_in(path: Path) -> Node | None:
    with contextlib.closing(storage.connect(path)) as connection:
        return node.node_of(connection)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = made(tmp_path / "story.db")
    join(path)
    return path


def test_a_row_is_read_as_it_was_put_in(tmp_path: Path) -> None:
    path = made(tmp_path / "story.db")
    assert node_in(path) is None
    assert not guarded(path)
    row = join(path)
    assert node_in(path) == row
    with opened(path) as connection, storage.immediate(connection):
        node.change(connection, message=813, doubt="{}", doubt_body=b"")
    assert node_in(path) == row._replace(message=813, doubt="{}", doubt_body=b"")
    with opened(path) as connection, storage.immediate(connection):
        node.leave(connection)
    assert node_in(path) is None
    assert not guarded(path)
    done("-d", path, "append", "--title", "On its own", "--occurred", "2025")


def test_a_file_is_one_node_only(path: Path) -> None:
    with (
        opened(path) as connection,
        pytest.raises(sqlite3.IntegrityError, match="is a node already"),
        storage.immediate(connection),
    ):
        node.join(connection, a_node(1))


def test_the_log_grows_in_a_transaction_of_the_cluster_alone(path: Path) -> None:
    copied = "INSERT INTO log SELECT seq + 9, 'x' || id, kind, subject, version + 9, recorded_at,"
    with opened(path) as connection:
        columns = "reported_at, envelope, payload, salt, leaf FROM log WHERE seq = 1"
        with (
            pytest.raises(sqlite3.IntegrityError, match="a node of a cluster, and grows with it"),
            storage.immediate(connection),
        ):
            connection.execute(f"{copied} {columns}")
        connection.execute("BEGIN")
        node.change(connection, writing=1)
        with pytest.raises(sqlite3.IntegrityError) as caught:
            connection.execute(f"{copied} {columns}")
        assert "node" not in str(caught.value)


def test_an_append_that_does_not_go_by_the_cluster_is_refused(path: Path) -> None:
    says = f"this file is a node of {CLUSTER}, and grows with it alone"
    before = path.read_bytes()
    with (
        opened(path) as connection,
        pytest.raises(Refused, match=says),
        writer.appending(connection, str(path)) as append,
    ):
        append.record({"title": "Mine", "occurred": "2025"})
    assert path.read_bytes() == before


def test_an_export_is_not_imported_into_a_node(path: Path, tmp_path: Path) -> None:
    exported = tmp_path / "story.jsonl"
    exported.write_text(done("-d", path, "export", "jsonl"))
    assert one_line(run("-d", path, "import", "jsonl", exported)) == (
        f"this file is a node of {CLUSTER}: it grows with it alone; timeline cluster follow brings"
        " what is new"
    )


def test_a_mirror_of_a_node_is_no_node(path: Path, tmp_path: Path) -> None:
    exported, mirror = tmp_path / "story.jsonl", tmp_path / "mirror.db"
    exported.write_text(done("-d", path, "export", "jsonl"))
    done("-d", mirror, "import", "jsonl", exported)
    assert node_in(mirror) is None


def test_what_reads_works_as_in_any_file(path: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.db"
    shutil.copy(path, plain)
    with opened(plain) as connection, storage.immediate(connection):
        node.leave(connection)
    for command in (
        *(("list",), ("show", "quay"), ("history", "quay"), ("log",), ("search", "quay")),
        *(("changes", "--from", "2020-01-01"), ("export", "jsonl"), ("export", "csv"), ("about",)),
    ):
        assert done("-d", path, *command) == done("-d", plain, *command)
    with open_site(path) as site, open_site(plain) as other:
        for address in ("/events.json", "/events/quay.json", "/verify.json", "/changes.json"):
            assert site.ask(address).json() == other.ask(address).json()


def test_the_site_shows_neither_the_servers_nor_what_is_in_doubt(path: Path) -> None:
    with opened(path) as connection, storage.immediate(connection):
        node.change(connection, doubt='{"a": "secret"}', doubt_body=b"secret")
    with open_site(path) as site:
        for question in ("select * from node", "select hex(doubt_body), doubt, cluster from node"):
            answer = site.ask(f"/story.json?sql={question}&_shape=array")
            assert "secret" not in answer.text
            assert "4223" not in answer.text
            assert b"secret".hex() not in answer.text.lower()
        page = site.ask("/story/node.json?_shape=array")
        assert "secret" not in page.text
        assert "4223" not in page.text
        assert "odesa" in page.text


def test_a_published_copy_is_a_log_of_its_own(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "public")
    copy = tmp_path / "public" / "story.db"
    assert node_in(copy) is None
    assert not guarded(copy)
    assert verify.verify(copy).findings == []
    for words in (b"h2:4223", b"odesa", b"node_guard", b"grows with it alone"):
        assert words not in copy.read_bytes()
    assert node_in(path) is not None
    assert verify.verify(path).findings == []
    done("-d", copy, "append", "--title", "Mine", "--occurred", "2025")


def test_doctor_tells_of_which_cluster_it_is_a_node(path: Path) -> None:
    def said() -> list[tuple[str, str]]:
        rows = json.loads(done("-d", path, "doctor", "--json"))
        return [(row["finding"], row["says"]) for row in rows if row["about"] == "node"]

    expected = f"odesa, a writer of {CLUSTER}, with its log up to message 812 of generation 2"
    assert said() == [("ok", expected)]
    with opened(path) as connection, storage.immediate(connection):
        node.change(connection, doubt="{}", doubt_body=b"")
    assert [finding for finding, _ in said()] == ["ok", "note"]


# --- A backup that is put back ----------------------------------------------------------------


def restored(path: Path, backup: Path) -> str:
    result = run("-d", path, "restore", backup)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_backup_of_a_node_is_that_node_and_catches_up(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    with opened(path) as connection, storage.immediate(connection):
        node.change(connection, message=900)
    said = restored(path, backup)
    assert f"the file is odesa, a node of {CLUSTER}: timeline cluster follow brings" in said
    assert node_in(path) == node_in(backup)


def test_a_backup_that_is_no_node_makes_the_file_a_log_of_its_own(
    path: Path, tmp_path: Path
) -> None:
    said = restored(path, made(tmp_path / "backup.db"))
    assert f"the old file was a node of {CLUSTER}, and the backup is none" in said
    assert "timeline cluster join" in said
    assert node_in(path) is None
    assert node_in(path.with_name("story.before-restore.db")) is not None


def test_entries_that_a_backup_of_a_node_lacks_are_not_imported(tmp_path: Path) -> None:
    path, backup = made(tmp_path / "story.db"), tmp_path / "backup.db"
    shutil.copy(path, backup)
    done("-d", path, "append", "--title", "One more", "--occurred", "2025")
    join(path)
    join(backup)
    said = restored(path, backup)
    assert "Only the old file has" in said
    assert "import jsonl" not in said


# --- Other versions ---------------------------------------------------------------------------


def test_a_node_of_an_older_version_of_the_tables_is_migrated(path: Path) -> None:
    before, kept = node_in(path), path.with_name("story.before-migration.db")
    with opened(path) as connection:
        connection.execute("UPDATE projection_state SET projection_version = 1")
    done("-d", path, "migrate")
    assert node_in(path) == before
    assert node_in(kept) == before
    assert verify.verify(path).findings == []
    with opened(path) as connection:
        tables.rebuild(connection, lambda count: None)
    assert verify.verify(path).findings == []


def test_an_older_package_refuses_a_node(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "SCHEMA_VERSION", newest - 1)
    with pytest.raises(TooNew, match=f"has schema {newest}"):
        storage.connect(path)


# --- What verify finds ------------------------------------------------------------------------

TAMPERED: dict[str, tuple[str, str]] = {
    "a node without its guard": ("DROP TRIGGER node_guard", "trigger node_guard"),
    "a guard without a node": ("DELETE FROM node", "trigger node_guard"),
    "an address with a password": ("UPDATE node SET cluster = 'nats://u:p@h1/story'", "cluster"),
    "an address without a name": ("UPDATE node SET cluster = 'nats://h1/'", "cluster"),
    "a name of two lines": ("UPDATE node SET name = 'o' || char(10)", "name"),
    "another role": ("UPDATE node SET role = 'editor'", "role"),
    "a writer without texts": ("UPDATE node SET with_texts = 0", "with_texts"),
    "a generation before the first": ("UPDATE node SET generation = 0", "generation"),
    "a time that is none": ("UPDATE node SET created = 'today'", "created"),
    "a message without an id": ("UPDATE node SET message_id = ''", "message"),
    "an id without a message": ("UPDATE node SET message = 0", "message"),
    "a message before the first": ("UPDATE node SET message = -1", "message"),
    "an id that is no hash": ("UPDATE node SET message_id = 'sha256:AB'", "message_id"),
    "more entries than there are": ("UPDATE node SET size = 3", "size"),
    "fewer than none": ("UPDATE node SET size = -1", "size"),
    "an erasure that is still to come": ("UPDATE node SET scrubbed = 2", "scrubbed"),
    "a transaction that goes on": ("UPDATE node SET writing = 1", "writing"),
    "no JSON": ("UPDATE node SET unexcused = '{'", "unexcused"),
    "JSON of another form": ("UPDATE node SET unexcused = '[1]'", "unexcused"),
    "numbers that are none": ("UPDATE node SET unexcused = '{\"a\": true}'", "unexcused"),
    "an entry that has its payload": (
        "UPDATE node SET unexcused = json_object((SELECT id FROM log WHERE seq = 1), 1)",
        "#1",
    ),
    "doubt without messages": ("UPDATE node SET doubt = '{}'", "doubt"),
    "messages without doubt": ("UPDATE node SET doubt_body = x'00'", "doubt"),
    "doubt that is no object": ("UPDATE node SET doubt = '1', doubt_body = x'00'", "doubt"),
    "two nodes": ("INSERT INTO node SELECT * FROM node", "rows"),
}


@pytest.mark.parametrize(("change", "where"), TAMPERED.values(), ids=TAMPERED)
def test_verify_finds(path: Path, change: str, where: str) -> None:
    assert verify.verify(path).findings == []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        (once,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'node_of_one_cluster'"
        ).fetchone()
        connection.execute("DROP TRIGGER node_of_one_cluster")
        connection.execute(change)
        connection.execute(once)
    found = {each.where.rpartition(", ")[2] for each in verify.verify(path).findings}
    assert where in found


def test_an_erasure_that_the_cluster_still_has_to_say_is_named_as_not_checked(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "story.db")
    join(path)
    with unguarded(path) as connection:
        connection.execute("UPDATE log SET payload = NULL, salt = NULL WHERE seq = 1")
    with opened(path) as connection:
        tables.rebuild(connection, lambda count: None)
    assert ("erasure", "#1") in {each[:2] for each in verify.verify(path).findings}
    with opened(path) as connection, storage.immediate(connection):
        (entry_id,) = connection.execute("SELECT id FROM log WHERE seq = 1").fetchone()
        node.change(connection, unexcused=json.dumps({entry_id: 1}))
    report = verify.verify(path)
    assert report.findings == []
    assert any("payloads of #1" in sentence for sentence in report.unnoticed)
