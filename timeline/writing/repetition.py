"""Find out whether an append repeats an earlier one, of which nobody knew whether it was stored.

Guarantees: only the same statements in the same order are a repetition. What the writer finds in
the log by itself, such as an event with an id, may be missing from it: said again, it adds no
entry. Ids and days of report that nobody gave tell no two appends apart.

Reads no log: it is given the entries of both appends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timeline.model import clock
from timeline.store.codec import Entry, decode_id, payload_of
from timeline.store.files import file_hashes
from timeline.writing.entries import ID_WINDOW, microseconds
from timeline.writing.recording_time import MAX_AHEAD, noted_clock

_FOUND = ("source.recorded", "source.updated", "actor.recorded")
"""The kinds of entries that are not added again when the same is said."""


def repeated_entries(
    earlier: Sequence[Entry], later: Sequence[Entry], time_zone: str
) -> dict[str, Entry] | None:
    """Return the entries of the earlier append that the later one repeats, by the repeating ids.

    Both have all entries of one append each; `time_zone` is that of the log. Returns None if the
    later append says anything else.
    """
    before, now = _Said(earlier, time_zone), _Said(later, time_zone)
    ids: dict[str, str] = {}
    found: dict[str, Entry] = {}
    waiting = iter(before.entries)
    for entry in now.entries:
        for candidate in waiting:
            if _is_repeated(before, candidate, now, entry, ids):
                found[entry.id] = candidate
                break
            if not before.is_found(candidate):
                return None
        else:
            return None
    return found if all(map(before.is_found, waiting)) else None


def _is_repeated(
    before: _Said, earlier: Entry, now: _Said, later: Entry, ids: dict[str, str]
) -> bool:
    """Tell whether two entries say the same.

    `ids` has the made-up ids of the earlier append by those of the later one; the ids of the two
    entries are put into it.
    """
    pairs = {later.id: earlier.id, later.subject_id: earlier.subject_id}
    for new, old in pairs.items():
        is_made = new in now.made_up and old in before.made_up
        if ids.get(new, old if is_made else new) != old:
            return False
    both = {**ids, **pairs}
    same = (
        earlier.kind == later.kind
        and _is_equal(payload_of(earlier), payload_of(later), both)
        and (
            earlier.reported_at == later.reported_at
            or (before.is_made_up_day(earlier) and now.is_made_up_day(later))
        )
    )
    if same:
        ids.update(pairs)
    return same


class _Said:
    """One append has statements, and ids and a day that it made up."""

    def __init__(self, entries: Sequence[Entry], time_zone: str) -> None:
        moment = clock.parse(entries[0].recorded_at) if entries else clock.now()
        first = microseconds(moment)
        named = {
            *(entry.id for entry in entries),
            *(entry.subject_id for entry in entries if entry.kind.endswith(".recorded")),
        }
        self.made_up = {
            some_id
            for some_id in named
            if first <= (decode_id(some_id) or 0) < first + 2 * ID_WINDOW
        }
        noted = noted_clock(entries[0]) if entries else None
        self.entries = entries[1:] if noted else entries
        self._days = {
            clock.day_in(each, time_zone)
            for each in ((noted,) if noted else (moment, moment - MAX_AHEAD))
        }

    def is_made_up_day(self, entry: Entry) -> bool:
        """Tell whether an entry has the day that an append gives to a report without one."""
        return entry.reported_at in self._days

    def is_found(self, entry: Entry) -> bool:
        """Tell whether the writer finds what an entry says, so that it adds no entry for it."""
        if entry.kind in _FOUND or entry.id not in self.made_up:
            return True
        content = payload_of(entry).content or {}
        if entry.kind == "event.recorded":
            return entry.subject_id not in self.made_up or bool(content.get("external_ids"))
        return entry.kind == "event.updated" and bool(file_hashes(content))


def _is_equal(earlier: Any, later: Any, ids: dict[str, str]) -> bool:
    """Tell whether two values of JSON are equal, but for ids that stand for each other."""
    if isinstance(earlier, dict) and isinstance(later, dict):
        return earlier.keys() == later.keys() and all(
            _is_equal(value, later[key], ids) for key, value in earlier.items()
        )
    if isinstance(earlier, list | tuple) and isinstance(later, list | tuple):
        return len(earlier) == len(later) and all(
            _is_equal(*pair, ids) for pair in zip(earlier, later, strict=True)
        )
    if isinstance(earlier, str) and isinstance(later, str):
        return earlier in (later, ids.get(later))
    return type(earlier) is type(later) and bool(earlier == later)
