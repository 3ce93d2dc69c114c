"""What a terminal, a pipe and another program get to see of a timeline, whatever is in it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import tty
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from once_accepted import as_once_accepted
from running import PROGRAM, done, environment, process, run, widest
from terminal import HOSTILE_TITLE, forbidden, on_a_terminal, strings

from timeline import Timeline
from timeline.cli import output
from timeline.formats.exports import FORMATS

LONG_TITLE = "A title that does not end, " * 11 + "ends"
VARIED: list[dict[str, Any]] = [
    {
        "event_id": "long",
        "title": LONG_TITLE,
        "occurred": "2025-01/2025-03",
        "summary": "so " * 200,
    },
    {"event_id": "russian", "title": "Переговоры в Одессе", "occurred": "before 15 April 2025"},
    {"event_id": "arabic", "title": "محادثات في الرياض", "occurred": "2025-04"},
    {"event_id": "wide", "title": "火災 🔥🔥 " * 20 + "東京" * 60, "occurred": "2025-04-20~"},
    {"event_id": "accents", "title": "e\u0301" * 100, "occurred": "2025"},
    {"event_id": "word", "title": "x" * 300, "occurred": "2025", "tags": ["y" * 60]},
    {
        "event_id": "hostile",
        "title": HOSTILE_TITLE,
        "occurred": "2025",
        "tags": ["\x1b]0;x\x07"],
        "quantities": [{"measure": "killed", "value": 3, "reported_by": HOSTILE_TITLE}],
    },
    {
        "event_id": "i" * 64,
        "title": "Names",
        "occurred": "2025-04-13T10:15/2025-04-15T12:00",
        "place": {
            "name": "A place of a very long name, such as one finds in Wales",
            "country": "GB",
        },
        "participants": [{"name": "n " * 200, "office": "o " * 200}],
        "quantities": [
            {"measure": "m " * 30, "value": "1" * 38, "unit": "u " * 30, "reported_by": "r " * 90}
        ],
        "citations": [{"source": {"url": "https://example.org/" + "z" * 200}, "quote": "q " * 99}],
        "extra": {"namespace": {"key": "text " * 40}},
    },
]


@pytest.fixture
def varied(timeline: Timeline) -> Path:
    """Every event of VARIED, then each once more with everything changed that can be."""
    with as_once_accepted():
        _tell_varied(timeline)
    return timeline.path


def _tell_varied(timeline: Timeline) -> None:
    timeline.record(VARIED)
    timeline.correct("long", {"title": "s" * 300}, reason="r " * 300)
    for event in VARIED:
        changes = {
            "summary": event["title"],
            "note": event["title"] * 3,
            "participants.-": {"name": event["title"], "office": event["title"]},
            "quantities.-": {"measure": "killed", "value": 35, "reported_by": event["title"]},
            "claims.-": {"speaker": event["title"], "statement": event["title"]},
            "tags.-": event["title"][:50],
        }
        timeline.update(event["event_id"], changes, reason=event["title"])


NAMES = "i" * 64
EVERY_READER = [
    ["list"],
    ["log"],
    ["facets"],
    ["search", "names"],
    ["changes", "--from", "#0"],
    ["changes", "--from", "#9"],
    *([command, event["event_id"]] for command in ("show", "history", "diff") for event in VARIED),
]


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        *EVERY_READER,
        ["doctor"],
        ["retract", NAMES, "--reason", "r"],
        ["append", "--title", "T", "--id", "j" * 64, "--occurred", "2025-04-13T10:15/2025-04-15"],
    ],
    ids=lambda arguments: " ".join(arguments)[:20],
)
def test_no_line_is_wider_than_the_terminal(
    arguments: list[str], columns: int, varied: Path
) -> None:
    shown = done("-d", varied, *arguments, columns=columns)
    assert widest(shown) <= columns
    assert not [line for line in shown.splitlines() if line != line.rstrip()]


def test_a_title_of_300_characters_is_shown_whole(varied: Path) -> None:
    assert LONG_TITLE in " ".join(done("-d", varied, "show", "long@1").split())
    assert "x" * 300 in "".join(done("-d", varied, "list").split())


def test_titles_in_any_script_are_shown_as_they_are(varied: Path) -> None:
    for event_id, title in (
        ("russian", "Переговоры в Одессе"),
        ("arabic", "محادثات في الرياض"),
        ("wide", "火災 🔥🔥"),
    ):
        assert title in done("-d", varied, "list")
        assert title in done("-d", varied, "log")
        for command in ("show", "history", "diff"):
            assert title in done("-d", varied, command, event_id)
        assert title in done("-d", varied, "changes", "--from", "#0")


of_every_reader = pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show", "hostile"],
        ["history", "hostile"],
        ["diff", "hostile"],
        ["changes", "--from", "#0"],
        ["changes", "--from", "#9"],
        ["facets"],
        ["log"],
        ["search", "gnihton"],
    ],
    ids=" ".join,
)


@of_every_reader
def test_what_a_terminal_would_obey_is_shown_as_escapes(arguments: list[str], varied: Path) -> None:
    shown = done("-d", varied, *arguments)
    assert not forbidden(shown)
    assert "\\x1b" in shown


@of_every_reader
def test_json_holds_the_same_as_escapes_of_json(arguments: list[str], varied: Path) -> None:
    shown = done("-d", varied, *arguments, "--json")
    assert not forbidden(shown)
    assert "\\u202egnihton\\u202c" in shown
    texts = [*strings(json.loads(shown))]
    assert HOSTILE_TITLE in texts


def test_a_refusal_repeats_nothing_that_a_terminal_would_obey(varied: Path) -> None:
    for arguments in (
        ["show", HOSTILE_TITLE],
        ["update", "word", "--set", f"occurred={HOSTILE_TITLE}"],
        ["update", "word", "--set", f"{HOSTILE_TITLE}=x"],
        ["append", "--title", "T", "--occurred", "2025", "--type", HOSTILE_TITLE],
        ["append", "--title", "T", "--occurred", "2025", "--figure", HOSTILE_TITLE],
        ["list", "--country", HOSTILE_TITLE],
        ["list", "--as-of", HOSTILE_TITLE],
    ):
        result = run("-d", varied, *arguments)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert not forbidden(result.stderr), arguments


def test_the_name_of_a_file_is_made_harmless_too(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\nb.db"
    shown = done("-d", path, "init", "--title", "T")
    assert not forbidden(shown)
    refused = run("-d", path, "init", "--title", "T")
    assert refused.exit_code == 1
    assert not forbidden(refused.stderr)
    assert refused.stderr.count("\n") == 1


@given(st.text(max_size=200), st.integers(0, 30))
def test_any_text_is_folded_to_the_terminal_and_harmless(text: str, indent: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "40")
        for shown in (output.wrapped(text, indent), output.table([["a", text], [text, "b"]])):
            assert widest(shown) <= 40
            assert not [character for character in forbidden(shown) if character != "\t"]


@given(st.text(max_size=200))
def test_folding_loses_nothing_but_blanks(text: str) -> None:
    shown = output.wrapped(text, 4)
    assert "".join(shown.split()) == "".join(output.printable(text).split())


@given(
    st.recursive(st.text(), lambda values: st.lists(values) | st.dictionaries(st.text(), values))
)
def test_json_says_the_same_with_escapes(value: Any) -> None:
    with contextlib.redirect_stdout(Written()) as written:
        output.dump(value)
    assert json.loads(written.text) == value
    assert not forbidden(written.text)


class Written:
    """A stream that keeps what is written."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


