"""Say what is wanted of an import, and what it did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from timeline.intake.dataset.left_out import LeftOutCount
from timeline.model.content import Said

_MOST_NOTES = 50
_USABLE = ("recorded", "updated", "unchanged", "repeated", "erased")


class DatasetStep(NamedTuple):
    """Describes one entry that a file makes."""

    verb: str
    """The operation: record, update, retract or reinstate."""
    event_id: str
    title: str
    columns: tuple[str, ...] = ()
    """The columns that the publisher changed."""
    external_id: str = ""
    """The id of its row; "" for an event whose row is gone."""


@dataclass
class DatasetOutcome:
    """Says what a file changed in the log."""

    counts: Counter[str] = field(default_factory=Counter)
    """The number of rows by their outcome, and of events that were retracted or reinstated."""
    churn: Counter[str] = field(default_factory=Counter)
    """The number of rows that are written otherwise than before, by the kind of difference."""
    respelled: int = 0
    """The number of rows that differ only in how they are written."""
    notes: list[str] = field(default_factory=list)
    """Notes for a person; only the first ones are kept."""
    more_notes: int = 0
    left_out: LeftOutCount = field(default_factory=LeftOutCount)
    """The cells that could not be read, of rows that were recorded or updated without them."""

    @property
    def usable(self) -> int:
        """Return the number of rows that were recorded, or that the log has."""
        return sum(self.counts[name] for name in _USABLE)

    def note(self, text: str) -> None:
        """Keep a note, or count it."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(text)
        else:
            self.more_notes += 1


class Import(NamedTuple):
    """The options of a run say what is wanted."""

    said: Said = Said()
    """The words that go with each entry; `reported_at` is the day of the file."""
    complete: bool = False
    """Whether the file is all that its publisher has; if so, events that it lacks are retracted."""
    strict: bool = False
    """Whether all rows go into one append, which fails at the first bad row."""
    dry_run: bool = False
    """Whether all rows go into one append, which is taken back in the end."""
    allow_absent: bool = False
    """Whether even a tenth of the publisher's events may be gone."""
