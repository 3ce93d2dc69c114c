"""Read a sheet of the CSV contract: its rows, and the columns that are left out.

Guarantees: the habits of spreadsheets do no harm: byte order mark, UTF-16, semicolons, `sep=;`,
line breaks in cells, empty columns and rows at the end, columns without a name, columns that are
none of ours. All that is wrong with the header and the rows is raised at once, after the last row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.sheet import in_place
from timeline.formats.sheet.cells import BLANKS, SheetRow, letters, read_cell
from timeline.formats.sheet.header import Header, Meant
from timeline.formats.sheet.problems import Problems
from timeline.model import hints, text_files

_DECIMAL_COMMA = re.compile(r"-?[0-9]{1,3},[0-9]+", re.ASCII)


class TableLine(NamedTuple):
    """A row of a table; `line` and `number` are those of a SheetRow."""

    line: int
    number: int
    cells: Sequence[str]


class Sheet:
    """A sheet of the CSV contract, of which the rows can be read more than once.

    `content` is the text of a CSV file as bytes, or the lines of a table, the header first. Without
    a delimiter, the header decides which one is used.
    """

    def __init__(
        self,
        content: bytes | Sequence[TableLine],
        delimiter: str | None = None,
        *,
        meant: Meant | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        self.meant = meant or {}
        """What names of the header mean that would be refused or left out."""
        self._content = content
        self._delimiter = delimiter
        self._notes = notes
        self._left_out: dict[int, str] = {}

    def __iter__(self) -> Iterator[SheetRow]:
        """Yield the rows that are not empty.

        Raises InvalidInput if the content is no sheet of the CSV contract and, after the last row,
        if the header is wrong or rows have more cells than it (InvalidSheet for several problems).
        """
        header: Header | None = None
        problems = Problems()
        for each in self._lines():
            if header is None:
                header = Header(each.line, each.cells, self.meant)
                with problems.gathered():
                    header.problems.check()
                if not any(header.columns):
                    break
                row_of = _RowMaker(header, decimal_comma=self._delimiter not in (None, ","))
                continue
            with problems.gathered():
                row_of.note_left_out(each, self._left_out)
            yield row_of(each)
        if header is None:
            raise InvalidInput("", "is empty: `timeline template` prints a header")
        problems.check()

    @property
    def notes(self) -> list[str]:
        """Return notes on how the sheet was read, and on columns left out, once it was read."""
        if not self._left_out:
            return [*self._notes]
        names = dict.fromkeys(name for _, name in sorted(self._left_out.items()))
        columns = "columns" if len(names) > 1 else "column"
        return [
            *self._notes,
            f"{columns} {', '.join(names)} left out: `timeline template` prints"
            " those that are known",
        ]

    def slips(self) -> dict[str, str]:
        """Return the names in the header that look like slips, each with the column meant."""
        for each in self._lines():
            return Header(each.line, each.cells, self.meant).slips
        return {}

    def with_ids(self, ids: Mapping[int, str]) -> bytes:
        """Return the bytes of the sheet with an id in each row whose line is in `ids`.

        Raises InvalidInput if that would change anything else, or if the sheet is no CSV file.
        """
        if not isinstance(self._content, bytes):
            raise InvalidInput("", "is no CSV file: write the ids into it by hand")
        first = next(self._lines())
        columns = Header(first.line, first.cells, self.meant).columns
        column = columns.index("id") if "id" in columns else None
        written = in_place.with_ids(self._content, self._delimiter or ",", column, ids)
        wanted = [{**row.cells, "id": ids.get(row.line) or row.cells["id"]} for row in self]
        if [row.cells for row in Sheet(written, self._delimiter, meant=self.meant)] != wanted:
            raise InvalidInput("", "cannot be written as it is: write the ids into it by hand")
        return written

    def _lines(self) -> Iterator[TableLine]:
        """Yield the lines that are not empty, the header first."""
        if not isinstance(self._content, bytes):
            yield from self._content
            return
        text = _decoded(self._content)
        lines = io.StringIO(text, newline="")
        hint = re.match(r'"?sep=(.)"?(?:\r\n|\r|\n)', text)
        skipped = 0
        if hint:
            lines.seek(hint.end())
            self._delimiter, skipped = self._delimiter or hint[1], 1
        header = re.split(r"[\r\n]", text[lines.tell() :].lstrip(), maxsplit=1)[0]
        self._delimiter = self._delimiter or text_files.delimiter_of(header)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        start = 1 + skipped
        try:
            for number, cells in enumerate(reader, 1 + skipped):
                line, start = start, reader.line_num + 1 + skipped
                if any(cell.strip(BLANKS) for cell in cells):
                    yield TableLine(line, number, cells)
        except csv.Error as error:
            raise InvalidInput("", f"cannot be read as CSV: {error}").at(line=start) from None


def _decoded(content: bytes) -> str:
    advice = 'in Excel, save as "CSV UTF-8", or name its encoding, as in --encoding cp1252'
    text = text_files.decoded(content, advice, encoding=text_files.encoding_of(content))
    if re.match(r"\s*<", text):
        raise InvalidInput("", "is a web page, not a sheet: publish the sheet as CSV").at(line=1)
    return text


class _RowMaker:
    """Makes rows by the columns of a header."""

    def __init__(self, header: Header, *, decimal_comma: bool) -> None:
        self._header = header
        self._places = [(place, each) for place, each in enumerate(header.columns) if each]
        self._empty = {column: "" for _, column in self._places}
        self._letters = {column: letters(place) for place, column in self._places}
        self._numbers = [name for name in ("lat", "lon") if decimal_comma and name in self._empty]
        self._unread = [place for place, each in enumerate(header.columns) if not each]
        self._are_all_ours = not self._unread

    def __call__(self, given: TableLine) -> SheetRow:
        """Return the cells that are of the contract, as a row."""
        named = self._empty.copy()
        if self._are_all_ours:
            named.update(zip(self._empty, map(read_cell, given.cells), strict=False))
        else:
            count = len(given.cells)
            for place, column in self._places:
                if place < count:
                    named[column] = read_cell(given.cells[place])
        for name in self._numbers:
            if _DECIMAL_COMMA.fullmatch(named[name]):
                named[name] = named[name].replace(",", ".")
        return SheetRow(given.line, given.number, named, self._letters)

    def note_left_out(self, given: TableLine, names: dict[int, str]) -> None:
        """Add to `names` each column that is left out and holds something, by its place.

        Raises InvalidInput if a row has more cells than the header.
        """
        count = len(given.cells)
        filled = [n for n in self._unread if n < count and given.cells[n].strip(BLANKS)]
        for place in filled:
            names[place] = self._header.left_out(place)
            self._unread.remove(place)
        for cell in given.cells[len(self._header.columns) :]:
            if cell.strip(BLANKS):
                problem = f"has more cells than the header: {hints.quoted(cell)}"
                raise InvalidInput("", problem).at(line=given.line)
