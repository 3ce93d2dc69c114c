"""The facet index: which versions of events have what, for any entry of the log.

Guarantees: it is of the newest entry that its reader sees; one that is behind is brought up,
one that is ahead is not used. For every value of every facet it holds the set of the entries
in which versions of events stand that have it (roaring bitmaps), so that a filter is an
intersection and a count its size. What was alive at an entry is one more set: recorded by
then, less what was superseded by then.

Names of actors are always today's. Of the other clock, that of reports,
it knows nothing. Lives in memory: read from the segments that the projection stores.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json
from pyroaring import BitMap

from timeline.model.names import actor_id_of
from timeline.projection import actors, facet_segments, fold, tables
from timeline.projection.facet_segments import Gathered, Postings, Value
from timeline.projection.projector import INSERT_SEARCH
from timeline.reading.facet_columns import Columns
from timeline.store.codec import decode_content

__all__ = [
    "EMPTY",
    "SMALLEST",
    "Days",
    "FacetIndex",
    "Months",
    "contents",
    "counts",
    "current",
    "in_arrays",
    "union",
]

SMALLEST = 5_000
"""Events: below that, the tables are as quick (bench/browse.py)."""

_MANY = 64
"""Values: a facet of fewer is counted over its sets only."""

_SPARSE = 32
"""Entries of which one is chosen, or fewer, are counted more quickly in columns than over sets."""

_AT_ONCE = 10_000
"""Entries that SQLite is asked about together."""

_LONGEST_ARRAY = 1_000_000_000
"""Bytes: what SQLite allows at most by itself."""

_SEARCHES = 32
"""So many of the last searches are kept."""

_NONE = BitMap()
_LABELS = {
    "event_type": "SELECT code, label FROM event_types",
    "actor": "SELECT actor_id, name FROM actors",
    "country": "SELECT alpha3, name FROM countries",
    "source": "SELECT source_id, coalesce(title, url, source_id) FROM sources",
    "at_risk": "SELECT 1, 'at risk'",
}

_WITH_THE_WORDS_OF_TODAY = (
    "SELECT own.seq, e.seq FROM json_each(?) AS wanted"
    " CROSS JOIN log AS own ON own.seq = wanted.value"
    " CROSS JOIN event_versions AS v"
    "   ON v.event_id = substr(own.subject, 7) AND v.version = own.version"
    " CROSS JOIN events AS e ON e.event_id = v.event_id"
    " WHERE NOT EXISTS (SELECT 1 FROM field_changes AS f"
    "   WHERE f.event_id = v.event_id AND f.version > v.version"
    "   AND substr(f.path || '/', 1, instr(substr(f.path || '/', 2), '/') + 1)"
    "     IN ('/title/', '/summary/', '/citations/', '/participants/', '/place/', '/about_place/'))"
    " AND NOT EXISTS (SELECT 1 FROM event_versions AS x"
    "   WHERE x.event_id = v.event_id AND x.version >= v.version AND x.state = 'erased')"
)
"""Versions, and those of today of their events, if no field that `fold.search_row` reads has
changed in between. What was erased is not known to be alike."""

T = TypeVar("T")
Days = tuple[str | None, str | None]
Months = tuple[str | None, str | None]


class FacetIndex(NamedTuple):
    """In which entries versions of events have what, as of one entry of the log."""

    seq: int
    leaf: bytes
    postings: Mapping[str, Postings]
    """As `facet_segments.Gathered` has them, and those by "actor", "corrected" and "months": of
    "span" put together by the months of both days."""
    later: array[int]
    """The versions that are not the first of their event, in the order of the log,"""
    before: array[int]
    """those that they took the place of,"""
    event_keys: array[int]
    """and the first ones of their events."""
    who: dict[Value, str]
    """The actors that participants are."""
    in_months: Mapping[Months, dict[Days, BitMap]]
    """The sets of "span" by the months of both days."""
    beginnings: list[tuple[set[Months], list[tuple[str, Postings]]]]
    """The months of both days by the first of them, in order; and the sets of "span" of these by
    the day on which they begin, in order ("" where that is open), and by the other day."""
    columns: dict[str, Columns]
    """Of the facets that were counted in them; later entries are added."""
    kept: dict[Any, Any]
    """What was worked out once: whatever would change it comes with another entry."""

    def having(self, facet: str, value: Value = "") -> BitMap:
        """The entries in which a version has this value."""
        return self.postings[facet].get(value, _NONE)

    def alive(self, seq: int) -> BitMap:
        """The entries in which events stood after entry `seq`."""
        if seq >= self.seq:
            return self._once("alive", lambda: self.having("version") - BitMap(self.before))
        known: tuple[int, BitMap] | None = self.kept.get("then")
        if known is None or known[0] != seq:
            recorded = self.having("version") & BitMap(range(seq + 1))
            known = seq, recorded - BitMap(self.before[: bisect_right(self.later, seq)])
            self.kept["then"] = known
        return known[1]

    def labels(self, connection: sqlite3.Connection, facet: str) -> dict[Any, str]:
        """What the values of a facet are called today, where they are not called what they are."""
        sql = _LABELS.get(facet)
        name = "labels", facet
        return self._once(name, lambda: dict(connection.execute(sql))) if sql else {}

    def forgotten(self, connection: sqlite3.Connection) -> list[tuple[str, str, BitMap]]:
        """The names, and the entries, of participants that no event has any more, as actors."""
        known = self.labels(connection, "actor")
        return self._once(
            "forgotten",
            lambda: [
                (key[1], self.who[key], seqs)
                for key, seqs in self.postings["participant"].items()
                if self.who[key] not in known
            ],
        )

    def _once(self, name: Any, work: Callable[[], T]) -> T:
        if name not in self.kept:
            self.kept[name] = work()
        found: T = self.kept[name]
        return found

    def reaching(self, side: str, day: str) -> BitMap:
        """The entries of events that could lie behind a day ("since"), or before it ("until")."""
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

    # --- Counted --------------------------------------------------------------------------

    def counts(self, facet: str, chosen: BitMap) -> list[tuple[Value, int]]:
        """How many of the chosen entries have each value; values of none are left out."""
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
        """The values that most of the chosen entries have, and how many values they have in all.

        With the first `limit` come all that have as many entries as the last of them, and those
        of `also`. `among` are those that are asked for, if not all are.
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
        for value, seqs in self._once(("by size", facet), lambda: self._by_size(facet)):
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

    # --- Searched -------------------------------------------------------------------------

    def found(self, connection: sqlite3.Connection, words: str, seq: int) -> BitMap:
        """The entries in which events stood after entry `seq` that hold what an FTS5 query looks
        for; with some in which others do."""
        recent: dict[tuple[str, int], BitMap] = self.kept.get("found", {})
        key = words, min(seq, self.seq)
        seqs = recent.get(key)
        if seqs is None:
            seqs = self._found_now(connection, words)
            if changed := self.alive(seq) - self.alive(self.seq):
                seqs |= self._found_before(connection, words, changed, seqs)
        others = [each for each in recent.items() if each[0] != key]
        self.kept["found"] = dict([*others[1 - _SEARCHES :], (key, seqs)])
        return seqs

    def _found_now(self, connection: sqlite3.Connection, words: str) -> BitMap:
        event_keys = _matching(connection, words)
        seqs = event_keys & self.alive(self.seq)
        if changed := event_keys - seqs:
            newest = self._once("newest", self._newest)
            seqs |= BitMap(array("I", map(newest.__getitem__, changed)))
        return seqs

    def _found_before(
        self, connection: sqlite3.Connection, words: str, changed: BitMap, now: BitMap
    ) -> BitMap:
        """The same of versions that others have taken the place of since.

        If no text has changed, they hold what the newest ones do. All others are looked into
        anew: no index has their words any more.
        """
        alike = [
            pair
            for seqs in in_arrays(changed)
            for pair in connection.execute(_WITH_THE_WORDS_OF_TODAY, (seqs,))
        ]
        rewritten = changed - BitMap([seq for seq, _ in alike])
        names = self.labels(connection, "actor")
        with contextlib.closing(sqlite3.connect(":memory:")) as past:
            tables.create_search(past)
            past.executemany(
                INSERT_SEARCH,
                (
                    (seq, *fold.search_row(content, self._called(content, names)))
                    for seq, _, content in contents(connection, rewritten)
                    if content is not None
                ),
            )
            found = past.execute(
                "SELECT rowid FROM event_search WHERE event_search MATCH ?", (words,)
            )
            return BitMap([seq for (seq,) in found] + [seq for seq, last in alike if last in now])

    def _called(self, content: fold.Content, names: Mapping[str, str]) -> list[str]:
        """The names of today of those who take part."""
        participants = [
            (each.get("actor_id"), each["name"]) for each in content.get("participants", ())
        ]
        return [names.get(self.who[each], each[1]) for each in participants]

    def _newest(self) -> array[int]:
        """The newest versions of events that have changed, by the first."""
        newest = array("I", bytes(4 * (self.seq + 1)))
        for event_key, seq in zip(self.event_keys, self.later, strict=True):
            newest[event_key] = seq
        return newest


