"""Cite the known source where a row gives an address that the log has with another title."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timeline.errors import InvalidInput
from timeline.writing.writer import Append


def cited_as_known(
    append: Append, fields: dict[str, Any], note: Callable[[str, str], object]
) -> dict[str, Any]:
    """Return the fields of an event with each source that the log knows otherwise cited by its id.

    `note` is called with the address of such a source, and with words for what is cited. Of several
    sources of one address in the event itself, only the first is cited.
    """
    citations: list[dict[str, Any]] = []
    first: dict[str, dict[str, Any]] = {}
    for citation in fields.get("citations") or ():
        source = citation.get("source")
        if not source:
            citations.append(citation)
            continue
        address = source.get("source_id") or source.get("url")
        try:
            known = append.known_otherwise(source)
        except InvalidInput:
            known = None
        if known:
            note(address, f"source {known}")
            others = {name: value for name, value in citation.items() if name != "source"}
            citations.append({**others, "source_id": known})
        elif address is None or first.setdefault(address, source) == source:
            citations.append(citation)
        else:
            note(address, "another source of this row")
    return {**fields, "citations": citations} if citations else fields
