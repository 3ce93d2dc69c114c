"""Draw the page of an event without a server and without a request, on any connection.

Guarantees: it is the page of the site, made by the same code and the same templates; so it can be
shown of an event that is not recorded yet, on the connection of a dry run. It has no scripts, and
its links open new windows: a frame with the attribute `sandbox` keeps them shut.
"""

from __future__ import annotations

import sqlite3
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader

from timeline.languages import translation
from timeline.site import responses, routes
from timeline.site.mounts import Mount
from timeline.site.responses import Asked
from timeline.site.views import glossary
from timeline.store import log


def event_alone(connection: sqlite3.Connection, event_id: str, static_files: str) -> str:
    """Return the page of the newest version of an event, as this connection sees it.

    `static_files` is the path at which the static files of the site are served. Absolute addresses
    are those of a published copy, which are made of the log's origin. Raises NotFound.
    """
    info = log.info(connection)
    asked = Asked(
        _NoServer(_Urls(static_files)),
        SimpleNamespace(
            path=f"/events/{event_id}", scope={}, url_vars={"event_id": event_id}, query_string=""
        ),
        None,
        Mount("timeline", "", str(info["origin"])),
        [],
    )
    found = responses.reading_all(asked, "event", partial(routes.read_event, asked))(connection)
    with asked.speaking(info):
        context = responses.variables(asked, "event", {**found, "preview": None})
        html = _templates().get_template("timeline/event.html").render(context, is_alone=True)
        return glossary.explained(html)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
    )
    translation.install(environment)
    return environment


class _Urls(NamedTuple):
    """The addresses that Datasette would give to the pages of a site at the root of a host."""

    static_files: str

    def path(self, path: str) -> str:
        return path

    def database(self, name: str) -> str:
        return f"/{name}"

    def table(self, name: str, table: str) -> str:
        return f"/{name}/{table}"

    def row(self, name: str, table: str, key: str) -> str:
        return f"/{name}/{table}/{key}"

    def static_plugins(self, _: str, name: str) -> str:
        return f"{self.static_files}/{name}"


class _NoServer(NamedTuple):
    """A stand-in answers what a page asks of Datasette, for a site without a configuration."""

    urls: _Urls

    def plugin_config(self, _: str) -> dict[str, Any]:
        return {"cards": False}

    def get_database(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(is_mutable=False)
