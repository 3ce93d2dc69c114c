"""Points in time: a point says which entries and which reports an answer rests on.

Guarantees: a point is on two clocks. `as_of` is what this log had recorded by then,
`as_reported` what had been reported by then; with both, the lower of the two versions holds.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from timeline.errors import InvalidInput, InvalidValue, NotFound
from timeline.model import clock
from timeline.store import log

_END = 2**62
_FOREVER = "~"


class AsOf(NamedTuple):
    """A point includes entries up to `seq`, and reports up to an instant (UTC text)."""

    seq: int = _END
    reported: str = _FOREVER

    @property
    def is_now(self) -> bool:
        return self == AsOf()


NOW = AsOf()

VERSION_AT = (
    "min((SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
    "       AND r.seq <= ? ORDER BY r.seq DESC LIMIT 1),"
    "    (SELECT version FROM event_versions AS r WHERE r.event_id = e.event_id"
    "       AND r.reported_from <= ? ORDER BY r.reported_from DESC, r.version DESC LIMIT 1))"
)
"""The version of events AS e at a point (`AsOf`), null before there was one, as SQL."""


def parse_as_of(
    connection: sqlite3.Connection, as_of: object = None, as_reported: object = None
) -> AsOf:
    """Return the point that two moments name: a time, a day (its end), or an entry (#41).

    An entry inside a batch means the end of the batch. Raises InvalidInput for what is no
    moment, NotFound for an entry that is not there.
    """
    if as_of is None and as_reported is None:
        return NOW
    zone = log.time_zone(connection)
    seq, reported = NOW
    if as_of is not None:
        moment = _moment("as_of", as_of, zone)
        if isinstance(moment, int):
            moment = times_of_entry(connection, moment)[0]
        seq = log.position_at(connection, moment)
    if as_reported is not None:
        moment = _moment("as_reported", as_reported, zone)
        reported = times_of_entry(connection, moment)[1] if isinstance(moment, int) else moment
    return AsOf(seq, reported)


def pinned(connection: sqlite3.Connection, as_of: AsOf) -> AsOf:
    """Return the same point with the number of the newest entry by then.

    Entries that are added later do not change it.
    """
    newest = log.newest(connection)
    return as_of._replace(seq=min(as_of.seq, newest.seq if newest else -1))


def _moment(field: str, value: object, zone: str) -> clock.Moment:
    try:
        return clock.moment(value, zone)
    except InvalidValue as error:
        raise InvalidInput(field, error.problem) from None


def times_of_entry(connection: sqlite3.Connection, seq: int) -> tuple[str, str]:
    """Return when an entry was recorded, and from when its report counts.

    Raises NotFound.
    """
    row = connection.execute(
        "SELECT recorded_at, coalesce("
        "  (SELECT v.reported_from FROM entry_versions AS v WHERE v.seq = log.seq), recorded_at)"
        " FROM log WHERE seq = ?",
        (min(max(seq, -1), _END),),
    ).fetchone()
    if row is None:
        newest = log.newest(connection)
        raise NotFound("entry", f"#{seq}", f"the newest is #{newest.seq}" if newest else "")
    return row[0], row[1]
