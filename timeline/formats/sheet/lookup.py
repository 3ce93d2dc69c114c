"""A function that looks up the names in a log with which cells are read and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from timeline.formats.sheet import events
from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup
from timeline.model.figures import is_english
from timeline.model.typed_dates import Spans, is_span
from timeline.model.vocabulary import stored
from timeline.store import log
from timeline.store.rows import as_dicts


def lookup_of(
    connection: sqlite3.Connection, rows: Iterable[SheetRow] = (), *, are_spans: bool = False
) -> Lookup:
    """Return the event types and sources of a log, with the titles that the rows of a sheet add.

    `are_spans` tells that YYYY-NN in a cell is a span of years wherever it can be one. Raises
    InvalidCell if the rows give an address two titles.
    """
    spans: set[Spans] = set()
    info = log.info(connection)
    vocabulary = stored(info.get("vocabulary", {}))
    cursor = connection.execute("SELECT source_id, url, title FROM sources ORDER BY source_key")
    sources = {row["source_id"]: row for row in as_dicts(cursor)}
    titles: dict[str, str] = {}
    for source in sources.values():
        if source["url"] and source["title"]:
            titles.setdefault(source["url"], source["title"])
    return Lookup(
        vocabulary.event_types,
        sources,
        {**titles, **events.titles(_noted(rows, spans))},
        is_english(info.get("language", "en")),
        "taken" if are_spans else next(iter(spans), "alone"),
    )


def _noted(rows: Iterable[SheetRow], spans: set[Spans]) -> Iterator[SheetRow]:
    """Yield the rows; add "column" to `spans` if the date of one is a span of years, or may be."""
    for row in rows:
        if is_span(row.cells.get("occurred", "")):
            spans.add("column")
        yield row
