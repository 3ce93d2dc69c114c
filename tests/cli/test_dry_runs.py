"""A dry run of every command that appends: it says what would be written, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import done, dump, one_line, run

from timeline import Timeline


@pytest.fixture
def told(timeline: Timeline, tmp_path: Path) -> Path:
    (tmp_path / "report.txt").write_text("The council met. Thirty houses were lost.")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    path = timeline.path
    done("-d", path, "capture", tmp_path / "report.txt", "--id", "report")
    for name in ("fire", "blaze"):
        options = ("--title", name, "--occurred", "2025", "--id", f"{name}-1", "--actor", "Mayor")
        done("-d", path, "append", *options, "--figure", "killed=3", "--cite", "report")
    done("-d", path, "retract", "blaze-1", "--reason", "twice")
    return path


COMMANDS = {
    "update": ["update", "fire-1", "--set", "title=A fire", "--figure", "injured=4"],
    "correct": ["correct", "fire-1", "--figure", "killed=2", "--replace", "1", "--reason", "so"],
    "retract": ["retract", "fire-1", "--reason", "so"],
    "reinstate": ["reinstate", "blaze-1"],
    "merge": ["merge", "fire-1", "--into", "blaze-1"],
    "withdraw": ["withdraw", "report", "--reason", "so"],
    "annotate": ["annotate", "report", "--sentence", "1", "--why", "an opinion"],
    "actor add": ["actor", "add", "Anna Mayor", "--alias", "Mayor"],
    "actor alias": ["actor", "alias", "Mayor", "The Mayor"],
    "actor merge": ["actor", "merge", "Mayor", "--into", "Mayor-2"],
    "attach": ["attach", "report.pdf", "--event", "fire-1"],
    "erase": ["erase", "fire-1", "--reason", "so"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dry_run_says_what_would_be_written_and_writes_nothing(
    name: str, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(told.parent)
    if name == "actor merge":
        done("-d", told, "actor", "add", "Mayor-2")
    before = dump(told)
    shown = done("-d", told, *COMMANDS[name], "--dry-run")
    assert "would be " in shown
    assert dump(told) == before
    assert "would be " not in done("-d", told, *COMMANDS[name])
    assert dump(told) != before


def test_a_dry_run_of_a_change_shows_each_field_before_and_after(told: Path) -> None:
    shown = done("-d", told, *COMMANDS["update"], "--dry-run")
    assert "  - title: fire -> A fire\n" in shown
    assert '  - quantities.-: {"measure": "injured", "value": "4"' in shown


def test_a_dry_run_refuses_what_the_command_would_refuse(told: Path) -> None:
    said = one_line(run("-d", told, "update", "fire-1", "--set", "occurred=soon", "--dry-run"))
    assert said.startswith("occurred: ")


def test_a_dry_run_as_json_says_the_same(told: Path) -> None:
    said = json.loads(done("-d", told, *COMMANDS["erase"], "--dry-run", "--json"))
    assert [each["seq"] for each in said["would_erase"]] == [2]
    said = json.loads(done("-d", told, *COMMANDS["retract"], "--dry-run", "--json"))
    assert said["kind"] == "event.retracted"
