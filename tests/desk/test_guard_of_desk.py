"""Nobody but the person at this machine gets in; no form but the desk's own changes anything."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import http.server
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from browsers import launched
from desks import ServedDesk, desk_of
from playwright.sync_api import Browser, Page
from running import dump, environment, run
from serving import free_port

from timeline import Timeline
from timeline.desk import forms
from timeline.desk.guard import Guard, Secrets
from timeline.desk.screens.all_routes import ROUTES
from timeline.intake.proposals.inbox import Inbox, inbox_path
from timeline.intake.proposals.proposal import parse
from timeline.store import storage


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDesk]:
    path = tmp_path_factory.mktemp("desk") / "timeline.db"
    with Timeline.create(path, title="A secret story", origin="example.org/story"):
        pass
    with desk_of(path) as found:
        yield found


class Answer(NamedTuple):
    """The whole answer to a request."""

    status: int
    headers: dict[str, str]
    body: bytes


def asked(
    desk: ServedDesk,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=10)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(connection):
        connection.request(method, path, body, names)
        with connection.getresponse() as answer:
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )


def entered(desk: ServedDesk) -> str:
    """The cookie of a browser that was let in."""
    answer = asked(desk, desk.entrance().partition(str(desk.port))[2])
    assert answer.status == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Path={desk.keys.key}/" in cookie
    return cookie.partition(";")[0]


def bytes_of(desk: ServedDesk) -> list[bytes]:
    files = (desk.path, inbox_path(desk.path))
    return [hashlib.sha256(file.read_bytes()).digest() for file in files]


def path_of(desk: ServedDesk, below: str) -> str:
    return f"{desk.keys.key}{below}"


# --- Requests ---------------------------------------------------------------------------------


def test_without_a_session_no_page_shows_any_data(desk: ServedDesk) -> None:
    for path in ("/", path_of(desk, "/"), path_of(desk, "/settings"), "/robots.txt"):
        answer = asked(desk, path)
        assert answer.status in (401, 404)
        assert b"secret story" not in answer.body


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "127.0.0.1:1", "localhost.evil.test"])
def test_another_name_of_this_machine_is_refused(desk: ServedDesk, host: str) -> None:
    answer = asked(desk, path_of(desk, "/"), Host=host, Cookie=entered(desk))
    assert answer.status == 421
    assert b"This desk has another address: 127.0.0.1 on this machine." in answer.body


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_three_names_of_this_machine_are_answered(desk: ServedDesk, name: str) -> None:
    host = f"{name}:{desk.port}"
    cookie = entered(desk)
    page = asked(desk, path_of(desk, "/settings"), Host=host, Cookie=cookie)
    assert page.status == 200
    token = re.search(r'name="token" value="(\w+)"', page.body.decode())
    assert token
    form = {"Cookie": cookie, "Content_Type": "application/x-www-form-urlencoded"}
    body = f"token={token[1]}&author=anna".encode()
    path = path_of(desk, "/settings")
    assert asked(desk, path, "POST", body, Host=host, Origin=f"http://{host}", **form).status == 303
    other = f"http://127.0.0.2:{desk.port}"
    assert asked(desk, path, "POST", body, Host=host, Origin=other, **form).status == 403


@pytest.mark.parametrize("hosts", [b"", b"Host: 127.0.0.1:%d\r\nHost: evil.test\r\n"])
def test_a_request_without_or_with_two_hosts_is_refused(desk: ServedDesk, hosts: bytes) -> None:
    with socket.create_connection(("127.0.0.1", desk.port)) as sent:
        named = hosts % desk.port if hosts else hosts
        path = path_of(desk, "/").encode()
        sent.sendall(b"GET %s HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (path, named))
        answer = sent.makefile("rb").read()
    assert re.match(rb"HTTP/1.1 4(00|21) ", answer)
    assert b"secret story" not in answer


def test_only_three_methods_are_answered(desk: ServedDesk) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = asked(desk, path_of(desk, "/settings"), method, Cookie=entered(desk))
        assert answer.status == 405
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_every_answer_has_the_headers_that_keep_others_out(desk: ServedDesk) -> None:
    answer = asked(desk, path_of(desk, "/settings"), Cookie=entered(desk))
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_page_is_shown_to_another_site_or_port(desk: ServedDesk, site: str) -> None:
    headers = {"Sec_Fetch_Site": site, "Cookie": entered(desk)}
    answer = asked(desk, path_of(desk, "/settings"), **headers)
    assert answer.status == 403


def test_a_form_needs_its_origin_and_its_own_token(desk: ServedDesk) -> None:
    cookie, own = entered(desk), f"http://127.0.0.1:{desk.port}"
    page = asked(desk, path_of(desk, "/settings"), Cookie=cookie).body.decode()
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found
    form = {"Cookie": cookie, "Content_Type": "application/x-www-form-urlencoded"}
    right = f"token={found[1]}&author=anna".encode()

    def sent(body: bytes, path: str = "/settings", **headers: str) -> int:
        return asked(desk, path_of(desk, path), "POST", body, **{**form, **headers}).status

    before = bytes_of(desk)
    assert sent(right) == 403
    assert sent(right, Origin="null") == 403
    assert sent(right, Origin="http://127.0.0.1:1") == 403
    assert sent(right, Origin=own, Sec_Fetch_Site="same-site") == 403
    assert sent(b"author=anna", Origin=own) == 403
    assert sent(right, "/drafts/new", Origin=own) == 403
    assert sent(right, Origin=own, Cookie=entered(desk)) == 403
    assert bytes_of(desk) == before
    assert sent(right, Origin=own, Sec_Fetch_Site="same-origin") == 303


def test_what_is_too_long_is_refused(desk: ServedDesk) -> None:
    cookie, own = entered(desk), f"http://127.0.0.1:{desk.port}"
    form = {
        "Cookie": cookie,
        "Origin": own,
        "Content_Type": "application/x-www-form-urlencoded",
    }
    path = path_of(desk, "/settings")
    answer = asked(desk, path, "POST", b"author=" + b"x" * 2**20, **form)
    assert answer.status == 413
    assert b"This is longer than 1 MiB. Press Back: it is still there." in answer.body
    assert asked(desk, path, "POST", b"&".join([b"a=b"] * 600), **form).status == 400


def test_a_form_that_captures_may_be_longer(desk: ServedDesk) -> None:
    cookie, own = entered(desk), f"http://127.0.0.1:{desk.port}"
    path = path_of(desk, "/articles/new")
    page = asked(desk, path, Cookie=cookie).body.decode()
    token = re.search(r'name="token" value="(\w+)"', page)
    assert token
    kind = "application/x-www-form-urlencoded"
    form = {"Cookie": cookie, "Origin": own, "Content_Type": kind}
    words = f"token={token[1]}&text=".encode()
    assert asked(desk, path, "POST", words + b"word " * 2**18, **form).status == 303
    answer = asked(desk, path, "POST", words + b"x" * 20 * 2**20, **form)
    assert answer.status == 413
    assert b"This is longer than 20 MiB" in answer.body


def test_to_look_at_a_page_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    body = {"retract": "talks", "expect": 1, "reason": "Made up"}
    with Timeline.create(path, title="Talks") as timeline, Inbox.of(path) as inbox:
        timeline.capture("Talks began. They ended.", {"source_id": "text", "title": "Talks"})
        event = {"event_id": "talks", "title": "Talks", "occurred": "2025"}
        entry = timeline.record(event, author="anna").entry_id
        with contextlib.closing(storage.connect(path)) as log:
            proposal = inbox.add(parse(body), way="mcp", proposer="gpt", log=log).proposal_id
            fields, version = forms.for_event(log, "talks", "update")
            draft = inbox.new_draft(fields, event_id="talks", version=version).draft_id
        timeline.update("talks", {"note": "Moved on"})
    parts = {
        "source_id": "text",
        "event_id": "talks",
        "entry_id": entry,
        "draft_id": draft,
        "proposal_id": proposal,
        "name": "0.png",
    }
    with desk_of(path) as desk:
        cookie = entered(desk)
        before = dump(path), dump(inbox_path(path))
        for route in ROUTES:
            if route.get:
                page = route.path.format(**parts)
                assert asked(desk, path_of(desk, page), Cookie=cookie).status < 500, page
        assert (dump(path), dump(inbox_path(path))) == before


# --- The way in -------------------------------------------------------------------------------


def test_a_ticket_lets_one_browser_in_once(desk: ServedDesk) -> None:
    way_in = desk.entrance().partition(str(desk.port))[2]
    assert asked(desk, way_in).status == 303
    assert asked(desk, way_in).status == 403
    for wrong in (way_in[:-1] + ("0" if way_in[-1] != "0" else "1"), path_of(desk, "/enter")):
        assert asked(desk, wrong).status == 403


def test_a_ticket_ends_after_five_minutes_and_with_its_desk() -> None:
    keys = Secrets("a secret", "one run")
    ticket = keys.ticket(now=1_000)
    assert keys.is_ticket(ticket, now=1_299)
    assert not keys.is_ticket(ticket, now=1_301)
    assert not Secrets("a secret", "another run").is_ticket(ticket, now=1_000)
    assert not Secrets("another", "one run").is_ticket(ticket, now=1_000)
    for forged in ("", ".", "9e9.x", f"9999999999.{'0' * 32}.{'0' * 64}", "\u0661.x.y"):
        assert not keys.is_ticket(forged, now=1_000)


def test_a_session_ends_after_twelve_hours_without_a_request() -> None:
    moment, seen = [1_000.0], []

    async def screens(scope: object, receive: object, send: object) -> None:
        seen.append(scope)

    keys = Secrets("a secret", "one run")
    guard = Guard(screens, keys, 80, now=lambda: moment[0])
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    def ask(path: str, query: str = "", cookie: bytes = b"") -> dict[str, object]:
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"{keys.key}{path}",
            "query_string": query.encode(),
            "headers": [(b"host", b"127.0.0.1:80"), (b"cookie", cookie)],
        }
        sent.clear()
        asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
        return sent[0] if sent else {}

    headers = ask("/enter", f"ticket={keys.ticket(1_000)}")["headers"]
    cookie = dict(headers)[b"set-cookie"].partition(b";")[0]  # type: ignore[call-overload]
    ask("/", cookie=cookie)
    moment[0] += 12 * 3600 - 1
    ask("/", cookie=cookie)
    assert len(seen) == 2
    moment[0] += 12 * 3600 + 1
    assert ask("/", cookie=cookie)["status"] == 401


def test_a_second_start_opens_the_desk_that_runs(desk: ServedDesk) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "timeline", "-d", desk.path, "desk", "--no-browser"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 0
    found = re.search(rf"http://127\.0\.0\.1:{desk.port}(/\S+)", second.stderr)
    assert found
    assert asked(desk, found[1]).status == 303


def test_a_port_that_is_taken_is_named(desk: ServedDesk, tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "other.db", title="Other"):
        pass
    result = run("-d", tmp_path / "other.db", "desk", "--no-browser", "--port", desk.port)
    assert result.exit_code == 1
    assert result.stderr == f"Error: port {desk.port} is in use: give another with --port\n"


def test_the_secret_is_in_a_file_that_only_its_owner_reads(desk: ServedDesk) -> None:
    assert inbox_path(desk.path).stat().st_mode & 0o777 == 0o600
    with Inbox.of(desk.path) as inbox:
        secret = inbox.about("secret") or ""
    assert secret not in desk.keys.key
    assert len(desk.keys.key) == 33


@pytest.mark.parametrize("name", ["desk.desktop", "desk.command"])
def test_a_launcher_starts_the_desk_of_its_timeline(desk: ServedDesk, name: str) -> None:
    launcher = desk.path.parent / f'my $`"% {name}'
    result = run("-d", desk.path, "desk", "--launcher", launcher, "--author", "anna b")
    assert result.exit_code == 0
    text = launcher.read_text()
    assert str(desk.path) in text
    assert launcher.stat().st_mode & 0o777 == 0o755
    if name.endswith(".command"):
        words = text.replace("exec ", "printf '%s\\n' ")
        shown = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True)
        assert shown.stdout.splitlines()[1:] == [
            *("-m", "timeline", "-d", str(desk.path), "desk", "--port", "8002"),
            *("--author", "anna b"),
        ]
    again = run("-d", desk.path, "desk", "--launcher", launcher)
    assert again.exit_code == 1
    wrong = run("-d", desk.path, "desk", "--launcher", desk.path.parent / "desk.exe")
    assert "must end with .desktop (Linux) or .command (macOS)" in wrong.stderr


# --- In a browser, from elsewhere ---------------------------------------------------------------


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another server on this machine, which keeps the cookies that it is sent."""

    cookies: ClassVar[list[str]] = []
    page = b""

    def do_GET(self) -> None:
        self.cookies.append(self.headers.get("Cookie", ""))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched("--host-resolver-rules=MAP evil.test 127.0.0.1") as found:
        yield found


