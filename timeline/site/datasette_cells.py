"""Link the ids in the tables of Datasette to our pages about what they name.

Guarantees: a link works under any `base_url` and prefix; a text that cannot be an id is left as it
is, and so is a cell that a plugin shows. Only the columns of ids cost time, not every cell.

Knows Datasette only by its rows, and by the HTML of its links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from timeline.model.limits import ID

_FOLDERS = {
    "event_id": "events",
    "own_event_id": "events",
    "source_id": "sources",
    "actor_id": "actors",
    "merged_into": "events",
}
"""The folder of our pages about what has its id in a column with this name."""

_SUBJECTS = {"event": "events", "source": "sources", "actor": "actors"}
"""The folder of our pages about a subject of the log, such as event/odesa-talks."""

_LINKED = frozenset((*_FOLDERS, "subject", "version"))
"""The columns whose cells may lead to our pages."""

_PATH = re.compile(rf"{ID}(?:/[1-9][0-9]{{0,8}})?")
"""The path of a page, in its folder: an id, and the number of a version."""

_ROW = "<em>row</em>"
_TO_ROW = re.compile(
    r'(?:<strong>)?<a href="[^"]*">(?P<label>[^<]*)</a>(?:&nbsp;<em>[^<]*</em>)?(?:</strong>)?'
)
"""A cell in which Datasette links the row that a foreign key names, by its label.

Datasette 1.0 makes the key of a row bold on the page of the row.
"""


class LinksOfPage(NamedTuple):
    """The links of a page have two beginnings: our site, and the tables of its database."""

    ours: str
    """The address of our pages without the last slash, such as "/story"."""
    tables: str
    """The address of Datasette's pages of the database, such as "/news"."""

    def in_table(self, table: str, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield the rows of a table, with links to our pages, and small ones to those of rows."""
        places: list[tuple[int, str]] | None = None
        for row in rows:
            cells = list(row)
            if places is None:
                places = _places([cell["column"] for cell in cells])
            for place, column in places:
                cell, folder = cells[place], _FOLDERS.get(column)
                key, shown = str(cell["raw"]), cell["value"]
                if folder and table == "actors":
                    folder = "actors"
                if cell["value_type"] == "pk":
                    linked = folder and self._with_row(folder, key, key, _ROW)
                elif type(shown) is str or shown == f"<strong>{key}</strong>":
                    linked = self._plain(column, folder, key, cells)
                elif folder and (found := _TO_ROW.fullmatch(shown)):
                    linked = self._with_row(folder, key, found["label"], f"<em>{key}</em>")
                else:
                    continue
                if linked:
                    cell["value"] = linked
            yield row

    def in_results(self, columns: Sequence[str], rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
        """Yield the rows of the answer to a query, with links to our pages."""
        places = _places(columns)
        for row in rows:
            cells = [{"column": columns[place], "raw": row[place]} for place, _ in places]
            for place, column in places:
                if type(row[place]) is str:
                    linked = self._plain(column, _FOLDERS.get(column), row[place], cells)
                    row[place] = linked or row[place]
            yield row

    def _plain(
        self, column: str, folder: str | None, value: str, cells: Sequence[Any]
    ) -> Markup | None:
        """Return the link of a cell that shows a value as it is; None if it has no page."""
        path = value
        if column == "subject":
            word, _, path = value.partition("/")
            folder = _SUBJECTS.get(word)
        elif column == "version":
            folder = "events"
            found = (cell["raw"] for cell in cells if cell["column"] == "event_id")
            path = f"{re.sub('<[^>]*>', '', str(next(found, '')))}/{value}"
        return self._link(folder, path, escape(value)) if folder else None

    def _link(self, folder: str, path: str, words: str) -> Markup | None:
        """Return the link to a page of ours; None if there can be none with that path."""
        if not _PATH.fullmatch(path):
            return None
        return Markup(f'<a href="{self.ours}/{folder}/{path}">{words}</a>')  # noqa: S704 - escaped

    def _with_row(self, folder: str, key: str, words: str, row: str) -> Markup | None:
        """Return the link to a page of ours, and the one to Datasette's own page of the row."""
        if not _PATH.fullmatch(key):
            return None
        path = f"{folder}/{key}"
        return Markup(  # noqa: S704 - the key can be an id
            f'<a href="{self.ours}/{path}">{words}</a> <a href="{self.tables}/{path}">{row}</a>'
        )


def _places(columns: Iterable[str]) -> list[tuple[int, str]]:
    return [(place, column) for place, column in enumerate(columns) if column in _LINKED]
