"""A scratch folder, in which files are made whole before they are moved into the folder around it.

Guarantees: a reader finds the old file or the new one, never half a file. The scratch folder is
removed at the end; if a run was killed, the next one removes it. Only one run at a time works in
a folder; another one waits. Other users cannot read the scratch folder: a copy in it may not hold,
or may be replaced before it is published.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from timeline.errors import NotWritable

_NAME = ".timeline-new"


@contextlib.contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make a new folder inside `folder`, on the same disk. Raises NotWritable."""
    new = folder / _NAME
    with contextlib.ExitStack() as stack:
        try:
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            if new.exists():
                shutil.rmtree(new)
            new.mkdir(mode=0o700)
        except OSError as error:
            why = error.strerror or error
            raise NotWritable(str(folder), f"cannot be written: {why}") from None
        stack.callback(shutil.rmtree, new, ignore_errors=True)
        yield new
