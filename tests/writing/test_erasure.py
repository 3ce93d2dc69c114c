"""What was erased is nowhere, what was proved still holds, and only this path may do it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import PROGRAM, done, environment, one_line, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidInput, NotFound, Refused
from timeline.model.content import Said
from timeline.proof import checkpoints, verify
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Proof
from timeline.store import log, scrub, storage
from timeline.writing import erasure

KEY = SigningKey("example.org/story", b"k" * 32)
WORDS = {
    "title": "Zyxomma was seen",
    "summary": "Quaggaesque Xylophagous words of nobody else",
    "tags": ["zyxtag"],
    "participants": [{"name": "Zenobia Quillfeather", "as_named": "the Xerus"}],
    "place": {"name": "Xanadupolis"},
    "claims": [{"speaker": "Zenobia Quillfeather", "statement": "Yttriferous nonsense"}],
    "citations": [{"source": {"title": "Zymurgy Weekly"}, "quote": "Zugzwangish passage"}],
    "extra": {"ns": {"key": "Zephyrous extra"}},
}
NEEDLES = (
    *("Zyxomma", "Quaggaesque", "Xylophagous", "zyxtag", "Quillfeather", "Xerus", "Xanadupolis"),
    *("Yttriferous", "Zugzwangish", "Zephyrous", "zenobia-quillfeather"),
    # As the search index has them: in lower case, and without the beginning that a term shares.
    *("uaggaesque", "ylophagous", "uillfeather", "ugzwangish", "anadupolis"),
)
REASON = Said(reason="A court said so")


def connected(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(storage.connect(path, write=True))


def occurrences(path: Path, needles: tuple[str, ...] = NEEDLES) -> dict[str, list[str]]:
    """The files of the database in which grep finds the words, in any case."""
    files = [*map(str, path.parent.glob(f"{path.name}*"))]
    assert files
    counts = {}
    for needle in needles:
        found = subprocess.run(
            ["grep", "--text", "--ignore-case", "--files-with-matches", "-F", "-e", needle, *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode in (0, 1), found.stderr
        counts[needle] = [Path(name).name for name in found.stdout.splitlines()]
    return {needle: names for needle, names in counts.items() if names}


@pytest.fixture
def secret(timeline: Timeline, path: Path) -> int:
    """The number of an entry with words that stand nowhere else, among others."""
    timeline.record({"title": f"Event {number}", "occurred": "2025"} for number in range(40))
    receipt = timeline.record({"event_id": "secret", "occurred": "2025-04-15", **WORDS})
    timeline.record({"title": f"Later {number}", "occurred": "2025"} for number in range(40))
    return receipt.seq


@pytest.fixture
def named(timeline: Timeline, secret: int, path: Path) -> str:
    """Its id; the source that it brought is erased with it."""
    with connected(path) as connection:
        entry = log.entry_at(connection, secret)
        assert entry is not None
        return entry.id


def erase(path: Path, *entry_ids: str) -> erasure.Erasure:
    with connected(path) as connection:
        return erasure.erase(connection, str(path), entry_ids, REASON)


# --- The words --------------------------------------------------------------------------------


def test_no_byte_of_the_words_is_left_in_any_file(
    timeline: Timeline, path: Path, named: str
) -> None:
    assert len(occurrences(path)) == len(NEEDLES)
    erase(path, named)
    assert occurrences(path) == {}
    assert occurrences(path, ("Zymurgy",)) == {"Zymurgy": [path.name]}
    assert verify.verify(path).findings == []


def test_nothing_is_left_of_a_story_that_was_told_for_long(
    timeline: Timeline, path: Path, named: str
) -> None:
    """Updates and rebuilds leave old rows in free pages, in the index and in the WAL."""
    for number in range(30):
        timeline.update("secret", {"note": f"Zyxomma remark {number}", "tags.-": f"zyxtag{number}"})
    with connected(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    done("-d", path, "rebuild")
    timeline.update("secret", {"title": "T", "note": None})
    with connected(path) as connection:
        ids = [entry.id for entry in log.read(connection) if entry.subject == "event/secret"]
    erase(path, *ids)
    assert occurrences(path) == {}
    assert verify.verify(path).findings == []


def test_the_event_stands_erased_until_it_says_something_new(
    timeline: Timeline, path: Path, named: str, clock: TickingClock
) -> None:
    erase(path, named)
    assert "title" not in timeline.get("secret")
    assert timeline.get("secret")["state"] == "erased"
    assert timeline.search("Quaggaesque") == []
    clock.set("2200-01-01T00:00")
    timeline.trust_clock = True
    timeline.update("secret", {"title": "Something else", "occurred": "2025"})
    assert timeline.get("secret")["state"] == "current"
    assert verify.verify(path).findings == []


def test_a_proof_made_before_still_verifies_and_one_made_after_has_no_words(
    timeline: Timeline, path: Path, secret: int, named: str
) -> None:
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
        before = str(checkpoints.prove(connection, secret))
        note = checkpoints.stored(connection)[0].note
    erase(path, named)
    assert Proof.parse(before).verify([KEY.verifier]).size > secret
    assert verify.verify(path, checkpoints={"mine": note}, keys=[KEY.verifier]).findings == []
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
        after = checkpoints.prove(connection, secret)
    after.verify([KEY.verifier])
    assert after.entry.payload is None
    assert after.entry.envelope == Proof.parse(before).entry.envelope


def test_the_text_of_a_source_goes_with_the_last_entry_that_names_it(
    timeline: Timeline, path: Path
) -> None:
    text = "Zyxomma in the words of a paper."
    text_sha256 = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    with timeline.append() as append:
        first = append.record_source({"source_id": "paper", "text_sha256": text_sha256})
        again = append.record_source({"source_id": "reprint", "text_sha256": text_sha256})
    with connected(path) as connection:
        connection.execute(
            "INSERT INTO source_texts (text_sha256, body, captured_at) VALUES (?, ?, ?)",
            (text_sha256, text, again.recorded_at),
        )
    erase(path, first.entry_id)
    assert occurrences(path, ("Zyxomma",))
    receipt = erase(path, again.entry_id).receipts[0]
    assert occurrences(path, ("Zyxomma",)) == {}
    with connected(path) as connection:
        kept = connection.execute("SELECT body, erased_by FROM source_texts").fetchall()
    assert kept == [(None, receipt.entry_id)]
    assert verify.verify(path).findings == []


# --- Readers that hold old pages --------------------------------------------------------------


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM log").fetchone()
        yield connection


def test_while_a_reader_holds_old_pages_it_ends_in_1_and_then_finishes_without_an_entry(
    timeline: Timeline, path: Path, secret: int, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub, "_PATIENCE", 200)
    command = ("-d", path, "erase", f"#{secret}", "--reason", "A court said so")
    with reading(path):
        refused = one_line(run(*command))
        assert "another program is still reading or writing" in refused
        assert "the next command that writes finishes it" in refused
        assert one_line(run(*command)) == refused
        assert occurrences(path)
    size = len(timeline.history("secret")), verify.verify(path).size
    assert "erased already" in done(*command)
    assert occurrences(path) == {}
    assert (len(timeline.history("secret")), verify.verify(path).size) == size
    assert verify.verify(path).findings == []


def test_it_waits_for_a_reader_that_is_about_to_go(
    timeline: Timeline, path: Path, named: str
) -> None:
    gone = threading.Event()

    def read() -> None:
        with reading(path):
            gone.wait(1)

    reader = threading.Thread(target=read)
    reader.start()
    erase(path, named)
    reader.join()
    assert occurrences(path) == {}


# --- Killed before the end --------------------------------------------------------------------

DIES = """
import os, signal, sys
from timeline.model.content import Said
from timeline.store import storage
from timeline.writing import erasure

