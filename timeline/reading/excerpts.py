"""Excerpts are the words around what a search found.

Guarantees: this takes no longer than reading the texts, however often a word occurs in them.
The time that snippet() and highlight() of SQLite take grows with the square of the number of
words found, which a malicious text can drive to hours. So they are asked about short pieces of
a text, and only about its beginning.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator

from timeline.reading import deadline
from timeline.reading.filters import fts_phrases

_COLUMNS = ("title", "summary", "quotes", "actors", "places", "folded")
_LONGEST = 20_000
"""Characters at the beginning of a text that are searched for an excerpt."""
_PIECE = 2_000
"""Characters in a piece of a text."""
_MOST_PIECES = _LONGEST // _PIECE
_FOUND = re.compile("\x02([^\x02\x03]+)\x03")
_WORDS_BEFORE, _WORDS_BEHIND = 6, 10
_NEAR = 120
"""Characters shown on either side of a mark, at most, since a word may be long."""


def excerpts(
    connection: sqlite3.Connection, event_keys: Iterable[int], text: str
) -> dict[int, str]:
    """Return the words around what was found in each of these events, by key.

    The words found are between U+0002 and U+0003. An event is left out if they occur only
    after the first 20,000 characters of a text.
    """
    keys = [*event_keys]
    beginnings = ", ".join(f"substr({column}, 1, {_LONGEST})" for column in _COLUMNS)
    texts = connection.execute(
        f"SELECT rowid, {beginnings} FROM event_search"  # noqa: S608
        f" WHERE rowid IN ({', '.join('?' * len(keys))})",
        keys,
    )
    (table,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'event_search'"
    ).fetchone()
    wanted = " OR ".join(fts_phrases(text))
    with contextlib.closing(sqlite3.connect(":memory:")) as pieces:
        deadline.join(pieces)
        pieces.execute(table)
        pieces.executemany(
            f"INSERT INTO event_search (rowid, {', '.join(_COLUMNS)})"  # noqa: S608
            f" VALUES ({', '.join('?' * (len(_COLUMNS) + 1))})",
            _pieces(texts),
        )
        best: dict[int, int] = {}
        for (piece,) in pieces.execute(
            "SELECT rowid FROM event_search WHERE event_search MATCH ? ORDER BY rank", (wanted,)
        ):
            best.setdefault(piece // _MOST_PIECES, piece)
        marked = ", ".join(
            f"highlight(event_search, {column}, char(2), char(3))"
            for column in range(len(_COLUMNS))
        )
        find = f"SELECT {marked} FROM event_search WHERE event_search MATCH ? AND rowid = ?"  # noqa: S608
        return {
            key: _most_telling(
                pieces.execute(find, (wanted, piece)).fetchone(), follows=piece % _MOST_PIECES > 0
            )
            for key, piece in best.items()
        }


def _pieces(rows: Iterable[tuple[int, *tuple[str | None, ...]]]) -> Iterator[tuple[object, ...]]:
    """Cut the texts of each row to pieces: yield the first pieces of all texts, then the second."""
    for key, *texts in rows:
        for number in range(_MOST_PIECES):
            start = number * _PIECE
            cut = [text[start : start + _PIECE] if text else "" for text in texts]
            if any(cut):
                yield key * _MOST_PIECES + number, *cut


def _most_telling(texts: Iterable[str], *, follows: bool) -> str:
    """Return the words around the first mark, from the text that shows most of the words found."""
    found = [_around(text, follows=follows) for text in texts if "\x02" in text]
    return max(found, key=lambda words: len({*_FOUND.findall(words.lower())}))


def _around(text: str, *, follows: bool) -> str:
    at = text.index("\x02")
    before = " ".join(text[max(at - _NEAR, 0) : at].split(" ")[-_WORDS_BEFORE:])
    behind = " ".join(text[at : at + _NEAR].split(" ")[:_WORDS_BEHIND])
    start = "... " if follows or len(before) < at else ""
    end = " ..." if at + len(behind) < len(text) else ""
    unclosed = "\x03" if behind.rfind("\x02") > behind.rfind("\x03") else ""
    return f"{start}{before}{behind}{unclosed}{end}"
