"""Publish many messages without waiting for each: group them, and collect the answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from timeline.cluster.message import Part

Flying = deque[Future[list[int | BaseException]]]
"""Groups of messages in flight, each with what became of its messages when that is known."""


def grouped(messages: Iterable[Sequence[Part]], size: int) -> Iterable[list[Sequence[Part]]]:
    """Cut messages into groups; a message of several parts is a group of its own."""
    group: list[Sequence[Part]] = []
    for parts in messages:
        if len(parts) > 1 and group:
            yield group
            group = []
        group.append(parts)
        if len(parts) > 1 or len(group) == size:
            yield group
            group = []
    if group:
        yield group


def settled(flying: Flying, only_first: bool = False) -> int:
    """Wait for groups in flight; give the last sequence, or raise the first error."""
    last = 0
    failed: BaseException | None = None
    while flying:
        for result in flying.popleft().result():
            if isinstance(result, BaseException):
                failed = failed or result
            else:
                last = result
        if only_first and not failed:
            break
    if failed:
        raise failed
    return last
