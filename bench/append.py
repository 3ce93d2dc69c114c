"""Measure how fast appends and rebuilds are, compared with SQLite itself, and their memory.

For many events, the floor is `executemany` of the same final rows into the same empty tables
and indexes, full-text search included, without triggers, in one transaction. For one durable
append, the floor is plain sqlite3 that inserts the same rows in one commit. Both floors use the
settings of our own connection (WAL, synchronous FULL, its page cache). `eventsourcing` stores
the same events in its SQLite recorder, without validation and hashes, and sqlite-utils inserts
the same rows into the same tables. The sides are timed in turn; each number is a median.

    python bench/append.py [--rounds N] [EVENTS ...]        default: 10000 100000
    python bench/append.py --ten-million                    one round; takes almost an hour
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import startup
import story

from timeline import Timeline
from timeline.model import strict_json
from timeline.model.content import Said
from timeline.projection import fold, tables
from timeline.store import codec, helper_process, storage

CHUNK = 10_000
LARGEST_FOR_OTHERS = 100_000
SINGLE_APPENDS = 200
TABLES = [
    "log",
    "tree_hashes",
    *(name for name, kind in tables.tables().items() if kind == "TABLE"),
]
PEAK = (
    "import re, sys; from pathlib import Path; from timeline.cli import cli;"
    " cli.main(sys.argv[1:], standalone_mode=False);"
    " status = Path('/proc/self/status').read_text();"
    " print(*re.findall('VmHWM:\\s+([0-9]+)', status), file=sys.stderr)"
)
"""Prints the peak memory of an append. `ru_maxrss` would include the parent process's memory."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ten-million", action="store_true")
    options = parser.parse_args()
    print(f"{'':48}{'ours':>12}{'against':>12}{'ratio':>7}  target")
    for count in [10_000_000] if options.ten_million else options.events:
        with tempfile.TemporaryDirectory() as folder:
            batches(Path(folder), count, options.rounds if count < 1_000_000 else 1)
    with tempfile.TemporaryDirectory() as folder:
        single(Path(folder))
    times = startup.medians(21)
    line("one append, whole process", times["append"], times["baseline"], "s", "at most 1.50")


def line(what: str, ours: float, other: float, unit: str, target: str = "") -> None:
    values = [f"{each:,.0f}" if each >= 100 else f"{each:.3g}" for each in (ours, other)]
    columns = "".join(f"{value + ' ' + unit:>12}" for value in values)
    print(f"{what:48}{columns}{ours / other:>7.2f}  {target}", flush=True)


# --- Many at once -------------------------------------------------------------------------


def batches(folder: Path, count: int, rounds: int) -> None:
    lines = folder / "events.ndjson"
    with lines.open("w") as file:
        file.writelines(json.dumps(event) + "\n" for event in story.events(count))
    times: dict[str, list[float]] = {}
    for number in range(rounds):
        ours = folder / f"ours-{number}.db"
        sides: dict[str, Callable[[], float]] = {
            "alone": partial(append_alone, folder / f"alone-{number}.db", lines),
            "append": partial(append, ours, lines),
            "floor": partial(floor, ours, folder / "floor.db"),
            "change": partial(change, ours, count),
            "rebuild": partial(rebuild, ours),
        }
        if count <= LARGEST_FOR_OTHERS and importlib.util.find_spec("eventsourcing"):
            sides["others"] = partial(beside, folder, lines)
        for name, side in sides.items():
            times.setdefault(name, []).append(side())
        for path in folder.glob("*.db*"):
            path.unlink()
    median = {name: statistics.median(taken) for name, taken in times.items()}
    speed = {name: count / taken for name, taken in median.items()}
    of = f"{count:,} events"
    line(f"batch append, {of} / floor", speed["append"], speed["floor"], "/s", "at least 0.50")
    line(f"batch append, {of} / one process", speed["append"], speed["alone"], "/s")
    if "others" in speed:
        what = f"batch append, {of} / eventsourcing"
        line(what, speed["append"], speed["others"], "/s", "at least 2.50")
    whole = median["alone"] + median["change"]
    line(f"rebuild / append by one process, {of}", median["rebuild"], whole, "s", "at most 0.35")
    line(f"memory of `timeline append`, {of}", peak(folder, lines), 200, "MB", "below 1.00")


def append(path: Path, lines: Path) -> float:
    """Return the seconds that `timeline append --nl` needs to record the events of a file."""
    Timeline.create(path, title="A made-up story").close()
    with Timeline.open(path) as timeline, lines.open("rb") as file, timed() as seconds:  # noqa: SIM117
        with timeline.append() as appending:
            events = (strict_json.parse_json(each.decode()) for each in file)
            for _ in appending.record_each(events):
                pass
    return seconds[0]


def append_alone(path: Path, lines: Path) -> float:
    """Return the seconds that `append` needs without a second process."""
    is_possible = helper_process.is_possible
    helper_process.is_possible = lambda: False
    try:
        return append(path, lines)
    finally:
        helper_process.is_possible = is_possible


