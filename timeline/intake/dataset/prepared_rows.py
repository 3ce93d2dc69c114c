"""Let another process prepare the new rows of a file ahead of the appends that record them.

Guarantees: what is prepared is the statement that `Steps` makes of the row if nothing of it is
refused. A row that is not prepared, or whose cells cannot be read, takes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from timeline.errors import TimelineError
from timeline.formats.imports import Format, Reading
from timeline.intake.dataset.bad_cells import BadCells
from timeline.intake.dataset.outcome import Import
from timeline.intake.dataset.row_changes import filled
from timeline.intake.dataset.staging import NewRow, StagedRow, Staging
from timeline.writing.prepared import Prepared
from timeline.writing.statement_chunks import Held, pickled, prepared_chunks
from timeline.writing.writer import Append


class PreparedRow(NamedTuple):
    """Holds what a row says, and what its event becomes."""

    reading: Reading
    event: Prepared


def ids_of(row: StagedRow | NewRow, form: Format) -> dict[str, Any]:
    """Return the fields of an event by which its row is found again, and that keep the row."""
    extra = {form.scheme: filled(row.cells)}
    return {"event_id": row.event_id, "external_ids": [row.external_id], "extra": extra}


class PreparedRows:
    """Prepares the rows of one file that the log does not have, in their order."""

    def __init__(
        self,
        staging: Staging,
        form: Format,
        cells: BadCells,
        wanted: Import,
        append: Append,
        after: int,
    ) -> None:
        """Prepare the rows after number `after` for appends to the log of this one."""
        self._form = form
        self._cells = cells
        self._said = wanted.said
        self._setting = append.setting(wanted.said)
        self._chunks = prepared_chunks(self._statements(staging.new_rows(after)), self._setting)
        self._rows = chain.from_iterable(self._chunks)
        self._next = next(self._rows, None)

    def of(self, append: Append, row: StagedRow) -> PreparedRow | None:
        """Return what was prepared of a row; None if it takes the ordinary way.

        Rows are asked for in their order. After the log has got other words, none is prepared.
        """
        while self._next and self._next.key[0] < row.number:
            self._next = next(self._rows, None)
        held = self._next
        if held is None or held.key[0] != row.number or held.prepared is None:
            return None
        if append.setting(self._said) != self._setting:
            return None
        return PreparedRow(held.key[1], held.prepared)

    def close(self) -> None:
        """End the other process."""
        self._chunks.close()

    def _statements(self, rows: Iterator[NewRow]) -> Iterator[Held[tuple[int, Reading]]]:
        for row in rows:
            try:
                reading = self._cells.reading(row.cells)
                said = self._cells.said(row.cells, reading, ())
            except TimelineError:  # the ordinary way says what is wrong
                continue
            own = {} if said is self._said else said.content()
            statement = pickled({**own, **reading.fields, **ids_of(row, self._form)})
            if statement:
                yield Held((row.number, reading), statement)
