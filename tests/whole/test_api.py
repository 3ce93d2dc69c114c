"""The Python API: `timeline.Timeline`, one or many, and what else the package exports."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from running import CHECKOUT
from ticking_clock import TickingClock

import timeline as package
from timeline import Event, Receipt, Timeline, TimelineError, errors, importers
from timeline.errors import (
    AlreadyRecorded,
    InvalidInput,
    NotATimeline,
    NotFound,
    NothingChanged,
    Refused,
    Replaced,
    StoreError,
    TooNew,
)
from timeline.store import schema, storage

STATEMENTS = [
    {"event_id": f"event-{letter}", "title": f"Event {letter}", "occurred": f"2025-04-1{number}"}
    for number, letter in enumerate("abc")
]


@pytest.fixture
def three(timeline: Timeline) -> Timeline:
    timeline.record(STATEMENTS)
    return timeline


def test_the_package_exports_a_sorted_list_of_names_and_each_is_there() -> None:
    assert package.__all__ == sorted(package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)
    assert all(
        getattr(package, name).__module__.startswith("timeline.") for name in package.__all__
    )


def test_the_package_offers_its_names_and_no_others() -> None:
    assert dir(package) == package.__all__
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    assert not hasattr(package, "Nothing")
    names = {"Timeline", "Event", "Receipt", "TimelineError", "Source", "Actor"}
    assert names <= set(package.__all__)


def test_every_name_of_a_public_module_is_listed_once_and_is_there() -> None:
    listing = {
        str(file.relative_to(CHECKOUT))
        for file in (CHECKOUT / "timeline").rglob("*.py")
        if "__all__ =" in file.read_text(encoding="utf-8")
    }
    assert listing == {"timeline/__init__.py", "timeline/errors.py", "timeline/importers.py"}
    for module in (package, errors, importers):
        assert sorted(module.__all__) == sorted(set(module.__all__))
        assert all(hasattr(module, name) for name in module.__all__)


def test_the_drawing_of_the_errors_shows_every_class_below_its_own_base() -> None:
    assert errors.__doc__
    below: list[str] = []
    drawn: dict[str, tuple[str, bool]] = {}
    for line in errors.__doc__.splitlines():
        if found := re.fullmatch(r"    ([| ]*)(?:\+-- )?([A-Z]\w+)(  .*)?", line):
            branches, name, rest = found.groups()
            depth = 0 if "+--" not in line else len(branches) // 4 + 1
            drawn[name] = below[depth - 1] if depth else "Exception", "ValueError" in (rest or "")
            below[depth:] = [name]
    there = {
        name: (kind.__bases__[0].__name__, issubclass(kind, ValueError))
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, TimelineError)
    }
    said = {
        name: (base, is_value or drawn.get(base, ("", False))[1])
        for name, (base, is_value) in drawn.items()
    }
    assert said == there
    assert {*errors.__all__} == {*there}


# --- Writing ------------------------------------------------------------------------------


def test_one_event_gives_one_receipt_and_many_give_a_list(timeline: Timeline) -> None:
    one = timeline.record(Event(title="Talks", occurred="15 April 2025"), author="nb")
    assert isinstance(one, Receipt)
    assert (one.kind, one.seq, one.version, one.occurred) == ("event.recorded", 1, 1, "2025-04-15")
    assert one.subject == f"event/{one.id}"
    assert timeline.record([]) == []
    for many in (STATEMENTS[:1], tuple(STATEMENTS), (Event(**each) for each in STATEMENTS)):
        receipts = timeline.record(many)
        assert isinstance(receipts, list)
        assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert [receipt.unchanged for receipt in receipts] == [True, True, True]
    assert len({receipt.recorded_at for receipt in receipts}) == 2


def test_each_way_of_changing_takes_one_or_many(three: Timeline) -> None:
    kinds: list[str] = []

    def check(receipts: Receipt | list[Receipt]) -> None:
        if isinstance(receipts, Receipt):
            receipts = [receipts]
        assert len({receipt.recorded_at for receipt in receipts}) == 1
        kinds.extend(receipt.kind.removeprefix("event.") for receipt in receipts)

    both = ["event-a", "event-b"]
    check(three.update("event-a", {"note": "one"}))
    check(three.update({event_id: {"note": "many"} for event_id in both}))
    check(three.correct("event-a", {"note": "three"}, reason="Why"))
    check(three.correct({event_id: {"note": "four"} for event_id in both}, reason="Why"))
    check(three.retract("event-a", reason="Why"))
    check(three.reinstate("event-a"))
    check(three.retract(both, reason="Why"))
    check(three.reinstate(tuple(both)))
    check(three.merge("event-a", "event-c"))
    check(three.reinstate({"event-a"}))
    check(three.merge(both, "event-c"))
    assert kinds == [
        *(3 * ["updated"]),
        *(3 * ["corrected"]),
        "retracted",
        "reinstated",
        *(2 * ["retracted"]),
        *(2 * ["reinstated"]),
        "merged",
        "reinstated",
        *(2 * ["merged"]),
    ]
    assert {row["merged_into"] for row in three.list(state="merged")} == {"event-c"}


def test_of_many_an_error_says_which_and_nothing_is_kept(three: Timeline) -> None:
    before = [three.history(f"event-{letter}") for letter in "abc"]
    wrong: tuple[tuple[Any, type[TimelineError]], ...] = (
        (lambda: three.record([{"title": "x", "occurred": "2025"}, {"title": "x"}]), InvalidInput),
        (
            lambda: three.record([STATEMENTS[0], STATEMENTS[0] | {"title": "x"}]),
            AlreadyRecorded,
        ),
        (lambda: three.update({"event-a": {"note": "x"}, "event-b": {}}), NothingChanged),
        (
            lambda: three.correct({"event-a": {"note": "x"}, "nowhere": {}}, reason="x"),
            NotFound,
        ),
        (lambda: three.retract(["event-a", "event-a"], reason="x"), NothingChanged),
        (lambda: three.merge(["event-a", "nowhere"], "event-b"), NotFound),
    )
    for attempt, expected in wrong:
        with pytest.raises(expected) as caught:
            attempt()
        assert caught.value.item == 2
        assert str(caught.value).startswith("event 2: ")
    assert [three.history(f"event-{letter}") for letter in "abc"] == before


def test_guards_are_of_one_event(three: Timeline) -> None:
    for attempt, guard in (
        (lambda: three.record(STATEMENTS, entry_id="job-1"), "entry_id"),
        (lambda: three.update({"event-a": {"note": "x"}}, entry_id="job-1"), "entry_id"),
        (lambda: three.update({"event-a": {"note": "x"}}, expect=1), "expect"),
        (lambda: three.retract(["event-a"], reason="x", expect=1), "expect"),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert caught.value.field == guard
    first = three.update("event-a", {"note": "x"}, expect=1, entry_id="job-1")
    assert three.update("event-a", {"note": "x"}, expect=1, entry_id="job-1").seq == first.seq


def test_words_that_go_with_a_statement_are_checked(three: Timeline) -> None:
    for words, field in (
        ({"author": "two\nlines"}, "author"),
        ({"reason": "NUL \x00"}, "reason"),
        ({"reported_at": "2025-04"}, "reported_at"),
        ({"reported_at": "soon"}, "reported_at"),
        ({"autor": "nb"}, "autor"),
    ):
        with pytest.raises(InvalidInput) as caught:
            three.update("event-a", {"note": "x"}, **words)
        assert caught.value.field == field
    for words in ({"autor": "nb"}, {"expect": 1}):
        with pytest.raises(InvalidInput, match="is not a field"):
            three.record({"title": "Event d", "occurred": "2025"}, **words)
    assert len(three.list()) == 3


def test_entries_are_erased_for_good_and_what_is_wrong_is_refused(
    three: Timeline, tmp_path: Path
) -> None:
    changed = three.update("event-a", {"note": "Zyxomma was seen"})
    done = three.erase([changed.entry_id], reason="A court said so", author="nb")
    (receipt,) = done.receipts
    assert (receipt.kind, receipt.id) == ("entry.erased", changed.entry_id)
    assert done.elsewhere == {"Event a": ["#1"]}
    assert not any(b"Zyxomma" in file.read_bytes() for file in tmp_path.iterdir())
    (again,) = three.erase([changed.entry_id], reason="A court said so").receipts
    assert (again.entry_id, again.unchanged) == (receipt.entry_id, True)
    with pytest.raises(NotFound):
        three.erase(["nobody"], reason="A court said so")
    with pytest.raises(InvalidInput):
        three.erase([changed.entry_id], reason=" ")
    with three.append(), pytest.raises(Refused, match="in the middle of an append"):
        three.erase([changed.entry_id], reason="A court said so")


# --- Reading ------------------------------------------------------------------------------


def test_rows_are_dicts_of_plain_values(three: Timeline) -> None:
    for rows in (three.list(), three.search("event"), three.history("event-a")):
        assert isinstance(rows, list)
        assert rows
        assert all(type(row) is dict for row in rows)
        json.dumps(rows)
    assert type(three.get("event-a")) is dict
    json.dumps([three.get("event-a"), three.info, three.facets()])
    (names,) = {tuple(row) for row in three.list()}
    assert names[:3] == ("event_id", "title", "occurred")


def test_the_docstrings_name_every_key_of_what_is_returned(three: Timeline) -> None:
    three.update("event-a", {"note": "x"})
    three.merge("event-b", "event-a")
    (version,) = three.history("event-a")[1:]
    (change,) = version["changes"]
    difference = next(row for row in three.changes("#3") if row["event_id"] == "event-a")
    standing = three.get("event-b").keys() - Event.model_fields.keys()
    for method, keys in (
        (Timeline.history, [*version, *change]),
        (Timeline.changes, [*difference, *difference["before"], *difference["entries"][0]]),
        (Timeline.get, standing),
        (Timeline.facets, three.facets()["state"][0]),
        (Timeline.search, {"match"}),
    ):
        words = set(re.findall(r"\w+", inspect.getdoc(method) or ""))
        assert set(keys) - words == set()


def test_every_way_of_reading_takes_both_clocks(three: Timeline, clock: TickingClock) -> None:
    clock.set("2025-04-20T12:00:00")
    three.update(
        {f"event-{letter}": {"title": "Later"} for letter in "abc"}, reported_at="2025-04-20"
    )
    for when in ({"as_of": "2025-04-19"}, {"as_reported": "2025-04-19"}, {"as_of": "#1"}):
        assert three.get("event-a", **when)["version"] == 1
        assert len(three.history("event-a", **when)) == 1
        assert {row["version"] for row in three.list(**when)} == {1}
        assert len(three.search("event", **when)) == 3
        assert three.facets(text="later", **when)["state"] == []
    assert three.search("event") == []


def test_an_event_is_resolved_from_its_beginning(three: Timeline) -> None:
    assert three.resolve("event-a@1") == ("event-a", 1)
    assert three.resolve("#2") == ("event-b", 1)


def test_what_the_log_says_of_itself_can_be_asked(timeline: Timeline) -> None:
    assert timeline.info["title"] == "A story"
    assert timeline.info["origin"] == "example.org/story"


# --- The file -----------------------------------------------------------------------------


def test_a_timeline_is_opened_again_and_says_the_same(three: Timeline) -> None:
    listed = three.list()
    three.close()
    with Timeline.open(three.path) as again:
        assert again.list() == listed
        assert again.path == three.path
    with Timeline.open(str(three.path)) as again:
        assert again.list() == listed


def test_a_closed_timeline_answers_no_more(timeline: Timeline) -> None:
    timeline.record(STATEMENTS)
    with timeline as same:
        assert same is timeline
    for attempt in (timeline.list, lambda: timeline.record(STATEMENTS[0])):
        with pytest.raises(sqlite3.ProgrammingError):
            attempt()


def test_a_file_that_is_missing_or_foreign_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Not a database, but a text of some length. " * 50)
    empty = tmp_path / "empty.db"
    empty.touch()
    foreign = tmp_path / "foreign.db"
    with contextlib.closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE events (event_id TEXT)")
    newer = tmp_path / "newer.db"
    Timeline.create(newer, title="Newer").close()
    with contextlib.closing(sqlite3.connect(newer)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    for path, expected in (
        (tmp_path / "missing.db", NotATimeline),
        (tmp_path / "nowhere" / "missing.db", NotATimeline),
        (tmp_path, NotATimeline),
        (text, NotATimeline),
        (empty, NotATimeline),
        (foreign, NotATimeline),
        (newer, TooNew),
    ):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(expected) as caught:
            Timeline.open(path)
        assert str(path) in str(caught.value)
        assert (path.read_bytes() if path.is_file() else None) == before
    assert not (tmp_path / "missing.db").exists()
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_damaged_is_refused_in_one_line(three: Timeline) -> None:
    three.close()
    with contextlib.closing(sqlite3.connect(three.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    data = bytearray(three.path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    three.path.write_bytes(data)
    with pytest.raises(StoreError) as caught, Timeline.open(three.path) as opened:
        opened.list()
    assert "\n" not in str(caught.value)


WRITE = """
import sys
from timeline import Timeline
with Timeline.open(sys.argv[1]) as timeline:
    print("ready", flush=True)
    for line in sys.stdin:
        with timeline.append() as append:
            append.record({"event_id": line.strip(), "title": line, "occurred": "2025"})
            append.record({"title": line, "occurred": "2025"})
            print("inside", flush=True)
            sys.stdin.readline()
        print("done", flush=True)
