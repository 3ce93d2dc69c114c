"""What is quick stays so: the work of a page does not grow with the timeline. Nothing is timed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap

from timeline import Timeline
from timeline.model.content import Said
from timeline.projection import facet_segments, tables
from timeline.proof import verify
from timeline.reading import facet_index, indexed_search, past_tables
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.site.views.address import Address
from timeline.site.views.browse import browse
from timeline.store import storage

FEW, MANY = 400, 4_000


def build(path: Path, count: int) -> None:
    """As many events a day, in as many places, of as many actors, whatever the count.

    The reports are of 100 days, in the order of the events.
    """
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {
                "event_id": f"e-{number:05d}",
                "title": f"Event {number} of something{number % 40}",
                "occurred": (date(2000, 1, 1) + timedelta(days=number)).isoformat(),
                "event_type": ("CONSULT", "AID")[number % 2],
                "place": {"name": f"Town {number % 20}", "lat": f"{number % 20}.5", "lon": "30"},
                "participants": [{"name": f"Actor {number % 30}"}],
                "tags": [f"tag-{number % 10}"],
                "citations": [{"source": {"url": f"https://example.org/{number % 15}"}}],
                "reported_at": (date(2025, 1, 1) + timedelta(number * 100 // count)).isoformat(),
            }
            for number in range(count)
        )
        timeline.correct(
            {f"e-{number:05d}": {"tags.-": "late"} for number in range(0, count, 9)},
            reason="late",
            reported_at="2025-03-01",
        )


@pytest.fixture(scope="module")
def timelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    folder = tmp_path_factory.mktemp("sizes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_segments, "SIZE", 256)
        for count in (FEW, MANY):
            build(folder / f"{count}.db", count)
        yield [folder / f"{count}.db" for count in (FEW, MANY)]


def work(connection: sqlite3.Connection, index: FacetIndex, address: Address) -> tuple[int, int]:
    """How many SQL statements a page takes, and how many steps SQLite."""
    statements: list[str] = []
    steps: list[None] = []
    browse(connection, address, index)  # what is worked out once
    connection.set_trace_callback(statements.append)
    connection.set_progress_handler(lambda: steps.append(None), 10)
    browse(connection, address, index)
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 10)
    return len(statements), len(steps)


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address(order="oldest"),
        Address(chosen=(("type", "AID"),)),
        Address(chosen=(("type", "AID"), ("actor", "Actor 4"), ("tag", "tag-4"))),
        Address(since="2000-02", until="2000-03"),
        Address(as_of="#{middle}"),
        Address(as_of="#{middle}", chosen=(("type", "AID"),)),
        Address(as_reported="2025-02-20"),
        Address(as_reported="2025-03-10", chosen=(("type", "AID"),)),
        Address(as_reported="2025-02-20", as_of="#{middle}", chosen=(("type", "AID"),)),
    ],
    ids=lambda address: address.query(),
)
def test_a_page_of_ten_times_the_events_takes_no_more_statements_and_steps(
    address: Address, timelines: list[Path]
) -> None:
    taken = []
    for path in timelines:
        with contextlib.closing(storage.connect(path)) as connection:
            index = facet_index.current(connection, None)
            assert index is not None
            asked = address._replace(as_of=address.as_of.format(middle=index.seq // 2))
            taken.append(work(connection, index, asked))
    (few_statements, few_steps), (many_statements, many_steps) = taken
    assert many_statements <= few_statements
    assert many_steps <= few_steps * 1.5


def test_an_append_writes_no_segment_before_it_is_full(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facet_segments, "SIZE", 8)
    with contextlib.closing(storage.connect(path)) as connection:
        stored = []
        for number in range(1, 17):  # entry 0 is that of the log
            timeline.record({"event_id": f"e-{number:02d}", "title": "x", "occurred": "2025"})
            (segments,) = connection.execute(
                "SELECT count(DISTINCT segment) FROM facet_segments"
            ).fetchone()
            stored.append(segments)
        assert stored == [0] * 6 + [1] * 8 + [2] * 2
        index = facet_index.current(connection, None)
        assert index is not None
        assert len(index.alive()) == 16


def test_segments_that_a_large_append_fills_are_those_of_a_rebuild(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facet_segments, "SIZE", 7)
    with timeline.append() as append:
        for number in range(60):
            source = {"url": f"https://example.org/{number % 9}"}
            fields = {"title": f"Event {number}", "occurred": "2025", "tags": [f"t-{number % 3}"]}
            append.record({**fields, "event_id": f"e-{number}", "citations": [{"source": source}]})
            if number % 5 == 4:
                append.correct(f"e-{number - 2}", {"tags.-": "late"}, Said(reason="late"))
    with contextlib.closing(storage.connect(path)) as connection:
        segments = connection.execute(
            "SELECT count(DISTINCT segment) FROM facet_segments"
        ).fetchone()
        entries = connection.execute("SELECT count(*) FROM log").fetchone()
    assert segments == (sum(divmod(entries[0] // 7, facet_segments.JOINED)),)
    assert verify.verify(path).findings == []


class Counting(BitMap):
    """A set that counts how often it is intersected to count."""

    times = 0

    def intersection_cardinality(self, other: BitMap) -> int:
        Counting.times += 1
        return super().intersection_cardinality(other)


@pytest.mark.parametrize(
    ("chosen", "most"),
    [(range(0, 100_000, 100), 100), (range(0, 100_000, 3), 60)],
    ids=["of few events", "of many"],
)
def test_of_a_facet_of_many_values_few_sets_are_intersected(
    chosen: range, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "times", 0)
    sets = {number: BitMap(range(number, 100_000, number + 1)) for number in range(2_000)}
    index = facet_index.EMPTY._replace(seq=99_999, postings={"actor": sets}, columns={}, kept={})
    found, total = index.most("actor", Counting(chosen), 8)
    assert Counting.times <= most
    assert len(found) < 100
    assert total == len(facet_index.counts(sets, BitMap(chosen)))


def test_a_search_is_made_once_until_something_is_appended(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed_search, "_SEARCHES", 2)
    timeline.record(
        {"event_id": f"e-{number}", "title": f"Talks {number}", "occurred": "2025"}
        for number in range(9)
    )
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        statements: list[str] = []
        connection.set_trace_callback(statements.append)

        def made(words: str) -> int:
            """How many searches it takes to search once more."""
            statements.clear()
            indexed_search.found(connection, index, words, NOW)
            return len([sql for sql in statements if "MATCH" in sql])

        assert [made(words) for words in ("talks", "talks", "1", "talks", "2", "talks", "1")] == [
            *(1, 0, 1, 0, 1, 0, 1)
        ]
        timeline.record({"event_id": "last", "title": "Talks, the last", "occurred": "2025"})
        index = facet_index.current(connection, index)
        assert index is not None
        assert made("talks") == 1
        assert len(indexed_search.found(connection, index, "talks", NOW)) == 10


def test_what_counted_at_a_moment_is_worked_out_once_for_several_moments_in_turn(
    timelines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facet_index, "_MOMENTS", 3)
    worked_out: list[AsOf] = []
    alive = FacetIndex._alive
    monkeypatch.setattr(
        FacetIndex, "_alive", lambda self, point: worked_out.append(point) or alive(self, point)
    )
    with contextlib.closing(storage.connect(timelines[0])) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        early, middle, late = AsOf(3), AsOf(reported="2025-02-20T23:59:59.999999Z"), AsOf(300)
        for point in (NOW, early, middle, late, NOW, early, middle, late):
            assert len(index.alive(point)) <= FEW
        assert worked_out == [early, index.within(middle), late]
        index.alive(AsOf(4))
        index.alive(early)
        assert worked_out[3:] == [AsOf(4), early]


def test_tables_of_the_past_are_made_once_and_then_copied(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    made: list[sqlite3.Connection] = []
    create = tables.create
    monkeypatch.setattr(tables, "create", lambda *to: made.append(to[0]) or create(*to))
    past_tables._empty_tables.cache_clear()
    point = NOW._replace(seq=1)
    with contextlib.closing(storage.connect(path)) as connection:
        for _ in range(3):
            with tables_as_of(connection, point, [1]) as past:
                assert Selection(past).count() == 1
    assert len(made) == 1


def test_a_search_in_the_past_looks_anew_into_rewritten_events_only(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline.record(
        {"event_id": f"e-{number}", "title": f"Talks {number}", "occurred": "2025"}
        for number in range(20)
    )
    figure = {"quantities.-": {"measure": "killed", "value": 3}}
    timeline.update({f"e-{number}": figure for number in range(20)})
    timeline.update({"e-3": {"title": "Strike 3"}})
    looked_into: list[int] = []
    contents = facet_index.contents

    def looked(connection: sqlite3.Connection, seqs: Iterable[int]) -> Iterator[Any]:
        for each in contents(connection, seqs):
            looked_into.append(each[0])
            yield each

    monkeypatch.setattr(indexed_search, "contents", looked)
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        point = AsOf(seq=20)
        assert (
            len(indexed_search.found(connection, index, "talks", point) & index.alive(point)) == 20
        )
    assert looked_into == [4]


def test_so_many_are_chosen_that_a_connection_takes_no_text_of_them_all(
    timelines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Datasette's connections, which take none of 5 MB: here 4,000 events are as many."""
    monkeypatch.setattr(facet_index, "_AT_ONCE", 500)
    with (
        contextlib.closing(storage.connect(timelines[1])) as free,
        contextlib.closing(storage.connect(timelines[1])) as connection,
    ):
        index = facet_index.current(free, None)
        assert index is not None
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 9_000)
        every = {"state": "all"}
        for text in (None, "something*", "event"):
            theirs = Selection(free, every, text)
            ours = IndexedSelection(connection, index, every, text)
            assert ours.count() == theirs.count() == MANY
            assert ours.newest() == theirs.newest()
            assert [*ours.in_order_of_the_log()] == [*theirs.in_order_of_the_log()]
        before = MANY - 1  # no event was corrected yet
        point = AsOf(seq=before)
        with (
            tables_as_of(free, point) as past,
            contextlib.closing(
                IndexedSelection(connection, index, every, "something", point=point)
            ) as ours,
        ):
            theirs = Selection(past, every, "something")
            assert ours.count() == theirs.count()
            assert ours.page().rows == theirs.page().rows