path, entry_id, beginning, number = sys.argv[1:]
seen = 0

def die(sql):
    global seen
    seen += sql.startswith(beginning)
    if seen == int(number):
        os.kill(os.getpid(), signal.SIGKILL)

connection = storage.connect(path, write=True)
connection.set_trace_callback(die)
erasure.erase(connection, path, [entry_id], Said(reason="A court said so"))
"""


AFTER_COMMIT = "PRAGMA wal_checkpoint"


def killed(path: Path, entry_id: str, beginning: str = AFTER_COMMIT, number: int = 1) -> None:
    """Erase an entry, and be killed before a statement, the first or a later one of its kind."""
    arguments = (str(path), entry_id, beginning, str(number))
    done = subprocess.run([sys.executable, "-c", DIES, *arguments], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("beginning", "number"),
    [(AFTER_COMMIT, 1), ("VACUUM", 1), (AFTER_COMMIT, 2), ("DELETE FROM scrub_pending", 1)],
)
def test_an_erasure_that_is_killed_is_reported_until_the_next_append_finishes_it(
    timeline: Timeline,
    path: Path,
    tmp_path: Path,
    named: str,
    beginning: str,
    number: int,
) -> None:
    killed(path, named, beginning, number)
    assert "(erased)" in done("-d", path, "show", "secret")
    # A SQLite that is built to overwrite what it deletes has them in its write-ahead log only.
    assert occurrences(path) or (beginning, number) != (AFTER_COMMIT, 1)
    report = verify.verify(path)
    (finding,) = report.findings
    assert (finding.what, finding.where) == ("scrub pending", f"#{report.size - 1}")
    assert run("-d", path, "verify").exit_code == 3
    doctor = run("-d", path, "doctor", "--json")
    assert doctor.exit_code == 1
    (problem,) = (row for row in json.loads(doctor.stdout) if row["finding"] == "problem")
    assert problem["says"].startswith(f"scrub pending of #{report.size - 1}")
    for form in ((), ("--static",)):
        assert "scrub pending" in one_line(run("-d", path, "publish", tmp_path / "out", *form))
    assert [*(tmp_path / "out").iterdir()] == []
    appended = run("-d", path, "append", "--title", "Later", "--occurred", "2025")
    assert appended.exit_code == 0
    assert f"finished the erasure of entry #{report.size - 1}" in " ".join(appended.stderr.split())
    assert occurrences(path) == {}
    assert verify.verify(path).findings == []
    done("-d", path, "publish", tmp_path / "out")


@pytest.mark.parametrize(
    "command",
    [
        "append - --nl",
        "update event-1 --set note=more",
        "retract event-1 --reason mistaken",
        "erase event-2 --reason court",
        "actor add Somebody",
        "capture document.txt --id paper",
        "rebuild",
        "checkpoint --key key",
        "migrate",
        "sync sheet.csv --yes",
        "import timelinejs slides.json",
        "import jsonl log.jsonl",
    ],
)
def test_every_command_that_writes_finishes_it(
    timeline: Timeline, path: Path, named: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        timeline.record({"event_id": f"event-{number}", "title": "An event", "occurred": "2025"})
    killed(path, named)
    monkeypatch.chdir(path.parent)
    Path("key").write_text(str(KEY))
    Path("key").chmod(0o600)
    Path("document.txt").write_text("The text of a paper.\n")
    Path("log.jsonl").write_text(done("-d", path, "export", "jsonl"))
    Path("sheet.csv").write_text(done("-d", path, "export", "csv"))
    Path("slides.json").write_text('{"events": [{"start_date": {"year": "2025"}, "text": {}}]}')
    assert occurrences(path)
    line = '{"title": "More", "occurred": "2025"}\n'
    done("-d", path, *command.split(), input=line if " - " in command else None)
    assert occurrences(path) == {}
    assert verify.verify(path).findings == []


def test_a_dry_run_leaves_it_pending(timeline: Timeline, path: Path, named: str) -> None:
    killed(path, named)
    done("-d", path, "append", "--dry-run", "--title", "Later", "--occurred", "2025")
    assert occurrences(path)
    assert len(verify.verify(path).findings) == 1


HOLDS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT * FROM log").fetchone()
print("reads", flush=True)
sys.stdin.read()
"""


