"""Decide at which time an append is recorded, and refuse a clock that cannot be right.

Guarantees: the time is later than that of every entry before. A clock that went back is refused,
and so is one that seems to have leapt: more than a day ahead of the newest entry and of the last
change of the file. A log that is ahead of the clock can be written all the same, if somebody says
why: its time goes on in microseconds, and an entry says what the clock said. So no log is locked.

Knows a log by its newest entry, and the file by the time of its last change.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from timeline.errors import ClockBehind, ClockLeapt, InvalidInput, NotATimeline
from timeline.model import clock
from timeline.store import log
from timeline.store.codec import Entry

MAX_AHEAD = timedelta(seconds=60)
"""The time by which the newest entry may be ahead of the clock of this machine."""
_LONGEST_SILENCE = timedelta(hours=26)
"""The time by which the clock may be ahead of the newest entry and of the last change of the file.

It is a day, an hour for the day on which summer time ends, and an hour for a job that starts late.
"""


class RecordingTime(NamedTuple):
    """The time of an append has up to three parts."""

    moment: datetime
    """The time at which its entries are recorded."""
    clock: datetime
    """The time that the clock showed."""
    note: str | None = None
    """The reason of an additional entry, if the log is far ahead of the clock."""


def recording_time(
    newest: Entry | None,
    changed_at: datetime,
    now: datetime,
    *,
    trust_clock: bool = False,
    ahead: str | None = None,
) -> RecordingTime:
    """Return the time of an append that begins now, after the entry `newest`.

    The last change of the file was `changed_at`.
    Raises ClockBehind if the newest entry is more than a minute ahead, unless `ahead` says why to
    write all the same. Raises ClockLeapt if the clock seems to have leapt, unless `trust_clock`,
    and InvalidInput for an empty `ahead`.
    """
    if ahead is not None and not ahead.strip():
        raise InvalidInput("ahead", "needs a reason: say in a few words why")
    if newest is None:
        return RecordingTime(now, now)
    last = clock.parse(newest.recorded_at)
    if last - now > MAX_AHEAD:
        if ahead is None:
            raise ClockBehind(newest.recorded_at, clock.utc(now))
        note = f"ahead of the clock, which said {clock.utc(now)}: {ahead}"
        return RecordingTime(last + timedelta(microseconds=1), now, note)
    silence = now - max(last, changed_at)
    if silence > _LONGEST_SILENCE and not trust_clock:
        raise ClockLeapt(newest.recorded_at, clock.utc(now), silence.days)
    return RecordingTime(max(now, last + timedelta(microseconds=1)), now)


@contextlib.contextmanager
def dated_change(
    connection: sqlite3.Connection, path: str | os.PathLike[str]
) -> Iterator[datetime]:
    """Yield the time of the file's last change, and make it now if the block ends well.

    A program that appends every day, and often has nothing new, is thus never taken for one whose
    clock leapt. After ClockLeapt the time stays: otherwise SQLite would change it when it puts its
    write-ahead log into the file, and the next append would find nothing wrong.
    """
    before = _stat(path)
    try:
        yield _changed_at(before)
    except ClockLeapt:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        with contextlib.suppress(OSError):
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        raise
    with contextlib.suppress(OSError):
        os.utime(path)


def check_clock(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> datetime:
    """Return the time of the clock; raise ClockBehind or ClockLeapt if an append would now."""
    now = clock.now()
    recording_time(log.newest(connection), _changed_at(_stat(path)), now)
    return now


def _stat(path: str | os.PathLike[str]) -> os.stat_result:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        raise NotATimeline(os.fspath(path), "is gone; nothing was written") from None


def _changed_at(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)
