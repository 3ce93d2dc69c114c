"""Read and write instants, days and time zones: the reported and the recorded clock.

Guarantees: an instant is UTC text with microseconds, "2026-11-22T15:08:55.123456Z", so that
text order is time order; a day ends when it ends in the log's time zone. The third clock,
when something occurred, is in `timeline.model.edtf`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.time_zones import zone

Moment = int | str
"""A point in the history of the log: the seq of an entry, or an instant as `utc` writes it."""

_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_OFFSET = re.compile(r"(Z|[+-]\d{2}(?::\d{2})?)$", re.ASCII)


def now() -> datetime:
    """Return the time of the machine's clock, in UTC."""
    return datetime.now(UTC)


def utc(instant: datetime) -> str:
    """Return an instant as UTC text with microseconds: "2026-11-22T15:08:55.123456Z"."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def of_seconds(seconds: int) -> str:
    """Return seconds since 1970 as `utc` writes an instant."""
    return utc(datetime.fromtimestamp(seconds, UTC))


def parse(text: str) -> datetime:
    """Return the instant of a text that `utc` wrote."""
    return datetime.fromisoformat(text)


@lru_cache(maxsize=16)
def day_in(instant: datetime, time_zone: str) -> str:
    """Return the day, such as "2025-04-15", on which an instant falls in a time zone."""
    return instant.astimezone(zone(time_zone)).date().isoformat()


def reported(text: str) -> str:
    """Return a `reported_at` as it is stored: a day, or a day and a time, ISO 8601.

    Raises InvalidValue for anything less precise, and outside the years 2 to 9998.
    """
    when = edtf.parse(text)
    _bound(text, when)
    return when.edtf


@lru_cache(maxsize=1024)
def last_instant(text: str, time_zone: str) -> str:
    """Return the last instant of a day or time, as `utc` writes it.

    A day or time without an offset is read in `time_zone`. A time that clocks show twice,
    when summer time ends, is read as the later of the two. Raises InvalidValue as `reported`
    does, and for a time zone that does not exist.
    """
    when = edtf.parse(text)
    bound = _bound(text, when)
    offset = _OFFSET.search(when.edtf.partition("T")[2])
    return utc(bound.replace(tzinfo=_fixed(offset[1]) if offset else zone(time_zone), fold=1))


def _bound(text: str, when: edtf.Occurred) -> datetime:
    """Return the last microsecond of a day or time, as a datetime without a time zone.

    `text` is what was given, for the error. Raises InvalidValue if `when` is no plain day or
    time (one with ?, ~ or % is none), or lies outside the years 2 to 9998.
    """
    if when.precision in ("day", "hour", "minute", "second") and not re.search("[?~%]", when.edtf):
        try:
            bound = datetime.fromisoformat(str(when.occurred_to))
        except ValueError:
            pass
        else:
            if not 1 < bound.year < 9999:
                raise InvalidValue(text, f'"{text}" lies outside the years 2 to 9998')
            if when.precision == "day":
                return datetime.combine(bound, time.max)
            return bound.replace(microsecond=999_999)
    raise InvalidValue(text, f'"{text}" is not a day or a time: write one such as 2025-04-15')


def _fixed(offset: str) -> tzinfo:
    if offset == "Z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6] or 0)
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if offset[0] == "-" else span)


def moment(value: object, time_zone: str) -> Moment:
    """Read a point in the history of the log that a person wrote.

    `value` is an entry (#41 or 41), a day, which means its end, or a time; a datetime or time
    without an offset is in `time_zone`. Raises InvalidValue for anything else.
    """
    if isinstance(value, datetime):
        return _utc_of(str(value), value if value.tzinfo else value.replace(tzinfo=zone(time_zone)))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    if re.fullmatch(r"#?[0-9]{1,15}", text):
        return int(text.removeprefix("#"))
    exact = _INSTANT.fullmatch(text)
    try:
        # The part before the fraction is checked like a time without a fraction.
        last = last_instant((exact[1] + (exact[3] or "")) if exact else text, time_zone)
    except InvalidValue as error:
        raise InvalidValue(text, f"{error.problem}, a time, or an entry such as #41") from None
    if exact and exact[2]:
        return last[:20] + exact[2][1:].ljust(6, "0") + "Z"
    return last


def _utc_of(text: str, instant: datetime) -> str:
    try:
        return utc(instant)
    except OverflowError:
        raise InvalidValue(text, f'"{text}" lies outside the years 1 to 9999') from None
