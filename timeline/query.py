"""Reading: an event, its history, lists, search and facets, now or as of any moment.

Guarantees: nothing here writes to the file. Every answer takes two clocks: `as_of` is what
this log had recorded by then, `as_reported` what had been reported by then; with both, the
lower of the two versions. One event is found in a few index look-ups, however long its
history; a list in the past is the present one's code over the tables as they stood then.

Rows are dicts. Knows the tables; decides nothing about what may be written.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from timeline import clock, edtf_time, fold, log, projection, vocabulary
from timeline.codec import check_version, decode_payload
from timeline.errors import Ambiguous, InvalidInput, InvalidValue, NotFound
from timeline.fields import ID_PATTERN
from timeline.model import Event

__all__ = [
    "FACETS",
    "FILTERS",
    "AsOf",
    "facets",
    "get",
    "history",
    "labels",
    "list_events",
    "log_entries",
    "parse_as_of",
    "related",
    "resolve_event",
    "search",
    "sources",
    "tables_as_of",
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
    zone = str(projection.log_info(connection).get("time_zone", "UTC"))
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
    matches = [
        event_id
        for (event_id,) in connection.execute(
            "SELECT event_id FROM events WHERE event_id >= ? AND event_id < ? || '~'"
            " ORDER BY event_id LIMIT 20",
            (beginning, beginning),
        )
    ]
    if beginning in matches:
        matches = [beginning]
    if not matches:
        raise NotFound("event", beginning, _nearest_event(connection, beginning))
    if len(matches) > 1:
        raise Ambiguous("event", beginning, matches)
    return matches[0], int(version) if version else None


def _nearest_event(connection: sqlite3.Connection, text: str) -> str:
    ids = [row[0] for row in connection.execute("SELECT event_id FROM events LIMIT 10000")]
    near = vocabulary.nearest(text, ids)
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


def _version(
    connection: sqlite3.Connection, event_id: str, as_of: AsOf, version: int | None
) -> Row | None:
    """The row of `event_versions` that holds, each bound one look into an index."""
    if not re.fullmatch(ID_PATTERN, event_id):
        return None
    bounds: list[int | None] = [
        _one(
            connection,
            "SELECT version FROM event_versions WHERE event_id = ? AND seq <= ?"
            " ORDER BY seq DESC LIMIT 1",
            (event_id, as_of.seq),
        ),
        _one(
            connection,
            "SELECT version FROM event_versions WHERE event_id = ? AND reported_from <= ?"
            " ORDER BY reported_from DESC, version DESC LIMIT 1",
            (event_id, as_of.reported),
        ),
    ]
    if None in bounds:
        return None
    newest = min(bound for bound in bounds if bound is not None)
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

    Raises NotFound for an event or a version that was not there as of then.
    """
    standing = _version(connection, event_id, as_of, version)
    if standing is None:
        name = f"{event_id}@{version}" if version else event_id
        raise NotFound("event", name, "" if as_of.is_now else "it was not there as of then")
    content = _content(connection, standing["content_seq"]) or {}
    event: Row = {"event_id": event_id, **content}
    if content:
        event.setdefault("modality", "actual")
        event.setdefault("verification", "reported")
        when = edtf_time.parse(content["occurred"])
        event["occurred_from"] = when.occurred_from
        event["occurred_to"] = when.occurred_to
        event["occurred_precision"] = when.precision
    if standing["merged_into"]:
        event["merged_into"] = standing["merged_into"]
    for field in ("state", "version", "seq", "recorded_at", "reported_at"):
        event[field] = standing[field]
    return event


def history(connection: sqlite3.Connection, event_id: str, *, as_of: AsOf = NOW) -> list[Row]:
    """Every version of an event up to then, oldest first, each with its `changes`.

    The last of them was not superseded yet. Raises NotFound if there was none.
    """
    newest = _version(connection, event_id, as_of, None)
    if newest is None:
        raise NotFound("event", event_id, "" if as_of.is_now else "it was not there as of then")
    changes: dict[int, list[Row]] = {}
    for row in _rows(
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
        for row in _rows(
            connection.execute(
                f"SELECT {', '.join(columns)} FROM event_versions"  # noqa: S608
                " WHERE event_id = ? AND version <= ? ORDER BY version",
                (event_id, newest["version"]),
            )
        )
    ]
    versions[-1]["superseded_at"] = None
    return versions


