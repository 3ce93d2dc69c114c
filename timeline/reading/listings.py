"""List every value of a facet, page by page: actors, sources, tags, event types, countries.

Guarantees: the number beside a value counts the current events that have it at the moment of the
selection, as the filters do. Pages that follow one another have each value once while the log
stays as it is. An actor is found by each of its names, of which some may be in another script.
"""

from __future__ import annotations

import contextlib
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from timeline.errors import InvalidInput
from timeline.model import hints
from timeline.reading import deadline
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.facet_index import FacetIndex
from timeline.reading.name_search import NameSearch
from timeline.reading.selection import Selection, folded

_KEPT = 4
"""Lists that are kept with an index, the last ones; one of 100,000 actors takes 20 MB."""

_WITHOUT_EVENTS = {
    "actor": (
        "SELECT actor_id, name FROM actors"  # noqa: S608
        f" WHERE merged_into IS NULL AND coalesce(seq, {NOW.seq}) <= ? ORDER BY 1"
    ),
    "source": (
        "SELECT source_id, name FROM source_names JOIN sources USING (source_id)"
        " WHERE source_key <= ? ORDER BY 1"
    ),
}
"""SQL for all values of a facet that had been recorded by an entry, with events or without.

Actors that only participants name have no entry: without events they are there today only."""

_NAMES = {
    "source": (
        "SELECT source_id, publisher FROM sources WHERE publisher IS NOT NULL"
        " UNION ALL SELECT source_id, authors FROM sources WHERE authors IS NOT NULL"
        " UNION ALL SELECT source_id, url FROM sources WHERE url IS NOT NULL"
    ),
    "event_type": "SELECT code, code FROM event_types",
    "country": "SELECT alpha3, alpha3 FROM countries",
}
"""SQL for the texts, besides labels, by which the values of a facet are found."""

T = TypeVar("T")


class ListedValue(NamedTuple):
    """A value of a facet has a label and a number of events."""

    value: str
    label: str
    events: int


class ValuePage(NamedTuple):
    """A page has a part of a list, and the place where the next page begins (None if last)."""

    values: list[ListedValue]
    found: int
    """The number of values that have the text, on all pages."""
    total: int
    """The number of all values."""
    after: str | None


class Listing:
    """A listing has all values of a facet, counted in a selection of all events at a point."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        chosen: Selection,
        index: FacetIndex | None,
        point: AsOf,
        facet: str,
    ) -> None:
        self._connection = connection
        self._chosen = chosen
        self._index = index
        self._point = point
        self._facet = facet

    def page(
        self, *, text: str = "", by_name: bool = False, after: str = "", size: int = 100
    ) -> ValuePage:
        """Return a page of the values that have all words of a text in their names.

        The values of most events come first, or those whose labels are first in the alphabet;
        `after` is from the page before. Raises InvalidInput for a place that is none.
        """
        key = _by_name if by_name else _by_events
        order = f"by {'name' if by_name else 'events'}"
        values = self._kept(order, lambda: sorted(self._values(), key=key))
        found = values
        if text:
            ids = self._kept("names", lambda: NameSearch(self._names(values))).found(text)
            found = [each for each in values if each.value in ids]
        start = bisect_right(found, key(self._place(after)), key=key) if after else 0
        shown = found[start : start + size]
        is_last = start + size >= len(found)
        following = None if is_last else f"{shown[-1].events}~{shown[-1].value}"
        return ValuePage(shown, len(found), len(values), following)

    def _kept(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` returns; with an index it is kept for the pages that follow.

        What is kept for now is worked out without a deadline, as the index itself is.
        """
        if self._index is None:
            return work()
        is_now = self._point.is_now
        with deadline.paused(self._connection) if is_now else contextlib.nullcontext():
            key = name, self._facet, self._point
            return self._index.lately("listings", _KEPT, key, work)

    def _values(self) -> list[ListedValue]:
        counted = self._chosen.choices(self._facet).rows
        values = {
            str(row["value"]): ListedValue(str(row["value"]), str(row["label"]), row["count"])
            for row in counted
        }
        if sql := _WITHOUT_EVENTS.get(self._facet):
            for value, label in self._connection.execute(sql, (self._point.seq,)):
                values.setdefault(value, ListedValue(value, label, 0))
        return [*values.values()]

    def _place(self, after: str) -> ListedValue:
        """Return the value whose place in the list a text names. Raises InvalidInput."""
        events, _, value = after.partition("~")
        if not events.isdecimal() or not value:
            raise InvalidInput("after", f'"{hints.printable(after)}" is not a place in a list')
        return ListedValue(value, self._chosen.label_of(self._facet, value), int(events))

    # --- Names --------------------------------------------------------------------------------

    def _names(self, values: Sequence[ListedValue]) -> dict[str, set[str]]:
        """Return the texts by which each of these values is found."""
        found = {each.value: {each.label} for each in values}
        for value, name in (
            self._names_of_actors() if self._facet == "actor" else self._other_names()
        ):
            if value in found:
                found[value].add(name)
        return found

    def _other_names(self) -> Iterator[tuple[str, str]]:
        if sql := _NAMES.get(self._facet):
            yield from self._connection.execute(sql)

    def _names_of_actors(self) -> Iterator[tuple[str, str]]:
        """Yield actors with the names of their own, of those merged into them, and in events."""
        rows = self._connection.execute("SELECT actor_id, name, aliases, merged_into FROM actors")
        known = {actor_id: rest for actor_id, *rest in rows}
        for actor_id, (name, aliases, into) in known.items():
            seen = {actor_id}
            while into in known and into not in seen:
                seen.add(into)
                actor_id, into = into, known[into][2]
            yield from ((actor_id, each) for each in (name, *(aliases or "").split("; ")) if each)
        if self._index is None:
            yield from self._chosen.tables.execute("SELECT actor_id, name FROM event_actors")
            return
        alive = self._index.alive(self._point)
        for key, seqs in self._index.postings["participant"].items():
            if seqs.intersect(alive):
                yield self._index.actor_ids[key], str(key[1])


def _by_events(value: ListedValue) -> tuple[int, str, str]:
    return -value.events, value.label, value.value


def _by_name(value: ListedValue) -> tuple[str, str, str]:
    return folded(value.label), value.label, value.value
