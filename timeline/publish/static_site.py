"""A static site is a timeline's site as files: it has the same pages at the same addresses.

Any web server or object store can serve it.

Guarantees: every permalink of the live site is a file; links between pages are relative, and lead
to files that exist. The same state of the log gives the same bytes; a file whose content did not
change is not written again, and a file that no longer belongs to the site is removed. SQL, and the
past but for some days of checkpoints, need a server: they are not offered.

An address without an ending is a folder with an index.html. The further pages of a list are in
p/2, p/3 and so on below it, which is never the address of an event, source or actor: their ids
have at least 3 characters. Those of a tag "p" are in tags/p/p/2. Knows Datasette by its client
only; it reads the log through that, and the addresses through a connection of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import posixpath
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from timeline.errors import NotWritable, TimelineError
from timeline.model.limits import ID
from timeline.publish import static_index
from timeline.publish.site_files import SiteFiles
from timeline.publish.static_log import POLICY, LogFiles, published_size
from timeline.site.cards import letters, picture
from timeline.site.public_url import SiteUrl, site_url
from timeline.site.serve import metadata_for
from timeline.site.views import feeds, known_days, sitemap, static_parts, value_pages
from timeline.site.views.listing import FACETS
from timeline.site.views.media import file_name
from timeline.store import log, storage
from timeline.store.follows import Follows

_LINK = re.compile(r'\b(?P<name>href|src|action)="(?P<address>[^"]*)"')
_NEXT = re.compile(r'<a [^>]*\brel="next"[^>]*>')
_ADDRESS = re.compile(r'href="([^"]*)"')


class Frozen(NamedTuple):
    """The result of `freeze`, which has the number of files of the site, written, and removed."""

    files: int
    written: int
    removed: int
    with_erased_words: tuple[str, ...]
    """The files that were replaced or removed, if words that may stand in them were erased."""


def freeze(
    copy: Path,
    folder: Path,
    new: Path,
    *,
    url: SiteUrl | None = None,
    with_embeds: bool = True,
    with_cards: bool = True,
    follows: Follows | None = None,
    as_new: bool = False,
    make_all: bool = False,
    progress: Callable[[int], object] = lambda count: None,
) -> Frozen:
    """Write the site of a copy of a timeline into `folder`; `new` is a scratch folder inside it.

    `url` is the future address of the site, which feeds and citations name; by default it is made
    of the origin of the log. `with_embeds` is false for a site that no other may show in frames,
    `with_cards` for one without cards, which are not drawn without Pillow either. `follows` says
    whose log it is, if it is not ours. With `as_new`, it does not matter which log the folder
    shows. With `make_all`, files are made and compared that need not be made. `progress` is called
    with the number of files so far.
    Raises NotWritable for a folder that cannot be written, Refused for a file in the way that no
    earlier run wrote, WouldGoBack for a folder that shows what the log does not go on from, and
    TimelineError for an origin that is no address, or a page that fails.
    """
    with contextlib.closing(storage.connect(copy)) as connection:
        since = 0 if as_new else published_size(connection, folder)
        address = url or site_url(f"https://{log.info(connection)['origin']}/")
        site = _Site(copy, address, follows, with_embeds=with_embeds, with_cards=with_cards)
        addresses = _addresses(connection, site)
        try:
            files = SiteFiles(folder, new, progress, make_all=make_all)
            log_files = LogFiles(connection, files, since)
            log_files.put_tiles()
            asyncio.run(_write(site, files, addresses, copy))
            log_files.put_checkpoint()
            done = files.finish()
        except OSError as error:
            raise NotWritable(str(error.filename or folder), f"{error.strerror}") from None
    erased = log_files.with_erased_words(done.outdated)
    return Frozen(done.files, done.written, done.removed, erased)


def _addresses(connection: sqlite3.Connection, site: _Site) -> list[str]:
    """Return the address of every page and file but further pages of lists and static files."""
    addresses = [*_pages(connection)]
    if site.with_embeds:
        addresses += _embeds(connection)
    if site.with_cards and letters.are_here():
        addresses += _cards(connection)
    if site.base == "/":
        addresses.append("/robots.txt")
    return addresses


def _pages(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the address of every page, and of what is beside it in other formats."""
    yield from ("/", "/events", "/map", "/changes", "/changes.json", "/changes.atom")
    yield from ("/corrections.atom", "/about")
    yield from sitemap.paths(connection)
    yield from ("/verify", "/verify.json", "/verify.txt", "/favicon.ico")
    yield from (f"/{file}" for file in feeds.NAMES)
    for event_id, version in connection.execute(
        "SELECT event_id, version FROM events ORDER BY event_id"
    ):
        yield from (f"/events/{event_id}", f"/events/{event_id}.json")
        for number in range(1, version + 1):
            page = f"/events/{event_id}/{number}"
            yield from (page, f"{page}.json", f"{page}.tlog-proof")
    yield from (address for kind in FACETS for address in (f"/{kind}", f"/{kind}.json"))
    yield from ("/months", "/known", *(day.path for day in known_days.kept(connection)))
    yield from value_pages.paths(connection)
    for file in connection.execute(
        "SELECT sha256, media_type FROM media_files JOIN media_bytes USING (sha256)"
    ):
        yield f"/media/{file_name(*file)}"
    for what in ("source", "actor"):
        for (key,) in connection.execute(f"SELECT {what}_id FROM {what}s ORDER BY 1"):  # noqa: S608
            yield from (f"/{what}s/{key}", f"/{what}s/{key}.json")
        yield f"/{what}s/az"


