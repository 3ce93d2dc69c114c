"""This module prints events as a list or, on a wide terminal, as a table with a line for each.

Guarantees: nothing is cut off, and no line is wider than the terminal. The states that a reader
must not overlook have colours where the terminal shows colours.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter

from timeline.cli import output
from timeline.formats import prose
from timeline.formats.prose import Fields
from timeline.reading import query
from timeline.reading.sources import withdrawn_sources
from timeline.store.rows import as_dicts

_WIDE = 100
"""Columns of a terminal on which a table fits, at least."""
_AT_ONCE = 200
"""Rows whose figures are read at once; the widths of a table are those of its first rows."""
_SHARES = {"date": 21, "title": 0, "place": 15, "figures": 16, "id": 24}
"""The columns of the table, each with its share of the terminal in per cent, at most."""
_COLOURS = {
    "RETRACTED": output.RED,
    "ERASED": output.RED,
    "MERGED": output.CYAN,
    "refuted": output.RED,
    "disputed": output.YELLOW,
    "corrected": output.CYAN,
}


def print_events(tables: sqlite3.Connection, rows: Iterable[Fields], language: str) -> bool:
    """Print rows of `events`, and return whether there were any; `language` is that of the log."""
    labels = query.labels(tables)
    rows = iter(rows)
    first = [*islice(rows, _AT_ONCE)]
    if output.terminal_width() >= _WIDE:
        _print_table(tables, first, rows, language)
    else:
        for row in chain(first, rows):
            _print_row(tables, row, labels)
    return bool(first)


def _print_row(tables: sqlite3.Connection, row: Fields, labels: Mapping[str, str]) -> None:
    facts = [
        prose.when(row),
        labels.get(row["event_type"], row["event_type"]),
        prose.place_name(row["place"], row["country"]),
    ]
    marks = _marks(row)
    output.echo(output.bold(output.wrapped(prose.title(row))))
    line = output.wrapped(" - ".join(fact for fact in (*facts, *marks) if fact), 2)
    output.echo(_coloured(line, marks))
    for remark in _remarks(tables, row):
        output.echo(output.wrapped(remark, 2))
    output.echo(output.dim(output.wrapped(f"{row['event_id']}, version {row['version']}", 2)))


def _marks(row: Fields) -> list[str]:
    """Return the words that tell an event from one that is current, happened and is reported."""
    marks = [
        row["modality"] if row["modality"] != "actual" else None,
        row["verification"] if row["verification"] != "reported" else None,
        "corrected" if row["corrections_count"] else None,
        row["state"].upper() if row["state"] != "current" else None,
    ]
    return [mark for mark in marks if mark]


def _remarks(tables: sqlite3.Connection, row: Fields) -> Iterator[str]:
    """Yield what else a reader needs: that all sources are withdrawn, and what a search found."""
    if row["at_risk"]:
        yield prose.at_risk(withdrawn_sources(tables, row["event_id"]))
    match = output.found_marks(row, "*", "*").get("match")
    if match and match.replace("*", "") != row["title"]:
        yield match


def _coloured(text: str, marks: Sequence[str]) -> str:
    """Give the marks that end a text their colours; the text is escaped already."""
    rest = ""
    for mark in reversed(marks):
        if mark in _COLOURS:
            text, _, behind = text.rpartition(mark)
            rest = output.coloured(mark, _COLOURS[mark]) + behind + rest
    return text + rest


# --- The table ----------------------------------------------------------------------------


def _print_table(
    tables: sqlite3.Connection, first: list[Fields], rows: Iterator[Fields], language: str
) -> None:
    some = _cells(tables, first, language)
    sizes = _sizes([[*_SHARES], *some])
    if first:
        output.echo(output.beside([[output.bold(name)] for name in _SHARES], sizes))
    while first:
        for row, cells in zip(first, some, strict=True):
            date, title, place, figures, event_id = map(output.folded, cells, sizes)
            marks = _marks(row)
            below = "\n".join(output.folded(" - ".join(marks), sizes[1]))
            title = [
                *map(output.bold, title),
                *filter(None, _coloured(below, marks).split("\n")),
                *chain(*(output.folded(each, sizes[1]) for each in _remarks(tables, row))),
            ]
            ids = [*map(output.dim, event_id)]
            output.echo(output.beside([date, title, place, figures, ids], sizes))
        first = [*islice(rows, _AT_ONCE)]
        some = _cells(tables, first, language)


def _sizes(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the widths of the columns: what they need, up to their share; titles get the rest."""
    room = output.terminal_width()
    sizes = [
        min(max(output.columns(output.one_line(cell)) for cell in cells), room * share // 100)
        for cells, share in zip(zip(*rows, strict=True), _SHARES.values(), strict=True)
    ]
    sizes[1] = room - sum(sizes) - output.GAP * (len(sizes) - 1)
    return sizes


def _cells(tables: sqlite3.Connection, rows: Sequence[Fields], language: str) -> list[list[str]]:
    figures = _figures(tables, [row["event_id"] for row in rows], language)
    return [
        [
            prose.when(row),
            prose.title(row),
            prose.place_name(row["place"], row["country"]),
            figures.get(row["event_id"], ""),
            row["event_id"],
        ]
        for row in rows
    ]


def _figures(tables: sqlite3.Connection, event_ids: Sequence[str], language: str) -> dict[str, str]:
    """Return the figures of these events in words, one of each measure, by event id."""
    cursor = tables.execute(
        "SELECT * FROM event_quantities WHERE event_id IN (SELECT value FROM json_each(?))"
        " ORDER BY event_id, measure, coalesce(dated, ''), position",
        (json.dumps(event_ids),),
    )
    found = {}
    for event_id, rows in groupby(as_dicts(cursor), key=itemgetter("event_id")):
        measures = [[*some] for _, some in groupby(rows, key=itemgetter("measure"))]
        found[event_id] = "; ".join(_newest(some, language) for some in measures)
    return found


def _newest(rows: Sequence[Fields], language: str) -> str:
    """Return the newest figure of a measure, and how many there are if they are several."""
    amount = prose.amount(prose.figure_of_row(rows[-1]), language)
    return f"{rows[0]['measure']} {amount}" + (f" ({len(rows)} figures)" if rows[1:] else "")
