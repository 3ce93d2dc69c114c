"""Let requests for our pages take turns, so that many of one kind do not hold up the others.

Guarantees: a few pages are made at once. When one is finished, the kinds of requests that wait
take turns: a request waits for the earlier ones of its kind, and for one of each other kind.

A page of 100,000 events takes 40 ms of processor time; a search in the past takes 350 ms. In the
order of their arrival, 50 readers of such pages let all others wait for 2 to 17 s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Hashable
from typing import Any
from weakref import WeakKeyDictionary

_AT_ONCE = 2
"""Pages that are made at once. More would share the same processor time: Python runs one thread."""

_WAITING = 100
"""Requests of one kind that wait for their turn: 4 s for ordinary pages. More are refused."""


class TooManyWait(Exception):
    """So many requests of one kind wait that a further one is refused."""


class _Order:
    """The order of one Datasette has the requests that wait, by their kind."""

    def __init__(self) -> None:
        self.running = 0
        self.waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        """The kind whose turn is next comes first."""

    def pass_on(self) -> None:
        """Give the turn that has ended to the next request that still waits."""
        while self.waiting:
            kind, queue = next(iter(self.waiting.items()))
            del self.waiting[kind]
            turn = queue.popleft()
            if queue:
                self.waiting[kind] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1


_orders: WeakKeyDictionary[Any, _Order] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def turn(datasette: Any, kind: Hashable) -> AsyncIterator[None]:
    """Run the body when the turn of a request has come. Raises TooManyWait."""
    order = _orders.setdefault(datasette, _Order())
    if order.running < _AT_ONCE:
        order.running += 1
    else:
        queue = order.waiting.setdefault(kind, deque())
        if len(queue) >= _WAITING:
            raise TooManyWait
        came = asyncio.get_running_loop().create_future()
        queue.append(came)
        try:
            await came
        except asyncio.CancelledError:
            if came.done() and not came.cancelled():
                order.pass_on()
            raise
    try:
        yield
    finally:
        order.pass_on()
