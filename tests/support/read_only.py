"""A folder in which nobody can write, for one process and whatever it starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd / && exec "$@"'


def read_only(folder: Path) -> tuple[str, ...]:
    """What to put before a command for which a folder is to be on a read-only disk.

    The mount is in a namespace of its own, and ends with the command. Where this user may not
    mount anything, the folder is closed instead, as in a snapshot.
    """
    own = "--mount" if os.geteuid() == 0 else "--map-root-user"
    before = ("unshare", "--mount", own, "sh", "-c", _MOUNT, str(folder))
    return before if _works(before) else closed(folder)


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
