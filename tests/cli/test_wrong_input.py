"""What a person is told who mistypes a command, gives a file of another kind, or a wrong cell."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pexpect
import pytest
from running import PROGRAM, environment, one_line, run
from terminal import forbidden

from timeline import Timeline

# pexpect forks and executes at once: the threads of pytest-xdist do not matter to the child.
pytestmark = pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["apend"], 'no command "apend": did you mean append?'),
        (["actor", "sugest"], 'no command "sugest": did you mean suggest?'),
        (["cluster", "stauts"], 'no command "stauts": did you mean status?'),
        (["append", "--titel", "A"], 'no option "--titel": did you mean --title?'),
        (["list", "--tpye=x"], 'no option "--tpye": did you mean --type?'),
        (["list", "-q"], 'no option "-q"'),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: {says}\n")


EVENT = {"title": "A", "occurred": "2025"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", b"id,title,occurred\na-1,A,2025\n", "x.csv is a sheet: add --csv"),
        ("x.tsv", b"id\ttitle\toccurred\n", "x.tsv is a sheet: add --tsv"),
        ("x.xlsx", b"PK\x03\x04...", "x.xlsx is a workbook: timeline import sheet x.xlsx"),
        ("x.ods", b"PK\x03\x04...", "x.ods is a workbook: timeline import sheet x.ods"),
        (
            "x.jsonl",
            b'{"envelope": "{}", "salt": null, "payload": null}\n',
            "x.jsonl is an export of a timeline: timeline import jsonl x.jsonl",
        ),
        (
            "x.jsonl",
            f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}\n".encode(),
            "x.jsonl has an event on each line: add --nl",
        ),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_way_to_read_it(
    name: str, content: bytes, says: str, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(timeline.path.parent)
    Path(name).write_bytes(content)
    result = run("-d", timeline.path, "append", name)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: {says}\n")


def test_a_file_of_json_is_read_whatever_its_name(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(timeline.path.parent)
    for name in ("x.csv", "x.jsonl", "x.txt"):
        Path(name).write_text(json.dumps(EVENT))
        assert run("-d", timeline.path, "append", name).exit_code == 0


def told(path: Path, columns: int, *arguments: str) -> list[str]:
    """The lines that a refusal prints on a terminal."""
    variables = environment(TERM="xterm")
    del variables["COLUMNS"]
    command = shlex.join([*PROGRAM, "-d", str(path), "append", *arguments])
    shown, code = pexpect.run(
        command, env=variables, cwd=path.parent, dimensions=(24, columns), withexitstatus=True
    )  # fmt: skip
    assert code == 1
    lines: list[str] = shown.decode().replace("\r\n", "\n").splitlines()
    assert not forbidden("\n".join(lines[1:]))
    return lines


def pointed(lines: list[str]) -> str:
    """What stands above the caret of the last line, to the end of the line."""
    assert lines[-1].strip() == "^"
    return lines[-2][lines[-1].index("^") :]


@pytest.mark.parametrize(
    ("content", "arguments", "above"),
    [
        ("id,title,occurred\nx-1,A,04/05/2025\n", ["--csv"], "04/05/2025"),
        ('id;title;occurred\nx-1;"A; B";"04/05/2025"\n', ["--csv"], '04/05/2025"'),
        ("id\ttitle\toccurred\tlat\nx-1\tA\t2025\there\n", ["--tsv"], "here"),
        ('{"title": "A", "occurred": "2025"}\n{"title": 3,}', ["--nl"], "}"),
        (
            '{"title": "A", "place": {"lat": 91, "lon": 7}, "occurred": "2025"}',
            ["--nl"],
            '91, "lon": 7}, "occurred": "2025"}',
        ),
        (
            '[{"title": "A", "occurred": "2025"},\n {"title": "B", "occurred": "2025",\n  '
            '"quantities": [{"measure": "killed", "value": 1},\n'
            '   {"measure": "injured", "value": "many"}]}]',
            [],
            '"many"}]}]',
        ),
    ],
)
def test_the_line_and_the_place_are_shown_below_an_error_on_a_terminal(
    content: str, arguments: list[str], above: str, timeline: Timeline
) -> None:
    file = timeline.path.parent / "input"
    file.write_text(content)
    lines = told(timeline.path, 140, *arguments, "input")
    assert lines[0].startswith("Error: ")
    assert pointed(lines) == above
    assert one_line(run("-d", timeline.path, "append", *arguments, file))


@pytest.mark.parametrize("columns", [80, 140])
def test_a_long_line_is_cut_around_the_place(columns: int, timeline: Timeline) -> None:
    (timeline.path.parent / "input").write_text(
        f"id,title,summary,occurred,note\nx-1,A,{'длинный текст ' * 40},soon,{'x' * 300}\n"
    )
    lines = told(timeline.path, columns, "--csv", "input")
    assert pointed(lines).startswith("soon,")
    assert max(map(len, lines[-2:])) <= columns
    assert lines[-2].lstrip().startswith("...")
