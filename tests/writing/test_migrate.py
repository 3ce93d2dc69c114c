"""A file of an older version: copied, brought up, verified; the log as it was."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from running import CHECKOUT, done, one_line, run

from timeline.intake.restore import restore
from timeline.projection import tables
from timeline.proof import verify
from timeline.proof.signed_note import SigningKey
from timeline.store import schema, storage

GOLDEN = CHECKOUT / "tests" / "golden" / "v1.jsonl"
NOW = schema.SCHEMA_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "golden.db"
    with GOLDEN.open("rb") as file:
        restore(path, file)
    return path


def of_schema(path: Path, version: int, story: Path) -> Path:
    """A file with the entries of a story, as a Timeline of an older schema left it."""
    with pytest.MonkeyPatch.context() as old:
        know(old, path.with_name(f"db-{version}"), version)
        with storage.new_file(path) as connection:
            connection.execute("ATTACH ? AS story", (str(story),))
            with storage.immediate(connection):
                for table in ("log", "tree_hashes", "source_texts", "checkpoints", "publications"):
                    connection.execute(f"INSERT INTO {table} SELECT * FROM story.{table}")
                tables.create(connection, "UTC")
                tables.fold_all(connection, lambda count: None)
            connection.execute("DETACH story")
    return path


def know(patch: pytest.MonkeyPatch, folder: Path, version: int, more: str = "") -> None:
    """Make this package one of a schema: with so many migrations, and one made up if `more`."""
    shutil.copytree(CHECKOUT / "db" / "migrations", folder / "migrations")
    for number, script in enumerate(sorted((folder / "migrations").iterdir()), 1):
        if number > version:
            script.unlink()
    if more:
        version += 1
        (folder / "migrations" / f"{version:04}_more.sql").write_text(more)
    patch.setattr(schema, "db_folder", lambda: folder)
    patch.setattr(schema, "SCHEMA_VERSION", version)


MADE_UP = {
    "tables": "CREATE TABLE more (x TEXT) STRICT;\nCREATE INDEX more_x ON more (x);\n",
    "a trigger": "CREATE TRIGGER more AFTER INSERT ON checkpoints BEGIN SELECT 1; END;\n",
    "an index": "CREATE INDEX more ON log (kind);\n",
}
"""Migrations that may come next."""


next_migration = pytest.mark.parametrize("more", MADE_UP.values(), ids=MADE_UP)


def root(path: Path) -> bytes:
    report = verify.verify(path)
    assert report.findings == []
    return report.root


def test_a_file_of_this_version_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    assert done("-d", path, "migrate") == (
        f"{path} has this version already: there is nothing to do.\n"
    )
    assert path.read_bytes() == before
    assert [*path.parent.glob("*before-migration*")] == []


def test_tables_of_an_older_version_are_made_anew(path: Path) -> None:
    before = root(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE projection_state SET projection_version = 0")
        connection.execute("DROP TABLE event_tags")
    text = done("-d", path, "migrate")
    assert "verified." in text
    assert root(path) == before
    assert "The file as it was before:" in text


@next_migration
def test_a_file_of_this_version_is_migrated_by_the_next_one(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    before = root(path)
    know(monkeypatch, tmp_path / "newer", NOW, more)
    text = done("-d", path, "migrate")
    assert f"to schema {NOW + 1}" in text
    assert root(path) == before
    copy = path.with_name("golden.before-migration.db")
    assert str(copy) in text
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (NOW + 1,)
        assert connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'more'").fetchone()
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (NOW,)
    assert "nothing to do" in done("-d", path, "migrate")


@pytest.mark.parametrize("version", range(1, NOW))
def test_a_file_of_every_earlier_version_is_migrated(
    tmp_path: Path, path: Path, version: int
) -> None:
    older = of_schema(tmp_path / "older.db", version, path)
    assert one_line(run("-d", older, "verify")) == f"{older}: {TOO_OLD}"
    done("-d", older, "migrate")
    assert root(older) == root(path)


def test_a_migration_finishes_the_erasures_of_a_version_that_did_not_note_them(
    tmp_path: Path, path: Path
) -> None:
    older = of_schema(tmp_path / "older.db", 1, path)
    secret = {"event_id": "secret", "title": "T", "occurred": "2025", "summary": "Zyxomma " * 1_000}
    done("-d", path, "append", "-", "--fork", input=json.dumps(secret))
    with contextlib.closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("PRAGMA secure_delete = 0")
        connection.execute("ATTACH ? AS newer", (str(path),))
        more = "SELECT * FROM newer.log WHERE seq > (SELECT max(seq) FROM main.log)"
        connection.execute(f"INSERT INTO main.log {more}")
        connection.commit()
        done("-d", path, "erase", "secret", "--reason", "A court said so")
        connection.execute(f"INSERT INTO main.log {more}")
        connection.execute(
            "INSERT INTO main.tree_hashes SELECT * FROM newer.tree_hashes"
            " WHERE position > (SELECT max(position) FROM main.tree_hashes)"
        )
        connection.execute(
            "UPDATE main.log SET payload = NULL, salt = NULL"
            " WHERE seq = (SELECT max(seq) - 1 FROM main.log)"
        )
        connection.commit()
        connection.execute("DETACH newer")
    assert b"Zyxomma" in older.read_bytes()
    done("-d", older, "migrate")
    assert root(older) == root(path)
    assert not [file for file in tmp_path.glob("older*") if b"Zyxomma" in file.read_bytes()]


TOO_OLD = "made by an older version: run timeline migrate"


@next_migration
@pytest.mark.parametrize("tables_are_older", [False, True])
def test_an_older_file_is_told_to_be_migrated_before_anything_is_compared(
    tmp_path: Path,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    tables_are_older: bool,
) -> None:
    if tables_are_older:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE projection_state SET projection_version = 0")
    know(monkeypatch, tmp_path / "newer", NOW, more)
    before = path.read_bytes()
    for command in (
        ("verify",),
        ("verify", "--json"),
        ("publish", tmp_path / "copy"),
        ("publish", tmp_path / "files", "--static"),
        ("list",),
        ("append", "--title", "T", "--occurred", "2025"),
        ("rebuild",),
        ("checkpoint", "--key", _key(tmp_path)),
        ("export", "jsonl"),
        ("serve", "--port", "1"),
    ):
        assert one_line(run("-d", path, *command)) == f"{path}: {TOO_OLD}", command
    doctor = run("-d", path, "doctor", "--json")
    assert doctor.exit_code == 1
    said = [row["says"] for row in json.loads(doctor.stdout) if row["finding"] == "problem"]
    assert said == [f"{path}: {TOO_OLD}"]
    assert path.read_bytes() == before
    assert not [*(tmp_path / "copy").iterdir(), *(tmp_path / "files").iterdir()]


def _key(folder: Path) -> Path:
    key = folder / "key"
    key.write_text(str(SigningKey("example.org/story", b"k" * 32)))
    key.chmod(0o600)
    return key


@next_migration
def test_an_older_file_that_was_changed_is_not_migrated(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER log_never_changes")
        connection.execute("UPDATE log SET payload = replace(payload, 'Odesa', 'Odessa')")
    know(monkeypatch, tmp_path / "newer", NOW, more)
    before = path.read_bytes()
    problem = one_line(run("-d", path, "migrate"))
    assert "does not hold" in problem
    assert problem.endswith("run timeline verify; not touched")
    assert path.read_bytes() == before
    assert [*path.parent.glob("*before-migration*")] == []
