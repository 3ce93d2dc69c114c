"""`--edit`: a form goes to an editor, what is filled in is recorded, and nothing typed is lost."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest
from hypothesis import given
from running import dump, environment, process
from shells import terminal
from strategies import events
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.cli import form
from timeline.model import field_paths
from timeline.model.content import Event, Statement
from timeline.model.validation import validate

EDITOR = """
import json, pathlib, sys
folder, form = map(pathlib.Path, sys.argv[1:])
steps = json.loads((folder / "steps.json").read_text())
text = form.read_text()
number = len([*folder.glob("seen.*")])
(folder / f"seen.{number}").write_text(text)
step = steps[number] if number < len(steps) else {}
if isinstance(step, str):
    text = step
elif isinstance(step, dict):
    for line, new in step.items():
        assert f"\\n{line}" in text, (line, text)
        begin = text.index(f"\\n{line}") + 1
        text = text[:begin] + new + text[text.index("\\n", begin):]
form.write_text(text)
sys.exit(step if isinstance(step, int) else 0)
"""
"""Saves one step after another: a whole text, new lines by what the old ones begin with, or
an exit code; and keeps what it saw."""

Step = str | int | dict[str, str]


class Desk:
    """A timeline, and somebody at the keyboard whose editor does what was written down."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.parent / "desk"
        self.folder.mkdir()
        (self.folder / "editor.py").write_text(EDITOR)

    def run(
        self, *arguments: object, steps: list[Step], **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        for seen in self.folder.glob("seen.*"):
            seen.unlink()
        (self.folder / "steps.json").write_text(json.dumps(steps))
        return process(
            "-d", self.path, *arguments, cwd=self.folder, env=self.environment, **settings
        )

    @property
    def environment(self) -> dict[str, str]:
        editor = f"{sys.executable} {self.folder / 'editor.py'} {self.folder}"
        return environment(EDITOR=editor, VISUAL="", TMPDIR=str(self.folder))

    def seen(self, number: int) -> str:
        return (self.folder / f"seen.{number}").read_text()

    @property
    def rounds(self) -> int:
        return len([*self.folder.glob("seen.*")])

    def kept(self) -> list[Path]:
        # A form is written under another name first, and that name may be gone at once.
        return [path for path in self.folder.glob("timeline-*") if path.suffix != ".new"]


@pytest.fixture
def desk(timeline: Timeline, clock: TickingClock) -> Desk:
    clock.set("2025-04-16T09:00")
    timeline.record(TALKS)
    return Desk(timeline.path)


TALKS: dict[str, Any] = {
    "event_id": "talks",
    "title": 'Переговоры: "part 1" # not a comment',
    "summary": "They talked.\n\n# A heading\nreason: none\n    and more",
    "note": "[a note]",
    "event_type": "CONSULT",
    "occurred": "2025-04-15",
    "place": {"name": "Odesa", "country": "UKR", "admin1": "Odesa Oblast"},
    "participants": [
        {"name": "Rustem Umerov"},
        {"name": "A; B"},
        {"name": "Mark Rutte", "office": "Secretary General"},
        {"name": "Volodymyr Zelenskyy"},
    ],
    "tags": ["nato", "a; b", "talks"],
    "quantities": [
        {
            "measure": "killed",
            "value": 34,
            "qualifier": "more_than",
            "reported_by": "Mayor of Sumy",
            "dated": "2025-04-13",
        },
        {"measure": "pledged", "low": 3, "unit": "EUR"},
        {"measure": "injured", "value": 5},
    ],
    "claims": [{"speaker": "Moscow", "stance": "disputes", "statement": "no\nprogress"}],
    "citations": [
        {"source": {"url": "https://example.org/visit"}},
        {"source": {"url": "https://example.org/other"}, "quote": "q"},
    ],
    "mode": "visit",
    "contexts": ["military"],
    "external_ids": ["gdelt:1024"],
    "extra": {"wire": {"key": "text"}},
}


# --- append --edit ------------------------------------------------------------------------


def test_a_form_becomes_an_event(desk: Desk) -> None:
    result = desk.run(
        *("append", "--edit", "--json"),
        steps=[
            {
                "title:": 'title: Strike: "the worst" # so far',
                "occurred:": "occurred: 13 April 2025",
                "type:": "type: Assault",
                "place:": "place: Суми",
                "country:": "country: Ukraine",
                "actors:": "actors: Mayor of Sumy; Volodymyr Zelenskyy ;",
                "tags:": "tags: strike; Sumy",
                "figure:": "figure: killed = >20 said by Mayor of Sumy dated 2025-04-13\n"
                "figure: pledged=2e9 EUR",
                "source:": "source: https://example.org/a?b=c:d",
                "reported_at:": "reported_at: 2025-04-14",
                "id:": "id: sumy-strike",
                "summary:": "summary:\nTwo missiles.\n\n  More: of it.\n#Sumy mourns.",
            }
        ],
    )
    assert result.returncode == 0, result.stderr
    assert [json.loads(result.stdout)["event_id"], result.stderr] == ["sumy-strike", ""]
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("sumy-strike")
    source_id = event["citations"][0]["source_id"]
    assert event["title"] == 'Strike: "the worst" # so far'
    assert event["summary"] == "Two missiles.\n\nMore: of it.\n#Sumy mourns."
    assert (event["occurred"], event["event_type"]) == ("2025-04-13", "ASSAULT")
    assert event["place"] == {"name": "Суми", "country": "UKR"}
    assert [who["name"] for who in event["participants"]] == [
        "Mayor of Sumy",
        "Volodymyr Zelenskyy",
    ]
    assert event["tags"] == ["strike", "sumy"]
    assert event["quantities"] == [
        {
            "measure": "killed",
            "value": "20",
            "qualifier": "more_than",
            "unit": "person",
            "dated": "2025-04-13",
            "reported_by": "Mayor of Sumy",
            "source_ids": [source_id],
        },
        {"measure": "pledged", "value": "2000000000", "unit": "EUR", "source_ids": [source_id]},
    ]
    assert event["reported_at"] == "2025-04-14"
    assert desk.kept() == []


def test_options_fill_in_the_form(desk: Desk) -> None:
    result = desk.run(
        *("append", "--edit", "--title", "A: b", "--occurred", "2025", "--actor", "A; B"),
        *("--actor", "C", "--said-by", "Mayor", "--figure", "killed=>=3", "--figure", "injured=5"),
        *("--source", "https://example.org/a", "--author", "anna", "--id", "from-options"),
        steps=[{"occurred:": "occurred: April 2025"}],
    )
    assert result.returncode == 0, result.stderr
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("from-options")
        assert timeline.history("from-options")[0]["author"] == "anna"
    assert (event["title"], event["occurred"]) == ("A: b", "2025-04")
    assert event["participants"] == [{"name": "A; B"}, {"name": "C"}]
    assert [each["reported_by"] for each in event["quantities"]] == ["Mayor", "Mayor"]
    assert event["quantities"][0]["qualifier"] == "at_least"


@pytest.mark.parametrize(
    "step", [{}, "", "\n# nothing but\n# comments\n\n"], ids=["unchanged", "empty", "comments"]
)
@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("append", "--title", "T", "--occurred", "2025"), "Nothing was recorded.\n"),
        (("correct", "talks", "--reason", "r"), "Nothing was changed.\n"),
        (("update", "talks"), "Nothing was changed.\n"),
    ],
    ids=["append", "correct", "update"],
)
def test_a_form_that_says_nothing_new_changes_nothing(
    command: tuple[str, ...], says: str, step: Step, desk: Desk
) -> None:
    before = dump(desk.path)
    result = desk.run(*command, "--edit", steps=[step])
    assert (result.returncode, result.stdout, result.stderr) == (1, "", says)
    assert dump(desk.path) == before
    assert (desk.rounds, desk.kept()) == (1, [])


