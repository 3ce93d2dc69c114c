"""What a person decided is recorded once, under their name, with what proposed it beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.desk.record import preview_of
from timeline.desk.visit import Desk
from timeline.errors import Busy, Conflict, InvalidInput, NothingChanged, Refused
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.operation import DeskOperation, carry_out
from timeline.intake.proposals.proposal import parse
from timeline.reading import query
from timeline.store import storage

TEXT = "Mark Rutte came to Odesa on Tuesday. The city was shelled at night. A photo: Reuters."
QUOTE = "Mark Rutte came to Odesa on Tuesday"
REPORT = {"source_id": "odesa-report", "title": "Rutte in Odesa", "published": "2025-04-15"}
RECORD: dict[str, Any] = {
    "title": "Rutte comes to Odesa",
    "occurred": "2025-04-15",
    "occurred_text": "on Tuesday",
    "occurred_basis": "resolved",
    "participants": [{"name": "Mark Rutte"}],
    "citations": [{"source_id": "odesa-report", "quote": QUOTE}],
}
VISIT = {**RECORD, "event_id": "odesa-visit"}


@pytest.fixture
def desk(path: Path, clock: TickingClock) -> Iterator[Desk]:
    """A desk whose log has a captured report."""
    with (
        Timeline.create(path, title="A story", origin="example.org/story", now=clock) as timeline,
        Inbox.of(path, now=clock) as inbox,
    ):
        timeline.capture(TEXT, REPORT)
        yield Desk(path, timeline, storage.connect(path), inbox)


def carried(desk: Desk, operation: DeskOperation, entry_id: str = "d-1", **words: Any) -> Any:
    with desk.timeline.append() as append:
        return carry_out(
            append, operation, **{"author": "anna", "proposed_by": None, **words}, entry_id=entry_id
        )


# --- One operation ----------------------------------------------------------------------------


def test_a_new_event_has_the_id_of_its_entry_and_the_person_as_its_author(desk: Desk) -> None:
    record = {**RECORD, "author": "a machine", "proposed_by": "nobody"}
    receipt = carried(desk, DeskOperation("record", record=record), proposed_by="mcp: claude")
    assert (receipt.id, receipt.entry_id) == ("d-1", "d-1")
    (version,) = desk.timeline.history("d-1")
    assert (version["author"], version["proposed_by"]) == ("anna", "mcp: claude")
    assert "extra" not in desk.timeline.get("d-1")


def test_an_operation_that_comes_twice_gives_the_first_receipt(desk: Desk) -> None:
    desk.timeline.record(VISIT)
    update = DeskOperation("update", "odesa-visit", expect=1, changes=[("tags.-", "nato")])
    first = carried(desk, update)
    desk.timeline.update("odesa-visit", {"summary": "More"})
    again = carried(desk, update)
    assert (again.entry_id, again.version, again.unchanged) == (first.entry_id, 2, True)
    with pytest.raises(Conflict):
        carried(desk, update, "d-2")


def test_a_document_is_captured_with_the_event_that_cites_it_by_its_address(desk: Desk) -> None:
    source = {"url": "https://example.org/night", "title": "The night"}
    proposal = parse(
        {
            "record": {
                "title": "Shelling",
                "occurred": "2025-04-15",
                "citations": [{"source": {"url": source["url"]}, "quote": "It was a loud night"}],
            },
            "documents": [{"source": source, "text": "It was a loud night in Odesa."}],
        }
    )
    operation = DeskOperation("record", record=proposal.record, documents=proposal.documents)
    carried(desk, operation)
    (citation,) = desk.timeline.get("d-1")["citations"]
    assert desk.timeline.text(citation["source_id"]) == "It was a loud night in Odesa."
    assert citation["quote_start"] == 0
    desk.timeline.capture("It was quiet.", source)
    assert carried(desk, operation).unchanged
    assert desk.timeline.text(citation["source_id"]) == "It was quiet."


def test_nothing_of_a_document_is_kept_if_its_event_is_refused(desk: Desk) -> None:
    proposal = parse(
        {
            "record": {"title": "Shelling", "occurred": "2025-04-15", "event_type": "nonsense"},
            "documents": [{"source": {"source_id": "night"}, "text": "It was a loud night."}],
        }
    )
    operation = DeskOperation("record", record=proposal.record, documents=proposal.documents)
    with pytest.raises(InvalidInput, match="event_type"):
        carried(desk, operation)
    assert not desk.timeline.list()
    assert not desk.log.execute("SELECT 1 FROM sources WHERE source_id = 'night'").fetchone()


def test_a_comment_marks_sentences_and_is_recorded_once(desk: Desk) -> None:
    comment = DeskOperation("comment", "odesa-report", sentences=[3], reason="A credit")
    first = carried(desk, comment)
    assert carried(desk, comment).entry_id == first.entry_id == "d-1"
    states = [each["state"] for each in desk.timeline.coverage("odesa-report")["sentences"]]
    assert states == ["missing", "missing", "commentary"]
    with pytest.raises(NothingChanged):
        carried(desk, comment, "d-2")
    with pytest.raises(InvalidInput, match="sentences: 4 is none of the sentences 1 to 3"):
        carried(desk, comment._replace(sentences=[4]), "d-3")


def test_an_event_that_is_there_already_is_refused_as_a_double(desk: Desk) -> None:
    desk.timeline.record(VISIT)
    with pytest.raises(Refused, match="event odesa-visit says all of this already"):
        carried(desk, DeskOperation("record", record=VISIT))


# --- Preview ----------------------------------------------------------------------------------


def test_a_preview_shows_the_tables_as_they_would_be_and_takes_everything_back(desk: Desk) -> None:
    operation = DeskOperation("record", record=RECORD)
    with preview_of(desk, operation, entry_id="d-1") as (connection, receipt):
        assert query.get(connection, receipt.id)["title"] == RECORD["title"]
    assert not desk.timeline.list()
    assert carried(desk, operation).unchanged is False


def test_who_waits_for_another_writer_is_told_for_how_long(path: Path, timeline: Timeline) -> None:
    with (
        Timeline.open(path, patience=0.01) as impatient,
        timeline.append(),
        pytest.raises(Busy, match="another process has been writing for 0 seconds"),
        impatient.append(),
    ):
        pytest.fail("the block ran")
