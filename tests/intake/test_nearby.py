"""Events nearby: those that may be the one that is proposed, and why."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from timeline import Timeline, demo
from timeline.intake.proposals.checked import BroughtQuote
from timeline.intake.proposals.nearby import Near, nearby
from timeline.reading.twins.events import event_twins
from timeline.store import storage
from timeline.texts.quotes import CapturedText

STRIKE = {
    "title": "Missile strike on Sumy kills many",
    "occurred": "2025-04-13",
    "place": {"name": "Sumy", "country": "UKR"},
}
Found = Callable[..., list[Near]]


@pytest.fixture
def log(timeline: Timeline, path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


def test_a_strike_in_other_words_is_found_in_the_demonstration(tmp_path: Path) -> None:
    demo.build(tmp_path / "demo.db")
    with contextlib.closing(storage.connect(tmp_path / "demo.db")) as log:
        (found,) = nearby(log, STRIKE)
        assert event_twins(log) == []
        assert nearby(log, STRIKE, but="sumy-strike") == []
    assert found == Near(
        "sumy-strike",
        "Ballistic missile strike on Sumy",
        "13 April 2025",
        "the same time, place and words of the title",
    )


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"place": {"name": "Sumy"}, "title": "Missile strike"}, "place and words of the title"),
        ({"place": {"name": "Sumy"}, "participants": [{"name": "Ann"}]}, "place and people"),
        (
            {"title": "A missile strike", "participants": [{"name": "Ann"}]},
            "place, people and words of the title",
        ),
        ({"title": "Missile strike in Sumy"}, "place and words of the title"),
        ({"place": {"name": "Sumy"}}, None),
        ({"place": {"name": "Kyiv"}, "title": "Missile strike"}, None),
        ({"participants": [{"name": "Bob"}, {"name": "Cem"}]}, None),
        ({"place": {"name": "Sumy"}, "title": "Missile strike", "occurred": "2025-04-14"}, None),
        (
            {"place": {"name": "Sumy"}, "title": "Missile strike", "occurred": "2025"},
            "place and words of the title",
        ),
    ],
)
def test_two_of_place_people_and_title_agree(
    timeline: Timeline, log: sqlite3.Connection, event: dict[str, Any], why: str | None
) -> None:
    timeline.record(
        {
            "event_id": "strike",
            "title": "Missile strike on a market",
            "occurred": "2025-04-13",
            "place": {"name": "Sumy"},
            "participants": [{"name": "Ann"}],
        }
    )
    if event.get("title") == "A missile strike":
        event = {**event, "place": {"name": "Sumy"}}
    found = nearby(log, {"title": "Something else", "occurred": "2025-04-13", **event})
    assert [(near.event_id, near.why) for near in found] == (
        [("strike", f"the same time, {why}")] if why else []
    )


def test_an_actor_is_known_by_an_alias(timeline: Timeline, log: sqlite3.Connection) -> None:
    with timeline.append() as append:
        append.record_actor({"name": "Mark Rutte", "aliases": ["Rutte"]})
    seen = {"occurred": "2025-04-15", "place": {"name": "Odesa"}}
    timeline.record({"title": "A visit", "participants": [{"name": "Mark Rutte"}], **seen})
    (near,) = nearby(log, {"title": "To the port", "participants": [{"name": "Rutte"}], **seen})
    assert near.why == "the same time, place and people"


def test_the_same_id_elsewhere_is_found_at_any_time(
    timeline: Timeline, log: sqlite3.Connection
) -> None:
    timeline.record({"title": "A", "occurred": "1999", "external_ids": ["acled:1"]})
    (near,) = nearby(log, {"title": "B", "occurred": "2025", "external_ids": ["acled:1"]})
    assert (near.title, near.when, near.why) == ("A", "1999", "has the same id elsewhere")


def test_a_reprint_that_is_quoted_in_the_same_sentence_is_found(
    timeline: Timeline, log: sqlite3.Connection
) -> None:
    text = "The bridge fell. Nobody was hurt."
    timeline.capture(text, {"source_id": "agency", "title": "Agency"})
    for event_id, quote in (("bridge", "bridge fell"), ("hurt", "Nobody was hurt.")):
        citation = {"source_id": "agency", "quote": quote}
        timeline.record(
            {
                "event_id": event_id,
                "title": event_id,
                "occurred": "1999",
                "citations": [citation],
            }
        )
    place = CapturedText(text).find("The bridge")
    assert place
    quote = BroughtQuote("paper", "Paper", None, "The bridge", *place, text)
    (near,) = nearby(log, {"title": "Fall", "occurred": "2025"}, [quote])
    assert (near.event_id, near.why) == ("bridge", "quotes the same sentence")


def test_at_most_five_are_found_the_likest_first(
    timeline: Timeline, log: sqlite3.Connection
) -> None:
    for number in range(7):
        timeline.record({**STRIKE, "title": f"Missile strike {number}"})
    timeline.record({**STRIKE, "title": "Missile strike on Sumy kills many", "event_id": "like"})
    found = nearby(log, STRIKE)
    assert len(found) == 5
    assert found[0].event_id == "like"


def test_events_that_are_another_one_are_left_out(
    timeline: Timeline, log: sqlite3.Connection
) -> None:
    timeline.record({**STRIKE, "event_id": "strike"})
    follows = {**STRIKE, "relations": [{"type": "follows", "event_id": "strike"}]}
    assert nearby(log, follows) == []
    timeline.retract("strike", reason="Twice")
    assert nearby(log, STRIKE) == []


def test_an_event_without_an_end_overlaps_with_all_that_follows(
    timeline: Timeline, log: sqlite3.Connection
) -> None:
    timeline.record({**STRIKE, "occurred": "2025-04-01/.."})
    assert len(nearby(log, STRIKE)) == 1
    assert nearby(log, {**STRIKE, "occurred": "../2025-03-01"}) == []
    assert len(nearby(log, {**STRIKE, "occurred": "../2026-03-01"})) == 1