def _matching(connection: sqlite3.Connection, words: str) -> BitMap:
    """The `event_key` of events that hold what an FTS5 query looks for.

    One array of all is the quickest way to have them, however short the texts of others must be.
    """
    limit = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_ARRAY)
    try:
        (found,) = connection.execute(
            "SELECT json_group_array(rowid) FROM event_search WHERE event_search MATCH ?",
            (words,),
        ).fetchone()
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limit)
    return BitMap(from_json(found))


def contents(
    connection: sqlite3.Connection, seqs: Iterable[int]
) -> Iterator[tuple[int, str, fold.Content | None]]:
    """Entry, event and content of these versions, in this order."""
    for some in in_arrays(seqs):
        cursor = connection.execute(
            "SELECT own.seq, v.event_id, content.payload FROM json_each(?) AS wanted"
            " CROSS JOIN log AS own ON own.seq = wanted.value"
            " CROSS JOIN event_versions AS v"
            "   ON v.event_id = substr(own.subject, 7) AND v.version = own.version"
            " CROSS JOIN log AS content ON content.seq = v.content_seq",
            (some,),
        )
        for seq, event_id, payload in cursor:
            yield seq, event_id, decode_content(payload)


def in_arrays(seqs: Iterable[int]) -> Iterator[str]:
    """Entries as JSON, some at a time: a connection may refuse a longer text."""
    left = iter(seqs)
    while some := [*islice(left, _AT_ONCE)]:
        yield json.dumps(some)


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
    known = EMPTY._replace(seq=seq, leaf=leaf)
    return _with(connection, known, facet_segments.read(connection, seq + 1))


