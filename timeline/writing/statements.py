"""Join the operations on events with those on sources and actors."""

from __future__ import annotations

from timeline.writing.many_events import ManyEvents
from timeline.writing.source_entries import SourceEntries


class Statements(ManyEvents, SourceEntries):
    """Takes the statements that people and programs make: all but those about the log itself."""
