"""Where the timelines of a Datasette are: which one is at the root, and where the others are.

Guarantees: no address depends on the file's name while there is one timeline. Of several, the
first is at the root and each other one under /timelines/NAME, unless the plugin's
configuration says otherwise: ``{"plugins": {"timeline": {"root": NAME, "prefixes": {NAME:
PREFIX}}}}``.

A damaged file, or one whose tables are of another version, is left to Datasette.

Knows a Datasette by what it is handed, and never imports it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any, NamedTuple

from timeline.errors import TimelineError
from timeline.projection import tables
from timeline.site import guard
from timeline.store import log


class Mount(NamedTuple):
    """A timeline: the name of its database, and what its addresses begin with ("" or "/x")."""

    database: str
    prefix: str


def mounts(datasette: Any) -> list[Mount]:
    """The timelines among the databases, the one at the root first."""
    names = [name for name in guard.timelines(datasette) if _can_be_read(datasette, name)]
    if not names:
        return []
    config = datasette.plugin_config("timeline") or {}
    prefixes = config.get("prefixes", {})
    unplaced = [name for name in names if name not in prefixes]
    root = config.get("root") or (unplaced[0] if unplaced else None)
    found = [
        Mount(
            name, "" if name == root else "/" + prefixes.get(name, f"timelines/{name}").strip("/")
        )
        for name in names
    ]
    return sorted(found, key=lambda mount: mount.prefix != "")


def _can_be_read(datasette: Any, name: str) -> bool:
    database = datasette.databases[name]
    try:
        with contextlib.closing(
            guard.reading(database.path, immutable=not database.is_mutable)
        ) as connection:
            tables.check(connection, name)
            return bool(log.info(connection))
    except (TimelineError, sqlite3.Error, ValueError):
        return False
