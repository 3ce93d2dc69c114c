"""List the pages of a timeline for search engines, by the protocol of sitemaps.org.

Guarantees: every page that search engines may list is in one file, once, by its canonical address;
what was erased or merged is in none. A file has at most 20,000 addresses, however long the log is,
and reading it costs as much as it has. Reads on the connection it is given; knows no request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from html import escape
from itertools import islice
from typing import NamedTuple

from timeline.errors import NotFound
from timeline.site.views import value_pages
from timeline.store import log

SITEMAP = "/sitemap.xml"

_LISTS = ("/actors", "/sources", "/tags", "/types", "/countries", "/months")
_PAGES = ("/", "/map", "/about", *_LISTS, "/changes", "/known", "/verify")
"""The pages that every timeline has."""

_STEP = 20_000
"""Entries of the log whose events and sources are in one file: 3 MB. The protocol allows 50,000
addresses in a file."""

_MOST_VALUES = 5_000
"""Tags, event types, countries and months, at most, whose pages are in the first file."""

_OF_ENTRIES = """
SELECT '/events/' || event_id, recorded_at FROM events
 WHERE event_key BETWEEN ?1 AND ?2 AND state NOT IN ('erased', 'merged')
UNION ALL
SELECT '/sources/' || source_id, recorded_at FROM sources WHERE source_key BETWEEN ?1 AND ?2
"""
"""The pages of the events and sources that these entries were the first to name."""

_ACTORS = """
SELECT '/actors/' || actor_id, NULL FROM actors
 WHERE merged_into IS NULL ORDER BY actor_id LIMIT ?2 OFFSET ?1
"""


class _Listed(NamedTuple):
    """A page that search engines may list has its path, and when it changed, if that is known."""

    path: str
    changed: str | None


def sitemap(connection: sqlite3.Connection, absolute: Callable[[str], str], part: str = "") -> str:
    """Return a file as XML: a part by its name, or else the first one.

    This is the list of all parts if there are several. `absolute` makes the public address of a
    path. Raises NotFound for a part that is none.
    """
    parts = _parts(connection)
    if part:
        if part not in parts:
            raise NotFound("page", f"/sitemap-{part}.xml")
        return _urls(_listed(connection, part), absolute)
    if len(parts) > 1:
        return _document(
            "sitemapindex", (_entry("sitemap", absolute(_path(each))) for each in parts)
        )
    return _urls(_listed(connection, parts[0]), absolute)


def paths(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the path of every file."""
    yield SITEMAP
    parts = _parts(connection)
    if len(parts) > 1:
        yield from map(_path, parts)


def _path(part: str) -> str:
    return f"/sitemap-{part}.xml"


def _parts(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the parts: one, or one of the entries and one of the actors at least."""
    (actors,) = connection.execute(
        "SELECT count(*) FROM actors WHERE merged_into IS NULL"
    ).fetchone()
    size = log.size(connection)
    if size + actors <= _STEP:
        return ["all"]
    return [
        *(f"entries-{number}" for number in range(1, -(-size // _STEP) + 1)),
        *(f"actors-{number}" for number in range(1, -(-actors // _STEP) + 1)),
    ]


def _listed(connection: sqlite3.Connection, part: str) -> Iterator[_Listed]:
    """Yield the pages that a part lists; those of the whole timeline are in the first one."""
    kind, _, number = part.partition("-")
    first = (int(number or 1) - 1) * _STEP
    if first == 0 and kind != "actors":
        newest = log.newest(connection)
        for path in (*_PAGES, *islice(value_pages.paths(connection), _MOST_VALUES)):
            yield _Listed(path, newest.recorded_at if newest else None)
    if kind != "actors":
        yield from map(_Listed._make, connection.execute(_OF_ENTRIES, (first, first + _STEP - 1)))
    if kind != "entries":
        yield from map(_Listed._make, connection.execute(_ACTORS, (first, _STEP)))


# --- XML ----------------------------------------------------------------------------------


def _urls(pages: Iterator[_Listed], absolute: Callable[[str], str]) -> str:
    root = absolute("/").rstrip("/")
    entries = (_entry("url", f"{root}{page.path}", page.changed) for page in pages)
    return _document("urlset", entries)


def _entry(name: str, address: str, changed: str | None = None) -> str:
    when = f"<lastmod>{escape(changed)}</lastmod>" if changed else ""
    return f"<{name}><loc>{escape(address)}</loc>{when}</{name}>\n"


def _document(name: str, entries: Iterator[str]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{"".join(entries)}</{name}>\n'
    )
