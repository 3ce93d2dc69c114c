"""JSON that holds the whole events, each as the object that `timeline show --json` prints.

The words for its codes come after it (`formats.coded`). A citation with a quote also has a
`selector` of the Web Annotation Data Model (W3C), by which annotation programs find the quoted
words in the source.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from timeline.formats import json_text
from timeline.formats.about import About, heading
from timeline.formats.coded import codes_and_words
from timeline.reading.rows import EventDict
from timeline.texts.quotes import selectors


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one JSON object: the members of the heading, and `events`. Leaves nothing out."""
    yield f'{json_text.text(heading(about))[:-1]}, "events": [\n'
    labels = about.labels
    yield from json_text.listed(json_text.text(_object(event, about, labels)) for event in events)
    yield "]}\n"
    return 0


def _object(event: EventDict, about: About, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return an event with a selector for each quote, and with the words for its codes."""
    said = codes_and_words(event, labels).items()
    found: dict[str, Any] = {**event, **{name: value for name, value in said if value}}
    if "citations" in found:
        found["citations"] = [_with_selector(each, about) for each in found["citations"]]
    return found


def _with_selector(citation: Mapping[str, Any], about: About) -> Mapping[str, Any]:
    if "quote" not in citation:
        return citation
    start, end = citation.get("quote_start"), citation.get("quote_end")
    text = about.cited_text(citation) if about.cited_text and start is not None else None
    return {**citation, "selector": selectors(citation["quote"], start, end, text)}
