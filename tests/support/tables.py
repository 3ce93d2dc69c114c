"""The contents of a database, to be compared by value."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from timeline.projection import tables
from timeline.store import storage

OWN = ("log", "tree_hashes", "source_texts", "checkpoints", "publications", "scrub_pending")
"""Tables that cannot be rebuilt."""

Contents = dict[str, list[tuple[Any, ...]]]


def derived(path: Path) -> Contents:
    """The rows of every table and view of the projection, in the order of their values."""
    return _contents(path, tuple(tables.tables()))


def everything(path: Path) -> Contents:
    """The rows of every table, of the log too."""
    return _contents(path, (*OWN, *tables.tables()))


def _contents(path: Path, names: tuple[str, ...]) -> Contents:
    with contextlib.closing(storage.connect(path)) as connection:
        return {
            name: sorted(
                searched(connection)
                if name == "event_search"
                else connection.execute(f"SELECT * FROM {name}"),
                key=repr,
            )
            for name in names
        }


def searched(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Every word of the search index with its places, and how many words each event has."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.searched"
        " USING fts5vocab(main, event_search, instance)"
    )
    return [
        *connection.execute("SELECT doc, col, offset, term FROM temp.searched"),
        *connection.execute("SELECT id, sz FROM event_search_docsize"),
    ]