# --- Terminals, pipes and languages -------------------------------------------------------


def test_there_are_styles_on_a_terminal_and_only_ours(varied: Path) -> None:
    shown = on_a_terminal("-d", varied, "show", "hostile", cwd=varied.parent)
    assert "\x1b[1m\\x1b[31mred" in shown
    plain = shown.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert not forbidden(plain.replace("\r\n", "\n"))
    assert plain.replace("\r\n", "\n") == done("-d", varied, "show", "hostile")


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.needs])
def test_a_file_shown_on_a_terminal_is_harmless_text(name: str, varied: Path) -> None:
    shown = on_a_terminal("-d", varied, "export", name, cwd=varied.parent).replace("\r\n", "\n")
    assert not forbidden(shown)
    unfolded = shown.replace("\n ", "")
    assert "red" in unfolded
    assert "Names" in unfolded
    assert name in ("ics", "figures") or "Переговоры в Одессе" in unfolded


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.needs])
def test_a_terminal_that_is_named_as_the_file_is_a_terminal(name: str, varied: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        shown = b""
        with subprocess.Popen(
            [*PROGRAM, "-d", str(varied), "export", name, "-o", os.ttyname(theirs)],
            env=environment(),
            cwd=varied.parent,
        ) as running:
            while running.poll() is None or select.select([ours], [], [], 0)[0]:
                if select.select([ours], [], [], 0.1)[0]:
                    shown += os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)
    assert running.returncode == 0
    assert "red" in shown.decode()
    assert not forbidden(shown.decode())


