"""Say how a cluster is: how far each node is, what its servers keep, and what a person has to do.

A finding is a row of a level ("ok", "note" or "problem"), what it is about, and what it says.
"""

from __future__ import annotations

import base64
import contextlib
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from timeline.cluster import fill, notes, servers
from timeline.cluster.answers import Missing
from timeline.cluster.notes import NodeReport, NoteExchange
from timeline.cluster.servers import Server, StreamThere
from timeline.cluster.streams import StreamState, time_of
from timeline.errors import StoreError
from timeline.formats import prose
from timeline.model import clock
from timeline.model.plurals import counted
from timeline.store import log
from timeline.store.node import Node

if TYPE_CHECKING:
    from timeline.cluster.address import ClusterAddress
    from timeline.cluster.follower import Follower
    from timeline.cluster.jetstream import Jetstream

HealthRow = list[str]

_GRACE = timedelta(seconds=15)
"""The time for which a node may be behind: it reports every 10 seconds."""
_AHEAD = 5.0
"""The seconds by which a clock may be ahead of the cluster's; more, and nothing is written."""
_BEHIND = 60.0
"""The seconds by which the clock of this machine may be behind before that is noted."""
_TO_COPY = 2.0
"""The seconds in which a server has to have what its leader has; it takes 0.01."""
_PAUSE = 0.1
"""The seconds between two looks at it."""
_SMALLEST = 1_000_000
"""The bytes of a message that each server has to take."""
_COPIES = 3


