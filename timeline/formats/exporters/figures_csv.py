"""CSV that has one row for each figure, so that programs for statistics read it as it is.

Guarantees: figures that disagree stand in rows of their own, in the order of the event. A number
has exactly the digits of the log.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from timeline.formats.about import About
from timeline.formats.sheet import cells
from timeline.reading.rows import EventDict

COLUMNS = (
    *("event", "measure", "qualifier", "value", "low", "high", "unit"),
    *("dated", "said_by", "source"),
)
"""The columns; `event` is an id, and `source` has the addresses, or else the ids, of sources."""


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield the file, row by row. Leaves no event out, though one without figures has no row."""
    yield from cells.write(_rows(events, about), COLUMNS)
    return 0


def _rows(events: Iterable[EventDict], about: About) -> Iterator[Mapping[str, str]]:
    for event in events:
        for figure in event.get("quantities", ()):
            yield {
                "event": event["event_id"],
                "measure": figure["measure"],
                "qualifier": figure.get("qualifier", "exact"),
                **{name: str(figure.get(name, "")) for name in ("value", "low", "high")},
                "unit": figure["unit"],
                "dated": figure.get("dated", ""),
                "said_by": figure.get("reported_by", ""),
                "source": cells.joined(_sources(figure, about)),
            }


def _sources(figure: Mapping[str, Any], about: About) -> Iterator[str]:
    for source_id in figure.get("source_ids", ()):
        yield about.lookup.sources.get(source_id, {}).get("url") or source_id
