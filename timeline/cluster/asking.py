"""Ask the servers of a cluster: the questions on which all others are built."""

from __future__ import annotations

import base64
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Missing, NoMessage, Overtaken, Unanswered
from timeline.cluster.message import Part, Stored
from timeline.cluster.streams import StreamState, state_of
from timeline.errors import StoreError

NO_LEADER = "no server leads the others"
_PAUSE = 0.05
"""Seconds between two questions, while the servers choose a leader."""


class Asking(ABC):
    """Whatever asks the servers can call their interface, publish and read."""

    def __init__(self, address: ClusterAddress, patience: float) -> None:
        self.address = address
        self.patience = patience

    @abstractmethod
    def call(self, api: str, request: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Ask the servers' interface until they answer; raise what their refusal means."""

    @abstractmethod
    def publish(self, subject: str, parts: Sequence[Part], *, stream: str) -> int:
        """Publish one append, in one try, and give the sequence of its last part.

        Several parts are one atomic batch: all of them are stored, or none. Raise `Overtaken`,
        `Unanswered`, `Sealed` or `Missing`, or an error of the whole package.
        """

    @abstractmethod
    def send(self, subject: str, part: Part) -> None:
        """Publish one message without waiting for an answer: it may be lost."""

    @abstractmethod
    def select(self, stream: str, request: Mapping[str, object]) -> list[tuple[str, Stored]]:
        """Read the messages that a direct request names, and their subjects, from any replica."""

    @abstractmethod
    def unreachable(self, why: str) -> StoreError:
        """Find out why no answer comes, and make the error to be raised."""

    def keep(self, stream: str, subject: str, part: Part) -> int:
        """Publish a message of a bucket until it is stored; give its sequence.

        An earlier try that was stored without an answer is found.
        """
        until = time.monotonic() + self.patience
        while True:
            try:
                return self.publish(subject, [part], stream=stream)
            except Unanswered as silence:
                if time.monotonic() > until:
                    raise self.unreachable(str(silence)) from None
                if self.stream(stream) is None:
                    raise Missing(f"no stream {stream}") from None
            except Overtaken:
                newest = self.newest(stream, subject)
                if newest and newest.headers == part.headers and newest.body == part.body:
                    return newest.sequence
                raise

    def stream(self, name: str) -> StreamState | None:
        """Ask the leader of a stream for its state; None: there is no such stream."""
        until = time.monotonic() + self.patience
        while True:
            try:
                state = state_of(self.call(f"STREAM.INFO.{name}"))
            except Missing:
                return None
            # Where no server leads, another one answers, which may know less.
            if state.leader is not None:
                return state
            if time.monotonic() > until:
                raise self.unreachable(NO_LEADER)
            time.sleep(_PAUSE)

    def create(self, config: Mapping[str, Any]) -> StreamState:
        """Make a stream, or find it as it was made."""
        return state_of(self.call(f"STREAM.CREATE.{config['name']}", config))

    def delete_stream(self, name: str) -> None:
        """Delete a stream with all that is in it; nothing happens if there is none."""
        try:
            self.call(f"STREAM.DELETE.{name}")
        except Missing:
            return

    def at_leader(self, stream: str, sequence: int) -> Stored | None:
        """Read one message at the leader, who lacks nothing that was acknowledged."""
        return self._get(stream, {"seq": sequence})

    def newest(self, stream: str, subject: str) -> Stored | None:
        """Read the newest message of a subject at the leader."""
        return self._get(stream, {"last_by_subj": subject})

    def _get(self, stream: str, request: Mapping[str, object]) -> Stored | None:
        try:
            found = self.call(f"STREAM.MSG.GET.{stream}", request)["message"]
        except NoMessage:
            return None
        return Stored(
            found["seq"],
            _headers(base64.b64decode(found.get("hdrs", ""))),
            base64.b64decode(found.get("data", "")),
            found["time"],
        )


def _headers(block: bytes) -> dict[str, str]:
    """Read the headers of a message, as NATS writes them behind its first line."""
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    return {
        name.strip(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    }
