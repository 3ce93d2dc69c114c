"""Long output on a terminal, in a pager: a real one, on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pytest
from once_accepted import as_once_accepted
from running import PROGRAM, done, environment, process
from terminal import HOSTILE_TITLE, forbidden

from timeline import Timeline

# pexpect forks and executes at once: the threads of pytest-xdist do not matter to the child.
pytestmark = pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning")

MARKED = "sed 's/^/|/'"
"""A pager that can be seen: it puts a bar before each line."""

PAGED = [
    ["list"],
    ["search", "event"],
    ["log"],
    ["facets", "--limit", "100"],
    ["show", "event-001"],
    ["history", "event-001"],
    ["diff", "event-001", "1", "30"],
    ["changes", "--from", "#0"],
]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred events, one of them with thirty versions; no answer fits on a screen."""
    path = tmp_path_factory.mktemp("story") / "timeline.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {
                "event_id": f"event-{number:03}",
                "title": f"Event {number} Переговоры",
                "occurred": "2025",
                "tags": [f"tag {number}"],
            }
            for number in range(100)
        )
        for number in range(2, 31):
            timeline.update("event-001", {f"extra.ns.key{number}": "text"})
    return path


def terminal(
    path: Path,
    *arguments: str,
    columns: int = 80,
    rows: int = 24,
    env: Mapping[str, str] | None = None,
) -> pexpect.spawn:
    """A command on a terminal of that size."""
    settings = {**environment(TERM="xterm"), **(env or {})}
    del settings["COLUMNS"]
    for name in ("LINES", "PAGER", "LESS", "LV", "LESSCHARSET", "NO_COLOR"):
        if name not in (env or {}):
            settings.pop(name, None)
    program, *rest = (*PROGRAM, "-d", str(path), *arguments)
    return pexpect.spawn(
        program,
        rest,
        env=settings,
        cwd=path.parent,
        dimensions=(rows, columns),
        encoding="utf-8",
        timeout=30,
    )


def shown(path: Path, *arguments: str, exit_code: int = 0, **settings: object) -> str:
    """All that a command shows on a terminal when no key is pressed."""
    running = terminal(path, *arguments, **settings)  # type: ignore[arg-type]
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == exit_code
    return str(running.before).replace("\r\n", "\n")


def unstyled(text: str) -> str:
    return re.sub("\x1b\\[[012]m", "", text)


# --- When there is a pager ----------------------------------------------------------------


@pytest.mark.parametrize("command", PAGED, ids=lambda command: command[0])
def test_what_is_longer_than_the_screen_goes_through_the_pager(
    command: list[str], story: Path
) -> None:
    plain = done("-d", story, *command)
    assert plain.count("\n") > 24
    paged = unstyled(shown(story, *command, env={"PAGER": MARKED}))
    assert paged == "".join(f"|{line}\n" for line in plain.splitlines())


@pytest.mark.parametrize("command", ["list", "log"])
def test_json_on_a_terminal_is_paged_too(command: str, story: Path) -> None:
    paged = shown(story, command, "--json", env={"PAGER": "cat -u"})
    assert json.loads(paged) == json.loads(done("-d", story, command, "--json"))
    assert shown(story, command, "--json", env={"PAGER": MARKED}).startswith("|[\n")


@pytest.mark.parametrize(("rows", "is_paged"), [(10, False), (9, True)])
def test_what_fits_on_the_screen_with_the_prompt_below_is_not_paged(
    rows: int, is_paged: bool, story: Path
) -> None:
    command = ["list", "--limit", "3"]
    assert done("-d", story, *command).count("\n") == 9
    paged = shown(story, *command, rows=rows, env={"PAGER": MARKED})
    assert paged.startswith("|") == is_paged


def test_lines_that_the_terminal_folds_count_as_they_are_shown(story: Path) -> None:
    command = ["log", "--json", "--limit", "1"]  # a hash of 64 digits is in it
    rows = done("-d", story, *command).count("\n") + 2
    settings = {"rows": rows, "env": {"PAGER": MARKED}}
    assert not shown(story, *command, columns=200, **settings).startswith("|")
    assert shown(story, *command, columns=40, **settings).startswith("|")


@pytest.mark.parametrize(
    ("env", "is_paged"),
    [
        ({"TIMELINE_PAGER": MARKED, "PAGER": "cat"}, True),
        ({"TIMELINE_PAGER": "cat", "PAGER": MARKED}, False),
        ({"TIMELINE_PAGER": "", "PAGER": MARKED}, False),
        ({"PAGER": ""}, False),
        ({"PAGER": " cat "}, False),
        ({"PAGER": "no-such-pager -x"}, False),
        ({"PAGER": "sed 's/"}, False),
        ({"PAGER": MARKED, "TERM": "dumb"}, False),
        ({"PATH": "/nowhere"}, False),  # and so without less
    ],
    ids=str,
)
def test_the_environment_chooses_the_pager_and_none_is_no_error(
    env: dict[str, str], is_paged: bool, story: Path
) -> None:
    paged = unstyled(shown(story, "list", env=env))
    plain = done("-d", story, "list")
    assert paged == ("".join(f"|{line}\n" for line in plain.splitlines()) if is_paged else plain)


def test_a_pager_that_does_not_start_is_no_error(story: Path, tmp_path: Path) -> None:
    broken = tmp_path / "pager"
    broken.write_bytes(b"\x00not a program")
    broken.chmod(0o755)
    paged = unstyled(shown(story, "list", env={"PAGER": str(broken)}))
    assert paged == done("-d", story, "list")


