"""Read what a server of a cluster answers: every code of the protocol becomes a type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from timeline.cluster.address import ClusterAddress
from timeline.cluster.message import Stored
from timeline.errors import NotWritable, StorageFull, StoreError

_OVERTAKEN = (10071, 10164, 10201)
_UNANSWERED = (10005, 10008, 10158, 10176, 10210, 10211)
"""Too few servers, no leader yet, still at work, or a batch whose first part a new leader lacks."""
_SEALED = 10109
_FULL = (10023, 10047, 10077)
_NO_MESSAGE = 10037
_NO_STREAM = 10059
_NO_ACCOUNT = (10035, 10039, 10076)
"""JetStream is not enabled on the server, or not for the account."""

_OF_THE_SERVER = {
    f"Nats-{name}"
    for name in ["Stream", "Subject", "Sequence", "Time-Stamp", "Num-Pending", "Last-Sequence"]
}
"""Headers that a server adds to a message that it gives out."""


class Overtaken(Exception):
    """The expected sequence is wrong, or the id is stored already: nothing was stored by this try.

    Who wrote the message after the expected one is seen at the leader: it can be an earlier try.
    """


class Unanswered(Exception):
    """No server answered, or the answer says nothing.

    `sent` is False if nothing was sent; otherwise it may be stored, now or later.
    """

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.sent = sent


class Sealed(Exception):
    """The stream takes no more messages: the next generation of the log has them."""


class Missing(Exception):
    """The cluster has no such stream."""


class NoMessage(Exception):
    """The stream has no such message."""


def answered(address: str, body: bytes) -> dict[str, Any]:
    """Read the JSON of an answer; raise what its error means."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise StoreError(address, "a server gave an answer that is no JSON object")
    error = answer.get("error")
    if error is not None:
        raise refusal(address, error)
    return answer


def refusal(address: str, error: Mapping[str, Any]) -> Exception:
    """Choose the type of an error that a server names by its code."""
    code, words = error.get("err_code", 0), str(error.get("description", error))
    if code in _OVERTAKEN:
        return Overtaken(words)
    if code == _SEALED:
        return Sealed(words)
    if code in _FULL:
        return StorageFull(address, f"the servers have no room; nothing was written: {words}")
    if code == _NO_STREAM:
        return Missing(words)
    if code == _NO_MESSAGE:
        return NoMessage(words)
    if code in _NO_ACCOUNT:
        return NotWritable(address, f"this account keeps no streams: {words}")
    if code in _UNANSWERED or error.get("code") == 503:
        return Unanswered(words)
    return StoreError(address, f"the servers refuse this: {words} (code {code})")


def no_right(address: ClusterAddress, asked: str, verb: str, subject: str) -> NotWritable:
    """Say which right an account lacks: to publish to a subject, or to subscribe to it."""
    if verb == "subscription":
        problem = f"this account has no right to listen to {subject}"
    elif asked.startswith("$JS.API."):
        problem = f"this account has no right to ask {asked}"
    else:
        problem = f"this account may read {address.name}, not write"
    return NotWritable(str(address), problem)


def stored(headers: Mapping[str, str], body: bytes) -> tuple[str, Stored]:
    """Read a message that a server gives out; return its subject, and the message."""
    kept = {name: value for name, value in headers.items() if name not in _OF_THE_SERVER}
    sequence, time = int(headers["Nats-Sequence"]), headers["Nats-Time-Stamp"]
    return headers["Nats-Subject"], Stored(sequence, kept, body, time)
