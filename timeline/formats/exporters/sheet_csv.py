"""CSV in the form of the sheet that `append` and `sync` read (`timeline.formats.sheet`)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from timeline.formats.about import About
from timeline.formats.coded import REPEATS
from timeline.formats.sheet import cells, events
from timeline.reading.rows import EventDict

WITH_CODES = (*cells.COLUMNS, *REPEATS)
"""Our columns, then those that repeat two of them as codes and in words."""


def write(
    exported: Iterable[EventDict], about: About, columns: Sequence[str] = cells.COLUMNS
) -> Generator[str, None, int]:
    """Yield the sheet, row by row. Leaves nothing out."""
    rows = (events.cells(event, about.lookup, columns) for event in exported)
    yield from cells.write(rows, columns)
    return 0
