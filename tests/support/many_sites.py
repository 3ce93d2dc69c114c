"""Sites of one log that write and follow as processes of their own, while servers and they die.

Each writer writes down in a notebook what it is about to say, and each receipt when it has it: that
is what "acknowledged" means. At the end the log of every site is held against the notebooks.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from faults import Notebook, fork
from nats_servers import Servers
from running import PROGRAM, environment

from timeline import Timeline
from timeline.cluster import membership
from timeline.cluster.address import ClusterAddress
from timeline.errors import Busy, InDoubt, TimelineError, Unreachable
from timeline.proof import verify
from timeline.store import codec, log, storage

WRITERS, FOLLOWERS = 3, 2
_DEADLINE = 120.0
"""The most seconds to wait for what has to happen."""
_LONGEST = 1800
"""The most seconds that a writer lives, whatever becomes of the test."""


class Outcome(NamedTuple):
    """What is left of a story: entries, and errors that a writer was shown."""

    acknowledged: int
    lost: list[str]
    twice: list[str]
    unsaid: list[str]
    """What nobody said, and what was said in part."""
    errors: Counter[str]
    longest: float
    """The longest time of one append, with its repetitions, in seconds."""
    roots: set[tuple[int, bytes]]
    findings: list[Any]

    @property
    def counted(self) -> dict[str, object]:
        lists = {name: len(getattr(self, name)) for name in ("lost", "twice", "unsaid", "findings")}
        return {
            "acknowledged": self.acknowledged,
            **lists,
            "longest": round(self.longest, 1),
            **self.errors,
        }

    @property
    def whole(self) -> bool:
        return len(self.roots) == 1 and not (
            self.lost or self.twice or self.unsaid or self.findings
        )


# --- One writer -------------------------------------------------------------------------------


def append_until_told(path: Path, book: Notebook, writer: str) -> None:
    """Append again and again, until there is a file `stop`; begin with what was left unfinished.

    An append that cannot be kept is repeated as a person would: the same words once more. Writer 0
    gives no ids, but for that.
    """
    signal.alarm(_LONGEST)
    said, kept = book.read("said"), book.read("kept")
    first = len(kept)
    with Timeline.open(path) as timeline:
        for number in itertools.count(first):
            if path.with_suffix(".stop").exists() and number >= len(said):
                return
            titles = titles_of(writer, number)
            if number >= len(said):
                book.write(said=titles)
            since = time.monotonic()
            while True:
                tried = time.monotonic()
                try:
                    receipts = timeline.record([statement(title) for title in titles])
                    break
                except (InDoubt, Busy, Unreachable) as error:
                    took = time.monotonic() - tried
                    book.write(error=[type(error).__name__, str(error), took])
                except TimelineError as error:
                    book.write(error=[type(error).__name__, str(error), 0])
                    raise
            book.write(
                kept=[
                    [title, receipt.seq, receipt.entry_id, receipt.recorded_at, receipt.subject]
                    for title, receipt in zip(titles, receipts, strict=True)
                ],
                unchanged=receipts[0].unchanged,
                took=time.monotonic() - since,
            )


def titles_of(writer: str, number: int) -> list[str]:
    """Make the titles of an append: each fourth one is of three events."""
    return [f"{writer} {number} {part}" for part in range(3 if number % 4 == 3 else 1)]


def statement(title: str) -> dict[str, str]:
    said = {"title": title, "occurred": "2025-04-15", "summary": f"{title} " * 20}
    if not title.startswith("writer0"):
        said["event_id"] = title.replace(" ", "-")
    return said


# --- All of them ------------------------------------------------------------------------------


class Sites:
    """Three writers and two followers of one log, as processes, and the servers under them."""

    def __init__(self, folder: Path, servers: Servers, name: str) -> None:
        self.servers = servers
        self.address = ClusterAddress.parse(servers.address(name))
        names = [f"writer{number}" for number in range(WRITERS)]
        names += [f"follower{number}" for number in range(FOLLOWERS)]
        self.paths = [folder / f"{each}.db" for each in names]
        Timeline.create(self.paths[0], title="Story").close()
        membership.init(self.address, str(self.paths[0]), names[0])
        for path, each in zip(self.paths[1:], names[1:], strict=True):
            membership.join(self.address, str(path), each)
        self.books = [Notebook(path.with_suffix(".said")) for path in self.paths[:WRITERS]]
        self._writers: dict[int, BaseProcess] = {}
        self._followers: dict[int, subprocess.Popen[str]] = {}

    def start(self) -> None:
        """Start all processes."""
        for number in range(WRITERS):
            self._start_writer(number)
        for number in range(FOLLOWERS):
            self._start_follower(number)

    def close(self) -> None:
        """End what still runs."""
        for writer in self._writers.values():
            writer.kill()
            writer.join()
        for follower in self._followers.values():
            follower.kill()
            follower.communicate()

    def carry_out(self, plan: Iterable[str]) -> None:
        """Do one thing after the other; each is the name of a method below."""
        for step in plan:
            name, _, argument = step.partition(" ")
            getattr(self, name)(*argument.split())

    def load(self, appends: str = "4") -> None:
        """Wait until each writer has so many receipts more, and each follower has read more."""
        kept = [len(book.read("kept")) for book in self.books]
        sizes = [self._size(path) for path in self.paths]
        for book, before in zip(self.books, kept, strict=True):
            self._wait(lambda b=book, n=before: len(b.read("kept")) >= n + int(appends))
        for path, size in zip(self.paths[WRITERS:], sizes[WRITERS:], strict=True):
            self._wait(lambda p=path, s=size: self._size(p) > s)

    def follower(self, number: str = "0") -> None:
        """Kill a follower that is at work, and start it again."""
        path = self.paths[WRITERS + int(number)]
        size = self._size(path)
        self._wait(lambda: self._size(path) > size)
        process = self._followers.pop(int(number))
        process.kill()
        process.communicate()
        self._start_follower(int(number))

    def writer(self, number: str = "1") -> None:
        """Kill a writer in the middle of an append, and start it again."""
        book = self.books[int(number)]
        self._wait(lambda: len(book.read("said")) > len(book.read("kept")))
        process = self._writers.pop(int(number))
        process.kill()
        process.join()
        self._start_writer(int(number))

    def leader(self) -> None:
        """Kill the server that leads the log."""
        self.servers.kill(self.servers.leader(self.address.stream(1)))

    def another(self) -> None:
        """Kill a server that does not lead the log."""
        leader = self.servers.leader(self.address.stream(1))
        self.servers.kill(next(each for each in self.servers.up() if each != leader))

    def all(self) -> None:
        """Kill all servers at once."""
        self.servers.kill(*self.servers.up())

    def restart(self) -> None:
        """Start the servers that were killed, and wait until they are in step."""
        self.servers.all_up()

    def stall(self) -> None:
        """Wait until each writer was shown an error, and counts the time of that."""
        for book in self.books:
            before = len(book.read("error"))
            self._wait(lambda b=book, n=before: len(b.read("error")) > n)

    def outcome(self) -> Outcome:
        """End the story: the writers finish their last append, the followers read all."""
        for path in self.paths[:WRITERS]:
            path.with_suffix(".stop").touch()
        for writer in self._writers.values():
            writer.join(_DEADLINE)
            assert writer.exitcode == 0, [book.read("error") for book in self.books]
        self._writers.clear()
        for path in self.paths[:WRITERS]:
            with Timeline.open(path) as timeline:
                timeline.catch_up()
        size = self._size(self.paths[0])
        for path in self.paths[WRITERS:]:
            self._wait(lambda p=path: self._size(p) >= size)
        for follower in self._followers.values():
            follower.send_signal(signal.SIGTERM)
            assert follower.wait(_DEADLINE) == 0
        with contextlib.closing(storage.connect(self.paths[0])) as connection:
            entries = [*log.read(connection)]
        return held(entries, self.books, self.paths)

    def _start_writer(self, number: int) -> None:
        writer = f"writer{number}"
        arguments = self.paths[number], self.books[number], writer
        self._writers[number] = fork(append_until_told, *arguments)

    def _start_follower(self, number: int) -> None:
        path = self.paths[WRITERS + number]
        with path.with_suffix(".said").open("a", encoding="utf-8") as said:
            self._followers[number] = subprocess.Popen(
                [*PROGRAM, "-d", str(path), "cluster", "follow"],
                env=environment(),
                cwd=path.parent,
                stderr=said,
                text=True,
            )

    def _size(self, path: Path) -> int:
        with contextlib.closing(storage.connect(path)) as connection:
            return log.size(connection)

    def _wait(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + _DEADLINE
        while not condition():
            for number, process in self._writers.items():
                assert process.is_alive(), self.books[number].read("error")
            for number, follower in self._followers.items():
                said = self.paths[WRITERS + number].with_suffix(".said")
                assert follower.poll() is None, said.read_text(encoding="utf-8")
            assert time.monotonic() < until, [book.read("error") for book in self.books]
            time.sleep(0.02)


def held(entries: list[codec.Entry], books: list[Notebook], paths: list[Path]) -> Outcome:
    """Hold a log against what its writers said and were told."""
    there: dict[str, list[list[object]]] = {}
    for entry in entries[1:]:
        title = codec.decode_payload(entry.payload or "{}")["title"]
        told = [title, entry.seq, entry.id, entry.recorded_at, entry.subject]
        there.setdefault(str(title), []).append(told)
    kept = [told for book in books for append in book.read("kept") for told in append]
    said = [append for book in books for append in book.read("said")]
    roots = set()
    for path in paths:
        with contextlib.closing(storage.connect(path)) as connection:
            size = log.size(connection)
            roots.add((size, log.root_at(connection, size)))
    return Outcome(
        len(kept),
        [str(told) for told in kept if told not in there.get(told[0], [])],
        [title for title, found in there.items() if len(found) > 1],
        [
            *there.keys() - {title for append in said for title in append},
            *(str(append) for append in said if 0 < len(there.keys() & {*append}) < len(append)),
        ],
        Counter(error[0] for book in books for error in book.read("error")),
        max(took for book in books for took in book.read("took")),
        roots,
        [finding for path in paths for finding in verify.verify(path).findings],
    )
