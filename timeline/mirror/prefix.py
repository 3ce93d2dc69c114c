"""Read what somebody publishes at a prefix: an address of the web, or a folder of this machine.

Guarantees: only names below the prefix are asked for, and no redirect and no link leads elsewhere.
No file is longer in memory or on disk than its limit, packed or not, and a run has a limit too. A
server that is silent, or slower than a limit, is given up. What failed by chance is tried again.

Knows nothing of logs.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

import httpx

from timeline.errors import NotFetched

LIMIT = 4 * 2**30
"""Bytes that one run takes at most, unpacked."""
_CONNECT_SECONDS = 20.0
_SLOW_SECONDS = 30.0
"""Seconds without a byte, or with fewer than 1,024 in each of them, after which a server is given
up."""
_SLOW_RATE = 1024
"""Bytes a second."""
_TRIES = 4
_LONGEST_WAIT = 60.0
"""Seconds for which a server may ask to wait (Retry-After)."""
_CHUNK = 2**16
_IN_MEMORY = 2**20
_NOT_THERE = (404, 410)
_BY_CHANCE = (429, 500, 502, 503, 504)


class Prefix(Protocol):
    """A place where a log is published, open for reading."""

    @property
    def place(self) -> str:
        """Return the address or the folder, as the user gave it, with a slash at its end."""

    def opened(self, name: str, longest: int) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Yield a file of the prefix, whole, to be read from its beginning.

        Raises NotFetched; its status is 404 for a file that is not there.
        """


def read(prefix: Prefix, name: str, longest: int) -> bytes:
    """Return the content of a file of a prefix. Raises NotFetched."""
    with prefix.opened(name, longest) as file:
        return file.read()


