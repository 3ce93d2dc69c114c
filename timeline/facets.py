"""The facet index: which versions of events have what, for any entry of the log.

Guarantees: it is of the newest entry that its reader sees; one that is behind is brought up,
one that is ahead is not used. For every value of every facet it holds the set of the entries
in which versions of events stand that have it (roaring bitmaps), so that a filter is an
intersection and a count its size. What was alive at an entry is one more set: recorded by
then, less what was superseded by then.

Names of actors and states of sources are always today's. Of the other clock, that of reports,
it knows nothing. Lives in memory: read from the segments that the projection stores.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pyroaring import BitMap

from timeline import actors, facet_segments, fold
from timeline.facet_segments import Gathered, Postings, Value

__all__ = ["SMALLEST", "FacetIndex", "counts", "current", "union"]

SMALLEST = 5_000
"""Events: below that, the tables are as quick (bench/browse.py)."""

_NONE = BitMap()
_LABELS = {
    "event_type": "SELECT code, label FROM event_types",
    "actor": "SELECT actor_id, name FROM actors",
    "country": "SELECT alpha3, name FROM countries",
    "source": "SELECT source_id, coalesce(title, url, source_id) FROM sources",
    "at_risk": "SELECT 1, 'at risk'",
}

T = TypeVar("T")
Days = tuple[str | None, str | None]
Months = tuple[str | None, str | None]


class FacetIndex(NamedTuple):
    """In which entries versions of events have what, as of one entry of the log."""

    seq: int
    leaf: bytes
    postings: Mapping[str, Postings]
    """As `facet_segments.Gathered` has them, and those by "actor" and "corrected"."""
    later: array[int]
    """The versions that are not the first of their event, in the order of the log,"""
    before: array[int]
    """those that they took the place of,"""
    event_keys: array[int]
    """and the first ones of their events."""
    who: dict[Value, str]
    """The actors that participants are."""
    days: list[tuple[str, Postings]]
    """The sets of "span" by the day on which they begin, in order ("" where that is open), and
    by the other day."""
    months: dict[Months, BitMap]
    """The sets of "span" put together by the months of both days,"""
    in_months: Mapping[Months, dict[Days, BitMap]]
    """and one by one."""
    kept: dict[str, Any]
    """What was worked out once: whatever would change it comes with another entry."""

    def having(self, facet: str, value: Value = "") -> BitMap:
        """The entries in which a version has this value."""
        return self.postings[facet].get(value, _NONE)

    def alive(self, seq: int) -> BitMap:
        """The entries in which events stood after entry `seq`."""
        if seq >= self.seq:
            return self._once("alive", lambda: self.having("version") - BitMap(self.before))
        recorded = self.having("version") & BitMap(range(seq + 1))
        return recorded - BitMap(self.before[: bisect_right(self.later, seq)])

    def labels(self, connection: sqlite3.Connection, facet: str) -> dict[Any, str]:
        """What the values of a facet are called today, where they are not called what they are."""
        sql = _LABELS.get(facet)
        return self._once(facet, lambda: dict(connection.execute(sql))) if sql else {}

    def _once(self, name: str, work: Callable[[], T]) -> T:
        if name not in self.kept:
            self.kept[name] = work()
        found: T = self.kept[name]
        return found

    def reaching(self, side: str, day: str) -> BitMap:
        """The entries of events that could lie behind a day ("since"), or before it ("until")."""
        sets = []
        for months, seqs in self.months.items():
            month = months[side == "since"]
            if month == day[:-3]:
                for days, some in self.in_months[months].items():
                    its_day = days[side == "since"] or ""
                    if its_day >= day if side == "since" else its_day <= day:
                        sets.append(some)
            elif month is None or (month > day) == (side == "since"):
                sets.append(seqs)
        return union(sets)

    def found(self, connection: sqlite3.Connection, words: str) -> BitMap:
        """The entries in which events stand now that hold what an FTS5 query looks for."""
        (found,) = connection.execute(
            "SELECT json_group_array(rowid) FROM event_search WHERE event_search MATCH ?",
            (words,),
        ).fetchone()
        event_keys = BitMap(json.loads(found))
        seqs = event_keys & self.alive(self.seq)
        if changed := event_keys - seqs:
            newest = self._once(
                "newest", lambda: dict(zip(self.event_keys, self.later, strict=True))
            )
            seqs |= BitMap([newest[event_key] for event_key in changed])
        return seqs


def current(connection: sqlite3.Connection, known: FacetIndex | None) -> FacetIndex | None:
    """The index for what this connection sees; None if `known` is ahead of it."""
    newest = connection.execute("SELECT seq, leaf FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    if newest is None:
        return None
    seq, leaf = newest
    if known is None:
        return _loaded(connection, seq, leaf)
    if known.seq > seq:
        return None
    (its_leaf,) = connection.execute("SELECT leaf FROM log WHERE seq = ?", (known.seq,)).fetchone()
    if its_leaf != known.leaf:  # another log has taken its place
        return _loaded(connection, seq, leaf)
    if known.seq == seq:
        return known
    erased, renamed = connection.execute(
        "SELECT max(kind = 'entry.erased'), max(kind GLOB 'actor.*') FROM log WHERE seq > ?",
        (known.seq,),
    ).fetchone()
    if erased:
        return _loaded(connection, seq, leaf)
    gathered = facet_segments.gather(connection, known.seq + 1, seq + 1)
    known = known._replace(seq=seq, leaf=leaf, who={} if renamed else known.who)
    return _with(connection, known, gathered)


def _loaded(connection: sqlite3.Connection, seq: int, leaf: bytes) -> FacetIndex:
    nothing = FacetIndex(
        seq, leaf, _NOTHING, array("I"), array("I"), array("I"), {}, [], {}, {}, {}
    )
    return _with(connection, nothing, facet_segments.read(connection, seq + 1))


_NOTHING: dict[str, Postings] = {
    facet: {} for facet in (*facet_segments.FACETS, "actor", "corrected")
}


def _with(connection: sqlite3.Connection, known: FacetIndex, gathered: Gathered) -> FacetIndex:
    """The index with later versions; what did not change is shared with the one before."""
    new = gathered.postings
    postings = {**known.postings}
    for facet, values in new.items():
        postings[facet] = _added(known.postings[facet], values.items())
    corrected = known.having("corrected") | new.get("correction", {}).get("", _NONE)
    for each in gathered.later:
        if each.before in corrected:
            corrected.add(each.seq)
    postings["corrected"] = {"": corrected}
    # After an entry about an actor anybody may be somebody else.
    named = new.get("participant", {}) if known.who else postings["participant"]
    who = known.who | {key: _actor(connection, key) for key in named if key not in known.who}
    postings["actor"] = _added(
        known.postings["actor"] if known.who else {},
        ((who[key], seqs) for key, seqs in named.items()),
    )
    later, before, event_keys = (
        ones + array("I", [each[place] for each in gathered.later])
        for place, ones in enumerate((known.later, known.before, known.event_keys))
    )
    by_day: defaultdict[str, Postings] = defaultdict(dict)
    in_months: defaultdict[Months, dict[Days, BitMap]] = defaultdict(dict)
    for (first, last), seqs in postings["span"].items():
        by_day[first or ""][last] = seqs
        in_months[first and first[:-3], last and last[:-3]][first, last] = seqs
    return FacetIndex(
        *(known.seq, known.leaf, postings, later, before, event_keys, who),
        days=sorted(by_day.items()),
        months={months: union([*each.values()]) for months, each in in_months.items()},
        in_months=in_months,
        kept={},
    )


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
    """The actor that a participant is, as `actors.Actors` has it."""
    actor_id, name = participant
    known = actors.known_as(connection, actor_id, name)
    return known[0] if known else actor_id or fold.actor_id_of(name)


def counts(postings: Mapping[Any, BitMap], chosen: BitMap) -> list[tuple[Any, int]]:
    """How many of the chosen entries have each value; values of none are left out."""
    sizes = ((value, chosen.intersection_cardinality(each)) for value, each in postings.items())
    return [(value, count) for value, count in sizes if count]
