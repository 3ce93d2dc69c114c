"""Twins among events: this suggests pairs that may be the same event, and says why.

Guarantees: it reads, and decides nothing. Twins may have occurred at the same time, have titles
with the same or nearly the same words, and the same place or people, as far as both name them.
Titles with different numbers are not twins, nor are two events with a relation between them,
nor two to which one list gave different ids.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from timeline.model import edtf, names
from timeline.reading.spans import DAY
from timeline.reading.twins import misspellings
from timeline.store.rows import RowDict, as_dicts

_SMALL = frozenset(("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "the", "to"))
_MOST_COMPARED = 50
"""Later events, at most, that are compared with one of nearly the same words."""
_MOST_MONTHS = 12
"""Months: events dated more vaguely are only compared with events of the same date."""
_LONG_TITLE = 5
"""Words: a title with more words may differ from its twin in any one of them."""
_NEAR_DEGREES = 0.25
"""Degrees of latitude and longitude between two points of one place, at most."""


class EventTwins(NamedTuple):
    """Two events that may be one: `event` is to be merged into `into`, because of `why`."""

    event: RowDict
    into: RowDict
    why: str


class Where(NamedTuple):
    """The place where an event occurred, as far as it is known."""

    country: str | None
    place: str | None
    point: tuple[float, float] | None

    @classmethod
    def of(
        cls, country: str | None, place: str | None, lat: float | None, lon: float | None
    ) -> Where:
        """Return a place from the columns of an event; half a point is none."""
        return cls(country, place, None if lat is None or lon is None else (lat, lon))


class _Event(NamedTuple):
    """The parts of an event that are compared first."""

    event_id: str
    words: frozenset[str]
    first: str | None
    last: str | None
    occurred: str
    where: Where


_Pair = tuple[str, str]


def event_twins(connection: sqlite3.Connection) -> list[EventTwins]:
    """Return every pair of current events that may be one, the newest first."""
    rows = connection.execute(
        f"SELECT event_id, title, {DAY.format('occurred_from')}, {DAY.format('occurred_to')},"  # noqa: S608
        " occurred, country, place, lat, lon FROM current_events ORDER BY occurred_from"
    )
    events = (
        _Event(event_id, words_of_title(title), first, last, occurred, Where.of(*where))
        for event_id, title, first, last, occurred, *where in rows
    )
    judge = _PairJudge(connection)
    pairs = sorted({*_candidates(event for event in events if event.words)})
    found = [twins for pair in pairs if (twins := judge.twins(*pair))]
    found.sort(key=lambda twins: twins.event["event_key"], reverse=True)
    return found


@lru_cache(maxsize=2**17)
def words_of_title(title: str) -> frozenset[str]:
    """Return the words of a title without small ones, unless it has no others."""
    words = frozenset(misspellings.words_of_name(title))
    return words - _SMALL or words


# --- The pairs to compare -----------------------------------------------------------------


def _candidates(events: Iterable[_Event]) -> Iterator[_Pair]:
    """Yield the pairs with like titles, dates and places, each with the smaller id first.

    Titles that differ in one word have all other words in common: each title is filed under all
    of its words, and under all but each one. `events` come in the order of their starts.
    """
    for together in _at_a_time(events):
        by_words: defaultdict[frozenset[str], list[_Event]] = defaultdict(list)
        for event in together:
            by_words[event.words].append(event)
            for word in event.words if len(event.words) > 1 else ():
                if not _has_number(word):
                    by_words[event.words - {word}].append(event)
        for words, block in by_words.items():
            for place, one in enumerate(block):
                for other in block[place + 1 : place + 1 + _MOST_COMPARED]:
                    if one.last and other.first and one.last < other.first:
                        break  # all later events start after it, too
                    if one.words == other.words != words:
                        continue  # this pair is found under all of its words
                    if (
                        _have_like_titles(one.words, other.words)
                        and have_one_place(one.where, other.where) is not False
                    ):
                        yield min(one.event_id, other.event_id), max(one.event_id, other.event_id)


def _at_a_time(events: Iterable[_Event]) -> Iterable[list[_Event]]:
    """Return the events of each month, and of each date that is longer than a year."""
    by_time: defaultdict[object, list[_Event]] = defaultdict(list)
    for event in events:
        months = range(0)
        if event.first and event.last:
            months = range(_month(event.first), _month(event.last) + 1)
        is_known = 0 < len(months) <= _MOST_MONTHS
        for time in months if is_known else (event.occurred,):
            by_time[time].append(event)
    return by_time.values()


def _month(day: str) -> int:
    year, month, _ = edtf.numbers(day)
    return year * 12 + month


def have_one_place(one: Where, other: Where) -> bool | None:
    """Tell whether two events have the same place; None if that is not known."""
    if one.country and other.country and one.country != other.country:
        return False
    if one.point and other.point:
        return math.dist(one.point, other.point) <= _NEAR_DEGREES
    if not one.place or not other.place:
        return None
    return _is_one_place(one.place, other.place)


@lru_cache(maxsize=2**17)
def _is_one_place(one: str, other: str) -> bool:
    is_same = names.fold(one) == names.fold(other)
    return is_same or misspellings.letters_apart_either_way(one, other) is not None


def _have_like_titles(words: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two titles have the same words, except one at most."""
    own, their = words - others, others - words
    if any(map(_has_number, own | their)):
        return False
    match len(own), len(their):
        case 0, 0:
            return True
        case (0, 1) | (1, 0):
            return min(len(words), len(others)) > 1
        case 1, 1:
            is_slip = misspellings.letters_apart_either_way(*own, *their) is not None
            return is_slip or len(words) > _LONG_TITLE
    return False


