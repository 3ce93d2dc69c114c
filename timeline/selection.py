"""Reading many events: lists, search and facets of a selection, now or as of any moment.

Guarantees: nothing here writes to the file. A selection in the past is the present one's
code over the tables as they stood then, so that both answer alike; counts are exact.

Knows the tables; what may be written is not its business.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from timeline import edtf_time, fold, projection, query, vocabulary
from timeline.codec import decode_content
from timeline.errors import InvalidInput, InvalidValue
from timeline.model import Event
from timeline.projector import Projector
from timeline.terms import Term, term

__all__ = ["FACETS", "FILTERS", "facets", "list_events", "search", "tables_as_of"]


@contextlib.contextmanager
def tables_as_of(connection: sqlite3.Connection, as_of: query.AsOf) -> Iterator[sqlite3.Connection]:
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
        projector = Projector(past)
        for standing, content in _contents_as_of(connection, as_of):
            projector.put(standing, content)
        projector.flush()
        past.execute("COMMIT")
        yield past


def _contents_as_of(
    connection: sqlite3.Connection, as_of: query.AsOf
) -> Iterator[tuple[query.Row, dict[str, Any] | None]]:
    cursor = connection.execute(
        "SELECT v.event_id, v.state, v.merged_into, v.version, v.seq, v.recorded_at,"  # noqa: S608
        " v.reported_at, e.first_recorded_at, e.event_key, l.payload,"
        " (SELECT count(*) FROM event_versions AS c WHERE c.event_id = v.event_id"
        "   AND c.version <= v.version AND c.kind = 'event.corrected') AS corrections_count"
        " FROM events AS e JOIN event_versions AS v ON v.event_id = e.event_id"
        f" AND v.version = {query.VERSION_AT}"
        " JOIN log AS l ON l.seq = v.content_seq",
        as_of,
    )
    for row in query.rows(cursor):
        payload = row.pop("payload")
        yield row, decode_content(payload)


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
        Term(*row)
        for row in connection.execute(
            "SELECT code, label, coalesce(definition, '') FROM event_types"
        )
    ]
    try:
        return term(text, terms, "event type")
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
) -> Iterator[query.Row]:
    """Rows of `events` in the order in which they happened, those without a start first."""
    where, values = _where(connection, filters or {})
    cursor = connection.execute(
        f"SELECT e.* FROM events AS e WHERE {where}"  # noqa: S608
        " ORDER BY e.occurred_from, e.event_id LIMIT ?",
        (*values, -1 if limit is None else limit),
    )
    return query.rows(cursor)


def search(
    connection: sqlite3.Connection,
    text: str,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> Iterator[query.Row]:
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
    return query.rows(cursor)


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
) -> dict[str, list[query.Row]]:
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
        counted[facet] = list(query.rows(cursor))
    return counted
