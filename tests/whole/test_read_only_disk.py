"""A timeline on a read-only disk, or in a snapshot: read by all, served, written by nobody."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from folders import contents
from read_only import closed, read_only
from running import PROGRAM, done, environment, one_line
from serving import serving

from timeline.proof import verify
from timeline.store import storage

NOTE = "Note: story.db is on a read-only disk: it is read as it is, without locks"


@pytest.fixture
def path(story: Path, tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    path = Path(shutil.copy(story, tmp_path / "disk" / "story.db"))
    assert path.read_bytes()[18:20] == b"\2\2", "with a write-ahead log"
    return path


def there(path: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """What a command does with a file that is on a read-only disk."""
    return run((*read_only(path.parent), *PROGRAM, "-d", str(path), *map(str, command)))


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


READING = (
    *("list", "show sumy-strike", "history sumy-strike", "diff sumy-strike", "changes --from #1"),
    *("search Sumy", "facets", "log", "actor list", "actor suggest", "list --as-of #20"),
    *("export csv", "export jsonl", "export json", "prove sumy-strike", "coverage odesa-briefing"),
)


@pytest.mark.parametrize("command", READING)
def test_every_command_that_reads_says_the_same_with_a_note(path: Path, command: str) -> None:
    expected = done("-d", path, *command.split())
    for left in storage.beside(path):
        left.unlink(missing_ok=True)
    before = contents(path.parent)
    result = there(path, *command.split())
    assert result.returncode == 0, result.stderr
    assert result.stdout == expected
    assert NOTE in " ".join(result.stderr.split())
    assert contents(path.parent) == before


def test_it_is_verified_and_examined(path: Path) -> None:
    result = there(path, "verify", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["holds"]
    assert any("on a read-only disk" in sentence for sentence in report["unnoticed"])
    doctor = there(path, "doctor", "--json")
    rows = json.loads(doctor.stdout)
    assert ["note", "file", NOTE.removeprefix("Note: ")] in [[*row.values()] for row in rows]
    assert not [row for row in rows if row["finding"] == "problem"]


@pytest.mark.parametrize(
    "command",
    [
        "append --title T --occurred 2025",
        "retract sumy-strike --reason r",
        "rebuild",
        "migrate",
        "erase sumy-strike@1 --reason r",
    ],
)
def test_a_command_that_writes_says_in_one_line_that_it_cannot(path: Path, command: str) -> None:
    before = contents(path.parent)
    problem = one_line(there(path, *command.split()))
    assert problem == f"{path}: is on a read-only disk; nothing was written"
    assert contents(path.parent) == before


WRITES = """
import os, signal, sys
from timeline import Timeline
timeline = Timeline.open(sys.argv[1])
timeline.record({"event_id": "in-the-wal", "title": "T", "occurred": "2025"})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("command", ["list", "verify", "export csv", "serve --port 1"])
def test_with_a_write_ahead_log_it_says_what_to_do(
    path: Path, tmp_path: Path, command: str
) -> None:
    ended = subprocess.run([sys.executable, "-c", WRITES, path], env=environment(), check=False)
    assert ended.returncode == -signal.SIGKILL
    path.with_name("story.db-shm").unlink()
    before = contents(path.parent)
    assert one_line(there(path, *command.split())) == (
        f"{path}: is on a read-only disk, and its newest entries are in story.db-wal: copy both"
        " files into a folder that you can write in, and open the copy"
    )
    assert contents(path.parent) == before
    for name in ("story.db", "story.db-wal"):  # as it says
        shutil.copy(path.with_name(name), tmp_path)
    assert "in-the-wal" in done("-d", tmp_path / "story.db", "list")


def test_an_empty_write_ahead_log_is_none(path: Path) -> None:
    path.with_name("story.db-wal").touch()
    result = there(path, "list")
    assert result.returncode == 0
    assert NOTE in " ".join(result.stderr.split())


def test_a_published_copy_needs_no_note(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    result = there(path, "list")
    assert (result.returncode, result.stderr) == (0, "")


def test_it_is_served_with_a_note(path: Path, tmp_path: Path) -> None:
    before = read_only(path.parent)
    command = ("timeline", "-d", path, "serve")
    with serving(*command, cwd=tmp_path, before=before) as address:
        with urlopen(f"{address}/events.json") as answer:  # noqa: S310
            assert json.loads(answer.read())["events"]
        with urlopen(f"{address}/story/events.json?_shape=array") as answer:  # noqa: S310
            assert json.loads(answer.read())
        assert NOTE in (tmp_path / "server.log").read_text()


def test_a_backup_on_a_read_only_disk_is_restored(path: Path, tmp_path: Path) -> None:
    target = Path(shutil.copy(path, tmp_path / "story.db"))
    done("-d", target, "append", "--title", "T", "--occurred", "2025")
    ended = run((*read_only(path.parent), *PROGRAM, "-d", str(target), "restore", str(path)))
    assert ended.returncode == 0, ended.stderr
    assert "Only the old file has 1 entry" in ended.stdout
    assert verify.verify(target).root == verify.verify(path).root


def test_a_file_in_a_snapshot_is_read_with_a_note(path: Path) -> None:
    expected = done("-d", path, "list")
    for left in storage.beside(path):
        left.unlink(missing_ok=True)
    ended = run((*closed(path.parent), *PROGRAM, "-d", str(path), "list"))
    assert ended.stdout == expected
    assert NOTE in " ".join(ended.stderr.split())
