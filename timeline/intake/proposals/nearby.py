"""Find events that may be the one that somebody describes.

Guarantees: it reads, and decides nothing. It finds more than `reading.twins.events`, which suggests
merges: here a person looks at each event before anything is recorded.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.intake.proposals.checked import BroughtQuote
from timeline.model import edtf, log_clock
from timeline.model.names import actor_id_of
from timeline.projection.actors import known_as
from timeline.reading.captured_texts import quoted_places
from timeline.reading.spans import DAY
from timeline.reading.twins.events import Where, have_one_place, words_of_title
from timeline.store import log as entries
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.coverage import MarkedSpan, shared_sentences
from timeline.texts.document import sha256
from timeline.texts.sentences import Span, sentences

_MOST = 5
_MOST_MONTHS = 12
"""Months: a date that is vaguer is compared with the dates of all events."""
_FEWEST_WORDS = 2
"""Words that two titles have in common, at least, unless they have the same ones."""
SAME_SENTENCE = "quotes the same sentence"
"""Why an event is near that cites the same text in the same place."""


class Near(NamedTuple):
    """A current event that may be the same, and why."""

    event_id: str
    title: str
    when: str
    """Its date in words."""
    why: str


def nearby(
    log: sqlite3.Connection,
    content: Mapping[str, Any],
    quotes: Sequence[BroughtQuote] = (),
    *,
    but: str | None = None,
) -> list[Near]:
    """Return at most five current events that may be the one with this content, but `but`.

    `content` is that of an event, as the writer would store it. An event that it names in a
    relation is another one.
    """
    why: dict[str, list[str]] = {}
    for event_id in _with_external_ids(log, content):
        why.setdefault(event_id, []).append("has the same id elsewhere")
    for quote in quotes:
        for event_id in quoting(log, quote):
            if SAME_SENTENCE not in why.setdefault(event_id, []):
                why[event_id].append(SAME_SENTENCE)
    for event_id, agreement in _alike(log, content):
        why.setdefault(event_id, []).append(agreement)
    apart = {tie["event_id"] for tie in content.get("relations", ()) if "origin" not in tie}
    found = [event_id for event_id in why if event_id not in apart and event_id != but]
    return [_near(log, event_id, why[event_id]) for event_id in found[:_MOST]]


def quoting(log: sqlite3.Connection, quote: BroughtQuote) -> list[str]:
    """Return the ids of current events that quote a sentence of this quote, in the same text."""
    spans = _sentences(quote.text)
    own = {*shared_sentences(quote.text, spans, MarkedSpan(quote.start, quote.end, ""))}
    found = {
        citation["event_id"]: None
        for source_id in _sources_of(log, quote)
        for citation, place in quoted_places(log, source_id, quote.text)
        if place and own.intersection(shared_sentences(quote.text, spans, MarkedSpan(*place, "")))
    }
    return [*found]


@functools.lru_cache(maxsize=8)
def _sentences(text: str) -> Sequence[Span]:
    return sentences(text)


def _sources_of(log: sqlite3.Connection, quote: BroughtQuote) -> list[str]:
    """Return the ids of the sources that have the text of a quote, that of the quote included."""
    rows = log.execute(
        "SELECT source_id FROM sources WHERE source_id = ? OR text_sha256 = ?",
        (quote.source_id, sha256(quote.text.encode())),
    )
    return [source_id for (source_id,) in rows]


def _near(log: sqlite3.Connection, event_id: str, why: Sequence[str]) -> Near:
    (row,) = as_dicts(log.execute("SELECT * FROM events WHERE event_id = ?", (event_id,)))
    return Near(event_id, row["title"], prose.when(row), "; ".join(why))


def _with_external_ids(log: sqlite3.Connection, content: Mapping[str, Any]) -> list[str]:
    rows = log.execute(
        "SELECT DISTINCT event_id FROM event_external_ids JOIN current_events USING (event_id)"
        " WHERE external_id IN (SELECT value FROM json_each(?))",
        (json.dumps([*content.get("external_ids", ())]),),
    )
    return [event_id for (event_id,) in rows]


# --- Events at that time ------------------------------------------------------------------

_COLUMNS = "event_id, title, occurred_from, country, place, lat, lon"
_OVERLAPS = (
    f"coalesce({DAY.format('occurred_from')} <= :last, 1)"
    f" AND coalesce({DAY.format('occurred_to')} >= :first, 1)"
)


def _alike(log: sqlite3.Connection, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield events at that time that agree in two of place, people and title, the likest first."""
    words = words_of_title(content["title"]) if "title" in content else frozenset()
    where = _where(content.get("place", {}))
    people = _people(log, content)
    likely: list[tuple[RowDict, bool, int]] = []
    for row in _at_that_time(log, content):
        others = words_of_title(row["title"])
        place = _is_same_place(where, words, row)
        shared = _shared_words(words, others)
        if place or shared:
            likely.append((row, place, shared))
    actors = _actors_of(log, [row["event_id"] for row, *_ in likely]) if people else {}
    ranked = []
    for row, place, shared in likely:
        theirs = actors.get(row["event_id"], frozenset())
        common = len(people & theirs)
        is_people = common * 2 >= min(len(people), len(theirs)) > 0
        agreed = [
            *(["place"] if place else []),
            *(["people"] if is_people else []),
            *(["words of the title"] if shared else []),
        ]
        if len(agreed) >= 2:
            rank = (-len(agreed), -shared, -common, row["occurred_from"] or "", row["event_id"])
            why = f"the same time, {', '.join(agreed[:-1])} and {agreed[-1]}"
            ranked.append((rank, row["event_id"], why))
    for _, event_id, why in sorted(ranked):
        yield event_id, why


