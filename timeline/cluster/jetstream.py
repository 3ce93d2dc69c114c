"""Talk to the servers of a cluster; no other module knows NATS.

The client of NATS runs in a thread of its own. All methods wait for it, each for a bounded time,
and Ctrl-C is heard at once while they wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import re
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar

from timeline.cluster import answers, credentials
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Unanswered
from timeline.cluster.asking import NO_LEADER
from timeline.cluster.buckets import Buckets
from timeline.cluster.greeting import who_greets
from timeline.cluster.in_flight import GroupAnswers, MessageGroup, publish_all
from timeline.cluster.log_streams import LogStreams
from timeline.cluster.message import Part, Stored
from timeline.cluster.signals import Signal
from timeline.errors import NotWritable, StoreError, TimelineError, Unreachable

try:
    from nats import errors as nats_errors
    from nats.aio.client import Client, Srv
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
except ImportError as missing:
    raise TimelineError(
        "a cluster needs an extra: pip install 'timeline-store[cluster]'"
    ) from missing

_TRY = 2.0
"""Seconds until a question is asked again; answers take 0.002 s, 0.3 s on a busy machine."""
_ELECTION = 20.0
"""Seconds for which a question is asked again while most servers are there: 4 to 12 pass until they
have chosen a new leader."""
_PAUSE = 0.05
"""Seconds between two tries, if the servers answer that they cannot answer yet."""
_PER_SECOND = 512 << 10
"""Bytes a second that a batch has time for, on a slow line; 42 MB took 0.6 to 3 s on loopback."""
_CANCELLATIONS = 20
"""How often a task is asked to end, before it is left; once was not enough in 2 of 40 runs."""
_PING = 20
"""Seconds between two pings: a server that leaves out two of them is given up."""
_TO_CONNECT = 1
"""Seconds in which a server has to take a connection."""
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')

_THREAD = "nats"

_T = TypeVar("_T")

logging.getLogger("nats").addHandler(logging.NullHandler())
logging.getLogger("nats").propagate = False
logging.getLogger("asyncio").addFilter(lambda record: record.threadName != _THREAD)


class _Client(Client):
    """A client sends no password in the open if TLS was asked for, and leaves no socket open."""

    def leave(self) -> None:
        """Close the connection to the server, if there is one."""
        if self._transport:
            self._transport.close()  # type: ignore[no-untyped-call]

    async def _connect_to_server(self, s: Srv) -> None:
        self.leave()
        await super()._connect_to_server(s)

    def _connect_command(self) -> bytes:
        if self.options.get("tls") and not self._server_info.get("tls_required"):
            raise nats_errors.SecureConnWantedError
        return super()._connect_command()


class _Question:
    """A question waits for its answers: one, or some and then a word that there are no more."""

    def __init__(self, subject: str, loop: asyncio.AbstractEventLoop) -> None:
        self.subject = subject
        self.answers: list[Msg] = []
        self.last: asyncio.Future[Msg] = loop.create_future()


class Jetstream(LogStreams, Buckets):
    """A Jetstream is connected to a cluster, and goes to another server when one is lost."""

    def __init__(self, address: ClusterAddress, *, patience: float = 5.0) -> None:
        """Connect, with the credentials of the environment, within `patience` seconds."""
        super().__init__(address, patience)
        self._options = credentials.options(address)
        self._client: _Client | None = None
        self._refused = False
        self._trouble = ""
        self._connecting: asyncio.Task[None] | None = None
        self._inbox = f"{credentials.inbox()}.{secrets.token_hex(12)}"
        self._questions: dict[str, _Question] = {}
        self._numbers = itertools.count()
        self._signals: dict[Signal, Subscription] = {}
        self._closed = False
        self.reconnects = 0
        """The number of times that the connection was lost and made again."""
        self._loop = asyncio.new_event_loop()
        # What goes wrong in the background is seen by those who wait, not printed.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._thread = threading.Thread(target=self._loop.run_forever, name=_THREAD, daemon=True)
        self._thread.start()
        try:
            self._run(self._open())
            state = self.stream(f"KV_{address.notes}")
            if state and not state.quorum:
                raise self.unreachable(NO_LEADER)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection and the thread."""
        if self._closed:
            return
        self._closed = True
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- Messages ---------------------------------------------------------------------------

    def publish(self, subject: str, parts: Sequence[Part], *, stream: str) -> int:
        return self._run(self._publish(subject, parts, stream))

    def send(self, subject: str, part: Part) -> None:
        work = self._send(subject, part.body, part.headers)
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def publish_many(
        self, subject: str, messages: Iterable[Sequence[Part]], *, stream: str, in_flight: int = 256
    ) -> int:
        """Publish appends without waiting for each; give the sequence of the last, or 0.

        Each has its expected sequence, so what follows one that is not stored is not stored. The
        error of the first such one is raised when all have their answer.
        """

        def start(group: MessageGroup) -> GroupAnswers:
            work = self._publish_group(subject, group, stream)
            return asyncio.run_coroutine_threadsafe(work, self._loop)

        return publish_all(messages, start, in_flight)

    def unreachable(self, why: str) -> StoreError:
        return self._run(self._unreachable(why))

    def select(self, stream: str, request: Mapping[str, object]) -> list[tuple[str, Stored]]:
        return self._run(self._select(stream, request))

    def listen(self, subject: str) -> Signal:
        """Begin to listen; a signal is a hint, and says nothing of what is stored."""
        signal = Signal(subject, lambda each: self._run(self._ignore(each)))
        self._run(self._listen(signal))
        return signal

    def later(self, seconds: float, work: Callable[[], None]) -> Callable[[], object]:
        """Call `work` in the thread after some seconds; return what cancels that."""
        timer: list[asyncio.TimerHandle] = []
        run = self._loop.call_soon_threadsafe
        run(lambda: timer.append(self._loop.call_later(seconds, work)))
        return lambda: run(lambda: timer[0].cancel())

    def call(self, api: str, request: Mapping[str, object] | None = None) -> dict[str, Any]:
        body = b"" if request is None else json.dumps(request).encode()
        return self._run(self._call(f"$JS.API.{api}", body))

    # --- In the thread ----------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _open(self) -> None:
        self._client = client = _Client()
        self._connecting = self._loop.create_task(
            client.connect(
                self.address.urls,
                error_cb=self._note,
                disconnected_cb=self._disconnected,
                reconnected_cb=self._reconnected,
                name="timeline",
                connect_timeout=_TO_CONNECT,
                reconnect_time_wait=1,
                max_reconnect_attempts=-1,
                ping_interval=_PING,
                **self._options,
            )
        )
        await asyncio.wait({self._connecting}, timeout=self.patience)
        if not self._connecting.done() or self._connecting.cancelled():
            self._connecting.cancel()
            raise await self._unreachable("no connection")
        self._connecting.result()
        try:
            await client.subscribe(f"{self._inbox}.*", cb=self._answered)
        except nats_errors.ConnectionClosedError as closed:
            # A server may take a connection, and end it with a word at the first request.
            await self._note(client.last_error or closed)
            raise await self._unreachable("no connection") from None
        self._refused = False
        for signal in list(self._signals):
            await self._subscribe(client, signal)

    async def _end(self) -> None:
        if self._client:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_TO_CONNECT):
                    await self._client.close()
            self._client.leave()
        # The client can miss a cancellation that comes while a server ends its connection.
        for _ in range(_CANCELLATIONS):
            if not (left := asyncio.all_tasks() - {asyncio.current_task()}):
                break
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_PAUSE)
        await asyncio.sleep(0)

    async def _connected(self, within: float) -> Client:
        """Give the connection; wait until it is there again, if it was lost."""
        until = self._loop.time() + within
        while (client := self._client) is None or not client.is_connected:
            if self._loop.time() >= until:
                raise Unanswered("no connection", sent=False)
            if client and client.is_closed and self._connecting and self._connecting.done():
                await self._note(client.last_error or nats_errors.ConnectionClosedError())
                await self._open()
                continue
            await asyncio.sleep(_PAUSE)
        return client

    async def _ask(
        self,
        subject: str,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        within: float = _TRY,
    ) -> _Question:
        """Ask once. While answers come, the wait goes on."""
        client = await self._connected(within)
        number = str(next(self._numbers))
        self._questions[number] = question = _Question(subject, self._loop)
        try:
            await client.publish(subject, body, f"{self._inbox}.{number}", headers)
            known = -1
            while not question.last.done() and known < len(question.answers):
                known = len(question.answers)
                await asyncio.wait({question.last}, timeout=within)
            if not question.last.done() and not question.answers:
                await self._leave_if_silent(client)
                raise Unanswered("no answer in time")
            if question.last.done() and _status(question.last.result()) == "503":
                raise Unanswered("no server is there for it")
            return question
        except nats_errors.MaxPayloadError:
            raise StoreError(
                str(self.address),
                f"its servers take messages of up to {client.max_payload:,} bytes: set max_payload "
                "to 1MB or more",
            ) from None
        except nats_errors.Error as error:
            raise Unanswered(str(error)) from error
        finally:
            del self._questions[number]

    async def _leave_if_silent(self, client: Client) -> None:
        """Go to another server if this one does not even answer a ping."""
        try:
            await client.flush(timeout=_TO_CONNECT)
        except nats_errors.Error:
            await client.force_reconnect()

    async def _answered(self, message: Msg) -> None:
        question = self._questions.get(message.subject.rpartition(".")[2])
        if question and not question.last.done():
            if message.headers and "Nats-Sequence" in message.headers:
                question.answers.append(message)
            else:
                question.last.set_result(message)

    async def _call(self, subject: str, body: bytes) -> dict[str, Any]:
        since = self._loop.time()
        within = max(_PAUSE, min(_TRY, self.patience))
        while True:
            try:
                question = await self._ask(subject, body, within=within)
                return answers.answered(str(self.address), question.last.result().data)
            except Unanswered as silence:
                if not await self._is_worth_asking(since):
                    raise await self._unreachable(str(silence)) from None
                await asyncio.sleep(_PAUSE)

    async def _is_worth_asking(self, since: float) -> bool:
        """Tell whether to ask again: longer than the patience lasts if most servers are there."""
        if self._loop.time() < since + self.patience:
            return True
        there = await who_greets(self.address.urls)
        return self._loop.time() < since + _ELECTION and 2 * sum(there) > len(there)

    async def _publish(self, subject: str, parts: Sequence[Part], stream: str | None) -> int:
        size = sum(len(part.body) for part in parts)
        within = _TRY + size / _PER_SECOND
        batch = secrets.token_hex(12)
        for number, part in enumerate(parts, 1):
            headers = part.headers
            if len(parts) > 1:
                headers = {
                    **headers,
                    "Nats-Batch-Id": batch,
                    "Nats-Batch-Sequence": str(number),
                    **({"Nats-Batch-Commit": "1"} if number == len(parts) else {}),
                }
            if number not in (1, len(parts)):
                await self._send(subject, part.body, headers)
                continue
            question = await self._ask(subject, part.body, headers, within=within)
            said = question.last.result().data
            if said or number == len(parts):
                answer = answers.answered(str(self.address), said)
        if stream not in (None, answer.get("stream")):
            raise StoreError(
                str(self.address), f"{subject} belongs to the stream {answer.get('stream')}"
            )
        sequence: int = answer["seq"]
        return sequence

    async def _send(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            await (await self._connected(_TRY)).publish(subject, body, headers=headers)
        except nats_errors.Error as error:
            raise Unanswered(str(error)) from error

    async def _publish_group(
        self, subject: str, group: MessageGroup, stream: str
    ) -> list[int | BaseException]:
        return await asyncio.gather(
            *(self._publish(subject, parts, stream) for parts in group), return_exceptions=True
        )

    async def _select(self, stream: str, request: Mapping[str, object]) -> list[tuple[str, Stored]]:
        subject, body = f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode()
        since = self._loop.time()
        while True:
            try:
                question = await self._ask(subject, body)
                return [
                    answers.stored(message.headers or {}, message.data)
                    for message in question.answers
                ]
            except Unanswered as silence:
                # No server is there for a stream that is not there, either: then this raises.
                await self._call(f"$JS.API.STREAM.INFO.{stream}", b"")
                if not await self._is_worth_asking(since):
                    raise await self._unreachable(str(silence)) from None

    async def _listen(self, signal: Signal) -> None:
        try:
            client = await self._connected(self.patience)
        except Unanswered as silence:
            raise await self._unreachable(str(silence)) from None
        await self._subscribe(client, signal)

    async def _subscribe(self, client: Client, signal: Signal) -> None:
        async def heard(_: Msg) -> None:
            signal.wake()

        self._signals[signal] = await client.subscribe(signal.subject, cb=heard)

    async def _ignore(self, signal: Signal) -> None:
        subscription = self._signals.pop(signal, None)
        with contextlib.suppress(nats_errors.Error):
            if subscription:
                await subscription.unsubscribe()

    # --- What the client tells --------------------------------------------------------------

    async def _disconnected(self) -> None:
        for question in self._questions.values():
            if not question.last.done():
                question.last.set_exception(Unanswered("the connection was lost"))

    async def _reconnected(self) -> None:
        self.reconnects += 1
        self._trouble, self._refused = "", False
        for signal in list(self._signals):
            signal.wake()

    async def _note(self, error: Exception) -> None:
        words = str(error).removeprefix("nats: ")
        self._trouble = words or type(error).__name__
        if "authorization" in words.lower() or "authentication" in words.lower():
            self._refused = True
            if self._connecting:
                self._connecting.cancel()
        if denied := _VIOLATION.search(words.lower()):
            for question in self._questions.values():
                meant = denied[1] == "subscription" or denied[2] == question.subject.lower()
                if meant and not question.last.done():
                    refused = answers.no_right(self.address, question.subject, *denied.groups())
                    question.last.set_exception(refused)

    async def _unreachable(self, why: str) -> StoreError:
        """Find out what is wrong, and say it."""
        if self._refused:
            return NotWritable(
                str(self.address),
                "its servers refuse this account: set TIMELINE_NATS_CREDS, or TIMELINE_NATS_USER "
                "and TIMELINE_NATS_PASSWORD",
            )
        there = await who_greets(self.address.urls)
        if not all(there):
            problem = f"{there.count(False)} of {len(there)} servers do not answer"
        elif self._client and self._client.is_connected:
            problem = f"its servers give no answer to this ({why})"
        else:
            problem = f"its servers take no connection ({self._trouble or why})"
        return Unreachable(str(self.address), f"{problem}; nothing was written")


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get("Status")
