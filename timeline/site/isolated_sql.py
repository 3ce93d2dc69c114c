"""Run the SQL of Datasette's pages about a timeline in processes of its own.

Guarantees: a query that a reader can write takes neither the memory of the server nor one of the
threads that our own pages are read in; it ends at Datasette's limit of time, or half a second
later, whatever it does.

Knows Datasette by its class Database, whose methods it replaces: there is no hook for this.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import functools
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar, cast

from timeline.site import sql_process
from timeline.site.sql_process import Answer, Request, SqlValue
from timeline.store.open_files import identity

T = TypeVar("T")

_PROCESSES = 2
"""The number of queries that run at once. Each may take 200 MB; a server stays below 600 MB."""

_PROGRAM = [sys.executable, "-P", sql_process.__file__]


class DatasettePage(NamedTuple):
    """A page of this kind is one of Datasette's own, about a timeline."""

    database: Any
    link: int
    """The bytes of the link to a blob, which has all parameters of the page."""


page_asked: contextvars.ContextVar[DatasettePage | None] = contextvars.ContextVar(
    "page_asked", default=None
)
"""The page that Datasette makes."""

_empty: contextvars.ContextVar[Request | None] = contextvars.ContextVar("_empty", default=None)
"""The request for a process that Database.execute is to fill in; None for other queries."""

_threads = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="isolated-sql")
_idle: list[subprocess.Popen[bytes]] = []
"""Processes that wait for a query; the last one is taken first."""

_RESTING = 60_000_000
"""Bytes of memory that a process may keep and not be replaced; it starts with 12,000,000."""


def install() -> None:
    """Let Database.execute run in a process, for a page and for nothing else.

    Without threads Datasette runs in a browser (Pyodide), which has no processes.
    """
    from datasette import handle_exception
    from datasette.database import Database

    # With rich installed, Datasette prints the traceback of every refused query, with all values:
    # half a second in which it answers nobody.
    handle_exception.rich = None
    execute = Database.execute
    # Datasette 1.0 alpha: execute_fn is for plugins, and both methods call the private one.
    name = "_execute_fn" if hasattr(Database, "_execute_fn") else "execute_fn"
    execute_fn = getattr(Database, name)

    @functools.wraps(execute)
    async def limited_execute(
        database: Any, sql: str, *arguments: Any, custom_time_limit: int | None = None, **more: Any
    ) -> Any:
        page = page_asked.get()
        # Datasette asks with PRAGMA itself, at every request; readers cannot.
        is_of_page = page is not None and page.database is database and sql[:7] != "PRAGMA "
        request = None
        if page and is_of_page and database.ds.executor is not None:
            longest: int = database.ds.sql_time_limit_ms
            seconds = min(custom_time_limit or longest, longest) / 1000
            request = Request(uri_of(database), "", [], -1, seconds, page.link)
        token = _empty.set(request)
        try:
            return await execute(
                database, sql, *arguments, custom_time_limit=custom_time_limit, **more
            )
        finally:
            _empty.reset(token)

    @functools.wraps(execute_fn)
    async def isolated_execute_fn(database: Any, function: Callable[[Any], T]) -> T:
        request = _empty.get()
        if request is None:
            return cast(T, await execute_fn(database, function))
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(
            _threads, run, function, _Connection(request)
        )

    Database.execute = limited_execute
    setattr(Database, name, isolated_execute_fn)


def uri_of(database: Any) -> str:
    """Return the address that Datasette opens for reading, whatever letters the path has.

    It ends in a fragment, which SQLite ignores: a process keeps a file open until it is asked for
    another address, and a file that took the place of another one has to be opened.
    """
    if not database.is_mutable:
        options = "immutable=1"
    else:
        options = "mode=ro&nolock=1" if database.ds.nolock else "mode=ro"
    file = "-".join(map(str, identity(database.path) or ()))
    return f"{Path(database.path).absolute().as_uri()}?{options}#{file}"


class _Connection:
    """A connection has only what Database.execute uses; the process keeps the time."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def set_progress_handler(self, handler: object, n: int) -> None:
        """Ignore the handler."""

    def cursor(self) -> _Cursor:
        """Return a new cursor."""
        return _Cursor(self._request)


class _Cursor:
    """A cursor has only what Database.execute uses, and runs one query."""

    description: tuple[tuple[str | None, ...], ...] | None = None

    def __init__(self, request: Request) -> None:
        self._request = request

    def execute(self, sql: str, values: Mapping[str, SqlValue] | Sequence[SqlValue]) -> None:
        """Remember the query, which runs when its rows are fetched."""
        self._request = self._request._replace(sql=sql, values=_plain(sql, values))

    def fetchall(self) -> list[sqlite3.Row]:
        """Return all rows."""
        return self.fetchmany(-1)

    def fetchmany(self, most: int) -> list[sqlite3.Row]:
        """Return the first rows."""
        answer = _ask(self._request._replace(most=most))
        if answer.problem:
            raise getattr(sqlite3, answer.error)(answer.problem)
        if not answer.columns:
            return []
        names = ", ".join("NULL AS " + _quoted(name) for name in answer.columns)
        with contextlib.closing(sqlite3.connect(":memory:")) as connection:
            named = connection.execute(f"SELECT {names}")
            self.description = named.description
            return [sqlite3.Row(named, row) for row in answer.rows]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(
    sql: str, values: Mapping[str, SqlValue] | Sequence[SqlValue]
) -> dict[str, SqlValue] | list[SqlValue]:
    """Return the values as they are sent; Datasette looks some up only when they are asked for."""
    if not isinstance(values, Mapping):
        return list(values)
    plain = {}
    for name in re.findall(r"[:@$](\w+)", sql):
        with contextlib.suppress(KeyError):
            plain[name] = values[name]
    return plain


def _ask(request: Request) -> Answer:
    """Return what a process answers, or the problem that ended it."""
    process = _taken()
    try:
        sql_process.send(cast(IO[bytes], process.stdin), request)
        answer = Answer(*sql_process.receive(cast(IO[bytes], process.stdout)))
    except (BrokenPipeError, EOFError):
        process.communicate()
        problem = "the query needs too much memory"
        if process.returncode == -signal.SIGALRM:
            problem = "interrupted"  # Datasette knows the time limit by this word of SQLite.
        return Answer([], [], 0, problem, "OperationalError")
    if answer.resident > _RESTING:
        process.communicate()
    else:
        _idle.append(process)
    return answer


def _taken() -> subprocess.Popen[bytes]:
    """Return a process that waits for a query, a new one if there is none."""
    while _idle:
        process = _idle.pop()
        if process.poll() is None:
            return process
        process.communicate()
    return subprocess.Popen(  # noqa: S603 - our own file
        _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


@atexit.register
def _end_all() -> None:
    for process in _idle:
        process.communicate()
