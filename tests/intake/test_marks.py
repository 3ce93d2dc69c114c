"""The marks of a proposal: what its quotes do not say, one sentence for each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from timeline import Timeline
from timeline.intake.proposals.checked import BroughtQuote, CheckedProposal
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.proposal import parse
from timeline.model.content import Said
from timeline.store import storage
from timeline.texts.quotes import CapturedText

TEXT = """Missiles hit Sumy

Two missiles hit Sumy on Sunday. Governor Artyukh said that thirty-five people were killed.
Mark Rutte came to Odesa on Tuesday. Allies pledged more than EUR 20 billion.
Two missiles hit Sumy, the mayor said again. A man wrote “he\u200bre”.
"""
QUOTE = "Two missiles hit Sumy on Sunday."
TOLL = "Governor Artyukh said that thirty-five people were killed."
EVENT = {
    "title": "Missiles hit the city",
    "occurred": "2025-04-13",
    "occurred_text": "on Sunday",
    "occurred_basis": "stated",
}

Asked = Callable[..., list[ProposalMark]]


def quote_of(words: str, text: str = TEXT) -> BroughtQuote:
    found = CapturedText(text).find(words)
    assert found
    title, published = "Missiles hit Sumy", "2025-04-14"
    return BroughtQuote("report", title, published, text[found.start : found.end], *found, text)


@pytest.fixture
def story(timeline: Timeline) -> Timeline:
    timeline.capture(
        TEXT,
        {"source_id": "report", "title": "Missiles hit Sumy", "published": "2025-04-14"},
    )
    return timeline


@pytest.fixture
def log(story: Timeline, path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


@pytest.fixture
def marked(log: sqlite3.Connection) -> Asked:
    """What is marked in a new event with these fields and quotes."""

    def asked(
        fields: Mapping[str, Any], quotes: Sequence[str] = (QUOTE,), **settings: Any
    ) -> list[ProposalMark]:
        content = {**EVENT, **fields}
        found = CheckedProposal(content, {}, 0, [*map(quote_of, quotes)], ())
        return marks(log, parse({"record": content}), found, **settings)

    return asked


def texts(found: Sequence[ProposalMark]) -> list[str]:
    return [mark.text for mark in found]


def test_what_the_quotes_say_is_not_marked(marked: Asked) -> None:
    said = {
        "place": {"name": "Sumy", "country": "UKR"},
        "quantities": [
            {"measure": "missiles", "value": "2", "unit": "item"},
            {"measure": "killed", "value": "35", "unit": "person", "reported_by": "Artyukh"},
        ],
        "claims": [{"speaker": "Governor Artyukh", "statement": "A crime"}],
    }
    assert marked(said, [QUOTE, TOLL]) == []


def test_a_figure_whose_number_stands_in_no_quote_is_marked(marked: Asked) -> None:
    figures = [
        {"measure": "killed", "value": "35", "unit": "person"},
        {"measure": "killed", "value": "36", "unit": "person"},
        {"measure": "pledged", "value": "20000000000", "qualifier": "more_than", "unit": "EUR"},
        {"measure": "injured", "low": "35", "high": "40", "unit": "person"},
    ]
    found = marked({"quantities": figures}, [TOLL, "Allies pledged more than EUR 20 billion."])
    assert [mark.field for mark in found] == ["quantities.1", "quantities.3"]
    assert texts(found) == [
        "In the figure “killed 36”, 36 stands in no quote. Look where it is from.",
        "In the figure “injured 35 to 40”, 40 stands in no quote. Look where it is from.",
    ]


def test_a_name_that_stands_nowhere_in_the_texts_is_marked(marked: Asked) -> None:
    found = marked(
        {
            "place": {"name": "Kharkiv"},
            "participants": [{"name": "Mark Rutte"}, {"name": "Rut"}],
            "claims": [{"speaker": "Kyiv"}],
        }
    )
    assert [mark.field for mark in found] == ["place", "participants.1", "claims.0"]
    assert found[0].text == (
        "“Kharkiv” stands nowhere in the cited texts. Look whether the quote means them."
    )


def test_an_alias_that_stands_in_the_texts_is_enough(marked: Asked, story: Timeline) -> None:
    with story.append() as append:
        append.record_actor({"name": "Volodymyr Artyukh", "aliases": ["Governor Artyukh"]})
    assert marked({"participants": [{"name": "Volodymyr Artyukh"}]}) == []
    with story.append() as append:
        append.record_actor({"name": "Oleh Kiper", "aliases": ["Governor Kiper"]})
    (mark,) = marked({"participants": [{"name": "Oleh Kiper"}]})
    assert "nowhere in the cited texts, nor under another known name" in mark.text


def test_the_words_of_the_source_for_a_name_are_shown_but_are_not_enough(marked: Asked) -> None:
    (mark,) = marked({"participants": [{"name": "Vladimir Putin", "as_named": "the mayor"}]})
    assert mark.text == (
        "“Vladimir Putin” stands nowhere in the cited texts. They say “the mayor”: look whether"
        " that is the same."
    )


def test_a_date_that_is_resolved_or_inferred_is_marked(marked: Asked) -> None:
    (resolved,) = marked({"occurred_basis": "resolved"})
    assert resolved.field == "occurred"
    assert resolved.text == (
        "The date is Sunday 13 April 2025, resolved from the words “on Sunday”. Published:"
        " “Missiles hit Sumy”, Monday 14 April 2025. Look whether this is the day that is meant."
    )
    (inferred,) = marked(
        {"occurred_basis": "inferred", "occurred_text": None, "occurred": "2025-04"}
    )
    assert "The date is April 2025, inferred, without words for it." in inferred.text


def test_a_quote_that_stands_more_than_once_is_marked(marked: Asked) -> None:
    (mark,) = marked({}, ["Two missiles hit Sumy"])
    assert mark.text == (
        "The quote “Two missiles hit Sumy” stands 2 times in “Missiles hit Sumy”."
        " Look whether this place is meant."
    )


def test_a_sentence_that_another_event_quotes_is_marked(marked: Asked, story: Timeline) -> None:
    for number in range(5):
        story.record(
            {
                "title": f"Strike {number}",
                "occurred": "2024",
                "citations": [{"source_id": "report", "quote": "missiles hit Sumy on"}],
            }
        )
    (mark,) = marked({})
    assert mark.field == "citations"
    assert mark.text == (
        f"The sentence of the quote “{QUOTE}” is quoted already by “Strike 0”, “Strike 1”,"
        " “Strike 2” and 2 more. Look whether this is something else."
    )
    assert marked({}, [TOLL]) == []


def test_a_new_name_that_looks_like_a_known_one_is_marked(marked: Asked, story: Timeline) -> None:
    with story.append() as append:
        append.record_actor({"name": "Governor Artyuk", "actor_id": "artyuk"})
    story.record({"title": "A", "occurred": "2024", "tags": ["missiles"], "place": {"name": "X"}})
    found = marked({"participants": [{"name": "Governor Artyukh"}], "tags": ["missile", "peace"]})
    assert [mark.field for mark in found] == ["participants.0", "tags"]
    assert found[0].text == (
        "“Governor Artyukh” is a new actor, and looks like “Governor Artyuk”, which the timeline"
        " has. Look whether they are the same."
    )
    named = [{"name": "Governor Artyukh", "actor_id": "artyuk"}]
    assert marked({"participants": named}) == []


def test_events_nearby_are_marked_together(marked: Asked, story: Timeline) -> None:
    for title in ("Strike on the city", "Missiles hit Sumy city"):
        story.record({"title": title, "occurred": "2025-04-13", "place": {"name": "Sumy"}})
    (mark,) = marked({"place": {"name": "Sumy"}})
    assert mark.field == ""
    assert mark.text == (
        "This may be an event that the timeline has: “Missiles hit Sumy city” (13 April 2025;"
        " the same time, place and words of the title). Look whether it is another."
    )


def test_an_event_that_has_moved_on_is_marked(log: sqlite3.Connection) -> None:
    proposal = parse({"update": "strike", "expect": 3, "set": {"title": "B"}})
    before = {"title": "A", "occurred": "2025"}
    content = {"title": "B", "occurred": "2025"}
    (mark,) = marks(log, proposal, CheckedProposal(content, before, 5, [quote_of(QUOTE)], ()))
    assert mark.text == (
        "The event has moved on: this was proposed for version 3, and it is at version 5."
        " Look at what changed since."
    )
    found = CheckedProposal(content, before, 3, [quote_of(QUOTE)], ())
    assert marks(log, proposal, found) == []


def test_what_an_event_says_already_is_not_marked_in_a_change(log: sqlite3.Connection) -> None:
    before = {
        **EVENT,
        "occurred_basis": "inferred",
        "participants": [{"name": "Nobody Knows"}],
        "quantities": [{"measure": "killed", "value": "99", "unit": "person"}],
        "place": {"name": "Elsewhere"},
    }
    content = {**before, "quantities": [*before["quantities"], {"measure": "dogs", "value": "7"}]}
    content["quantities"][1]["unit"] = "dog"
    proposal = parse({"update": "strike", "expect": 1, "set": {"quantities.-": {}}})
    found = marks(log, proposal, CheckedProposal(content, before, 1, [quote_of(QUOTE)], ()))
    assert [mark.field for mark in found] == ["quantities.1"]


def test_a_text_that_has_changed_since_is_marked(
    log: sqlite3.Connection, marked: Asked, story: Timeline
) -> None:
    (received_at,) = log.execute("SELECT max(recorded_at) FROM log").fetchone()
    assert marked({}, received_at=received_at) == []
    story.capture(f"{TEXT}\nCorrected.", {"source_id": "report"})
    (mark,) = marked({})
    assert mark.text == (
        "The text of “Missiles hit Sumy” has changed since this was proposed."
        " Look whether the newer text still says so."
    )
    quote = quote_of(QUOTE, f"{TEXT}\nCorrected.")
    found = CheckedProposal(EVENT, {}, 0, [quote], ())
    proposal = parse({"record": EVENT})
    assert marks(log, proposal, found) == []
    assert len(marks(log, proposal, found, received_at=received_at)) == 1


def test_a_source_that_is_withdrawn_is_marked(marked: Asked, story: Timeline) -> None:
    with story.append() as append:
        append.withdraw_source("report", Said(reason="Made up"))
    (mark,) = marked({})
    assert mark.text == (
        "The source “Missiles hit Sumy” is withdrawn (Made up). Look whether this can rest on it."
    )


def test_characters_that_nobody_sees_in_a_quote_are_marked(marked: Asked) -> None:
    (mark,) = marked({}, ["A man wrote “he\u200bre”."])
    assert "has characters that nobody sees: U+200B (ZERO WIDTH SPACE)." in mark.text


def test_a_key_is_made_of_what_the_mark_says(marked: Asked) -> None:
    def keys(number: str) -> set[str]:
        figure = {"measure": "killed", "value": number, "unit": "person"}
        return {mark.key for mark in marked({"quantities": [figure]})}

    assert keys("36") == keys("36")
    assert not keys("36") & keys("37")


def test_a_mark_shows_characters_that_deceive(marked: Asked) -> None:
    (mark,) = marked({"claims": [{"speaker": "Nobody\u202e"}]})
    assert mark.text.startswith("“Nobody[U+202E]” stands nowhere")
