"""JSON: the events whole, each the object that `timeline show --json` prints."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from timeline.exporters import json_text
from timeline.exporters.about import About, Event, heading


def write(events: Iterable[Event], about: About) -> Generator[str, None, int]:
    """One object with the heading and `events`. Nothing is left out."""
    yield f'{json_text.text(heading(about))[:-1]}, "events": [\n'
    yield from json_text.listed(map(json_text.text, events))
    yield "]}\n"
    return 0
