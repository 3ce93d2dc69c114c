"""The Datasette plugin: what a timeline shows on top of what any Datasette shows.

Guarantees: the log's notice stands on every page about a timeline, whatever its file is
called, and on no page about another database; a file that is no timeline, or a damaged one,
is left as Datasette shows it. Everything runs on Datasette's read-only connections, in 0.65
as in the 1.0 alphas.

Knows a Datasette by what it hands to the hooks, and imports it in none but them; knows no writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from pluggy import HookimplMarker

from timeline.model.resources import packaged_metadata
from timeline.site import guard
from timeline.store import log

hookimpl = HookimplMarker("datasette")

_STYLESHEET = "/-/static-plugins/timeline-store/timeline.css"
"""Datasette serves static/ under the name of the distribution."""


@hookimpl(tryfirst=True)
def startup(datasette: Any) -> Awaitable[None] | None:
    """Before other plugins write: the guard. Then the queries of metadata, which Datasette 1.0
    leaves out, and takes from plugins.
    """
    guard.install()
    return _add_queries(datasette) if hasattr(datasette, "add_query") else None


@hookimpl
def register_routes(datasette: Any) -> Sequence[tuple[str, Callable[..., Any]]]:
    """The pages of the timelines, at the root and under their prefixes.

    Datasette 0.65 asks for routes before it looks up what its own are to show: the guard.
    """
    from timeline.site import routes

    guard.install()
    return list(routes.routes(datasette))


@hookimpl
def prepare_connection(conn: sqlite3.Connection, datasette: Any) -> None:
    """Limits, and what no connection beside a timeline may do."""
    guard.prepare(conn, datasette)


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[..., Any]:
    """Nothing but reading under the address of a timeline; headers on its pages."""
    return partial(guard.guard_application, datasette)


@hookimpl
def register_facet_classes() -> Sequence[type]:
    """Actors, sources, tags and periods of events."""
    from timeline.site.datasette_facets import FACET_CLASSES

    return FACET_CLASSES


@hookimpl
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> Any:
    """What a click on one of those facets asks for."""
    from timeline.site.datasette_filters import filters

    return filters(datasette, request, database, table)


@hookimpl(optionalhook=True)
def permission_resources_sql(datasette: Any, action: str) -> Any:
    """Datasette 1.0 offers writing to those who may: nobody may write to a timeline."""
    return guard.denial(datasette, action)


@hookimpl
def extra_template_vars(database: str | None, datasette: Any) -> Awaitable[dict[str, Any]]:
    """`timeline_notices`, by database, for templates/base.html."""
    return _notices(datasette, database)


@hookimpl
def extra_css_urls(database: str | None, datasette: Any) -> Awaitable[list[str]]:
    """Our stylesheet, on the pages of timelines and on those that may list one."""
    return _css_urls(datasette, database)


async def _add_queries(datasette: Any) -> None:
    queries = packaged_metadata()["databases"]["timeline"]["queries"]
    for name in await _timelines(datasette):
        for query_name, query in queries.items():
            await datasette.add_query(
                name,
                query_name,
                query["sql"],
                title=query["title"],
                description=query["description"],
                hide_sql=query["hide_sql"],
                parameters=query["params"],
                is_trusted=True,
            )


async def _notices(datasette: Any, database: str | None) -> dict[str, Any]:
    timelines = await _timelines(datasette, database)
    return {
        "timeline_notices": {
            name: info["notice"] for name, info in timelines.items() if "notice" in info
        }
    }


async def _css_urls(datasette: Any, database: str | None) -> list[str]:
    return [_STYLESHEET] if await _timelines(datasette, database) else []


async def _timelines(datasette: Any, database: str | None = None) -> dict[str, dict[str, Any]]:
    """What the timelines among the databases say about themselves, or this one alone."""
    infos = {
        name: await datasette.get_database(name).execute_fn(_log_info)
        for name in guard.timelines(datasette)
        if database in (None, name)
    }
    return {name: info for name, info in infos.items() if info}


def _log_info(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The newest words of the log about itself; None if they cannot be read."""
    try:
        return log.info(connection)
    except (sqlite3.Error, ValueError):
        return None  # A damaged file: `timeline verify` says what is wrong with it.
