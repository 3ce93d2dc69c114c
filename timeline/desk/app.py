"""Put the screens of the desk together as one ASGI application.

Guarantees: one thread does all work on the file, one request after the other. An error that a
person can act on is a page with its one line, on every screen; so is an error of ours. A form is
only taken with the token that it carries. `guard` looks at every request before.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute
from starlette.staticfiles import StaticFiles

from timeline.desk.guard import LONGEST_CAPTURE, Secrets, TooLong, problem_page
from timeline.desk.refusals import in_words
from timeline.desk.screens.all_routes import ROUTES
from timeline.desk.visit import (
    Desk,
    DeskReply,
    ForScript,
    Redirect,
    Screen,
    ScreenRoute,
    SentFile,
    Session,
    Shown,
    Upload,
    Visit,
)
from timeline.errors import NotFound, Replaced, TimelineError
from timeline.store import storage
from timeline.store.open_files import identity

_HERE = Path(__file__).parent
_SITE = Path(__file__).parents[1] / "site"
_MOST_FIELDS = 500
"""Fields of a form."""
_NOT_OURS = (
    "This form was opened before the desk was started, or is not of this desk: nothing was "
    "changed. Press Back, copy what you typed, and load the page again."
)


class _Screens(NamedTuple):
    """A desk has screens, which share its keys, one thread and the templates."""

    desk: Desk
    keys: Secrets
    worker: ThreadPoolExecutor
    templates: Environment


def application(desk: Desk, keys: Secrets) -> Starlette:
    """Return the application of a desk, whose paths all begin with `keys.key`."""
    screens = _Screens(desk, keys, ThreadPoolExecutor(1, "desk"), _environment())
    routes: list[BaseRoute] = [
        Mount("/static/site", StaticFiles(directory=_SITE / "static")),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
        StarletteRoute("/alive", _alive),
        *_routes(ROUTES, screens),
    ]
    return Starlette(
        routes=[Mount(keys.key, routes=routes)], exception_handlers={HTTPException: _no_page}
    )


def _alive(request: Request) -> Response:
    """Say to another start of the desk that this one runs."""
    return Response(status_code=204)


def _no_page(request: Request, error: Exception) -> Response:
    """Say that no screen answers at an address, or not to a form."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return problem_page(status, "The desk has no such page. Press Back, or begin at the inbox.")


def _routes(routes: Iterable[ScreenRoute], screens: _Screens) -> list[BaseRoute]:
    return [
        StarletteRoute(route.path, _endpoint(screen, screens), methods=[method])
        for route in routes
        for method, screen in (("GET", route.get), ("POST", route.post))
        if screen
    ]


def _endpoint(screen: Screen, screens: _Screens) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            visit = await _visit(request, screens)
        except TooLong:
            return problem_page(413, "This is too long. Press Back: what you typed is still there.")
        except HTTPException as error:
            return problem_page(error.status_code, f"{error.detail} Press Back, and send less.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(screens.worker, _answered, screen, visit, screens)

    return answer


async def _visit(request: Request, screens: _Screens) -> Visit:
    fields: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    if request.method == "POST":
        async with request.form(max_fields=_MOST_FIELDS, max_part_size=LONGEST_CAPTURE) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if value.filename:
                        files[name] = Upload(value.filename, await value.read())
                else:
                    fields.append((name, value))
    session = request.scope.get("desk.session") or Session("")
    key = screens.keys.key
    path = str(request.scope["path"]).removeprefix(key) or "/"
    query = request.query_params.multi_items()
    is_form = request.method == "POST"
    return Visit(
        screens.desk, session, path, request.path_params, query, fields, files, key, is_form
    )


def _answered(screen: Screen, visit: Visit, screens: _Screens) -> Response:
    """Return what a screen answers, or a page that says why it cannot."""
    if visit.is_form and not hmac.compare_digest(
        visit.field("token").encode(), screens.keys.token(visit.session, visit.path).encode()
    ):
        return problem_page(403, _NOT_OURS)
    try:
        with storage.storage_errors(visit.desk.path):
            _check_in_place(visit.desk)
            return _response(visit, screens, screen(visit))
    except TimelineError as error:
        status = 404 if isinstance(error, NotFound) else 400
        return _problem(visit, screens, in_words(error), status)
    except Exception as error:  # noqa: BLE001 - whatever fails, the next request is answered
        kind = type(error).__name__
        return _problem(visit, screens, f"The desk has a fault of its own ({kind}: {error}).", 500)


def _check_in_place(desk: Desk) -> None:
    """Raise Replaced if the timeline was moved, or another file has its name."""
    if isinstance(desk.log, storage.Connection) and identity(desk.path) != desk.log.identity:
        raise Replaced(str(desk.path), "was replaced: start the desk again; nothing was recorded")


def _problem(visit: Visit, screens: _Screens, problem: str, status: int) -> Response:
    """Return a page with one line; without the bar of the desk if the log cannot be read."""
    try:
        with storage.storage_errors(visit.desk.path):
            return _response(visit, screens, Shown("problem", {"problem": problem}, status))
    except TimelineError:
        return problem_page(status, problem)


def _response(visit: Visit, screens: _Screens, reply: DeskReply) -> Response:
    match reply:
        case Redirect(path):
            return RedirectResponse(f"{visit.key}{path}", 303)
        case ForScript(found, status):
            return JSONResponse(dict(found), status)
        case SentFile(content, media_type):
            return Response(content, media_type=media_type)
        case Shown(name, context, status):
            return HTMLResponse(
                _drawn(visit, screens.keys, screens.templates, name, context), status
            )


def _drawn(
    visit: Visit, keys: Secrets, templates: Environment, name: str, context: Mapping[str, Any]
) -> str:
    common = {
        "visit": visit,
        "link": visit.link,
        "author": visit.author,
        "notices": [*visit.session.notices],
        "token": functools.partial(keys.token, visit.session),
        "has_shortcuts": visit.desk.has_shortcuts,
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
