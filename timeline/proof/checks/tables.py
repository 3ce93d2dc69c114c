"""Checks of tables: this folds the log once more and compares the tables with the result."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence

from timeline.errors import ProjectionOutdated
from timeline.projection import tables
from timeline.proof.checks.report import OnProgress, Report
from timeline.proof.checks.rows import compare_rows
from timeline.proof.checks.search import check_search

_KEYS = {
    "events": ("event_key",),
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
        tables.check_rules(connection, path)
    except ProjectionOutdated as outdated:
        if not report.findings:
            raise
        report.unnoticed.append(f"The tables were not compared: {outdated.problem}.")
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
    (report.media_absent,) = connection.execute(
        "SELECT count(DISTINCT sha256) FROM temp.event_media WHERE sha256 NOT IN"
        " (SELECT sha256 FROM media_files UNION ALL SELECT 'sha256:' || substr(subject, 7) FROM log"
        "   WHERE kind = 'media.erased')"
    ).fetchone()
    for table, kind in tables.tables().items():
        if kind == "TABLE" and table != "event_search":
            try:
                _compare_table(connection, report, table)
            except (sqlite3.DatabaseError, TypeError) as error:
                report.add(f"table {table}", "all", "a table that can be read", error)
    check_search(connection, report)


def _compare_table(connection: sqlite3.Connection, report: Report, table: str) -> None:
    """Compare a table with the folded one, row by row in the order of its key."""
    described = connection.execute(
        "SELECT name, type, pk FROM pragma_table_info(?, 'temp')", (table,)
    ).fetchall()
    keys = _KEYS.get(table) or tuple(name for name, _, place in described if place)
    columns = [name for name, *_ in described]
    # In a column of any type, 3 and 3.0 are two values, and so are a text and its bytes.
    untyped = [name for name, kind, _ in described if kind in ("", "ANY")]
    if _is_same(connection, table, keys, columns, untyped):
        return
    names = (*keys, *columns, *(f"typeof({name})" for name in columns))
    connection.text_factory = bytes
    select = f"SELECT {', '.join(names)} FROM {{}}.{table} ORDER BY {', '.join(keys)}"  # noqa: S608
    expected, found = (iter(connection.execute(select.format(part))) for part in ("temp", "main"))
    compare_rows(report, f"table {table}", names, len(keys), expected, found)
    connection.text_factory = str


def _is_same(
    connection: sqlite3.Connection,
    table: str,
    keys: Sequence[str],
    columns: Sequence[str],
    untyped: Sequence[str],
) -> bool:
    """Return whether both tables have the same rows; SQLite compares twice as fast as Python."""
    same = " AND ".join(
        (
            *(f"made.{key} = found.{key}" for key in keys),
            *(f"made.{column} IS found.{column}" for column in columns),
            *(f"typeof(made.{column}) = typeof(found.{column})" for column in untyped),
        )
    )
    counts = connection.execute(
        f"SELECT (SELECT count(*) FROM temp.{table} AS made CROSS JOIN main.{table} AS found"  # noqa: S608
        f" WHERE {same}), (SELECT count(*) FROM temp.{table}), (SELECT count(*) FROM main.{table})"
    ).fetchone()
    return len(set(counts)) == 1
