"""A proposal is recorded once or not at all, wherever a crash hits, and the inbox says which."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faulty_vfs
import pytest
from faults import Notebook, fork, start_forking
from faulty_vfs import Fault, Form
from running import entries

from timeline import Timeline
from timeline.desk.record import record_proposal
from timeline.desk.visit import Desk
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.checks import marks
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.intake.proposals.proposal import parse
from timeline.proof.verify import verify
from timeline.store import storage
from timeline.writing.receipt import Receipt

SAMPLE = 4
"""Of the calls that write or sync so many are hit in the ordinary run, in each form."""
KILLS = (Form.KILLED, Form.TORN, Form.POWER_CUT)
_SOURCE = {"source_id": "night", "title": "The night"}
_BODY: dict[str, Any] = {
    "record": {
        "title": "Shelling of Odesa",
        "occurred": "2025-04-15",
        "occurred_basis": "inferred",
        "citations": [{"source": _SOURCE, "quote": "The city was shelled at night"}],
    },
    "documents": [{"source": _SOURCE, "text": "The city was shelled at night."}],
}


@pytest.fixture(scope="module", autouse=True)
def forking() -> None:
    start_forking()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A timeline with one proposal, which brings a text, in its inbox."""
    path = tmp_path_factory.mktemp("template") / "timeline.db"
    with Timeline.create(path, title="A story"), opened(path) as desk:
        desk.inbox.add(parse(_BODY), way="mcp", proposer="gpt", log=desk.log)
    return path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Desk]:
    with (
        Timeline.open(path) as timeline,
        Inbox.of(path) as inbox,
        contextlib.closing(storage.connect(path)) as log,
    ):
        yield Desk(path, timeline, log, inbox)


def recorded(desk: Desk) -> Receipt:
    """Record the proposal of the inbox, each mark of which was looked at."""
    (waiting,) = desk.inbox.proposals(desk.log, states=("open", "recorded"))
    ticked: set[str] = set()
    if waiting.state == "open":
        proposal = desk.inbox.get(waiting.proposal_id, desk.log).proposal
        found = checked(desk.log, proposal)
        ticked = {mark.key for mark in marks(desk.log, proposal, found)}
    return record_proposal(desk, waiting.proposal_id, author="anna", ticked=ticked)


def record_on_a_faulty_disk(path: Path, notebook: Notebook, fault: Fault | None) -> None:
    disk = faulty_vfs.install(fault)
    with opened(path) as desk:
        notebook.write(acknowledged=recorded(desk).entry_id)
    notebook.write(calls=disk.calls)


def copied(template: Path, folder: Path) -> Path:
    folder.mkdir()
    path = Path(shutil.copy(template, folder / template.name))
    shutil.copy(inbox_path(template), inbox_path(path))
    return path


def hit(template: Path, folder: Path, fault: Fault | None) -> tuple[int | None, Path, Notebook]:
    """The exit code of a process that recorded the proposal, its file, and what it wrote down."""
    path, notebook = copied(template, folder), Notebook(folder / "notes")
    process = fork(record_on_a_faulty_disk, path, notebook, fault)
    process.join()
    return process.exitcode, path, notebook


@pytest.mark.parametrize(
    "sample", [SAMPLE, pytest.param(None, marks=pytest.mark.torture, id="every call")]
)
@pytest.mark.parametrize("form", KILLS)
def test_a_crash_at_any_write_or_sync_records_a_proposal_once_or_not_at_all(
    template: Path, tmp_path: Path, form: Form, sample: int | None
) -> None:
    before = len(entries(template))
    exit_code, _, sound = hit(template, tmp_path / "sound", None)
    assert exit_code == 0
    (calls,) = sound.read("calls")
    numbers = range(1, len(calls) + 1)
    for number in random.Random(form).sample(numbers, sample or len(numbers)):
        exit_code, path, notebook = hit(template, tmp_path / str(number), Fault(form, number))
        assert exit_code == -signal.SIGKILL, calls[number - 1]
        with opened(path) as desk:
            states = [each.state for each in desk.inbox.proposals(desk.log, states=("recorded",))]
            assert len(entries(path)) == before + 2 * len(states), calls[number - 1]
            assert states or not notebook.read("acknowledged")
            first, again = recorded(desk), recorded(desk)
            assert (first.unchanged, again.unchanged) == (bool(states), True)
            assert first.entry_id == again.entry_id
        assert len(entries(path)) == before + 2
        assert verify(path).findings == []
        shutil.rmtree(path.parent)


def test_after_a_restored_backup_a_proposal_waits_again(template: Path, tmp_path: Path) -> None:
    path = copied(template, tmp_path / "desk")
    backup = Path(shutil.copy(path, tmp_path / "backup.db"))
    with opened(path) as desk:
        first = recorded(desk)
    shutil.copy(backup, path)
    with opened(path) as desk:
        (waiting,) = desk.inbox.proposals(desk.log)
        assert waiting.proposal_id == first.entry_id
        assert recorded(desk).unchanged is False
