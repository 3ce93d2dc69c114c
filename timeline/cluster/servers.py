"""Ask the servers of a cluster about themselves, at the addresses of their monitors.

Each server answers for itself: what it has stored, whether it can lose that, and by which clock.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from timeline.cluster.streams import time_of
from timeline.errors import InvalidInput, Refused, Unreachable

_PATIENCE = 5.0
"""The seconds for which a monitor is waited for; it answers in 0.003 seconds."""


class StreamThere(NamedTuple):
    """Says what one server has of a stream."""

    messages: int
    first: int
    last: int
    first_time: str
    """The time of its first message."""


class Server(NamedTuple):
    """A server says this about itself."""

    url: str
    id: str
    name: str
    version: str
    max_payload: int
    """The bytes of the longest message that it takes."""
    is_durable: bool
    """Whether it syncs every message to the disk before it acknowledges it."""
    ahead: float
    """The seconds by which its clock is ahead of the clock here, give or take half the time of the
    question."""
    streams: dict[tuple[str, str], StreamThere]
    """What it has of each stream, by the name and the time when the stream was made."""


def ask(url: str) -> Server:
    """Ask a server at the address of its monitor. Raises Unreachable, InvalidInput."""
    before = datetime.now(UTC)
    said = _told(url, "/varz")
    middle = before + (datetime.now(UTC) - before) / 2
    try:
        stored = _told(url, "/jsz?accounts=1&streams=1")
        return Server(
            url=url,
            id=said["server_id"],
            name=said["server_name"],
            version=said["version"],
            max_payload=said["max_payload"],
            is_durable=said.get("jetstream", {}).get("config", {}).get("sync_always") is True,
            ahead=(time_of(said["now"]) - middle).total_seconds(),
            streams=_streams(stored),
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Unreachable(url, "is no monitor of a NATS server") from None


def check_durable(urls: Sequence[str]) -> None:
    """Raise Refused if a server can lose what it acknowledged, when the power fails everywhere."""
    if unsafe := [each.name for each in map(ask, urls) if not each.is_durable]:
        raise Refused(
            f"{', '.join(unsafe)} can lose what was acknowledged, if all servers lose power: set "
            "sync_interval: always in jetstream {} of each server's configuration, and start it "
            "again (docs/cluster.md)"
        )


def _told(url: str, path: str) -> dict[str, Any]:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise InvalidInput("monitor", f'"{url}" is no address: write http://HOST:8222')
    try:
        with urllib.request.urlopen(url.rstrip("/") + path, timeout=_PATIENCE) as answer:  # noqa: S310
            told = json.load(answer)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise Unreachable(url, f"does not answer ({why})") from None
    if not isinstance(told, dict):
        raise Unreachable(url, "is no monitor of a NATS server")
    return told


def _streams(stored: dict[str, Any]) -> dict[tuple[str, str], StreamThere]:
    found = {}
    for account in stored.get("account_details") or []:
        for stream in account.get("stream_detail") or []:
            state = stream["state"]
            found[stream["name"], stream["created"]] = StreamThere(
                state["messages"], state["first_seq"], state["last_seq"], state["first_ts"]
            )
    return found


def wait_for(url: str, stream: tuple[str, str], last: int, seconds: float) -> StreamThere | None:
    """Return what a server has of a stream, when it has the message `last`, or after some seconds.

    None if it has nothing of it.
    """
    until = time.monotonic() + seconds
    while True:
        there = ask(url).streams.get(stream)
        if (there and there.last >= last) or time.monotonic() > until:
            return there
        time.sleep(0.1)
