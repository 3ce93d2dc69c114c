"""Read all rows of a sheet by its mapping before one is recorded, and tell every problem at once.

Guarantees: a row with a cell that a person should mend is bad as a whole, and every such cell is
told with its address, what it says and what it could be. Nothing is written.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from timeline.errors import InvalidCell, InvalidInput
from timeline.formats.guessing.contents import MOST_ROWS, is_date
from timeline.formats.importers.workbooks import is_workbook
from timeline.formats.imports import Cells, FileNote, Format, LeftOut, Row, Unreadable
from timeline.formats.mapped.cells import plain_name
from timeline.formats.sheet.cells import SheetRow
from timeline.intake.any_sheet.first_look import from_start
from timeline.model.content import Statement
from timeline.model.validation import problems

_MOST_KEPT = 1_000
"""Problems that are kept to be shown, at most; the sheet of bad rows has all of them."""
_TIME = re.compile(r"T[0-9:]+(Z|[+-][0-9:]+|)")
"""Finds the offset, or the lack of one, behind a time in EDTF."""
_NUMBERS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


class CellProblem(NamedTuple):
    """Says what is wrong with one cell, or with a row as a whole."""

    row: int
    """The row as a spreadsheet counts it."""
    cell: str
    """The address of the cell, such as B7; "" for a row as a whole."""
    column: str
    text: str
    """What the cell says."""
    problem: str
    """What is wrong, and what it could be."""


@dataclass
class Survey:
    """Says what all rows of a sheet are."""

    rows: int = 0
    is_bad: bytearray = field(default_factory=bytearray)
    """1 for each row that is bad, 0 for any other, in the order of the file."""
    refused: dict[int, str] = field(default_factory=dict)
    """Why the log refused a row that could be read, by the number of the row from 0."""
    problems: list[CellProblem] = field(default_factory=list)
    """The first problems."""
    more_problems: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    """The number of bad rows by the column that is wrong."""
    notes: list[str] = field(default_factory=list)
    """Notes on how the file was read."""
    cell_notes: dict[str, None] = field(default_factory=dict)
    """Notes on cells that were read as more than they say, each once."""
    offsets: Counter[str] = field(default_factory=Counter)
    """The number of times of day by their offset from UTC; "" for those without one."""

    @property
    def bad(self) -> int:
        """Return the number of rows that cannot be read."""
        return sum(self.is_bad)

    @property
    def good(self) -> int:
        """Return the number of rows that can be read."""
        return self.rows - self.bad

    def refuse(self, rejects: Iterable[tuple[int, str]]) -> None:
        """Put rows among the bad ones that the log refused.

        Each has its number, counted from 1 among the rows that could be read, and the reason.
        """
        reasons = dict(rejects)
        if not reasons:
            return
        good = 0
        for number, bad in enumerate(bytes(self.is_bad)):
            good += not bad
            if not bad and good in reasons:
                self.is_bad[number] = 1
                self.refused[number] = reasons[good]


Check = Callable[[Statement], None]
"""Checks what only a log knows, such as its event types. Raises InvalidInput."""


def survey(
    form: Format,
    file: IO[bytes],
    check: Check = lambda statement: None,
    notes: Callable[[Cells], Iterable[str]] = lambda cells: (),
    tell: Callable[[Statement], object] = lambda statement: None,
    progress: Callable[[int], object] = lambda count: None,
) -> Survey:
    """Read all rows of a file; `tell` is called with the event of each row that can be read.

    Raises InvalidInput for a file that is not what the format is for.
    """
    found = Survey()
    for placed in _placed(form, file, found.notes):
        found.rows += 1
        progress(found.rows)
        statement, wrong = _read(form, placed, check)
        found.is_bad.append(bool(wrong))
        if placed.cells is not None and found.rows <= MOST_ROWS:
            found.cell_notes |= dict.fromkeys(notes(placed.cells))
        if wrong:
            found.failing.update({each.column for each in wrong})
            room = max(_MOST_KEPT - len(found.problems), 0)
            found.problems += wrong[:room]
            found.more_problems += len(wrong[room:])
        elif statement is not None:
            found.offsets.update(_TIME.findall(statement.occurred))
            tell(statement)
    return found


def bad_rows(
    form: Format, file: IO[bytes], found: Survey, check: Check
) -> Iterator[tuple[Cells, str]]:
    """Yield the cells of each bad row, and what is wrong with them."""
    for number, placed in enumerate(_placed(form, file, [])):
        if found.is_bad[number]:
            said = found.refused.get(number) or "; ".join(
                f"{each.column}: {each.problem}" if each.column else each.problem
                for each in _read(form, placed, check)[1]
            )
            if placed.cells is None:
                said = f"row {placed.row} of the sheet {said}: mend it there"
            yield placed.cells or {}, said


class _Placed(NamedTuple):
    """Holds a row with its place in the spreadsheet."""

    row: int
    line: int
    cells: Cells | None
    problems: tuple[CellProblem, ...] = ()


def _placed(form: Format, file: IO[bytes], notes: list[str]) -> Iterator[_Placed]:
    """Yield the rows of a file with the number that a spreadsheet shows beside each.

    Cells with several lines take more lines of a text than rows of a spreadsheet.
    """
    file.seek(0)
    is_text = not is_workbook(file.read(8))
    surplus = 0
    for row in form.read(from_start(file)):
        if isinstance(row, FileNote):
            notes.append(row.text)
        elif isinstance(row, Unreadable):
            place = row.line - surplus
            problem = CellProblem(place, "", row.field, "", row.reason)
            yield _Placed(place, row.line, None, (problem,))
        else:
            yield _Placed(row.line - surplus, row.line, row.cells)
            if is_text:
                surplus += sum(cell.count("\n") for cell in row.cells.values())


def _read(
    form: Format, placed: _Placed, check: Check
) -> tuple[Statement | None, list[CellProblem]]:
    """Return the event of a row, and what is wrong with it."""
    if placed.cells is None:
        return None, [*placed.problems]
    cells = placed.cells
    wrong: list[tuple[str, str]] = []
    statement = None
    try:
        own = "_".join(form.identify(cells).split())
        reading = form.reading(cells)
    except InvalidInput as error:
        wrong.append((form.column_of(error.field), error.problem))
        rest = {**cells, error.field: "2000"} if error.field in cells else cells
        wrong += [(each.column, each.problem) for each in _left_out(form, rest)]
    else:
        wrong += [(each.column, each.problem) for each in reading.left_out]
        statement, refused = problems(Statement, reading.fields)
        wrong += [(form.column_of(each.path), each.text) for each in refused]
        if statement is not None:
            ids = (f"{form.scheme}:{own}",)
            statement = statement.model_copy(update={"external_ids": ids})
            try:
                check(statement)
            except InvalidInput as error:
                wrong.append((form.column_of(error.field), error.problem))
    return statement, [
        _problem(form, placed, column, problem) for column, problem in dict(wrong).items()
    ]


def _left_out(form: Format, cells: Cells) -> tuple[LeftOut, ...]:
    """Return the other cells of a row that cannot be read."""
    try:
        return form.reading(cells).left_out
    except InvalidInput:
        return ()


def _problem(form: Format, placed: _Placed, column: str, problem: str) -> CellProblem:
    cells = placed.cells or {}
    error = SheetRow(placed.line, placed.row, cells).invalid(column, problem)
    address = error.cell if isinstance(error, InvalidCell) else ""
    hint = _hint(form, cells, column, problem) if column in cells else ""
    return CellProblem(placed.row, address, column, cells.get(column, ""), problem + hint)


def _hint(form: Format, cells: Cells, column: str, problem: str) -> str:
    """Say what a cell could be: the date that another cell says, or two figures beside each other.

    Returns "" if nothing is known.
    """
    if column == form.column_of("occurred"):
        for other, cell in cells.items():
            if other != column and re.search("[0-9]{4}", cell) and is_date(cell.strip()):
                return f'; {other} says "{cell.strip()}"'
    elif "figure" in problem and len(both := _NUMBERS.findall(cells[column])) == 2:
        return f'; for two figures side by side write "{both[0]}; {both[1]}", or a row for each'
    return ""


def only_good(form: Format, found: Survey, columns: Set[str]) -> Format:
    """Return the format without the bad rows, and without any other columns than these."""

    def read(file: IO[bytes]) -> Generator[Row | Unreadable, None, None]:
        number = -1
        for row in form.read(from_start(file)):
            if isinstance(row, FileNote):  # the survey has told it
                continue
            number += 1
            if found.is_bad[number]:
                continue
            if isinstance(row, Row):
                for column in [*row.cells]:
                    if column not in columns and plain_name(column) not in columns:
                        del row.cells[column]
            yield row

    return dataclasses.replace(form, read=read)
