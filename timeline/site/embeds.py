"""Answer the requests for embeds: parts of a timeline without its frame, for pages of other sites.

Guarantees: an embed has one address, which keeps its selection, its moment and its colours; what
is wrong with the address is said in one line. If nobody may embed, there are none.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from html import escape
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from timeline.errors import InvalidInput, NotFound
from timeline.formats import prose
from timeline.languages.translation import gettext
from timeline.model import hints
from timeline.reading import actors, query
from timeline.reading.as_of import parse_as_of
from timeline.site import frames, responses
from timeline.site.arguments import arguments, whole_number
from timeline.site.responses import Asked, Context
from timeline.site.views.address import Address, check_names
from timeline.site.views.embed import embedded, theme_of
from timeline.site.views.event import event_page
from timeline.site.views.share import WIDTH, Frame, code_of, frame_of, shared
from timeline.site.views.value_pages import check, tags_of
from timeline.store import log

_OWN = ("theme", "event", "version")
"""The parameters that an embed has and the page of the same selection does not have."""

_NEW_TAB = Markup(' target="_blank" rel="noopener"')


async def embed_page(asked: Asked) -> Any:
    """Return the embed at an address: one event, or a selection of events."""
    if frames.configured(asked.datasette) is False:
        raise NotFound("page", asked.path)
    check_names(pair for pair in asked.given if pair[0] not in _OWN)
    own = dict(asked.given)
    common = {"theme": theme_of(own.get("theme", "")), "new_tab": _NEW_TAB}
    event_id = asked.part("event_id") or own.get("event", "")
    address = Address.of(asked.given)

    def read_event(connection: sqlite3.Connection) -> Context:
        version = whole_number("version", asked.part("version") or own.get("version", ""))
        point = parse_as_of(connection, **address.moments)
        found = event_page(connection, event_id, version, point, address=address)
        is_past = version is not None or not point.is_now
        words = gettext("version {number}, of {time}").format(
            number=found["event"]["version"], time=found["recorded"]
        )
        return {
            **common,
            **found,
            "moments": address.moment_query,
            "pinned": words if is_past else "",
            "living": asked.link(f"/events/{event_id}"),
        }

    def read(connection: sqlite3.Connection) -> Context:
        chosen = _narrowed(asked, connection, address)
        found = embedded(connection, chosen, asked.facet_index(connection))
        page = f"/actors/{actor_id}" if (actor_id := asked.part("actor_id")) else "/events"
        narrowed: Address = found["address"]
        query = narrowed.query(as_of="", as_reported="").removesuffix("?")
        return {
            **common,
            **found,
            "moments": narrowed.moment_query,
            "pinned": narrowed.moment,
            "here": asked.link("/events"),
            "living": asked.link(page) + ("" if actor_id or asked.is_frozen else query),
        }

    if event_id:
        return await responses.page(asked, "embed_event", read_event)
    return await responses.page(asked, "embed_list", read)


def _narrowed(asked: Asked, connection: sqlite3.Connection, address: Address) -> Address:
    """Return an address with what the path of an embed chooses. Raises NotFound."""
    chosen: list[tuple[str, str]] = []
    if asked.path == "/embed/highlights":
        chosen = [("highlight", "yes")]
    elif actor_id := asked.part("actor_id"):
        chosen = [("actor", str(actors.get(connection, actor_id)["actor_id"]))]
    elif tag_id := asked.part("tag_id"):
        chosen = [("tag", tag) for tag in tags_of(connection, tag_id)]
    return Address.of([*address.pairs(), *chosen])


# --- oEmbed -------------------------------------------------------------------------------

_AGE = 3600
"""Seconds for which a description may be kept: titles change seldom."""


async def oembed(asked: Asked) -> Any:
    """Return the description of an embed that oEmbed 1.0 asks for, as JSON or XML."""
    given = dict(asked.given)
    wanted = given.get("format", "json")
    if wanted not in ("json", "xml"):
        problem = f'format: "{hints.printable(wanted)}" is none of json, xml'
        return responses.one_line(asked, problem, 501)
    if "url" not in given:
        raise InvalidInput("url", "is missing: give the address of a page of this timeline")
    path, frame = _frame_at(asked, given["url"])
    width = _at_most(given, "maxwidth", WIDTH)
    height = _at_most(given, "maxheight", frame.height)

    def read(connection: sqlite3.Connection) -> Context:
        info = log.info(connection)
        title = str(info["title"])
        check(connection, path)
        if path.startswith("/events/"):
            title = prose.title(query.get(connection, path.split("/")[2]))
        elif path.startswith("/actors/"):
            title = f"{actors.get(connection, path.split('/')[2])['name']} - {title}"
        found = {
            "version": "1.0",
            "type": "rich",
            "title": title,
            "author_name": info.get("publisher"),
            "author_url": info.get("homepage"),
            "provider_name": str(info["title"]),
            "provider_url": asked.absolute("/"),
            "cache_age": _AGE,
            "html": code_of(asked.absolute(frame.path), title, width, height),
            "width": width,
            "height": height,
        }
        return {name: value for name, value in found.items() if value}

    if wanted == "xml":
        return await responses.plain(
            asked, lambda connection: _xml(read(connection)), "text/xml; charset=utf-8"
        )
    return await responses.json_object(asked, read)


def _frame_at(asked: Asked, url: str) -> tuple[str, Frame]:
    """Return the path of the page at an absolute address, and the frame that shows it.

    http and https are the same here. Raises NotFound for what is no page of this timeline.
    """
    try:
        parts, root = urlsplit(url), urlsplit(asked.absolute("/"))
    except ValueError:
        raise NotFound("page", hints.printable(url)) from None
    path = f"/{parts.path.removeprefix(root.path)}"
    pairs = arguments(parts.query)
    is_here = parts.netloc.lower() == root.netloc.lower() and f"{parts.path}/".startswith(root.path)
    if not is_here or frames.configured(asked.datasette) is False:
        raise NotFound("page", hints.printable(url))
    if path == "/embed" or path.startswith("/embed/"):
        path = path.removeprefix("/embed") or "/"
        if path == "/highlights":
            path, pairs = "/", [("highlight", "yes")]
    path = path.rstrip("/") or "/"
    frame = frame_of(path, pairs)
    if frame is None:
        raise NotFound("page", hints.printable(url))
    check_names(pair for pair in shared(pairs) if pair[0] not in _OWN)
    return path, frame


def _at_most(given: dict[str, str], name: str, usual: int) -> int:
    """Return the length of a frame in pixels: the usual one, or less if that is asked for."""
    most = whole_number(name, given.get(name, ""))
    return usual if most is None else max(min(usual, most), 1)


def _xml(found: Context) -> str:
    fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in found.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>\n'
