"""What makes appends fast, without a clock: what they ask of SQLite, and what they hold."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import done

from timeline import Timeline
from timeline.cli import appending
from timeline.projection.projector import Projector
from timeline.store import codec


def events(count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """New events of few actors, tags and sources, as most are."""
    for number in range(first, first + count):
        yield {
            "event_id": f"event-{number}",
            "title": f"Event {number}",
            "occurred": f"2025-04-{number % 28 + 1:02d}",
            "event_type": "Consultation",
            "place": {"name": f"Town {number % 50}", "lat": 46.4, "lon": 30.7},
            "participants": [{"name": f"Actor {number % 20}"}, {"name": "NATO"}],
            "tags": [f"tag-{number % 10}"],
            "quantities": [{"measure": "killed", "value": number % 7 + 1}],
            "citations": [{"source": {"url": f"https://example.org/{number % 30}"}}],
            "external_ids": [f"made:{number}"],
        }


def asked(timeline: Timeline, *statements: dict[str, Any]) -> list[str]:
    """What one append of these asks of SQLite, behind what it needs to begin."""
    sql: list[str] = []
    with timeline.append() as append:
        append._connection.set_trace_callback(sql.append)
        for statement in statements:
            append.record(statement)
        append.finish()
        append._connection.set_trace_callback(None)
    return [each for each in sql if each.startswith("SELECT")]


def test_an_event_of_many_is_asked_for_by_its_ids_and_by_nothing_else(timeline: Timeline) -> None:
    timeline.record(events(100))
    few = len(asked(timeline, *events(1_500, first=1_000)))
    many = len(asked(timeline, *events(3_000, first=10_000)))
    assert (many - few) / 1_500 < 3.2  # its event_id, and twice its external id


def test_an_append_asks_the_same_of_a_log_of_any_length(timeline: Timeline) -> None:
    timeline.record(events(60))
    short = asked(timeline, *events(1, first=100))
    timeline.record(events(1_000, first=1_000))
    assert len(asked(timeline, *events(1, first=101))) == len(short)


def test_nothing_that_an_append_has_just_made_is_read_again(timeline: Timeline) -> None:
    assert not [
        sql for sql in asked(timeline, *events(300)) if "payload" in sql and "'log'" not in sql
    ]


def test_entries_and_rows_are_held_back_by_the_thousand_at_most(timeline: Timeline) -> None:
    held: list[int] = []
    with timeline.append() as append:
        for event in events(2_500):
            append.record(event)
            held.append(len(append._buffer._entries))
    assert 900 < max(held) <= 1_000
    assert timeline.list(limit=3)


def test_an_append_of_thrice_the_size_takes_no_more_memory(timeline: Timeline) -> None:
    peaks = []
    for first, count in ((0, 1_500), (10_000, 1_500), (20_000, 4_500)):
        gc.collect()  # what others left behind is not this append's
        tracemalloc.start()
        with timeline.append() as append:
            for event in events(count, first):
                append.record(event)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]  # the first fills the caches; what is held would be thrice


@pytest.mark.parametrize("as_json", [False, True])
def test_the_receipts_of_a_large_append_wait_in_a_file(
    as_json: bool, path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = path.with_suffix(".ndjson")
    lines.write_text("".join(json.dumps(event) + "\n" for event in events(7)))
    arguments = ["-d", path, "append", "--nl", lines, "--dry-run", *(["--json"] if as_json else [])]
    before = done(*arguments)
    monkeypatch.setattr(appending, "_RECEIPTS_AT_HAND", 3)
    after = done(*arguments)
    if as_json:
        keys = ("event_id", "kind", "seq", "version", "occurred", "unchanged", "notes")
        shown = [
            [{key: receipt[key] for key in keys} for receipt in json.loads(each)]
            for each in (before, after)
        ]
        assert shown[0] == shown[1]
        assert len(shown[1]) == 7
    else:
        assert before == after
        recorded = [line for line in after.splitlines() if not line.startswith("  ")]
        assert len(recorded) == 7


def test_payloads_are_the_bytes_that_the_json_of_python_writes() -> None:
    texts = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    content = {"text": "".join(texts), "whole": 2**53, "yes": True, "list": [], "in": {"key": None}}
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    assert codec.encode_payload(None, None, content) == written


def test_an_append_finds_what_was_withdrawn_without_reading_all_sources(timeline: Timeline) -> None:
    with timeline.append() as append:
        connection = append._connection
        sql: list[str] = []
        connection.set_trace_callback(sql.append)
        Projector(connection, "UTC")
        connection.set_trace_callback(None)
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in sql]
    ((row,),) = plans
    assert "INDEX sources_withdrawn" in row[3]


def test_many_are_taken_a_few_ahead_and_not_all_at_once(timeline: Timeline) -> None:
    taken = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for event in events(100):
            taken += 1
            yield event

    ahead = []
    with timeline.append() as append:
        for number, receipt in enumerate(append.record_each(counted()), 1):
            assert receipt.id == f"event-{number - 1}"
            ahead.append(taken - number)
    assert 1 < max(ahead) < 20
    assert ahead[-1] == 0
