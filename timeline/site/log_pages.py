"""Answer the requests for the page that tells about a timeline as a whole.

Guarantees: the page links only to what exists, so the page of a static site links to no selection.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.site import responses
from timeline.site.responses import Asked, Context
from timeline.site.views.about import about_page
from timeline.site.views.address import Address
from timeline.store import log


async def about(asked: Asked) -> Any:
    """Return the page that says what a timeline is, who keeps it, and how complete it is."""

    def list_of(facet: str, value: str) -> str:
        if asked.is_frozen:
            return ""
        return asked.link("/events") + Address(chosen=((facet, value),)).query()

    def read(connection: sqlite3.Connection) -> Context:
        size = log.size(connection)
        return {
            **about_page(connection, asked.facet_index(connection)),
            "list_of": list_of,
            "size": size,
            "address": asked.absolute("/") if asked.is_frozen or not size else "",
            "pinned": asked.absolute(f"/events?as_of=%23{size - 1}"),
        }

    return await responses.page(asked, "about", read)
