"""Selections over the facet index: they count every facet exactly, as of any moment.

Guarantees: it answers as `selection.Selection` does from the tables as of that moment, which is
a point on both clocks. The index must have every entry of the log up to that moment.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from pyroaring import BitMap

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.log_clock import occurred_in
from timeline.projection.facet_segments import Postings
from timeline.reading import areas, indexed_search, offices, selection
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.facet_index import (
    Days,
    FacetIndex,
    Months,
    contents,
    counts,
    in_arrays,
    union,
)
from timeline.reading.filters import FilterValues, fts_query
from timeline.reading.indexed_spans import IndexedSpans
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import (
    Choices,
    EventPage,
    NewAndChanged,
    PageOfIds,
    Selection,
    first_choices,
)
from timeline.reading.sources import withdrawals
from timeline.store.rows import RowDict

_FEW = 3_000
"""Events, at most, that are looked up one by one; with more, the list is read in its order."""

_NONE = BitMap()


class IndexedSelection(Selection):
    """An indexed selection answers as `Selection` does, from the index, as of any point.

    It must be closed, since a page of the past has tables of its own.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        index: FacetIndex,
        filters: Mapping[str, Any] | None = None,
        text: str | None = None,
        *,
        point: AsOf = NOW,
    ) -> None:
        self._index = index
        self._point = index.within(point)
        self._is_now = self._point == index.within(NOW)
        self._alive = index.alive(self._point)
        super().__init__(connection, filters, text)
        self._at_risk = self._resting_on_withdrawn()
        self._opened = contextlib.ExitStack()
        self._found = (
            None
            if self._text is None
            else indexed_search.found(connection, index, fts_query(self._text), self._point)
        )
        self._parts = {name: self._part(name, values) for name, values in self._filters.items()}
        self._chosen = self._having_all(self._parts)

    def close(self) -> None:
        """Close the in-memory tables of the last page."""
        self._opened.close()

    def everything(self, filters: Mapping[str, Any] | None = None) -> Selection:
        found = IndexedSelection(self._connection, self._index, filters, point=self._point)
        self._opened.callback(found.close)
        return found

    def parse_filter(self, name: str, value: object) -> object:
        """Parse the value of a filter as `Selection.parse_filter` does.

        As of a past moment it also accepts event types and actors that no current event uses.
        """
        try:
            found = super().parse_filter(name, value)
        except InvalidValue:
            used = self._index.having(name, value) if name == "event_type" else _NONE
            if self._is_now or not used.intersect(self._alive):
                raise
            return value
        if not self._is_now and name == "actor":
            called = str(value).strip()
            names = self._forgotten_names()
            if called in names:
                return json.dumps([called])
            forgotten = [each for each, name in names.items() if _nocase(name) == _nocase(called)]
            return json.dumps([*json.loads(str(found)), *forgotten])
        return found

    # --- What is chosen -------------------------------------------------------------------

    def _part(self, name: str, values: list[Any]) -> BitMap:
        """Return the versions that match a filter; for "not_...", those that it leaves out."""
        sets = [self._having(name, value) for value in values]
        return BitMap.intersection(*sets) if name.endswith("_match") else union(sets)

    def _having(self, name: str, value: Any) -> BitMap:
        """Return the versions that have one value of a filter."""
        name = name.removeprefix("not_").removesuffix("_match")
        match name:
            case "actor":
                return union([self._index.having(name, each) for each in json.loads(value)])
            case "source":
                cited = self._connection.execute(
                    "SELECT source_id FROM sources"
                    " WHERE ? COLLATE NOCASE IN (source_id, url, publisher)",
                    (value,),
                )
                return union([self._index.having(name, source_id) for (source_id,) in cited])
            case "place":
                named = _nocase(value)
                places = self._index.postings[name].items()
                return union([seqs for place, seqs in places if _nocase(place) == named])
            case "area":
                area = areas.Area(*json.loads(value))
                points = self._index.postings["point"].items()
                return union([seqs for point, seqs in points if area.contains(*point)])
            case "year":
                return self._within((value,))
            case "month":
                return self._within(tuple(map(int, value.split("-"))))
            case "since" | "until":
                return self._in_period(name, value)
            case "at_risk":
                return self._at_risk if value else self._alive - self._at_risk
            case "highlight":
                is_said = self._alive - self._index.having("state", "erased")
                return self._index.having(name) if value else is_said - self._index.having(name)
            case "measure":
                return self._index.measuring(**json.loads(value))
        return self._index.having(name, value)

    def _within(self, period: tuple[int, ...]) -> BitMap:
        """Return the versions with both bounds in a year or a month."""
        return union(
            [
                seqs
                for bounds, seqs in self._index.postings["span"].items()
                if all(day and edtf.numbers(day)[: len(period)] == period for day in bounds)
            ]
        )

    def _in_period(self, side: str, bound: str) -> BitMap:
        """Return the versions that may have occurred "since" or "until" a bound."""
        day, _, clock = bound.partition("T")
        seqs = self._index.reaching(side, day)
        if not clock:
            return seqs
        on_the_day = union(
            [
                seqs & self._alive
                for bounds, seqs in self._index.postings["span"].items()
                if bounds[side == "since"] == day
            ]
        )
        too_far = BitMap()
        for seq, _, (first, last) in self._dates(on_the_day):
            if not (
                (last or "") + "~" >= bound if side == "since" else (first or "") <= bound + "~"
            ):
                too_far.add(seq)
        return seqs - too_far

    def _dates(self, seqs: BitMap) -> Iterator[tuple[int, str, Days]]:
        """Yield entry, event and bounds of these versions."""
        for seq, event_id, content in contents(self._connection, seqs):
            when = content and occurred_in(content["occurred"], self._index.time_zone)
            yield seq, event_id, (when.occurred_from, when.occurred_to) if when else (None, None)

    def _resting_on_withdrawn(self) -> BitMap:
        """Return the versions that cite only sources that were withdrawn by then."""
        withdrawn = withdrawals(self._connection, self._point)
        if not withdrawn:
            return _NONE
        sets = self._index.postings["source"].items()
        on_them = union([seqs for source_id, seqs in sets if source_id in withdrawn])
        return on_them - union([seqs for source_id, seqs in sets if source_id not in withdrawn])

    def _having_all(self, parts: Mapping[str, BitMap]) -> BitMap:
        """Return the current versions that match all of these filters and the text."""
        left = self._alive if self._found is None else self._alive & self._found
        wanted = [part for name, part in parts.items() if not name.startswith("not_")]
        for part in sorted(wanted, key=len):
            left = left & part
        for name, part in parts.items():
            if name.startswith("not_"):
                left = left - part
        return left

    def _without(self, name: str) -> BitMap:
        """Return the current versions that match all filters but this one."""
        if name not in self._parts:
            return self._chosen
        return self._having_all({key: part for key, part in self._parts.items() if key != name})

    def _count_of(self, filters: FilterValues) -> int:
        parts = {
            name: self._parts[name]
            if self._filters.get(name) == values
            else self._part(name, values)
            for name, values in filters.items()
        }
        return len(self._having_all(parts))

    @cached_property
    def _months(self) -> dict[Months, int]:
        """Return the months of both bounds, with the number of chosen events that have them."""
        return dict(self._index.counts("months", self._chosen))

    # --- Answers --------------------------------------------------------------------------

    def count(self) -> int:
        return len(self._chosen)

    def corrected(self) -> int:
        return self._chosen.intersection_cardinality(self._index.having("corrected"))

    def choices(
        self,
        name: str,
        limit: int | None = None,
        also: Collection[str] = (),
        *,
        is_kept: bool = False,
        containing: str = "",
    ) -> Choices:
        chosen = self._chosen if is_kept else self._without(name)
        labels = self._index.labels(self._connection, name)
        if name == "actor" and not self._is_now:
            labels = labels | self._forgotten_names()
        among: Collection[Any] | None = labels if name in ("country", "source") else None
        if containing:
            part = selection.folded(containing)
            values = self._index.postings.get(name, {}) if among is None else among
            among = {
                value for value in values if part in selection.folded(labels.get(value, value))
            }
        if name in ("at_risk", "highlight"):
            has = self._at_risk if name == "at_risk" else self._index.having(name)
            counted = counts({1: has}, chosen)
            total = len(counted)
        else:
            most = len(self._index.postings[name]) if limit is None else limit
            counted, total = self._index.most(name, chosen, most, also=also, among=among)
        found = [
            {"value": value, "label": labels.get(value, value), "count": count}
            for value, count in counted
        ]
        found.sort(key=lambda row: (-row["count"], row["label"], row["value"]))
        choices = first_choices(found, limit, also)._replace(total=total)
        return self._with_missing(name, choices, also)

    def label_of(self, name: str, value: str) -> str:
        known = super().label_of(name, value)
        if known == value and name == "actor" and not self._is_now:
            return self._forgotten_names().get(value, value)
        return known

    def among(self, event_ids: Iterable[str]) -> set[str]:
        if not self._is_now:
            return {*event_ids} & {*self._event_ids(self._chosen)}
        rows = self._connection.execute(
            "SELECT event_id, seq FROM events WHERE event_id IN (SELECT value FROM json_each(?))",
            (json.dumps([*event_ids]),),
        )
        return {event_id for event_id, seq in rows if seq in self._chosen}

    def since(self, seq: int) -> NewAndChanged:
        found = self._chosen & BitMap(range(seq + 1, self._index.seq + 1))
        start = bisect_right(self._index.later, seq)
        later = zip(self._index.later[start:], self._index.event_keys[start:], strict=True)
        changed = sum(key <= seq for version, key in later if version in found)
        return NewAndChanged(len(found) - changed, changed)

    def measures(self) -> list[tuple[str, str]]:
        return [
            both
            for both, extents in self._index.figures.items()
            if any(seqs.intersect(self._alive) for _, seqs in extents)
        ]

    def offices(self, actor_id: str) -> list[RowDict]:
        if self._is_now:
            return super().offices(actor_id)
        return offices.in_versions(self._connection, self._index, actor_id, self._chosen)

    def _forgotten_names(self) -> dict[Any, str]:
        """Return the first names of the actors that no current event has, by actor id."""
        named = [
            ((seqs & self._alive).min(), name, actor_id)
            for name, actor_id, seqs in self._index.forgotten(self._connection)
            if seqs.intersect(self._alive)
        ]
        return {actor_id: name for _, name, actor_id in sorted(named, reverse=True)}

    def spans(self) -> IndexedSpans:
        parts = {name: part for name, part in self._parts.items() if name not in selection.PERIOD}
        chosen = self._having_all(parts) if len(parts) < len(self._parts) else self._chosen
        return IndexedSpans(self._connection, self._index, chosen)

    def points(self) -> list[RowDict]:
        counted = self._index.counts("point", self._chosen)
        counted.sort(key=lambda each: (-each[1], each[0]))
        return [{"lat": lat, "lon": lon, "count": count} for (lat, lon), count in counted]

    # --- Lists ----------------------------------------------------------------------------

    def page(
        self, *, after: str | None = None, oldest_first: bool = False, size: int = 50
    ) -> EventPage:
        if self._is_now:
            return super().page(after=after, oldest_first=oldest_first, size=size)
        seqs = [seq for _, _, seq in self._places(after, oldest_first, size)]
        self._opened.close()
        self.tables = self._opened.enter_context(tables_as_of(self._connection, self._point, seqs))
        its_events = Selection(self.tables, {"state": "all"})
        return its_events.page(oldest_first=oldest_first, size=size)

    def page_of_ids(
        self, *, after: str | None = None, oldest_first: bool = False, size: int = 50
    ) -> PageOfIds:
        if self._is_now:
            return super().page_of_ids(after=after, oldest_first=oldest_first, size=size)
        places = self._places(after, oldest_first, size)
        ids = [event_id for _, event_id, _ in places[:size]]
        return PageOfIds(ids, "~".join(places[size - 1][:2]) if len(places) > size else None)

    def _places(
        self, after: str | None, oldest_first: bool, size: int
    ) -> list[tuple[str, str, int]]:
        """Return start ("" if it is open), event and entry of the events of a page, and one more.

        The one more is there if a page follows.
        """
        behind = selection.place_in_list(after) if after else None
        places = sorted(
            (
                (first or "", event_id, seq)
                for seq, event_id, (first, _) in self._dates(
                    self._window(behind, oldest_first, size)
                )
            ),
            reverse=not oldest_first,
        )
        if behind:
            places = [
                each
                for each in places
                if each[:2] != behind and (each[:2] > behind) == oldest_first
            ]
        return places[: size + 1]

    def _window(self, behind: tuple[str, str] | None, oldest_first: bool, size: int) -> BitMap:
        """Return the chosen versions on the days of a page: more than `size`, if there are more."""
        if len(self._chosen) <= 2 * size:
            return self._chosen
        its_day = behind and behind[0].partition("T")[0]
        found = BitMap()
        doubtful = 0
        for day, sets in self._days(oldest_first):
            if its_day is not None and day != its_day and (day > its_day) != oldest_first:
                continue
            for each in sets.values():
                found |= each & self._chosen
            if day == its_day:
                doubtful = len(found)
            if len(found) - doubtful > size:
                break
        return found

    def _days(self, oldest_first: bool) -> Iterator[tuple[str, Postings]]:
        """Yield the days on which events start, in the months in which chosen ones do."""
        beginnings = self._index.beginnings
        for months, days in beginnings if oldest_first else reversed(beginnings):
            if not self._months.keys().isdisjoint(months):
                yield from days if oldest_first else reversed(days)

    def _in_a_list(self, after: str | None, oldest_first: bool, size: int) -> tuple[str, list[Any]]:
        """Return the condition that chooses the events of a page, and its values.

        Few events are looked up by their seq; if they are many, each event is tested in turn.
        """
        behind = selection.place_in_list(after) if after else None
        window = self._window(behind, oldest_first, size)
        if len(window) <= _FEW:
            return "e.seq IN (SELECT value FROM json_each(?))", [json.dumps([*window])]
        self._connection.create_function(
            "timeline_is_chosen", 1, window.__contains__, deterministic=True
        )
        return "timeline_is_chosen(e.seq)", []

    def map_rows(self, points: Iterable[RowDict]) -> list[RowDict]:
        postings = self._index.postings["point"]
        chosen = {
            _first(postings[point["lat"], point["lon"]], self._chosen): point for point in points
        }
        if self._is_now:
            return super().map_rows({**point, "seq": seq} for seq, point in chosen.items())
        found = []
        for seq, event_id, content in contents(self._connection, chosen):
            said = content or {}
            place = said.get("place", {})
            found.append(
                {
                    "seq": seq,
                    "event_id": event_id,
                    "title": said.get("title"),
                    "place": place.get("name"),
                    "country": place.get("country"),
                    "geo_precision": place.get("geo_precision"),
                    **chosen[seq],
                }
            )
        return found

    def event_types_at(self, points: Iterable[RowDict]) -> set[str | None]:
        postings = self._index.postings["point"]
        here = union([postings[point["lat"], point["lon"]] for point in points])
        return {each for each, seqs in self._of_types.items() if seqs.intersect(here)}

    @cached_property
    def _of_types(self) -> dict[Any, BitMap]:
        """Return the chosen versions by their types; None stands for those without a type."""
        types = self._index.postings["event_type"]
        found = {each: seqs & self._chosen for each, seqs in types.items()}
        return {**found, None: self._chosen - union([*found.values()])}

    def newest(self, limit: int | None = None) -> list[str]:
        seqs = self._chosen.to_array()[::-1]
        return [*self._event_ids(seqs if limit is None else seqs[:limit])]

    def in_order_of_the_log(self) -> Iterator[str]:
        return self._event_ids(self._index.keys_of(self._chosen))

    def _event_ids(self, seqs: Iterable[int]) -> Iterator[str]:
        """Yield the ids of the events that these entries are about."""
        for some in in_arrays(seqs):
            for (event_id,) in self._connection.execute(
                "SELECT substr(l.subject, 7) FROM json_each(?) AS wanted"
                " CROSS JOIN log AS l ON l.seq = wanted.value ORDER BY wanted.key",
                (some,),
            ):
                yield event_id


def _first(one: BitMap, other: BitMap) -> int:
    """Return the first entry in both; if they have many in common, it is soon found."""
    for seq in islice(one, 100):
        if seq in other:
            return seq
    return (one & other).min()


def _nocase(text: Any) -> str:
    """Lower the letters A to Z, so that texts compare as with COLLATE NOCASE."""
    return str(text).translate(_LOWER)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
