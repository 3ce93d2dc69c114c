"""Open the files of this package that are SQLite databases, but no timelines.

Guarantees: what is opened has tables that this package knows, or a StoreError says in one line why
not. A new file can be read by its owner alone. Everything that was committed survives a power
failure.

Knows no table: the SQL of each kind of file is in db/.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from timeline.errors import NotATimeline, NotWritable, StoreError, TooNew
from timeline.model.resources import db_folder
from timeline.store import storage
from timeline.store.schema import run_script


class FileKind(NamedTuple):
    """A kind of file has a number in its header, a version, and the SQL of its tables."""

    what: str
    """What a file of this kind is called in messages: "an inbox"."""
    application_id: int
    version: int
    """The version of the tables; a file has it as its user_version."""
    script: str
    """The name of the file in db/ that makes the tables."""


INBOX = FileKind("an inbox", 0x544C4942, 1, "inbox.sql")
"""An inbox, where proposals wait beside a timeline: "TLIB"."""
WITNESS_STATE = FileKind("the state of a witness", 0x544C5753, 1, "witness.sql")
"""The state of a witness, which says what it has signed: "TLWS"."""


def open_own(path: Path, kind: FileKind, *, patience: float) -> storage.Connection:
    """Open a file of a kind to read and write it, and make it if there is none.

    Raises StoreError for a file that is not of this kind, TooNew for one of a newer version, and
    the errors that `own_errors` turns into a StoreError.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = storage.open_file(path, "rw", patience)
    try:
        storage.make_durable(connection)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        with storage.immediate(connection):
            _make_tables(connection, kind)
            _check_header(connection, kind)
    except BaseException:
        connection.close()
        raise
    return connection


def open_own_to_read(path: Path, kind: FileKind, *, patience: float) -> storage.Connection:
    """Open a file of a kind that is there, to read it only; raises as `open_own` does."""
    connection = storage.open_file(path, "ro", patience)
    try:
        _check_header(connection, kind)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def own_errors(path: Path, *, patience: float) -> Iterator[None]:
    """Turn the errors of a file, and of making it, into a StoreError of one line."""
    name = str(path)
    try:
        with storage.storage_errors(name, patience=patience):
            yield
    except sqlite3.Error as error:
        raise StoreError(name, f"cannot be used: {error}") from None
    except PermissionError:
        raise NotWritable(name, "cannot be made: its folder is read-only") from None
    except OSError as error:
        raise NotWritable(name, f"cannot be made: {error.strerror}") from None


def _make_tables(connection: sqlite3.Connection, kind: FileKind) -> None:
    """Make the tables in a file that has none."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not application_id:
        run_script(connection, (db_folder() / kind.script).read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {kind.version}")


def _check_header(connection: storage.Connection, kind: FileKind) -> None:
    name = os.fspath(connection.path)
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != kind.application_id:
        raise NotATimeline(name, f"is not {kind.what}: move it away")
    if version > kind.version:
        problem = f"is {kind.what} of version {version}; this Timeline knows up to {kind.version}"
        raise TooNew(name, problem)
