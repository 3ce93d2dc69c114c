"""Reading many events: this lists, searches and counts them, now or as of any moment.

Guarantees: nothing here writes to the file. A selection of the past runs the same code over
the tables as of then (`past_tables`), so both give the same answers. Counts are exact.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain, islice
from typing import Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.model import names
from timeline.reading import offices
from timeline.reading.excerpts import excerpts
from timeline.reading.filters import (
    FilterValues,
    condition,
    fts_query,
    parse_filter,
    parse_filters,
)
from timeline.reading.spans import EventSpans
from timeline.store.rows import RowDict, as_dicts


def _condition(
    connection: sqlite3.Connection, filters: Mapping[str, Any] | None, text: str | None = None
) -> tuple[str, list[Any]]:
    """Return the condition on events AS e that filters and a text make, and its values."""
    return condition(parse_filters(partial(parse_filter, connection), filters), text)


def list_events(
    connection: sqlite3.Connection,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> Iterator[RowDict]:
    """Yield rows of `events` in the order in which they occurred, those without any date last.

    Those that only have an end are the first.
    """
    chosen, values = _condition(connection, filters)
    undated = "(e.occurred_from IS NULL AND e.occurred_to IS NULL)"
    parts = (
        as_dicts(
            connection.execute(
                f"SELECT e.* FROM events AS e WHERE {which} AND {chosen}"  # noqa: S608
                " ORDER BY e.occurred_from, e.event_id",
                values,
            )
        )
        for which in (f"NOT {undated}", undated)
    )
    return islice(chain.from_iterable(parts), limit)


def search(
    connection: sqlite3.Connection,
    text: str,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> Iterator[RowDict]:
    """Yield rows of `events` that have all words of `text`, the best first, each with a `match`.

    The match is an excerpt around the words found, which are between U+0002 and U+0003. It is
    left out if they only occur late in a long text.
    """
    chosen, values = _condition(connection, filters)
    cursor = connection.execute(
        "SELECT e.* FROM event_search JOIN events AS e ON e.event_key = event_search.rowid"  # noqa: S608
        f" WHERE event_search MATCH ? AND {chosen}"
        " ORDER BY event_search.rank, e.event_key LIMIT ?",
        (fts_query(text), *values, -1 if limit is None else limit),
    )
    found = as_dicts(cursor)
    while some := [*islice(found, _AT_ONCE)]:
        matches = excerpts(connection, (row["event_key"] for row in some), text)
        for row in some:
            key = row["event_key"]
            yield {**row, "match": matches[key]} if key in matches else row


_AT_ONCE = 200
"""Events whose excerpts are made together."""


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
        "s.name",
        "JOIN citations AS x USING (event_id) JOIN source_names AS s USING (source_id)",
    ),
    "year": ("e.year", "e.year", ""),
    "month": ("e.month", "e.month", ""),
    "modality": ("e.modality", "e.modality", ""),
    "verification": ("e.verification", "e.verification", ""),
    "precision": ("e.occurred_precision", "e.occurred_precision", ""),
    "state": ("e.state", "e.state", ""),
    "at_risk": ("nullif(e.at_risk, 0)", "'at risk'", ""),
    "highlight": ("nullif(e.highlight, 0)", "'highlight'", ""),
}
"""The facets by name: SQL for the value, for its label, and for the joins of events AS e."""

_IN_TIME_ORDER = frozenset(("year", "month"))

PERIOD = ("since", "until")
"""The filters by period."""


def facets(
    connection: sqlite3.Connection,
    filters: Mapping[str, Any] | None = None,
    *,
    text: str | None = None,
) -> dict[str, list[RowDict]]:
    """Return the values of each facet, with label and exact count of events.

    The most frequent values come first; years and months are in their order.
    """
    chosen = _condition(connection, filters, text)
    return {name: list(as_dicts(_counted(connection, name, chosen))) for name in FACETS}


def _counted(
    connection: sqlite3.Connection, name: str, chosen: tuple[str, list[Any]]
) -> sqlite3.Cursor:
    value, label, joins = FACETS[name]
    order = "1" if name in _IN_TIME_ORDER else "3 DESC, 2, 1"
    return connection.execute(
        f"SELECT {value} AS value, {label} AS label, count(DISTINCT e.event_id) AS count"  # noqa: S608
        f" FROM events AS e {joins} WHERE {chosen[0]} AND {value} IS NOT NULL"
        f" GROUP BY 1 ORDER BY {order}",
        chosen[1],
    )


# --- One selection, asked several things --------------------------------------------------


class Choices(NamedTuple):
    """Choices have values of a facet, the most frequent first, and the number of all values."""

    rows: list[RowDict]
    total: int


def folded(label: str) -> str:
    """Return the form in which labels are searched: no case and no accents, "lodz" for "Łódź"."""
    if label.isascii():
        return label.casefold()
    return names.fold(label.translate(names.OWN_LETTERS))


def first_choices(rows: list[RowDict], limit: int | None, also: Collection[str]) -> Choices:
    """Return the first `limit` of these values, and of the others those in `also`."""
    if limit is None:
        return Choices(rows, len(rows))
    others = [row for row in rows[limit:] if str(row["value"]) in also]
    return Choices(rows[:limit] + others, len(rows))


_LABEL_OF = {
    "event_type": "SELECT label FROM event_types WHERE code = ?",
    "actor": "SELECT name FROM actors WHERE actor_id = ?",
    "country": "SELECT name FROM countries WHERE alpha3 = ?",
    "source": "SELECT name FROM source_names WHERE source_id = ?",
    "at_risk": "SELECT 'at risk' WHERE ? = '1'",
    "highlight": "SELECT 'highlight' WHERE ? = '1'",
}
"""SQL for the label of one value of a facet, where a value is not its own label."""


class EventPage(NamedTuple):
    """A page has a part of a list, and the place where the next page begins (None if last)."""

    rows: list[RowDict]
    after: str | None


class PageOfIds(NamedTuple):
    """A page of ids has those of the events of an `EventPage`, and where the next page begins."""

    event_ids: list[str]
    after: str | None


class NewAndChanged(NamedTuple):
    """The number of events that are new since an entry, and of older events with a new version."""

    new: int
    changed: int


class Neighbours(NamedTuple):
    """Neighbours are the events next to one event in time; None at an end of the list."""

    earlier: RowDict | None
    later: RowDict | None


class Selection:
    """A selection holds filters and a text, and answers questions about the events they choose.

    Each answer is counted from the tables. Raises InvalidInput for what cannot be read.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        filters: Mapping[str, Any] | None = None,
        text: str | None = None,
    ) -> None:
        self.tables = self._connection = connection
        """`tables` is a connection to the tables that have the events of the last page."""
        self._filters = parse_filters(self.parse_filter, filters)
        self._text = text
        self._condition = condition(self._filters, text)

    def parse_filter(self, name: str, value: object) -> object:
        """Parse the value of a filter into the stored value. Raises InvalidValue."""
        return parse_filter(self._connection, name, value)

    def everything(self, filters: Mapping[str, Any] | None = None) -> Selection:
        """Return the selection with only these filters, as of the same moment."""
        return Selection(self._connection, filters)

    def count(self) -> int:
        """Return the number of events."""
        (row,) = self._all("SELECT count(*) AS count FROM events AS e WHERE {}")
        return int(row["count"])

    def corrected(self) -> int:
        """Return the number of events that were corrected."""
        (row,) = self._all(
            "SELECT count(*) AS count FROM events AS e WHERE {} AND e.corrections_count > 0"
        )
        return int(row["count"])

    def choices(
        self,
        name: str,
        limit: int | None = None,
        also: Collection[str] = (),
        *,
        is_kept: bool = False,
        containing: str = "",
    ) -> Choices:
        """Return the values of one facet with their counts, ignoring the filter on this facet.

        So each value shows how many events have it and match all other filters; events with an
        excluded value, or without one of the values that all must have, are not counted. With a
        limit, return the most frequent values. Those in `also` are always returned, even if no
        event has them; an excluded value shows what it would be if it were not excluded. If
        `is_kept`, the filter on this facet holds too. The others have a label with the text
        `containing`, in any case and with any accents.
        """
        left_out = None if is_kept else name
        chosen = condition(self._filters, self._text, leave_out=left_out)
        part = folded(containing)
        counted = [
            row
            for row in as_dicts(_counted(self._connection, name, chosen))
            if part in folded(str(row["label"]))
        ]
        return self._with_missing(name, first_choices(counted, limit, also), also)

    def _with_missing(self, name: str, found: Choices, also: Collection[str]) -> Choices:
        """Return choices with those in `also` that are not among them."""
        values = {str(row["value"]) for row in found.rows}
        missing = [
            {"value": value, "label": self.label_of(name, value), "count": count}
            for value in also
            if value not in values
            for count in [self._count_of(self._if_chosen(name, value))]
        ]
        return Choices(found.rows + missing, found.total + len(missing))

    def label_of(self, name: str, value: str) -> str:
        """Return the label of a value of a facet; the value itself if it has none."""
        sql = _LABEL_OF.get(name)
        row = sql and self._connection.execute(sql, (value,)).fetchone()
        return str(row[0]) if row else value

    def _if_chosen(self, name: str, value: str) -> FilterValues:
        """Return the filters as they would be with one value of a facet, which is not excluded."""
        parsed = self.parse_filter(name, value)
        filters = {each: values for each, values in self._filters.items() if each != name}
        excluded = [each for each in filters.pop(f"not_{name}", ()) if each != parsed]
        if excluded:
            filters[f"not_{name}"] = excluded
        return {**filters, name: [parsed]}

    def _count_of(self, filters: FilterValues) -> int:
        """Return the number of events that match these filters and the text."""
        chosen, values = condition(filters, self._text)
        sql = f"SELECT count(*) FROM events AS e WHERE {chosen}"  # noqa: S608
        (count,) = self._connection.execute(sql, values).fetchone()
        return int(count)

    def among(self, event_ids: Iterable[str]) -> set[str]:
        """Return those of these events that are chosen."""
        rows = self._all(
            "SELECT e.event_id FROM events AS e"
            " WHERE e.event_id IN (SELECT value FROM json_each(?)) AND {}",
            before=(json.dumps([*event_ids]),),
        )
        return {row["event_id"] for row in rows}

    def since(self, seq: int) -> NewAndChanged:
        """Return how many events were added after an entry, and how many others were changed."""
        (row,) = self._all(
            "SELECT count(*) AS count, coalesce(sum(e.event_key > ?), 0) AS new"
            " FROM events AS e WHERE e.seq > ? AND {}",
            before=(seq, seq),
        )
        return NewAndChanged(row["new"], row["count"] - row["new"])

    def measures(self) -> list[tuple[str, str]]:
        """Return the measures of the figures of events, each with a unit, in order."""
        return [
            (measure, unit)
            for measure, unit in self._connection.execute(
                "SELECT DISTINCT measure, unit FROM event_quantities ORDER BY 1, 2"
            )
        ]

    def offices(self, actor_id: str) -> list[RowDict]:
        """Return a row for each office that a chosen event names with an actor.

        Each has office, organisation, event_id and occurred; they are in the order of the events.
        """
        chosen, values = self._condition
        return offices.in_tables(self._connection, actor_id, chosen, values)

    def page(
        self, *, after: str | None = None, oldest_first: bool = False, size: int = 50
    ) -> EventPage:
        """Return a page of events by their start, newest first; `after` is from the page before.

        Events without a start count as the oldest.
        """
        chosen, values = self._in_a_list(after, oldest_first, size)
        order = "" if oldest_first else " DESC"
        parts = behind_place(after, oldest_first=oldest_first) if after else [("1", [])]
        in_order = f"ORDER BY e.occurred_from{order}, e.event_id{order}"
        rows: list[RowDict] = []
        for behind, place in parts:
            cursor = self._connection.execute(
                "SELECT e.* FROM (SELECT e.event_id FROM events AS e"  # noqa: S608
                f" WHERE {chosen} AND {behind} {in_order} LIMIT ?) AS f"
                f" JOIN events AS e USING (event_id) {in_order}",
                (*values, *place, size + 1 - len(rows)),
            )
            rows += as_dicts(cursor)
            if len(rows) > size:
                break
        return _page(rows, size)

    def page_of_ids(
        self, *, after: str | None = None, oldest_first: bool = False, size: int = 50
    ) -> PageOfIds:
        """Return the ids of the events that `page` returns, and where the next page begins."""
        page = self.page(after=after, oldest_first=oldest_first, size=size)
        return PageOfIds([row["event_id"] for row in page.rows], page.after)

    def neighbours(self, event: Mapping[str, Any]) -> Neighbours:
        """Return the chosen events before and after this event, in the order of the list.

        `event` needs `occurred_from` and `event_id`; it need not be one of the chosen events.
        """
        place = place_of(event)
        sides = (
            self.page(after=place, oldest_first=oldest_first, size=1).rows
            for oldest_first in (False, True)
        )
        return Neighbours(*(next(iter(rows), None) for rows in sides))

    def _in_a_list(
        self,
        after: str | None,
        oldest_first: bool,
        size: int,
    ) -> tuple[str, list[Any]]:
        """Return the condition that chooses the events of a page, and its values."""
        return self._condition

    def map_rows(self, points: Iterable[RowDict]) -> list[RowDict]:
        """Return these points, each with an event there: its seq, id, title and place."""
        chosen = [*points]
        cursor = self._connection.execute(
            "SELECT seq, event_id, title, place, country, geo_precision FROM events"
            " WHERE seq IN (SELECT value FROM json_each(?))",
            (json.dumps([point["seq"] for point in chosen]),),
        )
        known = {row["seq"]: row for row in as_dicts(cursor)}
        return [{**known[point["seq"]], **point} for point in chosen]

    def newest(self, limit: int | None = None) -> list[str]:
        """Return the ids of the events that were recorded or changed last, the newest first."""
        rows = self._all(
            "SELECT e.event_id FROM events AS e WHERE {} ORDER BY e.seq DESC LIMIT ?",
            (-1 if limit is None else limit,),
        )
        return [row["event_id"] for row in rows]

    def in_order_of_the_log(self) -> Iterator[str]:
        """Yield the ids of all events, in the order in which they were first recorded."""
        chosen, values = self._condition
        for (event_id,) in self._connection.execute(
            f"SELECT e.event_id FROM events AS e WHERE {chosen} ORDER BY e.event_key",  # noqa: S608
            values,
        ):
            yield event_id

    def bounds(self) -> tuple[str | None, str | None]:
        """Return start and end of the period that the filters ask for, as `events` stores them."""
        since, until = (self._filters.get(name, [None])[0] for name in ("since", "until"))
        return since, until

    def spans(self) -> EventSpans:
        """Return when the events happened, in whatever period: without `since` and `until`."""
        filters = {name: some for name, some in self._filters.items() if name not in PERIOD}
        return EventSpans(self._connection, condition(filters, self._text))

    def points(self) -> list[RowDict]:
        """Return the points of events on the map, to about a kilometre, the most frequent first.

        Each has lat, lon and count; `map_rows` takes them.
        """
        return self._all(
            "SELECT round(lat, 2) AS lat, round(lon, 2) AS lon, count(*) AS count, min(seq) AS seq"
            " FROM events AS e WHERE {} AND lat IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )

    def event_types_at(self, points: Iterable[RowDict]) -> set[str | None]:
        """Return the types of the events at these points, with None for events without a type."""
        found: set[str | None] = set()
        return found.union(*(self._types[point["lat"], point["lon"]] for point in points))

    @cached_property
    def _types(self) -> Mapping[tuple[float, float], set[str | None]]:
        """Return the types of the events at each point."""
        found: defaultdict[tuple[float, float], set[str | None]] = defaultdict(set)
        for row in self._all(
            "SELECT DISTINCT round(lat, 2) AS lat, round(lon, 2) AS lon, event_type"
            " FROM events AS e WHERE {} AND lat IS NOT NULL"
        ):
            found[row["lat"], row["lon"]].add(row["event_type"])
        return found

    def excerpts(self, rows: Sequence[RowDict]) -> dict[str, str]:
        """Return excerpts of these events around the words found, by id, marked as in `search`."""
        if self._text is None:
            return {}
        keys = {row["event_key"]: row["event_id"] for row in rows}
        found = excerpts(self._connection, keys, self._text)
        return {keys[key]: text for key, text in found.items()}

    def _all(
        self, sql: str, values: Sequence[Any] = (), *, before: Sequence[Any] = ()
    ) -> list[RowDict]:
        """Return the rows of a query, after putting the condition in place of {}.

        The values `before` are for the question marks before the condition.
        """
        chosen, its_values = self._condition
        cursor = self._connection.execute(sql.format(chosen), (*before, *its_values, *values))
        return list(as_dicts(cursor))


def _page(rows: list[RowDict], size: int) -> EventPage:
    if len(rows) <= size:
        return EventPage(rows, None)
    last = rows[size - 1]
    return EventPage(rows[:size], place_of(last))


def place_of(row: Mapping[str, Any]) -> str:
    """Return the place of an event in a list, from its start and its id."""
    return f"{row['occurred_from'] or ''}~{row['event_id']}"


def place_in_list(after: str) -> tuple[str, str]:
    """Split a place in a list into the start and the id of an event. Raises InvalidInput."""
    began, mark, event_id = after.rpartition("~")
    if not mark:
        raise InvalidInput("after", f'"{after}" is not a place in a list')
    return began, event_id


def behind_place(after: str, *, oldest_first: bool) -> list[tuple[str, list[str]]]:
    """Return conditions on the events after a place in a list, each with its values.

    All events of the first condition come before those of the second. Each leads to one stretch
    of the index by time; a condition with OR would be tried on every event.
    """
    began, event_id = place_in_list(after)
    sign = ">" if oldest_first else "<"
    if not began:
        others = [("e.occurred_from IS NOT NULL", list[str]())] if oldest_first else []
        return [(f"e.occurred_from IS NULL AND e.event_id {sign} ?", [event_id]), *others]
    others = [] if oldest_first else [("e.occurred_from IS NULL", [])]
    return [(f"(e.occurred_from, e.event_id) {sign} (?, ?)", [began, event_id]), *others]
