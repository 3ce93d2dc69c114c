"""Know the values that the parameter of a query may have, to offer them where it is asked for.

Guarantees: no more than 200 values, read in no longer than a tenth of a second each time; a reader
is offered no value of a table that they may not view.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from datasette.database import QueryInterrupted
from markupsafe import Markup

from timeline.site.datasette_filters import may_read

_MOST = 200
"""Values; a browser shows them as a list to scroll through, and narrows it as one types."""

_LONGEST = 100
"""Milliseconds of one list; 200 values of an indexed column take 1 ms, of 100,000 events too."""


class KnownValues(NamedTuple):
    """The values of a parameter are what SQL selects, each with a label that may be empty."""

    sql: str
    tables: tuple[str, ...]
    """The tables that the reader must be allowed to view."""


def _different(table: str, column: str) -> str:
    """Return SQL that finds the different values of an indexed column one after another."""
    return (
        f"WITH RECURSIVE found (value) AS (SELECT min({column}) FROM {table} UNION ALL"  # noqa: S608
        f" SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value)"
        " FROM found WHERE value IS NOT NULL LIMIT :most)"
        " SELECT value, '' FROM found WHERE value IS NOT NULL"
    )


def _labelled(table: str, column: str, names: str, key: str, label: str) -> KnownValues:
    """Return the different values of an indexed column with their labels in another table."""
    sql = _different(table, column).replace(
        "SELECT value, ''",
        f"SELECT value, (SELECT {label} FROM {names} WHERE {key} = value)",  # noqa: S608
    )
    return KnownValues(sql, (table, names))


_OF_EVENTS = KnownValues(
    "SELECT event_id, title FROM events ORDER BY event_key DESC LIMIT :most", ("events",)
)
_OF_DAYS = KnownValues(
    "WITH RECURSIVE found (day) AS (SELECT max(recorded_at) FROM log UNION ALL"
    " SELECT (SELECT max(recorded_at) FROM log WHERE recorded_at < substr(day, 1, 10))"
    " FROM found WHERE day IS NOT NULL LIMIT :most)"
    " SELECT substr(day, 1, 10), '' FROM found WHERE day IS NOT NULL",
    ("log",),
)
_OF_CURRENCIES = KnownValues(
    "SELECT DISTINCT unit, '' FROM event_quantities WHERE measure IN"
    " ('pledged', 'committed', 'allocated', 'disbursed', 'delivered')"
    " AND unit GLOB '[A-Z][A-Z][A-Z]' LIMIT :most",
    ("event_quantities",),
)
_KNOWN = {
    "actor": KnownValues(
        "SELECT name, '' FROM actors WHERE merged_into IS NULL ORDER BY actor_id LIMIT :most",
        ("actors",),
    ),
    "actor_id": KnownValues(
        "SELECT actor_id, name FROM actors ORDER BY actor_id LIMIT :most", ("actors",)
    ),
    "country": _labelled("events", "country", "countries", "alpha3", "name"),
    "currency": _OF_CURRENCIES,
    "day": _OF_DAYS,
    "event_id": _OF_EVENTS,
    "event_type": _labelled("events", "event_type", "event_types", "code", "label"),
    "from_day": _OF_DAYS,
    "measure": KnownValues(_different("event_quantities", "measure"), ("event_quantities",)),
    "source_id": KnownValues(
        "SELECT source_id, coalesce(title, url, '') FROM sources"
        " ORDER BY source_key DESC LIMIT :most",
        ("sources",),
    ),
    "speaker": KnownValues(
        "SELECT DISTINCT speaker, '' FROM event_claims LIMIT :most", ("event_claims",)
    ),
    "tag": KnownValues(_different("event_tags", "tag"), ("event_tags",)),
    "to_day": _OF_DAYS,
}
"""The values of parameters, by the name that a parameter has in our queries or in a reader's."""


async def offered(datasette: Any, database: str, request: Any, parameter: str) -> Markup:
    """Return the list of known values of a parameter as HTML; it is empty if none are known.

    Its id is "known-" and the name of the parameter.
    """
    known = _KNOWN.get(parameter)
    if known is None or not await may_read(datasette, request, database, known.tables):
        return Markup()
    try:
        answer = await datasette.execute(
            database, known.sql, {"most": _MOST}, custom_time_limit=_LONGEST
        )
    except QueryInterrupted:
        return Markup()
    options = Markup().join(
        Markup('<option value="{}">{}</option>').format(value, label or "")
        for value, label in map(tuple, answer.rows)
    )
    return Markup('<datalist id="known-{}">{}</datalist>').format(parameter, options)
