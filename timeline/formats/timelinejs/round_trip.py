"""Functions that write a slide from TimelineJS back as it came, with what was edited since.

Guarantees: whatever the log did not change in a slide is as in its file (HTML, media, group,
background, words of the date), so TimelineJS shows the same. A title, summary, date or group that
differs from the slide's is taken from the event. The slide of an event that is retracted, merged or
at risk says so.

A publisher's file is not trusted. Its HTML passes through `html.harmless`, whatever TimelineJS
itself lets through, and its addresses lead to http, https or the site of the page that shows the
timeline. From these addresses a reader's browser loads what the slide shows (pictures, frames and
media), as it did with the publisher's file. This module does not check what they serve, nor the
players, some of them scripts, that TimelineJS loads from YouTube, Flickr and the like.

What has no place in a slide (figures, claims, added citations) stays in the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from timeline.errors import InvalidInput
from timeline.formats import prose
from timeline.formats.markup import escaped, paragraph, standing, unmarked
from timeline.formats.timelinejs import slides
from timeline.formats.timelinejs.html import address, harmless, plain
from timeline.reading.rows import EventDict

_ADDRESSES = frozenset(("icon", "link", "thumbnail", "url"))
_PLAIN = frozenset(("alt", "title", "unique_id"))
"""The fields that TimelineJS sets as text, never as HTML."""
_FOREIGN_SCRIPT = re.compile(
    r"(?!\s*(?:https?:)?//(?:[a-z0-9-]+\.)*documentcloud\.org/).*documentcloud\.org/",
    re.DOTALL | re.IGNORECASE,
)
"""Addresses of other hosts that TimelineJS would take for DocumentCloud's.

TimelineJS runs what DocumentCloud answers as a script.
"""
_TWICE = frozenset(("display_date", "format", "format_short", "group"))
"""The fields that TimelineJS parses as HTML, then sets as HTML again."""


def cells(event: EventDict) -> Mapping[str, str]:
    """Return the cells of the slide that an event came from; {} for any other event."""
    found: Mapping[str, str] = event.get("extra", {}).get(slides.SCHEME, {})
    return found


def slide_again(
    event: EventDict, dates: Mapping[str, Mapping[str, int]], labels: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the slide of an event that came from a slide, with the edits made since.

    Returns None if the event cannot have come from a slide. `dates` are those of the event, as
    `slides.dates` returns them; `labels` are those of event types, by code.
    """
    try:
        before = slides.event(cells(event))
        slide = _safe(slides.slide(cells(event)))
    except InvalidInput:
        return None
    edited = {field for field in (*before, *event) if before.get(field) != event.get(field)}
    text = slide["text"] if isinstance(slide.get("text"), dict) else {}
    if "title" in edited:
        text["headline"] = escaped(prose.title(event))
    if "summary" in edited:
        text["text"] = paragraph(event["summary"]) if "summary" in event else ""
    if event["state"] != "current" or event.get("at_risk"):
        said = "".join(map(paragraph, standing(event, labels)))
        text["text"] = f"{said}{text.get('text', '')}"
    slide["text"] = text
    if "media" in edited and "media" in before:
        slide["media"] = _shown(event, slide)
    if isinstance(slide.get("media"), dict):
        slide["media"] = {
            "url": "",
            **slide["media"],
        }  # without a url TimelineJS shows nothing at all
    if "occurred" in edited and "start_date" in slide:
        slide |= {
            "end_date": None,
            "display_date": unmarked(prose.occurred(event)),
            **dates,
        }
    if "occurred_text" in edited and "occurred_text" in event:
        slide["display_date"] = unmarked(event["occurred_text"])
    tag = slides.group(slide)
    if tag and tag not in event.get("tags", ()):
        others = [each for each in event.get("tags", ()) if each not in slides.NO_EVENTS.values()]
        slide["group"] = unmarked(others[0]) if others else None
    return {name: value for name, value in slide.items() if value not in (None, {}, "")}


def _shown(event: EventDict, slide: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the first medium of an event in the place of the slide's; None if there is none."""
    medium: Mapping[str, Any] = next(iter(event.get("media", ())), {})
    if "url" not in medium:
        return None
    words = {name: escaped(medium.get(name, "")) for name in ("caption", "credit")}
    new = {"url": medium["url"], **words, "alt": medium.get("alt", "")}
    kept = slide["media"] if isinstance(slide.get("media"), dict) else {}
    found = {**(kept if kept.get("url") == new["url"] else {}), **new}
    return {name: value for name, value in found.items() if value}


def _safe(value: Any, name: str = "") -> Any:
    """Return a value of a slide without anything that could run; `name` is its path with dots."""
    key = name.rpartition(".")[2]
    if isinstance(value, dict):
        inner = {each: _safe(item, f"{name}.{each}") for each, item in value.items()}
        return {each: item for each, item in inner.items() if item not in ("", {})}
    if isinstance(value, list):
        return [_safe(item, name) for item in value]
    if not isinstance(value, str) or key in _PLAIN:
        return value
    if name == ".media.url" and value.startswith("<"):
        # TimelineJS pastes some addresses between single quotation marks.
        shown = harmless(value).replace("'", "&#x27;")
        return shown if shown.startswith("<") else ""
    if key in _ADDRESSES:
        return "" if _FOREIGN_SCRIPT.match(value) else address(value)
    if key in _TWICE:
        return unmarked(plain(plain(value))) if "<" in value or "&" in value else value
    return harmless(value) if "<" in value else value
