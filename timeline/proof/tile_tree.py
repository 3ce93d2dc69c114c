"""Read the tree of somebody else's log from its tiles, and trust none of them unchecked.

Guarantees: no hash is given out that does not lead to the signed root. The partial tiles at the
right edge of a tree have all hashes that its root is made of, so they are checked by the root
itself; every full tile is checked by the hash of its parent, up to such a tile. So a tree costs
O(log size) tiles before its first entry, whatever size a checkpoint claims.

Knows neither network nor disk: `fetch` brings the bytes of a tile.
"""

from __future__ import annotations

from collections.abc import Callable

from timeline.errors import ProofError
from timeline.proof.tiles import ENTRIES, HASH_SIZE, WIDTH, Tile, partial_tiles
from timeline.store import merkle

FetchTile = Callable[[Tile], bytes]
"""Brings the bytes of a tile or bundle; a full tile may come in the place of a partial one."""

_KEPT = 64
"""The number of full tiles that are kept in memory, of 8 KB each."""


class TileTree:
    """The tree of a checkpoint, whose hashes are fetched as tiles and checked.

    Making it fetches the right edge. Raises ProofError for tiles of another tree, and what `fetch`
    raises.
    """

    def __init__(self, size: int, root: bytes, fetch: FetchTile) -> None:
        self.size = size
        self._fetch = fetch
        edge = [tile for tile in partial_tiles(size) if tile.level != ENTRIES]
        self._edge = {tile.level: self._hashes(tile) for tile in edge}
        self._full: dict[Tile, bytes] = {}
        ends = [self._from_edge(level, number) for level, number in merkle.peaks(size)]
        if merkle.root_of(ends) != root:
            raise ProofError(f"the tiles of {size:,} entries do not lead to the signed root")

    def read_hash(self, level: int, number: int) -> bytes:
        """Return the hash of a complete subtree of the tree, as `merkle.ReadHash` does."""
        if number + 1 << level > self.size:
            raise ProofError(f"a tree of {self.size} has no hash {number} of level {level}")
        inner = level % 8
        tile = Tile(level // 8, (number << inner) // WIDTH)
        hashes = self._hashes_of(tile)
        start = (number << inner) % WIDTH
        return _root_over(hashes, start, 1 << inner)

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` entries."""
        return merkle.root_of([self.read_hash(*peak) for peak in merkle.peaks(size)])

    def leaves(self, number: int) -> list[bytes]:
        """Return the leaves of the entries of bundle `number`, at most 256."""
        hashes = self._hashes_of(Tile(0, number))
        return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]

    def _hashes_of(self, tile: Tile) -> bytes:
        """Return the hashes of a full tile, or those of the partial one in its place."""
        if not tile.is_in(self.size):
            return self._edge[tile.level]
        if tile not in self._full:
            hashes = self._hashes(tile)
            if _root_over(hashes, 0, WIDTH) != self.read_hash(8 * (tile.level + 1), tile.number):
                raise ProofError(f"{tile} has other hashes than the signed tree")
            if len(self._full) >= _KEPT:
                self._full.pop(next(iter(self._full)))
            self._full[tile] = hashes
        return self._full[tile]

    def _hashes(self, tile: Tile) -> bytes:
        content = self._fetch(tile)
        wanted = tile.width * HASH_SIZE
        if len(content) not in (wanted, WIDTH * HASH_SIZE):
            raise ProofError(f"{tile} has {len(content):,} bytes, where {wanted:,} are right")
        return content[:wanted]

    def _from_edge(self, level: int, number: int) -> bytes:
        inner = level % 8
        return _root_over(self._edge[level // 8], (number << inner) % WIDTH, 1 << inner)


def _root_over(hashes: bytes, start: int, count: int) -> bytes:
    """Return the root of a complete subtree over `count` hashes of a tile, from `start` on."""
    level = [hashes[at * HASH_SIZE : (at + 1) * HASH_SIZE] for at in range(start, start + count)]
    while len(level) > 1:
        level = [merkle.node_hash(*level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0]
