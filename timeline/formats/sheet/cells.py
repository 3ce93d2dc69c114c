"""Functions that read and write sheets by the CSV contract, as rows and cells.

Guarantees: a cell that is written is read back equal. The habits of Excel do no harm: byte order
mark, UTF-16, semicolons, `sep=;`, line breaks in cells, empty columns and rows at the end. A text
that a spreadsheet would run as a formula is written with an apostrophe before it, which is removed
when the text is read. A refusal names the line and the cell.

Knows texts, not events (`formats.sheet.events` does), and no database.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from timeline.errors import InvalidCell, InvalidInput
from timeline.formats.coded import REPEATS
from timeline.formats.sheet.problems import Problems
from timeline.model import field_paths, hints, text_files
from timeline.model.content import Event
from timeline.model.invisible import without

PATHS = {
    "id": "event_id",
    "title": "title",
    "occurred": "occurred",
    "type": "event_type",
    "place": "place.name",
    "country": "place.country",
    "lat": "place.lat",
    "lon": "place.lon",
    "actors": "participants",
    "tags": "tags",
    "killed": "quantities",
    "injured": "quantities",
    "source_url": "citations",
    "source_title": "citations",
    "reported_at": "reported_at",
    "summary": "summary",
    "reason": "reason",
}
"""The field of an event that each of our columns is about, by the name of the column."""

COLUMNS = tuple(PATHS)
"""Our columns; others are named by a field path: ``place.admin1``, ``verification``."""

MEDIA = ("media_url", "media_alt", "media_credit")
"""The columns about media: a sheet may have them, and an export writes them if it is asked to."""

SheetCells = dict[str, str]
"""The text of each column, stripped of blanks at its ends; its lines end in a line feed."""

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""White space by the rules of Unicode and the model; Python adds four control characters."""

_FORMULA = re.compile(r"'*[=+@-]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?[0-9]{1,3},[0-9]+", re.ASCII)


class SheetRow(NamedTuple):
    """A row of a sheet, which holds its cells by column.

    `line` is the line of the file on which it begins, `number` its row in a spreadsheet. Both
    count from 1.
    """

    line: int
    number: int
    cells: SheetCells

    def invalid(self, column: str, problem: str) -> InvalidInput:
        """Return the error about a cell of this row, or about the row if it has no such cell."""
        if column not in self.cells:
            return InvalidInput(column, problem).at(line=self.line)
        address = f"{_letters([*self.cells].index(column))}{self.number}"
        return InvalidCell(column, problem, address).at(line=self.line)


def read(content: bytes, delimiter: str | None = None) -> Iterator[SheetRow]:
    """Yield the rows of a sheet that are not empty.

    Without a delimiter, the header decides which one is used. Raises InvalidInput if the content
    is no sheet of the CSV contract and, after the last row, if rows have more cells than the header
    (InvalidSheet if several have).
    """
    text = _decoded(content)
    lines = io.StringIO(text, newline="")
    hint = re.match(r"sep=(.)[\r\n]+", text)
    skipped = 0
    if hint:
        lines.seek(hint.end())
        delimiter, skipped = delimiter or hint[1], 1
    header = re.split(r"[\r\n]", text[lines.tell() :].lstrip(), maxsplit=1)[0]
    delimiter = delimiter or text_files.delimiter_of(header)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    problems = Problems()
    columns: list[str] = []
    start = 1 + skipped
    try:
        for number, cells in enumerate(reader, 1 + skipped):
            line, start = start, reader.line_num + 1 + skipped
            if not any(cell.strip(BLANKS) for cell in cells):
                continue
            if not columns:
                columns = _columns(line, cells)
                continue
            with problems.gathered():
                _check_length(line, columns, cells)
            yield _row(line, number, columns, cells, decimal_comma=delimiter != ",")
    except csv.Error as error:
        raise InvalidInput("", f"cannot be read as CSV: {error}").at(line=start) from None
    if not columns:
        raise InvalidInput("", "is empty: `timeline template` prints a header")
    problems.check()


def _decoded(content: bytes) -> str:
    advice = 'in Excel, save as "CSV UTF-8"'
    text = text_files.decoded(content, advice, encoding=text_files.encoding_of(content))
    if re.match(r"\s*<", text):
        raise InvalidInput("", "is a web page, not a sheet: publish the sheet as CSV").at(line=1)
    return text


