"""Answer the requests of who mirrors a timeline: its checkpoint, its policy, tiles and entries.

Guarantees: each resource has one address only, and every other address below /tile/ and /entries/
is answered with 404. Nothing is sent that the newest checkpoint does not cover, because nobody
could check it. Caches may keep a tile for ever; they ask again for all that may change, also for
the words, which an erasure takes out of a file of entries.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from timeline.errors import NotFound
from timeline.proof import checkpoints
from timeline.proof.log_tiles import entry_lines, tile_of
from timeline.proof.tiles import WIDTH, Tile, parse_number
from timeline.proof.witness_list import policy_text
from timeline.site import responses
from timeline.site.responses import Asked
from timeline.site.views.proof import checkpoint_note

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_ITS_READER = "private, max-age=31536000, immutable"
_ENTRIES = re.compile(r"/entries/(.+)\.jsonl")


async def _checkpoint(asked: Asked) -> Any:
    return await responses.plain(asked, checkpoint_note)


async def _policy(asked: Asked) -> Any:
    return await responses.plain(asked, policy_text)


async def _tile(asked: Asked) -> Any:
    tile = Tile.parse(asked.path.removeprefix("/"))

    def read(connection: sqlite3.Connection) -> bytes:
        if tile is None or not tile.is_in(_signed_size(connection)):
            raise NotFound("tile", asked.path)
        return tile_of(connection, tile)

    body = await responses.read_at_once(asked, read)
    # What only some may see is not for the caches that all share.
    headers = {"Cache-Control": _FOR_ITS_READER if asked.request.actor else _FOR_EVER}
    return responses.response(asked, body, "application/octet-stream", headers=headers)


async def _entries(asked: Asked) -> Any:
    named = _ENTRIES.fullmatch(asked.path)
    number = parse_number(named[1]) if named else None

    known = asked.request.headers.get("if-none-match", "")

    def read(connection: sqlite3.Connection) -> tuple[str, bytes]:
        size = _signed_size(connection)
        if number is None or number * WIDTH >= size:
            raise NotFound("file of entries", asked.path)
        lines = entry_lines(connection, number, size)
        mark = hashlib.sha256(lines).hexdigest()
        return mark, b"" if mark in known else lines

    mark, body = await responses.read_at_once(asked, read)
    status = 200 if body else 304
    return responses.response(asked, body, "application/jsonl", status, {"ETag": f'"{mark}"'})


def _signed_size(connection: sqlite3.Connection) -> int:
    """Return the number of entries under the newest checkpoint; 0 while nothing is signed."""
    newest = checkpoints.newest(connection)
    return newest.size if newest else 0


TILE_PAGES: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    ("/checkpoint", _checkpoint),
    ("/tlog-policy", _policy),
    ("/tile/.*", _tile),
    ("/entries/.*", _entries),
)
"""What a client of transparency logs asks for (c2sp.org/tlog-tiles, c2sp.org/tlog-policy), and the
words."""
