"""The facet index answers as the tables do: over any story, any selection, kept up or made anew."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import ACTORS, DAYS, NAMES, Operation, begin, erase, stories, tell
from pyroaring import BitMap
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.model.names import actor_id_of
from timeline.projection import facet_segments
from timeline.projection.tables import rebuild
from timeline.reading import (
    facet_columns,
    facet_index,
    indexed_selection,
    selection,
)
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.filters import MATCHED
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.reading.spans import EventSpans
from timeline.site.views.axis import axis_of
from timeline.store import storage

_INDEXED = {*selection.FACETS} - {"year", "month"}
_ALSO = {
    "event_type": ["AID"],
    "actor": ["Mark Rutte", "nobody"],
    "country": ["UKR", "Netherlands"],
    "tag": ["łódź"],
    "source": ["paper", "https://example.org/a"],
    "state": ["retracted"],
    "at_risk": ["1"],
}
_some = st.lists
_filters = {
    "event_type": _some(st.sampled_from(("CONSULT", "Assault", "AID")), min_size=1),
    "actor": _some(
        st.sampled_from((*NAMES, *map(actor_id_of, NAMES), *ACTORS, "nato", "nobody")),
        min_size=1,
        max_size=3,
    ),
    "country": _some(st.sampled_from(("UKR", "Netherlands")), min_size=1),
    "tag": _some(st.sampled_from(("war", "PEACE", "łódź")), min_size=1),
    "source": _some(st.sampled_from(("paper", "radio", "https://example.org/a")), min_size=1),
    "place": st.sampled_from(("odesa", "Sumy")),
    "area": st.sampled_from(("30,46,31,47", "31,46,30,47", "30.7,46.5,30.7,46.5")),
    "modality": st.just(["planned"]),
    "verification": _some(st.sampled_from(("disputed", "reported")), min_size=1),
    "precision": _some(st.sampled_from(("day", "month", "quarter", "open")), min_size=1),
    "at_risk": _some(st.sampled_from(("yes", "no")), min_size=1),
    "highlight": _some(st.sampled_from(("yes", "no")), min_size=1),
    "state": _some(st.sampled_from(("current", "retracted", "merged", "all")), min_size=1),
    "since": st.sampled_from((*DAYS, "2025-04-15T09:00", "2026")),
    "until": st.sampled_from((*DAYS, "2025-04-15T11:00", "2024")),
}
_filters |= {f"not_{name}": _filters[name] for name in _INDEXED}
_filters["not_state"] = _some(st.sampled_from(("current", "retracted", "merged")), min_size=1)
_all_of = st.lists(st.sampled_from(MATCHED), unique=True).map(
    lambda names: {f"{name}_match": "all" for name in names}
)
_ranges = st.just({}) | st.fixed_dictionaries(
    {"measure": _some(st.sampled_from(("killed", "Pledged", "lost")), min_size=1)},
    optional={
        "unit": st.sampled_from(("EUR", "person")),
        "at_least": st.sampled_from((None, 20, 34, 34.5)),
        "at_most": st.sampled_from((None, 34.5, "35", 40, "1" + "0" * 30)),
    },
)
filters = st.builds(
    lambda chosen, match, figures: {**chosen, **match, **figures},
    st.dictionaries(st.sampled_from([*_filters]), st.none(), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: _filters[name] for name in names})
    ),
    _all_of,
    _ranges,
)
texts = st.none() | st.sampled_from(("odesa", "orban", "talks od", "nothing"))


@pytest.fixture(scope="module", autouse=True)
def segments_of_eight_entries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_segments, "SIZE", 8)
        patch.setattr(facet_segments, "JOINED", 2)
        yield


def everything(chosen: Selection) -> dict[str, Any]:
    """All that can be asked of a selection."""
    pages = []
    rows = chosen.page(oldest_first=True, size=1_000).rows
    for before, row, after in zip([None, *rows], rows, [*rows[1:], None], strict=False):
        found = chosen.neighbours(row)
        assert [each and each["event_id"] for each in found] == [
            each and each["event_id"] for each in (before, after)
        ]
    for oldest_first in (False, True):
        after = None
        while True:
            page = chosen.page(after=after, oldest_first=oldest_first, size=2)
            ids = [row["event_id"] for row in page.rows]
            listed = chosen.page_of_ids(after=after, oldest_first=oldest_first, size=2)
            assert listed == (ids, page.after)
            pages.append(ids)
            after = page.after
            if after is None:
                break
    return {
        "count": chosen.count(),
        "corrected": chosen.corrected(),
        "choices": {
            name: [
                chosen.choices(name),
                *(chosen.choices(name, limit, _ALSO.get(name, ())) for limit in (1, 2)),
            ]
            for name in sorted(_INDEXED)
        },
        "measures": chosen.measures(),
        **times(chosen.spans()),
        "axis": axis_of(chosen),
        "points": chosen.map_rows(chosen.points()),
        "types": [chosen.event_types_at([point]) for point in chosen.points()],
        "pages": pages,
        "newest": chosen.newest(3),
        "log": [*chosen.in_order_of_the_log()],
    }


def times(chosen: EventSpans) -> dict[str, Any]:
    """All that can be asked of the spans of a selection."""
    spans = chosen.months(), chosen.days("2025-03", "2025-04")
    several = [[each[:2] for each in some] for some in spans]
    cells = [*several, *([each] for some in several for each in some)]
    groups = {"talk": ["CONSULT"], "help": ["AID"]}
    return {
        "months and days": spans,
        "groups": chosen.by_group(cells, groups),
        "dated": [chosen.dated(each) for each in cells],
    }


def agree_then(
    connection: sqlite3.Connection,
    index: FacetIndex | None,
    point: AsOf,
    chosen: dict[str, Any],
    text: str | None,
) -> None:
    """As of a point on both clocks, the index answers as the tables of then do."""
    assert index is not None
    with (
        tables_as_of(connection, point) as tables,
        contextlib.closing(IndexedSelection(connection, index, chosen, text, point=point)) as found,
    ):
        assert everything(found) == everything(Selection(tables, chosen, text))


def agree(
    connection: sqlite3.Connection,
    index: FacetIndex | None,
    chosen: dict[str, Any],
    text: str | None,
) -> None:
    assert index is not None
    assert everything(IndexedSelection(connection, index, chosen, text)) == everything(
        Selection(connection, chosen, text)
    )


@pytest.fixture(scope="module", params=[0, 4, 10_000])
def sparse(request: pytest.FixtureRequest) -> Iterator[None]:
    """Counted always in columns, where there are few events, and always over sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_index, "_MANY", 1)
        patch.setattr(facet_index, "_SPARSE", request.param)
        patch.setattr(facet_columns, "_LARGE", 3)
        patch.setattr(facet_columns, "_WORTHWHILE", 1 + request.param)
        yield


