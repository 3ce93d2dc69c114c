"""What a file says of itself beside its events: the log, the selection, the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from timeline.formats.sheet.events import Words
from timeline.reading.as_of import NOW, AsOf

__all__ = ["About", "Event", "heading"]

Event = Mapping[str, Any]
"""An event as `query.get` has it."""


class About(NamedTuple):
    """What goes with the events of a file."""

    info: Mapping[str, Any]
    """The log about itself, as `log.info` has it."""
    words: Words = Words()
    """Labels of event types, and the sources that events cite."""
    as_of: AsOf = NOW
    """The point at which the log was read; NOW where none is to be named."""
    filters: Mapping[str, str] = {}
    """The selection as it was asked for, as_of and as_reported too: tells feeds apart."""
    address: Callable[[str], str] | None = None
    """The address of the page of an event, from its id."""
    self_url: str | None = None
    """Where this file is."""
    next_url: str | None = None
    """Where the selection goes on, if this file is a part of it."""
    cited_text: Callable[[Mapping[str, Any]], str | None] | None = None
    """The captured text that a citation has its place in, as `texts.cited` finds it."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels of event types, by code."""
        return {each.code: each.label for each in self.words.event_types}


def heading(about: About) -> dict[str, Any]:
    """The same as members of a JSON object; null where there is nothing to say."""
    return {
        "title": about.info.get("title"),
        "origin": about.info.get("origin"),
        "language": about.info.get("language", "en"),
        "licence": about.info.get("licence"),
        "time_zone": about.info.get("time_zone", "UTC"),
        "as_of": about.as_of.seq if about.as_of.seq < NOW.seq else None,
        "as_reported": about.as_of.reported if about.as_of.reported < NOW.reported else None,
        "filters": dict(about.filters),
        "self": about.self_url,
        "next": about.next_url,
    }
