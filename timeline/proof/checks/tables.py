"""Checks of tables: this folds the log once more and compares the tables with the result."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator
from typing import Any

from timeline.errors import ProjectionOutdated
from timeline.projection import tables
from timeline.proof.checks.report import OnProgress, Report, text_of

_Values = tuple[Any, ...]

_KEYS = {
    "events": ("event_key",),
    "event_search": ("rowid",),
    "projection_state": ("entry_version",),
}
"""Keys for tables without a primary key, or whose primary key is a bad order for reading."""


def check_tables(
    connection: sqlite3.Connection, report: Report, path: str, progress: OnProgress
) -> None:
    """Fold the log once more, into temporary tables, and compare the file's tables with them.

    Raises ProjectionOutdated if nothing else is wrong.
    """
    try:
        tables.check(connection, path)
    except ProjectionOutdated:
        if not report.findings:
            raise
        report.unnoticed.append("The tables are of another version and were not compared.")
        return
    try:
        tables.create_apart(connection)
        tables.fold_all(connection, functools.partial(progress, "tables"))
    except (LookupError, TypeError, ValueError, AttributeError, sqlite3.DatabaseError) as error:
        # No writer wrote this log, though its hashes may be right.
        report.add("tables", "all", "a log that can be folded", repr(error))
        return
    (report.texts_absent,) = connection.execute(
        "SELECT count(DISTINCT text_sha256) FROM temp.sources WHERE text_sha256 NOT IN"
        " (SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL)"
    ).fetchone()
    for table, kind in tables.tables().items():
        if kind == "TABLE":
            try:
                _compare_table(connection, report, table)
            except (sqlite3.DatabaseError, TypeError) as error:
                report.add(f"table {table}", "all", "a table that can be read", error)
    try:
        tables.check_search(connection)
    except sqlite3.DatabaseError as error:
        report.add("table event_search", "index", "an index of its words", error)


def _compare_table(connection: sqlite3.Connection, report: Report, table: str) -> None:
    """Compare a table with the folded one, row by row in the order of its key."""
    described = connection.execute("SELECT name, pk FROM pragma_table_info(?, 'temp')", (table,))
    columns = described.fetchall()
    keys = _KEYS.get(table) or tuple(name for name, place in columns if place)
    names = (*keys, *(name for name, _ in columns))
    connection.text_factory = bytes
    select = f"SELECT {', '.join(names)} FROM {{}}.{table} ORDER BY {', '.join(keys)}"  # noqa: S608
    expected, found = (iter(connection.execute(select.format(part))) for part in ("temp", "main"))
    for right, wrong in _differing(expected, found, len(keys)):
        either = right or wrong or ()
        where = ", ".join(
            f"{name} {_value_in_report(value)}" for name, value in zip(keys, either, strict=False)
        )
        if right is None or wrong is None:
            sides = ("a row", "no row") if right else ("no row", "a row")
            report.add(f"table {table}", where, *sides)
        else:
            for name, one, other in zip(names, right, wrong, strict=True):
                if one != other:
                    report.add(
                        f"table {table}",
                        f"{where}, {name}",
                        _value_in_report(one),
                        _value_in_report(other),
                    )
    connection.text_factory = str


def _differing(
    expected: Iterator[_Values], found: Iterator[_Values], width: int
) -> Iterator[tuple[_Values | None, _Values | None]]:
    """Yield the rows that differ in two tables, both sorted by their first `width` columns."""
    right, wrong = next(expected, None), next(found, None)
    while right is not None or wrong is not None:
        if right == wrong:
            right, wrong = next(expected, None), next(found, None)
        elif wrong is None or (right is not None and right[:width] < wrong[:width]):
            yield right, None
            right = next(expected, None)
        elif right is None or wrong[:width] < right[:width]:
            yield None, wrong
            wrong = next(found, None)
        else:
            yield right, wrong
            right, wrong = next(expected, None), next(found, None)


def _value_in_report(value: object) -> str:
    return (
        text_of(value) if isinstance(value, bytes) else "nothing" if value is None else str(value)
    )
