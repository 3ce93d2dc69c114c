"""Reading one event: this finds it with its history, now or as of any moment.

Guarantees: nothing here writes to the file. Every answer is as of a point on two clocks
(`as_of.AsOf`). One event is found in a few index look-ups, however long its history.

Rows are dicts. Knows the tables; decides nothing about what may be written.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from timeline.errors import NotFound
from timeline.model.limits import ID
from timeline.model.log_clock import occurred_in
from timeline.projection import tables
from timeline.reading.as_of import NOW, VERSION_AT, AsOf
from timeline.reading.sources import withdrawals
from timeline.store.codec import check_version, decode_content
from timeline.store.rows import RowDict, as_dicts

_VERSION_COLUMNS = (
    "event_id",
    "version",
    "seq",
    "kind",
    "state",
    "recorded_at",
    "superseded_at",
    "reported_at",
    "reported_from",
    "author",
    "reason",
    "proposed_by",
    "merged_into",
    "content_seq",
)


def _version(
    connection: sqlite3.Connection, event_id: str, as_of: AsOf, version: int | None
) -> RowDict | None:
    """Return the version of an event at a point, or an earlier one; None if there was none.

    For each clock it is one look into an index.
    """
    if not re.fullmatch(ID, event_id):
        return None
    (newest,) = connection.execute(
        f"SELECT {VERSION_AT} FROM (SELECT ? AS event_id) AS e",  # noqa: S608
        (*as_of, event_id),
    ).fetchone()
    if newest is None:
        return None
    if version is not None and version > newest:
        return None
    versions = connection.execute(
        f"SELECT {', '.join(_VERSION_COLUMNS)} FROM event_versions"  # noqa: S608
        " WHERE event_id = ? AND version = ?",
        (event_id, newest if version is None else version),
    )
    return next(as_dicts(versions), None)


def get(
    connection: sqlite3.Connection,
    event_id: str,
    *,
    version: int | None = None,
    as_of: AsOf = NOW,
) -> RowDict:
    """Return one event: the fields of its content, its bounds, then its state and version.

    If all of its sources were withdrawn by then, it has them in `at_risk`.

    Raises NotFound for an event or a version that was not there as of then.
    """
    standing = _version(connection, event_id, as_of, version)
    if standing is None:
        name = f"{event_id}@{version}" if version else event_id
        raise _not_there(name, as_of)
    said = content(connection, standing["content_seq"])
    cited = [citation["source_id"] for citation in (said or {}).get("citations", ())]
    withdrawn = withdrawals(connection, as_of, cited) if cited else {}
    return _standing_event(standing, said, withdrawn, tables.time_zone(connection))


def _not_there(name: str, as_of: AsOf) -> NotFound:
    return NotFound("event", name, "" if as_of.is_now else "it was not there as of then")


def _standing_event(
    standing: Mapping[str, Any],
    said: RowDict | None,
    withdrawn: Mapping[str, RowDict],
    time_zone: str,
) -> RowDict:
    event: RowDict = {"event_id": standing["event_id"], **(said or {})}
    if said:
        event.setdefault("modality", "actual")
        event.setdefault("verification", "reported")
        when = occurred_in(said["occurred"], time_zone)
        event["occurred_from"] = when.occurred_from
        event["occurred_to"] = when.occurred_to
        event["occurred_precision"] = when.precision
    if standing["merged_into"]:
        event["merged_into"] = standing["merged_into"]
    if withdrawn:
        cited = dict.fromkeys(citation["source_id"] for citation in event.get("citations", ()))
        if cited and withdrawn.keys() >= cited.keys():
            event["at_risk"] = [{**withdrawn[each]} for each in cited]
    for field in ("state", "version", "seq", "recorded_at", "reported_at"):
        event[field] = standing[field]
    return event


_EACH = (
    "SELECT v.event_id, v.merged_into, v.state, v.version, v.seq, v.recorded_at, v.reported_at,"
    " v.content_seq, l.envelope, l.payload"
    " FROM json_each(?) AS wanted"
    " CROSS JOIN events AS e ON e.event_id = wanted.value"
    " CROSS JOIN event_versions AS v ON v.event_id = e.event_id AND v.version = {version}"
    " CROSS JOIN log AS l ON l.seq = v.content_seq"
    " ORDER BY wanted.key"
)
"""Events of the given ids. CROSS JOIN keeps SQLite from choosing another order of look-ups."""

_AT_ONCE = 500


def each(
    connection: sqlite3.Connection, event_ids: Iterable[str], *, as_of: AsOf = NOW
) -> Iterator[RowDict]:
    """Yield what `get` returns for each of these ids, in their order, one at a time.

    Raises NotFound at the first event that was not there as of then.
    """
    version, point = ("e.version", ()) if as_of.is_now else (VERSION_AT, as_of)
    withdrawn = withdrawals(connection, as_of)
    time_zone = tables.time_zone(connection)
    ids = iter(event_ids)
    while some := [*islice(ids, _AT_ONCE)]:
        values = (json.dumps(some), *point)
        found = as_dicts(connection.execute(_EACH.format(version=version), values))
        for event_id in some:
            standing = next(found, None)
            if standing is None or standing["event_id"] != event_id:
                raise _not_there(event_id, as_of)
            check_version(standing["content_seq"], standing["envelope"])
            said = decode_content(standing["payload"])
            yield _standing_event(standing, said, withdrawn, time_zone)


def history(
    connection: sqlite3.Connection,
    event_id: str,
    *,
    as_of: AsOf = NOW,
    first: int = 1,
    last: int | None = None,
) -> list[RowDict]:
    """Return the versions of an event up to then, oldest first, each with its `changes`.

    Without `first` and `last` they are all. `superseded_at` of the newest one is None. Raises
    NotFound if there was no version.
    """
    newest = _version(connection, event_id, as_of, None)
    if newest is None:
        raise _not_there(event_id, as_of)
    until = newest["version"] if last is None else min(last, newest["version"])
    changes: dict[int, list[RowDict]] = {}
    for row in as_dicts(
        connection.execute(
            "SELECT version, path, old_value, new_value FROM field_changes"
            " WHERE event_id = ? AND version BETWEEN ? AND ? ORDER BY version, position",
            (event_id, first, until),
        )
    ):
        changes.setdefault(row.pop("version"), []).append(row)
    columns = [column for column in _VERSION_COLUMNS if column != "content_seq"]
    versions = [
        {**row, "changes": changes.get(row["version"], [])}
        for row in as_dicts(
            connection.execute(
                f"SELECT {', '.join(columns)} FROM event_versions"  # noqa: S608
                " WHERE event_id = ? AND version BETWEEN ? AND ? ORDER BY version",
                (event_id, first, until),
            )
        )
    ]
    if versions and until == newest["version"]:
        versions[-1]["superseded_at"] = None
    return versions


def related(connection: sqlite3.Connection, event_id: str) -> list[RowDict]:
    """Return the relations of an event today, to others and from them.

    Each has direction ("to", "from"), relation, and event_id and title of the other event.
    """
    return [
        *as_dicts(
            connection.execute(
                "SELECT x.direction, x.relation, x.event_id, e.title FROM"
                " (SELECT 'to' AS direction, relation, related_event_id AS event_id"
                "    FROM event_relations WHERE event_id = :id AND origin = ''"
                "  UNION ALL SELECT 'from', relation, event_id"
                "    FROM event_relations WHERE own_event_id = :id) AS x"
                " JOIN events AS e USING (event_id) ORDER BY 1 DESC, 2, 3",
                {"id": event_id},
            )
        )
    ]


def labels(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the labels of the log's event types, by code."""
    return dict(connection.execute("SELECT code, label FROM event_types"))


def content(connection: sqlite3.Connection, seq: int) -> RowDict | None:
    """Return the content of an event in entry `seq`; None if its payload was erased."""
    envelope, payload = connection.execute(
        "SELECT envelope, payload FROM log WHERE seq = ?", (seq,)
    ).fetchone()
    check_version(seq, envelope)
    return decode_content(payload)
