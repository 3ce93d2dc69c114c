"""Hold statements by the chunk until they have their turn.

Guarantees: a statement is held as it was when it was taken: whoever made it may change it later.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from timeline.model.content import Event
from timeline.store import helper_process
from timeline.writing.event_statement import InputPlace, Placed, statement_at

Held = tuple[InputPlace, Event | bytes]
"""A statement with its place; a dict is pickled."""


def chunks(events: Iterable[Placed]) -> Iterator[tuple[list[Held], list[bytes | None]]]:
    """Yield some statements at a time, and what the helper is given of them.

    An error is raised when the statements before it have been yielded.
    """
    held = ((place, _kept(place, event)) for place, event in events)
    for chunk in helper_process.chunked(held, lambda each: len(_pickled(each) or b"")):
        yield chunk, [*map(_pickled, chunk)]


def _pickled(held: Held) -> bytes | None:
    _, event = held
    return event if isinstance(event, bytes) else None


def _kept(place: InputPlace, event: Event | Mapping[str, Any]) -> Event | bytes:
    """Return a statement as it is now: whoever made it may change it before it has its turn."""
    if isinstance(event, dict):
        with contextlib.suppress(Exception):  # validation says better what is wrong with it
            return pickle.dumps(event, pickle.HIGHEST_PROTOCOL)
    return statement_at(place, event)


def unpickled(chunk: Iterable[Held]) -> Iterator[Placed]:
    """Yield the statements of a chunk after their places."""
    for place, event in chunk:
        yield place, pickle.loads(event) if isinstance(event, bytes) else event  # noqa: S301
