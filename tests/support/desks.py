"""A desk served as people have it: a process of its own, on a port of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from running import environment
from serving import free_port, listens

from timeline.desk.guard import Secrets
from timeline.intake.proposals.inbox import Inbox


class ServedDesk:
    """The desk of a timeline, started by `timeline desk`.

    `before` is what comes before its command, such as a mount of another disk; `env` is its
    environment.
    """

    def __init__(
        self,
        path: Path,
        *options: str,
        before: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.port = free_port()
        self._options = options
        self._before = before
        self._env = env or environment()
        self.start()

    def start(self) -> None:
        """Start it, again at the same port, and wait until it listens."""
        command = ["-m", "timeline", "-d", str(self.path), "desk", "--no-browser"]
        self.process = subprocess.Popen(
            [*self._before, sys.executable, *command, "--port", str(self.port), *self._options],
            env=self._env,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not listens(self.port):
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.process.communicate()

    def printed(self) -> str:
        """The address that it printed when it started."""
        assert self.process.stderr
        return self.process.stderr.readline().split()[-1]

    @property
    def keys(self) -> Secrets:
        """What the owner of the inbox can read: the keys of the desk that runs."""
        with Inbox.of(self.path) as inbox:
            secret, run = inbox.about("secret"), inbox.about("run")
        assert secret
        assert run
        return Secrets(secret, run)

    def entrance(self) -> str:
        """An address that lets one browser in, as a second `timeline desk` prints it."""
        return self.at(f"/enter?ticket={self.keys.ticket()}")

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{self.keys.key}{path}"

    def opener(self, opened: Callable[..., Page]) -> Callable[..., Page]:
        """A function that lets a new browser in, and then opens an address."""

        def open_page(address: str, **settings: Any) -> Page:
            page = opened(self.entrance(), **settings)
            page.goto(address)
            return page

        return open_page


@contextlib.contextmanager
def desk_of(path: Path, *options: str, **settings: Any) -> Iterator[ServedDesk]:
    """The desk of a timeline while the block runs."""
    desk = ServedDesk(path, *options, **settings)
    try:
        yield desk
    finally:
        desk.kill()
