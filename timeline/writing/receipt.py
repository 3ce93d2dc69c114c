"""Make receipts: a receipt says which entry a statement became, or which one says it already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from timeline.store import codec
from timeline.store.codec import Entry


@dataclass(frozen=True, slots=True)
class Receipt:
    """Says what became of one statement."""

    kind: str
    """The kind of the entry, such as "event.recorded"."""
    subject: str
    """What the entry is about, such as "event/odesa-talks"."""
    entry_id: str
    seq: int
    """The number of the entry, counted from 0; it is cited as #41."""
    version: int
    """The version that the subject has with this entry, counted from 1."""
    recorded_at: str
    """When the entry was recorded: UTC, ISO 8601, to the microsecond."""
    occurred: str | None = None
    """The date of an event as it was understood, in EDTF; None for other subjects."""
    modality: str | None = None
    """The modality of an event, such as "ongoing"; None for "actual" and for other subjects."""
    typed: str | None = None
    """The words from which the date was read, if the command that was given them keeps them."""
    figures: tuple[Mapping[str, Any], ...] = ()
    """The quantities of an event that came with the entry, as they were understood."""
    unchanged: bool = False
    """True if the log said the same already, so that nothing was added."""
    notes: tuple[str, ...] = ()
    """Notes for a person, such as that a quote occurs twice in its source."""

    @property
    def id(self) -> str:
        """Return the id of the event, source or actor."""
        return self.subject.partition("/")[2]


def new_receipt(entry: Entry, content: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Receipt:
    """Make the receipt of an entry that was added; `content` is that of its payload."""
    return Receipt(
        entry.kind,
        entry.subject,
        entry.id,
        entry.seq,
        entry.version,
        entry.recorded_at,
        content.get("occurred"),
        content.get("modality"),
        figures=tuple(content.get("quantities", ())),
        notes=notes,
    )


def receipt_of(entry: Entry) -> Receipt:
    """Make the receipt for a statement that an entry of the log says already."""
    return replace(new_receipt(entry, codec.payload_of(entry).content or {}), unchanged=True)


def new_zone_in_words(time_zone: str) -> str:
    """Say that the log has another time zone, for a note."""
    return f"days now end in {time_zone}: the tables are made again from the log"
