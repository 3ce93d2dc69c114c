"""Find events that may be the one that somebody describes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from timeline.intake.proposals.checked import BroughtQuote


class Near(NamedTuple):
    """A current event that may be the same, and why."""

    event_id: str
    title: str
    when: str
    """Its date in words."""
    why: str


def nearby(
    log: sqlite3.Connection,
    content: Mapping[str, Any],
    quotes: Sequence[BroughtQuote] = (),
    *,
    but: str | None = None,
) -> list[Near]:
    """Return at most five current events that may be the one with this content, but `but`.

    `content` is that of an event, as the writer would store it.
    """
    raise NotImplementedError
