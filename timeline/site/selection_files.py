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
from timeline.languages.translation import speaking
from timeline.site import downloads
from timeline.site.language_marks import spoken
from timeline.site.responses import Asked
from timeline.site.views import feeds
from timeline.site.views.address import Address, check_names
from timeline.store import log

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""The Content-Security-Policy of a page that holds its own styles, and loads and runs nothing."""


async def feed(asked: Asked) -> Any:
    """Send the events that an address chooses, in the format of its ending."""
    file = asked.part("file")
    name = feeds.NAMES[file]
    check_names(asked.given)
    address = Address.of(asked.given)
    headers: dict[str, str] = {}
    if name == "html":
        headers["Content-Security-Policy"] = _POLICY

    @contextlib.contextmanager
    def pieces(connection: sqlite3.Connection) -> Iterator[Iterator[str | bytes]]:
        language = spoken(log.info(connection), asked.language) if name == "html" else "en"
        with (
            speaking(language),
            feeds.feed(
                connection,
                name,
                address,
                lambda event_id: asked.absolute(f"/events/{event_id}"),
                lambda query: asked.absolute(f"/{file}{query.removesuffix('?')}"),
                lambda name: asked.absolute(f"/media/{name}"),
                None if asked.is_frozen else lambda query: asked.absolute(f"/events{query}"),
                asked.facet_index(connection),
                size=asked.at_most(feeds.JSON_SIZE),
            ) as (saved_as, made),
        ):
            headers["Content-Disposition"] = disposition(saved_as, FORMATS[name])
            yield _said_in(language, made)

    return await downloads.send_file(asked, FORMATS[name].media_type, pieces, headers)


def _said_in(language: str, pieces: Iterator[str | bytes]) -> Iterator[str | bytes]:
    """Yield pieces whose words are said in a language; only while one is made is it spoken."""
    while True:
        with speaking(language):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
