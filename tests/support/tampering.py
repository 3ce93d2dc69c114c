"""Changes to the file of a timeline that no guard stops: bits of its bytes, and edits by SQL."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# --- Bytes --------------------------------------------------------------------------------


def places(path: Path, maker: random.Random) -> Iterator[tuple[str, int]]:
    """The place of each byte of the file, once: in turn from each table and index, with its name.

    What lies between the cells of a page, which nobody reads, comes now and then, and last.
    """
    parts = _parts(path)
    for part in parts.values():
        maker.shuffle(part)
    gaps = parts.pop("gaps")
    while parts:
        for name, part in [*parts.items()]:
            yield name, part.pop()
            if not part:
                del parts[name]
        if gaps:
            yield "gaps", gaps.pop()
    yield from (("gaps", place) for place in gaps)


def _parts(path: Path) -> dict[str, list[int]]:
    """The places of the header, of each table and index, and of the gaps between cells."""
    data = path.read_bytes()
    size = int.from_bytes(data[16:18]) or 65_536
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            owners = dict(connection.execute("SELECT pageno, name FROM dbstat"))
        except sqlite3.OperationalError:  # an SQLite without this table
            owners = {}
    parts: defaultdict[str, list[int]] = defaultdict(list, header=[*range(100)])
    for number in range(1, len(data) // size + 1):
        start, end = (number - 1) * size, number * size
        head = start + (100 if number == 1 else 0)
        gap = range(end, end)
        if number in owners and data[head] in (2, 5, 10, 13):  # a page with cells
            count, content = struct.unpack_from(">HH", data, head + 3)
            gap = range(head + (12 if data[head] < 10 else 8) + 2 * count, start + content)
        parts[owners.get(number, "no table")] += (*range(head, gap.start), *range(gap.stop, end))
        parts["gaps"] += gap
    return parts


# --- SQL ----------------------------------------------------------------------------------


@contextlib.contextmanager
def unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without its triggers and rules, in one transaction; the triggers come back."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        connection.execute("BEGIN")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")


def edit(path: Path, maker: random.Random) -> str:
    """Change something by SQL, and say what. Raises sqlite3.Error if SQLite refuses it."""
    kind = maker.choices((_change_rows, _change_schema, _run), (8, 3, 1))[0]
    return kind(path, maker)


def _change_rows(path: Path, maker: random.Random) -> str:
    with unguarded(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'event_search'"
        )
        tables = [name for (name,) in names]
        return "; ".join(
            maker.choice(_ROW_EDITS)(connection, maker.choice(tables), maker)
            for _ in range(maker.choice((1, 1, 1, 2, 3)))
        )


def _row(connection: sqlite3.Connection, table: str, maker: random.Random) -> dict[str, Any]:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    cursor = connection.execute(
        f"SELECT * FROM {table} LIMIT 1 OFFSET ?", (maker.randrange(count or 1),)
    )
    row = cursor.fetchone()
    if row is None:
        raise sqlite3.DataError(f"{table} is empty")
    return dict(zip((name for name, *_ in cursor.description), row, strict=True))


def _where(row: dict[str, Any]) -> str:
    return " AND ".join(f'"{name}" IS ?' for name in row)


def _change_value(connection: sqlite3.Connection, table: str, maker: random.Random) -> str:
    row = _row(connection, table, maker)
    column = maker.choice([*row])
    value = maker.choice((_other_value, _value_of_another))(connection, table, column, row, maker)
    if repr(value) == repr(row[column]):
        raise sqlite3.DataError("the same value")
    connection.execute(
        f'UPDATE {table} SET "{column}" = ? WHERE {_where(row)}', (value, *row.values())
    )
    return f"{table}.{column} of {row!r} = {value!r}"


def _value_of_another(
    connection: sqlite3.Connection,
    table: str,
    column: str,
    row: dict[str, Any],
    maker: random.Random,
) -> Any:
    return _row(connection, table, maker)[column]


def _other_value(
    connection: sqlite3.Connection,
    table: str,
    column: str,
    row: dict[str, Any],
    maker: random.Random,
) -> Any:
    return other_value(row[column], maker)


def other_value(value: Any, maker: random.Random) -> Any:
    """A value that differs, often hardly: in a bit, in its type, in the case of a letter."""
    match value:
        case None:
            return maker.choice(("", "x", 0, 1, 0.5, b""))
        case int():
            return maker.choice((value + 1, value - 1, -value, float(value), str(value), None))
        case float():
            return maker.choice((value + 0.01, -value, int(value), str(value), None))
        case bytes():
            place = maker.randrange(len(value) or 1)
            flipped = bytes(
                byte ^ (1 << maker.randrange(8)) if number == place else byte
                for number, byte in enumerate(value)
            )
            return maker.choice((flipped, flipped, flipped, value[:-1], value + b"\0", b"", None))
        case str():
            return _other_text(value, maker)
    raise TypeError(value)


def _other_text(text: str, maker: random.Random) -> Any:
    place = maker.randrange(len(text) or 1)
    letter = chr((ord(text[place]) ^ 1) or 1) if text else "x"
    changed = text[:place] + letter + text[place + 1 :]
    return maker.choice(
        (
            *(changed, changed, changed, text + " ", " " + text, text[:-1], text.upper()),
            *(unicodedata.normalize("NFD", text), text + "\0", text + "\n", ""),
            *(None, text.encode(), len(text)),
        )
    )


def _delete(connection: sqlite3.Connection, table: str, maker: random.Random) -> str:
    row = _row(connection, table, maker)
    connection.execute(f"DELETE FROM {table} WHERE {_where(row)}", [*row.values()])
    return f"{table} without {row!r}"


def _insert(connection: sqlite3.Connection, table: str, maker: random.Random) -> str:
    row = _row(connection, table, maker)
    for column in maker.sample([*row], min(len(row), maker.randint(1, 2))):
        row[column] = other_value(row[column], maker)
    verb = maker.choice(("INSERT", "INSERT OR REPLACE"))
    connection.execute(f"{verb} INTO {table} VALUES ({', '.join('?' * len(row))})", [*row.values()])
    return f"{table} with {row!r}"


def _swap(connection: sqlite3.Connection, table: str, maker: random.Random) -> str:
    one, other = _row(connection, table, maker), _row(connection, table, maker)
    column = maker.choice([*one])
    if one[column] == other[column]:
        raise sqlite3.DataError("the same value")
    for row, value in ((one, other[column]), (other, one[column])):
        connection.execute(
            f'UPDATE {table} SET "{column}" = ? WHERE {_where(row)}', (value, *row.values())
        )
    return f"{table}.{column} of {one!r} and {other!r} swapped"


_ROW_EDITS: tuple[Callable[[sqlite3.Connection, str, random.Random], str], ...] = (
    *(_change_value,) * 5,
    *(_delete, _insert, _swap),
)

_NEW = (
    "CREATE TABLE {name} (a, b)",
    "CREATE TABLE IF NOT EXISTS {name} (event_id TEXT PRIMARY KEY, title) WITHOUT ROWID",
    "CREATE VIEW {name} AS SELECT * FROM events",
    "CREATE INDEX {name} ON {table} ({column})",
    "CREATE UNIQUE INDEX {name} ON {table} ({column}) WHERE 0",
    "CREATE TRIGGER {name} AFTER {verb} ON {table} BEGIN DELETE FROM event_tags; END",
    "CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN 0 BEGIN SELECT 1; END",
    "ALTER TABLE {table} ADD COLUMN {name} TEXT",
    "ALTER TABLE {table} RENAME COLUMN {column} TO {name}",
    "ALTER TABLE {table} RENAME TO {name}",
    "DROP TABLE {table}",
)
_NAMES = (
    "json_each",
    "event",
    "mine",
    "sqlite_stat9",
    "LOG_2",
    "current_event",
    "Log_Never_Changes",
)


def _change_schema(path: Path, maker: random.Random) -> str:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        if maker.randrange(2):
            table = maker.choice([name for kind, name, *_ in made if kind == "table"])
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            sql = maker.choice(_NEW).format(
                name=maker.choice(_NAMES),
                table=maker.choice((table, table.upper(), table.title())),
                column=maker.choice(columns),
                verb=maker.choice(("INSERT", "UPDATE", "DELETE")),
            )
            connection.execute(sql)
            return sql
        kind, name, table, sql = maker.choice(made)
        changed, value = maker.choice(
            (
                *((("sql", _other_text(sql or "", maker)),) * 3),
                ("sql", (sql or "").replace("STRICT", "")),
                ("sql", (sql or "").replace("'", '"', 1)),
                *(("tbl_name", table.upper()), ("tbl_name", "log"), ("name", name.title())),
                *(("type", "view"), ("rootpage", maker.randrange(60)), ("", "")),
            )
        )
        connection.execute("PRAGMA writable_schema = ON")
        which = "WHERE type = ? AND name = ?"
        if changed:
            connection.execute(
                f"UPDATE sqlite_master SET {changed} = ? {which}", (value, kind, name)
            )
        else:
            connection.execute(f"DELETE FROM sqlite_master {which}", (kind, name))
        return f"sqlite_master, {kind} {name}, {changed or 'row'} = {value!r}"


_STATEMENTS = (
    "PRAGMA user_version = {number}",
    "PRAGMA application_id = {number}",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA auto_vacuum = 1; VACUUM",
    "PRAGMA auto_vacuum = 2; VACUUM",
    "PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM",
    "PRAGMA default_cache_size = {number}",
    "VACUUM",
    "REINDEX",
    "ANALYZE",
    "INSERT INTO event_search (event_search) VALUES ('optimize')",
    "INSERT INTO event_search (event_search, rank) VALUES ('merge', {number})",
    "INSERT INTO event_search (event_search, rank) VALUES ('pgsz', 64)",
    "INSERT INTO event_search (event_search, rank) VALUES ('automerge', 8)",
    "INSERT INTO event_search (event_search, rank) VALUES ('rank', 'bm25({number})')",
    "INSERT INTO event_search (event_search, rowid, title) VALUES ('delete', {number}, 'ships')",
    "INSERT INTO event_search (rowid, title) VALUES ({number}, 'ships')",
    "DELETE FROM event_search_docsize WHERE id = {number}",
)


def _run(path: Path, maker: random.Random) -> str:
    sql = maker.choice(_STATEMENTS).format(number=maker.randint(2, 40))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(sql)
    return sql
