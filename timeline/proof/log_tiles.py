"""Cut the tiles and the files of entries of a log out of its tables.

Guarantees: each is made of stored rows only, and of as many as are in it. A file of entries is cut
at the size that it is made for; it has the words, so an erasure changes it. No tile has a word.

Knows the log and its tree, no other table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

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
    found = _entries(connection, start, min(start + WIDTH, size))
    return "".join(f"{codec.to_wire(entry)}\n" for entry in found).encode()


def _entries(connection: sqlite3.Connection, start: int, end: int) -> Iterator[Entry]:
    return log.read_some(connection, range(start, end))
