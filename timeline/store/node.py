"""Keep the row of a node: a file that has a copy of a log whose order is a stream of a cluster.

Guarantees: the row and the guard, a trigger that refuses entries which do not come by the cluster,
are put in together and taken out together. A file that is no node has no guard, so an insert costs
nothing there. The position in the stream changes with the log, in one transaction.

Knows only table `node` and its guard; `timeline.cluster` decides what the row says.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from timeline.model.resources import db_folder
from timeline.store import schema


class Node(NamedTuple):
    """A node is the one row of table `node`."""

    cluster: str
    """The address of the cluster, "nats://host,host/NAME", without a user and a password."""
    name: str
    """The name of this node."""
    role: str
    """What this node may do: "writer" or "reader"."""
    with_texts: int
    """1 if the node fetches the texts of sources, as every writer does; else 0."""
    generation: int
    """The number of the generation of the stream that this file follows, from 1."""
    created: str
    """The time when the stream of this generation was made, in ISO 8601, as the server says it."""
    message: int
    """The sequence of the last message of the stream that is in the log here; 0 for none."""
    message_id: str
    """The Nats-Msg-Id of that message, "sha256:" and hex; "" for none."""
    size: int
    """The number of entries in the log after that message."""
    scrubbed: int = -1
    """The number of the newest entry up to which all erased words are out of the bytes of the file;
    -1 if none was looked at."""
    unexcused: str = "{}"
    """A JSON object with the id and the number of each entry without a payload whose erasure has
    not been read yet."""
    writing: int = 0
    """1 inside a transaction of the cluster, in which the log may grow; else 0."""
    doubt: str | None = None
    """A JSON object about the append of which nobody knows yet whether the stream has it, with the
    headers of its messages; None without one."""
    doubt_body: bytes | None = None
    """The bodies of these messages, one after another; None without such an append."""


def node_of(connection: sqlite3.Connection) -> Node | None:
    """Return of which cluster this file is a node, and how far it is; None for any other file.

    A file of an earlier schema, which has no table `node`, is no node.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < _SINCE:
        return None
    row = connection.execute(f"SELECT {_COLUMNS} FROM node").fetchone()  # noqa: S608
    return Node._make(row) if row else None


def join(connection: sqlite3.Connection, node: Node) -> None:
    """Make the file a node, in the transaction that is open: put in the row and the guard."""
    places = ", ".join("?" * len(node))
    connection.execute(f"INSERT INTO node ({_COLUMNS}) VALUES ({places})", node)  # noqa: S608
    schema.run_script(connection, guard())


def change(connection: sqlite3.Connection, **fields: int | str | bytes | None) -> None:
    """Change some fields of the row, in the transaction that is open."""
    columns = ", ".join(f"{name} = :{name}" for name in Node._fields if name in fields)
    connection.execute(f"UPDATE node SET {columns}", fields)  # noqa: S608


def leave(connection: sqlite3.Connection) -> None:
    """Make the file a log of its own, in the transaction that is open: no row, no guard."""
    connection.execute("DROP TRIGGER IF EXISTS node_guard")
    connection.execute("DELETE FROM node")


def awaiting(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the entries without a payload whose erasure is still to come, as the row says.

    They are numbers by ids. Raises ValueError for a row that says it in another form.
    """
    node = node_of(connection)
    awaited = json.loads(node.unexcused) if node else {}
    if not isinstance(awaited, dict) or not all(type(seq) is int for seq in awaited.values()):
        raise ValueError(awaited)
    return awaited


def guard() -> str:
    """Read the SQL of the guard."""
    return (db_folder() / "node_guard.sql").read_text(encoding="utf-8")


_COLUMNS = ", ".join(Node._fields)
_SINCE = 5
"""The first schema that has table `node`."""
