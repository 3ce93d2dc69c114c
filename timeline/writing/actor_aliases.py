"""Let other names mean an actor, also one that is only named in events yet.

Guarantees: participants that were recorded without an id stay the actors that they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from timeline.errors import NothingChanged
from timeline.model.content import Said
from timeline.model.names import fold
from timeline.reading import actors
from timeline.store.rows import RowDict
from timeline.writing.receipt import Receipt
from timeline.writing.statements import Statements


def record_aliases(
    append: Statements,
    connection: sqlite3.Connection,
    actor_id: str,
    names: Iterable[str],
    said: Said,
) -> list[Receipt]:
    """Let other names mean an actor; record it first if it is only named in events yet.

    `connection` reads the timeline. Raises NotFound, and NothingChanged if all names mean it.
    """
    known = actors.get(connection, actor_id)
    has = {fold(name) for name in (known["name"], *known["aliases"])}
    new = [name for name in names if fold(name) not in has]
    if not new:
        raise NothingChanged(f"actor {actor_id}")
    if known["seq"] is not None:
        return [append.update_actor(actor_id, [("aliases.-", name) for name in new], said)]
    named = {**id_and_name(known), "aliases": new}
    return record_named(append, named, actors.namesake(connection, known), said)


def record_named(
    append: Statements, actor: Mapping[str, Any], namesake: RowDict | None, said: Said
) -> list[Receipt]:
    """Record an actor; before it its namesake, so that participants without an id stay that one."""
    before = [append.record_actor(id_and_name(namesake), said)] if namesake else []
    return [*before, append.record_actor(actor, said)]


def id_and_name(actor: RowDict) -> dict[str, Any]:
    """Return id and name, which are all that participants tell about an actor."""
    return {"actor_id": actor["actor_id"], "name": actor["name"]}
