"""A file on the web comes whole, from where it may come, in time, or not at all."""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answering import answer, answer_head, answer_in_chunks, answering, redirect
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from running import done, entries, environment, one_line, process, run

from timeline.errors import NotFetched
from timeline.network.fetch import fetch

SHEET = "id,title,occurred\n" + "".join(
    f'row-{number:02d},"Talks, day {number} of many",2025-04-{number % 28 + 1:02d}\n'
    for number in range(1, 61)
)
CUT = SHEET.index("row-57") + len('row-57,"Talks, day')
MANY = 2**20


def _fetched(url: str, **settings: Any) -> bytes:
    return fetch(url, longest=settings.pop("longest", MANY), **settings)


def _refused(url: str, **settings: Any) -> str:
    with pytest.raises(NotFetched) as refusal:
        _fetched(url, **settings)
    assert refusal.value.url == url
    assert str(refusal.value) == f"{url}: {refusal.value.problem}"
    return refusal.value.problem


# --- Whole --------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    (tmp_path / "all.csv").write_text(SHEET)
    done("-d", path, "init", "--title", "A story")
    done("-d", path, "append", "--csv", tmp_path / "all.csv")
    return path


@pytest.mark.parametrize(
    "cut",
    [
        answer(SHEET.encode())[: CUT - len(SHEET)],
        answer_in_chunks(SHEET[:99].encode(), SHEET[99:].encode())[: CUT - len(SHEET)],
        answer(gzip.compress(SHEET.encode()), "Content-Encoding: gzip")[:-99],
        answer(gzip.compress(SHEET.encode())[:-99], "Content-Encoding: gzip"),
    ],
    ids=["length", "chunks", "compressed", "compressed and its length cut"],
)
def test_a_sheet_that_was_cut_off_retracts_nothing(log: Path, cut: bytes) -> None:
    before = entries(log)
    with answering({"/sheet.csv": cut}) as server:
        url = f"{server.address}/sheet.csv"
        refusal = one_line(run("-d", log, "sync", url, "--yes"))
    assert refusal.startswith(f"{url}: cannot be fetched: ")
    assert refusal.endswith("cut off before its end; try again")
    assert entries(log) == before


@pytest.mark.parametrize(
    "whole",
    [
        answer(SHEET.encode()),
        answer_in_chunks(SHEET[:99].encode(), SHEET[99:].encode()),
        answer(gzip.compress(SHEET.encode()), "Content-Encoding: gzip"),
    ],
    ids=["length", "chunks", "compressed"],
)
@settings(max_examples=25)
@given(data=st.data())
def test_an_answer_is_whole_or_refused_wherever_it_ends(whole: bytes, data: st.DataObject) -> None:
    head = whole.index(b"\r\n\r\n")
    end = data.draw(st.integers(0, len(whole) - 1) | st.integers(head, len(whole) - 1))
    with answering({"/": whole, "/cut": whole[:end]}) as server:
        assert _fetched(f"{server.address}/") == SHEET.encode()
        assert "cut off before its end" in _refused(f"{server.address}/cut")


def test_an_answer_that_does_not_say_how_long_it_is_is_refused() -> None:
    with answering({"/": answer_head() + SHEET.encode()}) as server:
        assert _refused(server.address + "/") == (
            "does not say how long it is, so that a part would look like the whole: download it, "
            "and give the file"
        )


def test_what_is_not_a_file_whole_and_plain_is_refused() -> None:
    answers = {
        "/part": answer(b"id", "Content-Range: bytes 0-1/9", status="206 Partial Content"),
        "/gone": answer(b"no", status="404 Not Found"),
        "/br": answer(b"\x8b", "Content-Encoding: br"),
        "/damaged": answer(b"plain", "Content-Encoding: gzip"),
        "/two": answer(gzip.compress(b"a") * 2, "Content-Encoding: gzip"),
        "/noise": b"220 mail.example ESMTP\r\n",
    }
    with answering(answers) as server:
        said = {target: _refused(server.address + target) for target in answers}
    assert said == {
        "/part": "answered 206 Partial Content",
        "/gone": "answered 404 Not Found",
        "/br": 'is compressed as "br", which nobody asked for',
        "/damaged": "cannot be fetched: its gzip is damaged: "
        "Error -3 while decompressing data: incorrect header check",
        "/two": "cannot be fetched: something follows the end of its gzip",
        "/noise": "cannot be fetched: the answer is no HTTP: 220 mail.example ESMTP",
    }


