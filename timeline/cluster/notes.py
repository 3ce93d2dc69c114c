"""Bring what is in no entry from node to node: checkpoints, publications, and how far each node is.

Guarantees: a note of another node is stored here only if it fits the log here: its root is that of
the log at its size, and its signatures hold. One over more entries than there are here waits; one
that does not fit is told each time, and is not stored.

They are values in one bucket. A key begins with what the value is about: a checkpoint, with its
size and its hash, a publication, with its time, or a node, with its name.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import platform
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from timeline.cluster import texts
from timeline.cluster.answers import Missing
from timeline.errors import InvalidValue, ProofError, Refused
from timeline.model import clock
from timeline.projection import tables
from timeline.proof import checkpoints
from timeline.proof.checks.entries import is_instant
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import parse_checkpoint
from timeline.store import log, node, scrub, storage

if TYPE_CHECKING:
    from timeline.cluster.address import ClusterAddress
    from timeline.cluster.jetstream import Jetstream

CHECKPOINT = "checkpoint."
PUBLICATION = "publication."
NODE = "node."

_EVERY = timedelta(seconds=10)
"""The shortest time between two reports of a node that follows."""
_REMEMBERED = timedelta(hours=1)
"""The time for which a report names the files that reported by its name."""
_MOST_NOTES = 20
"""The most notes about entries of others that a report repeats."""

_PUBLICATIONS = "SELECT published_at, size, root, checkpoint_size FROM publications"


# --- Checkpoints and publications -------------------------------------------------------------


class NoteExchange:
    """Gives the notes of a file to the cluster, and stores those of other nodes that fit.

    It remembers what it has read, so that each note is read once, however often it is used.
    """

    def __init__(self) -> None:
        self._there: dict[str, bytes] = {}
        """The notes in the cluster, by key."""
        self._revision = 0
        """The revision up to which they were read."""

    def run(
        self, jetstream: Jetstream, address: ClusterAddress, connection: sqlite3.Connection
    ) -> list[str]:
        """Give notes and take notes; return a sentence about each one that does not fit."""
        try:
            self._read(jetstream, address)
        except Missing:
            return [f"{address} has no notes any more: timeline cluster rewrite --lost"]
        row = node.node_of(connection)
        if row and row.role == "writer":
            for key, value in _notes_here(connection, row.name).items():
                if key not in self._there:
                    jetstream.put_value(address.notes, key, value)
        problems: list[str] = []
        if self._there.keys() - _notes_here(connection, "").keys():
            with storage.immediate(connection):
                here = _notes_here(connection, "").keys()
                for key in sorted(self._there.keys() - here):  # checkpoints before publications
                    try:
                        _store(connection, key, self._there[key])
                    except (Refused, ProofError, InvalidValue) as error:
                        problems.append(f"the note {key} in the cluster does not fit: {error}")
        return problems

    def _read(self, jetstream: Jetstream, address: ClusterAddress) -> None:
        changed, newest = jetstream.changed_values(address.notes, self._revision)
        if newest < self._revision:  # the bucket was made anew
            self._there.clear()
            changed, newest = jetstream.changed_values(address.notes, 0)
        self._revision = newest
        for key, value in changed.items():
            if key.startswith((CHECKPOINT, PUBLICATION)):
                self._there.pop(key, None)
                if value is not None:
                    self._there[key] = value


def _notes_here(connection: sqlite3.Connection, name: str) -> dict[str, bytes]:
    """Return the notes of this file by their keys, as the cluster keeps them."""
    notes: dict[str, bytes] = {}
    for stored in checkpoints.stored(connection):
        said = {"note": stored.note, "keys": stored.verifier_keys, "stored_at": stored.stored_at}
        notes[_key(stored.size, stored.note)] = _packed(said)
    for published_at, size, root, checkpoint_size in connection.execute(_PUBLICATIONS):
        said = {"published_at": published_at, "size": size, "root": _text(root)}
        said |= {"checkpoint": checkpoint_size, "node": name}
        notes[_publication_key(published_at)] = _packed(said)
    return notes


def _key(size: int, note: str) -> str:
    return f"{CHECKPOINT}{size}.{hashlib.sha256(note.encode()).hexdigest()}"


def _publication_key(published_at: str) -> str:
    return f"{PUBLICATION}{published_at.replace(':', '')}"


def _store(connection: sqlite3.Connection, key: str, value: bytes) -> None:
    """Store a note that fits, unless it is over more entries than the log here has.

    Raises Refused, ProofError and InvalidValue for one that does not fit.
    """
    try:
        said = json.loads(value)
        if key.startswith(CHECKPOINT):
            _store_checkpoint(connection, key, said["note"], said["keys"], said["stored_at"])
        else:
            size, root = said["size"], base64.b64decode(said["root"])
            _store_publication(
                connection, key, said["published_at"], size, root, said["checkpoint"]
            )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise Refused("it has another form") from None


def _store_checkpoint(
    connection: sqlite3.Connection, key: str, text: str, lines: str, stored_at: str
) -> None:
    checkpoint, note = parse_checkpoint(text)
    if key != _key(checkpoint.size, text):
        raise Refused("it has the name of another one")
    if checkpoint.size > log.size(connection):
        return
    _check_root(connection, checkpoint.size, checkpoint.root)
    keys = [VerifierKey.parse(line) for line in lines.split("\n")]
    origin = str(log.info(connection)["origin"])
    if checkpoint.origin != origin or keys[0].name != origin:
        raise Refused(f"it is one of {checkpoint.origin}, signed by {keys[0].name}")
    if "\n".join(map(str, dict.fromkeys(keys))) != lines or not is_instant(stored_at.encode()):
        raise Refused("it has another form")
    note.verify(keys)
    connection.execute(
        "INSERT INTO checkpoints (size, root, note, verifier_keys, stored_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (checkpoint.size, checkpoint.root, text, lines, stored_at),
    )


def _store_publication(
    connection: sqlite3.Connection,
    key: str,
    published_at: str,
    size: int,
    root: bytes,
    signed: int | None,
) -> None:
    if key != _publication_key(published_at) or not is_instant(published_at.encode()):
        raise Refused("it has the name of another one")
    if signed is not None and signed > size:
        raise Refused("its checkpoint is over more entries than it has")
    known = connection.execute("SELECT 1 FROM checkpoints WHERE size = ?", (signed,)).fetchone()
    if size > log.size(connection) or (signed is not None and not known):
        return
    _check_root(connection, size, root)
    connection.execute(
        "INSERT INTO publications (published_at, size, root, checkpoint_size) VALUES (?, ?, ?, ?)",
        (published_at, size, root, signed),
    )


def _check_root(connection: sqlite3.Connection, size: int, root: bytes) -> None:
    if size < 0 or log.root_at(connection, size) != root:
        raise Refused(f"its root over {size} entries is not that of the log here")


# --- Reports of the nodes ---------------------------------------------------------------------


class NodeReport(NamedTuple):
    """A report says how far a node is."""

    name: str
    package: str
    projection: int
    """The version of the tables that its package writes."""
    role: str
    generation: int
    message: int
    """The sequence of the last message in its log."""
    size: int
    root: str
    """The root of the tree over its log, in base64."""
    recorded_at: str
    """The time of its newest entry."""
    scrubbed: int
    """The newest entry up to which erased words are out of the bytes of its file."""
    texts_missing: int
    """The number of texts and files that entries name and its file lacks."""
    doubt: str | None
    """The time of an append of which it does not know yet whether it was stored."""
    notes: list[str]
    """What its version found wrong with what entries of others say."""
    at: str
    """The time of the report, by the clock of the node."""
    files: list[list[str]]
    """The files that reported by this name within the last hour, each as a hash and a time, the
    newest last; a file that reported again after another one stands there twice."""

    @property
    def is_of_two_files(self) -> bool:
        """Tell whether two files report by this name in turns: one is a copy of the other."""
        marks = [mark for mark, _ in self.files]
        return len(marks) > len({*marks})


def report(
    jetstream: Jetstream,
    address: ClusterAddress,
    connection: sqlite3.Connection,
    before: NodeReport | None = None,
    *,
    notes: Sequence[str] = (),
    now: Callable[[], datetime] = clock.now,
) -> NodeReport:
    """Tell the cluster how far this node is, and return the newest report.

    With the report `before`, which this process put last, nothing is put if nothing changed since
    then, or within 10 seconds. `notes` say what is wrong with what entries of others say.
    """
    moment = now()
    if before and not notes and moment - clock.parse(before.at) < _EVERY:
        return before
    made = _made(connection, moment, notes)
    if before and _without_time(made) == _without_time(before) and not notes:
        return before
    key = f"{NODE}{made.name}"
    with contextlib.suppress(Missing):  # the exchange of notes says so
        if found := jetstream.value(address.notes, key):
            made = _after(made, _read(found[0]), moment)
        jetstream.put_value(address.notes, key, _packed(made._asdict()))
    return made


def _made(connection: sqlite3.Connection, moment: datetime, notes: Sequence[str]) -> NodeReport:
    row = node.node_of(connection)
    newest = log.newest(connection)
    if row is None or newest is None:
        raise Refused("this file is no node of a cluster: timeline cluster join makes it one")
    size = newest.seq + 1
    pending = scrub.pending(connection)
    doubt = json.loads(row.doubt).get("recorded_at", "") if row.doubt else None
    at = clock.utc(moment)
    return NodeReport(
        name=row.name,
        package=version("timeline-store"),
        projection=tables.PROJECTION_VERSION,
        role=row.role,
        generation=row.generation,
        message=row.message,
        size=size,
        root=_text(log.root_at(connection, size)),
        recorded_at=newest.recorded_at,
        scrubbed=pending[0] - 1 if pending else newest.seq,
        texts_missing=texts.count_missing(connection),
        doubt=doubt,
        notes=[*notes],
        at=at,
        files=[[_mark(connection), at]],
    )


def _mark(connection: sqlite3.Connection) -> str:
    """Return a short hash that tells this file from its copies."""
    where = connection.identity if isinstance(connection, storage.Connection) else None
    return hashlib.sha256(f"{platform.node()} {where}".encode()).hexdigest()[:16]


def _without_time(each: NodeReport) -> NodeReport:
    return each._replace(at="", files=[], notes=[])


def _after(made: NodeReport, last: NodeReport | None, moment: datetime) -> NodeReport:
    """Return a report with what the last one by this name remembers."""
    if last is None:
        return made
    since = clock.utc(moment - _REMEMBERED)
    (ours,) = made.files
    earlier = [each for each in last.files if each[1] >= since]
    if earlier and earlier[-1][0] == ours[0]:
        earlier.pop()
    notes = [*dict.fromkeys((*last.notes, *made.notes))][-_MOST_NOTES:]
    return made._replace(notes=notes, files=[*earlier[-_MOST_NOTES:], ours])


def reports(jetstream: Jetstream, address: ClusterAddress) -> list[NodeReport]:
    """Return the newest report of each node, by name."""
    return sorted(_reports(jetstream, address), key=lambda each: each.name)


def _reports(jetstream: Jetstream, address: ClusterAddress) -> Iterator[NodeReport]:
    try:
        there = jetstream.values(address.notes)
    except Missing:
        return
    for key, value in there.items():
        if key.startswith(NODE) and (found := _read(value)) and key == f"{NODE}{found.name}":
            yield found


def _read(value: bytes) -> NodeReport | None:
    """Read a report; None for one of another form, such as of a later version."""
    try:
        said: dict[str, Any] = json.loads(value)
        found = NodeReport(**{field: said[field] for field in NodeReport._fields})
        words = (found.name, found.package, found.role, found.root, *found.notes)
        words += tuple(word for mark, at in found.files for word in (mark, at))
        numbers = (found.generation, found.message, found.size, found.scrubbed)
        if (
            all(isinstance(word, str) for word in words)
            and all(type(number) is int for number in (*numbers, found.texts_missing))
            and isinstance(found.doubt, str | None)
            and is_instant(found.at.encode())
            and is_instant(found.recorded_at.encode())
        ):
            return found
    except (AttributeError, ValueError, LookupError, TypeError):
        pass
    return None


def _packed(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _text(root: bytes) -> str:
    return base64.b64encode(root).decode()
