"""All that anybody can read in the file of a timeline: rows, searches, exports and pages."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from site_in_process import FILES, open_site

from timeline.formats.about import About
from timeline.formats.exports import FORMATS
from timeline.formats.log_names import Names
from timeline.formats.sheet.lookup import lookup_of
from timeline.proof.checks.schema import foreign_tables
from timeline.reading import captured_texts, comparison, entries, query, selection
from timeline.store import log, storage
from timeline.store.follows import Follows
from timeline.store.node import Node

Row = tuple[object, ...]

ONLY_HERE = {
    "_sqlite_migrations": ("applied_at",),
    "checkpoints": ("stored_at",),
    "follows": Follows._fields,
    "mirror": ("since",),
    "media_files": ("attached_at",),
    "node": Node._fields,
    "publications": ("published_at",),
    "sightings": ("seen_at", "place"),
    "source_texts": ("captured_at", "original_sha256"),
    "witnesses": ("name", "verifier_key", "url", "pull", "added_at", "removed_at"),
}
"""The columns that verify says it cannot check, by table."""

LEAVE_NO_TRACE = {*ONLY_HERE, "scrub_pending"} - {"_sqlite_migrations"}
"""The tables of which verify says that a missing row leaves no trace."""

_NOT_TEXT = ("event_search_data", "event_search_idx")
"""The tables of the index that is searched: the same words can be indexed in many ways."""


def rows(path: Path) -> dict[str, set[str]]:
    """The rows of every table and view, but for tables and columns that verify cannot check."""
    found: dict[str, set[str]] = {}
    with _connected(path) as connection:
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        foreign = {name.lower() for name in foreign_tables(connection)}
        found["sqlite_master"] = {
            repr(each)
            for each in made
            if each[2].lower() not in foreign or each[0] not in ("table", "index")
        }
        for kind, name, *_ in made:
            if kind == "table" and name.lower() in foreign:
                continue
            if kind in ("table", "view") and name not in _NOT_TEXT:
                found[name] = {repr(row) for row in _rows(connection, name)}
    return found


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[Row]:
    columns = [
        f'"{name}"'
        for _, name, *_ in connection.execute(f'PRAGMA table_info("{table}")')
        if name not in ONLY_HERE.get(table, ())
    ]
    if not columns:
        return iter(())
    return connection.execute(f'SELECT {", ".join(columns)} FROM "{table}"')


def searches(path: Path) -> dict[str, object]:
    """What a search finds, in its order: every word of the index, and beginnings of words."""
    with _connected(path) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, event_search, instance)"
        )
        words = {word for (word,) in connection.execute("SELECT term FROM temp.words")}
        asked = {f'"{word}"' for word in words} | {f'"{word[:2]}"*' for word in words}
        return {
            each: connection.execute(
                "SELECT rowid, rank FROM event_search"
                " WHERE event_search MATCH ? ORDER BY rank, rowid",
                (each,),
            ).fetchall()
            for each in sorted(asked)
        }


def exports(path: Path) -> dict[str, object]:
    """Every format of an export, every version of every event, and what changed since when."""
    with contextlib.closing(storage.connect(path)) as connection:
        ids = [row["event_id"] for row in selection.list_events(connection, {"state": "all"})]
        about = About(
            log.info(connection),
            lookup_of(connection),
            cited_text=captured_texts.cited(connection),
            names=Names(connection),
        )
        found: dict[str, object] = {
            name: "".join(
                form.write(
                    entries.read(connection) if form.of_entries else query.each(connection, ids),
                    about,
                )
            )
            for name, form in FORMATS.items()
            if not form.needs
        }
        found["ids"] = ids
        found["history"] = [query.history(connection, event_id) for event_id in ids]
        found["facets"] = selection.facets(connection, {})
        found["changes"] = [*comparison.changes(connection, 20)]
        found["coverage"] = [
            captured_texts.coverage(connection, source_id).as_json(source_id)
            for source_id in ("paper", "radio")
        ]
        return found


def pages(path: Path) -> dict[str, object]:
    """The JSON of every page, and the formats that the site offers."""
    with open_site(path) as site:
        asked = ["/changes.json", "/verify.json", "/verify.txt"]
        asked += [f"/{file}" for file in FILES]
        with contextlib.closing(storage.connect(path)) as connection:
            for table in ("event", "actor", "source"):
                ids = connection.execute(f"SELECT {table}_id FROM {table}s ORDER BY 1")
                asked += [f"/{table}s/{key}.json" for (key,) in ids]
        return {each: (answer := site.ask(each)).text or answer.status_code for each in asked}


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection on which a text and its bytes are two values, UTF-8 or not."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        yield connection