def test_a_vague_date_in_a_form_keeps_its_words(desk: Desk) -> None:
    step = {"title:": "title: T", "occurred:": "occurred: mid-April 2025", "id:": "id: vague"}
    assert desk.run("append", "--edit", steps=[step]).returncode == 0
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("vague")
    assert (event["occurred"], event["occurred_text"], event["occurred_basis"]) == (
        "2025-04-11/2025-04-20",
        "mid-April 2025",
        "resolved",
    )
    steps: list[Step] = [
        {"occurred:": "occurred: 2023-24"},
        {"occurred:": "occurred: winter 2023", "occurred_text:": "occurred_text: cold"},
    ]
    assert desk.run("update", "vague", "--edit", steps=steps).returncode == 0
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("vague")
    assert (event["occurred"], event["occurred_text"]) == ("2023-24", "cold")


def test_what_before_meant_once_is_unchanged_in_a_form_too(desk: Desk) -> None:
    with Timeline.open(desk.path) as timeline:
        old = {"event_id": "old", "title": "T", "occurred": "../1960"}
        timeline.record(old, reported_at="2025-04-16")
        before = len(timeline.list())
    typed = "title: T\noccurred: before 1960\nid: old\n"
    result = desk.run("append", "--edit", steps=[typed])
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("unchanged")
    assert '"before 1960" now leaves 1960 out; 1 row keeps' in " ".join(result.stderr.split())
    result = desk.run("append", "--edit", steps=["title: T\noccurred: after 1960\nid: new\n"])
    assert '1961 or later (1961/.., "after 1960")' in result.stdout
    with Timeline.open(desk.path) as timeline:
        assert len(timeline.list()) == before + 1


