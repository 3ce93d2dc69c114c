"""Read the rows of a sheet as statements for an append, and say all that is wrong with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from timeline.errors import AlreadyRecorded, InvalidInput, TimelineError
from timeline.formats.sheet import cells, events, source_titles
from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.lookup import lookup_of
from timeline.formats.sheet.problems import Problems, check_columns
from timeline.formats.sheet.reading import Sheet
from timeline.model.content import Said, Statement
from timeline.reading.former_dates import FormerDates
from timeline.writing.writer import Append


class SheetStatements:
    """Reads the statements of a sheet, with the names in a log."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        former: FormerDates,
        sheet: Sheet,
        *,
        are_spans: bool,
    ) -> None:
        self._former = former
        self._sheet = sheet
        self._lookup = lookup_of(connection, are_spans=are_spans)
        with Problems().gathered():  # they are raised again when the rows are read
            self._lookup = lookup_of(connection, sheet, are_spans=are_spans, is_news=False)
        self.notes = [*source_titles.notes(self._lookup), *sheet.notes]
        """Notes for a person on how the sheet was read."""

    def __iter__(self) -> Iterator[tuple[int, str, Statement]]:
        """Yield each statement after its line and the words of its date.

        Raises an error for the first row that is wrong; `refusal` says the others.
        """
        for row in self._sheet:
            check_columns(row)
            yield row.line, row.cells.get("occurred", ""), self._statement(row)

    def _statement(self, row: SheetRow) -> Statement:
        ids = cells.several(row.cells.get("external_ids", ""))
        words = row.cells.get("occurred", "")
        said = {"event_id": row.cells.get("id"), "external_ids": ids, "occurred": words}
        known = {"occurred": date} if (date := self._former.date_of(said)) else {}
        return events.statement(events.normal(row, self._lookup, known))

    def refusal(
        self, append: Append, said: Said, recorded: int, error: TimelineError
    ) -> TimelineError:
        """Return an error with all that is wrong from the row on that raised `error`.

        `recorded` counts the rows before it. The others are tried in `append`, which then has to
        be left by an error. Raises `error` if it is not about a row.
        """
        problems = Problems()
        with problems.gathered():
            raise error
        others = Problems()
        lines: dict[str, int] = {}
        make: Callable[[SheetRow], object] | None = None
        with others.gathered():
            for number, row in enumerate(self._sheet):
                if make is None:
                    make = partial(events.normal, lookup=self._lookup)
                    with others.gathered():
                        check_columns(row)
                        make = partial(self._record, append, said, lines)
                lines.setdefault(row.cells.get("id") or str(row.line), row.line)
                if number >= recorded:
                    others.made(row, make)
        return others.refusal() if others else problems.refusal()

    def _record(self, append: Append, said: Said, lines: Mapping[str, int], row: SheetRow) -> None:
        """Record the event of a row; `lines` has the line on which each id stands first."""
        try:
            append.record(self._statement(row), said)
        except AlreadyRecorded as error:
            first = lines[row.cells.get("id") or str(row.line)]
            if first == row.line:
                raise
            fields = ", ".join(error.fields[:6])
            problem = f"stands twice: lines {first} and {row.line}, with another {fields}"
            raise row.invalid("id", f'"{row.cells["id"]}" {problem}') from None
        except InvalidInput as error:
            raise (events.located(error, row) if error.line is None else error) from None
