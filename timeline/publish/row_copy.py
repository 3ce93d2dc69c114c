"""Copy a database row by row, as VACUUM INTO does, but without the rows that are not wanted.

Guarantees: the copy has every table, index, view and trigger of the source, and its rows of one
moment, except the tables and rows that are left out; no byte of them is ever written. Only its
owner can read the copy. The source is only read.

Knows no table. Statistics of ANALYZE are not copied.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

_HEADER = ("page_size", "application_id", "user_version")

_STORED = """
SELECT type, name, sql FROM source.sqlite_master
 WHERE type IN ('table', 'index') AND rootpage > 0 AND sql GLOB 'CREATE *'
   AND name NOT GLOB 'sqlite_*' AND tbl_name NOT IN (SELECT value FROM json_each(?))
 ORDER BY rowid
"""
_UNSTORED = """
INSERT INTO main.sqlite_master
SELECT * FROM source.sqlite_master WHERE type IN ('view', 'trigger') OR rootpage = 0
"""
"""Views, triggers and virtual tables have no pages: their definitions are all there is to copy."""


def copy_rows(
    address: str, copy: Path, wanted: Mapping[str, str], without: Sequence[str] = ()
) -> None:
    """Copy the database at an `address`, a URI of SQLite, into a new file.

    `wanted` has a condition for each table of which only some rows are copied; the tables `without`
    are left out, with their indexes. Raises
    sqlite3.DatabaseError, OSError.
    """
    copy.touch(0o600, exist_ok=False)
    copy.chmod(0o600)
    with contextlib.closing(
        sqlite3.connect(copy.absolute().as_uri(), uri=True, isolation_level=None)
    ) as new:
        new.execute("PRAGMA journal_mode = OFF")  # if this fails, nobody will use the copy
        new.execute("PRAGMA synchronous = OFF")
        new.execute("PRAGMA ignore_check_constraints = ON")
        new.execute("ATTACH ? AS source", (address,))
        for field in _HEADER:
            (value,) = new.execute(f"PRAGMA source.{field}").fetchone()
            new.execute(f"PRAGMA main.{field} = {value}")
        new.execute("BEGIN")
        made = new.execute(_STORED, (json.dumps(without),)).fetchall()
        for _, _, sql in made:
            new.execute(sql)
        for kind, name, _ in made:
            if kind == "table":
                _copy_table(new, name, wanted.get(name))
        if new.execute(
            "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'"
        ).fetchone():
            new.execute("DELETE FROM main.sqlite_sequence")
            _copy_table(new, "sqlite_sequence", None)
        new.execute("PRAGMA writable_schema = ON")
        new.execute(_UNSTORED)
        new.execute("COMMIT")


def _copy_table(new: sqlite3.Connection, name: str, condition: str | None) -> None:
    described = new.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
    into, columns = f"main.{_quoted(name)}", "*"  # SQLite copies whole records of a table in one go
    if any(hidden for _, hidden in described):  # nobody can insert a generated column
        columns = ", ".join(_quoted(column) for column, hidden in described if not hidden)
        into = f"{into} ({columns})"
    where = f" WHERE {condition}" if condition else ""
    new.execute(f"INSERT INTO {into} SELECT {columns} FROM source.{_quoted(name)}{where}")  # noqa: S608


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
