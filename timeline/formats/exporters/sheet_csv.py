"""CSV: the sheet that `append` and `sync` take back (`timeline.sheet`)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from timeline.formats.about import About, Event
from timeline.formats.sheet import cells as sheet
from timeline.formats.sheet import events as sheet_events


def write(
    events: Iterable[Event], about: About, columns: Sequence[str] = sheet.COLUMNS
) -> Generator[str, None, int]:
    """The sheet, row by row. Nothing is left out."""
    cells = (sheet_events.cells(event, about.words, columns) for event in events)
    yield from sheet.write(cells, columns)
    return 0
