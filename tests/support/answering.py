"""A web server that answers with bytes of a test's choice, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

Answers = Mapping[str, bytes | Callable[[], Iterable[bytes]]]
"""The bytes of an answer, headers and all, by the target of the request; or what yields them."""


class Answering(NamedTuple):
    """A server on loopback: its port, and the requests that came, each as its head."""

    port: int
    asked: list[str]

    @property
    def address(self) -> str:
        """The address of its root, without the slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def answering(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[Answering]:
    """Answer a request as `answers` say for its target, then end the connection.

    With a `context` that has a certificate it speaks https.
    """
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            asked.append(head.decode())
            answer = answers[asked[-1].split()[1]]
            with contextlib.suppress(ConnectionError):
                for part in [answer] if isinstance(answer, bytes) else answer():
                    self.connection.sendall(part)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Answering(server.server_address[1], asked)
        finally:
            server.shutdown()
            thread.join()


def answer(content: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """An answer that says how long it is."""
    return answer_head(f"Content-Length: {len(content)}", *headers, status=status) + content


def answer_in_chunks(*chunks: bytes) -> bytes:
    """An answer in chunks, their lengths padded with zeros as some servers pad them."""
    sent = b"".join(b"%06x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return answer_head("Transfer-Encoding: chunked") + sent


def answer_head(*headers: str, status: str = "200 OK") -> bytes:
    """The first lines of an answer, and the empty line after them."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def redirect(url: str) -> bytes:
    """An answer that leads to another address."""
    return answer(b"", f"Location: {url}", status="302 Found")
