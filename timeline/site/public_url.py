"""Know the public address of a site, which its citations, feeds and canonical links name.

Guarantees: where the configuration of the plugin gives an address, every absolute address on the
pages begins with it, whatever Host header a request has: ``{"plugins": {"timeline": {"url":
"https://example.org/odesa/"}}}``. Without one, those of a published copy, which is served as
immutable, are made of the log's origin. Only a live file without one takes its address from the
request.

Knows Datasette only by the object that it is given, and never imports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import quote

from timeline.errors import TimelineError
from timeline.site.mounts import Mount

_URL = re.compile(
    r"(?P<scheme>(?i:https?))://(?P<host>[\w.-]+)(?P<port>(?::\d{1,5})?)(?P<path>(?:/[^\s?#\\]*)?)"
)
_NO_PATH = re.compile(r"//|/\.\.?(?:/|$)|%(?![0-9A-Fa-f]{2})")
_MAY_STAND_IN_A_PATH = "/%:@!$&'()*+,;=~"

_Scope = MutableMapping[str, Any]
_Application = Callable[[_Scope, Any, Any], Awaitable[None]]


class SiteUrl(NamedTuple):
    """An address of a site has a scheme, a host with its port, and a path, in ASCII."""

    scheme: str
    """The scheme, "http" or "https"."""
    host: str
    """The host, in lower case, and ":" with the port if one was given."""
    path: str
    """The path, which begins and ends with a slash."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


def site_url(url: str) -> SiteUrl:
    """Read the address of a site; raise TimelineError for text that is none."""
    wrong = TimelineError(
        f"{json.dumps(url, ensure_ascii=False)} is no address of a site: give --url one such as"
        " https://example.org/story/"
    )
    address = _URL.fullmatch(url)
    if not address or _NO_PATH.search(address["path"].rstrip("/")):
        raise wrong
    try:
        host = address["host"].lower().encode("idna").decode()
    except UnicodeError:
        raise wrong from None
    path = quote(address["path"].rstrip("/"), safe=_MAY_STAND_IN_A_PATH)
    return SiteUrl(address["scheme"].lower(), f"{host}{address['port']}", f"{path}/")


def url_of_origin(origin: str) -> str:
    """Return the address that a site has by default: https:// and the origin of its log."""
    return f"https://{quote(origin.strip('/'), safe=_MAY_STAND_IN_A_PATH)}/"


def configured(datasette: Any) -> SiteUrl | None:
    """Return the address that the plugin's configuration gives; None if it gives none.

    Raises TimelineError for text that is no address.
    """
    url = (datasette.plugin_config("timeline") or {}).get("url")
    return None if url is None else site_url(str(url))


def absolute(datasette: Any, request: Any, mount: Mount, path: str) -> str:
    """Return the absolute address of a path of a timeline, for citations and feeds."""
    if url := configured(datasette):
        return f"{str(url).rstrip('/')}{mount.prefix}{path}"
    if not datasette.get_database(mount.database).is_mutable:
        return f"{url_of_origin(mount.origin).rstrip('/')}{path}"
    return str(datasette.absolute_url(request, datasette.urls.path(mount.prefix + path)))


def pinned_application(datasette: Any, application: _Application) -> _Application:
    """Return the application that takes each request for one to the configured address.

    So Datasette's own absolute addresses, such as those of the next page and of facets, begin with
    it too.
    """
    url = configured(datasette)
    if url is None:
        return application

    async def pinned(scope: _Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            others = [header for header in scope["headers"] if header[0] != b"host"]
            headers = [*others, (b"host", url.host.encode())]
            scope = {**scope, "scheme": url.scheme, "headers": headers}
        await application(scope, receive, send)

    return pinned
