"""Measure how long `timeline append` of one event takes as a whole process, saved to disk.

The baseline is a Python that imports pydantic, click and sqlite3: the command needs these. Both
are timed in turn, so that other load of the machine affects both. Bytecode is compiled before,
as it is when the package is installed. `mcp` is timed until it has answered and its client has
gone, `desk` until a browser has its first page, `draft` until it finds no model of a name, so
beside any model.

    python bench/startup.py [ROUNDS]
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
BASELINE = "from pydantic import BaseModel; import click, sqlite3"
MIN_ROUNDS = 9


_GREETING = (
    '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion":'
    ' "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}}\n'
)
"""What a client of `mcp` sends first; what others read is nothing."""


def environment(folder: str) -> dict[str, str]:
    """Return the environment of a process of this checkout, with its bytecode in a folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "TIMELINE_DB")
    }
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}


def seconds(command: list[str], folder: str) -> float:
    """Return the seconds that one process takes: from start to end, the desk to its first page."""
    if command[-1] == "--no-browser":
        return to_first_page(command, folder)
    begin = time.perf_counter()
    ended = subprocess.run(
        command,
        env=environment(folder),
        cwd=folder,
        input=_GREETING,
        encoding="utf-8",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    taken = time.perf_counter() - begin
    if ended.returncode and "no model" not in ended.stderr:
        raise SystemExit(ended.stderr)
    return taken


def to_first_page(command: list[str], folder: str) -> float:
    """Return the seconds from the start of a desk to its inbox in a browser, and end the desk."""
    begin = time.perf_counter()
    with subprocess.Popen(
        command, env=environment(folder), cwd=folder, stderr=subprocess.PIPE, encoding="utf-8"
    ) as desk:
        assert desk.stderr
        address = desk.stderr.readline().split()[-1]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(address) as page:
            page.read()
        taken = time.perf_counter() - begin
        desk.send_signal(signal.SIGINT)
    return taken


def medians(rounds: int) -> dict[str, float]:
    """Return the median seconds of each process by its name, the baseline first."""
    timeline = [sys.executable, "-m", "timeline"]
    commands = {
        "baseline": [sys.executable, "-c", BASELINE],
        "append": [
            *(*timeline, "append", "--title", "Talks in Odesa", "--occurred", "2025-04-15"),
            *("--type", "Consultation", "--country", "Ukraine", "--actor", "Mark Rutte"),
        ],
        "show": [*timeline, "show", "#1"],
        "list": [*timeline, "list", "--limit", "20"],
        "--help": [*timeline, "--help"],
        "mcp": [*timeline, "mcp"],
        "desk": [*timeline, "desk", "--port", "8299", "--no-browser"],
        "draft": [*timeline, "draft", "report", "-m", "no-such-model"],
    }
    with tempfile.TemporaryDirectory() as folder:
        seconds([*timeline, "init", "--title", "A story"], folder)
        report = Path(folder) / "report.txt"
        report.write_text("Mark Rutte came to Odesa on Tuesday.\n", encoding="utf-8")
        seconds(commands["append"], folder)
        seconds([*timeline, "capture", str(report), "--id", "report", "--title", "A"], folder)
        for command in commands.values():
            seconds(command, folder)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command, folder))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    rounds = max(int(sys.argv[1]) if len(sys.argv) > 1 else 21, MIN_ROUNDS)
    taken = medians(rounds)
    print(f"medians of {rounds} runs in turn, Python {sys.version.split()[0]}")
    for name, median in taken.items():
        ratio = median / taken["baseline"]
        print(f"  {name:<9}{1000 * median:6.0f} ms  {ratio:4.2f} times the baseline")


if __name__ == "__main__":
    main()
