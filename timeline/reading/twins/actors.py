"""Twins among actors: this suggests pairs that may be one actor, and says why.

Guarantees: it reads, and decides nothing. These pairs are never suggested: two actors of one
name who were both given ids; two with different countries or different Wikidata items; two who
take part in the same event, unless their names only differ in case, accents or word order.
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
"""Actors per key: a key that more of them share is too common to suggest pairs."""


class ActorTwins(NamedTuple):
    """Two actors that may be one: `actor` is to be merged into `into`, because of `why`."""

    actor: RowDict
    into: RowDict
    why: str
    shared_events: int


class _Known(NamedTuple):
    """Facts that tell an actor from others, besides its names."""

    countries: set[str]
    wikidata: set[str]


_Pair = tuple[str, str]


def actor_twins(connection: sqlite3.Connection) -> list[ActorTwins]:
    """Return every pair of actors that may be one, the likeliest first, without merged ones."""
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
    """Return a key that sorts the actor to keep first.

    A recorded actor comes first, then one in more events, one without an office in its name,
    and one with a longer name.
    """
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


# --- The pairs to compare -----------------------------------------------------------------


def _candidates(actors: dict[str, RowDict], known: dict[str, _Known]) -> set[_Pair]:
    """Return the pairs that are worth comparing, each with the smaller id first."""
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
    """Return why two actors may be one; None if a fact about them says that they are not."""
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
    """Tell whether the actor's id was given, not made from its name."""
    return bool(actor["actor_id"] != actor_id_of(actor["name"]))


# --- The pairs to suggest -----------------------------------------------------------------


def _without_shared_surnames(
    found: dict[_Pair, Likeness], actors: dict[str, RowDict]
) -> Iterator[tuple[_Pair, Likeness]]:
    """Leave out the pairs of a surname with several bearers who are not likely one actor."""
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
    """Return the number of events in which both actors take part."""
    (count,) = connection.execute(
        "SELECT count(DISTINCT x.event_id) FROM event_actors AS x"
        " JOIN event_actors AS y USING (event_id) WHERE x.actor_id = ? AND y.actor_id = ?",
        (one, other),
    ).fetchone()
    return int(count)


def _without_detours(twins: Iterable[ActorTwins]) -> Iterator[ActorTwins]:
    """Leave out a pair if both of its actors are also to be merged into one third actor."""
    twins = [*twins]
    into: defaultdict[str, set[str]] = defaultdict(set)
    for twin in twins:
        into[twin.actor["actor_id"]].add(twin.into["actor_id"])
    for twin in twins:
        if into[twin.actor["actor_id"]].isdisjoint(into[twin.into["actor_id"]]):
            yield twin