EMPTY = FacetIndex(
    seq=-1,
    leaf=b"",
    postings={facet: {} for facet in (*facet_segments.FACETS, "actor", "corrected", "months")},
    later=array("I"),
    before=array("I"),
    event_keys=array("I"),
    who={},
    in_months={},
    beginnings=[],
    columns={},
    kept={},
)
"""The index of no log at all."""


def _with(connection: sqlite3.Connection, known: FacetIndex, gathered: Gathered) -> FacetIndex:
    """The index with later versions; what did not change is shared with the one before."""
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
    # After an entry about an actor anybody may be somebody else.
    named = new.get("participant", {}) if known.who else postings["participant"]
    who = known.who | {key: _actor(connection, key) for key in named if key not in known.who}
    new["actor"] = _added({}, ((who[key], seqs) for key, seqs in named.items()))
    postings["actor"] = _added(known.postings["actor"] if known.who else {}, new["actor"].items())
    columns = {**known.columns}
    if not known.who:
        columns.pop("actor", None)
    for facet, known_columns in columns.items():
        known_columns.extend(new.get(facet, {}), known.seq + 1)
    later, before, event_keys = (
        ones + array("I", [each[place] for each in gathered.later])
        for place, ones in enumerate((known.later, known.before, known.event_keys))
    )
    in_months = _by_months(postings["span"])
    return FacetIndex(
        *(known.seq, known.leaf, postings, later, before, event_keys, who),
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
    """The actor that a participant is, as `actors.Actors` has it."""
    actor_id, name = participant
    known = actors.known_as(connection, actor_id, name)
    return known[0] if known else actor_id or actor_id_of(name)


def counts(postings: Mapping[Any, BitMap], chosen: BitMap) -> list[tuple[Any, int]]:
    """How many of the chosen entries have each value; values of none are left out."""
    sizes = ((value, chosen.intersection_cardinality(each)) for value, each in postings.items())
    return [(value, count) for value, count in sizes if count]
