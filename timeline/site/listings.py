"""Answer the requests for lists: of all actors, sources, tags, kinds of events, countries, months.

Guarantees: a parameter that a list has no use for is answered in one line that says so.

Knows Datasette only by the objects that it is given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from timeline.site import responses
from timeline.site.responses import Asked, Context
from timeline.site.views import browse, known_days, value_pages
from timeline.site.views.address import Address, check_names
from timeline.site.views.listing import (
    FACETS,
    PAGE_SIZE,
    PARAMETERS,
    listing_json,
    listing_page,
    months_page,
)

_MOMENTS = ("as_of", "as_reported")
"""The parameters that the page of all months knows."""

_WHOLE = 2**31
"""The number of values in a file if there is no server to ask for more."""


async def listing(asked: Asked) -> Any:
    """Return the page of a list."""
    address, kind = _address(asked), asked.part("kind")

    def read(connection: sqlite3.Connection) -> Context:
        found = listing_page(connection, kind, address, asked.facet_index(connection))
        return {**found, "moments": address.moment_query, "here": asked.link(asked.path)}

    return await responses.page(asked, "listing", read)


async def months(asked: Asked) -> Any:
    """Return the page of all months in which there are events."""
    check_names(asked.given, _MOMENTS)
    address = Address.of(asked.given)

    def read(connection: sqlite3.Connection) -> Context:
        found = months_page(connection, address, asked.facet_index(connection))
        return {**found, "moments": address.moment_query, "here": asked.link(asked.path)}

    return await responses.page(asked, "months", read)


async def known(asked: Asked) -> Any:
    """Return the page of all days that have a checkpoint."""
    check_names(asked.given, ())

    def read(connection: sqlite3.Connection) -> Context:
        return known_days.known_page(connection, is_frozen=asked.is_frozen)

    return await responses.page(asked, "known", read)


async def listing_as_json(asked: Asked) -> Any:
    """Return a list as JSON; the file of a static site has all of it."""
    address, kind = _address(asked), asked.part("kind")
    size = _WHOLE if asked.is_frozen else PAGE_SIZE

    def read(connection: sqlite3.Connection) -> Context:
        return listing_json(connection, kind, address, asked.facet_index(connection), size)

    return await responses.json_object(asked, read)


def chosen_by_path(asked: Asked, connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the parameters that the path of a page stands for; none for most paths.

    Raises NotFound for the path of something unknown.
    """
    if day := asked.part("known"):
        return known_days.pairs_at(connection, day)
    return value_pages.pairs_at(connection, asked.part)


def of_value(
    asked: Asked, connection: sqlite3.Connection, found: Context, pairs: list[tuple[str, str]]
) -> Context:
    """Return what the page of one value or day shows besides its events; `pairs` choose them.

    `found` is what the page of the same selection shows. On every page of a selection, `short` is
    the path of the page of a value that has exactly its events, or "".
    """
    short = value_pages.path_of_selection(connection, found["address"])
    own: Context = {"value": None, "short": short, "value_path": value_pages.path_of}
    if not pairs:
        return own
    facet, value = pairs[0]
    if day := asked.part("known"):
        own["value"] = known_days.head_of(connection, day, is_frozen=asked.is_frozen)
        own["page_size"] = known_days.PAGE_SIZE if asked.is_frozen else browse.PAGE_SIZE
    else:
        own["value"] = value_pages.head_of(facet, value, found["labels"])
    if asked.is_frozen:
        own["here"] = asked.link(asked.path)
    return own


def links_to_lists(
    asked: Asked, connection: sqlite3.Connection, address: Address, facts: Mapping[str, Any]
) -> Callable[..., str]:
    """Return what links to the list that a filter chooses, at the moment of an address.

    A static site has the lists of single values that events have today; other links are empty.
    `facts` are those of the event whose page has the links.
    """
    if not asked.is_frozen:
        moment = address.everything_then
        return lambda **chosen: (
            asked.link("/events") + Address.of([*moment.pairs(), *chosen.items()]).query()
        )
    said = [("tag", tag) for tag in facts["tags"] or ()]
    said += [(name, facts[name]) for name in ("type", "country") if facts[name]]
    paths = value_pages.paths_of_today(connection, said)

    def link(**chosen: str) -> str:
        ((facet, value),) = chosen.items()
        return asked.link(paths[facet, value]) if (facet, value) in paths else ""

    return link


def _address(asked: Asked) -> Address:
    check_names(asked.given, PARAMETERS)
    order = [("order", "name")] if asked.part("is_by_name") else []
    return Address.of([*asked.given, *order])


_KINDS = "|".join(FACETS)

LISTINGS: tuple[tuple[str, Callable[[Asked], Awaitable[Any]]], ...] = (
    (f"/(?P<kind>{_KINDS})", listing),
    (rf"/(?P<kind>{_KINDS})\.json", listing_as_json),
    ("/(?P<kind>actors|sources)/(?P<is_by_name>az)", listing),
    ("/months", months),
    ("/known", known),
)
"""The pages of lists. The ids of actors and sources are longer than "az"; a tag may be that."""
