"""Make messages of a stream from the entries of an append, and entries from messages again.

One append is one message, or one run of parts that follow each other. Its body is the entries in
the form of an export, one per line, joined by newlines; above 64 KiB it is compressed, above
900,000 bytes it is cut into parts. The headers of the first part say everything about the append;
the other parts have their number alone. No header has a word of an entry.

What is read is checked as far as one append shows it: its bytes against their hash, its place in
the stream, its parts, its format and its entries. Whether it continues the log of this file is
checked by the caller. Knows neither server nor database.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from timeline.errors import InvalidInput, Refused, TooNew
from timeline.model.hints import quoted
from timeline.store.codec import Entry, from_wire, to_wire

FORMAT = 1
"""The format of messages that this package writes, and the newest that it reads."""

MAX_PARTS = 64
"""The most parts of one append: 50 parts took the servers 118 to 179 MB of memory."""

PART = 900_000
"""The longest part, in bytes; a server refuses messages above 1 MB."""

PACK_ABOVE = 65_536
"""The longest body, in bytes, that is not compressed."""

_LONGEST_LINE = 16 * 2**20
"""The longest line of a body, in bytes: a payload of 4 MiB can take 8 MiB in it."""

_NUMBER = r"0|[1-9][0-9]{0,15}"


class Part(NamedTuple):
    """A part is one message to be published."""

    headers: dict[str, str]
    body: bytes


class Stored(NamedTuple):
    """A stored message is one message of the stream, as a server keeps it."""

    sequence: int
    headers: Mapping[str, str]
    body: bytes
    stored_at: str


class Commit(NamedTuple):
    """A commit is one append, as it was read from the stream.

    `sequence` is that of its first part. `first` is the seq of its first entry, `size` the number
    of entries in the log after it, and `root` the root of the tree over them.
    """

    id: str
    sequence: int
    parts: int
    first: int
    size: int
    root: bytes
    node: str
    entries: list[Entry]
    stored_at: str


class MessageHead(NamedTuple):
    """Says how the log stands after an append, as the headers of its first part say it."""

    id: str
    parts: int
    size: int
    root: bytes


class BadMessage(Exception):
    """A message of the stream is damaged, missing, or was not written by a Timeline.

    `node` is what its header Timeline-Node says, which proves nothing.
    """

    def __init__(self, sequence: int, node: str, why: str) -> None:
        said = f"Timeline-Node {quoted(node)}" if node else "without Timeline-Node"
        super().__init__(f"message {sequence} ({said}): {why}")
        self.sequence = sequence
        self.node = node
        self.why = why


# --- Writing ------------------------------------------------------------------------------


def pack(
    entries: Sequence[Entry], *, stream: str, expected: int, root: bytes, node: str
) -> list[Part]:
    """Return the parts of one append, in their order.

    `expected` is the last sequence of the stream before it, `root` the root of the log after it.
    Raises Refused for more than 64 parts.
    """
    body = b"\n".join(to_wire(entry).encode() for entry in entries)
    packed = len(body) > PACK_ABOVE
    if packed:
        body = gzip.compress(body, compresslevel=1, mtime=0)
    bodies = [body[start : start + PART] for start in range(0, len(body), PART)]
    if len(bodies) > MAX_PARTS:
        raise Refused("too much for one append on a cluster: split it, or use import")
    head = {
        "Nats-Msg-Id": _hash(body),
        "Nats-Expected-Stream": stream,
        "Nats-Expected-Last-Sequence": str(expected),
        "Timeline-Format": str(FORMAT),
        "Timeline-First": str(entries[0].seq),
        "Timeline-Size": str(entries[-1].seq + 1),
        "Timeline-Root": base64.b64encode(root).decode(),
        "Timeline-Node": node,
        **({"Content-Encoding": "gzip"} if packed else {}),
    }
    if len(bodies) == 1:
        return [Part(head, body)]
    return [
        Part({**(head if number == 1 else {}), "Timeline-Part": f"{number}/{len(bodies)}"}, part)
        for number, part in enumerate(bodies, 1)
    ]


def _hash(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


# --- Reading ------------------------------------------------------------------------------


def unpack(stored: Iterable[Stored]) -> Iterator[Commit]:
    """Yield the appends in stored messages that follow each other in the stream.

    An append of which the last parts are not there yet is left out: read on from its first part,
    or give messages of several reads as one iterable. Raises BadMessage, and TooNew for a message
    or an entry of a later format.
    """
    run: list[Stored] = []
    parts = 0
    last = None
    for message in stored:
        if last is not None and message.sequence != last + 1:
            raise BadMessage(last + 1, "", "is missing")
        last = message.sequence
        if not run:
            parts = _parts(message)
        elif (why := _interrupts(message, run, parts)) is not None:
            raise _bad(message, why)
        run.append(message)
        if len(run) == parts:
            yield _commit(run)
            run = []


def first_of_run(message: Stored) -> int:
    """Return the sequence of the first part of the append that a message is a part of."""
    part = message.headers.get("Timeline-Part", "1/1").partition("/")[0]
    if not re.fullmatch(_NUMBER, part, re.ASCII) or not 1 <= int(part) <= MAX_PARTS:
        raise _bad(message, "has no number of a part in its header Timeline-Part")
    return message.sequence - int(part) + 1


def head_of(head: Stored) -> MessageHead:
    """Return how the log stands after an append, from the headers of its first part alone.

    Raises BadMessage, and TooNew.
    """
    return MessageHead(
        head.headers.get("Nats-Msg-Id", ""),
        _parts(head),
        _number(head, "Timeline-Size"),
        _root(head),
    )


def _bad(message: Stored, why: str) -> BadMessage:
    return BadMessage(message.sequence, message.headers.get("Timeline-Node", ""), why)


def _number(message: Stored, header: str) -> int:
    """Return the whole number in a header; raise BadMessage if there is none."""
    text = message.headers.get(header)
    if text is None:
        raise _bad(message, f"has no header {header}")
    if not re.fullmatch(_NUMBER, text, re.ASCII):
        raise _bad(message, f"has no whole number in its header {header}")
    return int(text)


def _parts(head: Stored) -> int:
    """Return how many parts the append has that begins with this message."""
    part = head.headers.get("Timeline-Part")
    if part is not None and not part.startswith("1/"):
        raise _bad(head, "is a later part of an append whose first part is not before it")
    if (format := _number(head, "Timeline-Format")) > FORMAT:
        raise TooNew(
            f"message {head.sequence}",
            f"is of format {format}; this Timeline reads up to {FORMAT}: upgrade it",
        )
    if part is None:
        return 1
    number = part.removeprefix("1/")
    if not re.fullmatch(r"[1-9][0-9]?", number, re.ASCII) or not 2 <= int(number) <= MAX_PARTS:
        raise _bad(head, f"is the first of a number of parts that is none from 2 to {MAX_PARTS}")
    return int(number)


def _interrupts(message: Stored, run: list[Stored], parts: int) -> str | None:
    """Return why a message is not the next part of a run; None if it is."""
    head, wanted = run[0], f"{len(run) + 1}/{parts}"
    if message.headers.get("Timeline-Part") != wanted:
        return f"is not part {wanted} of the append that begins with message {head.sequence}"
    if message.headers.get("Nats-Batch-Id") != head.headers.get("Nats-Batch-Id"):
        return f"is a part of another append than the one of message {head.sequence}"
    return None


def _commit(run: list[Stored]) -> Commit:
    """Return the append in all of its parts, after all checks."""
    head = run[0]
    body = b"".join(message.body for message in run)
    if head.headers.get("Nats-Msg-Id") != _hash(body):
        raise _bad(head, "its bytes do not match its Nats-Msg-Id")
    expected = _number(head, "Nats-Expected-Last-Sequence")
    if expected != head.sequence - 1:
        raise _bad(head, f"was written to follow message {expected}")
    first, size = _number(head, "Timeline-First"), _number(head, "Timeline-Size")
    return Commit(
        id=head.headers["Nats-Msg-Id"],
        sequence=head.sequence,
        parts=len(run),
        first=first,
        size=size,
        root=_root(head),
        node=head.headers.get("Timeline-Node", ""),
        entries=_entries(head, body, first, size),
        stored_at=head.stored_at,
    )


def _root(head: Stored) -> bytes:
    try:
        root = base64.b64decode(head.headers.get("Timeline-Root", ""), validate=True)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise _bad(head, "has no root of a log in its header Timeline-Root")
    return root


def _entries(head: Stored, body: bytes, first: int, size: int) -> list[Entry]:
    """Return the entries in a body, `first` to `size` - 1, all of one recorded_at."""
    entries: list[Entry] = []
    try:
        for line in lines(head.headers, body):
            seq = first + len(entries)
            if seq >= size:
                raise _bad(head, f"has more entries than its headers say: {first} to {size - 1}")
            entries.append(from_wire(line[:-1].decode(), seq))
    except InvalidInput as error:
        raise _bad(head, f"entry {first + len(entries)}: {error}") from None
    except (EOFError, OSError, UnicodeDecodeError, zlib.error):
        raise _bad(head, "its body is no text, or is not compressed as gzip does it") from None
    except ValueError as error:
        raise _bad(head, str(error)) from None
    if not entries or len(entries) != size - first:
        raise _bad(head, f"has {len(entries)} entries, and its headers say {size - first}")
    for entry in entries:
        if entry.recorded_at != entries[0].recorded_at:
            raise _bad(head, f"entry {entry.seq} is of another recorded_at than entry {first}")
    return entries


def lines(headers: Mapping[str, str], body: bytes) -> Iterator[bytes]:
    """Yield the lines of the body of an append, as an export has them, each with its newline.

    `headers` are those of its first part. A short body that unpacks to endless lines is refused
    early. Raises ValueError, and the errors of gzip.
    """
    coding = headers.get("Content-Encoding")
    if coding not in (None, "gzip"):
        raise ValueError("has a header Content-Encoding that is not gzip")
    file = io.BytesIO(body)
    with file if coding is None else gzip.GzipFile(fileobj=file) as unpacked:
        while line := unpacked.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise ValueError(f"has a line of more than {_LONGEST_LINE} bytes")
            yield line.removesuffix(b"\n") + b"\n"