@lru_cache(maxsize=2**17)
def _has_number(word: str) -> bool:
    return any(map(str.isdigit, word))


# --- Judging a pair -----------------------------------------------------------------------


class _PairJudge:
    """A judge looks at pairs of events, and keeps the rows that it has read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: dict[str, RowDict] = {}

    def twins(self, one_id: str, other_id: str) -> EventTwins | None:
        """Return two events as twins, with the reasons, or None if they are not likely one."""
        one, other = self._row(one_id), self._row(other_id)
        if self._are_told_apart(one_id, other_id):
            return None
        actors = self._actors(one_id, other_id)
        if actors == 0:
            return None
        place = have_one_place(
            *(
                Where.of(row["country"], row["place"], row["lat"], row["lon"])
                for row in (one, other)
            )
        )
        is_same = words_of_title(one["title"]) == words_of_title(other["title"])
        if not (place or actors or is_same):
            return None
        reasons = [
            "titles of the same words" if is_same else "titles of nearly the same words",
            "dates that overlap" if one["occurred"] != other["occurred"] else "the same date",
            "the same place" if place else "",
            f"{actors} actor{'' if actors == 1 else 's'} in common" if actors else "",
        ]
        into, event = sorted(
            (one, other), key=lambda row: (-row["sources_count"], row["event_key"])
        )
        return EventTwins(event, into, ", ".join(filter(None, reasons)))

    def _row(self, event_id: str) -> RowDict:
        if event_id not in self._rows:
            (self._rows[event_id],) = as_dicts(
                self._connection.execute("SELECT * FROM events WHERE event_id = ?", (event_id,))
            )
        return self._rows[event_id]

    def _are_told_apart(self, *pair: str) -> bool:
        """Tell whether the log has a relation between the two, or two ids of one scheme."""
        return bool(
            self._connection.execute(
                "SELECT 1 FROM event_relations WHERE (event_id, own_event_id)"
                " IN (VALUES (:one, :other), (:other, :one))"
                " UNION ALL SELECT 1 FROM event_external_ids AS x JOIN event_external_ids AS y"
                " ON substr(x.external_id, 1, instr(x.external_id, ':'))"
                " = substr(y.external_id, 1, instr(y.external_id, ':'))"
                " WHERE x.event_id = :one AND y.event_id = :other",
                dict(zip(("one", "other"), pair, strict=True)),
            ).fetchone()
        )

    def _actors(self, *pair: str) -> int | None:
        """Return the number of actors in both events; None if one of them has no actors."""
        one, other = (
            {
                actor_id
                for (actor_id,) in self._connection.execute(
                    "SELECT actor_id FROM event_actors WHERE event_id = ?", (event_id,)
                )
            }
            for event_id in pair
        )
        return len(one & other) if one and other else None
