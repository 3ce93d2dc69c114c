"""Atom (RFC 4287), a feed of events that lists the most recently recorded first.

Guarantees: the id of an entry depends only on the log's origin and the event's id, the id of the
feed only on the origin and the selection. Both stay the same when the file is moved, renamed or
published elsewhere. Texts are escaped; characters that XML 1.0 cannot hold become U+FFFD.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterable, Mapping

from timeline.formats import prose
from timeline.formats.about import About
from timeline.formats.markup import body, escaped
from timeline.formats.media_links import MediaLink, media_links
from timeline.reading.rows import EventDict

NEVER = "1970-01-01T00:00:00Z"
"""The time at which a feed without entries is said to have been updated."""


def permanent_id(origin: str, *path: str) -> str:
    """Return a URN that never changes for something in a log (RFC 4122, section 4.3)."""
    return uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(["timeline", origin, *path])).urn


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one feed of events, which must come newest recorded first. Leaves nothing out."""
    labels = about.labels
    events = iter(events)
    newest = next(events, None)
    yield heading(about, newest["recorded_at"] if newest else NEVER)
    if newest:
        yield _entry(newest, about, labels)
    for event in events:
        yield _entry(event, about, labels)
    yield "</feed>\n"
    return 0


def heading(about: About, updated: str) -> str:
    """Return the beginning of a feed, to which entries and `</feed>` must be added."""
    info = about.info
    origin = info.get("origin", "")
    selection = [text for pair in sorted(about.filters.items()) for text in pair]
    title = escaped(info.get("title", ""))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom"'
        f' xml:lang="{escaped(info.get("language", "en"))}">',
        f"<id>{permanent_id(origin, 'feed', *selection)}</id>",
        f"<title>{title}</title>",
        f"<updated>{updated}</updated>",
        f"<author><name>{title}</name></author>",
        *(
            f'<link rel="{relation}" href="{escaped(url)}"/>'
            for relation, url in (("self", about.self_url), ("next", about.next_url))
            if url
        ),
        *([f"<rights>{escaped(info['licence'])}</rights>"] if "licence" in info else []),
    ]
    return "".join(f"{line}\n" for line in lines)


def _entry(event: EventDict, about: About, labels: Mapping[str, str]) -> str:
    event_id = event["event_id"]
    code = event.get("event_type")
    lines = [
        "<entry>",
        f"<id>{permanent_id(about.info.get('origin', ''), 'event', event_id)}</id>",
        f"<title>{escaped(prose.title(event))}</title>",
        f"<updated>{event['recorded_at']}</updated>",
        *([f'<link href="{escaped(about.address(event_id))}"/>'] if about.address else []),
        *(
            [f'<category term="{escaped(code)}" label="{escaped(labels.get(code, code))}"/>']
            if code
            else []
        ),
        *(f'<category term="{escaped(tag)}"/>' for tag in event.get("tags", ())),
        *map(_enclosure, media_links(event, about)),
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
        f"{body(event, about.lookup, labels)}</div></content>",
        "</entry>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _enclosure(link: MediaLink) -> str:
    said = {"type": link.medium.get("media_type"), "title": link.medium.get("alt")}
    words = "".join(f' {name}="{escaped(text)}"' for name, text in said.items() if text)
    return f'<link rel="enclosure"{words} href="{escaped(link.url)}"/>'
