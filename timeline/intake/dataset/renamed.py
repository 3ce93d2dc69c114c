"""Find the rows of a sheet whose title or date was changed, where these tell the rows apart.

Guarantees: a row is the same as an earlier one only if the earlier one is gone from the file, the
two differ in one filled cell and agree in two or more (or differ in two of five or more, and their
address or date is the same), and there is no second row, here or there, of which this is true. Each
row is compared with a bounded number of others. Only the rows that seem new and gone are held.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from timeline.formats.imports import Cells, Format
from timeline.formats.spelling import DATE
from timeline.intake.dataset.left_out import RowPlace
from timeline.intake.dataset.row_changes import compared, filled
from timeline.intake.dataset.staging import Reject, Staging

_MOST = 20_000
"""Rows that seem new, or gone, above which none are compared: the file is another one then."""
_COMMON = 50
"""Rows that share a cell, above which the cell says too little to find a row by."""
_MANY_CELLS = 5
"""Filled cells of which two may differ."""


class _Gone(NamedTuple):
    event_id: str
    external_id: str
    kept: Cells


def keep_renamed(staging: Staging) -> None:
    """Give each row that was only renamed the event of the row that it was.

    The row then stands under the external id that its event has, with its own as `new_id`.
    """
    connection, form = staging.connection, staging.form
    _settle_shared(staging)
    gone, standing = staging.count_gone()
    if not gone or gone > _MOST or gone * 2 > standing:
        return  # without half of its events, the file is another one, or a part
    new = connection.execute(
        "SELECT s.number, s.cells FROM staged AS s LEFT JOIN event_external_ids AS x"
        " USING (external_id) LEFT JOIN events AS e ON e.event_id = s.event_id"
        " WHERE s.outcome IS NULL AND x.event_id IS NULL AND e.event_id IS NULL"
        " ORDER BY s.number LIMIT ?",
        (_MOST + 1,),
    ).fetchall()
    if not new or len(new) > _MOST:
        return
    index = _Index(form, _gone(connection, staging))
    found: dict[int, list[int]] = defaultdict(list)
    for number, cells in new:
        same = [*islice(index.same(filled(json.loads(cells))), 2)]
        if len(same) == 1:
            found[same[0]].append(number)
    connection.execute("BEGIN")
    for position, numbers in found.items():
        if len(numbers) == 1:
            connection.execute(
                "UPDATE staged SET new_id = external_id, external_id = ? WHERE number = ?",
                (index.gone[position].external_id, numbers[0]),
            )
    connection.execute("COMMIT")


class _Index:
    """Finds the gone rows that have cells in common with a row."""

    def __init__(self, form: Format, gone: Iterator[_Gone]) -> None:
        self._form = form
        self.gone = [*gone]
        self._having: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, row in enumerate(self.gone):
            for cell in self._normal(row.kept):
                having = self._having[cell]
                if len(having) <= _COMMON:
                    having.append(position)

    def same(self, cells: Cells) -> Iterator[int]:
        """Yield the positions of the gone rows that this row may be."""
        near: dict[int, None] = {}
        for cell in self._normal(cells):
            having = self._having.get(cell, ())
            if len(having) <= _COMMON:
                near |= dict.fromkeys(having)
        for position in near:
            if _is_renamed(self._form, self.gone[position].kept, cells):
                yield position

    def _normal(self, cells: Cells) -> Iterator[tuple[str, str]]:
        for column, cell in cells.items():
            spelling = self._form.spellings.get(column)
            yield column, spelling.normal(cell) if spelling else " ".join(cell.split())


def _is_renamed(form: Format, kept: Cells, cells: Cells) -> bool:
    """Tell whether two rows are so alike that they are one."""
    differing = compared(form, kept, cells)[0]
    shared = [column for column in cells if column in kept and column not in differing]
    if len(differing) <= 1:
        return len(shared) >= 2
    if len(differing) > 2 or len(differing) + len(shared) < _MANY_CELLS:
        return False
    return any(
        cells[column].lower().startswith(("http://", "https://"))
        or ((spelling := form.spellings.get(column)) is not None and spelling.kind == DATE.kind)
        for column in shared
    )


def _gone(connection: sqlite3.Connection, staging: Staging) -> Iterator[_Gone]:
    scheme = staging.form.scheme
    for event_id, _, kept in staging.gone():
        (external_id,) = connection.execute(
            "SELECT external_id FROM event_external_ids WHERE event_id = ?"
            " AND external_id >= ? AND external_id < ? ORDER BY external_id LIMIT 1",
            (event_id, f"{scheme}:", f"{scheme};"),
        ).fetchone()
        if kept:
            yield _Gone(event_id, external_id, kept)


def _settle_shared(staging: Staging) -> None:
    """Put aside each row whose title an event of another row had before."""
    shared = staging.connection.execute(
        "SELECT x.event_id FROM staged AS s JOIN event_external_ids AS x USING (external_id)"
        " WHERE s.outcome IS NULL GROUP BY x.event_id HAVING count(*) > 1"
    ).fetchall()
    for (event_id,) in shared:
        rows = staging.connection.execute(
            "SELECT s.number, s.line, s.cells, json_extract(e.extra, ?) FROM staged AS s"
            " JOIN event_external_ids AS x USING (external_id) JOIN events AS e"
            " ON e.event_id = x.event_id WHERE s.outcome IS NULL AND x.event_id = ?",
            (f'$."{staging.form.scheme}"', event_id),
        ).fetchall()
        differing = {
            RowPlace(number, line): len(
                compared(staging.form, json.loads(kept or "{}"), filled(json.loads(cells)))[0]
            )
            for number, line, cells, kept in rows
        }
        own = min(differing, key=lambda place: differing[place])
        staging.reject(
            Reject(
                number,
                line,
                staging.id_columns(json.loads(cells)),
                f"is what the event of {staging.place(own)}, {event_id}, was called before: give"
                " it another title",
                json.loads(cells),
            )
            for number, line, cells, _ in rows
            if number != own.number
        )
