"""A dry run of a command that changes the file itself: all is said, and no byte is written."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from running import done, run

from timeline import Timeline


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a timeline of two events, a backup of its first event, and a key."""
    path = tmp_path / "timeline.db"
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        timeline.record({"title": "First", "occurred": "2025-04-15"})
    shutil.copyfile(path, tmp_path / "backup.db")
    with Timeline.open(path) as timeline:
        timeline.record({"event_id": "second", "title": "Second", "occurred": "2025-04-16"})
    done("-d", path, "keygen", tmp_path / "story.key")
    return tmp_path


def held(folder: Path) -> dict[str, str]:
    """The hash of each file, but for those in which SQLite keeps its locks."""
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.iterdir()
        if not each.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rebuild",), "Would rebuild the tables"),
        (("migrate",), "there is nothing to do"),
        (("checkpoint", "--key", "story.key"), "example.org/story\n3\n"),
        (("restore", "backup.db"), "second"),
    ],
)
def test_it_says_all_and_writes_nothing(
    files: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(files)
    before = held(files)
    ended = run("-d", "timeline.db", *arguments, "--dry-run")
    assert ended.exit_code == 0, ended.output
    assert said in ended.stdout
    assert "Nothing was written" in ended.stderr
    assert held(files) == before
    assert done("-d", "timeline.db", "checkpoint", "--key", "story.key").count("\n") == 5


def test_a_backup_for_a_damaged_file_is_tried_too(files: Path) -> None:
    damaged = files / "timeline.db"
    damaged.write_bytes(b"rubbish")
    ended = run("-d", damaged, "restore", files / "backup.db", "--dry-run")
    assert ended.exit_code == 0, ended.output
    assert "Would restore" in ended.stdout
    assert damaged.read_bytes() == b"rubbish"
