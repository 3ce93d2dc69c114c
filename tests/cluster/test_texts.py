"""Texts and files go from node to node beside the entries that name them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from node_files import NodeFile, Nodes
from small_files import PDF, png

from timeline import Timeline
from timeline.cluster import membership, texts
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.errors import InvalidInput, Refused
from timeline.media.attached import attached_file
from timeline.proof import verify
from timeline.publish import publication
from timeline.store import storage
from timeline.texts.document import Document, sha256

pytestmark = pytest.mark.cluster

TEXT = "The mayor said that two houses burnt down. Nobody was hurt."
HASH = sha256(TEXT.encode())
PICTURE = attached_file(png("red"))
PAPER = {"source_id": "paper", "title": "A paper"}
EVENT = {"event_id": "fire", "title": "A fire", "occurred": "2025"}


@pytest.fixture
def jetstream(address: ClusterAddress) -> Iterator[Jetstream]:
    """A connection to the cluster, which has stores of generation 1."""
    with Jetstream(address) as connected:
        texts.create(connected, address, 1)
        yield connected


def told(jetstream: Jetstream, one: NodeFile, other: NodeFile) -> int:
    """Let another node follow, and fetch; return how much it lacks."""
    since = other.follow(one)
    return texts.fetch(jetstream, other.address, other.connection, since)


def rows(node: NodeFile, columns: str = "text_sha256, body, captured_at, original_sha256") -> Any:
    return node.connection.execute(f"SELECT {columns} FROM source_texts ORDER BY 1").fetchall()


def files(node: NodeFile) -> list[bytes]:
    query = "SELECT body FROM media_bytes ORDER BY sha256"
    return [body for (body,) in node.connection.execute(query)]


def capture(node: NodeFile, jetstream: Jetstream | None, text: str = TEXT, **page: str) -> None:
    with node.append(jetstream) as append:
        document = Document(text, "text/plain", page.get("original"))
        append.capture(PAPER | {"source_id": page.get("source_id", "paper")}, document)


def quote(node: NodeFile, words: str) -> None:
    with node.append() as append:
        append.record(EVENT | {"citations": [{"source_id": "paper", "quote": words}]})


def stored(jetstream: Jetstream, bucket: str, name: str) -> bool:
    return jetstream.object(bucket, name.removeprefix("sha256:")) is not None


def test_a_text_comes_with_what_is_known_of_it(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    capture(one, jetstream, original=sha256(b"<p>"))
    capture(one, jetstream, "Another text, Łódź.", source_id="radio")
    assert told(jetstream, one, other) == 0
    assert rows(other) == rows(one)
    assert len(rows(other)) == 2
    assert other.findings() == one.findings() == []


def test_a_text_is_in_the_cluster_before_the_append_is_kept(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one = nodes()
    with contextlib.suppress(KeyboardInterrupt), one.append() as append:
        append.capture(PAPER, Document(TEXT, "text/plain", None))
        texts.put(jetstream, address, one.connection, append.kept_texts, append.kept_files)
        assert stored(jetstream, address.texts(1), HASH)
        raise KeyboardInterrupt
    assert rows(one) == []
    assert texts.fetch(jetstream, address, one.connection, 0) == 0  # no entry names it
    assert rows(one) == []


def test_what_the_store_has_already_is_left(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other, third = nodes(), nodes(), nodes()
    capture(one, jetstream)
    other.follow(one)
    capture(other, jetstream)  # the same text, captured again
    assert rows(one, "captured_at") != rows(other, "captured_at")
    assert told(jetstream, one, third) == 0
    assert rows(third) == rows(one)


def test_a_reader_gets_files_and_texts_only_if_it_is_to_have_them(
    jetstream: Jetstream, nodes: Nodes
) -> None:
    one = nodes()
    reader, keeper = nodes(role="reader", with_texts=0), nodes(role="reader", with_texts=1)
    capture(one, jetstream)
    with one.append(jetstream) as append:
        append.record(EVENT)
        append.attach("fire", png("red"), {"alt": "A wall"})
        append.attach("fire", PDF, {"alt": "A plan"})
    for node in (reader, keeper):
        assert told(jetstream, one, node) == 0
        assert files(node) == files(one)
        assert len(files(node)) == 2
        assert node.findings() == []
    assert rows(reader) == []
    assert rows(keeper) == rows(one)


def test_a_file_that_no_event_shows_any_more_comes_too(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    with one.append(jetstream) as append:
        append.record(EVENT)
        append.attach("fire", png("red"), {"alt": "A wall"})
    with one.append(jetstream) as append:
        append.update("fire", {"media": []})
    assert told(jetstream, one, other) == 0
    assert files(other) == files(one) == [PICTURE.body]


def test_a_text_that_its_source_names_no_more_comes_too(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other, late = nodes(), nodes(), nodes()
    capture(one, jetstream)
    capture(one, jetstream, f"{TEXT} More.")
    assert told(jetstream, one, other) == 0
    assert len(rows(other)) == 2
    late.follow(one)
    assert texts.fetch(jetstream, late.address, late.connection, late.size) == 0
    assert len(rows(late)) == 1
    assert texts.fetch(jetstream, late.address, late.connection, 0) == 0
    assert rows(late) == rows(one)


def test_what_is_elsewhere_on_the_web_is_not_missing(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    with one.append(jetstream) as append:
        append.record_source(PAPER)
        append.record(
            EVENT | {"media": [{"kind": "image", "url": "https://example.org/a.jpg", "alt": "A"}]}
        )
    assert told(jetstream, one, other) == 0
    assert texts.missing_texts(other.connection) == texts.missing_files(other.connection) == []


def test_a_quote_of_a_text_that_is_not_here_yet_is_refused(
    jetstream: Jetstream, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    capture(one, None)
    assert told(jetstream, one, other) == 1
    assert texts.missing_texts(other.connection) == [HASH]
    with pytest.raises(InvalidInput, match="the text of paper is not here yet") as caught:
        quote(other, "two houses burnt down")
    assert caught.value.field == "citations.0.quote"
    with other.append() as append:  # all else goes on
        append.record(EVENT | {"event_id": "other", "citations": [{"source_id": "paper"}]})
    texts.put(jetstream, one.address, one.connection, [HASH], [])
    assert texts.fetch(jetstream, other.address, other.connection, other.size) == 0
    with pytest.raises(InvalidInput, match="does not stand in the text"):
        quote(other, "three houses burnt down")
    quote(other, "two houses burnt down")


def test_a_text_that_was_captured_again_here_can_be_quoted(
    jetstream: Jetstream, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    capture(one, None)
    assert told(jetstream, one, other) == 1
    capture(other, jetstream)
    quote(other, "two houses burnt down")
    assert stored(jetstream, other.address.texts(1), HASH)


BAD: dict[str, tuple[bytes, dict[str, str]]] = {
    "other words": (b"Invented.", {"captured_at": "2025-04-13T12:00:00.000000Z"}),
    "no time": (TEXT.encode(), {}),
    "a time that is none": (TEXT.encode(), {"captured_at": "today"}),
    "an original that is no hash": (
        TEXT.encode(),
        {"captured_at": "2025-04-13T12:00:00.000000Z", "original_sha256": "page"},
    ),
}


@pytest.mark.parametrize(("body", "headers"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_not_taken_in(
    jetstream: Jetstream, nodes: Nodes, body: bytes, headers: dict[str, str]
) -> None:
    one, other = nodes(), nodes()
    capture(one, None)
    bucket = one.address.texts(1)
    jetstream.put_object(bucket, HASH.removeprefix("sha256:"), body, headers)
    assert told(jetstream, one, other) == 1
    assert rows(other) == []


def test_a_file_is_held_to_its_hash_and_its_type(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    no_picture = b"Not a picture."
    sha = "sha256:" + hashlib.sha256(no_picture).hexdigest()
    with one.append() as append:
        append.record(EVENT)
        append.attach("fire", png("red"), {"alt": "A wall"})
    bucket, name = one.address.media(1), PICTURE.sha256.removeprefix("sha256:")
    jetstream.put_object(bucket, name, png("blue"), {})
    jetstream.put_object(bucket, sha.removeprefix("sha256:"), no_picture, {})
    assert told(jetstream, one, other) == 1
    assert files(other) == []


def test_many_that_are_missing_are_asked_for_at_once(jetstream: Jetstream, nodes: Nodes) -> None:
    one, other = nodes(), nodes()
    for number in range(20):
        text = f"The text of source {number}."
        capture(one, jetstream if number % 2 else None, text, source_id=f"source-{number}")
    assert told(jetstream, one, other) == 10
    assert len(rows(other)) == 10
    assert {body for (body,) in rows(other, "body")} < {body for (body,) in rows(one, "body")}


def test_an_erased_text_is_taken_out_and_never_comes_back(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other, late = nodes(), nodes(), nodes()
    capture(one, jetstream)
    told(jetstream, one, other)
    one.erase("1")
    texts.take_out(jetstream, address, one.connection, 2)
    assert not stored(jetstream, address.texts(1), HASH)
    for node in (other, late):  # the other one deletes it once more
        assert told(jetstream, one, node) == 0
    assert rows(other, "body") == [(None,)]
    assert rows(late) == []
    with pytest.raises(Refused, match="not taken in again"):
        capture(other, jetstream)
    late_text = TEXT.encode(), {"captured_at": "2025-04-13T12:00:00.000000Z"}
    jetstream.put_object(address.texts(1), HASH.removeprefix("sha256:"), *late_text)
    for node in (one, other, late):
        assert texts.fetch(jetstream, address, node.connection, 0) == 0
        assert TEXT not in str(rows(node))
        assert TEXT.encode() not in node.path.read_bytes()
        assert node.findings() == []


def test_an_erased_file_is_taken_out_also_by_a_node_that_never_had_it(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, late = nodes(), nodes()
    with one.append(jetstream) as append:
        append.record(EVENT)
        append.attach("fire", png("red"), {"alt": "A wall"})
    one.erase(PICTURE.sha256.replace("sha256:", "media/"))
    assert stored(jetstream, address.media(1), PICTURE.sha256)
    assert told(jetstream, one, late) == 0
    assert not stored(jetstream, address.media(1), PICTURE.sha256)
    assert files(late) == []
    assert late.findings() == []


def test_a_text_that_is_erased_while_it_is_fetched_is_not_kept(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    capture(one, jetstream)
    since = other.follow(one)

    class Slow(Jetstream):
        def object(self, bucket: str, name: str) -> tuple[bytes, dict[str, str]] | None:
            found = super().object(bucket, name)
            other.erase("1")
            return found

    with Slow(address) as slow:
        assert texts.fetch(slow, address, other.connection, since) == 1
    assert rows(other) == []
    assert other.findings() == []


def test_a_new_generation_has_what_is_in_the_file(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other = nodes(), nodes(generation=2)
    capture(one, jetstream)
    capture(one, jetstream, "An orphan, once.", source_id="radio")
    one.erase("2")
    with one.append(jetstream) as append:
        append.record(EVENT)
        append.attach("fire", png("red"), {"alt": "A wall"})
    texts.put_all(jetstream, address, one.connection, 2)
    assert jetstream.object_names(address.texts(2)) == {HASH.removeprefix("sha256:")}
    assert told(jetstream, one, other) == 0
    assert rows(other) == [row for row in rows(one) if row[1]]
    assert files(other) == files(one)
    texts.delete(jetstream, address, 1)
    assert jetstream.stream(f"OBJ_{address.texts(1)}") is None


def test_a_store_that_is_gone_stops_nothing(
    jetstream: Jetstream, address: ClusterAddress, nodes: Nodes
) -> None:
    one, other = nodes(), nodes()
    capture(one, jetstream)
    texts.delete(jetstream, address, 1)
    assert told(jetstream, one, other) == 1


def test_a_published_copy_that_joins_gets_the_texts_that_were_left_out(
    address: ClusterAddress, tmp_path: Path
) -> None:
    path, copy = tmp_path / "story.db", tmp_path / "copy.db"
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        with timeline.append() as append:
            append.capture(PAPER, Document(TEXT, "text/plain", None))
            append.record(EVENT)
        timeline.attach("fire", png("red"), {"alt": "A wall"})
    publication.publish(path, copy, with_media=False)
    membership.init(address, str(path), "odesa")
    membership.join(address, str(copy), "kyiv")
    assert verify.verify(copy).findings == []
    with contextlib.closing(storage.connect(copy)) as connection:
        assert texts.missing_texts(connection) == texts.missing_files(connection) == []
        assert connection.execute("SELECT body FROM source_texts").fetchall() == [(TEXT,)]
        assert connection.execute("SELECT body FROM media_bytes").fetchall() == [(PICTURE.body,)]
