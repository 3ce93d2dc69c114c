"""The facet index tells which versions of events have which values, as of any moment.

A version of an event is known by the `seq` of its entry, and everything here is a set of such
numbers (a roaring bitmap):

    postings    facet -> value -> the versions that have it    country -> UKR -> {3, 7, 12}
    alive(then) the versions that were current at a point on both clocks:
                those recorded and reported by then - those that one of them superseded

A filter is the union of the sets of its values, a selection the intersection of its filters
with `alive`, and a count the size of an intersection. When events occurred is kept twice:

    span        (first day, last day) -> versions              (2025-04-03, 2025-04-05) -> {7}
    months      (first month, last month) -> versions          (2025-04, 2025-04) -> {3, 7}

Most periods and histograms need the months only. `in_months` leads from two months to the spans
within them; `beginnings` has the spans by their first day, for a list in order of time. If few
versions are chosen, `columns` (versions -> values) count them faster than the sets do.

Guarantees: the index is of the newest entry that its reader sees; an older index is brought up
to date, a newer one is not used. Names of actors are always today's. It lives in memory, and is
read from the segments that the projection stores (`facet_segments`).
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
from typing import Any, NamedTuple, TypeVar

from pyroaring import BitMap

from timeline.model.names import actor_id_of
from timeline.projection import actors, facet_segments, fold
from timeline.projection.facet_segments import Extent, Gathered, Postings, Value
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.facet_columns import Columns
from timeline.store.codec import decode_content

SMALLEST = 5_000
"""Events: with fewer than these, the tables answer as quickly (bench/browse.py)."""

_MANY = 64
"""Values: a facet with fewer is always counted by its sets."""

_SPARSE = 32
"""Entries per chosen one: from this on, columns count faster than sets do."""

_AT_ONCE = 10_000
"""Entries in one question to SQLite."""

_MOMENTS = 8
"""Points in time, the last ones, whose versions are kept with an index. With a million events it
takes 15 ms to find them, and 75 KB to keep them (bench/RESULTS.md)."""

_NONE = BitMap()
_LABELS = {
    "event_type": "SELECT code, label FROM event_types",
    "actor": "SELECT actor_id, name FROM actors",
    "country": "SELECT alpha3, name FROM countries",
    "source": "SELECT source_id, name FROM source_names",
    "at_risk": "SELECT 1, 'at risk'",
    "highlight": "SELECT 1, 'highlight'",
}

T = TypeVar("T")
Days = tuple[str | None, str | None]
Months = tuple[str | None, str | None]


class FacetIndex(NamedTuple):
    """An index holds all versions up to one entry of the log; see the module for its parts."""

    seq: int
    """The newest entry that is in the index."""
    leaf: bytes
    """The leaf hash of that entry, which tells whether it is still of the same log."""
    zone: str
    """The time zone and its rules with which the tables were made: days depend on them."""
    postings: Mapping[str, Postings]
    """The versions by facet and value: the facets of `facet_segments.Gathered`, and "actor",
    "corrected" and "months" (the sets of "span", united by the months of both days)."""
    later: array[int]
    """The seq of every version that is not the first of its event, ascending."""
    before: array[int]
    """For each version in `later`, the seq of the version that it superseded."""
    event_keys: array[int]
    """For each version in `later`, the seq of the first version of its event."""
    actor_ids: dict[Value, str]
    """The actor id of each participant (the values of facet "participant")."""
    in_months: Mapping[Months, dict[Days, BitMap]]
    """The spans, and their versions, by the months of both days."""
    beginnings: list[tuple[set[Months], list[tuple[str, Postings]]]]
    """The spans in order of time: for each first month the pairs of months that begin with it,
    and for each first day in it ("" if it is open) the versions by their last day."""
    columns: dict[str, Columns]
    """The columns of those facets that were counted in columns; later entries are added."""
    kept: dict[Any, Any]
    """Results that were worked out once; a later index begins without them."""

    @property
    def time_zone(self) -> str:
        """Return the time zone of the log, in which the days of the index begin and end."""
        return self.zone.partition(" ")[0]

    def having(self, facet: str, value: Value = "") -> BitMap:
        """Return the versions that have this value."""
        return self.postings[facet].get(value, _NONE)

    def alive(self, point: AsOf = NOW) -> BitMap:
        """Return the versions that were current at a point on both clocks."""
        point = self.within(point)
        if point == self.within(NOW):
            return self.once("alive", lambda: self.having("version") - BitMap(self.before))
        return self.lately("then", _MOMENTS, point, lambda: self._alive(point))

    def _alive(self, point: AsOf) -> BitMap:
        counting = self.having("version") & BitMap(range(point.seq + 1))
        superseded = self.before[: bisect_right(self.later, point.seq)]
        if point.reported != NOW.reported:
            instants = self.postings["reported"].items()
            counting &= union([seqs for instant, seqs in instants if instant <= point.reported])
            # An instant never falls within an event: with a version, those before it count too.
            counts = map(counting.__contains__, self.later)
            superseded = array("I", compress(superseded, counts))
        return counting - BitMap(superseded)

    def differing(self, one: AsOf, other: AsOf) -> BitMap:
        """Return the keys of the events that have different versions at two points."""
        return self.keys_of(self.alive(one) ^ self.alive(other))

    def keys_of(self, versions: BitMap) -> BitMap:
        """Return the keys of the events of these versions: the seqs of their first versions."""
        later = versions & BitMap(self.later)
        keys = (self.event_keys[bisect_left(self.later, seq)] for seq in later)
        return (versions - later) | BitMap(array("I", keys))

    def within(self, point: AsOf) -> AsOf:
        """Return the same point, with the newest entry in the index if it names a later one."""
        return point._replace(seq=min(point.seq, self.seq))

    def labels(self, connection: sqlite3.Connection, facet: str) -> dict[Any, str]:
        """Return the labels of today for the values of a facet; none if the values are labels."""
        sql = _LABELS.get(facet)
        name = "labels", facet
        return self.once(name, lambda: dict(connection.execute(sql))) if sql else {}

    def forgotten(self, connection: sqlite3.Connection) -> list[tuple[str, str, BitMap]]:
        """Return name, actor id and versions of the participants who are no actor of today."""
        known = self.labels(connection, "actor")
        return self.once(
            "forgotten",
            lambda: [
                (key[1], self.actor_ids[key], seqs)
                for key, seqs in self.postings["participant"].items()
                if self.actor_ids[key] not in known
            ],
        )

    def once(self, name: Any, work: Callable[[], T]) -> T:
        """Return what `work` returns; it is called once in the life of this index."""
        if name not in self.kept:
            self.kept[name] = work()
        found: T = self.kept[name]
        return found

    def lately(self, name: str, most: int, key: Any, work: Callable[[], T]) -> T:
        """Return what `work` returns; under `name`, the results of the last keys are kept."""
        recent: dict[Any, T] = self.kept.get(name, {})
        found = recent[key] if key in recent else work()
        others = [each for each in recent.items() if each[0] != key]
        self.kept[name] = dict([*others[1 - most :], (key, found)])
        return found

    def reaching(self, side: str, day: str) -> BitMap:
        """Return the versions that may have occurred on that day or later ("since"), or by then."""
        sets = []
        for months, seqs in self.postings["months"].items():
            month = months[side == "since"]
            if month == day[:-3]:
                for days, some in self.in_months[months].items():
                    its_day = days[side == "since"] or ""
                    if its_day >= day if side == "since" else its_day <= day:
                        sets.append(some)
            elif month is None or (month > day) == (side == "since"):
                sets.append(seqs)
        return union(sets)

    @property
    def figures(self) -> dict[tuple[str, str], list[tuple[Extent, BitMap]]]:
        """Return the extents of figures with their versions, by measure and unit, in order."""
        return self.once("figures", self._figures)

    def _figures(self) -> dict[tuple[str, str], list[tuple[Extent, BitMap]]]:
        found: dict[tuple[str, str], list[tuple[Extent, BitMap]]] = {}
        for (measure, unit, *extent), seqs in self.postings["figure"].items():
            found.setdefault((measure, unit), []).append((Extent._make(extent), seqs))
        return dict(sorted(found.items()))

    def measuring(
        self, measure: str, unit: str | None, at_least: float | None, at_most: float | None
    ) -> BitMap:
        """Return the versions with a figure of a measure that may be in a range."""
        return union(
            [
                seqs
                for (its_measure, its_unit), extents in self.figures.items()
                if its_measure == measure and unit in (None, its_unit)
                for extent, seqs in extents
                if extent.may_be(at_least, at_most)
            ]
        )

    # --- Counted --------------------------------------------------------------------------

    def counts(self, facet: str, chosen: BitMap) -> list[tuple[Value, int]]:
        """Count the chosen versions by value; values that none of them has are left out."""
        if self._is_for_columns(facet, chosen):
            return self._in_columns(facet, chosen)
        return counts(self.postings[facet], chosen)

    def most(
        self,
        facet: str,
        chosen: BitMap,
        limit: int,
        *,
        also: Collection[Value] = (),
        among: Collection[Value] | None = None,
    ) -> tuple[list[tuple[Value, int]], int]:
        """Return the values that most of the chosen versions have, and the number of all values.

        After the first `limit` values come those with as many versions as the last of these,
        and the values in `also`. With `among`, only these values are counted.
        """
        if self._is_for_columns(facet, chosen):
            counted = self._in_columns(facet, chosen)
            if among is not None:
                counted = [each for each in counted if each[0] in among]
            least = min(heapq.nlargest(limit, (count for _, count in counted)), default=0)
            most = [each for each in counted if each[1] >= least or each[0] in also]
            return most, len(counted)
        found: list[tuple[Value, int]] = []
        highest: list[int] = []
        others = 0
        for value, seqs in self.once(("by size", facet), lambda: self._by_size(facet)):
            if among is not None and value not in among:
                continue
            if len(highest) == limit and len(seqs) < highest[0] and value not in also:
                others += chosen.intersect(seqs)  # too small a set to be among the first
            elif count := chosen.intersection_cardinality(seqs):
                found.append((value, count))
                (heapq.heappush if len(highest) < limit else heapq.heappushpop)(highest, count)
        return found, len(found) + others

    def _is_for_columns(self, facet: str, chosen: BitMap) -> bool:
        return len(chosen) * _SPARSE <= self.seq + 1 and len(self.postings[facet]) >= _MANY

    def _by_size(self, facet: str) -> list[tuple[Value, BitMap]]:
        return sorted(self.postings[facet].items(), key=lambda each: -len(each[1]))

    def _in_columns(self, facet: str, chosen: BitMap) -> list[tuple[Value, int]]:
        sets = self.postings[facet]
        columns = self.columns.get(facet)
        if columns is None:
            columns = self.columns[facet] = Columns(sets, self.seq + 1)
        large = {value: sets[value] for value in columns.large}
        return counts(large, chosen) + columns.counts(chosen)


def contents(
    connection: sqlite3.Connection, seqs: Iterable[int]
) -> Iterator[tuple[int, str, fold.StoredContent | None]]:
    """Yield entry, event and content of these versions, in this order."""
    for some in in_arrays(seqs):
        cursor = connection.execute(
            "SELECT v.seq, v.event_id, content.payload FROM json_each(?) AS wanted"
            " CROSS JOIN entry_versions AS v ON v.seq = wanted.value"
            " CROSS JOIN log AS content ON content.seq = v.content_seq",
            (some,),
        )
        for seq, event_id, payload in cursor:
            yield seq, event_id, decode_content(payload)


def in_arrays(seqs: Iterable[int]) -> Iterator[str]:
    """Yield entries as JSON arrays of limited length: a connection may refuse a longer text."""
    left = iter(seqs)
    while some := [*islice(left, _AT_ONCE)]:
        yield json.dumps(some)


def current(connection: sqlite3.Connection, known: FacetIndex | None) -> FacetIndex | None:
    """Return the index for what this connection sees; None if `known` is ahead of it."""
    newest = connection.execute("SELECT seq, leaf FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    if newest is None:
        return None
    (zone,) = connection.execute(
        "SELECT time_zone || ' ' || zone_rules FROM projection_state"
    ).fetchone()
    empty = EMPTY._replace(seq=newest[0], leaf=newest[1], zone=zone)
    if known is None:
        return _loaded(connection, empty)
    if known.seq > empty.seq:
        return None
    (its_leaf,) = connection.execute("SELECT leaf FROM log WHERE seq = ?", (known.seq,)).fetchone()
    if (its_leaf, empty.zone) != (known.leaf, known.zone):  # another log, or tables made again
        return _loaded(connection, empty)
    seq, leaf = empty.seq, empty.leaf
    if known.seq == seq:
        return known
    erased, renamed = connection.execute(
        "SELECT max(kind = 'entry.erased'), max(kind GLOB 'actor.*') FROM log WHERE seq > ?",
        (known.seq,),
    ).fetchone()
    if erased:
        return _loaded(connection, empty)
    gathered = facet_segments.gather(connection, known.seq + 1, seq + 1, known.time_zone)
    known = known._replace(seq=seq, leaf=leaf, actor_ids={} if renamed else known.actor_ids)
    return _with(connection, known, gathered)


def _loaded(connection: sqlite3.Connection, empty: FacetIndex) -> FacetIndex:
    return _with(connection, empty, facet_segments.read(connection, empty.seq + 1, empty.time_zone))


EMPTY = FacetIndex(
    seq=-1,
    leaf=b"",
    zone="",
    postings={facet: {} for facet in (*facet_segments.FACETS, "actor", "corrected", "months")},
    later=array("I"),
    before=array("I"),
    event_keys=array("I"),
    actor_ids={},
    in_months={},
    beginnings=[],
    columns={},
    kept={},
)
"""The index of an empty log."""


def _with(connection: sqlite3.Connection, known: FacetIndex, gathered: Gathered) -> FacetIndex:
    """Return the index with later versions added; unchanged parts are shared with `known`."""
    new = {**gathered.postings}
    new["months"] = {
        both: union([*each.values()]) for both, each in _by_months(new.get("span", {})).items()
    }
    postings = {**known.postings}
    for facet, values in new.items():
        postings[facet] = _added(known.postings[facet], values.items())
    corrected = known.having("corrected") | new.get("correction", {}).get("", _NONE)
    for each in gathered.later:
        if each.before in corrected:
            corrected.add(each.seq)
    postings["corrected"] = {"": corrected}
    # An entry about an actor may change which actor any participant is.
    named = new.get("participant", {}) if known.actor_ids else postings["participant"]
    actor_ids = known.actor_ids | {
        key: _actor(connection, key) for key in named if key not in known.actor_ids
    }
    new["actor"] = _added({}, ((actor_ids[key], seqs) for key, seqs in named.items()))
    postings["actor"] = _added(
        known.postings["actor"] if known.actor_ids else {}, new["actor"].items()
    )
    columns = {**known.columns}
    if not known.actor_ids:
        columns.pop("actor", None)
    for facet, known_columns in columns.items():
        known_columns.extend(new.get(facet, {}), known.seq + 1)
    later, before, event_keys = (
        ones + array("I", [each[place] for each in gathered.later])
        for place, ones in enumerate((known.later, known.before, known.event_keys))
    )
    in_months = _by_months(postings["span"])
    return FacetIndex(
        *(known.seq, known.leaf, known.zone, postings, later, before, event_keys, actor_ids),
        in_months=in_months,
        beginnings=_beginnings(in_months),
        columns=columns,
        kept={},
    )


def _by_months(spans: Mapping[Days, BitMap]) -> Mapping[Months, dict[Days, BitMap]]:
    found: defaultdict[Months, dict[Days, BitMap]] = defaultdict(dict)
    for (first, last), seqs in spans.items():
        found[first and first[:-3], last and last[:-3]][first, last] = seqs
    return found


def _beginnings(
    in_months: Mapping[Months, dict[Days, BitMap]],
) -> list[tuple[set[Months], list[tuple[str, Postings]]]]:
    begun: defaultdict[str, set[Months]] = defaultdict(set)
    for both in in_months:
        begun[both[0] or ""].add(both)
    found = []
    for _, months in sorted(begun.items()):
        days: defaultdict[str, Postings] = defaultdict(dict)
        for both in months:
            for (first, last), seqs in in_months[both].items():
                days[first or ""][last] = seqs
        found.append((months, sorted(days.items())))
    return found


def _added(known: Postings, more: Iterable[tuple[Value, BitMap]]) -> Postings:
    sets: defaultdict[Value, list[BitMap]] = defaultdict(list)
    for value, seqs in more:
        sets[value].append(seqs)
    return known | {
        value: union([*several, known[value]] if value in known else several)
        for value, several in sets.items()
    }


def union(sets: Sequence[BitMap]) -> BitMap:
    return sets[0] if len(sets) == 1 else BitMap.union(_NONE, *sets)


def _actor(connection: sqlite3.Connection, participant: Value) -> str:
    """Return the actor id of a participant, as `projection.actors.Actors` finds it."""
    actor_id, name = participant
    known = actors.known_as(connection, actor_id, name)
    return known[0] if known else actor_id or actor_id_of(name)


def counts(postings: Mapping[Any, BitMap], chosen: BitMap) -> list[tuple[Any, int]]:
    """Count the chosen versions by value; values that none of them has are left out."""
    sizes = ((value, chosen.intersection_cardinality(each)) for value, each in postings.items())
    return [(value, count) for value, count in sizes if count]
