"""Tiles and files of entries are cut out of a log as their definitions say."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import pytest

from timeline import Timeline
from timeline.errors import ProofError
from timeline.proof import log_tiles, tiles
from timeline.proof.tile_tree import TileTree
from timeline.proof.tiles import ENTRIES, Tile
from timeline.store import codec, log, storage


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiles") / "story.db"
    with Timeline.create(path, title="A strike of dockers", origin="example.org/story") as timeline:
        timeline.record(
            [{"event_id": f"day-{n}", "title": f"Day {n}", "occurred": "2025"} for n in range(700)]
        )
    return path


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 701])
def test_the_tiles_of_any_size_lead_to_its_root(path: Path, size: int) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        fetch = partial(log_tiles.tile_of, connection)
        tree = TileTree(size, log.root_at(connection, size), fetch)
        for number in range(-(-size // 256)):
            width = min(256, size - number * 256)
            bundle = log_tiles.tile_of(connection, Tile(ENTRIES, number, width))
            assert tiles.leaves_of(bundle, width) == tree.leaves(number)


def test_files_of_entries_in_a_row_are_the_export(path: Path) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        files = b"".join(log_tiles.entry_lines(connection, number, 701) for number in range(3))
        every = log.read(connection)
        assert files == "".join(f"{codec.to_wire(entry)}\n" for entry in every).encode()
        assert log_tiles.entry_lines(connection, 0, 3).count(b"\n") == 3
        assert log_tiles.entry_lines(connection, 3, 701) == b""


def test_a_tile_that_the_log_does_not_have_is_refused(path: Path) -> None:
    with (
        contextlib.closing(storage.connect(path)) as connection,
        pytest.raises(ProofError, match="the tree lacks a hash of level 0"),
    ):
        log_tiles.tile_of(connection, Tile(0, 2))
