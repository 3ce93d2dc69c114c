"""A fold to which another process brings the rows makes the tables of one that makes them all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from helped import all_answered, none_answered
from tables import derived

from timeline import Timeline
from timeline.demo import build
from timeline.projection import tables
from timeline.store import storage


def rebuilt(path: Path) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        tables.rebuild(connection)


def test_rows_from_another_process_make_the_same_tables(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    build(path)
    with Timeline.open(path) as timeline:
        receipt = timeline.record({"title": "Erased", "occurred": "2025", "tags": ["a"]})
        timeline.erase([receipt.entry_id], reason="a test")
    with none_answered():
        rebuilt(path)
    alone = derived(path)
    with all_answered():
        rebuilt(path)
    assert derived(path) == alone
