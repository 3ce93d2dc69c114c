"""Which entries an export in wire form has: those of the log, or those about some events.

Guarantees: entries come whole, as the log has them, and in its order; nothing of one is held
but its number, whatever it says. Reads, and writes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

from pyroaring import BitMap

from timeline.reading.query import NOW, VERSION_AT, AsOf
from timeline.store import log
from timeline.store.codec import Entry, decode_content

__all__ = ["entries"]

_AT_ONCE = 500

_OF_EVENTS = (
    "SELECT v.seq, l.id, l.payload FROM json_each(?) AS wanted"  # noqa: S608
    " JOIN events AS e ON e.event_id = wanted.value"
    f" JOIN event_versions AS v ON v.event_id = e.event_id AND v.version <= {VERSION_AT}"
    " JOIN log AS l ON l.seq = v.seq"
)
_OF_SUBJECTS = (
    "SELECT l.seq, l.id, l.payload FROM json_each(?) AS wanted"
    " JOIN log AS l ON l.subject = wanted.value WHERE l.seq <= ?"
)


def entries(
    connection: sqlite3.Connection, event_ids: Iterable[str] | None = None, *, as_of: AsOf = NOW
) -> Iterator[Entry]:
    """The log up to a point of the recorded clock, or what is in it about some events.

    That is their entries up to the point on both clocks, those of every source that one of
    these names, and for each entry that was erased the one that erased it.
    """
    if event_ids is None:
        return takewhile(lambda entry: entry.seq <= as_of.seq, log.read(connection))
    return _entries_about(connection, event_ids, as_of)


def _entries_about(
    connection: sqlite3.Connection, event_ids: Iterable[str], as_of: AsOf
) -> Iterator[Entry]:
    chosen = BitMap()
    known: set[str] = set()
    following: list[str] = []
    ids = iter(event_ids)
    while True:
        if some := [*islice(ids, _AT_ONCE)]:
            rows = connection.execute(_OF_EVENTS, (json.dumps(some), *as_of))
        elif following:
            some, following = following[:_AT_ONCE], following[_AT_ONCE:]
            rows = connection.execute(_OF_SUBJECTS, (json.dumps(some), as_of.seq))
        else:
            break
        for seq, entry_id, payload in rows:
            chosen.add(seq)
            named = _subjects(entry_id, decode_content(payload)) - known
            known |= named
            following += named
    numbers = iter(chosen)
    while batch := [*islice(numbers, _AT_ONCE)]:
        yield from log.read_some(connection, batch)


def _subjects(entry_id: str, content: dict[str, Any] | None) -> set[str]:
    """The subjects that an entry leads to: its erasure, or the sources that it names."""
    if content is None:
        return {f"entry/{entry_id}"}
    named = {citation["source_id"] for citation in content.get("citations", ())}
    for field in ("quantities", "claims"):
        for item in content.get(field, ()):
            named.update(item.get("source_ids", ()))
    return {f"source/{source_id}" for source_id in named}