def test_a_file_or_a_pipe_gets_a_text_as_it_is(varied: Path) -> None:
    done("-d", varied, "export", "csv", "-o", varied.parent / "out.csv")
    written = (varied.parent / "out.csv").read_bytes()
    assert HOSTILE_TITLE.encode() in written
    with subprocess.Popen(
        [*PROGRAM, "-d", str(varied), "export", "csv"],
        env=environment(),
        cwd=varied.parent,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.read() == written
    assert running.returncode == 0


def test_there_are_no_styles_in_a_pipe(varied: Path) -> None:
    assert "\x1b" not in process("-d", varied, "show", "hostile", cwd=varied.parent).stdout


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["words", "json"])
@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["search", "event"],
        ["log"],
        ["facets", "--limit", "1500"],
        ["changes", "--from", "#0"],
        ["show", "long"],
        ["history", "long"],
        ["diff", "long"],
    ],
    ids=lambda command: command[0],
)
def test_a_closed_pipe_ends_without_noise(
    command: list[str], as_json: list[str], timeline: Timeline
) -> None:
    timeline.record(
        {"title": f"Event {number}", "occurred": "2025", "tags": [f"tag {number}"]}
        for number in range(1_500)
    )
    timeline.record({"event_id": "long", "title": "Long", "occurred": "2025"})
    text = "text " * 19_000  # more than a pipe holds
    timeline.update("long", {"summary": text, "note": text, "title": "Longer"})
    with subprocess.Popen(
        [*PROGRAM, "-d", str(timeline.path), *command, *as_json],
        env=environment(),
        cwd=timeline.path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.parametrize(
    "language",
    [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "C.UTF-8"}],
    ids=str,
)
def test_any_script_goes_in_and_out_whatever_the_locale(
    language: dict[str, str], path: Path
) -> None:
    env = environment(**language)
    title = "Переговоры محادثات 🔥"
    process("-d", path, "init", "--title", title, cwd=path.parent, env=env)
    process(
        *("-d", path, "append", "--title", title, "--occurred", "2025", "--id", "one"),
        cwd=path.parent,
        env=env,
    )
    shown = process("-d", path, "show", "one", cwd=path.parent, env=env)
    assert shown.stdout.splitlines()[0] == title
    as_json = process("-d", path, "show", "one", "--json", cwd=path.parent, env=env)
    assert json.loads(as_json.stdout)["title"] == title
    process("-d", path, "update", "one", "--set", f"note={title}", cwd=path.parent, env=env)
    for command in (
        ["list"],
        ["search", "Переговоры"],
        ["log"],
        ["history", "one"],
        ["diff", "one"],
        ["changes", "--from", "#0"],
    ):
        shown = process("-d", path, *command, cwd=path.parent, env=env)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert title in shown.stdout


def test_a_terminal_that_lacks_the_characters_gets_escapes(varied: Path) -> None:
    env = environment(PYTHONIOENCODING="latin-1")
    shown = process("-d", varied, "show", "russian", cwd=varied.parent, env=env)
    assert shown.returncode == 0
    assert shown.stdout.startswith("\\u041f\\u0435")
    as_json = process("-d", varied, "list", "--json", cwd=varied.parent, env=env)
    titles = {row["title"] for row in json.loads(as_json.stdout)}
    assert {event["title"] for event in VARIED[1:]} <= {*titles, VARIED[3]["title"]}
