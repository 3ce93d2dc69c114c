"""Find the version of an event that brought each of its figures.

Guarantees: a figure counts as the same as long as its measure, its amount and the one who gives it
stay the same, whatever else is said about it. Only the versions that changed figures are read, so
an event with a long history costs no more than its changes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from timeline.reading import deadline, query

_AMOUNT = ("measure", "unit", "value", "low", "high", "qualifier", "reported_by")
"""The fields that make a figure another one when they change."""
_MOST = 50
"""The number of versions, the newest, that are read whole to find a figure that was changed in
place; a page of an event reads as many."""

_Figure = tuple[Any, ...]


class BroughtBy(NamedTuple):
    """A version that brought a figure, with the time at which it was recorded."""

    version: int
    recorded_at: str


def known_since(connection: sqlite3.Connection, event: Mapping[str, Any]) -> list[BroughtBy]:
    """Return for each figure of an event the first version that had it, up to the one given.

    `event` is what `query.get` returned. A figure whose origin was erased counts from the version
    given.
    """
    figures = [_figure(each) for each in event.get("quantities", ())]
    if not figures:
        return []
    first = _first_versions(connection, event, {*figures})
    recorded = dict(
        connection.execute(
            "SELECT version, recorded_at FROM event_versions WHERE event_id = ?"
            " AND version IN (SELECT value FROM json_each(?))",
            (event["event_id"], json.dumps([*{*first.values(), event["version"]}])),
        ).fetchall()
    )
    versions = (first.get(figure, event["version"]) for figure in figures)
    return [BroughtBy(version, recorded[version]) for version in versions]


def _first_versions(
    connection: sqlite3.Connection, event: Mapping[str, Any], wanted: set[_Figure]
) -> dict[_Figure, int]:
    """Return the first version of each of these figures that can be found."""
    event_id, newest = event["event_id"], event["version"]
    found = dict.fromkeys(_figures_of(connection, event_id, 1) & wanted, 1)
    in_place: dict[int, None] = {}
    for version, path, new_value in connection.execute(
        "SELECT version, path, new_value FROM field_changes"
        " WHERE event_id = ? AND version <= ? AND path LIKE '/quantities/%'"
        " ORDER BY version, position",
        (event_id, newest),
    ):
        if path.count("/") > 2:
            in_place[version] = None
        elif new_value and (figure := _figure(json.loads(new_value))) in wanted:
            found.setdefault(figure, version)
    for version in [*in_place][-_MOST:]:
        open_ones = {each for each in wanted if found.get(each, newest + 1) > version}
        if not open_ones:
            break
        deadline.check()
        for figure in _figures_of(connection, event_id, version) & open_ones:
            found[figure] = version
    return found


def _figures_of(connection: sqlite3.Connection, event_id: str, version: int) -> set[_Figure]:
    said = query.get(connection, event_id, version=version)
    return {_figure(each) for each in said.get("quantities", ())}


def _figure(quantity: Mapping[str, Any]) -> _Figure:
    return tuple(quantity.get(field) for field in _AMOUNT)
