"""A copy row by row: everything that the source has, but for the rows that are left out."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from running import dump

from timeline.publish.row_copy import copy_rows
from timeline.store import storage

EVERYTHING = """
PRAGMA page_size = 8192;
PRAGMA application_id = 7;
PRAGMA user_version = 8;
CREATE TABLE plain (a, b TEXT DEFAULT 'x''y');
CREATE TABLE "odd ""name" ("a ""b" INTEGER PRIMARY KEY, c REAL CHECK (c > 0)) STRICT;
CREATE TABLE numbered (a INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE counted (a INTEGER, b GENERATED ALWAYS AS (a + 1) STORED, c AS (a * 2), d);
CREATE TABLE keyed (a TEXT, b BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE UNIQUE INDEX plain_b ON plain (b) WHERE a > 1;
CREATE INDEX counted_b ON counted (b, a + d);
CREATE VIRTUAL TABLE searched USING fts5 (words);
CREATE VIEW seen AS SELECT a FROM plain JOIN searched ON words = b;
CREATE TRIGGER plain_kept BEFORE DELETE ON plain BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER plain_guard BEFORE INSERT ON plain BEGIN
    SELECT RAISE(ABORT, 'no') WHERE NEW.a = 0;
END;
CREATE TRIGGER seen_written INSTEAD OF INSERT ON seen BEGIN
    INSERT INTO plain VALUES (NEW.a, 'v');
END;
INSERT INTO plain VALUES (1, 'first'), (2, 'second'), (NULL, x'00ff');
INSERT INTO "odd ""name" VALUES (-5, 0.5), (9223372036854775807, 1e300);
INSERT INTO numbered VALUES (1), (40);
DELETE FROM numbered WHERE a = 40;
INSERT INTO counted (a, d) VALUES (1, 2), (NULL, 'x');
INSERT INTO keyed VALUES ('a', x'01'), ('Ω', x'');
INSERT INTO searched VALUES ('words of a text'), ('and of another');
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "odd ?#%20 name.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(EVERYTHING)
    return path


def header(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"PRAGMA {field}").fetchone()[0]
            for field in ("page_size", "application_id", "user_version", "freelist_count")
        ]


def test_a_copy_has_everything_that_the_source_has(source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    copy = tmp_path / "copy.db"
    copy_rows(storage.address(source, "ro"), copy, {})
    assert dump(copy) == dump(source)
    assert header(copy) == header(source)
    assert source.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT rowid FROM searched('another')").fetchall()
        assert found == [(2,)]
        with pytest.raises(sqlite3.IntegrityError, match="kept"):
            connection.execute("DELETE FROM plain")
        connection.execute("INSERT INTO numbered DEFAULT VALUES")
        assert connection.execute("SELECT max(a) FROM numbered").fetchone() == (41,)
    assert {file.name for file in tmp_path.iterdir()} == {source.name, copy.name}


def test_no_byte_of_a_row_that_is_left_out_is_in_the_copy(source: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        rows = [(number, f"Zyxomma {number} " * 500) for number in range(10, 60)]
        connection.executemany("INSERT INTO plain VALUES (?, ?)", rows)
    copy = tmp_path / "copy.db"
    copy_rows(storage.address(source, "ro"), copy, {"plain": "b NOT LIKE 'Zyx%'"})
    assert b"Zyxomma" in source.read_bytes()
    assert b"Zyxomma" not in copy.read_bytes()
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT a FROM plain").fetchall() == [(1,), (2,), (None,)]


def test_a_file_that_is_there_is_not_copied_into(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    with pytest.raises(FileExistsError):
        copy_rows(storage.address(source, "ro"), copy, {})
    assert copy.read_text() == "mine"
