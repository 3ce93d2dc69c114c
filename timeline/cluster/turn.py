"""Take turns at writing, so that sites that write at once wait instead of doing work in vain.

A turn is a courtesy: whoever writes without it, or after it was lost, is stopped by the sequence
that each message expects.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Missing, Overtaken, Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part, Stored
from timeline.errors import Busy, StoreError

EXPIRY = 10.0
"""Seconds after which a record that nobody repeats is nobody's; a failover takes 4 to 8."""
_BEAT = 3.0
"""Seconds between two repetitions of a holder's record."""
_FIRST_LOOK = 0.004
"""Seconds from a signal to the next look, doubled each time: a record is heard before it is stored.

Three writers took 90 turns in 0.4 to 0.6 s with it.
"""
_LOOK = 1.0
"""The most seconds between two looks at the record: a signal can be lost."""
_SLOW = 2.0
"""Seconds of a look after which the time counts for nothing: the holder cannot repeat, either."""
_REST = 0.1
_LONGEST_REST = 0.05
"""A holder rests for this part of its turn, and for so many seconds at most, before the next one.

Beside an importer with turns of 0.5 s, others waited 0.06 s; without a rest, some waited 1 s.
"""


class Turn:
    """A turn knows the last message of the stream.

    `message` is that which the record before names, or None if it is not known. Whoever holds the
    turn sets it to the last message there is when the turn ends.
    """

    def __init__(self, message: int | None) -> None:
        self.message = message


class LastTurn:
    """The last turn of a process lets it take the next one with one question less.

    If nobody has had a turn since then, the newest record is the one that it left.
    """

    sequence: int | None = None
    """The sequence of the record that it left; None: it is not known."""
    message: int | None = None
    """The last message of the stream, as that record has it."""
    rested: float = 0.0
    """The time of this process's clock at which the next turn may begin."""


class _Record(NamedTuple):
    sequence: int
    node: str | None
    """Who writes; None: nobody."""
    token: str
    message: int | None


@contextlib.contextmanager
def turn(
    jetstream: Jetstream,
    address: ClusterAddress,
    node: str,
    *,
    patience: float = 60.0,
    expiry: float = EXPIRY,
    last: LastTurn | None = None,
) -> Iterator[Turn]:
    """Hold the turn at writing; wait for it, and raise Busy after `patience` seconds.

    `expiry` is the same on all nodes of a cluster. `last` is kept up to date; each process that
    takes turns has one.
    """
    last = last or LastTurn()
    time.sleep(max(0.0, last.rested - time.monotonic()))
    token = secrets.token_hex(8)
    body = json.dumps({"node": node, "turn": token}).encode()
    again = _take_again(jetstream, address, body, last)
    taken, before = again or _take(jetstream, address, body, token, patience, expiry)
    holding = _Holding(jetstream, address, body, token, taken, _BEAT * expiry / EXPIRY)
    since = time.monotonic()
    ours = Turn(before.message)
    try:
        yield ours
    finally:
        last.sequence, last.message = holding.end(ours.message), ours.message
        now = time.monotonic()
        last.rested = now + min(_LONGEST_REST, _REST * (now - since))


def _take_again(
    jetstream: Jetstream, address: ClusterAddress, body: bytes, last: LastTurn
) -> tuple[int, _Record] | None:
    """Take the turn if nobody had it since our last one; None: look who has it."""
    if last.sequence is None:
        return None
    before = _Record(last.sequence, None, "", last.message)
    with contextlib.suppress(Missing, Overtaken, Unanswered):
        return jetstream.put_record(address.turn_subject, body, last.sequence), before
    return None