def test_the_longest_answer_is_taken_and_one_byte_more_is_refused() -> None:
    def packed(count: int) -> bytes:
        return answer(gzip.compress(bytes(count)), "Content-Encoding: gzip")

    answers = {
        f"/{name}/{count}": made(count)
        for name, made in {
            "length": lambda count: answer(bytes(count)),
            "chunks": lambda count: answer_in_chunks(bytes(count - 1), b"\0"),
            "gzip": packed,
        }.items()
        for count in (MANY, MANY + 1, 40 * MANY)
    }
    with answering(answers) as server:
        for target in answers:
            if target.endswith(f"/{MANY}"):
                assert _fetched(server.address + target) == bytes(MANY)
            else:
                assert _refused(server.address + target) == "is longer than 1 MiB"


# --- In time ------------------------------------------------------------------------------


def _trickle(*first: bytes) -> Callable[[], Iterator[bytes]]:
    """A server that always has one more byte to send, and never two."""

    def parts() -> Iterator[bytes]:
        yield from first
        for _ in itertools.count():
            time.sleep(0.01)  # The pace of the server is what is tested.
            yield b"a"

    return parts


@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", answer_head("Content-Length: 999999999")],
    ids=["status", "header", "content"],
)
def test_a_server_that_never_comes_to_an_end_is_left(first: bytes) -> None:
    with answering({"/": _trickle(first)}) as server:
        said = _refused(server.address + "/", seconds=0.3)
    assert said == "cannot be fetched: it took over 0.3 seconds, or over 30 without an answer"


def test_redirects_get_no_time_of_their_own() -> None:
    def late(url: str) -> Callable[[], Iterator[bytes]]:
        def parts() -> Iterator[bytes]:
            time.sleep(0.2)
            yield redirect(url)

        return parts

    answers: dict[str, Callable[[], Iterator[bytes]]] = {
        f"/{number}": late(f"/{number + 1}") for number in range(5)
    }
    with answering({**answers, "/5": answer(b"there")}) as server:
        assert "took over 0.5 seconds" in _refused(f"{server.address}/0", seconds=0.5)
        assert _fetched(f"{server.address}/3") == b"there"


# --- From where it may come ---------------------------------------------------------------


class Town:
    """Names and addresses as a test has them; what is public leads to a server on loopback."""

    def __init__(self, names: dict[str, list[str]], port: int) -> None:
        self.names = names
        self.port = port
        self.connected: list[str] = []
        self.looked_up: list[str] = []

    def resolve(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.looked_up.append(host)
        if host not in self.names:
            return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        kind = socket.SOCK_STREAM
        return [(0, kind, 0, "", (address, port)) for address in self.names[host]]

    def connect(self, place: tuple[str, int], seconds: float) -> socket.socket:
        self.connected.append(place[0])
        return socket.create_connection(("127.0.0.1", self.port), seconds)


NEWS = "93.184.215.14"
"""An address of the public internet, which no test connects to."""


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("2130706433", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),  # noqa: S104
        ("10.1.2.3", "10.1.2.3"),
        ("169.254.169.254", "169.254.169.254"),
        ("[fe80::1]", "fe80::1"),
        ("[fd00::1]", "fd00::1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("[2002:7f00:1::]", "2002:7f00:1::"),
        ("100.64.0.1", "100.64.0.1"),
        ("inside.example", "192.168.7.7"),
        ("both.example", "172.16.0.9"),
    ],
)
def test_a_public_name_leads_to_no_address_of_a_machine_or_a_network(
    name: str, address: str
) -> None:
    names = {
        "news.example": [NEWS],
        "inside.example": ["192.168.7.7"],
        "both.example": [NEWS, "172.16.0.9"],
    }
    secret = answer(b"secret")
    with answering({"/": redirect("/again"), "/again": redirect(f"//{name}/x"), "/x": secret}) as s:
        town = Town(names, s.port)
        said = _refused("http://news.example/", resolve=town.resolve, connect=town.connect)
        assert said == (
            f"leads to http://{name}/x, which is at {address}, not on the public internet: "
            "if you trust it, give that address"
        )
        assert town.connected == [NEWS, NEWS]
        assert len(s.asked) == 2


def test_a_name_that_moves_between_two_requests_is_checked_each_time_and_looked_up_once() -> None:
    with answering({"/": redirect("/again"), "/again": answer(b"secret")}) as server:
        town = Town({"news.example": [NEWS]}, server.port)

        def resolve(host: str, port: int, **kind: Any) -> list[tuple[Any, ...]]:
            found = town.resolve(host, port, **kind)
            town.names = {"news.example": ["127.0.0.1"]}
            return found

        said = _refused("http://news.example/", resolve=resolve, connect=town.connect)
        assert said.startswith("leads to http://news.example/again, which is at 127.0.0.1, ")
        assert (town.looked_up, town.connected) == (["news.example"] * 2, [NEWS])


