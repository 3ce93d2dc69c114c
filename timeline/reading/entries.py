"""Reading entries: this yields them for an export or a list, and finds what erased one.

Guarantees: `read` yields entries whole, as the log has them and in its order; until then it
holds nothing of an entry but its number. Nothing here writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

from pyroaring import BitMap

from timeline.reading.as_of import NOW, VERSION_AT, AsOf
from timeline.store import log
from timeline.store.codec import Entry, decode_content, decode_payload
from timeline.store.rows import RowDict, as_dicts

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


def read(
    connection: sqlite3.Connection, event_ids: Iterable[str] | None = None, *, as_of: AsOf = NOW
) -> Iterator[Entry]:
    """Yield the entries of the log up to a point of the recorded clock, or those about events.

    About events are their entries up to the point on both clocks, the entries of every source
    that one of these names, and for each entry that was erased the one that erased it.
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
    """Return the subjects that an entry leads to: its erasure, or the sources that it names."""
    if content is None:
        return {f"entry/{entry_id}"}
    named = {citation["source_id"] for citation in content.get("citations", ())}
    for field in ("quantities", "claims"):
        for item in content.get(field, ()):
            named.update(item.get("source_ids", ()))
    return {f"source/{source_id}" for source_id in named}


def erasure_of(connection: sqlite3.Connection, seq: int) -> RowDict | None:
    """Return the erasure of the content of entry `seq`: its seq, recorded_at and reason.

    An entry that changes no content has that of an earlier one, and its erasure; an entry that
    was itself erased has its own. None if neither was erased. The reason is None if the
    erasure was erased in its turn.
    """
    erasures = connection.execute(
        "SELECT e.seq, e.recorded_at, e.payload FROM log AS l"
        " JOIN log AS gone ON gone.payload IS NULL AND gone.seq IN (l.seq,"
        "   (SELECT v.content_seq FROM entry_versions AS v WHERE v.seq = l.seq))"
        " JOIN log AS e ON e.subject = 'entry/' || gone.id"
        " WHERE l.seq = ? ORDER BY gone.seq DESC, e.version LIMIT 1",
        (seq,),
    )
    found = next(as_dicts(erasures), None)
    if found:
        payload = found.pop("payload")
        found["reason"] = decode_payload(payload).get("reason") if payload else None
    return found


def log_entries(
    connection: sqlite3.Connection, *, as_of: AsOf = NOW, limit: int | None = None
) -> Iterator[RowDict]:
    """Yield the entries, newest first, as JSON would hold them: payload parsed, hashes in hex."""
    cursor = connection.execute(
        "SELECT seq, id, kind, subject, version, recorded_at, reported_at, payload, leaf"
        " FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT ?",
        (as_of.seq, -1 if limit is None else limit),
    )
    for row in as_dicts(cursor):
        payload, leaf = row.pop("payload"), row.pop("leaf")
        row["payload"] = None if payload is None else decode_payload(payload)
        row["leaf"] = leaf.hex()
        yield row
