"""What nodes of one log do beside each other: import, fill a segment, read what others wrote."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Notebook, fork, start_forking
from foreign_entry import made
from node_states import EVENT, OTHER, check_equal, copied, publish, state
from running import PROGRAM, environment, one_line, run
from tables import derived

from timeline import Timeline
from timeline.cluster import membership
from timeline.cluster.address import ClusterAddress
from timeline.intake.foreign_entries import Following
from timeline.projection import facet_segments
from timeline.store import log, storage
from timeline.store.node import leave, node_of

pytestmark = pytest.mark.cluster

MAPPING = 'scheme = "m"\nid = "id"\n[fields]\ntitle = "title"\noccurred = "day"\n'


# --- An import --------------------------------------------------------------------------------


def append_until_told(path: Path, book: Notebook, pause: float) -> None:
    """Append again and again until there is a file `stop`, and write down how long each took."""
    signal.alarm(1200)
    with Timeline.open(path) as timeline:
        while not path.with_suffix(".stop").exists():
            since = time.monotonic()
            receipt = timeline.record({"title": "A small one", "occurred": "2025"})
            book.write(took=time.monotonic() - since, seq=receipt.seq)
            time.sleep(pause)


@pytest.mark.parametrize(
    ("rows", "pause"), [(400, 0.1), pytest.param(20_000, 0.5, marks=pytest.mark.torture)]
)
def test_an_import_ends_beside_two_sites_that_write(
    odesa: Timeline,
    kyiv: Timeline,
    address: ClusterAddress,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    rows: int,
    pause: float,
) -> None:
    start_forking()
    third = tmp_path / "third.db"
    membership.join(address, str(third), "third")
    (tmp_path / "m.toml").write_text(MAPPING)
    table = "".join(f"{number},Row {number},2025-04-15\n" for number in range(rows))
    (tmp_path / "rows.csv").write_text(f"id,title,day\n{table}")
    books = {path: Notebook(path.with_suffix(".said")) for path in (odesa.path, kyiv.path)}
    writers = [fork(append_until_told, path, book, pause) for path, book in books.items()]
    command = ["import", "mapped", "rows.csv", "--map", "m.toml"]
    importer = subprocess.run(
        [*PROGRAM, "-d", str(third), *command],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for path, writer in zip(books, writers, strict=True):
        path.with_suffix(".stop").touch()
        writer.join()
        assert writer.exitcode == 0
    assert importer.returncode == 0, importer.stderr
    took = sorted(each for book in books.values() for each in book.read("took"))
    record_property(
        "told",
        f"beside an import of {rows:,} rows: {len(took)} appends, each within {took[-1]:.1f} s,"
        f" half of them within {took[len(took) // 2]:.2f} s",
    )
    with Timeline.open(third) as timeline:
        check_equal(odesa, kyiv, timeline)
        assert state(timeline)[0] == 1 + rows + len(took)


# --- A segment of the index -------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, pytest.param(None, marks=pytest.mark.torture)])
def test_the_entry_after_a_full_segment_is_the_same_on_all_nodes(
    address: ClusterAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    if size:
        monkeypatch.setattr(facet_segments, "SIZE", size)
    size = facet_segments.SIZE
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    with Timeline.create(first, title="Story") as timeline:
        timeline.record(
            {"event_id": f"talks-{number}", "title": "Talks", "occurred": "2025", "tags": ["port"]}
            for number in range(size - 2)
        )
    membership.init(address, str(first), "first")
    membership.join(address, str(second), "second")
    with Timeline.open(first) as timeline, Timeline.open(second) as other:
        other.catch_up()
        assert timeline.record(EVENT).seq == size - 1
        assert other.record(OTHER).seq == size
        check_equal(timeline, other)
    assert derived(first) == derived(second)


# --- Entries that this version would not write ------------------------------------------------


def publish_entry(timeline: Timeline, folder: Path, payload: dict[str, object]) -> None:
    """Publish an entry as a node of another version, which takes any payload."""
    with contextlib.closing(
        storage.connect(copied(timeline, folder / "other.db"), write=True)
    ) as connection:
        before = node_of(connection)
        assert before
        leave(connection)
        newest = log.entry_at(connection, before.size - 1)
        assert newest
        with storage.immediate(connection):
            following = Following(connection, {}, note=lambda entry, said: None, folds=False)
            following.accept_batch([made(newest, payload=payload)])
            following.finish()
        publish(ClusterAddress.parse(before.cluster), connection, before)


def test_what_the_model_would_refuse_today_is_noted_and_followed(
    odesa: Timeline, kyiv: Timeline, tmp_path: Path
) -> None:
    odesa.record(EVENT)
    publish_entry(odesa, tmp_path, {"title": "T", "occurred": "2025", "colour": "red"})
    followed = run("-d", kyiv.path, "cluster", "follow", "--once")
    assert followed.exit_code == 0
    said = " ".join(followed.stderr.split())
    assert "not as this version would write it: #2: payload.colour: is not a field" in said
    assert odesa.record(OTHER).seq == 3
    check_equal(odesa, kyiv)


def test_what_cannot_be_folded_stops_a_node_and_is_named(
    odesa: Timeline, kyiv: Timeline, tmp_path: Path
) -> None:
    odesa.record(EVENT)
    publish_entry(odesa, tmp_path, {"occurred": "2025"})
    before = state(odesa)
    append = ["append", "--title", "Strike", "--occurred", "2025"]
    for path in (kyiv.path, odesa.path):
        for command in (["cluster", "follow", "--once"], append):
            line = one_line(run("-d", path, *command))
            assert 'message 3 (Timeline-Node "stranger"): entry 2 cannot be put into' in line
    assert state(odesa) == state(kyiv) == before
