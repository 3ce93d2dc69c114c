"""Keep what is known of an append in doubt: the cluster did not say whether it stored it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from timeline.cluster import message
from timeline.cluster.message import Part
from timeline.store.node import Node


class Doubt(NamedTuple):
    """An append of which the cluster did not say whether it stored it (column `doubt`)."""

    parts: list[dict[str, str]]
    """The headers of each part; empty after it is known that the append was stored."""
    recorded_at: str
    first: int
    """The seq of its first entry."""
    size: int
    """The number of entries in the log after it."""

    def as_json(self) -> str:
        """Return the value of column `doubt`."""
        return json.dumps(self._asdict())

    @property
    def id(self) -> str:
        return self.parts[0]["Nats-Msg-Id"] if self.parts else ""

    @property
    def expected(self) -> int:
        """Return the last sequence of the stream before it."""
        return int(self.parts[0]["Nats-Expected-Last-Sequence"])

    @property
    def stream(self) -> str:
        """Return the name of the stream to which it was published."""
        return self.parts[0]["Nats-Expected-Stream"]

    @property
    def entries(self) -> str:
        last = self.size - 1
        return f"entry {last}" if self.first == last else f"entries {self.first}-{last}"


def doubt_of(row: Node) -> Doubt | None:
    """Return the append that was in doubt last, if it may still be repeated."""
    return Doubt(**json.loads(row.doubt)) if row.doubt else None


def parts_of(row: Node, doubt: Doubt) -> list[Part]:
    """Return the parts of an append in doubt, to be published again."""
    body = row.doubt_body or b""
    return [
        Part(headers, body[start * message.PART : (start + 1) * message.PART])
        for start, headers in enumerate(doubt.parts)
    ]


def set_aside(path: str, row: Node) -> str | None:
    """Write the entries of an append in doubt, which are not stored, to a file beside this one.

    Returns the name of that file; None if there is no such append.
    """
    doubt = doubt_of(row)
    if doubt is None or not doubt.parts:
        return None
    aside = Path(f"{path}.not-stored.jsonl")
    with aside.open("ab") as file:
        file.writelines(message.lines(doubt.parts[0], row.doubt_body or b""))
    return str(aside)
