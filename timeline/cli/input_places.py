"""Remember where each statement of an input stands: for receipts, and for events that stand twice.

Guarantees: a message about an event that stands twice in one input names both places. A million
statements take a few megabytes.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from timeline.errors import AlreadyRecorded, TimelineError
from timeline.writing.receipt import Receipt

_MOST_NOTES = 5
"""Events that stand twice, in number, that are named; the others are counted."""


class InputPlaces:
    """Keeps the places of the statements of one input, and the words of their dates."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._typed: deque[str] = deque()
        self._first_seq: int | None = None
        self._count = 0
        self._repeats: list[tuple[str, int]] = []

    def add(self, line: int | None, words: str) -> None:
        """Add the next statement: its line, if it has one, and the words of its date."""
        self._lines.append(line or 0)
        self._typed.append(words)

    def told(self, receipt: Receipt) -> Receipt:
        """Return the receipt of the next statement, with the words of its date."""
        if not receipt.unchanged:
            self._first_seq = self._first_seq or receipt.seq
        elif self._first_seq and receipt.seq >= self._first_seq:
            self._repeats.append((receipt.id, self._count))
        self._count += 1
        return replace(receipt, typed=self._typed.popleft())

    def refused(self, error: AlreadyRecorded, before: Iterable[Receipt]) -> TimelineError:
        """Return the error for an event that is recorded already: maybe it stands twice here.

        `before` are the receipts of the statements before it.
        """
        first = _first(error.subject.removeprefix("event "), before)
        if first is None:
            return error
        twice = self._twice(error.subject, first, self._count)
        return TimelineError(f"{twice}, with another {', '.join(error.fields[:6])}")

    def notes(self, receipts: Iterable[Receipt]) -> list[str]:
        """Return a note for each event that stands twice with the same content."""
        found = []
        for event_id, again in self._repeats[:_MOST_NOTES]:
            first = _first(event_id, receipts)
            if first is not None:
                found.append(self._twice(f"event {event_id}", first, again))
        if more := len(self._repeats) - len(found):
            found.append(f"and {more:,} more that stand twice")
        return found

    def _twice(self, subject: str, first: int, again: int) -> str:
        lines = self._lines[first], self._lines[again]
        if all(lines) and lines[0] != lines[1]:
            return f"{subject} stands twice: lines {lines[0]} and {lines[1]}"
        return f"{subject} stands twice: events {first + 1} and {again + 1} of the input"


def _first(event_id: str, receipts: Iterable[Receipt]) -> int | None:
    """Return the number, from 0, of the receipt with which this input recorded an event."""
    for number, receipt in enumerate(receipts):
        if receipt.id == event_id and not receipt.unchanged:
            return number
    return None
