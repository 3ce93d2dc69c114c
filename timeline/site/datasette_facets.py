"""Count the events of a timeline by actor, source, tag and period, as facets of Datasette.

Guarantees: the count beside a value is the number of rows after a click on it; labels are names,
values are ids; a filter that cannot be read is answered with status 400 and what to write
instead. The facets are offered on EVENT_TABLES of a timeline and nowhere else, and show nothing
of a table that the reader may not see.

`{"m2m": "actors"}` among the facets of metadata, or ?_facet_m2m=actors, counts the values of one
of LINKS, and ?_actor=ID filters by one of them; with several ids an event must have all of them.
`{"value": "country"}` counts one of the columns VALUES, as Datasette's own facets do, but from
the facet index. `{"period": "occurred"}` counts years, and with ?_period=2025 the months of 2025.
A period has all events that could have happened in it.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from pyroaring import BitMap

from timeline.errors import TakesTooLong
from timeline.model import edtf
from timeline.reading import deadline, indexed_search
from timeline.reading.as_of import NOW
from timeline.reading.facet_index import FacetIndex
from timeline.site.datasette_filters import (
    LINKS,
    OFFERED,
    VALUES,
    Link,
    given,
    has_events,
    may_read,
    periods_of,
)
from timeline.site.index_cache import at_one_moment, index_of
from timeline.site.periods import PeriodCount, most_likely

T = TypeVar("T")
Pairs = list[tuple[str, str]]

_INDEXED = {
    **{f"_{link.word}": link.word for link in LINKS.values()},
    **{
        f"{column}{operator}": link.word
        for column, link in VALUES.items()
        for operator in ("", "__exact")
    },
    "_search": "search",
}
"""The facet in the index, by the argument of an address that the index can answer."""

_WITHOUT_MEANING = frozenset(
    (
        *("_sort", "_sort_desc", "_size", "_next", "_shape", "_extra", "_col", "_nocol"),
        *("_nocount", "_nofacet", "_nosuggest", "_labels", "_trace", "_json", "_ttl", "_stream"),
    )
)
"""Arguments that do not filter events."""


_NOTHING = BitMap()


class Counted(NamedTuple):
    """The versions that facets are counted over, and the index that counts them."""

    connection: sqlite3.Connection
    facets: FacetIndex
    chosen: BitMap
    """The seqs of the versions that the filters of the page choose."""


def _chosen(connection: sqlite3.Connection, index: FacetIndex, exact: Pairs) -> BitMap:
    """Return the current versions that match all these filters; all facets of a page share them."""
    kept: tuple[Pairs, BitMap] = index.kept.get("page", ([("", "")], _NOTHING))
    if kept[0] == exact:
        return kept[1]
    chosen = index.alive().copy()
    for name, text in exact:
        match name:
            case "since" | "until":
                chosen &= index.reaching(name, text)
            case "search":  # Quoted as Datasette quotes it.
                (words,) = connection.execute("SELECT escape_fts(?)", (text,)).fetchone()
                chosen &= indexed_search.found(connection, index, words, NOW)
            case _:
                chosen &= index.having(name, text)
    index.kept["page"] = exact, chosen
    return chosen


class _EventFacet(Facet):  # type: ignore[misc]
    """A facet that knows where it is offered, and makes the links that turn it on and off."""

    known: tuple[str, ...]

    @cached_property
    def pairs(self) -> Pairs:
        """Return the parameters of the page; Datasette would parse them anew for every link."""
        pairs: Pairs = self.get_querystring_pairs()
        return pairs

    def chosen(self) -> dict[str, bool]:
        """Return the facets that are on, by name, and whether the reader may turn each off."""
        chosen: dict[str, bool] = {}
        for asked in self.get_configs() if self.is_offered() else ():
            name = asked["config"].get("simple")
            if name in self.known:
                chosen[name] = chosen.get(name, True) and asked["source"] == "request"
        return chosen

    def is_offered(self) -> bool:
        return has_events(self.ds, self.database, self.table)

    async def from_index(self, read: Callable[[Counted], T]) -> T | None:
        """Return what `read` reads from the facet index; None if it cannot answer the filters.

        Raises QueryInterrupted if this takes longer than Datasette allows one query.
        """
        exact = self._exact()
        if exact is None:
            return None

        def at_once(connection: sqlite3.Connection) -> T | None:
            with deadline.within(connection, self.ds.setting("sql_time_limit_ms") / 1000):
                index = index_of(self.ds, self.database, connection)
                return index and read(Counted(connection, index, _chosen(connection, index, exact)))

        def run(connection: sqlite3.Connection) -> T | None:
            return at_one_moment(connection, at_once)

        try:
            found: T | None = await self.ds.get_database(self.database).execute_fn(run)
        except TakesTooLong as error:
            raise QueryInterrupted(error, self.sql, self.params) from None
        return found

    def _exact(self) -> Pairs | None:
        """Return the filters of the page; None if the facet index cannot answer one of them."""
        pairs: Pairs = [("state", "current")] if self.table == "current_events" else []
        for name, text in self.pairs:
            if name in _WITHOUT_MEANING or name.startswith("_facet"):
                continue
            if name.startswith("_") and not text:
                continue
            if name == "_period":
                when = edtf.parse(text)
                bounds = {"since": when.occurred_from, "until": when.occurred_to}
                pairs += [(side, bound) for side, bound in bounds.items() if bound]
            elif name in _INDEXED:
                pairs.append((_INDEXED[name], text))
            else:
                return None
        is_timed = any(name in ("since", "until") and "T" in text for name, text in pairs)
        searches = [text for name, text in pairs if name == "search"]
        is_as_typed = not searches or (len(searches) == 1 and "escape_fts(:search)" in self.sql)
        return pairs if is_as_typed and not is_timed else None

    async def rows(self, sql: str, limit: str) -> list[Any]:
        """Return the rows of a query over `selected`, the events that the page's filters choose.

        `limit` is the name of the setting with the time it may take. Raises QueryInterrupted if it
        takes longer.
        """
        answer = await self.ds.execute(
            self.database,
            f"WITH selected AS ({self.sql}) {sql}",
            self.params,
            truncate=False,
            custom_time_limit=self.ds.setting(limit),
        )
        return list(answer.rows)

    def address(self, *more: tuple[str, str], without: tuple[str, str] | None = None) -> str:
        """Return the address of the first page, with some arguments added and one left out."""
        kept = [pair for pair in self.pairs if pair != without and pair[0] != "_next"]
        query = urlencode([*kept, *more])
        # A proxy in front may leave base_url in the path or remove it.
        path = self.request.path.removeprefix(self.ds.setting("base_url"))
        address = self.ds.urls.path(f"{path}?{query}" if query else path)
        return str(self.ds.absolute_url(self.request, address))

    def result(
        self, name: str, values: list[dict[str, Any]], *, hideable: bool, truncated: bool
    ) -> dict[str, Any]:
        return {
            "name": name,
            "type": self.type,
            "hideable": hideable,
            "toggle_url": self.address(without=(f"_facet_{self.type}", name)),
            "results": values,
            "truncated": truncated,
        }

    def suggestion(self, name: str) -> dict[str, Any]:
        address = self.address((f"_facet_{self.type}", name))
        return {"name": name, "type": self.type, "toggle_url": address}


class LinkFacet(_EventFacet):
    """A facet that counts the events with each actor, source or tag."""

    type = "m2m"
    known = OFFERED["m2m"]
    links = LINKS

    def argument(self, link: Link) -> str:
        """Return the argument of an address that filters by a value."""
        return f"_{link.word}"

    def counted(self, link: Link, limit: int) -> str:
        """Return the SQL that selects value, label and count of the most frequent values."""
        return (
            f"SELECT value, label, count FROM (SELECT {link.column} AS value,"  # noqa: S608
            f" count(DISTINCT event_id) AS count FROM {link.table}"
            " WHERE event_id IN (SELECT event_id FROM selected) GROUP BY 1)"
            f" JOIN ({link.labels}) USING (value)"
            f" ORDER BY count DESC, label, value LIMIT {limit}"
        )

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        results: list[dict[str, Any]] = []
        timed_out: list[str] = []
        size = self.get_facet_size()
        for name, hideable in self.chosen().items():
            link = self.links[name]
            if not await may_read(self.ds, self.request, self.database, link.tables):
                continue
            try:
                rows = await self.from_index(partial(_most_frequent, link, size + 1))
                if rows is None:
                    rows = await self.rows(self.counted(link, size + 1), "facet_time_limit_ms")
            except QueryInterrupted:
                timed_out.append(name)
                continue
            values = [self._link_value(self.argument(link), *row) for row in rows[:size]]
            truncated = len(rows) > size
            results.append(self.result(name, values, hideable=hideable, truncated=truncated))
        return results, timed_out

    def _link_value(self, argument: str, value: str, label: str, count: int) -> dict[str, Any]:
        pair = (argument, value)
        selected = pair in self.pairs
        address = self.address(without=pair) if selected else self.address(pair)
        return {
            "value": value,
            "label": label,
            "count": count,
            "toggle_url": address,
            "selected": selected,
        }

    async def suggest(self) -> list[dict[str, Any]]:
        """Suggest the facets in which the events of the page have more than one value."""
        suggested: list[dict[str, Any]] = []
        if not self.is_offered():
            return suggested
        chosen = self.chosen()
        for name, link in LINKS.items():
            if name in chosen or not await may_read(
                self.ds, self.request, self.database, link.tables
            ):
                continue
            with contextlib.suppress(QueryInterrupted):
                rows = await self.rows(
                    f"SELECT DISTINCT {link.column} FROM {link.table}"  # noqa: S608
                    " WHERE event_id IN (SELECT event_id FROM selected) LIMIT 2",
                    "facet_suggest_time_limit_ms",
                )
                if len(rows) > 1:
                    suggested.append(self.suggestion(name))
        return suggested


class ValueFacet(LinkFacet):
    """A facet that counts the events with each value of a column."""

    type = "value"
    known = OFFERED["value"]
    links = VALUES

    def argument(self, link: Link) -> str:
        return link.column

    def counted(self, link: Link, limit: int) -> str:
        return (
            "SELECT value, coalesce(label, value) AS label, count FROM"  # noqa: S608
            f" (SELECT {link.column} AS value, count(*) AS count FROM selected"
            f" WHERE {link.column} IS NOT NULL GROUP BY 1)"
            f" LEFT JOIN ({link.labels}) USING (value)"
            f" ORDER BY count DESC, label, value LIMIT {limit}"
        )

    async def suggest(self) -> list[dict[str, Any]]:
        """Suggest nothing: Datasette suggests these columns itself."""
        return []


class PeriodFacet(_EventFacet):
    """A facet that counts events by year, oldest first; by month if one year is chosen."""

    type = "period"
    known = OFFERED["period"]

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        results: list[dict[str, Any]] = []
        for name, hideable in self.chosen().items():
            try:
                months = await self._months("facet_time_limit_ms")
            except QueryInterrupted:
                return [], [name]
            values, truncated = self._values(months)
            results.append(self.result(name, values, hideable=hideable, truncated=truncated))
        return results, []

    async def suggest(self) -> list[dict[str, Any]]:
        """Suggest this facet unless all events of the page have the same months."""
        if self.is_offered() and not self.chosen():
            with contextlib.suppress(QueryInterrupted):
                if len(await self._months("facet_suggest_time_limit_ms")) > 1:
                    return [self.suggestion("occurred")]
        return []

    async def _months(self, limit: str) -> list[PeriodCount]:
        """Return the events of the page, counted by their first and last possible month.

        `limit` is the name of the setting with the time it may take.
        """
        if spans := await self.from_index(_spans):
            return spans
        # The bounds are cut after the month; a year of more than four digits takes more characters.
        first, last = (
            f"substr({bound}, 1, CASE WHEN {bound} GLOB '[0-9]*' THEN 7 ELSE 16 END)"
            for bound in ("occurred_from", "occurred_to")
        )
        sql = f"SELECT {first}, {last}, count(*) FROM selected GROUP BY 1, 2"  # noqa: S608
        return [
            PeriodCount(_month(first), _month(last), count)
            for first, last, count in await self.rows(sql, limit)
        ]

    def _values(self, months: list[PeriodCount]) -> tuple[list[dict[str, Any]], bool]:
        size = self.get_facet_size()
        chosen = dict(zip(given(self.request, "period"), periods_of(self.request), strict=True))
        if not chosen:
            years = [
                PeriodCount(_year(first), _year(last), events) for first, last, events in months
            ]
            counted, truncated = most_likely(years, size)
            return [self._more(_edtf_year(year), events) for year, events in counted], truncated
        everything = sum(span.events for span in months)
        values = [
            _facet_value(text, everything, self.address(without=("_period", text)), selected=True)
            for text in chosen
        ]
        (text, period), *others = chosen.items()
        if others or period.year is None or not 0 <= period.year <= 9999:
            return values, False
        year = _edtf_year(period.year)
        if period.precision == "month":  # A second click widens the month to its year.
            address = self.address(("_period", year), without=("_period", text))
            return [_facet_value(text, everything, address, selected=True)], False
        if period.precision != "year":
            return values, False
        january = period.year * 12
        counted, truncated = most_likely(months, size, (january, january + 11))
        values += [
            self._more(f"{year}-{month - january + 1:02d}", events, text)
            for month, events in counted
        ]
        return values, truncated

    def _more(self, text: str, events: int, instead_of: str = "") -> dict[str, Any]:
        address = self.address(("_period", text), without=("_period", instead_of))
        return _facet_value(text, events, address)


def _facet_value(text: str, events: int, address: str, *, selected: bool = False) -> dict[str, Any]:
    return {
        "value": text,
        "label": edtf.phrase(text),
        "count": events,
        "toggle_url": address,
        "selected": selected,
    }


def _most_frequent(link: Link, limit: int, counted: Counted) -> list[tuple[str, str, int]]:
    """Return value, label and count of the most frequent values of a facet, from the index."""
    labels = counted.facets.labels(counted.connection, link.word)
    among = labels if link.word in ("actor", "source") else None
    most, _ = counted.facets.most(link.word, counted.chosen, limit, among=among)
    listed = [(labels.get(value) or value, value, count) for value, count in most]
    likely = heapq.nsmallest(limit, listed, key=lambda each: (-each[2], *each[:2]))
    return [(value, label, count) for label, value, count in likely]


def _spans(counted: Counted) -> list[PeriodCount]:
    """Return the events, counted by their first and last possible month, from the index."""
    return [
        PeriodCount(_month(first), _month(last), count)
        for (first, last), count in counted.facets.counts("months", counted.chosen)
    ]


def _month(bound: str | None) -> int | None:
    """Return the number of months from January of the year 0 to a bound; None for an open one."""
    if bound is None:
        return None
    year, month, _ = edtf.numbers(f"{bound}-01")
    return year * 12 + month - 1


def _year(month: int | None) -> int | None:
    return None if month is None else month // 12


def _edtf_year(year: int) -> str:
    """Return a year as EDTF: with four digits, or with more after a Y."""
    return f"{year:05d}" if -9999 <= year < 0 else f"{'Y' * (abs(year) > 9999)}{year:04d}"


FACET_CLASSES: list[type[_EventFacet]] = [ValueFacet, LinkFacet, PeriodFacet]
