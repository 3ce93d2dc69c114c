"""Logs of any size that have entries, tiles and a checkpoint, but no database: made in no time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from timeline.proof import tiles
from timeline.proof.signed_note import SigningKey
from timeline.proof.tiles import ENTRIES, Tile
from timeline.proof.tlog import Checkpoint
from timeline.store import merkle

KEY = SigningKey("example.org/story", b"k" * 32)
LARGEST = 70_000


@cache
def levels() -> list[list[bytes]]:
    """The hashes of the complete subtrees of the largest tree, made by our functions."""
    made = [[merkle.leaf_hash(entry(number)) for number in range(LARGEST)]]
    while len(below := made[-1]) > 1:
        made.append([merkle.node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
    return made


def entry(number: int) -> bytes:
    return b"entry %d" % number


@cache
def content_of(tile: Tile) -> bytes:
    numbers = range(tile.start, tile.start + tile.width)
    if tile.level == ENTRIES:
        return tiles.pack_entries(map(entry, numbers))
    return b"".join(levels()[8 * tile.level][tile.start : numbers.stop])


@cache
def lines(bundle: Tile) -> bytes:
    numbers = range(bundle.start, bundle.start + bundle.width)
    return b"".join(b'{"envelope":"%s"}\n' % entry(number) for number in numbers)


def published(size: int) -> dict[str, bytes]:
    """What a log of this size publishes, by its path."""
    every = [*tiles.full_tiles(size), *tiles.partial_tiles(size)]
    files = {str(tile): content_of(tile) for tile in every}
    for tile in every:
        if tile.level == ENTRIES:
            files[f"entries/{tiles.number_path(tile.number)}.jsonl"] = lines(tile)
    root = merkle.root_of([levels()[level][number] for level, number in merkle.peaks(size)])
    files["checkpoint"] = str(KEY.sign(str(Checkpoint(KEY.name, size, root)))).encode()
    return files


def publish(size: int, folder: Path) -> None:
    """Put what a log of this size publishes into a folder."""
    for path, content in published(size).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
