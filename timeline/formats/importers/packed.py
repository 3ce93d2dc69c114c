"""Unpack what gzip packed, as a stream and within limits.

Guarantees: a packed file is unpacked only as far as it is read, and one that grows beyond measure
is refused. Knows nothing of what a file holds.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, Any

from timeline.errors import InvalidInput

_GZIP = b"\x1f\x8b"
CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile)
_CHUNK = 2**16
"""Bytes that are unpacked at a time."""
_LARGEST = 16 * 2**30
"""Bytes that a packed file may unpack to."""
_RATIO = 200
"""Times that a packed file may grow. Measured: a log in which 10,000 entries repeat 30 kB grows 115
times, and zeros 1,030 times."""
_RATIO_FROM = 16 * 2**20
"""Bytes that every packed file may unpack to, however small it is."""


def plain(file: IO[bytes]) -> IO[bytes]:
    """Return a file of the same bytes, unpacked if they are packed by gzip."""
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    if buffered.peek(2)[:2] == _GZIP:
        buffered = io.BufferedReader(_Unpacked(buffered), _CHUNK)
    found: IO[bytes] = buffered
    return found


class _Counted(io.RawIOBase):
    """Reads a file, and counts in `taken` the bytes that were read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self.taken += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


class _Unpacked(io.RawIOBase):
    """Reads what a file of gzip holds. Raises InvalidInput if that is too much."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = _Counted(packed)
        self._gzip = gzip.GzipFile(fileobj=self._packed)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._gzip.read(len(buffer))
        self._given += len(piece)
        if self._given > _LARGEST:
            much = f"{_LARGEST // 2**30} GiB"
        elif self._given > max(_RATIO_FROM, _RATIO * self._packed.taken):
            much = f"{_RATIO} times its size"
        else:
            buffer[: len(piece)] = piece
            return len(piece)
        problem = f"unpacks to more than {much}: if that is right, unpack it with gunzip first"
        raise InvalidInput("", problem)
