"""`timeline propose` takes each proposal for itself, and says what became of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from running import PROGRAM, environment, run

from timeline import Timeline

TEXT = "Mark Rutte came to Odesa on Tuesday. He pledged 20 billion euros."
RECORD: dict[str, Any] = {
    "title": "Rutte comes to Odesa",
    "occurred": "15 April 2025",
    "occurred_text": "on Tuesday",
    "occurred_basis": "resolved",
    "citations": [{"source_id": "odesa-report", "quote": "Mark Rutte came to Odesa on Tuesday"}],
}


@pytest.fixture
def story(timeline: Timeline) -> Path:
    timeline.capture(TEXT, {"source_id": "odesa-report", "title": "Rutte in Odesa"})
    return timeline.path


def lines(*bodies: object) -> str:
    return "".join(f"{json.dumps(body)}\n" for body in bodies)


def test_what_is_good_waits_and_what_is_not_is_named_with_its_line(story: Path) -> None:
    wrong = {**RECORD, "author": "me", "title": "Wrong"}
    given = lines(RECORD, wrong) + "{half\n"
    result = run("-d", story, "propose", "-", "--nl", "--by", "scraper", input=given)
    assert result.exit_code == 1
    first, *_ = result.stdout.splitlines()
    assert first.startswith("proposed  p-")
    assert "Tuesday 15 April 2025 (2025-04-15)" in result.stdout
    assert "Error: line 2: author: is the person who records it: leave it out" in result.stderr
    assert "Error: line 3: is not JSON" in result.stderr


def test_json_says_on_each_line_what_became_of_a_proposal(story: Path) -> None:
    arguments = ("-d", story, "propose", "-", "--json")
    (first,) = map(json.loads, run(*arguments, input=json.dumps(RECORD)).stdout.splitlines())
    assert {**first, "proposal": "", "marks": []} == {
        "line": 1,
        "proposal": "",
        "state": "open",
        "event_id": None,
        "occurred": "2025-04-15",
        "phrase": "Tuesday 15 April 2025",
        "near": [],
        "marks": [],
        "problems": [],
    }
    result = run(*arguments, input=json.dumps([RECORD]))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["state"] == "known"


def test_a_dry_run_keeps_nothing_and_makes_no_inbox(story: Path) -> None:
    result = run("-d", story, "propose", "-", "--dry-run", input=json.dumps(RECORD))
    assert result.exit_code == 0
    assert result.stdout.startswith("would be proposed")
    assert not [*story.parent.glob("*.inbox")]


def test_four_programs_at_once_propose_each_proposal_once(story: Path) -> None:
    given = lines(*({**RECORD, "title": f"Visit {number}"} for number in range(200))).encode()
    programs = [
        subprocess.Popen(
            [*PROGRAM, "-d", story, "propose", "-", "--nl", "--json", "--by", "a scraper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(4)
    ]
    answers = [program.communicate(given)[0] for program in programs]
    found = [json.loads(line) for answer in answers for line in answer.splitlines()]
    assert len(found) == 800
    assert {each["state"] for each in found} == {"open", "known"}
    assert len({each["proposal"] for each in found if each["state"] == "open"}) == 200
    assert len({each["proposal"] for each in found}) == 200