def _columns(line: int, header: Sequence[str]) -> list[str]:
    """Return the names of the columns in a header; upper case does not matter in ours.

    Raises InvalidInput.
    """
    names = text_files.named_columns([without(name).strip(BLANKS) for name in header])
    folded = ["_".join(name.lower().split()) for name in names]
    ours = (*COLUMNS, *REPEATS, *MEDIA, "highlight")
    columns = [known if known in ours else name for name, known in zip(names, folded, strict=True)]
    for number, name in enumerate(names):
        column = columns[number]
        try:
            check_column(column)
            if column in columns[:number]:
                raise InvalidInput(name, "stands twice in the header")
            if REPEATS.get(column, column) not in columns:
                raise _held(name, REPEATS[column])
        except InvalidInput as error:
            raise InvalidCell(name, error.problem, f"{_letters(number)}{line}").at(
                line=line
            ) from None
    for first, *others in (("source_url", "source_title"), MEDIA):
        for name in others if first not in columns else ():
            if name in columns:
                raise InvalidInput(name, f"needs the column {first} beside it").at(line=line)
    if "media_url" in columns:
        for name in columns:
            if field_paths.steps(name)[0] == "media":
                raise _held(name, "media_url").at(line=line)
    return columns


def check_column(name: str) -> None:
    """Raise InvalidInput for a name that is neither a column of an export nor a field path."""
    if name in COLUMNS or name in REPEATS or name in MEDIA:
        return
    for column, path in PATHS.items():
        if name == path:
            raise _held(name, column)
    if not name or field_paths.steps(name)[0] not in Event.model_fields:
        near = hints.nearest(name, (*COLUMNS, *MEDIA, *Event.model_fields)) if name else None
        known = f"known are {', '.join(COLUMNS)}, and field paths such as place.admin1"
        raise InvalidInput(name, f"is not a column: {f'did you mean {near}?' if near else known}")


def _check_length(line: int, columns: Sequence[str], cells: Sequence[str]) -> None:
    """Raise InvalidInput if a row has more cells than the header has columns."""
    surplus = next((cell for cell in cells[len(columns) :] if cell.strip(BLANKS)), None)
    if surplus is not None:
        problem = f"has more cells than the header: {hints.quoted(surplus)}"
        raise InvalidInput("", problem).at(line=line)


def _held(name: str, column: str) -> InvalidInput:
    return InvalidInput(name, f"is what the column {column} holds: write {column}")


def _row(
    line: int, number: int, columns: Sequence[str], cells: Sequence[str], *, decimal_comma: bool
) -> SheetRow:
    named = dict.fromkeys(columns, "")
    named.update(zip(columns, map(_without_apostrophe, cells), strict=False))
    for name in ("lat", "lon") if decimal_comma else ():
        if _DECIMAL_COMMA.fullmatch(named.get(name, "")):
            named[name] = named[name].replace(",", ".")
    return SheetRow(line, number, named)


def clean(cell: str) -> str:
    """Strip a cell of blanks at its ends, and make each of its line ends a line feed."""
    return cell.strip(BLANKS).replace("\r\n", "\n").replace("\r", "\n")


def _without_apostrophe(cell: str) -> str:
    text = clean(cell)
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _letters(index: int) -> str:
    """Return what spreadsheets call the column with this index from 0: A to Z, AA, AB ..."""
    letters = ""
    while index >= 0:
        letters = chr(ord("A") + index % 26) + letters
        index = index // 26 - 1
    return letters


def write(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Yield the lines of a CSV file, header first, each with its CRLF (RFC 4180)."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    yield line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([_harmless(row.get(column, "")) for column in columns])
        yield line.getvalue()


def _harmless(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would take for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


# --- Several in one cell ------------------------------------------------------------------


def several(cell: str) -> list[str]:
    """Split a cell into its items, separated by ``;``; ``\\;`` is a semicolon within an item."""
    items = [""]
    for part in re.findall(r"\\[\\;]|;|\\|[^\\;]+", cell):
        if part == ";":
            items.append("")
        else:
            items[-1] += part.removeprefix("\\") if len(part) == 2 else part
    return [item.strip(BLANKS) for item in items]


def joined(items: Iterable[str]) -> str:
    """Join items into a cell, separated by ``; ``: `several` undone."""
    texts = [re.sub(r"([\\;])", r"\\\1", item) for item in items]
    return "; ".join(texts).strip(BLANKS) if any(texts) else ""
