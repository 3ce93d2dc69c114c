"""Answer the requests for embeds: parts of a timeline without its frame, for pages of other sites.

Guarantees: an embed has one address, which keeps its selection, its moment and its colours; what
is wrong with the address is said in one line. If nobody may embed, there are none.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from markupsafe import Markup

from timeline.errors import NotFound
from timeline.reading import actors
from timeline.reading.as_of import parse_as_of
from timeline.site import frames, responses
from timeline.site.arguments import whole_number
from timeline.site.responses import Asked, Context
from timeline.site.views.address import Address, check_names
from timeline.site.views.embed import embedded, tags_of, theme_of
from timeline.site.views.event import event_page

_OWN = ("theme", "event", "version")
"""The parameters that an embed has and the page of the same selection does not have."""

_NEW_TAB = Markup(' target="_blank" rel="noopener"')


async def embed_page(asked: Asked) -> Any:
    """Return the embed at an address: one event, or a selection of events."""
    if frames.configured(asked.datasette) is False:
        raise NotFound("page", asked.path)
    check_names(pair for pair in asked.given if pair[0] not in _OWN)
    own = dict(asked.given)
    common = {"theme": theme_of(own.get("theme", "")), "new_tab": _NEW_TAB}
    event_id = asked.part("event_id") or own.get("event", "")
    address = Address.of(asked.given)

    def read_event(connection: sqlite3.Connection) -> Context:
        version = whole_number("version", asked.part("version") or own.get("version", ""))
        point = parse_as_of(connection, **address.moments)
        found = event_page(connection, event_id, version, point, address=address)
        is_past = version is not None or not point.is_now
        words = f"version {found['event']['version']}, of {found['recorded']}"
        return {
            **common,
            **found,
            "moments": address.moment_query,
            "pinned": words if is_past else "",
            "living": asked.link(f"/events/{event_id}"),
        }

    def read(connection: sqlite3.Connection) -> Context:
        chosen = _narrowed(asked, connection, address)
        found = embedded(connection, chosen, asked.facet_index(connection))
        page = f"/actors/{actor_id}" if (actor_id := asked.part("actor_id")) else "/events"
        narrowed: Address = found["address"]
        query = narrowed.query(as_of="", as_reported="").removesuffix("?")
        return {
            **common,
            **found,
            "moments": narrowed.moment_query,
            "pinned": narrowed.moment,
            "here": asked.link("/events"),
            "living": asked.link(page) + ("" if actor_id or asked.is_frozen else query),
        }

    if event_id:
        return await responses.page(asked, "embed_event", read_event)
    return await responses.page(asked, "embed_list", read)


def _narrowed(asked: Asked, connection: sqlite3.Connection, address: Address) -> Address:
    """Return an address with what the path of an embed chooses. Raises NotFound."""
    chosen: list[tuple[str, str]] = []
    if asked.path == "/embed/highlights":
        chosen = [("highlight", "yes")]
    elif actor_id := asked.part("actor_id"):
        chosen = [("actor", str(actors.get(connection, actor_id)["actor_id"]))]
    elif tag_id := asked.part("tag_id"):
        chosen = [("tag", tag) for tag in tags_of(connection, tag_id)]
    return Address.of([*address.pairs(), *chosen])
