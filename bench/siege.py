"""Ask a real server for ordinary pages while 50 clients attack it, one attack after another.

For each attack it prints what the ordinary client saw, and what the server took:

* errors: ordinary requests without status 200; the target is 0;
* median, 9 of 10, slowest: the time of ordinary requests; the target for 9 of 10 is under 2 s;
* peak: the largest resident memory of the server with its processes; the target is under 600 MB;
* attacked with: the answers that the attackers got, by status. 400 and 503 are refusals, 500 is
  Datasette's answer if the CSV of a query takes too long.

The first line is without an attack. Each attack gets a new server, so that its peak is its own.
The exit code is 1 if a target was missed.

    python bench/siege.py [--events 100000] [--file FILE] [--seconds 30] [--only ATTACK ...]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import multiprocessing
import os
import platform
import socket
import sqlite3
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
from datasette import __version__ as datasette_version
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
    f"{COUNT} select sum({MILLION} like '%{'a' * 400}b') from n",
    f"{COUNT} select sum(length(printf('%*d', 4900000, i))) from n",
    f"{COUNT} select json_group_array(json_array(i, {MILLION})) from n",
    f"{COUNT} select sum(length(snippet(event_search, -1, {MILLION}, '', '', 60)))"
    " from n, event_search where event_search match 'word12'",
    "select count(*) from event_search where event_search match '"
    + " OR ".join(f"w{n}*" for n in range(1_500))
    + "'",
)
"""Queries that take time or memory before they run, in one function, or as they run."""

LARGE = (
    f"{COUNT} select replace(hex(zeroblob(7000)), '00', char(1)) from n limit 360",
    f"{COUNT} select {MILLION} from n limit 15",
    f"{COUNT} select {', '.join('1' * 100)} from n limit 2000",
    "select * from events",
)
"""Queries that quickly return nearly as much as they may."""

MARKS = "replace(hex(zeroblob(900)), '00', '\"')"
QUOTES = (
    f"{COUNT} select {MARKS}, {MARKS} from n limit 1400",
    f"{COUNT} select 'http://a/' || {MARKS} from n limit 1400",
    f"{COUNT} select x'' from n limit 2000",
    f"{COUNT} select x'' from n where '{'x' * 3_000}' > '' limit 1000",
)
"""Queries whose result is several times as long as HTML, and nearly as long as it may be."""


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


WORDS = [f"w{n}" for n in range(6_000)]
DAYS = [f"20{year}-{month:02}-05" for year in range(15, 25) for month in range(1, 13)]
TAGS, ACTORS = (
    "&".join(f"{name}={value}{n}" for n in range(64))
    for name, value in (("tag", "tag-"), ("actor", "Actor+"))
)
ATTACKS = {
    "none": [],
    "parameters": [
        "/events?" + "&".join(f"p{n}=1" for n in range(7_000)),
        "/events?" + "&".join(f"tag=tag-{n}" for n in range(4_500)),
        "/events?" + "&".join(f"actor=Actor+{n}" for n in range(3_500)),
        "/{file}/events?" + "&".join(f"tags__contains={n}" for n in range(1_000)),
        f"/events?{TAGS}&{ACTORS}",
        f"/events.json?{TAGS}&{ACTORS}&q=word12",
        f"/changes?before={2**63}",
        f"/events?after={'9' * 1_900}",
    ],
    "long q": [
        f"/events?q={quote(' '.join(WORDS)[:50_000])}",
        f"/events?q={quote('w ' * 16_000)}",
        "/events?q=" + quote(" ".join(chr(97 + n % 26) for n in range(12_000))),
        f"/events?q={'%22' * 16_000}",
        *(
            f"/events{form}?q={quote(' '.join(words))}"
            for form in ("", ".json")
            for words in (WORDS[:64], ["w*", "wo*", "wor*", "word*"], ["w*"] * 64)
        ),
    ],
    "as_reported": [
        address
        for day in DAYS
        for address in (
            f"/events?as_reported={day}",
            f"/events.json?as_reported={day}&q=word12",
            f"/events?as_reported={day}&as_of=%2350000&q=w*",
        )
    ],
    "comparison": [
        f"/changes{form}?from={day}&to=2031-01-01" for day in DAYS for form in ("", ".json")
    ],
    "formats": [
        f"/events.{ending}"
        for ending in ("ics", "csv", "jsonl", "geojson", "atom", "timelinejs.json", "json")
    ],
    "slow SQL": in_all_forms(SLOW),
    "large SQL": in_all_forms(LARGE),
    "quotes as HTML": [with_sql(sql) for sql in QUOTES],
    "tables": [
        "/{file}/log.json?_size=max",
        "/{file}/events?_size=max",
        "/{file}/events.csv?_stream=on&_size=max",
        "/{file}/events?" + urlencode({"_where": f"instr({MILLION}, {MILLION} || title)"}),
        "/{file}/events?" + urlencode({"_search": "w* OR e* OR a*", "_searchmode": "raw"}),
        "/{file}/log?_sort=payload&_facet=payload",
        "/{file}/log?_size=max",
    ],
}
"""Addresses by the name of the attack; {file} is the name of the timeline's file."""


class Seen(NamedTuple):
    """The ordinary requests of one attack, and the memory of the server in it."""

    seconds: list[float]
    errors: Counter[str]
    attack: Counter[str]
    peak: int
    """Megabytes."""

    @property
    def nine_of_ten(self) -> float:
        """The seconds that nine of ten ordinary requests took at most."""
        return statistics.quantiles(self.seconds, n=10)[-1]

    @property
    def missed(self) -> list[str]:
        """The targets that were missed."""
        missed = [f"ordinary pages: {told(self.errors)}"] if self.errors else []
        if self.nine_of_ten >= WORST:
            missed.append(f"9 of 10 took {self.nine_of_ten:.2f} s instead of {WORST:.0f} s")
        if self.peak >= PEAK:
            missed.append(f"the server took {self.peak:,} MB instead of {PEAK} MB")
        return missed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--file", type=Path, help="a timeline that is there already")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    asked = parser.parse_args()
    versions = f"SQLite {sqlite3.sqlite_version}, Datasette {datasette_version}"
    print(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores")
    print(f"{CLIENTS} attackers, {asked.seconds:.0f} s for each attack")
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        path = asked.file or Path(folder) / f"{asked.events}.db"
        if not path.exists():
            story.build(path, asked.events)
        print(f"load average at the start {os.getloadavg()[0]:.1f}\n")
        print("attack          requests  errors   median  9 of 10  slowest    peak  attacked with")
        for name in asked.only:
            with serving(path) as server:
                seen = besiege(server, path, ATTACKS[name], asked.seconds)
            times = (statistics.median(seen.seconds), seen.nine_of_ten, max(seen.seconds))
            print(
                f"{name:16}{len(seen.seconds):8,}{seen.errors.total():8,}"
                f"{''.join(f'{each:7.2f} s' for each in times)}{seen.peak:5,} MB"
                f"  {told(seen.attack) or '-'}",
                flush=True,
            )
            missed += [f"{name}: {each}" for each in seen.missed]
    print("\nevery target is met" if not missed else "\nmissed:\n" + "\n".join(missed))
    sys.exit(bool(missed))


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
                assert server.poll() is None, "timeline serve has ended: is the file up to date?"
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