def test_from_one_public_name_to_another_and_from_an_address_of_ones_own_it_is_followed() -> None:
    answers = {
        "/": redirect("http://other.example:81/a%20b?c=d e#f"),
        "/a%20b?c=d%20e": answer(b"there"),
        "/out": redirect("http://news.example/"),
        "/in": redirect("/out"),
    }
    with answering(answers) as server:
        town = Town({"news.example": [NEWS], "other.example": ["8.8.8.8"]}, server.port)
        settings = {"resolve": town.resolve, "connect": town.connect}
        assert _fetched("http://news.example/", **settings) == b"there"
        assert _fetched(f"{server.address}/in", **settings) == b"there"
        assert town.connected == [NEWS, "8.8.8.8", "127.0.0.1", "127.0.0.1", NEWS, "8.8.8.8"]
        assert "Host: other.example:81\r\n" in server.asked[1]


def test_a_name_with_several_addresses_is_asked_at_the_next_when_one_is_closed() -> None:
    with answering({"/": answer(b"there")}) as server:
        town = Town({"news.example": ["8.8.4.4", NEWS]}, server.port)

        def connect(place: tuple[str, int], seconds: float) -> socket.socket:
            if place[0] == "8.8.4.4":
                raise ConnectionRefusedError(111, "Connection refused")
            return town.connect(place, seconds)

        assert _fetched("http://news.example/", resolve=town.resolve, connect=connect) == b"there"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,id", "gopher:x"])
def test_a_redirect_leads_to_http_or_https_only(url: str) -> None:
    with answering({"/": redirect(url)}) as server:
        said = _refused(server.address + "/")
    assert said == f"leads to {url}, which is not http or https"


def test_redirects_in_a_circle_end() -> None:
    with answering({"/": redirect("/")}) as server:
        said = _refused(server.address + "/")
        assert said == "leads from address to address, more than 10 times"
        assert len(server.asked) == 11


def test_https_comes_whole_from_a_server_that_proves_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path / "news.pem", "news.example"))
    whole = answer(SHEET.encode())
    with answering({"/": whole, "/cut": whole[:-9]}, context) as server:
        names = {"news.example": [NEWS], "other.example": ["8.8.8.8"]}
        town = Town(names, server.port)
        settings = {"resolve": town.resolve, "connect": town.connect}
        assert "CERTIFICATE_VERIFY_FAILED" in _refused("https://news.example/", **settings)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "news.pem"))
        assert _fetched("https://news.example/", **settings) == SHEET.encode()
        assert "Host: news.example\r\n" in server.asked[0]
        assert "cut off before its end" in _refused("https://news.example/cut", **settings)
        assert "Hostname mismatch" in _refused("https://other.example/", **settings)
    assert len(server.asked) == 2


def _certificate(path: Path, name: str) -> Path:
    """Write a key and a certificate for a name, signed by itself, and return the path."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, form, plain) + certificate.public_bytes(pem))
    return path


# --- Through a proxy ----------------------------------------------------------------------


def test_behind_a_proxy_a_sheet_comes_and_leads_to_no_address_of_ones_own(log: Path) -> None:
    before = entries(log)
    with answering({"/": answer(b"secret")}) as inside:
        answers = {
            "http://news.example/sheet.csv": answer(SHEET.encode()),
            "http://news.example/trap.csv": redirect(inside.address + "/"),
            "http://news.example/trick.csv": redirect(f"http://localhost:{inside.port}/"),
        }
        with answering(answers) as proxy:
            env = environment(http_proxy=f"http://me:a%20b@127.0.0.1:{proxy.port}", no_proxy="")
            env.pop("NO_PROXY", None)

            def sync(name: str) -> Any:
                url = f"http://news.example/{name}"
                return process("-d", log, "sync", url, cwd=log.parent, env=env)

            assert sync("sheet.csv").stdout == "60 unchanged.\n"
            assert "not on the public internet" in one_line(sync("trap.csv"))
            assert "not on the public internet" in one_line(sync("trick.csv"))
            assert "Proxy-Authorization: Basic bWU6YSBi\r\n" in proxy.asked[0]
        assert inside.asked == []
    assert entries(log) == before


def test_behind_a_proxy_https_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    refusal = answer(b"", status="403 Forbidden")
    with answering({"news.invalid:443": refusal}) as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        said = _refused("https://news.invalid/sheet.csv")
    assert said == "cannot be fetched: Tunnel connection failed: 403 Forbidden"
