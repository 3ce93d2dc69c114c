"""Keep the streams of a log on a cluster, read them, and tell the time by its clock."""

from __future__ import annotations

from datetime import datetime

from timeline.cluster import streams
from timeline.cluster.asking import Asking
from timeline.cluster.message import Part, Stored
from timeline.cluster.streams import StreamState
from timeline.errors import StoreError


class LogStreams(Asking):
    """The streams of a log are one for each generation, and the one that says whose turn it is."""

    def now(self) -> datetime:
        """Tell the time by the cluster's clock."""
        for name in (f"KV_{self.address.notes}", self.address.turn_stream):
            state = self.stream(name)
            if state:
                return state.timestamp
        raise StoreError(str(self.address), "its servers keep no log of this name")

    def create_log(self, name: str, subject: str, origin: str) -> StreamState:
        """Make the stream of a log, or find it as it was made."""
        return self.create(streams.log_config(name, subject, origin))

    def create_turn(self) -> StreamState:
        """Make the stream that says whose turn it is, or find it as it was made."""
        address = self.address
        return self.create(streams.turn_config(address.turn_stream, address.turn_subject))

    def seal(self, name: str, next_generation: int) -> None:
        """End a stream for ever, and name the generation that follows it."""
        config = self.call(f"STREAM.INFO.{name}")["config"]
        if not config.get("sealed"):
            metadata = {**(config.get("metadata") or {}), streams.NEXT: str(next_generation)}
            self.call(f"STREAM.UPDATE.{name}", {**config, "sealed": True, "metadata": metadata})

    def put_record(self, subject: str, body: bytes, expected: int | None) -> int:
        """Publish a record, if `expected` is the sequence of the last one of this subject.

        0: there is none yet; None: whatever is there. One try; give the sequence.
        """
        headers = {}
        if expected is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected)
        return self.publish(subject, [Part(headers, body)], stream=self.address.turn_stream)

    def read(
        self, stream: str, first: int, *, batch: int = 512, max_bytes: int = 8 << 20
    ) -> list[Stored]:
        """Read messages from `first` on, from any replica.

        A replica can be behind: an answer that is short, or empty, is not the end of the stream.
        """
        request = {"seq": first, "batch": batch, "max_bytes": max_bytes}
        return [stored for _, stored in self.select(stream, request)]
