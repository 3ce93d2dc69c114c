"""Put the words of an event into the codes of a log's vocabulary."""

from __future__ import annotations

import functools
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.model.content import Event
from timeline.model.terms import KnownTerms, term


class VocabularyCodes:
    """Finds the codes of one vocabulary; the same word is looked up once."""

    def __init__(self, terms: KnownTerms) -> None:
        self._terms = terms
        self._code = functools.lru_cache(maxsize=1024)(self._code_of)

    def of(self, event: Event) -> dict[str, Any]:
        """Return the fields of an event that hold codes, with its words as codes.

        Raises InvalidInput, with the field, for a word that the vocabulary lacks.
        """
        codes: dict[str, Any] = {
            field: self._code(field, word)
            for field in ("event_type", "mode")
            if (word := getattr(event, field))
        }
        if event.contexts:
            contexts = (self._code("contexts", context) for context in event.contexts)
            codes["contexts"] = tuple(dict.fromkeys(contexts))
        return codes

    def _code_of(self, field: str, text: str) -> str:
        terms, what = {
            "event_type": (self._terms.event_types, "event type"),
            "mode": (self._terms.modes, "mode"),
            "contexts": (self._terms.contexts, "context"),
        }[field]
        if not terms:
            return text
        try:
            return term(text, terms, what)
        except InvalidValue as error:
            raise InvalidInput(field, error.problem) from None