def test_while_another_program_holds_the_file_it_is_named_and_the_append_is_kept(
    timeline: Timeline, path: Path, named: str
) -> None:
    killed(path, named)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"reads\n"
        before = path.with_name(f"{path.name}-wal").stat().st_size
        for number in range(3):
            appended = subprocess.run(
                [*PROGRAM, "-d", path, "append", "--title", f"Held {number}", "--occurred", "2025"],
                env=environment(),
                capture_output=True,
                text=True,
                check=True,
            )
            said = " ".join(appended.stderr.split())
            assert "still reading or writing; it is open in" in said
            assert f"(process {holder.pid})" in said
        assert occurrences(path)
        grown = path.with_name(f"{path.name}-wal").stat().st_size - before
        assert grown < path.stat().st_size, "trying writes nothing"
        holder.kill()
    assert len(timeline.search("Held")) == 3
    done("-d", path, "append", "--title", "Afterwards", "--occurred", "2025")
    assert occurrences(path) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO scrub_pending VALUES (1)",
        "INSERT INTO scrub_pending VALUES (1000)",
        "INSERT OR REPLACE INTO scrub_pending VALUES (1)",
        "UPDATE scrub_pending SET seq = 1",
    ],
)
def test_the_mark_names_an_erasure_and_does_not_change(
    timeline: Timeline, path: Path, named: str, statement: str
) -> None:
    killed(path, named)
    with connected(path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


# --- What is refused --------------------------------------------------------------------------


def test_what_says_what_the_log_is_is_said_anew_before_it_is_erased(
    timeline: Timeline, path: Path
) -> None:
    timeline_id = log_opened(path)
    with pytest.raises(Refused, match="#0"):
        erase(path, timeline_id)
    refused = one_line(run("-d", path, "erase", "#0", "--reason", "r"))
    assert "say it anew first" in refused
    about = {"contact": "mara.k@example.org", "title": "Mara's story", "time_zone": "Europe/Kyiv"}
    timeline.about(**about)
    timeline.about(contact="desk@example.org", title="A story")
    erase(path, *(newest_but_one(path), timeline_id))
    assert b"mara.k" not in path.read_bytes()
    assert (timeline.info["contact"], timeline.info["time_zone"]) == (
        "desk@example.org",
        "Europe/Kyiv",
    )
    assert verify.verify(path).findings == []


def newest_but_one(path: Path) -> str:
    with connected(path) as connection:
        entry = log.entry_at(connection, log.size(connection) - 2)
        assert entry is not None
        return entry.id


def log_opened(path: Path) -> str:
    with connected(path) as connection:
        entry = log.entry_at(connection, 0)
        assert entry is not None
        return entry.id


def test_an_erasure_of_several_is_all_or_nothing(
    timeline: Timeline, path: Path, named: str
) -> None:
    for other, error in ((log_opened(path), Refused), ("nobody", NotFound)):
        with pytest.raises(error):
            erase(path, named, other)
    assert timeline.get("secret")["title"] == WORDS["title"]
    assert verify.verify(path).erased == 0


def test_a_reason_is_required_and_must_not_repeat_the_words(
    timeline: Timeline, path: Path, secret: int, named: str
) -> None:
    for reason in ("about ZENOBIA Quillfeather", "Zyxomma was seen", None, ""):
        with connected(path) as connection, pytest.raises(InvalidInput) as caught:
            erasure.erase(connection, str(path), [named], Said(reason=reason))
        assert caught.value.field == "reason"
    command = ("-d", path, "erase", f"#{secret}", "--reason")
    assert 'reason: repeats "the Xerus"' in one_line(run(*command, "for the Xerus"))
    assert run("-d", path, "erase", f"#{secret}").exit_code == 2
    assert verify.verify(path).erased == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log SET payload = NULL, salt = NULL WHERE seq = 3",
        "UPDATE log SET payload = '{}' WHERE seq = 3",
        "UPDATE log SET payload = NULL, salt = NULL, envelope = '' WHERE seq = 1",
        "DELETE FROM log WHERE seq = 1",
    ],
)
def test_every_other_update_still_fails(
    timeline: Timeline, path: Path, named: str, statement: str
) -> None:
    erase(path, named)
    with connected(path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_the_reason_of_an_erasure_can_be_erased_too(
    timeline: Timeline, path: Path, named: str
) -> None:
    first = erase(path, named).receipts[0]
    done("-d", path, "erase", first.entry_id, "--reason", "It named somebody")
    assert occurrences(path, ("A court said so",)) == {}
    with connected(path) as connection:
        entry = log.entry_by_id(connection, first.entry_id)
    assert entry is not None
    assert entry.payload is None
    assert verify.verify(path).findings == []


# --- The command ------------------------------------------------------------------------------


def test_it_lists_where_the_same_words_still_stand(timeline: Timeline, path: Path) -> None:
    timeline.record({"event_id": "first", "title": "Zyxomma was seen", "occurred": "2025"})
    timeline.update("first", {"note": "A remark"})
    timeline.record(
        {
            "event_id": "other",
            "title": "Other",
            "occurred": "2025",
            "participants": [{"name": 'Zenobia "Z" Quill'}],
        }
    )
    timeline.correct("other", {"title": "Another"}, reason="why")
    printed = done("-d", path, "erase", "first@1", "--reason", "A court", "--json")
    assert json.loads(printed)["elsewhere"] == [{"text": "Zyxomma was seen", "places": ["#2"]}]
    printed = done("-d", path, "erase", "#3", "--reason", "A court")
    assert printed.startswith("erased  #3  by entry 6\n")
    assert 'Zenobia "Z" Quill  #4' in printed
    assert "Copies that were made before" in printed


def test_an_event_of_several_versions_is_not_erased_by_its_id(
    timeline: Timeline, path: Path
) -> None:
    event_id = timeline.record({"title": "One", "occurred": "2025"}).id
    timeline.update(event_id, {"title": "Two"})
    refused = one_line(run("-d", path, "erase", event_id, "--reason", "A court"))
    assert "2 versions" in refused
    assert "#1 #2" in refused
    only = timeline.record({"title": "Only", "occurred": "2025"}).id
    done("-d", path, "erase", only, "--reason", "A court")
    one_line(run("-d", path, "erase", "nobody", "--reason", "A court"))
    one_line(run("-d", path, "erase", "#99", "--reason", "A court"))
