"""Answer the requests for lists: of all actors, and of all sources.

Guarantees: a parameter that a list has no use for is answered in one line that says so.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from timeline.site import responses
from timeline.site.responses import Asked, Context
from timeline.site.views.address import Address, check_names
from timeline.site.views.listing import PAGE_SIZE, PARAMETERS, listing_json, listing_page

_WHOLE = 2**31
"""The number of values in a file if there is no server to ask for more."""


async def listing(asked: Asked) -> Any:
    """Return the page of a list."""
    address, kind = _address(asked), asked.part("kind")

    def read(connection: sqlite3.Connection) -> Context:
        found = listing_page(connection, kind, address, asked.facet_index(connection))
        return {**found, "moments": address.moment_query, "here": asked.link(asked.path)}

    return await responses.page(asked, "listing", read)


async def listing_as_json(asked: Asked) -> Any:
    """Return a list as JSON; the file of a static site has all of it."""
    address, kind = _address(asked), asked.part("kind")
    size = _WHOLE if asked.is_frozen else PAGE_SIZE

    def read(connection: sqlite3.Connection) -> Context:
        return listing_json(connection, kind, address, asked.facet_index(connection), size)

    return await responses.json_object(asked, read)


def _address(asked: Asked) -> Address:
    check_names(asked.given, PARAMETERS)
    order = [("order", "name")] if asked.part("is_by_name") else []
    return Address.of([*asked.given, *order])


LISTINGS: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    ("/(?P<kind>actors|sources)(?P<is_by_name>/az)?", listing),
    (r"/(?P<kind>actors|sources)\.json", listing_as_json),
)
"""The pages of lists. The ids of actors and sources are longer than "az"."""
