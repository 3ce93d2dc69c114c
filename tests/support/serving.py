"""A timeline served as its users have it: a process of its own, on a port of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from running import environment


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(*command: object, cwd: Path, before: tuple[str, ...] = ()) -> Iterator[str]:
    """The address of a server started by `python -m COMMAND --port N`, once it listens.

    The port stands before "--", if that is in the command.

    `before` is a program that runs it, such as one that changes the user.
    """
    port = free_port()
    started, *options = map(str, command)
    place = options.index("--") if "--" in options else len(options)
    options[place:place] = ["--port", str(port)]
    said = cwd / "server.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", started, *options],
            cwd=cwd,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while not listens(port):
            assert process.poll() is None, said.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether something listens at a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
