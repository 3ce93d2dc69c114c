"""Tell files apart that had one name, and find the programs that have a file open.

Guarantees: it changes nothing. It finds a program only where the system shows the open files of
processes in /proc, and only if this user may see them; elsewhere it finds none.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")
_LONGEST = 60
"""The most characters of a command line that are shown."""


def identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return device and inode of the file that has this name now; None if there is none.

    A file that takes the place of another one, or is made anew, has another identity.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - each append asks twice, and this is quicker
    except OSError:
        return None
    return status.st_dev, status.st_ino


def holders(path: str | os.PathLike[str]) -> list[str]:
    """Return the programs that have this database or a file beside it open, but this process.

    Each is named by its command line and its number: "timeline serve (process 1234)".
    """
    name = os.fspath(path)
    wanted = {identity(each) for each in (name, f"{name}-wal", f"{name}-shm")} - {None}
    return [
        f"{_command(process)} (process {process.name})"
        for process in _processes()
        if process.name != str(os.getpid()) and any(file in wanted for file in _open_files(process))
    ]


def _processes() -> list[Path]:
    try:
        return sorted(
            (process for process in _PROCESSES.iterdir() if process.name.isdigit()),
            key=lambda process: int(process.name),
        )
    except OSError:
        return []


def _open_files(process: Path) -> Iterator[tuple[int, int] | None]:
    """Yield device and inode of each open file of a process; none of one that has ended."""
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            yield identity(descriptor)


def _command(process: Path) -> str:
    """Return the command line of a process, with the names of its files without their folders."""
    try:
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        words = []
    line = " ".join(word.rpartition("/")[2] for word in words if word)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
