"""A person at the desk is told in one line what is wrong with the file, the inbox or the clock."""

from __future__ import annotations

import contextlib
import html
import http.client
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from desks import ServedDesk, desk_of
from read_only import closed, read_only
from running import dump, environment, one_line, run
from serving import free_port

from timeline import Timeline
from timeline.intake.proposals.inbox import Inbox, inbox_path

_TEXT = "Talks began in Odesa on Monday. They ended on Tuesday."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return _made(tmp_path / "timeline.db")


@pytest.fixture
def desk(path: Path) -> Iterator[ServedDesk]:
    with desk_of(path, "--author", "anna") as found:
        yield found


class Visitor:
    """A browser without a window, which was let in at a desk."""

    def __init__(self, desk: ServedDesk, entrance: str) -> None:
        self._port = desk.port
        self.key, _, query = entrance.partition(f":{desk.port}")[2].partition("/enter")
        self._cookie = ""
        self._cookie = self._answer("GET", f"/enter{query}")[1].partition(";")[0]

    def see(self, path: str) -> tuple[int, str]:
        """The status and the text of a page."""
        status, _, text, _ = self._answer("GET", path)
        return status, text

    def send(self, path: str, form: str, **fields: str) -> tuple[int, str, str]:
        """The status, the text, and where it leads, of the answer to the form of a page."""
        action = re.escape(f'action="{self.key}{path}"')
        found = re.search(rf'{action}[^>]*>\s*<input[^>]* name="token" value="(\w+)"', form)
        assert found, form
        body = urlencode({"token": found[1], **fields})
        status, _, text, to = self._answer("POST", path, body)
        return status, text, to

    def _answer(self, method: str, path: str, body: str = "") -> tuple[int, str, str, str]:
        headers = {"Cookie": self._cookie, "Origin": f"http://127.0.0.1:{self._port}"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, f"{self.key}{path}", body or None, headers)
            answer = connection.getresponse()
            text = html.unescape(answer.read().decode())
            found = answer.headers
        to = found.get("Location", "").removeprefix(self.key)
        return answer.status, found.get("Set-Cookie", ""), text, to


def _made(path: Path) -> Path:
    with Timeline.create(path, title="Talks in Odesa") as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025"}, author="anna")
    return path


def _visitor(desk: ServedDesk) -> Visitor:
    return Visitor(desk, desk.entrance())


def _captured(visitor: Visitor) -> tuple[str, str]:
    """The path of the draft of a capture, and its page."""
    form = visitor.see("/articles/new")[1]
    status, text, to = visitor.send("/articles/new", form, text=_TEXT)
    assert status == 303, text
    return to, visitor.see(to)[1]


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Another program that writes to a file while the block runs."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


# --- The timeline -------------------------------------------------------------------------------


def test_a_form_comes_back_while_another_program_writes(desk: ServedDesk) -> None:
    visitor = _visitor(desk)
    draft, form = _captured(visitor)
    typed = {"title": "Talks in the port", "url": "", "do": "keep", "author": "anna"}
    with _writing(desk.path):
        status, text, _ = visitor.send(draft, form, **typed)
    assert status == 400
    assert "Another program is writing to this timeline. Try again." in text
    assert "Talks in the port" in text
    assert visitor.send(draft, text, **typed)[0] == 303


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_timeline_that_was_replaced_or_moved_ends_the_desk(
    desk: ServedDesk, tmp_path: Path, is_gone: bool
) -> None:
    visitor = _visitor(desk)
    form = visitor.see("/settings")[1]
    desk.path.rename(tmp_path / "moved.db")
    if not is_gone:
        _made(desk.path)
        before = dump(desk.path)
    for status, text in (visitor.see("/articles"), visitor.send("/settings", form)[:2]):
        assert status == 400
        assert "was replaced: start the desk again; nothing was recorded" in text
    if not is_gone:
        assert dump(desk.path) == before


def test_a_clock_that_is_behind_is_named_where_something_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    ahead = datetime(2199, 1, 1, tzinfo=UTC)
    with Timeline.create(path, title="Talks in Odesa", now=lambda: ahead):
        pass
    with desk_of(path) as desk:
        visitor = _visitor(desk)
        draft, form = _captured(visitor)
        status, text, _ = visitor.send(draft, form, do="keep", author="anna", title="Talks")
    assert status == 400
    assert "clock" in text
    assert "Talks" in text


def test_a_file_that_cannot_be_read_ends_the_command_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    assert str(path) in one_line(run("-d", path, "desk", "--no-browser"))
    path.write_bytes(b"no database at all, " * 100)
    assert str(path) in one_line(run("-d", path, "desk", "--no-browser"))


