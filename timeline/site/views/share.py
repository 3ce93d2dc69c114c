"""Say how a page is shared: its addresses, and the code that shows it in pages of other sites.

Guarantees: an address that is called living shows what is known when it is opened, one that is
called fixed shows what the page shows today, whatever the log says later. All of them are absolute.
Knows no request and no template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from timeline.model.limits import ID
from timeline.site.views.address import Address
from timeline.site.views.value_pages import OF_NAME, VALUE

WIDTH = 600
"""The width in pixels of a frame whose page asks for none."""
_HEIGHTS = {"event": 320, "list": 500, "map": 640}
"""The height in pixels of a frame, by what it shows."""

_EVENT = re.compile(f"/events/{ID}(/[1-9][0-9]{{0,8}})?")
_ACTOR = re.compile(f"/actors/{ID}")
_SOURCE = re.compile(f"/sources/({ID})")
_LISTS = ("/", "/events", "/map")

_OF_A_READER = re.compile("after|before|values|part|find_.*|_.*|utm_.*|fbclid|gclid")
"""The parameters that are about one reader's look at a page, not about what is shared."""
_MOMENTS = ("as_of", "as_reported")

_SCRIPT = '<script src="{}/-/static-plugins/timeline-store/embed_host.js" async></script>'

Parameters = list[tuple[str, str]]


class Frame(NamedTuple):
    """A frame has the path of an embed with its parameters, and its height in pixels."""

    path: str
    height: int


class Share(NamedTuple):
    """A share has all that a reader may copy; "" stands for what a page does not have."""

    living: str
    fixed: str
    code: str
    """The HTML of a frame that changes with the timeline."""
    fixed_code: str
    preview: str
    """The path of the embed."""
    script: str
    """The HTML that gives frames the height of what they show."""
    oembed: str
    """The address that describes the embed to programs."""


def frame_of(path: str, pairs: Iterable[tuple[str, str]] = ()) -> Frame | None:
    """Return the frame that shows what a page shows; None for a page that has no embed."""
    pairs = shared(pairs)
    moments = [pair for pair in pairs if pair[0] in _MOMENTS]
    if match := _EVENT.fullmatch(path):
        return Frame(f"/embed{path}{query_of([] if match[1] else moments)}", _HEIGHTS["event"])
    if _ACTOR.fullmatch(path):
        return Frame(f"/embed{path}{query_of(moments)}", _HEIGHTS["list"])
    if source := _SOURCE.fullmatch(path):
        return Frame(f"/embed{query_of([('source', source[1])])}", _HEIGHTS["list"])
    if value := VALUE.fullmatch(path):
        facet, its_id = value.lastgroup, value[value.lastgroup or 0]
        if facet == "tag":
            return Frame(f"/embed{path}{query_of(moments)}", _HEIGHTS["list"])
        if facet == "type" and OF_NAME.search(its_id):  # an id of a code that no path can hold
            return None
        own = [("since", its_id), ("until", its_id)] if facet == "month" else [(facet, its_id)]
        return Frame(f"/embed{query_of([*own, *moments])}", _HEIGHTS["list"])
    if path not in _LISTS:
        return None
    address = Address.of(pairs)
    is_map = path == "/map" or address.view == "map"
    address = address._replace(view="map" if is_map else "")
    return Frame(f"/embed{query_of(address.pairs())}", _HEIGHTS["map" if is_map else "list"])


def share_of(
    path: str,
    given: Iterable[tuple[str, str]],
    found: Mapping[str, Any],
    absolute: Callable[[str], str],
    *,
    site: str,
    newest: int | None,
    is_frozen: bool,
    may_embed: bool,
) -> Share:
    """Return how the page at a path with these parameters is shared.

    `found` is what the page shows, `site` the address of the root of the site, and `newest` the
    number of the newest entry, if there is one. A site of files has neither the past nor
    selections, so it shares only what has a file.
    """
    is_list = "groups" in found
    pairs = shared(found["address"]._replace(all="").pairs() if is_list else given)
    if path == "/map" or found.get("value"):
        path, pairs = (path, []) if is_frozen else ("/events", pairs)
    now = [pair for pair in pairs if pair[0] not in _MOMENTS]
    then: Parameters | None = None
    then_path = path
    if event := found.get("event"):
        path, now, then = f"/events/{event['event_id']}", [], []
        then_path = f"{path}/{event['version']}"
    elif is_list and newest is not None and not is_frozen:
        then = pairs if "as_of" in dict(pairs) else [*pairs, ("as_of", f"#{newest}")]
    living = absolute(found.get("short") or path + query_of(now))
    fixed = "" if then is None else absolute(then_path + query_of(then))
    frame = frame_of(path, now) if may_embed else None
    if frame is None or (is_frozen and "?" in frame.path):
        return Share(living, fixed, "", "", "", "", "")
    fixed_frame = None if then is None or is_frozen else frame_of(then_path, then)
    title = str(found.get("title") or found["info"]["title"])
    oembed = f"/oembed{query_of([('url', living)])}"
    return Share(
        living,
        fixed,
        code_of(absolute(frame.path), title, "100%", frame.height),
        code_of(absolute(fixed_frame.path), title, "100%", frame.height) if fixed_frame else "",
        frame.path,
        _SCRIPT.format(site),
        "" if is_frozen else absolute(oembed),
    )


def code_of(address: str, title: str, width: str | int, height: int) -> str:
    """Return the HTML of a frame with an embed."""
    return str(
        Markup(
            '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy"'
            ' style="border:0"></iframe>'
        ).format(address, title, width, height)
    )


def shared(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Return the parameters of an address without those that are about one reader's look."""
    return [pair for pair in pairs if pair[1] and not _OF_A_READER.fullmatch(pair[0])]


def query_of(pairs: Parameters) -> str:
    return f"?{urlencode(pairs)}" if pairs else ""