def _at_that_time(log: sqlite3.Connection, content: Mapping[str, Any]) -> Iterator[RowDict]:
    """Yield the rows of current events whose time overlaps with that of an event.

    Most events lie within a month, and the index finds those of a month.
    """
    if "occurred" not in content:
        return iter(())
    when = log_clock.occurred_in(content["occurred"], entries.time_zone(log))
    first, last = (
        bound and bound.partition("T")[0] for bound in (when.occurred_from, when.occurred_to)
    )
    values = {"first": first or "", "last": last or "~", "months": json.dumps(_months(first, last))}
    within = " AND (month IN (SELECT value FROM json_each(:months)) OR month IS NULL)"
    return as_dicts(
        log.execute(
            f"SELECT {_COLUMNS} FROM current_events WHERE {_OVERLAPS}"  # noqa: S608
            f"{within if values['months'] != '[]' else ''}",
            values,
        )
    )


def _months(first: str | None, last: str | None) -> list[str]:
    """Return the months between two days; none if there are too many of them, or no end."""
    if not first or not last:
        return []
    (year, month, _), (last_year, last_month, _) = edtf.numbers(first), edtf.numbers(last)
    several = range(year * 12 + month - 1, last_year * 12 + last_month)
    if len(several) > _MOST_MONTHS or not 0 <= year <= last_year <= 9999:
        return []
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in several]


def _where(place: Mapping[str, Any]) -> Where:
    lat, lon = (float(place[axis]) if axis in place else None for axis in ("lat", "lon"))
    return Where.of(place.get("country"), place.get("name"), lat, lon)


def _is_same_place(where: Where, words: frozenset[str], row: RowDict) -> bool:
    """Tell whether an event has the same place; a title may name it where no place is given."""
    theirs = Where.of(row["country"], row["place"], row["lat"], row["lon"])
    if have_one_place(where, theirs):
        return True
    is_named_only = where.place is None and where.point is None and theirs.place is not None
    return is_named_only and words_of_title(str(theirs.place)) <= words


def _shared_words(words: frozenset[str], others: frozenset[str]) -> int:
    """Return how many words two titles share; 0 if they are less than half of the shorter one."""
    shared = len(words & others)
    is_enough = shared >= _FEWEST_WORDS or words == others
    return shared if is_enough and shared * 2 >= min(len(words), len(others)) else 0


def _people(log: sqlite3.Connection, content: Mapping[str, Any]) -> frozenset[str]:
    named = ((who.get("actor_id"), who["name"]) for who in content.get("participants", ()))
    found = ((known_as(log, *each), each) for each in named)
    return frozenset(
        known[0] if known else actor_id or actor_id_of(name) for known, (actor_id, name) in found
    )


def _actors_of(log: sqlite3.Connection, event_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    rows = log.execute(
        "SELECT event_id, actor_id FROM event_actors"
        " WHERE event_id IN (SELECT value FROM json_each(?))",
        (json.dumps(event_ids),),
    )
    found: dict[str, set[str]] = {}
    for event_id, actor_id in rows:
        found.setdefault(event_id, set()).add(actor_id)
    return {event_id: frozenset(several) for event_id, several in found.items()}
