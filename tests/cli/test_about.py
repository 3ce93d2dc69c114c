"""What a log says about itself: shown and changed by `timeline about` and `Timeline.about`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import done, one_line, run

from timeline import Timeline
from timeline.errors import InvalidInput, NothingChanged

KYIV = "days now end in Europe/Kyiv: the tables are made again from the log"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    Timeline.create(path, title="A story", origin="example.org/s", notice="A draft").close()
    return path


def test_about_shows_what_the_log_says_about_itself(path: Path) -> None:
    assert done("-d", path, "about").splitlines() == [
        "title      A story",
        "origin     example.org/s",
        "language   en",
        "time zone  UTC",
        "notice     A draft",
    ]
    said = json.loads(done("-d", path, "about", "--json"))
    assert (said["title"], said["licence"], "receipt" in said) == ("A story", None, False)


def test_about_changes_fields_and_takes_them_out(path: Path) -> None:
    change = ("about", "--time-zone", "Europe/Kyiv", "--notice", "", "--licence", "CC0-1.0")
    for dry_run in (True, False):
        result = run("-d", path, *change, *(["--dry-run"] if dry_run else []))
        assert result.exit_code == 0, result.output
        first, *changes = result.stdout.splitlines()
        assert first == ("would be updated  log" if dry_run else "updated  log  entry 1, version 2")
        assert changes == [
            "  - licence: none -> CC0-1.0",
            "  - time zone: UTC -> Europe/Kyiv",
            "  - notice: A draft -> none",
        ]
        assert " ".join(result.stderr.split()) == f"Note: {KYIV}"
        said = json.loads(done("-d", path, "about", "--json"))
        assert said["time_zone"] == ("UTC" if dry_run else "Europe/Kyiv")
    assert said["notice"] is None
    told = json.loads(done("-d", path, "about", "--title", "Another", "--reason", "why", "--json"))
    assert (told["title"], told["receipt"]["version"], told["receipt"]["notes"]) == (
        "Another",
        3,
        [],
    )
    assert "why" in done("-d", path, "log")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (["--title", ""], "title: is required"),
        (["--language", "e n"], "language: must be a language tag such as en or pt-BR"),
        (["--time-zone", "Mars/X"], 'time_zone: "Mars/X" is not a time zone: write one such as'),
        (["--title", "A story"], "the log already says so: nothing would change"),
    ],
)
def test_what_about_cannot_take_is_refused(path: Path, change: list[str], problem: str) -> None:
    assert one_line(run("-d", path, "about", *change)).startswith(problem)


def test_the_same_in_python(path: Path) -> None:
    with Timeline.open(path) as timeline:
        receipt = timeline.about(time_zone="Europe/Kyiv", notice="", author="desk", reason="moved")
        assert (receipt.kind, receipt.notes) == ("log.updated", (KYIV,))
        assert "notice" not in timeline.info
        with pytest.raises(NothingChanged):
            timeline.about(title="A story")
        with pytest.raises(InvalidInput, match="origin"):
            timeline.about(origin="example.org/other")  # type: ignore[call-arg]
        with pytest.raises(InvalidInput, match="colour"):
            timeline.about(colour="red")  # type: ignore[call-arg]
