"""Search with the facet index: this finds the versions with given words, as of any moment.

Guarantees: it finds what SQLite's full text search finds in the tables as of that moment. The
stored search index has the words of today only; texts that were rewritten since are searched
in a table of their own, in memory.
"""

from __future__ import annotations

import contextlib
import sqlite3
from array import array
from collections.abc import Mapping

from pydantic_core import from_json
from pyroaring import BitMap

from timeline.projection import fold, tables
from timeline.projection.projector import INSERT_SEARCH
from timeline.reading import deadline
from timeline.reading.as_of import AsOf
from timeline.reading.facet_index import FacetIndex, contents, in_arrays

_LONGEST_ARRAY = 1_000_000_000
"""Bytes of a JSON array with every event found: the most that SQLite allows by default."""

_SEARCHES = 32
"""Searches, the last ones, whose results are kept with an index."""


def found(connection: sqlite3.Connection, index: FacetIndex, words: str, point: AsOf) -> BitMap:
    """Return the versions current at a point on both clocks that match an FTS5 query.

    Some versions that were not current then may be among them: intersect with `index.alive(point)`.
    """
    point = index.within(point)

    def search() -> BitMap:
        seqs = _found_now(connection, index, words)
        if changed := index.alive(point) - index.alive():
            seqs |= _found_before(connection, index, words, changed, seqs)
        return seqs

    return index.lately("found", _SEARCHES, (words, point), search)


def _found_now(connection: sqlite3.Connection, index: FacetIndex, words: str) -> BitMap:
    """Return the versions of today that match."""
    event_keys = _matching(connection, words)
    seqs = event_keys & index.alive()
    if changed := event_keys - seqs:
        newest = index.once("newest", lambda: _newest(index))
        seqs |= BitMap(array("I", map(newest.__getitem__, changed)))
    return seqs


def _matching(connection: sqlite3.Connection, words: str) -> BitMap:
    """Return the `event_key` of every event that matches: the seq of its first version.

    One array of them all is the quickest way to read them, so the limit on the length of a text
    is lifted for it.
    """
    limit = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_ARRAY)
    try:
        (matching,) = connection.execute(
            "SELECT json_group_array(rowid) FROM event_search WHERE event_search MATCH ?",
            (words,),
        ).fetchone()
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limit)
    return BitMap(from_json(matching))


def _newest(index: FacetIndex) -> array[int]:
    """Return an array that leads from the first version of a changed event to its newest one."""
    newest = array("I", bytes(4 * (index.seq + 1)))
    for event_key, seq in zip(index.event_keys, index.later, strict=True):
        newest[event_key] = seq
    return newest


_WITH_THE_WORDS_OF_TODAY = (
    "SELECT v.seq, e.seq FROM json_each(?) AS wanted"
    " CROSS JOIN entry_versions AS v ON v.seq = wanted.value"
    " CROSS JOIN events AS e ON e.event_id = v.event_id"
    " WHERE NOT EXISTS (SELECT 1 FROM field_changes AS f"
    "   WHERE f.event_id = v.event_id AND f.version > v.version"
    "   AND substr(f.path || '/', 1, instr(substr(f.path || '/', 2), '/') + 1)"
    "     IN ('/title/', '/summary/', '/citations/', '/participants/', '/place/', '/about_place/'))"
    " AND NOT EXISTS (SELECT 1 FROM event_versions AS x"
    "   WHERE x.event_id = v.event_id AND x.version >= v.version AND x.state = 'erased')"
)
"""Versions, each with the one of today of its event, if both have the same words: no field that
`fold.search_row` reads was changed in between. Of erased events nothing can be said."""


def _found_before(
    connection: sqlite3.Connection, index: FacetIndex, words: str, changed: BitMap, now: BitMap
) -> BitMap:
    """Return those of the superseded versions `changed` that match; `now` are today's matches.

    A version whose words did not change since matches if today's does. All others are searched
    in a table that is made for them, since no stored index has their words any more.
    """
    alike = [
        pair
        for seqs in in_arrays(changed)
        for pair in connection.execute(_WITH_THE_WORDS_OF_TODAY, (seqs,))
    ]
    rewritten = changed - BitMap([seq for seq, _ in alike])
    names = index.labels(connection, "actor")
    with contextlib.closing(sqlite3.connect(":memory:")) as past:
        deadline.join(past)
        tables.create_search(past)
        past.executemany(
            INSERT_SEARCH,
            (
                (seq, *fold.search_row(content, _actors(index, content, names)))
                for seq, _, content in contents(connection, rewritten)
                if content is not None
            ),
        )
        matching = past.execute(
            "SELECT rowid FROM event_search WHERE event_search MATCH ?", (words,)
        )
        return BitMap([seq for (seq,) in matching] + [seq for seq, last in alike if last in now])


def _actors(index: FacetIndex, content: fold.StoredContent, names: Mapping[str, str]) -> str | None:
    """Return the names of today of an event's actors."""
    participants = [
        (each.get("actor_id"), each["name"]) for each in content.get("participants", ())
    ]
    return fold.joined_names(names.get(index.actor_ids[each], each[1]) for each in participants)
