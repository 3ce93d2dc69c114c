"""A folder in which nobody can write, or on a disk that is full, for one process and its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd / && exec "$@"'
_SMALL = (
    'mkdir "$0.all" && cp -a "$0/." "$0.all" && mount -t tmpfs -o size=4m tmpfs "$0"'
    ' && cp -a "$0.all/." "$0" && exec "$@"'
)


def read_only(folder: Path) -> tuple[str, ...]:
    """What to put before a command for which a folder is to be on a read-only disk.

    The mount is in a namespace of its own, and ends with the command. Where this user may not
    mount anything, the folder is closed instead, as in a snapshot.
    """
    own = "--mount" if os.geteuid() == 0 else "--map-root-user"
    before = ("unshare", "--mount", own, "sh", "-c", _MOUNT, str(folder))
    return before if _works(before) else closed(folder)


def on_small_disk(folder: Path) -> tuple[str, ...]:
    """What to put before a command for which a folder, with its files, is on a disk of 4 MiB.

    Others see it below /proc/PID/root.
    """
    own = "--mount" if os.geteuid() == 0 else "--map-root-user"
    return ("unshare", "--mount", own, "sh", "-c", _SMALL, str(folder))


def fill(file: Path) -> None:
    """Write a file until its disk is full."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as opened:
        while opened.write(bytes(512)):
            pass


def closed(folder: Path) -> tuple[str, ...]:
    """What to put before a command for which a folder of root is to refuse every change.

    The disk calls itself writable, as that of a snapshot. Root is stopped by the permissions of
    the folder once the right to pass over permissions is given away for good.
    """
    folder.chmod(0o555)
    before = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    if os.geteuid() != 0:  # a namespace in which this user is called root
        before = ("unshare", "--map-root-user", *before)
    if not _works((*before, "sh", "-c", '! touch "$0/.closed"', str(folder))):
        pytest.fail("this machine has no way to keep a program from writing into a folder")
    return before


def _works(command: tuple[str, ...]) -> bool:
    try:
        ended = subprocess.run([*command, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return ended.returncode == 0
