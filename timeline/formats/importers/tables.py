"""Read the rows of CSV and of tab-separated values, with the names of their header.

Guarantees: only one row is held in memory, beside the first lines, in which the header is looked
for. A row that cannot be read is `Unreadable`, with its line, and the rows after it are still read.
Knows nothing of what columns mean.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import chain, islice
from typing import NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.imports import FileNote, Row, Unreadable
from timeline.model import hints, text_files

_DELIMITERS = ",;\t|"
FIRST_LINES = 60
"""Lines in which the header is looked for: room for a preamble of some 40 lines, and for rows
enough to see how many columns the table has."""
_FIRST_TEXT = 2**18
"""Characters of lines in which the header is looked for."""
_MOST_NAMES = 12
"""Names of columns that a message lists."""
_HINT = re.compile(r'"?sep=(.)"?[\r\n]+')
"""The first line of a table that Excel wrote, which says its delimiter."""
_VALUE = re.compile(r"[-+]?\d[\d.,:/ TZ+-]*")
"""A number, a date or a time of day: a cell of a row, not the name of a column."""
_TAG = re.compile(r"#[a-z]\w*(\s*\+[a-z]\w*)*")
"""A tag of HXL, such as #date+start."""
_YEAR = re.compile(r"\d{4}")

TAGS_SKIPPED = "the row of HXL tags below the header was skipped"

csv.field_size_limit(text_files.LONGEST_LINE)


class Record(NamedTuple):
    """A record among the first lines of a table; it has no cells if it cannot be read."""

    line: int
    """The number of the line on which it begins."""
    cells: list[str]

    @property
    def width(self) -> int:
        """Return the number of cells, without the empty ones at the end."""
        return len(text_files.named_columns([cell.strip() for cell in self.cells]))


class _Layout(NamedTuple):
    """A way to read the first lines of a table; the greatest one fits them best."""

    columns_found: int
    """The number of wanted columns that its header has."""
    is_a_table: bool
    """Whether its header has more than one column."""
    alike: float
    """The share of rows that have as many cells as the header."""
    fitting: float
    """The share of rows that have several cells, and no more than the header."""
    text_cells: int
    """The number of names in the header that begin with a blank, as text after a comma does: below
    zero."""
    begins_with_header: bool
    """Whether no line before its header is skipped."""
    columns: int
    delimiter: str
    header: int
    """The number of lines before the header."""
    has_row_names: bool
    """Whether each row has one cell more than the header, as R writes them."""


def table_rows(
    lines: Iterator[str],
    first: int = 1,
    *,
    delimiter: str | None = None,
    wanted: Set[str] = frozenset(),
) -> Iterator[Row | Unreadable | FileNote]:
    """Yield the rows of a table, and notes on how it was read; it begins on line `first`.

    Lines before a header that is plain to see are skipped. Raises InvalidInput as `csv_rows` does.
    """
    beginning = [*_first_lines(lines)]
    if hint := _HINT.fullmatch(beginning[0]):
        delimiter = delimiter or hint[1]
        first += 1
        del beginning[0]
    layouts = [_layout(beginning, mark, wanted) for mark in delimiter or _DELIMITERS]
    found = max(filter(None, layouts), key=lambda layout: layout[:7], default=None)
    if found is None:
        mark = delimiter or text_files.delimiter_of(beginning[0] if beginning else "")
        yield from csv_rows(chain(beginning, lines), mark, first, wanted=wanted)
        return
    skipped = [line for line in beginning[: found.header] if line.strip(" \t\r\n,;|")]
    if skipped:
        title = skipped[0].strip(f" {found.delimiter}\r\n")
        yield skipped_note("line", first + found.header, title)
    for below, line in enumerate(beginning[found.header + 1 : found.header + 2], found.header + 1):
        if has_tags(next(csv.reader([line], delimiter=found.delimiter), [])):
            beginning[below] = "\n"
            yield FileNote(TAGS_SKIPPED)
    yield from csv_rows(
        chain(beginning[found.header :], lines),
        found.delimiter,
        first + found.header,
        wanted=wanted,
        has_row_names=found.has_row_names,
    )


