"""A timeline's site as files, for any web server or object store: the same pages, the same
addresses.

Guarantees: every permalink of the live site is a file; links between pages are relative, and
lead to files that are there. The same state of the log gives the same bytes; a file that says
what it said is not written again, and one that no longer belongs is removed. What needs a
server - search, filters, the past, SQL - is not offered, and the pages say so.

An address without an ending is a folder with an index.html. What a list continues with is
in p/2, p/3 ... below it: no id is as short as that. Knows a Datasette by its client, and the
log through it and a connection that reads.
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
from timeline.site.serve import metadata_for
from timeline.site.views import feeds
from timeline.store import atomic, log, storage

_MANIFEST = ".timeline-files.json"
"""The files that are ours: what else is in the folder is left alone."""

_LINK = re.compile(r'\b(?P<name>href|src|action)="(?P<address>[^"]*)"')
_URL = re.compile(
    r"(?P<scheme>(?i:https?))://(?P<host>[\w.-]+)(?P<port>(?::\d{1,5})?)(?P<path>(?:/[^\s?#\\]*)?)"
)
_NO_PATH = re.compile(r"//|/\.\.?(?:/|$)|%(?![0-9A-Fa-f]{2})")
_NEXT = re.compile(r'<a [^>]*\brel="next"[^>]*>')
_ADDRESS = re.compile(r'href="([^"]*)"')


class Frozen(NamedTuple):
    """What became of the files."""

    files: int
    written: int
    removed: int


def freeze(
    copy: Path,
    folder: Path,
    new: Path,
    *,
    url: str | None = None,
    progress: Callable[[int], object] = lambda count: None,
) -> Frozen:
    """Write the site of a copy of a timeline into a folder, by way of a scratch folder, `new`.

    `url` is where it will be: feeds and citations name it; by default https:// and the origin
    of the log. `progress` is called with the count of files. Raises TimelineError for a folder
    that cannot be written.
    """
    with contextlib.closing(storage.connect(copy)) as connection:
        origin = log.info(connection)["origin"]
        addresses = [*_addresses(connection)]
    host, base = _place(f"https://{origin}/" if url is None else url)
    site = _Site(copy, host, base)
    try:
        files = _Files(folder, new, progress)
        asyncio.run(_write(site, files, addresses))
        return files.finish()
    except OSError as error:
        raise NotWritable(str(error.filename or folder), f"{error.strerror}") from None


def _place(url: str) -> tuple[str, str]:
    """Scheme and host, and the path as Datasette has it: in ASCII, with a slash at its end."""
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
    path = quote(address["path"].rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return f"{address['scheme'].lower()}://{host}{address['port']}", f"{path}/"


def _addresses(connection: sqlite3.Connection) -> Iterator[str]:
    """The address of everything that has one, without those that continue a list."""
    yield from ("/", "/events", "/changes", "/changes.json", "/changes.atom")
    yield from ("/verify", "/verify.json", "/verify.txt", "/favicon.ico")
    yield from (f"/events.{suffix}" for suffix in feeds.NAMES)
    for event_id, version in connection.execute(
        "SELECT event_id, version FROM events ORDER BY event_id"
    ):
        yield from (f"/events/{event_id}", f"/events/{event_id}.json")
        for number in range(1, version + 1):
            page = f"/events/{event_id}/{number}"
            yield from (page, f"{page}.json", f"{page}.tlog-proof")
    for what in ("source", "actor"):
        for (key,) in connection.execute(f"SELECT {what}_id FROM {what}s ORDER BY 1"):  # noqa: S608
            yield from (f"/{what}s/{key}", f"/{what}s/{key}.json")


_MAY_BE_MISSING = (".tlog-proof", "/verify.txt")
"""What is not there while nothing is signed."""


class _Site:
    """The pages of a Datasette that serves the copy, asked without a network."""

    def __init__(self, copy: Path, host: str, base: str) -> None:
        from datasette.app import Datasette

        metadata = metadata_for(copy)
        metadata["plugins"] = {"timeline": {"frozen": True}}
        self._datasette: Any = Datasette(
            [], immutables=[str(copy)], metadata=metadata, settings={"base_url": base}
        )
        self._host = host
        self.base = base

    async def ask(self, path: str) -> tuple[int, bytes, bool]:
        """Status, body, and whether that is HTML."""
        answer = await self._datasette.client.request(
            "GET", f"{self._host}{self.base}{path.removeprefix('/')}", avoid_path_rewrites=True
        )
        return (
            answer.status_code,
            answer.content,
            answer.headers["content-type"].startswith("text/html"),
        )


async def _write(site: _Site, files: _Files, addresses: list[str]) -> None:
    assets: dict[str, None] = {}
    for address in addresses:
        status, body, is_html = await site.ask(address)
        if status == 404 and address.endswith(_MAY_BE_MISSING):
            continue
        _check(address, status)
        if not is_html:
            files.put(_file_of(address), body)
            continue
        await _write_pages(site, files, address, body.decode(), assets)
    for asset in assets:
        status, body, _ = await site.ask(asset)
        _check(asset, status)
        files.put(asset.removeprefix("/"), body)


async def _write_pages(
    site: _Site, files: _Files, address: str, text: str, assets: dict[str, None]
) -> None:
    """A page, and those that continue its list, each with its JSON beside it."""
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
        if address not in ("/", "/events"):  # their JSON is whole
            status, body, _ = await site.ask(f"{address}.json?{query}")
            _check(path, status)
            files.put(f"{address.strip('/')}/p/{number}.json", body)
        file = known[following]
        status, content, _ = await site.ask(path)
        _check(path, status)
        text = content.decode()


def _check(address: str, status: int) -> None:
    if status != 200:
        raise TimelineError(f"the page {address} cannot be made (status {status})")


def _following(text: str) -> str | None:
    """The address of the page that continues this one."""
    link = _NEXT.search(text)
    address = _ADDRESS.search(link[0]) if link else None
    return html.unescape(address[1]) if address else None


def _file_of(address: str) -> str:
    """The file of an address: of one without an ending, the index of a folder."""
    path = address.strip("/")
    is_file = "." in posixpath.basename(path)
    return path if is_file else posixpath.join(path, "index.html")


def _relative(
    site: _Site, file: str, text: str, known: dict[str, str], assets: dict[str, None]
) -> str:
    """A page with links that are relative to it; `known` are files of addresses with a query."""

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
            target = known.get(address) or _file_of(path)
            ending = f"#{parts.fragment}" if parts.fragment else ""
        way = posixpath.relpath(target, posixpath.dirname(file) or ".")
        way = way.removesuffix("index.html") or "./"
        return f'{match["name"]}="{html.escape(way + ending)}"'

    return _LINK.sub(link, text)


class _Files:
    """The files of a site: made in a folder aside, then put in their places, all or none.

    None is put where somebody else's is. What is to be ours is on the list before it is put, so
    that a run which is killed leaves nothing that the next one does not know.
    """

    def __init__(self, folder: Path, new: Path, progress: Callable[[int], object]) -> None:
        """`new` is a folder in which files are made."""
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
        """Make a file, unless it is there and says so. Raises Refused where another's is."""
        self._names[name] = None
        self._progress(len(self._names))
        path = self._folder / name
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

    def finish(self) -> Frozen:
        """Put what changed in its place, and remove what an earlier run wrote and this did not."""
        self._list({**self._earlier, **self._names})
        for name, made in self._changed.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            made.replace(path)
        gone = [name for name in self._earlier if name not in self._names]
        folder = self._folder.resolve()
        for name in gone:
            path = (folder / name).resolve()
            if path.is_relative_to(folder):
                path.unlink(missing_ok=True)
                for parent in path.relative_to(folder).parents:
                    with contextlib.suppress(OSError):  # others have files there
                        if str(parent) != ".":
                            (folder / parent).rmdir()
        self._list(self._names)
        return Frozen(len(self._names), len(self._changed), len(gone))

    def _list(self, names: Iterable[str]) -> None:
        """Say which files are ours."""
        content = json.dumps(sorted(names), indent=0)
        path = self._folder / _MANIFEST
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            atomic.write(path, content.encode(), self._new / _MANIFEST)
