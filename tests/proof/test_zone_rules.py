"""Other rules of a time zone: no sign of tampering, and nothing stops but what compares tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from other_zones import with_other_rules
from running import done, one_line, process

from timeline import Timeline
from timeline.errors import ProjectionOutdated
from timeline.proof import verify

CHANGED = "the rules of Europe/Kyiv have changed since the tables were made: run timeline rebuild"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", time_zone="Europe/Kyiv") as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    return path


def test_rules_that_have_changed_are_said_in_a_line_and_are_no_finding(
    path: Path, tmp_path: Path
) -> None:
    newer = with_other_rules(tmp_path / "newer", Europe__Kyiv="Europe/Istanbul")

    def told(*words: object) -> str:
        ran = process("-d", path, *words, cwd=tmp_path, env=newer)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    other = tmp_path / "other.db"
    for file, words in (
        (path, ("verify",)),
        (path, ("publish", tmp_path / "public")),
        (other, ("restore", path)),
    ):
        refused = process("-d", file, *words, cwd=tmp_path, env=newer)
        assert one_line(refused) == f"{path}: {CHANGED}"
    doctor = process("-d", path, "doctor", cwd=tmp_path, env=newer)
    assert doctor.returncode == 1
    assert CHANGED in " ".join(doctor.stdout.split())
    assert "Talks" in told("list")
    assert "Talks" in told("list", "--as-reported", "2099-01-01")
    told("append", "--title", "More", "--occurred", "2025-04-16")
    told("rebuild")
    assert "holds" in told("verify")
    told("publish", tmp_path / "public")
    with pytest.raises(ProjectionOutdated):
        verify.verify(path)
    done("-d", path, "rebuild")
    assert "holds" in done("-d", path, "verify")


def test_a_zone_that_an_older_tzdata_lacks_is_read_as_utc_and_noted(
    path: Path, tmp_path: Path
) -> None:
    older = with_other_rules(tmp_path / "older", Europe__Istanbul="Europe/Istanbul")
    listed = process("-d", path, "list", "--as-reported", "2099-01-01", cwd=tmp_path, env=older)
    assert "Talks" in listed.stdout
    doctor = process("-d", path, "doctor", cwd=tmp_path, env=older)
    assert "lacks Europe/Kyiv, so days end in UTC: upgrade tzdata" in " ".join(
        doctor.stdout.split()
    )
    refused = process("-d", path, "verify", cwd=tmp_path, env=older)
    assert one_line(refused) == f"{path}: {CHANGED}"


def test_a_finding_is_told_also_where_the_rules_have_changed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE projection_state SET zone_rules = 'of another year'")
        guards = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        connection.execute(f"DROP TRIGGER {guards.fetchone()[0]}")
    report = verify.verify(path)
    assert len(report.findings) == 1
    assert f"The tables were not compared: {CHANGED}." in report.unnoticed
