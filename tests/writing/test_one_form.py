"""The same words are the same thing: names in one form, and what was accepted once stays."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import CHECKOUT, done, entries, one_line, run

from timeline import Timeline
from timeline.errors import InvalidInput
from timeline.model.content import Actor, Event
from timeline.model.invisible import one_form
from timeline.model.validation import validate
from timeline.proof.verify import verify
from timeline.writing.one_form import comparable, in_one_form

ODD = CHECKOUT / "tests" / "golden" / "v1-odd.jsonl"
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    done("-d", path, "init", "--title", "T")
    return path


def event_as(write: Callable[[str], str]) -> dict[str, Any]:
    name = write("Jos\u00e9")
    return {
        "event_id": "visit",
        "title": write("A visit to the caf\u00e9"),
        "occurred": "2025-04-15",
        "tags": [write(COMPOSED)],
        "place": {"name": write("Lw\u00f3w"), "admin1": write("R\u00e9gion")},
        "about_place": {"name": write("K\u00f6ln")},
        "participants": [{"name": name, "organisation": write("\u00c9cole")}],
        "citations": [{"source": {"title": write("Caf\u00e9 News")}}],
    }


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


WAYS: list[Callable[[str], str]] = [
    decomposed,
    lambda text: f"\ufeff{text}\u200b",
    lambda text: text[:2] + "\u00ad\u2060" + text[2:],
    lambda text: f"{text}\u200d",
]


@pytest.mark.parametrize("write", WAYS)
def test_an_event_written_otherwise_is_the_same_event(
    path: Path, write: Callable[[str], str]
) -> None:
    with Timeline.open(path) as timeline:
        assert not timeline.record(event_as(str)).unchanged
        assert timeline.record(event_as(write)).unchanged
        assert timeline.record(validate(Event, event_as(write))).unchanged
        other = timeline.record({**event_as(write), "event_id": "other"})
        assert not other.unchanged
        one, two = (timeline.get(event_id) for event_id in ("visit", "other"))
    for field in ("title", "tags", "place", "about_place", "participants", "citations"):
        assert one[field] == two[field]
    assert len(entries(path)) == 4, "one source for both"


def test_words_of_others_are_never_touched(path: Path) -> None:
    said = {
        "summary": DECOMPOSED,
        "note": f"{COMPOSED}\u200b",
        "extra": {"x": {"y": DECOMPOSED}},
        "participants": [{"name": "A", "as_named": DECOMPOSED}],
        "claims": [{"speaker": "B", "statement": f"{DECOMPOSED}\u202e"}],
    }
    with Timeline.open(path) as timeline:
        timeline.record({"event_id": "visit", "title": "T", "occurred": "2025", **said})
        found = timeline.get("visit")
    assert found["summary"], found["note"] == (DECOMPOSED, f"{COMPOSED}\u200b")
    assert found["participants"][0]["as_named"] == DECOMPOSED
    assert found["claims"][0]["statement"] == f"{DECOMPOSED}\u202e"
    assert found["extra"] == {"x": {"y": DECOMPOSED}}


def test_a_tag_written_twice_is_one_and_is_found_in_both_forms(path: Path) -> None:
    event = {"event_id": "visit", "title": "T", "occurred": "2025"}
    with Timeline.open(path) as timeline:
        timeline.record({**event, "tags": [DECOMPOSED, COMPOSED, f"{COMPOSED}\u200b"]})
        assert timeline.get("visit")["tags"] == [COMPOSED]
        for tag in (COMPOSED, DECOMPOSED, f"{COMPOSED}\u200b"):
            assert len([*timeline.list(tag=tag)]) == 1


def test_the_length_is_asked_of_the_form(path: Path) -> None:
    event = {"title": "T", "occurred": "2025"}
    with Timeline.open(path) as timeline:
        timeline.record({**event, "tags": ["\u1100\u1161" * 60]})
        with pytest.raises(InvalidInput, match="is too long: at most 60 characters"):
            timeline.record({**event, "tags": ["\u0958" * 60]})  # NFC makes two of each
        with pytest.raises(InvalidInput, match=r"has only U\+200B \(ZERO WIDTH SPACE\)"):
            timeline.record({**event, "title": "\u200b"})


def test_an_actor_written_otherwise_is_the_same_actor(path: Path) -> None:
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.record_actor({"actor_id": "jose", "name": "Jos\u00e9", "aliases": [COMPOSED]})
        again = validate(
            Actor, {"actor_id": "jose", "name": "Jose\u0301", "aliases": [f"{DECOMPOSED}\u200b"]}
        )
        assert append.record_actor(again).unchanged


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"title": "pay\u202egnp"},
            "title: has U+202E (RIGHT-TO-LEFT OVERRIDE), which nobody sees and which changes what"
            ' is seen: take it out of "pay[U+202E]gnp"',
        ),
        (
            {"tags": ["a", "b\U000e0041"]},
            "tags.1: has U+E0041 (TAG LATIN CAPITAL LETTER A), which nobody sees and which changes"
            ' what is seen: take it out of "b[U+E0041]"',
        ),
        (
            {"participants": [{"name": "A", "office": "\u2067B"}]},
            "participants.0.office: has U+2067 (RIGHT-TO-LEFT ISOLATE), which nobody sees and"
            ' which changes what is seen: take it out of "[U+2067]B"',
        ),
        (
            {"citations": [{"source": {"title": "\u202dX"}}]},
            "title: has U+202D (LEFT-TO-RIGHT OVERRIDE), which nobody sees and which changes what"
            ' is seen: take it out of "[U+202D]X"',
        ),
    ],
)
def test_a_line_that_is_not_what_is_seen_is_refused(
    path: Path, fields: dict[str, Any], problem: str
) -> None:
    text = json.dumps({"title": "T", "occurred": "2025", **fields})
    before = entries(path)
    assert one_line(run("-d", path, "append", "-", input=text)).removeprefix("line 1: ") == problem
    assert entries(path) == before


def test_a_refusal_shows_what_nobody_sees(path: Path) -> None:
    done("-d", path, "append", "--title", "T", "--occurred", "2025", "--id", "talk")
    problem = one_line(run("-d", path, "show", "talk\u200b"))
    assert problem == 'no event "talk\\u200b": did you mean talk?'
    problem = one_line(run("-d", path, "list", "--type", "Assoult\u200b"))
    assert problem.startswith('event_type: "Assoult" with U+200B (ZERO WIDTH SPACE) is not')


SHEET = "\u200bid,Ti\u00adtle\u200b,occurred,type,verification,place,actors,tags\n" + "".join(
    f"row-{number},Row {number},2025,{write('Assault')},{write('reported')},{write('Kyiv')},"
    f"{write('Russia')};{write('Mark Rutte')},{write('aid')}\n"
    for number, write in enumerate([str, *WAYS[1:]])
)


@pytest.mark.parametrize("command", [("append", "--csv"), ("sync",)])
def test_a_sheet_is_read_as_if_nothing_invisible_were_in_it(
    path: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    done("-d", path, *command, tmp_path / "sheet.csv")
    with Timeline.open(path) as timeline:
        found = [timeline.get(f"row-{number}") for number in range(len(WAYS))]
        assert [event["title"] for event in found] == [f"Row {n}" for n in range(len(WAYS))]
        facets = timeline.facets()
    for event in found:
        for field in ("event_type", "verification", "place", "tags", "participants"):
            assert event[field] == found[0][field]
    for facet in ("event_type", "actor", "tag"):
        assert {value["count"] for value in facets[facet]} == {len(WAYS)}
    before = entries(path)
    done("-d", path, *command, tmp_path / "sheet.csv")
    assert entries(path) == before


# --- What was accepted once ---------------------------------------------------------------


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.db"
    done("-d", path, "import", "jsonl", ODD)
    return path


def stated() -> list[dict[str, Any]]:
    """The events of the odd log as their author would send them again."""
    found = []
    for line in ODD.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        envelope = json.loads(entry["envelope"])
        what, _, key = envelope["subject"].partition("/")
        if what == "event":
            payload = json.loads(entry["payload"])
            payload.pop("author")
            found.append({**payload, "event_id": key})
    return found


def tidied(event: dict[str, Any]) -> dict[str, Any]:
    return {**json.loads(json.dumps(in_one_form(event))), "occurred": comparable(event)["occurred"]}


def test_an_odd_log_is_taken_rebuilt_and_holds(odd: Path) -> None:
    root = ODD.with_suffix(".root").read_text(encoding="ascii").strip()
    done("-d", odd, "rebuild")
    report = verify(odd)
    assert (report.findings, report.root.hex()) == ([], root)
    assert done("-d", odd, "export", "jsonl").splitlines() == ODD.read_text("utf-8").splitlines()


def test_an_odd_log_is_followed(odd: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(odd, tmp_path / "copy.db"))
    with Timeline.open(odd, fork=True) as timeline:
        timeline.update("odd-title", {"note": "x"})
        timeline.update("odd-tags", {"tags": [DECOMPOSED, "new"]})
    log = done("-d", odd, "export", "jsonl")
    done("-d", copy, "import", "jsonl", "-", input=log)
    assert done("-d", copy, "export", "jsonl") == log
    assert verify(copy).findings == []


@pytest.mark.parametrize("event", stated(), ids=lambda event: event["event_id"])
@pytest.mark.parametrize("form", [dict, tidied])
def test_an_odd_event_sent_again_is_unchanged(
    odd: Path, event: dict[str, Any], form: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    before = entries(odd)
    told = done("-d", odd, "append", "-", "--fork", input=json.dumps(form(event)))
    assert told.startswith("unchanged")
    assert entries(odd) == before


@pytest.mark.parametrize("event", stated(), ids=lambda event: event["event_id"])
def test_an_odd_event_is_updated_in_another_field(odd: Path, event: dict[str, Any]) -> None:
    with Timeline.open(odd, trust_clock=True, fork=True) as timeline:
        before = timeline.get(event["event_id"])
        timeline.update(event["event_id"], {"summary": "Said again"})
        after = timeline.get(event["event_id"])
        for field in ("title", "occurred", "tags", "place", "participants", "quantities"):
            assert after.get(field) == before.get(field)
        timeline.update(event["event_id"], {**tidied(event), "summary": "Said once more"})
        assert timeline.get(event["event_id"]).get("title") == before["title"]
        assert timeline.get(event["event_id"])["occurred"] == before["occurred"]


def test_a_sheet_of_an_odd_log_changes_nothing(odd: Path, tmp_path: Path) -> None:
    done("-d", odd, "export", "csv", "-o", tmp_path / "sheet.csv")
    before = entries(odd)
    assert done("-d", odd, "sync", tmp_path / "sheet.csv").startswith("4 unchanged")
    assert entries(odd) == before


NAMES = st.text(st.sampled_from("ae\u0301\u00e9\u200b\u00ad \u200db"), min_size=1, max_size=6)
CONTENTS = st.fixed_dictionaries(
    {"title": NAMES, "tags": st.lists(NAMES, max_size=4, unique=True)},
    optional={"participants": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2)},
).filter(lambda content: all(map(one_form, [content["title"], *content["tags"]])))


@given(CONTENTS, CONTENTS)
def test_what_is_the_same_keeps_its_bytes(before: dict[str, Any], after: dict[str, Any]) -> None:
    for who in (*before.get("participants", ()), *after.get("participants", ())):
        who["name"] += "x"
    formed = in_one_form(after, before)
    assert comparable(formed) == comparable(after)
    assert in_one_form(formed, before) == formed
    assert in_one_form(before, before) == before
    if one_form(after["title"]) == one_form(before["title"]):
        assert formed["title"] == before["title"]
