"""Answer the requests for the files of a selection, each under a name that says what it is.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from timeline.formats.exports import FORMATS
from timeline.formats.file_names import disposition
from timeline.site import downloads
from timeline.site.responses import Asked
from timeline.site.views import feeds
from timeline.site.views.address import Address, check_names


async def feed(asked: Asked) -> Any:
    """Send the events that an address chooses, in the format of its ending."""
    file = asked.part("file")
    name = feeds.NAMES[file]
    check_names(asked.given)
    address = Address.of(asked.given)
    headers: dict[str, str] = {}

    @contextlib.contextmanager
    def pieces(connection: sqlite3.Connection) -> Iterator[Iterator[str] | Iterator[bytes]]:
        with feeds.feed(
            connection,
            name,
            address,
            lambda event_id: asked.absolute(f"/events/{event_id}"),
            lambda query: asked.absolute(f"/{file}{query.removesuffix('?')}"),
            lambda name: asked.absolute(f"/media/{name}"),
            None if asked.is_frozen else lambda query: asked.absolute(f"/events{query}"),
            asked.facet_index(connection),
            size=asked.at_most(feeds.JSON_SIZE),
        ) as (saved_as, made):
            headers["Content-Disposition"] = disposition(saved_as, FORMATS[name])
            yield made

    return await downloads.send_file(asked, FORMATS[name].media_type, pieces, headers)
