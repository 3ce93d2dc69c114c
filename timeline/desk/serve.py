"""Serve the desk of a timeline on this machine, to its own browser.

Guarantees: it listens at 127.0.0.1 and nowhere else. A second start for the same file opens the
desk that runs. The address that is printed lets one browser in, once.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import secrets
import shlex
import sys
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn

from timeline.api import Timeline
from timeline.desk.app import application
from timeline.desk.guard import Guard, Secrets, problem_text
from timeline.desk.visit import Desk
from timeline.errors import InvalidInput, NotWritable, StoreError
from timeline.intake.proposals.inbox import Inbox
from timeline.projection import tables
from timeline.site.serve import free_port
from timeline.store import atomic, log, storage

HOST = "127.0.0.1"
PATIENCE = 2.0
"""Seconds for which the desk waits for another program that writes: a person waits, too."""
_ALIVE_SECONDS = 2.0
_SHOWN_SECONDS = 60.0


def serve_desk(
    path: str | os.PathLike[str],
    *,
    port: int,
    author: str | None = None,
    model: str | None = None,
    is_open: bool = True,
    tell: Callable[[str], object],
) -> None:
    """Serve the desk of a timeline until Ctrl-C, or open the one that runs.

    `tell` is called with each line for the person; `is_open` tells whether to open the browser.
    Raises StoreError for a file that cannot be read, Refused if the port is taken.
    """
    with _desk(Path(path), author, model) as desk:
        secret, running = _about(desk.inbox)
        if running and _answers(*running):
            _let_in(*running, is_open=is_open, tell=tell)
            return
        free_port(HOST, port)
        run = secrets.token_hex(8)
        _remember(desk.inbox, {"secret": secret, "run": run, "port": str(port)})
        keys = Secrets(secret, run)
        server = _Server(
            Guard(application(desk, keys), keys, port),
            port,
            lambda: _let_in(keys, port, is_open=is_open, tell=tell),
        )
        try:
            with contextlib.suppress(KeyboardInterrupt):
                server.run()
        finally:
            _remember(desk.inbox, {"port": None})


@contextlib.contextmanager
def _desk(path: Path, author: str | None, model: str | None) -> Iterator[Desk]:
    """Open the files of a desk. An inbox that cannot be used does not keep the log from being read.

    Raises StoreError.
    """
    with contextlib.ExitStack() as stack:
        timeline = stack.enter_context(Timeline.open(path, patience=PATIENCE))
        connection = stack.enter_context(contextlib.closing(storage.connect(path)))
        tables.check(connection, os.fspath(path))
        inbox = cast(Inbox, _LateInbox(path, stack))
        desk = Desk(path, timeline, connection, inbox, author, model=model)
        with contextlib.suppress(StoreError):
            desk.author = author or inbox.about("author")
            desk.has_shortcuts = inbox.about("shortcuts") != "off"
        yield desk


def show_problem(problem: str) -> None:
    """Open the browser at a page that says why the desk does not start.

    A launcher has no terminal that could say it. The page is served once, for a minute at most.
    """
    page = problem_text(problem).encode()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer((HOST, 0), Answer) as server:
        server.timeout = _SHOWN_SECONDS
        if webbrowser.open(f"http://{HOST}:{server.server_port}/"):
            server.handle_request()


class _LateInbox:
    """The inbox of a desk, opened when it is first asked for something.

    Raises StoreError, whatever is asked of it, while it cannot be opened.
    """

    def __init__(self, timeline: Path, stack: contextlib.ExitStack) -> None:
        self._timeline = timeline
        self._stack = stack

    def __getattr__(self, name: str) -> Any:
        if "_inbox" not in vars(self):
            self._inbox = self._stack.enter_context(Inbox.of(self._timeline, patience=PATIENCE))
        return getattr(self._inbox, name)


def _about(inbox: Inbox) -> tuple[str, tuple[Secrets, int] | None]:
    """Return the secret of a desk, and the keys and the port of the one that runs, if any."""
    new = secrets.token_hex(32)
    try:
        secret, run, port = (inbox.about(name) for name in ("secret", "run", "port"))
    except StoreError:
        return new, None
    if not (secret and run and port):
        return secret or new, None
    return secret, (Secrets(secret, run), int(port))


def _remember(inbox: Inbox, words: dict[str, str | None]) -> None:
    with contextlib.suppress(StoreError):
        for name, value in words.items():
            inbox.set_about(name, value)


def _answers(keys: Secrets, port: int) -> bool:
    """Tell whether the desk of these keys answers at a port: a killed one left it behind."""
    request = urllib.request.Request(f"http://{HOST}:{port}{keys.key}/alive")
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with no_proxy.open(request, timeout=_ALIVE_SECONDS) as answer:
            return bool(answer.status == 204)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _let_in(keys: Secrets, port: int, *, is_open: bool, tell: Callable[[str], object]) -> None:
    address = f"http://{HOST}:{port}{keys.key}/enter?ticket={keys.ticket()}"
    tell(f"The desk is open at {address}")
    tell("This address lets one browser in, once, within five minutes. Ctrl-C closes the desk.")
    if is_open:
        webbrowser.open(address)


class _Server(uvicorn.Server):
    """A server that calls `started` when it listens."""

    def __init__(self, guard: Guard, port: int, started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                guard,
                host=HOST,
                port=port,
                lifespan="off",
                log_level="critical",
                access_log=False,
                server_header=False,
            )
        )
        self._told = started

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        self._told()


# --- The launcher ---------------------------------------------------------------------------


def write_launcher(path: str | os.PathLike[str], file: Path, options: list[str]) -> None:
    """Write a file that opens the desk of a timeline when it is double-clicked.

    Its ending says for which system: .desktop or .command. Raises InvalidInput for another one,
    StoreError for a file that is no timeline, NotWritable if it cannot be written.
    """
    with contextlib.closing(storage.connect(path)) as connection:
        title = " ".join(str(log.info(connection)["title"]).split())
    command = [sys.executable, "-m", "timeline", "-d", str(Path(path).absolute()), "desk", *options]
    match file.suffix:
        case ".desktop":
            text = _desktop_entry(title, command)
        case ".command":
            text = f"#!/bin/sh\nexec {shlex.join(command)}\n"
        case _:
            raise InvalidInput("launcher", "must end with .desktop (Linux) or .command (macOS)")
    try:
        atomic.write_new(file, text.encode(), 0o755)
    except FileExistsError:
        raise NotWritable(str(file), "exists already; it was not touched") from None
    except OSError as error:
        raise NotWritable(str(file), f"cannot be made: {error.strerror}") from None


def _desktop_entry(title: str, command: list[str]) -> str:
    """Return a launcher of freedesktop.org.

    Source: https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html.
    """
    words = " ".join(_quoted(word) for word in command)
    name = title.replace("\\", "\\\\")
    return (
        "[Desktop Entry]\nType=Application\nVersion=1.5\n"
        f"Name=Desk of {name}\nExec={words}\nTerminal=false\nCategories=Office;\n"
    )


def _quoted(word: str) -> str:
    """Return an argument in quotation marks: escaped once for the command, once for the file."""
    for character in '\\"`$':
        word = word.replace(character, f"\\{character}")
    return '"{}"'.format(word.replace("\\", "\\\\").replace("%", "%%"))