def test_a_form_reads_a_month_in_the_language_of_the_log(tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "log.db", title="T", language="pl"):
        pass
    desk = Desk(tmp_path / "log.db")
    typed = (
        "title: T\noccurred: 15 kwietnia 2025 r.\nid: one\nfigure: killed = 3 dated 16 kwi 2025\n"
    )
    result = desk.run("append", "--edit", steps=[typed])
    assert "15 April 2025 (2025-04-15)" in result.stdout, result.stderr
    with Timeline.open(desk.path) as timeline:
        assert timeline.get("one")["quantities"][0]["dated"] == "2025-04-16"


def test_coordinates_in_a_form_are_read_as_people_paste_them(desk: Desk) -> None:
    step = {
        "title:": "title: A",
        "occurred:": "occurred: 2025",
        "id:": "id: in-kyiv",
        "place:": "place: Kyiv\nplace.lat: 30.5E 50°27'N",
    }
    assert desk.run("append", "--edit", steps=[step]).returncode == 0
    with Timeline.open(desk.path) as timeline:
        assert timeline.get("in-kyiv")["place"] == {"name": "Kyiv", "lat": "50.45", "lon": "30.5"}
    step = {"place.lon:": "place.lon: 30°36'E"}
    assert desk.run("update", "in-kyiv", "--edit", steps=[step]).returncode == 0
    with Timeline.open(desk.path) as timeline:
        assert timeline.get("in-kyiv")["place"]["lon"] == "30.6"


def test_another_date_in_a_form_takes_the_words_of_a_vague_one_with_it(desk: Desk) -> None:
    vague = {"occurred": "occurred: mid-April 2025"}
    assert desk.run("update", "talks", "--edit", steps=[vague]).returncode == 0
    day = {"occurred": "occurred: 16 April 2025"}
    assert desk.run("update", "talks", "--edit", steps=[day]).returncode == 0
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("talks")
    assert event["occurred"] == "2025-04-16"
    assert not {"occurred_text", "occurred_basis"} & event.keys()


def test_an_error_comes_back_with_what_was_typed_and_the_right_line(desk: Desk) -> None:
    result = desk.run(
        *("append", "--edit"),
        steps=[
            {"title:": "title: T", "occurred:": "occurred: 04/05/2025"},
            {"occurred:": "occurred: 2025", "type:": "type: Consultaton"},
            {"type:": "type:", "figure:": "figure: killed=few"},
            {"figure:": "figure: killed=1", "tags:": "what a day"},
            {"what a day": "tags: day"},
        ],
    )
    assert result.returncode == 0, result.stderr
    assert desk.rounds == 5
    for number, line in (
        (1, "occurred: 04/05/2025"),
        (2, "type: Consultaton"),
        (3, "figure: killed=few"),
        (4, "what a day"),
    ):
        lines = desk.seen(number).split("\n")
        said = re.match(r"# Error: line (\d+): ", lines[0])
        assert said, lines[0]
        assert lines[int(said[1]) - 1] == line
        assert max(map(len, lines)) <= 80
        assert desk.seen(number).count("# Error") == 1
    assert "occurred: 04/05/2025" in desk.seen(1)
    assert desk.kept() == []


