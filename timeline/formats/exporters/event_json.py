"""JSON that holds the whole events, each as the object that `timeline show --json` prints.

A citation with a quote also has a `selector` of the Web Annotation Data Model (W3C), by which
annotation programs find the quoted words in the source.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from timeline.formats import json_text
from timeline.formats.about import About, heading
from timeline.reading.rows import EventDict
from timeline.texts.quotes import selectors


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one JSON object: the members of the heading, and `events`. Leaves nothing out."""
    yield f'{json_text.text(heading(about))[:-1]}, "events": [\n'
    yield from json_text.listed(json_text.text(_with_selectors(event, about)) for event in events)
    yield "]}\n"
    return 0


def _with_selectors(event: EventDict, about: About) -> Mapping[str, Any]:
    citations = event.get("citations", ())
    if not any("quote" in citation for citation in citations):
        return event
    return {**event, "citations": [_with_selector(citation, about) for citation in citations]}


def _with_selector(citation: Mapping[str, Any], about: About) -> Mapping[str, Any]:
    if "quote" not in citation:
        return citation
    start, end = citation.get("quote_start"), citation.get("quote_end")
    text = about.cited_text(citation) if about.cited_text and start is not None else None
    return {**citation, "selector": selectors(citation["quote"], start, end, text)}
