"""Write the index by which the pages of a static site filter and search in the browser.

Guarantees: the index has the events and the values that the tables have, in the order of the
list, newest first; the same tables give the same bytes. `static_search.js` reads it, and answers
an address with the same events as a server that has these tables.

Each part is a script that puts one value into `timelineIndex`, since pages that are opened from a
disk may load scripts only. Knows the tables, and no page.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from timeline.languages.translation import speaking
from timeline.projection import fold
from timeline.projection.facet_segments import extent_of
from timeline.reading import query
from timeline.reading.filters import MATCHED
from timeline.reading.selection import FACETS as COLUMNS
from timeline.site.language_marks import spoken
from timeline.site.views.address import FACETS
from timeline.site.views.event_classes import class_of
from timeline.site.views.panel import label_of
from timeline.site.views.static_parts import ROWS
from timeline.store import log
from timeline.store.rows import as_dicts

_ORDER = "ORDER BY e.occurred_from DESC, e.event_id DESC"
_ROW_OF = f"(SELECT event_id, row_number() OVER ({_ORDER}) - 1 AS row FROM events AS e)"  # noqa: S608
_SEVERAL = frozenset(MATCHED)


def script(name: str, value: object) -> bytes:
    """Return the script that puts one part of the index under its name."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f'timelineIndex["{name}"]={said};\n'.encode()


def core(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what all filters need to know of each event, in columns.

    A column has one number for each event: the place of its value in the list of values, or null.
    """
    bounds = connection.execute(
        f"SELECT e.occurred_from, e.occurred_to FROM events AS e {_ORDER}"  # noqa: S608
    ).fetchall()
    points = connection.execute(
        f"SELECT round(e.lat, 2), round(e.lon, 2) FROM events AS e {_ORDER}"  # noqa: S608
    )
    rows = len(bounds)
    with speaking(spoken(log.info(connection))):
        facets = {name: _facet(connection, name, rows) for name in FACETS}
    return {
        "rows": rows,
        "first": [first or "" for first, _ in bounds],
        "last": [0 if last == first else last for first, last in bounds],
        "facets": facets,
        "place": _column(
            rows, connection.execute(f"SELECT row, place, '' {_FROM} WHERE place IS NOT NULL")
        ),
        "points": [0 if lat is None else [lat, lon] for lat, lon in points],
        "figures": _figures(connection),
        "actors": _called(connection),
        "publishers": dict(
            connection.execute(
                "SELECT source_id, publisher FROM sources WHERE publisher IS NOT NULL ORDER BY 1"
            )
        ),
    }


_FROM = f"FROM events AS e JOIN {_ROW_OF} USING (event_id)"


def _facet(connection: sqlite3.Connection, name: str, rows: int) -> dict[str, Any]:
    value, label, joins = COLUMNS[FACETS[name]]
    also = query.labels(connection) if name == "type" else {}
    found = _column(
        rows,
        connection.execute(
            f"SELECT DISTINCT row, {value}, {label} {_FROM} {joins} WHERE {value} IS NOT NULL"
        ),
        is_several=FACETS[name] in _SEVERAL,
        also=also,
    )
    labels = found["labels"]
    found["labels"] = [label_of(name, *pair) for pair in zip(found["values"], labels, strict=True)]
    if name == "type":
        found["classes"] = [class_of(code) for code in found["values"]]
    found["others"] = {each: label_of(name, each, each) for each in _OTHERS.get(name, ())}
    return found


_OTHERS = {"at_risk": ("0",), "highlight": ("0",), "state": ("all",)}
"""Values that an address may have and that no event has in the facet."""


def _column(
    rows: int,
    found: Iterable[Sequence[Any]],
    *,
    is_several: bool = False,
    also: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the values in the order of their labels, and for each event which one it has.

    `found` has rows, values and labels; `also` has values that no event needs to have, with their
    labels. An event may have several values: it then has a list.
    """
    of_rows: defaultdict[int, list[str]] = defaultdict(list)
    labels = {**(also or {})}
    for row, value, label in found:
        of_rows[row].append(str(value))
        labels[str(value)] = str(label)
    values = sorted(labels, key=lambda value: (labels[value], value))
    place = {value: number for number, value in enumerate(values)}
    of: list[Any] = [sorted(place[value] for value in of_rows[row]) for row in range(rows)]
    if not is_several:
        of = [places[0] if places else None for places in of]
    return {"values": values, "labels": [labels[value] for value in values], "of": of}


def _figures(connection: sqlite3.Connection) -> dict[int, list[list[Any]]]:
    """Return the figures of each event that has any: measure, unit and `Extent`."""
    found: dict[int, list[list[Any]]] = {}
    cursor = connection.execute(
        f"SELECT row, q.* {_FROM} JOIN event_quantities AS q USING (event_id)"
        " ORDER BY row, q.position"
    )
    for figure in as_dicts(cursor):
        lowest, highest, is_above = extent_of(figure)
        found.setdefault(figure["row"], []).append(
            [figure["measure"], figure["unit"], lowest, highest, int(is_above)]
        )
    return found


def _called(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return other names of actors, and ids that they had before a merge, by id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    merged = connection.execute(
        "WITH RECURSIVE chain (was, step) AS (SELECT actor_id, merged_into FROM actors"
        " WHERE merged_into IS NOT NULL UNION SELECT was, a.merged_into FROM chain"
        " JOIN actors AS a ON a.actor_id = step WHERE a.merged_into IS NOT NULL)"
        " SELECT step, was FROM chain ORDER BY 1, 2"
    )
    names = connection.execute(
        "SELECT n.actor_id, n.name_key FROM actor_names AS n JOIN actors AS a USING (actor_id)"
        " WHERE lower(a.name) <> n.name_key ORDER BY 1, 2"
    )
    for actor_id, called in (*merged, *names):
        found[actor_id].append(called)
    return dict(found)


def texts(connection: sqlite3.Connection) -> Iterator[list[list[str]]]:
    """Yield the texts of events that are searched, ROWS events at a time; [] if erased."""
    cursor = connection.execute(
        "SELECT e.actors, v.content_seq FROM events AS e"  # noqa: S608
        f" JOIN event_versions AS v USING (event_id, version) {_ORDER}"
    )
    while some := [*islice(cursor, ROWS)]:
        yield [_texts(connection, *row) for row in some]


def _texts(connection: sqlite3.Connection, actors: str | None, seq: int) -> list[str]:
    content = query.content(connection, seq)
    found = [text or "" for text in fold.search_texts(content, actors)] if content else []
    while found and not found[-1]:
        found.pop()
    return found
