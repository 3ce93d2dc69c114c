"""Build the facet indexes of a Datasette in a thread when it starts.

Guarantees: a page that needs an index meanwhile waits for it and does not build it again. A file
whose index cannot be built is left to its pages, which say what is wrong.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from threading import Thread
from typing import Any

from timeline.errors import TimelineError
from timeline.projection import tables
from timeline.site import guard
from timeline.site.index_cache import at_one_moment, index_of


def build_indexes(datasette: Any, timelines: Sequence[str]) -> Thread:
    """Build the indexes of these timelines, in a thread that ends with the process."""
    thread = Thread(target=_build, args=(datasette, timelines), daemon=True)
    thread.start()
    return thread


def _build(datasette: Any, timelines: Sequence[str]) -> None:
    for name in timelines:
        with contextlib.suppress(sqlite3.Error, TimelineError):
            _build_one(datasette, name)


def _build_one(datasette: Any, name: str) -> None:
    database = datasette.databases[name]
    opened = guard.reading(database.path, immutable=not database.is_mutable)
    with contextlib.closing(opened) as connection:
        tables.check(connection, database.path)
        at_one_moment(connection, lambda reading: index_of(datasette, name, reading))
