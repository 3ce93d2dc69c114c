"""Checks of the index that is searched: this indexes the words once more and compares.

Guarantees: a search finds each word where an index that is made of the log has it, and nowhere
else. The check in FTS5 does not guarantee that: it compares a XOR of weak hashes, in which equal
changes cancel each other out.
"""

from __future__ import annotations

import sqlite3
from itertools import chain, pairwise

from timeline.projection import tables
from timeline.proof.checks.report import Report
from timeline.proof.checks.rows import compare_rows

_TABLE = "table event_search"
_PARTS = ("data", "idx", "docsize", "config")

_PLACE = "(place.doc << 32) + (place.offset << 7) + unicode(place.col)"
"""A place of a word as one number: the columns have different first letters, in 7 bits."""

_WORDS = (
    f"SELECT term, group_concat({_PLACE}) FROM temp.{{}}_places AS place"  # noqa: S608
    " WHERE term >= CAST(? AS TEXT) AND term < CAST(? AS TEXT) GROUP BY term"
)
_WORD = (
    f"SELECT term, group_concat({_PLACE}) FROM temp.{{}}_places AS place"  # noqa: S608
    " WHERE term = CAST(? AS TEXT) GROUP BY term"
)
_COUNTS = "SELECT term, doc, cnt FROM temp.{}_counts"
"""In how many events each word stands, and how often.

A damaged mark that an event lost a word can add an event with no place of the word to a search, or
hide others from it: it counts as an event here.
"""
_END = b"\xff"
"""A text after every word: no UTF-8 has this byte."""

_CONFIGURATION = "SELECT k, typeof(k), v, typeof(v) FROM {0}_config ORDER BY k"
_LENGTHS = "SELECT id, sz, typeof(sz) FROM {0}_docsize ORDER BY id"
_TOTALS = "SELECT 'all', rtrim(hex(block), '0'), typeof(block) FROM {0}_data WHERE id = 1"
"""How many words each event has, and all have, by column: the best match is found with these."""


def check_search(connection: sqlite3.Connection, report: Report) -> None:
    """Compare the index of `event_search` with that of the folded table."""
    connection.text_factory = bytes
    try:
        _compare_words(connection, report)
        for sql, names in (
            (_CONFIGURATION, ("configuration", "typeof(k)", "v", "typeof(v)")),
            (_LENGTHS, ("rowid", "numbers of words", "typeof(sz)")),
            (_TOTALS, ("rowid", "numbers of words", "typeof(block)")),
        ):
            made, found = (
                connection.execute(sql.format(f"{part}.event_search")) for part in ("temp", "main")
            )
            compare_rows(report, _TABLE, names, 1, made, found)
        _check_form(connection)
    except (sqlite3.DatabaseError, TypeError) as error:  # a key of another type has no order
        report.add(_TABLE, "index", "an index of its words", error)
    connection.text_factory = str


def _compare_words(connection: sqlite3.Connection, report: Report) -> None:
    """Compare the places of all words, and search for words wherever a search may go wrong.

    To search is to choose a page of each segment of the index by table `event_search_idx`. A row
    with a wrong word hides words before a page from a search that begins there. Without its row,
    or with a later word, the words of a page cannot be found one by one.
    """
    for name, part in (("made", "temp"), ("found", "main")):
        for what, kind in (("places", "instance"), ("counts", "row")):
            connection.execute(
                f"CREATE VIRTUAL TABLE temp.{name}_{what}"
                f" USING fts5vocab({part}, event_search, {kind})"
            )
    begins = connection.execute("SELECT substr(term, 2) FROM main.event_search_idx")
    bounds = sorted({b"", _END, *(begin or b"" for (begin,) in begins)})
    ranges = (connection.execute(_WORDS.format("found"), pair) for pair in pairwise(bounds))
    made = connection.execute(_WORDS.format("made"), (b"", _END))
    names = ("index, word", "places")
    compare_rows(report, _TABLE, names, 1, made, chain.from_iterable(ranges))
    made, found = (connection.execute(_COUNTS.format(name)) for name in ("made", "found"))
    compare_rows(report, _TABLE, ("index, word", "events", "count"), 1, made, found)
    for word in sorted(_first_words(connection)):
        made, found = (
            connection.execute(_WORD.format(name), (word,)) for name in ("made", "found")
        )
        compare_rows(report, _TABLE, names, 1, made, found)


def _first_words(connection: sqlite3.Connection) -> set[bytes]:
    """Return the first word of each page of the file's index; bytes that are no word do no harm.

    The format is that of fts5_index.c: the end of a page lists where its words begin.
    """
    words = set()
    for (page,) in connection.execute("SELECT block FROM main.event_search_data WHERE id > 10"):
        if (listed := int.from_bytes(page[2:4])) < len(page):
            place, _ = _varint(page, listed)
            length, start = _varint(page, place)
            words.add(page[start + 1 : start + length])
    return words


def _varint(page: bytes, place: int) -> tuple[int, int]:
    """Return a number in SQLite's variable length, and the place after it."""
    number = 0
    while place < len(page):
        number = number << 7 | page[place] & 0x7F
        place += 1
        if page[place - 1] < 0x80:
            break
    return number, place


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
