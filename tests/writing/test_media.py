"""Attached files: kept once, held to their bytes, and taken out for good when they must go."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from running import done, dump, one_line, run
from small_files import PDF, photo, png

from timeline import Timeline
from timeline.errors import InvalidInput, NotFound, Refused
from timeline.media.attached import attached_file
from timeline.proof import verify
from timeline.store import storage
from timeline.writing import media

TALKS = {"event_id": "talks", "title": "Talks at the quay", "occurred": "2025-04-15"}
RAID = {"event_id": "raid", "title": "Raid on the pier", "occurred": "2025-04-16"}
PLACE = "Quay-7-Odesa-camera-0815"
RED, BLUE = attached_file(png("red")), attached_file(png("blue"))


@pytest.fixture
def story(timeline: Timeline) -> Timeline:
    timeline.record([TALKS, RAID])
    return timeline


def rows(path: Path, sql: str, *values: object) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


def kept(path: Path) -> dict[str, bytes | None]:
    return dict(
        rows(
            path,
            "SELECT f.sha256, b.body FROM media_files f LEFT JOIN media_bytes b USING (sha256)",
        )
    )


def findings(path: Path) -> list[Any]:
    return verify.verify(path).findings


def name(file: Any) -> str:
    return str(file.sha256.replace("sha256:", "media/"))


def test_a_picture_is_kept_without_where_it_was_taken(story: Timeline, path: Path) -> None:
    content = photo(place=PLACE)
    assert PLACE.encode() in content
    receipt = story.attach("talks", content, {"alt": "The quay", "credit": "Mara K."})
    (medium,) = story.get("talks")["media"]
    assert receipt.version == 2
    assert medium == {
        "kind": "image",
        "sha256": medium["sha256"],
        "media_type": "image/jpeg",
        "width": 64,
        "height": 48,
        "alt": "The quay",
        "credit": "Mara K.",
    }
    assert kept(path)[medium["sha256"]] == attached_file(content).body
    assert PLACE.encode() not in path.read_bytes()
    assert findings(path) == []
    assert verify.verify(path).media == 1


def test_attaching_again_adds_nothing(story: Timeline, path: Path) -> None:
    first = story.attach("talks", png(), {"alt": "A red wall"})
    before = dump(path)
    again = story.attach("talks", png() + b"after the end", {"alt": "A red wall"})
    assert (again.seq, again.unchanged) == (first.seq, True)
    assert dump(path) == before


def test_two_events_share_the_bytes_of_one_file(story: Timeline, path: Path) -> None:
    story.attach("talks", png(), {"alt": "A wall"})
    story.update("raid", {"media.-": {"kind": "image", "sha256": RED.sha256, "alt": "It again"}})
    assert len(kept(path)) == 1
    assert story.get("raid")["media"][0]["width"] == RED.width


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({}, "alt"),
        ({"alt": ""}, "alt"),
        ({"alt": "A wall", "width": 9, "height": 9}, "media.0.width"),
        ({"alt": "A wall", "media_type": "image/jpeg"}, "media.0.media_type"),
        ({"alt": "A wall", "source_id": "nowhere"}, "media.0.source_id"),
        ({"alt": "A wall", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_said_about_a_file_is_refused_whole(
    story: Timeline, path: Path, about: dict[str, Any], field: str
) -> None:
    before = dump(path)
    with pytest.raises(InvalidInput, match=field):
        story.attach("talks", png(), about)
    assert dump(path) == before


def test_an_event_names_only_files_that_are_here(story: Timeline) -> None:
    medium = {"kind": "image", "sha256": "sha256:" + "0" * 64, "alt": "Nothing"}
    with pytest.raises(InvalidInput, match="timeline attach") as caught:
        story.update("talks", {"media.-": medium})
    assert caught.value.field == "media.0.sha256"
    with pytest.raises(NotFound):
        story.attach("nowhere", png(), {"alt": "A wall"})


def test_pictures_elsewhere_and_films_need_no_file(story: Timeline, path: Path) -> None:
    media = [
        {"kind": "image", "url": "https://example.org/a.jpg"},
        {"kind": "video", "url": "https://example.org/a.mp4", "caption": "From the hill"},
    ]
    story.update("talks", {"media": media, "highlight": "yes"})
    assert story.get("talks")["media"] == media
    assert rows(path, "SELECT kind, url FROM event_media ORDER BY position") == [
        ("image", "https://example.org/a.jpg"),
        ("video", "https://example.org/a.mp4"),
    ]
    assert rows(path, "SELECT event_id FROM events WHERE highlight") == [("talks",)]


# --- Taking a file out ------------------------------------------------------------------------


def erased(path: Path, *targets: str) -> str:
    return done("-d", path, "erase", *targets, "--reason", "The guest asked for it", "--yes")


def test_a_file_is_taken_out_of_every_event_and_no_word_is(story: Timeline, path: Path) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    story.attach("raid", png("blue"), {"alt": "The same guest"})
    printed = erased(path, name(BLUE)[:14])
    assert "#3 of talks" in printed
    assert "#4 of raid" in printed
    assert BLUE.body not in path.read_bytes()
    assert story.get("talks")["media"][0]["alt"] == "A guest"
    assert kept(path) == {BLUE.sha256: None}
    assert rows(path, "SELECT media_type, size, width, height FROM media_files") == [(None,) * 4]
    assert findings(path) == []
    (entry,) = rows(path, "SELECT kind, subject, payload FROM log ORDER BY seq DESC LIMIT 1")
    assert entry[:2] == ("media.erased", name(BLUE))
    assert json.loads(entry[2]) == {"reason": "The guest asked for it"}


def test_what_was_erased_never_comes_in_again(story: Timeline, path: Path) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    erased(path, name(BLUE))
    story.ahead = "the clock of the command is later"
    with pytest.raises(Refused, match="not taken in again"):
        story.attach("raid", png("blue"), {"alt": "A guest"})
    with pytest.raises(InvalidInput, match="was erased"):
        story.update("raid", {"media.-": {"kind": "image", "sha256": BLUE.sha256, "alt": "x"}})
    story.update("talks", {"title": "Talks at the long quay"})  # its own medium stays
    again = erased(path, name(BLUE))
    assert "erased already" in again
    assert findings(path) == []


def test_a_file_goes_with_the_last_entry_that_names_it(story: Timeline, path: Path) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    story.update("talks", {"media": None})
    story.attach("raid", png("blue"), {"alt": "A guest"})
    assert "#5 of raid" in erased(path, "talks@2")
    assert kept(path) == {BLUE.sha256: BLUE.body}
    erased(path, "raid@2")
    assert kept(path) == {BLUE.sha256: None}
    assert BLUE.body not in path.read_bytes()
    assert findings(path) == []


def test_a_hash_in_a_note_does_not_keep_a_file(story: Timeline, path: Path) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    story.update(
        "raid", {"note": f"Compare {BLUE.sha256}", "extra": {"x": {"sha256": BLUE.sha256}}}
    )
    erased(path, "talks@2")
    assert kept(path) == {BLUE.sha256: None}
    assert findings(path) == []


def test_a_file_that_nobody_names_cannot_be_erased(story: Timeline, path: Path) -> None:
    assert 'no file "media/00"' in one_line(run("-d", path, "erase", "media/00", "--reason", "r"))


def test_dropping_a_picture_says_that_earlier_versions_have_it(story: Timeline) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    receipt = story.update("talks", {"media": None})
    (note,) = receipt.notes
    assert name(BLUE)[:14] in note
    assert "timeline erase" in note


# --- Copies without files, and files in copies ------------------------------------------------


def test_a_copy_has_no_files_and_gets_them_without_an_entry(
    story: Timeline, path: Path, tmp_path: Path
) -> None:
    story.attach("talks", png(), {"alt": "A wall"})
    copy = tmp_path / "copy.db"
    done("-d", copy, "import", "jsonl", "-", input=done("-d", path, "export", "jsonl"))
    report = verify.verify(copy)
    assert (report.findings, report.media, report.media_absent) == ([], 0, 1)
    with Timeline.open(copy, fork=True) as timeline:
        size = timeline.info and len(rows(copy, "SELECT 1 FROM log"))
        assert timeline.attach("talks", png(), {"alt": "A wall"}).unchanged
        assert len(rows(copy, "SELECT 1 FROM log")) == size
    report = verify.verify(copy)
    assert (report.findings, report.media, report.media_absent) == ([], 1, 0)


def test_an_erasure_of_a_file_reaches_a_copy(story: Timeline, path: Path, tmp_path: Path) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    copy = tmp_path / "copy.db"
    with contextlib.closing(storage.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    erased(path, name(BLUE))
    done("-d", copy, "import", "jsonl", "-", input=done("-d", path, "export", "jsonl"))
    assert kept(copy) == {BLUE.sha256: None}
    assert BLUE.body not in copy.read_bytes()
    assert findings(copy) == []


# --- What the file refuses, and what verify finds ---------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE media_files SET width = 9, height = 9",
        "UPDATE media_files SET erased_by = 'nobody'",
        "DELETE FROM media_files",
        "REPLACE INTO media_files SELECT * FROM media_files",
        "UPDATE media_bytes SET body = x'00'",
        "DELETE FROM media_bytes",
        "REPLACE INTO media_bytes SELECT * FROM media_bytes",
        "REPLACE INTO media_bytes (rowid, sha256, body) SELECT rowid, 'x', body FROM media_bytes",
        "INSERT INTO media_bytes (sha256, body) VALUES ('sha256:x', x'00')",
    ],
)
def test_the_file_refuses_every_change_of_a_file(story: Timeline, path: Path, sql: str) -> None:
    story.attach("talks", png(), {"alt": "A wall"})
    with (
        contextlib.closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="media_"),
    ):
        connection.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE media_bytes SET body = CAST(body || x'00' AS BLOB)",
        "DELETE FROM media_bytes",
        "UPDATE media_files SET width = 9",
        "UPDATE media_files SET media_type = 'image/jpeg'",
        "UPDATE media_files SET attached_at = 'today'",
        "UPDATE media_files SET erased_by = 'nobody'",
        "UPDATE media_files SET erased_by = (SELECT id FROM log WHERE seq = 2)",
        "DELETE FROM media_files",
        "UPDATE media_files SET sha256 = 'sha256:1'",
        "INSERT INTO media_bytes (sha256, body) VALUES ('sha256:x', x'00')",
    ],
)
def test_verify_finds_every_change_of_a_file(story: Timeline, path: Path, sql: str) -> None:
    story.attach("talks", png(), {"alt": "A wall"})
    changed_unguarded(path, sql)


@pytest.mark.parametrize(
    "column",
    [
        "media_type = 'image/png'",
        "size = 9",
        "width = 9, height = 9",
        "sha256 = 'sha257' || substr(sha256, 7)",
        "sha256 = substr(sha256, 1, 8) || '0' || substr(sha256, 10)",
        "sha256 = upper(sha256)",
    ],
)
def test_verify_finds_what_is_said_of_bytes_that_are_gone(
    story: Timeline, path: Path, column: str
) -> None:
    story.attach("talks", png("blue"), {"alt": "A guest"})
    erased(path, name(BLUE))
    changed_unguarded(path, f"UPDATE media_files SET {column}")


def changed_unguarded(path: Path, sql: str) -> None:
    """Change the file without its guards, and see that verify finds it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            " AND (name GLOB 'media_*' OR name GLOB '*_erased')"
        ).fetchall()
        for trigger, _ in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(sql)
        for _, made in triggers:
            connection.execute(made)
    found = findings(path)
    assert found
    assert {finding.what for finding in found} == {"file"}


