"""Answer the requests of those who follow a timeline: what is new, and what was corrected.

Guarantees: to ask again what is new costs one look at the newest entry, as long as there is no
other one.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.formats.exports import FORMATS
from timeline.site import responses
from timeline.site.arguments import whole_number
from timeline.site.responses import Asked, Context
from timeline.site.views.address import Address, check_names
from timeline.site.views.changes import corrections_feed
from timeline.site.views.since import since
from timeline.store import log


async def corrections(asked: Asked) -> Any:
    """Return the feed of the corrections of the events that an address chooses."""
    check_names(asked.given)
    address = Address.of(asked.given)

    def read(connection: sqlite3.Connection) -> str:
        with asked.speaking(log.info(connection)):
            return corrections_feed(
                connection,
                address,
                asked.facet_index(connection),
                lambda path: asked.absolute(f"/events/{path}"),
                asked.absolute(f"/corrections.atom{address.query().removesuffix('?')}"),
            )

    return await responses.plain(asked, read, FORMATS["atom"].media_type)


async def news(asked: Asked) -> Any:
    """Return as JSON what is new since an entry; nothing (304) to who knows the newest entry."""
    check_names(pair for pair in asked.given if pair[0] != "entry")
    given = dict(asked.given)
    known = asked.request.headers.get("if-none-match", "")

    def read(connection: sqlite3.Connection) -> tuple[str, Context | None]:
        newest = log.newest(connection)
        mark = f'"{newest.seq}-{newest.leaf.hex()[:16]}"' if newest else '"empty"'
        if mark in known:
            return mark, None
        address = Address.of(
            pair for pair in asked.given if pair[0] not in ("as_of", "as_reported")
        )
        index = asked.facet_index(connection)
        with asked.speaking(log.info(connection)):
            entry = whole_number("entry", given.get("entry", ""))
            return mark, since(connection, address, index, entry, newest.seq if newest else -1)

    mark, found = await responses.read_at_once(asked, read)
    headers = {"ETag": mark}
    if found is None:
        return responses.response(asked, "", "application/json", 304, headers)
    return responses.as_json(asked, found, headers=headers)
