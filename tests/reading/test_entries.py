"""Entries in wire form: the log or what is about some events, from the command and the site."""

from __future__ import annotations

import contextlib
import gc
import json
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from operations import erase
from running import PROGRAM, done, environment, run
from site_in_process import open_site

from timeline import Timeline, demo
from timeline.reading import entries
from timeline.store import codec, log, storage

NOTE = "Note: this file is a part of the log: import jsonl accepts only a whole log\n"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


def lines(path: Path) -> list[str]:
    """What the log is in wire form."""
    with contextlib.closing(storage.connect(path)) as connection:
        return [codec.to_wire(entry) for entry in log.read(connection)]


def split(text: str) -> list[str]:
    assert text == "" or text.endswith("\n")
    return text.split("\n")[:-1]  # not splitlines(): a text may hold U+2028


def envelopes(found: list[str]) -> list[dict[str, Any]]:
    return [json.loads(json.loads(line)["envelope"]) for line in found]


def subjects(*arguments: object) -> list[str]:
    """Subject and version of each entry that a command exports."""
    return [f"{each['subject']}@{each['version']}" for each in envelopes(split(done(*arguments)))]


def test_without_filters_it_is_the_log_whatever_it_holds(timeline: Timeline) -> None:
    timeline.record({"title": "One \x7f", "occurred": "2025", "note": "\u2028 \x1b[1m {}"})
    result = run("-d", timeline.path, "export", "jsonl")
    assert (split(result.stdout), result.stderr) == (lines(timeline.path), "")


def test_as_of_a_moment_it_is_the_whole_batches_up_to_then(story: Path) -> None:
    everything = lines(story)
    moments = [each["recorded_at"] for each in envelopes(everything)]
    for seq in range(len(everything)):
        result = run("-d", story, "export", "jsonl", "--as-of", f"#{seq}")
        found = split(result.stdout)
        assert found == everything[: len(found)]
        assert (len(found) > seq, result.stderr) == (True, "")
        assert moments[len(found) :][:1] != [moments[seq]]
    assert done("-d", story, "export", "jsonl", "--as-of", "2020-01-01") == ""


def test_with_filters_it_is_the_entries_of_events_and_of_all_sources_that_they_ever_named(
    timeline: Timeline,
) -> None:
    with timeline.append() as append:
        for name in ("cited", "dropped", "figure", "claim", "other"):
            append.record_source({"source_id": name, "title": name})
        append.record_actor({"actor_id": "nato", "name": "NATO"})
        append.record({"event_id": "chosen", "title": "T", "occurred": "2025", "tags": ["aid"],
                       "citations": [{"source_id": "dropped"}]})  # fmt: skip
        append.record({"event_id": "not-this", "title": "T", "occurred": "2025",
                       "citations": [{"source_id": "other"}]})  # fmt: skip
    timeline.update("chosen", {
        "citations": [{"source_id": "cited"}],
        "quantities": [{"measure": "killed", "value": 1, "source_ids": ["figure"]}],
        "claims": [{"speaker": "A", "statement": "B", "source_ids": ["claim"]}],
    })  # fmt: skip
    with timeline.append() as append:
        append.update_source("cited", {"title": "Cited"})
    command = ("-d", timeline.path, "export", "jsonl", "--tag", "aid")
    assert subjects(*command) == [
        "source/cited@1", "source/dropped@1", "source/figure@1", "source/claim@1",
        "event/chosen@1", "event/chosen@2", "source/cited@2",
    ]  # fmt: skip
    assert subjects(*command, "--as-of", "#8") == ["source/dropped@1", "event/chosen@1"]
    assert run(*command).stderr == NOTE
    assert subjects("-d", timeline.path, "export", "jsonl", "--tag", "no") == []
    assert set(split(done(*command))) < set(lines(timeline.path))


def test_both_clocks_choose_the_versions(timeline: Timeline) -> None:
    timeline.record({"event_id": "talks", "title": "T", "occurred": "2025",
                     "reported_at": "2025-04-01"})  # fmt: skip
    timeline.update("talks", {"note": "N"}, reported_at="2025-04-10")
    command = ("-d", timeline.path, "export", "jsonl", "--as-reported")
    assert subjects(*command, "2025-04-05") == ["event/talks@1"]
    assert subjects(*command, "2025-04-10") == ["event/talks@1", "event/talks@2"]
    assert subjects(*command, "2025-04-10", "--as-of", "#1") == ["event/talks@1"]
    assert run(*command, "2025-03-01").stderr == NOTE


def test_an_erased_entry_has_neither_salt_nor_payload_and_comes_with_its_erasure(
    timeline: Timeline,
) -> None:
    timeline.record({"event_id": "talks", "title": "Secret", "occurred": "2025",
                     "citations": [{"source": {"source_id": "paper", "title": "P"}}]})  # fmt: skip
    timeline.update("talks", {"title": "Public"})
    erase(timeline.path, 1, 2)
    command = ("-d", timeline.path, "export", "jsonl", "--state", "all")
    found = split(done(*command))
    kinds = [each["kind"] for each in envelopes(found)]
    absent = [(each["salt"], each["payload"]) == (None, None) for each in map(json.loads, found)]
    assert [*zip(kinds, absent, strict=True)] == [
        ("source.recorded", True),
        ("event.recorded", True),
        ("event.updated", False),
        ("entry.erased", False),
        ("entry.erased", False),
    ]
    assert "Secret" not in done(*command)


def test_the_site_serves_what_the_command_writes(story: Path) -> None:
    with open_site(story) as site:
        for asked, options in {
            "": (),
            "?as_of=%2333": ("--as-of", "#33"),
            "?type=ASSAULT": ("--type", "assault"),
            "?tag=aid&as_of=%2333": ("--tag", "aid", "--as-of", "#33"),
            "?as_reported=2025-04-14": ("--as-reported", "2025-04-14"),
        }.items():
            answer = site.ask(f"/events.jsonl{asked}")
            assert answer.headers["content-type"].startswith("application/jsonl")
            assert answer.text == done("-d", story, "export", "jsonl", *options), asked
        assert site.ask("/events.jsonl?country=Nowhere").status_code == 400


def test_a_copy_is_of_one_state_of_the_log_whoever_appends_meanwhile(
    timeline: Timeline, tmp_path: Path
) -> None:
    timeline.record([{"title": "Before", "occurred": "2025", "summary": "x" * 900}] * 1_000)
    before = lines(timeline.path)
    with subprocess.Popen(
        [*PROGRAM, "-d", str(timeline.path), "export", "jsonl"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as export:
        assert export.stdout
        head = export.stdout.readline()  # the rest waits in a pipe that is full
        timeline.record([{"title": "After", "occurred": "2025"}] * 1_000)
        found = split(head + export.stdout.read())
    assert export.returncode == 0
    assert found == before


def test_a_log_larger_than_the_memory_that_it_takes_is_written(timeline: Timeline) -> None:
    for _ in range(5):
        timeline.record([{"title": "T", "occurred": "2025", "summary": "x" * 4_000}] * 1_000)
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        ids = [row[0] for row in connection.execute("SELECT event_id FROM events")]
        for wanted in (None, ids):
            gc.collect()
            tracemalloc.start()
            size = sum(len(codec.to_wire(entry)) for entry in entries.read(connection, wanted))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert size > 20_000_000
            assert peak < 4_000_000