def _take(
    jetstream: Jetstream,
    address: ClusterAddress,
    body: bytes,
    token: str,
    patience: float,
    expiry: float,
) -> tuple[int, _Record]:
    """Give the sequence of our record, and the record before it."""
    deadline = time.monotonic() + patience
    seen, since = -1, 0.0
    before = _Record(0, None, "", None)
    pause = _FIRST_LOOK
    with contextlib.ExitStack() as listening:
        signal = None
        while True:
            asked = time.monotonic()
            record = _look(jetstream, address)
            now = time.monotonic()
            if record.token == token:
                return record.sequence, before
            if record.sequence != seen:
                seen, since = record.sequence, now
            elif now - asked > _SLOW:
                since += now - asked
            if record.node is None or now - since >= expiry:
                # Of a holder that vanished it is not known how far it came.
                before = record if record.node is None else record._replace(message=None)
                with contextlib.suppress(Overtaken, Unanswered):
                    expected = record.sequence
                    return jetstream.put_record(address.turn_subject, body, expected), before
            if now >= deadline:
                who = (
                    f"{record.node} has been writing" if record.node else "others have been writing"
                )
                raise Busy(str(address), f"{who} for {patience:.0f} seconds: try again later")
            if signal is None:
                signal = listening.enter_context(jetstream.listen(address.turn_subject))
                continue
            heard = signal.wait(max(0.0, min(pause, since + expiry - now, deadline - now)))
            pause = _FIRST_LOOK if heard else min(2 * pause, _LOOK)


def _look(jetstream: Jetstream, address: ClusterAddress) -> _Record:
    """Read the newest record; make its stream anew if the servers have lost it."""
    try:
        stored = jetstream.newest(address.turn_stream, address.turn_subject)
    except Missing:
        jetstream.create_turn()
        stored = None
    return _record(stored)


def _record(stored: Stored | None) -> _Record:
    """Read a record; one that nobody of us wrote is nobody's."""
    if stored is None:
        return _Record(0, None, "", None)
    try:
        said = json.loads(stored.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    node, message = said.get("node"), said.get("message")
    return _Record(
        stored.sequence,
        node if isinstance(node, str) else None,
        str(said.get("turn", "")),
        message if isinstance(message, int) else None,
    )


class _Holding:
    """A holder repeats its record in a thread, until it gives the turn back or has lost it.

    The thread begins with the first repetition: most turns are over before it.
    """

    def __init__(
        self,
        jetstream: Jetstream,
        address: ClusterAddress,
        body: bytes,
        token: str,
        sequence: int,
        beat: float,
    ) -> None:
        self._jetstream = jetstream
        self._address = address
        self._body = body
        self._token = token
        self._sequence = sequence
        self._beat = beat
        self._lost = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._cancel = jetstream.later(beat, self._start)

    def end(self, message: int | None) -> int | None:
        """Give the turn back, and name the last message; nobody waits for the answer.

        Returns the sequence that the record gets; None if it is not known.
        """
        self._cancel()
        with self._starting:
            self._ended.set()
        if self._thread:
            self._thread.join()
        if self._lost:
            return None
        said = {"free": True} if message is None else {"free": True, "message": message}
        headers = {"Nats-Expected-Last-Subject-Sequence": str(self._sequence)}
        part = Part(headers, json.dumps(said).encode())
        # If it is lost, the others wait until the record expires.
        self._jetstream.send(self._address.turn_subject, part)
        return self._sequence + 1

    def _start(self) -> None:
        with self._starting:
            if not self._ended.is_set():
                self._thread = threading.Thread(target=self._repeat, name="turn", daemon=True)
                self._thread.start()

    def _repeat(self) -> None:
        while not self._lost and not self._ended.is_set():
            try:
                self._sequence = self._jetstream.put_record(
                    self._address.turn_subject, self._body, self._sequence
                )
            except Overtaken:
                self._find()
            except (Missing, Unanswered, StoreError):
                pass
            self._ended.wait(self._beat)

    def _find(self) -> None:
        """Find our record: a try without an answer was stored, or the servers lost all records."""
        with contextlib.suppress(Missing, StoreError):
            stored = self._jetstream.newest(self._address.turn_stream, self._address.turn_subject)
            record = _record(stored)
            self._lost = stored is not None and record.token != self._token
            self._sequence = record.sequence
