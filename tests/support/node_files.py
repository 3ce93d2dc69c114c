"""Files of nodes that follow each other directly, without the messages of a cluster."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from timeline import Timeline
from timeline.cluster import texts
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.intake.foreign_entries import Following
from timeline.model.content import Said
from timeline.proof import verify
from timeline.store import log, node, scrub, storage
from timeline.store.node import Node
from timeline.writing import erasure, writer
from timeline.writing.writer import Append


class NodeFile:
    """The file of a node of generation 1, made of a log; what it appends goes to no stream."""

    def __init__(self, path: Path, address: ClusterAddress, name: str, **fields: Any) -> None:
        self.path = path
        self.address = address
        self.connection = storage.connect(path, write=True)
        row = Node(str(address), name, "writer", 1, 1, "2025-04-13T12:00:00Z", 0, "", self.size)
        with storage.immediate(self.connection):
            node.join(self.connection, row._replace(**fields))

    @property
    def size(self) -> int:
        return log.size(self.connection)

    @contextlib.contextmanager
    def append(self, jetstream: Jetstream | None = None) -> Iterator[Append]:
        """Append as a node does: texts and files go to the cluster before the commit."""

        @contextlib.contextmanager
        def around(append: Append) -> Iterator[None]:
            node.change(self.connection, writing=1)
            yield
            if jetstream:
                kept = append.kept_texts, append.kept_files
                texts.put(jetstream, self.address, self.connection, *kept)
            node.change(self.connection, writing=0, size=self.size)

        with writer.appending(self.connection, str(self.path), around=around) as append:
            yield append

    def erase(self, *names: str) -> None:
        """Erase entries, by their numbers, or attached files, by their names."""

        @contextlib.contextmanager
        def appending(*_: object, **__: object) -> Iterator[Append]:
            with self.append() as append:
                yield append

        ids = [each if each.startswith("media/") else self._entry_id(int(each)) for each in names]
        said = Said(reason="A court")
        erasure.erase(self.connection, str(self.path), ids, said, appending=appending)

    def _entry_id(self, seq: int) -> str:
        entry = log.entry_at(self.connection, seq)
        assert entry
        return entry.id

    def follow(self, other: NodeFile) -> int:
        """Take in what another node has and this one lacks; return the first new entry's number."""
        since = self.size
        awaiting: dict[str, int] = {}
        with storage.immediate(self.connection):
            node.change(self.connection, writing=1)
            following = Following(self.connection, awaiting, note=lambda entry, problem: None)
            entries = log.read(other.connection, since - 1)
            for _, batch in itertools.groupby(entries, key=lambda entry: entry.recorded_at):
                following.accept_batch(batch)
            following.finish()
            node.change(self.connection, writing=0, size=self.size)
        scrub.scrub(self.connection, str(self.path))
        return since

    def findings(self) -> list[Any]:
        return verify.verify(self.path).findings

    def close(self) -> None:
        self.connection.close()


class Nodes:
    """The nodes of a test; each is made of the same log of one entry."""

    def __init__(self, folder: Path, address: ClusterAddress) -> None:
        self._folder, self._address = folder, address
        self.made: list[NodeFile] = []
        origin = "example.org/story"
        Timeline.create(folder / "empty.db", title="A story", origin=origin).close()

    def __call__(self, **fields: Any) -> NodeFile:
        name = f"node{len(self.made)}"
        path = self._folder / f"{name}.db"
        shutil.copy(self._folder / "empty.db", path)
        made = NodeFile(path, self._address, name, **fields)
        self.made.append(made)
        return made
