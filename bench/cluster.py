"""Measure what a cluster costs, compared with one file: appends, catching up, moving in, memory.

Three servers run on this machine; each has every message on disk before it answers. Both sides of a
ratio are timed in turn, within one run, and each number is a median. The ratio of CPU counts the
seconds of processors that the commands took, without those of the servers.

    python bench/cluster.py [--rounds N] [--entries N]        default: 3 rounds, 200000 entries
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import story
from append import PEAK
from many_readers import Readers
from nats_servers import Servers
from serving import serving

from timeline import Timeline
from timeline.cluster import membership
from timeline.cluster.address import ClusterAddress
from timeline.errors import Outrun

BATCH = 5_000
SINGLE_APPENDS = 40
READERS = 20
ONE_BY_ONE = 5_000
SECONDS = 12.0
_NAMES = (f"bench-{number}" for number in itertools.count(1))


class Spent(NamedTuple):
    """The seconds that something took, and the seconds of processors that it used."""

    wall: float
    cpu: float


Side = Callable[[], Spent]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--writer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        print(*write(Path(options.writer[0]), float(options.writer[1])))
        return
    print(f"{machine()}\n")
    print(f"{'':52}{'cluster':>12}{'one file':>12}{'ratio':>7}{'of CPU':>8}  target")
    with Servers() as servers, tempfile.TemporaryDirectory() as folder:
        bench = Bench(servers, Path(folder), options.rounds)
        bench.appends()
        bench.catching_up(options.entries)
        bench.beside_readers(options.entries)
        bench.one_entry_messages()
        bench.whole_process()
        bench.memory()
        bench.three_writers()


def machine() -> str:
    """Return the machine of a run, and how busy it was when the run began."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python"
        f" {platform.python_version()}; load before the run: {load:.1f}"
    )


