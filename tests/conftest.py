"""What tests share: a timeline in a temporary folder, on a clock that ticks."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import template_cache
from datasette.plugins import pm
from hypothesis import settings
from ticking_clock import TickingClock
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from timeline import Timeline, demo

# In CI the same examples every time: what is new is found where it can be looked at.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


pm.register(template_cache, name="template_cache")

# A job in the background ignores Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


class _ByModule(LoadFileScheduling):
    """Gives a process whole modules, whose fixtures it makes once, and one process the cluster.

    The tests of the cluster share three servers. They wait for them most of the time, while
    another process runs the rest.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "tests/cluster" if nodeid.startswith("tests/cluster/") else nodeid.split("::")[0]


_FIRST = ("cluster", "whole", "site", "publish", "cli")
"""The rooms whose modules take longest. They begin first, so that no process ends long after the
others: 632 s, as 130 s went by with the last tenth."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest rooms begin first."""
    tests = Path(__file__).parent
    rank = {room: number for number, room in enumerate(_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(tests).parts[0], len(rank)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Choose who runs what under `--dist loadfile`."""
    return _ByModule(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted under faults, also when all is well."""
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    tampered: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if getattr(report, "when", None) == "call":
            for name, value in report.user_properties:
                if name == "counted":
                    what, numbers = value
                    totals[what].update(numbers)
                if name == "tampered":
                    what, numbers = value
                    tampered[what].update(numbers)
                if name == "told":
                    terminalreporter.write_line(str(value))
    for what, total in totals.items():
        terminalreporter.write_line(
            f"{total['faults']:,} {what}: {total['acknowledged']:,} entries acknowledged,"
            f" {total['lost']:,} lost, {total['half']:,} half batches,"
            f" {total['findings']:,} findings of verify"
        )
    for what, total in tampered.items():
        terminalreporter.write_line(
            f"{sum(total.values()):,} {what}: {total['found']:,} found, {total['harmless']:,}"
            f" harmless, {total['named']:,} named as not checked, {total['unnoticed']:,} unnoticed"
        )


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, to be read and copied: all tests of a run share it."""
    path = tmp_path_factory.mktemp("story") / "story.db"
    demo.build(path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "timeline.db"


@pytest.fixture
def timeline(path: Path, clock: TickingClock) -> Iterator[Timeline]:
    with Timeline.create(path, title="A story", origin="example.org/story", now=clock) as opened:
        yield opened
