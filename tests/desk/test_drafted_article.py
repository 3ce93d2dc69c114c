"""A model drafts an article, and an editor decides everything with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from browsers import is_within, launched, opener
from desks import desk_of
from editor import ARTICLE, COMMENTARY, EVENTS, MENDED, TITLE, Keyboard, ToldOf, seen
from own_model import environment_of_model
from running import done

from timeline import Timeline
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.proof.verify import verify
from timeline.store import storage
from timeline.texts.sentences import sentences

TEXT = ARTICLE.strip()
DOUBLE = ToldOf((4,), "A union speaks of a strike", "3 June 2025", "inferred from something else")
"""An event that the editor rejects."""


def answered(event: ToldOf) -> dict[str, Any]:
    """An event as a model answers."""
    spans = sentences(TEXT)
    return {
        "title": event.title,
        "occurred": event.when,
        "occurred_text": event.words or event.when.removesuffix(" 2025"),
        "occurred_basis": "inferred" if event is DOUBLE else "resolved",
        "type": event.kind.upper(),
        "place": "Marenhaven",
        "country": "",
        "people": [{"name": name, "role": role} for name, role in event.people],
        "figures": [],
        "claims": [],
        "quotes": [TEXT[slice(*spans[number - 1])] for number in event.sentences],
        "sentences": event.sentences,
        "same_as": "",
    }


ANSWER = {
    "events": [
        *map(answered, EVENTS[:4]),
        answered(EVENTS[4]._replace(when=MENDED)),
        *map(answered, EVENTS[5:]),
        answered(DOUBLE),
    ],
    "commentary": [number for passages in COMMENTARY for number in passages],
}


def test_every_draft_is_decided_with_the_keyboard_and_no_sentence_is_left(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="The strike") as timeline:
        source = {"source_id": "vote", "title": TITLE, "published": "2025-06-12"}
        timeline.capture(TEXT, source)
    env = environment_of_model(tmp_path, ANSWER)
    options = ("--author", "marta", "--model", "file-model")
    with desk_of(path, *options, env=env) as desk, launched() as browser, opener(browser) as opened:
        hand = Keyboard(opened(desk.entrance()))
        hand.press("Articles")
        hand.press(TITLE)
        hand.press("Draft with file-model")
        for _ in range(100):
            if not seen(hand.page, "Look again").count():
                break
            hand.page.wait_for_timeout(100)
            hand.page.reload()
        hand.press("Inbox")
        assert is_within(opened(desk.entrance(), width=320))
        hand.key("j")
        with hand.page.expect_navigation():
            hand.key("Enter")
        for _ in range(10):
            decide(hand)
        hand.press("See the article")
        assert "26 of 30 covered, 4 commentary, none missing" in hand.page.inner_text("main")
        hand.press("Inbox")
        assert "Nothing waits to be decided." in hand.page.inner_text("main")
    with Timeline.open(path) as timeline:
        found = {each["title"]: timeline.get(each["event_id"]) for each in timeline.list()}
        assert set(found) == {event.title for event in EVENTS}
        states = {each["state"] for each in timeline.coverage("vote")["sentences"]}
    assert states == {"covered", "commentary"}
    assert verify(path).findings == []
    done("-d", path, "publish", tmp_path / "site", "--static")
    for event in found.values():
        page = (tmp_path / "site" / "events" / event["event_id"] / "index.html").read_text("utf-8")
        history = re.sub(r"<[^>]+>", "", page)
        assert "by marta, proposed by draft: file-model" in history
    purged(path)


def decide(hand: Keyboard) -> None:
    """Look at every mark of the proposal, and record it; or reject it, and say why."""
    title = hand.page.locator("h1").inner_text()
    if DOUBLE.title in title:
        for key in ("x", "Space", "ArrowDown", "ArrowDown"):
            hand.key(key)
        assert hand.page.evaluate("document.activeElement.value") == "double"
        with hand.page.expect_navigation():
            hand.key("Enter")
        return
    for box in hand.page.locator("input[name=ticked]").all():
        hand.go_to(box)
        hand.key("Space")
    hand.record()


def purged(path: Path) -> None:
    """No byte of what was decided is in the inbox once it is purged."""
    words = [EVENTS[0].title.encode(), DOUBLE.title.encode(), b"walked out over a plan"]
    before = b"".join(file.read_bytes() for file in files(path))
    assert all(each in before for each in words)
    done("-d", path, "review", "--purge", "0")
    after = b"".join(file.read_bytes() for file in files(path))
    assert not [each for each in words if each in after]
    with Inbox.of(path) as inbox:
        assert inbox.stock(storage.connect(path))[:2] == (0, 0)


def files(path: Path) -> list[Path]:
    inbox = inbox_path(path)
    return [each for each in (inbox, *storage.beside(inbox)) if each.exists()]
