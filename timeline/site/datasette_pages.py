"""Make Datasette's own pages about a timeline pages of our site: their bar, names and links.

Guarantees: ids of events, sources and actors lead to our pages, under any `base_url` and prefix;
columns, tables and facets have plain names, and the names that SQL knows beside them. A page about
another database gets nothing of this.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from datasette.utils import tilde_decode
from markupsafe import Markup, escape

from timeline.model.resources import packaged_metadata
from timeline.site import datasette_values, responses
from timeline.site.datasette_cells import LinksOfPage
from timeline.site.mounts import Mount, placed
from timeline.site.responses import Asked

_NAMES = {
    "about_lat": "Latitude of what it is about",
    "about_lon": "Longitude of what it is about",
    "actor_id": "Actor",
    "admin1": "Region",
    "as_named": "Named as",
    "event_id": "Event",
    "event_key": "Key of the event",
    "event_type": "Type",
    "geo_precision": "Precision of the place",
    "id": "Id",
    "lat": "Latitude",
    "lon": "Longitude",
    "occurred": "When it happened",
    "occurred_from": "Happened from",
    "occurred_precision": "Precision of the date",
    "occurred_to": "Happened until",
    "related_event_id": "Related event",
    "seq": "Entry",
    "source_id": "Source",
    "source_ids": "Sources",
    "sources_count": "Number of sources",
    "corrections_count": "Number of corrections",
    "url": "Address",
}
"""Plain names of columns whose own names do not say it in words."""

_WORDS = re.compile("[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def plain(column: str) -> str:
    """Return the name of a column in plain words; as it is, if it is no name such as event_id."""
    if known := _NAMES.get(column):
        return known
    return column.replace("_", " ").capitalize() if _WORDS.fullmatch(column) else column


@lru_cache(maxsize=1_000)
def heading(column: str) -> Markup:
    """Return plain words for a column as HTML, and the name that SQL knows if it differs."""
    words = plain(column)
    if words.lower() == column.lower():
        return escape(words)
    return Markup("{} <code>{}</code>").format(words, column)


@cache
def _titles() -> Mapping[str, str]:
    tables = packaged_metadata()["databases"]["timeline"]["tables"]
    return {name: table["title"] for name, table in tables.items()}


class DataPage(NamedTuple):
    """A page of Datasette about a timeline has what its template needs from us."""

    datasette: Any
    mount: Mount | None
    """The timeline that the page is about; None on a page about several of them."""
    bar: Markup
    """The bar of our own pages."""
    request: Any
    """The request of the reader."""

    def title(self, table: str) -> str:
        """Return the title of a table; its name if it has none."""
        return _titles().get(table, table)

    def plain(self, column: str) -> str:
        """Return the name of a column in plain words."""
        return plain(column)

    def heading(self, column: str) -> Markup:
        """Return the heading of a column: plain words, and the name that SQL knows."""
        return heading(column)

    def choice(self, column: str) -> str:
        """Return a column among those to choose from, where no markup can stand."""
        words = plain(column)
        return words if words.lower() == column.lower() else f"{words} ({column})"

    async def offered(self, parameter: str) -> Markup:
        """Return the list of values that are known for a parameter of a query."""
        if self.mount is None:
            return Markup()
        return await datasette_values.offered(
            self.datasette, self.mount.database, self.request, parameter
        )

    def links(self) -> LinksOfPage:
        """Return what links the ids of the page."""
        mount, urls = self.mount, self.datasette.urls
        if mount is None:
            return LinksOfPage("", "")
        ours, tables = urls.path(mount.prefix or "/"), urls.database(mount.database)
        return LinksOfPage(str(escape(ours)).rstrip("/"), str(escape(tables)))

    def database_link(self, name: str) -> Markup:
        """Return the link to the pages of a database: the front of a timeline, and its tables."""
        tables = Markup('<a href="{}">{}</a>').format(self.datasette.urls.database(name), name)
        mount = placed(self.datasette).get(name)
        if mount is None:
            return tables
        front = self.datasette.urls.path(mount.prefix or "/")
        return Markup('<a href="{}">{}</a> <small>{}</small>').format(front, "Timeline", tables)


async def page_of(
    datasette: Any, name: str | None, infos: Mapping[str, Mapping[str, Any]], request: Any
) -> DataPage | None:
    """Return what a page of Datasette about the database `name` shows of ours, or its first page.

    None if it is about no timeline. `infos` are what the logs say about themselves, by database.
    """
    about = about_timelines(datasette, name)
    if not about:
        return None
    mount = about[0] if len(about) == 1 else None
    if mount is None or mount.database not in infos:
        return DataPage(datasette, None, Markup(), request)
    context = {"info": infos[mount.database], "page": "data"}
    bar = await responses.markup(Asked(datasette, request, None, mount, []), "bar_of_data", context)
    return DataPage(datasette, mount, bar, request)


def style_sheets(datasette: Any, name: str | None) -> list[str]:
    """Return the addresses of our style sheets for a page of Datasette about a database."""
    if not about_timelines(datasette, name):
        return []
    return [responses.static(datasette, sheet) for sheet in ("site.css", "timeline.css")]


FIRST_PAGE = "/"
"""What stands for the first page of Datasette in place of the name of a database."""


def database_of(template: str | None, database: str | None, request: Any) -> str | None:
    """Return the name of the database that a page of Datasette is about, or FIRST_PAGE.

    Some pages say it in their address alone.
    """
    if template == "index.html":
        return FIRST_PAGE
    if database is None and request is not None:
        return named_in(request)
    return database


def named_in(request: Any) -> str:
    """Return the name of the database in the address of a request."""
    path = str(request.scope.get("route_path") or request.path)
    return str(tilde_decode(path.strip("/").partition("/")[0]))


def about_timelines(datasette: Any, name: str | None) -> Sequence[Mount]:
    """Return the timelines that a page is about: the first page is about all of them."""
    known = placed(datasette)
    if name == FIRST_PAGE:
        return list(known.values())
    return [known[name]] if name and name in known else []


async def error_page(datasette: Any, request: Any, exception: Any) -> Any:
    """Return Datasette's page of an error as a page of our site; None where it is none.

    Datasette itself makes this page without plugins.
    """
    name = named_in(request)
    if name not in placed(datasette) or PurePosixPath(request.path).suffix in (".json", ".csv"):
        return None
    from datasette import Response

    message = getattr(exception, "message", None) or (exception.args or ("",))[0]
    if getattr(exception, "message_is_html", False):
        message = Markup(message.replace("<textarea", '<textarea aria-label="SQL"'))  # noqa: S704
    context = {
        "database": name,
        "status": exception.status,
        "title": getattr(exception, "title", None),
        "error": message,
    }
    html = await datasette.render_template("error.html", context, request=request)
    return Response.html(html, status=exception.status)
