"""Say by which changes an event cites what it does not cite yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from timeline.texts.quotes import alike


def new_citations(
    event: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """Yield the changes by path that cite sources; one cited as a whole gets its first quote.

    What the event cites already is left out. A citation that brings its source is always new.
    """
    known: list[Mapping[str, Any]] = [*event.get("citations", ())]
    whole = {each["source_id"]: n for n, each in enumerate(known) if each.keys() == {"source_id"}}
    for citation in wanted:
        key = citation.get("source_id")
        if any(each.get("source_id") == key and _says(each, citation) for each in known if key):
            continue
        known.append(citation)
        if key in whole and citation.keys() == {"source_id", "quote"}:
            yield f"citations.{whole.pop(key)}.quote", citation["quote"]
        else:
            yield "citations.-", citation


def _says(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a citation has the quote of another one of the same source, if that has one."""
    quote = wanted.get("quote")
    if quote is None:
        return "quote_start" not in wanted
    return isinstance(quote, str) and alike(quote, known.get("quote", ""))
