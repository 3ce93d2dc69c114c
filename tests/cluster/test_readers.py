"""Readers of a node's site while the node catches up with its cluster."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from many_readers import Readers
from nats_servers import Servers
from serving import serving

from timeline import Timeline
from timeline.cluster import membership
from timeline.cluster.address import ClusterAddress
from timeline.store import storage

pytestmark = pytest.mark.cluster


def events(count: int) -> list[dict[str, object]]:
    return [
        {"event_id": f"talks-{number}", "title": f"Talks {number}", "occurred": "2025-04-15"}
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("readers", "count", "batch"),
    [(3, 3_000, 100), pytest.param(20, 200_000, 1_000, marks=pytest.mark.torture)],
)
def test_every_answer_while_a_node_catches_up_is_right_as_of_a_whole_batch(
    servers: Servers, name: str, tmp_path: Path, readers: int, count: int, batch: int
) -> None:
    address = ClusterAddress.parse(servers.address(name))
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    Timeline.create(first, title="Story").close()
    membership.init(address, str(first), "first")
    membership.join(address, str(second), "second", reads_only=True)
    with Timeline.open(second) as reader:
        reader.catch_up()
        with Timeline.open(first) as writer:
            made = iter(events(count))
            while some := [*itertools.islice(made, batch)]:
                writer.record(some)
        with serving("timeline", "-d", second, "serve", cwd=tmp_path) as url:
            asked = Readers(url, "second", batch)
            with asked.reading(readers):
                assert reader.catch_up() == count
    assert asked.problems == []
    assert asked.answers >= readers
    assert storage.connect(second).execute("SELECT count(*) FROM events").fetchone() == (count,)
