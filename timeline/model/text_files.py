"""Read text files of other programs: their encoding, and the delimiter and header of a table.

Guarantees: a byte order mark is never part of a text, and an empty column at the end of a header,
as spreadsheets leave it, is no column. Pure functions of bytes and texts.
"""

from collections.abc import Sequence

from timeline.errors import InvalidInput

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def encoding_of(beginning: bytes) -> str:
    """Name the encoding of a file that begins so: UTF-16 with a byte order mark, or UTF-8."""
    return "utf-16" if beginning[:2] in _BYTE_ORDER_MARKS else "utf-8-sig"


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


def delimiter_of(header: str, delimiters: str = ",;\t") -> str:
    """Return the one of these delimiters that the header has most often; the first if none."""
    return max(delimiters, key=header.count)


def named_columns(header: Sequence[str]) -> list[str]:
    """Return the names of a header without the empty ones at its end."""
    columns = [*header]
    while columns and not columns[-1]:
        columns.pop()
    return columns