@pytest.mark.usefixtures("sparse")
@settings(max_examples=12)
@given(stories, st.lists(st.tuples(filters, texts), min_size=1, max_size=4))
def test_the_index_answers_as_the_tables_do_after_every_append(
    story: list[list[Operation]], asked: list[tuple[dict[str, Any], str | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with (
            Timeline.create(path, title="T", now=TickingClock()) as timeline,
            contextlib.closing(storage.connect(path)) as connection,
        ):
            begin(timeline)
            index = facet_index.current(connection, None)
            for append_of in story:
                tell(timeline, append_of)
                index = facet_index.current(connection, index)
                for chosen, text in asked:
                    agree(connection, index, chosen, text)
            made_anew = facet_index.current(connection, None)
            assert made_anew is not None
            assert index is not None
            assert made_anew._replace(columns={}, kept={}) == index._replace(columns={}, kept={})
            for chosen, text in asked:
                agree(connection, made_anew, chosen, text)


@pytest.mark.usefixtures("sparse")
@settings(max_examples=12)
@given(stories, st.lists(st.tuples(filters, texts), min_size=1, max_size=3), st.randoms())
def test_the_index_answers_for_any_point_on_both_clocks_as_the_tables_of_then_do(
    story: list[list[Operation]], asked: list[tuple[dict[str, Any], str | None]], chance: Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with (
            Timeline.create(path, title="T", now=TickingClock()) as timeline,
            contextlib.closing(storage.connect(path)) as connection,
        ):
            begin(timeline)
            index = facet_index.current(connection, None)
            for append_of in story:
                tell(timeline, append_of)
                index = facet_index.current(connection, index)
            assert index is not None
            for chosen, text in asked:
                for point in points(connection, index.seq, chance):
                    agree_then(connection, index, point, chosen, text)


def points(connection: sqlite3.Connection, newest: int, chance: Random) -> list[AsOf]:
    """Points on the recorded clock, on the clock of reports, and on both at once."""
    seqs = -1, 0, chance.randint(1, newest), newest
    reports = [
        parse_as_of(connection, as_reported=moment).reported
        for moment in (
            *("2025-04-12", chance.choice(DAYS), "2025-04-15T10:15", f"#{chance.choice(seqs[1:])}"),
        )
    ]
    return [
        *(AsOf(seq=seq) for seq in seqs),
        *(AsOf(reported=reported) for reported in reports),
        AsOf(chance.choice(seqs), chance.choice(reports)),
    ]


@pytest.mark.parametrize("few", [0, indexed_selection._FEW])
def test_a_page_is_the_same_whether_it_is_looked_up_or_walked_to(
    few: int, path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed_selection, "_FEW", few)
    timeline.record(
        {
            "event_id": f"e-{number:02d}",
            "title": f"Event {number}",
            "occurred": f"2025-04-{number % 7 + 1:02d}" if number % 5 else "../2025-04-03",
            "tags": ["odd"] if number % 2 else [],
        }
        for number in range(40)
    )
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        for chosen in ({}, {"tag": "odd"}, {"tag": "none"}):
            agree(connection, index, chosen, None)


def test_an_index_that_is_ahead_is_not_used(path: Path, timeline: Timeline) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    with contextlib.closing(storage.connect(path)) as early:
        early.execute("BEGIN")
        before = facet_index.current(early, None)
        timeline.record({"event_id": "two", "title": "Two", "occurred": "2025"})
        with contextlib.closing(storage.connect(path)) as late:
            after = facet_index.current(late, before)
            assert after is not None
            assert before is not None
            assert (len(before.alive()), len(after.alive())) == (1, 2)
            assert facet_index.current(early, after) is None
            assert facet_index.current(early, before) is before


def test_what_did_not_change_is_shared_and_what_did_is_not(path: Path, timeline: Timeline) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025", "tags": ["a"]})
    with contextlib.closing(storage.connect(path)) as connection:
        before = facet_index.current(connection, None)
        timeline.record({"event_id": "two", "title": "Two", "occurred": "2025", "tags": ["b"]})
        after = facet_index.current(connection, before)
        assert before is not None
        assert after is not None
        assert {*before.postings["tag"]} == {"a"}
        assert after.postings["tag"]["a"] is before.postings["tag"]["a"]
        agree(connection, after, {}, None)


def test_an_erasure_and_another_log_make_the_index_anew(path: Path, timeline: Timeline) -> None:
    timeline.record({"event_id": "one", "title": "One", "occurred": "2025", "tags": ["secret"]})
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        erase(path, 1)
        with contextlib.closing(storage.connect(path, write=True)) as writer:
            rebuild(writer)
        index = facet_index.current(connection, index)
        assert index is not None
        assert index.postings["tag"] == {}
        stranger = index._replace(leaf=b"of another log", postings={})
        anew = facet_index.current(connection, stranger)
        assert anew is not None
        assert anew._replace(columns={}, kept={}) == index._replace(columns={}, kept={})


def test_a_search_in_the_past_finds_what_stood_then_whatever_was_changed_or_erased_since(
    path: Path, timeline: Timeline
) -> None:
    kept = {"occurred": "2025", "place": {"name": "Odesa"}, "participants": [{"name": "NATO"}]}
    for event_id in ("same", "figure", "moved", "renamed", "erased", "between", "back"):
        timeline.record({"event_id": event_id, "title": f"Talks {event_id}", **kept})
    then = timeline.list()[0]["seq"] + 6
    figure = {"quantities.-": {"measure": "killed", "value": 3}}
    for event_id in ("figure", "moved", "renamed", "erased", "between", "back"):
        timeline.update({event_id: figure})
    timeline.update({"moved": {"place.name": "Sumy"}, "renamed": {"title": "Strike"}})
    timeline.update({"between": {"title": "Strike"}, "back": {"title": "Strike"}})
    timeline.update({"between": {"title": "War"}, "back": {"title": "Talks back"}})
    timeline.retract("figure", reason="no")
    versions = {row["version"]: row["seq"] for row in timeline.history("between")}
    erase(path, timeline.get("erased")["seq"], versions[3])
    with contextlib.closing(storage.connect(path, write=True)) as writer:
        rebuild(writer)
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        for seq in range(then + 15):
            for text in ("talks", "odesa", "nato", "strike", "sumy", "war", "erased"):
                agree_then(connection, index, AsOf(seq), {}, text)
                agree_then(connection, index, AsOf(seq), {"state": "all"}, text)


def test_who_is_no_actor_of_today_is_found_in_the_past_by_id_and_by_name(
    path: Path, timeline: Timeline
) -> None:
    for event_id, who in (
        ("by-name", {"name": "NATO"}),
        ("by-id", {"actor_id": "nnn", "name": "N"}),
    ):
        timeline.record(
            {"event_id": event_id, "title": "T", "occurred": "2025", "participants": [who]}
        )
    timeline.update({event_id: {"participants": None} for event_id in ("by-name", "by-id")})
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        for actor in ("NATO", "nato", actor_id_of("NATO"), "nnn", "N"):
            agree_then(connection, index, AsOf(2), {"actor": actor}, None)
        chosen = IndexedSelection(connection, index, {"actor": "nnn"}, point=AsOf(2))
        assert chosen.count() == 1


def test_an_empty_file_has_no_index() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE log (seq, leaf)")
        assert facet_index.current(connection, None) is None


def test_every_single_filter_of_the_demonstration_is_answered_as_the_tables_do(
    tmp_path: Path,
) -> None:
    path = tmp_path / "demo.db"
    demo.build(path)
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.record_actor({"actor_id": "secretary", "name": "Secretary General"})
        append.record_actor({"actor_id": "rutte", "name": "Mark Rutte"})
        append.merge_actor("rutte", "secretary")
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        days = [f"2025-{month:02d}-{day:02d}" for month in (2, 3, 4) for day in range(1, 29, 3)]
        asked: list[dict[str, Any]] = [
            *({name: day} for name in ("since", "until") for day in days),
            *({"since": "2025-04-15T10:00", "until": until} for until in days),
            {"actor": "rutte"},
            {"actor": "secretary"},
            {"actor": "Mark Rutte"},
            {"place": "odesa"},
            {"source": "NATO"},
            *(
                {name: [row["value"]]}
                for name in sorted(_INDEXED)
                for row in Selection(connection, {"state": "all"}).choices(name).rows
            ),
        ]
        for chosen in asked:
            agree(connection, index, chosen, None)
        for text in ("odesa", "rutte", "black sea", '"black sea" secur'):
            agree(connection, index, {}, text)


_values = st.sampled_from("abcdefgh")
_entries = st.lists(st.sets(_values, max_size=5), max_size=40)


def sets_of(entries: list[set[str]], start: int = 0) -> dict[str, BitMap]:
    """The entries, from one on, that have each value."""
    found: dict[str, BitMap] = {}
    for seq, values in enumerate(entries[start:], start):
        for value in values:
            found.setdefault(value, BitMap()).add(seq)
    return found


@given(
    *(_entries, st.lists(_entries, max_size=3), st.sets(st.integers(0, 160))),
    *(st.integers(1, 40), st.integers(1, 10)),
)
def test_columns_count_what_sets_do_also_of_what_came_later_and_came_twice(
    entries: list[set[str]],
    more: list[list[set[str]]],
    asked: set[int],
    worthwhile: int,
    large: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_columns, "_WORTHWHILE", worthwhile)
        patch.setattr(facet_columns, "_LARGE", large)
        patch.setattr(facet_columns, "_NARROW", 4)
        columns = facet_columns.Columns(sets_of(entries), len(entries))
        for later in more:
            before = len(entries)
            entries = entries + later
            columns.extend(sets_of(entries, before), len(entries))
            columns.extend(sets_of(entries, before // 2), len(entries))
            columns.extend(sets_of(entries, before), before)
    chosen = BitMap(asked & {*range(len(entries))})
    counted = dict(facet_index.counts(sets_of(entries), chosen))
    assert dict(columns.counts(chosen)) == {
        value: count for value, count in counted.items() if value not in columns.large
    }


@given(_entries, st.sets(st.integers(0, 39)), st.integers(1, 4), st.sets(_values, max_size=2))
def test_the_most_frequent_values_are_all_there_whichever_way_they_are_counted(
    entries: list[set[str]], asked: set[int], limit: int, also: set[str]
) -> None:
    sets = sets_of(entries)
    chosen = BitMap(asked & {*range(len(entries))})
    counted = dict(facet_index.counts(sets, chosen))
    least = sorted(counted.values(), reverse=True)[:limit][-1:]
    wanted = {value for value, count in counted.items() if [count] >= least or value in also}
    for sparse in (0, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(facet_index, "_MANY", 1)
            patch.setattr(facet_index, "_SPARSE", sparse)
            index = facet_index.EMPTY._replace(
                seq=len(entries) - 1, postings={"tag": sets}, columns={}, kept={}
            )
            most, total = index.most("tag", chosen, limit, also=also)
            assert total == len(counted)
            assert wanted <= {*dict(most)}
            assert dict(most).items() <= counted.items()
