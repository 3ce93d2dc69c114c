"""Many at once: writers that wait for each other, readers that wait for nobody."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import PROGRAM, done, entries, environment
from tables import derived

from timeline import Timeline

Start = Callable[..., "subprocess.Popen[str]"]

WRITERS, EVENTS = 8, 200
MAX_SECONDS = 300

WRITER = """
import sys
from timeline import Timeline
path, number, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Timeline.open(path) as timeline:
    for event in range(count):
        timeline.record(
            {
                "event_id": f"event-{number}-{event}",
                "title": f"Event {event} of writer {number}",
                "occurred": "2025-04-15",
                "participants": [{"name": f"Actor {event % 7}"}],
            }
        )
"""

READER = """
import contextlib, sqlite3, sys
from timeline import Timeline
print("ready", flush=True)
sys.stdin.readline()
reads, newest = 0, -1
with Timeline.open(sys.argv[1]) as timeline, contextlib.closing(
    sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
) as connection:
    while newest + 1 < int(sys.argv[2]):
        connection.execute("BEGIN")
        ((count, newest),) = connection.execute("SELECT count(*), max(seq) FROM log").fetchall()
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("events", "event_versions", "event_actors", "event_search")
        ]
        connection.execute("COMMIT")
        assert count == newest + 1, "the log has a hole"
        assert counts == [newest] * 4, f"the log is at {newest}, its tables at {counts}"
        assert len(timeline.list(limit=5)) <= 5
        timeline.facets(actor="Actor 1")
        reads += 1
print(reads)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process in the folder of the timeline; none outlives its test."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: object) -> subprocess.Popen[str]:
        running = subprocess.Popen(
            [*map(str, command)],
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(running)
        return running

    yield run
    for running in started:
        running.kill()
        running.communicate()


def tell(running: subprocess.Popen[str], words: str) -> None:
    assert running.stdin is not None
    running.stdin.write(words)
    running.stdin.flush()


def wait_until_ready(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"


def ended(running: subprocess.Popen[str]) -> str:
    """What a process printed that must end well, and in time."""
    out, err = running.communicate(timeout=MAX_SECONDS)
    assert (running.returncode, err) == (0, "")
    return out


@pytest.fixture
def shared(timeline: Timeline) -> Iterator[Path]:
    timeline.close()
    yield timeline.path
    before = derived(timeline.path)
    log = entries(timeline.path)
    done("-d", timeline.path, "rebuild")
    assert derived(timeline.path) == before
    assert entries(timeline.path) == log


def check_log(path: Path, count: int) -> None:
    """The log is dense, each append later than the one before, and lacks nothing."""
    log = entries(path)
    assert [entry[0] for entry in log] == [*range(count + 1)]
    recorded = [entry[5] for entry in log]
    assert recorded == sorted(set(recorded))
    assert len({entry[1] for entry in log}) == count + 1


def test_eight_processes_append_1600_events_while_others_read(shared: Path, start: Start) -> None:
    python = (sys.executable, "-c")
    writers = [start(*python, WRITER, shared, number, EVENTS) for number in range(WRITERS)]
    readers = [start(*python, READER, shared, WRITERS * EVENTS + 1) for _ in range(2)]
    for running in (*readers, *writers):
        wait_until_ready(running)
    began = time.monotonic()
    for running in (*readers, *writers):
        tell(running, "go\n")
    for running in writers:
        ended(running)
    seconds = time.monotonic() - began
    assert seconds < MAX_SECONDS, f"{1000 * seconds / WRITERS / EVENTS:.1f} ms an append"
    assert all(int(ended(running)) > 1 for running in readers)
    check_log(shared, WRITERS * EVENTS)
    subjects = {entry[3] for entry in entries(shared)[1:]}
    assert subjects == {
        f"event/event-{number}-{event}" for number in range(WRITERS) for event in range(EVENTS)
    }
    with Timeline.open(shared) as timeline:
        assert len(timeline.list(actor="Actor 3")) == WRITERS * len(range(3, EVENTS, 7))


def test_eight_shells_append_at_once(shared: Path, start: Start) -> None:
    command = [*PROGRAM, "-d", shared, "append", "--occurred", "2025", "--title"]
    script = 'for event in 1 2 3; do "$@" "Event $event of $$" || exit; done'
    shells = [start("sh", "-c", script, "sh", *command) for _ in range(WRITERS)]
    receipts = [line for shell in shells for line in ended(shell).splitlines()]
    assert len(receipts) == len(set(receipts)) == WRITERS * 3
    check_log(shared, WRITERS * 3)


def test_of_two_who_say_the_same_one_records_it_and_one_finds_it(
    shared: Path, start: Start
) -> None:
    lines = "".join(
        json.dumps({"event_id": f"event-{number}", "title": "T", "occurred": "2025"}) + "\n"
        for number in range(300)
    )
    both = [start(*PROGRAM, "-d", shared, "append", "--nl", "-", "--json") for _ in range(2)]
    for running in both:
        tell(running, lines)
    found = [{receipt["unchanged"] for receipt in json.loads(ended(running))} for running in both]
    assert sorted(found, key=repr) == [{False}, {True}]
    log = entries(shared)
    assert len(log) == 301
    assert len({entry[5] for entry in log}) == 2
