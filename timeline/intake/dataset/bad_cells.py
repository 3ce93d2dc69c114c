"""Read a row as an event without the cells that cannot be read, and count these cells.

Guarantees: a row whose cells can all be read is read once, and costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from timeline.errors import AlreadyRecorded, InvalidInput
from timeline.formats.imports import Cells, Format, LeftOut, Reading
from timeline.intake.dataset.healing import PARTS, RefusedPart, accepted, well_formed
from timeline.intake.dataset.left_out import RowPlace
from timeline.intake.dataset.outcome import DatasetOutcome, Import
from timeline.intake.dataset.row_changes import LONGEST_CELL
from timeline.intake.dataset.sources import cited_as_known
from timeline.intake.dataset.staging import LACKING, StagedRow, Staging
from timeline.model.content import Said, Statement
from timeline.writing.writer import Append

T = TypeVar("T")

_MOST_COLUMNS = 10
"""Columns that the reason of an entry names."""
_MOST_ADDRESSES = 10_000
"""Addresses of sources that are kept so that each is noted once."""


class BadCells:
    """Leaves bad cells out of the events of one import."""

    def __init__(
        self, staging: Staging, form: Format, wanted: Import, outcome: DatasetOutcome
    ) -> None:
        self._staging = staging
        self._form = form
        self._wanted = wanted
        self._outcome = outcome
        self._noted: set[str] = set()

    def reading(self, cells: Cells) -> Reading:
        """Return what a row says of its event; the day of the file replaces the row's own.

        Raises InvalidInput for what an event cannot do without or, if `strict`, for any bad cell.
        """
        reading = self._form.reading(cells)
        if self._wanted.said.reported_at:
            reading.fields.pop("reported_at", None)
        if reading.left_out and self._wanted.strict:
            raise InvalidInput(reading.left_out[0].column, reading.left_out[0].problem)
        return reading

    def healed(
        self,
        append: Append,
        row: StagedRow,
        fields: dict[str, Any],
        ids: dict[str, Any],
        attempt: Callable[[dict[str, Any], Sequence[RefusedPart]], T],
    ) -> tuple[T, dict[str, Any], list[RefusedPart]]:
        """Return what `attempt` makes of the fields, those that are left, and what was left out.

        Raises what `attempt` raises, with the column, for what an event cannot do without.
        """
        try:
            return attempt(fields, ()), fields, []
        except (InvalidInput, AlreadyRecorded) as error:
            if self._wanted.strict:
                if isinstance(error, InvalidInput):
                    raise self._named(error, row.cells) from None
                raise
        try:
            _, left, refusals = well_formed(Statement, {**fields, **ids})
            fields = {name: value for name, value in left.items() if name not in ids}
            fields = cited_as_known(append, fields, self._note_of_source(self._staging.place(row)))
            return accepted(fields, attempt, refusals)
        except InvalidInput as error:
            raise self._named(error, row.cells) from None

    def _note_of_source(self, place: str) -> Callable[[str, str], object]:
        """Return what notes, once per address, that a known source is cited."""

        def note(address: str, known: str) -> None:
            if address not in self._noted and len(self._noted) < _MOST_ADDRESSES:
                self._noted.add(address)
                self._outcome.note(
                    f"{place}: {address} is the address of {known}, which has another title"
                    " or publisher: it is cited as it is"
                )

        return note

    def said(self, cells: Cells, reading: Reading, refusals: Sequence[RefusedPart]) -> Said:
        """Return the words of an entry; its reason names the cells that the event lacks.

        By the reason, a later import finds the row again, and reads these cells anew.
        """
        columns = [cell.column for cell in self._lacking(cells, reading, refusals)]
        if not columns:
            return self._wanted.said
        reason = f"{LACKING}{', '.join([*dict.fromkeys(columns)][:_MOST_COLUMNS])}"
        return self._wanted.said.model_copy(update={"reason": reason})

    def leave_out(self, row: StagedRow, reading: Reading, refusals: Sequence[RefusedPart]) -> None:
        """Count the cells that the event of a row lacks, and keep the notes on the others."""
        place = RowPlace(row.number, row.line)
        for note in reading.notes:
            self._outcome.note(f"{self._staging.place(row)}: {note}")
        for cell in self._lacking(row.cells, reading, refusals):
            self._outcome.left_out.add(place, cell)
        for column, text in row.cells.items():
            if len(text) > LONGEST_CELL:
                problem = f"is longer than {LONGEST_CELL:,} characters, and was cut off in extra"
                self._outcome.left_out.add(place, LeftOut(column, problem, ""))

    def _lacking(
        self, cells: Cells, reading: Reading, refusals: Sequence[RefusedPart]
    ) -> Iterator[LeftOut]:
        """Yield the cells that the event of a row lacks."""
        yield from reading.left_out
        columns = {cell.column for cell in reading.left_out}
        for path, problem, value in refusals:
            if not columns.isdisjoint(self._form.column_of(f"{path}.{part}") for part in PARTS):
                continue  # it goes because a cell of it could not be read
            column = self._column(path, cells, value)
            if path.endswith(".unit") and value is None:
                problem = 'is a figure without a unit: a mapping can say unit = "EUR"'
            said = cells.get(column, value if isinstance(value, str) else "")
            yield LeftOut(column, problem, said.strip())

    def _named(self, error: InvalidInput, cells: Cells) -> InvalidInput:
        """Return the error with the column instead of the path of a field."""
        column = error.field if error.field in cells else self._column(error.field, cells)
        return InvalidInput(column, error.problem)

    def _column(self, path: str, cells: Cells, value: object = None) -> str:
        """Return the column that fills the field of a path, or else the path."""
        column = self._form.column_of(path)
        if column in cells or not isinstance(value, str) or not value.strip():
            return column
        alike = [name for name, cell in cells.items() if value.strip() in cell]
        return alike[0] if len(alike) == 1 else column
