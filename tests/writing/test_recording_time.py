"""A clock that leapt is asked about before it locks a log; a log that is ahead can be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pexpect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import PROGRAM, done, entries, environment, one_line, process, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import ClockBehind, ClockLeapt, InvalidInput, Refused
from timeline.proof import verify

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
EVENT = {"event_id": "talks", "title": "Talks in Odesa", "occurred": "2025-04-15"}
NEW = ("append", "--title", "More talks", "--occurred", "2025")


def _set_changed_at(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def _quiet(path: Path, silence: timedelta) -> Path:
    """A log that nobody has written for a while, by the clock of this machine."""
    then = datetime.now(UTC) - silence
    with Timeline.create(path, title="Quiet", now=lambda: then) as timeline:
        timeline.record(EVENT)
    _set_changed_at(path, then)
    return path


def _ahead(path: Path, span: timedelta = YEAR) -> Path:
    """A log that was written while the clock of this machine was ahead."""
    then = datetime.now(UTC) + span
    with Timeline.create(path, title="Ahead", now=lambda: then) as timeline:
        timeline.record(EVENT)
    return path


@pytest.fixture
def quiet(path: Path) -> Path:
    return _quiet(path, YEAR)


@pytest.fixture
def ahead(path: Path) -> Path:
    return _ahead(path)


def _times(path: Path) -> list[str]:
    return [entry[5] for entry in entries(path)]


# --- A clock that seems to have leapt -----------------------------------------------------


@pytest.mark.parametrize(
    ("since_entry", "since_change", "is_refused"),
    [
        (YEAR, YEAR, True),
        (27 * HOUR, 27 * HOUR, True),
        (25 * HOUR, 25 * HOUR, False),
        (YEAR, 25 * HOUR, False),
        (25 * HOUR, YEAR, False),
        (YEAR, -HOUR, False),
    ],
)
def test_a_clock_far_ahead_of_the_newest_entry_and_of_the_file_is_refused(
    path: Path, since_entry: timedelta, since_change: timedelta, is_refused: bool
) -> None:
    now = datetime(2025, 4, 15, 12, tzinfo=UTC)
    with Timeline.create(path, title="Odesa", now=lambda: now - since_entry):
        pass
    _set_changed_at(path, now - since_change)
    before = entries(path)
    if not is_refused:
        with Timeline.open(path, now=lambda: now) as timeline:
            timeline.record(EVENT)
        return
    for _ in range(2):  # A refusal leaves the next one as it is.
        with Timeline.open(path, now=lambda: now) as timeline, pytest.raises(ClockLeapt) as caught:
            timeline.record(EVENT)
    with Timeline.open(path, now=lambda: now) as timeline:
        assert caught.value.last == before[-1][5]
        assert caught.value.now == "2025-04-15T12:00:00.000000Z"
        assert caught.value.days == since_entry.days
        assert entries(path) == before
        timeline.trust_clock = True
        assert timeline.record(EVENT).recorded_at == "2025-04-15T12:00:00.000000Z"
        timeline.trust_clock = False
        timeline.update("talks", {"note": "n"})


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from timeline import Timeline
then = datetime.fromisoformat(sys.argv[2])
timeline = Timeline.open(sys.argv[1], now=lambda: then)
timeline.record({"title": "The last words", "occurred": "2025"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_refusal_stays_one_when_the_last_writer_was_killed(path: Path) -> None:
    then = datetime.now(UTC) - YEAR
    with Timeline.create(path, title="Killed", now=lambda: then):
        pass
    subprocess.run(
        [sys.executable, "-c", KILLED, str(path), then.isoformat()],
        env=environment(),
        check=False,
    )
    assert path.with_name(f"{path.name}-wal").stat().st_size
    _set_changed_at(path, then)
    for _ in range(3):
        with Timeline.open(path) as timeline, pytest.raises(ClockLeapt):
            timeline.record(EVENT)
    assert len(entries(path)) == 2


def test_without_a_terminal_it_is_one_line_that_says_what_to_do(quiet: Path) -> None:
    before = entries(quiet)
    said = one_line(process("-d", quiet, *NEW, cwd=quiet.parent, stdin=subprocess.DEVNULL))
    assert "365 days after the newest entry and the last change of the file" in said
    assert "if the clock is right, write with --yes" in said
    assert "TIMELINE_TRUST_CLOCK=1" in said
    assert entries(quiet) == before


COMMANDS: list[tuple[object, ...]] = [
    NEW,
    ("update", "talks", "--set", "note=n"),
    ("correct", "talks", "--set", "note=n", "--reason", "r"),
    ("retract", "talks", "--reason", "r"),
    ("merge", "talks", "--into", "other"),
    ("reinstate", "gone"),
    ("capture", "text.txt", "--id", "paper"),
    ("annotate", "here", "--sentence", "1", "--why", "w"),
    ("withdraw", "here", "--reason", "r"),
    ("actor", "add", "NATO"),
    ("actor", "alias", "ukraine", "UA"),
    ("actor", "merge", "ukraine", "--into", "kyiv"),
    ("sync", "sheet.csv"),
    ("import", "timelinejs", "slides.json"),
    ("erase", "talks", "--reason", "r"),
]
IDS = [" ".join(map(str, command[:2])) for command in COMMANDS]


def _with_everything(path: Path, now: datetime) -> None:
    """A log on which each of `COMMANDS` has something to do, and the files that they take."""
    with Timeline.create(path, title="All", now=lambda: now) as timeline:
        with timeline.append() as append:
            append.record(EVENT)
            for event_id in ("other", "gone"):
                append.record({**EVENT, "event_id": event_id})
            for actor_id in ("ukraine", "kyiv"):
                append.record_actor({"actor_id": actor_id, "name": actor_id.title()})
        timeline.capture("One sentence. Another one.", {"source_id": "here", "title": "T"})
        timeline.retract("gone", reason="r")
    folder = path.parent
    (folder / "text.txt").write_text("A text of some words.")
    (folder / "sheet.csv").write_text(
        "id,title,occurred\ntalks,Talks,2025-04-15\nother,Talks in Odesa,2025-04-15\n"
    )
    slide = {"start_date": {"year": "2025"}, "text": {"headline": "A slide"}}
    (folder / "slides.json").write_text(json.dumps({"events": [slide]}))
    _set_changed_at(path, now)


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_every_command_that_writes_minds_the_clock(
    command: tuple[object, ...], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    _with_everything(path, datetime.now(UTC) - YEAR)
    before = entries(path)
    assert "is right, write with --yes" in one_line(run("-d", path, *command))
    assert entries(path) == before
    copy = Path(shutil.copy2(path, path.with_name("copy.db")))
    done("-d", copy, *command, "--yes")
    assert len(entries(copy)) > len(before)
    done("-d", path, *command, env={"TIMELINE_TRUST_CLOCK": "1"})
    assert len(entries(path)) > len(before)


def test_trusting_the_clock_by_the_environment_accepts_no_sheet_that_lacks_many(
    quiet: Path,
) -> None:
    sheet = quiet.with_name("sheet.csv")
    sheet.write_text("id,title,occurred\nother,Others,2025\n")
    refusal = run("-d", quiet, "sync", sheet, env={"TIMELINE_TRUST_CLOCK": "1"})
    assert "1 of 1 events are not in the sheet" in one_line(refusal)


@pytest.mark.parametrize(("answer", "is_written"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_asks(quiet: Path, answer: str, is_written: bool) -> None:
    before = len(entries(quiet))
    arguments = [*PROGRAM[1:], "-d", str(quiet), *NEW]
    child = pexpect.spawn(PROGRAM[0], arguments, env=environment(), encoding="utf-8", timeout=60)
    child.expect(r"365 days after the newest\s+entry")
    child.expect(r"Is the\s+clock right\? \[y/N\]: ")
    child.sendline(answer)
    said = child.read()
    child.close()
    assert child.exitstatus == (0 if is_written else 1), said
    assert ("Error: the clock here says" in said) == (not is_written)
    assert len(entries(quiet)) == before + is_written


@pytest.mark.parametrize("event", [EVENT, {**EVENT, "event_id": "news"}], ids=["known", "new"])
def test_a_job_that_runs_every_day_and_finds_nothing_new_is_never_refused(
    path: Path, event: dict[str, str]
) -> None:
    now = datetime(2025, 4, 15, 6, tzinfo=UTC)
    with Timeline.create(path, title="Daily", now=lambda: now) as timeline:
        timeline.record(EVENT)
    _set_changed_at(path, now)
    changed_at = path.stat().st_mtime
    with Timeline.open(path, now=lambda: now + 25 * HOUR) as timeline:
        with timeline.append(dry_run=True) as append:
            append.record(event)
        with pytest.raises(InvalidInput):
            timeline.record({"title": ""})
    assert path.stat().st_mtime == changed_at
    with Timeline.open(path, now=lambda: now + 25 * HOUR) as timeline:
        timeline.record(event)
    assert path.stat().st_mtime > changed_at


# --- A log that is ahead of the clock -----------------------------------------------------


def test_a_log_that_is_ahead_says_how_it_can_be_written(ahead: Path) -> None:
    said = one_line(run("-d", ahead, *NEW))
    assert "set the clock, or, if the clock is right, write with --ahead REASON" in said
    doctor = run("-d", ahead, "doctor")
    assert doctor.exit_code == 1
    assert "problem clock" in " ".join(doctor.stdout.split())
    assert "write with --ahead REASON" in " ".join(doctor.stdout.split())
    with Timeline.open(ahead) as timeline, pytest.raises(ClockBehind):
        timeline.record(EVENT)


def test_doctor_notes_a_long_silence_and_tells_the_time(path: Path) -> None:
    _quiet(path, YEAR)
    assert "note clock the clock here says" in " ".join(done("-d", path, "doctor").split())
    done("-d", path, *NEW, "--yes")
    assert "ok clock 20" in " ".join(done("-d", path, "doctor").split())


def test_ahead_counts_on_in_microseconds_and_keeps_the_true_time(ahead: Path) -> None:
    first = datetime.now(UTC)
    before = _times(ahead)
    done("-d", ahead, *NEW, "--id", "more", "--ahead", "the clock was wrong in May")
    done("-d", ahead, "update", "more", "--set", "note=n", "--ahead", "as before")
    times = _times(ahead)
    last = datetime.fromisoformat(before[-1])
    assert [datetime.fromisoformat(each) - last for each in times[len(before) :]] == [
        timedelta(microseconds=number) for number in (1, 1, 2, 2)
    ]
    with Timeline.open(ahead) as timeline:
        event = timeline.get("more")
        history = timeline.history("more")
    # The reported clock is that of the machine: nobody reported a year from now.
    days = {(first + timedelta(days=more)).date().isoformat() for more in (0, 1)}
    assert event["reported_at"] in days
    assert [version["version"] for version in history] == [1, 2]
    reasons = _reasons(ahead)
    assert len(reasons) == 2
    assert reasons[0].endswith(": the clock was wrong in May")
    said = datetime.fromisoformat(reasons[0].partition(": ")[0].rpartition(" ")[2])
    assert first <= said <= datetime.now(UTC)
    assert verify.verify(ahead).findings == []


def _reasons(path: Path) -> list[str]:
    """The reasons of the entries that say that the log is ahead."""
    return [json.loads(entry[8])["reason"] for entry in entries(path) if entry[2] == "log.updated"]


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_every_command_can_write_a_log_that_is_ahead(
    command: tuple[object, ...], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    _with_everything(path, datetime.now(UTC) + YEAR)
    before = entries(path)
    if command[0] != "erase":
        assert "write with --ahead REASON" in one_line(run("-d", path, *command))
        assert entries(path) == before
        command = (*command, "--ahead", "it leapt")
    done("-d", path, *command)
    added = entries(path)[len(before) :]
    assert added[0][2] == "log.updated"
    assert len(added) > 1
    assert verify.verify(path).findings == []


def test_an_erasure_never_waits_for_the_clock(ahead: Path) -> None:
    done("-d", ahead, "erase", "talks", "--reason", "a court says so")
    assert b"Talks in Odesa" not in ahead.read_bytes()
    assert [entry[2] for entry in entries(ahead)][-2:] == ["log.updated", "entry.erased"]


def test_what_adds_nothing_adds_no_note_either(ahead: Path) -> None:
    before = entries(ahead)
    with Timeline.open(ahead, ahead="it leapt") as timeline:
        assert timeline.record(EVENT).unchanged
        with pytest.raises(Refused):
            timeline.update("talks", {"title": EVENT["title"]})
        with timeline.append(dry_run=True) as append:
            append.update("talks", {"note": "n"})
    assert entries(ahead) == before


@pytest.mark.parametrize("silence", [timedelta(0), timedelta(seconds=-50)])
def test_a_reason_is_not_used_where_the_log_is_not_ahead(path: Path, silence: timedelta) -> None:
    _quiet(path, silence)
    done("-d", path, *NEW, "--ahead", "it leapt once")
    assert [entry[2] for entry in entries(path)][-1] == "event.recorded"
    assert "log.updated" not in {entry[2] for entry in entries(path)}


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_empty_reason_is_refused(ahead: Path, reason: str) -> None:
    said = one_line(run("-d", ahead, *NEW, "--ahead", reason))
    assert said == "ahead: needs a reason: say in a few words why"


def test_a_copy_of_a_log_that_is_ahead_is_made_where_somebody_says_so(
    ahead: Path, tmp_path: Path
) -> None:
    export = tmp_path / "log.jsonl"
    done("-d", ahead, "export", "jsonl", "-o", export)
    copy = tmp_path / "copy.db"
    said = one_line(run("-d", copy, "import", "jsonl", export))
    assert "write with --ahead REASON" in said
    done("-d", copy, "import", "jsonl", export, "--ahead", "the original leapt")
    assert entries(copy) == entries(ahead)
    with export.open("rb") as file, pytest.raises(ClockBehind):
        Timeline.restore(tmp_path / "third.db", file)
    with export.open("rb") as file:
        Timeline.restore(tmp_path / "third.db", file, allow_ahead=True).close()
    assert entries(tmp_path / "third.db") == entries(ahead)


@settings(max_examples=30)
@given(spans=st.lists(st.integers(-400, 400), min_size=1, max_size=6))
def test_whatever_the_clock_does_the_order_is_strict_and_nothing_is_locked(
    spans: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("order") / "story.db"
    clock = TickingClock()
    with Timeline.create(path, title="Order", now=clock) as timeline:
        timeline.trust_clock, timeline.ahead = True, "the clock is what it is"
        for number, span in enumerate(spans):
            clock.time += timedelta(days=span)
            timeline.record({"event_id": f"e-{number}", "title": "T", "occurred": "2025"})
    times = _times(path)
    assert times == sorted(times)
    batches = {entry[5]: entry for entry in entries(path)}
    assert len(batches) == len(spans) + 1
    assert verify.verify(path).findings == []
