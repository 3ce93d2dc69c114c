"""What was acknowledged is there, and whole, whatever happens to the process and its disk.

The ordinary run takes a sample of the moments; `make torture` takes each of them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import faulty_vfs
import pytest
from faults import Notebook, Remains, fork, remains, start_forking, steps
from faulty_vfs import Fault, Form
from running import done, entries, run
from tables import derived

from timeline import Timeline
from timeline.errors import StorageFull
from timeline.proof.verify import verify
from timeline.store import storage

Count = Callable[..., None]

KILLED = -signal.SIGKILL
KILLS = (Form.KILLED, Form.TORN, Form.POWER_CUT)
ERRORS = tuple(form for form in Form if form not in KILLS)
STORY, ENTRIES = 5, 13
"""Appends of a story on a faulty disk, one of each kind, and the entries that they make."""
SAMPLE = 3
"""Of the calls that can fail so many writes, and so many others, do in the ordinary run."""
ROUNDS = 7
"""Of three writers each, which are killed one after the other."""

every_call = pytest.mark.parametrize(
    "sample", [SAMPLE, pytest.param(None, marks=pytest.mark.torture, id="every call")]
)


@pytest.fixture(scope="module", autouse=True)
def forking() -> None:
    faulty_vfs.shared_sqlite()
    start_forking()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of two events, to be copied."""
    path = tmp_path_factory.mktemp("template") / "timeline.db"
    with Timeline.create(path, title="A story") as timeline:
        for event_id in ("talks", "strike"):
            timeline.record({"event_id": event_id, "title": "T", "occurred": "2025", "tags": ["a"]})
    return path


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Add to what is printed at the end of the run (conftest.py)."""

    def count(what: str, faults: int, found: Iterable[Remains]) -> None:
        total = sum((one.counted for one in found), start=Counter[str]())
        record_property("counted", [what, {"faults": faults, **total}])

    return count


def moments(calls: list[str], sample: int | None, seed: str) -> list[int]:
    """The numbers of the calls at which something goes wrong: all, or some of each kind."""
    numbers = [*range(1, len(calls) + 1)]
    if sample is None:
        return numbers
    chance = random.Random(seed)
    rare = [number for number in numbers if not calls[number - 1].startswith("write")]
    return sorted({*chance.sample(numbers, sample), *chance.sample(rare, min(len(rare), sample))})


# --- Killed under load ------------------------------------------------------------------------


def append_for_ever(path: Path, notebook: Notebook, writer: str) -> None:
    with Timeline.open(path) as timeline:
        for step in steps(writer):
            receipts = step.tell(timeline)
            notebook.acknowledge(path, receipts[0].recorded_at, step.entries)


def append_lines_for_ever(path: Path, notebook: Notebook, writer: str) -> None:
    """`timeline append`, again and again, of five lines each."""
    for number in itertools.count():
        name = f"{writer}-{number}"
        lines = "".join(
            json.dumps({"event_id": f"{name}-{part}", "title": "T", "occurred": "2025"}) + "\n"
            for part in "abcde"
        )
        command = ("append", "--nl", "-", "--json", "--author", f"{name}/5")
        receipts = json.loads(done("-d", path, *command, input=lines))
        notebook.acknowledge(path, receipts[0]["recorded_at"], 5)


def read_for_ever(path: Path) -> None:
    """Read log and tables at one moment, and end where they do not agree."""
    sql = "SELECT (SELECT max(seq) FROM log), (SELECT max(seq) FROM event_versions)"
    with contextlib.closing(storage.connect(path)) as connection, Timeline.open(path) as timeline:
        while True:
            newest, folded = connection.execute(sql).fetchone()
            assert newest == folded
            timeline.facets(tag="war")


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.torture) for seed in range(1, 11))]
)
def test_no_kill_under_load_loses_an_acknowledged_entry_or_leaves_half_a_batch(
    template: Path, tmp_path: Path, seed: int, count: Count
) -> None:
    path = Path(shutil.copy(template, tmp_path / "timeline.db"))
    chance = random.Random(seed)
    notebooks: list[Notebook] = []
    kills, found = 0, remains(path, [])
    try:
        for number in range(ROUNDS):
            books = [Notebook(tmp_path / f"{who}-{number}") for who in ("one", "two", "lines")]
            notebooks += books
            works = (append_for_ever, append_for_ever, append_lines_for_ever)
            writers = [
                fork(work, path, book, book.path.name)
                for work, book in zip(works, books, strict=True)
            ]
            reader = fork(read_for_ever, path)
            while not all(book.read("acknowledged") for book in books):
                assert all(writer.is_alive() for writer in writers)
                time.sleep(0.01)
            for writer in chance.sample(writers, len(writers)):
                time.sleep(chance.uniform(0, 0.2))
                assert writer.is_alive()
                writer.kill()
                writer.join()
                kills += 1
            assert reader.is_alive()
            reader.kill()
            reader.join()
            found = remains(path, notebooks)
            assert found.whole, found
    finally:
        count("SIGKILLs under load", kills, [found])
    with Timeline.open(path) as timeline:
        timeline.record({"title": "Afterwards", "occurred": "2025"})


# --- A story on a faulty disk -----------------------------------------------------------------


def tell(path: Path, notebook: Notebook, fault: Fault | None, goes_on: bool) -> None:
    """Tell a story; who is refused goes on when the disk is sound again, or is killed."""
    disk = faulty_vfs.install(fault)

    def insist(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except StorageFull as error:
            notebook.write(refused=str(error))
            if not goes_on:
                faulty_vfs.die()
            disk.fault = None
            return call()

    with contextlib.closing(insist(lambda: Timeline.open(path))) as timeline:
        for step in itertools.islice(steps("one"), STORY):
            receipts = insist(lambda step=step: step.tell(timeline))
            notebook.acknowledge(path, receipts[0].recorded_at, step.entries)
            # From now on every append moves pages into the database.
            timeline._writer.execute("PRAGMA wal_autocheckpoint = 1")
    notebook.write(calls=disk.calls)


def told(
    template: Path, folder: Path, fault: Fault | None, *, goes_on: bool = True
) -> tuple[int | None, Path, Notebook]:
    """The exit code of a process that told the story, its file, and what it wrote down."""
    folder.mkdir()
    path = Path(shutil.copy(template, folder / "timeline.db"))
    notebook = Notebook(folder / "notes")
    process = fork(tell, path, notebook, fault, goes_on)
    process.join()
    return process.exitcode, path, notebook


@every_call
@pytest.mark.parametrize(
    ("form", "goes_on"), [*((form, False) for form in Form), *((form, True) for form in ERRORS)]
)
def test_a_fault_at_any_write_or_sync_loses_nothing_and_can_be_repeated_after(
    template: Path, tmp_path: Path, form: Form, goes_on: bool, sample: int | None, count: Count
) -> None:
    exit_code, _, sound = told(template, tmp_path / "sound", None)
    assert exit_code == 0
    (calls,) = sound.read("calls")
    found: list[Remains] = []
    try:
        for number in moments(calls, sample, form):
            folder = tmp_path / str(number)
            exit_code, path, notebook = told(template, folder, Fault(form, number), goes_on=goes_on)
            refused = notebook.read("refused")
            assert exit_code == (KILLED if form in KILLS or (refused and not goes_on) else 0)
            if form in ERRORS and calls[number - 1] == "write timeline.db-wal":
                assert refused, "only moving pages into the database can wait"
            found.append(remains(path, [notebook]))
            assert found[-1].whole, (number, calls[number - 1], found[-1])
            with Timeline.open(path) as timeline:
                for step in itertools.islice(steps("one"), STORY):
                    step.tell(timeline)
            assert remains(path, [notebook]).whole
            assert len(entries(path)) == len(entries(template)) + ENTRIES
            shutil.rmtree(folder)
    finally:
        count("faults at a write or sync", len(found), found)


def test_an_append_that_is_refused_at_its_last_sync_may_be_there_and_is_not_added_twice(
    template: Path, tmp_path: Path
) -> None:
    exit_code, _, sound = told(template, tmp_path / "sound", None)
    assert exit_code == 0
    (calls,) = sound.read("calls")
    _, last_sync, *_ = (n for n, call in enumerate(calls, 1) if call == "sync timeline.db-wal")
    fault = Fault(Form.STORED, last_sync)
    exit_code, path, notebook = told(template, tmp_path / "refused", fault, goes_on=False)
    assert (exit_code, notebook.read("acknowledged")) == (KILLED, [])
    (refused,) = notebook.read("refused")
    assert refused.endswith("look whether it was written before you repeat it")
    step = next(steps("one"))
    with Timeline.open(path) as timeline:
        (receipt,) = step.tell(timeline)
    assert receipt.unchanged, "SQLite found it in the write-ahead log"
    assert len(entries(path)) == len(entries(template)) + step.entries


# --- Commands on a faulty disk ----------------------------------------------------------------


def command(
    arguments: tuple[str, ...], lines: str | None, notebook: Notebook, fault: Fault | None
) -> None:
    disk = faulty_vfs.install(fault)
    result = run(*arguments, input=lines)
    notebook.write(calls=disk.calls, ended=[result.exit_code, result.stderr])


def faulty(
    folder: Path,
    template: Path | None,
    form: Form,
    sample: int | None,
    *arguments: str,
    lines: str | None = None,
) -> Iterator[tuple[Path, bool | None]]:
    """Run a command on a copy of a file again and again, with a fault at another call each time.

    Each time the path and whether it was done; None when it was killed. What is refused is
    said in one line.
    """

    def ran(number: int, fault: Fault | None) -> tuple[int | None, Path, Notebook]:
        (folder / str(number)).mkdir()
        path, notebook = folder / str(number) / "timeline.db", Notebook(folder / f"notes-{number}")
        if template:
            shutil.copy(template, path)
        process = fork(command, ("-d", str(path), *arguments), lines, notebook, fault)
        process.join()
        return process.exitcode, path, notebook

    exit_code, _, sound = ran(0, None)
    assert exit_code == 0
    (calls,) = sound.read("calls")
    for number in moments(calls, sample, form):
        exit_code, path, notebook = ran(number, Fault(form, number))
        assert exit_code == (KILLED if form in KILLS else 0), calls[number - 1]
        for code, said in notebook.read("ended"):
            assert code in (0, 1)
            assert code == 0 or re.match("Error: .*the disk (is|fails or is) full", said), said
            assert code == said.count("\n")
        yield path, None if form in KILLS else code == 0
        shutil.rmtree(path.parent)


@every_call
@pytest.mark.parametrize("form", Form)
def test_a_new_log_is_whole_or_not_there(tmp_path: Path, form: Form, sample: int | None) -> None:
    for path, is_done in faulty(tmp_path, None, form, sample, "init", "--title", "T"):
        if is_done is False:
            assert [*path.parent.iterdir()] == []
        if is_done or (path.exists() and path.stat().st_size):
            assert verify(path).findings == []
        else:
            path.unlink(missing_ok=True)  # of one that was killed the empty file stays
            done("-d", path, "init", "--title", "T")


def test_a_demonstration_is_whole_or_not_there_when_the_disk_is_full(tmp_path: Path) -> None:
    for path, is_done in faulty(tmp_path, None, Form.FULL, SAMPLE, "demo", "--no-serve"):
        if is_done:
            assert verify(path).findings == []
        else:
            assert [*path.parent.iterdir()] == []


@every_call
@pytest.mark.parametrize("form", Form)
def test_the_lines_of_an_input_are_all_there_or_none(
    template: Path, tmp_path: Path, form: Form, sample: int | None
) -> None:
    lines = "".join(
        json.dumps({"event_id": f"event-{number}", "title": "T", "occurred": "2025"}) + "\n"
        for number in range(5)
    )
    append = ("append", "--nl", "-", "--author", "lines/5")
    for path, is_done in faulty(tmp_path, template, form, sample, *append, lines=lines):
        found = remains(path, [])
        assert found.whole, found
        assert len(entries(path)) in ((8,) if is_done else (3, 8))
        done("-d", path, *append, input=lines)
        assert len(entries(path)) == 8


@every_call
@pytest.mark.parametrize("form", Form)
def test_a_rebuild_leaves_the_new_tables_or_the_old_ones(
    template: Path, tmp_path: Path, form: Form, sample: int | None
) -> None:
    spoiled = Path(shutil.copy(template, tmp_path / "spoiled.db"))
    with contextlib.closing(storage.connect(spoiled, write=True)) as connection:
        connection.execute("DELETE FROM event_tags")
    old, new, log = derived(spoiled), derived(template), entries(template)
    assert old != new
    for path, is_done in faulty(tmp_path, spoiled, form, sample, "rebuild"):
        assert derived(path) in ([new] if is_done else [old, new])
        assert entries(path) == log
        done("-d", path, "rebuild")
        assert verify(path).findings == []


@every_call
@pytest.mark.parametrize("form", Form)
def test_a_checkpoint_that_was_printed_is_stored(
    template: Path, tmp_path: Path, form: Form, sample: int | None
) -> None:
    key = tmp_path / "key"
    done("-d", template, "keygen", key)
    for path, is_done in faulty(tmp_path, template, form, sample, "checkpoint", "--key", str(key)):
        report = verify(path)
        assert report.findings == []
        assert report.checkpoints in ((1,) if is_done else (0, 1))
        done("-d", path, "checkpoint", "--key", key)
        assert verify(path).checkpoints == 1


@every_call
@pytest.mark.parametrize("form", Form)
def test_an_erasure_is_done_or_not_and_finished_by_the_next_command_that_writes(
    template: Path, tmp_path: Path, form: Form, sample: int | None
) -> None:
    words = "Never to be read again"
    told = Path(shutil.copy(template, tmp_path / "told.db"))
    with Timeline.open(told) as timeline:
        timeline.record({"event_id": "rumour", "title": words, "occurred": "2025"})
    erase = ("erase", "rumour@1", "--reason", "A court said so")

    def is_gone(path: Path) -> bool:
        return not any(words.encode() in file.read_bytes() for file in path.parent.iterdir())

    for path, is_done in faulty(tmp_path, told, form, sample, *erase):
        assert is_gone(path) or not is_done
        report = verify(path)
        assert report.erased in ((1,) if is_done else (0, 1))
        assert not (is_done and report.findings)
        assert {finding.what for finding in report.findings} <= {"scrub pending"}
        if report.erased and not report.findings:
            assert is_gone(path), "what nobody will finish is finished"
        if report.erased:
            done("-d", path, "rebuild")
            assert is_gone(path)
        done("-d", path, *erase)
        assert is_gone(path)
        assert verify(path).findings == []
        assert len(entries(path)) == len(entries(told)) + 1
