"""Fetch a file from the web, or send something there: as a whole, or with an error that says why.

Guarantees: what `fetch` returns is all that the server announced, by its Content-Length or by its
last chunk; the end of a connection is never taken for the end of a file. It takes no longer than
the time limit; the system limits the look-up of a name. A redirect leads to http and https only.
After an address of the public internet was asked, no redirect leads to an address of this machine
or of its network. Each connection goes to an address that was checked: no name is looked up twice.

Uses the proxies that the environment names (`https_proxy` ...). A proxy looks names up itself, so
what was checked here is what this machine knows of them. What is sent goes to the address that is
given, and follows no redirect.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import string
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from io import BufferedReader, RawIOBase
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from timeline.errors import NotDelivered, NotFetched

_SECONDS = 60
"""Seconds that one fetch may take, over all redirects."""
_READ_SECONDS = 30
"""Seconds that one step may wait: to connect, to agree on keys, to get the next bytes."""
_REDIRECTS = 10
_REDIRECTING = (301, 302, 303, 307, 308)
_CHUNK = 2**16

Resolve = Callable[..., list[tuple[Any, Any, Any, Any, tuple[Any, ...]]]]
"""Looks a name up, as `socket.getaddrinfo` does."""
Connect = Callable[[tuple[str, int], float], socket.socket]
"""Connects to an address and port within seconds, as `socket.create_connection` does."""


def fetch(
    url: str,
    *,
    longest: int,
    seconds: float = _SECONDS,
    redirects: int = _REDIRECTS,
    resolve: Resolve = socket.getaddrinfo,
    connect: Connect = socket.create_connection,
) -> bytes:
    """Return the whole content at an http or https address, decompressed.

    Raises NotFetched if it did not come whole within `seconds`, is longer than `longest` bytes, or
    was redirected too often, or to an address that may not be asked.
    """
    try:
        return _Fetch(url, longest, seconds, resolve, connect).content(redirects)
    except _PROBLEMS as error:
        problem = _in_words(error, seconds)
    raise NotFetched(url, f"cannot be fetched: {problem}") from None


class Reply(NamedTuple):
    """The answer to what was sent: its status, the words of the status, and `Retry-After`."""

    status: int
    reason: str
    retry_after: str | None
    media_type: str
    body: bytes
    """The whole content; empty if the sender does not want it."""


def send(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, longest: int = 0
) -> Reply:
    """Send a body to an http or https address by POST, and return the answer.

    Its content is read if some is wanted: `longest` bytes at most. Raises NotDelivered if no answer
    came within `seconds`, or a longer one; it is in doubt once the body was sent.
    """
    sending = _Fetch(url, longest, seconds, socket.getaddrinfo, socket.create_connection)
    try:
        with sending.ask(url, body, headers) as answer:
            return Reply(
                answer.status,
                answer.reason,
                answer.headers.get("Retry-After"),
                answer.headers.get_content_type(),
                sending.whole(answer) if longest else b"",
            )
    except NotFetched as error:
        problem = error.problem
    except _PROBLEMS as error:
        problem = f"cannot be reached: {_in_words(error, seconds)}"
    raise NotDelivered(url, problem, in_doubt=sending.is_asked) from None


_PROBLEMS = (OSError, http.client.HTTPException, ValueError)


def _in_words(error: Exception, seconds: float) -> str:
    match error:
        case TimeoutError():
            return f"it took over {seconds:g} seconds, or over {_READ_SECONDS} without an answer"
        case http.client.BadStatusLine():
            return f"the answer is no HTTP: {str(error).strip()}"
    return str(error)


class _Fetch:
    """Holds what one fetch remembers from address to address."""

    is_asked = False
    """Whether the last request was, or may have been, sent."""

    def __init__(
        self, url: str, longest: int, seconds: float, resolve: Resolve, connect: Connect
    ) -> None:
        self._url = url
        self._longest = longest
        self._end = time.monotonic() + seconds
        self._resolve = resolve
        self._connect = connect
        self._public = False
        """Whether an address of the public internet was asked."""

    def content(self, redirects: int) -> bytes:
        """Return the content at the end of all redirects, decompressed."""
        with self._answer(redirects) as answer:
            if answer.length is None and not answer.chunked:
                raise self._refusal(
                    "does not say how long it is, so that a part would look like the whole: "
                    "download it, and give the file"
                )
            content = self.whole(answer)
        match answer.headers.get("Content-Encoding", "identity").strip().lower():
            case "identity" | "":
                return content
            case "gzip" | "x-gzip":
                return self._limited(_decompressed(content, self._longest))
            case coding:
                raise self._refusal(f'is compressed as "{coding}", which nobody asked for')

    def _answer(self, redirects: int) -> http.client.HTTPResponse:
        """Follow redirects to the answer that has the content."""
        url = self._url
        for _ in range(redirects + 1):
            answer = self.ask(url)
            if answer.status == http.client.OK:
                return answer
            answer.close()
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTING or not location:
                said = f"answered {answer.status} {answer.reason}".rstrip()
                raise NotFetched(self._url, said, answer.status)
            url = urljoin(url, quote(location, safe=string.punctuation, encoding="latin-1"))
            if urlsplit(url).scheme not in ("http", "https"):
                raise self._refusal(f"leads to {url}, which is not http or https")
        if not redirects:
            raise self._refusal(f"leads to {url}, and redirects are not followed here")
        raise self._refusal(f"leads from address to address, more than {redirects} times")

    def ask(
        self, url: str, body: bytes | None = None, more: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request to an address, and return the answer once its headers are there.

        It is a POST if there is a body, and has `more` headers.
        """
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname, parts.port or (443 if secure else 80)
        if not host:
            raise ValueError("it names no host")
        target = quote(parts.path or "/", safe=string.punctuation)
        if parts.query:
            target += "?" + quote(parts.query, safe=string.punctuation)
        headers = {"User-Agent": "timeline", "Connection": "close", **(more or {})}
        method = "GET" if body is None else "POST"
        proxy = _proxy(parts.scheme, host)
        addresses = self._allowed(url, host, port, proxied=proxy is not None)
        if proxy is None:
            connected = self._connected(addresses, port)
        elif secure:
            connected = self._tunnel(proxy, host, port)
        else:
            connected = self._connect(_host_and_port(proxy), self._left())
            target = f"http://{parts.netloc}{target}"
            headers |= _credentials(proxy)
        try:
            connected.settimeout(self._left())
            if secure:
                connected = ssl.create_default_context().wrap_socket(
                    connected, server_hostname=host
                )
            connection = http.client.HTTPConnection(host, port)
            if secure:
                connection.default_port = 443
            connection.sock = connected
            self.is_asked = True
            connection.request(method, target, body, headers)
            answer = http.client.HTTPResponse(connected, method=method)
            answer.fp = BufferedReader(_Timed(connected, answer.fp.detach(), self._left))
            answer.begin()
            return answer
        finally:
            connected.close()  # The answer keeps its own hold on the connection.

    def _allowed(self, url: str, host: str, port: int, *, proxied: bool) -> list[str]:
        """Return the addresses of a host that may be asked; raise NotFetched if one may not."""
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror:
            if not proxied:
                raise
            found = []
        addresses = [str(address[0]) for *_, address in found]
        private = [address for address in addresses if not _is_public(address)]
        if private and self._public:
            raise self._refusal(
                f"leads to {url}, which is at {private[0]}, not on the public internet: "
                "if you trust it, give that address"
            )
        self._public = self._public or len(private) < len(addresses) or not addresses
        return addresses

    def _connected(self, addresses: list[str], port: int) -> socket.socket:
        problem = OSError("it has no address")
        for address in addresses:
            try:
                return self._connect((address, port), self._left())
            except OSError as error:
                problem = error
        raise problem

    def _tunnel(self, proxy: SplitResult, host: str, port: int) -> socket.socket:
        """Return a connection to a host through a proxy (CONNECT)."""
        place, port_of_proxy = _host_and_port(proxy)
        connection = http.client.HTTPConnection(place, port_of_proxy, timeout=self._left())
        connection.set_tunnel(host, port, headers=_credentials(proxy))
        connection.connect()
        return connection.sock

    def _left(self) -> float:
        """Return the seconds that the next step may wait."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, _READ_SECONDS)

    def whole(self, answer: http.client.HTTPResponse) -> bytes:
        """Read the content of an answer. Raises NotFetched if it is longer than is allowed."""
        content = bytearray()
        while len(content) <= self._longest and (part := answer.read(_CHUNK)):
            content += part
        return self._limited(bytes(content))

    def _limited(self, content: bytes) -> bytes:
        if len(content) > self._longest:
            kib = self._longest // 2**10
            most = f"{kib} KiB" if kib < 2**10 else f"{kib // 2**10} MiB"
            raise self._refusal(f"is longer than {most}")
        return content

    def _refusal(self, problem: str) -> NotFetched:
        return NotFetched(self._url, problem)


class _Timed(RawIOBase):
    """Reads from a connection, each time no longer than what is left.

    An HTTP answer that says how long it is ends before its connection does. So the end of the
    connection means that something is missing.
    """

    def __init__(self, connected: socket.socket, raw: RawIOBase, left: Callable[[], float]) -> None:
        self._connected = connected
        self._raw = raw
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connected.settimeout(self._left())
        count = self._raw.readinto(buffer)
        if not count:
            raise ConnectionError("it was cut off before its end; try again")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _decompressed(content: bytes, longest: int) -> bytes:
    """Return what gzip holds, or its first bytes if it holds more than `longest`.

    Raises ValueError for one that is damaged, cut off, or has anything after its end.
    """
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = member.decompress(content, longest + 1)
    except zlib.error as error:
        raise ValueError(f"its gzip is damaged: {error}") from None
    if len(found) <= longest and not member.eof:
        raise ValueError("its gzip was cut off before its end; try again")
    if member.unused_data:
        raise ValueError("something follows the end of its gzip")
    return found


def _is_public(address: str) -> bool:
    """Return whether an address is one of the public internet, and not of a machine or network."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast


def _proxy(scheme: str, host: str) -> SplitResult | None:
    """Return the address of the proxy that the environment names for a host."""
    named = getproxies().get(scheme)
    if not named or proxy_bypass(host):
        return None
    return urlsplit(named if "://" in named else f"http://{named}")


def _host_and_port(proxy: SplitResult) -> tuple[str, int]:
    if not proxy.hostname:
        raise ValueError(f'the proxy "{proxy.geturl()}" names no host')
    return proxy.hostname, proxy.port or 80


def _credentials(proxy: SplitResult) -> dict[str, str]:
    """Return the header that carries the name and password of a proxy, if its address has them."""
    if proxy.username is None:
        return {}
    said = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(said.encode()).decode()}"}
