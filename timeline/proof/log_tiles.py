"""Cut the tiles and the files of entries of a log out of its tables.

Guarantees: each is made of stored rows only, and of as many as are in it. A file of entries is cut
at the size that it is made for; it has the words, so an erasure changes it. No tile has a word.

Knows the log and its tree, no other table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from timeline.proof.tiles import ENTRIES, WIDTH, Tile, pack_entries
from timeline.store import codec, log
from timeline.store.codec import Entry


def tile_of(connection: sqlite3.Connection, tile: Tile) -> bytes:
    """Return the bytes of a tile or bundle. Raises ProofError if the log does not have it all."""
    if tile.level == ENTRIES:
        end = tile.start + tile.width
        envelopes = (entry.envelope.encode() for entry in _entries(connection, tile.start, end))
        return pack_entries(envelopes)
    return log.hashes(connection, 8 * tile.level, tile.start, tile.width)


def entry_lines(connection: sqlite3.Connection, number: int, size: int) -> bytes:
    """Return the entries of bundle `number` of a log of `size` entries, as `export jsonl` does."""
    start = number * WIDTH
    return _lines(_entries(connection, start, min(start + WIDTH, size)))


def ends(connection: sqlite3.Connection, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield how each full bundle of a log of `size` entries ends, and how its file of entries does.

    Both are made of the last entry in them.
    """
    for last in log.read_some(connection, range(WIDTH - 1, size, WIDTH)):
        yield pack_entries([last.envelope.encode()]), _lines([last])


def bundles_erased_since(connection: sqlite3.Connection, size: int) -> frozenset[int]:
    """Return the bundles of which entry `size`, or one after it, erased an entry."""
    rows = connection.execute(
        "SELECT DISTINCT erased.seq / ? FROM log AS erasing"
        " JOIN log AS erased ON erased.id = substr(erasing.subject, length('entry/') + 1)"
        " WHERE erasing.kind = 'entry.erased' AND erasing.seq >= ?",
        (WIDTH, size),
    )
    return frozenset(number for (number,) in rows)


def _entries(connection: sqlite3.Connection, start: int, end: int) -> Iterator[Entry]:
    return log.read_some(connection, range(start, end))


def _lines(entries: Iterable[Entry]) -> bytes:
    return "".join(f"{codec.to_wire(entry)}\n" for entry in entries).encode()
