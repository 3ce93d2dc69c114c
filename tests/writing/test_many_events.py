"""Many events, of which another process prepares the most, become what `record` makes of each."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from helped import all_answered, none_answered
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EVENT_IDS, SOURCE_IDS, events, sources
from tables import everything
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidInput, StorageFull, TimelineError
from timeline.model.content import Said
from timeline.projection import facet_segments, projector
from timeline.store import codec, helper_process
from timeline.writing import many_events
from timeline.writing.many_events import ManyEvents
from timeline.writing.prepared import Prepared
from timeline.writing.receipt import Receipt

Statements = list[dict[str, Any]]


class Outcome:
    """What an append of these statements left: its file, its receipts, names, notes and error."""

    def __init__(self, path: Path, statements: Iterable[Mapping[str, Any]]) -> None:
        salts = iter(range(10**9))
        self.error = ""
        self.receipts: list[Receipt] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(codec.os, "urandom", lambda size: next(salts).to_bytes(size, "big"))
            clock = TickingClock()
            with (
                Timeline.create(path, title="Story", origin="example.org", now=clock) as timeline,
                timeline.append() as append,
            ):
                for source_id in SOURCE_IDS:
                    append.record_source({"source_id": source_id, "title": source_id})
                for event_id in EVENT_IDS:
                    append.record({"event_id": event_id, "title": "T", "occurred": "2025"})
                append.record_actor({"actor_id": "nato", "name": "NATO", "aliases": ["OTAN"]})
                try:
                    self.receipts += append.record_each(statements)
                except TimelineError as error:
                    self.error = str(error)
                self.names, self.notes = [*append.names], [*append.notes]
        self.tables = everything(path)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
            self.schema = {*schema.fetchall()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


@contextlib.contextmanager
def helped() -> Iterator[list[Prepared]]:
    """Prepare all statements; the list has those that were recorded as they were prepared."""
    taken: list[Prepared] = []
    record = ManyEvents.record_prepared

    def counted(self: ManyEvents, prepared: Prepared) -> Receipt | None:
        receipt = record(self, prepared)
        taken.extend([prepared] if receipt else [])
        return receipt

    with all_answered(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(ManyEvents, "record_prepared", counted)
        yield taken


def both(folder: Path, statements: Statements) -> tuple[Outcome, Outcome, list[Prepared]]:
    with none_answered():
        one = Outcome(folder / "one.db", statements)
    with helped() as taken:
        many = Outcome(folder / "many.db", statements)
    return one, many, taken


@settings(max_examples=25)
@given(statements=st.lists(events(inline=sources), min_size=1, max_size=6))
def test_what_was_prepared_is_what_record_makes(
    statements: Statements, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one, many, _ = both(tmp_path_factory.mktemp("both"), statements)
    assert many == one


ORDINARY: Statements = [
    {"title": "Only these", "occurred": "2025"},
    {"event_id": "own-id", "title": "Łódź \u2013 \u201ctalks\u201d", "occurred": "April 2025"},
    {"title": 'A slash /, \\u0000 and "\\\\u0000"', "occurred": "2025", "summary": "a\nb"},
    {
        "title": "Everything",
        "occurred": "2025-04-15T10:00+02:00",
        "event_type": "Consultation",
        "contexts": ["military", "Military"],
        "tags": ["B", "b"],
        "place": {"name": "Łódź ", "country": "Poland", "lat": "51.77", "lon": "19.46"},
        "about_place": {"name": "Nowhere", "lat": "0", "lon": "0"},
        "participants": [{"name": "OTAN"}, {"actor_id": "nato", "name": "Nato"}, {"name": "Al"}],
        "quantities": [{"measure": "killed", "low": 3, "qualifier": "at_least"}],
        "claims": [{"speaker": "A", "statement": "B"}],
        "citations": [
            {"source": {"url": "https://example.org/a", "title": "A"}, "credibility": 2},
            {"source_id": "nato-press"}
            if "nato-press" in SOURCE_IDS
            else {"source_id": SOURCE_IDS[0]},
            {"source": {"url": "https://example.org/a", "title": "A"}},
        ],
        "verification": "corroborated",
        "highlight": True,
        "external_ids": ["made:1"],
        "extra": {"z": {"a": "b"}, "a": {"c": "d"}},
        "author": "marta",
        "reason": "why",
        "reported_at": "2025-04-16",
    },
    {"title": "By a model", "occurred": "2025", "proposed_by": "a model"},
    {
        "title": "Not corroborated",
        "occurred": "2025",
        "verification": "corroborated",
        "citations": [{"source": {"title": "Alone"}}],
    },
]
"""Statements that another process prepares."""

UNUSUAL: Statements = [
    {"event_id": EVENT_IDS[0], "title": "T", "occurred": "2025"},
    {"title": "Tie", "occurred": "2025", "relations": [{"type": "follows", "event_id": "later"}]},
    {"event_id": "later", "title": "Later", "occurred": "2025"},
    {
        "title": "Quoted",
        "occurred": "2025",
        "citations": [{"source_id": SOURCE_IDS[0], "quote": "some words of it"}],
    },
    {
        "title": "Figures",
        "occurred": "2025",
        "quantities": [{"measure": "killed", "value": 1, "source_ids": [SOURCE_IDS[0]]}],
    },
]
"""Statements that take the ordinary way."""


def test_only_unusual_statements_take_the_ordinary_way(tmp_path: Path) -> None:
    one, many, taken = both(tmp_path, [*ORDINARY, *UNUSUAL])
    assert not one.error
    assert many == one
    assert [each.told["occurred"] for each in taken] == [
        receipt.occurred for receipt in one.receipts[: len(ORDINARY)]
    ] + ["2025"]
    assert len(many.notes) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "T", "occurred": "no date"},
        {"title": "T"},
        {"title": "T", "occurred": "2025", "event_type": "Nonsense"},
        {"event_id": EVENT_IDS[0], "title": "Another", "occurred": "2025"},
        {"title": "T", "occurred": "2025", "citations": [{"source_id": "nobody"}]},
        {
            "title": "T",
            "occurred": "2025",
            "citations": [{"source": {"source_id": SOURCE_IDS[0], "title": "Another"}}],
        },
        {"title": "T", "occurred": "2025", "reported_at": "same"},
        {"event_id": "second", "title": "T", "occurred": "2025", "external_ids": ["made:1"]},
        {"title": "T\u202e", "occurred": "2025"},
        {"title": "T", "occurred": "2025", "summary": "x" * 5 * 2**20},
    ],
)
def test_an_error_comes_in_its_turn_with_the_same_words(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    one, many, _ = both(tmp_path, [*ORDINARY, wrong, {"title": "Behind", "occurred": "2025"}])
    assert one.error
    assert many == one
    assert len(many.receipts) == len(ORDINARY)


@pytest.mark.parametrize("count", [0, 3, 499, 500, 501, 510, 563, 564, 565, 600])
def test_an_input_that_breaks_off_is_recorded_up_to_there(count: int, tmp_path: Path) -> None:
    def cut() -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"title": f"Event {number}", "occurred": "2025"}
        raise InvalidInput("", "breaks off")

    outcome = Outcome(tmp_path / "story.db", cut())
    assert outcome.error == "breaks off"
    assert [receipt.version for receipt in outcome.receipts] == [1] * count


def test_a_statement_that_is_changed_behind_its_turn_is_recorded_as_it_was(tmp_path: Path) -> None:
    def reused() -> Iterator[dict[str, Any]]:
        statement: dict[str, Any] = {"occurred": "2025"}
        for number in range(200):
            statement["title"] = f"Event {number}"
            yield statement

    with helped() as taken:
        many = Outcome(tmp_path / "many.db", reused())
    titles = {row[1] for row in many.tables["events"]}
    assert {f"Event {number}" for number in range(200)} <= titles
    assert len(taken) == 200


def test_new_words_of_the_log_count_from_then_on(timeline: Timeline) -> None:
    vocabulary = {"event_types": [{"code": "talk", "label": "Talk"}]}
    statements = [
        {"title": str(number), "occurred": "2025", "event_type": "talk" if number else None}
        for number in range(20)
    ]
    with helped(), timeline.append() as append:
        recorded = append.record_each(statements)
        next(recorded)
        append.update_log([("vocabulary", vocabulary)])
        assert len([*recorded]) == 19


def test_segments_of_the_facet_index_are_those_that_the_log_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facet_segments, "SIZE", 64)
    monkeypatch.setattr(projector, "_LONG", 10)
    monkeypatch.setattr(projector, "_BATCH", 16)
    path = tmp_path / "story.db"
    with helped(), Timeline.create(path, title="Story") as timeline, timeline.append() as append:
        for number in range(0, 300, 30):
            for event in append.record_each(
                {
                    **ORDINARY[3],
                    "citations": [],
                    "event_id": f"e-{n:03d}",
                    "external_ids": [f"made:{n}"],
                }
                for n in range(number, number + 30)
            ):
                if event.seq % 7 == 0:
                    append.correct(event.id, {"title": "Corrected"}, Said(reason="r"))
                if event.seq % 11 == 0:
                    append.retract(event.id, Said(reason="r"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        stored = connection.execute("SELECT * FROM facet_segments ORDER BY 1, 2, 3").fetchall()
        assert {segment for _, _, segment, _ in stored} >= {0, 1, 2, 3}
        connection.execute("DELETE FROM facet_segments")
        for segment in sorted({segment for _, _, segment, _ in stored}):
            facet_segments.write(connection, segment, "UTC")
        again = connection.execute("SELECT * FROM facet_segments ORDER BY 1, 2, 3").fetchall()
    assert stored == again


def test_every_index_is_there_whatever_the_append_did(tmp_path: Path) -> None:
    def indexes(path: Path) -> list[tuple[str]]:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
            ).fetchall()

    path = tmp_path / "story.db"
    with Timeline.create(path, title="Story") as timeline:
        wanted = indexes(path)
        with all_answered():
            with timeline.append() as append:  # it never takes the last receipt
                recorded = append.record_each(ORDINARY)
                next(recorded)
                assert len([*append.record_each([{"title": "Other", "occurred": "2025"}])]) == 1
            assert indexes(path) == wanted
            with timeline.append() as append:
                for receipt in append.record_each([{"title": "A", "occurred": "2025"}] * 2):
                    append.correct(receipt.id, {"title": receipt.id}, Said(reason="r"))
            assert indexes(path) == wanted
            with timeline.append() as append, contextlib.suppress(InvalidInput):
                list(append.record_each([{"title": "B", "occurred": "2025"}, {}]))
            assert indexes(path) == wanted
    assert recorded is not None


def test_another_process_prepares_the_most_of_many_events(tmp_path: Path) -> None:
    if not helper_process.is_possible():
        pytest.fail("this test needs two processors")
    taken = []
    record = ManyEvents.record_prepared

    def counted(self: ManyEvents, prepared: Prepared) -> Receipt | None:
        receipt = record(self, prepared)
        taken.append(receipt is not None)
        return receipt

    def until_enough() -> Iterator[dict[str, Any]]:
        for number in range(200_000):
            yield {"title": f"Event {number}", "occurred": "2025"}
            if sum(taken) > 500:
                return

    path = tmp_path / "story.db"
    with Timeline.create(path, title="Story") as timeline, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ManyEvents, "record_prepared", counted)
        with timeline.append() as append:
            titles = [receipt.seq for receipt in append.record_each(until_enough())]
    assert titles == [*range(1, len(titles) + 1)]
    assert events_in(path) == len(titles)
    assert sum(taken) > 500


@pytest.mark.parametrize(
    "moments", [[0, 7], pytest.param([*range(60)], marks=pytest.mark.torture, id="every moment")]
)
def test_a_helper_that_is_killed_changes_nothing(moments: list[int], tmp_path: Path) -> None:
    statements = [{**ORDINARY[3], "external_ids": [f"made:{n}"]} for n in range(1_500)]
    with none_answered():
        alone = Outcome(tmp_path / "alone.db", statements)
    for moment in moments:
        takes = iter(range(moment, -1, -1))
        take = helper_process._Helper.take

        def taken(
            helper: helper_process._Helper, takes: Iterator[int] = takes, take: Any = take
        ) -> list[Any] | None:
            if next(takes, None) == 0:
                helper._process.kill()
            return take(helper)  # type: ignore[no-any-return]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(many_events, "_ALONE", 0)
            patch.setattr(helper_process, "CHUNK", 16)
            patch.setattr(helper_process._Helper, "is_ready", waits_until_ready)
            patch.setattr(helper_process._Helper, "take", taken)
            killed = Outcome(tmp_path / f"killed-{moment}.db", statements)
        assert next(takes, None) is None
        assert killed == alone


def waits_until_ready(helper: helper_process._Helper) -> bool:
    """Wait for a helper that starts, so that it is given every chunk."""
    while not helper._is_ready and not helper._is_gone:
        helper._pump(wait=True)
        helper._is_ready = helper._frame() is not None
    return not helper._is_gone


def test_a_disk_that_gets_full_leaves_nothing_written_and_nothing_running(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    Timeline.create(path, title="Story").close()

    def without_end() -> Iterator[dict[str, Any]]:
        for number in range(10**6):
            yield {"title": f"Event {number}", "occurred": "2025", "summary": "x" * 1_000}

    def fill(timeline: Timeline) -> None:
        with timeline.append() as append:
            append._connection.execute("PRAGMA max_page_count = 3000")
            for _ in append.record_each(without_end()):
                pass

    before = children()
    with Timeline.open(path) as timeline, pytest.raises(StorageFull):
        fill(timeline)
    assert events_in(path) == 0
    assert children() <= before


def children() -> set[str]:
    """The processes that this one has started, and that have not ended."""
    return {*Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()}


def test_ctrl_c_leaves_nothing_written_and_nothing_running(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    Timeline.create(path, title="Story").close()
    program = (
        "import sys, itertools; from timeline import Timeline;"
        "from timeline.store import helper_process as h\n"
        "take = h._Helper.take\n"
        "def told(self):\n"
        "    print(self._process.pid, flush=True); h._Helper.take = take; return take(self)\n"
        "h._Helper.take = told\n"
        "with Timeline.open(sys.argv[1]) as timeline, timeline.append() as append:\n"
        "    for _ in append.record_each({'title': str(n), 'occurred': '2025'}\n"
        "                                for n in itertools.count()): pass\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with started:
        assert started.stdout
        helper = int(started.stdout.readline())
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert said.rstrip().endswith("KeyboardInterrupt")
    deadline = time.monotonic() + 30
    while Path(f"/proc/{helper}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{helper}").exists()
    assert events_in(path) == 0


def events_in(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    return int(count)
