"""Comparing two moments: this tells how one event, or every event, changed between them.

Guarantees: a comparison has what differs between two versions of an event and nothing else,
with every entry between them and its reason. Nothing here writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyroaring import BitMap

from timeline.errors import NotFound
from timeline.projection.differences import differences
from timeline.reading import deadline, query
from timeline.reading.as_of import VERSION_AT, AsOf, parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.selection import behind_place, place_of
from timeline.store.rows import RowDict, as_dicts

LONGEST_PAGE = 1_000_000
"""Characters of old and new values after which a page of changes ends. An entry has 8 million
at most. A page of 64 million took 5 s and 300 MB."""

_ENTRY_COLUMNS = "version, kind, seq, recorded_at, reported_at, author, reason"


def compare(
    connection: sqlite3.Connection, event_id: str, before: int | None, after: int | None
) -> RowDict:
    """Compare two versions of an event; None means a time when the event was not there.

    `before` and `after` have version and state, `changes` the differences field by field
    (RFC 6901), `entries` what was recorded between the two, oldest first. Raises NotFound for a
    version that the event does not have.
    """
    old, old_content = _side(connection, event_id, before)
    new, new_content = _side(connection, event_id, after)
    first, last = sorted((before or 0, after or 0))
    entries = connection.execute(
        f"SELECT {_ENTRY_COLUMNS} FROM event_versions"  # noqa: S608
        " WHERE event_id = ? AND version > ? AND version <= ? ORDER BY version",
        (event_id, first, last),
    )
    return {
        "event_id": event_id,
        "title": (new_content or old_content or {}).get("title"),
        "before": old,
        "after": new,
        "changes": [
            change._asdict() for change in differences(old_content or {}, new_content or {})
        ],
        "entries": list(as_dicts(entries)),
    }


def _side(
    connection: sqlite3.Connection, event_id: str, version: int | None
) -> tuple[RowDict | None, RowDict | None]:
    """Return version and state of an event, and its content then; None if that was erased."""
    if version is None:
        return None, None
    row = connection.execute(
        "SELECT state, content_seq FROM event_versions WHERE event_id = ? AND version = ?",
        (event_id, version),
    ).fetchone()
    if row is None:
        raise NotFound("event", f"{event_id}@{version}")
    return {"version": version, "state": row[0]}, query.content(connection, row[1])


def changes(
    connection: sqlite3.Connection, start: object, end: object = None, *, reported: bool = False
) -> Iterator[RowDict]:
    """Yield the comparison of every event that has another version at `end` than at `start`.

    The two are moments of the recorded clock, or with `reported` of the reported one; `end` is
    now if it is None. Events come in the order in which they occurred, as known today. Raises
    InvalidInput, NotFound for what is no moment of this log.
    """
    points = _points(connection, start, end, reported)
    for event_id, _, old, new in _differing(connection, points, ("1", [])).fetchall():
        yield compare(connection, event_id, old, new)


class ChangesPage(NamedTuple):
    """A page has a part of what `changes` yields, and where the next page begins (None if last)."""

    rows: list[RowDict]
    after: str | None


def changes_page(
    connection: sqlite3.Connection,
    start: object,
    end: object = None,
    *,
    reported: bool = False,
    after: str | None = None,
    size: int = 50,
    index: FacetIndex | None = None,
) -> ChangesPage:
    """Return a page of what `changes` yields; `after` is from the page before.

    It has `size` events, or fewer with LONGEST_PAGE characters of changes. The index of a large
    timeline finds the events that differ. Raises InvalidInput, NotFound.
    """
    points = _points(connection, start, end, reported)
    parts = behind_place(after, oldest_first=True) if after else [("1", [])]
    behind = " OR ".join(f"({condition})" for condition, _ in parts)
    place = [value for _, values in parts for value in values]
    chosen, values = _chosen(connection, index.differing(*points)) if index else ("1", [])
    where = f"{chosen} AND ({behind})", [*values, *place]
    found = [*as_dicts(_differing(connection, points, where, size + 1))]
    rows: list[RowDict] = []
    length = 0
    for row in found[:size]:
        deadline.check()
        rows.append(compare(connection, row["event_id"], row["old"], row["new"]))
        length += length_of(rows[-1]["changes"])
        if length >= LONGEST_PAGE:
            break
    is_last = len(rows) == len(found)
    return ChangesPage(rows, None if is_last else place_of(found[len(rows) - 1]))


def length_of(changes: Iterable[RowDict]) -> int:
    """Return the number of characters in the old and new values of changes."""
    return sum(len(each[side] or "") for each in changes for side in ("old_value", "new_value"))


def _points(
    connection: sqlite3.Connection, start: object, end: object, reported: bool
) -> tuple[AsOf, AsOf]:
    clock_name = "as_reported" if reported else "as_of"
    before, after = (parse_as_of(connection, **{clock_name: moment}) for moment in (start, end))
    return before, after


_FEW = 3_000
"""Events, at most, that are looked up one by one; with more, the list is read in its order."""


def _chosen(connection: sqlite3.Connection, keys: BitMap) -> tuple[str, list[str]]:
    """Return the condition that chooses the events with these keys, and its values."""
    if len(keys) <= _FEW:
        return "e.event_key IN (SELECT value FROM json_each(?))", [json.dumps([*keys])]
    connection.create_function("timeline_differs", 1, keys.__contains__, deterministic=True)
    return "timeline_differs(e.event_key)", []


def _differing(
    connection: sqlite3.Connection,
    points: tuple[AsOf, AsOf],
    where: tuple[str, list[str]],
    limit: int = -1,
) -> sqlite3.Cursor:
    """Return rows of the events that differ, with the version at either point as old and new."""
    return connection.execute(
        "SELECT event_id, occurred_from, old, new FROM (SELECT e.event_id, e.occurred_from,"  # noqa: S608
        f" {VERSION_AT} AS old, {VERSION_AT} AS new FROM events AS e WHERE {where[0]})"
        " WHERE old IS NOT new ORDER BY occurred_from, event_id LIMIT ?",
        (*points[0], *points[1], *where[1], limit),
    )
