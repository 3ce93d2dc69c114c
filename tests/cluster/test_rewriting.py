"""A log moves to a new stream: nothing that was acknowledged is lost, no erased word is left."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nats_servers import COUNT, Servers

from timeline import Timeline
from timeline.cluster import fill, follower, membership, notes, rewriting
from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Overtaken, Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part
from timeline.cluster.node import ClusterNode
from timeline.errors import (
    Diverged,
    InDoubt,
    NotFound,
    NotWritable,
    Outrun,
    Refused,
    TimelineError,
)
from timeline.model.content import Said
from timeline.proof.verify import verify
from timeline.store import log, node, scrub, storage
from timeline.texts.document import Document
from timeline.writing import erasure

pytestmark = pytest.mark.cluster

WORDS = "Nemo Nemirovich"


class Site:
    """A node of a cluster, which appends, erases and follows as the commands do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = storage.connect(path, write=True)
        self.node = ClusterNode(self.connection, str(path))

    def close(self) -> None:
        self.node.close()
        self.connection.close()

    def record(self, **fields: Any) -> None:
        with self.node.appending(self.connection, str(self.path)) as append:
            append.record({"title": "T", "occurred": "2025", **fields})

    def erase(self, seq: int) -> None:
        entry = log.entry_at(self.connection, seq)
        assert entry is not None
        erasure.erase(
            self.connection,
            str(self.path),
            [entry.id],
            Said(reason=f"order {self.size}"),
            appending=self.node.appending,
        )

    @property
    def size(self) -> int:
        return log.size(self.connection)

    @property
    def root(self) -> bytes:
        return log.root_at(self.connection, self.size)

    @property
    def generation(self) -> int:
        return self.node.row.generation


class Cluster:
    """A log on a cluster, with its sites."""

    def __init__(self, address: ClusterAddress, folder: Path) -> None:
        self.address = address
        self.folder = folder
        self.sites: list[Site] = []
        path = folder / "odesa.db"
        with Timeline.create(path, title="Story", origin="example.org/story") as timeline:
            timeline.record({"title": f"Talks with {WORDS}", "occurred": "2025"})
            timeline.record({"title": "Other", "occurred": "2025"})
        membership.init(address, str(path), "odesa")
        self.jetstream = Jetstream(address)
        self.odesa = self.site(path)

    def site(self, path: Path) -> Site:
        self.sites.append(Site(path))
        return self.sites[-1]

    def join(self, name: str, **settings: bool) -> Site:
        path = self.folder / f"{name}.db"
        membership.join(self.address, str(path), name, **settings)
        site = self.site(path)
        site.node.catch_up()
        return site

    def close(self) -> None:
        for site in self.sites:
            site.close()
        self.jetstream.close()

    def streams(self) -> list[int]:
        """The generations whose streams are there."""
        return [
            number
            for number in range(1, 10)
            if self.jetstream.stream(self.address.stream(number)) is not None
        ]

    def assert_in_step(self) -> None:
        """Let all sites follow; they have one log, in which nothing is wrong."""
        for site in self.sites:
            site.node.catch_up()
            scrub.scrub(site.connection, str(site.path))
            report = verify(site.path)
            assert report.findings == []
            assert (report.size, report.root) == (self.odesa.size, self.odesa.root)
            assert site.generation == self.odesa.generation


