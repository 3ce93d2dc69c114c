"""The inbox keeps proposals and drafts apart from the log, and forgets what is purged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import done, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import Busy, NotATimeline, TooNew
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.intake.proposals.taking import take
from timeline.store import storage

TEXT = "Zyxomma came to Odesa on Tuesday. Nobody saw it."
SOURCE = {"title": "Quaggaesque Weekly", "url": "https://example.org/weekly"}
BROUGHT = "Yttriferous nonsense was said on Tuesday. Nobody heard it."
RECORD: dict[str, Any] = {
    "title": "Xerus comes to Odesa",
    "occurred": "15 April 2025",
    "occurred_text": "on Tuesday",
    "occurred_basis": "resolved",
    "citations": [
        {"source_id": "report", "quote": "Zyxomma came to Odesa on Tuesday"},
        {"source": SOURCE, "quote": "Yttriferous nonsense was said on Tuesday"},
    ],
}
BODY = {"record": RECORD, "documents": [{"source": SOURCE, "text": BROUGHT}]}
NEEDLES = (b"Zyxomma", b"Quaggaesque", b"Yttriferous", b"Xerus", b"Zenobia")


@pytest.fixture
def log(timeline: Timeline, path: Path) -> Iterator[sqlite3.Connection]:
    timeline.capture(TEXT, {"source_id": "report", "title": "A report"})
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


@pytest.fixture
def inbox(path: Path, clock: TickingClock) -> Iterator[Inbox]:
    with Inbox.of(path, now=clock) as opened:
        yield opened


def proposed(log: sqlite3.Connection, inbox: Inbox, body: object = BODY) -> str:
    taken = take(log, inbox, body, way="propose", proposer="scraper")
    assert taken.proposal_id, taken
    return taken.proposal_id


def left(path: Path) -> list[bytes]:
    """The needles that are in the bytes of the inbox, or of a file beside it."""
    files = [*path.parent.glob(f"{inbox_path(path).name}*")]
    assert files
    content = b"".join(file.read_bytes() for file in files)
    return [needle for needle in NEEDLES if needle in content]


def test_no_byte_of_what_is_purged_is_left_in_any_file(
    log: sqlite3.Connection, inbox: Inbox, path: Path
) -> None:
    proposal_id = proposed(log, inbox)
    inbox.new_draft({"title": "Xerus"}, of_proposal=proposal_id)
    inbox.save_draft(proposal_id, {"title": "Zenobia"})
    inbox.decide(proposal_id, "rejected", log, by="anna", reason="Zenobia said so")
    assert left(path) == [*NEEDLES]
    assert inbox.purge(1, log) == (0, 0)
    assert inbox.purge(0, log) == (1, 0)
    assert left(path) == []
    waits = proposed(log, inbox)
    assert inbox.purge(0, log) == (0, 0)
    assert inbox.get(waits, log).body == BODY


def test_a_purge_says_that_another_program_still_reads_the_old_pages(
    log: sqlite3.Connection, inbox: Inbox, path: Path
) -> None:
    inbox.decide(proposed(log, inbox), "rejected", log)
    inbox._connection.execute("PRAGMA busy_timeout = 0")
    with contextlib.closing(sqlite3.connect(inbox_path(path))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM proposals").fetchone()
        with pytest.raises(Busy, match="another program still reads its old pages"):
            inbox.purge(0, log)
    assert inbox.purge(0, log) == (0, 0)
    assert left(path) == []


def test_what_is_recorded_is_known_by_the_log_and_purged(
    log: sqlite3.Connection, inbox: Inbox, timeline: Timeline, path: Path
) -> None:
    record = {**RECORD, "citations": RECORD["citations"][:1]}
    proposal_id = proposed(log, inbox, record)
    with timeline.append() as append:
        append.record(record, entry_id=proposal_id)
    assert inbox.get(proposal_id, log).state == "recorded"
    assert take(log, inbox, record, way="mcp", proposer="x").state == "recorded"
    assert inbox.purge(0, log) == (1, 0)
    assert left(path) == []


def test_the_file_is_its_owners_and_is_not_taken_for_another(path: Path, tmp_path: Path) -> None:
    with Inbox.of(path):
        assert inbox_path(path).stat().st_mode & 0o777 == 0o600
    other = tmp_path / "other.inbox"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE events (title TEXT)")
    with pytest.raises(NotATimeline, match="is not an inbox: move it away"):
        Inbox(other)
    with contextlib.closing(sqlite3.connect(inbox_path(path))) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(TooNew, match="is an inbox of version 99"):
        Inbox.of(path)


# --- The commands -----------------------------------------------------------------------------


def findings(path: Path) -> tuple[int, list[list[str]]]:
    result = run("-d", path, "doctor", "--json")
    rows = [[*row.values()] for row in json.loads(result.stdout)]
    return result.exit_code, [row for row in rows if row[1] == "inbox"]


def test_doctor_says_what_waits_in_the_inbox(
    log: sqlite3.Connection, inbox: Inbox, path: Path
) -> None:
    code, ((finding, _, says),) = findings(path)
    assert (code, finding) == (0, "ok")
    assert says.startswith("nothing waits; 0.")
    proposed(log, inbox)
    inbox.new_draft({"title": "Talks"})
    code, ((_, _, says),) = findings(path)
    assert says.startswith("waiting: proposals 1, drafts 1, since ")
    assert says.endswith(" MB")


def test_doctor_says_in_one_line_that_an_inbox_is_damaged(timeline: Timeline, path: Path) -> None:
    inbox_path(path).write_bytes(b"no database " * 1_000)
    code, ((finding, _, says),) = findings(path)
    assert (code, finding) == (1, "problem")
    assert says.startswith(f"{inbox_path(path)}: is no database, or a damaged one")


def test_erase_names_what_in_the_inbox_still_has_the_words(
    log: sqlite3.Connection, inbox: Inbox, timeline: Timeline, path: Path
) -> None:
    timeline.record({"event_id": "xerus", "title": RECORD["title"], "occurred": "2025"})
    timeline.record({"event_id": "nonsense", "title": BROUGHT[:20], "occurred": "2025"})
    timeline.record({"event_id": "other", "title": "Other", "occurred": "2025"})
    proposal_id = proposed(log, inbox)
    draft = inbox.new_draft({"title": RECORD["title"]})
    result = run("-d", path, "erase", "xerus", "--reason", "A court", "--json")
    assert json.loads(result.stdout)["elsewhere"] == [
        {
            "text": RECORD["title"],
            "places": [f"draft {draft.draft_id}", f"proposal {proposal_id}"],
        }
    ]
    assert "timeline review --purge 0" in result.stderr
    result = run("-d", path, "erase", "nonsense", "--reason", "A court", columns=200)
    assert f"a text of proposal {proposal_id}" in result.stdout
    result = run("-d", path, "erase", "other", "--reason", "A court")
    assert "review" not in result.stdout + result.stderr


def test_an_inbox_that_cannot_be_read_does_not_stop_an_erasure(
    timeline: Timeline, path: Path
) -> None:
    timeline.record({"event_id": "xerus", "title": "Xerus", "occurred": "2025"})
    inbox_path(path).write_bytes(b"no database " * 1_000)
    result = run("-d", path, "erase", "xerus", "--reason", "A court", columns=300)
    assert result.exit_code == 0
    assert "the inbox may still have the words" in result.stderr


def test_publish_export_verify_and_restore_leave_the_inbox_alone(
    log: sqlite3.Connection, inbox: Inbox, timeline: Timeline, path: Path, tmp_path: Path
) -> None:
    timeline.record({"title": "Talks", "occurred": "2025"})
    proposed(log, inbox)
    inbox.close()
    log.close()
    timeline.close()
    before = hashlib.sha256(inbox_path(path).read_bytes()).digest()
    out, backup = tmp_path / "out", tmp_path / "backup.db"
    done("-d", path, "publish", out)
    done("-d", path, "publish", "--static", tmp_path / "static")
    done("-d", path, "verify")
    done("-d", path, "export", "json")
    with contextlib.closing(sqlite3.connect(path)) as copied:
        copied.execute("VACUUM INTO ?", (str(backup),))
    done("-d", path, "restore", backup)
    assert hashlib.sha256(inbox_path(path).read_bytes()).digest() == before
    written = [*out.rglob("*"), *(tmp_path / "static").rglob("*")]
    assert not [file for file in written if "inbox" in file.name]
    assert not [file for file in written if file.is_file() and b"Xerus" in file.read_bytes()]
