"""Tab completes in the shells, from the file that the command would read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from running import CHECKOUT, environment, process
from shells import command_folder, terminal

from timeline import Timeline

EVENTS: list[dict[str, Any]] = [
    {"event_id": "odesa-talks", "title": "Talks, then \x1b[31ma walk: a\tday", "occurred": "2025"},
    {"event_id": "odesa-visit", "title": "A visit", "occurred": "2025"},
    {
        "event_id": "sumy-strike",
        "title": "Strike on Sumy",
        "occurred": "2025",
        "place": {"name": "Sumy $(touch pwned)"},
        "participants": [{"name": "Mark Rutte"}],
        "tags": ["black sea"],
    },
]
SHELLS = {
    "bash": (["--norc", "--noprofile"], "PS1='now'; PS1+='> '"),
    "zsh": (["-f"], "PS1='now'; PS1+='> '; autoload -Uz compinit; compinit -u -D"),
    "fish": (["--no-config"], "function fish_prompt; echo -n no; echo -n 'w> '; end"),
}
SOURCES = {
    "bash": 'eval "$(_TIMELINE_COMPLETE=bash_source timeline)"',
    "zsh": 'eval "$(_TIMELINE_COMPLETE=zsh_source timeline)"',
    "fish": "_TIMELINE_COMPLETE=fish_source timeline | source",
}
"""As docs/completion.md has them."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "timeline.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record(EVENTS)
        timeline.correct("sumy-strike", {"title": "A strike"}, reason="shorter")
    return path


def completed(line: str, *, shell: str = "zsh", cwd: Path, **env: str) -> list[list[str]]:
    """What is offered at the end of a line, as click hands it to a shell, piece by piece."""
    words = line.split(" ")
    result = process(
        cwd=cwd,
        env=environment(
            _TIMELINE_COMPLETE=f"{shell}_complete",
            COMP_WORDS="\n".join(words) if shell == "bash" else line,
            COMP_CWORD=str(len(words) - 1),
            **env,
        ),
    )
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    return [lines[at : at + 3] for at in range(0, len(lines) - 2, 3)] if shell == "zsh" else [lines]


def offered(line: str, *, cwd: Path, **env: str) -> list[str]:
    return [text for _, text, _ in completed(line, cwd=cwd, **env)]


# --- What is offered ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("timeline ap", ["append"]),
        ("timeline correct --ed", ["--edit"]),
        ("timeline list --state re", ["retracted"]),
        ("timeline show odesa", ["odesa-talks", "odesa-visit"]),
        ("timeline history s", ["sumy-strike"]),
        ("timeline merge odesa-visit --into odesa-t", ["odesa-talks"]),
        ("timeline show sumy-strike@", ["sumy-strike@2", "sumy-strike@1"]),
        ("timeline show nobody", []),
        ("timeline list --type consu", ["CONSULT"]),
        ("timeline append --type consu", ["CONSULT"]),
        ("timeline append --actor mark", ["Mark Rutte"]),
        ("timeline list --actor mark", ["Mark Rutte"]),
        ("timeline list --tag bl", ["black sea"]),
        ("timeline list --tag %", []),
        ("timeline append --country ukr", ["Ukraine"]),
        ("timeline list --place sumy", ["Sumy $(touch pwned)"]),
    ],
)
def test_a_beginning_is_completed(line: str, texts: list[str], path: Path) -> None:
    assert offered(line, cwd=path.parent) == texts


def test_events_come_with_their_titles_made_harmless(path: Path) -> None:
    assert completed("timeline show odesa", cwd=path.parent) == [
        ["plain", "odesa-talks", "Talks, then \\x1b[31ma walk: a\\tday"],
        ["plain", "odesa-visit", "A visit"],
    ]


def test_the_file_is_the_one_that_the_command_would_read(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = path.rename(elsewhere / "other.db")
    home = {"HOME": str(elsewhere)}
    assert offered("timeline show s", cwd=tmp_path) == []
    assert offered("timeline show s", cwd=tmp_path, TIMELINE_DB=str(path)) == ["sumy-strike"]
    for option in ("~/other.db", "$HOME/other.db", "elsewhere/other.db"):
        assert offered(f"timeline -d {option} show s", cwd=tmp_path, **home) == ["sumy-strike"]
    (tmp_path / "db").mkdir()
    path.rename(tmp_path / "db" / "timeline.db")
    assert offered("timeline show s", cwd=tmp_path) == ["sumy-strike"]


@pytest.mark.parametrize(
    "content", [None, b"", b"no database" * 1000], ids=["none", "empty", "bad"]
)
def test_a_missing_or_broken_file_completes_nothing_and_says_nothing(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "timeline.db").write_bytes(content)
    assert offered("timeline show s", cwd=tmp_path) == []
    assert offered("timeline list --tag s", cwd=tmp_path) == []
    assert offered("timeline sh", cwd=tmp_path) == ["show"]


def test_of_very_many_events_all_share_what_is_filled_in(path: Path) -> None:
    numbers = [*range(1000, 1200), *range(2000, 3000)]
    with Timeline.open(path) as timeline:
        timeline.record(
            {"event_id": f"event-{number}", "title": "T", "occurred": "2025"} for number in numbers
        )
    texts = offered("timeline show e", cwd=path.parent)
    assert texts == ["event-1000", *(f"event-{number}" for number in range(2500, 3000))]


# --- In the shells ------------------------------------------------------------------------


def ready(shell: str, path: Path, folder: Path) -> Any:
    """A shell at its prompt that knows how to complete `timeline`."""
    arguments, prompt = SHELLS[shell]
    screen = terminal(
        shell,
        *arguments,
        "-i",
        cwd=path.parent,
        PATH=f"{command_folder(folder)}:{os.environ['PATH']}",
        HOME=str(folder),
    )
    screen.sendline(f"{prompt}; {SOURCES[shell]}")
    screen.expect("now> ")
    return screen


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_the_id_of_an_event(shell: str, path: Path, tmp_path: Path) -> None:
    with ready(shell, path, tmp_path) as screen:
        screen.send("timeline show su\t")
        screen.expect("my-strike|sumy-strike")
        screen.send("\r")
        screen.expect("A strike")


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_a_name_that_a_shell_would_obey(
    shell: str, path: Path, tmp_path: Path
) -> None:
    with ready(shell, path, tmp_path) as screen:
        screen.send("timeline list --place Su\t")
        screen.expect("pwned")
        screen.send("\r")
        screen.expect("sumy-strike")
    assert not (path.parent / "pwned").exists()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_titles_are_shown_beside_the_ids(shell: str, path: Path, tmp_path: Path) -> None:
    with ready(shell, path, tmp_path) as screen:
        screen.send("timeline show od\t")
        screen.expect("odesa-")
        screen.send("\t")
        # zsh takes a backslash for its own.
        screen.expect(r"Talks, then \\?x1b\[31ma walk: a\\?tday")


def test_bash_completes_within_quotes(path: Path, tmp_path: Path) -> None:
    with ready("bash", path, tmp_path) as screen:
        screen.send('timeline list --place "Su\t')
        screen.expect("pwned")
        screen.send("\r")
        screen.expect("sumy-strike")
    assert not (path.parent / "pwned").exists()


def test_the_documentation_shows_what_is_tested_here() -> None:
    text = (CHECKOUT / "docs" / "completion.md").read_text()
    assert all(source in text for source in SOURCES.values())
