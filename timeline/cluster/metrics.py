"""Write figures about a node into a text file, in the form of Prometheus.

Guarantees: a reader of the file sees it whole, as it was or as it is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.cluster import texts
from timeline.cluster.health import ClusterHealth
from timeline.errors import NotWritable, Unreachable
from timeline.store import atomic, scrub

if TYPE_CHECKING:
    from timeline.cluster.follower import Follower

_EVERY = 10.0
"""The seconds after which the file is written again."""

_FIGURES = {
    "size": ("gauge", "Entries in the log of this node."),
    "message": ("gauge", "Sequence of the last message of the stream in its log."),
    "lag_messages": ("gauge", "Messages of the stream that are not in its log yet."),
    "lag_seconds": ("gauge", "Seconds since the first of them was stored."),
    "last_contact_seconds": ("gauge", "Seconds since the cluster answered."),
    "scrub_pending": ("gauge", "Erasures of which the words may still be bytes of the file."),
    "texts_missing": ("gauge", "Texts and files that entries name and the file lacks."),
    "holes_total": ("counter", "Times that a server lacked a message that it should have."),
    "reconnects_total": ("counter", "Times that the connection to the cluster was made again."),
    "notes_total": ("counter", "Sentences about what others wrote or sent that is odd."),
}
"""The figures in the order of the file, each with its type and what it counts."""


class MetricsFile:
    """A file that gets the figures of one node every 10 seconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = float("-inf")
        self._contact = time.monotonic()
        self._lag: tuple[int, float] = (0, 0.0)
        self._reconnects = 0

    def write(self, follower: Follower, noted: int) -> None:
        """Write the figures, unless that was done within 10 seconds. Raises NotWritable.

        `noted` is the number of notes so far. If the cluster does not answer, its part of the
        figures stays as it was.
        """
        if time.monotonic() - self._written < _EVERY:
            return
        row, connection = follower.row, follower.connection
        try:
            jetstream = follower.jetstream
            if state := jetstream.stream(follower.address.stream(row.generation)):
                count, waiting = ClusterHealth(follower).lag(row.message, state)
                self._lag = count, waiting.total_seconds()
            self._contact = time.monotonic()
            self._reconnects = jetstream.reconnects
        except Unreachable:
            pass
        figures: dict[str, float] = {
            "size": row.size,
            "message": row.message,
            "lag_messages": self._lag[0],
            "lag_seconds": round(self._lag[1], 3),
            "last_contact_seconds": round(time.monotonic() - self._contact, 3),
            "scrub_pending": len(scrub.pending(connection)),
            "texts_missing": texts.count_missing(connection),
            "holes_total": follower.holes,
            "reconnects_total": self._reconnects,
            "notes_total": noted,
        }
        self._put(_text(figures, follower.address.name, row.name))
        self._written = time.monotonic()

    def _put(self, text: str) -> None:
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with atomic.replaced(self._path, new):
                new.write_text(text, encoding="utf-8")
        except OSError as error:
            problem = f"cannot be written: {error.strerror}"
            raise NotWritable(os.fspath(self._path), problem) from None


def _text(figures: dict[str, float], log: str, name: str) -> str:
    lines = []
    for figure, (kind, meaning) in _FIGURES.items():
        full = f"timeline_node_{figure}"
        lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
        lines.append(f'{full}{{log="{log}",node="{name}"}} {figures[figure]}')
    return "\n".join(lines) + "\n"
