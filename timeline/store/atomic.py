"""Write a file aside, then put it in the place of another one.

Guarantees: a reader finds the file as it was before or the whole new one. What was written aside
is gone at the end, whether it took its place or not; what a killed run left is removed by the next
one in the same folder.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from timeline.errors import NotWritable
from timeline.store.scratch_folder import shared_scratch_folder


@contextlib.contextmanager
def replaced(target: Path, building: Path, beside: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield `building`, which takes the place of `target` when the block ends well.

    If the block fails, `target` stays as it is, and `building` is removed. The files `beside`
    `building` are removed in either case. Both paths must be on one disk. Raises OSError.
    """
    try:
        yield building
        building.replace(target)
    finally:
        for left in (building, *beside):
            with contextlib.suppress(OSError):
                left.unlink()


def write(target: Path, content: bytes, building: Path, mode: int | None = None) -> None:
    """Put `content` into `target`, whole or not at all, by way of `building`.

    The file has these permissions from the moment when it is made. Raises OSError.
    """
    with replaced(target, building):
        if mode is not None:
            building.touch(mode)
            building.chmod(mode)
        building.write_bytes(content)


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Put `content` into a new file with these permissions; nothing is left if that fails.

    Raises FileExistsError, and other kinds of OSError.
    """
    with shared_scratch_folder(path.parent) as new:
        building = new / path.name
        building.touch(mode)
        building.write_bytes(content)
        sync_file(building)
        put_new(building, path)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a file to write, whose content takes the place of `path` when the block ends well.

    A file that is there keeps its permissions; of a link, the file that it leads to is replaced.
    What is no file, such as a pipe, is written to as it is. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as special:
            yield special
        return
    with (
        shared_scratch_folder(target.parent) as new,
        replaced(target, new / target.name) as building,
        building.open("wb") as file,
    ):
        if target.exists():
            building.chmod(stat.S_IMODE(target.stat().st_mode))
        yield file
        file.flush()
        os.fsync(file.fileno())


def put(path: str | os.PathLike[str], content: bytes) -> None:
    """Put `content` into a file as `replacing` does. Raises NotWritable."""
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise NotWritable(os.fspath(path), f"cannot be written: {error.strerror}") from None


def put_new(building: Path, path: Path) -> None:
    """Move a file to a name that is free. Raises FileExistsError if it is not, or OSError."""
    try:
        path.hardlink_to(building)
    except FileExistsError:
        raise
    except OSError:  # some file systems have no second name for a file
        path.touch(exist_ok=False)
        building.replace(path)
    else:
        building.unlink()


def free_name(path: Path, what: str) -> Path:
    """Return a free name beside a file: for "story.db" it is "story.WHAT.db", "story.WHAT2.db"."""
    names = (
        path.with_name(f"{path.stem}.{what}{number}{path.suffix}")
        for number in itertools.chain([""], itertools.count(2))
    )
    return next(name for name in names if not os.path.lexists(name))


def sync_file(path: Path) -> None:
    """Keep the content of a file through a power failure."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Keep the names in a folder through a power failure, where its file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
