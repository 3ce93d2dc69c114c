"""Make the rows of an event that follow from its content alone.

Guarantees: pure functions, so that another process can make the rows ahead. What depends on the
log is left to the projector: which actor a name is, and which sources are withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from timeline.model import search_words
from timeline.projection import facet_segments, fold
from timeline.store.codec import NO_CONTENT, Payload, decode_payload

_PARTICIPANT_FIELDS = ("as_named", "office", "country", "organisation", "sector", "wikidata")
_CHILD_TABLES = frozenset(fold.CHILD_TABLES) - {"citations", "event_external_ids"}
_Values = tuple[Any, ...]


class FoldedContent(NamedTuple):
    """Holds the rows of one event, as plain tuples of what SQLite stores."""

    content: _Values
    """The values of CONTENT_COLUMNS."""
    participants: tuple[_Values, ...] = ()
    """The rows of `event_actors` from column `name` on, each after the id that was given."""
    children: tuple[tuple[str, tuple[_Values, ...]], ...] = ()
    """The rows of the other tables, by table, without the id of the event."""
    citations: tuple[_Values, ...] = ()
    """The rows of `citations`, without the id of the event."""
    external_ids: tuple[str, ...] = ()
    search: _Values | None = None
    """The row of `event_search`, if the actors have the names of the participants; None if the
    content was erased."""
    facets: tuple[tuple[str, Any], ...] | None = None
    """What `facet_segments.values` says of the content, if somebody has asked already."""

    def with_source_ids(self, source_ids: Iterable[str]) -> FoldedContent:
        """Return these rows with an id for the source of each citation."""
        cited = zip(source_ids, self.citations, strict=True)
        return self._replace(citations=tuple((row[0], key, *row[2:]) for key, row in cited))

    def search_row(self, actors: str | None) -> _Values | None:
        """Return the row of `event_search`; `actors` are the names that `joined_names` returned."""
        if self.search is None or actors == fold.joined_names(who[1] for who in self.participants):
            return self.search
        title, summary, quotes, _, places = self.search
        participants = [
            {"name": name, **({"as_named": as_named} if as_named is not None else {})}
            for _, name, _, as_named, *_ in self.participants
        ]
        names = fold.searched_names(actors, participants)
        return title, summary, quotes, names and search_words.words(names), places


def folded_content(content: fold.StoredContent | None, time_zone: str) -> FoldedContent:
    """Return the rows of a content, None if it was erased; bounds are in the zone of the log."""
    own = tuple(fold.content_row(content, time_zone).values())
    if content is None:
        return FoldedContent(own)
    participants = content.get("participants", ())
    return FoldedContent(
        own,
        tuple(
            (
                who.get("actor_id"),
                who["name"],
                who.get("role", "actor"),
                *map(who.get, _PARTICIPANT_FIELDS),
            )
            for who in participants
        ),
        tuple(
            (table, tuple(row[1:] for row in fold.CHILD_TABLES[table]("", content)))
            for table, field in fold.CHILD_FIELDS.items()
            if field in content and table in _CHILD_TABLES
        ),
        tuple(row[1:] for row in fold.CHILD_TABLES["citations"]("", content)),
        tuple(content.get("external_ids", ())),
        fold.search_row(content, fold.joined_names(who["name"] for who in participants)),
    )


# --- In another process -------------------------------------------------------------------


def plainly_folded(content: fold.StoredContent, time_zone: str) -> tuple[Any, ...]:
    """Return a FoldedContent with its facets as a plain tuple, which another process can send."""
    facets = tuple(facet_segments.values(content, time_zone))
    return tuple(folded_content(content, time_zone)._replace(facets=facets))


def folding(time_zone: str) -> Callable[[list[str | None]], list[tuple[Any, ...] | None]]:
    """Return the function that folds the payloads of new events; None for what is none.

    `helper_process.serve` calls it, so what it returns is made of plain tuples: the parts of a
    payload but its content, and a FoldedContent with its facets.
    """

    def folded(payload: str | None) -> tuple[Any, ...] | None:
        if payload is None:
            return None
        try:
            fields = decode_payload(payload)
            words = tuple(fields.pop(field, None) for field in NO_CONTENT)
            return words, plainly_folded(fields, time_zone)
        except Exception:  # noqa: BLE001 - the ordinary way says it better
            return None

    return lambda chunk: [*map(folded, chunk)]


def folded_of(answer: tuple[Any, ...]) -> tuple[Payload, FoldedContent]:
    """Return what `folding` made, in its types; the payload is without its content."""
    words, folded = answer
    return Payload(*words), FoldedContent._make(folded)
