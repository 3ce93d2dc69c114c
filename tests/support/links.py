"""Every address that a page, a feed or a calendar names."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urldefrag, urljoin, urlsplit


class Links(HTMLParser):
    """Every address that a page names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [
            value for name, value in attributes if name in ("href", "src", "action") and value
        ]


def answer(connection: HTTPConnection, address: str) -> tuple[int, str, str]:
    """Status, content type and text."""
    parts = urlsplit(address)
    connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    return response.status, response.headers["Content-Type"].partition(";")[0], text


def links(address: str, content_type: str, text: str) -> Iterator[str]:
    """What a page or a feed leads to on the same machine."""
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
    if content_type == "text/html":
        found = [urljoin(address, link) for link in Links(text).found]
    else:
        # A calendar folds its lines.
        unfolded = html.unescape(text.replace("\r\n ", ""))
        found = re.findall(rf"{re.escape(origin)}[^\s\"<>\\]*", unfolded)
    return (urldefrag(link).url for link in found if link.startswith(origin))
