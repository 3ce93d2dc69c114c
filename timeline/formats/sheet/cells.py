"""The CSV contract: its columns, its rows and cells, and functions that write them.

Guarantees: a cell that is written is read back equal. A text that a spreadsheet would run as a
formula is written with an apostrophe before it, which is removed when the text is read. A refusal
names the line and the cell.

Knows texts, not events (`formats.sheet.events` does), and no database.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from timeline.errors import InvalidCell, InvalidInput
from timeline.formats.coded import REPEATS
from timeline.model import field_paths, hints
from timeline.model.content import Event

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


class SheetRow(NamedTuple):
    """A row of a sheet, which holds its cells by column.

    `line` is the line of the file on which it begins, `number` its row in a spreadsheet. Both
    count from 1. `letters` are those of its columns in a spreadsheet; by default the cells stand
    in the order of the columns.
    """

    line: int
    number: int
    cells: SheetCells
    letters: Mapping[str, str] = MappingProxyType({})

    def invalid(self, column: str, problem: str) -> InvalidInput:
        """Return the error about a cell of this row, or about the row if it has no such cell."""
        found = self.letters or {name: letters(place) for place, name in enumerate(self.cells)}
        if column not in found:
            return InvalidInput(column, problem).at(line=self.line)
        return InvalidCell(column, problem, f"{found[column]}{self.number}").at(line=self.line)


def check_column(name: str) -> None:
    """Raise InvalidInput for a name that is neither a column of an export nor a field path."""
    if name in COLUMNS or name in REPEATS or name in MEDIA:
        return
    for column, path in PATHS.items():
        if name == path:
            raise InvalidInput(name, held_by(column))
    if not name or field_paths.steps(name)[0] not in Event.model_fields:
        near = hints.nearest(name, (*COLUMNS, *MEDIA, *Event.model_fields)) if name else None
        known = f"known are {', '.join(COLUMNS)}, and field paths such as place.admin1"
        raise InvalidInput(name, f"is not a column: {f'did you mean {near}?' if near else known}")


def clean(cell: str) -> str:
    """Strip a cell of blanks at its ends, and make each of its line ends a line feed."""
    return cell.strip(BLANKS).replace("\r\n", "\n").replace("\r", "\n")


def held_by(column: str) -> str:
    """Say that one of our columns holds what another name means."""
    return f"is what the column {column} holds: write {column}"


def read_cell(cell: str) -> str:
    """Return a cell as it was before it was written: clean, without the apostrophe of `write`."""
    text = clean(cell)
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def letters(index: int) -> str:
    """Return what spreadsheets call the column with this index from 0: A to Z, AA, AB ..."""
    found = ""
    while index >= 0:
        found = chr(ord("A") + index % 26) + found
        index = index // 26 - 1
    return found


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
