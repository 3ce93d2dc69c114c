"""Make the indexes of the tables at the end of a long append, and not row by row.

Guarantees: while indexes are missing, only new events and their sources may be folded; those are
found without them. It works inside its caller's transaction, so a reader never misses an index.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache

from timeline.model import resources

_OF_SOURCES = "sources_"
"""The beginning of the names of the indexes by which new events find their sources."""


class LateIndexes:
    """Drops the indexes of the tables, and makes them again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._missing: dict[str, str] = {}

    @property
    def are_missing(self) -> bool:
        """Tell whether there are indexes to make."""
        return bool(self._missing)

    def drop(self) -> None:
        """Drop all indexes but those of sources, unless they are missing already."""
        for name, definition in _indexes().items():
            if not (name in self._missing or name.startswith(_OF_SOURCES)):
                self._connection.execute(f"DROP INDEX {name}")
                self._missing[name] = definition

    def make(self) -> None:
        """Make the indexes that are missing."""
        for definition in self._missing.values():
            self._connection.execute(definition)
        self._missing.clear()


@cache
def _indexes() -> dict[str, str]:
    """Return the definitions of the indexes by their names, in the order of their making."""
    script = (resources.db_folder() / "projection.sql").read_text(encoding="utf-8")
    return {name: sql for sql, name in re.findall(r"(?m)^(CREATE INDEX (\w+) [^;]+);", script)}
