"""A log out in wire form and in again: the same bytes and root, or one line and nothing."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import Operation, begin, erase, stories, tell
from running import CHECKOUT, PROGRAM, done, environment, one_line, run
from tables import derived, everything
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.errors import (
    ClockBehind,
    InvalidInput,
    IsMirror,
    Refused,
    StoreError,
    TimelineError,
    TooNew,
    Unfinished,
)
from timeline.intake.restore import Restored, restore
from timeline.model.content import Said
from timeline.proof.verify import verify
from timeline.reading import entries
from timeline.reading.as_of import AsOf
from timeline.store import codec, log, mirror, scrub, storage
from timeline.store.mirror import Mirror
from timeline.writing import erasure

GOLDEN = CHECKOUT / "tests" / "golden"

Wire = dict[str, Any]


def exported(path: Path, as_of: AsOf = AsOf()) -> list[str]:  # noqa: B008 - it is immutable
    """The log in wire form, line by line."""
    with contextlib.closing(storage.connect(path)) as connection:
        return [codec.to_wire(entry) for entry in entries.read(connection, as_of=as_of)]


def packed(lines: list[str]) -> io.BytesIO:
    return io.BytesIO("".join(f"{line}\n" for line in lines).encode())


def restored(path: Path, lines: list[str]) -> Restored:
    """What comes of lines that must be right; of the file, nothing is wrong."""
    found = restore(path, packed(lines))
    report = verify(path)
    assert report.findings == []
    assert (report.size, report.root) == (found.size, found.root)
    assert exported(path) == lines
    return found


def refusal(path: Path, lines: list[str], **settings: Any) -> TimelineError:
    """Why lines are not taken; a file that is there holds whole batches, one that is not is not."""
    before = exported(path) if path.exists() else None
    with pytest.raises(TimelineError) as caught:
        restore(path, packed(lines), **settings)
    if before is None:
        assert [*path.parent.glob(f"*{path.name}*")] == []
    else:
        after = exported(path)
        assert after[: len(before)] == before
        assert verify(path).findings == []
    assert "\n" not in str(caught.value)
    return caught.value


def made(fields: Wire, payload: Wire | None, *, salt: bytes = b"s" * 16) -> str:
    """A line of an export whose hash holds, whatever it says."""
    text = (
        None if payload is None else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    )
    hashed = {} if text is None else {"payload_hash": codec.payload_hash(salt, text)}
    envelope = json.dumps({**fields, **hashed}, ensure_ascii=False, separators=(",", ":"))
    line = {
        "envelope": envelope,
        "salt": None if text is None else salt.hex(),
        "payload": text,
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def unmade(line: str) -> tuple[Wire, Wire | None]:
    """Envelope and payload of a line."""
    found = json.loads(line)
    payload = found["payload"]
    return json.loads(found["envelope"]), None if payload is None else json.loads(payload)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    return folder / "copy.db"


# --- A copy -------------------------------------------------------------------------------


def test_a_copy_has_the_same_bytes_the_same_root_and_the_same_tables(
    story: Path, copy: Path
) -> None:
    found = restored(copy, exported(story))
    assert (found.size, found.added, found.root) == (64, 64, verify(story).root)
    mine, theirs = everything(copy), everything(story)
    for table in ("source_texts", "checkpoints", "publications"):
        assert mine.pop(table) == []
        theirs.pop(table)
    assert mine == theirs


def test_the_golden_log_is_taken_in_with_its_root(copy: Path) -> None:
    with (GOLDEN / "v1.jsonl").open("rb") as file:
        found = restore(copy, file)
    assert found.root.hex() == (GOLDEN / "v1.root").read_text(encoding="ascii").strip()
    assert verify(copy).findings == []


def test_what_the_command_exports_is_taken_in_plain_and_packed(story: Path, copy: Path) -> None:
    target = copy.with_name("log.jsonl")
    done("-d", story, "export", "jsonl", "-o", target)
    assert target.read_bytes() == packed(exported(story)).read()
    for name, content in {
        "plain": target.read_bytes(),
        "packed": gzip.compress(target.read_bytes()),
        "in two members": gzip.compress(target.read_bytes()[:999])
        + gzip.compress(target.read_bytes()[999:]),
        "without its last line feed": target.read_bytes()[:-1],
    }.items():
        path = copy.with_name(f"{name}.db")
        assert restore(path, io.BytesIO(content)).root == verify(story).root


def test_what_others_wrote_is_in_the_copy_as_they_wrote_it(timeline: Timeline, copy: Path) -> None:
    words = {"b": " two  blanks ", "a": "\t tab", "Спальня/~": "=1+1"}
    timeline.record({"event_id": "e-1", "title": "T", "occurred": "2025", "extra": {"csv": words}})
    restored(copy, exported(timeline.path))
    with Timeline.open(copy) as mine:
        assert mine.get("e-1")["extra"] == timeline.get("e-1")["extra"]


def test_texts_that_are_not_in_the_copy_are_counted_and_can_be_captured(
    timeline: Timeline, copy: Path
) -> None:
    timeline.capture("The text.", {"source_id": "paper", "url": "https://example.org/a"})
    timeline.record({"title": "T", "occurred": "2025", "citations": [{"source_id": "paper"}]})
    found = restored(copy, exported(timeline.path))
    assert (found.texts_absent, verify(copy).texts_absent) == (1, 1)
    with Timeline.open(copy) as mine:
        assert mine.text("paper") is None
        assert mine.capture("The text.", {"source_id": "paper"}).unchanged
        assert mine.text("paper") == "The text."
    assert restored(copy, exported(timeline.path)).texts_absent == 0


def test_proofs_and_checkpoints_of_a_log_hold_against_its_copy(
    timeline: Timeline, copy: Path, tmp_path: Path
) -> None:
    path, key, note, proof = (
        timeline.path,
        *(tmp_path / name for name in ("key", "note", "proof")),
    )
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    vkey = done("-d", path, "keygen", key).split()[-1]
    note.write_text(done("-d", path, "checkpoint", "--key", key), encoding="utf-8")
    done("-d", path, "prove", "talks", "-o", proof)
    timeline.update("talks", {"tags.-": "later"})
    restored(copy, exported(path))
    done("-d", copy, "verify", "--checkpoint", note, "--key", vkey)
    holds = json.loads(done("-d", copy, "verify", proof, "--key", vkey, "--json"))
    with contextlib.closing(storage.connect(copy)) as connection:
        assert log.root_at(connection, holds["size"]).hex() == log_root(path, holds["size"])
        entry = log.entry_at(connection, holds["seq"])
    assert entry is not None
    assert (entry.id, entry.subject) == (holds["id"], "event/talks")


def log_root(path: Path, size: int) -> str:
    with contextlib.closing(storage.connect(path)) as connection:
        return log.root_at(connection, size).hex()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories, st.data())
def test_every_story_survives_export_and_import_in_any_two_parts(
    tmp_path_factory: pytest.TempPathFactory, story: list[list[Operation]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("story")
    path, copy = folder / "timeline.db", folder / "copy.db"
    with Timeline.create(path, title="T", now=TickingClock()) as timeline:
        begin(timeline)
        for operations in story:
            tell(timeline, operations)
    lines = exported(path)
    ends = [
        seq + 1
        for seq, (line, after) in enumerate(itertools.pairwise([*map(unmade, lines), ({}, None)]))
        if line[0]["recorded_at"] != after[0].get("recorded_at")
    ]
    first = data.draw(st.sampled_from(ends))
    restored(copy, lines[:first])
    found = restored(copy, lines)
    assert found.added == len(lines) - first
    assert derived(copy) == derived(path)


def test_transactions_end_with_batches(
    timeline: Timeline, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.intake.restore.TAKEN_AT_ONCE", 3)
    for size in (1, 5, 2, 2, 7, 1):
        timeline.record([{"title": "T", "occurred": "2025"} for _ in range(size)])
    lines = exported(timeline.path)
    restored(copy, lines[:1])
    fields, payload = unmade(lines[-2])
    assert payload is not None
    wrong = [*lines[:-2], made(fields, {**payload, "title": ""})]
    assert refusal(copy, wrong).line == 18
    assert len(exported(copy)) == 11  # 1, then 1 + 5, then 2 + 2
    assert restored(copy, lines).added == 8


def test_an_interrupted_run_is_run_again_without_duplicates(
    timeline: Timeline, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.intake.restore.TAKEN_AT_ONCE", 3)
    for _ in range(20):
        timeline.record({"title": "T", "occurred": "2025"})
    lines = exported(timeline.path)

    def interrupt(count: int) -> None:
        if count == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(copy, packed(lines), progress=interrupt)
    assert [*copy.parent.iterdir()] == []
    restored(copy, lines[:2])
    with pytest.raises(KeyboardInterrupt):
        restore(copy, packed(lines), progress=interrupt)
    assert 2 < len(exported(copy)) < 10
    restored(copy, lines)
    assert restored(copy, lines).added == 0


# --- A mirror -----------------------------------------------------------------------------


def test_a_mirror_follows(timeline: Timeline, copy: Path) -> None:
    for title in ("One", "Two", "Three"):
        timeline.record({"title": title, "occurred": "2025"})
        assert restored(copy, exported(timeline.path)).added == (2 if title == "One" else 1)
    with Timeline.open(copy) as mine:
        assert [row["title"] for row in mine.list()] == ["One", "Two", "Three"]


def test_nobody_appends_to_a_mirror_unasked(timeline: Timeline, copy: Path) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    lines = exported(timeline.path)
    restored(copy, lines)
    words = ("--title", "Mine", "--occurred", "2025")
    for command in (
        ("append", *words),
        ("append", "--dry-run", *words),
        ("update", "one", "--set", "title=Mine"),
        ("retract", "one", "--reason", "No."),
        ("erase", "#1", "--reason", "An order"),
        ("actor", "add", "Somebody"),
    ):
        message = one_line(run("-d", copy, *command))
        assert "is a mirror of example.org/story" in message
        assert "--fork" in message
    with Timeline.open(copy) as mine, pytest.raises(IsMirror) as caught:
        mine.record({"title": "Mine", "occurred": "2025"})
    assert caught.value.origin == "example.org/story"
    assert exported(copy) == lines
    timeline.record({"event_id": "two", "title": "Two", "occurred": "2025"})
    assert restored(copy, exported(timeline.path)).added == 1
    doctor = json.loads(done("-d", copy, "doctor", "--json"))
    (said,) = [finding["says"] for finding in doctor if finding["about"] == "mirror"]
    assert "of example.org/story, kept in step by import jsonl since" in said


def test_a_mirror_that_is_forked_is_a_log_of_its_own(timeline: Timeline, copy: Path) -> None:
    restored(copy, exported(timeline.path))
    with Timeline.open(copy, fork=True) as mine, mine.append(dry_run=True) as append:
        append.record({"title": "Mine", "occurred": "2025"})
    one_line(run("-d", copy, "append", "--title", "Mine", "--occurred", "2025"))
    done("-d", copy, "append", "--title", "Mine", "--occurred", "2025", "--fork")
    done("-d", copy, "append", "--title", "More", "--occurred", "2025")
    assert mirror_of(copy) is None
    done("-d", copy, "verify")
    timeline.record({"title": "Two", "occurred": "2025"})
    assert "entry 1 is another one" in str(refusal(copy, exported(timeline.path)))
    assert mirror_of(timeline.path) is None


def mirror_of(path: Path) -> Mirror | None:
    with contextlib.closing(storage.connect(path)) as connection:
        return mirror.mirror_of(connection)


def test_a_mirror_forgets_what_was_erased_to_the_last_byte(
    timeline: Timeline, copy: Path, path: Path
) -> None:
    text = "The witness is called Nemo Nemirovich."
    timeline.capture(text, {"source_id": "paper", "title": "P"})
    said = timeline.record(
        {
            "event_id": "talks",
            "title": "Nemo Nemirovich talks",
            "occurred": "2025",
            "external_ids": ["case:1"],
        }
    )
    restored(copy, exported(path))
    with Timeline.open(copy) as mirror:
        mirror.capture(text, {"source_id": "paper"})
    assert b"Nemirovich" in copy.read_bytes()
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        (source,) = (entry for entry in log.read(connection) if entry.kind == "source.recorded")
        erasure.erase(
            connection,
            str(path),
            [said.entry_id, source.id],
            Said(reason="a court order"),
            now=timeline._now,
        )
    # Its external id is free again, and somebody takes it.
    timeline.record({"title": "Other", "occurred": "2025", "external_ids": ["case:1"]})
    lines = exported(path)
    assert restored(copy, lines).added == 3
    assert derived(copy) == derived(path)
    held = b"".join(file.read_bytes() for file in copy.parent.iterdir())
    assert b"Nemirovich" not in held
    with Timeline.open(copy) as mirror:
        assert mirror.text("paper") is None
    restored(copy.with_name("another.db"), lines)


def test_a_mirror_that_is_read_meanwhile_says_how_to_finish_an_erasure(
    timeline: Timeline, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub, "_PATIENCE", 200)
    timeline.record({"event_id": "talks", "title": "Nemo Nemirovich talks", "occurred": "2025"})
    restored(copy, exported(timeline.path))
    erase(timeline.path, 1)
    lines = exported(timeline.path)
    with contextlib.closing(storage.connect(copy)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM log").fetchone()
        with pytest.raises(Unfinished) as caught:
            restore(copy, packed(lines))
    assert str(caught.value).endswith(
        "still reading or writing): the next command that writes finishes it"
    )
    assert exported(copy) == lines
    done("-d", copy, "rebuild")
    assert exported(copy) == lines
    assert b"Nemirovich" not in b"".join(file.read_bytes() for file in copy.parent.iterdir())


def test_an_id_that_is_free_by_an_update_which_was_erased_is_free_in_the_copy(
    timeline: Timeline, copy: Path
) -> None:
    timeline.record({"event_id": "one", "title": "T", "occurred": "2025", "external_ids": ["x:1"]})
    timeline.update("one", {"external_ids": None})
    timeline.record({"event_id": "two", "title": "T", "occurred": "2025", "external_ids": ["x:1"]})
    erase(timeline.path, 2)
    restored(copy, exported(timeline.path))


def test_an_erasure_that_comes_much_later_is_of_one_transaction_with_what_it_excuses(
    timeline: Timeline, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.intake.restore.TAKEN_AT_ONCE", 1)
    for _ in range(5):
        timeline.record({"title": "T", "occurred": "2025"})
    erase(timeline.path, 2)
    lines = exported(timeline.path)
    restored(copy, lines[:2])
    error = refusal(copy, lines[:-1])
    assert str(error) == (
        "line 3: payload: is absent, and no later entry.erased of this export says why"
    )
    assert len(exported(copy)) == 2
    restored(copy, lines)


def test_another_log_is_refused_by_the_first_entry_that_differs(
    timeline: Timeline, copy: Path, tmp_path: Path
) -> None:
    timeline.record({"title": "One", "occurred": "2025"})
    restored(copy, exported(timeline.path))
    with Timeline.open(copy, fork=True) as mine:
        mine.record({"title": "My own", "occurred": "2025"})
    timeline.record({"title": "Two", "occurred": "2025"})
    error = refusal(copy, exported(timeline.path))
    assert isinstance(error, Refused)
    assert str(error) == f"line 3: entry 2 is another one in {copy}: nothing was added"
    other = tmp_path / "other.db"
    with Timeline.create(other, title="Another"):
        pass
    assert "entry 0 is another one" in str(refusal(other, exported(timeline.path)))


def test_an_export_that_is_older_than_the_file_is_refused(timeline: Timeline, copy: Path) -> None:
    timeline.record([{"title": "T", "occurred": "2025"} for _ in range(3)])
    lines = exported(timeline.path)
    restored(copy, lines)
    assert str(refusal(copy, [])) == "line 1: holds no entry"
    error = refusal(copy, lines[:2])
    assert str(error) == (
        f"{copy} has 4 entries, and the export ends with its entry 1: there is nothing to add"
    )


def test_a_file_that_is_no_timeline_is_left_alone(story: Path, copy: Path) -> None:
    copy.write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError):
        restore(copy, packed(exported(story)))
    assert copy.read_text(encoding="utf-8") == "mine"


# --- What is wrong ------------------------------------------------------------------------

EVENT: Wire = {"title": "T", "occurred": "2025"}
SOURCE: Wire = {"title": "S"}


def told() -> list[tuple[Wire, Wire | None]]:
    """A small log, to be made wrong in one place: what each entry is and says."""
    stated: list[tuple[str, str, int, str | None, Wire]] = [
        ("log.opened", "log", 1, None, {"origin": "example.org/o", "title": "T"}),
        ("source.recorded", "source/paper", 1, None, SOURCE),
        ("event.recorded", "event/one", 1, "2025-04-15", {**EVENT, "external_ids": ["a:1"]}),
        ("event.recorded", "event/two", 1, "2025-04-15", EVENT),
        ("event.updated", "event/two", 2, None, {**EVENT, "modality": "planned"}),
        ("event.merged", "event/two", 3, None, {"into": "one"}),
        ("actor.recorded", "actor/nato", 1, None, {"name": "NATO"}),
    ]
    return [
        (
            {
                "v": 1,
                "id": f"entry-{seq}",
                "kind": kind,
                "subject": subject,
                "version": version,
                "recorded_at": f"2025-04-15T10:00:{seq // 2:02d}.000000Z",
                "reported_at": reported_at,
                "payload_hash": f"sha256:{'0' * 64}",
            },
            payload,
        )
        for seq, (kind, subject, version, reported_at, payload) in enumerate(stated)
    ]


def lines_of(entries: list[tuple[Wire, Wire | None]]) -> list[str]:
    return [made(*entry) for entry in entries]


def test_the_small_log_is_right_as_it_is(copy: Path) -> None:
    restored(copy, lines_of(told()))


@pytest.mark.parametrize(
    ("seq", "envelope", "message"),
    [
        (0, {"kind": "log.updated"}, "envelope.kind: a log begins with log.opened, once"),
        (1, {"kind": "log.opened", "subject": "log", "version": 2}, "envelope.kind: a log begins"),
        (2, {"id": "entry-1"}, "envelope.id: is the id of entry 1 already"),
        (2, {"version": 2}, "envelope.version: must be 1, the next of event/one"),
        (4, {"version": 3}, "envelope.version: must be 2, the next of event/two"),
        (4, {"kind": "event.recorded"}, "envelope.kind: must be event.recorded in version 1"),
        (2, {"kind": "event.updated"}, "envelope.kind: must be event.recorded in version 1"),
        (2, {"reported_at": None}, "envelope.reported_at: is required of event.recorded"),
        (2, {"recorded_at": "2025-04-15T09:59:59.999999Z"}, "envelope.recorded_at: lies before"),
        (2, {"v": 2}, "envelope.v: must be 1 for what the payload says"),
        (2, {"v": 3}, "entry 2: is of format 3"),
        (3, {"subject": "source/two"}, "envelope.kind: must be one of source.recorded"),
    ],
)  # fmt: skip
def test_an_envelope_that_is_wrong_is_named_by_line_and_field(
    seq: int, envelope: Wire, message: str, copy: Path
) -> None:
    entries = told()
    fields, payload = entries[seq]
    entries[seq] = {**fields, **envelope}, payload
    error = refusal(copy, lines_of(entries))
    assert str(error).startswith(f"line {seq + 1}: {message}")


@pytest.mark.parametrize(
    ("seq", "payload", "message"),
    [
        (0, {"title": "T"}, "payload.origin: is required"),
        (0, {"origin": "o", "title": "T", "time_zone": "Mars/Base"}, "payload.time_zone: "),
        (1, {}, "payload"),
        (1, {"title": 5}, "payload.title: must be text"),
        (1, {"source_id": "paper", "title": "S"}, "payload.source_id: is not in the form"),
        (2, {"title": "T"}, "payload.occurred: is required"),
        (2, {"title": "T", "occurred": "04/05/2025"}, "payload.occurred: "),
        (2, {"title": "T", "occurred": "15 April 2025"}, "payload.occurred: is not in the form"),
        (2, {"occurred": "2025", "title": "T"}, "payload: is not in the form"),
        (2, {**EVENT, "note": ""}, "payload.note: is not in the form"),
        (2, {**EVENT, "modality": "actual"}, "payload.modality: is not in the form"),
        (2, {**EVENT, "place": {"country": "Ukraine"}}, "payload.place: is not in the form"),
        (2, {**EVENT, "colour": "red"}, "payload.colour: is not a field"),
        (2, {**EVENT, "author": 5}, "payload.author: must be text"),
        (2, {"author": "", **EVENT}, "payload.author: is not in the form"),
        (2, {**EVENT, "author": "mk"}, "payload: is not in the form"),
        (2, {**EVENT, "relations": [{"type": "follows", "event_id": "one"}]},
         "payload.relations.0.event_id: an event cannot relate to itself"),
        (2, {**EVENT, "relations": [{"type": "follows", "event_id": "nowhere"}]},
         'payload.relations.0.event_id: there is no event "nowhere" up to the end of its batch'),
        (3, {**EVENT, "citations": [{"source_id": "gone"}]},
         'payload.citations.0.source_id: there is no source "gone" before it'),
        (3, {**EVENT, "citations": [{"source": {"title": "S"}}]},
         "payload.citations.0.source_id: is required"),
        (3, {**EVENT, "quantities": [
            {"measure": "killed", "value": "1", "unit": "person", "source_ids": ["gone"]}]},
         "payload.quantities.0.source_ids: there is no source"),
        (3, {**EVENT, "external_ids": ["a:1"]}, "payload.external_ids: a:1 belongs to event one"),
        (4, {**EVENT, "external_ids": ["a:1"]}, "payload.external_ids: a:1 belongs to event one"),
        (5, {"into": "nowhere"}, 'no event "nowhere"'),
        (5, {"into": "two"}, "event two leads back to two: a merge cannot go in a circle"),
        (5, {}, "payload.into: is required"),
        (6, {"aliases": ["Nato"]}, "payload.name: is required"),
    ],
)  # fmt: skip
def test_a_payload_that_is_wrong_is_named_by_line_and_field(
    seq: int, payload: Wire, message: str, copy: Path
) -> None:
    entries = told()
    entries[seq] = entries[seq][0], payload
    error = refusal(copy, lines_of(entries))
    assert str(error).startswith(f"line {seq + 1}: {message}")


def entry(seq: int, kind: str, subject: str, payload: Wire | None, version: int = 1) -> Any:
    fields, _ = told()[1]
    changed = {"id": f"more-{seq}", "kind": kind, "subject": subject, "version": version}
    return {**fields, **changed, "recorded_at": "2025-04-15T10:00:09.000000Z"}, payload


@pytest.mark.parametrize(
    ("added", "line", "message"),
    [
        ([entry(7, "event.retracted", "event/one", {}, 2)], 8, "payload.reason: is required"),
        ([entry(7, "event.retracted", "event/one", {"reason": "R", "title": "T"}, 2)], 8,
         "payload.title: is not a field"),
        ([entry(7, "entry.erased", "entry/nothing", {"reason": "R"})], 8,
         'envelope.subject: there is no entry "nothing" before it'),
        ([entry(7, "entry.erased", "entry/entry-3", {"reason": "R"})], 8,
         "envelope.subject: entry 3, which it erases, has its payload still"),
        ([entry(7, "source.updated", "source/paper", None, 2)], 8,
         "payload: is absent, and no later entry.erased"),
        ([entry(7, "log.updated", "log", None, 2)], 8,
         "payload: is absent, and no later entry.erased"),
        ([entry(7, "log.updated", "log", None, 2),
          entry(8, "entry.erased", "entry/more-7", {"reason": "R"})], 8,
         "payload: says what the log is"),
        ([entry(7, "log.updated", "log", {"origin": "elsewhere", "title": "T"}, 2)], 8,
         "payload.origin: cannot change"),
        ([entry(7, "actor.recorded", "actor/rutte", {"name": "Rutte"}),
          entry(8, "actor.merged", "actor/rutte", {"into": "nato"}, 2),
          entry(9, "actor.merged", "actor/nato", {"into": "rutte"}, 2)], 10,
         "actor rutte leads back to nato"),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_follow_is_named_by_line_and_field(
    added: list[Any], line: int, message: str, copy: Path
) -> None:
    error = refusal(copy, lines_of([*told(), *added]))
    assert str(error).startswith(f"line {line}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: holds no entry"),
        (b"\n", "line 1: is not JSON: Expecting value at character 1"),
        (b"\xef\xbb\xbf{}", "line 1: is not JSON"),
        (b"{}", "line 1: must be an object with envelope, salt and payload"),
        (b"\xff\xfe", "line 1: is not UTF-8"),
        (b"\x1f\x8b", "line 1: cannot be unpacked: "),
        (b"\x1f\x8bnonsense", "line 1: cannot be unpacked: "),
        (b"[" * 13 * 2**20, "line 1: is longer than 12 MiB"),
        (b"[" * 2**20, "line 1: is nested too deeply"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_export_is_refused_in_one_line(content: bytes, message: str, copy: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        restore(copy, io.BytesIO(content))
    assert str(caught.value).startswith(message)
    assert [*copy.parent.iterdir()] == []


def test_a_stream_that_is_cut_off_leaves_nothing(story: Path, copy: Path) -> None:
    content = packed(exported(story)).read()
    for cut in (content[: len(content) // 2], gzip.compress(content)[:-20]):
        with pytest.raises(InvalidInput):
            restore(copy, io.BytesIO(cut))
        assert [*copy.parent.iterdir()] == []


def test_a_log_that_is_ahead_of_the_clock_here_is_refused(copy: Path) -> None:
    def at(second: int) -> Callable[[], datetime]:
        return lambda: datetime(2025, 4, 15, 9, 59, second, tzinfo=UTC)

    error = refusal(copy, lines_of(told()), now=at(2))
    assert isinstance(error, ClockBehind)
    assert str(error).startswith("line 7: the newest entry was recorded at 2025-04-15T10:00:03")
    restore(copy, packed(lines_of(told())), now=at(3))


def test_an_export_with_filters_is_not_taken_as_a_log(story: Path, copy: Path) -> None:
    lines = done("-d", story, "export", "jsonl", "--type", "assault").splitlines()
    assert "an export with filters is part of one" in str(refusal(copy, lines))


def test_a_newer_format_is_said_to_be_newer(copy: Path) -> None:
    entries = told()
    entries[3][0]["v"] = 3
    assert isinstance(refusal(copy, lines_of(entries)), TooNew)


_names = st.sampled_from(
    ("title", "name", "occurred", "source_id", "citations", "place", "lat", "into", "relations",
     "event_id", "type", "quantities", "value", "measure", "unit", "participants", "extra")
)  # fmt: skip
_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "T", "2025", "paper"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_put_into_an_export_is_taken_as_a_right_log_or_refused_in_a_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    entries = told()
    seq = data.draw(st.sampled_from(range(len(entries))))
    fields, payload = entries[seq]
    changed = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "kind": st.sampled_from([kind for kinds in codec.KINDS.values() for kind in kinds]),
                "subject": st.sampled_from(["log", "event/one", "source/paper", "entry/entry-2"]),
                "version": st.integers(1, 3),
                "id": st.sampled_from(["entry-0", "entry-5", "other"]),
                "reported_at": st.sampled_from([None, "2025-04-15", "2025-04-15T10:00Z"]),
            },
        )
    )
    more = data.draw(st.none() | st.dictionaries(_names, _junk, max_size=3))
    said = None if more is None else {**(payload or {}), **more}
    entries[seq] = {**fields, **changed}, said
    path = tmp_path_factory.mktemp("junk") / "copy.db"
    with contextlib.suppress(TimelineError):
        restore(path, packed(lines_of(entries)))
    if path.exists():
        assert verify(path).findings == []
    else:
        assert str(refusal(path, lines_of(entries))).startswith("line ")


def test_a_pipe_is_read_as_it_comes(story: Path, copy: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "-d", str(story), "export", "jsonl"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
    ) as export:
        assert export.stdout
        found = restore(copy, export.stdout)
    assert (export.returncode, found.size) == (0, 64)


# --- Somebody else at the same file -------------------------------------------------------


def test_who_appends_to_a_copy_meanwhile_has_made_it_another_log(
    timeline: Timeline, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timeline.intake.restore.TAKEN_AT_ONCE", 1)
    for _ in range(9):
        timeline.record({"title": "T", "occurred": "2025"})
    lines = exported(timeline.path)
    restored(copy, lines[:2])
    immediate, entered = storage.immediate, itertools.count()

    def preceded(connection: sqlite3.Connection) -> contextlib.AbstractContextManager[None]:
        if next(entered) == 2:
            with Timeline.open(copy, fork=True) as somebody:
                somebody.record({"title": "My own", "occurred": "2025"})
        return immediate(connection)

    monkeypatch.setattr(storage, "immediate", preceded)
    error = refusal(copy, lines)
    assert str(error) == "line 5: somebody else appends to this file: it is no copy any more"
    assert len(exported(copy)) == 5


# --- From Python --------------------------------------------------------------------------


def test_a_copy_is_made_from_python_too(story: Path, copy: Path) -> None:
    with Timeline.restore(copy, packed(exported(story))) as mine, Timeline.open(story) as theirs:
        assert mine.list() == theirs.list()