def test_no_pager_is_an_option(story: Path) -> None:
    plain = shown(story, "--no-pager", "list", env={"PAGER": MARKED})
    assert unstyled(plain) == done("-d", story, "list")


def test_in_a_pipe_there_is_no_pager(story: Path) -> None:
    piped = process("-d", story, "list", cwd=story.parent, env=environment(PAGER=MARKED))
    assert piped.stdout == done("-d", story, "list")


def test_what_writes_is_never_paged(story: Path) -> None:
    command = ["update", "event-002", "--set", f"title={'x ' * 40}", "--expect", "1", "--help"]
    assert not shown(story, *command, rows=5, env={"PAGER": MARKED}).startswith("|")


# --- less ---------------------------------------------------------------------------------


@pytest.fixture
def less() -> str:
    found = shutil.which("less")
    assert found, "these tests need less"
    return found


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", PAGED, ids=lambda command: command[0])
def test_less_shows_a_page_and_ends_with_q(
    command: list[str], columns: int, story: Path, less: str
) -> None:
    plain = done("-d", story, *command, columns=columns).splitlines()
    running = terminal(story, *command, columns=columns)
    running.expect("\n:")  # the prompt of less
    page = re.sub("\x1b\\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", running.before).splitlines()
    assert page == plain[:23]
    running.send("q")
    running.expect(pexpect.EOF)
    running.close()
    assert "Error" not in running.before
    assert running.exitstatus == 0


def test_less_goes_to_the_end_and_keeps_styles(story: Path, less: str) -> None:
    running = terminal(story, "log")
    running.expect("\n:")
    assert "\x1b[1m#129\x1b[0m" in running.before
    running.send("G")
    running.expect("log.opened")
    running.send("q")
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0


def test_less_shows_any_script_whatever_the_locale(story: Path, less: str) -> None:
    running = terminal(story, "list", env={"LC_ALL": "C"})
    running.expect("Event 0 Переговоры")
    running.expect("\n:")
    running.send("q")
    running.expect(pexpect.EOF)


@pytest.mark.parametrize(
    ("env", "less"), [({}, "FRX -c utf-8"), ({"LESS": "S", "LV": "x", "LESSCHARSET": "y"}, "S x y")]
)
def test_settings_of_less_are_git_s_unless_one_has_ones_own(
    env: dict[str, str], less: str, story: Path
) -> None:
    show = """sh -c 'echo "$LESS $LV $LESSCHARSET"; cat >/dev/null'"""
    assert shown(story, "list", env={"PAGER": show, **env}) == f"{less}\n"


def test_an_interrupt_is_the_pagers_own_business(story: Path, less: str) -> None:
    running = terminal(story, "list")
    running.expect("\n:")
    end = time.monotonic() + 60
    running.sendintr()
    running.expect("\a")  # less always answers with a bell, and often with its prompt
    running.send("q")
    # A key that comes while less answers may be lost: then a person presses it again.
    while running.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=2):
        assert time.monotonic() < end
        running.send("q")
    running.close()
    assert "Traceback" not in running.before
    assert running.exitstatus in (0, 1)


# --- What does not change -----------------------------------------------------------------


def test_a_pager_that_is_left_early_is_no_error(story: Path) -> None:
    for command in (["log"], ["log", "--json"], ["list"]):
        assert unstyled(shown(story, *command, env={"PAGER": "head -n 1"})).count("\n") == 1


def test_a_refusal_comes_after_what_was_shown(story: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    with contextlib.closing(sqlite3.connect(story)) as source:
        source.execute("VACUUM INTO ?", (str(path),))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE log SET payload = CAST(x'ff' AS TEXT) WHERE seq = 0")
        connection.commit()
    for pager in (MARKED, "cat"):
        text = shown(path, "log", exit_code=1, env={"PAGER": pager})
        mark = "|" if pager == MARKED else ""
        assert f"{mark}\x1b[1m#1\x1b[0m" in text
        assert text.splitlines()[-1].startswith("Error: ")


def test_a_refusal_is_not_paged(story: Path) -> None:
    text = shown(story, "show", "nothing", exit_code=1, env={"PAGER": MARKED})
    assert text == 'Error: no event "nothing"\n'


def test_hostile_text_is_as_harmless_in_a_pager(timeline: Timeline) -> None:
    with as_once_accepted():
        timeline.record({"title": HOSTILE_TITLE, "occurred": "2025"} for _ in range(20))
    plain = unstyled(shown(timeline.path, "list", env={"PAGER": MARKED}))
    assert plain.startswith("|\\x1b[31mred")
    assert not forbidden(plain)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
@pytest.mark.parametrize("pager", [MARKED, "cat"])
def test_without_colour_there_are_no_styles(env: dict[str, str], pager: str, story: Path) -> None:
    text = shown(story, "list", env={"PAGER": pager, **env})
    assert "\x1b" not in text
    assert "\x1b" in shown(story, "list", env={"PAGER": pager, "NO_COLOR": ""})


def test_the_log_streams_into_the_pager(timeline: Timeline) -> None:
    """While the pager reads no more than a page, no more than a page and a pipe is made."""
    timeline.record({"title": f"Event {number}", "occurred": "2025"} for number in range(20_000))
    gathered = memory(timeline.path, "log")
    assert gathered < memory(timeline.path, "log", "--limit", "30") + 8_000
    assert memory(timeline.path, "log", "--json") < gathered + 8_000


def memory(path: Path, *arguments: str) -> int:
    """Kilobytes that a command holds while less shows the first page."""
    running = terminal(path, *arguments)
    running.expect("\n:")
    held = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(running.pid)], capture_output=True, check=True
    )
    running.send("q")
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0
    return int(held.stdout)
