"""Make, check and rebuild the tables of the projection, which all follow from the log.

Guarantees: a live append and a rebuild run the same code (`projector`) over the same entries in
the same order, so they make the same rows. Tables of another version are never read. Tables that
somebody else made in the file are never changed.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from timeline.errors import ProjectionOutdated, TooNew
from timeline.model import countries, resources, time_zones
from timeline.projection.folded_content import FoldedContent, folded_of
from timeline.projection.projector import Projector
from timeline.store import codec, helper_process, log, schema, storage
from timeline.store.codec import Entry, Payload

PROJECTION_VERSION = 14
"""The version of the tables; raised with every change of db/projection.sql or of their values."""

_ALONE = 2_000
"""The number of entries that one process folds as quickly as two."""
_FOLDING = "timeline.projection.folded_content:folding"

_KEEPS_NONE = "content = '',"
_SEARCH = re.compile(r"CREATE VIRTUAL TABLE event_search USING fts5 \([^)]*\)")


def create(connection: sqlite3.Connection, time_zone: str) -> None:
    """Make the empty tables for a log in a time zone, inside the transaction that is open."""
    _create(connection, _script(), time_zone)


def create_apart(connection: sqlite3.Connection) -> None:
    """Make the empty tables as temporary ones; a name without a schema then means these.

    The tables in the file do not change. Of the indexes only those are made that a fold uses, and
    the one that is searched.
    """
    script = re.sub(r"(?m)^CREATE (TABLE|VIEW)", r"CREATE TEMP \1", _script())
    needed = "event_actors_actor|citations_source|sources_withdrawn"
    script = re.sub(rf"(?m)^CREATE INDEX (?!{needed}).*\n", "", script)
    script = script.replace(_search(), _search("temp.event_search"))
    _create(connection, script, log.time_zone(connection))


def create_search(
    connection: sqlite3.Connection, name: str = "event_search", *, keeps_words: bool = False
) -> None:
    """Make an empty `event_search`, under this name, and no other table.

    Only a table that keeps its words can mark those that are found.
    """
    definition = _search(name)
    connection.execute(definition.replace(_KEEPS_NONE, "") if keeps_words else definition)


def _create(connection: sqlite3.Connection, script: str, time_zone: str) -> None:
    schema.run_script(connection, script)
    connection.execute(
        "INSERT INTO projection_state VALUES (?, ?, ?, ?)",
        (PROJECTION_VERSION, codec.VERSION, time_zone, time_zones.rules_sha256(time_zone)),
    )
    connection.executemany(
        "INSERT INTO countries VALUES (?, ?)",
        ((country.alpha3, country.name) for country in countries.countries()),
    )


def tables() -> dict[str, str]:
    """Return the names of our tables and views in the order of their making, each with its kind."""
    made = re.findall(r"(?m)^CREATE (?:VIRTUAL )?(TABLE|VIEW) (\w+)", _script())
    return {name: kind for kind, name in made}


def _script() -> str:
    return (resources.db_folder() / "projection.sql").read_text(encoding="utf-8")


@cache
def _search(name: str = "event_search") -> str:
    (definition,) = _SEARCH.findall(_script())
    return str(definition).replace("event_search", name, 1)


def check(connection: sqlite3.Connection, path: str) -> Entry | None:
    """Return the newest entry, if this package reads the log and its tables.

    Otherwise raises TooNew or ProjectionOutdated.
    """
    newest = log.newest(connection)
    if newest:
        codec.check_version(newest.seq, newest.envelope)
    try:
        row = connection.execute(
            "SELECT projection_version, entry_version FROM projection_state"
        ).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        row = None  # the table does not exist
    if row and row[1] > codec.VERSION:
        raise TooNew(
            path, f"has entries of format {row[1]}; this Timeline reads up to {codec.VERSION}"
        )
    if not row or row[0] != PROJECTION_VERSION:
        raise ProjectionOutdated(path, "its tables are of another version: run timeline rebuild")
    return newest


def time_zone(connection: sqlite3.Connection) -> str:
    """Return the time zone that the tables were made with: that of the log."""
    (name,) = connection.execute("SELECT time_zone FROM projection_state").fetchone()
    return str(name)


def check_rules(connection: sqlite3.Connection, path: str) -> None:
    """Raise ProjectionOutdated if the rules of the log's time zone are not those of the tables.

    Rules change every year, also for past days: a newer `tzdata` is no sign of tampering.
    """
    zone = log.time_zone(connection)
    made_with = connection.execute("SELECT time_zone, zone_rules FROM projection_state").fetchone()
    if made_with != (zone, time_zones.rules_sha256(zone)):
        name = log.info(connection).get("time_zone", "UTC")
        raise ProjectionOutdated(
            path,
            f"the rules of {name} have changed since the tables were made: run timeline rebuild",
        )


def rebuild(
    connection: sqlite3.Connection, progress: Callable[[int], object] = lambda count: None
) -> int:
    """Drop our tables and fold the whole log again, in one transaction.

    Returns the number of entries; `progress` is called with it as it grows.
    """
    with storage.immediate(connection):
        return make_anew(connection, progress)


def make_anew(
    connection: sqlite3.Connection, progress: Callable[[int], object] = lambda count: None
) -> int:
    """Make the tables again, as `rebuild` does, inside the transaction that is open."""
    for name, kind in reversed(tables().items()):
        connection.execute(f"DROP {kind} IF EXISTS {name}")
    create(connection, log.time_zone(connection))
    return fold_all(connection, progress)


def fold_all(connection: sqlite3.Connection, progress: Callable[[int], object]) -> int:
    """Fold the whole log into tables that are empty, and return the number of entries."""
    count = 0
    time_zone = log.time_zone(connection)
    projector = Projector(connection, time_zone)
    helped = log.size(connection) > _ALONE and helper_process.is_possible()
    entries = log.read(connection)
    for count, (entry, payload, folded) in enumerate(
        _prepared(entries, time_zone) if helped else ((entry, None, None) for entry in entries), 1
    ):
        projector.apply(entry, payload, folded)
        progress(count)
    projector.flush()
    return count


def _prepared(
    entries: Iterable[Entry], time_zone: str
) -> Iterator[tuple[Entry, Payload | None, FoldedContent | None]]:
    """Yield entries, most of them with what another process has made of their payloads."""
    chunks = (
        (chunk, [entry.payload if entry.kind == "event.recorded" else None for entry in chunk])
        for chunk in helper_process.chunked(entries, lambda entry: len(entry.payload or ""))
    )
    with contextlib.closing(helper_process.answered(_FOLDING, time_zone, chunks)) as answered:
        for chunk, answers in answered:
            for entry, answer in itertools.zip_longest(chunk, answers or ()):
                yield entry, *(folded_of(answer) if answer else (None, None))
