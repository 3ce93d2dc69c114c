"""Publish a log as tiles in a folder, as `publish --static` does, but without its pages."""

from __future__ import annotations

import contextlib
from pathlib import Path

from timeline.proof import checkpoints, log_tiles, tiles
from timeline.proof.signed_note import SigningKey
from timeline.store import storage

KEY = SigningKey("partner.example/story", b"p" * 32)


def sign_and_put(database: Path, folder: Path, key: SigningKey = KEY) -> str:
    """Sign a log as it is, publish it in a folder, and return the checkpoint."""
    with contextlib.closing(storage.connect(database, write=True)) as connection:
        checkpoints.sign(connection, key)
    return put(database, folder)


def put(database: Path, folder: Path) -> str:
    """Publish the newest checkpoint of a log, with all that it needs, and return it."""
    with contextlib.closing(storage.connect(database)) as connection:
        newest = checkpoints.newest(connection)
        assert newest
        for tile in (*tiles.full_tiles(newest.size), *tiles.partial_tiles(newest.size)):
            write(folder / str(tile), log_tiles.tile_of(connection, tile))
        for number in range(-(-newest.size // tiles.WIDTH)):
            lines = log_tiles.entry_lines(connection, number, newest.size)
            write(folder / tiles.entries_path(number), lines)
        write(folder / "checkpoint", newest.note.encode())
        return newest.note


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
