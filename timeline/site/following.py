"""Answer the requests of those who follow a timeline: what is new, and what was corrected.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.formats.exports import FORMATS
from timeline.languages import translation
from timeline.site import language_marks, responses
from timeline.site.responses import Asked
from timeline.site.views.address import Address, check_names
from timeline.site.views.changes import corrections_feed
from timeline.store import log


async def corrections(asked: Asked) -> Any:
    """Return the feed of the corrections of the events that an address chooses."""
    check_names(asked.given)
    address = Address.of(asked.given)

    def read(connection: sqlite3.Connection) -> str:
        language = language_marks.spoken(log.info(connection), asked.language)
        with translation.speaking(language):
            return corrections_feed(
                connection,
                address,
                asked.facet_index(connection),
                lambda path: asked.absolute(f"/events/{path}"),
                asked.absolute(f"/corrections.atom{address.query().removesuffix('?')}"),
            )

    return await responses.plain(asked, read, FORMATS["atom"].media_type)
