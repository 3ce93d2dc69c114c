"""Ask a real server for ordinary pages while 50 clients attack it, one attack after another.

For each attack it prints what the ordinary client saw, and what the server took:

* errors: ordinary requests without status 200; the target is 0;
* p90: the time that 9 of 10 ordinary requests took at most; the target is under 2 s;
* peak: the largest resident memory of the server with its processes; the target is under 600 MB.

The first line is without an attack. Each attack gets a new server, so that its peak is its own.

    python bench/siege.py [--events 100000] [--file FILE] [--seconds 30] [--only ATTACK ...]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

import story
from datasette.app import Datasette

IS_STABLE = not hasattr(Datasette, "add_query")
CLIENTS = 50
PATIENCE = 30
"""Seconds that a client waits for an answer, and for a piece of it."""
ORDINARY = ("/", "/events?type=CONSULT", "/events?q=word12", "/events/e-00000007", "/changes")
"""The pages that an ordinary client reads, in turn."""
WORST = 2.0
"""Seconds: the target for nine of ten ordinary requests."""
PEAK = 600
"""Megabytes: the target for the memory of the server."""

MILLION = "replace(hex(zeroblob(1000000)), '00', 'a')"
COUNT = "with recursive n (i) as (select 1 union all select i + 1 from n limit 100000000) "
TABLES = ", ".join(f"t{n} as (select 1 from t{n - 1}, t{n - 1})" for n in range(1, 30))
SLOW = (
    f"select instr({MILLION}, substr({MILLION}, 500001) || 'b')",
    f"select length(replace({MILLION}, substr({MILLION}, 500001) || 'b', ''))",
    f"with t0 as (select 1), {TABLES} select count(*) from t29",
    "select " + ", ".join(f"hex(zeroblob({1_000_000 + n}))" for n in range(300)),
    f"{COUNT} select {MILLION} from n limit 100",
    f"{COUNT} select randomblob(900000) as b from n order by b",
    "select count(*) from events, events as b, events as c",
    "select count(*) from event_search where event_search match '"
    + " OR ".join(f"w{n}*" for n in range(1_500))
    + "'",
)
"""Queries that take time or memory before they run, in one function, or as they run."""

MARKS = "replace(hex(zeroblob(900)), '00', '\"')"
LARGE = (
    f"{COUNT} select replace(hex(zeroblob(7000)), '00', char(1)) from n limit 360",
    f"{COUNT} select {MILLION} from n limit 15",
    f"{COUNT} select {', '.join('1' * 100)} from n limit 2000",
    f"{COUNT} select {MARKS}, {MARKS} from n limit 1400",
    f"{COUNT} select 'http://a/' || {MARKS} from n limit 1400",
    f"{COUNT} select x'' from n limit 2000",
    "select * from events",
)
"""Queries that quickly return nearly as much as they may."""


def with_sql(sql: str, form: str = "", **more: str) -> str:
    page = f"/{{file}}{form}" if IS_STABLE else f"/{{file}}/-/query{form}"
    return f"{page}?{urlencode({'sql': sql, **more})}"


def in_all_forms(queries: tuple[str, ...]) -> list[str]:
    return [
        address
        for sql in queries
        for address in (
            with_sql(sql),
            with_sql(sql, ".json"),
            with_sql(sql, ".csv", _stream="on"),
        )
    ]


WORDS = " ".join(f"w{n}" for n in range(6_000))
DAYS = [f"20{year}-{month:02}-05" for year in range(20, 25) for month in range(1, 13)]
ATTACKS = {
    "none": [],
    "slow SQL": in_all_forms(SLOW),
    "large SQL": in_all_forms(LARGE),
    "tables": [
        "/{file}/log.json?_size=max",
        "/{file}/events?_size=max",
        "/{file}/events.csv?_stream=on&_size=max",
        "/{file}/events?" + urlencode({"_where": f"instr({MILLION}, {MILLION} || title)"}),
        "/{file}/events?" + urlencode({"_search": "w* OR e* OR a*", "_searchmode": "raw"}),
        "/{file}/log?_sort=payload&_facet=payload",
    ],
    "parameters": [
        "/events?" + "&".join(f"p{n}=1" for n in range(7_000)),
        "/events?" + "&".join(f"tag=tag-{n}" for n in range(4_500)),
        "/events?" + "&".join(f"actor=Actor+{n}" for n in range(3_500)),
        "/{file}/events?" + "&".join(f"tags__contains={n}" for n in range(2_500)),
    ],
    "long q": [
        f"/events?q={quote(WORDS[:50_000])}",
        f"/events?q={quote('w ' * 16_000)}",
        "/events?q=" + quote(" ".join(chr(97 + n % 26) for n in range(12_000))),
        f"/events?q={'%22' * 16_000}",
        f"/events.json?q={quote(WORDS[:50_000])}",
    ],
    "as_reported": [
        address
        for day in DAYS
        for address in (f"/events?as_reported={day}", f"/events.json?as_reported={day}&q=word12")
    ],
    "comparison": [
        f"/changes{form}?from={day}&to=2031-01-01" for day in DAYS for form in ("", ".json")
    ],
    "formats": [
        f"/events.{ending}"
        for ending in ("ics", "csv", "jsonl", "geojson", "atom", "timelinejs.json", "json")
    ],
}
"""Addresses by the name of the attack; {file} is the name of the timeline's file."""


