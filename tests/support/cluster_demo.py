"""Show a cluster on this machine: three servers, two nodes, and a server that is lost.

    python tests/support/cluster_demo.py

Everything lies in one folder of its own, which is removed at the end, with the servers.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from nats_servers import COUNT, Servers

NAME = "demo"
SOUTH, NORTH = "odesa", "kyiv"


class Place:
    """A folder with the files of two nodes, and the commands that are typed in it."""

    def __init__(self, folder: Path, cluster: str) -> None:
        self.folder = folder
        self.cluster = cluster

    def timeline(self, *arguments: str) -> str:
        """Run a command as a user would, and show it with what it prints."""
        self._show(f"$ {shlex.join(['timeline', *arguments])}")
        done = self._run(*arguments)
        for line in done.stdout.splitlines():
            self._show(f"  {line}")
        if done.returncode:
            sys.exit(f"The command failed: {done.stderr.strip()}")
        return done.stdout

    def root(self, node: str) -> tuple[int, str]:
        """Verify the file of a node; return the size of its log and its root."""
        done = self._run("-d", f"{node}.db", "verify", "--json")
        found = json.loads(done.stdout)
        if not found["holds"]:
            sys.exit(f"{node}.db does not hold: {done.stdout}")
        return found["size"], found["root"]

    def _show(self, line: str) -> None:
        print(line.replace(self.cluster, "CLUSTER"), flush=True)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "timeline", *arguments],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "76"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def say(sentence: str) -> None:
    print(f"\n{sentence}", flush=True)


def show(servers: Servers, folder: Path) -> None:
    place = Place(folder, servers.address(NAME))
    print(f"CLUSTER is {place.cluster}", flush=True)
    odesa, kyiv = ("-d", f"{SOUTH}.db"), ("-d", f"{NORTH}.db")

    say("A timeline, in one file, moves into the cluster:")
    place.timeline(*odesa, "init", "--title", "A visit to Odesa")
    place.timeline(*odesa, "append", "--title", "Talks in Odesa", "--occurred", "2025-04-15")
    place.timeline("cluster", "init", place.cluster, f"{SOUTH}.db", "--node", SOUTH)

    say("A second node joins, and has the whole log in a file of its own:")
    place.timeline("cluster", "join", place.cluster, f"{NORTH}.db", "--node", NORTH)

    say("Both write:")
    place.timeline(*kyiv, "append", "--title", "Strike on Sumy", "--occurred", "2025-04-13")
    place.timeline(*odesa, "append", "--title", "Aid pledged", "--occurred", "April 2025")

    leader = servers.leader(f"TL_{NAME}_1")
    say(f"Server {leader + 1} leads the others. It is killed (kill -9), and Kyiv writes at once:")
    servers.kill(leader)
    started = time.monotonic()
    place.timeline(*kyiv, "append", "--title", "A denial", "--occurred", "2025-04-16")
    print(f"  It took {time.monotonic() - started:.1f} s, with two servers of {COUNT}.")

    say("Odesa takes in what Kyiv wrote:")
    place.timeline(*odesa, "cluster", "follow", "--once")
    place.timeline(*odesa, "list")

    say("Both files were verified, and have the same root:")
    roots = {node: place.root(node) for node in (SOUTH, NORTH)}
    for node, (size, root) in roots.items():
        print(f"  {node:<6} {size} entries  {root}")
    if len(set(roots.values())) != 1:
        sys.exit("The roots differ.")

    say(f"Server {leader + 1} is started again, and gets what it missed. Odesa writes:")
    servers.restart(leader)
    place.timeline(*odesa, "append", "--title", "Talks go on", "--occurred", "2025-04-17")
    place.timeline(*kyiv, "cluster", "follow", "--once")
    place.timeline(*kyiv, "cluster", "status")


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    print(f"Starting {COUNT} servers on this machine ...", flush=True)
    with Servers() as servers, tempfile.TemporaryDirectory(prefix="timeline-demo-") as folder:
        show(servers, Path(folder))
        print("\nThe servers are ended, and all files removed.", flush=True)


def _end(number: int, frame: FrameType | None) -> None:
    """End as after Ctrl-C, so that no server and no file is left."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Ended early: the servers and all files are gone.")
