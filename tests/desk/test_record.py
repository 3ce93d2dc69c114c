"""What a person decided is recorded once, under their name, with what proposed it beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import events
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.desk import forms
from timeline.desk.record import (
    NotTicked,
    add_to,
    preview_of,
    proposer_of,
    record_draft,
    record_proposal,
)
from timeline.desk.visit import Desk
from timeline.errors import (
    Busy,
    Conflict,
    InvalidInput,
    InvalidProposal,
    NothingChanged,
    Refused,
)
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.checks import marks
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.operation import DeskOperation, carry_out
from timeline.intake.proposals.proposal import parse
from timeline.intake.proposals.taking import take
from timeline.model.content import Event
from timeline.reading import query
from timeline.store import storage
from timeline.writing.receipt import Receipt

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


# --- Proposals --------------------------------------------------------------------------------


def proposed(desk: Desk, body: object, way: Any = "draft", proposer: str = "gpt") -> str:
    taken = take(desk.log, desk.inbox, body, way=way, proposer=proposer)
    assert taken.proposal_id, taken.problems
    return taken.proposal_id


def ticks(desk: Desk, proposal_id: str) -> set[str]:
    """The marks of a proposal, as a person sees them now."""
    waiting = desk.inbox.get(proposal_id, desk.log)
    found = checked(desk.log, waiting.proposal)
    every = marks(desk.log, waiting.proposal, found, received_at=waiting.received_at)
    return {mark.key for mark in every}


def recorded(desk: Desk, proposal_id: str) -> Receipt:
    ticked = ticks(desk, proposal_id)
    return record_proposal(desk, proposal_id, author="anna", ticked=ticked)


CITE = {"expect": 1, "cite": RECORD["citations"]}
BODIES: dict[str, dict[str, Any]] = {
    "event.recorded": {"record": RECORD},
    "event.updated": {"update": "talks", "set": {"tags.-": "nato"}, **CITE},
    "event.corrected": {"correct": "talks", "set": {"title": "T"}, "reason": "slip", **CITE},
    "event.retracted": {"retract": "talks", "expect": 1, "reason": "double"},
    "event.merged": {"merge": "talks", "into": "meeting", "expect": 1, "reason": "double"},
    "source.annotated": {"comment": "odesa-report", "sentences": [3], "reason": "A credit"},
}


@pytest.fixture
def story(desk: Desk) -> Desk:
    """The desk, with two events that cite nothing."""
    for event_id in ("talks", "meeting"):
        desk.timeline.record({"event_id": event_id, "title": event_id, "occurred": "2024"})
    return desk


@pytest.mark.parametrize("kind", BODIES)
def test_a_proposal_of_each_kind_is_recorded_as_it_is_and_once(story: Desk, kind: str) -> None:
    proposal_id = proposed(story, BODIES[kind])
    first = recorded(story, proposal_id)
    assert (first.kind, first.entry_id) == (kind, proposal_id)
    entry = story.log.execute("SELECT payload FROM log WHERE id = ?", (proposal_id,)).fetchone()
    assert json.loads(entry[0])["proposed_by"] == "draft: gpt"
    assert json.loads(entry[0])["author"] == "anna"
    if kind == "event.updated":
        story.timeline.update("talks", {"summary": "More"})
    again = record_proposal(story, proposal_id, author="bert", ticked=())
    assert (again.seq, again.unchanged) == (first.seq, True)
    assert story.inbox.get(proposal_id, story.log).state == "recorded"


def test_a_proposal_is_reported_on_the_day_of_its_source(desk: Desk) -> None:
    receipt = recorded(desk, proposed(desk, RECORD))
    (version,) = desk.timeline.history(receipt.id)
    assert version["reported_at"] == "2025-04-15"


def test_nothing_is_recorded_until_each_mark_was_looked_at(desk: Desk) -> None:
    proposal_id = proposed(desk, RECORD)
    with pytest.raises(NotTicked, match="look at 1 mark first: The date is") as caught:
        record_proposal(desk, proposal_id, author="anna", ticked=())
    assert {mark.key for mark in caught.value.marks} == ticks(desk, proposal_id)
    assert desk.timeline.list() == []


def test_a_change_of_an_older_version_is_marked_and_goes_on_top_of_the_newest(story: Desk) -> None:
    proposal_id = proposed(story, BODIES["event.updated"])
    before = ticks(story, proposal_id)
    story.timeline.update("talks", {"summary": "More"})
    with pytest.raises(NotTicked, match="look at 1 mark"):
        record_proposal(story, proposal_id, author="anna", ticked=before)
    assert recorded(story, proposal_id).version == 3
    assert story.timeline.get("talks")["summary"] == "More"


def test_a_proposal_whose_quote_is_gone_or_that_was_rejected_is_refused(desk: Desk) -> None:
    proposal_id = proposed(desk, RECORD)
    desk.inbox.decide(proposal_id, "rejected", desk.log, by="bert", reason="wrong")
    with pytest.raises(Refused, match=f"{proposal_id} was rejected by bert: reopen it first"):
        recorded(desk, proposal_id)
    desk.inbox.decide(proposal_id, "reopened", desk.log, by="anna")
    desk.timeline.capture("Nobody came.", {"source_id": "odesa-report"})
    with pytest.raises(InvalidProposal, match=r"citations\.0\.quote: does not stand in the text"):
        record_proposal(desk, proposal_id, author="anna", ticked=())
    assert desk.timeline.list() == []


def test_who_proposed_is_said_in_a_hundred_characters(desk: Desk) -> None:
    proposal_id = proposed(desk, RECORD, way="propose", proposer="x" * 100)
    waiting = desk.inbox.get(proposal_id, desk.log)
    assert proposer_of(waiting) == f"propose: {'x' * 91}"
    assert proposer_of(waiting, is_edited=True) == f"propose: {'x' * 82} (edited)"


# --- Drafts -----------------------------------------------------------------------------------


def draft_of(desk: Desk, proposal_id: str, **typed: str) -> str:
    """The draft of a proposal in which a person typed some fields anew."""
    fields, version = forms.for_proposal(desk.log, desk.inbox.get(proposal_id, desk.log))
    values = [[name, typed.get(name, text)] for name, text in fields["values"]]
    subject = desk.inbox.get(proposal_id, desk.log).proposal.subject
    draft = desk.inbox.new_draft(
        {**fields, "values": values}, of_proposal=proposal_id, event_id=subject, version=version
    )
    return draft.draft_id


@pytest.mark.parametrize(
    ("typed", "said"), [({}, "draft: gpt"), ({"title": "Rutte in Odesa"}, "draft: gpt (edited)")]
)
def test_the_draft_of_a_proposal_says_whether_it_was_edited(
    desk: Desk, typed: dict[str, str], said: str
) -> None:
    proposal_id = proposed(desk, RECORD)
    draft_id = draft_of(desk, proposal_id, **typed)
    first, again = (record_draft(desk, draft_id, author="anna") for _ in range(2))
    assert (first.entry_id, again.seq, again.unchanged) == (proposal_id, first.seq, True)
    (version,) = desk.timeline.history(proposal_id)
    assert version["proposed_by"] == said
    assert desk.inbox.draft(draft_id)
    changed = [
        [name, "Other" if name == "title" else text]
        for name, text in desk.inbox.draft(draft_id).fields["values"]
    ]
    desk.inbox.save_draft(draft_id, {**desk.inbox.draft(draft_id).fields, "values": changed})
    with pytest.raises(Refused, match=f"recorded already, as event {proposal_id}, with other"):
        record_draft(desk, draft_id, author="anna")


def test_the_draft_of_a_proposal_brings_its_texts(desk: Desk) -> None:
    source = {"source_id": "night", "title": "The night"}
    body = {
        "record": {
            "title": "Shelling",
            "occurred": "2025-04-15",
            "occurred_basis": "inferred",
            "citations": [{"source": source, "quote": "It was a loud night"}],
        },
        "documents": [{"source": source, "text": "It was a loud night in Odesa."}],
    }
    draft_id = draft_of(desk, proposed(desk, body))
    record_draft(desk, draft_id, author="anna")
    assert desk.timeline.text("night") == "It was a loud night in Odesa."
    assert desk.timeline.get(draft_id)["citations"][0]["quote_start"] == 0


def test_a_draft_of_an_event_that_moved_on_is_a_conflict(story: Desk) -> None:
    fields, version = forms.for_event(story.log, "talks", "update")
    values = [[name, "New" if name == "title" else text] for name, text in fields["values"]]
    draft = story.inbox.new_draft({**fields, "values": values}, event_id="talks", version=version)
    story.timeline.update("talks", {"summary": "More"})
    with pytest.raises(Conflict):
        record_draft(story, draft.draft_id, author="anna")
    assert story.inbox.draft(draft.draft_id).fields["values"] == values


def test_what_a_new_event_says_is_added_to_another_one(story: Desk) -> None:
    figure = {"measure": "injured", "value": "7", "unit": "person"}
    proposal_id = proposed(story, {"record": {**RECORD, "quantities": [figure]}})
    operation = add_to(story, proposal_id, "talks")
    carried(story, operation, proposal_id)
    event = story.timeline.get("talks")
    assert [each["measure"] for each in event["quantities"]] == ["injured"]
    assert [each["quote"] for each in event["citations"]] == [QUOTE]
    assert story.inbox.get(proposal_id, story.log).state == "recorded"
    other = proposed(story, BODIES["source.annotated"])
    with pytest.raises(Refused, match="only a new event"):
        add_to(story, other, "talks")


@given(event=events(known_events=(), known_sources=(), inline=st.nothing()))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_proposal_that_is_accepted_gives_the_event_that_append_gives(
    desk: Desk, event: dict[str, Any]
) -> None:
    left_out = ("event_id", "external_ids", "relations", "verification", "media")
    body = {name: value for name, value in event.items() if name not in left_out}
    cited = {"citations": RECORD["citations"], "occurred_basis": "inferred"}
    taken = take(desk.log, desk.inbox, {**body, **cited}, way="mcp", proposer="gpt")
    assume(taken.state == "open" and taken.proposal_id)
    one = recorded(desk, str(taken.proposal_id))
    other = desk.timeline.record({**body, **cited})
    first, second = desk.timeline.get(one.id), desk.timeline.get(other.id)
    fields = [field for field in Event.model_fields if field != "event_id"]
    assert [first.get(field) for field in fields] == [second.get(field) for field in fields]


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
