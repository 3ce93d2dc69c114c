"""Scratch folders, in which files are made whole before they are moved into the folder around.

Guarantees: a reader finds the old file or the new one, never half a file. A scratch folder is
removed at the end; if a run was killed, the next one beside it removes it. Other users cannot read
a scratch folder: a copy in it may not hold, or may be replaced before it is published.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from timeline.errors import NotWritable

_NAME = re.compile(r"\.timeline-new-[0-9a-f]{16}")
"""The names of scratch folders; no folder of a user has such a name by chance."""


@contextlib.contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make a new folder inside `folder`, on the same disk, and lock `folder` meanwhile.

    One run at a time works there; another one waits. Raises NotWritable.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked_folder(folder))
            new = stack.enter_context(shared_scratch_folder(folder))
        except OSError as error:
            why = error.strerror or error
            raise NotWritable(str(folder), f"cannot be written: {why}") from None
        yield new


@contextlib.contextmanager
def shared_scratch_folder(folder: Path) -> Iterator[Path]:
    """Make a new folder inside `folder`, on the same disk, beside those of other runs.

    Raises OSError.
    """
    _remove_left(folder)
    new, handle = _made(folder)
    try:
        yield new
    finally:
        with contextlib.suppress(OSError):
            _remove(new)
        os.close(handle)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Wait until no other run has locked this folder, and lock it. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _made(folder: Path) -> tuple[Path, int]:
    """Make a scratch folder that is locked as long as this process lives."""
    while True:
        new = folder / f".timeline-new-{os.urandom(8).hex()}"
        new.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(new, os.O_RDONLY)
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            if new.exists():  # another run may have removed it before the lock
                return new, handle
            os.close(handle)


def _remove_left(folder: Path) -> None:
    """Remove the scratch folders that no process has locked: their runs were killed."""
    with contextlib.suppress(OSError):  # this user may not see what is there, or remove it
        for left in [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(left)
                finally:
                    os.close(handle)


def _remove(folder: Path) -> None:
    import shutil  # it takes time to load, and each command loads this module

    shutil.rmtree(folder)
