"""Datasette refuses the inbox of a timeline, whatever its name, and serves the timeline."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from datasette.database import Database
from datasette.utils.asgi import Forbidden
from open_datasette import serving as served_here
from running import environment
from serving import serving

from timeline import Timeline
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.mirror.witness_state import WitnessState


@pytest.fixture
def folder(timeline: Timeline, path: Path) -> Path:
    timeline.record({"title": "Talks", "occurred": "2025"})
    with Inbox.of(path):
        pass
    return path.parent


@pytest.mark.parametrize(
    "options", [["timeline.db.inbox"], ["-i", "other.db"], ["timeline.db", "other.db"], ["."]]
)
def test_an_inbox_ends_datasette_with_one_line(
    folder: Path, path: Path, options: list[str]
) -> None:
    shutil.copyfile(inbox_path(path), folder / "other.db")
    result = subprocess.run(
        [sys.executable, "-m", "datasette", "serve", *options, "--port", "0"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    (line,) = [each for each in result.stderr.splitlines() if each.startswith("Error: ")]
    assert line.endswith("is the inbox of a timeline, which is not for readers: leave it out")
    assert "Traceback" not in result.stderr


def test_datasette_on_the_folder_serves_the_timeline_alone(folder: Path) -> None:
    with serving("datasette", "serve", ".", cwd=folder) as address:
        names = httpx.get(f"{address}/-/databases.json").text
    assert '"timeline"' in names
    assert "inbox" not in names


def test_an_inbox_that_is_added_later_is_not_read(folder: Path, path: Path) -> None:
    with served_here(path) as site:
        added = Database(site.datasette, path=str(inbox_path(path)), is_mutable=True)
        site.datasette.add_database(added, name="later")
        with pytest.raises(Forbidden, match="is the inbox of a timeline"):
            site.run(added.execute("SELECT * FROM about"))


def test_the_state_of_a_witness_is_not_read_either(folder: Path, path: Path) -> None:
    with WitnessState(folder / "witness.db", can_make=True):
        pass
    with served_here(path) as site:
        added = Database(site.datasette, path=str(folder / "witness.db"), is_mutable=True)
        site.datasette.add_database(added, name="later")
        with pytest.raises(Forbidden, match="is the state of a witness, which is not for readers"):
            site.run(added.execute("SELECT * FROM logs"))
