"""TimelineJS 3 JSON: what storymaps of Knight Lab's TimelineJS are made of.

Guarantees: a vague date is drawn over the whole period, and shown in words. An open side is
not drawn; what has but an end stands there, and its words say "before". An event of which no
date is known is left out, and counted. Nothing in the file is obeyed as HTML but the tags of
`markup`; nothing in it makes a reader's browser load anything.
"""

from __future__ import annotations

import html
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from timeline import edtf_time, words
from timeline.exporters import json_text
from timeline.exporters.about import About, Event
from timeline.exporters.markup import body, escaped

_PARTS = ("year", "month", "day", "hour", "minute", "second")
_JAVASCRIPT_YEARS = range(-271_820, 275_760)
"""What TimelineJS draws on the human scale; beyond, it knows years alone."""


def write(events: Iterable[Event], about: About) -> Generator[str, None, int]:
    """One timeline; how many events are left out."""
    labels = about.labels
    left_out = 0
    scale = "human"

    def slides() -> Iterable[str]:
        nonlocal left_out, scale
        for event in events:
            dates = _dates(event)
            if not dates:
                left_out += 1
                continue
            if any(date["year"] not in _JAVASCRIPT_YEARS for date in dates.values()):
                scale = "cosmological"
            yield json_text.text(_slide(event, dates, about, labels))

    yield '{"events": [\n'
    yield from json_text.listed(slides())
    end = {"title": _title(about, left_out), "scale": scale}
    yield f"], {json_text.text(end)[1:]}\n"
    return left_out


def _slide(
    event: Event, dates: dict[str, dict[str, int]], about: About, labels: Mapping[str, str]
) -> dict[str, Any]:
    text = body(event, about.words, labels)
    if about.address:
        text += f'<p><a href="{escaped(about.address(event["event_id"]))}">All versions</a></p>'
    code = event.get("event_type")
    return {
        "unique_id": event["event_id"],
        **dates,
        "display_date": _unmarked(words.date(event["occurred"])),
        "text": {"headline": escaped(words.title(event)), "text": text},
        **({"group": _unmarked(labels.get(code, code))} if code else {}),
        "autolink": False,  # the links are made
    }


def _title(about: About, left_out: int) -> dict[str, Any]:
    said = [f"Licence: {about.info['licence']}"] if "licence" in about.info else []
    if left_out:
        said.append(f"Not shown, for no date is known: {left_out}")
    return {
        "unique_id": "_title",  # no event id begins with _
        "text": {
            "headline": escaped(about.info.get("title", "")),
            "text": "".join(f"<p>{escaped(text)}</p>" for text in said),
        },
        "autolink": False,
    }


def _dates(event: Event) -> dict[str, dict[str, int]]:
    """`start_date` and `end_date`, inclusive; nothing where both are open."""
    sides = (event.get("occurred_from"), event.get("occurred_to"))
    bounds = [edtf_time.numbers(bound) for bound in sides if bound]
    if not bounds:
        return {}
    first, last = bounds[0], bounds[-1]
    found = {"start_date": _date(first)}
    # An hour or a minute stands where it begins.
    if last != first and (last[:3] != first[:3] or "/" in event["occurred"]):
        found["end_date"] = _date(last)
    return found


def _date(numbers: tuple[int, ...]) -> dict[str, int]:
    """The parts of a date. TimelineJS calls 44 BC the year -44, and knows no year 0."""
    year, *others = numbers
    return dict(zip(_PARTS, (year if year > 0 else year - 1, *others), strict=False))


def _unmarked(text: str) -> str:
    """A text for the fields that TimelineJS parses as HTML, then sets as HTML again."""
    return html.escape(escaped(text))
