"""The format of any CSV or JSON file, for which a mapping says which column fills which field.

Guarantees: all columns that the mapping reads and that no row has are refused together, each with
the nearest one. Knows nothing of the log.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import IO

from timeline.errors import InvalidInput
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Unreadable
from timeline.formats.mapped.cells import in_brackets, plain_name
from timeline.formats.mapped.events import Events
from timeline.formats.mapped.mapping import Mapping, read_mapping
from timeline.formats.mapped.order import YearsInOrder
from timeline.formats.mapped.rules import REQUIRED
from timeline.model import hints

_LONGEST_CELL = 10_000
"""Characters of a cell that a pattern is tried on; a longer one has no groups."""


def importer(mapping: Path | None) -> Format:
    """Return the format that a mapping file describes.

    Raises InvalidInput, naming what is wrong.
    """
    if mapping is None:
        raise InvalidInput("map", "is required: the file that says which column is which field")
    return importer_of(read_mapping(mapping))


def importer_of(mapping: Mapping) -> Format:
    """Return the format that a mapping describes."""
    events = Events(mapping)
    with_groups = functools.partial(_with_groups, mapping) if mapping.patterns else _as_they_are
    return Format(
        scheme=mapping.scheme,
        read=lambda file: _checked_rows(mapping, file),
        identify=lambda cells: _identify(mapping, with_groups(cells)),
        event=lambda cells: events.reading(with_groups(cells)),
        tally=lambda cells: events.tally(with_groups(cells)),
        identifying=frozenset(mapping.identifying),
        spellings=mapping.spellings,
        source=mapping.source,
        column_of=mapping.column_of,
        identity_is_said=not any(
            rule.path in REQUIRED and rule.text is None and {*rule.columns} & {*mapping.identifying}
            for rule in mapping.rules
        ),
    )


def _as_they_are(cells: Cells) -> Cells:
    return cells


def _with_groups(mapping: Mapping, cells: Cells) -> Cells:
    """Return the cells of a row, and those that the patterns of the mapping find in them."""
    found = {**cells}
    for column, pattern in mapping.patterns.items():
        text = cells.get(column, "").strip()
        match = pattern.search(text) if text and len(text) <= _LONGEST_CELL else None
        for group in mapping.groups(column):
            found[f"{column}.{group}"] = ((match[group] or "") if match else "").strip()
    return found


# --- Rows ---------------------------------------------------------------------------------


def _checked_rows(
    mapping: Mapping, file: IO[bytes]
) -> Generator[Row | Unreadable | FileNote, None, None]:
    """Yield the rows of a file that are wanted, without the columns that are not kept.

    Raises InvalidInput if a mapped column is in no row: of a table at its first row, of JSON behind
    the last one. JSON may leave out what is empty, so there a column that is needed must lack, or
    one that is like another.
    """
    lacking = {*mapping.columns}
    seen: dict[str, None] = {}
    years = YearsInOrder.of(mapping)
    form = FileForm(
        mapping.delimiter, mapping.encoding, mapping.list_path, frozenset(mapping.columns)
    )
    count = 0
    with contextlib.closing(rows(file, form)) as found:
        for row in found:
            if not isinstance(row, Row):
                yield row
                continue
            count += 1
            if lacking:
                names = {name for cell in row.cells for name in (cell, plain_name(cell))}
                lacking -= names
                seen |= dict.fromkeys(names)
                if lacking and (row.is_of_a_table or lacking == {*mapping.columns}):
                    raise _lacking(mapping, lacking, seen)
            if row.is_of_a_table:
                _check_lists(mapping, row.cells)
            if any(
                row.cells.get(name, "").strip() not in said for name, said in mapping.only.items()
            ):
                continue
            if years:
                years.add(row.cells)
            for column in mapping.left_out:
                row.cells.pop(column, None)
            yield row
    if lacking and count:
        free = {name: None for name in seen if name not in mapping.columns}
        if lacking & mapping.needed or any(hints.nearest(column, free) for column in lacking):
            raise _lacking(mapping, lacking, free)
        columns = ", ".join(sorted(lacking))
        fills = "what it fills stays" if len(lacking) == 1 else "what they fill stays"
        yield FileNote(f"no row has {columns}: {fills} empty")


def _lacking(mapping: Mapping, lacking: Iterable[str], seen: Iterable[str]) -> InvalidInput:
    """Return the refusal of columns that no row has, all at once."""
    columns = [column for column in mapping.columns if column in {*lacking}]
    seen = [name for name in seen if name not in mapping.columns] or [*seen]
    near = [hint for column in columns if (hint := hints.nearest(column, seen))]
    hint = f": did you mean {', '.join(near)}?" if near else ""
    if not near:
        known = [*dict.fromkeys(plain_name(name) for name in seen)]
        more = ", ..." if len(known) > 10 else ""
        hint = f": the columns are {', '.join(known[:10])}{more}"
    return InvalidInput("map", f"no row has {', '.join(columns)}{hint}")


def _check_lists(mapping: Mapping, cells: Cells) -> None:
    """Raise InvalidInput for a cell that fills a list, and is one text that nothing splits."""
    for rule in mapping.lists:
        text = cells.get(str(rule.column), "").strip()
        if text and text not in mapping.style.nothing and in_brackets(text) is None:
            problem = f"wants a list: add split to fields.{rule.path}, or write {rule.path}.0"
            raise InvalidInput(rule.path, problem)


def _identify(mapping: Mapping, cells: Cells) -> str:
    """Return the id of a row; of several columns some may be empty, but not all.

    Raises InvalidInput, naming the column.
    """
    parts = []
    for column in mapping.identifying:
        text = mapping.style.text(cells, column)
        if text and column in mapping.spellings:
            text = mapping.spellings[column].normal(text)
        parts.append(text)
    if not any(parts):
        raise InvalidInput(mapping.identifying[0], "is empty, and rows are told apart by it")
    return "-".join(parts)