def _embeds(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the address of every embed: everything, the highlights, each event, actor and tag.

    The script for pages of other sites comes with them.
    """
    yield from ("/embed", "/embed/highlights", "/-/static-plugins/timeline-store/embed_host.js")
    for what in ("event", "actor"):
        for (key,) in connection.execute(f"SELECT {what}_id FROM {what}s ORDER BY 1"):  # noqa: S608
            yield f"/embed/{what}s/{key}"
    tags = (value_pages.path_of("tag", tag) for tag in value_pages.values(connection, "tag"))
    yield from dict.fromkeys(f"/embed{path}" for path in tags)


def _cards(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the address of every card: that of the timeline, and of each event that has its own."""
    yield f"/{_CARD}"
    for event_id, title in connection.execute(
        "SELECT event_id, title FROM events WHERE state <> 'erased' ORDER BY event_id"
    ):
        if letters.drawable(title):
            yield f"/events/{event_id}/{_CARD}"


_CARD = "card.png"
_KEY_WITHIN = 2_000
"""The number of bytes of a card that have its key."""

_HAS_JSON_PAGES = re.compile(f"/actors/{ID}")
"""Matches the address of a page whose JSON has pages too; other lists have it in one file."""

_MAY_BE_MISSING = (".tlog-proof", "/verify.txt")
"""Endings of addresses that do not exist as long as nothing is signed."""


class _Site:
    """A Datasette that serves the copy, and answers in this process, without a network."""

    def __init__(
        self,
        copy: Path,
        url: SiteUrl,
        follows: Follows | None = None,
        *,
        with_embeds: bool,
        with_cards: bool,
    ) -> None:
        from datasette.app import Datasette

        metadata = metadata_for(copy, url, with_embeds, follows)
        metadata["plugins"]["timeline"] |= {"frozen": True, "cards": with_cards}
        self.base, self.with_embeds, self.with_cards = url.path, with_embeds, with_cards
        self._datasette: Any = Datasette(
            [], immutables=[str(copy)], metadata=metadata, settings={"base_url": self.base}
        )

    async def ask(self, path: str, known: str = "") -> tuple[int, bytes, bool]:
        """Ask for a path, and return the status, the body, and whether the body is HTML.

        The status is 304 if the body is the `known` one, by its key.
        """
        answer = await self._datasette.client.request(
            "GET",
            f"{self.base}{path.removeprefix('/')}",
            avoid_path_rewrites=True,
            headers={"If-None-Match": known} if known else {},
        )
        return (
            answer.status_code,
            answer.content,
            answer.headers["content-type"].startswith("text/html"),
        )


async def _write(site: _Site, files: SiteFiles, addresses: list[str], copy: Path) -> None:
    assets = dict.fromkeys(f"/-/static-plugins/timeline-store/{name}" for name in _SCRIPTS)
    for address in addresses:
        known = _known_card(files, address) if address.endswith(f"/{_CARD}") else ""
        status, body, is_html = await site.ask(address, known)
        if status == 304:
            files.keep(_file_of(address))
            continue
        if status == 404 and address.endswith(_MAY_BE_MISSING):
            continue
        _check(address, status, b"" if is_html else body)
        if not is_html:
            files.put(_file_of(address), body)
            continue
        await _write_pages(site, files, address, body.decode(), assets)
    await _write_index(site, files, copy, assets)
    while assets:
        asset, _ = assets.popitem()
        status, body, _ = await site.ask(asset)
        _check(asset, status)
        files.put(asset.removeprefix("/"), body)
        if asset.endswith(".css"):
            assets |= {
                posixpath.join(posixpath.dirname(asset), name): None for name in _named(body)
            }


def _known_card(files: SiteFiles, address: str) -> str:
    """Return the key of the card that an earlier run wrote for an address; "" if none did."""
    path = files.earlier(_file_of(address))
    if path is None:
        return ""
    with path.open("rb") as file:
        return picture.key_in(file.read(_KEY_WITHIN))


async def _write_index(site: _Site, files: SiteFiles, copy: Path, assets: dict[str, None]) -> None:
    """Write the index for the script of the pages, and the pieces of HTML that it draws with."""
    parts: dict[str, object] = {}

    async def drawn(query: str) -> str:
        path = f"/events?part={query}"
        status, body, _ = await site.ask(path)
        _check(path, status, body)
        return _relative(site, "index.html", body.decode(), {}, assets)

    with contextlib.closing(storage.connect(copy)) as connection:
        folder = static_parts.index(connection)["index"]
        parts["live"] = await drawn("live")
        parts["core"] = static_index.core(connection)
        after, number = "", 0
        for texts in static_index.texts(connection):
            *entries, after = (await drawn(f"entries&after={quote(after)}")).split("\x1e")
            parts[f"entries-{number}"] = entries
            parts[f"texts-{number}"] = texts
            number += 1
    scripts = {name: static_index.script(name, value) for name, value in parts.items()}
    if number < 2:  # all events are in one part of each kind
        scripts = {"live": scripts.pop("live"), "core": b"".join(scripts.values())}
    for name, content in scripts.items():
        files.put(f"{folder}/{name}.js", content)


_SCRIPTS = (
    *("axis.js", "front.js", "static_axis.js", "static_draw.js", "static_map.js"),
    "static_words.js",
)
"""Scripts that static_search.js loads, which no page names."""


async def _write_pages(
    site: _Site, files: SiteFiles, address: str, text: str, assets: dict[str, None]
) -> None:
    """Write a page and the further pages of its list, with the JSON of each further page.

    `text` is the HTML of the first page. The addresses of static files are added to `assets`.
    """
    file, number = _file_of(address), 1
    known: dict[str, str] = {}
    while True:
        following = _following(text)
        if following:
            number += 1
            known[following] = f"{address.strip('/') or 'events'}/p/{number}/index.html"
        page = _relative(site, file, text, known, assets)
        files.put(file, page.encode())
        if not following:
            return
        path = following.removeprefix(site.base.rstrip("/"))
        query = urlsplit(path).query
        if _HAS_JSON_PAGES.fullmatch(address):
            status, body, _ = await site.ask(f"{address}.json?{query}")
            _check(path, status)
            files.put(f"{address.strip('/')}/p/{number}.json", body)
        file = known[following]
        status, content, _ = await site.ask(path)
        _check(path, status)
        text = content.decode()


def _named(style_sheet: bytes) -> list[str]:
    """Return the files beside a style sheet that it names, such as fonts."""
    return re.findall(r"url\(([\w.-]+)\)", style_sheet.decode())


def _check(address: str, status: int, answer: bytes = b"") -> None:
    """Raise TimelineError for any status but 200, with the answer if there is one to read."""
    if status != 200:
        why = answer.decode(errors="replace").strip()[-300:] or f"status {status}"
        raise TimelineError(f"the page {address} cannot be made: {why}")


def _following(text: str) -> str | None:
    """Return the address of the next page of a list, from the HTML of a page, or None."""
    link = _NEXT.search(text)
    address = _ADDRESS.search(link[0]) if link else None
    return html.unescape(address[1]) if address else None


def _file_of(address: str) -> str:
    """Return the file of an address; that of a page is the index.html of a folder."""
    path = address.strip("/")
    is_file = "." in posixpath.basename(path) or path == POLICY
    return path if is_file else posixpath.join(path, "index.html")


def _relative(
    site: _Site, file: str, text: str, known: dict[str, str], assets: dict[str, None]
) -> str:
    """Return the HTML of a page with links that are relative to its `file`.

    `known` maps addresses with a query to their files. The addresses of static files are added to
    `assets`.
    """

    def link(match: re.Match[str]) -> str:
        address = html.unescape(match["address"])
        if not address.startswith("/"):
            return match[0]
        parts = urlsplit(address)
        path = f"/{parts.path.removeprefix(site.base.rstrip('/')).lstrip('/')}"
        if path.startswith("/-/static"):
            assets[path] = None
            target, ending = path.removeprefix("/"), f"?{parts.query}" if parts.query else ""
        else:
            target, ending = known.get(address) or _file_of(path), ""
        ending += f"#{parts.fragment}" if parts.fragment else ""
        way = posixpath.relpath(target, posixpath.dirname(file) or ".")
        way = way.removesuffix("index.html") or "./"
        return f'{match["name"]}="{html.escape(way + ending)}"'

    return _LINK.sub(link, text)
