"""Open the text of a file of bytes, whatever its encoding.

Guarantees: a text that is not of its encoding is refused as a whole, at the first byte that is
wrong, with the encoding that it may have. The file stays open.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import re
from collections.abc import Iterator
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.model import hints, text_files

_CHUNK = 2**16
"""Bytes that are decoded at a time."""
_BEGINNING = 64
"""Bytes of a file by which its encoding is known."""
_ODD = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))
"""Encodings of Python in which nobody writes files."""
_IMAGE = "is an image, not a table"
_WORD = re.compile(rb"[\w\x80-\xff' .-]*", re.ASCII)
_OF_ANOTHER_SCRIPT = re.compile(rb"[\x80-\xff]{3}")


_OTHER_FILES = {
    b"PK\x03\x04": "is a workbook or another ZIP file: save its sheet as CSV, or take one file out",
    b"\xd0\xcf\x11\xe0": "is a file of Office until 2003: save its sheet as CSV",
    b"SQLite format 3\x00": "is a database of SQLite, not a table: export its table as CSV; from a"
    " timeline, `timeline export jsonl` writes what `timeline import jsonl` reads",
    b"%PDF-": "is a PDF, not a table: ask its publisher for the data, or keep it as a source with"
    " `timeline capture`",
    b"PAR1": "is a file of Parquet: write it as CSV",
    b"ARROW1": "is a file of Arrow: write it as CSV",
    b"RDX": "is a file of R: write it with write.csv",
    b"RDA": "is a file of R: write it with write.csv",
    b"<stata_dta>": "is a file of Stata: write it as CSV",
    b"$FL2": "is a file of SPSS: write it as CSV",
    b"BZh": "is packed by bzip2: unpack it first",
    b"\xfd7zXZ": "is packed by xz: unpack it first",
    b"(\xb5/\xfd": "is packed by zstd: unpack it first",
    b"7z\xbc\xaf": "is packed by 7-Zip: unpack it first",
    b"Rar!": "is packed by RAR: unpack it first",
    b"\x89PNG": _IMAGE,
    b"\xff\xd8\xff": _IMAGE,
    b"GIF8": _IMAGE,
    b"II*\x00": _IMAGE,
}
"""What the files are that begin with these bytes, and what to do with them."""


def _check_is_text(beginning: bytes) -> None:
    """Raise InvalidInput for a file whose first bytes are those of another kind of file."""
    for mark, problem in _OTHER_FILES.items():
        if beginning.startswith(mark):
            raise InvalidInput("", problem)


@contextlib.contextmanager
def text(file: IO[bytes], encoding: str | None = None) -> Iterator[io.TextIOWrapper]:
    """Open the text of a file of bytes, which stays open afterwards.

    Without the name of an encoding it is UTF-8, or UTF-16 if the text begins so. Raises
    InvalidInput for a byte that is wrong, and for a file that is no text at all.
    """
    if encoding:
        file = recoded(file, encoding)
    buffered = _buffered(file)
    counted = _Counted(buffered)
    try:
        beginning = buffered.peek(_BEGINNING)[:_BEGINNING]
        _check_is_text(beginning)
        found = text_files.encoding_of(beginning)
        raw: Any = counted
        stream = io.TextIOWrapper(raw, found, newline="")
        try:
            yield stream
        finally:
            stream.detach()
    except UnicodeDecodeError as error:
        if found != "utf-8-sig":
            raise _wrong(error, counted.taken, found.upper()) from None
        line = counted.lines - error.object.count(b"\n", error.start) + 1
        raise _wrong(error, counted.taken, "UTF-8", _advice(error)).at(line=line) from None


def web_page_or_xml(beginning: str) -> str:
    """Say what a text is that begins with "<", and what to do."""
    if beginning.lstrip().lower().startswith(("<?xml", "<kml", "<rss", "<gpx", "<feed")):
        return "is XML, not a table: ask its publisher for CSV or JSON"
    return "is a web page, not data: download the file itself, or publish the sheet as CSV"


def lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file of bytes, with their ends. Raises as `text` does.

    Raises InvalidInput for a line that is too long too.
    """
    with text(file) as stream:
        yield from text_files.lines(stream)


def recoded(file: IO[bytes], encoding: str) -> IO[bytes]:
    """Return a file of the same text in UTF-8.

    Raises InvalidInput for an unknown encoding, and for a file that is no text.
    """
    file = _buffered(file)
    _check_is_text(file.peek(_BEGINNING))  # type: ignore[attr-defined]
    found: Any = io.BufferedReader(_Recoded(file, known_encoding(encoding)), _CHUNK)
    return found  # type: ignore[no-any-return]


def known_encoding(name: str) -> str:
    """Return the name of an encoding as Python has it. Raises InvalidInput for an unknown one."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in _ODD:
        from encodings.aliases import aliases  # only slips need it

        known = sorted({*aliases, *aliases.values()})
        near = hints.nearest(name, known) or "cp1252, cp1251, latin-1 or utf-16"
        raise InvalidInput("encoding", f"{hints.quoted(name)} is unknown: did you mean {near}?")
    return codec.name


def _buffered(file: IO[bytes]) -> Any:
    return file if hasattr(file, "peek") else io.BufferedReader(file)


class _Counted(io.BufferedIOBase):
    """Reads a file, and counts the bytes and the ends of lines that were read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.taken = 0
        self.lines = 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        piece: bytes = self._file.read1(size)
        self.taken += len(piece)
        self.lines += piece.count(b"\n")
        return piece


class _Recoded(io.RawIOBase):
    """Reads a file of another encoding as UTF-8. Raises InvalidInput for a byte that is wrong."""

    def __init__(self, file: Any, encoding: str) -> None:
        self._file = file
        self._name = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._taken = 0
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = b"."
        while not self._rest and piece:
            piece = self._file.read(_CHUNK)
            self._taken += len(piece)
            try:
                self._rest = self._decoder.decode(piece, final=not piece).encode()
            except UnicodeDecodeError as error:
                raise _wrong(error, self._taken, self._name) from None
            except UnicodeError:
                raise InvalidInput("", f"is not {self._name}") from None
        given = self._rest[: len(buffer)]
        buffer[: len(given)] = given
        self._rest = self._rest[len(given) :]
        return len(given)


def _wrong(error: UnicodeDecodeError, taken: int, encoding: str, advice: str = "") -> InvalidInput:
    """Return the error about a byte; `taken` counts the bytes up to the end of its piece."""
    byte = error.object[error.start]
    offset = taken - len(error.object) + error.start
    return InvalidInput("", f"is not {encoding}: byte {byte:#04x} at offset {offset:,}{advice}")


def _advice(error: UnicodeDecodeError) -> str:
    """Say in which encoding the word with a wrong byte can be read, and how to tell us."""
    begin = max(error.start - 30, 0)
    before = re.split(rb"[^\w\x80-\xff' .-]", error.object[begin : error.start])[-1]
    after = _WORD.match(error.object, error.start, error.start + 30)
    word = before + (after[0] if after else b"")
    name = "cp1251" if _OF_ANOTHER_SCRIPT.search(word) else "cp1252"
    reading = hints.quoted(word.decode(name, errors="replace"))
    return (
        f" (in {name} it reads {reading}): name its encoding, with --encoding {name}"
        f' or encoding = "{name}" in the mapping'
    )
