"""A proposal is checked as the writer would, held to the rules for machines, and kept once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.intake.proposals import inbox as inboxes
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.proposal import parse
from timeline.intake.proposals.taking import Taken, take
from timeline.store import storage

TEXT = "Mark Rutte came to Odesa on Tuesday. He pledged 20 billion euros. A photo: Reuters."
QUOTE = "Mark Rutte came to Odesa on Tuesday"
CITED = [{"source_id": "odesa-report", "quote": QUOTE}]
RECORD: dict[str, Any] = {
    "title": "Rutte comes to Odesa",
    "occurred": "15 April 2025",
    "occurred_text": "on Tuesday",
    "occurred_basis": "resolved",
    "citations": CITED,
}
PLEDGE = [{"source_id": "odesa-report", "quote": "He pledged 20 billion euros"}]


@pytest.fixture
def log(timeline: Timeline, path: Path) -> Iterator[sqlite3.Connection]:
    timeline.capture(TEXT, {"source_id": "odesa-report", "title": "Rutte in Odesa"})
    timeline.record(
        {
            "title": "A visit",
            "occurred": "2025-04-15",
            "event_id": "visit",
            "citations": [{"source_id": "odesa-report", "quote": "A photo: Reuters"}],
        }
    )
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


@pytest.fixture
def inbox(path: Path, clock: TickingClock) -> Iterator[Inbox]:
    with Inbox.of(path, now=clock) as opened:
        yield opened


def told(log: sqlite3.Connection, body: object) -> Taken:
    return take(log, None, body, way="propose", proposer="scraper", dry_run=True)


def problems(log: sqlite3.Connection, body: object) -> dict[str, str]:
    taken = told(log, body)
    assert taken.state == "refused", taken
    return {each["field"]: each["problem"] for each in taken.problems}


# --- What is refused --------------------------------------------------------------------------

NO_QUOTE = 'must quote a text that is kept here: write [{"source_id": "...", "quote": "words of'
WRONG: list[tuple[Mapping[str, Any], str, str]] = [
    ({"occurred_basis": None}, "occurred_basis", 'is required with occurred: write "stated" if'),
    ({"occurred_text": None}, "occurred_text", 'is required with occurred_basis "resolved": copy'),
    ({"occurred_text": "on Friday"}, "occurred_text", '"on Friday" does not stand in a cited text'),
    ({"author": "anna"}, "author", "is the person who records it: leave it out"),
    ({"proposed_by": "me"}, "proposed_by", "is said by the inbox: leave it out"),
    ({"verification": "corroborated"}, "verification", 'must be "reported": a person decides'),
    ({"citations": []}, "citations", NO_QUOTE),
    ({"citations": [{"source_id": "odesa-report"}]}, "citations", NO_QUOTE),
    ({"occurred": "03/04/2025"}, "occurred", '"03/04/2025" can be read as 3 April 2025'),
    ({"occured": "2025"}, "occured", "is not a field: did you mean occurred?"),
    ({"event_type": "Missile"}, "event_type", '"Missile" is not an event type of this log'),
    ({"title": "A\u202eB"}, "title", "has U+202E (RIGHT-TO-LEFT OVERRIDE), which nobody sees"),
    ({"tags": ["a\u200bb"]}, "tags.0", "has U+200B (ZERO WIDTH SPACE), which nobody sees"),
    ({"tags": ["a\u200db"]}, "tags.0", "has U+200D (ZERO WIDTH JOINER), which nobody sees"),
    ({"tags": ["a\U000e0041"]}, "tags.0", "has U+E0041 (TAG LATIN CAPITAL LETTER A), which nobody"),
    (
        {"relations": [{"type": "follows", "event_id": "nowhere"}]},
        "relations.0.event_id",
        'there is no event "nowhere" in this log',
    ),
]


@pytest.mark.parametrize(("fields", "field", "problem"), WRONG)
def test_a_new_event_is_refused_with_the_field_and_what_would_be_right(
    log: sqlite3.Connection, fields: Mapping[str, Any], field: str, problem: str
) -> None:
    record = {name: value for name, value in {**RECORD, **fields}.items() if value is not None}
    found = problems(log, {"record": record})
    assert list(found) == [field]
    assert problem in found[field]


def test_letters_that_need_a_joiner_keep_it(log: sqlite3.Connection) -> None:
    assert (
        told(
            log,
            {**RECORD, "tags": ["\u0645\u06cc\u200c\u062e\u0648", "\U0001f469\u200d\U0001f692"]},
        ).state
        == "open"
    )


def test_all_problems_are_named_at_once_by_their_places_in_the_proposal(
    log: sqlite3.Connection,
) -> None:
    citations = [
        {"source_id": "nowhere", "quote": "some words"},
        {"source_id": "odesa-report", "quote": "Mark Rutte came to Odesa on Friday"},
        *CITED,
        {"source_id": "odesa-report", "quot": "x"},
    ]
    record = {**RECORD, "occurred": "32 April 2025", "citations": citations, "mode": "loud"}
    found = problems(log, record)
    assert {*found} == {
        "occurred",
        "mode",
        "citations.0.source_id",
        "citations.1.quote",
        "citations.3.quot",
    }
    assert found["citations.1.quote"] == (
        "does not stand in the text of odesa-report: the nearest is"
        ' "Mark Rutte came to Odesa on Tuesday."'
    )


CHANGES: list[tuple[Mapping[str, Any], str, str]] = [
    ({"update": "nowhere", "expect": 1}, "update", 'there is no event "nowhere" in this log'),
    ({"update": "visit"}, "expect", "is required"),
    (
        {"update": "visit", "expect": 7, "set": {"tags.-": "x"}, "cite": PLEDGE},
        "expect",
        "is beyond version 1, the newest of visit",
    ),
    ({"update": "visit", "expect": 1, "set": {"tags.-": "nato"}}, "cite", NO_QUOTE),
    ({"update": "visit", "expect": 1}, "", "event visit already says so: nothing would change"),
    (
        {"correct": "visit", "expect": 1, "set": {"tags.-": "x"}, "cite": PLEDGE},
        "reason",
        "is required: say in a few words why",
    ),
    (
        {"update": "visit", "expect": 1, "set": {"occurred": "2025-04-14"}, "cite": PLEDGE},
        "occurred_basis",
        "is required with occurred",
    ),
    (
        {"update": "visit", "expect": 1, "set": {"verification": "disputed"}, "cite": PLEDGE},
        "verification",
        'must be "reported"',
    ),
    ({"retract": "visit", "expect": 1}, "reason", "is required: say in a few words why"),
    ({"merge": "visit", "expect": 1, "into": "visit"}, "", "a merge cannot go in a circle"),
    ({"merge": "visit", "expect": 1, "into": "nowhere"}, "", 'no event "nowhere"'),
    ({"comment": "nowhere", "sentences": [1]}, "comment", 'there is no source "nowhere"'),
    (
        {"comment": "odesa-report", "sentences": [9], "reason": "A headline"},
        "sentences.0",
        "9 is none of the sentences 1 to 3",
    ),
    (
        {"comment": "odesa-report", "sentences": [3], "reason": "A headline"},
        "sentences.0",
        "3 is quoted by event visit",
    ),
    ({"comment": "odesa-report", "sentences": [1]}, "reason", "is required: say in a few words"),
    ({"recrod": {}}, "", "does not say what it proposes: did you mean record?"),
    ({"update": "visit", "retract": "visit"}, "", "has update and retract: a proposal does one"),
]


@pytest.mark.parametrize(("body", "field", "problem"), CHANGES)
def test_a_change_is_refused_with_the_field_and_what_would_be_right(
    log: sqlite3.Connection, body: Mapping[str, Any], field: str, problem: str
) -> None:
    found = problems(log, body)
    assert field in found
    assert problem in found[field]


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_what_is_no_object_is_refused(log: sqlite3.Connection, body: object) -> None:
    assert problems(log, body) == {"": "is not an object: a proposal is one JSON object"}


# --- What is taken ----------------------------------------------------------------------------


def test_a_quote_may_stand_in_a_text_that_comes_with_the_proposal(
    log: sqlite3.Connection, timeline: Timeline
) -> None:
    source = {"title": "Night", "url": "https://example.org/night", "published": "2025-04-16"}
    text = "Bombs fell on Tuesday night. Nobody was hurt."
    record = {**RECORD, "citations": [{"source": source, "quote": "Bombs fell on Tuesday night"}]}
    body = {"record": record, "documents": [{"source": source, "text": text}]}
    found = checked(log, parse(body))
    (quote,) = found.quotes
    assert (quote.title, quote.published, quote.text) == ("Night", "2025-04-16", text)
    wrong = {**record, "citations": [{"source": source, "quote": "Bombs fell on Friday night"}]}
    assert "citations.0.quote" in problems(log, {**body, "record": wrong})
    assert not [row for row in timeline.list() if row["title"] == RECORD["title"]]


def test_a_newer_text_of_a_known_source_holds_the_quotes_that_come_with_it(
    log: sqlite3.Connection,
) -> None:
    source = {"source_id": "odesa-report"}
    citation = {"source": source, "quote": "Rutte came to Odesa on Wednesday"}
    record = {**RECORD, "occurred_text": "on Wednesday", "citations": [citation]}
    text = "Corrected: Mark Rutte came to Odesa on Wednesday."
    assert told(log, {"record": record, "documents": [{"source": source, "text": text}]}).marks


def test_what_is_checked_is_what_an_append_of_it_stores(
    log: sqlite3.Connection, timeline: Timeline
) -> None:
    record = {
        **RECORD,
        "event_type": "consult",
        "place": {"name": "Odesa", "country": "Ukraine"},
        "quantities": [{"measure": "pledged", "value": 20, "unit": "EUR"}],
    }
    found = checked(log, parse({"record": record}))
    receipt = timeline.record(record)
    stored = timeline.get(receipt.id)
    assert dict(found.content) == {field: stored[field] for field in found.content}


def test_the_same_proposal_is_kept_once_in_either_shape(
    log: sqlite3.Connection, inbox: Inbox
) -> None:
    def taken(body: object) -> Taken:
        return take(log, inbox, body, way="mcp", proposer="an agent")

    first = taken({**RECORD, "why": "no event yet"})
    assert first.state == "open"
    again = taken({"record": RECORD, "why": "no event yet"})
    assert (again.state, again.proposal_id) == ("known", first.proposal_id)
    assert first.proposal_id
    inbox.decide(first.proposal_id, "rejected", log, by="anna", reason="not in the source")
    rejected = taken({**RECORD, "why": "no event yet"})
    assert (rejected.state, rejected.reason) == ("rejected", "not in the source")


def test_a_program_may_not_fill_the_inbox(
    log: sqlite3.Connection, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "MOST_OPEN_OF_ONE", 2)
    states = [
        take(log, inbox, {**RECORD, "title": f"Visit {n}"}, way="propose", proposer="s").state
        for n in range(3)
    ]
    assert states == ["open", "open", "refused"]
    assert take(log, inbox, RECORD, way="propose", proposer="another").state == "open"
    long = {**RECORD, "summary": "x" * 10_000, "why": "y"}
    monkeypatch.setattr(inboxes, "LONGEST", 10_000)
    (problem,) = take(log, inbox, long, way="propose", proposer="another").problems
    assert "at most 10,000" in problem["problem"]


def test_the_inbox_has_room_for_2000_proposals_of_all(
    log: sqlite3.Connection, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (inboxes.MOST_OPEN, inboxes.MOST_OPEN_OF_ONE) == (2_000, 200)
    monkeypatch.setattr(inboxes, "MOST_OPEN", 2)
    taken = [
        take(log, inbox, {**RECORD, "title": f"Visit {who}"}, way="propose", proposer=who)
        for who in ("a", "b", "c")
    ]
    assert [each.state for each in taken] == ["open", "open", "refused"]
    assert "2 proposals are open: decide some of them first" in taken[2].problems[0]["problem"]
    assert taken[0].proposal_id
    inbox.decide(taken[0].proposal_id, "rejected", log)
    assert take(log, inbox, RECORD, way="propose", proposer="c").state == "open"


def test_a_proposal_brings_at_most_16_texts_of_4_mib(log: sqlite3.Connection) -> None:
    def taken(*texts: str) -> Taken:
        brought = [
            {"source": {"title": f"Text {number}"}, "text": text}
            for number, text in enumerate(texts)
        ]
        return told(log, {"record": RECORD, "documents": brought})

    assert taken(*["Some words."] * 16).state == "open"
    assert "at most 16" in taken(*["Some words."] * 17).problems[0]["problem"]
    assert taken("x" * 4 * 2**20).state == "open"
    assert "is longer than 4 MiB" in taken("x" * 4 * 2**20 + "x").problems[0]["problem"]


def test_the_words_of_a_date_go_with_it(log: sqlite3.Connection, timeline: Timeline) -> None:
    receipt = timeline.record(RECORD)
    change = {"occurred": "2025-04-14", "occurred_basis": "inferred"}
    body = {"correct": receipt.id, "expect": 1, "set": change, "cite": PLEDGE, "reason": "Wrong"}
    content = checked(log, parse(body)).content
    assert content["occurred"] == "2025-04-14"
    assert "occurred_text" not in content
