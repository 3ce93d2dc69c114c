"""Checkpoints, publications and reports go from node to node, and what does not fit is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from node_files import NodeFile, Nodes
from others_notes import others_cosignature, witness_key
from ticking_clock import TickingClock

from timeline.cluster import notes
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.notes import NoteExchange
from timeline.proof import checkpoints, verify
from timeline.proof.checkpoints import StoredCheckpoint
from timeline.proof.signed_note import SigningKey, parse
from timeline.proof.tlog import Checkpoint
from timeline.publish import publication
from timeline.publish.publication import Publication
from timeline.store import log, node, storage

pytestmark = pytest.mark.cluster

KEY = SigningKey("example.org/story", b"k" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


@pytest.fixture
def jetstream(address: ClusterAddress) -> Iterator[Jetstream]:
    """A connection to the cluster, which has a bucket for notes."""
    with Jetstream(address) as connected:
        connected.create_values(address.notes)
        yield connected


@pytest.fixture
def exchange(jetstream: Jetstream, address: ClusterAddress) -> Callable[[NodeFile], list[str]]:
    return lambda file: NoteExchange().run(jetstream, address, file.connection)


Exchange = Callable[[NodeFile], list[str]]


def record(file: NodeFile, title: str) -> None:
    with file.append() as append:
        append.record({"title": title, "occurred": "2025"})


def sign(file: NodeFile) -> StoredCheckpoint:
    return checkpoints.sign(file.connection, KEY)


def stored(file: NodeFile) -> set[StoredCheckpoint]:
    return {*checkpoints.stored(file.connection)}


def published(file: NodeFile) -> Any:
    query = "SELECT published_at, size, root, checkpoint_size FROM publications ORDER BY 1"
    return file.connection.execute(query).fetchall()


def publish(file: NodeFile, at: str, signed: int | None) -> Publication:
    made = Publication(at, file.size, log.root_at(file.connection, file.size), signed)
    publication.record(file.path, made)
    return made


# --- Checkpoints ------------------------------------------------------------------------------


def test_a_checkpoint_is_proved_and_verified_on_another_node(
    exchange: Exchange, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    record(one, "A fire")
    other.follow(one)
    sign(one)
    assert exchange(one) == exchange(other) == []
    assert stored(other) == stored(one)
    assert len(stored(other)) == 1
    proof = checkpoints.prove(other.connection, 1)
    proof.verify([KEY.verifier])
    assert verify.verify(other.path, keys=[KEY.verifier]).findings == []
    assert exchange(one) == exchange(other) == []


def test_a_cosignature_comes_as_a_note_of_its_own(exchange: Exchange, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    signed = sign(one)
    exchange(one)
    exchange(other)
    line = others_cosignature(parse(signed.note).text, "witness.example", WITNESS, 1_750_000_000)
    witness = witness_key("witness.example", WITNESS)
    checkpoints.cosign(other.connection, signed.note + line, [witness])
    assert exchange(other) == exchange(one) == []
    assert stored(one) == stored(other)
    assert len(stored(one)) == 2
    assert one.findings() == []


def test_a_note_over_more_entries_than_are_here_waits(exchange: Exchange, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    record(one, "A fire")
    sign(one)
    publish(one, "2025-04-14T12:00:00.000000Z", 2)
    exchange(one)
    assert exchange(other) == []
    assert stored(other) == set()
    assert published(other) == []
    other.follow(one)
    assert exchange(other) == []
    assert stored(other) == stored(one)
    assert published(other) == published(one)


def checkpoint(size: int, root: bytes, key: SigningKey = KEY, **changes: Any) -> tuple[str, Any]:
    note = str(key.sign(str(Checkpoint(changes.pop("origin", key.name), size, root))))
    said = {
        "note": note,
        "keys": str(key.verifier),
        "stored_at": "2025-04-14T12:00:00.000000Z",
    }
    return notes._key(size, note), said | changes


ROOT = base64.b64encode(b"r" * 32).decode()
WHEN = "2025-04-14T12:00:00.000000Z"
PUBLISHED = {"published_at": WHEN, "size": 1, "root": ROOT, "checkpoint": None, "node": "x"}

FORGED: dict[str, Callable[[bytes], tuple[str, Any]]] = {
    "another root": lambda root: checkpoint(1, b"r" * 32),
    "another log": lambda root: checkpoint(1, root, SigningKey("example.org/x", b"k" * 32)),
    "another origin": lambda root: checkpoint(1, root, origin="example.org/x"),
    "a signature by another key": lambda root: checkpoint(
        1, root, keys=str(SigningKey(KEY.name, b"x" * 32).verifier)
    ),
    "a key twice": lambda root: checkpoint(1, root, keys=f"{KEY.verifier}\n{KEY.verifier}"),
    "no key": lambda root: checkpoint(1, root, keys=""),
    "no time": lambda root: checkpoint(1, root, stored_at="today"),
    "no note": lambda root: checkpoint(1, root, note="Believe me."),
    "another name": lambda root: (f"checkpoint.1.{'0' * 64}", checkpoint(1, root)[1]),
    "another form": lambda root: (f"checkpoint.1.{'0' * 64}", ["a list"]),
    "a publication of another root": lambda root: (notes._publication_key(WHEN), PUBLISHED),
    "a publication of another name": lambda root: ("publication.today", PUBLISHED),
    "a publication of too much": lambda root: (
        notes._publication_key(WHEN),
        PUBLISHED | {"checkpoint": 2},
    ),
    "a publication of another form": lambda root: ("publication.today", {}),
    "a publication without a size": lambda root: (
        notes._publication_key(WHEN),
        PUBLISHED | {"size": None},
    ),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_note_is_told_each_time_and_is_not_stored(
    jetstream: Jetstream,
    exchange: Exchange,
    nodes: Nodes,
    forged: Callable[[bytes], tuple[str, Any]],
) -> None:
    file = nodes()
    key, said = forged(log.root_at(file.connection, 1))
    jetstream.put_value(file.address.notes, key, json.dumps(said).encode())
    for _ in range(2):
        (problem,) = exchange(file)
        assert problem.startswith(f"the note {key} in the cluster does not fit: ")
    assert stored(file) == set()
    assert published(file) == []


def test_what_fits_beside_a_forged_note_is_stored(
    jetstream: Jetstream, exchange: Exchange, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    sign(one)
    exchange(one)
    key, said = checkpoint(1, b"r" * 32)
    jetstream.put_value(one.address.notes, key, json.dumps(said).encode())
    assert len(exchange(other)) == 1
    assert stored(other) == stored(one)


def test_an_exchange_that_goes_on_reads_each_note_once(
    jetstream: Jetstream, exchange: Exchange, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    going_on = NoteExchange()
    asked: list[int] = []

    class Asked(Jetstream):
        def changed_values(self, bucket: str, after: int) -> tuple[dict[str, bytes | None], int]:
            asked.append(after)
            return super().changed_values(bucket, after)

    with Asked(one.address) as connected:
        for title in ("A fire", "A quay"):
            record(one, title)
            sign(one)
            exchange(one)
            assert going_on.run(connected, one.address, other.connection) == []
        assert stored(other) == set()  # they wait for the entries
        other.follow(one)
        assert going_on.run(connected, one.address, other.connection) == []
        assert stored(other) == stored(one)
        assert asked == [0, 1, 2]
        jetstream.delete_stream(f"KV_{one.address.notes}")
        jetstream.create_values(one.address.notes)
        assert going_on.run(connected, one.address, other.connection) == []
        assert len(jetstream.values(one.address.notes)) == 2  # they are there again


# --- Publications -----------------------------------------------------------------------------


def test_a_publication_is_on_record_on_every_node(exchange: Exchange, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    publish(one, "2025-04-14T12:00:00.000000Z", None)
    sign(one)
    publish(other, "2025-04-14T12:00:01.000000Z", None)
    publish(one, "2025-04-14T12:00:02.000000Z", 1)
    for file in (one, other, one):
        assert exchange(file) == []
    assert published(one) == published(other)
    assert len(published(one)) == 3
    assert other.findings() == []


def test_a_reader_takes_notes_and_gives_none(exchange: Exchange, nodes: Nodes) -> None:
    one, reader = nodes(), nodes(role="reader", with_texts=0)
    publish(reader, "2025-04-14T12:00:00.000000Z", None)
    sign(one)
    for file in (one, reader, one):
        assert exchange(file) == []
    assert stored(reader) == stored(one)
    assert published(one) == []


# --- Reports ----------------------------------------------------------------------------------


def test_a_report_says_how_far_a_node_is(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other = nodes(message=812, message_id="sha256:" + "ab" * 32), nodes(role="reader")
    record(one, "A fire")
    for file in (one, other):
        notes.report(jetstream, address, file.connection)
    said = notes.reports(jetstream, address)
    assert [each.name for each in said] == ["node0", "node1"]
    root = base64.b64encode(log.root_at(one.connection, 2)).decode()
    assert (said[0].message, said[0].size, said[0].root) == (812, 2, root)
    assert (said[0].scrubbed, said[0].texts_missing, said[0].doubt) == (1, 0, None)
    assert said[1].role == "reader"
    newest = log.newest(one.connection)
    assert newest
    assert said[0].recorded_at == newest.recorded_at


def test_a_report_tells_of_doubt_and_of_erased_words_that_are_still_bytes(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    file = nodes()
    record(file, "A fire")
    with storage.immediate(file.connection):
        doubt = json.dumps({"recorded_at": WHEN})
        node.change(file.connection, doubt=doubt, doubt_body=b"")
    file.erase("1")
    with storage.immediate(file.connection):
        file.connection.execute("INSERT INTO scrub_pending VALUES (2)")
    said = notes.report(jetstream, address, file.connection)
    assert (said.doubt, said.scrubbed, said.size) == (WHEN, 1, 3)


def test_a_node_that_follows_reports_at_most_every_ten_seconds_and_only_what_changed(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    file, clock = nodes(), TickingClock()

    def report(before: notes.NodeReport | None) -> notes.NodeReport:
        return notes.report(jetstream, address, file.connection, before, now=clock)

    first = report(None)
    record(file, "A fire")
    assert report(first) == first
    clock.time += timedelta(seconds=9)
    second = report(first)
    assert second.size == 2
    clock.time += timedelta(hours=1)
    assert report(second) == second
    assert notes.reports(jetstream, address) == [second]


def test_notes_about_the_entries_of_others_are_repeated(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    file = nodes()
    last = None
    for number in range(30):
        said = [f"#{number // 2}: is odd"]
        last = notes.report(jetstream, address, file.connection, last, notes=said)
    (said_now,) = notes.reports(jetstream, address)
    assert said_now.notes == [f"#{number}: is odd" for number in range(15)]


def test_a_copied_file_reports_by_the_name_of_the_other_one(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes, tmp_path: Path
) -> None:
    file, clock = nodes(), TickingClock()
    copy = tmp_path / "copy.db"
    file.connection.execute("VACUUM INTO ?", (str(copy),))
    moved = []
    with storage.connect(copy, write=True) as connection:
        for each in (file.connection, connection, file.connection):
            moved.append(notes.report(jetstream, address, each, now=clock).is_of_two_files)
            if len(moved) == 2:
                clock.time += timedelta(minutes=5)
        assert moved == [False, False, True]  # once, a file may have moved
        clock.time += timedelta(hours=2)
        said = notes.report(jetstream, address, connection, now=clock)
        assert not said.is_of_two_files
    connection.close()


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"name": "odd"}', b"\xff"])
def test_a_report_of_another_form_is_passed_over(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes, value: bytes
) -> None:
    file = nodes()
    jetstream.put_value(address.notes, "node.odd", value)
    jetstream.put_value(address.notes, "node.node0", value)
    said = notes.report(jetstream, address, file.connection)
    assert notes.reports(jetstream, address) == [said]
