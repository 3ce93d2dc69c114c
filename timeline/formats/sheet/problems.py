"""Find and gather what is wrong with a sheet, so that a person can mend all of it at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from timeline.errors import (
    AlreadyRecorded,
    Ambiguous,
    Conflict,
    InvalidInput,
    InvalidSheet,
    InvalidValue,
    NotFound,
    NothingChanged,
    Refused,
    TimelineError,
)
from timeline.formats.sheet.cells import SheetRow

T = TypeVar("T")

_OF_A_ROW = (
    AlreadyRecorded,
    Ambiguous,
    Conflict,
    InvalidInput,
    InvalidValue,
    NotFound,
    NothingChanged,
)
"""Errors that are about one row; others, such as a full disk, end the reading of the sheet."""


class Problems:
    """Gathers the errors of the cells and rows of a sheet."""

    def __init__(self) -> None:
        self._found: list[TimelineError] = []

    @contextlib.contextmanager
    def gathered(self, line: int | None = None) -> Iterator[None]:
        """Keep an error of the block that is about a row, and go on behind the block.

        It is about the row on this line, unless it says another one.
        """
        try:
            yield
        except InvalidSheet as error:
            self._found.extend(error.problems)
        except _OF_A_ROW as error:
            self._found.append(error.at(line=line))
        except Refused as error:
            if type(error) is not Refused:
                raise
            self._found.append(error.at(line=line))

    def made(self, row: SheetRow, make: Callable[[SheetRow], T]) -> T | None:
        """Return what `make` makes of a row; if it raises an error of a row, keep it.

        Then make it again without the cells that are wrong, for the other cells that are wrong.
        """
        before = len(self._found)
        with self.gathered(row.line):
            return make(row)
        wrong = {each.field for each in self._found[before:] if isinstance(each, InvalidInput)}
        if wrong := wrong & row.cells.keys() - {"id"}:
            others = Problems()
            rest = {column: cell for column, cell in row.cells.items() if column not in wrong}
            with others.gathered(row.line):
                make(row._replace(cells=rest))
            self._found += [
                each
                for each in others._found
                if isinstance(each, InvalidInput) and each.field not in wrong
            ]
        return None

    def __bool__(self) -> bool:
        """Return whether an error was gathered."""
        return bool(self._found)

    def check(self) -> None:
        """Raise the error that was gathered; InvalidSheet if there are several."""
        if self._found:
            raise self.refusal()

    def refusal(self) -> TimelineError:
        """Return the error that `check` raises."""
        return refusal(self._found)


def check_columns(row: SheetRow) -> None:
    """Raise InvalidInput if a sheet, of which this is a row, lacks columns of a new event."""
    problem = (
        "is no column of the sheet, and a new event needs it: name a column so, or read the sheet"
        " with `timeline import sheet`"
    )
    lacking = [name for name in ("title", "occurred") if name not in row.cells]
    if lacking:
        raise refusal(InvalidInput(name, problem) for name in lacking)


def refusal(errors: Iterable[TimelineError]) -> TimelineError:
    """Return the only error, or an InvalidSheet with several, by their lines."""
    found = sorted({str(each): each for each in errors}.values(), key=_line)
    return found[0] if len(found) == 1 else InvalidSheet([*map(_of_input, found)])


def _line(error: TimelineError) -> int:
    return error.line or 0


def _of_input(error: TimelineError) -> InvalidInput:
    """Return any error as one about an input."""
    if isinstance(error, InvalidInput):
        return error
    return InvalidInput("", str(error.args[0])).at(line=error.line)
