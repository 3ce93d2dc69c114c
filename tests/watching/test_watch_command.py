"""The command `timeline watch`, as its users and their services run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from receiving import SECRET, receiving
from running import PROGRAM, done, environment, one_line, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    done("-d", path, "init", "--title", "T")
    for name in ("one", "two"):
        done("-d", path, "append", "--title", name, "--occurred", "2025", "--id", name)
    return path


def script(path: Path, text: str) -> str:
    """A command that runs Python."""
    file = path.with_name("script.py")
    file.write_text(text)
    return f"'{sys.executable}' '{file}'"


def test_a_program_gets_the_entry_and_its_names(path: Path) -> None:
    told = path.with_name("told.txt")
    command = script(
        path,
        "import os, sys\n"
        f"with open({str(told)!r}, 'a') as file:\n"
        "    names = ('ENTRY', 'EVENT', 'VERSION', 'KIND', 'DB')\n"
        "    print(*(os.environ['TIMELINE_' + name] for name in names), file=file)\n"
        "    file.write(sys.stdin.read())\n",
    )
    result = run(
        *("-d", path, "watch", "--exec", command, "--from", "0", "--once"),
        *("--url", "https://example.org/story"),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "2 delivered.\n")
    first, said, second, _ = told.read_text().splitlines()
    assert first == f"1 one 1 event.recorded {path}"
    assert second.startswith("2 two 1 event.recorded")
    assert json.loads(said)["data"]["address"] == "https://example.org/story/events/one/1"
    again = run("-d", path, "watch", "--exec", command, "--from", "0", "--once")
    assert again.stderr == "0 delivered.\n"
    assert len(told.read_text().splitlines()) == 4


def test_no_shell_reads_the_command(path: Path) -> None:
    opens = script(path, "import sys; open(sys.argv[1], 'w').close()")
    command = f"{opens} 'a; b $(c)'"
    folder = path.with_name("here")
    folder.mkdir()
    result = subprocess.run(
        [*PROGRAM, "-d", str(path), "watch", "--exec", command, "--from", "2", "--once"],
        cwd=folder,
        env=environment(),
        check=True,
        capture_output=True,
    )
    assert result.stdout == b""
    assert [each.name for each in folder.iterdir()] == ["a; b $(c)"]


def test_a_server_gets_signed_entries_and_the_secret_comes_from_a_file(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_text(f"{SECRET}\n")
    with receiving([(503, {"Retry-After": "0"})]) as server:
        arguments = ("-d", path, "watch", "--webhook", server.address, "--from", "2", "--once")
        result = run(*arguments, "--secret-file", secret)
        assert result.exit_code == 0
        assert "answered 503" in result.stderr
        assert result.stderr.endswith("1 delivered.\n")
        first, second = server.sent
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        done("-d", path, "append", "--title", "three", "--occurred", "2025")
        done(*arguments, env={"TIMELINE_WEBHOOK_SECRET": SECRET})
        assert len(server.sent) == 3


def test_a_watch_that_cannot_go_on_ends_with_code_3(path: Path) -> None:
    with receiving([(410, {})]) as server:
        arguments = ("-d", path, "watch", "--webhook", server.address, "--from", "2", "--once")
        ended = run(*arguments, env={"TIMELINE_WEBHOOK_SECRET": SECRET})
        assert ended.exit_code == 3
        assert ended.stderr.splitlines()[-1].startswith("Error: entry 2: ")
    other = path.with_name("other.db")
    done("-d", other, "init", "--title", "Another")
    other.replace(path)
    ended = run("-d", path, "watch", "--exec", "cat", "--once")
    assert ended.exit_code == 3
    assert "has no entry 1 such as this watch dealt with last" in ended.stderr


def test_what_is_in_doubt_is_told_and_delivered_again_on_request(path: Path) -> None:
    command = script(path, "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    killed = subprocess.run(
        [*PROGRAM, "-d", str(path), "watch", "--exec", command, "--from", "1", "--once"],
        cwd=path.parent,
        env=environment(),
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    told = run("-d", path, "watch", "--exec", "cat", "--once")
    assert "entry 1 may not have arrived when a watch was killed: --again delivers" in told.stderr
    assert told.stderr.endswith("1 delivered.\n")
    again = run("-d", path, "watch", "--exec", "cat", "--once", "--again")
    assert again.stderr == "1 delivered.\n"
    assert run("-d", path, "watch", "--exec", "cat", "--once").stderr == "0 delivered.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_watch_after_what_it_delivers(path: Path, number: signal.Signals) -> None:
    told = path.with_name("told.txt")
    text = f"open({str(told)!r}, 'a').write('x'); import sys; print('taken', flush=True)"
    watching = subprocess.Popen(
        [*PROGRAM, "-d", str(path), "watch", "--exec", script(path, text), "--from", "2"],
        cwd=path.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watching.stdout is not None
    assert watching.stdout.readline() == b"taken\n"
    done("-d", path, "append", "--title", "three", "--occurred", "2025")
    assert watching.stdout.readline() == b"taken\n"
    os.kill(watching.pid, number)
    _, said = watching.communicate(timeout=60)
    assert (watching.returncode, said) == (0, b"2 delivered.\n")
    assert told.read_text() == "xx"


def test_what_is_wrong_is_refused_in_one_line(path: Path) -> None:
    for arguments, words in (
        (("--exec", "no-such-program"), 'names no program that can be run: "no-such-program"'),
        (("--exec", "'"), "cannot be read: no closing quotation"),
        (("--webhook", "https://example.org/x"), "needs a secret"),
        (("--webhook", "ftp://example.org"), "is no address to send to"),
        (("--exec", "cat", "--from", "soon"), '"soon" is no entry: write a number'),
        (("--exec", "cat", "--url", "x"), "is no address of a site"),
        (("--exec", "cat", "--type", "nothing of the kind"), "event_type"),
        (("--webhook", "https://example.org/x", "--secret-file", path.parent), "cannot be read"),
    ):
        result = run("-d", path, "watch", *arguments)
        assert words in one_line(result)
    for arguments in ((), ("--exec", "cat", "--webhook", "https://example.org/x")):
        assert "give --exec or --webhook" in run("-d", path, "watch", *arguments).stderr
