"""Reading one event, its history and the log, now or as of any moment.

Guarantees: nothing here writes to the file. Every answer takes two clocks: `as_of` is what
this log had recorded by then, `as_reported` what had been reported by then; with both, the
lower of the two versions. One event is found in a few index look-ups, however long its
history.

Rows are dicts. Knows the tables; decides nothing about what may be written.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from timeline.errors import Ambiguous, InvalidInput, InvalidValue, NotFound
from timeline.model import clock, countries, edtf
from timeline.model.field_types import ID_PATTERN
from timeline.store import log
from timeline.store.codec import check_version, decode_content, decode_payload

__all__ = [
    "NOW",
    "VERSION_AT",
    "AsOf",
    "Row",
    "content",
    "each",
    "erasure_of",
    "get",
    "history",
    "id_beginning",
    "labels",
    "log_entries",
    "parse_as_of",
    "pinned",
    "related",
    "resolve_entry",
    "resolve_event",
    "resolve_source",
    "rows",
    "sources",
    "withdrawals",
    "withdrawn",
]

Row = dict[str, Any]

_END = 2**62
_FOREVER = "~"


class AsOf(NamedTuple):
    """A point on both clocks: entries up to `seq`, reports up to an instant (UTC text)."""

    seq: int = _END
    reported: str = _FOREVER

    @property
    def is_now(self) -> bool:
        return self == AsOf()


NOW = AsOf()


def parse_as_of(
    connection: sqlite3.Connection, as_of: object = None, as_reported: object = None
) -> AsOf:
    """The point that two moments name: a time, a day (its end), or an entry (#41).

    An entry inside a batch stands for the end of the batch. Raises InvalidInput for what
    is no moment, NotFound for an entry that is not there.
    """
    if as_of is None and as_reported is None:
        return NOW
    zone = str(log.info(connection).get("time_zone", "UTC"))
    seq, reported = NOW
    if as_of is not None:
        moment = _moment("as_of", as_of, zone)
        if isinstance(moment, int):
            moment = _entry_row(connection, moment)[0]
        seq = log.position_at(connection, moment)
    if as_reported is not None:
        moment = _moment("as_reported", as_reported, zone)
        reported = _entry_row(connection, moment)[1] if isinstance(moment, int) else moment
    return AsOf(seq, reported)


def pinned(connection: sqlite3.Connection, as_of: AsOf) -> AsOf:
    """The same point by the number of an entry that is there: it stays what it is now."""
    newest = log.newest(connection)
    return as_of._replace(seq=min(as_of.seq, newest.seq if newest else -1))


def _moment(field: str, value: object, zone: str) -> clock.Moment:
    try:
        return clock.moment(value, zone)
    except InvalidValue as error:
        raise InvalidInput(field, error.problem) from None


def _entry_row(connection: sqlite3.Connection, seq: int) -> tuple[str, str]:
    """When an entry was recorded, and from when its report counts."""
    row = connection.execute(
        "SELECT l.recorded_at, coalesce(v.reported_from, l.recorded_at) FROM log AS l"
        " LEFT JOIN event_versions AS v"
        " ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq"
        " WHERE l.seq = ?",
        (min(max(seq, -1), _END),),
    ).fetchone()
    if row is None:
        newest = log.newest(connection)
        raise NotFound("entry", f"#{seq}", f"the newest is #{newest.seq}" if newest else "")
    return row[0], row[1]


# --- One event ----------------------------------------------------------------------------


def resolve_event(connection: sqlite3.Connection, text: str) -> tuple[str, int | None]:
    """Event id and version of what a person writes: ID, a beginning of one, ID@3 or #41.

    Raises NotFound, Ambiguous.
    """
    if entry := re.fullmatch(r"#([0-9]{1,15})", text):
        row = connection.execute(
            "SELECT subject, version FROM log WHERE seq = ?", (int(entry[1]),)
        ).fetchone()
        if row is None:
            raise NotFound("entry", text)
        what, _, key = row[0].partition("/")
        if what != "event":
            raise NotFound("event", text, f"that entry is about {row[0]}")
        return key, row[1]
    beginning, at, version = text.partition("@")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", beginning):
        raise NotFound("event", beginning, _nearest_event(connection, beginning))
    if at and not re.fullmatch(r"[1-9][0-9]{0,14}", version):
        raise NotFound("version", text, "write one such as ID@3")
    event_id = id_beginning(connection, "event", beginning)
    if event_id is None:
        raise NotFound("event", beginning, _nearest_event(connection, beginning))
    return event_id, int(version) if version else None


def id_beginning(connection: sqlite3.Connection, what: str, beginning: str) -> str | None:
    """The one id of an event, actor or source that is this or begins so. Raises Ambiguous."""
    matches: list[str] = [
        row[0]
        for row in connection.execute(
            f"SELECT {what}_id FROM {what}s"  # noqa: S608
            f" WHERE {what}_id >= ? AND {what}_id < ? || '~' ORDER BY 1 LIMIT 20",
            (beginning, beginning),
        )
    ]
    if beginning in matches:
        return beginning
    if len(matches) > 1:
        raise Ambiguous(what, beginning, matches)
    return matches[0] if matches else None


def resolve_source(connection: sqlite3.Connection, text: str) -> str:
    """The id of a source from what a person writes: its id, a beginning of it, or its address.

    Raises NotFound, Ambiguous.
    """
    if "://" in text:
        rows = connection.execute(
            "SELECT source_id FROM sources WHERE url = ? ORDER BY source_id LIMIT 20", (text,)
        )
        matches: list[str] = [row[0] for row in rows]
        if len(matches) > 1:
            raise Ambiguous("source", text, matches)
        source_id = matches[0] if matches else None
    else:
        source_id = id_beginning(connection, "source", text) if text else None
    if source_id is None:
        ids = [row[0] for row in connection.execute("SELECT source_id FROM sources LIMIT 10000")]
        near = countries.nearest(text, ids)
        raise NotFound("source", text, f"did you mean {near}?" if near else "")
    return source_id


def resolve_entry(connection: sqlite3.Connection, text: str) -> int:
    """The number of the entry that a person names: #41, ID@3 or an event's id (its newest).

    Raises NotFound, Ambiguous.
    """
    if re.fullmatch(r"#[0-9]{1,15}", text):
        _entry_row(connection, int(text[1:]))
        return int(text[1:])
    event_id, version = resolve_event(connection, text)
    row = connection.execute(
        "SELECT seq FROM event_versions WHERE event_id = ?1 AND version = coalesce(?2,"
        " (SELECT version FROM events WHERE event_id = ?1))",
        (event_id, version),
    ).fetchone()
    if row is None:
        raise NotFound("version", text)
    return int(row[0])


def _nearest_event(connection: sqlite3.Connection, text: str) -> str:
    ids = [row[0] for row in connection.execute("SELECT event_id FROM events LIMIT 10000")]
    near = countries.nearest(text, ids)
    return f"did you mean {near}?" if near else ""


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
    "merged_into",
    "content_seq",
)


VERSION_AT = (
    "min((SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
    "       AND r.seq <= ? ORDER BY r.seq DESC LIMIT 1),"
    "    (SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
    "       AND r.reported_from <= ? ORDER BY r.reported_from DESC, r.version DESC LIMIT 1))"
)
"""The version of events AS e at a point (`AsOf`), null before there was one, as SQL."""


def _version(
    connection: sqlite3.Connection, event_id: str, as_of: AsOf, version: int | None
) -> Row | None:
    """The row of `event_versions` that holds, each clock one look into an index."""
    if not re.fullmatch(ID_PATTERN, event_id):
        return None
    newest = _one(
        connection,
        f"SELECT {VERSION_AT} FROM (SELECT ? AS event_id) AS e",  # noqa: S608
        (*as_of, event_id),
    )
    if newest is None:
        return None
    if version is not None and version > newest:
        return None
    return _row(
        connection.execute(
            f"SELECT {', '.join(_VERSION_COLUMNS)} FROM event_versions"  # noqa: S608
            " WHERE event_id = ? AND version = ?",
            (event_id, newest if version is None else version),
        )
    )


def get(
    connection: sqlite3.Connection,
    event_id: str,
    *,
    version: int | None = None,
    as_of: AsOf = NOW,
) -> Row:
    """One event: the fields of its content, its bounds, then how it stands.

    An event that rests on sources alone that were withdrawn by then has them in `at_risk`.

    Raises NotFound for an event or a version that was not there as of then.
    """
    standing = _version(connection, event_id, as_of, version)
    if standing is None:
        name = f"{event_id}@{version}" if version else event_id
        raise _not_there(name, as_of)
    said = content(connection, standing["content_seq"])
    cited = [citation["source_id"] for citation in (said or {}).get("citations", ())]
    return _standing_event(standing, said, withdrawals(connection, as_of, cited) if cited else {})


def _not_there(name: str, as_of: AsOf) -> NotFound:
    return NotFound("event", name, "" if as_of.is_now else "it was not there as of then")


def _standing_event(
    standing: Mapping[str, Any], said: Row | None, withdrawn: Mapping[str, Row]
) -> Row:
    event: Row = {"event_id": standing["event_id"], **(said or {})}
    if said:
        event.setdefault("modality", "actual")
        event.setdefault("verification", "reported")
        when = edtf.parse(said["occurred"])
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
"""CROSS JOIN: the order of the look-ups is ours, not SQLite's to choose."""

_AT_ONCE = 500


def each(
    connection: sqlite3.Connection, event_ids: Iterable[str], *, as_of: AsOf = NOW
) -> Iterator[Row]:
    """What `get` answers for each of these ids, in their order, streamed.

    Raises NotFound at the first event that was not there as of then.
    """
    version, point = ("e.version", ()) if as_of.is_now else (VERSION_AT, as_of)
    withdrawn = withdrawals(connection, as_of)
    ids = iter(event_ids)
    while some := [*islice(ids, _AT_ONCE)]:
        values = (json.dumps(some), *point)
        found = rows(connection.execute(_EACH.format(version=version), values))
        for event_id in some:
            standing = next(found, None)
            if standing is None or standing["event_id"] != event_id:
                raise _not_there(event_id, as_of)
            check_version(standing["content_seq"], standing["envelope"])
            yield _standing_event(standing, decode_content(standing["payload"]), withdrawn)


def history(connection: sqlite3.Connection, event_id: str, *, as_of: AsOf = NOW) -> list[Row]:
    """Every version of an event up to then, oldest first, each with its `changes`.

    The last of them was not superseded yet. Raises NotFound if there was none.
    """
    newest = _version(connection, event_id, as_of, None)
    if newest is None:
        raise _not_there(event_id, as_of)
    changes: dict[int, list[Row]] = {}
    for row in rows(
        connection.execute(
            "SELECT version, path, old_value, new_value FROM field_changes"
            " WHERE event_id = ? AND version <= ? ORDER BY version, position",
            (event_id, newest["version"]),
        )
    ):
        changes.setdefault(row.pop("version"), []).append(row)
    columns = [column for column in _VERSION_COLUMNS if column != "content_seq"]
    versions = [
        {**row, "changes": changes.get(row["version"], [])}
        for row in rows(
            connection.execute(
                f"SELECT {', '.join(columns)} FROM event_versions"  # noqa: S608
                " WHERE event_id = ? AND version <= ? ORDER BY version",
                (event_id, newest["version"]),
            )
        )
    ]
    versions[-1]["superseded_at"] = None
    return versions


# --- Its sources --------------------------------------------------------------------------


def withdrawals(
    connection: sqlite3.Connection, as_of: AsOf = NOW, source_ids: Sequence[str] | None = None
) -> dict[str, Row]:
    """The sources, or those of these ids, that were withdrawn as of then, by id.

    Each has source_id, its title of today (or what else it is known by), and the reason.
    """
    sql, values = _WITHDRAWN, [*as_of]
    if source_ids is not None:
        sql += " AND t.source_id IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(source_ids))
    return {row["source_id"]: row for row in rows(connection.execute(sql, values))}


_WITHDRAWN = (
    "SELECT t.source_id, coalesce(s.title, s.url, s.source_id) AS title, t.reason"
    " FROM source_states AS t CROSS JOIN sources AS s ON s.source_id = t.source_id"
    " WHERE t.state = 'withdrawn' AND t.seq = (SELECT max(u.seq) FROM source_states AS u"
    "   WHERE u.source_id = t.source_id AND u.seq <= ? AND u.reported_from <= ?)"
)


def withdrawn(connection: sqlite3.Connection, event_id: str) -> list[Row]:
    """The sources of an event that are withdrawn in these tables: what `get` has in `at_risk`."""
    return [
        *rows(
            connection.execute(
                "SELECT source_id, coalesce(title, url, source_id) AS title,"
                " withdrawn_reason AS reason FROM sources JOIN citations USING (source_id)"
                " WHERE event_id = ? AND state = 'withdrawn'"
                " GROUP BY source_id ORDER BY min(position)",
                (event_id,),
            )
        )
    ]


def sources(
    connection: sqlite3.Connection, source_ids: Iterable[str], as_of: AsOf = NOW
) -> dict[str, Row]:
    """The rows of `sources` with these ids, by id: what is said of them today, withdrawn or not
    as of then."""
    ids = [*dict.fromkeys(source_ids)]
    found = (
        _row(connection.execute("SELECT * FROM sources WHERE source_id = ?", (source_id,)))
        for source_id in ids
    )
    by_id = {row["source_id"]: row for row in found if row}
    if not as_of.is_now:
        then = withdrawals(connection, as_of, ids)
        for source_id, row in by_id.items():
            row["state"] = "withdrawn" if source_id in then else "current"
            row["withdrawn_reason"] = then.get(source_id, {}).get("reason")
    return by_id


def related(connection: sqlite3.Connection, event_id: str) -> list[Row]:
    """The ties of an event today, both ways: direction ("to", "from"), relation, event, title."""
    return [
        *rows(
            connection.execute(
                "SELECT x.direction, x.relation, x.event_id, e.title FROM"
                " (SELECT 'to' AS direction, relation, related_event_id AS event_id"
                "    FROM event_relations WHERE event_id = :id"
                "  UNION ALL SELECT 'from', relation, event_id"
                "    FROM event_relations WHERE related_event_id = :id) AS x"
                " JOIN events AS e USING (event_id) ORDER BY 1 DESC, 2, 3",
                {"id": event_id},
            )
        )
    ]


def labels(connection: sqlite3.Connection) -> dict[str, str]:
    """The labels of the log's event types, by code."""
    return dict(connection.execute("SELECT code, label FROM event_types"))


def content(connection: sqlite3.Connection, seq: int) -> Row | None:
    """What the entry `seq` says of its event; None when its payload was erased."""
    envelope, payload = connection.execute(
        "SELECT envelope, payload FROM log WHERE seq = ?", (seq,)
    ).fetchone()
    check_version(seq, envelope)
    return decode_content(payload)


# --- The log ------------------------------------------------------------------------------


def erasure_of(connection: sqlite3.Connection, seq: int) -> Row | None:
    """Why what stood after entry `seq` is gone: seq, recorded_at and reason of the erasure.

    That of the entry itself, else of the one whose content it left as it was; None if neither
    was erased. The reason is None if it was erased in its turn.
    """
    found = _row(
        connection.execute(
            "SELECT e.seq, e.recorded_at, e.payload FROM log AS l"
            " LEFT JOIN event_versions AS v"
            " ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq"
            " JOIN log AS gone ON gone.seq IN (l.seq, v.content_seq) AND gone.payload IS NULL"
            " JOIN log AS e ON e.subject = 'entry/' || gone.id"
            " WHERE l.seq = ? ORDER BY gone.seq DESC, e.version LIMIT 1",
            (seq,),
        )
    )
    if found:
        payload = found.pop("payload")
        found["reason"] = decode_payload(payload).get("reason") if payload else None
    return found


def log_entries(
    connection: sqlite3.Connection, *, as_of: AsOf = NOW, limit: int | None = None
) -> Iterator[Row]:
    """The entries, newest first, as JSON would hold them: payload parsed, hashes in hex."""
    cursor = connection.execute(
        "SELECT seq, id, kind, subject, version, recorded_at, reported_at, payload, leaf"
        " FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT ?",
        (as_of.seq, -1 if limit is None else limit),
    )
    for row in rows(cursor):
        payload, leaf = row.pop("payload"), row.pop("leaf")
        row["payload"] = None if payload is None else decode_payload(payload)
        row["leaf"] = leaf.hex()
        yield row


def _one(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Any:
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None


def _row(cursor: sqlite3.Cursor) -> Row | None:
    return next(rows(cursor), None)


def rows(cursor: sqlite3.Cursor) -> Iterator[Row]:
    """The rows of an answer as dicts."""
    names = [column[0] for column in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)