class Bench:
    """The servers, a folder for files, and the number of rounds."""

    def __init__(self, servers: Servers, folder: Path, rounds: int) -> None:
        self._servers = servers
        self._folder = folder
        self._rounds = rounds
        self._files = (folder / f"{number}.db" for number in itertools.count(1))

    # --- The rows -------------------------------------------------------------------------

    def appends(self) -> None:
        """Compare appends of one event and of many into a node with those into a file."""
        for many, rounds, what, target in (
            (1, SINGLE_APPENDS * self._rounds, "one durable append, with the turn", 0.3),
            (BATCH, self._rounds, f"append of {BATCH:,} events, with the turn", 0.7),
        ):
            with Timeline.open(self._node()) as node, Timeline.open(self._file()) as file:
                sides = [
                    partial(append, into, story.events(many * (rounds + 1)), many)
                    for into in (node, file)
                ]
                in_turn(sides, 1)  # connects, and fills caches
                ours, other = in_turn(sides, rounds)
                row(what, ours, other, many, f"at least {target}")

    def catching_up(self, entries: int) -> None:
        """Compare taking in a log of large appends with making it."""
        spent: list[list[Spent]] = [[], []]
        for _ in range(self._rounds):
            file = self._file()
            with Timeline.open(file) as timeline:
                events = story.events(entries)
                spent[1].append(
                    total(append(timeline, events, BATCH) for _ in range(entries // BATCH))
                )
            address = self._address()
            init(address, file)
            spent[0].append(self._join(address))
        what = f"catch-up of {entries:,} entries, all checks"
        joined, made = map(medians, spent)
        row(what, joined, made, entries, "at least 0.5")

    def beside_readers(self, entries: int) -> None:
        """Compare catching up with appending, each beside 20 readers of the site of its file."""
        first, made = self._file(), self._file()
        address = self._address()
        init(address, first)
        second = next(self._files)
        join(address, second)
        answers = wrong = 0
        with Timeline.open(first) as source, Timeline.open(second) as node:
            with source.append():
                pass  # connects
            events = story.events(entries)
            for _ in range(entries // BATCH):
                append(source, events, BATCH)
            with beside(second) as readers, timed() as spent:
                node.catch_up()
        answers, wrong = readers.answers, len(readers.problems)
        ours = spent[0]
        with Timeline.open(made) as timeline, beside(made) as readers:
            events = story.events(entries)
            other = total(append(timeline, events, BATCH) for _ in range(entries // BATCH))
        what = f"catch-up of {entries:,} entries, {READERS} readers beside it"
        row(what, ours, other, entries, "at least 0.5")
        print(f"{'    answers to these readers, wrong or refused':52}{answers:>12,}{wrong:>12,}")

    def one_entry_messages(self) -> None:
        """Compare moving in a log of appends of one entry, and taking it in, with one append."""
        spent: list[list[Spent]] = [[], [], []]
        for _ in range(self._rounds):
            with Timeline.open(self._file()) as timeline:
                spent[2].append(append(timeline, story.events(ONE_BY_ONE), ONE_BY_ONE))
            file = self._file()
            with Timeline.open(file) as timeline:
                events = story.events(ONE_BY_ONE)
                total(append(timeline, events, 1) for _ in range(ONE_BY_ONE))
            address = self._address()
            spent[1].append(init(address, file))
            spent[0].append(self._join(address))
        joined, moved, made = map(medians, spent)
        of = f"{ONE_BY_ONE:,} one-entry messages"
        row(f"catch-up of {of}", joined, made, ONE_BY_ONE, "at least 0.5")
        row(f"cluster init of {of}", moved, made, ONE_BY_ONE, "at least 1")

    def whole_process(self) -> None:
        """Compare the command of one append on a node with the same command on a file."""
        files = (self._node(), self._file())
        numbers = itertools.count(1)

        def side(file: Path) -> Spent:
            title = f"Event {next(numbers)}"
            return process("-d", file, "append", "--title", title, "--occurred", "2025")

        ours, other = in_turn([partial(side, file) for file in files], 7 * self._rounds)
        columns = "".join(f"{f'{each.wall:.2f} s':>12}" for each in (ours, other))
        print(
            f"{'whole process, one append':52}{columns}{ours.wall / other.wall:>7.2f}"
            f"{ours.cpu / other.cpu:>8.2f}  at most 2",
            flush=True,
        )

    def memory(self) -> None:
        """Compare the peak memory of an append of many events, and of catching up with it."""
        lines = self._folder / "events.ndjson"
        lines.write_text("".join(json.dumps(event) + "\n" for event in story.events(BATCH)))
        node, file = self._node(), self._file()
        ours, other = (peak("-d", each, "append", "--nl", lines) for each in (node, file))
        what = f"peak memory of an append of {BATCH:,} events"
        print(f"{what:52}{ours:>9.0f} MB{other:>9.0f} MB{ours - other:>+7.0f}          at most +30")
        address = self._address()
        init(address, file)
        joined = next(self._files)
        took = peak("cluster", "join", address, joined, "--node", f"n{joined.stem}")
        took = max(took, peak("-d", joined, "cluster", "follow", "--once"))
        print(f"{'peak memory of catching up with it':52}{took:>9.0f} MB{'':34}  at most 200")

    def three_writers(self) -> None:
        """Count what three writers do at once, and what they have to do again."""
        address = self._address()
        first = self._file()
        init(address, first)
        files = [first, *(next(self._files) for _ in range(2))]
        for file in files[1:]:
            join(address, file)
        writers = [
            subprocess.Popen(
                [sys.executable, __file__, "--writer", file, str(SECONDS)],
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            for file in files
        ]
        counted = [[int(each) for each in writer.communicate()[0].split()] for writer in writers]
        appends, again = map(sum, zip(*counted, strict=True))
        what = f"three writers for {SECONDS:.0f} s: appends, done again"
        print(f"{what:52}{appends:>12,}{again:>12,}{'':15}  0 done again", flush=True)

    # --- Files and nodes ------------------------------------------------------------------

    def _address(self) -> str:
        return self._servers.address(next(_NAMES))

    def _file(self) -> Path:
        """Make a timeline in a file."""
        path = next(self._files)
        Timeline.create(path, title="A made-up story").close()
        return path

    def _node(self) -> Path:
        """Make a timeline in a file that is the only node of a cluster."""
        path = self._file()
        init(self._address(), path)
        return path

    def _join(self, address: str) -> Spent:
        """Make a node that takes in a whole log; return what it took."""
        return join(address, next(self._files))


# --- Measuring ----------------------------------------------------------------------------


@contextlib.contextmanager
def timed() -> Iterator[list[Spent]]:
    """Time a block: the list that is yielded has what it took when the block has ended."""
    spent: list[Spent] = []
    started, used = time.perf_counter(), time.process_time()
    yield spent
    spent.append(Spent(time.perf_counter() - started, time.process_time() - used))


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Readers]:
    """Serve a file, and let readers ask its site all the time, while the block runs."""
    with serving("timeline", "-d", path, "serve", cwd=path.parent) as url:
        readers = Readers(url, path.stem, BATCH)
        with readers.reading(READERS):
            yield readers


def append(timeline: Timeline, events: Iterator[dict[str, Any]], count: int) -> Spent:
    """Time one append of the next events; they were made before."""
    given = [*itertools.islice(events, count)]
    with timed() as spent, timeline.append() as appending:
        for _ in appending.record_each(given):
            pass
    return spent[0]


def init(address: str, path: Path) -> Spent:
    """Time how a log moves into a cluster."""
    with timed() as spent:
        membership.init(ClusterAddress.parse(address), str(path), f"n{path.stem}")
    return spent[0]


def join(address: str, path: Path) -> Spent:
    """Time how a new node takes in a whole log."""
    with timed() as spent:
        membership.join(ClusterAddress.parse(address), str(path), f"n{path.stem}")
        with Timeline.open(path) as timeline:
            timeline.catch_up()
    return spent[0]


def write(path: Path, seconds: float) -> tuple[int, int]:
    """Append for some seconds; count the appends, and those that another writer overtook."""
    appends = again = 0
    until = time.monotonic() + seconds
    with Timeline.open(path) as timeline:
        while time.monotonic() < until:
            try:
                with timeline.append() as appending:
                    title = f"Event {appends} of {path.stem}"
                    appending.record({"title": title, "occurred": "2025"})
            except Outrun:
                again += 1
            else:
                appends += 1
    return appends, again


def process(*arguments: object) -> Spent:
    """Time a command, as a user starts it."""
    used = _of_children()
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "timeline", *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return Spent(time.perf_counter() - started, _of_children() - used)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak(*arguments: object) -> float:
    """Return the peak memory of a command, in megabytes."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    return next(int(line) for line in done.stderr.splitlines() if line.isdigit()) / 1024


def in_turn(sides: Sequence[Side], rounds: int) -> list[Spent]:
    """Run the sides in turn; return the medians of each."""
    spent = [[side() for side in sides] for _ in range(rounds)]
    return [medians(each) for each in zip(*spent, strict=True)]


def medians(spent: Sequence[Spent]) -> Spent:
    walls, cpus = zip(*spent, strict=True)
    return Spent(statistics.median(walls), statistics.median(cpus))


def total(spent: Iterator[Spent] | Sequence[Spent]) -> Spent:
    walls, cpus = zip(*spent, strict=True)
    return Spent(sum(walls), sum(cpus))


def row(what: str, ours: Spent, other: Spent, entries: int, target: str) -> None:
    """Print the entries a second of both sides, and the ratios of these, by clock and by CPU."""
    columns = "".join(f"{f'{entries / each.wall:,.0f} /s':>12}" for each in (ours, other))
    ratios = f"{other.wall / ours.wall:>7.2f}{other.cpu / ours.cpu:>8.2f}"
    print(f"{what:52}{columns}{ratios}  {target}", flush=True)


if __name__ == "__main__":
    main()
