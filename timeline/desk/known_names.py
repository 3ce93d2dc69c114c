"""Find names that a log has already, so that a form can complete what a person types.

Guarantees: the newest come first, and no list is longer than `MOST`: each is read at the newest end
of a table.
"""

from __future__ import annotations

import sqlite3

MOST = 200
"""Names in a list, at most."""
_MEASURES = ("killed", "injured", "pledged", "committed", "allocated", "disbursed", "delivered")
_NEWEST = "SELECT event_id FROM events ORDER BY seq DESC LIMIT 1000"


def actors(log: sqlite3.Connection) -> list[str]:
    """Return the names of actors."""
    return _texts(
        log, "SELECT name FROM actors WHERE merged_into IS NULL ORDER BY rowid DESC LIMIT ?"
    )


def places(log: sqlite3.Connection) -> list[str]:
    """Return the names of places."""
    return _texts(
        log,
        "SELECT DISTINCT place FROM (SELECT place FROM events ORDER BY seq DESC LIMIT 1000)"
        " WHERE place IS NOT NULL LIMIT ?",
    )


def tags(log: sqlite3.Connection) -> list[str]:
    """Return tags."""
    return _texts(
        log,
        f"SELECT DISTINCT tag FROM event_tags WHERE event_id IN ({_NEWEST}) LIMIT ?",  # noqa: S608
    )


def measures(log: sqlite3.Connection) -> list[str]:
    """Return measures: those that every log knows, then those of this one."""
    own = _texts(
        log,
        "SELECT DISTINCT measure FROM event_quantities"  # noqa: S608
        f" WHERE event_id IN ({_NEWEST}) LIMIT ?",
    )
    return [*dict.fromkeys((*_MEASURES, *own))]


def events(log: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return ids and titles of current events."""
    return log.execute(
        "SELECT event_id, title FROM events WHERE state = 'current' AND title IS NOT NULL"
        " ORDER BY seq DESC LIMIT ?",
        (MOST,),
    ).fetchall()


def sources(log: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return ids and names of sources."""
    return log.execute(
        "SELECT source_id, name FROM source_names JOIN sources USING (source_id)"
        " ORDER BY source_key DESC LIMIT ?",
        (MOST,),
    ).fetchall()


def _texts(log: sqlite3.Connection, query: str) -> list[str]:
    return [name for (name,) in log.execute(query, (MOST,))]
