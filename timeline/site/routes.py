"""Answer the requests for the pages of a timeline.

Guarantees: each address has one page, whatever the timeline's file is called; an address of
something unknown, with a wrong value, or with more parameters than a page has a use for, is
answered in one line that says so.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from timeline.errors import InvalidInput, NotFound, TimelineError
from timeline.formats import prose
from timeline.formats.exports import FORMATS
from timeline.languages.translation import LANGUAGES
from timeline.model import hints
from timeline.model.limits import ID
from timeline.reading import query
from timeline.reading.as_of import parse_as_of
from timeline.site import (
    crawlers,
    downloads,
    embeds,
    fair_order,
    guard,
    language_links,
    responses,
)
from timeline.site.arguments import arguments, whole_number
from timeline.site.card_files import CARDS
from timeline.site.following import corrections, news
from timeline.site.language_links import LANG
from timeline.site.listings import LISTINGS, chosen_by_path, links_to_lists, of_value
from timeline.site.log_pages import LOG_PAGES
from timeline.site.mounts import Mount, mounts, place
from timeline.site.responses import Asked, Context
from timeline.site.selection_files import feed
from timeline.site.tile_pages import TILE_PAGES
from timeline.site.views import feeds, known_days, static_parts, value_pages
from timeline.site.views.actor import actor_json, actor_page
from timeline.site.views.address import PART, Address, check_names
from timeline.site.views.browse import PAGE_SIZE as BROWSE_SIZE
from timeline.site.views.browse import browse, card, events_at, map_alone
from timeline.site.views.changes import PAGE_SIZE, changes_feed, changes_json, changes_page
from timeline.site.views.cite import citations_of
from timeline.site.views.embed import saved_embeds
from timeline.site.views.event import event_page
from timeline.site.views.event_versions import VERSIONS
from timeline.site.views.media import event_with, file_pieces, media_type_of
from timeline.site.views.proof import covering, proof_of, witnessed
from timeline.site.views.source import source_json, source_page
from timeline.store import log

Page = Callable[[Asked], Awaitable[Any]]

_BUSY = "too many readers ask for this: ask again in 5 seconds"

_LONG = 100
"""Bytes of the parameters from which a request is of another kind: 64 words take ten times as long
as one."""


def routes(datasette: Any) -> Iterator[tuple[str, Callable[..., Awaitable[Any]]]]:
    """Yield the pattern and the handler of every page of every timeline."""
    known = place(datasette)
    if known:
        yield r"/robots\.txt$", _handler(known[0], crawlers.robots)
    for mount in known:
        for pattern, page in (*_PAGES, *TILE_PAGES):
            yield f"{re.escape(mount.prefix)}{pattern}$", _handler(mount, page)


def _handler(mount: Mount, page: Page) -> Callable[..., Awaitable[Any]]:
    async def handle(datasette: Any, request: Any, send: Any) -> Any:
        asked = Asked(datasette, request, send, mount, [])
        try:
            asked = _with_parameters(asked)
            if page in (feed, _media_file):
                return await page(asked)  # Files have turns of their own.
            async with fair_order.turn(datasette, _kind(asked, page)):
                return _in_language(asked, await page(asked))
        except TimelineError as error:
            return _in_language(asked, await responses.problem(asked, error))
        except fair_order.TooManyWait:
            return responses.one_line(asked, _BUSY, 503, {"Retry-After": "5"})

    return handle


def _with_parameters(asked: Asked) -> Asked:
    """Return a request with the parameters of its address, and the language that it names.

    Raises InvalidInput for too many parameters, and for a language that the interface lacks.
    """
    given = [pair for pair in arguments(asked.request.query_string) if pair[1]]
    language = dict(given).get(LANG, "")
    if language and language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InvalidInput(LANG, f'"{hints.printable(language)}" is none of {known}')
    return asked._replace(given=[pair for pair in given if pair[0] != LANG], language=language)


def _in_language(asked: Asked, response: Any) -> Any:
    """Return the response, whose links keep the language that its reader chose."""
    if asked.language and str(response.content_type).startswith("text/html"):
        response.body = language_links.keep(response.body, asked.language, partial(_is_page, asked))
    return response


def _is_page(asked: Asked, path: str) -> bool:
    base = asked.link("").rstrip("/")
    if not path.startswith(f"{base}/") or PurePosixPath(path).suffix:
        return False
    return any(re.fullmatch(pattern, path.removeprefix(base)) for pattern, _ in _PAGES)


def _kind(asked: Asked, page: Page) -> tuple[Page, bool, bool, bool]:
    """Return what requests have in common that take about as long.

    There are few kinds, so nobody can hold up the others by asking for many.
    """
    names = {name for name, _ in asked.given}
    is_past = not names.isdisjoint(("as_of", "as_reported", "from", "to"))
    return page, is_past, "q" in names, len(asked.request.query_string) > _LONG


async def not_found(datasette: Any, request: Any) -> Any:
    """Return our page for an address that leads nowhere; None if it is not one of a timeline."""
    from datasette.utils.asgi import Forbidden

    first = request.path.strip("/").partition("/")[0]
    if first in datasette.databases and first not in guard.timelines(datasette):
        return None
    for mount in reversed(mounts(datasette)):
        if f"{request.path}/".startswith(f"{mount.prefix}/"):
            language = request.args.get(LANG) or ""
            asked = Asked(datasette, request, None, mount, [], language * (language in LANGUAGES))
            with contextlib.suppress(Forbidden):
                problem = await responses.problem(asked, NotFound("page", request.path))
                return _in_language(asked, problem)
    return None


# --- Pages --------------------------------------------------------------------------------


async def _browse_page(asked: Asked) -> Any:
    def read_part(connection: sqlite3.Connection) -> Context:
        check_names(asked.given)
        address = Address.of(asked.given)
        found = parts[part](connection, address, asked.facet_index(connection))
        return {**found, "moments": address.moment_query}

    def read(connection: sqlite3.Connection) -> Context:
        index = asked.facet_index(connection)
        of_path = chosen_by_path(asked, connection)
        address, wrong = Address.of([*asked.given, *of_path]), list[InvalidInput]()
        if asked.path.rstrip("/") == "/map":
            address = address._replace(view="map")
        try:
            check_names(asked.given)
        except InvalidInput as error:
            wrong.append(error)
        while True:
            try:
                is_long = asked.is_frozen and asked.part("known")
                size = known_days.PAGE_SIZE if is_long else BROWSE_SIZE
                found = browse(connection, address, index, size)
            except InvalidInput as error:
                following = address.without_filter(error.field)
                if following == address:
                    raise
                wrong.append(error)
                address = following
            else:
                at_places = {}
                if asked.is_frozen and found["map"]:
                    at_places = events_at(connection, found["map"].places)
                return {
                    **found,
                    **of_value(asked, connection, found, of_path),
                    "at_places": at_places,
                    **(static_parts.index(connection) if asked.is_frozen else {}),
                    "saved": saved_embeds(connection) if asked.is_frozen else [],
                    "save_as": feeds.names_to_save(connection) if asked.is_frozen else {},
                    "moments": address.moment_query,
                    "within": _within(found["address"]),
                    "wrong": {error.field: str(error) for error in wrong},
                    "given": dict(asked.given),
                    "is_part": "part" in dict(asked.given),
                    "status": 400 if wrong else 200,
                }

    part = dict(asked.given).get(PART, "")
    parts = {**_PARTS, **(static_parts.PARTS if asked.is_frozen else {})}
    if part in parts:
        return await responses.page(asked, part, read_part)
    return await responses.page(asked, "browse", read)


_PARTS: Mapping[str, static_parts.ReadPart] = {"map": map_alone, "map_card": card}
"""What reads each part of the browse page that a script asks for, by the name of its template."""


async def _event_page(asked: Asked) -> Any:
    return await responses.page(asked, "event", partial(read_event, asked))


def read_event(asked: Asked, connection: sqlite3.Connection) -> Context:
    """Return what the template of the page of an event needs for this request."""
    event_id, version = _event_of(asked)
    address = Address.of(asked.given)
    point = parse_as_of(connection, **address.moments)
    needs_index = address.is_narrowed or not point.is_now
    found = event_page(
        connection,
        event_id,
        version,
        point,
        address=address,
        index=asked.facet_index(connection) if needs_index else None,
        before=whole_number("before", dict(asked.given).get("before", "")),
        size=asked.at_most(VERSIONS),
    )
    cited = asked.absolute(f"/events/{event_id}/{found['event']['version']}")
    cover = covering(connection, found["event"]["seq"])
    return {
        **found,
        "address": address,
        "moments": address.moment_query,
        "within": _within(address),
        "covering": cover,
        "witnessed": witnessed(connection, found["event"]["seq"]) if cover else [],
        "signed": cover and prose.local_instant(cover["stored_at"], log.time_zone(connection)),
        "here": asked.link(f"/events/{event_id}{f'/{version}' if version else ''}"),
        "list_of": links_to_lists(asked, connection, address, found["facts"]),
        "cited": citations_of(found["event"], log.info(connection), cited),
        "row_link": asked.row_link("events", event_id),
    }


async def _event_json(asked: Asked) -> Any:
    event_id, version = _event_of(asked)
    moments = Address.of(asked.given).moments

    def read(connection: sqlite3.Connection) -> Context:
        point = parse_as_of(connection, **moments)
        event = query.get(connection, event_id, version=version, as_of=point)
        return {**event, "witnessed": witnessed(connection, event["seq"])}

    return await responses.json_object(asked, read)


async def _actor_page(asked: Asked) -> Any:
    address = Address.of(asked.given)

    def read(connection: sqlite3.Connection) -> Context:
        index = asked.facet_index(connection)
        found = actor_page(connection, asked.part("actor_id"), address, index)
        actor_id = found["subject"]["actor_id"]
        moment = address.everything_then
        chosen = moment._replace(chosen=(("actor", actor_id),))
        of_country = moment._replace(chosen=(("country", found["subject"]["country"] or ""),))
        facet = urlencode({"_facet_m2m": "actors", "_actor": actor_id})
        return {
            **found,
            "moments": address.moment_query,
            "here": asked.link(f"/actors/{actor_id}"),
            "browse_link": asked.link("/events") + chosen.query(),
            "events_address": chosen,
            "of_country": of_country.query(),
            "row_link": asked.row_link("actors", actor_id),
            "facet_link": f"{asked.table_link('current_events')}?{facet}",
        }

    return await responses.page(asked, "actor", read)


async def _actor_json(asked: Asked) -> Any:
    address = Address.of(asked.given)

    def read(connection: sqlite3.Connection) -> Context:
        index = asked.facet_index(connection)
        return actor_json(connection, asked.part("actor_id"), address, index)

    return await responses.json_object(asked, read)


async def _event_proof(asked: Asked) -> Any:
    event_id, version = _event_of(asked)
    name = f"{event_id}-{version}.tlog-proof"
    return await responses.plain(
        asked,
        lambda connection: proof_of(connection, event_id, version or 0),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _source_page(asked: Asked) -> Any:
    source_id = asked.part("source_id")

    def read(connection: sqlite3.Connection) -> Context:
        row_link = asked.row_link("sources", source_id)
        found = source_page(connection, source_id, asked.facet_index(connection))
        return {**found, "row_link": row_link}

    return await responses.page(asked, "source", read)


async def _source_json(asked: Asked) -> Any:
    source_id = asked.part("source_id")
    return await responses.json_object(asked, lambda connection: source_json(connection, source_id))


async def _media_file(asked: Asked) -> Any:
    """Send the bytes of an attached file; nothing in it may run, whatever its type."""
    name = asked.part("name")
    media_type = media_type_of(name)
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if media_type.startswith("image/"):
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    else:
        event_id = await responses.read_at_once(asked, partial(event_with, name=name))
        headers["Content-Disposition"] = f'attachment; filename="{event_id}-{name[:8]}.pdf"'
    return await downloads.send_file(
        asked, media_type, lambda connection: file_pieces(connection, name), headers
    )


async def _changes_page(asked: Asked) -> Any:
    given = dict(asked.given)
    return await responses.page(
        asked,
        "changes",
        lambda connection: changes_page(connection, given, asked.facet_index(connection)),
    )


async def _changes_json(asked: Asked) -> Any:
    given = dict(asked.given)

    def read(connection: sqlite3.Connection) -> Context:
        size = asked.at_most(PAGE_SIZE)
        return changes_json(connection, given, asked.facet_index(connection), size=size)

    return await responses.json_object(asked, read)


async def _changes_feed(asked: Asked) -> Any:
    def read(connection: sqlite3.Connection) -> str:
        return changes_feed(
            connection,
            lambda path: asked.absolute(f"/events/{path}"),
            asked.absolute("/changes.atom"),
        )

    return await responses.plain(asked, read, FORMATS["atom"].media_type)


def _within(address: Address) -> str:
    """Return the query string that keeps a reader in the list that they chose."""
    return address.query(all="").removesuffix("?")


def _event_of(asked: Asked) -> tuple[str, int | None]:
    version = asked.part("version")
    return asked.part("event_id"), int(version) if version else None


_EVENT = f"/events/(?P<event_id>{ID})"
_ACTOR = f"/actors/(?P<actor_id>{ID})"
_VERSION = "/(?P<version>[1-9][0-9]{0,8})"
_SOURCE = f"/sources/(?P<source_id>{ID})"
_PAGES: tuple[tuple[str, Page], ...] = (
    ("/", _browse_page),
    ("/events", _browse_page),
    ("/map", _browse_page),
    *((pattern, _browse_page) for pattern in (*value_pages.PATTERNS, known_days.PATTERN)),
    (rf"/(?P<file>{'|'.join(map(re.escape, feeds.NAMES))})", feed),
    (_EVENT, _event_page),
    (f"{_EVENT}{_VERSION}", _event_page),
    (rf"{_EVENT}\.json", _event_json),
    (rf"{_EVENT}{_VERSION}\.json", _event_json),
    (rf"{_EVENT}{_VERSION}\.tlog-proof", _event_proof),
    *LISTINGS,
    *crawlers.SITEMAPS,
    *CARDS,
    (_ACTOR, _actor_page),
    (rf"{_ACTOR}\.json", _actor_json),
    (_SOURCE, _source_page),
    (rf"{_SOURCE}\.json", _source_json),
    (r"/media/(?P<name>[0-9a-f]+\.[a-z]+)", _media_file),
    ("/embed", embeds.embed_page),
    ("/embed/highlights", embeds.embed_page),
    (f"/embed{_EVENT}", embeds.embed_page),
    (f"/embed{_EVENT}{_VERSION}", embeds.embed_page),
    (f"/embed{_ACTOR}", embeds.embed_page),
    (f"/embed/tags/(?P<tag_id>{value_pages.TAG_ID})", embeds.embed_page),
    ("/oembed", embeds.oembed),
    ("/changes", _changes_page),
    (r"/changes\.json", _changes_json),
    (r"/changes\.atom", _changes_feed),
    (r"/corrections\.atom", corrections),
    (r"/since\.json", news),
    *LOG_PAGES,
)