# --- The command ------------------------------------------------------------------------------


def test_the_command_says_what_it_kept(story: Timeline, path: Path, tmp_path: Path) -> None:
    picture, document = tmp_path / "a.bin", tmp_path / "b"
    picture.write_bytes(photo(place=PLACE))
    document.write_bytes(PDF)
    printed = done("-d", path, "attach", picture, "--event", "talks", "--alt", "A wall")
    assert "updated" in printed
    result = run("-d", path, "attach", document, "--event", "raid", "--caption", "The order")
    assert result.exit_code == 0
    assert "metadata" in result.stderr
    assert [each["kind"] for each in story.get("raid")["media"]] == ["document"]
    again = done("-d", path, "attach", picture, "--event", "talks", "--alt", "A wall")
    assert "unchanged" in again
    assert one_line(
        run("-d", path, "attach", "-", "--event", "talks", "--alt", "x", input=b"<svg/>")
    ).startswith("file: is no JPEG, PNG, WebP, GIF or PDF")
    assert "alt" in one_line(run("-d", path, "attach", picture, "--event", "raid"))


def test_doctor_says_what_files_make_of_it(story: Timeline, path: Path) -> None:
    assert "media" not in done("-d", path, "doctor")
    story.attach("talks", photo(place=PLACE), {"alt": "The quay"})
    (says,) = (
        each["says"]
        for each in json.loads(done("-d", path, "doctor", "--json"))
        if each["about"] == "media"
    )
    assert re.fullmatch(
        r"1 file of [0-9.]+ MB, [0-9]+% of the disk space; to erase one takes [0-9.]+ MB of free"
        r" room, to publish [0-9.]+ MB",
        says,
    )


def test_many_large_files_need_a_yes(
    story: Timeline, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "wall.png"
    picture.write_bytes(png())
    monkeypatch.setattr(media, "_MOST", len(RED.body) - 1)
    command = ("-d", path, "attach", picture, "--event", "talks", "--alt", "A wall")
    assert "repeat with --yes" in one_line(run(*command))
    assert kept(path) == {}
    with pytest.raises(Refused, match="three times"):
        story.attach("talks", png(), {"alt": "A wall"})
    assert "updated" in done(*command, "--yes")
    story.ahead = "the clock of the command is later"
    story.attach("raid", png("blue"), {"alt": "A guest"}, allow_large=True)
    assert kept(path) == {RED.sha256: RED.body, BLUE.sha256: BLUE.body}
