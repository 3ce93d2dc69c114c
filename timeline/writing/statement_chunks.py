"""Hold statements by the chunk while another process prepares them.

Guarantees: a statement is held as it was when it was taken: whoever made it may change it later.
"""

from __future__ import annotations

import contextlib
import itertools
import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from timeline.model.content import Event
from timeline.store import helper_process
from timeline.writing.event_statement import InputPlace, Placed, statement_at
from timeline.writing.prepared import Prepared, Setting, prepared_of

K = TypeVar("K")

_PREPARING = "timeline.writing.prepared:preparing"


class Held(NamedTuple, Generic[K]):
    """Holds a statement until it has its turn."""

    key: K
    """What its caller knows it by."""
    event: Event | bytes
    """The statement; a dict is pickled."""
    prepared: Prepared | None = None
    """What it becomes; None if it has to take the ordinary way."""

    def statement(self) -> Event | Mapping[str, Any]:
        """Return the statement as it was when it was taken."""
        if isinstance(self.event, bytes):
            fields: dict[str, Any] = pickle.loads(self.event)  # noqa: S301 - `pickled` made it
            return fields
        return self.event


def prepared_chunks(
    statements: Iterable[Held[K]], setting: Setting
) -> Generator[list[Held[K]], None, None]:
    """Yield the statements some at a time, most of them prepared by another process.

    What `statements` raises is raised when all statements before it have been yielded.
    """
    chunks = (
        (chunk, [each.event if isinstance(each.event, bytes) else None for each in chunk])
        for chunk in helper_process.chunked(statements, _bytes_of)
    )
    with contextlib.closing(
        helper_process.answered(_PREPARING, tuple(setting), chunks)
    ) as answered:
        for chunk, answers in answered:
            yield [
                Held(held.key, held.event, prepared_of(answer)) if answer else held
                for held, answer in itertools.zip_longest(chunk, answers or ())
            ]


def _bytes_of(held: Held[Any]) -> int:
    return len(held.event) if isinstance(held.event, bytes) else 0


def held(
    events: Iterable[Placed], is_known: Callable[[object], bool]
) -> Iterator[Held[InputPlace]]:
    """Hold statements as they are taken; nothing is prepared of an event whose id `is_known`.

    Raises InvalidInput for a statement that can only be refused.
    """
    for place, event in events:
        kept = None
        if isinstance(event, dict) and not is_known(event.get("event_id")):
            kept = pickled(event)
        yield Held(place, kept or statement_at(place, event))


def pickled(statement: dict[str, Any]) -> bytes | None:
    """Return a statement as it is now; None if it has a part that cannot be pickled."""
    with contextlib.suppress(Exception):  # validation says better what is wrong with it
        return pickle.dumps(statement, pickle.HIGHEST_PROTOCOL)
    return None
