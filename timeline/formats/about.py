"""The data that goes with the events of an export: the log, the selection, the point in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from timeline.formats.sheet.events import Lookup
from timeline.reading.as_of import NOW, AsOf


class About(NamedTuple):
    """Everything that an exporter needs to know beside the events it writes."""

    info: Mapping[str, Any]
    """What the log says about itself, as `log.info` returns it."""
    lookup: Lookup = Lookup()
    """The event types of the log with their labels, and the sources that events cite."""
    as_of: AsOf = NOW
    """The point in time at which the log was read; NOW if the file names none."""
    filters: Mapping[str, str] = {}
    """The filters that were asked for, with as_of and as_reported, by name.

    They tell one feed from another.
    """
    address: Callable[[str], str] | None = None
    """Returns the address of an event's page from the event's id; None if there are no pages."""
    self_url: str | None = None
    """The address of this file; None if it has none."""
    next_url: str | None = None
    """The address of the file with the next events, if this file holds a part of the selection."""
    cited_text: Callable[[Mapping[str, Any]], str | None] | None = None
    """Returns the captured text that a citation's offsets count in, or None if there is none.

    `captured_texts.cited` makes such a function.
    """
    file_address: Callable[[str], str | None] | None = None
    """Returns the address of an attached file from its hash; None if the file is not here.

    Without pages, there is no such function.
    """

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of event types, by code."""
        return {each.code: each.label for each in self.lookup.event_types}


def in_words(filters: Mapping[str, Any]) -> dict[str, str]:
    """Return filters for `About`: those that ask for something, several values with commas."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in filters.items()
        if value is not None
    }


def heading(about: About) -> dict[str, Any]:
    """Return what a file says of itself as members of a JSON object; null if it is not known."""
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