@pytest.mark.parametrize(
    ("line", "new", "says"),
    [
        ("title:", "titel: T", 'did you mean "title:"?'),
        ("title:", "title: T\ntitle: U", "title: was already given in line"),
        ("source:", "source: Reuters", "source: write an address such as https://"),
        ("source:", "source: nowhere", 'source: source_id: there is no source "nowhere"'),
        ("source:", "source: http://", "url: must be a web address"),
        ("country:", "country: Ukrain", "country: "),
        ("reported_at:", "reported_at: soon", "reported_at: "),
        ("tags:", "claims: [1", "claims: "),
        ("tags:", 'claims: [{"speaker": ""}]', "claims: speaker: is required"),
        ("tags:", "verification: maybe", "verification: must be one of"),
        ("tags:", "place.nam: X", "place.nam: is not a field: did you mean name?"),
        ("id:", "id: talks", "event talks is already recorded"),
    ],
)
def test_what_is_refused_is_said_and_kept(line: str, new: str, says: str, desk: Desk) -> None:
    before = dump(desk.path)
    good = {"title:": "title: T", "occurred:": "occurred: 2025"}
    result = desk.run("append", "--edit", steps=[{**good, line: new}])
    assert result.returncode == 1
    assert desk.rounds == 2, "the same text again is not tried for ever"
    kept_line, error_line = result.stderr.splitlines()
    assert says in error_line
    (kept,) = desk.kept()
    assert kept_line == f"What you typed is kept in {kept}"
    assert new in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert dump(desk.path) == before


def test_a_form_that_is_not_utf_8_is_refused_with_its_line_and_kept_byte_by_byte(
    desk: Desk,
) -> None:
    bad = desk.folder / "bad"
    bad.write_bytes(b"title: Caf\xe9\noccurred: 2025\n")
    env = {**desk.environment, "EDITOR": f"cp {bad}"}
    result = process("-d", desk.path, "append", "--edit", cwd=desk.folder, env=env)
    assert result.returncode == 1
    (kept,) = desk.kept()
    line = re.search(r"Error: line (\d+): is not UTF-8", result.stderr)
    assert line
    assert kept.read_bytes().split(b"\n")[int(line[1]) - 1] == b"title: Caf\xe9"


# --- correct --edit -----------------------------------------------------------------------


def test_only_what_is_changed_in_the_form_is_changed(desk: Desk) -> None:
    with Timeline.open(desk.path) as timeline:
        before = timeline.get("talks")
    result = desk.run(
        *("correct", "talks", "--edit"),
        steps=[
            {
                "reason:": "reason: the mayor: counted again",
                "figure: killed": "figure: killed = 35 said by Mayor of Sumy dated 2025-04-13",
                "actors: Volodymyr": "actors: Volodymyr Zelenskyy; Andriy Yermak",
                "country: Ukraine": "country: UKR",
                "source:": "source: https://example.org/visit\nsource: https://example.org/new",
            }
        ],
    )
    assert result.returncode == 0, result.stderr
    with Timeline.open(desk.path) as timeline:
        after = timeline.get("talks")
        last = timeline.history("talks")[-1]
    assert (last["kind"], last["reason"]) == ("event.corrected", "the mayor: counted again")
    new_source = after["citations"][1]["source_id"]
    assert {change["path"]: change["new_value"] for change in last["changes"]} == {
        "/quantities/0/value": "35",
        "/quantities/0/qualifier": None,
        "/quantities/0/source_ids/0": new_source,
        "/participants/4": '{"name": "Andriy Yermak"}',
        "/citations/1": json.dumps({"source_id": new_source}),
    }
    unchanged = before.keys() - {"participants", "quantities", "citations"}
    assert all(after[field] == before[field] for field in unchanged & set(Event.model_fields))


def test_a_line_that_is_emptied_or_taken_out_is_taken_out(desk: Desk) -> None:
    result = desk.run(
        *("update", "talks", "--edit"),
        steps=[{"note:": "note:", "figure: injured": "", "actors: Rustem": "actors:", "mode:": ""}],
    )
    assert result.returncode == 0, result.stderr
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("talks")
        assert timeline.history("talks")[-1]["kind"] == "event.updated"
    assert "note" not in event
    assert "mode" not in event
    assert [each["measure"] for each in event["quantities"]] == ["killed", "pledged"]
    assert [who["name"] for who in event["participants"]] == [
        "A; B",
        "Mark Rutte",
        "Volodymyr Zelenskyy",
    ]


def test_a_correction_asks_for_its_reason(desk: Desk) -> None:
    result = desk.run(
        *("correct", "talks", "--edit"),
        steps=[{"title:": "title: Talks"}, {"reason:": "reason: simpler"}],
    )
    assert result.returncode == 0, result.stderr
    lines = desk.seen(1).split("\n")
    said = re.match(r"# Error: line (\d+): reason: is required", lines[0])
    assert said
    assert lines[int(said[1]) - 1] == "reason: "