@pytest.fixture
def cluster(servers: Servers, name: str, tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(ClusterAddress.parse(servers.address(name)), tmp_path)
    yield found
    found.close()


def broken(*_: object) -> None:
    """Stand in for a step at which the process ends."""
    raise KeyboardInterrupt


def held(servers: Servers, name: str, words: str) -> list[str]:
    """The files of the servers, in the folders of a log, in which words are found."""
    found = []
    for number in range(COUNT):
        for folder, _, files in os.walk(servers.store(number)):
            for file in files if name in folder else ():
                with contextlib.suppress(FileNotFoundError):  # it is deleted just now
                    path = Path(folder) / file
                    found += [str(path)] if words.encode() in path.read_bytes() else []
    return found


def assert_gone(servers: Servers, name: str, words: str) -> None:
    """Wait until no server's file has these words: replicas delete a stream in their own time."""
    until = time.monotonic() + 30
    while found := held(servers, name, words):
        assert time.monotonic() < until, found
        threading.Event().wait(0.05)


def refusal(act: Callable[[], object], kind: type[TimelineError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- Erased words -------------------------------------------------------------------------


def test_erased_words_are_in_no_file_of_a_server_after_a_rewriting(
    cluster: Cluster, servers: Servers
) -> None:
    kyiv = cluster.join("kyiv")
    cluster.odesa.erase(1)
    assert held(servers, cluster.address.name, WORDS)
    assert "kept until these nodes have moved: kyiv" in rewriting.rewrite(cluster.odesa.node)
    cluster.odesa.record(title="Of the next generation")
    assert (cluster.streams(), kyiv.generation, kyiv.size) == ([1, 2], 1, 3)
    kyiv.record(title="More")
    assert kyiv.generation == 2
    assert rewriting.rewrite(kyiv.node) == (
        "The cluster follows generation 2: 6 entries. Earlier generations are deleted."
    )
    assert cluster.streams() == [2]
    cluster.assert_in_step()
    assert_gone(servers, cluster.address.name, WORDS)
    lviv = cluster.join("lviv")
    assert lviv.root == kyiv.root
    cluster.assert_in_step()


def test_an_erasure_while_the_new_stream_is_filled_begins_it_again(
    cluster: Cluster, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    kyiv = cluster.join("kyiv")
    filled = fill.fill

    def erasing(*given: Any) -> object:
        end = filled(*given)
        if log.entry_at(kyiv.connection, 1).payload is not None:  # type: ignore[union-attr]
            kyiv.erase(1)
            kyiv.record(title="Later")
        return end

    monkeypatch.setattr(fill, "fill", erasing)
    rewriting.rewrite(cluster.odesa.node)
    kyiv.node.catch_up()
    notes.report(cluster.jetstream, cluster.address, kyiv.connection)
    rewriting.rewrite(cluster.odesa.node)
    assert cluster.streams() == [2]
    cluster.assert_in_step()
    assert_gone(servers, cluster.address.name, WORDS)


def test_texts_and_files_move_with_the_log_and_erased_ones_do_not(cluster: Cluster) -> None:
    with cluster.odesa.node.appending(cluster.odesa.connection, str(cluster.odesa.path)) as append:
        append.capture({"source_id": "paper", "title": "Paper"}, Document("A text that stays."))
        append.capture({"source_id": "blog", "title": "Blog"}, Document(f"A text of {WORDS}."))
    blog = log.newest(cluster.odesa.connection, "source/blog")
    assert blog is not None
    assert len(cluster.jetstream.object_names(cluster.address.texts(1))) == 2
    cluster.odesa.erase(blog.seq)
    rewriting.rewrite(cluster.odesa.node)
    assert len(cluster.jetstream.object_names(cluster.address.texts(2))) == 1
    kyiv = cluster.join("kyiv")
    texts = kyiv.connection.execute("SELECT body FROM source_texts WHERE body IS NOT NULL")
    assert texts.fetchall() == [("A text that stays.",)]
    assert cluster.jetstream.stream(f"OBJ_{cluster.address.texts(1)}") is None


# --- Broken off ---------------------------------------------------------------------------


def test_a_rewriting_that_is_broken_off_at_any_step_is_run_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[object, str]] = [
        (Jetstream, "create_log"),
        (fill, "fill"),
        (rewriting, "turn"),
        (Jetstream, "seal"),
        (rewriting._Rewriting, "_publish"),
        (rewriting._Rewriting, "_moved"),
        (Jetstream, "delete_stream"),
    ]
    cluster.odesa.erase(1)
    for generation, (place, step) in enumerate(steps, 2):
        with monkeypatch.context() as patch:
            patch.setattr(place, step, broken)
            with pytest.raises(KeyboardInterrupt):
                rewriting.rewrite(cluster.odesa.node)
        rewriting.rewrite(cluster.odesa.node)
        assert cluster.streams() == [generation], step
        cluster.odesa.record(title=step)
    cluster.join("kyiv")
    cluster.assert_in_step()


def test_another_node_finishes_a_rewriting_of_a_sealed_stream_only(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    kyiv = cluster.join("kyiv")
    for place, step in ((fill, "fill"), (rewriting._Rewriting, "_publish")):
        with monkeypatch.context() as patch:
            patch.setattr(place, step, broken)
            with pytest.raises(KeyboardInterrupt):
                rewriting.rewrite(cluster.odesa.node)
        if step == "fill":
            assert "node odesa is rewriting" in refusal(
                lambda: rewriting.rewrite(kyiv.node), Refused
            )
    rewriting.rewrite(kyiv.node)
    assert kyiv.generation == 2
    with contextlib.suppress(Outrun):
        cluster.odesa.record(title="More")
    cluster.assert_in_step()


def test_a_follower_that_was_away_for_two_generations_follows_on(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    for title in ("One", "Two"):
        cluster.odesa.record(title=title)
        membership.forget(cluster.odesa.node, "kyiv") if title == "One" else None
        rewriting.rewrite(cluster.odesa.node)
    assert cluster.streams() == [3]
    assert kyiv.generation == 1
    cluster.assert_in_step()
    assert kyiv.generation == 3


@pytest.mark.parametrize("is_stored", [True, False])
def test_an_append_in_doubt_is_settled_after_a_rewriting(
    is_stored: bool, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    kyiv = cluster.join("kyiv")
    publish = Jetstream.publish

    def unanswered(self: Jetstream, subject: str, parts: list[Part], *, stream: str) -> int:
        if is_stored:
            with contextlib.suppress(Overtaken):
                publish(self, subject, parts, stream=stream)
        raise Unanswered("no answer")

    monkeypatch.setattr(follower, "PATIENCE", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(Jetstream, "at_leader", lambda *_: None)
        patch.setattr(Jetstream, "put_record", lambda *_: 1)
        patch.setattr(Jetstream, "publish", unanswered)
        refusal(lambda: cluster.odesa.record(title="In doubt"), InDoubt)
    rewriting.rewrite(kyiv.node)
    cluster.odesa.record(title="More")
    titles = [title for (title,) in kyiv.connection.execute("SELECT title FROM events")]
    aside = Path(f"{cluster.odesa.path}.not-stored.jsonl")
    assert ("In doubt" in titles, aside.exists()) == (is_stored, not is_stored)
    cluster.assert_in_step()
    assert cluster.odesa.node.row.doubt_body in (None, b"")


# --- Nodes that come and go ---------------------------------------------------------------


def test_a_node_that_never_comes_back_is_forgotten(cluster: Cluster) -> None:
    cluster.join("kyiv")
    assert "until these nodes have moved: kyiv" in rewriting.rewrite(cluster.odesa.node)
    membership.forget(cluster.odesa.node, "kyiv")
    assert 'no node "kyiv"' in refusal(
        lambda: membership.forget(cluster.odesa.node, "kyiv"), NotFound
    )
    assert "odesa is this node" in refusal(
        lambda: membership.forget(cluster.odesa.node, "odesa"), Refused
    )
    assert "Earlier generations are deleted" in rewriting.rewrite(cluster.odesa.node)
    assert cluster.streams() == [2]


def test_a_node_that_has_moved_says_so_at_once(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    kyiv.record(title="Reported lately")
    assert "until these nodes have moved: kyiv" in rewriting.rewrite(cluster.odesa.node)
    kyiv.record(title="More")
    assert "Earlier generations are deleted" in rewriting.rewrite(cluster.odesa.node)


def test_a_node_that_leaves_is_a_log_of_its_own(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    membership.leave(kyiv.node)
    assert node.node_of(kyiv.connection) is None
    assert [each.name for each in notes.reports(cluster.jetstream, cluster.address)] in (
        [],
        ["odesa"],
    )
    with Timeline.open(kyiv.path) as mine:
        mine.record({"title": "Mine", "occurred": "2025"})
    assert verify(kyiv.path).findings == []
    cluster.sites.remove(kyiv)
    kyiv.close()


def test_a_node_that_only_reads_rewrites_nothing(cluster: Cluster) -> None:
    reader = cluster.join("reader", reads_only=True)
    assert "only reads" in refusal(lambda: rewriting.rewrite(reader.node), NotWritable)


# --- A stream that is lost ----------------------------------------------------------------


def test_a_lost_stream_is_put_back_from_the_file_of_a_node(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    cluster.odesa.record(title="More")
    kyiv.node.catch_up()
    cluster.jetstream.delete_stream(cluster.address.stream(1))
    assert "no longer has message 4" in refusal(kyiv.node.catch_up, Diverged)
    sentence = rewriting.rewrite(cluster.odesa.node, lost=True)
    assert sentence.startswith("The cluster follows generation 2: 4 entries.")
    cluster.assert_in_step()
    kyiv.record(title="On")
    cluster.assert_in_step()


def test_an_older_backup_of_a_stream_is_replaced(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    stream, subject = cluster.address.stream(1), cluster.address.subject(1)
    cluster.jetstream.delete_stream(stream)
    cluster.jetstream.create_log(stream, subject, "example.org/story")
    assert "no longer has message 3" in refusal(kyiv.node.catch_up, Diverged)
    rewriting.rewrite(kyiv.node, lost=True)
    assert cluster.streams() == [2]
    cluster.assert_in_step()


def test_a_message_that_no_timeline_wrote_is_left_behind(cluster: Cluster) -> None:
    kyiv = cluster.join("kyiv")
    cluster.jetstream.publish(
        cluster.address.subject(1), [Part({}, b"Hello")], stream=cluster.address.stream(1)
    )
    for site in cluster.sites:
        assert "message 4" in refusal(site.node.catch_up, Diverged)
    rewriting.rewrite(kyiv.node, lost=True)
    assert cluster.streams() == [2]
    cluster.odesa.record(title="More")
    cluster.assert_in_step()


def test_what_only_another_node_has_is_not_given_up_unasked(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    kyiv = cluster.join("kyiv")
    cluster.odesa.record(title="More")
    notes.report(cluster.jetstream, cluster.address, cluster.odesa.connection)
    cluster.jetstream.delete_stream(cluster.address.stream(1))
    assert "node odesa has 1 more" in refusal(
        lambda: rewriting.rewrite(kyiv.node, lost=True), Refused
    )
    assert cluster.streams() == []
    rewriting.rewrite(kyiv.node, lost=True, allow_loss=True)
    assert "this file 1 more, which the cluster has not: export" in refusal(
        cluster.odesa.node.catch_up, Diverged
    )
    assert cluster.odesa.size == 4


def test_a_lost_rewriting_that_is_broken_off_is_run_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.jetstream.delete_stream(cluster.address.stream(1))
    for place, step in (
        (fill, "fill"),
        (rewriting._Rewriting, "_publish"),
        (rewriting._Rewriting, "_move"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, step, broken)
            with pytest.raises(KeyboardInterrupt):
                rewriting.rewrite(cluster.odesa.node, lost=True)
    rewriting.rewrite(cluster.odesa.node, lost=True)
    assert cluster.streams() == [2]
    cluster.odesa.record(title="More")
    cluster.join("kyiv")
    cluster.assert_in_step()
