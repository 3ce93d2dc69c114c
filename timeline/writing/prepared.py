"""Make of a statement, ahead of its append, all that follows from the statement alone.

Guarantees: what is made is what `EventEntries.record` makes, by the same functions. Nothing is
judged: whatever is wrong, or needs the log or a text, is not prepared, and takes the ordinary
way. So no rule stands here, and no error comes from here.
"""

from __future__ import annotations

import functools
import json
import pickle
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from timeline.model.content import SAME_REPORT, Said
from timeline.model.invisible import deceiving
from timeline.model.terms import known_terms
from timeline.projection import fold
from timeline.projection.folded_content import FoldedContent, plainly_folded
from timeline.writing.entries import encoded_payload
from timeline.writing.event_statement import (
    in_todays_form,
    names_in,
    notes_on,
    own_words,
    validated_statement,
)
from timeline.writing.one_form import in_one_form
from timeline.writing.vocabulary_codes import VocabularyCodes

_SOURCE_ID = "\0"
"""Stands in a payload for the id of each source: no statement can have this character."""
_ENCODED = '"\\u0000"'
_TOLD = ("occurred", "modality", "quantities", "highlight")
_UNUSUAL = ("relations", "media")
"""Fields whose check needs the log."""


class Prepared(NamedTuple):
    """Holds what an event becomes, but for the ids of its sources, and what they decide."""

    event_id: str | None
    words: tuple[str | None, ...]
    """The author, the reason, what proposed it, and the date of the report."""
    payload: tuple[str, ...]
    """The payload in pieces: between two of them comes the id of a source, in quotes."""
    sources: tuple[str, ...]
    """For each citation the source that it brings, as JSON, or the id of one in the log."""
    told: dict[str, Any]
    """The part of the content that a receipt repeats, and that decides the format of the entry."""
    names: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    is_corroborated: bool
    rows: FoldedContent

    @property
    def title(self) -> str:
        """Return the title of the event."""
        return str(self.rows.content[fold.CONTENT_COLUMNS.index("title")])

    @property
    def said(self) -> Said:
        """Return the words in their type; what the model checked once is not checked again."""
        return _said_in(*self.words)

    def with_source_ids(self, source_ids: Iterable[str]) -> str:
        """Return the payload, with an id for each source."""
        first, *pieces = self.payload
        cited = (f'"{key}"{piece}' for key, piece in zip(source_ids, pieces, strict=True))
        return first + "".join(cited)


def prepared_of(answer: tuple[Any, ...]) -> Prepared:
    """Return what `preparing` made, in its types."""
    *fields, rows = answer
    return Prepared._make((*fields, FoldedContent._make(rows)))


class Setting(NamedTuple):
    """Says for which append statements are prepared."""

    info: Mapping[str, Any]
    """What the log says about itself."""
    words: tuple[str | None, ...]
    """What is said of every statement that says nothing about itself, as in `Prepared`."""
    time_zone: str


def words_of(said: Said) -> tuple[str | None, ...]:
    """Return what a statement says about itself, as in `Prepared`."""
    return tuple(getattr(said, field) for field in Said.model_fields)


@functools.lru_cache(maxsize=1024)
def _said_in(*words: str | None) -> Said:
    """Return what these words say about a statement; `words_of` returned them."""
    fields: dict[str, Any] = dict(zip(Said.model_fields, words, strict=True))
    return Said.model_construct(**{field: word for field, word in fields.items() if word})


def preparing(
    setting: tuple[Any, ...],
) -> Callable[[list[bytes | None]], list[tuple[Any, ...] | None]]:
    """Return the function that prepares pickled statements, with None for each that is unusual.

    `helper_process.serve` calls it, so what it returns is made of plain tuples, not of `Prepared`.
    """
    info, words, time_zone = Setting._make(setting)
    said = _said_in(*words)
    codes = VocabularyCodes(known_terms(info.get("vocabulary", {})))

    def prepared(statement: bytes | None) -> tuple[Any, ...] | None:
        if statement is None:
            return None
        try:
            fields = pickle.loads(statement)  # noqa: S301 - the caller pickled it
            return _prepared(fields, said, codes, time_zone)
        except Exception:  # noqa: BLE001 - the ordinary way says it better
            return None

    return lambda chunk: [*map(prepared, chunk)]


def _prepared(
    statement: Mapping[str, Any], said: Said, codes: VocabularyCodes, time_zone: str
) -> tuple[Any, ...] | None:
    given = validated_statement(statement)
    said = own_words(given, said)
    event = in_todays_form(given, {})
    content = in_one_form(event.model_copy(update=codes.of(event)).content())
    sources = [*map(_source_of, content.get("citations", ()))]
    if said.reported_at == SAME_REPORT or None in sources or _needs_the_log(content):
        return None
    payload = encoded_payload("event.recorded", said, content)
    pieces = payload.split(_ENCODED)
    if len(pieces) != len(sources) + 1 or (not payload.isascii() and deceiving(payload)):
        return None
    return tuple(
        Prepared(
            given.event_id,
            words_of(said),
            tuple(pieces),
            tuple(filter(None, sources)),
            {field: content[field] for field in _TOLD if field in content},
            tuple(names_in(content)),
            notes_on(content, {}),
            content.get("verification") == "corroborated",
            plainly_folded(content, time_zone),  # type: ignore[arg-type]
        )
    )


def _source_of(citation: dict[str, Any]) -> str | None:
    """Take the source out of a citation: as JSON, or its id; None for a part of a source."""
    if "quote" in citation or "quote_start" in citation:
        return None
    source = citation.pop("source", None)
    source_id = citation.pop("source_id", None)
    rest = dict(citation)
    citation.clear()
    citation.update({"source_id": _SOURCE_ID, **rest})
    return json.dumps(source) if source else source_id


def _needs_the_log(content: Mapping[str, Any]) -> bool:
    return any(field in content for field in _UNUSUAL) or any(
        "source_ids" in item
        for field in ("quantities", "claims")
        for item in content.get(field, ())
    )
