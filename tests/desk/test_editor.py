"""An editor works through an article of 30 sentences, with a mouse, and with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browsers import launched, opener
from desks import desk_of
from editor import ARTICLE, EVENTS, MISTAKE, Hand, Keyboard, Mouse, work
from playwright.sync_api import Page

from timeline import Timeline
from timeline.proof.verify import verify
from timeline.texts.sentences import sentences


@pytest.mark.parametrize("hand_on", [pytest.param(Mouse, marks=pytest.mark.torture), Keyboard])
def test_an_editor_records_an_article_and_corrects_a_mistake(
    tmp_path: Path, hand_on: Callable[[Page], Hand]
) -> None:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="The strike", time_zone="Europe/Amsterdam"):
        pass
    assert len(sentences(ARTICLE.strip())) == 30
    with desk_of(path) as desk, launched() as browser, opener(browser) as opened:
        work(hand_on(opened(desk.entrance())), "marta")
    with Timeline.open(path) as timeline:
        events = [timeline.get(each["event_id"]) for each in timeline.list()]
        found = {each["title"]: each for each in events}
        assert set(found) == {event.title for event in EVENTS}
        article = found[MISTAKE]["citations"][0]["source_id"]
        states = {each["state"] for each in timeline.coverage(article)["sentences"]}
        assert states == {"covered", "commentary"}
        for event in EVENTS:
            kept = found[event.title]
            figures = {(q["measure"], q["reported_by"]) for q in kept.get("quantities", ())}
            assert figures == {(measure, speaker) for measure, _, speaker in event.figures}
            names = {each["name"] for each in kept.get("participants", ())}
            assert names == {name for name, _ in event.people}
        assert (found[MISTAKE]["occurred"], found[MISTAKE]["version"]) == ("2025-06-08", 2)
    assert not verify(path).findings
