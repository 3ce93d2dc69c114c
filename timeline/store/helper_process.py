"""Let another process answer chunks of a long input ahead of the program that needs the answers.

Guarantees: answers come in the order of the chunks. The helper decides nothing and is missed by
nobody: a chunk for which there is no helper, no more or not yet, has no answers, and is left to
the caller. Ctrl-C does not reach the helper; it ends with its caller, however that ends.

It is a plain Python with two pipes, and no fork of this process: neither our threads and open
files nor the `__main__` of the program matter. Both ends of the pipes are served by the caller,
between two chunks, without threads: a thread would wait for the interpreter lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import importlib
import marshal
import os
import select
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

K = TypeVar("K")
T = TypeVar("T")

CHUNK = 64
"""The number of items in a chunk."""
_CHUNK_BYTES = 2**18
"""The bytes after which a chunk ends, with fewer items."""

_AHEAD = 6
"""The number of chunks that the helper has at most, so that memory is bounded."""
_PIPE = 2**20
"""The bytes that a pipe should hold: several chunks, so that no side waits for the other."""
_LENGTH = struct.Struct("<I")
_START = (
    "import marshal, sys; sys.path[:] = marshal.load(sys.stdin.buffer);"
    " from timeline.store.helper_process import serve; serve(sys.argv[1])"
)


def is_possible() -> bool:
    """Return whether a helper can run beside this process: on a processor of its own."""
    is_program = bool(sys.executable) and not getattr(sys, "frozen", False)
    return is_program and os.name == "posix" and _processors() > 1


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunked(items: Iterable[T], bytes_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield some items at a time: CHUNK of them, or fewer large ones.

    What `items` raises is raised when all items before it have been yielded.
    """
    chunk: list[T] = []
    size = 0
    try:
        for item in items:
            chunk.append(item)
            size += bytes_of(item)
            if len(chunk) >= CHUNK or size >= _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    except Exception:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def answered(
    function: str, setting: Any, chunks: Iterable[tuple[K, list[Any]]]
) -> Generator[tuple[K, list[Any] | None], None, None]:
    """Give the second part of each pair to a helper, and yield the first part with the answers.

    They are None if the helper does not answer this chunk. `function`, such as
    "package.module:name", is called by the helper with `setting` and returns the function of a
    chunk. What goes there and back is plain: numbers, texts, bytes, and tuples and lists of them.
    What `chunks` raises is raised when all chunks before it have been yielded.
    """
    try:
        started = _Helper(function, setting)
    except OSError:  # there may be no further process
        yield from ((kept, None) for kept, _ in chunks)
        return
    given: deque[K] = deque()
    with contextlib.closing(started) as helper:
        failure = None
        try:
            for kept, chunk in chunks:
                is_given = helper.is_ready()
                while given and (len(given) >= _AHEAD or not is_given):
                    yield given.popleft(), helper.take()
                if is_given:
                    helper.give(chunk)
                    given.append(kept)
                else:
                    yield kept, None
        except Exception as error:  # noqa: BLE001 - it is raised in its turn
            failure = error
        while given:
            yield given.popleft(), helper.take()
        if failure:
            raise failure


class _Helper:
    def __init__(self, function: str, setting: Any) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own Python, and a name of ours
            [sys.executable, "-I", "-c", _START, function],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the caller alone
        )
        self._into, self._from = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout) if pipe
        )
        for end in (self._into, self._from):
            os.set_blocking(end, False)
            with contextlib.suppress(AttributeError, OSError):  # only Linux can
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE)
        self._outgoing = bytearray(marshal.dumps([*map(str, sys.path)]))
        self._incoming = bytearray()
        self._is_ready = self._is_gone = False
        self._send(setting)

    def is_ready(self) -> bool:
        """Return whether the helper has started, and has not ended."""
        self._pump(wait=False)
        if not self._is_ready and not self._is_gone and self._frame() is not None:
            self._is_ready = True
        return self._is_ready and not self._is_gone

    def give(self, chunk: list[Any]) -> None:
        """Give out a chunk."""
        self._send(chunk)
        self._pump(wait=False)

    def take(self) -> list[Any] | None:
        """Return the answers to the next chunk that was given out; None if the helper has ended."""
        while (frame := self._frame()) is None:
            if self._is_gone:
                return None
            self._pump(wait=True)
        answers: list[Any] = marshal.loads(frame)  # noqa: S302 - it comes from our own process
        return answers

    def close(self) -> None:
        """End the helper, and wait until it has ended."""
        self._process.kill()
        with self._process:  # this closes the pipes, and waits
            pass

    def _send(self, content: Any) -> None:
        written = marshal.dumps(content)
        self._outgoing += _LENGTH.pack(len(written)) + written

    def _frame(self) -> bytes | None:
        """Take the next whole frame out of what has come in; None if there is none."""
        start = _LENGTH.size
        if len(self._incoming) < start:
            return None
        (length,) = _LENGTH.unpack_from(self._incoming)
        if len(self._incoming) < start + length:
            return None
        frame = bytes(memoryview(self._incoming)[start : start + length])
        del self._incoming[: start + length]
        return frame

    def _pump(self, *, wait: bool) -> None:
        """Write and read what the pipes take and have; with `wait`, wait until they do."""
        while not self._is_gone:
            ends = select.poll()  # `select.select` takes no number above 1,023
            ends.register(self._from, select.POLLIN)
            if self._outgoing:
                ends.register(self._into, select.POLLOUT)
            ready = {end for end, _ in ends.poll(None if wait else 0)}
            if not ready:
                return
            try:
                if self._into in ready:
                    with memoryview(self._outgoing) as left:
                        count = os.write(self._into, left)
                    del self._outgoing[:count]
                if self._from in ready:
                    came = os.read(self._from, _PIPE)
                    self._incoming += came
                    self._is_gone = not came
            except BrokenPipeError:
                self._is_gone = True
            wait = False


def serve(function: str) -> None:
    """Answer the chunks that come in by `stdin`, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, _, name = function.partition(":")
    frames = iter(functools.partial(_received, sys.stdin.buffer.read), None)
    make: Callable[[Any], Callable[[list[Any]], list[Any]]] = getattr(
        importlib.import_module(module), name
    )
    answer = make(marshal.loads(next(frames)))  # noqa: S302 - the caller wrote it
    gc.freeze()
    _reply(b"")
    for frame in frames:
        _reply(marshal.dumps(answer(marshal.loads(frame))))  # noqa: S302 - as above


def _received(read: Callable[[int], bytes]) -> bytes | None:
    header = read(_LENGTH.size)
    return read(*_LENGTH.unpack(header)) if len(header) == _LENGTH.size else None


def _reply(frame: bytes) -> None:
    sys.stdout.buffer.write(_LENGTH.pack(len(frame)) + frame)
    sys.stdout.buffer.flush()
