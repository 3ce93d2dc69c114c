"""Name the tiles of a log's tree, and cut them out of it (c2sp.org/tlog-tiles).

A tile has up to 256 hashes of one level, a bundle has up to 256 entries. Tile `number` of `level`
has the hashes of the subtrees over ``256**level`` leaves, from subtree ``number * 256`` on. A tile
with fewer than 256 is partial; its name says how many it has.

Guarantees: a tile has one name only, and a tile with one name has the same bytes for ever.

Knows no database: hashes and envelopes are given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, Self

from timeline.errors import ProofError
from timeline.store.merkle import leaf_hash

WIDTH = 256
"""The number of hashes of a full tile, and of entries of a full bundle."""
HASH_SIZE = 32
"""Bytes of a hash."""
ENTRIES = -1
"""The level of bundles, whose name has `entries` in the place of the level."""
_LONGEST_ENVELOPE = 2**16 - 1

_GROUP = "[0-9]{3}"
_FORM = re.compile(
    rf"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x{_GROUP}/)*{_GROUP})"
    r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5]))?",
    re.ASCII,
)
_NUMBER = re.compile(rf"(?:x{_GROUP}/)*{_GROUP}", re.ASCII)


class Tile(NamedTuple):
    """A tile of hashes, or a bundle of entries; ``str`` gives the path at which it is published."""

    level: int
    """From 0 for leaves to 63; `ENTRIES` for a bundle."""
    number: int
    width: int = WIDTH
    """The number of hashes or entries in it, from 1 to 256."""

    @classmethod
    def parse(cls, path: str) -> Self | None:
        """Read a path; return None for one that ``str`` does not write."""
        found = _FORM.fullmatch(path)
        number = parse_number(found["number"]) if found else None
        if not found or number is None:
            return None
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        return cls(level, number, int(found["width"] or WIDTH))

    def __str__(self) -> str:
        level = "entries" if self.level == ENTRIES else self.level
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{number_path(self.number)}{partial}"

    @property
    def full(self) -> Self:
        """Return the full tile that this one is, or becomes."""
        return self._replace(width=WIDTH)

    @property
    def start(self) -> int:
        """Return the number of its first hash on its level, or of its first entry."""
        return self.number * WIDTH

    def is_in(self, size: int) -> bool:
        """Return whether a tree of this size has all that is in the tile."""
        return self.start + self.width <= size >> 8 * max(self.level, 0)


def entries_path(number: int) -> str:
    """Return the path of the file that has the entries of bundle `number` with their words."""
    return f"entries/{number_path(number)}.jsonl"


def number_path(number: int) -> str:
    """Return a number in groups of three digits: 1234067 is ``x001/x234/067``."""
    number, last = divmod(number, 1000)
    path = f"{last:03}"
    while number:
        number, group = divmod(number, 1000)
        path = f"x{group:03}/{path}"
    return path


def parse_number(path: str) -> int | None:
    """Return the number that `number_path` wrote; None for any other text, or one over 2**63."""
    if not _NUMBER.fullmatch(path) or len(path) > 40:
        return None
    number = int(re.sub("[x/]", "", path))
    return number if number < 2**63 and number_path(number) == path else None


def partial_tiles(size: int) -> Iterator[Tile]:
    """Yield the partial tiles in which a tree of this size ends, and its partial bundle, if any."""
    if last := size % WIDTH:
        yield Tile(ENTRIES, size // WIDTH, last)
    level = 0
    while size:
        if last := size % WIDTH:
            yield Tile(level, size // WIDTH, last)
        size, level = size // WIDTH, level + 1


def partial_tiles_of(sizes: Collection[int]) -> list[Tile]:
    """Return the partial tiles of trees of all these sizes, each once.

    Where the largest tree has the full tile, that stands in the place of the partial ones.
    """
    largest = max(sizes, default=0)
    every = {tile for size in sizes for tile in partial_tiles(size)}
    return sorted(tile for tile in every if not tile.full.is_in(largest))


def full_tiles(size: int, after: int = 0) -> Iterator[Tile]:
    """Yield the full tiles and bundles of a tree of this size that one of size `after` lacks."""
    for number in range(after // WIDTH, size // WIDTH):
        yield Tile(ENTRIES, number)
    level = 0
    while size:
        for number in range(after // WIDTH, size // WIDTH):
            yield Tile(level, number)
        size, after, level = size // WIDTH, after // WIDTH, level + 1


def pack_entries(envelopes: Iterable[bytes]) -> bytes:
    """Return a bundle: each envelope after its length in bytes, as two bytes, big-endian.

    Raises ProofError for an envelope of more than 65,535 bytes.
    """
    packed = bytearray()
    for envelope in envelopes:
        if len(envelope) > _LONGEST_ENVELOPE:
            raise ProofError(f"an envelope of {len(envelope)} bytes fits into no bundle")
        packed += len(envelope).to_bytes(2) + envelope
    return bytes(packed)


def leaves_of(bundle: bytes, width: int) -> list[bytes]:
    """Return the leaf hash of each of the `width` entries of a bundle. Raises ProofError."""
    leaves, at = list[bytes](), 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(bundle[at : at + 2])
        if end > len(bundle) or at + 2 > len(bundle):
            raise ProofError(f"a bundle of {width} entries ends before entry {len(leaves) + 1}")
        leaves.append(leaf_hash(bundle[at + 2 : end]))
        at = end
    if at < len(bundle):
        raise ProofError(f"a bundle of {width} entries has {len(bundle) - at} bytes more")
    return leaves
