"""The registry of formats in which a selection of events is exported, by command and site alike.

Guarantees: each `write` is pure. It takes events (or entries) and an `About`, and yields text.
It also streams: each piece of text ends at the end of a line, and only one event is held in
memory (TimelineJS: also the title slide and the eras; Word: the whole document, in bytes). Text in
the log stays text in the file; it never becomes a tag, a property, a formula or a command. Only a
slide that came from TimelineJS keeps its harmless tags, as `slide_again` says.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from importlib.util import find_spec
from typing import Any, NamedTuple

from timeline.formats.about import About
from timeline.formats.exporters import (
    atom,
    entries_jsonl,
    event_json,
    figures_csv,
    geojson,
    icalendar,
    markdown,
    paper,
    sheet_csv,
    word,
)
from timeline.formats.timelinejs import exporter


class ExportFormat(NamedTuple):
    """A format that `write` writes, with its media type and the suffix of its file names."""

    media_type: str
    suffix: str
    write: Callable[[Iterable[Any], About], Generator[str, None, int] | Generator[bytes, None, int]]
    """Yields a file of events as text, or as bytes if it is none; returns how many are left out.

    Left out are the events that the format cannot hold.
    """
    newest_first: bool = False
    """Whether `write` needs the events with the most recently recorded first."""
    oldest_first: bool = False
    """Whether `write` needs the events in the order in which they happened.

    A file of the site then holds a part of a long selection."""
    of_entries: bool = False
    """Whether `write` takes entries instead of events, as `reading.entries.read` yields them."""
    stem: str = "events"
    """The name of the site's file, without the suffix."""
    opens: bool = False
    """Whether the site's file opens instead of being saved: a page, or a feed that is followed."""
    needs: str | None = None
    """The module of an extra without which nothing can be written."""

    @property
    def is_installed(self) -> bool:
        """Return whether everything is installed that the format needs."""
        return self.needs is None or find_spec(self.needs) is not None


FORMATS = {
    "csv": ExportFormat("text/csv; charset=utf-8", ".csv", sheet_csv.write),
    "json": ExportFormat("application/json", ".json", event_json.write),
    "geojson": ExportFormat("application/geo+json", ".geojson", geojson.write),
    "ics": ExportFormat("text/calendar; charset=utf-8", ".ics", icalendar.write, opens=True),
    "atom": ExportFormat(
        "application/atom+xml; charset=utf-8",
        ".atom",
        atom.write,
        newest_first=True,
        opens=True,
    ),
    "timelinejs": ExportFormat("application/json", ".timelinejs.json", exporter.write),
    "figures": ExportFormat("text/csv; charset=utf-8", ".csv", figures_csv.write, stem="figures"),
    "md": ExportFormat("text/markdown; charset=utf-8", ".md", markdown.write, oldest_first=True),
    "html": ExportFormat(
        "text/html; charset=utf-8", ".html", paper.write, oldest_first=True, opens=True
    ),
    "docx": ExportFormat(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".docx",
        word.write,
        oldest_first=True,
        needs="docx",
    ),
    "jsonl": ExportFormat("application/jsonl", ".jsonl", entries_jsonl.write, of_entries=True),
}
"""The formats by the name that the command line and the site use for them."""