def sources(connection: sqlite3.Connection, source_ids: Iterable[str]) -> dict[str, Row]:
    """The rows of `sources` with these ids, by id."""
    found = (
        _row(connection.execute("SELECT * FROM sources WHERE source_id = ?", (source_id,)))
        for source_id in source_ids
    )
    return {row["source_id"]: row for row in found if row}


def related(connection: sqlite3.Connection, event_id: str) -> list[Row]:
    """The ties of an event today, both ways: direction ("to", "from"), relation, event, title."""
    return [
        *_rows(
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


def _content(connection: sqlite3.Connection, seq: int) -> Row | None:
    envelope, payload = connection.execute(
        "SELECT envelope, payload FROM log WHERE seq = ?", (seq,)
    ).fetchone()
    check_version(seq, envelope)
    return None if payload is None else fold.content_of(decode_payload(payload))


# --- Many events --------------------------------------------------------------------------


@contextlib.contextmanager
def tables_as_of(connection: sqlite3.Connection, as_of: AsOf) -> Iterator[sqlite3.Connection]:
    """The tables of the projection as they stood then, in memory; `connection` itself for now.

    Names of actors and states of sources are always today's.
    """
    if as_of.is_now:
        yield connection
        return
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as past:
        past.execute("BEGIN")
        projection.create(past)
        for table in ("event_types", "actors", "actor_names", "sources"):
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608
            marks = ", ".join("?" * len(rows.description))
            past.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        projector = projection.Projector(past)
        for standing, content in _contents_as_of(connection, as_of):
            projector.put(standing, content)
        projector.flush()
        past.execute("COMMIT")
        yield past


def _contents_as_of(
    connection: sqlite3.Connection, as_of: AsOf
) -> Iterator[tuple[Row, dict[str, Any] | None]]:
    cursor = connection.execute(
        "SELECT v.event_id, v.state, v.merged_into, v.version, v.seq, v.recorded_at,"
        " v.reported_at, e.first_recorded_at, e.event_key, l.payload,"
        " (SELECT count(*) FROM event_versions AS c WHERE c.event_id = v.event_id"
        "   AND c.version <= v.version AND c.kind = 'event.corrected') AS corrections_count"
        " FROM events AS e JOIN event_versions AS v ON v.event_id = e.event_id AND v.version ="
        " min((SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
        "       AND r.seq <= ? ORDER BY r.seq DESC LIMIT 1),"
        "     (SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
        "       AND r.reported_from <= ? ORDER BY r.reported_from DESC, r.version DESC LIMIT 1))"
        " JOIN log AS l ON l.seq = v.content_seq",
        as_of,
    )
    for row in _rows(cursor):
        payload = row.pop("payload")
        yield row, None if payload is None else fold.content_of(decode_payload(payload))


FILTERS = {
    "event_type": "e.event_type = ?",
    "country": "e.country = ?",
    "place": "e.place = ? COLLATE NOCASE",
    "actor": "e.event_id IN (SELECT event_id FROM event_actors WHERE actor_id IN"
    " (WITH RECURSIVE chain (step) AS (SELECT value FROM json_each(?) UNION"
    "   SELECT a.merged_into FROM chain JOIN actors AS a ON a.actor_id = chain.step"
    "    WHERE a.merged_into IS NOT NULL) SELECT step FROM chain))",
    "tag": "e.event_id IN (SELECT event_id FROM event_tags WHERE tag = ?)",
    "source": "e.event_id IN (SELECT c.event_id FROM citations AS c JOIN sources AS s"
    " USING (source_id) WHERE ? COLLATE NOCASE IN (s.source_id, s.url, s.publisher))",
    "modality": "e.modality = ?",
    "verification": "e.verification = ?",
    "precision": "e.occurred_precision = ?",
    "year": "e.year = ?",
    "month": "e.month = ?",
    "state": "e.state = ?",
    "since": "(e.occurred_to IS NULL OR e.occurred_to || '~' >= ?)",
    "until": "(e.occurred_from IS NULL OR e.occurred_from <= ? || '~')",
}
"""The filters of `list`, `search`, `facets` and exports, as SQL on events AS e.

A period takes all that could have happened in it. Without `state` only current events are
listed; state "all" takes every one.
"""

_MATCHES = "e.event_key IN (SELECT rowid FROM event_search WHERE event_search MATCH ?)"


def _where(
    connection: sqlite3.Connection, filters: Mapping[str, Any], text: str | None = None
) -> tuple[str, list[Any]]:
    """The condition on events AS e that filters, in the words of a person, and a text make."""
    clauses: list[str] = []
    values: list[Any] = []
    for name, value in filters.items():
        if value is None:
            continue
        if name not in FILTERS:
            raise InvalidInput(name, f"is not a filter: known are {', '.join(FILTERS)}")
        try:
            wanted = _wanted(connection, name, value)
        except InvalidValue as error:
            raise InvalidInput(name, error.problem) from None
        if wanted is not None:
            clauses.append(FILTERS[name])
            values.append(wanted)
    if filters.get("state") is None:
        clauses.append("e.state = 'current'")
    if text is not None:
        clauses.append(_MATCHES)
        values.append(_match(text))
    return " AND ".join(clauses) or "1", values


_STATES = ("current", "retracted", "merged", "erased")
_CHOICES: dict[str, tuple[str, ...]] = {
    "modality": get_args(Event.model_fields["modality"].annotation),
    "verification": get_args(Event.model_fields["verification"].annotation),
    "precision": get_args(edtf_time.Precision),
    "state": (*_STATES, "all"),
}


def _wanted(connection: sqlite3.Connection, name: str, value: object) -> object:
    """What a filter looks for, as the tables have it; None for no limit.

    Raises InvalidValue.
    """
    text = str(value).strip()
    if _is_broken(text):
        raise InvalidValue(text, "holds half a character (a lone surrogate)")
    match name:
        case "actor":
            return json.dumps(_actors_called(connection, text))
        case "event_type":
            return _event_type(connection, text)
        case "country":
            return vocabulary.country(text)
        case "tag":
            return text.lower()
        case "since":
            return edtf_time.parse(text).occurred_from
        case "until":
            return edtf_time.parse(text).occurred_to
        case "month":
            month = edtf_time.parse(text).month
            if month is None:
                raise InvalidValue(text, f'"{text}" is not a month: write one such as 2025-04')
            return month
        case "year":
            if not re.fullmatch(r"-?[0-9]{1,12}", text, re.ASCII):
                raise InvalidValue(text, f'"{text}" is not a year: write one such as 2025')
            return int(text)
        case "modality" | "verification" | "precision" | "state":
            word = re.sub(r"[\s-]", "_", text.lower())
            if word not in _CHOICES[name]:
                raise InvalidValue(text, f'"{text}" is none of {", ".join(_CHOICES[name])}')
            return None if word == "all" else word
        case _:
            return text


def _actors_called(connection: sqlite3.Connection, text: str) -> list[str]:
    """The ids of the actors that have this id; if there is none, of those with this name."""
    found = connection.execute("SELECT actor_id FROM actors WHERE actor_id = ?", (text,))
    if found.fetchone():
        return [text]
    named = connection.execute(
        "SELECT actor_id FROM actor_names WHERE name_key = ?"
        " UNION SELECT actor_id FROM actors WHERE name = ? COLLATE NOCASE",
        (vocabulary.fold(text), text),
    )
    return [fold.actor_id_of(text), *(actor_id for (actor_id,) in named)]


def _event_type(connection: sqlite3.Connection, text: str) -> str:
    """The code of an event type, from its code or its label."""
    terms = [
        vocabulary.Term(*row)
        for row in connection.execute(
            "SELECT code, label, coalesce(definition, '') FROM event_types"
        )
    ]
    try:
        return vocabulary.term(text, terms, "event type")
    except InvalidValue:
        # Free words, if the vocabulary has none; and words that it had once.
        used = connection.execute("SELECT 1 FROM events WHERE event_type = ? LIMIT 1", (text,))
        if not terms or used.fetchone():
            return text
        raise


def _match(text: str) -> str:
    """The words of a person as an FTS5 query: all of them, the last one perhaps unfinished."""
    if _is_broken(text):
        raise InvalidInput("text", "holds half a character (a lone surrogate)")
    words = [
        (phrase or word, bool(word))
        for phrase, word in re.findall(r'"([^"\x00]+)"|([^\s"\x00]+)', text)
        if any(character.isalnum() for character in phrase or word)
    ]
    if not words:
        raise InvalidInput("text", "must hold a word to look for")
    return " ".join(f'"{word}"' for word, _ in words) + (" *" if words[-1][1] else "")


def _is_broken(text: str) -> bool:
    """Whether it holds what UTF-8 cannot: half of a surrogate pair."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def list_events(
    connection: sqlite3.Connection,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> Iterator[Row]:
    """Rows of `events` in the order in which they happened, those without a start first."""
    where, values = _where(connection, filters or {})
    cursor = connection.execute(
        f"SELECT e.* FROM events AS e WHERE {where}"  # noqa: S608
        " ORDER BY e.occurred_from, e.event_id LIMIT ?",
        (*values, -1 if limit is None else limit),
    )
    return _rows(cursor)


def search(
    connection: sqlite3.Connection,
    text: str,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> Iterator[Row]:
    """Rows of `events` that hold all words of `text`, best first, each with a `match`.

    The match is the words around, the found ones between U+0002 and U+0003.
    """
    where, values = _where(connection, filters or {})
    cursor = connection.execute(
        "SELECT e.*, snippet(event_search, -1, char(2), char(3), ' ... ', 12) AS match"  # noqa: S608
        " FROM event_search JOIN events AS e ON e.event_key = event_search.rowid"
        f" WHERE event_search MATCH ? AND {where}"
        " ORDER BY event_search.rank, e.event_key LIMIT ?",
        (_match(text), *values, -1 if limit is None else limit),
    )
    return _rows(cursor)


FACETS = {
    "event_type": (
        "e.event_type",
        "coalesce(t.label, e.event_type)",
        "LEFT JOIN event_types AS t ON t.code = e.event_type",
    ),
    "actor": (
        "a.actor_id",
        "a.name",
        "JOIN event_actors AS x USING (event_id) JOIN actors AS a USING (actor_id)",
    ),
    "country": ("c.alpha3", "c.name", "JOIN countries AS c ON c.alpha3 = e.country"),
    "tag": ("x.tag", "x.tag", "JOIN event_tags AS x USING (event_id)"),
    "source": (
        "s.source_id",
        "coalesce(s.title, s.url, s.source_id)",
        "JOIN citations AS x USING (event_id) JOIN sources AS s USING (source_id)",
    ),
    "year": ("e.year", "e.year", ""),
    "month": ("e.month", "e.month", ""),
    "modality": ("e.modality", "e.modality", ""),
    "verification": ("e.verification", "e.verification", ""),
    "precision": ("e.occurred_precision", "e.occurred_precision", ""),
    "state": ("e.state", "e.state", ""),
}
"""The facets: value, label, and what events AS e is joined with to get them."""

_IN_TIME_ORDER = frozenset(("year", "month"))


def facets(
    connection: sqlite3.Connection,
    filters: Mapping[str, Any] | None = None,
    *,
    text: str | None = None,
) -> dict[str, list[Row]]:
    """For each facet its values with label and exact count of events.

    The most frequent come first; years and months in their order.
    """
    where, values = _where(connection, filters or {}, text)
    counted = {}
    for facet, (value, label, joins) in FACETS.items():
        order = "1" if facet in _IN_TIME_ORDER else "3 DESC, 2, 1"
        cursor = connection.execute(
            f"SELECT {value} AS value, {label} AS label, count(DISTINCT e.event_id) AS count"  # noqa: S608
            f" FROM events AS e {joins} WHERE {where} AND {value} IS NOT NULL"
            f" GROUP BY 1 ORDER BY {order}",
            values,
        )
        counted[facet] = list(_rows(cursor))
    return counted


# --- The log ------------------------------------------------------------------------------


def log_entries(
    connection: sqlite3.Connection, *, as_of: AsOf = NOW, limit: int | None = None
) -> Iterator[Row]:
    """The entries, newest first, as JSON would hold them: payload parsed, hashes in hex."""
    cursor = connection.execute(
        "SELECT seq, id, kind, subject, version, recorded_at, reported_at, payload, leaf"
        " FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT ?",
        (as_of.seq, -1 if limit is None else limit),
    )
    for row in _rows(cursor):
        payload, leaf = row.pop("payload"), row.pop("leaf")
        row["payload"] = None if payload is None else decode_payload(payload)
        row["leaf"] = leaf.hex()
        yield row


def _one(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Any:
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None


def _row(cursor: sqlite3.Cursor) -> Row | None:
    return next(_rows(cursor), None)


def _rows(cursor: sqlite3.Cursor) -> Iterator[Row]:
    names = [column[0] for column in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)
