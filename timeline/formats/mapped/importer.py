"""The format of any CSV or JSON file, for which a mapping says which column fills which field.

`mapping` says what a mapping can have. An object of a list, such as ``quantities.0``, is left out
if all of its columns are empty.

Knows nothing of the log.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import IO

from timeline.errors import InvalidInput
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Tally, Unreadable
from timeline.formats.mapped.events import reading
from timeline.formats.mapped.mapping import Mapping, read_mapping
from timeline.formats.mapped.rules import NUMBERS
from timeline.formats.spelling import number
from timeline.model import hints


def importer(mapping: Path | None) -> Format:
    """Return the format that a mapping file describes.

    Raises InvalidInput, naming what is wrong.
    """
    if mapping is None:
        raise InvalidInput("map", "is required: the file that says which column is which field")
    return importer_of(read_mapping(mapping))


def importer_of(mapping: Mapping) -> Format:
    """Return the format that a mapping describes."""
    return Format(
        scheme=mapping.scheme,
        read=lambda file: _checked_rows(mapping, file),
        identify=lambda cells: _identify(mapping, cells),
        event=lambda cells: reading(mapping, cells),
        tally=lambda cells: _tally(mapping, cells),
        identifying=frozenset(mapping.identifying),
        spellings=mapping.spellings,
        source=mapping.source,
        column_of=mapping.column_of,
    )


def _checked_rows(
    mapping: Mapping, file: IO[bytes]
) -> Generator[Row | Unreadable | FileNote, None, None]:
    """Yield the rows of a file, without the columns that are not kept.

    Raises InvalidInput if a mapped column is not in the header of a table, or if the first object
    of a JSON file has none of the mapped columns.
    """
    is_first = True
    form = FileForm(
        mapping.delimiter, mapping.encoding, mapping.list_path, frozenset(mapping.columns)
    )
    with contextlib.closing(rows(file, form)) as found:
        for row in found:
            if isinstance(row, Row):
                if is_first:
                    is_first = False
                    _check_columns(mapping, row)
                for column in mapping.left_out:
                    row.cells.pop(column, None)
            yield row


def _check_columns(mapping: Mapping, row: Row) -> None:
    lacking = [name for name in mapping.columns if name not in row.cells]
    # In JSON a column may be in some of the objects only.
    if lacking and (row.is_of_a_table or len(lacking) == len(mapping.columns)):
        near = hints.nearest(lacking[0], row.cells)
        hint = f": did you mean {near}?" if near else ""
        raise InvalidInput(lacking[0], f"is in the mapping, and no column of this{hint}")


def _identify(mapping: Mapping, cells: Cells) -> str:
    parts = []
    for column in mapping.identifying:
        text = cells.get(column, "").strip()
        if column in mapping.spellings:
            text = mapping.spellings[column].normal(text)
        if not text:
            raise InvalidInput(column, "is empty, and rows are told apart by it")
        parts.append(text)
    return "-".join(parts)


def _tally(mapping: Mapping, cells: Cells) -> Tally:
    figures: dict[tuple[str, str], Decimal] = {}
    country = when = ""
    measures = {
        rule.path.removesuffix(".measure"): rule.value
        for rule in mapping.rules
        if rule.path.startswith("quantities.") and rule.last_step == "measure"
    }
    for rule in mapping.rules:
        if rule.path == "place.country" and rule.column:
            country = cells.get(rule.column, "").strip()
        elif rule.path == "occurred" and rule.column:
            when = "a date" if cells.get(rule.column, "").strip() else ""
        elif rule.column and rule.path.startswith("quantities.") and rule.last_step in NUMBERS:
            measure = measures.get(rule.path.rpartition(".")[0])
            text = number(cells.get(rule.column, ""), decimal=mapping.decimal)
            if isinstance(measure, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
                key = measure.lower(), rule.last_step
                figures[key] = figures.get(key, Decimal(0)) + Decimal(text)
    return Tally(figures, country, when)