def test_what_another_has_changed_meanwhile_is_told_and_kept(desk: Desk) -> None:
    (desk.folder / "other.py").write_text(
        "from timeline import Timeline\n"
        f"with Timeline.open({str(desk.path)!r}) as timeline:\n"
        "    timeline.correct('talks', {'title': 'Their title', 'tags.-': 'theirs',"
        " 'quantities.2': None}, reason='they know', author='boris')\n"
    )
    mine = desk.environment["EDITOR"]
    script = desk.folder / "both.sh"
    script.write_text(
        f'{mine} "$1"\n[ -e done ] || {sys.executable} other.py\ntouch done\n'
    )  # fmt: skip
    (desk.folder / "steps.json").write_text(
        json.dumps(
            [{"reason:": "reason: we know", "place:": "place: Kyiv", "tags: talks": "tags: x"}]
        )
    )
    result = process(
        *("-d", desk.path, "correct", "talks", "--edit"),
        cwd=desk.folder,
        env={**desk.environment, "EDITOR": f"sh {script}"},
    )
    assert result.returncode == 0, result.stderr
    assert desk.rounds == 2
    seen = desk.seen(1)
    told = seen[: seen.index("\n\n")]
    assert "the event was changed while you wrote" in told
    assert "version 2, corrected by boris: they know" in told
    assert "Their title" in told
    assert "\nplace: Kyiv\n" in seen
    with Timeline.open(desk.path) as timeline:
        event = timeline.get("talks")
        assert event["version"] == 3
    assert (event["title"], event["place"]["name"]) == ("Their title", "Kyiv")
    assert event["tags"] == ["nato", "a; b", "x", "theirs"]
    assert len(event["quantities"]) == 2


def test_an_event_at_another_version_does_not_get_to_the_editor(desk: Desk) -> None:
    for arguments in (["talks@2"], ["talks", "--expect", "7"]):
        result = desk.run("update", *arguments, "--edit", steps=[])
        assert result.returncode == 1
        assert desk.rounds == 0


# --- What can go wrong with an editor -----------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["append", "--edit", "-"],
        ["update", "talks", "--edit", "--set", "title=T"],
        ["correct", "talks", "--edit", "--figure", "killed=3"],
    ],
    ids=" ".join,
)
def test_edit_does_not_go_with_other_ways_to_say_it(arguments: list[str], desk: Desk) -> None:
    result = desk.run(*arguments, steps=[])
    assert result.returncode == 2
    assert desk.rounds == 0


def test_an_editor_that_fails_leaves_what_was_typed(desk: Desk) -> None:
    env = {
        **desk.environment,
        "VISUAL": 'sh -c \'echo "title: typed" >> "$1"; kill -9 $$\' sh',
    }
    result = process("-d", desk.path, "append", "--edit", cwd=desk.folder, env=env)
    assert result.returncode == 1
    (kept,) = desk.kept()
    assert result.stderr.splitlines()[-2:][0] == f"What you typed is kept in {kept}"
    assert kept.read_text().endswith("title: typed\n")


def test_a_missing_editor_is_named(desk: Desk) -> None:
    env = {**desk.environment, "EDITOR": "no-such-editor"}
    result = process("-d", desk.path, "append", "--edit", cwd=desk.folder, env=env)
    assert result.returncode == 1
    assert 'the editor "no-such-editor" failed (exit code 127)' in result.stderr
    assert desk.kept() == []


def test_a_full_disk_leaves_what_was_typed(desk: Desk) -> None:
    """No file may pass 3,000 bytes: what was typed fits, and the error on top does not."""
    typed = f"no line of a form\nsummary: {'x' * 2_950}\n"
    result = desk.run(
        *("append", "--edit"),
        steps=[typed],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000)),
    )
    assert result.returncode == 1
    assert "cannot be written: File too large" in result.stderr
    (kept,) = desk.kept()
    assert kept.read_text() == typed


def test_other_writers_do_not_wait_for_an_editor(desk: Desk) -> None:
    other = f"{sys.executable} -m timeline -d {desk.path} append --title Other --occurred 2025"
    env = {**desk.environment, "EDITOR": f"{other}; false"}
    result = process("-d", desk.path, "correct", "talks", "--edit", cwd=desk.folder, env=env)
    assert result.returncode == 1
    assert "recorded" in result.stderr, "what an editor prints is not our output"
    assert result.stdout == ""


