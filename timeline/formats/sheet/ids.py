"""Propose ids for the rows of a sheet that have none: short, readable, and free.

Guarantees: a proposed id is neither in the log nor in the sheet, unless the row says the title and
the date of an event of the log, which the sheet has no other row for: then it is the id of that
event. Pure: knows rows, no database.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from timeline.formats.sheet.cells import SheetRow
from timeline.formats.slugs import plain
from timeline.model import names

_LONGEST = 40
"""The most characters of an id."""
_SHORTEST = 3
"""The fewest characters of an id."""

TitleAndDate = tuple[str, str]
"""The folded title of an event, and its date as an export writes it."""


class ProposedId(NamedTuple):
    """An id for a row; `is_known` tells that an event of the log has it."""

    row: SheetRow
    event_id: str
    is_known: bool

    def __str__(self) -> str:
        """Say the id, and whose it is."""
        if self.is_known:
            return f"{self.event_id}, the event with this title and date"
        return self.event_id


def key_of(title: str, date: str) -> TitleAndDate:
    """Return what two events of one title and date have in common."""
    return names.fold(title), date


def proposals(
    rows: Iterable[tuple[SheetRow, str]],
    taken: Container[str],
    known: Mapping[TitleAndDate, Sequence[str]],
) -> Iterator[ProposedId]:
    """Propose an id for each row, which comes with its date as an export writes it.

    `taken` are the ids in the log and in the sheet; `known` has the ids of the events in the log
    that the sheet has no row for, by title and date.
    """
    given: set[str] = set()
    for row, date in rows:
        title = row.cells.get("title", "")
        is_known = True
        event_id = next(
            (each for each in known.get(key_of(title, date), ()) if each not in given), ""
        )
        if not event_id:
            is_known = False
            free = (each for each in _ids(title, date) if each not in taken and each not in given)
            event_id = next(free)
        given.add(event_id)
        yield ProposedId(row, event_id, is_known)


def _ids(title: str, date: str) -> Iterator[str]:
    """Yield ids for a title: by its words, with the date, then with numbers."""
    words, day = plain(title), plain(date)
    if len(words) < _SHORTEST:
        words = f"event-{words}".strip("-")
    else:
        yield _cut(words, _LONGEST)
    if day:
        words = f"{_cut(words, _LONGEST - len(day) - 1)}-{day}" if len(day) < 30 else words
        yield _cut(words, _LONGEST)
    for number in count(2):
        yield f"{_cut(words, _LONGEST - len(str(number)) - 1)}-{number}"


def _cut(words: str, longest: int) -> str:
    """Shorten words to a length: between two words, if most of the text stays."""
    if len(words) <= longest:
        return words
    whole = words[: longest + 1].rpartition("-")[0]
    return whole if len(whole) > longest // 2 else words[:longest].strip("-")