@contextlib.contextmanager
def open_prefix(
    source: str,
    *,
    limit: int = LIMIT,
    slow_seconds: float = _SLOW_SECONDS,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[Prefix]:
    """Open an http or https address, or a folder, that ends before the names of the files.

    `limit` is the number of bytes of the whole run. Raises NotFetched for another address.
    """
    if "://" not in source:
        yield _FolderPrefix(Path(source), limit)
        return
    if not source.startswith(("https://", "http://")) or {"?", "#"} & set(source):
        raise NotFetched(source, "must be an http or https address without ? and #, or a folder")
    timeout = httpx.Timeout(slow_seconds, connect=_CONNECT_SECONDS)
    with httpx.Client(timeout=timeout, headers={"User-Agent": "timeline"}) as client:
        yield _WebPrefix(f"{source.removesuffix('/')}/", client, limit, slow_seconds, pause)


class _Budget:
    """Counts the bytes of a run, and of a file."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

    def copied(self, place: str, chunks: Iterator[bytes], longest: int) -> IO[bytes]:
        """Copy a file into a temporary one, which is in memory while it is small."""
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller closes it
        count = 0
        try:
            for chunk in chunks:
                count += len(chunk)
                if count > longest:
                    raise NotFetched(place, f"is longer than {longest:,} bytes")
                if count > self._left:
                    problem = f"more than {self._limit:,} bytes came in this run: allow more by"
                    raise NotFetched(place, f"{problem} --limit")
                file.write(chunk)
        except BaseException:
            file.close()
            raise
        self._left -= count
        file.seek(0)
        return file


class _FolderPrefix:
    """Reads the files of a folder of this machine."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.place = f"{folder}{os.sep}"
        self._folder = folder.resolve()
        self._budget = _Budget(limit)

    @contextlib.contextmanager
    def opened(self, name: str, longest: int) -> Iterator[IO[bytes]]:
        path = self._folder / name
        where = f"{self.place}{name}"
        try:
            if not path.resolve().is_relative_to(self._folder):
                raise NotFetched(where, "leads out of the folder")
            if not stat.S_ISREG(path.stat().st_mode):
                raise NotFetched(where, "is no file")
            with path.open("rb") as file:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                copied = self._budget.copied(where, chunks, longest)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFetched(where, "is not there", 404) from None
        except (OSError, RuntimeError) as error:  # a link that leads to itself is a RuntimeError
            problem = getattr(error, "strerror", None) or "cannot be read"
            raise NotFetched(where, problem) from None
        with copied:
            yield copied


class _WebPrefix:
    """Reads what an address of the web has, over one connection that is kept."""

    def __init__(
        self,
        place: str,
        client: httpx.Client,
        limit: int,
        slow_seconds: float,
        pause: Callable[[float], object],
    ) -> None:
        self.place = place
        self._client = client
        self._budget = _Budget(limit)
        self._slow_seconds = slow_seconds
        self._pause = pause

    @contextlib.contextmanager
    def opened(self, name: str, longest: int) -> Iterator[IO[bytes]]:
        with self._whole(f"{self.place}{name}", longest) as file:
            yield file

    def _whole(self, url: str, longest: int) -> IO[bytes]:
        """Return a file as a whole, after some tries where one failed by chance."""
        for number in range(1, _TRIES + 1):
            try:
                with self._client.stream("GET", url, headers=_HEADERS) as answer:
                    if answer.status_code == 200:
                        return self._budget.copied(url, self._content(url, answer), longest)
                    wait, error = _wait_of(answer, number), _refusal(url, answer)
            except (httpx.TransportError, httpx.InvalidURL) as problem:
                wait, error = float(number), NotFetched(url, _in_words(problem))
            if wait is None or number == _TRIES:
                raise error
            self._pause(wait)
        raise AssertionError("the last try returned or raised")

    def _content(self, url: str, answer: httpx.Response) -> Iterator[bytes]:
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        chunks = self._not_too_slow(url, answer.iter_raw())
        match coding:
            case "identity" | "":
                return chunks
            case "gzip" | "x-gzip":
                return _unpacked(url, chunks)
        raise NotFetched(url, f'is compressed as "{coding}", which nobody asked for')

    def _not_too_slow(self, url: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        started, count = time.monotonic(), 0
        for chunk in chunks:
            count += len(chunk)
            yield chunk
            taken = time.monotonic() - started
            if taken > self._slow_seconds:
                if count < _SLOW_RATE * taken:
                    raise NotFetched(url, f"comes too slowly: {count:,} bytes in {taken:.0f} s")
                started, count = time.monotonic(), 0


_HEADERS = {"Accept-Encoding": "gzip"}


def _unpacked(url: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, no more than a chunk at a time."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            left = chunk
            while left and not unpacking.eof:
                yield unpacking.decompress(left, _CHUNK)
                left = unpacking.unconsumed_tail
        while piece := unpacking.decompress(unpacking.unconsumed_tail, _CHUNK):
            yield piece
    except zlib.error:
        raise NotFetched(url, "is not what gzip packs") from None
    if not unpacking.eof:
        raise NotFetched(url, "ends before the end of what gzip packed")


def _wait_of(answer: httpx.Response, number: int) -> float | None:
    """Return the seconds after which to ask again; None if that would not help."""
    if answer.status_code not in _BY_CHANCE:
        return None
    asked = answer.headers.get("Retry-After", "")
    seconds = float(asked) if asked.isascii() and asked.isdigit() else float(number)
    return seconds if seconds <= _LONGEST_WAIT else None


def _refusal(url: str, answer: httpx.Response) -> NotFetched:
    status = answer.status_code
    if answer.is_redirect:
        target = answer.headers.get("Location", "")
        return NotFetched(url, f"leads to {target}, and that is not followed: give that address")
    if status in _NOT_THERE:
        return NotFetched(url, "is not there", 404)
    return NotFetched(url, f"answered {status} {answer.reason_phrase}".rstrip(), status)


def _in_words(error: Exception) -> str:
    match error:
        case httpx.TimeoutException():
            return "cannot be fetched: there was no answer in time"
        case httpx.RemoteProtocolError():
            return f"cannot be fetched: the connection broke ({error})"
    return f"cannot be fetched: {error}"
