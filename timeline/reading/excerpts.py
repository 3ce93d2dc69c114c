"""Excerpts are the words around what a search found.

Guarantees: this takes no longer than reading the texts, however often a word occurs in them.
The time that snippet() and highlight() of SQLite take grows with the square of the number of
words found, which a malicious text can drive to hours. So they are asked about short pieces of
a text, and only about its beginning.

The index has folded words and no texts, so the pieces are folded too. What is marked in their
words is then marked in the texts themselves.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from timeline.model import search_words
from timeline.projection import tables
from timeline.reading import deadline
from timeline.reading.filters import fts_phrases

_LONGEST = 20_000
"""Characters at the beginning of a text that are searched for an excerpt."""
_PIECE = 2_000
"""Characters in a piece of a text."""
_MOST_PIECES = _LONGEST // _PIECE
_MARKED = re.compile("\x02([^\x02\x03]+)\x03")
_WORDS_BEFORE, _WORDS_BEHIND = 6, 10
_NEAR = 120
"""Characters shown on either side of a mark, at most, since a word may be long."""

_QUOTES = (
    "SELECT group_concat(quote, char(10)) FROM (SELECT quote FROM citations"
    " WHERE event_id = e.event_id GROUP BY quote ORDER BY min(position))"
)
_ACTORS = (
    "SELECT group_concat(name, char(10)) FROM (SELECT replace(e.actors, '; ', char(10)) AS name"
    " UNION ALL SELECT name FROM event_actors WHERE event_id = e.event_id"
    " UNION ALL SELECT as_named FROM event_actors WHERE event_id = e.event_id)"
)
_PLACES = (
    "SELECT group_concat(name, char(10)) FROM (SELECT e.place AS name UNION ALL SELECT e.admin1"
    " UNION ALL SELECT e.about_place UNION ALL SELECT e.about_admin1)"
)
_TEXTS = {
    "title": "e.title",
    "summary": "e.summary",
    "quotes": f"({_QUOTES})",
    "actors": f"({_ACTORS})",
    "places": f"({_PLACES})",
}
"""The texts whose words the columns of `event_search` have, as SQL on events AS e."""


def excerpts(
    connection: sqlite3.Connection, event_keys: Iterable[int], text: str
) -> dict[int, str]:
    """Return the words around what was found in each of these events, by key.

    The words found are between U+0002 and U+0003. An event is left out if they occur only
    after the first 20,000 characters of a text.
    """
    texts = _texts(connection, [*event_keys])
    phrases = fts_phrases(text)
    wanted = " OR ".join(phrases)
    with contextlib.closing(sqlite3.connect(":memory:")) as pieces:
        deadline.join(pieces)
        tables.create_search(pieces, keeps_words=True)
        pieces.executemany(
            f"INSERT INTO event_search (rowid, {', '.join(_TEXTS)})"  # noqa: S608
            f" VALUES ({', '.join('?' * (len(_TEXTS) + 1))})",
            _words(texts),
        )
        best: dict[int, int] = {}
        for (piece,) in pieces.execute(
            "SELECT rowid FROM event_search WHERE event_search MATCH ? ORDER BY rank", (wanted,)
        ):
            best.setdefault(piece // _MOST_PIECES, piece)
        marked = ", ".join(
            f"highlight(event_search, {column}, char(2), char(3))" for column in range(len(_TEXTS))
        )
        find = f"SELECT {marked} FROM event_search WHERE event_search MATCH ? AND rowid = ?"  # noqa: S608
        found: dict[int, str] = {}
        for key, piece in best.items():
            number = piece % _MOST_PIECES
            words = pieces.execute(find, (wanted, piece)).fetchone()
            in_texts = map(partial(_marked, phrases), _cut(texts[key], number), words)
            found[key] = _most_telling(in_texts, follows=number > 0)
        return found


def _texts(connection: sqlite3.Connection, event_keys: Sequence[int]) -> dict[int, list[str]]:
    """Return the beginnings of the texts of each event, by key; a name and a place only once."""
    beginnings = ", ".join(f"substr({text}, 1, {_LONGEST})" for text in _TEXTS.values())
    rows = connection.execute(
        f"SELECT e.event_key, {beginnings} FROM events AS e"  # noqa: S608
        f" WHERE e.event_key IN ({', '.join('?' * len(event_keys))})",
        event_keys,
    )
    found = {}
    for key, *columns in rows:
        title, summary, quotes, actors, places = map(_without_marks, columns)
        found[key] = [title, summary, quotes, _each_line_once(actors), _each_line_once(places)]
    return found


def _without_marks(text: str | None) -> str:
    return (text or "").replace("\x02", " ").replace("\x03", " ")


def _each_line_once(text: str) -> str:
    return "\n".join(dict.fromkeys(text.split("\n")))


def _words(texts: Mapping[int, Sequence[str]]) -> Iterator[tuple[object, ...]]:
    """Yield the words of each piece of the texts, under a key of its own."""
    for key, whole in texts.items():
        for number in range(_MOST_PIECES):
            cut = _cut(whole, number)
            if any(cut):
                yield key * _MOST_PIECES + number, *map(search_words.words, cut)


def _cut(texts: Iterable[str], number: int) -> list[str]:
    """Return the piece with this number of each text; it may be empty."""
    return [text[number * _PIECE : (number + 1) * _PIECE] for text in texts]


def _marked(phrases: Sequence[str], text: str, words: str) -> str:
    """Return a text with marks around what is marked in its words."""
    if "\x02" not in words:
        return text
    places = search_words.words_with_places(text)
    spans: list[tuple[int, int]] = []
    for number, match in enumerate(_MARKED.finditer(words)):
        start = match.start() - 2 * number
        end = start + len(match[1]) - search_words.is_found_by_half(match[1], phrases)
        first, behind = places.starts[start], places.ends[end - 1]
        if spans and first <= spans[-1][1]:
            first, behind = spans[-1][0], max(behind, spans.pop()[1])
        spans.append((first, behind))
    parts: list[str] = []
    done = 0
    for first, behind in spans:
        parts += (text[done:first], "\x02", text[first:behind], "\x03")
        done = behind
    return "".join((*parts, text[done:]))


def _most_telling(texts: Iterable[str], *, follows: bool) -> str:
    """Return the words around the first mark, from the text that shows most of the words found."""
    found = [_around(text, follows=follows) for text in texts if "\x02" in text]
    return max(found, key=lambda words: len({*_MARKED.findall(words.lower())}))


def _around(text: str, *, follows: bool) -> str:
    at = text.index("\x02")
    before = " ".join(text[max(at - _NEAR, 0) : at].split(" ")[-_WORDS_BEFORE:])
    behind = " ".join(text[at : at + _NEAR].split(" ")[:_WORDS_BEHIND])
    start = "... " if follows or len(before) < at else ""
    end = " ..." if at + len(behind) < len(text) else ""
    unclosed = "\x03" if behind.rfind("\x02") > behind.rfind("\x03") else ""
    return f"{start}{before}{behind}{unclosed}{end}"
