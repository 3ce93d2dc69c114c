"""Read text files of other programs: their encoding, their lines, the delimiter of a table.

Guarantees: a byte order mark is never part of a text, and an empty column at the end of a header,
as spreadsheets leave it, is no column. No line is held that is longer than a limit.
"""

from collections.abc import Iterator, Sequence
from typing import IO, AnyStr

from timeline.errors import InvalidInput

LONGEST_LINE = 16 * 2**20
"""Bytes or characters of one line, row or item of an input; a longer one is refused."""
LONGEST_FILE = 64 * 2**20
"""Bytes of an input that is read whole; a longer one is refused."""
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def encoding_of(beginning: bytes) -> str:
    """Name the encoding of a file that begins so: UTF-16 or UTF-8.

    UTF-16 has a byte order mark, or many NUL bytes, of which all are in the second places of its
    characters, or all in the first.
    """
    if beginning[:2] in _BYTE_ORDER_MARKS:
        return "utf-16"
    first, second = beginning[::2].count(0), beginning[1::2].count(0)
    if max(first, second) * 10 > len(beginning) and not min(first, second):
        return "utf-16-le" if second else "utf-16-be"
    return "utf-8-sig"


def decoded(
    content: bytes, advice: str = "", *, encoding: str = "utf-8-sig", first_line: int = 1
) -> str:
    """Return the text of a file without its byte order mark.

    Raises InvalidInput, with the line, counted from `first_line`, and `advice`, or else the first
    wrong byte.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = first_line + content.count(b"\n", 0, error.start)
        problem = f"is not UTF-8: {advice or f'byte {content[error.start]:#04x}'}"
        raise InvalidInput("", problem).at(line=line) from None


def whole(file: IO[bytes], advice: str = "") -> bytes:
    """Read a file to its end. Raises InvalidInput, with `advice`, for one that is too long."""
    content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise InvalidInput("", f"is longer than {LONGEST_FILE // 2**20} MiB{advice}")
    return content


def lines(file: IO[AnyStr], *, first: int = 1, longest: int = LONGEST_LINE) -> Iterator[AnyStr]:
    """Yield the lines of a file, with their ends; the first one has the number `first`.

    Raises InvalidInput, with its number, for a line that is too long, without reading its rest.
    """
    number = first
    while line := file.readline(longest + 1):
        check_length(len(line), number, longest)
        yield line
        number += 1


def check_length(length: int, line: int, longest: int = LONGEST_LINE) -> None:
    """Raise InvalidInput for a line that is too long; `line` is its number."""
    if length > longest:
        problem = f"is longer than {longest // 2**20} MiB: is this a file of lines?"
        raise InvalidInput("", problem).at(line=line)


def delimiter_of(header: str, delimiters: str = ",;\t") -> str:
    """Return the one of these delimiters that the header has most often; the first if none."""
    return max(delimiters, key=header.count)


def named_columns(header: Sequence[str]) -> list[str]:
    """Return the names of a header without the empty ones at its end."""
    columns = [*header]
    while columns and not columns[-1]:
        columns.pop()
    return columns
