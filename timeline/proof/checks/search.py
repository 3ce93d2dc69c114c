"""Checks of the index that is searched: this indexes the words once more and compares.

Guarantees: a search finds each word, and each beginning of a word, where an index that is made of
the log has it, and nowhere else. The check in FTS5 does not guarantee that: it compares a XOR of
weak hashes, in which equal changes cancel each other out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby, zip_longest
from operator import itemgetter

from timeline.projection import tables
from timeline.proof.checks.report import Report
from timeline.proof.checks.rows import compare_rows

_TABLE = "table event_search"
_PARTS = ("data", "idx", "docsize", "config")

_PLACE = "(place.doc << 32) + (place.offset << 7) + unicode(place.col)"
"""A place of a word as one number: the columns have different first letters, in 7 bits."""

_WORDS = f"SELECT term, group_concat({_PLACE}) FROM temp.{{}}_places AS place GROUP BY term"  # noqa: S608
_COUNTS = "SELECT term, doc, cnt FROM temp.{}_counts"
"""In how many events each word stands, and how often.

A damaged mark that an event lost a word can add an event with no place of the word to a search, or
hide others from it: it counts as an event here.
"""
_PAGES = (
    "SELECT id >> 37, id & 0x7FFFFFFF, block FROM main.event_search_data"
    " WHERE id > 10 AND NOT id & 0x1000000000 ORDER BY id"
)
"""The pages of words: segment, number in it, and bytes (the other pages help to skip events)."""
_CHOSEN = (
    "SELECT pgno >> 1 FROM main.event_search_idx"
    " WHERE segid = ? AND term <= ? ORDER BY term DESC LIMIT 1"
)
"""The page of a segment on which FTS5 looks for a word."""

_CONFIGURATION = "SELECT k, typeof(k), v, typeof(v) FROM {0}_config ORDER BY k"
_LENGTHS = "SELECT id, sz, typeof(sz) FROM {0}_docsize ORDER BY id"
_TOTALS = "SELECT 'all', rtrim(hex(block), '0'), typeof(block) FROM {0}_data WHERE id = 1"
"""How many words each event has, and all have, by column: the best match is found with these."""


def check_search(connection: sqlite3.Connection, report: Report) -> None:
    """Compare the index of `event_search` with that of the folded table."""
    connection.text_factory = bytes
    before = len(report.findings)
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
        if len(report.findings) == before:
            _compare_beginnings(connection, report)
    except (sqlite3.DatabaseError, TypeError) as error:  # a key of another type has no order
        report.add(_TABLE, "index", "an index of its words", error)
    connection.text_factory = str


def _compare_words(connection: sqlite3.Connection, report: Report) -> None:
    """Compare the places of all words, as they are read one after the other."""
    for name, part in (("made", "temp"), ("found", "main")):
        for what, kind in (("places", "instance"), ("counts", "row")):
            connection.execute(
                f"CREATE VIRTUAL TABLE temp.{name}_{what}"
                f" USING fts5vocab({part}, event_search, {kind})"
            )
    for sql, names in (
        (_WORDS, ("index, word", "places")),
        (_COUNTS, ("index, word", "events", "count")),
    ):
        made, found = (connection.execute(sql.format(name)) for name in ("made", "found"))
        compare_rows(report, _TABLE, names, 1, made, found)


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
    for segment, pages in groupby(connection.execute(_PAGES), itemgetter(0)):
        _check_pages(connection, segment, ((number, page) for _, number, page in pages))


def _check_pages(
    connection: sqlite3.Connection, segment: int, pages: Iterator[tuple[int, bytes]]
) -> None:
    """Raise sqlite3.DatabaseError unless FTS5 finds each word of a segment on the page that has it.

    A row of table `event_search_idx` with a wrong word leads past the words before a page. Without
    its row, or with a later word, the words of a page cannot be found one by one.
    """
    first, last = 0, b""
    for number, page in pages:
        first = first or number
        if words := [*_words(page)]:
            chosen = [
                connection.execute(_CHOSEN, (segment, word)).fetchone() or (first,)
                for word in (words[0], words[-1])
            ]
            if words[0] <= last or any(max(*each, first) != number for each in chosen):
                raise sqlite3.DatabaseError("a search does not find its words")
            last = words[-1]


def _words(page: bytes) -> Iterator[bytes]:
    """Yield the words that begin on a page of the index, each with a letter before it.

    The format is that of fts5_index.c: the end of a page lists where its words begin, and a word
    leaves out all that it has in common with the word before it. FTS5 relies on "all".
    """
    listed, place, word = int.from_bytes(page[2:4]), 0, b""
    while listed < len(page):
        distance, listed = _varint(page, listed)
        place += distance
        kept, start = _varint(page, place) if word else (0, place)
        length, start = _varint(page, start)
        rest = page[start : start + length]
        if word[kept : kept + 1] >= rest[:1]:
            raise sqlite3.DatabaseError("a word is not in its place")
        word = word[:kept] + rest
        yield word


def _varint(page: bytes, place: int) -> tuple[int, int]:
    """Return a number in SQLite's variable length, and the place after it."""
    number = 0
    while place < len(page):
        number = number << 7 | page[place] & 0x7F
        place += 1
        if page[place - 1] < 0x80:
            break
    return number, place


def _compare_beginnings(connection: sqlite3.Connection, report: Report) -> None:
    """Compare all pages of both indexes, with the beginnings of words, which no SQL can read."""
    made, found = (_merged(connection, name) for name in ("event_search", "search_copy"))
    if any(one != other for one, other in zip_longest(made, found)):
        report.add(_TABLE, "index", "the beginnings of its words", "others")


def _merged(connection: sqlite3.Connection, index: str) -> sqlite3.Cursor:
    """Merge the segments of a temporary index, and return the pages: the same words make the same.

    FTS5 leaves a segment as it is if it is the only one. So there is one more, of a word that comes
    and goes.
    """
    for columns, values in (("", ""), (f"{index}, ", "'delete', ")):
        connection.execute(
            f"INSERT INTO temp.{index} ({columns}rowid, title) VALUES ({values}-1, 'a')"  # noqa: S608
        )
    connection.execute(f"INSERT INTO temp.{index} ({index}) VALUES ('optimize')")  # noqa: S608
    return connection.execute(
        f"SELECT id & 0x1FFFFFFFFF, block FROM temp.{index}_data WHERE id > 10 ORDER BY id"  # noqa: S608
    )
