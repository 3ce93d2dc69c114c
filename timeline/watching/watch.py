"""Watch a timeline: deliver each new entry that filters choose, in order, once.

Guarantees: an entry is delivered after its predecessor was taken or refused. Before an entry is
delivered, the cursor says so; after it was, the cursor says that, before the next one is begun. So
an entry that was being delivered when the watch was killed is known. It is not delivered again
unless the user asks for that: whether it arrived, nobody here can know. No database is open while
an entry is delivered. What cannot be delivered is tried again, after ever longer waits.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from timeline.errors import InvalidInput, NotDelivered
from timeline.watching import entries
from timeline.watching.cursor import Cursor, LogPosition, WatchState
from timeline.watching.delivery import Deliver, Delivery, Reception

LOOK = 1.0
"""Seconds between two looks at the file. A look takes 0.01 ms as long as nothing is written."""
_FIRST_WAIT = 1.0
"""Seconds before an entry is tried again; each further wait is twice as long."""
_LONGEST_WAIT = 300.0
"""Seconds of the longest wait, unless the receiver asks for a longer one."""
_TRIES = 5
"""Tries after which a watch that is not to stay gives up for now."""
_YOUNG = 2_000_000_000
"""Nanoseconds for which a file counts as changing: the clocks of file systems tick that slowly."""


class Stopped(Exception):
    """The watch was asked to stop."""


class Watch:
    """A watch delivers the entries of one file to one receiver, from where its cursor is."""

    def __init__(
        self,
        path: str,
        filters: Mapping[str, Any],
        deliver: Deliver,
        cursor: Cursor,
        *,
        site: str = "",
        pause: Callable[[float], bool],
        note: Callable[[str], object],
    ) -> None:
        """Take what is watched, and who gets it.

        `pause` waits for some seconds, and returns whether the watch is to stop. `note` is told
        what a user must know.
        """
        self._path = path
        self._filters = filters
        self._deliver = deliver
        self._cursor = cursor
        self._site = site
        self._pause = pause
        self._note = note
        self._seen: object = None
        self.counts: Counter[str] = Counter()
        """The number of entries that were taken and refused, and that had been erased."""

    def begin(self, first: int | None) -> None:
        """Begin with the entry `first`, or after the newest one, if the cursor has no state yet.

        An entry that was being delivered when the last run was killed is in doubt from now on.
        Raises InvalidInput for a filter that cannot be read, or an entry that is not there, and
        Replaced if another log took the place of the file.
        """
        with entries.opened(self._path) as connection:
            state = self._cursor.state
            if state is None:
                state = WatchState(_before(connection, first))
            entries.check(connection, self._path, state.done)
            newest = entries.position_of(connection)
            entries.following(connection, self._filters, newest)  # refuses what is no filter
            if state.sending is not None:
                doubtful = dict.fromkeys((*state.doubtful, state.sending))
                done = entries.position_of(connection, max(state.done.entry, state.sending))
                state = WatchState(done, None, tuple(doubtful))
        if state != self._cursor.state:
            self._cursor.write(state)

    def again(self) -> None:
        """Deliver once more the entries that are in doubt. Raises NotDelivered, Stopped."""
        for entry in self.doubtful:
            self._bring(entry, is_last_try=True)
            left = tuple(each for each in self.doubtful if each != entry)
            self._cursor.write(WatchState(self._state.done, None, left))

    def run(self, *, once: bool) -> None:
        """Deliver what is new: until Stopped is raised, or `once` all that is there.

        Raises NotDelivered if the receiver takes no entries, or with `once` after some tries, and
        Replaced if another log took the place of the file.
        """
        while True:
            if self._has_changed():
                self._catch_up(once=once)
            if once:
                return
            self._wait(LOOK)

    @property
    def doubtful(self) -> tuple[int, ...]:
        """Return the entries of which nobody knows whether they arrived."""
        return self._state.doubtful

    @property
    def _state(self) -> WatchState:
        state = self._cursor.state
        if state is None:
            raise RuntimeError("a watch has to begin")
        return state

    def _catch_up(self, *, once: bool) -> None:
        while True:
            with entries.opened(self._path) as connection:
                entries.check(connection, self._path, self._state.done)
                found = entries.following(connection, self._filters, self._state.done)
            self.counts["erased"] += found.erased
            if found.entry is not None:
                self._bring(found.entry, is_last_try=once)
            if found.end != self._state.done:
                self._finish(found.end)
            if found.entry is None:
                return
            self._wait(0)

    def _finish(self, done: LogPosition) -> None:
        self._cursor.write(WatchState(done, None, self.doubtful))

    def _bring(self, entry: int, *, is_last_try: bool) -> None:
        """Deliver an entry until it is taken or refused. Raises NotDelivered, Stopped."""
        for number in range(1, 2**31):
            with entries.opened(self._path) as connection:
                delivery = entries.delivery_of(connection, entry, self._site)
            if delivery is None:
                self.counts["erased"] += 1
                return
            outcome = self._try(delivery)
            match outcome.what:
                case "taken" | "refused":
                    self.counts[outcome.what] += 1
                    if outcome.what == "refused":
                        self._note(f"entry {entry} was refused: {outcome.why}")
                    return
                case "closed":
                    raise NotDelivered(f"entry {entry}", f"{outcome.why}: the watch ends here")
            if is_last_try and number == _TRIES:
                raise NotDelivered(
                    f"entry {entry}", f"{outcome.why}, {number} times: run this again later"
                )
            if number == 1:
                self._note(f"entry {entry}: {outcome.why}; trying again")
            self._wait(_pause_after(number) if outcome.after is None else outcome.after)

    def _try(self, delivery: Delivery) -> Reception:
        """Deliver an entry, with the cursor knowing before and after.

        What failed for certain is no longer being delivered, so it is not in doubt if the watch is
        killed while it waits.
        """
        state = self._state
        self._cursor.write(WatchState(state.done, delivery.entry, state.doubtful))
        outcome = self._deliver(delivery)
        if outcome.what in ("failed", "closed") and not outcome.in_doubt:
            self._cursor.write(state._replace(sending=None))
        return outcome

    def _wait(self, seconds: float) -> None:
        """Wait, without a database open. Raises Stopped."""
        if self._pause(seconds):
            raise Stopped

    def _has_changed(self) -> bool:
        """Return whether the file may have new entries since the last look."""
        files = []
        for name in (self._path, f"{self._path}-wal"):
            try:
                known = Path(name).stat()
            except OSError:
                continue
            files.append((known.st_ino, known.st_size, known.st_mtime_ns))
        newest = max((changed for *_, changed in files), default=0)
        is_young = abs(time.time_ns() - newest) < _YOUNG
        seen, self._seen = self._seen, None if is_young else files
        return seen is None or seen != files


def _before(connection: sqlite3.Connection, first: int | None) -> LogPosition:
    """Return the position before an entry; that of the newest entry for None."""
    newest = entries.position_of(connection)
    if first is None:
        return newest
    if first > newest.entry + 1:
        raise InvalidInput("--from", f"names entry {first}, but the newest is {newest.entry}")
    return entries.position_of(connection, first - 1)


def _pause_after(number: int) -> float:
    """Return the seconds to wait after this many tries; no two watches wait in step."""
    longest = min(_FIRST_WAIT * 2.0 ** (number - 1), _LONGEST_WAIT)
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret depends on it


def cursor_file_of(database: str) -> Path:
    """Return the file in which a watch of a timeline keeps its state by default."""
    return Path(f"{os.path.realpath(database)}.watch")
