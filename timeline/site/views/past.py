"""Read what the banner of a page of the past shows: which day, and the days to step to.

Guarantees: reads a dozen entries, however long the log is. Reads on the connection it is given;
knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.formats.local_dates import day_of_year
from timeline.model import clock, edtf
from timeline.reading.as_of import AsOf
from timeline.site.views.address import Address
from timeline.store import log

_STEPS = 5
"""Days to step to, at most, on either side of the day that is shown."""


class GrowthDay(NamedTuple):
    """A day on which the log grew has the query string (`link`) of the page as of its end."""

    day: str
    label: str
    link: str
    is_shown: bool


def banner(connection: sqlite3.Connection, address: Address, point: AsOf) -> dict[str, Any] | None:
    """Return what the banner shows; None for a page of today.

    `steps` are days on which the log grew, in order, around the moment that is shown; there are
    none for a moment of the reported clock alone. `later` is the number of entries after it.
    """
    if not (address.as_of or address.as_reported):
        return None
    newest = log.newest(connection)
    end = newest.seq if newest else -1
    seq = min(point.seq, end)
    steps = [*_steps(connection, address, seq)] if address.as_of else []
    shown = next((number for number, step in enumerate(steps) if step.is_shown), -1)
    return {
        "later": end - seq,
        "steps": steps,
        "before": steps[shown - 1] if shown > 0 else None,
        "after": steps[shown + 1] if shown + 1 < len(steps) else None,
    }


def _steps(connection: sqlite3.Connection, address: Address, seq: int) -> Iterator[GrowthDay]:
    zone = log.time_zone(connection)
    earlier = [*islice(_days_back(connection, seq, zone), _STEPS + 1)]
    later = islice(_days_on(connection, seq, zone), _STEPS)
    this_year = str((earlier or [""])[0])[:4]
    for number, day in enumerate((*earlier[::-1], *later), 1 - len(earlier)):
        words = prose.date(day)
        _, month, number_of_day = edtf.numbers(day)
        yield GrowthDay(
            words,
            day_of_year(month, number_of_day) if day[:4] == this_year else words,
            address.query(as_of=day),
            number == 0 and bool(earlier),
        )


def _days_back(connection: sqlite3.Connection, seq: int, zone: str) -> Iterator[str]:
    """Yield the days on which the log grew, from the day of an entry backwards."""
    while seq >= 0:
        day = _day_of(connection, seq, zone)
        yield day
        seq = _position(connection, date.fromisoformat(day) - timedelta(days=1), zone)


def _days_on(connection: sqlite3.Connection, seq: int, zone: str) -> Iterator[str]:
    """Yield the days on which the log grew, from the first entry after one onwards."""
    newest = log.newest(connection)
    end = newest.seq if newest else -1
    if seq >= 0:
        seq = _position(connection, date.fromisoformat(_day_of(connection, seq, zone)), zone)
    while seq < end:
        day = _day_of(connection, seq + 1, zone)
        yield day
        seq = _position(connection, date.fromisoformat(day), zone)


def _position(connection: sqlite3.Connection, day: date, zone: str) -> int:
    """Return the number of the last entry of a day; of an earlier day if this one has none."""
    return log.position_at(connection, str(clock.moment(day.isoformat(), zone)))


def _day_of(connection: sqlite3.Connection, seq: int, zone: str) -> str:
    entry = log.entry_at(connection, seq)
    return prose.local_day(entry.recorded_at, zone) if entry else ""
