"""A function that looks up the names in a log with which cells are read and written."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup
from timeline.formats.sheet.source_titles import settled, titles_in
from timeline.model.typed_dates import Spans, is_span
from timeline.model.vocabulary import stored
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

_SOURCES = "SELECT source_id, url, title FROM sources"


class _Sources(Mapping[str, RowDict]):
    """The sources of a log by id, each read when it is asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._row = functools.lru_cache(1_000)(self._source_row)

    def _source_row(self, source_id: str) -> RowDict | None:
        found = self._connection.execute(f"{_SOURCES} WHERE source_id = ?", (source_id,))
        return next(as_dicts(found), None)

    def __getitem__(self, source_id: str) -> RowDict:
        row = self._row(source_id)
        if row is None:
            raise KeyError(source_id)
        return row

    def __iter__(self) -> Iterator[str]:
        for (source_id,) in self._connection.execute("SELECT source_id FROM sources"):
            yield source_id

    def __len__(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM sources").fetchone()
        return int(count)


def lookup_to_write(connection: sqlite3.Connection) -> Lookup:
    """Return the names with which events are written; a million sources take no memory."""
    return _without_sources(connection)._replace(sources=_Sources(connection))


def _without_sources(connection: sqlite3.Connection) -> Lookup:
    """Return what a log says about itself: its event types and its language."""
    info = log.info(connection)
    vocabulary = stored(info.get("vocabulary", {}))
    return Lookup(vocabulary.event_types, language=info.get("language", "en"))


def lookup_of(
    connection: sqlite3.Connection,
    rows: Iterable[SheetRow] = (),
    *,
    are_spans: bool = False,
    is_news: bool = True,
) -> Lookup:
    """Return the names with which a sheet is read, with the titles that its rows add.

    `are_spans` tells that YYYY-NN in a cell is a span of years wherever it can be one, `is_news`
    that a title in the sheet takes the place of the one in the log.
    """
    spans: set[Spans] = set()
    cursor = connection.execute(f"{_SOURCES} ORDER BY source_key")
    sources = {row["source_id"]: row for row in as_dicts(cursor)}
    known: dict[str, list[str]] = {}
    for source in sources.values():
        if source["url"]:
            known.setdefault(source["url"], []).append(source["title"] or "")
    said = titles_in(_noted(rows, spans))
    titles, accepted = settled(said, known, is_news=is_news)
    return _without_sources(connection)._replace(
        sources=sources,
        titles=titles,
        accepted=accepted,
        said=said,
        spans="taken" if are_spans else next(iter(spans), "alone"),
    )


def _noted(rows: Iterable[SheetRow], spans: set[Spans]) -> Iterator[SheetRow]:
    """Yield the rows; add "column" to `spans` if the date of one is a span of years, or may be."""
    for row in rows:
        if is_span(row.cells.get("occurred", "")):
            spans.add("column")
        yield row
