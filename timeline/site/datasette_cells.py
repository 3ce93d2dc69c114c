"""Link the ids in the tables of Datasette to our pages about what they name.

Guarantees: a link works under any `base_url` and prefix; a text that cannot be an id is left as it
is; so is everything in a database that is no timeline.

Knows Datasette only by the object that it is given, and imports nothing of it before it is asked
for a cell.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from timeline.model.limits import ID
from timeline.site.mounts import Mount, placed

FOLDERS = {
    "event_id": "events",
    "own_event_id": "events",
    "source_id": "sources",
    "actor_id": "actors",
}
"""The folder of our pages about what has its id in a column with this name."""

_SUBJECTS = {"event": "events", "source": "sources", "actor": "actors"}
"""The folder of our pages about a subject of the log, such as event/odesa-talks."""

_PATH = re.compile(rf"{ID}(?:/[1-9][0-9]{{0,8}})?")
"""The path of a page, in its folder: an id, and the number of a version."""

_OF_VERSIONS = frozenset(
    (
        *("events", "current_events", "event_versions", "event_version_contents"),
        *("entry_versions", "field_changes"),
    )
)
"""The tables in which `seq` is the entry that made the version of the row."""

LINKED = frozenset((*FOLDERS, "merged_into", "seq", "subject", "version"))
"""The columns whose cells may lead to our pages."""


def cell(
    datasette: Any, database: str, table: str | None, row: Any, column: str, value: Any
) -> Markup | None:
    """Return a cell with the link to our page about what it names; None if there is no such page.

    The id beside the name of a linked row leads to Datasette's page of that row, as it does in any
    Datasette.
    """
    if column not in LINKED or value is None or (mount := placed(datasette).get(database)) is None:
        return None
    if column == "subject":
        word, _, key = str(value).partition("/")
        folder = _SUBJECTS.get(word)
        return link(datasette, mount, folder, key, str(value)) if folder else None
    if column in ("seq", "version"):
        event_id, version = (_value(row, name) for name in ("event_id", "version"))
        if not (event_id and version) or (column == "seq" and table not in _OF_VERSIONS):
            return None
        return link(datasette, mount, "events", f"{event_id}/{version}", str(value))
    folder = "actors" if table == "actors" else FOLDERS.get(column, "events")
    if not isinstance(value, dict):
        return link(datasette, mount, folder, str(value), str(value))
    key = str(value["value"])
    ours = link(datasette, mount, folder, key, str(value["label"] or key))
    return ours and ours + row_link(datasette, database, folder, key, key)


def row_link(datasette: Any, database: str, table: str, key: str, text: str) -> Markup:
    """Return the link to Datasette's own page of a row, for those who want its columns."""
    from datasette.utils import tilde_encode

    address = datasette.urls.row(database, table, tilde_encode(key))
    return Markup(' <a class="row" href="{}" aria-label="Row {}"><em>{}</em></a>').format(
        address, key, text
    )


def _value(row: Any, column: str) -> Any:
    """Return the value of a row in a column; None if it has no such column."""
    try:
        value = row[column]
    except (IndexError, KeyError):
        return None
    return value["value"] if isinstance(value, dict) else value


def link(datasette: Any, mount: Mount, folder: str, path: str, text: str) -> Markup | None:
    """Return the link to a page of ours; None if there can be none with that path."""
    if not _PATH.fullmatch(path):
        return None
    address = datasette.urls.path(f"{mount.prefix}/{folder}/{path}")
    return Markup('<a href="{}">{}</a>').format(address, text)