class Seen(NamedTuple):
    """The ordinary requests of one attack, and the memory of the server in it."""

    seconds: list[float]
    errors: Counter[str]
    attack: Counter[str]
    peak: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--file", type=Path, help="a timeline that is there already")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    asked = parser.parse_args()
    print(f"{'attack':12}{'requests':>9}{'errors':>8}{'p90':>9}{'slowest':>9}{'peak':>9}  answers")
    with tempfile.TemporaryDirectory() as folder:
        path = asked.file or Path(folder) / f"{asked.events}.db"
        if not path.exists():
            story.build(path, asked.events)
        for name in asked.only:
            with serving(path) as server:
                seen = besiege(server, path, ATTACKS[name], asked.seconds)
            p90 = statistics.quantiles(seen.seconds, n=10)[-1]
            is_held = not seen.errors and p90 < WORST and seen.peak < PEAK
            print(
                f"{name:12}{len(seen.seconds):9,}{seen.errors.total():8,}{p90:7.2f} s"
                f"{max(seen.seconds):7.2f} s{seen.peak:6,} MB  {told(seen.attack)}"
                f"{'' if is_held else '  MISSED ' + told(seen.errors)}",
                flush=True,
            )


def told(counted: Counter[str]) -> str:
    return ", ".join(f"{number:,} x {what}" for what, number in counted.most_common())


@contextlib.contextmanager
def serving(path: Path) -> Iterator[tuple[int, int]]:
    """Yield process id and port of `timeline serve`, when it has read the index."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "timeline", "-d", str(path), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            while get(port, "/") != "200":
                assert server.poll() is None, "timeline serve has ended"
                time.sleep(0.1)
            yield server.pid, port
        finally:
            server.kill()


def besiege(server: tuple[int, int], path: Path, addresses: list[str], seconds: float) -> Seen:
    """Read ordinary pages for some seconds while another process attacks."""
    pid, port = server
    name = quote(path.stem)
    filled = [each.replace("{file}", name) for each in addresses]
    times: list[float] = []
    errors: Counter[str] = Counter()
    peaks = [0]
    has_ended = threading.Event()

    def watch() -> None:
        while not has_ended.wait(0.1):
            peaks.append(resident(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as attacker:
        ends = time.time() + seconds
        attacked = attacker.submit(attack, port, filled, ends)
        for page in cycle(ORDINARY):
            started = time.time()
            if started > ends:
                break
            answer = get(port, page)
            times.append(time.time() - started)
            if answer != "200":
                errors[answer] += 1
        answers = attacked.result()
    has_ended.set()
    watcher.join()
    return Seen(times, errors, answers, max(peaks) // 1_000_000)


def resident(pid: int) -> int:
    """Return the resident bytes of a process and of those that it started."""
    total = 0
    with contextlib.suppress(OSError):  # It may have ended.
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        total = pages * os.sysconf("SC_PAGESIZE")
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(resident(int(child)) for child in children.read_text().split())
    return total


def get(port: int, address: str) -> str:
    """Return the status of an answer that came as a whole, else the name of what went wrong."""
    try:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        ) as connection:
            connection.request("GET", address)
            response = connection.getresponse()
            while response.read(2**20):
                pass
            return str(response.status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def attack(port: int, addresses: list[str], ends: float) -> Counter[str]:
    """Ask with all clients at once until the time ends; count the answers."""
    answers: Counter[str] = Counter()
    asked = cycle(addresses)
    lock = threading.Lock()

    def client() -> None:
        while time.time() < ends:
            with lock:
                address = next(asked)
            answer = get(port, address)
            with lock:
                answers[answer] += 1

    if addresses:
        clients = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        for each in clients:
            each.join(max(0, ends - time.time()))
    with lock:
        return Counter(answers)


if __name__ == "__main__":
    main()
