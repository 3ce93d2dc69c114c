"""A deadline ends the reading of a page that takes too long.

Guarantees: within a deadline, a query that runs past it is interrupted, on the connection that the
deadline is for and on those that joined it; work in Python ends where it calls `check`. Both raise
TakesTooLong. SQLite asks between its steps only: one long step, such as the search for a short
beginning of a word, runs to its end.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from contextvars import ContextVar

from timeline.errors import TakesTooLong

_STEPS = 1_000
"""Steps of SQLite between two looks at the clock, which take 0.03 to 0.1 ms."""


class _Deadline:
    """A deadline has its instant on the monotonic clock, and can be moved."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.instant = time.monotonic() + seconds

    def is_over(self) -> bool:
        """Tell whether the instant has passed."""
        return time.monotonic() >= self.instant


_current: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextlib.contextmanager
def within(connection: sqlite3.Connection, seconds: float | None) -> Iterator[None]:
    """End the work of the body after so many seconds; with None there is no limit.

    Raises TakesTooLong.
    """
    if seconds is None:
        yield
        return
    deadline = _Deadline(seconds)
    token = _current.set(deadline)
    join(connection)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise TakesTooLong(seconds) from None
    finally:
        connection.set_progress_handler(None, 0)
        _current.reset(token)


def join(connection: sqlite3.Connection) -> None:
    """Let the deadline end queries of this connection too, such as one to tables in memory."""
    if deadline := _current.get():
        connection.set_progress_handler(deadline.is_over, _STEPS)


def check() -> None:
    """Raise TakesTooLong if the deadline has passed."""
    deadline = _current.get()
    if deadline and deadline.is_over():
        raise TakesTooLong(deadline.seconds)


@contextlib.contextmanager
def paused(connection: sqlite3.Connection) -> Iterator[None]:
    """Let the body take any time, which does not count: all later pages have its result."""
    deadline = _current.get()
    if deadline is None:
        yield
        return
    left = deadline.instant - time.monotonic()
    connection.set_progress_handler(None, 0)
    try:
        yield
    finally:
        deadline.instant = time.monotonic() + left
        join(connection)
