"""Send what readers read compressed: pages, styles, scripts, feeds and data.

Guarantees: a response is compressed only for a request without a cookie, so that nobody can guess
a secret of a signed-in reader from its length (the BREACH attack); pictures, fonts and hashes are
sent as they are, for gzip makes them no smaller.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from timeline.site.turns import Message, Send

_Application = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

_SMALLEST = 1_000
"""Bytes of a response from which it is compressed."""
_LEVEL = 4
"""The level of gzip: a page of 100 kB takes 1 ms, and is 6 % longer than at level 9."""
_AS_THEY_ARE = (".woff2", ".jpg", ".png", ".webp", ".gif", ".pdf", ".db")
"""The endings of files that gzip makes no smaller."""
_HASHES = re.compile("/tile/[0-9]+/")
"""Is in the address of a tile of hashes, which gzip makes no smaller either."""


def compressed_application(application: _Application) -> _Application:
    """Return an application that answers as this one does, compressed for those who take it."""
    from asgi_gzip import GZipMiddleware

    compressing: Any = GZipMiddleware(application, minimum_size=_SMALLEST, compresslevel=_LEVEL)

    async def answer(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        is_plain = scope["type"] != "http" or (
            scope["path"].endswith(_AS_THEY_ARE)
            or _HASHES.search(scope["path"]) is not None
            or any(name == b"cookie" for name, _ in scope["headers"])
        )
        await (application if is_plain else compressing)(scope, receive, send)

    return answer
