"""The facet index: exact counts of every facet of any selection, without scanning tables.

Guarantees: it answers as `selection.Selection` does, at the very entry of the log that its
reader sees; an index that is behind is brought up, one that is ahead is not used. It holds,
for every value of every facet, the set of the entries in which events stand that have it
(roaring bitmaps), so that a filter is an intersection and a count its size.

Lives in memory: made from the tables when first asked for, never written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pyroaring import BitMap

from timeline.filters import FILTERS, match
from timeline.query import Row
from timeline.selection import DAY, Selection

__all__ = ["SMALLEST", "FacetIndex", "IndexedSelection", "current"]

SMALLEST = 5_000
"""Events: below that, the tables are as quick (bench/browse.py)."""

_FEW = 3_000
"""Events: so many are looked up one by one, of more the list is walked in its order."""

Value = Any
Postings = dict[Value, BitMap]

_OF_EVENT = {
    "event_type": "event_type",
    "country": "country",
    "modality": "modality",
    "verification": "verification",
    "precision": "occurred_precision",
    "state": "state",
    "at_risk": "nullif(at_risk, 0)",
}
_SOURCES_OF_POSTINGS = {
    "corrected": "SELECT 1, seq FROM events WHERE seq > ? AND corrections_count > 0",
    **{
        facet: f"SELECT {column}, seq FROM events WHERE seq > ?"  # noqa: S608
        for facet, column in _OF_EVENT.items()
    },
    "actor": "SELECT x.actor_id, e.seq FROM events AS e JOIN event_actors AS x USING (event_id)"
    " WHERE e.seq > ?",
    "tag": "SELECT x.tag, e.seq FROM events AS e JOIN event_tags AS x USING (event_id)"
    " WHERE e.seq > ?",
    "source": "SELECT x.source_id, e.seq FROM events AS e JOIN citations AS x USING (event_id)"
    " WHERE e.seq > ?",
}
_SPANS = (
    f"SELECT {DAY.format('occurred_from')}, {DAY.format('occurred_to')}, seq"  # noqa: S608
    " FROM events WHERE seq > ?"
)
_POINTS = "SELECT round(lat, 2), round(lon, 2), seq FROM events WHERE seq > ? AND lat IS NOT NULL"


class FacetIndex(NamedTuple):
    """Where every event stands, by everything it has, as of one entry of the log."""

    seq: int
    leaf: bytes
    alive: BitMap
    """The entries in which events stand: the bits of all sets below."""
    postings: dict[str, Postings]
    """By facet; of "span" the values are two days, of "point" two coordinates."""


def current(connection: sqlite3.Connection, known: FacetIndex | None) -> FacetIndex | None:
    """The index for what this connection sees; None if `known` is ahead of it."""
    newest = connection.execute("SELECT seq, leaf FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    if newest is None:
        return None
    if known is None:
        return _loaded(connection, *newest)
    if known.seq > newest[0]:
        return None
    (leaf,) = connection.execute("SELECT leaf FROM log WHERE seq = ?", (known.seq,)).fetchone()
    if leaf != known.leaf:  # another log has taken its place
        return _loaded(connection, *newest)
    if known.seq == newest[0]:
        return known
    rewrites = connection.execute(
        "SELECT 1 FROM log WHERE seq > ? AND (kind GLOB 'actor.*'"
        " OR kind IN ('entry.erased', 'source.withdrawn', 'source.reinstated'))",
        (known.seq,),
    )
    if rewrites.fetchone():  # they change events without an entry of their own
        return _loaded(connection, *newest)
    return _brought_up(connection, known, *newest)


def _loaded(connection: sqlite3.Connection, seq: int, leaf: bytes) -> FacetIndex:
    postings: dict[str, Postings] = {
        facet: {value: BitMap(seqs) for value, seqs in _gathered(connection, facet, -1).items()}
        for facet in (*_SOURCES_OF_POSTINGS, "span", "point")
    }
    alive = BitMap(row[0] for row in connection.execute("SELECT seq FROM events"))
    return FacetIndex(seq, leaf, alive, postings)


def _brought_up(
    connection: sqlite3.Connection, known: FacetIndex, seq: int, leaf: bytes
) -> FacetIndex:
    """The index after later entries; what did not change is shared with the one before."""
    changed = connection.execute("SELECT event_id, seq FROM events WHERE seq > ?", (known.seq,))
    alive = known.alive.copy()
    for event_id, newest in changed.fetchall():
        (before,) = connection.execute(
            "SELECT max(seq) FROM event_versions WHERE event_id = ? AND seq <= ?",
            (event_id, known.seq),
        ).fetchone()
        if before is not None:
            alive.discard(before)
        alive.add(newest)
    postings = {}
    for facet, before in known.postings.items():
        added = _gathered(connection, facet, known.seq)
        postings[facet] = before | {
            value: before.get(value, BitMap()) | BitMap(seqs) for value, seqs in added.items()
        }
    return FacetIndex(seq, leaf, alive, postings)


def _gathered(connection: sqlite3.Connection, facet: str, after: int) -> dict[Value, list[int]]:
    """The values of a facet, and the entries behind `after` in which events have them."""
    found: dict[Value, list[int]] = {}
    if facet in ("span", "point"):
        for one, other, seq in connection.execute(_SPANS if facet == "span" else _POINTS, (after,)):
            found.setdefault((one, other), []).append(seq)
        return found
    for value, seq in connection.execute(_SOURCES_OF_POSTINGS[facet], (after,)):
        found.setdefault(value, []).append(seq)
    found.pop(None, None)
    return found


# --- A selection --------------------------------------------------------------------------


class IndexedSelection(Selection):
    """`Selection`, answered from the index."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        index: FacetIndex,
        filters: Mapping[str, Any] | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(connection, filters, text)
        self._index = index
        self._parts = self._chosen_parts()
        self._chosen = self._without(None)

    def _chosen_parts(self) -> dict[str, BitMap]:
        """The entries that each filter and the text leave."""
        parts = {
            name: BitMap.union(BitMap(), *(self._having(name, value) for value in values))
            for name, values in self._looked_for.items()
        }
        if self._text is not None:
            found = self._connection.execute(
                "SELECT e.seq FROM event_search JOIN events AS e ON e.event_key ="
                " event_search.rowid WHERE event_search MATCH ?",
                (match(self._text),),
            )
            parts["text"] = BitMap(row[0] for row in found)
        return parts

    def _having(self, name: str, value: Any) -> BitMap:
        """The entries of events that have what a filter looks for."""
        postings = self._index.postings
        match name:
            case "actor":
                return _united(postings["actor"], json.loads(value))
            case "since" | "until" if "T" not in value:
                return _united(postings["span"], self._spans_of(name, value))
            case "at_risk" if not value:
                return self._index.alive - postings["at_risk"].get(1, BitMap())
            case _ if name in _OF_EVENT or name == "tag":
                return postings[name].get(value, BitMap())
        found = self._connection.execute(
            f"SELECT e.seq FROM events AS e WHERE {FILTERS[name]}",  # noqa: S608
            (value,),
        )
        return BitMap(row[0] for row in found)

    def _spans_of(self, name: str, day: str) -> Iterable[tuple[str | None, str | None]]:
        """The spans that could lie behind, or before, a day."""
        for first, last in self._index.postings["span"]:
            if name == "since":
                if last is None or last + "~" >= day:
                    yield first, last
            elif first is None or first <= day + "~":
                yield first, last

    def _without(self, name: str | None) -> BitMap:
        """The entries that all filters but one leave."""
        left = self._index.alive
        for each in sorted((part for key, part in self._parts.items() if key != name), key=len):
            left = left & each
        return left

    def count(self) -> int:
        return len(self._chosen)

    def corrected(self) -> int:
        return len(self._chosen & self._index.postings["corrected"].get(1, BitMap()))

    def choices(self, name: str) -> list[Row]:
        counts = _counts(self._index.postings[name], self._without(name))
        labels = self._labels(name)
        found = [
            {"value": value, "label": labels.get(value, value), "count": count}
            for value, count in counts
            if name not in ("country", "source", "actor") or value in labels
        ]
        found.sort(key=lambda row: (-row["count"], row["label"], row["value"]))
        return found

    def _labels(self, name: str) -> dict[Value, str]:
        """What the values of a facet are called, where they are not called what they are."""
        sql = {
            "event_type": "SELECT code, label FROM event_types",
            "actor": "SELECT actor_id, name FROM actors",
            "country": "SELECT alpha3, name FROM countries",
            "source": "SELECT source_id, coalesce(title, url, source_id) FROM sources",
            "at_risk": "SELECT 1, 'at risk'",
        }.get(name)
        return dict(self._connection.execute(sql)) if sql else {}

    def spans(self) -> list[tuple[str | None, str | None, int]]:
        counts = _counts(self._index.postings["span"], self._chosen)
        found = [(first, last, count) for (first, last), count in counts]
        return sorted(found, key=lambda span: (span[0] or "", span[1] or ""))

    def points(self, limit: int = 250) -> list[Row]:
        postings = self._index.postings["point"]
        counts = _counts(postings, self._chosen)
        counts.sort(key=lambda each: (-each[1], each[0]))
        return [
            {
                "lat": lat,
                "lon": lon,
                "count": count,
                "seq": (postings[lat, lon] & self._chosen).min(),
            }
            for (lat, lon), count in counts[:limit]
        ]

    def _in_a_list(self) -> tuple[str, list[Any]]:
        """Few events are looked up, many are met on the way."""
        if len(self._chosen) <= _FEW:
            seqs = json.dumps(self._chosen.to_array().tolist())
            return "e.seq IN (SELECT value FROM json_each(?))", [seqs]
        self._connection.create_function(
            "timeline_is_chosen", 1, self._chosen.__contains__, deterministic=True
        )
        return "timeline_is_chosen(e.seq)", []


def _united(postings: Postings, values: Iterable[Value]) -> BitMap:
    return BitMap.union(BitMap(), *(postings[value] for value in values if value in postings))


def _counts(postings: Postings, chosen: BitMap) -> list[tuple[Value, int]]:
    """How many of the chosen entries have each value; values of none are left out."""
    counted = ((value, chosen.intersection_cardinality(each)) for value, each in postings.items())
    return [(value, count) for value, count in counted if count]
