"""Hold statements by the chunk until they have their turn.

Guarantees: a statement is held as it was when it was taken: whoever made it may change it later.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from timeline.errors import TimelineError
from timeline.model.content import Event
from timeline.writing.event_statement import InputPlace, Placed, statement_at

SIZE = 64
"""The number of statements in a chunk."""
Chunk = list[tuple[InputPlace, Event | bytes]]
"""Statements with their places; a dict is pickled."""


def chunks(events: Iterator[Placed]) -> Iterator[tuple[Chunk, list[bytes | None]]]:
    """Yield some statements at a time, and what the helper is given of them.

    An error is raised when the statements before it have been yielded.
    """
    while True:
        chunk: Chunk = []
        failure = None
        try:
            for place, event in islice(events, SIZE):
                chunk.append((place, _kept(place, event)))
        except TimelineError as error:
            failure = error
        if chunk:
            yield chunk, [each if isinstance(each, bytes) else None for _, each in chunk]
        if failure:
            raise failure
        if len(chunk) < SIZE:
            return


def _kept(place: InputPlace, event: Event | Mapping[str, Any]) -> Event | bytes:
    """Return a statement as it is now: whoever made it may change it before it has its turn."""
    if isinstance(event, dict):
        with contextlib.suppress(Exception):  # validation says better what is wrong with it
            return pickle.dumps(event, pickle.HIGHEST_PROTOCOL)
    return statement_at(place, event)


def unpickled(chunk: Chunk) -> Iterator[Placed]:
    """Yield the statements of a chunk after their places."""
    for place, event in chunk:
        yield place, pickle.loads(event) if isinstance(event, bytes) else event  # noqa: S301