def _newer(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    return "Timeline"


def _outdated(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE projection_state SET projection_version = 1")
    return "timeline rebuild"


@pytest.mark.parametrize("spoil", [_newer, _outdated, Path.unlink])
def test_a_launcher_opens_a_page_that_says_why_the_desk_does_not_start(
    path: Path, tmp_path: Path, spoil: Callable[[Path], str | None]
) -> None:
    advice = spoil(path)
    shown = tmp_path / "shown.html"
    browser = tmp_path / "browser"
    fetch = "import sys, urllib.request as r; r.urlretrieve(sys.argv[1], sys.argv[2])"
    browser.write_text(f'#!/bin/sh\n{sys.executable} -c "{fetch}" "$1" {shown} &\n')
    browser.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "timeline", "-d", path, "desk", "--port", str(free_port())],
        env=environment(BROWSER=str(browser)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    problem = ended.stderr.removeprefix("Error: ").strip()
    assert str(path) in problem
    assert advice is None or advice in problem
    assert f"<p>{html.escape(problem)}</p>" in shown.read_text()


@pytest.mark.parametrize("how", [read_only, closed])
def test_reading_goes_on_where_nothing_can_be_written(
    path: Path, how: Callable[[Path], tuple[str, ...]]
) -> None:
    with desk_of(path, before=how(path.parent)) as desk:
        visitor = Visitor(desk, desk.printed())
        status, text = visitor.see("/")
        assert status == 400
        assert f"{inbox_path(path)}: cannot be made: " in text
        assert "Talks" in visitor.see("/events")[1]
        form = visitor.see("/articles/new")[1]
        status, text, _ = visitor.send("/articles/new", form, text=_TEXT)
        assert status == 400
        assert f"{inbox_path(path)}: cannot be made: " in text
        assert _TEXT in text
    path.parent.chmod(0o755)


def test_a_form_comes_back_where_the_timeline_alone_is_read_only(path: Path) -> None:
    with desk_of(path, "--author", "anna", before=read_only(path)) as desk:
        visitor = Visitor(desk, desk.printed())
        draft, form = _captured(visitor)
        typed = {"title": "Talks in the port", "do": "keep", "author": "anna"}
        status, text, _ = visitor.send(draft, form, **typed)
        assert status == 400
        assert "nothing was written" in text
        assert "Talks in the port" in text
        assert "Talks" in visitor.see("/events")[1]


def test_without_room_for_more_what_is_typed_stays_in_the_page(desk: ServedDesk) -> None:
    visitor = _visitor(desk)
    draft, form = _captured(visitor)
    typed = {"title": "Talks in the port", "do": "keep", "author": "anna"}
    before = resource.prlimit(desk.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(desk.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    status, text, _ = visitor.send(draft, form, **typed)
    assert status in (400, 503)
    assert "the disk fails or is full" in text
    assert "Talks in the port" in text
    assert "Talks" in visitor.see("/events")[1]
    resource.prlimit(desk.process.pid, resource.RLIMIT_FSIZE, before)
    assert visitor.send(draft, form, **typed)[0] == 303


# --- The inbox ----------------------------------------------------------------------------------


def _damage(path: Path) -> str:
    path.write_bytes(b"no database at all, " * 400)
    return "is no database, or a damaged one"


def _make_newer(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    return "is an inbox of version 99"


@pytest.mark.parametrize("spoil", [_damage, _make_newer])
def test_reading_goes_on_with_an_inbox_that_cannot_be_used(
    path: Path, spoil: Callable[[Path], str]
) -> None:
    with Inbox.of(path):
        pass
    problem = spoil(inbox_path(path))
    with desk_of(path) as desk:
        visitor = Visitor(desk, desk.printed())
        status, text = visitor.see("/")
        assert status == 400
        assert problem in text
        assert visitor.see("/articles")[0] == 200
        form = visitor.see("/articles/new")[1]
        status, text, _ = visitor.send("/articles/new", form, text=_TEXT)
        assert status == 400
        assert problem in text
        assert _TEXT in text


def test_what_is_typed_stays_in_the_page_while_the_inbox_is_locked(desk: ServedDesk) -> None:
    visitor = _visitor(desk)
    form = visitor.see("/articles/new")[1]
    with _writing(inbox_path(desk.path)):
        status, text, _ = visitor.send("/articles/new", form, text=_TEXT)
        assert visitor.see("/articles")[0] == 200
    assert status == 400
    assert "Another program is writing to this timeline. Try again." in text
    assert _TEXT in text
    assert visitor.send("/articles/new", form, text=_TEXT)[0] == 303


def test_an_inbox_that_was_locked_at_the_start_is_used_when_it_is_free(path: Path) -> None:
    with Inbox.of(path):
        pass
    with contextlib.ExitStack() as stack:
        with _writing(inbox_path(path)):
            desk = stack.enter_context(desk_of(path))
            visitor = Visitor(desk, desk.printed())
            status, text = visitor.see("/")
            assert status == 400
            assert "Another program is writing to this timeline. Try again." in text
        assert visitor.see("/")[0] == 200


# --- The desk itself ----------------------------------------------------------------------------


def test_a_path_that_no_screen_has_is_a_page_that_says_so(desk: ServedDesk) -> None:
    visitor = _visitor(desk)
    for status, text in (visitor.see("/nothing/here"), visitor.see("/static/none.css")):
        assert status == 404
        assert "The desk has no such page." in text


def test_a_form_that_was_open_when_the_desk_was_killed_is_sent_to_the_next_one(
    desk: ServedDesk,
) -> None:
    visitor = _visitor(desk)
    draft, form = _captured(visitor)
    desk.kill()
    desk.start()
    assert visitor.see("/")[0] == 200
    typed = {"title": "Talks in the port", "do": "keep", "author": "berta"}
    assert visitor.send(draft, form, **typed)[0] == 303
    assert "Talks in the port" in visitor.see("/articles")[1]
    assert 'value="berta"' in visitor.see("/settings")[1]
    other = _visitor(desk)
    status, text, _ = other.send(draft, form, **typed)
    assert status == 403
    assert "Press Back, copy what you typed" in text


def test_single_keys_stay_off_at_the_next_start(desk: ServedDesk) -> None:
    visitor = _visitor(desk)
    is_on = re.compile(r'name="shortcuts" value="on"\s+checked')
    form = visitor.see("/settings")[1]
    assert is_on.search(form)
    visitor.send("/settings", form, author="anna")
    desk.kill()
    desk.start()
    assert not is_on.search(visitor.see("/settings")[1])


def test_ctrl_c_ends_the_desk_in_silence(desk: ServedDesk) -> None:
    desk.process.send_signal(signal.SIGINT)
    _, said = desk.process.communicate(timeout=20)
    assert desk.process.returncode == 0
    assert "Traceback" not in said