@pytest.fixture
def inside(browser: Browser, desk: ServedDesk) -> Iterator[Page]:
    """A page in a browser in which the desk is open."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(desk.entrance())
        yield context.new_page()


def test_another_server_on_this_machine_reads_nothing_and_writes_nothing(
    inside: Page, desk: ServedDesk
) -> None:
    home, settings = desk.at("/"), desk.at("/settings")
    _Elsewhere.page = f"""<!DOCTYPE html><title>elsewhere</title>
<iframe id="frame" src="{settings}"></iframe><img src="{desk.at("/static/desk.css")}">
<script src="{desk.at("/static/desk.js")}" onload="ran = 1" onerror="ran = 0"></script>
<form id="form" method="post" action="{settings}"><input name="author" value="mallory"></form>
<script>
window.found = [];
for (const mode of ["cors", "no-cors"])
  fetch("{home}", {{mode, credentials: "include"}})
    .then(answer => answer.text()).then(text => found.push(text), () => found.push(""));
</script>""".encode()
    port, before = free_port(), bytes_of(desk)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), _Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for host in ("127.0.0.1", "localhost"):
            inside.goto(f"http://{host}:{port}/")
            inside.wait_for_function("window.found.length === 2")
            assert inside.evaluate("window.found") == ["", ""]
            assert inside.evaluate("window.ran") == 0
            frame = inside.frames[1]
            assert "Who are you" not in (frame.evaluate("document.body?.innerText ?? ''") or "")
            with inside.expect_navigation():
                inside.evaluate("document.getElementById('form').submit()")
            assert "This form comes from another site" in inside.inner_text("body")
        server.shutdown()
    assert not [cookie for cookie in _Elsewhere.cookies if "desk" in cookie]
    assert bytes_of(desk) == before


def test_a_name_that_leads_to_this_machine_is_not_the_desk(
    browser: Browser, desk: ServedDesk
) -> None:
    page = browser.new_page()
    page.goto(desk.entrance().replace("127.0.0.1", "evil.test"))
    assert "This desk has another address" in page.inner_text("body")
    page.close()
