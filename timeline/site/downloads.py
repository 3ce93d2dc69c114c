"""Send files of many events piece by piece, a few files at a time.

Guarantees: a file shows one state of the log. The server holds one piece of each file in memory,
and reads files in threads of their own, so that pages never wait for one. A file that cannot be
finished ends with the connection, before its last bytes, and is never taken for a whole one.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from timeline.errors import TakesTooLong
from timeline.reading import deadline
from timeline.site import isolated_sql, responses
from timeline.site.responses import Asked

T = TypeVar("T")
Pieces = Callable[[sqlite3.Connection], AbstractContextManager[Iterator[str | bytes]]]
"""A function that chooses what is in a file, and yields its pieces."""

_AT_ONCE = 8
"""Files that are sent at once. Each holds a thread, a connection of 2 MB, and one piece."""

_AT_WORK = 2
"""Files of which a piece is made at once; the others wait for their readers. Each keeps a core."""

_PATIENCE = 2.0
"""Seconds that a request waits for another file to end, before it is refused."""

_RETRY = 10
"""Seconds after which a refused reader may ask again."""

_LONGEST = 1_800.0
"""Seconds that a file may take. A calendar of 100,000 events, the slowest, is made in 16 s."""

_STALLED = 10.0
"""Seconds that a reader may take for one piece: at least 6 kB/s."""

_PIECE = 2**16
"""Characters of a piece, at least, but for the last one."""


class _Turns:
    """The turns of one Datasette: to send a file, and to make a piece of it."""

    def __init__(self) -> None:
        self.sending = asyncio.Semaphore(_AT_ONCE)
        self.working = asyncio.Semaphore(_AT_WORK)


_turns: WeakKeyDictionary[Any, _Turns] = WeakKeyDictionary()


async def send_file(
    asked: Asked, media_type: str, pieces: Pieces, headers: Mapping[str, str] | None = None
) -> Any:
    """Send a file, and return None; or return the response that refuses it.

    Its events are chosen in the time of a page. Raises TimelineError before anything is sent.
    """
    await responses.check_permission(asked)
    turns = _turns.setdefault(asked.datasette, _Turns())
    try:
        async with asyncio.timeout(_PATIENCE):
            await turns.sending.acquire()
    except TimeoutError:
        busy = f"{_AT_ONCE} files are being sent already: ask again in {_RETRY} seconds"
        return responses.one_line(asked, busy, 503, {"Retry-After": str(_RETRY)})
    file = _File(asked, turns)
    try:
        await file.open(pieces)
        first = b"" if asked.request.method == "HEAD" else await file.piece()
        with contextlib.suppress(TimeoutError, TakesTooLong):
            ours = responses.headers_of(asked, media_type)
            headers = {**ours, "Content-Type": media_type, **(headers or {})}
            await _send(asked, headers, first, file.piece)
    finally:
        file.close()
        turns.sending.release()
    return None


async def _send(
    asked: Asked,
    headers: Mapping[str, str],
    first: bytes,
    following: Callable[[], Awaitable[bytes]],
) -> None:
    """Send a file to its end, or until its reader has gone. Raises TimeoutError."""
    gone = asyncio.ensure_future(_gone(asked.request.receive))
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    try:
        await asked.send({"type": "http.response.start", "status": 200, "headers": lines})
        body = first
        while body:
            async with asyncio.timeout(_STALLED):
                await asked.send({"type": "http.response.body", "body": body, "more_body": True})
            if gone.done():
                return
            body = await following()
        await asked.send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _gone(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Wait until the reader closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _File:
    """A file has a thread and a connection of its own, in which its pieces are made in turn.

    Without threads, as in a browser (Pyodide), the pieces are made where they are asked for.
    """

    def __init__(self, asked: Asked, turns: _Turns) -> None:
        self._asked = asked
        self._turns = turns
        self._end = time.monotonic() + _LONGEST
        self._opened = contextlib.ExitStack()
        has_threads = asked.datasette.executor is not None
        self._thread = ThreadPoolExecutor(1, "timeline-file") if has_threads else None

    async def open(self, pieces: Pieces) -> None:
        """Choose the events of the file. Raises TimelineError."""
        await self._run(lambda: self._choose(pieces))

    async def piece(self) -> bytes:
        """Return the next piece; an empty one after the last. Raises TakesTooLong."""
        return await self._run(self._next)

    def close(self) -> None:
        """Close the connection, in the thread that opened it, when it has nothing else to do."""
        if self._thread is None:
            self._opened.close()
        else:
            self._thread.submit(self._opened.close)
            self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            return work()
        async with self._turns.working:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _choose(self, pieces: Pieces) -> None:
        database = self._asked.datasette.get_database(self._asked.mount.database)
        connection = sqlite3.connect(isolated_sql.uri_of(database), uri=True, isolation_level=None)
        self._connection = self._opened.enter_context(contextlib.closing(connection))
        connection.execute("BEGIN")
        with deadline.within(connection, self._asked.seconds):
            self._pieces = self._opened.enter_context(pieces(connection))

    def _next(self) -> bytes:
        made: list[bytes] = []
        length = 0
        left = None if self._asked.is_frozen else self._end - time.monotonic()
        with deadline.within(self._connection, left):
            deadline.check()
            for piece in self._pieces:
                made.append(piece.encode() if isinstance(piece, str) else piece)
                length += len(piece)
                if length >= _PIECE:
                    break
        return b"".join(made)