class ClusterHealth:
    """Looks at a cluster from one node."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._address = follower.address
        self._connection = follower.connection

    @property
    def _jetstream(self) -> Jetstream:
        return self._follower.jetstream

    def status(self) -> list[HealthRow]:
        """Return a finding about the log, one about each node, and what there is to note.

        This node reports first.
        """
        findings = self._nodes()
        stream = self._address.stream(self._follower.row.generation)
        with contextlib.suppress(Missing):
            if away := self._away(stream, time.monotonic() + _TO_COPY):
                findings.append(["note", "servers", f"not in step: {', '.join(away)}"])
        return findings

    def _nodes(self) -> list[HealthRow]:
        row = self._follower.row
        notes.report(self._jetstream, self._address, self._connection)
        generation = fill.generation(self._jetstream, self._address) or row.generation
        state = self._jetstream.stream(self._address.stream(generation))
        if state is None:
            return [["problem", "log", _gone(self._address, generation)]]
        findings = [self._log(row, state, generation)]
        for report in notes.reports(self._jetstream, self._address):
            findings += self._node(report, state, generation)
        findings += [["note", name, "has joined, and not reported yet"] for name in self._silent()]
        findings += self._notes(state, generation)
        return findings

    def doctor(self, monitors: Sequence[str]) -> list[HealthRow]:
        """Return findings about streams, servers, clocks, versions and nodes.

        If the cluster does not answer, the servers are asked all the same.
        """
        row = self._follower.row
        try:
            state = self._jetstream.stream(self._address.stream(row.generation))
        except StoreError as error:
            asked = self._servers(row, monitors, None)
            return [["problem", "cluster", str(error)], *asked]
        findings = [
            *_caught("streams", lambda: self._streams(row)),
            *_caught("clock", self._clock),
            *_caught("servers", lambda: self._servers(row, monitors, state)),
            *_caught("versions", self._versions),
        ]
        status = _caught("nodes", lambda: iter(self._nodes()))
        return findings + [each for each in status if each[0] != "ok"]

    # --- The log and its nodes ------------------------------------------------------------

    def _log(self, row: Node, state: StreamState, generation: int) -> HealthRow:
        messages = counted(state.last, "message", "messages")
        says = f"{state.origin}: {messages} in generation {generation}"
        if row.generation == generation and (row.created, True) != (
            state.created,
            row.message <= state.last,
        ):
            says += f", which is not the one that this file follows, made at {row.created}"
            return ["problem", "log", f"{says}: timeline cluster rewrite --lost"]
        return ["ok", "log", says]

    def _node(self, report: NodeReport, state: StreamState, generation: int) -> Iterator[HealthRow]:
        """Yield how far a node is, and what is to be noted about it."""
        about = f"node {report.name}"
        says = f"{report.role}, {counted(report.size, 'entry', 'entries')}"
        is_late = False
        heard = f"last report {prose.instant(report.at)}"
        if report.generation < generation:
            yield ["problem", about, f"{says}, still in generation {report.generation}; {heard}"]
        elif report.message < state.last:
            count, waiting = self.lag(report.message, state)
            missing = f"{counted(count, 'message', 'messages')} behind"
            is_late = waiting > _GRACE
            says = f"{says}, {missing}" + (f"; {heard}" if is_late else "")
            yield ["problem" if is_late else "ok", about, says]
        elif self._differs(report):
            says = f"{says}, of which the root is another than here: timeline verify on both nodes"
            yield ["problem", about, says]
        else:
            yield ["ok", about, f"{says}, up to date"]
        erased = self._newest_erasure()
        if report.scrubbed < erased and (is_late or report.size > erased):
            says = f"its file may still have words that were erased, up to entry #{erased}; {heard}"
            yield ["problem", about, says]
        if report.texts_missing:
            yield ["note", about, f"lacks {report.texts_missing:,} texts and files that it names"]
        if report.doubt:
            says = f"does not know yet whether its append of {prose.instant(report.doubt)}"
            yield ["note", about, f"{says} was stored: its next command that writes finds it out"]
        if report.is_of_two_files:
            says = f"two files report as {report.name}, so one is a copy: run cluster leave on that"
            yield ["problem", about, f"{says} one, and join it by another name"]
        yield from (
            ["note", about, f"as {report.package} reads it: {note}"] for note in report.notes
        )

    def lag(self, message: int, state: StreamState) -> tuple[int, timedelta]:
        """Return how many messages come after one, and how long the first of them has waited."""
        count = max(0, state.last - message)
        following = self._jetstream.at_leader(state.name, message + 1) if count else None
        if following is None:
            return count, timedelta()
        return count, state.timestamp - time_of(following.stored_at)

    def _differs(self, report: NodeReport) -> bool:
        """Tell whether a node has another log than this file, as far as this file goes."""
        if report.size > log.size(self._connection):
            return False
        root = log.root_at(self._connection, report.size)
        return base64.b64encode(root).decode() != report.root

    def _newest_erasure(self) -> int:
        """Return the number of the newest entry that erases something; -1 if there is none."""
        (newest,) = self._connection.execute(
            "SELECT max(seq) FROM log WHERE (subject >= 'entry/' AND subject < 'entry0')"
            " OR (subject >= 'media/' AND subject < 'media0')"
        ).fetchone()
        return -1 if newest is None else int(newest)

    def _silent(self) -> list[str]:
        """Return the nodes that joined and have not reported, as rows name them."""
        known = {report.name for report in notes.reports(self._jetstream, self._address)}
        try:
            keys = self._jetstream.values(self._address.notes)
        except Missing:
            return []
        names = {key.removeprefix(notes.NODE) for key in keys if key.startswith(notes.NODE)}
        return [f"node {name}" for name in sorted(names - known)]

    def _notes(self, state: StreamState, generation: int) -> Iterator[HealthRow]:
        count = self._erased_in_stream(state, generation)
        if count:
            what = counted(count, "erased entry is", "erased entries are")
            yield ["note", "erased", f"{what} still in the stream: timeline cluster rewrite"]
        exchange = NoteExchange()
        for problem in exchange.run(self._jetstream, self._address, self._connection):
            yield ["problem", "notes", problem]

    def _erased_in_stream(self, state: StreamState, generation: int) -> int:
        """Count what was erased, and what the servers still have of it."""
        made = time_of(state.created)
        # Words that were erased before a generation was made are not in it; clocks may differ.
        since = clock.utc(made - timedelta(days=1))
        entries = self._connection.execute(
            "SELECT l.seq FROM log AS e JOIN log AS l ON l.id = substr(e.subject, 7)"
            " WHERE e.subject >= 'entry/' AND e.subject < 'entry0' AND e.recorded_at >= ?",
            (since,),
        ).fetchall()
        (files,) = self._connection.execute(
            "SELECT count(*) FROM log WHERE subject >= 'media/' AND subject < 'media0'"
            " AND recorded_at >= ?",
            (clock.utc(made),),
        ).fetchone()
        there = (
            fill.entry_there(self._jetstream, self._address, generation, seq) for (seq,) in entries
        )
        return int(files) + sum(entry is not None and entry.payload is not None for entry in there)

    # --- The servers ----------------------------------------------------------------------

    def _streams(self, row: Node) -> Iterator[HealthRow]:
        """Yield whether each stream is kept as it has to be, by three servers."""
        address = self._address
        names = [address.stream(row.generation), f"KV_{address.notes}", address.turn_stream]
        names += [f"OBJ_{address.texts(row.generation)}", f"OBJ_{address.media(row.generation)}"]
        until = time.monotonic() + _TO_COPY
        for name in names:
            state = self._jetstream.stream(name)
            if state is None:
                yield ["problem", name, "is not on the servers any more"]
                continue
            away = self._away(name, until)
            if name == names[0]:
                yield from (["problem", name, problem] for problem in state.problems)
            if away:
                yield ["problem", name, f"not in step: {', '.join(away)}"]
            elif not (name == names[0] and state.problems):
                yield ["ok", name, f"{state.last:,} messages, in step, led by {state.leader}"]

    def _away(self, name: str, until: float) -> list[str]:
        """Return the servers that do not have all of a stream by then, and how many are too few."""
        while True:
            info = self._jetstream.call(f"STREAM.INFO.{name}")
            copies = (info.get("cluster") or {}).get("replicas") or []
            away = [each["name"] for each in copies if each.get("offline") or not each["current"]]
            if not away or time.monotonic() > until:
                break
            time.sleep(_PAUSE)
        if len(copies) + 1 < _COPIES:
            away.append(f"only {len(copies) + 1} of {_COPIES} copies")
        return away

    def _versions(self) -> Iterator[HealthRow]:
        reports = notes.reports(self._jetstream, self._address)
        if len({report.package for report in reports}) > 1:
            said = ", ".join(f"{report.name} {report.package}" for report in reports)
            yield ["note", "versions", f"nodes have several: {said}; upgrade those that read first"]

    def _clock(self) -> Iterator[HealthRow]:
        ahead = (clock.now() - self._jetstream.now()).total_seconds()
        if ahead > _AHEAD:
            yield ["problem", "clock", f"{ahead:,.0f} s ahead of the cluster's: set it"]
        elif -ahead > _BEHIND:
            yield ["note", "clock", f"{-ahead:,.0f} s behind the cluster's: set it"]
        else:
            yield ["ok", "clock", "that of the cluster, to some seconds"]

    def _servers(
        self, row: Node, monitors: Sequence[str], state: StreamState | None
    ) -> Iterator[HealthRow]:
        if not monitors:
            says = "not asked: name the monitor of each, as in --monitor http://h1:8222"
            yield ["note", "servers", says]
            return
        found: list[Server] = []
        for url in monitors:
            try:
                found.append(servers.ask(url))
            except StoreError as error:
                yield ["problem", "server", str(error)]
                continue
            yield from _server(found[-1], state)
        yield from _together(found, self._address.stream(row.generation))


def _server(server: Server, state: StreamState | None) -> Iterator[HealthRow]:
    about = f"server {server.name}"
    problems = []
    if not server.is_durable:
        problems.append(
            "can lose what it acknowledged, if all servers lose power: set sync_interval:"
            " always in jetstream {} of its configuration"
        )
    if server.max_payload < _SMALLEST:
        problems.append(f"takes messages of {server.max_payload:,} bytes: set max_payload: 1MB")
    if abs(server.ahead) > _AHEAD:
        way = "ahead of" if server.ahead > 0 else "behind"
        problems.append(f"its clock is {abs(server.ahead):,.0f} s {way} the clock here")
    if state:
        key = state.name, state.created
        with contextlib.suppress(StoreError):
            there = servers.wait_for(server.url, key, state.last, _TO_COPY)
            problems += _kept_wrong(there, state.name, state.last)
    yield from (["problem", about, problem] for problem in problems)
    if not problems:
        yield [
            "ok",
            about,
            f"{server.version}, syncs each message, has {_count(server, state)}",
        ]


def _kept_wrong(there: StreamThere | None, stream: str, last: int) -> Iterator[str]:
    """Yield what a server lacks of the log, by its own count."""
    if there is None:
        yield f"has nothing of {stream}"
    elif there.messages != there.last or there.first > 1:
        lost = there.last - there.messages
        yield (
            f"lacks {lost:,} of the {there.last:,} messages that it says it has: stop it, empty"
            " its store, start it, and it copies them from the others"
        )
    elif there.last < last:
        yield (
            f"has {there.last:,} of {last:,} messages: if it does not copy the rest, stop it, empty"
            " its store, start it"
        )


def _count(server: Server, state: StreamState | None) -> str:
    there = server.streams.get((state.name, state.created)) if state else None
    return f"{there.messages if there else 0:,} messages"


def _together(found: Sequence[Server], stream: str) -> Iterator[HealthRow]:
    """Yield what is wrong with several servers beside each other."""
    for server_id, count in Counter(server.id for server in found).items():
        if count > 1:
            (name, *_) = (server.name for server in found if server.id == server_id)
            yield ["problem", "servers", f"{count} of the monitors are those of {name}"]
    if found and len({server.id for server in found}) < _COPIES:
        yield ["note", "servers", f"{len(found)} were asked, and {_COPIES} keep the log"]
    versions = sorted({server.version for server in found})
    if len(versions) > 1:
        yield ["note", "servers", f"have several versions: {', '.join(versions)}"]
    hosts = {urllib.parse.urlsplit(server.url).hostname for server in found}
    if len(found) > 1 and len(hosts) < len(found):
        says = "several are on one machine, and are lost together: for trying out only"
        yield ["note", "servers", says]
    firsts = {
        there.first_time
        for server in found
        for (name, _), there in server.streams.items()
        if name == stream and there.messages
    }
    if len(firsts) > 1:
        says = f"have another first message of {stream} each: {', '.join(sorted(firsts))}"
        yield ["problem", "servers", says]


def _caught(about: str, look: Callable[[], Iterator[HealthRow]]) -> Iterator[HealthRow]:
    """Yield findings; an error that ends the look is the last one."""
    try:
        yield from look()
    except StoreError as error:
        yield ["problem", about, str(error)]


def _gone(address: ClusterAddress, generation: int) -> str:
    return (
        f"the cluster has no stream {address.stream(generation)} any more: on the node with the"
        " longest log, timeline cluster rewrite --lost"
    )
