"""Put a signed log into its site as files, which a mirror, a monitor or a witness reads.

They are tiles and bundles (c2sp.org/tlog-tiles), the entries with their words, and the checkpoint.

Guarantees: a folder that shows a newer or another history is refused before anything is made. The
checkpoint takes its place after all that it leads to, and no tile goes before a checkpoint that is
newer than it. The same log gives the same bytes. Words are under `entries/` only, so no tile and no
bundle ever changes; there is none of entries that are not signed.

A file of the tree that is published already is made again only if it does not end as it must: it
was cut off, or is of another history.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from timeline.proof import checkpoints, log_tiles, published
from timeline.proof.published import CHECKPOINT
from timeline.proof.tiles import (
    ENTRIES,
    HASH_SIZE,
    WIDTH,
    Tile,
    entries_path,
    full_tiles,
    partial_tiles_of,
)
from timeline.proof.witness_list import policy_text
from timeline.publish.site_files import SiteFiles

POLICY = "tlog-policy"
_WITHOUT_WORDS = (CHECKPOINT, POLICY, "tile/", "entries/")
"""Beginnings of the names of files that are no pages."""


def published_size(connection: sqlite3.Connection, folder: Path) -> int:
    """Return the size of the log that a folder publishes; 0 if it publishes none.

    Raises WouldGoBack if the log does not go on from there, or is not signed as far.
    """
    place, so = str(folder), "Nothing was written."
    seen = published.published_checkpoint(place)
    if seen is None:
        return 0
    published.check_goes_on(connection, seen, place, so)
    newest = checkpoints.newest(connection)
    signed = newest.size if newest else 0
    if seen.size > signed:
        raise published.is_behind(seen, place, f"{signed:,} signed", so)
    return seen.size


class LogFiles:
    """The files of a log in its site, which are put beside the pages.

    `since` is the size of the log that the folder publishes already, 0 for none.
    """

    def __init__(self, connection: sqlite3.Connection, files: SiteFiles, since: int) -> None:
        self._connection, self._files = connection, files
        self._newest = checkpoints.newest(connection)
        self._size = self._newest.size if self._newest else 0
        self._since = since
        self._erased = log_tiles.bundles_erased_since(connection, since)

    def put_tiles(self) -> None:
        """Put the tiles, full ones first, then the entries."""
        kept = set(self._whole())
        for name in kept:
            self._files.keep(name)
        partial = partial_tiles_of(checkpoints.sizes(self._connection))
        for tile in chain(full_tiles(self._size), partial):
            if (name := str(tile)) not in kept:
                self._files.put(name, log_tiles.tile_of(self._connection, tile))
        for number in range(-(-self._size // WIDTH)):
            if (name := entries_path(number)) not in kept:
                self._files.put(name, log_tiles.entry_lines(self._connection, number, self._size))

    def put_checkpoint(self) -> None:
        """Put the policy and the newest checkpoint: what that leads to must be there before it."""
        if self._newest:
            self._files.put(POLICY, policy_text(self._connection).encode())
            self._files.put(CHECKPOINT, self._newest.note.encode())

    def with_erased_words(self, outdated: Iterable[str]) -> tuple[str, ...]:
        """Return the names of outdated files in which words may stand that were erased since."""
        if not self._since or not self._erased:
            return ()
        bundles = set(map(entries_path, self._erased))
        return tuple(
            name for name in outdated if name in bundles or not name.startswith(_WITHOUT_WORDS)
        )

    def _whole(self) -> Iterator[str]:
        """Yield the names of the published files that are full, and need not be made again.

        Tiles must have their length, bundles and entries must end with their last entry.
        """
        for tile in full_tiles(self._since):
            path = self._files.earlier(str(tile)) if tile.level != ENTRIES else None
            if path and path.stat().st_size == WIDTH * HASH_SIZE:
                yield str(tile)
        for number, (bundle, lines) in enumerate(log_tiles.ends(self._connection, self._since)):
            if self._ends_with(name := str(Tile(ENTRIES, number)), bundle):
                yield name
            if number not in self._erased and self._ends_with(name := entries_path(number), lines):
                yield name

    def _ends_with(self, name: str, end: bytes) -> bool:
        path = self._files.earlier(name)
        if path is None:
            return False
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(end)))
            return file.read() == end
