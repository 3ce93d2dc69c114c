"""A backup that is put back: checked, whole, alone, and nothing of the old file is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from folders import contents
from running import PROGRAM, done, environment, one_line, run

from timeline.proof import verify
from timeline.store import schema


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A timeline of two events, with a backup of it in another folder, and an event more."""
    path = tmp_path / "story" / "story.db"
    path.parent.mkdir()
    done("-d", path, "init", "--title", "A story")
    for event_id in ("first", "second"):
        record(path, event_id)
    saved(path)
    record(path, "third")
    return path


def record(path: Path, event_id: str) -> None:
    done("-d", path, "append", "--id", event_id, "--title", f"The {event_id}", "--occurred", "2025")


def saved(path: Path) -> None:
    backup_of(path).parent.mkdir(exist_ok=True)
    shutil.copy(path, backup_of(path))


def backup_of(path: Path) -> Path:
    return path.parents[1] / "backups" / "story.db"


def kept(path: Path) -> Path:
    return path.with_name("story.before-restore.db")


def restored(path: Path) -> str:
    return " ".join(done("-d", path, "restore", backup_of(path)).split())


def root(path: Path) -> bytes:
    report = verify.verify(path)
    assert report.findings == []
    return report.root


def names(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir()}


# --- What is restored -------------------------------------------------------------------------


def test_the_backup_takes_the_place_of_the_file_which_is_kept(path: Path) -> None:
    old, new = root(path), root(backup_of(path))
    before = backup_of(path).read_bytes()
    printed = restored(path)
    assert root(path) == new
    assert root(kept(path)) == old
    assert names(path) == {"story.db", "story.before-restore.db"}
    assert backup_of(path).read_bytes() == before
    said = "".join(printed.split())  # long paths are folded
    assert f"Restored{path}from{backup_of(path)}:3entries,verified." in said
    assert f"Thefileasitwasbefore:{kept(path)}" in said
    assert "Only the old file has 1 entry: #3 event.recorded third" in printed
    record(path, "fourth")
    assert root(path) not in (old, new)


def test_the_printed_command_adds_what_the_backup_lacked(path: Path, tmp_path: Path) -> None:
    old = root(path)
    (command,) = (
        line
        for line in done("-d", path, "restore", backup_of(path)).splitlines()
        if "import" in line
    )
    program = tmp_path / "timeline"
    program.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    known = environment()
    env = {**known, "PATH": f"{tmp_path}:{known['PATH']}"}
    subprocess.run(command.strip(), shell=True, env=env, check=True, capture_output=True)
    assert root(path) == old


def test_a_backup_of_the_state_of_now_lacks_nothing(path: Path) -> None:
    saved(path)
    assert "Every entry of the old file is in the backup." in restored(path)


def test_a_second_restore_keeps_the_second_file_too(path: Path) -> None:
    restored(path)
    record(path, "fourth")
    old = root(path)
    restored(path)
    assert root(path.with_name("story.before-restore2.db")) == old
    assert names(path) == {"story.db", "story.before-restore.db", "story.before-restore2.db"}


