"""Draw the marks of a picture of the map as SVG, in one string.

Guarantees: what the log says is escaped. It is done here for the reason of `axis_bars`: a map has
up to 250 marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from timeline.languages.translation import number
from timeline.site.views.worldmap import MapMark, MapPicture

_EASY_TO_HIT = 13
"""Pixels: the radius of what can be pointed at, at least."""
_BESIDE = 5
"""Pixels between a mark and its name."""


@pass_context
def drawn_marks(context: Context, picture: MapPicture, shapes: Mapping[str, str]) -> Markup:
    """Return the marks of a picture; those of a small one are no links.

    `shapes` are the marks of single events by their class. Links are made as `context` says.
    """
    is_small = picture.shape.name == "small"
    drawn: list[str] = []
    for mark in picture.marks:
        spot = "".join(_spot(mark, shapes, context.get("of_log", "")))
        if is_small:
            drawn.append(f"<g>{spot}</g>")
        else:
            drawn.append(f'<a{_link(context, mark)} aria-label="{escape(mark.label)}">{spot}</a>')
    return Markup("\n    ".join(drawn))  # noqa: S704 - each text in it is escaped


def _link(context: Context, mark: MapMark) -> str:
    """Return the attributes of the link of a mark: to its event, its part of the map, its place."""
    address, here, frozen = context["address"], context["here"], context["frozen"]
    area = str(mark.area)
    is_place = mark.places == 1 and not frozen
    place = here + address.query(view="", box="", area=area) if is_place else ""
    if mark.event_id:
        to = context["link"](f"/events/{mark.event_id}") + context.get("moments", "")
    elif frozen:
        to = "#places"
    else:
        to = place or here + address.query(view="map", box=area)
    listed = f' data-list="{escape(place)}"' if place else ""
    return f' href="{escape(to)}"{listed}{escape(context.get("new_tab", ""))}'


def _spot(mark: MapMark, shapes: Mapping[str, str], of_log: str) -> Iterator[str]:
    """Yield the pieces of one mark."""
    of = mark.classes[0] if len(mark.classes) == 1 else "many"
    cluster = " cluster" if mark.places > 1 else ""
    yield f'<svg class="spot of-{of}{cluster}" x="{mark.x}%" y="{mark.y}%">'
    yield f"<title>{escape(mark.label)}</title>"
    yield f'<circle class="hit" r="{max(mark.size, _EASY_TO_HIT)}"/>'
    if mark.events == 1:
        yield f'<g transform="translate(-8 -8)">{shapes[of]}</g>'
    else:
        yield f'<circle class="dot" r="{mark.size}"/>'
        yield f'<text dy=".35em">{number(mark.events)}</text>'
    if mark.name:
        side = "name left" if mark.is_left else "name"
        x = -mark.size - _BESIDE if mark.is_left else mark.size + _BESIDE
        yield f'<text class="{side}" x="{x}" dy=".35em"{of_log}>{escape(mark.name)}</text>'
    yield "</svg>"
