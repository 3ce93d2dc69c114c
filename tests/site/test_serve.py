"""`serve` as its users have it: a process, a browser that asks it, and Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner
from once_accepted import as_once_accepted
from running import CHECKOUT, PROGRAM, done, environment
from serving import free_port
from serving import serving as served
from terminal import HOSTILE_TITLE, forbidden

from timeline.cli import cli
from timeline.errors import NotATimeline, ProjectionOutdated, Refused
from timeline.site.serve import serve
from timeline.store import storage
from timeline.writing import writer

CALL = """
import sys
from timeline.site.serve import serve
serve(sys.argv[1], port=0, options=sys.argv[2:])
"""


class Served(NamedTuple):
    """A server in its own process, and the first line that it said."""

    process: subprocess.Popen[str]
    line: str
    port: int
    notes: tuple[str, ...] = ()

    def ask(self, path: str) -> tuple[Message, str]:
        """Headers and text of a page."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.status == 200
            return response.headers, response.read().decode()

    def get(self, path: str) -> str:
        return self.ask(path)[1]

    def rows(self, table: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads(self.get(f"{table}.json?_shape=array"))
        return answer

    def stop(self, with_signal: signal.Signals) -> str:
        """The rest of what it says, once it has ended."""
        self.process.send_signal(with_signal)
        return self.process.communicate(timeout=30)[0]


@contextlib.contextmanager
def serving(path: Path, *options: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, str(path), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line + process.communicate(timeout=30)[0]
        notes: list[str] = []
        while "running on" not in (note := process.stdout.readline()):
            notes.append(note)
            assert process.poll() is None
        yield Served(process, line, int(found[1]), tuple(notes))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "odesa.db"
    writer.create_log(path, {"title": "The Odesa talks", "notice": "Invented"})
    record(path, "first")
    return path


def record(path: Path, event_id: str) -> None:
    with (
        contextlib.closing(storage.connect(path, write=True)) as connection,
        writer.appending(connection, str(path)) as append,
    ):
        append.record({"event_id": event_id, "title": "Talks", "occurred": "2025-04-15"})


def test_it_says_where_it_serves_and_shows_an_append_of_another_process_at_once(
    story: Path,
) -> None:
    with serving(story) as server:
        assert server.line == (
            f'Serving "The Odesa talks" at http://127.0.0.1:{server.port}/  (Ctrl-C stops)\n'
        )
        assert [row["event_id"] for row in server.rows("/odesa/events")] == ["first"]
        record(story, "second")
        assert len(server.rows("/odesa/events")) == 2
        index = server.get("/")
        assert "<h1>The Odesa talks" in index
        assert "Invented</p>" in index
        assert "Corrections and retractions in a period" in server.get("/odesa")


def test_other_timelines_are_shown_beside_it(story: Path, tmp_path: Path) -> None:
    other = tmp_path / "partner.db"
    writer.create_log(other, {"title": "The partner's story"})
    record(other, "theirs")
    arguments = ("-m", "timeline", "-d", story, "serve", "--port", free_port(), "--beside", other)
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    try:
        assert process.stderr
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
        assert process.stderr.readline() == f"Beside it: {other}, at /timelines/partner\n"
        while "running on" not in process.stderr.readline():
            assert process.poll() is None
        assert found
        server = Served(process, "", int(found[1]), ())
        assert "The Odesa talks" in server.get("/events/first")
        assert "The partner&#39;s story" in server.get("/timelines/partner/events/theirs")
        assert "Corrections and retractions in a period" in server.get("/partner")
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_quietly(story: Path) -> None:
    with serving(story) as server:
        said = server.stop(signal.SIGINT)
        assert "Traceback" not in said
        assert server.process.returncode == 0


@pytest.mark.parametrize("name", ["events", "changes", "tile"])
def test_a_file_that_is_called_like_a_page_is_served_with_a_note(
    name: str, story: Path, tmp_path: Path
) -> None:
    path = story.rename(tmp_path / f"{name}.db")
    with serving(path) as server:
        assert "The Odesa talks" in server.get("/events")
        said = server.stop(signal.SIGINT)
    assert f"Note: /{name} is a page of the timeline" in said + "".join(server.notes)


def test_options_go_to_datasette_and_win_over_ours(story: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"databases": {"odesa": {"title": "My own words"}}}')
    options = ("--metadata", str(own), "--setting", "default_page_size", "1")
    record(story, "second")
    with serving(story, *options) as server:
        assert "My own words</h1>" in server.get("/odesa")
        assert len(server.rows("/odesa/events")) == 1


def test_the_file_is_not_for_download_and_not_for_caches(story: Path) -> None:
    with serving(story) as server:
        assert "Download SQLite" not in server.get("/odesa")
        headers, _ = server.ask("/odesa/events")
        assert "max-age" not in headers.get("Cache-Control", "")


def test_a_port_in_use_is_refused_in_one_line(story: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=rf"^port {port} is in use: give another with --port$"):
            serve(story, port=port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_of_this_machine_is_refused_in_one_line(
    story: Path, host: str
) -> None:
    with pytest.raises(Refused, match=rf"^cannot listen at {host}, port 8001: .+$"):
        serve(story, host=host)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotATimeline, match="does not exist"):
        serve(tmp_path / "missing.db")


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with contextlib.closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE log (seq INTEGER)")
    with pytest.raises(NotATimeline, match="not a timeline"):
        serve(foreign)


def test_tables_of_another_version_are_refused(story: Path) -> None:
    with contextlib.closing(sqlite3.connect(story)) as connection, connection:
        connection.execute("UPDATE projection_state SET projection_version = 0")
    with pytest.raises(ProjectionOutdated, match="timeline rebuild"):
        serve(story)


def test_an_option_that_datasette_does_not_know_is_its_own_error(story: Path) -> None:
    with pytest.raises(click.UsageError, match="--no-such-option"):
        serve(story, port=0, options=["--no-such-option"])


def test_serve_imports_datasette_only_to_serve() -> None:
    code = "import sys, timeline.site.serve; sys.exit('datasette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_demonstration_looks_for_its_port_before_it_makes_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["demo", "--port", str(port)])
    assert result.exit_code == 1
    assert result.output == f"Error: port {port} is in use: give another with --port\n"
    assert not (tmp_path / "db").exists()


def test_the_commands_serve_what_they_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "timeline", "demo", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    served = Served(process, "", port)  # type: ignore[arg-type]
    try:
        assert process.stderr
        while b"running on" not in process.stderr.readline():
            assert process.poll() is None
        assert "Demonstration: recording times are staged" in served.get("/timeline/events")
        assert (tmp_path / "db" / "demo" / "timeline.db").is_file()
    finally:
        process.kill()
        process.communicate()


def test_a_title_is_harmless_on_the_terminal_of_who_serves(tmp_path: Path) -> None:
    path = tmp_path / "odesa.db"
    with as_once_accepted():
        writer.create_log(path, {"title": HOSTILE_TITLE})
    ours, theirs = pty.openpty()
    command = [*PROGRAM, "-d", str(path), "serve", "--port", str(free_port())]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=theirs) as running:
        try:
            shown = b""
            while b"Ctrl-C" not in shown:
                shown += os.read(ours, 65536)
        finally:
            running.kill()
    os.close(ours)
    os.close(theirs)
    assert "red" in shown.decode()
    assert not forbidden(shown.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("options", [(), ("--setting", "num_sql_threads", "0")])
def test_a_file_that_takes_the_place_of_the_served_one_is_served_at_the_next_request(
    story: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    other = Path(shutil.copy(story, tmp_path / "other.db"))
    record(story, "lost")
    with serving(story, *options) as server:

        def shown() -> list[list[str]]:
            found = [
                event["event_id"] for event in json.loads(server.get("/events.json"))["events"]
            ]
            return [sorted(found), sorted(row["event_id"] for row in server.rows("/odesa/events"))]

        for _ in range(4):  # more than one thread has the file open
            assert shown() == [["first", "lost"]] * 2
        other.replace(story)
        for _ in range(4):
            assert shown() == [["first"]] * 2
        record(story, "second")
        for _ in range(4):
            assert shown() == [["first", "second"]] * 2
        assert not [file for file in holders_of_removed(server.process.pid) if "odesa" in file]
        said = server.stop(signal.SIGINT)
    assert said.count("odesa.db was replaced or changed: it is served as it is now") == 1
    assert "Traceback" not in said


def holders_of_removed(process: int) -> list[str]:
    """The files that a process has open, and that have no name any more."""
    names = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(str(descriptor.readlink()))
    return [name for name in names if name.endswith("(deleted)")]


def test_while_a_file_is_gone_the_server_says_so_and_goes_on_with_the_next_one(
    story: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copy(story, tmp_path / "other.db"))
    record(story, "second")
    with serving(story) as server:
        assert "second" in server.get("/events.json")
        for each in (story, *storage.beside(story)):
            each.unlink(missing_ok=True)
        for page in ("/events.json", "/", "/odesa/events.json"):
            with contextlib.closing(HTTPConnection("127.0.0.1", server.port)) as connection:
                connection.request("GET", page)
                response = connection.getresponse()
                assert response.status == 503
                assert response.read() == b"The file of this timeline is not there now\n"
        other.replace(story)
        assert "second" not in server.get("/events.json")


@pytest.mark.parametrize("form", [("-i",), ()])
def test_a_published_copy_is_served_anew_without_a_restart(
    story: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    done("-d", story, "publish", tmp_path / "site")
    copy = tmp_path / "site" / "odesa.db"
    with served("datasette", "serve", *form, copy, cwd=tmp_path) as address:
        server = Served(None, "", int(address.rpartition(":")[2]))  # type: ignore[arg-type]
        assert "second" not in server.get("/events.json")
        record(story, "second")
        done("-d", story, "publish", tmp_path / "site")
        assert "second" in server.get("/events.json")
        assert len(server.rows("/odesa/events")) == 2
