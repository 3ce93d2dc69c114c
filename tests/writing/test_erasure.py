"""What was erased is nowhere, what was proved still holds, and only this path may do it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import done, one_line, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidInput, NotFound, Refused
from timeline.model.content import Said
from timeline.proof import checkpoints, verify
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Proof
from timeline.store import log, storage
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
    monkeypatch.setattr(erasure, "_PATIENCE", 200)
    command = ("-d", path, "erase", f"#{secret}", "--reason", "A court said so")
    with reading(path):
        refused = one_line(run(*command))
        assert "another program is still reading old pages" in refused
        assert "run it again" in refused
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


# --- What is refused --------------------------------------------------------------------------


def test_what_says_what_the_log_is_cannot_be_erased(timeline: Timeline, path: Path) -> None:
    timeline_id = log_opened(path)
    with pytest.raises(Refused, match="#0"):
        erase(path, timeline_id)
    assert "cannot be erased" in one_line(run("-d", path, "erase", "#0", "--reason", "r"))


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
