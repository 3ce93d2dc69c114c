"""Unpack what gzip packed, and the one file of data in a ZIP file, as a stream and within limits.

Guarantees: a packed file is unpacked only as far as it is read, and one that grows beyond measure
is refused. Knows nothing of what a file holds.
"""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.model import hints

_GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
"""The first bytes of a ZIP file, and so of a workbook of today."""
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, struct.error),
)
"""The errors that a ZIP file of wrong bytes ends in."""
_EMPTY_ZIP = b"PK\x05\x06"
_OF_WORKBOOKS = frozenset(("xl/workbook.xml", "xl/workbook.bin", "content.xml"))
_DATA = frozenset(
    (
        *(".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".geojson"),
        *(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
    )
)
_PACKED = frozenset((".zip", ".gz", ".7z", ".rar", ".xz", ".bz2"))
_BESIDE_DATA = ("readme", "read_me", "read me", "licen", "codebook", "changelog", "citation")
_MOST = 8
"""Names of members that a message lists."""
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
    """Return a file of the same bytes, unpacked if they are packed by gzip or in a ZIP file.

    A workbook, which is a ZIP file too, stays as it is. Raises InvalidInput for a ZIP file without
    just one file of data.
    """
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    beginning = buffered.peek(4)
    if beginning.startswith(_GZIP):
        buffered = io.BufferedReader(_Unpacked(buffered), _CHUNK)
    elif beginning.startswith((ZIP, _EMPTY_ZIP)):
        buffered = _data_of(buffered)
    found: IO[bytes] = buffered
    return found


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP file. Raises InvalidInput for one that is damaged or not whole."""
    try:
        return zipfile.ZipFile(file)
    except _DAMAGED:
        raise InvalidInput("", "is a ZIP file that cannot be opened: is it whole?") from None


def _data_of(file: Any) -> Any:
    """Return the one file of data in a ZIP file, or the ZIP file itself if it is a workbook."""
    if not file.seekable():
        file = io.BufferedReader(_Copy(file), _CHUNK)
    archive = opened(file)
    members = archive.infolist()
    names = {member.filename for member in members}
    if "[Content_Types].xml" in names or "mimetype" in names:
        if not names & _OF_WORKBOOKS:
            raise InvalidInput("", "is a document, not a table: save its table as CSV")
        file.seek(0)
        return file
    member = _data_member(members)
    if member.flag_bits & 1:
        raise InvalidInput("", "is a ZIP file that is locked with a password: unpack it first")
    check_sizes([member])
    try:
        return io.BufferedReader(_Member(archive.open(member)), _CHUNK)
    except _DAMAGED as error:
        raise InvalidInput("", f"is a ZIP file that cannot be unpacked: {error}") from None


class _Copy(io.RawIOBase):
    """Holds a copy of a file in which one can go back; it is deleted when nobody reads it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        while piece := file.read(_CHUNK):
            self._file.write(piece)
            if self._file.tell() > _LARGEST:
                self._file.close()
                problem = f"is longer than {_LARGEST // 2**30} GiB: unpack it first"
                raise InvalidInput("", problem)
        self._file.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def _data_member(members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Return the one member of a ZIP file that is data. Raises InvalidInput if there is not one."""
    files = [member for member in members if not _is_beside_data(PurePosixPath(member.filename))]
    data = [member for member in files if _kind(member) in _DATA] or [
        member for member in files if not _kind(member)
    ]
    if len(data) == 1:
        return data[0]
    if not data and any(_kind(member) in _PACKED for member in files):
        raise InvalidInput("", "is a ZIP file with another packed file in it: unpack it first")
    names = ", ".join(hints.printable(member.filename) for member in (data or members)[:_MOST])
    if data:
        raise InvalidInput(
            "", f"is a ZIP file of several files: unpack it, and take one of {names}"
        )
    raise InvalidInput("", f"is a ZIP file without a table: it has {names or 'nothing'}")


def _kind(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _is_beside_data(path: PurePosixPath) -> bool:
    """Tell whether a member is none of data: what macOS adds, a read-me, a licence, a codebook."""
    return (
        path.name.startswith(".")
        or path.parts[:1] == ("__MACOSX",)
        or path.stem.lower().startswith(_BESIDE_DATA)
    )


def check_sizes(members: Sequence[zipfile.ZipInfo]) -> None:
    """Raise InvalidInput if the members of a ZIP file say that they unpack to too much."""
    total = sum(member.file_size for member in members)
    stored = sum(member.compress_size for member in members)
    if total > _LARGEST or total > max(_RATIO_FROM, _RATIO * stored):
        raise InvalidInput("", _too_much(total > _LARGEST, "unzip"))


def _too_much(is_too_large: bool, program: str) -> str:
    much = f"{_LARGEST // 2**30} GiB" if is_too_large else f"{_RATIO} times its size"
    return f"unpacks to more than {much}: if that is right, unpack it with {program} first"


class _Member(io.RawIOBase):
    """Reads a member of a ZIP file up to the size that it has there, and checks its sum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._file.read(len(buffer))
        except _DAMAGED as error:
            raise InvalidInput("", f"cannot be unpacked: {error}") from None
        buffer[: len(piece)] = piece
        return len(piece)


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
        try:
            piece = self._gzip.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInput("", f"cannot be unpacked: {error}") from None
        self._given += len(piece)
        is_too_large = self._given > _LARGEST
        if is_too_large or self._given > max(_RATIO_FROM, _RATIO * self._packed.taken):
            raise InvalidInput("", _too_much(is_too_large, "gunzip"))
        buffer[: len(piece)] = piece
        return len(piece)
