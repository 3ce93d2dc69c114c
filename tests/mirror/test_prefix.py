"""A prefix is read within bounds, and nothing beside it is asked for."""

from __future__ import annotations

import contextlib
import gzip
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from timeline.errors import NotFetched
from timeline.mirror.prefix import open_prefix, read

Answer = Callable[[BaseHTTPRequestHandler], object]


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server that answers so, and the paths that it is asked for."""
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/story/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sending(content: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def fetched(source: str, *, longest: int = 1_000, limit: int = 10**6, slow: float = 30) -> bytes:
    waited = list[float]()
    with open_prefix(source, limit=limit, slow_seconds=slow, pause=waited.append) as prefix:
        return read(prefix, "checkpoint", longest)


def problem(source: str, **bounds: float) -> str:
    with pytest.raises(NotFetched) as caught:
        fetched(source, **bounds)  # type: ignore[arg-type]
    return caught.value.problem


# --- The web ------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_file_is_asked_for_below_the_address(ending: str) -> None:
    with answering(sending(b"signed")) as (address, asked):
        assert fetched(address.removesuffix("/") + ending) == b"signed"
        assert asked == ["/story/checkpoint"]


def test_one_connection_is_kept() -> None:
    ports = set[int]()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        sending(b"signed")(handler)

    with answering(answer) as (address, _), open_prefix(address) as prefix:
        for _ in range(3):
            read(prefix, "checkpoint", 10)
    assert len(ports) == 1


def test_what_is_packed_is_unpacked() -> None:
    with answering(sending(gzip.compress(b"signed"), Content_Encoding="gzip")) as (address, _):
        assert fetched(address) == b"signed"


def test_what_grows_beyond_its_limit_is_given_up() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with answering(sending(bomb, Content_Encoding="gzip")) as (address, _):
        assert problem(address) == "is longer than 1,000 bytes"
    with answering(sending(b"x" * 1_001)) as (address, _):
        assert problem(address) == "is longer than 1,000 bytes"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip", "is not what gzip packs"),
        (gzip.compress(b"x", mtime=0)[:-9], "ends before the end"),
    ],
)
def test_what_is_wrongly_packed_is_refused(content: bytes, said: str) -> None:
    with answering(sending(content, Content_Encoding="gzip")) as (address, _):
        assert said in problem(address)
    with answering(sending(content, Content_Encoding="br")) as (address, _):
        assert problem(address) == 'is compressed as "br", which nobody asked for'


def test_no_redirect_is_followed() -> None:
    target = "http://127.0.0.1:1/secret"
    with answering(sending(b"", 302, Location=target)) as (address, asked):
        assert problem(address) == f"leads to {target}, and that is not followed: give that address"
        assert len(asked) == 1


def test_a_file_that_is_not_there_is_told_apart() -> None:
    with answering(sending(b"", 404)) as (address, asked):
        with pytest.raises(NotFetched) as caught:
            fetched(address)
        assert (caught.value.status, len(asked)) == (404, 1)


@pytest.mark.parametrize(
    ("status", "headers", "tries", "waits"),
    [
        (503, {}, 4, [1, 2, 3]),
        (429, {"Retry_After": "7"}, 4, [7, 7, 7]),
        (429, {"Retry_After": "600"}, 1, []),
        (403, {}, 1, []),
    ],
)
def test_what_failed_by_chance_is_tried_again(
    status: int, headers: dict[str, str], tries: int, waits: list[float]
) -> None:
    waited = list[float]()
    with (
        answering(sending(b"", status, **headers)) as (address, asked),
        open_prefix(address, pause=waited.append) as prefix,
    ):
        with pytest.raises(NotFetched, match=f"answered {status}"):
            read(prefix, "checkpoint", 10)
        assert (len(asked), waited) == (tries, waits)


def test_a_connection_that_breaks_is_tried_again() -> None:
    answers = iter([lambda handler: handler.connection.shutdown(2), sending(b"signed")])
    with answering(lambda handler: next(answers)(handler)) as (address, asked):
        assert fetched(address) == b"signed"
        assert len(asked) == 2


def test_a_server_that_is_slow_is_given_up() -> None:
    done = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "900")
        handler.end_headers()
        for _ in range(900):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            if done.wait(0.02):
                return

    with answering(answer) as (address, _):
        assert problem(address, slow=0.2).startswith("comes too slowly: ")
        done.set()


def test_a_run_has_a_limit() -> None:
    with (
        answering(sending(b"x" * 600)) as (address, _),
        open_prefix(address, limit=1_000) as prefix,
    ):
        read(prefix, "checkpoint", 600)
        with pytest.raises(NotFetched, match="more than 1,000 bytes came in this run"):
            read(prefix, "checkpoint", 600)


def test_a_host_that_does_not_answer_is_named() -> None:
    assert problem("http://127.0.0.1:1/story/").startswith("cannot be fetched: ")


@pytest.mark.parametrize("source", ["ftp://a.example/", "https://a.example/?x=1", "http://a/#x"])
def test_another_address_is_refused(source: str) -> None:
    assert "must be an http or https address" in problem(source)


# --- A folder -----------------------------------------------------------------------------


def test_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"signed")
    assert fetched(str(tmp_path)) == b"signed"


def _pipe(path: Path) -> None:
    os.mkfifo(path / "checkpoint")


def _link(path: Path) -> None:
    (path / "checkpoint").symlink_to("/etc/hostname")


def _loop(path: Path) -> None:
    (path / "checkpoint").symlink_to("checkpoint")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "is not there"),
        (lambda path: (path / "checkpoint").mkdir(), "is no file"),
        (_pipe, "is no file"),
        (_link, "leads out of the folder"),
        (_loop, "cannot be read"),
        (lambda path: (path / "checkpoint").write_bytes(b"x" * 1_001), "is longer than 1,000"),
    ],
)
def test_what_is_no_file_of_the_folder_is_refused(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path)
    assert said in problem(str(tmp_path))
