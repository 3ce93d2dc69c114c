"""Give each timeline of a Datasette its addresses: one is at the root, the others have prefixes.

Guarantees: while there is only one timeline, no address depends on the name of its file. If there
are several, the first is at the root and every other one under /timelines/NAME, unless the
configuration of the plugin says otherwise: ``{"plugins": {"timeline": {"root": NAME, "prefixes":
{NAME: PREFIX}}}}``. A damaged file, or one whose schema or tables are of another version, gets no
addresses: Datasette shows it as any other.

Knows Datasette only by the object that it is given, and never imports it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from timeline.errors import TimelineError
from timeline.projection import tables
from timeline.site import guard
from timeline.store import log, schema


class Mount(NamedTuple):
    """A mount gives a timeline its place: all of its addresses begin with the prefix."""

    database: str
    """The name of its database in Datasette."""
    prefix: str
    """The beginning of its addresses, such as "/timelines/news"; "" at the root."""
    origin: str
    """The origin of its log."""
    copy: Mapping[str, Any] | None = None
    """What the configuration tells about a published copy of somebody else's log."""


_placed: WeakKeyDictionary[Any, dict[str, Mount]] = WeakKeyDictionary()


def placed(datasette: Any) -> Mapping[str, Mount]:
    """Return the timelines that have pages in the application of a Datasette, by database."""
    return _placed.get(datasette, {})


def place(datasette: Any) -> list[Mount]:
    """Return the timelines among the databases, and remember them for `placed`."""
    found = mounts(datasette)
    _placed[datasette] = {mount.database: mount for mount in found}
    return found


def mounts(datasette: Any) -> list[Mount]:
    """Return the timelines among the databases, the one at the root first."""
    read = {name: _origin(datasette, name) for name in guard.timelines(datasette)}
    origins = {name: origin for name, origin in read.items() if origin is not None}
    if not origins:
        return []
    config = datasette.plugin_config("timeline") or {}
    prefixes, copies = config.get("prefixes", {}), config.get("copies", {})
    unplaced = [name for name in origins if name not in prefixes]
    root = config.get("root") or (unplaced[0] if unplaced else None)
    found = [
        Mount(
            name,
            "" if name == root else "/" + prefixes.get(name, f"timelines/{name}").strip("/"),
            origin,
            copies.get(name),
        )
        for name, origin in origins.items()
    ]
    return sorted(found, key=lambda mount: mount.prefix != "")


def _origin(datasette: Any, name: str) -> str | None:
    """Return the origin of a timeline's log; None if its pages cannot be shown."""
    database = datasette.databases[name]
    try:
        with contextlib.closing(
            guard.reading(database.path, immutable=not database.is_mutable)
        ) as connection:
            schema.check(connection, name)
            tables.check(connection, name)
            return str(log.info(connection)["origin"])
    except (TimelineError, sqlite3.Error, ValueError, KeyError):
        return None
