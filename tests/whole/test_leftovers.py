"""What a command writes is whole or absent; nothing of it is left elsewhere, whatever happens."""

from __future__ import annotations

import contextlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from folders import contents
from publisher import MAPPING, made_up_row, written
from running import done, environment, one_line, process

from timeline.store import storage


@pytest.fixture
def path(story: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(story, tmp_path / "story.db"))


def limited(
    path: Path, folder: Path, command: Sequence[str], size: int
) -> subprocess.CompletedProcess[str]:
    """What a command prints that can write files of so many bytes at most, as on a full disk."""
    return process(
        "-d",
        path,
        *command,
        cwd=folder,
        # Python would write half a module into its cache, and not see that.
        env=environment(TMPDIR=str(folder / "tmp"), PYTHONDONTWRITEBYTECODE="1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[None]:
    """Keep a file open, so that its -shm is there, whole, before anything is limited."""
    with contextlib.closing(storage.connect(path)) as connection:
        connection.execute("SELECT * FROM log").fetchone()
        yield


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for what SQLite keeps beside an open file."""
    found = contents(folder)
    return {name: found[name] for name in found if not name.startswith("story.db-")}


def of_an_older_version(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE projection_state SET projection_version = 0")


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "in place of another"])
@pytest.mark.parametrize(
    ("command", "size"),
    [
        *((f"export {form} -o out/made", 700) for form in ("csv", "json", "jsonl", "ics", "atom")),
        ("export jsonl -o out/made", 50_000),
        ("prove sumy-strike -o out/made", 700),
        ("keygen out/made", 20),
        ("publish out", 700),
        ("publish out", 200_000),
        ("publish out --static", 700),
        ("publish out --static", 200_000),
        ("migrate", 700),
        ("migrate", 200_000),
    ],
)
def test_on_a_full_disk_nothing_is_left(
    path: Path, tmp_path: Path, command: str, size: int, is_there: bool
) -> None:
    if command == "migrate":
        of_an_older_version(path)
    (tmp_path / "out").mkdir()
    (tmp_path / "tmp").mkdir()
    if is_there:
        (tmp_path / "out" / "made").write_text("as it was")
    before = files(tmp_path)
    with opened(path):
        assert one_line(limited(path, tmp_path, command.split(), size))
    assert files(tmp_path) == before


KILLED = """
import resource, signal, sys
from timeline.cli import main
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
main()
"""


@pytest.mark.parametrize(
    ("command", "made", "size"),
    [
        *(
            (f"-d story.db export {form} -o out/made", "made", 700)
            for form in ("csv", "json", "jsonl", "ics", "atom")
        ),
        ("-d story.db prove sumy-strike -o out/made", "made", 700),
        ("-d story.db keygen out/made", "made", 20),
        ("-d story.db publish out", "story.db", 200_000),
        ("-d story.db publish out --static", "index.html", 700),
        ("-d out/new.db init --title T", "new.db", 700),
        ("-d out/new.db init --title T", "new.db", 100_000),
        ("-d out/new.db import jsonl log.jsonl", "new.db", 300_000),
        ("-d out/new.db demo", "new.db", 200_000),
    ],
)
def test_a_killed_command_leaves_no_half_file_and_the_next_run_leaves_nothing_else(
    path: Path, tmp_path: Path, command: str, made: str, size: int
) -> None:
    done("-d", path, "export", "jsonl", "-o", tmp_path / "log.jsonl")
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "tmp").mkdir()
    asked = [*command.split(), *(["--no-serve"] if command.endswith("demo") else [])]
    settings = environment(TMPDIR=str(tmp_path / "tmp"), PYTHONDONTWRITEBYTECODE="1")
    with opened(path):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(size), *asked],
            cwd=tmp_path,
            env=settings,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGXFSZ, ended
        assert not any(file.stat().st_size for file in out.glob("[!.]*")), "whole or absent"
        again = process(*asked, cwd=tmp_path, env=settings)
    assert again.returncode == 0, again.stderr
    assert (out / made).stat().st_size
    assert not [*out.glob(".timeline-[!f]*")], "the list of the files of a site alone is hidden"
    assert [*(tmp_path / "tmp").iterdir()] == []


def test_a_link_is_followed_to_the_file_that_is_replaced_with_its_permissions(
    path: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.csv"
    made.touch(0o640)
    made.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(made)
    done("-d", path, "export", "csv", "-o", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert made.read_text() == done("-d", path, "export", "csv")
    assert made.stat().st_mode & 0o777 == 0o640
    assert not [*tmp_path.glob(".*")]


def test_rejected_rows_are_written_whole_or_not_at_all(path: Path, tmp_path: Path) -> None:
    without_source = re.sub(r"\[source\].*?(?=\[fields\])", "", MAPPING, flags=re.DOTALL)
    (tmp_path / "map.toml").write_text(without_source)
    refs = [f"row-{number}" for number in range(200)]
    bad = {ref: {**made_up_row(Random(ref), ref), "Day": "no day"} for ref in refs}
    (tmp_path / "sheet.csv").write_bytes(written(bad))
    before = files(tmp_path)
    command = ("import", "mapped", "sheet.csv", "--map", "map.toml")
    with opened(path):
        problem = one_line(limited(path, tmp_path, command, 5_000))
    assert problem.startswith("sheet.csv.rejects.csv: cannot be written: File too large")
    assert files(tmp_path) == before
    assert limited(path, tmp_path, command, 1_000_000).returncode == 1
    rejects = (tmp_path / "sheet.csv.rejects.csv").read_bytes()
    assert rejects.count(b"\r\n") == 201