"""


def test_a_file_is_read_while_another_process_writes_to_it(three: Timeline) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, three.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def say(text: str, answer: str) -> None:
            writer.stdin.write(text + "\n")  # type: ignore[union-attr]
            writer.stdin.flush()  # type: ignore[union-attr]
            assert writer.stdout.readline().strip() == answer  # type: ignore[union-attr]

        assert writer.stdout.readline().strip() == "ready"
        for number in range(1, 4):
            count = len(three.list())
            say(f"from-there-{number}", "inside")
            # Its append is not done, and so nothing of it is there.
            assert len(three.list()) == count
            with pytest.raises(NotFound):
                three.get(f"from-there-{number}")
            say("", "done")
            assert len(three.list()) == count + 2
            assert three.get(f"from-there-{number}")["version"] == 1
        writer.stdin.close()
        assert writer.wait(timeout=30) == 0


def test_an_append_into_a_file_that_is_replaced_meanwhile_is_refused(
    three: Timeline, tmp_path: Path
) -> None:
    Timeline.create(tmp_path / "other.db", title="Another").close()

    def append_meanwhile() -> None:
        with three.append() as append:
            append.record({"event_id": "late", "title": "T", "occurred": "2025"})
            for left in storage.beside(three.path):
                left.unlink(missing_ok=True)
            (tmp_path / "other.db").replace(three.path)

    with pytest.raises(Replaced, match="was replaced or removed") as caught:
        append_meanwhile()
    assert str(caught.value).count("\n") == 0
    with pytest.raises(Replaced, match="nothing was written"):
        three.record({"event_id": "later", "title": "T", "occurred": "2025"})
    with Timeline.open(three.path) as other:
        assert other.list() == []
        other.record({"event_id": "late", "title": "T", "occurred": "2025"})
        assert len(other.list()) == 1


def test_many_writers_take_turns_and_no_append_is_lost(three: Timeline) -> None:
    """Any interleaving is some order of whole appends."""
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with Timeline.open(three.path) as own:
                for number in range(15):
                    own.record(
                        {"event_id": f"{name}-{number}-{part}", "title": name, "occurred": "2025"}
                        for part in range(3)
                    )
                    own.update("event-a", {"tags.-": f"{name}-{number}"})
        except BaseException as error:  # noqa: BLE001 - it is shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"writer-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(three.list()) == 3 + 4 * 15 * 3
    assert len(three.get("event-a")["tags"]) == 4 * 15
    with contextlib.closing(storage.connect(three.path)) as connection:
        entries = connection.execute("SELECT seq, recorded_at, subject FROM log").fetchall()
    assert [seq for seq, *_ in entries] == list(range(4 + 4 * 15 * 4))
    assert [recorded_at for _, recorded_at, _ in entries] == sorted(
        recorded_at for _, recorded_at, _ in entries
    )
    batches: dict[str, set[str]] = {}
    for _, recorded_at, subject in entries[4:]:
        batches.setdefault(recorded_at, set()).add(subject.rpartition("-")[0])
    assert all(len(names) == 1 for names in batches.values())
    assert len(batches) == 4 * 15 * 2