def test_in_vi_an_error_comes_back_until_it_is_right(desk: Desk) -> None:
    env = {"EDITOR": "vi -u NONE", "TMPDIR": str(desk.folder), "PATH": os.environ["PATH"]}
    arguments = ["-m", "timeline", "-d", desk.path, "append", "--edit", "--id", "typed"]
    # Wide enough that vi does not stop at the name of the file.
    with terminal(sys.executable, *arguments, cwd=desk.folder, columns=300, **env) as screen:
        screen.expect("A new event")
        screen.send(":%s/^title: /title: Talks in Odesa/|%s/^occurred: /&04\\/05\\/2025/\r:wq\r")
        screen.expect(r"# Error: line (\d+): occurred: ")
        screen.expect("title: Talks in Odesa")
        screen.send(":%s/^occurred: .*/occurred: 15 April 2025/\r:wq\r")
        screen.expect("recorded .*typed.*15 April 2025")
        screen.expect(pexpect.EOF)
    assert screen.exitstatus == 0
    with Timeline.open(desk.path) as timeline:
        assert timeline.get("typed")["title"] == "Talks in Odesa"
    assert desk.kept() == []


def test_ctrl_c_in_an_editor_leaves_what_was_typed(desk: Desk) -> None:
    """`cat` is an editor that Ctrl-C ends."""
    env = {"EDITOR": "cat >", "TMPDIR": str(desk.folder), "PATH": os.environ["PATH"]}
    arguments = ["-m", "timeline", "-d", desk.path, "append", "--edit"]
    with terminal(sys.executable, *arguments, cwd=desk.folder, **env) as screen:
        while not any(path.stat().st_size == 0 for path in desk.kept()):
            time.sleep(0.02)  # until it has begun
        screen.sendline("title: Talks")
        while not any(path.stat().st_size for path in desk.kept()):
            time.sleep(0.02)
        screen.sendintr()
        screen.expect("What you typed is kept in ")
        screen.expect('the editor "cat >" was killed')
        screen.expect(pexpect.EOF)
    assert screen.exitstatus == 1
    (kept,) = desk.kept()
    assert kept.read_text() == "title: Talks\n"


# --- The form -----------------------------------------------------------------------------


def content_of(statement: dict[str, Any]) -> dict[str, Any]:
    """The content of an event as a log holds it, whose citations name sources."""
    content = validate(Statement, statement).content()
    for number, citation in enumerate(content.get("citations", ())):
        if citation.pop("source", None):
            citation["source_id"] = f"source-{number}"
    return content


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("killed = 3 said by A dated 2025 source s-1; s-2", ("A", "2025", ["s-1", "s-2"])),
        ("killed=3 source s-1 dated 2025 said by A", ("A", "2025", ["s-1"])),
        ("killed = 3 dated 3 May 2025", (None, "2025-05-03", [])),
        ("killed = 3 said by a source in Kyiv source s-1", ("a source in Kyiv", None, ["s-1"])),
        ("killed = 3 source https://example.org/a", (None, None, ["https://example.org/a"])),
    ],
)
def test_what_goes_with_a_figure_comes_in_any_order(
    line: str, said: tuple[str | None, str | None, list[str]]
) -> None:
    ((path, (quantity,)),) = form.changes(form.pieces(f"figure: {line}"), str)
    assert path == "quantities"
    assert (quantity["measure"], quantity["value"]) == ("killed", "3")
    assert (quantity["reported_by"], quantity["dated"], quantity["source_ids"]) == said


@given(events())
def test_a_form_that_is_not_touched_changes_nothing(statement: dict[str, Any]) -> None:
    content = content_of(statement)
    pieces = form.pieces(form.written("About", form.event_lines(content, {}, {}), {}))
    assert form.changes(pieces, str, pieces, content, content) == []


@given(events())
def test_a_form_says_the_whole_event(statement: dict[str, Any]) -> None:
    """As the form of a new event it reads as the same one, but for blanks at the end of lines.

    (Citations are left to the test above: a new figure without a source has those.)
    """
    content = content_of(statement)
    content.pop("citations", None)
    pieces = form.pieces(form.written("About", form.event_lines(content, {}, {}), {}))
    read = validate(Event, field_paths.changed({}, form.changes(pieces, str))).content()
    assert {key: neat(value) for key, value in read.items()} == {
        key: neat(value) for key, value in content.items()
    }


def neat(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "\n".join(line.strip() for line in value.split("\n"))
