"""A web server that takes what is sent to it, and answers as a test says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - it is public
"""The secret of the examples in the Standard Webhooks specification."""


class Sent(NamedTuple):
    """What was sent: the headers, by their names in small letters, and the body."""

    headers: Mapping[str, str]
    body: bytes


class Receiving(NamedTuple):
    """A server on loopback: its address, and what was sent to it, in order."""

    address: str
    sent: list[Sent]


@contextlib.contextmanager
def receiving(answers: Sequence[tuple[int, Mapping[str, str]]] = ()) -> Iterator[Receiving]:
    """Answer each request with the next status and headers; then, and by default, with 204.

    A status of 0 ends the connection without an answer.
    """
    sent: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            number = len(sent)
            sent.append(Sent({name.lower(): text for name, text in self.headers.items()}, body))
            status, headers = answers[number] if number < len(answers) else (204, {})
            if not status:
                return
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Receiving(f"http://127.0.0.1:{server.server_port}", sent)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
