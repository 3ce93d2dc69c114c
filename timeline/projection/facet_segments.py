"""Store which versions of events have which value of a facet, as sets of `seq` in segments.

Guarantees: a segment depends only on the entries of the log up to its end and on the log's time
zone; it never changes, until it is joined to others or a new zone makes all tables again. It is
written when its last entry is folded, so only one append in many thousand writes a segment.
The values in the last, unfinished segment are gathered from the log.

A version that only changes a state has the values of its content. The actor of a participant may
change later, so participants are stored as they were named. Knows nothing of selections.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from pyroaring import BitMap

from timeline.model.log_clock import occurred_in
from timeline.projection import fold
from timeline.store.codec import decode_content

FACETS = (
    *("version", "reported", "state", "correction", "span", "precision", "modality"),
    *("verification", "event_type", "country", "place", "point", "tag", "source", "participant"),
    *("highlight", "figure"),
)

SIZE = 32_768
"""The number of entries of the log in a segment."""

JOINED = 8
"""The number of segments that are made one when the last of them is written.

Most values are in every segment, so the index is then read in a fraction of the time.
"""


def is_last(seq: int) -> bool:
    """Return whether an entry is the last one of a segment, which is written when it is folded."""
    return (seq + 1) % SIZE == 0


class Later(NamedTuple):
    """Says which version a later version of an event superseded."""

    seq: int
    before: int
    """The seq of the version that it superseded."""
    event_key: int


Value = Any
"""The type of a value: a text, or a tuple for the facets in _OF_PARTS."""
Postings = dict[Value, BitMap]


class Extent(NamedTuple):
    """An extent has the lowest and the highest number of a figure; None stands for no end."""

    lowest: float | None
    highest: float | None
    is_above: bool
    """Whether the figure is above the lowest number, and never that number."""

    def may_be(self, at_least: float | None, at_most: float | None) -> bool:
        """Return whether the figure may be in a range, of which None is an open end."""
        if at_least is not None and self.highest is not None and self.highest < at_least:
            return False
        if at_most is None or self.lowest is None:
            return True
        return self.lowest < at_most or (self.lowest == at_most and not self.is_above)


class Gathered(NamedTuple):
    """Holds the values of the versions in a part of the log."""

    postings: dict[str, Postings]
    """The sets of seq by facet and value. For "version", "correction" and "highlight" the value
    is ""; for "reported" it is the instant from which the report counts, for "span" it is two days,
    for "point" two coordinates, for "participant" the id, if one was given, and the name; for
    "figure" it is a measure, a unit, and the extent of the figure."""
    later: list[Later]


_OF_PARTS = frozenset(("span", "point", "participant", "figure"))
"""The facets whose values are tuples; they are stored as JSON."""

_VERSIONS = (
    "SELECT v.seq, v.kind, v.state, v.reported_from, before.seq, first.seq, content.payload"
    " FROM entry_versions AS v"
    " CROSS JOIN event_versions AS first ON first.event_id = v.event_id AND first.version = 1"
    " LEFT JOIN event_versions AS before"
    "   ON before.event_id = v.event_id AND before.version = v.version - 1"
    " CROSS JOIN log AS content ON content.seq = v.content_seq"
    " WHERE v.seq >= ? AND v.seq < ? ORDER BY v.seq"
)
"""CROSS JOIN makes SQLite look up the version of each entry, and not the entry of each version."""


def gather(connection: sqlite3.Connection, start: int, end: int, time_zone: str) -> Gathered:
    """Gather the values of the versions that the entries from `start` to before `end` recorded.

    Days are those of the time zone of the log.
    """
    gathering = Gathering(connection, start)
    gathering.read(end, time_zone)
    return gathering.gathered()


class FoldedVersion(NamedTuple):
    """Says how an entry left its event."""

    seq: int
    kind: str
    state: str
    reported_from: str
    before: int | None
    """The seq of the version that it superseded."""
    event_key: int


class Gathering:
    """Gathers the values of versions, which come in the order of their `seq`, from `start` on."""

    def __init__(self, connection: sqlite3.Connection, start: int) -> None:
        self.start = start
        self._connection = connection
        self._seqs: defaultdict[str, defaultdict[Value, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._later: list[Later] = []
        self._rounded: dict[tuple[str, str], tuple[float, float]] = {}

    def read(self, end: int, time_zone: str) -> None:
        """Add the versions that the entries before `end` recorded, from the tables and the log."""
        for *version, payload in self._connection.execute(_VERSIONS, (self.start, end)):
            self.add(FoldedVersion._make(version), decode_content(payload), time_zone)

    def add(
        self, version: FoldedVersion, content: fold.StoredContent | None, time_zone: str
    ) -> None:
        """Add a version with its content, None if that was erased."""
        if content is None:
            self.add_values(version, [("span", (None, None))], ())
        else:
            cited = (citation["source_id"] for citation in content.get("citations", ()))
            self.add_values(version, values(content, time_zone), cited)

    def add_values(
        self,
        version: FoldedVersion,
        facets: Iterable[tuple[str, Value]],
        source_ids: Iterable[str],
    ) -> None:
        """Add a version with the `values` of its content, and with the sources that it cites."""
        seqs, seq = self._seqs, version.seq
        seqs["version"][""].append(seq)
        seqs["reported"][version.reported_from].append(seq)
        seqs["state"][version.state].append(seq)
        if version.kind == "event.corrected":
            seqs["correction"][""].append(seq)
        if version.before is not None:
            self._later.append(Later(seq, version.before, version.event_key))
        for facet, value in facets:
            seqs[facet][self._point(value) if facet == "point" else value].append(seq)
        for source_id in source_ids:
            seqs["source"][source_id].append(seq)

    def join(self, later: Gathering) -> None:
        """Add what another one has gathered of the versions behind these."""
        for facet, found in later._seqs.items():
            for value, seqs in found.items():
                self._seqs[facet][value] += seqs
        self._later += later._later

    def _point(self, point: tuple[str, str]) -> tuple[float, float]:
        """Return a point as the map has it, rounded by SQLite, which differs from Python."""
        if point not in self._rounded:
            lat, lon = self._connection.execute(
                "SELECT round(?, 2), round(?, 2)", (float(point[0]), float(point[1]))
            ).fetchone()
            self._rounded[point] = lat, lon
        return self._rounded[point]

    def gathered(self) -> Gathered:
        """Return what was gathered so far."""
        postings = {
            facet: {value: BitMap(seqs) for value, seqs in found.items()}
            for facet, found in self._seqs.items()
        }
        return Gathered(postings, self._later)


def values(content: fold.StoredContent, time_zone: str) -> Iterator[tuple[str, Value]]:
    """Yield the facets of one content, but its sources, with their values.

    A value is as `fold.content_row` has it, but a point is two coordinates as they are written.
    """
    when = occurred_in(content["occurred"], time_zone)
    first, last = when.occurred_from, when.occurred_to
    yield "span", (first and first.partition("T")[0], last and last.partition("T")[0])
    yield "precision", when.precision
    yield "modality", content.get("modality", "actual")
    yield "verification", content.get("verification", "reported")
    if "highlight" in content:
        yield "highlight", ""
    if "event_type" in content:
        yield "event_type", content["event_type"]
    if place := content.get("place"):
        if "country" in place:
            yield "country", place["country"]
        if "name" in place:
            yield "place", place["name"]
        if "lat" in place and "lon" in place:
            yield "point", (place["lat"], place["lon"])
    for tag in content.get("tags", ()):
        yield "tag", tag
    for each in {(one.get("actor_id"), one["name"]) for one in content.get("participants", ())}:
        yield "participant", each
    for figure in content.get("quantities", ()):
        yield "figure", (figure["measure"], figure["unit"], *extent_of(figure))


def extent_of(figure: Mapping[str, Any]) -> Extent:
    """Return the extent of a figure, which holds all of its numbers.

    It has no end on a side without a number: "20 to ?" and "at least 20" may be any number
    from 20 on. "More than 20" is above 20.
    """
    value, low, high = (figure.get(key) for key in ("value", "low", "high"))
    numbers = [float(each) for each in (value, low, high) if each is not None]
    qualifier = figure.get("qualifier")
    is_open = high is None and (value is None or qualifier in ("more_than", "at_least"))
    lowest = None if value is None and low is None else min(numbers)
    return Extent(lowest, None if is_open else max(numbers), is_open and qualifier == "more_than")


# --- Stored -------------------------------------------------------------------------------


def write(
    connection: sqlite3.Connection, segment: int, time_zone: str, newest: Gathering | None = None
) -> None:
    """Store a segment whose entries have all been folded, in the transaction that is open.

    What `newest` has gathered of its last entries is not read again.
    """
    start, end = segment * SIZE, (segment + 1) * SIZE
    gathering = Gathering(connection, start)
    gathering.read(newest.start if newest else end, time_zone)
    if newest:
        gathering.join(newest)
    postings, later = gathering.gathered()
    rows = [
        (facet, _as_value(facet, value), segment, seqs.serialize())
        for facet, values in postings.items()
        for value, seqs in values.items()
    ]
    numbers = [number for each in later for number in each]
    rows.append(("later", "", segment, struct.pack(f"<{len(numbers)}I", *numbers)))
    rows.sort(key=lambda row: row[:2])
    connection.executemany("INSERT INTO facet_segments VALUES (?, ?, ?, ?)", rows)
    if (segment + 1) % JOINED == 0:
        _join(connection, segment)


def _join(connection: sqlite3.Connection, last: int) -> None:
    """Make one segment of the last JOINED ones, under the number of the last one."""
    rows = [
        (facet, text, last, b"".join(parts) if facet == "later" else _union(parts).serialize())
        for facet, text, parts in _stored(connection, last - JOINED + 1)
    ]
    connection.execute("DELETE FROM facet_segments WHERE segment > ?", (last - JOINED,))
    connection.executemany("INSERT INTO facet_segments VALUES (?, ?, ?, ?)", rows)


def read(connection: sqlite3.Connection, end: int, time_zone: str) -> Gathered:
    """Read the values of all versions in the entries before `end`: from segments, then the log."""
    postings, later = gather(connection, end // SIZE * SIZE, end, time_zone)
    earlier: list[Later] = []
    for facet, text, parts in _stored(connection, 0):
        if facet == "later":
            earlier = sorted(map(Later._make, struct.iter_unpack("<3I", b"".join(parts))))
            continue
        value = tuple(json.loads(text)) if facet in _OF_PARTS else text
        seqs = _union(parts)
        known = postings.setdefault(facet, {})
        known[value] = seqs | known[value] if value in known else seqs
    return Gathered(postings, earlier + later)


def _stored(
    connection: sqlite3.Connection, first: int
) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    """Yield facet, stored value, and its sets in the segments from `first` on."""
    rows = connection.execute(
        "SELECT facet, value, seqs FROM facet_segments WHERE segment >= ? ORDER BY 1, 2, segment",
        (first,),
    )
    for (facet, text), parts in groupby(rows, key=itemgetter(0, 1)):
        yield facet, text, (seqs for *_, seqs in parts)


def _union(parts: Iterator[bytes]) -> BitMap:
    seqs = BitMap.deserialize(next(parts))
    for part in parts:  # one by one: a union of all parts at once takes 8 KB for each
        seqs |= BitMap.deserialize(part)
    return seqs


def _as_value(facet: str, value: Value) -> Value:
    return json.dumps(value, ensure_ascii=False) if facet in _OF_PARTS else value
