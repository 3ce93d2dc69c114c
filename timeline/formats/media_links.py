"""A function that gives the media of an event as links, for the formats that can carry them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from timeline.formats.about import About
from timeline.formats.markup import is_link
from timeline.reading.rows import EventDict


class MediaLink(NamedTuple):
    """A medium with an address that a reader can open."""

    url: str
    is_ours: bool
    """Whether it is a file of this timeline, so that it may be shown without asking elsewhere."""
    medium: dict[str, Any]


def media_links(event: EventDict, about: About) -> Iterator[MediaLink]:
    """Yield the media of an event that have an address: that of the site, or else their own."""
    for medium in event.get("media", ()):
        sha256 = medium.get("sha256")
        ours = about.file_address(sha256) if sha256 and about.file_address else None
        if ours:
            yield MediaLink(ours, True, dict(medium))
        elif is_link(medium.get("url")):
            yield MediaLink(medium["url"], False, dict(medium))
