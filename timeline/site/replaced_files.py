"""Notice that another file took the place of a timeline that is served, and serve the new one.

Guarantees: a request that begins after the file was replaced is answered from the new file. Each
request that is being answered meanwhile goes on with the file that it began with.

Knows a Datasette only by the objects that it hands over, and by the connections that it keeps.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import click

from timeline.site import index_cache
from timeline.store.open_files import identity

_CACHES = ("_read_connection", "cached_hash", "cached_size", "_cached_table_counts")
"""What a Database of Datasette keeps of its file."""

_served: WeakKeyDictionary[Any, tuple[int, ...]] = WeakKeyDictionary()
"""The file that each Database serves, by its identity; an immutable one also by its time."""


def notice(datasette: Any, names: Iterable[str]) -> set[str]:
    """Let Datasette open anew every one of these databases whose file was replaced.

    Returns the databases whose file is not there now.
    """
    missing = set()
    for name in names:
        database = datasette.databases[name]
        now = _file_of(database)
        if now is None:
            missing.add(name)
        if now is None or now == _served.setdefault(database, now):
            continue
        _served[database] = now
        _forget_file(database)
        index_cache.forget(datasette, name)
        said = f"{Path(database.path).name} was replaced or changed: it is served as it is now"
        click.echo(said, err=True)
    return missing


def _file_of(database: Any) -> tuple[int, ...] | None:
    """Return what tells the file of a Database from any other; None if it is not there.

    SQLite does not notice a write to a file that it has open as immutable.
    """
    found = identity(database.path)
    if found is None or database.is_mutable:
        return found
    return (*found, Path(database.path).stat().st_mtime_ns)


def _forget_file(database: Any) -> None:
    """Forget every connection to the old file, and what was read from it."""
    import datasette.database

    for cache in _CACHES:
        setattr(database, cache, None)
    for connections in ("_all_file_connections", "_all_connections"):  # in 0.65, in 1.0
        if hasattr(database, connections):
            getattr(database, connections).clear()
    # Threads find their connections here by the name of a database. A query that runs keeps its
    # own until it ends, so nothing is closed under it.
    datasette.database.connections = threading.local()
    gc.collect()  # a connection and its cache of statements keep each other