KILLED = """
import os, signal, sys
from timeline import Timeline
timeline = Timeline.open(sys.argv[1])
timeline.record({"event_id": "in-the-wal", "title": "T", "occurred": "2025"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_in_wal(path: Path) -> None:
    """Append an event in a process that is killed, so that it is in the write-ahead log only."""
    ended = subprocess.run([sys.executable, "-c", KILLED, path], env=environment(), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.with_name(f"{path.name}-wal").stat().st_size
    assert b"in-the-wal" not in path.read_bytes()


def test_what_is_in_the_write_ahead_log_of_the_old_file_is_kept(path: Path) -> None:
    leave_in_wal(path)
    printed = restored(path)
    assert "Only the old file has 2 entries:" in printed
    assert "event.recorded in-the-wal" in printed
    assert names(path) == {"story.db", "story.before-restore.db"}
    assert b"in-the-wal" in kept(path).read_bytes()
    assert b"in-the-wal" not in path.read_bytes()


def test_what_is_in_the_write_ahead_log_of_the_backup_is_restored(path: Path) -> None:
    leave_in_wal(backup_of(path))
    before = backup_of(path).read_bytes()
    assert "4 entries, verified" in restored(path)
    assert "in-the-wal" in done("-d", path, "list")
    assert backup_of(path).read_bytes() == before


def test_a_file_that_is_gone_is_restored_and_what_is_left_of_it_kept(path: Path) -> None:
    leave_in_wal(path)
    path.unlink()
    printed = restored(path)
    assert printed.endswith("3 entries, verified.")
    assert root(path) == root(backup_of(path))
    assert {name for name in names(path) if "-wal" in name} == {"story.before-restore.db-wal"}


def test_permissions_and_owner_stay(path: Path) -> None:
    path.chmod(0o640)
    backup_of(path).chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12346)
    restored(path)
    status = path.stat()
    assert status.st_mode & 0o777 == 0o640
    assert (status.st_uid, status.st_gid) == (kept(path).stat().st_uid, kept(path).stat().st_gid)


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    done("-d", link, "restore", backup_of(path))
    assert link.is_symlink()
    assert root(path) == root(backup_of(path))
    assert kept(path).exists()


def test_words_that_were_erased_meanwhile_are_said_to_be_back(path: Path) -> None:
    done("-d", path, "erase", "first@1", "--reason", "A court said so")
    result = run("-d", path, "restore", backup_of(path))
    assert result.exit_code == 0
    note = " ".join(result.stderr.split())
    assert "erased in the old file, and readable again now: #1; erase it again" in note


def test_a_backup_that_went_on_otherwise_is_said_to_be_another_log(path: Path) -> None:
    record(backup_of(path), "other")
    printed = restored(path)
    assert "Only the old file has 1 entry: #3 event.recorded third" in printed
    assert "it is another log" in printed
    assert "import jsonl" not in printed


def test_a_copy_without_texts_says_how_many_it_lacks(path: Path, tmp_path: Path) -> None:
    (tmp_path / "paper.txt").write_text("The text of a paper.\n")
    done("-d", path, "capture", tmp_path / "paper.txt", "--id", "paper")
    done("-d", path, "publish", backup_of(path).parent)
    result = run("-d", path, "restore", backup_of(path))
    assert result.exit_code == 0
    assert "1 texts of sources are in the old file only" in " ".join(result.stderr.split())


# --- What is refused --------------------------------------------------------------------------


def tampered(backup: Path) -> None:
    with contextlib.closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("UPDATE events SET title = 'Forged'")


def damaged(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:20_000])


def foreign(backup: Path) -> None:
    backup.unlink()
    with contextlib.closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("CREATE TABLE t (a)")


def empty(backup: Path) -> None:
    backup.write_bytes(b"")


def older(backup: Path) -> None:
    with contextlib.closing(sqlite3.connect(backup)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION - 1}")


def unfinished(backup: Path) -> None:
    done("-d", backup, "erase", "first@1", "--reason", "A court said so")
    with contextlib.closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("INSERT INTO scrub_pending SELECT max(seq) FROM log")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (tampered, "does not hold, and was not restored: table events"),
        (damaged, "is damaged"),
        (foreign, "is a database, but not a timeline"),
        (empty, "is empty"),
        (older, "made by an older version: run timeline migrate"),
        (unfinished, "does not hold, and was not restored: scrub pending"),
    ],
)
def test_a_backup_that_does_not_hold_changes_nothing(
    path: Path, change: Callable[[Path], None], problem: str
) -> None:
    leave_in_wal(path)
    change(backup_of(path))
    before = contents(path.parent)
    refused = one_line(run("-d", path, "restore", backup_of(path)))
    assert refused.startswith(f"{backup_of(path)}")
    assert problem in refused
    assert contents(path.parent) == before


def test_the_timeline_itself_is_no_backup(path: Path, tmp_path: Path) -> None:
    before = contents(path.parent)
    assert "is the timeline itself" in one_line(run("-d", path, "restore", path))
    (tmp_path / "link.db").symlink_to(path)
    assert "is the timeline itself" in one_line(run("-d", path, "restore", tmp_path / "link.db"))
    assert contents(path.parent) == before


@pytest.mark.parametrize("is_there", [foreign, older], ids=["foreign", "newer"])
def test_what_this_version_does_not_know_is_not_replaced(
    path: Path, is_there: Callable[[Path], None]
) -> None:
    is_there(path)
    if is_there is older:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    before = contents(path.parent)
    one_line(run("-d", path, "restore", backup_of(path)))
    assert contents(path.parent) == before


def test_a_file_of_an_older_version_is_replaced_and_kept(path: Path) -> None:
    older(path)
    assert "Only the old file has 1 entry" in restored(path)
    assert root(path) == root(backup_of(path))


# --- A file that is damaged -------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["no header", "no pages", "empty"])
def test_a_damaged_file_is_replaced_and_kept_as_it_is(path: Path, damage: str) -> None:
    leave_in_wal(path)
    raw = bytearray(path.read_bytes())
    match damage:
        case "no header":
            raw[:200] = os.urandom(200)
        case "no pages":
            raw[100:] = os.urandom(len(raw) - 100)
            path.with_name("story.db-wal").unlink()
            path.with_name("story.db-shm").unlink()
        case "empty":
            raw.clear()
    path.write_bytes(raw)
    before = contents(path.parent)
    result = run("-d", path, "restore", backup_of(path))
    assert result.exit_code == 0, result.stderr
    assert "the old file cannot be read" in " ".join(result.stderr.split())
    assert root(path) == root(backup_of(path))
    after = contents(path.parent)
    for end in ("", "-wal"):
        assert after.get(f"story.before-restore.db{end}") == before.get(f"story.db{end}")
    assert "story.db-wal" not in after


# --- While others have it open ----------------------------------------------------------------

HOLDS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] != "only opened":
    connection.execute("SELECT count(*) FROM log").fetchone()
if sys.argv[2] == "in a transaction":
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM log").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(path: Path, how: str) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, path, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        yield holder.pid
        holder.kill()


@pytest.mark.parametrize("how", ["only opened", "idle", "in a transaction"])
def test_while_another_program_has_it_open_it_is_named_and_nothing_is_done(
    path: Path, how: str
) -> None:
    old = root(path)
    with held(path, how) as process:
        before = {name for name in names(path) if not name.startswith("story.db-")}
        refused = one_line(run("-d", path, "restore", backup_of(path)))
        assert refused.startswith(f"{path}: is open in ")
        assert f"(process {process})" in refused
        assert {name for name in names(path) if not name.startswith("story.db-")} == before
    assert root(path) == old
    restored(path)
    assert root(path) == root(backup_of(path))


# --- Killed -----------------------------------------------------------------------------------

DIES = """
import os, signal, sys
number = int(sys.argv.pop())
changes = ("os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown")

def die(event, arguments):
    global number
    if event not in changes or "story" not in str(arguments):
        return
    number -= 1
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from timeline.cli import main
import timeline.cli.commands.restore
sys.addaudithook(die)
main()
"""


def test_killed_at_any_moment_the_file_is_the_old_or_the_new_one_and_nothing_is_lost(
    path: Path, tmp_path: Path
) -> None:
    leave_in_wal(path)
    template = tmp_path / "template"
    shutil.copytree(path.parent, template)
    both = root(path), root(backup_of(path))
    kills = 0
    while True:
        shutil.rmtree(path.parent)
        shutil.copytree(template, path.parent)
        command = ["-c", DIES, "-d", path, "restore", backup_of(path), str(kills + 1)]
        ended = subprocess.run(
            [sys.executable, *command], env=environment(), check=False, capture_output=True
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, (kills, ended)
        kills += 1
        found = {root(file) for file in path.parent.glob("*.db")}
        assert both[0] in found, "the old file is lost"
        assert root(path) in both
        restored(path)
        assert root(path) == both[1]
        assert not [*path.parent.glob(".*")]
    assert kills > 5
