"""Return the rows of a query as dicts.

Guarantees: a row has the columns of its query, by name and in their order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

RowDict = dict[str, Any]
"""A row by the names of its columns, or a dict that `timeline.reading` makes of it."""


def as_dicts(cursor: sqlite3.Cursor) -> Iterator[RowDict]:
    """Yield the rows of an answer as dicts, one after the other."""
    names = [column[0] for column in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)
