"""Let only a few requests for Datasette's pages about timelines run at once.

Guarantees: at one moment these requests hold a few results in memory, however many readers ask
and however slowly they read; a request that would have to wait for long is refused at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_AT_ONCE = 4
"""Requests that run at once. Each may hold 16 MB of rows, and the page made of them."""

_WAITING = 16
"""Requests that wait for their turn. Further requests are refused."""

_LONGEST = 120
"""Seconds that a request may wait and run; a page of 16 MB needs a reader of 140 kB/s."""

_PIECE = 2**16
"""Bytes of a page that the server gets at once: it keeps what a slow reader has yet to take."""

_BUSY = "Too many queries at once: ask again in 5 seconds\n"
_LATER = ((b"retry-after", b"5"),)


class _Queue:
    """A queue has the requests of one Datasette that run or wait."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self.length = 0
        """The number of requests that run or wait."""


_queues: WeakKeyDictionary[Any, _Queue] = WeakKeyDictionary()


async def in_turn(datasette: Any, answer: Callable[[Send], Awaitable[None]], send: Send) -> None:
    """Answer a request when its turn comes, or with status 503 if too many others wait."""
    queue = _queues.setdefault(datasette, _Queue())
    if queue.length == _AT_ONCE + _WAITING:
        await refuse(send, 503, _BUSY, _LATER)
        return
    has_begun = False

    async def send_in_pieces(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        body = message.get("body", b"")
        ends = range(_PIECE, len(body), _PIECE)
        for end in ends:
            await send({**message, "body": body[end - _PIECE : end], "more_body": True})
        await send({**message, "body": body[len(ends) * _PIECE :]} if ends else message)

    queue.length += 1
    try:
        async with asyncio.timeout(_LONGEST), queue.turns:
            await answer(send_in_pieces)
    except TimeoutError:
        if not has_begun:
            await refuse(send, 503, _BUSY, _LATER)
    finally:
        queue.length -= 1


async def refuse(
    send: Send, status: int, text: str, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """Answer a request with a plain text, and with `more` headers."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
