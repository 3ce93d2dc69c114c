"""Put the screens of the desk together as one ASGI application.

Guarantees: one thread does all work on the file, one request after the other. An error that a
person can act on is a page with its one line, on every screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute
from starlette.staticfiles import StaticFiles

from timeline.desk.screens.all_routes import ROUTES
from timeline.desk.visit import (
    Desk,
    ForScript,
    Redirect,
    Screen,
    ScreenRoute,
    Session,
    Shown,
    Upload,
    Visit,
    WholePage,
)
from timeline.errors import NotFound, TimelineError

_HERE = Path(__file__).parent
_SITE = Path(__file__).parents[1] / "site"


def application(desk: Desk, key: str) -> Starlette:
    """Return the application of a desk whose paths all begin with `key`, such as "/x1y2"."""
    worker = ThreadPoolExecutor(1, "desk")
    templates = _environment()
    routes: list[BaseRoute] = [
        Mount("/static/site", StaticFiles(directory=_SITE / "static")),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
        *_routes(ROUTES, desk, key, worker, templates),
    ]
    return Starlette(routes=[Mount(key, routes=routes)])


def _routes(
    routes: Iterable[ScreenRoute],
    desk: Desk,
    key: str,
    worker: ThreadPoolExecutor,
    templates: Environment,
) -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for route in routes:
        for method, screen in (("GET", route.get), ("POST", route.post)):
            if screen:
                endpoint = _endpoint(screen, desk, key, worker, templates)
                found.append(StarletteRoute(route.path, endpoint, methods=[method]))
    return found


def _endpoint(
    screen: Screen, desk: Desk, key: str, worker: ThreadPoolExecutor, templates: Environment
) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        visit = await _asked(request, desk, key)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(worker, _answered, screen, visit, templates)

    return answer


async def _asked(request: Request, desk: Desk, key: str) -> Visit:
    fields: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    if request.method == "POST":
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if value.filename:
                        files[name] = Upload(value.filename, await value.read())
                else:
                    fields.append((name, value))
    session = request.scope.get("desk.session") or Session("")
    path = request.url.path.removeprefix(key) or "/"
    query = request.query_params.multi_items()
    return Visit(desk, session, path, request.path_params, query, fields, files, key)


def _answered(screen: Screen, visit: Visit, templates: Environment) -> Response:
    try:
        answer = screen(visit)
    except TimelineError as error:
        status = 404 if isinstance(error, NotFound) else 400
        answer = Shown("problem", {"problem": str(error)}, status)
    match answer:
        case Redirect(path):
            return RedirectResponse(f"{visit.key}{path}", 303)
        case ForScript(found, status):
            return JSONResponse(dict(found), status)
        case WholePage(text, status):
            return HTMLResponse(text, status)
        case Shown(name, context, status):
            return HTMLResponse(_drawn(visit, templates, name, dict(context)), status)


def _drawn(visit: Visit, templates: Environment, name: str, context: dict[str, Any]) -> str:
    common = {
        "visit": visit,
        "link": visit.link,
        "author": visit.author,
        "notices": [*visit.session.notices],
        "token": lambda path: "",
        "has_shortcuts": visit.session.has_shortcuts,
        "model": visit.desk.model,
        "title_of_log": visit.desk.timeline.info["title"],
    }
    visit.session.notices.clear()
    return templates.get_template(f"desk/{name}.html").render({**common, **context})


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
