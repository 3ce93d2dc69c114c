"""A function that looks up the names in a log with which cells are read and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from timeline.formats.sheet import events
from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup
from timeline.model.figures import is_english
from timeline.model.vocabulary import stored
from timeline.store import log
from timeline.store.rows import as_dicts


def lookup_of(connection: sqlite3.Connection, rows: Iterable[SheetRow] = ()) -> Lookup:
    """Return the event types and sources of a log, with the titles that the rows of a sheet add.

    Raises InvalidCell if the rows give an address two titles.
    """
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
        {**titles, **events.titles(rows)},
        is_english(info.get("language", "en")),
    )
