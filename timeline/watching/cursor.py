"""Remember in a file how far a watch has come, so that it delivers no entry twice.

Guarantees: what the file says is on the disk before the next step is taken, through a power failure
too. A watch that was killed while it delivered an entry finds that entry in the file, as one that
may or may not have arrived. No two watches use one file at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from timeline.errors import Busy, NotWritable, StoreError
from timeline.store import atomic


class LogPosition(NamedTuple):
    """A position in a log is the number of an entry and its leaf; -1 is before the first one."""

    entry: int
    leaf: str
    """The hash of the entry in hex, by which another log is told; "" before the first entry."""


class WatchState(NamedTuple):
    """A state says how far a watch has come, and which deliveries are open or in doubt."""

    done: LogPosition
    """The last entry that is dealt with, and all before it."""
    sending: int | None = None
    """The entry that is being delivered."""
    doubtful: tuple[int, ...] = ()
    """The entries that were being delivered when a watch was killed."""


class Cursor:
    """A cursor keeps the state of a watch in its file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = _read(path)
        """The state in the file; None before the first start."""

    def write(self, state: WatchState) -> None:
        """Put a state into the file, durably. Raises NotWritable."""
        said = {
            "entry": state.done.entry,
            "leaf": state.done.leaf,
            "sending": state.sending,
            "doubtful": state.doubtful,
        }
        try:
            with atomic.replacing(self.path) as file:
                file.write(json.dumps(said).encode() + b"\n")
            atomic.sync_folder(self.path.parent)
        except OSError as error:
            raise NotWritable(str(self.path), f"cannot be written: {error.strerror}") from None
        self.state = state


@contextlib.contextmanager
def locked(path: Path) -> Iterator[Cursor]:
    """Yield the cursor of a file, which no other watch can use meanwhile.

    Raises Busy if another watch uses it, and StoreError for a file that is no state of a watch.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        with lock.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(
                    str(path), "another watch uses this file: give --cursor another name"
                ) from None
            yield Cursor(path)
    except PermissionError as error:
        raise NotWritable(str(lock), f"cannot be written: {error.strerror}") from None


def _read(path: Path) -> WatchState | None:
    try:
        said = json.loads(path.read_bytes())
        state = WatchState(
            LogPosition(said["entry"], said["leaf"]), said["sending"], tuple(said["doubtful"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        state = None
    if state is None or not _is_sound(state):
        raise StoreError(
            str(path), "is not the state of a watch: give --cursor the name of another file"
        )
    return state


def _is_sound(state: WatchState) -> bool:
    numbers = (state.done.entry, *state.doubtful)
    opened = () if state.sending is None else (state.sending,)
    is_whole = all(type(number) is int for number in (*numbers, *opened))
    return is_whole and isinstance(state.done.leaf, str)
