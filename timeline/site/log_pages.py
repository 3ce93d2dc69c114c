"""Answer the requests for the pages about a timeline as a whole: what it is, how to check it.

Guarantees: the page /about links only to what exists, so that of a static site to no selection.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from timeline.site import responses
from timeline.site.responses import Asked, Context
from timeline.site.views.about import about_page
from timeline.site.views.address import Address
from timeline.site.views.proof import checkpoint_note, verify_page
from timeline.store import log


async def _about(asked: Asked) -> Any:
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


async def _verify_page(asked: Asked) -> Any:
    def read(connection: sqlite3.Connection) -> Context:
        return {**verify_page(connection), "address": asked.absolute("/")}

    return await responses.page(asked, "verify", read)


async def _verify_json(asked: Asked) -> Any:
    return await responses.json_object(asked, verify_page)


async def _verify_text(asked: Asked) -> Any:
    return await responses.plain(asked, checkpoint_note)


LOG_PAGES: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    ("/about", _about),
    ("/verify", _verify_page),
    (r"/verify\.json", _verify_json),
    (r"/verify\.txt", _verify_text),
)
"""The pages about a timeline as a whole, and their data."""
