"""TimelineJS 3 JSON, from which Knight Lab's TimelineJS makes its timelines.

Guarantees: a vague date is drawn over the whole period, and shown in words. An open end is not
drawn; an event with only an end is drawn at that end, and its words say "before". An event of which
no date is known is left out and counted. Nothing in the file works as HTML but the tags of
`markup`; nothing in it makes a reader's browser load anything but attached pictures of the site.

A slide that came from TimelineJS returns to its place, also the title slide and eras, as
`slide_again` says: it keeps the harmless tags of its file, and its pictures and media still load
from http and https. A file with such slides has the title slide that came with them, or none.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from timeline.formats import json_text, prose
from timeline.formats.about import About
from timeline.formats.markup import body, escaped, unmarked
from timeline.formats.media_links import media_links
from timeline.formats.timelinejs.round_trip import cells, slide_again
from timeline.formats.timelinejs.slides import PART, SCALE, dates
from timeline.reading.rows import EventDict

_JAVASCRIPT_YEARS = range(-271_820, 275_760)
"""The years that TimelineJS can draw on the human scale; the cosmological one has only years."""


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one timeline; return how many events were left out.

    The title slide and the eras are held in memory to the end.
    """
    labels = about.labels
    left_out = 0
    scale = "human"
    came = False
    title: dict[str, Any] | None = None
    eras: list[dict[str, Any]] = []

    def slides() -> Iterable[str]:
        nonlocal left_out, scale, came, title
        for event in events:
            drawn = dates(event)
            if not drawn:
                left_out += 1
                continue
            origin = cells(event)
            if origin.get(SCALE) == "cosmological" or any(map(_is_far, drawn.values())):
                scale = "cosmological"
            again = slide_again(event, drawn, labels) if origin else None
            if again is None:
                yield json_text.text(_slide(event, drawn, about, labels))
                continue
            came = True
            if origin.get(PART) == "title" and title is None:
                title = again
                continue
            again = again if "start_date" in again else {**again, **drawn}
            if origin.get(PART) == "era":
                eras.append({"end_date": again["start_date"], **again})
            else:
                yield json_text.text(again)

    yield '{"events": [\n'
    yield from json_text.listed(slides())
    if not came:
        title = _title(about, left_out)
    end = {
        **({"eras": eras} if eras else {}),
        **({"title": title} if title is not None else {}),
        "scale": scale,
    }
    yield f"], {json_text.text(end)[1:]}\n"
    return left_out


def _is_far(date: Mapping[str, int]) -> bool:
    return date["year"] not in _JAVASCRIPT_YEARS


def _slide(
    event: EventDict,
    drawn: Mapping[str, Mapping[str, int]],
    about: About,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    text = body(event, about.lookup, labels)
    if about.address:
        text += f'<p><a href="{escaped(about.address(event["event_id"]))}">All versions</a></p>'
    code = event.get("event_type")
    return {
        "unique_id": event["event_id"],
        **drawn,
        "display_date": unmarked(prose.occurred(event)),
        "text": {"headline": escaped(prose.title(event)), "text": text},
        **({"group": unmarked(labels.get(code, code))} if code else {}),
        **_picture(event, about),
        "autolink": False,  # the text has its links already
    }


def _picture(event: EventDict, about: About) -> dict[str, Any]:
    """Return the first picture of an event that the site has: TimelineJS shows one for a slide."""
    for url, is_ours, medium in media_links(event, about):
        if is_ours and medium["kind"] == "image":
            said = {name: escaped(medium[name]) for name in ("credit", "caption") if name in medium}
            return {"media": {"url": url, "thumbnail": url, "alt": medium["alt"], **said}}
    return {}


def _title(about: About, left_out: int) -> dict[str, Any]:
    said = [f"Licence: {about.info['licence']}"] if "licence" in about.info else []
    if left_out:
        said.append(f"Not shown, for no date is known: {left_out}")
    return {
        "unique_id": "_title",  # no event has this id: none begins with _
        "text": {
            "headline": escaped(about.info.get("title", "")),
            "text": "".join(f"<p>{escaped(text)}</p>" for text in said),
        },
        "autolink": False,
    }
