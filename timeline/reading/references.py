"""References: this finds the event, entry, actor or source that a person means.

Guarantees: nothing here writes. A reference to nothing is refused with the nearest known name;
a reference that fits several things is refused with their ids.
"""

from __future__ import annotations

import re
import sqlite3

from timeline.errors import Ambiguous, NotFound
from timeline.model import hints
from timeline.reading import actors
from timeline.reading.as_of import times_of_entry


def resolve_event(connection: sqlite3.Connection, text: str) -> tuple[str, int | None]:
    """Return the event id and version that a person means: ID, a beginning of one, ID@3 or #41.

    Raises NotFound, Ambiguous.
    """
    if entry := re.fullmatch(r"#([0-9]{1,15})", text):
        row = connection.execute(
            "SELECT subject, version FROM log WHERE seq = ?", (int(entry[1]),)
        ).fetchone()
        if row is None:
            raise NotFound("entry", text)
        what, _, key = row[0].partition("/")
        if what != "event":
            raise NotFound("event", text, f"that entry is about {row[0]}")
        return key, row[1]
    beginning, at, version = text.partition("@")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", beginning):
        raise NotFound("event", beginning, _nearest_event(connection, beginning))
    if at and not re.fullmatch(r"[1-9][0-9]{0,14}", version):
        raise NotFound("version", text, "write one such as ID@3")
    event_id = _id_beginning(connection, "event", beginning)
    if event_id is None:
        raise NotFound("event", beginning, _nearest_event(connection, beginning))
    return event_id, int(version) if version else None


def _id_beginning(connection: sqlite3.Connection, what: str, beginning: str) -> str | None:
    """Return the only id of an event, actor or source that is `beginning` or begins with it.

    None if there is none. Raises Ambiguous.
    """
    matches: list[str] = [
        row[0]
        for row in connection.execute(
            f"SELECT {what}_id FROM {what}s"  # noqa: S608
            f" WHERE {what}_id >= ? AND {what}_id < ? || '~' ORDER BY 1 LIMIT 20",
            (beginning, beginning),
        )
    ]
    if beginning in matches:
        return beginning
    if len(matches) > 1:
        raise Ambiguous(what, beginning, matches)
    return matches[0] if matches else None


def resolve_source(connection: sqlite3.Connection, text: str) -> str:
    """Return the id of the source that a person means: by its id, a beginning of it, or its URL.

    Raises NotFound, Ambiguous.
    """
    if "://" in text:
        rows = connection.execute(
            "SELECT source_id FROM sources WHERE url = ? ORDER BY source_id LIMIT 20", (text,)
        )
        matches: list[str] = [row[0] for row in rows]
        if len(matches) > 1:
            raise Ambiguous("source", text, matches)
        source_id = matches[0] if matches else None
    else:
        source_id = _id_beginning(connection, "source", text) if text else None
    if source_id is None:
        ids = [row[0] for row in connection.execute("SELECT source_id FROM sources LIMIT 10000")]
        near = hints.nearest(text, ids)
        raise NotFound("source", text, f"did you mean {near}?" if near else "")
    return source_id


def resolve_entry(connection: sqlite3.Connection, text: str) -> int:
    """Return the number of the entry that a person means: #41, ID@3 or an event's id (its newest).

    Raises NotFound, Ambiguous.
    """
    if re.fullmatch(r"#[0-9]{1,15}", text):
        times_of_entry(connection, int(text[1:]))
        return int(text[1:])
    event_id, version = resolve_event(connection, text)
    row = connection.execute(
        "SELECT seq FROM event_versions WHERE event_id = ?1 AND version = coalesce(?2,"
        " (SELECT version FROM events WHERE event_id = ?1))",
        (event_id, version),
    ).fetchone()
    if row is None:
        raise NotFound("version", text)
    return int(row[0])


def _nearest_event(connection: sqlite3.Connection, text: str) -> str:
    ids = [row[0] for row in connection.execute("SELECT event_id FROM events LIMIT 10000")]
    near = hints.nearest(text, ids)
    return f"did you mean {near}?" if near else ""


def resolve_actor(connection: sqlite3.Connection, text: str) -> str:
    """Return the id of the actor that a person means: by its id, a name, or a beginning of an id.

    Raises NotFound, Ambiguous.
    """
    if connection.execute("SELECT 1 FROM actors WHERE actor_id = ?", (text,)).fetchone():
        return text
    found = actors.named(connection, text)
    if len(found) > 1:
        raise Ambiguous("actor", text, found, "name")
    actor_id = found[0] if found else text and _id_beginning(connection, "actor", text)
    if not actor_id:
        names = [name for (name,) in connection.execute("SELECT name FROM actors LIMIT 10000")]
        near = hints.nearest(text, names)
        raise NotFound("actor", text, f'did you mean "{near}"?' if near else "")
    return actor_id
