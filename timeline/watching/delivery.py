"""This module describes one delivery: an entry of the log for a receiver, and how it took it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple


class Delivery(NamedTuple):
    """A delivery has an entry in the form in which receivers get it."""

    entry: int
    """The number of the entry."""
    id: str
    """The id of the delivery, which stays the same if the entry is delivered again."""
    body: bytes
    """The entry as one line of JSON."""
    event_id: str
    version: int
    kind: str
    """The kind of the entry, such as event.corrected."""


class Reception(NamedTuple):
    """A reception says how a receiver took a delivery, and why it did not."""

    what: Literal["taken", "refused", "failed", "closed"]
    """Whether the receiver took the entry, will never take this one, may take it later, or takes
    none at all."""
    why: str = ""
    in_doubt: bool = False
    """Whether the receiver may have taken the entry although it did not say so."""
    after: float | None = None
    """The seconds after which the receiver wants to be asked again, if it said so."""


Deliver = Callable[[Delivery], Reception]

TAKEN = Reception("taken")
