"""Where files are made that then take their places in a folder, whole.

Guarantees: a reader finds the old file or the new one. What is being made is gone at the end;
what a run that was killed left goes with the next one. One run at a time works in a folder:
another waits for it. Others cannot look into it: a copy in the making has all texts.
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
    """A new folder inside `folder`, on the same disk. Raises NotWritable."""
    new = folder / _NAME
    with contextlib.ExitStack() as stack:
        try:
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            with contextlib.suppress(OSError):  # a disk that knows no locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            if new.exists():
                shutil.rmtree(new)
            new.mkdir(mode=0o700)
        except OSError as error:
            why = error.strerror or error
            raise NotWritable(str(folder), f"cannot be written: {why}") from None
        stack.callback(shutil.rmtree, new, ignore_errors=True)
        yield new
