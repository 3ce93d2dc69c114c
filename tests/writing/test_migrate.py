"""A file of an older version: copied, brought up, verified; the log as it was."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from running import CHECKOUT, done, one_line, run

from timeline import demo
from timeline.intake.restore import restore
from timeline.proof import verify
from timeline.store import schema

GOLDEN = CHECKOUT / "tests" / "golden" / "v1.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "golden.db"
    with GOLDEN.open("rb") as file:
        restore(path, file)
    return path


@pytest.fixture
def newer_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with one more migration."""
    folder = tmp_path / "db"
    shutil.copytree(CHECKOUT / "db" / "migrations", folder / "migrations")
    (folder / "migrations" / "0002_more.sql").write_text(
        "CREATE TABLE more (x TEXT) STRICT;\nCREATE INDEX more_x ON more (x);\n"
    )
    monkeypatch.setattr(schema, "db_folder", lambda: folder)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)


def root(path: Path) -> bytes:
    report = verify.verify(path)
    assert report.findings == []
    return report.root


def test_a_file_of_this_version_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    assert done("-d", path, "migrate") == (f"{path} is of this version: there is nothing to do.\n")
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
    assert "As it was before:" in text


@pytest.mark.usefixtures("newer_schema")
def test_the_golden_log_of_version_1_holds_under_a_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with pytest.MonkeyPatch.context() as old:
        old.setattr(schema, "SCHEMA_VERSION", 1)
        old.setattr(schema, "db_folder", lambda: CHECKOUT / "db")
        with GOLDEN.open("rb") as file:
            restore(path, file)
        before = root(path)
    text = done("-d", path, "migrate")
    assert "to schema 2" in text
    assert root(path) == before
    copy = path.with_name("story.before-migration.db")
    assert str(copy) in text
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "nothing to do" in done("-d", path, "migrate")


@pytest.mark.usefixtures("newer_schema")
def test_a_log_that_does_not_hold_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with pytest.MonkeyPatch.context() as old:
        old.setattr(schema, "SCHEMA_VERSION", 1)
        old.setattr(schema, "db_folder", lambda: CHECKOUT / "db")
        demo.build(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER log_never_changes")
        connection.execute("UPDATE log SET payload = replace(payload, 'Odesa', 'Odessa')")
    before = path.read_bytes()
    problem = one_line(run("-d", path, "migrate"))
    assert "does not hold" in problem
    assert problem.endswith("run timeline verify; not touched")
    assert path.read_bytes() == before
    assert [*path.parent.glob("*before-migration*")] == []
