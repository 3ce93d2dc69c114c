"""Stories told while something fails, and what must be left of them.

A story is a sequence of appends, endless if need be. Who tells it is a process of its own: it
writes down each append when it has returned, which is what "acknowledged" means. Each append
gives an author of its own, which says how many entries it makes; so a half batch shows.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from timeline import Receipt, Timeline
from timeline.proof.checks.report import Finding
from timeline.proof.verify import verify
from timeline.store import codec, log, storage

_MAX_SECONDS = 120
"""No process of a test lives longer, whatever becomes of the test."""

_processes = multiprocessing.get_context("forkserver")


class Step(NamedTuple):
    """One append: a method of `Timeline`, and how many entries it makes.

    Told twice it adds nothing: what it records has ids, what it changes an entry id.
    """

    method: str
    arguments: tuple[Any, ...]
    words: dict[str, str]
    entries: int

    def tell(self, timeline: Timeline) -> list[Receipt]:
        receipts = getattr(timeline, self.method)(*self.arguments, **self.words)
        return receipts if isinstance(receipts, list) else [receipts]


def steps(writer: str) -> Iterator[Step]:
    """What one writer appends, without end: of each kind of append one, again and again."""
    for number in itertools.count():
        event = f"{writer}-{number}"

        def step(
            name: str, entries: int, *arguments: Any, event: str = event, **words: str
        ) -> Step:
            words["author"] = f"{event}-{name}/{entries}"
            return Step(name, arguments, words, entries)

        yield step("record", 2, _statement(event), entry_id=f"{event}-record")
        yield step("record", 8, [_statement(f"{event}-{part}") for part in "abcd"])
        yield step("update", 1, event, {"tags.-": "later"}, entry_id=f"{event}-update")
        yield step("correct", 1, event, {"title": "T"}, reason="Why", entry_id=f"{event}-correct")
        yield step("retract", 1, event, reason="Why", entry_id=f"{event}-retract")


def _statement(event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "title": f"What happened at {event_id}",
        "occurred": "2025-04-15",
        "summary": f"{event_id} " * 40,
        "tags": ["war", event_id[:3]],
        "participants": [{"name": "Volodymyr Zelenskyy"}, {"name": f"Somebody of {event_id}"}],
        "quantities": [{"measure": "killed", "value": 35, "reported_by": "police"}],
        "citations": [{"source": {"url": f"https://example.org/{event_id}"}}],
    }


# --- Who tells them ---------------------------------------------------------------------------


def start_forking() -> None:
    """Start the process that the others are forked from, with all of this imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(Path(__file__).parent), *sys.path)))
        _processes.set_forkserver_preload(
            [
                "pytest",
                "faults",
                "sqlite_utils",
                "timeline.api",
                "timeline.cli.commands.verify",
                "timeline.cli.commands.erase",
            ]
        )
        forkserver.ensure_running()


def fork(work: Callable[..., None], *arguments: object) -> multiprocessing.process.BaseProcess:
    """Run a function of a test module as a process."""
    process = _processes.Process(target=_run, args=(work, *arguments), daemon=True)
    process.start()
    return process


def _run(work: Callable[..., None], *arguments: object) -> None:
    signal.alarm(_MAX_SECONDS)
    work(*arguments)


class Notebook:
    """Where a process writes down what it knows, a line at a time; it outlives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, **said: object) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")

    def acknowledge(self, path: Path, recorded_at: str, entries: int) -> None:
        """Write down the entries of an append that has returned, byte for byte."""
        with contextlib.closing(storage.connect(path)) as connection:
            last = log.position_at(connection, recorded_at)
            found = itertools.islice(log.read(connection, after=last - entries), entries)
            self.write(acknowledged=[codec.to_wire(entry) for entry in found])

    def read(self, what: str) -> list[Any]:
        """What was written under one name; a last line that was cut off was not written."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        said = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line[what] for line in said if what in line]


# --- What is left of them ---------------------------------------------------------------------


@dataclass(frozen=True)
class Remains:
    """What a file holds after a fault, held against what was acknowledged."""

    acknowledged: int
    """Entries."""
    lost: list[str]
    half: list[str]
    """The appends of which some entries are there, and some are not."""
    findings: list[Finding]

    @property
    def counted(self) -> Counter[str]:
        return Counter(
            {
                "acknowledged": self.acknowledged,
                "lost": len(self.lost),
                "half": len(self.half),
                "findings": len(self.findings),
            }
        )

    @property
    def whole(self) -> bool:
        return not (self.lost or self.half or self.findings)


def remains(path: Path, notebooks: Iterable[Notebook]) -> Remains:
    """Open a file that nobody has open any more, which recovers it, and look it over."""
    with contextlib.closing(storage.connect(path)) as connection:
        entries = [*log.read(connection)]
    acknowledged = [
        entry for book in notebooks for append in book.read("acknowledged") for entry in append
    ]
    there = Counter((entry.recorded_at, _author(entry)) for entry in entries[1:])
    return Remains(
        len(acknowledged),
        [*set(acknowledged).difference(map(codec.to_wire, entries))],
        [
            f"{count} of {author}"
            for (_, author), count in there.items()
            if count != int(author.rpartition("/")[2])
        ],
        [*verify(path).findings],
    )


def _author(entry: codec.Entry) -> str:
    assert entry.payload is not None
    return str(codec.decode_payload(entry.payload).get("author", "/1"))
