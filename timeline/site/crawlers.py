"""Answer the requests of search engines: which pages there are, and which to leave alone.

Guarantees: robots.txt keeps them from Datasette's own pages of a file, whose facets and orders lead
to ever more of them, and from the files for mirrors, which no person reads; it names the pages of
every timeline that this reader may see.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from timeline.site import responses
from timeline.site.mounts import mounts
from timeline.site.responses import Asked
from timeline.site.serve import PAGES
from timeline.site.views.sitemap import SITEMAP, sitemap

_XML = "application/xml; charset=utf-8"


async def _sitemap(asked: Asked) -> Any:
    return await responses.plain(
        asked, lambda connection: sitemap(connection, asked.absolute, asked.part("part")), _XML
    )


async def robots(asked: Asked) -> Any:
    """Return robots.txt, which is the same for all timelines of a site."""
    from datasette.utils.asgi import Forbidden

    lines, known = ["User-agent: *"], []
    for mount in mounts(asked.datasette):
        of_mount = asked._replace(mount=mount)
        try:
            await responses.check_permission(of_mount)
        except Forbidden:
            continue
        data = str(asked.datasette.urls.database(mount.database))
        if not asked.is_frozen and data.rpartition("/")[2] not in PAGES:
            lines += [f"Disallow: {data}/", f"Disallow: {data}?"]
        lines += [f"Disallow: {of_mount.link(path)}" for path in ("/entries/", "/tile/")]
        known.append(f"Sitemap: {of_mount.absolute(SITEMAP)}")
    text = "\n".join([*lines, "Allow: /", "", *known, ""])
    return responses.response(asked, text, "text/plain; charset=utf-8")


SITEMAPS: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    (r"/sitemap\.xml", _sitemap),
    (r"/sitemap-(?P<part>entries-[1-9][0-9]{0,5})\.xml", _sitemap),
    (r"/sitemap-(?P<part>actors-[1-9][0-9]{0,5})\.xml", _sitemap),
)
"""The files that list the pages of a timeline."""
