"""Read what an embed shows: a selection as a list, an axis or a map, for a page of another site.

Guarantees: it has what the page of the same address has, as of the same moment, but at most 20
events. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.errors import InvalidInput
from timeline.languages.translation import gettext
from timeline.model import hints
from timeline.reading.as_of import parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.site.views import axis
from timeline.site.views.address import Address
from timeline.site.views.browse import drawn_map, selected
from timeline.site.views.event_list import groups_of
from timeline.site.views.masthead import updated
from timeline.site.views.panel import as_stored, chips_of
from timeline.site.views.value_pages import path_of, values

THEMES = ("light", "dark")
"""The colours that an embed may have, other than those that its reader prefers."""

_PARTS = {"": ("axis", "list"), "list": ("list",), "axis": ("axis",), "map": ("map",)}
"""The parts of an embed for each value of the parameter `view`."""

_MOST = 20
"""The number of events that an embed lists: 20 of the demonstration are 25 kB of HTML."""


def embedded(
    connection: sqlite3.Connection, address: Address, index: FacetIndex | None
) -> dict[str, Any]:
    """Return all that an embed shows of the selection that an address names.

    The `address` in it is that of the page with the same events.
    Raises TimelineError for an address whose values cannot be read or name an unknown entry.
    """
    parts = _PARTS.get(address.view)
    if parts is None:
        shown = hints.printable(address.view)
        raise InvalidInput("view", f'"{shown}" is none of list, axis, map')
    point = parse_as_of(connection, **address.moments)
    with selected(connection, point, index, address) as chosen:
        address = as_stored(chosen, address)
        groups = []
        if "list" in parts:
            page = chosen.page(oldest_first=address.order == "oldest", size=_MOST)
            groups = groups_of(connection, page.rows, chosen)
        return {
            "address": address._replace(view="map" if "map" in parts else ""),
            **chips_of(connection, chosen, address),
            "count": chosen.count(),
            "total": chosen.everything().count(),
            "groups": groups,
            "axis": axis.axis_of(chosen) if "axis" in parts else None,
            "map": drawn_map(connection, chosen, address) if "map" in parts else None,
            **updated(connection),
        }


def theme_of(text: str) -> str:
    """Return the theme that a parameter names, or "". Raises InvalidInput for another word."""
    if text not in ("", *THEMES):
        raise InvalidInput("theme", f'"{hints.printable(text)}" is none of {", ".join(THEMES)}')
    return text


def saved_embeds(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the paths of the embeds of a site of files that no page of it is about, by name."""
    tags = {f"/embed{path_of('tag', tag)}": tag for tag in values(connection, "tag")}
    return [
        (gettext("Highlights"), "/embed/highlights"),
        *((tag, path) for path, tag in tags.items()),
    ]
