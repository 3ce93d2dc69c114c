"""Read the rows of a file in any of its forms: CSV, tab-separated values, a JSON array, JSON Lines.

Guarantees: of a file of any length only one row is held in memory, and no row is longer than
`text_files.LONGEST_LINE`. A row that cannot be read is `Unreadable`, with its line, and the rows
after it are still read. Knows nothing of what rows mean.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator
from itertools import chain
from typing import IO, Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.importers.decoding import text, web_page_or_xml
from timeline.formats.importers.json_objects import object_rows
from timeline.formats.importers.json_rows import are_lines, array_rows, line_rows
from timeline.formats.importers.tables import table_rows
from timeline.formats.importers.workbooks import is_workbook, workbook_rows
from timeline.formats.imports import FileNote, Row, Unreadable
from timeline.model import text_files

_LOG = re.compile(r'\s*\{"envelope": ?"')
"""The beginning of a line of a log that was exported."""
_CHUNK = 2**16
"""Characters that are read from a file at a time."""


class FileForm(NamedTuple):
    """Describes the form of a file, as far as it is known before the file is read."""

    delimiter: str | None = None
    """The delimiter of a table; a file that has one is CSV."""
    encoding: str | None = None
    """The encoding of a text, by a name that Python knows; None means UTF-8 or UTF-16."""
    path: str | None = None
    """The dotted name of the list of rows in a JSON object, such as "data.items"."""
    columns: frozenset[str] = frozenset()
    """The columns that a table must have, each of them once."""
    sheet: str | None = None
    """The name of a sheet of a workbook; None means the first one with the columns, or a table."""


_ANY_FORM = FileForm()


def rows(
    file: IO[bytes], form: FileForm = _ANY_FORM
) -> Generator[Row | Unreadable | FileNote, None, None]:
    """Yield the rows of a file in any of the forms, and notes on how the file was read.

    Raises InvalidInput if the file has none of the forms, if a row is too long, or if a packed file
    is cut off.
    """
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    if is_workbook(buffered.peek(8)):
        yield from workbook_rows(buffered, form.sheet, form.columns)
        return
    skipped = 0
    with text(buffered, form.encoding) as stream:
        while not (head := stream.readline(_CHUNK)).strip():
            if not head:
                raise InvalidInput("", "is empty")
            skipped += 1
        match head.lstrip()[0]:
            case "[" if form.delimiter is None:
                if form.path:
                    problem = "names a list in an object, and this file is a list: leave it out"
                    raise InvalidInput("rows", problem)
                chunks = iter(lambda: stream.read(_CHUNK), "")
                yield from array_rows(chain((head,), chunks), skipped + 1)
            case "{" if form.delimiter is None:
                yield from _object_rows(head, stream, skipped + 1, form)
            case "<":
                raise InvalidInput("", web_page_or_xml(head)).at(line=skipped + 1)
            case _:
                found = _lines_from(head, stream, skipped + 1)
                yield from table_rows(
                    found, skipped + 1, delimiter=form.delimiter, wanted=form.columns
                )


def _object_rows(
    head: str, stream: io.TextIOWrapper, line: int, form: FileForm
) -> Iterator[Row | Unreadable | FileNote]:
    """Yield the rows of JSON Lines, or of one object, whose line `line` was read up to `head`."""
    if not head.endswith(("\n", "\r")):
        head += stream.readline(text_files.LONGEST_LINE + 1 - len(head))
    blanks, after = "", ""
    if len(head) <= text_files.LONGEST_LINE:
        while (after := stream.readline(_CHUNK)) and not after.strip():
            blanks += after
            text_files.check_length(len(blanks), line)
        if _LOG.match(head):
            problem = "is a log that `export jsonl` wrote: `timeline import jsonl` reads it"
            raise InvalidInput("", problem).at(line=line)
        if not form.path and are_lines(head, after, form.columns):
            first = [head, *io.StringIO(blanks, newline="")]
            others = _lines_from(after, stream, line + len(first)) if after else ()
            yield from line_rows(chain(first, others), line)
            return
    beginning = head + blanks + after
    pieces = (beginning[at : at + _CHUNK] for at in range(0, len(beginning), _CHUNK))
    chunks = iter(lambda: stream.read(_CHUNK), "")
    yield from object_rows(chain(pieces, chunks), line, form.path, form.columns)


def _lines_from(head: str, stream: io.TextIOWrapper, first: int) -> Iterator[str]:
    """Yield the lines of a stream whose line `first` was read up to `head`."""
    if not head.endswith(("\n", "\r")):
        head += stream.readline(text_files.LONGEST_LINE)
        text_files.check_length(len(head), first)
    yield head
    yield from text_files.lines(stream, first=first + 1)
