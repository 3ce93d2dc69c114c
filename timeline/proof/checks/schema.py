"""Checks of definitions: this compares the schema of the file with that of a new file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from timeline.model import hints
from timeline.projection import tables
from timeline.proof.checks.report import Report
from timeline.store import node, schema


class _Definition(NamedTuple):
    """A definition is a row of sqlite_master, about a table, an index, a view or a trigger."""

    type: str
    name: str
    table: str
    """The table of an index or a trigger, in the letters that its maker typed."""
    has_pages: int
    """1 for a table or an index with pages of its own, else 0."""
    sql: str | None

    @property
    def title(self) -> str:
        return f"{self.type} {self.name}"


_DEFINITIONS = "SELECT type, name, tbl_name, coalesce(rootpage, 0) <> 0, sql FROM sqlite_master"

_SQLITE_UTILS_4_2 = (
    'CREATE TABLE "_sqlite_migrations" (\n   "id" INTEGER PRIMARY KEY,\n   "migration_set" TEXT,\n'
    '   "name" TEXT,\n   "applied_at" TEXT\n)',
    'CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"\n'
    '    ON "_sqlite_migrations" ("migration_set", "name")',
)
"""The definitions of the table of migrations by sqlite-utils 4.2; a later one may differ."""

_NAMED = 20
"""The most tables of others that are named."""

_MIGRATIONS = """
SELECT id, migration_set, name, typeof(applied_at),
    applied_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *'
    AND applied_at NOT GLOB '*[^ -:+]*' AS is_a_time FROM _sqlite_migrations ORDER BY id
"""


def check_schema(connection: sqlite3.Connection, report: Report) -> None:
    """Compare all tables, indexes, views, triggers and migrations with those of a new file.

    A trigger, a view or an index more is a finding too: it could change rows at the next append, or
    give readers other rows than ours. A table that somebody else made is only named. The guard of a
    node belongs in a file with a row in table `node`, and in no other. The times of
    the migrations are not compared, since nothing else in the file has them.
    """
    found = Counter(map(_Definition._make, connection.execute(_DEFINITIONS)))
    known = {each.title: each.sql for each in found if each.sql in _SQLITE_UTILS_4_2}
    (is_node,) = connection.execute("SELECT EXISTS (SELECT 1 FROM node)").fetchone()
    made, our_migrations = _new_file(is_node)
    expected = Counter(each._replace(sql=known.get(each.title, each.sql)) for each in made)
    foreign = _foreign(connection, found, expected)
    _compare(report, expected, found - Counter(foreign))
    if names := [*map(hints.printable, _tables_in(foreign))]:
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        report.unnoticed.append(
            f"Tables that Timeline did not make: {', '.join(names[:_NAMED])}{more}."
        )
    their_migrations = connection.execute(_MIGRATIONS).fetchall()
    if their_migrations != our_migrations:
        report.add("schema", "migrations", our_migrations, their_migrations)


def foreign_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables that Timeline did not make, and that change nothing of its own."""
    found = Counter(map(_Definition._make, connection.execute(_DEFINITIONS)))
    made, _ = _new_file(0)
    return _tables_in(_foreign(connection, found, made))


def _tables_in(definitions: Iterable[_Definition]) -> list[str]:
    """Return the names of the tables that a user made: not of those that SQLite keeps for them."""
    return [
        each.name
        for each in definitions
        if each.type == "table" and not each.name.startswith("sqlite_")
    ]


def _foreign(
    connection: sqlite3.Connection, found: Iterable[_Definition], made: Iterable[_Definition]
) -> list[_Definition]:
    """Return the definitions of ordinary tables that Timeline did not make, and of their indexes.

    A table that has the name of a function that makes rows would be read in its place: it is none
    of them.
    """
    found = [each for each in found if all(isinstance(value, str | int | None) for value in each)]
    known = {(each.type, each.name.lower()) for each in made}
    modules = {name.lower() for (name,) in connection.execute("PRAGMA module_list")}
    if not modules:  # this SQLite does not say
        return []
    others = {
        each.name.lower(): each
        for each in found
        if each.type == "table"
        and each.has_pages
        and (each.sql or "").startswith("CREATE TABLE ")
        and ("table", each.name.lower()) not in known
        and each.name.lower() not in modules
        and not each.name.lower().startswith(("sqlite_", "pragma_"))
    }
    indexes = [each for each in found if each.type == "index" and each.table.lower() in others]
    is_counted = any("autoincrement" in (each.sql or "").lower() for each in others.values())
    counters = [each for each in found if is_counted and each.title == "table sqlite_sequence"]
    return [*others.values(), *indexes, *counters]


def _new_file(is_node: int) -> tuple[list[_Definition], list[tuple[object, ...]]]:
    """Return the definitions of a new file, and its migrations; 1 for those of a node, else 0."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.migrate(new)
        tables.create(new, "UTC")
        if is_node:
            schema.run_script(new, node.guard())
        made = [*map(_Definition._make, new.execute(_DEFINITIONS))]
        return made, new.execute(_MIGRATIONS).fetchall()


def _compare(report: Report, expected: Counter[_Definition], found: Counter[_Definition]) -> None:
    other = [*(found - expected).elements()]
    for ours in (expected - found).elements():
        theirs = next((each for each in other if each.title == ours.title), None)
        if theirs:
            other.remove(theirs)
        report.add(
            "schema",
            ours.title,
            _definition_in_words(ours),
            _definition_in_words(theirs) if theirs else "nothing",
        )
    for theirs in other:
        report.add(
            "schema",
            theirs.title,
            "nothing",
            f"{_definition_in_words(theirs)}, not made by Timeline",
        )


def _definition_in_words(definition: _Definition) -> str:
    return f"{definition.title} on {definition.table}: {definition.sql or 'no SQL'}"
