"""A cable between a client and a server that can be cut, in one direction or in both.

What is swallowed is lost, as on a network: neither side sees the connection end.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Cable:
    """A proxy on loopback; its port is chosen by the system.

    `lose_replies` swallows what the server says from now on, `lose_requests` what the client says.
    With `lose_requests(after=b"HPUB tl.")` the bytes from the next of these on are lost: what came
    before is passed. `lose_from` counts what the client publishes. `mend` passes bytes again;
    connections of before are ended, so that the client connects anew, as after an outage.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._replies_lost = threading.Event()
        self._requests_lost = threading.Event()
        self._lost_from = b""
        self._left = 0
        """The number of requests that are passed yet; 0: they are not counted."""
        self._count_replies = False
        self.lost = threading.Event()
        """Is set when bytes were lost."""
        self._sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._end_connections()
        for thread in list(self._threads):
            thread.join(timeout=10)

    def lose_replies(self) -> None:
        """Swallow what the server says from now on."""
        self.lost.clear()
        self._replies_lost.set()

    def lose_requests(self, after: bytes = b"") -> None:
        """Swallow what the client says from now on, or from the next of these bytes on."""
        self.lost.clear()
        self._lost_from = after
        self._requests_lost.set()

    def lose_from(self, number: int, *, replies: bool) -> None:
        """Swallow requests from one on, counted from 1; or pass it, and swallow the replies."""
        self.lost.clear()
        self._lost_from, self._count_replies, self._left = b"", replies, number

    def mend(self) -> None:
        """Pass bytes again, on new connections."""
        self._left = 0
        self._replies_lost.clear()
        self._requests_lost.clear()
        self._end_connections()

    def _end_connections(self) -> None:
        for each in list(self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._sockets += [client, server]
            for source, target, lost in (
                (client, server, self._requests_lost),
                (server, client, self._replies_lost),
            ):
                thread = threading.Thread(
                    target=self._carry, args=(source, target, lost), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _carry(self, source: socket.socket, target: socket.socket, lost: threading.Event) -> None:
        gone = False
        with contextlib.suppress(OSError):
            while carried := source.recv(1 << 16):
                if self._left and lost is self._requests_lost:
                    self._left = max(0, self._left - carried.count(b"PUB "))
                    if not self._left:
                        (self._replies_lost if self._count_replies else lost).set()
                if lost.is_set() and not gone:
                    start = self._lost_from if lost is self._requests_lost else b""
                    place = carried.find(start)
                    gone = place >= 0
                    if gone:
                        target.sendall(carried[:place])
                        self.lost.set()
                        continue
                if not gone:
                    target.sendall(carried)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