def change(path: Path, count: int) -> float:
    """Return the seconds to change 15 % of the events: half are updated, half corrected."""
    chosen = random.Random(2).sample(range(count), count * 15 // 100)  # noqa: S311
    with Timeline.open(path) as timeline, timed() as seconds:  # noqa: SIM117
        with timeline.append() as appending:
            for number in chosen:
                change = appending.correct if number % 2 else appending.update
                figure = {"measure": "injured", "value": number % 90 + 1}
                change(f"e-{number:08d}", {"quantities.-": figure}, Said(reason="a later count"))
    return seconds[0]


def floor(path: Path, target: Path) -> float:
    """Return the seconds to insert the rows of a file into empty tables, table by table."""
    seconds = 0.0
    with (
        contextlib.closing(bare(target)) as bottom,
        contextlib.closing(storage.connect(path)) as top,
    ):
        bottom.execute("BEGIN IMMEDIATE")
        empty(bottom)
        for table in TABLES:
            found = rows(top, table)
            while chunk := [*itertools.islice(found, CHUNK)]:
                with timed() as taken:
                    bottom.executemany(insert(table, len(chunk[0])), chunk)
                seconds += taken[0]
        with timed() as taken:
            bottom.execute("COMMIT")
    return seconds + taken[0]


def rebuild(path: Path) -> float:
    with contextlib.closing(storage.connect(path, write=True)) as connection, timed() as seconds:
        tables.rebuild(connection)
    return seconds[0]


def beside(folder: Path, lines: Path) -> float:
    """Return the seconds that `eventsourcing` and sqlite-utils need for the same events."""
    import others

    kept = folder / "others.db"
    with contextlib.closing(bare(kept)) as connection:
        empty(connection)
    with timed() as seconds:
        others.keep(lines, folder / "others-log.db", kept)
    return seconds[0]


def peak(folder: Path, lines: Path) -> float:
    """Return the peak memory of the process of an append, in megabytes."""
    path = folder / "peak.db"
    Timeline.create(path, title="A made-up story").close()
    command = ["-d", str(path), "append", "--nl", str(lines)]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    return int(done.stderr.splitlines()[-1 if done.stderr.split()[-1].isdigit() else 0]) / 1024


# --- One at a time ------------------------------------------------------------------------


def single(folder: Path) -> None:
    """Time appends of one event into a file of 10,000 events, ours and plain SQLite in turn."""
    ours, theirs = folder / "ours.db", folder / "theirs.db"
    story.build(ours, 10_000)
    shutil.copy(ours, theirs)
    events = [
        {**event, "event_id": f"single-{number}"}
        for number, event in enumerate(story.events(SINGLE_APPENDS, seed=3))
    ]
    times: list[list[float]] = [[], []]
    with (
        Timeline.open(ours) as timeline,
        contextlib.closing(storage.connect(ours)) as reader,
        contextlib.closing(bare(theirs)) as bottom,
    ):
        for event in events:
            before = last(reader)
            with timed() as taken:
                timeline.record(event)
            times[0].append(taken[0])
            rows = [*added(reader, before, event["event_id"])]
            with timed() as taken:
                bottom.execute("BEGIN IMMEDIATE")
                for table, row in rows:
                    bottom.execute(insert(table, len(row)), row)
                bottom.execute("COMMIT")
            times[1].append(taken[0])
    mine, floor = (1 / statistics.median(each) for each in times)
    line("one durable append / plain sqlite3", mine, floor, "/s", "at least 0.60")


def last(reader: sqlite3.Connection) -> tuple[int, int, int]:
    return tuple(  # type: ignore[return-value]
        reader.execute(f"SELECT max({column}) FROM {table}").fetchone()[0]  # noqa: S608
        for table, column in (("log", "seq"), ("tree_hashes", "position"), ("actors", "rowid"))
    )


def added(
    reader: sqlite3.Connection, before: tuple[int, int, int], event_id: str
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the rows that an append of one event added, each with its table."""
    seq, position, actor = before
    for table, condition, value in (
        ("log", "seq > ?", seq),
        ("tree_hashes", "position > ?", position),
        ("sources", "source_key > ?", seq),
        ("actors", "rowid > ?", actor),
        ("events", "event_id = ?", event_id),
        *((name, "event_id = ?", event_id) for name in ("event_actors", *fold.CHILD_TABLES)),
        ("event_versions", "event_id = ?", event_id),
        ("event_search", "e.event_id = ?", event_id),
    ):
        for row in rows(reader, table, condition, (value,)):
            yield table, row


# --- Parts --------------------------------------------------------------------------------


def bare(path: Path) -> sqlite3.Connection:
    """Connect to a timeline and drop its triggers; make the file if there is none."""
    if not path.exists():
        Timeline.create(path, title="A made-up story").close()
    connection = storage.connect(path, write=True)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    return connection


SEARCH = "event_search (rowid, title, summary, quotes, actors, places)"
SEARCHED = (
    "SELECT e.event_key, e.actors, l.payload FROM events AS e"
    " JOIN event_versions AS v ON v.event_id = e.event_id AND v.version = e.version"
    " JOIN log AS l ON l.seq = v.content_seq"
)


def empty(connection: sqlite3.Connection) -> None:
    """Delete the rows of a new file; its search index has none."""
    for table in TABLES:
        if table != "event_search":
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours


def rows(
    reader: sqlite3.Connection, table: str, condition: str = "1", values: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table; those of the search index have no texts, so they are made."""
    if table != "event_search":
        yield from reader.execute(f"SELECT * FROM {table} WHERE {condition}", values)  # noqa: S608
        return
    for key, actors, payload in reader.execute(f"{SEARCHED} WHERE {condition}", values):
        yield key, *fold.search_row(codec.decode_content(payload) or {}, actors)


def insert(table: str, width: int) -> str:
    into = SEARCH if table == "event_search" else table
    return f"INSERT INTO {into} VALUES ({', '.join('?' * width)})"  # noqa: S608


@contextlib.contextmanager
def timed() -> Iterator[list[float]]:
    """Time a block: the list that is yielded has the seconds when the block has ended."""
    seconds: list[float] = []
    started = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - started)


if __name__ == "__main__":
    main()
