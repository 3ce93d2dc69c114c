"""Keep Datasette from writing to a timeline, showing its folder, and loading from other hosts.

Guarantees, in Datasette 0.65 as in the 1.0 alphas, for every user and however a timeline came to
be served: no connection that can write to its file is opened, and no connection of another
database can attach it for writing; a request under its address that would change something is
refused in one line; no page shows the path of a folder; its pages load nothing from other hosts.
The inbox of a timeline is not served, whatever its name. Other databases beside it are written and
shown as in any Datasette.

Knows Datasette only by the arguments of the hooks, and imports nothing of it before they run.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakSet

import click

from timeline.errors import InvalidInput
from timeline.site import isolated_sql, replaced_files, sql_process, turns
from timeline.site.arguments import arguments
from timeline.site.turns import Message, Send
from timeline.store import storage
from timeline.store.own_files import INBOX, WITNESS_STATE

READ_ONLY = "This timeline is read-only"

_NOT_FOR_READERS = {
    INBOX.application_id: "the inbox of a timeline",
    WITNESS_STATE.application_id: "the state of a witness",
}
"""The files of this package that are not served, by the number in their header: an inbox has words
that nobody decided on yet."""

_WRITE_ACTIONS = frozenset(
    (
        "alter-table",
        "create-table",
        "create-view",
        "delete-row",
        "drop-table",
        "drop-view",
        "execute-write-sql",
        "insert-row",
        "set-column-type",
        "store-query",
        "update-row",
    )
)
"""The actions of Datasette 1.0 that no timeline permits, so that its pages do not offer them."""

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of our own pages, which have no script and no style in their HTML.

Their JSON-LD is data: browsers never run it, and no policy is about it.

These pages send it themselves; the guard leaves a policy with a default-src as it is.
"""

_DATASETTE_POLICY = (
    f"{PAGE_POLICY}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)
"""The policy of Datasette's own pages, which have scripts and styles in their HTML."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

_LONGEST_QUERY = 20_000
"""Bytes of the parameters of a page of Datasette, which writes them into each of its many links."""

_Application = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]


# --- Which databases ----------------------------------------------------------------------

_known: WeakSet[Any] = WeakSet()


def timelines(datasette: Any) -> list[str]:
    """Return the names of the databases that are timelines."""
    return [name for name, database in datasette.databases.items() if is_timeline(database)]


def is_timeline(database: Any) -> bool:
    """Tell whether the file of a Datasette database is a timeline; a yes is remembered."""
    if database in _known:
        return True
    # SQLite reads it, not open(): closing a file of our own would drop the locks of SQLite on it.
    if database.path is None or not _file_is_timeline(
        database.path, immutable=not database.is_mutable
    ):
        return False
    _known.add(database)
    return True


def refuse_own_files(datasette: Any) -> None:
    """Raise click.ClickException, which ends Datasette with one line, if it serves an inbox.

    Other files of this package that are no timelines are refused as well.
    """
    for database in datasette.databases.values():
        if problem := _not_for_readers(database):
            raise click.ClickException(f"{database.path} {problem}")


def _not_for_readers(database: Any) -> str | None:
    """Say why a file is not served, if it is a file of this package, but no timeline."""
    if database.path is None:
        return None
    number = _application_id(database.path, immutable=not database.is_mutable)
    what = _NOT_FOR_READERS.get(number or 0)
    return what and f"is {what}, which is not for readers: leave it out"


def _file_is_timeline(path: str | Path, *, immutable: bool = False) -> bool:
    return _application_id(path, immutable=immutable) == storage.APPLICATION_ID


def _application_id(path: str | Path, *, immutable: bool = False) -> int | None:
    """Return the number in the header of a file; None if there is no file, or no database."""
    try:
        with contextlib.closing(reading(path, immutable=immutable)) as connection:
            return _application_id_of(connection)
    except sqlite3.Error:
        return None


def reading(path: str | Path, *, immutable: bool = False) -> sqlite3.Connection:
    """Return a new connection that cannot write; `immutable` promises that no one else writes."""
    mode = "immutable=1" if immutable else "mode=ro"
    return sqlite3.connect(f"{Path(path).absolute().as_uri()}?{mode}", uri=True)


def _application_id_of(connection: sqlite3.Connection) -> int:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    return int(application_id)


# --- Connections --------------------------------------------------------------------------


@functools.cache
def install() -> None:
    """Replace the methods of Datasette that open connections for writing and that show paths.

    Datasette has no hook for either. Every write, whatever its method and thread, takes its
    connection from Database.connect, and databases may be added at any time. So the method of the
    class is replaced, once in a process. So is the method that runs SQL.
    """
    from datasette.app import Datasette
    from datasette.database import Database
    from datasette.utils.asgi import Forbidden

    connect = Database.connect
    connected_databases = Datasette._connected_databases
    threads = Datasette._threads

    @functools.wraps(connect)
    def guarded_connect(database: Any, write: bool = False) -> sqlite3.Connection:
        if is_timeline(database):
            if write:
                raise Forbidden(READ_ONLY)
        elif problem := _not_for_readers(database):
            raise Forbidden(f"This file {problem}")
        connection: sqlite3.Connection = connect(database, write)
        return connection

    @functools.wraps(connected_databases)
    def without_folders(datasette: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = connected_databases(datasette)
        if timelines(datasette):
            for row in rows:
                row["path"] = row["path"] and Path(row["path"]).name
        return rows

    @functools.wraps(threads)
    def without_places(datasette: Any) -> dict[str, Any]:
        told: dict[str, Any] = threads(datasette)
        if timelines(datasette):
            told["tasks"] = [re.sub(r"/[^ :>]*/", "", task) for task in told.get("tasks", ())]
        return told

    Database.connect = guarded_connect
    Datasette._connected_databases = without_folders
    Datasette._threads = without_places
    isolated_sql.install()


def prepare(connection: sqlite3.Connection, datasette: Any) -> None:
    """Set limits for a timeline's connection, and let none beside it attach it for writing."""
    if timelines(datasette):
        connection.set_authorizer(_authorize)
    if _application_id_of(connection) == storage.APPLICATION_ID:
        sql_process.restrict(connection)


def _authorize(
    action: int, name: str | None, column: str | None, _schema: str | None, _source: str | None
) -> int:
    if sql_process.is_hidden(action, name, column):
        return sqlite3.SQLITE_IGNORE  # The column reads as NULL.
    if action == sqlite3.SQLITE_ATTACH and _may_write_to_timeline(name):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _may_write_to_timeline(attached: str | None) -> bool:
    """Tell whether ATTACH with this name could open a timeline for writing."""
    if attached is None:
        return True  # The name is an expression, whose value is not known yet.
    if not attached.startswith("file:"):
        return _file_is_timeline(attached)
    address = urlsplit(attached)
    options = parse_qs(address.query)
    if options.get("mode") == ["ro"] or options.get("immutable") == ["1"]:
        return False  # Datasette's own --crossdb attaches files in this way.
    return _file_is_timeline(unquote(address.path))


# --- Requests and responses ---------------------------------------------------------------


def guard_application(datasette: Any, application: _Application) -> _Application:
    """Return the application with headers on its pages and no way to change a timeline.

    More parameters than `arguments` takes are refused on Datasette's own pages of a timeline, too.
    Pages of other databases beside a timeline are left as they are.
    """

    async def guarded(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Send
    ) -> None:
        if scope["type"] != "http" or not (names := timelines(datasette)):
            await application(scope, receive, send)
            return
        missing = replaced_files.notice(datasette, names)
        database = _database_at(datasette, scope["path"])
        if database is not None and not is_timeline(database):
            await application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_headers(message.get("headers", ()))}
            await send(message)

        if missing.issuperset(names if database is None else (database.name,)):
            await turns.refuse(
                send_with_headers, 503, "The file of this timeline is not there now\n"
            )
        elif database is not None and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            await turns.refuse(send_with_headers, 403, READ_ONLY)
        elif database is None:
            await application(scope, receive, send_with_headers)
        elif problem := _problem_of_arguments(scope):
            await turns.refuse(send_with_headers, 400, f"{problem}\n")
        else:
            answer = partial(application, scope, receive)
            # A letter of the parameters may become three in a link.
            page = isolated_sql.DatasettePage(
                database, 3 * len(scope.get("query_string", b"")) + 200
            )
            token = isolated_sql.page_asked.set(page)
            try:
                await turns.in_turn(datasette, answer, send_with_headers)
            finally:
                isolated_sql.page_asked.reset(token)

    return guarded


