"""Make responses: read what a page shows, and return it as HTML, JSON or plain text.

Guarantees: all that a response shows was read at one moment, on Datasette's own read-only
connection; readers see nothing here that they may not see in Datasette; an error is one line in the
format of its address. Links work under any `base_url`.

Knows Datasette only by the objects that it is given, and imports only responses and permissions
from it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from markupsafe import Markup, escape

from timeline.errors import Erased, NotFound, ProofError, TakesTooLong, TimelineError
from timeline.formats import prose
from timeline.formats.about import state_of
from timeline.formats.labels import label
from timeline.languages import translation
from timeline.languages.translation import gettext
from timeline.reading import deadline
from timeline.reading.as_of import parse_as_of, pinned
from timeline.reading.facet_index import FacetIndex
from timeline.site import frames, guard, language_links, language_marks, public_url
from timeline.site.cards import letters
from timeline.site.copies import copy_notice
from timeline.site.index_cache import at_one_moment, index_of
from timeline.site.mounts import Mount
from timeline.site.views import feeds, glossary
from timeline.site.views.address import Address
from timeline.site.views.axis_bars import drawn_bars
from timeline.site.views.browse import PAGE_SIZE
from timeline.site.views.map_marks import drawn_marks
from timeline.site.views.preview import Preview, preview_of
from timeline.site.views.share import Share, share_of
from timeline.store import log

T = TypeVar("T")
Context = dict[str, Any]
Read = Callable[[sqlite3.Connection], Context]

_PLAIN = "text/plain; charset=utf-8"
_FOR_PROGRAMS = ("/checkpoint", "/entries/", "/oembed", "/tile/")
"""How addresses begin that no person reads; a problem is one line there, whatever their ending."""
_OF_FILES = (
    *(".csv", ".ics", ".atom", ".geojson", ".jsonl", ".md", ".docx"),
    *(".txt", ".tlog-proof", ".xml"),
)
"""The endings of addresses that programs read; a problem is one line of plain text there."""


class Asked(NamedTuple):
    """A request has Datasette's own objects, the timeline that it is about, and its parameters."""

    datasette: Any
    request: Any
    send: Any
    """The function of ASGI that sends a response piece by piece; None where nobody has it."""

    mount: Mount
    given: list[tuple[str, str]]
    """The parameters of the address with their values, without the empty ones and the language."""

    language: str = ""
    """The language of the interface that the address names; "" for the one of the log."""

    @property
    def path(self) -> str:
        """Return the path that is asked for, from the first slash of this timeline on."""
        path = self.request.scope.get("route_path") or self.request.path
        return str(path).removeprefix(self.mount.prefix) or "/"

    @property
    def is_embed(self) -> bool:
        """Return whether the response is for a frame on a page of another site."""
        return self.path == "/embed" or self.path.startswith("/embed/")

    def part(self, name: str) -> str:
        """Return a named part of the path; an empty text if the address does not have it."""
        return self.request.url_vars.get(name) or ""

    @property
    def is_frozen(self) -> bool:
        """Return whether the response becomes a file of a static site, without a server."""
        return bool((self.datasette.plugin_config("timeline") or {}).get("frozen"))

    def speaking(self, info: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Say all words within a block in the language of this reader, of a log with this info."""
        return translation.speaking(language_marks.spoken(info, self.language))

    def at_most(self, size: int) -> int:
        """Return the number of things in a file: `size`, or all where no server has the others."""
        return 2**31 if self.is_frozen else size

    @property
    def seconds(self) -> float | None:
        """Return the time that a page may take to be read; None for the file of a static site."""
        if self.is_frozen:
            return None
        return float(self.datasette.setting("sql_time_limit_ms")) / 1000

    def facet_index(self, connection: sqlite3.Connection) -> FacetIndex | None:
        """Return the facet index as of what this connection sees, as `index_of` does."""
        return index_of(self.datasette, self.mount.database, connection)

    def link(self, path: str) -> str:
        """Return the address of a path of this timeline, without scheme and host."""
        return str(self.datasette.urls.path(f"{self.mount.prefix}{path}" or "/"))

    def absolute(self, path: str) -> str:
        """Return the public address of a path of this timeline, with scheme and host."""
        return public_url.absolute(self.datasette, self.request, self.mount, path)

    def row_link(self, table: str, key: str) -> str:
        """Return the address of Datasette's own page of a row."""
        return str(self.datasette.urls.row(self.mount.database, table, key))

    def table_link(self, table: str) -> str:
        """Return the address of Datasette's own page of a table."""
        return str(self.datasette.urls.table(self.mount.database, table))


# --- Responses ----------------------------------------------------------------------------


async def page(asked: Asked, name: str, read: Read) -> Any:
    """Return what was read as a page made by the template with this name.

    The page has the `status` that was read, if there is one.
    """
    found = await read_at_once(asked, reading_all(asked, name, read))
    return await _html(asked, name, found, found.get("status", 200))


def reading_all(asked: Asked, name: str, read: Read) -> Read:
    """Return what reads all that a page shows: what `read` reads, and what is around it."""

    def with_info(connection: sqlite3.Connection) -> Context:
        info = log.info(connection)
        with asked.speaking(info):
            found = {
                "info": info,
                "copied": copy_notice(connection, asked.mount.copy),
                **read(connection),
            }
            if asked.is_embed:
                return found
            entry = log.newest(connection)
            newest = entry and entry.seq
            found = {**found, "newest_entry": newest, "share": _share(asked, found, newest)}
            if not asked.is_frozen or "groups" in found:  # other files stay as they are
                found["state"] = _state(connection, found)
            return {**found, "preview": _preview(asked, name, found)}

    return with_info


def _state(connection: sqlite3.Connection, found: Context) -> str:
    """Return which state of the log a page shows, for its readers on paper."""
    address = found.get("address")
    moments = address.moments if isinstance(address, Address) else {}
    point = pinned(connection, parse_as_of(connection, **moments))
    return gettext("State of {state}").format(state=state_of(connection, point, moments))


def _share(asked: Asked, found: Context, newest: int | None) -> Share:
    return share_of(
        asked.path,
        asked.given,
        found,
        asked.absolute,
        site=asked.absolute("").removesuffix(asked.mount.prefix).rstrip("/"),
        newest=newest,
        is_frozen=asked.is_frozen,
        may_embed=frames.configured(asked.datasette) is not False,
    )


def draws_cards(datasette: Any) -> bool:
    """Return whether pages have cards: pictures that are drawn for chats."""
    wanted = (datasette.plugin_config("timeline") or {}).get("cards", True)
    return bool(wanted) and letters.are_here()


def _preview(asked: Asked, name: str, found: Context) -> Preview:
    return preview_of(
        name,
        asked.path,
        asked.given,
        found,
        asked.absolute,
        asked.link,
        is_frozen=asked.is_frozen,
        newest=found["newest_entry"],
        can_draw=_can_draw if draws_cards(asked.datasette) else None,
    )


def _can_draw(title: str) -> bool:
    return bool(letters.drawable(title))


async def json_object(asked: Asked, read: Read) -> Any:
    """Return what was read as JSON."""
    return as_json(asked, await read_at_once(asked, read))


async def plain(
    asked: Asked,
    read: Callable[[sqlite3.Connection], str],
    content_type: str = _PLAIN,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Return what was read as plain text."""
    return response(asked, await read_at_once(asked, read), content_type, headers=headers)


async def problem(asked: Asked, error: TimelineError) -> Any:
    """Return what is wrong with a request in one line, in the format of the address."""
    status = 404 if isinstance(error, NotFound | ProofError) else 400
    if isinstance(error, Erased):
        return one_line(asked, str(error), 410)
    if asked.is_embed or asked.path.startswith(_FOR_PROGRAMS):
        return one_line(asked, str(error), status)
    if PurePosixPath(asked.request.path).suffix in (".json", *_OF_FILES):
        return one_line(asked, str(error), status)

    def read(connection: sqlite3.Connection) -> Context:
        info = log.info(connection)
        with asked.speaking(info):
            return {
                "info": info,
                "copied": copy_notice(connection, asked.mount.copy),
                "heading": _heading(error),
                "problem": str(error),
            }

    context = await read_at_once(asked, read, is_limited=False)
    return await _html(asked, "problem", context, status)


def one_line(asked: Asked, text: str, status: int, headers: Mapping[str, str] | None = None) -> Any:
    """Return a response that refuses a request for data, in one line."""
    if PurePosixPath(asked.request.path).suffix == ".json":
        return as_json(asked, {"error": text}, status, headers)
    return response(asked, f"{text}\n", _PLAIN, status, headers)


def _heading(error: TimelineError) -> str:
    match error:
        case NotFound():
            return gettext("Not found")
        case TakesTooLong():
            return gettext("That takes too long")
    return gettext("That cannot be shown")


def _offered() -> list[tuple[str, str]]:
    """Return the formats of a selection that a page offers: their files, and their names."""
    return [
        ("events.csv", "CSV"),
        ("figures.csv", gettext("Figures (CSV)")),
        ("events.md", "Markdown"),
        *([("events.docx", "Word")] if "events.docx" in feeds.NAMES else ()),
        ("events.json", "JSON"),
        ("events.ics", gettext("Calendar")),
        ("events.atom", gettext("Feed")),
        ("events.geojson", "GeoJSON"),
        ("events.timelinejs.json", "TimelineJS"),
        ("events.jsonl", "JSON Lines"),
    ]


async def markup(asked: Asked, name: str, context: Context) -> Markup:
    """Return a part of a page of Datasette, made by the template of ours with this name."""
    datasette = asked.datasette
    if hasattr(datasette, "get_jinja_environment"):  # Datasette 1.0
        environment = datasette.get_jinja_environment(asked.request)
    else:
        environment = datasette.jinja_env
    template = environment.get_template(f"timeline/{name}.html")
    spoken = language_marks.spoken(context["info"], asked.language)
    with translation.speaking(spoken):
        html = await template.render_async({**_context(asked, context), "spoken": spoken})
    return Markup(html)  # noqa: S704 - a template escapes


def _context(asked: Asked, context: Context) -> Context:
    return {**_common(asked), **language_marks.marks(context["info"], asked.language), **context}


def variables(asked: Asked, name: str, context: Context) -> Context:
    """Return everything that the template of a page needs, in the language that is spoken."""
    spoken = language_marks.spoken(context["info"], asked.language)
    return {
        **_context(asked, context),
        "page": name,
        "languages": language_links.translations(asked.given, spoken),
        "formats": _offered(),
    }


async def _html(asked: Asked, name: str, context: Context, status: int = 200) -> Any:
    with asked.speaking(context["info"]):
        html = await asked.datasette.render_template(
            f"timeline/{name}.html", variables(asked, name, context), request=asked.request
        )
        html = glossary.explained(html)
    return response(asked, html, "text/html; charset=utf-8", status)


def as_json(
    asked: Asked, found: Context, status: int = 200, headers: Mapping[str, str] | None = None
) -> Any:
    """Return a response with this object."""
    body = json.dumps(found, ensure_ascii=False, indent=2)
    return response(asked, body, "application/json; charset=utf-8", status, headers)


def response(
    asked: Asked,
    body: str | bytes,
    content_type: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Return a response with the headers of every response of ours, and these."""
    from datasette import Response

    headers = {**headers_of(asked, content_type), **(headers or {})}
    return Response(body, status=status, headers=headers, content_type=content_type)


def headers_of(asked: Asked, content_type: str) -> dict[str, str]:
    """Return the headers of every response of ours with this content type.

    With Datasette's option --cors, the scripts of any site may read everything but pages.
    """
    policy = frames.policy(asked.datasette) if asked.is_embed else guard.PAGE_POLICY
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    if asked.datasette.cors and not content_type.startswith("text/html"):
        from datasette.utils import add_cors_headers

        add_cors_headers(headers)
    return headers


# --- Reading ------------------------------------------------------------------------------


async def read_at_once(
    asked: Asked, read: Callable[[sqlite3.Connection], T], *, is_limited: bool = True
) -> T:
    """Return what `read` reads, in one transaction, if this reader may see the database.

    Raises TakesTooLong after the time that Datasette allows one query, unless `is_limited` is
    false.
    """
    await check_permission(asked)
    seconds = asked.seconds if is_limited else None

    def at_once(connection: sqlite3.Connection) -> T:
        return at_one_moment(connection, in_time)

    def in_time(connection: sqlite3.Connection) -> T:
        with deadline.within(connection, seconds):
            return read(connection)

    database = asked.datasette.get_database(asked.mount.database)
    found: T = await database.execute_fn(at_once)
    return found


async def check_permission(asked: Asked) -> None:
    """Raise Datasette's Forbidden if this reader may not see the database."""
    datasette, actor, database = asked.datasette, asked.request.actor, asked.mount.database
    if hasattr(datasette, "ensure_permissions"):  # Datasette 0.65
        await datasette.ensure_permissions(actor, [("view-database", database), "view-instance"])
        return
    from datasette.resources import DatabaseResource

    await datasette.ensure_permission(
        action="view-database", resource=DatabaseResource(database), actor=actor
    )


# --- Templates ----------------------------------------------------------------------------


def _common(asked: Asked) -> Context:
    """Return what every template needs: functions for links, dates and texts, and settings."""
    urls = asked.datasette.urls
    return {
        "link": asked.link,
        "absolute": asked.absolute,
        "path": quote(asked.path),
        "here": asked.link("/events"),
        "static": partial(static, asked.datasette),
        "data_link": str(urls.database(asked.mount.database)),
        "table_link": asked.table_link,
        "drawn_bars": drawn_bars,
        "drawn_marks": drawn_marks,
        "instant": prose.instant,
        "isolating": language_marks.isolating,
        "label": label,
        "marked": marked,
        "num": translation.number,
        "office_of": prose.office_of,
        "phrase": prose.date,
        "when": prose.when,
        "page_size": PAGE_SIZE,
        "frozen": asked.is_frozen,
    }


def static(datasette: Any, name: str) -> str:
    """Return the address of a file of static/, under the name of the distribution."""
    return f"{datasette.urls.static_plugins('timeline-store', name)}{_hash(name)}"


@cache
def _hash(name: str) -> str:
    """Return "?" and a short hash of a static file, so that browsers load a changed file again.

    Fonts have none: they never change, and style sheets name them without it.
    """
    if name.endswith(".woff2"):
        return ""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return f"?{hashlib.sha256(content).hexdigest()[:8]}"


def marked(text: str) -> Markup:
    """Return an excerpt of a search as HTML, with the words that were found in <mark>.

    The text itself may contain the characters that mark words; unpaired ones are removed.
    """
    safe = re.sub("\x02([^\x02\x03]*)\x03", r"<mark>\1</mark>", str(escape(text)))
    return Markup(re.sub("[\x02\x03]", "", safe))  # noqa: S704 - escaped
