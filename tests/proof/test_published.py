"""A log that lost entries, or got others, is not signed over what its readers have seen."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from answering import answering
from click.testing import Result
from running import dump, one_line, run

from timeline import Timeline
from timeline.proof.signed_note import SigningKey

KEY = SigningKey("example.org/story", b"k" * 32)


class Newsroom(NamedTuple):
    """A log, an older backup of it, and a folder that publishes its signed state."""

    path: Path
    backup: Path
    site: Path
    key: Path

    def restore(self) -> None:
        shutil.copy(self.backup, self.path)

    def record(self, event_id: str) -> None:
        with Timeline.open(self.path) as timeline:
            timeline.record({"event_id": event_id, "title": "An event", "occurred": "2025"})

    def sign(self, *options: object) -> Result:
        return run("-d", self.path, "checkpoint", "--key", self.key, *options)

    def alarm(self, place: object) -> str:
        """What the command says that must end with exit code 3, and change nothing."""
        before = dump(self.path)
        result = self.sign("--published", place)
        assert (result.exit_code, result.stdout) == (3, "")
        assert dump(self.path) == before
        return result.stderr


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    room = Newsroom(*(tmp_path / name for name in ("story.db", "backup.db", "site", "key")))
    Timeline.create(room.path, title="T", origin=KEY.name).close()
    room.record("talks")
    shutil.copy(room.path, room.backup)
    room.record("strike")
    room.key.write_text(f"{KEY}\n")
    room.key.chmod(0o600)
    room.site.mkdir()
    (room.site / "checkpoint").write_text(room.sign().stdout)
    return room


def test_a_log_that_goes_on_from_what_is_published_is_signed(room: Newsroom) -> None:
    room.record("visit")
    assert room.sign("--published", room.site).exit_code == 0
    note = (room.site / "checkpoint").read_bytes()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(note), note)
    with answering({"/story/checkpoint": answer}) as server:
        assert room.sign("--published", f"{server.address}/story/").exit_code == 0


def test_a_log_with_fewer_entries_than_are_published_is_not_signed(room: Newsroom) -> None:
    room.restore()
    assert room.alarm(room.site) == (
        f"Error: {room.site}/checkpoint is of 3 entries, and this log has 2: was it put back from "
        "a backup? Nothing was signed.\n"
    )


def test_a_log_with_other_entries_than_are_published_is_not_signed(room: Newsroom) -> None:
    room.restore()
    room.record("another")
    note = (room.site / "checkpoint").read_bytes()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(note), note)
    with answering({"/checkpoint": answer}) as server:
        assert room.alarm(server.address) == (
            f"Error: the first 3 entries published in {server.address} are not those of this log. "
            "Nothing was signed.\n"
        )


@pytest.mark.parametrize("content", [b"mine", b"\xff"])
def test_a_file_that_is_no_checkpoint_signs_nothing(room: Newsroom, content: bytes) -> None:
    (room.site / "checkpoint").write_bytes(content)
    problem = one_line(room.sign("--published", room.site))
    expected = f"{room.site}/checkpoint is no checkpoint, so nobody can tell what is published"
    assert problem == expected


def test_a_place_without_a_checkpoint_signs_nothing(room: Newsroom, tmp_path: Path) -> None:
    problem = one_line(room.sign("--published", tmp_path))
    assert problem == f"{tmp_path} has no checkpoint yet: the first time, leave --published out"
    with answering(
        {"/checkpoint": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}
    ) as server:
        assert "has no checkpoint yet" in one_line(room.sign("--published", server.address))
    with answering({"/checkpoint": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"}) as server:
        assert "answered 503" in one_line(room.sign("--published", server.address))


def test_what_witnesses_signed_is_kept_without_a_look_at_a_site(room: Newsroom) -> None:
    given = ("--cosigned", room.site / "checkpoint", "--witness", KEY.verifier)
    result = run("-d", room.path, "checkpoint", *given, "--published", room.site)
    assert (result.exit_code, "--published goes with --key" in result.stderr) == (2, True)
