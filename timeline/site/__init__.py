"""Show a timeline in Datasette: the hooks of the plugin.

Guarantees: the log's notice, and whose log it is if the file is a copy, are on every page about a
timeline, whatever its file is called, and on no page about another database. A file that is no
timeline, or a damaged one, looks as it does in any Datasette. Everything runs on Datasette's
read-only connections, in 0.65 as in the 1.0 alphas.

Knows Datasette only by the arguments of the hooks, and imports nothing of it before a hook runs;
knows no writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from pluggy import HookimplMarker

from timeline.errors import TimelineError
from timeline.model.resources import packaged_metadata
from timeline.site import compression, frames, guard, public_url, replaced_files, warm_start
from timeline.store import log

if TYPE_CHECKING:
    from timeline.site.mounts import Mount

hookimpl = HookimplMarker("datasette")


@hookimpl(tryfirst=True)
def startup(datasette: Any) -> Awaitable[None] | None:
    """Set up the guard before other plugins write, build indexes, add the queries of the metadata.

    Datasette 1.0 ignores queries in metadata and takes them from plugins instead. Raises
    click.ClickException, which ends Datasette with one line, if it serves an inbox.
    """
    guard.install()
    guard.refuse_own_files(datasette)
    timelines = guard.timelines(datasette)
    replaced_files.notice(datasette, timelines)
    warm_start.build_indexes(datasette, timelines)
    return _add_queries(datasette) if hasattr(datasette, "add_query") else None


@hookimpl
def register_routes(datasette: Any) -> Sequence[tuple[str, Callable[..., Any]]]:
    """Return the pages of the timelines, at the root and under their prefixes.

    Datasette 0.65 asks for them before it looks up the functions behind its own pages. The guard
    replaces some of these functions, so it is set up here too.
    """
    from timeline.site import routes

    guard.install()
    return list(routes.routes(datasette))


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, datasette: Any) -> None:
    """Limit what the connection of a timeline, or of a database beside it, may do.

    Comes last, because Datasette defines `escape_fts` in this hook, and a timeline has its own.
    """
    guard.prepare(conn, datasette)


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[..., Any]:
    """Refuse requests that would change a timeline, add headers, pin the address, and compress.

    Raises click.ClickException, which ends Datasette with one line, if the public address of the
    configuration is no address, or a site that may embed is none.
    """

    def wrapped(application: Callable[..., Any]) -> Callable[..., Any]:
        try:
            frames.configured(datasette)
            pinned = public_url.pinned_application(datasette, application)
        except TimelineError as error:
            raise click.ClickException(str(error)) from None
        return compression.compressed_application(guard.guard_application(datasette, pinned))

    return wrapped


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    """Let other requests run while a page is made, translate ours, and change Datasette's."""
    from timeline.languages import translation
    from timeline.site import datasette_markup, pauses

    pauses.between_parts(env)
    datasette_markup.install(env)
    translation.install(env)


@hookimpl(tryfirst=True)
def render_cell() -> Awaitable[None] | None:
    """Let other requests run while the cells of a long table are made; change none of them.

    Comes first, because Datasette waits for no plugin after the one that shows a cell.
    """
    from timeline.site import pauses

    return pauses.between_cells()


@hookimpl
def handle_exception(datasette: Any, request: Any, exception: Any) -> Awaitable[Any] | None:
    """Answer an address that leads nowhere with our own page, and show errors on our site."""
    status = getattr(exception, "status", None)
    if status is None:
        return None
    from timeline.site import datasette_pages, routes

    if status == 404:
        return routes.not_found(datasette, request)
    return datasette_pages.error_page(datasette, request, exception)


@hookimpl
def register_facet_classes() -> Sequence[type]:
    """Return the classes for the facets of events: columns, links such as actors, and periods."""
    from timeline.site.datasette_facets import FACET_CLASSES

    return FACET_CLASSES


@hookimpl
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> Any:
    """Return the filters that the links of our facets ask for."""
    from timeline.site.datasette_filters import filters

    return filters(datasette, request, database, table)


@hookimpl(optionalhook=True)
def permission_resources_sql(datasette: Any, action: str) -> Any:
    """Refuse permission to write to a timeline, so that Datasette 1.0 does not offer it."""
    return guard.denial(datasette, action)


@hookimpl
def extra_template_vars(
    template: str | None, database: str | None, request: Any, datasette: Any
) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """Return `timeline_notices`, the notices of each timeline, and `timeline_page`.

    They are for templates/base.html, and for what we change in the templates of Datasette. Our own
    pages need neither.
    """
    if template and template.startswith("timeline/"):
        return {}
    return _template_vars(datasette, template, database, request)


@hookimpl
def extra_css_urls(
    template: str | None, database: str | None, request: Any, datasette: Any
) -> list[str]:
    """Return our style sheets for the pages of Datasette that are part of our site."""
    if template and template.startswith("timeline/"):
        return []
    from timeline.site import datasette_pages

    name = datasette_pages.database_of(template, database, request)
    return datasette_pages.style_sheets(datasette, name)


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


async def _template_vars(
    datasette: Any, template: str | None, database: str | None, request: Any
) -> dict[str, Any]:
    from timeline.site import datasette_pages

    name = datasette_pages.database_of(template, database, request)
    infos = await _timelines(datasette, None if name == datasette_pages.FIRST_PAGE else name)
    return {
        "timeline_page": await datasette_pages.page_of(datasette, name, infos, request),
        "timeline_notices": {
            name: [each for each in (info.get("notice"), info["copied"]) if each]
            for name, info in infos.items()
        },
    }


async def _timelines(datasette: Any, database: str | None = None) -> dict[str, dict[str, Any]]:
    """Return what the log of each timeline says about itself, or only that of `database`.

    `copied` says whose log it is if the file is a copy, else it is None.
    """
    from timeline.site.mounts import placed

    known = placed(datasette)
    infos = {
        name: await datasette.get_database(name).execute_fn(partial(_info, known.get(name)))
        for name in guard.timelines(datasette)
        if database in (None, name)
    }
    return {name: info for name, info in infos.items() if info}


def _info(mount: Mount | None, connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Return what the log says about itself now; None if it cannot be read."""
    from timeline.site.copies import copy_notice

    try:
        copied = copy_notice(connection, mount.copy) if mount else None
        return {**log.info(connection), "copied": copied}
    except (sqlite3.Error, ValueError):
        return None  # The file is damaged: `timeline verify` says how.
