"""The formats of a selection of events: on the command line and on the site the same.

Guarantees: each `write` is pure - events and what goes with them in, or entries, text out - and
streams: a piece of text ends where a line ends, and no more than an event is held, of TimelineJS
the title and eras too. Whatever stands in a log is text in the file, never a tag, a property, a
formula or a command; a slide that came from TimelineJS keeps its harmless tags, as `slide_again`
says.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

from timeline.formats.about import About, Event
from timeline.formats.exporters import (
    atom,
    entries_jsonl,
    event_json,
    geojson,
    icalendar,
    sheet_csv,
)
from timeline.formats.timelinejs import exporter

__all__ = ["FORMATS", "About", "Event", "Format"]


class Format(NamedTuple):
    """A format: what a web server and a file system call it, and how it is written."""

    media_type: str
    suffix: str
    write: Callable[[Iterable[Any], About], Generator[str, None, int]]
    """Yields the file of each `Event`; returns the number of those that it cannot say."""
    newest_first: bool = False
    """Whether events must come newest recorded first."""
    of_entries: bool = False
    """Whether it is written of each `codec.Entry` instead, as `wire` has them."""


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", ".csv", sheet_csv.write),
    "json": Format("application/json", ".json", event_json.write),
    "geojson": Format("application/geo+json", ".geojson", geojson.write),
    "ics": Format("text/calendar; charset=utf-8", ".ics", icalendar.write),
    "atom": Format("application/atom+xml; charset=utf-8", ".atom", atom.write, newest_first=True),
    "timelinejs": Format("application/json", ".timelinejs.json", exporter.write),
    "jsonl": Format("application/jsonl", ".jsonl", entries_jsonl.write, of_entries=True),
}
"""By the name that the command line and the site have for them."""
