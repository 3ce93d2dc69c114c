"""`timeline review`: a person on a terminal decides each proposal, and nothing decides for them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from running import done, run
from shells import terminal
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.intake.proposals.proposal import parse
from timeline.store import storage

TEXT = "Mark Rutte came to Odesa on Tuesday. The city was shelled at night. A photo: Reuters."
VISIT: dict[str, Any] = {
    "title": "Rutte comes to Odesa",
    "occurred": "2025-04-15",
    "occurred_text": "on Tuesday",
    "occurred_basis": "resolved",
    "quantities": [{"measure": "injured", "value": 7}],
    "citations": [{"source_id": "odesa-report", "quote": "Mark Rutte came to Odesa on Tuesday"}],
}
COMMENT = {"comment": "odesa-report", "sentences": [3], "reason": "A credit"}
_PROMPT = "q quit: "


@pytest.fixture
def story(timeline: Timeline) -> Path:
    source = {"source_id": "odesa-report", "title": "Rutte in Odesa", "published": "2025-04-15"}
    timeline.capture(TEXT, source)
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    return timeline.path


def propose(story: Path, clock: TickingClock, *bodies: object) -> list[str]:
    """The ids of proposals that wait."""
    with Inbox.of(story, now=clock) as inbox, contextlib.closing(storage.connect(story)) as log:
        return [
            inbox.add(parse(body), way="draft", proposer="gpt", log=log).proposal_id
            for body in bodies
        ]


class Reviewer:
    """Somebody at a terminal who types one answer after the other."""

    def __init__(self, screen: Any) -> None:
        self.screen = screen
        self.shown = ""

    def types(self, key: str, *answers: tuple[str, str]) -> None:
        """Type a key, and then the answer to each question."""
        for question, answer in ((_PROMPT, key), *answers):
            self.screen.expect_exact(question)
            self.shown += self.screen.before + self.screen.after
            self.screen.sendline(answer)

    def ends(self) -> str:
        self.screen.expect(pexpect.EOF)
        self.shown += self.screen.before
        self.screen.close()
        assert self.screen.exitstatus == 0, self.shown
        return self.shown.replace("\r\n", "\n")


@pytest.fixture
def reviewer(story: Path) -> Iterator[Any]:
    def begin(*arguments: str, **env: str) -> Reviewer:
        command = ["-m", "timeline", "-d", story, "review", *arguments]
        return Reviewer(terminal(sys.executable, *command, cwd=story.parent, NO_COLOR="1", **env))

    return begin


def history(story: Path, event_id: str) -> list[Any]:
    with Timeline.open(story) as timeline:
        return [*timeline.history(event_id)]


# --- Only a person decides --------------------------------------------------------------------


def test_without_a_terminal_nobody_decides(story: Path, clock: TickingClock) -> None:
    propose(story, clock, VISIT)
    result = run("-d", story, "review", input="r\ny\n")
    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert last == "Error: a person decides: run it on a terminal, or open timeline desk"
    assert run("review", "--yes").exit_code == 2


def test_what_waits_is_listed_and_nothing_is_written(story: Path, clock: TickingClock) -> None:
    assert done("-d", story, "review", "--list") == "No proposal waits.\n"
    assert json.loads(done("-d", story, "review", "--json")) == []
    assert not inbox_path(story).exists()
    one, other = propose(story, clock, VISIT, COMMENT)
    before = inbox_path(story).read_bytes()
    shown = done("-d", story, "review", "--list")
    assert f"{one}  new event\n  Rutte comes to Odesa\n  draft: gpt\n" in shown
    assert "sentences 3 of Rutte in Odesa" in shown
    found = json.loads(done("-d", story, "review", "--json"))
    assert [each["proposal"] for each in found] == [one, other]
    assert found[0]["body"] == {"record": VISIT}
    assert done("-d", story, "review", "--list", "--way", "mcp") == "No proposal waits.\n"
    assert inbox_path(story).read_bytes() == before
    assert "«Mark Rutte came to Odesa on Tuesday»." in done("-d", story, "review", "--list", one)


# --- Deciding ---------------------------------------------------------------------------------


def test_one_after_the_other_is_decided_in_words_within_80_columns(
    story: Path, clock: TickingClock, reviewer: Any
) -> None:
    visit, comment = propose(story, clock, VISIT, COMMENT)
    person = reviewer()
    person.types("r", ("looked at it", "y"), ("looked at it", "n"))
    person.types("x", ("Reason: ", "wrong"), ("published: ", "anna"))
    person.types("u")
    person.types("l")
    person.types("r")
    shown = person.ends()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "Nothing was recorded." in shown
    assert f"reopened  {visit}" in shown
    with Inbox.of(story) as inbox, contextlib.closing(storage.connect(story)) as log:
        assert inbox.get(visit, log).state == "later"
        assert inbox.get(comment, log).state == "recorded"


def test_a_proposal_is_recorded_when_each_mark_was_looked_at(
    story: Path, clock: TickingClock, reviewer: Any
) -> None:
    (visit,) = propose(story, clock, VISIT)
    person = reviewer(visit, "--author", "anna")
    person.types("r", ("looked at it", "y"), ("looked at it", "y"))
    assert f"recorded  {visit}" in person.ends()
    (version,) = history(story, visit)
    assert (version["author"], version["proposed_by"]) == ("anna", "draft: gpt")


def test_what_is_changed_in_the_form_is_recorded_as_edited(
    story: Path, clock: TickingClock, reviewer: Any
) -> None:
    change = {
        "update": "talks",
        "expect": 1,
        "set": {"tags.-": "nato"},
        "cite": VISIT["citations"],
    }
    visit, _ = propose(story, clock, VISIT, change)
    person = reviewer("--author", "anna", EDITOR="sed -i 's/^title: .*/title: Changed/'")
    person.types("c")
    person.types("c")
    person.ends()
    (version,) = history(story, visit)
    assert version["proposed_by"] == "draft: gpt (edited)"
    _, second = history(story, "talks")
    assert second["proposed_by"] == "draft: gpt (edited)"
    with Timeline.open(story) as timeline:
        assert timeline.get(visit)["title"] == "Changed"
        assert timeline.get(visit)["citations"][0]["quote_start"] == 0
        talks = timeline.get("talks")
    assert (talks["title"], talks["tags"], len(talks["citations"])) == ("Changed", ["nato"], 1)


def test_what_is_proposed_is_added_to_another_event(
    story: Path, clock: TickingClock, reviewer: Any
) -> None:
    (visit,) = propose(story, clock, VISIT)
    person = reviewer("--author", "anna")
    person.types("a", ("Its id: ", "nothing"))
    person.types("a", ("Its id: ", "tal"), ("update of talks", "y"))
    shown = person.ends()
    assert 'Error: no event "nothing"' in shown
    assert "injured: 7" in shown
    _, second = history(story, "talks")
    assert (second["kind"], second["proposed_by"]) == ("event.updated", "draft: gpt (edited)")
    assert [each["proposal"] for each in json.loads(done("-d", story, "review", "--json"))] == []
    with Inbox.of(story) as inbox, contextlib.closing(storage.connect(story)) as log:
        assert inbox.get(visit, log).state == "recorded"


def test_what_was_rejected_is_recorded_only_when_it_is_reopened(
    story: Path, clock: TickingClock, reviewer: Any
) -> None:
    (comment,) = propose(story, clock, COMMENT)
    person = reviewer(comment, "--author", "anna")
    person.types("x", ("Reason: ", "wrong"))
    person.ends()
    person = reviewer(comment, "--author", "anna")
    person.types("c")
    person.types("r")
    person.types("q")
    shown = person.ends()
    assert "rejected by anna: wrong" in shown
    assert shown.count(f"Error: {comment} was rejected by anna: reopen it first") == 2
    assert done("-d", story, "review", "--list") == "No proposal waits.\n"


# --- Purging ----------------------------------------------------------------------------------


def test_what_was_decided_is_purged_and_the_rest_waits(story: Path, clock: TickingClock) -> None:
    assert done("-d", story, "review", "--purge", "0") == "deleted  0 proposals, 0 drafts\n"
    visit, comment = propose(story, clock, VISIT, COMMENT)
    with Inbox.of(story, now=clock) as inbox, contextlib.closing(storage.connect(story)) as log:
        inbox.decide(visit, "rejected", log, by="anna", reason="wrong")
    assert done("-d", story, "review", "--purge", "0") == "deleted  1 proposal, 0 drafts\n"
    assert b"Rutte comes to Odesa" not in inbox_path(story).read_bytes()
    assert comment in done("-d", story, "review", "--list")
