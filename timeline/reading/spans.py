"""Count events by the days, or by the months, in which they begin and end.

A span is the first and the last day in which an event may have happened, or the months of both.
Days and months are as in table `events` ("2025-04-03", "2025-04"); None is an open end.

Guarantees: counts are exact. An event of which no date is known has the span (None, None).
`indexed_spans` gives the same answers from the index.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from timeline.store.rows import RowDict, as_dicts

TimeSpan = tuple[str | None, str | None]
Groups = Mapping[str, Collection[str]]
"""Event types by the name of their group."""

REST = "other"
"""The name of the group of all types that are in no other one, and of events without a type."""

DATED = (
    *("event_id", "title", "event_type", "modality"),
    *("occurred", "occurred_from", "occurred_to", "occurred_precision"),
)
"""The columns of `events` that a line on an axis of time needs."""

DAY = "substr({0}, 1, instr({0} || 'T', 'T') - 1)"
"""SQL that takes the day out of a bound, which may have a time: DAY.format(column)."""

_FIRST, _LAST = DAY.format("e.occurred_from"), DAY.format("e.occurred_to")
_HAS_SPAN = (
    f"EXISTS (SELECT 1 FROM json_each(?) WHERE value IN (json_array({_FIRST}, {_LAST}),"  # noqa: S608
    f" json_array(substr({_FIRST}, 1, length({_FIRST}) - 3),"
    f" substr({_LAST}, 1, length({_LAST}) - 3))))"
)
"""SQL for events AS e that have one of the spans in a JSON array, of days or of months."""


class SpanCount(NamedTuple):
    """A span has a number of events."""

    first: str | None
    last: str | None
    events: int


class EventSpans:
    """They answer for the events that a condition on events AS e chooses, from the tables."""

    def __init__(self, connection: sqlite3.Connection, condition: tuple[str, list[Any]]) -> None:
        self._connection = connection
        self._condition = condition

    def months(self) -> list[SpanCount]:
        """Return pairs of first and last month, each with the number of events that have both."""
        return _sums((months_of(span), events) for span, _, events in self._counted)

    def days(self, first: str, last: str) -> list[SpanCount]:
        """Return pairs of first and last day of the events that may be in the months given."""
        return _sums(
            (span, events)
            for span, _, events in self._counted
            if overlaps(months_of(span), first, last)
        )

    def by_group(
        self, cells: Sequence[Collection[TimeSpan]], groups: Groups
    ) -> list[dict[str, int]]:
        """Count the events of each cell by the group of their type; zeros are left out.

        A cell has spans, all of days or all of months. The events of no group are in `REST`.
        """
        group_of = {code: name for name, codes in groups.items() for code in codes}
        places: defaultdict[TimeSpan, list[int]] = defaultdict(list)
        for place, spans in enumerate(cells):
            for span in spans:
                places[span].append(place)
        found = [Counter[str]() for _ in cells]
        for span, event_type, events in self._counted:
            for key in {span, months_of(span)}:
                for place in places.get(key, ()):
                    found[place][group_of.get(event_type or "", REST)] += events
        return [dict(each) for each in found]

    def dated(self, spans: Collection[TimeSpan]) -> list[RowDict]:
        """Return the events that have one of these spans, of days or of months.

        They have the columns `DATED` and are in order of time.
        """
        chosen, values = self._condition
        cursor = self._connection.execute(
            f"SELECT {', '.join(f'e.{column}' for column in DATED)} FROM events AS e"  # noqa: S608
            f" WHERE {chosen} AND {_HAS_SPAN} ORDER BY e.occurred_from, e.event_id",
            (*values, json.dumps([*spans])),
        )
        return [*as_dicts(cursor)]

    @cached_property
    def _counted(self) -> list[tuple[TimeSpan, str | None, int]]:
        """Return the spans of days and the event types of events, with the number of events."""
        chosen, values = self._condition
        cursor = self._connection.execute(
            f"SELECT {_FIRST}, {_LAST}, e.event_type, count(*)"  # noqa: S608
            f" FROM events AS e WHERE {chosen} GROUP BY 1, 2, 3",
            values,
        )
        return [((first, last), code, events) for first, last, code, events in cursor]


def months_of(span: TimeSpan) -> TimeSpan:
    """Return the months of a span of days."""
    first, last = span
    return first and first[:-3], last and last[:-3]


def overlaps(months: TimeSpan, first: str, last: str) -> bool:
    """Return whether a span of months has a month in common with those from first to last."""
    begin, end = months
    return (begin is None or begin <= last) and (end is None or end >= first)


def in_order(spans: Iterable[tuple[str | None, str | None, int]]) -> list[SpanCount]:
    """Return spans in order of time, those with an open beginning first."""
    return sorted(map(SpanCount._make, spans), key=lambda span: (span[0] or "", span[1] or ""))


def _sums(counted: Iterable[tuple[TimeSpan, int]]) -> list[SpanCount]:
    found = Counter[TimeSpan]()
    for span, events in counted:
        found[span] += events
    return in_order((*span, events) for span, events in found.items())
