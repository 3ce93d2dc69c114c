"""Count events by the days, or by the months, in which they begin and end, from the index.

Guarantees: it answers as `spans.EventSpans` does from the tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from pyroaring import BitMap

from timeline.projection import fold
from timeline.reading.facet_index import FacetIndex, Months, contents, counts, union
from timeline.reading.spans import (
    DATED,
    REST,
    EventSpans,
    Groups,
    SpanCount,
    TimeSpan,
    in_order,
    overlaps,
)
from timeline.store.rows import RowDict


class IndexedSpans(EventSpans):
    """They answer for the chosen versions of events."""

    def __init__(self, connection: sqlite3.Connection, index: FacetIndex, chosen: BitMap) -> None:
        self._connection = connection
        self._index = index
        self._chosen = chosen

    @cached_property
    def _months(self) -> dict[Months, int]:
        return dict(self._index.counts("months", self._chosen))

    def months(self) -> list[SpanCount]:
        return in_order((*both, events) for both, events in self._months.items())

    def days(self, first: str, last: str) -> list[SpanCount]:
        return in_order(
            (*span, events)
            for both in self._months
            if overlaps(both, first, last)
            for span, events in counts(self._index.in_months[both], self._chosen)
        )

    def by_group(
        self, cells: Sequence[Collection[TimeSpan]], groups: Groups
    ) -> list[dict[str, int]]:
        types = self._index.postings["event_type"]
        of_group = {
            name: self._chosen & union([types[code] for code in codes if code in types])
            for name, codes in groups.items()
        }
        found = []
        for spans in cells:
            seqs = union([*self._sets(spans)])
            counted = {name: seqs.intersection_cardinality(its) for name, its in of_group.items()}
            rest = seqs.intersection_cardinality(self._chosen) - sum(counted.values())
            counted[REST] = counted.get(REST, 0) + rest
            found.append({name: events for name, events in counted.items() if events})
        return found

    def dated(self, spans: Collection[TimeSpan]) -> list[RowDict]:
        found = []
        seqs = self._chosen & union([*self._sets(spans)])
        for _, event_id, content in contents(self._connection, seqs):
            row = fold.content_row(content, self._index.time_zone) | {"event_id": event_id}
            found.append({column: row[column] for column in DATED})
        return sorted(found, key=lambda row: (row["occurred_from"] or "", row["event_id"]))

    def _sets(self, spans: Collection[TimeSpan]) -> Iterator[BitMap]:
        for span in spans:
            for facet in ("span", "months"):
                if (seqs := self._index.postings[facet].get(span)) is not None:
                    yield seqs
                    break
