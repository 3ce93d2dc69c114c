"""`make cluster-demo`: it shows two nodes that agree, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import CHECKOUT, environment

pytestmark = pytest.mark.cluster

DEMO = CHECKOUT / "tests" / "support" / "cluster_demo.py"


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, DEMO],
        env={**environment(), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def left_behind(folder: Path) -> list[str]:
    """Files in a folder, and processes that were started with one of its files."""
    processes = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended
            continue
        if any(str(folder) in word for word in words):
            processes.append(" ".join(words))
    return [*map(str, folder.iterdir()), *processes]


def test_the_demonstration_loses_a_server_and_ends_with_equal_roots(tmp_path: Path) -> None:
    demo = start(tmp_path)
    printed, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, printed
    assert max(map(len, printed.split("\n"))) <= 80, printed
    roots = re.findall(r"^  \w+ +5 entries  (\S+)$", printed, re.MULTILINE)
    assert len(roots) == 2, printed
    assert len(set(roots)) == 1
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_demonstration_that_is_ended_early_leaves_nothing(
    end: signal.Signals, tmp_path: Path
) -> None:
    demo = start(tmp_path)
    assert demo.stdout
    for line in demo.stdout:
        if "moves into the cluster" in line:
            break
    demo.send_signal(end)
    printed, _ = demo.communicate(timeout=60)
    assert "Ended early" in printed
    assert demo.returncode == 1
    assert left_behind(tmp_path) == []
