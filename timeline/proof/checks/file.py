"""Checks of the file itself: this reads its pages, its definitions, the texts of sources in it."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3

from timeline.projection import tables
from timeline.proof.checks.report import Report, text_of
from timeline.store import schema


def check_pages(connection: sqlite3.Connection, report: Report) -> None:
    """Let SQLite check the pages and indexes of the file."""
    for (problem,) in connection.execute("PRAGMA integrity_check(20)"):
        if problem != "ok":
            report.add("file", "integrity_check", "ok", problem)


def check_schema(connection: sqlite3.Connection, report: Report) -> None:
    """Compare tables, indexes, views, triggers and migrations with those of a new file.

    The times of the migrations are not compared, since nothing else in the file has them.
    """
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.migrate(new)
        tables.create(new)
        ours = dict(new.execute(_DEFINITIONS))
        our_migrations = new.execute(_MIGRATIONS).fetchall()
    their_migrations = connection.execute(_MIGRATIONS).fetchall()
    if their_migrations != our_migrations:
        report.add("schema", "migrations", our_migrations, their_migrations)
    own_tables = {name.partition(" ")[2] for name in ours}
    theirs = dict(connection.execute(_DEFINITIONS))
    for name, sql in ours.items():
        if theirs.get(name) != sql:
            report.add("schema", name, sql, theirs.get(name, "nothing"))
    triggers = connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    for name, table in triggers:
        if table in own_tables and f"trigger {name}" not in ours:
            report.add("schema", f"trigger {name}", "nothing", f"a trigger on {table}")


_MIGRATIONS = """
SELECT id, migration_set, name, applied_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *'
    AND applied_at NOT GLOB '*[^ -:+]*' AS is_a_time FROM _sqlite_migrations ORDER BY id
"""

_DEFINITIONS = """
SELECT type || ' ' || name, sql FROM sqlite_master
 WHERE sql IS NOT NULL AND name NOT GLOB '_sqlite_migrations*' AND name NOT GLOB 'sqlite_*'
"""


def check_texts(connection: sqlite3.Connection, report: Report) -> None:
    """Compare captured texts with the hashes under which they are stored."""
    connection.text_factory = bytes
    for name, body in connection.execute(
        "SELECT text_sha256, body FROM source_texts WHERE body IS NOT NULL"
    ):
        report.texts += 1
        hashed = "sha256:" + hashlib.sha256(body).hexdigest()
        if hashed != text_of(name):
            report.add("text", text_of(name), text_of(name), hashed)
    connection.text_factory = str
