"""Answer the requests for cards: the pictures that chats show where somebody shares a page.

Guarantees: a card is drawn when it is asked for, one at a time, and the last ones are kept; who has
it already is told so. Where the font lacks letters of an event's title, the card of the timeline
stands in its place. Without the extra `cards`, or with ``{"plugins": {"timeline": {"cards":
false}}}``, there are none.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from timeline.errors import NotFound
from timeline.languages import translation
from timeline.model.limits import ID
from timeline.site import language_marks, responses
from timeline.site.cards import letters, picture
from timeline.site.responses import Asked
from timeline.site.views.card import event_card, log_card
from timeline.store import log


async def _card(asked: Asked) -> Any:
    if not responses.draws_cards(asked.datasette):
        raise NotFound("page", asked.path)
    event_id, version = asked.part("event_id"), asked.part("version")
    known = asked.request.headers.get("if-none-match", "")

    def read(connection: sqlite3.Connection) -> tuple[str, bytes | None]:
        with translation.speaking(language_marks.spoken(log.info(connection), "")):
            card = None
            if event_id:
                card = event_card(connection, event_id, int(version) if version else None)
            if card is None or not letters.drawable(card.title):
                card = log_card(connection, asked.facet_index(connection))
        key = picture.key_of(card)
        return key, None if key in known else picture.draw(card)

    key, drawn = await responses.read_at_once(asked, read)
    status = 304 if drawn is None else 200
    return responses.response(asked, drawn or b"", "image/png", status, {"ETag": f'"{key}"'})


_EVENT = f"/events/(?P<event_id>{ID})"

CARDS: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    (r"/card\.png", _card),
    (rf"{_EVENT}/card\.png", _card),
    (rf"{_EVENT}/(?P<version>[1-9][0-9]{{0,8}})/card\.png", _card),
)
"""The cards of the whole timeline, of events, and of versions of events."""
