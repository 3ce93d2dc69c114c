"""Answer the requests for the pages of a timeline.

Guarantees: all that a page shows was read at one moment, on Datasette's own read-only connection;
readers see nothing here that they may not see in Datasette; an address of something unknown, or
with a wrong value, is answered with a page that says so. Links work under any `base_url`.

Knows Datasette only by the objects that it is given, and imports only responses and permissions
from it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache, partial
from io import TextIOWrapper
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar
from urllib.parse import urlencode

from markupsafe import Markup, escape

from timeline.errors import NotFound, TimelineError
from timeline.formats import prose
from timeline.formats.exports import FORMATS
from timeline.model.limits import ID
from timeline.reading import query
from timeline.reading.as_of import parse_as_of
from timeline.site import guard, public_url
from timeline.site.index_cache import at_one_moment, index_of
from timeline.site.mounts import Mount, mounts
from timeline.site.views import feeds
from timeline.site.views.actor import actor_json, actor_page
from timeline.site.views.address import Address
from timeline.site.views.browse import PAGE_SIZE, browse
from timeline.site.views.changes import changes_feed, changes_json, changes_page
from timeline.site.views.cite import citations_of
from timeline.site.views.event import event_page
from timeline.site.views.proof import checkpoint_note, covering, proof_of, verify_page
from timeline.site.views.source import source_json, source_page
from timeline.store import log

T = TypeVar("T")
Context = dict[str, Any]
Read = Callable[[sqlite3.Connection], Context]
Page = Callable[[Any, Any, Mount], Awaitable[Any]]

_HEADERS = {"Content-Security-Policy": guard.PAGE_POLICY, "Cache-Control": "no-cache"}
_WHOLE = 2**31
"""The number of events that one file may have if there is no server to ask for more."""
_OFFERED = (
    ("csv", "CSV"),
    ("json", "JSON"),
    ("ics", "Calendar"),
    ("atom", "Feed"),
    ("geojson", "GeoJSON"),
    ("timelinejs.json", "TimelineJS"),
    ("jsonl", "JSON Lines"),
)


def routes(datasette: Any) -> Iterator[tuple[str, Page]]:
    """Yield the pattern and the handler of every page of every timeline."""
    for mount in mounts(datasette):
        for pattern, page in _PAGES:
            yield f"{re.escape(mount.prefix)}{pattern}$", _handler(mount, page)


def _handler(mount: Mount, page: Page) -> Any:
    async def handle(datasette: Any, request: Any) -> Any:
        return await page(datasette, request, mount)

    return handle


# --- Pages --------------------------------------------------------------------------------


async def _browse_page(datasette: Any, request: Any, mount: Mount) -> Any:
    address = Address.of(_arguments(request))

    def read(connection: sqlite3.Connection) -> Context:
        index = index_of(datasette, mount.database, connection)
        return {**browse(connection, address, index), "moments": _moments(address)}

    return await _page(datasette, request, mount, "browse", read)


async def _feed(datasette: Any, request: Any, mount: Mount) -> Any:
    suffix = request.url_vars["suffix"]
    name = feeds.NAMES[suffix]
    address = Address.of(_arguments(request))
    absolute = _absolute(datasette, request, mount)

    def read(connection: sqlite3.Connection) -> IO[bytes]:
        file = SpooledTemporaryFile(2**22)  # noqa: SIM115 - closed after it is sent
        try:
            feeds.write_feed(
                connection,
                file,
                name,
                address,
                lambda event_id: absolute(f"/events/{event_id}"),
                lambda query: absolute(f"/events.{suffix}{query.removesuffix('?')}"),
                index_of(datasette, mount.database, connection),
                size=_WHOLE if _is_frozen(datasette) else feeds.JSON_SIZE,
            )
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    try:
        file = await _read_at_once(datasette, request, mount, read)
    except TimelineError as error:
        return _response(f"{error}\n", "text/plain; charset=utf-8", _status(error))
    return _file(file, FORMATS[name].media_type)


def _file(file: IO[bytes], media_type: str) -> Any:
    """Return the response that sends a file in pieces, and closes it."""
    from datasette.utils.asgi import AsgiStream

    async def send(writer: Any) -> None:
        with TextIOWrapper(file, "utf-8", newline="") as text:
            while piece := text.read(2**16):
                await writer.write(piece)

    return AsgiStream(send, headers=_HEADERS, content_type=media_type)


async def _event_page(datasette: Any, request: Any, mount: Mount) -> Any:
    event_id, version = _event_of(request)
    asked = Address.of(_arguments(request))
    absolute = _absolute(datasette, request, mount)

    def read(connection: sqlite3.Connection) -> Context:
        point = parse_as_of(connection, **asked.moments)
        found = event_page(connection, event_id, version, point)
        address = absolute(f"/events/{event_id}/{found['event']['version']}")
        return {
            **found,
            "moments": _moments(asked),
            "covering": covering(connection, found["event"]["seq"]),
            "canonical": address,
            "cited": citations_of(found["event"], log.info(connection), address),
            "row_link": str(datasette.urls.row(mount.database, "events", event_id)),
        }

    return await _page(datasette, request, mount, "event", read)


async def _event_json(datasette: Any, request: Any, mount: Mount) -> Any:
    event_id, version = _event_of(request)
    moments = Address.of(_arguments(request)).moments

    def read(connection: sqlite3.Connection) -> Context:
        point = parse_as_of(connection, **moments)
        return query.get(connection, event_id, version=version, as_of=point)

    return await _json(datasette, request, mount, read)


async def _actor_page(datasette: Any, request: Any, mount: Mount) -> Any:
    asked = Address.of(_arguments(request))
    absolute = _absolute(datasette, request, mount)
    table = str(datasette.urls.table(mount.database, "current_events"))

    def read(connection: sqlite3.Connection) -> Context:
        index = index_of(datasette, mount.database, connection)
        found = actor_page(connection, request.url_vars["actor_id"], asked, index)
        actor_id = found["subject"]["actor_id"]
        chosen = Address(chosen=(("actor", actor_id),))
        return {
            **found,
            "moments": _moments(asked),
            "canonical": absolute(f"/actors/{actor_id}"),
            "here": _link(datasette, mount, f"/actors/{actor_id}"),
            "browse_link": _link(datasette, mount, "/events")
            + chosen.query(as_of=asked.as_of, as_reported=asked.as_reported),
            "row_link": str(datasette.urls.row(mount.database, "actors", actor_id)),
            "facet_link": f"{table}?{urlencode({'_facet_m2m': 'actors', '_actor': actor_id})}",
        }

    return await _page(datasette, request, mount, "actor", read)


async def _actor_json(datasette: Any, request: Any, mount: Mount) -> Any:
    asked = Address.of(_arguments(request))

    def read(connection: sqlite3.Connection) -> Context:
        index = index_of(datasette, mount.database, connection)
        return actor_json(connection, request.url_vars["actor_id"], asked, index)

    return await _json(datasette, request, mount, read)


async def _event_proof(datasette: Any, request: Any, mount: Mount) -> Any:
    event_id, version = _event_of(request)
    name = f"{event_id}-{version}.tlog-proof"
    return await _plain(
        datasette,
        request,
        mount,
        lambda connection: proof_of(connection, event_id, version or 0),
        {"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _source_page(datasette: Any, request: Any, mount: Mount) -> Any:
    source_id = request.url_vars["source_id"]

    def read(connection: sqlite3.Connection) -> Context:
        row_link = str(datasette.urls.row(mount.database, "sources", source_id))
        return {**source_page(connection, source_id), "row_link": row_link}

    return await _page(datasette, request, mount, "source", read)


async def _source_json(datasette: Any, request: Any, mount: Mount) -> Any:
    source_id = request.url_vars["source_id"]
    return await _json(
        datasette, request, mount, lambda connection: source_json(connection, source_id)
    )


async def _verify_page(datasette: Any, request: Any, mount: Mount) -> Any:
    return await _page(datasette, request, mount, "verify", verify_page)


async def _verify_json(datasette: Any, request: Any, mount: Mount) -> Any:
    return await _json(datasette, request, mount, verify_page)


async def _verify_text(datasette: Any, request: Any, mount: Mount) -> Any:
    return await _plain(datasette, request, mount, checkpoint_note)


async def _changes_page(datasette: Any, request: Any, mount: Mount) -> Any:
    given = dict(_arguments(request))
    return await _page(
        datasette, request, mount, "changes", lambda connection: changes_page(connection, given)
    )


async def _changes_json(datasette: Any, request: Any, mount: Mount) -> Any:
    given = dict(_arguments(request))

    return await _json(
        datasette, request, mount, lambda connection: changes_json(connection, given)
    )


async def _changes_feed(datasette: Any, request: Any, mount: Mount) -> Any:
    absolute = _absolute(datasette, request, mount)

    def read(connection: sqlite3.Connection) -> str:
        return changes_feed(
            connection, lambda path: absolute(f"/events/{path}"), absolute("/changes.atom")
        )

    feed = await _read_at_once(datasette, request, mount, read)
    return _response(feed, FORMATS["atom"].media_type)


def _absolute(datasette: Any, request: Any, mount: Mount) -> Callable[[str], str]:
    """Return a function that makes an absolute address of a path of this timeline."""
    return partial(public_url.absolute, datasette, request, mount)


def _moments(address: Address) -> str:
    """Return the query string that keeps a reader at the moment of the past that they chose."""
    pairs = [(name, value) for name, value in address.moments.items() if value]
    return f"?{urlencode(pairs)}" if pairs else ""


def _event_of(request: Any) -> tuple[str, int | None]:
    parts = request.url_vars
    return parts["event_id"], int(parts["version"]) if parts.get("version") else None


_EVENT = f"/events/(?P<event_id>{ID})"
_ACTOR = f"/actors/(?P<actor_id>{ID})"
_VERSION = "/(?P<version>[1-9][0-9]{0,8})"
_SOURCE = f"/sources/(?P<source_id>{ID})"
_PAGES: tuple[tuple[str, Page], ...] = (
    ("/", _browse_page),
    ("/events", _browse_page),
    (rf"/events\.(?P<suffix>{'|'.join(map(re.escape, feeds.NAMES))})", _feed),
    (_EVENT, _event_page),
    (f"{_EVENT}{_VERSION}", _event_page),
    (rf"{_EVENT}\.json", _event_json),
    (rf"{_EVENT}{_VERSION}\.json", _event_json),
    (rf"{_EVENT}{_VERSION}\.tlog-proof", _event_proof),
    (_ACTOR, _actor_page),
    (rf"{_ACTOR}\.json", _actor_json),
    (_SOURCE, _source_page),
    (rf"{_SOURCE}\.json", _source_json),
    ("/changes", _changes_page),
    (r"/changes\.json", _changes_json),
    (r"/changes\.atom", _changes_feed),
    ("/verify", _verify_page),
    (r"/verify\.json", _verify_json),
    (r"/verify\.txt", _verify_text),
)


async def _json(datasette: Any, request: Any, mount: Mount, read: Read) -> Any:
    """Return what was read as a response with JSON; an error becomes a member `error`."""
    try:
        status, found = 200, await _read_at_once(datasette, request, mount, read)
    except TimelineError as error:
        status, found = _status(error), {"error": str(error)}
    body = json.dumps(found, ensure_ascii=False, indent=2)
    return _response(body, "application/json; charset=utf-8", status)


async def _plain(
    datasette: Any,
    request: Any,
    mount: Mount,
    read: Callable[[sqlite3.Connection], str],
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Return what was read as a response with plain text; an error has status 404."""
    content_type = "text/plain; charset=utf-8"
    try:
        text = await _read_at_once(datasette, request, mount, read)
    except TimelineError as error:
        return _response(f"{error}\n", content_type, 404)
    return _response(text, content_type, headers=headers)


