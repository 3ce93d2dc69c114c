"""Settle the titles that a sheet and a log give one address: one address is one source.

Guarantees: no row is refused for the title of its source. Pure: knows rows, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup, Titles, source_items
from timeline.model import hints


def titles_in(rows: Iterable[SheetRow]) -> Titles:
    """Return the titles that the rows of a sheet give; a row that cannot be read gives none."""
    found: dict[str, dict[str, SheetRow]] = {}
    for row in rows:
        with suppress(InvalidInput):
            for address, title in source_items(row):
                if address and title:
                    found.setdefault(address, {}).setdefault(title, row)
    return found


class Settled(NamedTuple):
    """Holds `titles` and `accepted` of a Lookup."""

    titles: dict[str, str]
    accepted: dict[str, Sequence[str]]


def settled(said: Titles, known: Mapping[str, Sequence[str]], *, is_news: bool) -> Settled:
    """Return the title of each address in a sheet or a log.

    `known` has the titles in the log, "" for none. `is_news` tells that the only title in a sheet
    takes the place of the one in the log.
    """
    found = Settled(
        {address: next(filter(None, titles), "") for address, titles in known.items()}, {}
    )
    for address, titles in said.items():
        first = next(iter(titles))
        in_log = known.get(address, ())
        if not in_log or (is_news and len(titles) == 1):
            found.titles[address] = first
            in_log = (first,)
        if not titles.keys() <= {*in_log}:
            found.accepted[address] = in_log
            found.titles[address] = in_log[0]
    return found


def notes(lookup: Lookup) -> Iterator[str]:
    """Yield a note for a person on each title of the sheet that no source gets."""
    for address, accepted in lookup.accepted.items():
        for title, row in lookup.said.get(address, {}).items():
            if title not in accepted:
                kept = lookup.titles[address]
                name = f"is called {hints.quoted(kept)}" if kept else "has no title"
                yield (
                    f"line {row.line}: source_title {hints.quoted(title)} left out: the source at"
                    f" {address} {name}"
                )