def has_tags(cells: Sequence[str]) -> bool:
    """Tell whether a row below a header has only tags of HXL, as files of the UN do."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) > 1 and all(_TAG.fullmatch(cell) for cell in filled)


def _first_lines(lines: Iterator[str]) -> Iterator[str]:
    length = 0
    for line in islice(lines, FIRST_LINES):
        yield line
        length += len(line)
        if length > _FIRST_TEXT:
            return


def _layout(beginning: Sequence[str], delimiter: str, wanted: Set[str]) -> _Layout | None:
    """Read the first lines with a delimiter; return None if the header cannot be read so."""
    records = [*_records(beginning, delimiter)]
    if not records:
        return None
    at = header_at(records, wanted)
    if not all(record.cells for record in records[: at + 1]):
        return None
    header, below = records[at], records[at + 1 :]
    names = text_files.named_columns([*header.cells])
    width = len(names)
    alike = [record for record in below if len(record.cells) == len(header.cells)]
    fitting = [
        record for record in below if len(record.cells) > 1 and record.width <= len(header.cells)
    ]
    return _Layout(
        columns_found=len(wanted & {_name(name) for name in names}),
        is_a_table=width > 1,
        alike=len(alike) / (len(below) or 1),
        fitting=len(fitting) / (len(below) or 1),
        text_cells=-sum(name[:1].isspace() for name in names[1:]),
        begins_with_header=at == 0,
        columns=width,
        delimiter=delimiter,
        header=header.line - 1,
        has_row_names=bool(below)
        and width > 1
        and all(len(record.cells) == record.width == width + 1 for record in below),
    )


def _records(beginning: Sequence[str], delimiter: str) -> Iterator[Record]:
    """Yield the records of the first lines, without the empty ones and one that is cut off."""
    reader = csv.reader(beginning, delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error:
            if reader.line_num < len(beginning):
                yield Record(start + 1, [])
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Record(start + 1, cells)


def header_at(records: Sequence[Record], wanted: Set[str]) -> int:
    """Return the number of records before the header.

    It is the record with the most of the wanted columns; else the first one that is no title and no
    remark, if it has the cells of the rows below and looks like names.
    """
    if wanted:
        found = [len(wanted & {_name(cell) for cell in record.cells}) for record in records]
        if max(found) * 2 >= len(wanted):
            return found.index(max(found))
    widths = Counter(record.width for record in records if record.width > 1)
    if not widths:
        return 0  # in a single column no title can be told from the header
    width = max(widths, key=lambda each: (widths[each], each))
    for at, record in enumerate(records):
        if not _is_before_a_header(record, width):
            return at if not at or _is_of_names(record) else 0
    return 0


def _is_before_a_header(record: Record, width: int) -> bool:
    """Tell whether a record is a title or a remark above a table of so many columns."""
    if not record.cells:
        return False
    if record.cells[0].startswith("# "):
        return record.width != width
    filled = sum(bool(cell.strip()) for cell in record.cells)
    if filled != record.width:
        return False
    return filled * 2 < width or (width == 2 and len(record.cells) == 1)


def _is_of_names(record: Record) -> bool:
    values = [cell for cell in record.cells if _VALUE.fullmatch(cell.strip())]
    return all(_YEAR.fullmatch(cell.strip()) for cell in values)


def csv_rows(
    lines: Iterator[str],
    delimiter: str,
    first: int = 1,
    *,
    wanted: Set[str] = frozenset(),
    has_row_names: bool = False,
) -> Iterator[Row | Unreadable]:
    """Yield the rows of a CSV file, with the names of its header, which begins on line `first`.

    A table with row names has no name for its first column.

    Cells that a row lacks at its end are empty; a row of one cell in a table of three columns or
    more is cut off, or a remark, and unreadable. Raises InvalidInput for a header that lacks a
    wanted column or has it twice, and for a row that is too long.
    """
    line = start = first
    held = 0  # characters of the row so far, which may go over many lines

    def counted() -> Iterator[str]:
        nonlocal held
        for text in lines:
            held += len(text)
            text_files.check_length(held, start)
            yield text

    reader = csv.reader(counted(), delimiter=delimiter, strict=True)
    header: TableHeader | None = None
    columns: list[str] = []
    width = -1
    while True:
        start, held = line, 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            line = reader.line_num + first
            yield Unreadable(start, "", _of_quotes(str(error), line - start))
            continue
        line = reader.line_num + first
        if cells is None:
            return
        if not (cells and cells[0].strip()) and not any(cell.strip() for cell in cells):
            continue
        if len(cells) == width:  # most rows: the case that has to be fast
            yield Row(start, dict(zip(columns, cells, strict=True)), True)
        elif header:
            yield header.row(start, cells)
        else:
            mark = "tabs" if delimiter == "\t" else f'"{delimiter}"'
            names = ["", *cells] if has_row_names else cells
            header = TableHeader(
                names, start, wanted, f"which was read with {mark} between columns"
            )
            columns, width = header.columns, len(header.columns)


def _of_quotes(error: str, lines: int) -> str:
    """Say what to write where the quotation marks of a row, which took so many lines, are wrong."""
    taken = f", and took {lines} lines" if lines > 1 else ""
    return (
        f"cannot be read as CSV{taken} ({error}): close each quotation mark that opens a cell,"
        ' and double one inside a cell, as in "The ""big"" bridge"'
    )


class TableHeader:
    """Names the cells of the rows of a table."""

    def __init__(self, cells: Sequence[str], line: int, wanted: Set[str], read_so: str) -> None:
        """Read the names of columns; `read_so` says how, for the error about those that it lacks.

        Raises InvalidInput for a header that lacks a wanted column or has it twice.
        """
        self.columns, self._spare = named(cells, line, wanted)
        if lacking := [name for name in sorted(wanted) if name not in self.columns]:
            raise _lacks(lacking, self.columns, read_so).at(line=line)

    def row(self, line: int, cells: list[str]) -> Row | Unreadable:
        """Return the row that begins on a line and has these cells."""
        columns, spare = self.columns, self._spare
        if len(cells) == 1 < len(columns) - 1 or any(cells[len(columns) + len(spare) :]):
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            return Unreadable(line, "", f"has {count} where the header has {len(columns)}")
        if len(cells) < len(columns):
            cells += [""] * (len(columns) - len(cells))
        row = dict(zip(columns, cells, strict=False))
        if len(cells) > len(columns):
            others = zip(spare, cells[len(columns) :], strict=False)
            row |= {name: cell for name, cell in others if cell}
        return Row(line, row, is_of_a_table=True)


def skipped_note(place: str, number: int, title: str) -> FileNote:
    """Return the note on what stands before a header; `place` is a line or a row."""
    return FileNote(
        f"the header is {place} {number}: what stands before it was skipped: {hints.quoted(title)}"
    )


def named(
    header: Sequence[str], line: int, wanted: Set[str] = frozenset()
) -> tuple[list[str], list[str]]:
    """Return the names of the columns of a header, each once, and those of empty ones at its end.

    The third column is "column 3" if it has no name, and the second "comment" is "comment 2".
    Raises InvalidInput for a wanted name that stands twice, unless its second name is wanted too.
    """
    given = [_name(cell) for cell in header]
    counts = Counter(given)
    taken = {*given}
    seen: set[str] = set()
    columns = []
    for number, name in enumerate(given, 1):
        if not name or name in seen:
            if name in wanted and f"{name} 2" not in wanted:
                problem = f"stands {_times(counts[name])} in the header: rename one of them"
                raise InvalidInput(name, problem).at(line=line)
            base, number = (name, 2) if name else ("column", number)
            while (name := f"{base} {number}") in taken:
                number += 1
            taken.add(name)
        seen.add(name)
        columns.append(name)
    width = len(text_files.named_columns(given))
    return columns[:width], columns[width:]


def _name(cell: str) -> str:
    """Return the text of a cell as the name of a column, on one line."""
    cell = cell.strip()
    if not cell.isprintable():
        cell = " ".join("".join(c if c.isprintable() else " " for c in cell).split())
    return cell


def _lacks(lacking: Sequence[str], columns: Sequence[str], read_so: str) -> InvalidInput:
    """Return the error about columns that a header lacks, with the names that it has."""
    near = {name: hints.nearest(name, columns) for name in lacking}
    meant = ", ".join(f"{hint} for {name}" for name, hint in near.items() if hint)
    if len(lacking) == 1:
        meant = near[lacking[0]] or ""
    problem = (
        f"no such column{'s' if len(lacking) > 1 else ''} in the header, {read_so}:"
        f" {hints.first_of([hints.quoted(name) for name in columns], _MOST_NAMES)}"
    )
    return InvalidInput(
        hints.printable(hints.first_of(lacking, _MOST_NAMES)),
        f"{problem}; did you mean {meant}?" if meant else problem,
    )


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
