"""Read the rows of CSV and of tab-separated values, with the names of their header.

Guarantees: only one row is held in memory. A row that cannot be read is `Unreadable`, with its
line, and the rows after it are still read. Knows nothing of what columns mean.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from timeline.errors import InvalidInput
from timeline.formats.imports import Row, Unreadable
from timeline.model import text_files

csv.field_size_limit(text_files.LONGEST_LINE)


def csv_rows(
    lines: Iterator[str], delimiter: str, first: int = 1, *, wanted: Set[str] = frozenset()
) -> Iterator[Row | Unreadable]:
    """Yield the rows of a CSV file, with the names of its header, which begins on line `first`.

    Cells that a row lacks at its end are empty; a row of one cell in a table of three columns or
    more is cut off, or a remark, and unreadable. Raises InvalidInput for a header in which a wanted
    name stands twice, and for a row that is too long.
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
    columns: list[str] = []
    while True:
        start, held = line, 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            line = reader.line_num + first
            yield Unreadable(start, "", f"cannot be read as CSV: {error}")
            continue
        line = reader.line_num + first
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = named(cells, start, wanted)
        elif len(cells) == 1 < len(columns) - 1 or any(cells[len(columns) :]):
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            reason = f"has {count} where the header has {len(columns)}"
            yield Unreadable(start, "", reason)
        else:
            if len(cells) < len(columns):
                cells += [""] * (len(columns) - len(cells))
            yield Row(start, dict(zip(columns, cells, strict=False)), is_of_a_table=True)


def named(header: Sequence[str], line: int, wanted: Set[str] = frozenset()) -> list[str]:
    """Return the names of the columns of a header, each of them once.

    The third column is "column 3" if it has no name, and the second "comment" is "comment 2".
    Raises InvalidInput for a wanted name that stands twice, unless its second name is wanted too.
    """
    given = text_files.named_columns([" ".join(cell.split()) for cell in header])
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
    return columns


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