def _database_at(datasette: Any, path: str) -> Any:
    """Return the database whose route is the first part of a path, up to a dot, or None."""
    from datasette.utils import tilde_decode

    path = path.removeprefix(datasette.setting("base_url")).removeprefix("/")
    route = tilde_decode(re.split(r"[/.]", path, maxsplit=1)[0])
    with contextlib.suppress(KeyError):
        return datasette.get_database(route=route)
    return None


def denial(datasette: Any, action: str) -> Any:
    """Return the rule of Datasette 1.0 against an action that writes; None for another one."""
    if action not in _WRITE_ACTIONS:
        return None
    from datasette.permissions import PermissionSQL

    return PermissionSQL(
        "SELECT value AS parent, NULL AS child, 0 AS allow, :timeline_reason AS reason"
        "  FROM json_each(:timeline_names)",
        {"timeline_reason": READ_ONLY, "timeline_names": json.dumps(timelines(datasette))},
    )


def _with_headers(headers: Any) -> list[tuple[bytes, bytes]]:
    present = {name.lower(): value for name, value in headers}
    added = [header for header in _HEADERS if header[0] not in present]
    # Datasette 1.0 sends a policy that is only about frames with some pages: both then apply.
    if b"default-src" not in present.get(b"content-security-policy", b""):
        added.append((b"content-security-policy", _DATASETTE_POLICY.encode()))
    return [*headers, *added]


def _problem_of_arguments(scope: Message) -> InvalidInput | None:
    """Return what is wrong with the arguments of a request; SQL may be longer than other values."""
    query_string = scope.get("query_string", b"")
    if len(query_string) > _LONGEST_QUERY:
        return InvalidInput("", f"the address is too long: give at most {_LONGEST_QUERY:,} bytes")
    try:
        arguments(
            query_string.decode("latin-1"),
            lambda name: name.startswith("_search"),
        )
    except InvalidInput as error:
        return error
    return None
