"""Checks of the index that is searched: this indexes the words once more and compares.

Guarantees: a search finds each word where an index that is made of the log has it, and nowhere
else. The check in FTS5 does not guarantee that: it compares a XOR of weak hashes, in which equal
changes cancel each other out.
"""

from __future__ import annotations

import sqlite3

from timeline.projection import tables
from timeline.proof.checks.report import Report
from timeline.proof.checks.rows import compare_rows

_TABLE = "table event_search"
_PARTS = ("data", "idx", "content", "docsize", "config")

_PLACE = "(place.doc << 32) + (place.offset << 7) + unicode(place.col)"
"""A place of a word as one number: the columns have different first letters, in 7 bits."""

_MADE = f"SELECT term, group_concat({_PLACE}) FROM temp.made_places AS place GROUP BY term"  # noqa: S608

_FOUND = (
    f"SELECT word.term, group_concat({_PLACE}) FROM temp.found_words AS word"  # noqa: S608
    " CROSS JOIN temp.found_places AS place WHERE place.term = word.term GROUP BY word.term"
)
"""The words of the file's index by a scan of it, and the places of each word by a search for it."""

_CONFIGURATION = "SELECT k, typeof(k), v, typeof(v) FROM {0}_config ORDER BY k"


def check_search(connection: sqlite3.Connection, report: Report) -> None:
    """Compare the index of `event_search` with one of the words in the folded table."""
    tables.create_search(connection, "temp.search_anew")
    columns = "rowid, title, summary, quotes, actors, places, folded"
    connection.execute(
        f"INSERT INTO temp.search_anew ({columns}) SELECT {columns} FROM temp.event_search"  # noqa: S608
    )
    connection.text_factory = bytes
    try:
        _compare_words(connection, report)
        names = ("configuration", "typeof(k)", "v", "typeof(v)")
        made, found = (
            connection.execute(_CONFIGURATION.format(table))
            for table in ("temp.search_anew", "main.event_search")
        )
        compare_rows(report, _TABLE, names, 1, made, found)
        _check_form(connection)
    except (sqlite3.DatabaseError, TypeError) as error:  # a key of another type has no order
        report.add(_TABLE, "index", "an index of its words", error)
    connection.text_factory = str


def _compare_words(connection: sqlite3.Connection, report: Report) -> None:
    for name, index, kind in (
        ("made_places", "temp, search_anew", "instance"),
        ("found_words", "main, event_search", "row"),
        ("found_places", "main, event_search", "instance"),
    ):
        connection.execute(f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab({index}, {kind})")
    made, found = connection.execute(_MADE), connection.execute(_FOUND)
    compare_rows(report, _TABLE, ("index, word", "places"), 1, made, found)


def _check_form(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless all parts of the index fit together.

    FTS5 checks only an index that it may write to, so a temporary copy is checked.
    """
    tables.create_search(connection, "temp.search_copy")
    for part in _PARTS:
        copy = f"temp.search_copy_{part}"
        connection.execute(f"DELETE FROM {copy}")  # noqa: S608
        connection.execute(f"INSERT INTO {copy} SELECT * FROM main.event_search_{part}")  # noqa: S608
    connection.execute("INSERT INTO temp.search_copy (search_copy) VALUES ('integrity-check')")
