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
import json
import posixpath
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from timeline.errors import NotWritable, Refused, TimelineError
from timeline.model.limits import ID
from timeline.publish import static_index
from timeline.site.cards import letters, picture
from timeline.site.public_url import SiteUrl, site_url
from timeline.site.serve import metadata_for
from timeline.site.views import feeds, known_days, sitemap, static_parts, value_pages
from timeline.site.views.listing import FACETS
from timeline.site.views.media import file_name
from timeline.store import atomic, log, storage

_MANIFEST = ".timeline-files.json"
"""The name of the manifest, which lists the files that earlier runs wrote."""

_LINK = re.compile(r'\b(?P<name>href|src|action)="(?P<address>[^"]*)"')
_NEXT = re.compile(r'<a [^>]*\brel="next"[^>]*>')
_ADDRESS = re.compile(r'href="([^"]*)"')


class Frozen(NamedTuple):
    """The result of `freeze`, which has the number of files of the site, written, and removed."""

    files: int
    written: int
    removed: int


def freeze(
    copy: Path,
    folder: Path,
    new: Path,
    *,
    url: SiteUrl | None = None,
    with_embeds: bool = True,
    with_cards: bool = True,
    progress: Callable[[int], object] = lambda count: None,
) -> Frozen:
    """Write the site of a copy of a timeline into `folder`; `new` is a scratch folder inside it.

    `url` is the future address of the site, which feeds and citations name; by default it is made
    of the origin of the log. `with_embeds` is false for a site that no other may show in frames,
    `with_cards` for one without cards, which are not drawn without Pillow either.
    `progress` is called with the number of files so far.
    Raises NotWritable for a folder that cannot be written, Refused for a file in the way that no
    earlier run wrote, and TimelineError for an origin that is no address, or a page that fails.
    """
    with contextlib.closing(storage.connect(copy)) as connection:
        origin = log.info(connection)["origin"]
        addresses = [*_addresses(connection), *(_embeds(connection) if with_embeds else ())]
        if with_cards and letters.are_here():
            addresses += _cards(connection)
    address = url or site_url(f"https://{origin}/")
    site = _Site(copy, address, with_embeds=with_embeds, with_cards=with_cards)
    if site.base == "/":
        addresses.append("/robots.txt")
    try:
        files = _Files(folder, new, progress)
        asyncio.run(_write(site, files, addresses, copy))
        return files.finish()
    except OSError as error:
        raise NotWritable(str(error.filename or folder), f"{error.strerror}") from None


def _addresses(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the address of every page and file, without further pages of lists and static files."""
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

    def __init__(self, copy: Path, url: SiteUrl, *, with_embeds: bool, with_cards: bool) -> None:
        from datasette.app import Datasette

        metadata = metadata_for(copy, url, with_embeds)
        metadata["plugins"]["timeline"] |= {"frozen": True, "cards": with_cards}
        self.base = url.path
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


async def _write(site: _Site, files: _Files, addresses: list[str], copy: Path) -> None:
    assets = dict.fromkeys(f"/-/static-plugins/timeline-store/{name}" for name in _SCRIPTS)
    for address in addresses:
        known = files.key_of(address) if address.endswith(f"/{_CARD}") else ""
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


async def _write_index(site: _Site, files: _Files, copy: Path, assets: dict[str, None]) -> None:
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
    site: _Site, files: _Files, address: str, text: str, assets: dict[str, None]
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
    """Return the file of an address; if this has no ending, it is the index.html of a folder."""
    path = address.strip("/")
    is_file = "." in posixpath.basename(path)
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


class _Files:
    """The files of a site are made in a scratch folder, and moved when all of them are made.

    A file that no earlier run wrote is never replaced or removed. The manifest lists a file before
    the file is moved into its place, so that the next run knows every file of a run that was
    killed.
    """

    def __init__(self, folder: Path, new: Path, progress: Callable[[int], object]) -> None:
        """Read which files earlier runs wrote into `folder`; `new` is the scratch folder."""
        self._folder, self._new = folder, new
        self._progress = progress
        self._names: dict[str, None] = {}
        self._changed: dict[str, Path] = {}
        try:
            earlier = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            earlier = []
        names = earlier if isinstance(earlier, list) else []
        self._earlier = {name: None for name in names if isinstance(name, str)}

    def put(self, name: str, content: bytes) -> None:
        """Make a file, unless one with this content is in its place already.

        Raises Refused if a file that no earlier run wrote is in the way, or a symbolic link.
        """
        self._names[name] = None
        self._progress(len(self._names))
        path = self._folder / name
        if link := self._link_on_the_way_to(name):
            raise Refused(f"{link} is a symbolic link, which publish does not follow: move it away")
        if path.is_file() and path.read_bytes() == content:
            self._changed.pop(name, None)
            return
        if name not in self._earlier:
            above = (self._folder / each for each in PurePath(name).parents)
            for taken in (*(each for each in above if each.is_file()), path):
                if taken.exists():
                    raise Refused(
                        f"{taken} is in the way, and no earlier publish wrote it: move it away"
                    )
        self._changed[name] = made = self._new / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(content)

    def key_of(self, address: str) -> str:
        """Return the key of the card that an earlier run wrote for an address; "" if none did."""
        name = _file_of(address)
        if name not in self._earlier or self._link_on_the_way_to(name):
            return ""
        with contextlib.suppress(OSError), (self._folder / name).open("rb") as file:
            return picture.key_in(file.read(_KEY_WITHIN))
        return ""

    def keep(self, name: str) -> None:
        """Leave a file of an earlier run as it is."""
        self._names[name] = None
        self._progress(len(self._names))

    def finish(self) -> Frozen:
        """Move changed files into their places, and remove those that only earlier runs wrote."""
        self._list({**self._earlier, **self._names})
        for name, made in self._changed.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            made.replace(path)
        gone = [name for name in self._earlier if name not in self._names]
        for name in gone:
            self._remove(name)
        self._list(self._names)
        return Frozen(len(self._names), len(self._changed), len(gone))

    def _link_on_the_way_to(self, name: str) -> Path | None:
        """Return the file of this name, or a folder above it in the site, if it is a link."""
        parts = PurePath(name).parts
        on_the_way = (self._folder.joinpath(*parts[:end]) for end in range(1, len(parts) + 1))
        return next((path for path in on_the_way if path.is_symlink()), None)

    def _remove(self, name: str) -> None:
        """Remove a file that an earlier run wrote, and the folders above it that are then empty."""
        is_inside = not PurePath(name).is_absolute() and ".." not in PurePath(name).parts
        if not is_inside or self._link_on_the_way_to(name):
            return
        (self._folder / name).unlink(missing_ok=True)
        for parent in PurePath(name).parents[:-1]:
            with contextlib.suppress(OSError):  # folders with other files stay
                (self._folder / parent).rmdir()

    def _list(self, names: Iterable[str]) -> None:
        """Write these names into the manifest, unless it has exactly them."""
        content = json.dumps(sorted(names), indent=0)
        path = self._folder / _MANIFEST
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            atomic.write(path, content.encode(), self._new / _MANIFEST)
