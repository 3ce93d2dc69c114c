"""Three real NATS servers on loopback, as one cluster with JetStream, that tests may kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

PROGRAM = Path(sys.executable).parent / "nats-server"
COUNT = 3
_DEADLINE = 60.0
"""The most seconds to wait for the servers; a start takes 2 to 6 on a machine that is busy."""
_STARTS = 3
"""How often a start is tried: another process may take a port between its choice and its use."""

_T = TypeVar("_T")


class User(NamedTuple):
    """An account's user, and the subjects that it may publish to; None: all."""

    name: str
    password: str
    publish: Sequence[str] | None = None

    def config(self) -> dict[str, object]:
        """Make the lines of the servers' configuration."""
        lines: dict[str, object] = {"user": self.name, "password": self.password}
        if self.publish is not None:
            lines["permissions"] = {"publish": list(self.publish), "subscribe": [">"]}
        return lines


class Servers:
    """Three servers; each has a number from 0, ports of the system's choosing and its own store.

    Their folder and their processes are gone after `close`. A server that a test stopped is
    started again with `restart`, or by `all_up`.
    """

    def __init__(
        self, users: Sequence[User] = (), settings: Mapping[str, object] | None = None
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nats-"))
        self._users = users
        self._settings = settings or {}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._frozen: set[int] = set()
        self._disturbed = False
        try:
            for attempt in range(_STARTS):
                self._choose_ports()
                try:
                    self._start_all()
                    break
                except RuntimeError:
                    if attempt == _STARTS - 1:
                        raise
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and remove their folder."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, name: str, *numbers: int) -> str:
        """Give the address of the cluster's log `name`, as commands take it."""
        hosts = [f"127.0.0.1:{self.ports[number]}" for number in numbers or range(COUNT)]
        return f"nats://{','.join(hosts)}/{name}"

    @property
    def monitors(self) -> list[str]:
        """The addresses at which the servers tell about themselves."""
        return [f"http://127.0.0.1:{port}" for port in self.monitor_ports]

    def up(self) -> list[int]:
        """List the numbers of the servers that run and are not frozen."""
        return [number for number in sorted(self._processes) if number not in self._frozen]

    def store(self, number: int) -> Path:
        """Give the folder in which a server keeps its streams."""
        return self.folder / f"store{number}"

    def kill(self, *numbers: int) -> None:
        """End servers at once, as a lost machine does."""
        self._disturbed = True
        for number in numbers:
            self._processes[number].kill()
        for number in numbers:
            self._processes.pop(number).wait()
            self._frozen.discard(number)

    def stop(self, number: int) -> None:
        """End a server in the clean way, so that it hands over what it leads."""
        self._disturbed = True
        process = self._processes.pop(number)
        process.terminate()
        process.wait(timeout=_DEADLINE)

    def freeze(self, number: int) -> None:
        """Stop a server from running, without ending it."""
        self._disturbed = True
        os.kill(self._processes[number].pid, signal.SIGSTOP)
        self._frozen.add(number)

    def thaw(self, number: int) -> None:
        """Let a frozen server run on."""
        os.kill(self._processes[number].pid, signal.SIGCONT)
        self._frozen.discard(number)

    def restart(self, *numbers: int) -> None:
        """Start servers again with what they have stored, and wait until all is in step."""
        for number in numbers:
            self._start(number)
        self.wait_until_healthy()

    def all_up(self) -> None:
        """Start what does not run and thaw what is frozen, and wait until all is in step."""
        if not self._disturbed:
            return
        for number in list(self._frozen):
            self.thaw(number)
        for number in range(COUNT):
            if number not in self._processes:
                self._start(number)
        self.wait_until_healthy()
        self._disturbed = False

    def leader(self, stream: str) -> int:
        """Give the number of the server that leads a stream, once one does."""
        return _wait(lambda: self._leader(stream), f"a leader of {stream}")

    def told(self, number: int, path: str) -> dict[str, Any]:
        """Give what a server tells about itself at a path of its monitor, such as /jsz."""
        with urllib.request.urlopen(f"{self.monitors[number]}{path}", timeout=5) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told

    def wait_until_healthy(self) -> None:
        """Wait until each server that runs says that it leads or follows all that it has to."""
        for number in self.up():
            _wait(lambda number=number: self._healthy(number), f"server {number}", self._ended)

    def _leader(self, stream: str) -> int | None:
        for number in self.up():
            try:
                told = self.told(number, "/jsz?accounts=1&streams=1")
            except OSError:
                continue
            for account in told.get("account_details") or []:
                for detail in account.get("stream_detail") or []:
                    leader = detail.get("cluster", {}).get("leader", "")
                    if detail["name"] == stream and leader and int(leader[1:]) in self.up():
                        return int(leader[1:])
        return None

    def _healthy(self, number: int) -> bool:
        try:
            if self.told(number, "/healthz?js-server-only=true").get("status") != "ok":
                return False
            meta = self.told(number, "/jsz").get("meta_cluster", {})
        except OSError:
            return False
        led = meta.get("leader")
        near = {each["name"] for each in meta.get("replicas", ()) if each["current"]}
        return bool(led) and (led != f"s{number}" or len(near) >= len(self.up()) - 1)

    def _ended(self) -> None:
        for number, process in self._processes.items():
            if process.poll() is not None:
                raise RuntimeError((self.folder / f"log{number}").read_text())

    def _choose_ports(self) -> None:
        with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(3 * COUNT)]
        ports: list[int] = [opened.getsockname()[1] for opened in with_ports]
        for opened in with_ports:
            opened.close()
        self.ports = ports[:COUNT]
        self.monitor_ports = ports[COUNT : 2 * COUNT]
        self.route_ports = ports[2 * COUNT :]

    def _start_all(self) -> None:
        for number in range(COUNT):
            (self.folder / f"{number}.conf").write_text(self.configuration(number))
        try:
            for number in range(COUNT):
                self._start(number)
            self.wait_until_healthy()
        except RuntimeError:
            self.kill(*self._processes)
            raise

    def _start(self, number: int) -> None:
        with (self.folder / f"log{number}").open("ab") as log:
            self._processes[number] = subprocess.Popen(
                [PROGRAM, "--config", self.folder / f"{number}.conf"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def configuration(self, number: int) -> str:
        """Make the configuration file of a server."""
        config: dict[str, object] = {
            "server_name": f"s{number}",
            "listen": f"127.0.0.1:{self.ports[number]}",
            "http": f"127.0.0.1:{self.monitor_ports[number]}",
            "jetstream": {
                "store_dir": str(self.store(number)),
                "sync_interval": "always",
                "max_memory_store": 64 << 20,
                "max_file_store": 4 << 30,
            },
            "cluster": {
                "name": "tests",
                "listen": f"127.0.0.1:{self.route_ports[number]}",
                "routes": [f"nats-route://127.0.0.1:{port}" for port in self.route_ports],
                # A client uses the addresses that it was given: a test may put a proxy there.
                "no_advertise": True,
            },
        }
        if self._users:
            config["accounts"] = {
                "news": {"jetstream": "enabled", "users": [user.config() for user in self._users]}
            }
        return json.dumps({**config, **self._settings})


def persist(attempt: Callable[[], _T], *silence: type[Exception]) -> _T:
    """Try until there is an answer, as the protocol says: `silence` says nothing."""
    until = time.monotonic() + _DEADLINE
    while True:
        try:
            return attempt()
        except silence:
            assert time.monotonic() < until
            time.sleep(0.05)


def _wait(ask: Callable[[], Any], what: str, check: Callable[[], None] = lambda: None) -> Any:
    """Ask until the answer is not None and not False, up to the deadline."""
    until = time.monotonic() + _DEADLINE
    while (answer := ask()) is None or answer is False:
        check()
        assert time.monotonic() < until, f"{what}: nothing after {_DEADLINE:.0f} s"
        time.sleep(0.02)
    return answer
