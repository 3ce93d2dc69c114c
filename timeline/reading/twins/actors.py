"""Likely twins among the actors of a log: two that may be one, and why.

Guarantees: it reads, and decides nothing. Whom the log tells apart is left apart: two of one
name who were given ids, two with other countries or Wikidata items, and two who take part in
the same event, unless nothing but case, accents or the order of words tells their names apart.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, combinations, product, starmap
from typing import Any, NamedTuple

from timeline.model.names import actor_id_of
from timeline.reading.actors import listed
from timeline.reading.twins import misspellings, names
from timeline.reading.twins.names import Likeness
from timeline.store.rows import RowDict

_CROWD = 200
"""So many of one key are a crowd, not twins."""


class ActorTwins(NamedTuple):
    """Two actors that may be one: the one to merge, the one to keep, and why."""

    actor: RowDict
    into: RowDict
    why: str
    shared_events: int


class _Known(NamedTuple):
    """What tells an actor from others, beside its names."""

    countries: set[str]
    wikidata: set[str]


_Pair = tuple[str, str]


def actor_twins(connection: sqlite3.Connection) -> list[ActorTwins]:
    """Every two actors that may be one, the likeliest first; none that was merged already."""
    actors = {row["actor_id"]: row for row in listed(connection) if not row["merged_into"]}
    known = _known(connection, actors)
    found: dict[_Pair, Likeness] = {}
    for one, other in _candidates(actors, known):
        likeness = _likeness(actors[one], actors[other], known[one], known[other])
        if likeness:
            found[one, other] = likeness
    twins = []
    for (one, other), likeness in _without_shared_surnames(found, actors):
        shared = _shared_events(connection, one, other)
        if not shared or likeness.rank == 1:
            kept, merged = sorted((actors[one], actors[other]), key=_standing)
            twins.append(
                (bool(shared), likeness.rank, ActorTwins(merged, kept, likeness.why, shared))
            )
    twins.sort(key=lambda twin: (*twin[:2], -twin[2].into["events"], _standing(twin[2].actor)))
    return [*_without_detours([twin for *_, twin in twins])]


def _standing(actor: RowDict) -> tuple[Any, ...]:
    """Sorts the one to keep first: recorded, in many events, with a full name and a bare one."""
    is_bare, length = names.is_bare(actor["name"]), len(actor["name"])
    return actor["seq"] is None, -actor["events"], not is_bare, -length, actor["actor_id"]


def _known(connection: sqlite3.Connection, actors: dict[str, RowDict]) -> dict[str, _Known]:
    known = {actor_id: _Known(set(), set()) for actor_id in actors}
    said = connection.execute("SELECT DISTINCT actor_id, country, wikidata FROM event_actors")
    own = ((row["actor_id"], row["country"], row["wikidata"]) for row in actors.values())
    for actor_id, country, wikidata in (*said, *own):
        if country and actor_id in known:
            known[actor_id].countries.add(country)
        if wikidata and actor_id in known:
            known[actor_id].wikidata.add(wikidata)
    return known


def _names(actor: RowDict) -> list[str]:
    return [actor["name"], *actor["aliases"]]


# --- Who is compared ----------------------------------------------------------------------


def _candidates(actors: dict[str, RowDict], known: dict[str, _Known]) -> set[_Pair]:
    """The pairs worth a closer look, each with the smaller id first."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    looking: defaultdict[str, set[str]] = defaultdict(set)
    by_form: defaultdict[str, set[str]] = defaultdict(set)
    for actor_id, actor in actors.items():
        keys = [(item, True) for item in known[actor_id].wikidata]
        for name in _names(actor):
            keys += names.keys(name)
            for form in names.forms(name):
                by_form[form].add(actor_id)
        for key, is_looking in keys:
            having[key].add(actor_id)
            if is_looking:
                looking[key].add(actor_id)
    couples = chain(
        ((looking[key], having[key]) for key in looking if len(having[key]) <= _CROWD),
        ((by_form[one], by_form[other]) for one, other in misspellings.pairs(by_form)),
    )
    return {
        (min(one, other), max(one, other))
        for some, others in couples
        for one, other in product(some, others)
        if one != other
    }


def _likeness(one: RowDict, other: RowDict, known: _Known, others: _Known) -> Likeness | None:
    """Why two actors may be one, if nothing that is known of them speaks against it."""
    if known.wikidata and others.wikidata:
        if known.wikidata & others.wikidata:
            return Likeness(1, "the same Wikidata item")
        return None
    if known.countries and others.countries and not known.countries & others.countries:
        return None
    if _is_given(one) and _is_given(other) and names.have_same_words(one["name"], other["name"]):
        return None
    pairs = [*product(_names(one), _names(other))]
    found = min(filter(None, starmap(names.likeness, pairs)), default=None)
    if found and found.rank >= names.INITIAL and any(starmap(names.are_relatives, pairs)):
        return None
    return found


def _is_given(actor: RowDict) -> bool:
    """Whether somebody gave it its id; else that is made of its name."""
    return bool(actor["actor_id"] != actor_id_of(actor["name"]))


# --- Which of them are told ---------------------------------------------------------------


def _without_shared_surnames(
    found: dict[_Pair, Likeness], actors: dict[str, RowDict]
) -> Iterator[tuple[_Pair, Likeness]]:
    """A surname that several have, who are not likely one themselves, is nobody's."""
    bearers: defaultdict[str, set[str]] = defaultdict(set)
    for pair, likeness in found.items():
        if likeness.rank == names.SURNAME:
            alone, bearer = sorted(pair, key=lambda each: not names.is_alone(actors[each]["name"]))
            bearers[alone].add(bearer)
    nobodys = {
        alone
        for alone, several in bearers.items()
        if any(pair not in found for pair in combinations(sorted(several), 2))
    }
    for pair, likeness in found.items():
        if likeness.rank < names.SURNAME or nobodys.isdisjoint(pair):
            yield pair, likeness


def _shared_events(connection: sqlite3.Connection, one: str, other: str) -> int:
    """How many events both take part in."""
    (count,) = connection.execute(
        "SELECT count(DISTINCT x.event_id) FROM event_actors AS x"
        " JOIN event_actors AS y USING (event_id) WHERE x.actor_id = ? AND y.actor_id = ?",
        (one, other),
    ).fetchone()
    return int(count)


def _without_detours(twins: Iterable[ActorTwins]) -> Iterator[ActorTwins]:
    """Without the pairs that a third one to merge both into makes needless."""
    twins = [*twins]
    into: defaultdict[str, set[str]] = defaultdict(set)
    for twin in twins:
        into[twin.actor["actor_id"]].add(twin.into["actor_id"])
    for twin in twins:
        if into[twin.actor["actor_id"]].isdisjoint(into[twin.into["actor_id"]]):
            yield twin
