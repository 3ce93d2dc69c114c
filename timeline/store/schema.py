"""Make the tables of the log in a file, by the migrations in db/migrations/ that it lacks.

Guarantees: each migration is applied once, in a transaction of its own.

Knows the tables only by the SQL in db/.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from timeline.errors import TooNew, TooOld
from timeline.model.resources import db_folder

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

SCHEMA_VERSION = 6
"""The number of migrations in db/migrations/; a file has it as its user_version."""


def check(connection: sqlite3.Connection, path: str, *, older: bool = False) -> None:
    """Raise TooNew for a file of a later schema, and TooOld for an earlier one unless `older`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise TooNew(
            path, f"has schema {version}; this Timeline knows up to {SCHEMA_VERSION}: upgrade it"
        )
    if version < SCHEMA_VERSION and not older:
        raise TooOld(path)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations of db/migrations/ that the file lacks, each in one transaction."""
    from sqlite_utils import Database

    database = Database(connection)
    _migrations().apply(database)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _migrations() -> Migrations:
    from sqlite_utils import Migrations

    migrations = Migrations("timeline")
    scripts = sorted(
        (file for file in (db_folder() / "migrations").iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    for script in scripts:
        sql = script.read_text(encoding="utf-8")

        def apply(database: Database, /, sql: str = sql) -> None:
            run_script(database.conn, sql)

        migrations(name=script.name.removesuffix(".sql"))(apply)
    return migrations


def run_script(connection: sqlite3.Connection, sql: str) -> None:
    """Run the statements of a script inside the transaction that is open.

    `executescript` would commit that transaction first.
    """
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