def _status(error: TimelineError) -> int:
    return 404 if isinstance(error, NotFound) else 400


async def _page(datasette: Any, request: Any, mount: Mount, name: str, read: Read) -> Any:
    """Return what was read as a page made by a template; an error becomes the page `problem`."""

    def with_info(connection: sqlite3.Connection) -> Context:
        return {"info": log.info(connection), **read(connection)}

    status = 200
    try:
        context = await _read_at_once(datasette, request, mount, with_info)
    except TimelineError as error:
        status = _status(error)
        context = {"info": await _read_at_once(datasette, request, mount, log.info)}
        heading = "Not found" if status == 404 else "That cannot be shown"
        name, context = "problem", {**context, "heading": heading, "problem": str(error)}
    shown = {**_links(datasette, mount), **context, "page": name, "formats": _OFFERED}
    html = await datasette.render_template(f"timeline/{name}.html", shown, request=request)
    return _response(html, "text/html; charset=utf-8", status)


async def _read_at_once(
    datasette: Any, request: Any, mount: Mount, read: Callable[[sqlite3.Connection], T]
) -> T:
    """Return what `read` reads, in one transaction, if this reader may see the database."""
    await _check_permission(datasette, request, mount)

    def at_once(connection: sqlite3.Connection) -> T:
        return at_one_moment(connection, read)

    found: T = await datasette.get_database(mount.database).execute_fn(at_once)
    return found


