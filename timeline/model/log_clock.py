"""Put what occurred on one axis: the clock in the time zone of the log.

Guarantees: the bounds of a time with an offset are its clock in that zone, with the seconds as
given; a time without an offset is in that zone already, and a date without a time is never moved.
The offset of the zone is taken in whole minutes, towards zero. Before 1970 it is that of 1 January
1970, because the data about earlier days differ from copy to copy. Every year is possible. If both
bounds are known, the first never lies after the last: where a clock is set back they change places.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.clock_bounds import (
    Bound,
    at_second,
    end_of_clocks,
    says_end,
    second_of,
    to_second,
)
from timeline.model.edtf_words import year_of_edtf
from timeline.model.time_zones import zone

_CLOCK = re.compile(r"(T[0-9:]+)(?:(Z)|([+-])([0-9]{2})(?::([0-9]{2}))?)?")
_EPOCH = second_of(1970, 1, 1, 0, 0, 0)


def occurred_in(text: str, time_zone: str) -> edtf.Occurred:
    """Read a date as `edtf.parse` does, with its bounds by the clock in a time zone.

    Raises InvalidValue as `edtf.parse` does, and for a time zone that does not exist.
    """
    when = edtf.parse(text)
    return _moved(when, time_zone) if "T" in when.edtf else when


@lru_cache(maxsize=8192)
def _moved(when: edtf.Occurred, time_zone: str) -> edtf.Occurred:
    sides = when.edtf.split("/")
    offsets = [_offset(side) for side in sides]
    if offsets[0] is offsets[-1] is None:
        return when
    first = last = None
    if len(sides) == 1:
        first, last = _bounds(when, offsets[0], time_zone)
    else:
        if when.occurred_from is not None:
            first, _ = _bounds(edtf.parse(sides[0]), offsets[0], time_zone)
        if when.occurred_to is not None:
            begins, last = _bounds(edtf.parse(sides[1]), offsets[1], time_zone)
            if first and says_end(sides[1]):
                last = end_of_clocks(first, begins, last)
    if first is None or last is None:
        begins_at, ends_at = (bound and edtf.bound_text(bound) for bound in (first, last))
        return when._replace(occurred_from=begins_at or None, occurred_to=ends_at or None)
    if to_second(last, latest=True) < to_second(first, latest=False):
        first, last = to_second(last, latest=False), to_second(first, latest=True)
    if last == first[:3]:
        last = to_second(last, latest=True)  # a day without a time sorts before its own times
    return edtf.between(when.edtf, first, last, when.precision)


def _bounds(side: edtf.Occurred, offset: int | None, time_zone: str) -> tuple[Bound, Bound]:
    """Return the bounds of one side of a date, by the clock in a time zone."""
    first, last = (edtf.numbers(str(bound)) for bound in (side.occurred_from, side.occurred_to))
    if offset is None:
        return first, last
    return _by_clock(first, offset, time_zone), _by_clock(last, offset, time_zone)


def _offset(side: str) -> int | None:
    """Return the offset that is written behind a time, in minutes; None if there is none."""
    found = _CLOCK.search(side)
    if not found or not (found[2] or found[3]):
        return None
    minutes = int(found[4] or 0) * 60 + int(found[5] or 0)
    return -minutes if found[3] == "-" else minutes


def _by_clock(bound: Bound, offset: int, time_zone: str) -> Bound:
    count = second_of(*bound) - offset * 60
    return at_second(count + _minutes_east(max(count, _EPOCH), time_zone) * 60)


def _minutes_east(count: int, time_zone: str) -> int:
    """Return the offset of a zone at a second since 1970, in whole minutes, towards zero."""
    year, month, day, hour, minute, second = at_second(count)
    year -= 400 * (year > 9_000)  # the calendar repeats after 400 years, and `datetime` ends
    instant = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    shift = instant.astimezone(zone(time_zone)).utcoffset()
    return int(shift.total_seconds() / 60) if shift else 0


# --- For readers --------------------------------------------------------------------------


def local(text: str, occurred_from: str | None, occurred_to: str | None) -> str | None:
    """Return the EDTF of a date by the clock of the log; None if it is written so, but the offset.

    `occurred_from` and `occurred_to` are its bounds by that clock, as `occurred_in` has them. None
    too if the clock of the log cannot say it, such as an hour that begins at half past.
    """
    if "T" not in text:
        return None
    written = edtf.parse(text)
    sides = []
    for side, old, new in zip(
        text.split("/"),
        (written.occurred_from, written.occurred_to),
        (occurred_from, occurred_to),
        strict=False,
    ):
        if _offset(side) is None or old is None or new is None:
            sides.append(side)
            continue
        shift = second_of(*edtf.numbers(new)) - second_of(*edtf.numbers(old))
        sides.append(_shifted(side, round(shift / 60) * 60))
    by_clock = "/".join(sides)
    try:
        when = edtf.parse(by_clock)
    except InvalidValue:
        return None
    if by_clock == _CLOCK.sub(r"\1", text):
        return None
    is_same = (when.occurred_from, when.occurred_to) == (occurred_from, occurred_to)
    return by_clock if is_same else None


def _shifted(side: str, seconds: int) -> str:
    """Write the time of a side after a shift by these seconds, as exactly as it was written."""
    written = edtf.numbers(str(edtf.parse(side).occurred_from))
    year, month, day, hour, minute, second = at_second(second_of(*written) + seconds)
    clock = _CLOCK.search(side)
    time = f"T{hour:02d}:{minute:02d}:{second:02d}"[: len(clock[1]) if clock else 0]
    return f"{year_of_edtf(year)}-{month:02d}-{day:02d}{time}"
