"""Verify changed copies of one file by the checks of `timeline verify`, in a tenth of its time.

Two things make this quick. The check that reads the changed bytes runs first. The tables that the
log folds to are kept, and used for a file whose log is the same, byte for byte.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timeline.errors import StoreError
from timeline.projection import tables
from timeline.proof import verify
from timeline.proof.checks.entries import check_entries
from timeline.proof.checks.file import check_pages
from timeline.proof.checks.report import Report
from timeline.proof.checks.tables import _compare_table
from timeline.store import storage

Rows = list[tuple[object, ...]]

_INFO = "PRAGMA temp.table_info({})"


class Found(Exception):
    """Ends a verification at its first finding."""


class QuickVerify:
    """The rows of a file that nobody has changed, and the tables that its log folds to."""

    def __init__(self, path: Path) -> None:
        with contextlib.closing(storage.connect(path)) as connection:
            self._rows = stored(connection)
            tables.create_apart(connection)
            tables.fold_all(connection, _ignore)
            made = connection.execute(
                "SELECT name, sql FROM sqlite_temp_master WHERE type = 'table'"
                " AND sql GLOB 'CREATE TABLE*'"  # event_search has its rows in tables of its own
            ).fetchall()
            self._definitions = {
                name: sql.replace("CREATE TABLE", "CREATE TEMP TABLE", 1) for name, sql in made
            }
            self._columns = {
                name: ", ".join(column for _, column, *_ in connection.execute(_INFO.format(name)))
                for name, _ in made
            }
            self._folded: dict[str, Rows] = {
                name: connection.execute(f"SELECT {columns} FROM temp.{name}").fetchall()
                for name, columns in self._columns.items()
            }

    def finds(self, path: Path, changed: str) -> bool | None:
        """Whether verify finds a change of bytes after the header; None if that takes longer.

        It finds nothing in a file that has the same rows in the same order, in pages and indexes
        that SQLite finds sound: nobody reads anything else in it.

        `changed` is the table or index whose bytes were changed, or another name for other bytes.
        """
        with stopping():
            try:
                with contextlib.closing(storage.connect(path)) as connection:
                    connection.execute("BEGIN")
                    self._first_check(changed)(connection, Report())
                    connection.text_factory = str
                    check_pages(connection, Report())
                    if stored(connection) == self._rows:
                        return False
            except (Found, StoreError):
                return True
            except (sqlite3.DatabaseError, TypeError, ValueError, AttributeError):
                return None
        return None

    def finds_at_last(self, path: Path) -> bool:
        """Whether verify finds any change, or refuses to read the file."""
        with stopping() as patch:
            patch.setattr(tables, "fold_all", self._fold_all)
            return finds(path)

    def _first_check(self, changed: str) -> Callable[[sqlite3.Connection, Report], object]:
        if changed in ("log", "tree_hashes"):
            return lambda connection, report: check_entries(connection, report, (), _ignore)
        if changed in self._folded and not changed.startswith("event_search"):
            return lambda connection, report: self._compare(connection, report, changed)
        return lambda connection, report: None

    def _compare(self, connection: sqlite3.Connection, report: Report, table: str) -> None:
        connection.execute(self._definitions[table])
        self._fill(connection, table)
        _compare_table(connection, report, table)

    def _fold_all(self, connection: sqlite3.Connection, progress: Callable[[int], object]) -> int:
        if _rows_of(connection, "log") != self._rows["log"]:
            return fold_all(connection, progress)
        for table in self._folded:
            connection.execute(f"DELETE FROM temp.{table}")
            self._fill(connection, table)
        return len(self._rows["log"])

    def _fill(self, connection: sqlite3.Connection, table: str) -> None:
        if rows := self._folded[table]:
            places = ", ".join("?" * len(rows[0]))
            columns = self._columns[table]
            connection.executemany(f"INSERT INTO temp.{table} ({columns}) VALUES ({places})", rows)


fold_all = tables.fold_all


def finds(path: Path) -> bool:
    """Whether verify finds something in the file, or refuses to read it."""
    try:
        return bool(verify.verify(path).findings)
    except (Found, StoreError):
        return True


@contextlib.contextmanager
def stopping() -> Iterator[pytest.MonkeyPatch]:
    """While this lasts, a verification ends at its first finding."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Report, "add", _stop)
        yield patch


def _stop(*finding: object) -> None:
    raise Found(*finding)


def _ignore(*what: object) -> None:
    pass


def stored(connection: sqlite3.Connection) -> dict[str, Rows]:
    """The rows of every table as they are stored, in their order; those of FTS5 among them."""
    made = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'table'")
    names = [name for name, sql in made if not sql.startswith("CREATE VIRTUAL")]
    return {name: _rows_of(connection, name) for name in ("sqlite_master", *names)}


def _rows_of(connection: sqlite3.Connection, table: str) -> Rows:
    before, connection.text_factory = connection.text_factory, bytes
    try:
        return connection.execute(f'SELECT * FROM main."{table}"').fetchall()
    finally:
        connection.text_factory = before
