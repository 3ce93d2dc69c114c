"""A witness as c2sp.org/tlog-witness describes it, written without our code, on a real server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from others_notes import others_cosignature, witness_key

from timeline.proof.signed_note import VerifierKey

NOW = 1_750_000_000
"""The time that a witness says it signed at, unless a test says another one."""


class Said(NamedTuple):
    """What a witness answers: a status, a type and a body."""

    status: int
    body: bytes = b""
    media_type: str = "text/plain"
    location: str = ""


class OtherWitness:
    """A witness of one log: it keeps the size and the root that it signed last.

    A test may put answers into `script`, which are given instead of its own, and files into
    `files`, by their paths.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(seed * 32)
        self.size, self.root = 0, ""
        self.seconds = NOW
        self.script: list[Said | Callable[[], Said]] = []
        self.files: dict[str, str] = {}
        self.asked: list[str] = []
        """The bodies of requests, and the paths of files."""
        self.url = ""

    @property
    def key(self) -> VerifierKey:
        return witness_key(self.name, self.private)

    def sign(self, text: str) -> str:
        return others_cosignature(text, self.name, self.private, self.seconds)

    def answer(self, body: str) -> Said:
        self.asked.append(body)
        if self.script:
            given = self.script.pop(0)
            return given if isinstance(given, Said) else given()
        return self._add_checkpoint(body)

    def _add_checkpoint(self, body: str) -> Said:
        head, text, _ = body.split("\n\n")
        old, *proof = head.split("\n")
        _, size, root = text.split("\n")
        if old != f"old {self.size}":
            return Said(409, f"{self.size}\n".encode(), "text/x.tlog.size")
        if self.size and not goes_on(self.size, self.root, int(size), root, proof):
            return Said(422)
        self.size, self.root = int(size), root
        return Said(200, self.sign(f"{text}\n").encode())


def goes_on(old: int, old_root: str, new: int, new_root: str, proof: list[str]) -> bool:
    """Check a consistency proof as RFC 9162, section 2.1.4.2, says it."""
    if old == new:
        return old_root == new_root and not proof
    path = [base64.b64decode(line) for line in proof]
    if old & (old - 1) == 0:
        path.insert(0, base64.b64decode(old_root))
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    one = other = path[0]
    for node in path[1:]:
        if not last:
            return False
        if first & 1 or first == last:
            one = hashlib.sha256(b"\1" + node + one).digest()
            other = hashlib.sha256(b"\1" + node + other).digest()
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            other = hashlib.sha256(b"\1" + other + node).digest()
        first, last = first >> 1, last >> 1
    roots = [base64.b64encode(root).decode() for root in (one, other)]
    return roots == [old_root, new_root] and not last


@contextlib.contextmanager
def serving(witness: OtherWitness) -> Iterator[OtherWitness]:
    """Let a witness answer on loopback, at its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            path_is_right = self.path == "/w/add-checkpoint"
            self._say(witness.answer(body) if path_is_right else Said(405))

        def do_GET(self) -> None:
            witness.asked.append(self.path)
            content = witness.files.get(self.path)
            self._say(Said(404) if content is None else Said(200, content.encode()))

        def _say(self, said: Said) -> None:
            self.send_response(said.status)
            self.send_header("Content-Type", said.media_type)
            self.send_header("Content-Length", str(len(said.body)))
            if said.location:
                self.send_header("Location", said.location)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    witness.url = f"http://127.0.0.1:{server.server_port}/w"
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