async def _check_permission(datasette: Any, request: Any, mount: Mount) -> None:
    """Raise Datasette's Forbidden if this reader may not see the database."""
    if hasattr(datasette, "ensure_permissions"):  # Datasette 0.65
        wanted = [("view-database", mount.database), "view-instance"]
        await datasette.ensure_permissions(request.actor, wanted)
        return
    from datasette.resources import DatabaseResource

    await datasette.ensure_permission(
        action="view-database", resource=DatabaseResource(mount.database), actor=request.actor
    )


def _response(
    body: str, content_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Any:
    from datasette import Response

    headers = {**_HEADERS, **(headers or {})}
    return Response(body, status=status, headers=headers, content_type=content_type)


def _links(datasette: Any, mount: Mount) -> Context:
    """Return what every template needs: functions for links, dates and texts, and settings."""

    link = partial(_link, datasette, mount)
    return {
        "link": link,
        "here": link("/events"),
        "static": lambda name: (
            f"{datasette.urls.static_plugins('timeline-store', name)}?{_hash(name)}"
        ),
        "data_link": str(datasette.urls.database(mount.database)),
        "table_link": lambda name: str(datasette.urls.table(mount.database, name)),
        "instant": prose.instant,
        "marked": marked,
        "office_of": prose.office_of,
        "phrase": prose.date,
        "page_size": PAGE_SIZE,
        "frozen": _is_frozen(datasette),
    }


def _is_frozen(datasette: Any) -> bool:
    """Tell whether the pages will be files of a static site, where no server answers requests."""
    return bool((datasette.plugin_config("timeline") or {}).get("frozen"))


def _link(datasette: Any, mount: Mount, path: str) -> str:
    """Return the address of a path of this timeline, without scheme and host."""
    return str(datasette.urls.path(f"{mount.prefix}{path}" or "/"))


@cache
def _hash(name: str) -> str:
    """Return a short hash of a static file, so that browsers load a changed file again."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:8]


def _arguments(request: Any) -> list[tuple[str, str]]:
    return [(name, value) for name in request.args for value in request.args.getlist(name)]


def marked(text: str) -> Markup:
    """Return an excerpt of a search as HTML, with the words that were found in <mark>.

    The text itself may contain the characters that mark words; unpaired ones are removed.
    """
    safe = re.sub("\x02([^\x02\x03]*)\x03", r"<mark>\1</mark>", str(escape(text)))
    return Markup(re.sub("[\x02\x03]", "", safe))  # noqa: S704 - escaped
