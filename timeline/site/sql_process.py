"""This program runs SQL on a timeline for Datasette's pages, in a process of its own.

Guarantees: a query that runs half a second longer than it may, or needs more than 200 MB, ends
this process; a result has at most RESULT bytes; nothing is written.

SQLite looks at no clock while it prepares a statement or runs one function, and has no limit of
memory for one connection. One line of nested CTEs took 6 GB and half a minute under a time limit
of one second. So the operating system sets both limits; it can set them only for a process.

Imports only the standard library and runs as a file, so that it starts in 30 ms; of the package it
loads the folding of words alone, and only for a search. It reads requests from its standard input
and writes answers to its standard output.
"""

from __future__ import annotations

import functools
import marshal
import os
import signal
import sqlite3
import sys
import time
from json.encoder import encode_basestring_ascii
from types import ModuleType
from typing import IO, Any, NamedTuple, TypeAlias

SqlValue: TypeAlias = int | float | str | bytes | None
SqlRow: TypeAlias = tuple[SqlValue, ...]

LIMITS = {
    # Bytes of a value: a payload has at most 4 MiB.
    sqlite3.SQLITE_LIMIT_LENGTH: 5_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
"""Limits of SQLite for every connection to a timeline."""

RESULT = 16_000_000
"""Bytes of a result as JSON or as HTML, whichever is longer, with the names of its columns in every
row. The longest entry of a log has 13 MB as JSON."""

_MARKUP = 60
"""Bytes that a page has around each value; 58 in the HTML of Datasette 0.65."""

_SHOWN = 2_048
"""Characters of a value that a page shows."""

_MEMORY = 200_000_000
"""Bytes of memory that this process may take; the largest result needs 60 MB."""

_FILE = 500_000_000
"""Bytes of a temporary file, for sorting and grouping."""

_GRACE = 0.5
"""Seconds after the time limit of a query at which the process ends."""


class Request(NamedTuple):
    """A query as it is sent to this process."""

    file: str
    """The URI of the file, which allows reading only."""

    sql: str
    values: dict[str, SqlValue] | list[SqlValue]
    """The values of its parameters, by name or by position."""

    most: int
    """The number of rows to return at most; -1 for all."""

    seconds: float
    """The time that the query may take."""

    link: int
    """The bytes of the link to a blob, which has all parameters of the page."""


class Answer(NamedTuple):
    """The result of a query as this process sends it back, or the problem that it had."""

    columns: list[str]
    rows: list[SqlRow]
    resident: int
    """The bytes of memory that the process keeps."""

    problem: str = ""
    """The message of the exception; empty for a result."""

    error: str = ""
    """The name of the exception of sqlite3 to raise for the problem."""


def send(file: IO[bytes], message: Request | Answer) -> None:
    """Write a message and its length."""
    packed = marshal.dumps(tuple(message))
    file.write(len(packed).to_bytes(8, "big"))
    file.write(packed)
    file.flush()


def receive(file: IO[bytes]) -> tuple[Any, ...]:
    """Read the fields of the next message. Raises EOFError if the other side has ended."""
    length = file.read(8)
    packed = file.read(int.from_bytes(length, "big"))
    if not packed:
        raise EOFError
    fields: tuple[Any, ...] = marshal.loads(packed)  # noqa: S302 - from our own process
    return fields


def restrict(connection: sqlite3.Connection) -> None:
    """Set the limits of a connection to a timeline, refuse writes on it, and fold its searches."""
    connection.create_function("escape_fts", 1, escape_fts, deterministic=True)
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    connection.execute("PRAGMA query_only = 1")


_READ_AS_NULL = frozenset(
    (
        *(("pragma_database_list", "file"), ("media_bytes", "body")),
        *(("node", "cluster"), ("node", "doubt"), ("node", "doubt_body")),
        *(("follows", "url"), ("sightings", "place")),
    )
)
"""Columns of which SQL sees no value: the paths of files, attached files, which are large, the
servers of a cluster, an append that may never be stored, and the folders of what is followed."""


def is_hidden(action: int, name: str | None, column: str | None) -> bool:
    """Tell whether SQL asks for a hidden column, by the arguments of an authorizer."""
    return action == sqlite3.SQLITE_READ and (name, column) in _READ_AS_NULL


def main() -> None:
    """Answer requests until the parent process ends."""
    import resource  # A browser (Pyodide) has no such module, and imports this one.

    _load_no_package()
    os.nice(5)  # The server goes first, but a busy machine does not stop honest queries.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    open_file, connection = "", sqlite3.connect(":memory:")
    while True:
        try:
            request = Request(*receive(sys.stdin.buffer))
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, request.seconds + _GRACE)
        try:
            if request.file != open_file:
                connection.close()
                open_file, connection = request.file, _opened(request.file)
            answer = _answer(connection, request)
        except sqlite3.Error as error:
            answer = Answer([], [], _resident(), str(error), type(error).__name__)
        except ValueError as error:
            answer = Answer([], [], _resident(), str(error), "OperationalError")
        send(sys.stdout.buffer, answer)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, uri=True)
    connection.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
    connection.set_authorizer(
        lambda action, name, column, _schema, _source: (
            sqlite3.SQLITE_IGNORE if is_hidden(action, name, column) else sqlite3.SQLITE_OK
        )
    )
    restrict(connection)
    return connection


def escape_fts(question: str) -> str:
    """Return the words of a search as `event_search` has them, quoted for FTS5.

    On a timeline this stands in for Datasette's function of that name, which knows no folding.
    """
    from timeline.model.search_words import phrases

    return " ".join(phrases(question, goes_on=False)) or '""'


def _load_no_package() -> None:
    """Let modules of the package be imported without all that it offers, which takes 0.5 s."""
    package = ModuleType("timeline")
    package.__path__ = [os.path.dirname(os.path.dirname(__file__))]  # noqa: PTH120 - see _resident
    sys.modules["timeline"] = package


def _answer(connection: sqlite3.Connection, request: Request) -> Answer:
    deadline = time.monotonic() + request.seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 1_000)
    cursor = connection.cursor()
    try:
        cursor.execute(request.sql, request.values)
        columns = [column for column, *_ in cursor.description or ()]
        around = sum(_size(column, 0) + _MARKUP for column in columns)
        rows: list[SqlRow] = []
        size = 0
        while len(rows) != request.most and (row := cursor.fetchone()) is not None:
            size += around + sum(_size(value, request.link) for value in row)
            if size > RESULT:
                raise sqlite3.OperationalError(
                    f"the result is larger than {RESULT // 1_000_000} MB: "
                    "ask for fewer rows, or for fewer or shorter columns"
                )
            rows.append(row)
        return Answer(columns, rows, _resident())
    finally:
        cursor.close()


def _resident() -> int:
    """Return the bytes of memory that this process has now; 0 where the system has no /proc."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - importing pathlib takes 10 ms
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def _size(value: SqlValue, link: int) -> int:
    """Return the bytes of a value as JSON in ASCII or as HTML, or somewhat more."""
    if isinstance(value, bytes):
        return len(value) * 4 // 3 + link
    if not isinstance(value, str):
        return 8
    size = len(encode_basestring_ascii(value))
    if value.lstrip().startswith(("http://", "https://")):
        return 2 * (size + _escapes(value))  # It is shown as a link, with the address in it.
    return size + _escapes(value[:_SHOWN])


def _escapes(text: str) -> int:
    """Return the bytes that a text grows by in HTML: each of these becomes five, such as &#34;."""
    return 4 * sum(map(text.count, "&<>\"'"))


if __name__ == "__main__":
    main()
