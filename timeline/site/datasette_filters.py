"""Filter the tables of events by ?_actor=, ?_source=, ?_tag= and ?_period=, in Datasette.

Guarantees: a filter that cannot be read is answered with status 400 and what to write instead;
one that needs a table that the reader may not view is refused. LINKS and VALUES name the tables
and columns that events are filtered and counted by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from datasette.filters import FilterArguments
from datasette.utils.asgi import BadRequest, Forbidden

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.log_clock import occurred_in
from timeline.site import guard
from timeline.site.arguments import arguments

EVENT_TABLES = ("events", "current_events")


class Link(NamedTuple):
    """A link names the table and the column that give events their values, such as actors."""

    word: str
    """The name of a value: with "actor" the filter is ?_actor=, and "where actor is ..."."""
    table: str
    column: str
    labels: str
    """SQL that selects all values with their labels."""
    tables: tuple[str, ...]
    """The tables that the reader must be allowed to view."""


LINKS = {
    "actors": Link(
        "actor",
        "event_actors",
        "actor_id",
        "SELECT actor_id AS value, name AS label FROM actors",
        ("event_actors", "actors"),
    ),
    "sources": Link(
        "source",
        "citations",
        "source_id",
        "SELECT source_id AS value, name AS label FROM source_names",
        ("citations", "sources"),
    ),
    "tags": Link(
        "tag",
        "event_tags",
        "tag",
        "SELECT DISTINCT tag AS value, tag AS label FROM event_tags",
        ("event_tags",),
    ),
}

_NO_LABELS = "SELECT NULL AS value, NULL AS label WHERE 0"
VALUES = {
    "event_type": Link(
        "event_type",
        "events",
        "event_type",
        "SELECT code AS value, label FROM event_types",
        ("event_types",),
    ),
    "country": Link(
        "country",
        "events",
        "country",
        "SELECT alpha3 AS value, name AS label FROM countries",
        ("countries",),
    ),
    "modality": Link("modality", "events", "modality", _NO_LABELS, ()),
    "verification": Link("verification", "events", "verification", _NO_LABELS, ()),
    "occurred_precision": Link("precision", "events", "occurred_precision", _NO_LABELS, ()),
    "state": Link("state", "events", "state", _NO_LABELS, ()),
}
"""Columns of the table `events`; `word` is the name of the facet in the index."""


OFFERED = {"value": tuple(VALUES), "m2m": tuple(LINKS), "period": ("occurred",)}
"""The names of our facets, by the types under which Datasette knows them."""


async def filters(datasette: Any, request: Any, database: str, table: str) -> Any:
    """Return Datasette's filters for ?_actor=, ?_source=, ?_tag= and ?_period= of a request.

    None for a table that has no events of a timeline. Raises BadRequest for a text that is no
    period and for an unknown facet, Forbidden if a table that is needed may not be read.
    """
    if not has_events(datasette, database, table):
        return None
    _check_facets(request)
    clauses: list[str] = []
    parameters: dict[str, str] = {}
    descriptions: list[str] = []
    for name, link in LINKS.items():
        values = given(request, link.word)
        if values and not await may_read(datasette, request, database, link.tables):
            raise Forbidden(f"You do not have permission to view {name}")
        labels = await _labels(datasette, database, link, values) if values else {}
        for number, value in enumerate(values):
            parameter = f"timeline_{link.word}_{number}"
            clauses.append(
                f"event_id IN (SELECT event_id FROM {link.table}"  # noqa: S608
                f" WHERE {link.column} = :{parameter})"
            )
            parameters[parameter] = value
            descriptions.append(f"{link.word} is {labels.get(value, value)}")
    periods = periods_of(request)
    time_zone = await _time_zone(datasette, database) if periods else "UTC"
    for number, asked in enumerate(periods):
        period = occurred_in(asked.edtf, time_zone)
        since, until = (f"timeline_{side}_{number}" for side in ("since", "until"))
        if period.occurred_from is not None:
            clauses.append(f"(occurred_to IS NULL OR occurred_to || '~' >= :{since})")
            parameters[since] = period.occurred_from
        if period.occurred_to is not None:
            clauses.append(f"(occurred_from IS NULL OR occurred_from <= :{until} || '~')")
            parameters[until] = period.occurred_to
        descriptions.append(f"occurred could be {edtf.phrase(period.edtf)}")
    return FilterArguments(clauses, parameters, descriptions)


def _check_facets(request: Any) -> None:
    """Raise BadRequest for a facet that cannot be counted, and for a wrong number of values.

    If a facet raised this itself, Datasette would never await the facets after it. Datasette's own
    facets fail with status 500.
    """
    for name, value in arguments(request.query_string, lambda name: False):
        known = OFFERED.get(name.removeprefix("_facet_"))
        if name == "_facet_size":
            if not re.fullmatch("max|[0-9]{1,9}|", value):
                raise BadRequest(f"{name}: write max, or a number such as 30")
        elif known and value not in known:
            raise BadRequest(f"{name}: {value[:100]} is none of {', '.join(known)}")
        elif name.startswith("_facet") and value.startswith("{"):
            try:
                json.loads(value)
            except (ValueError, RecursionError):
                raise BadRequest(f"{name}: write the name of a column") from None


async def _time_zone(datasette: Any, database: str) -> str:
    """Return the time zone of the log, in which the tables have the times of events."""
    answer = await datasette.execute(database, "SELECT time_zone FROM projection_state")
    return str(answer.rows[0][0])


async def _labels(datasette: Any, database: str, link: Link, values: list[str]) -> dict[str, str]:
    """Return the labels of these values, by value; those of unknown values are left out."""
    answer = await datasette.execute(
        database,
        f"SELECT value, label FROM ({link.labels})"  # noqa: S608
        " WHERE value IN (SELECT value FROM json_each(?))",
        [json.dumps(values)],
    )
    return dict(map(tuple, answer.rows))


def has_events(datasette: Any, database: str, table: str | None) -> bool:
    """Tell whether this is a table of events, in a database that is a timeline."""
    return table in EVENT_TABLES and guard.is_timeline(datasette.get_database(database))


def given(request: Any, word: str) -> list[str]:
    """Return the values of ?_WORD= in a request, each once, in their order, without empty ones."""
    return list(dict.fromkeys(filter(None, request.args.getlist(f"_{word}"))))


def periods_of(request: Any) -> list[edtf.Occurred]:
    """Return the dates of ?_period= in a request. Raises BadRequest for what is no date."""
    try:
        return [edtf.parse(text) for text in given(request, "period")]
    except InvalidValue as error:
        raise BadRequest(f"_period: {error.problem}") from None


async def may_read(datasette: Any, request: Any, database: str, tables: Iterable[str]) -> bool:
    """Tell whether the reader may view all of these tables."""
    for table in tables:
        if hasattr(datasette, "allowed"):  # Datasette 1.0
            from datasette.resources import TableResource

            allowed = await datasette.allowed(
                action="view-table", resource=TableResource(database, table), actor=request.actor
            )
        else:
            allowed = await datasette.permission_allowed(
                request.actor, "view-table", (database, table), default=True
            )
        if not allowed:
            return False
    return True
