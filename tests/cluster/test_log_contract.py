"""What holds of every log, be it in one file or on a cluster; no test asks which it is.

Two writers take turns: both write into one file, or each into the file of a node of its own. After
each test both must have the same log and the same tables, and `verify` must find nothing wrong.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from running import done, one_line, run
from small_files import png
from tables import derived
from ticking_clock import TickingClock

from timeline import Receipt, Timeline
from timeline.errors import (
    AlreadyRecorded,
    ClockBehind,
    Conflict,
    InvalidInput,
    NotFound,
    NothingChanged,
    Refused,
    TimelineError,
)
from timeline.model.content import Said
from timeline.proof import verify
from timeline.store import log, storage
from timeline.store.codec import Entry
from timeline.texts.document import Document
from timeline.writing.writer import Append

TALKS: dict[str, Any] = {"event_id": "talks", "title": "Talks in Odesa", "occurred": "2025-04-15"}
RAID: dict[str, Any] = {"event_id": "raid", "title": "Raid on the pier", "occurred": "2025-04-16"}
PAPER = {"source_id": "paper", "title": "A paper", "url": "https://example.org/a"}
TEXT = "The mayor said that two houses burnt down. Nobody was hurt."
WHY = Said(reason="The source took it back")


class Log:
    """A log with two writers, `one` and `other`, who share a clock."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.clock = TickingClock()
        self.one, self.other = (
            Timeline.open(path, now=self.clock, trust_clock=True) for path in paths
        )

    def __enter__(self) -> Self:
        self.catch_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self.one, self.other:
            if kind is None:
                self.check()

    def catch_up(self) -> None:
        """Let both writers have all that was written."""
        self.one.catch_up()
        self.other.catch_up()

    @property
    def entries(self) -> list[Entry]:
        """The entries of the log, which are the same for both writers."""
        self.catch_up()
        found = []
        for path in self.paths:
            with contextlib.closing(storage.connect(path)) as connection:
                found.append([*log.read(connection)])
        assert found[0] == found[1]
        return found[0]

    @property
    def said(self) -> list[tuple[str, str, int]]:
        """Kind, subject and version of each entry but the first, which opened the log."""
        return [(entry.kind, entry.subject, entry.version) for entry in self.entries[1:]]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a query finds with either writer."""
        self.catch_up()
        found = []
        for path in self.paths:
            with contextlib.closing(storage.connect(path)) as connection:
                found.append(connection.execute(sql).fetchall())
        assert found[0] == found[1]
        return found[0]

    def check(self) -> None:
        entries = self.entries
        assert len({entry.id for entry in entries}) == len(entries)
        for path in {*self.paths}:
            assert verify.verify(path).findings == []
        first, last = self.paths
        assert first == last or derived(first) == derived(last)


def in_a_file(path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Return the files of two writers: the same one."""
    return [path, path]


def on_two_nodes(path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Return the files of two writers: nodes of a cluster, the second one made from its stream."""
    pytest.importorskip("nats")
    from timeline.cluster import membership
    from timeline.cluster.address import ClusterAddress

    servers, name = (request.getfixturevalue(fixture) for fixture in ("servers", "name"))
    address = ClusterAddress.parse(servers.address(name))
    other = path.with_name("other.db")
    membership.init(address, str(path), "odesa")
    membership.join(address, str(other), "kyiv")
    return [path, other]


@pytest.fixture(params=[in_a_file, pytest.param(on_two_nodes, marks=pytest.mark.cluster)])
def story(request: pytest.FixtureRequest, path: Path) -> Iterator[Log]:
    Timeline.create(path, title="A story", origin="example.org/story", now=TickingClock()).close()
    with Log(request.param(path, request)) as story:
        yield story


# --- Order --------------------------------------------------------------------------------


def test_entries_are_numbered_without_a_gap_and_their_times_only_grow(story: Log) -> None:
    for number in range(3):
        story.one.record({"title": f"Event {number}", "occurred": "2025"})
        story.other.record([{"title": f"Event {number}.{n}", "occurred": "2025"} for n in "abc"])
    entries = story.entries
    assert [entry.seq for entry in entries] == [*range(13)]
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(times)
    assert [times.count(time) for time in dict.fromkeys(times)] == [1, 1, 3, 1, 3, 1, 3]


def test_a_receipt_says_where_its_entry_is(story: Log) -> None:
    receipts = [
        story.one.record(TALKS),
        story.other.update("talks", {"note": "Seen"}),
        *story.one.record([RAID, {"title": "Another", "occurred": "2025"}]),
        story.other.retract("raid", reason="Told twice"),
    ]
    said = [
        (entry.seq, entry.id, entry.kind, entry.subject, entry.version, entry.recorded_at)
        for entry in story.entries[1:]
    ]
    assert said == [
        (each.seq, each.entry_id, each.kind, each.subject, each.version, each.recorded_at)
        for each in receipts
    ]


def test_a_clock_that_stands_still_gives_no_time_twice(story: Log) -> None:
    story.clock.step *= 0
    for writer in (story.one, story.other, story.one):
        writer.record({"title": "Talks", "occurred": "2025"})
    times = [entry.recorded_at for entry in story.entries[1:]]
    assert len({*times}) == 3
    assert times == sorted(times)


def test_a_clock_that_is_far_behind_is_refused_or_noted(story: Log) -> None:
    story.clock.set("2025-05-01T12:00")
    first = story.one.record(TALKS)
    story.clock.set("2025-05-01T11:59:30")
    near = story.other.record(RAID)
    assert near.recorded_at == f"{first.recorded_at[:-2]}1Z"
    story.clock.set("2025-05-01T11:00")
    with pytest.raises(ClockBehind):
        story.other.update("talks", {"note": "Seen"})
    assert len(story.said) == 2
    story.other.ahead = "the clock was wrong"
    far = story.other.update("talks", {"note": "Seen"})
    assert [kind for kind, _, _ in story.said[2:]] == ["log.updated", "event.updated"]
    assert far.recorded_at > near.recorded_at


# --- One append ---------------------------------------------------------------------------


def test_operations_of_one_append_see_each_other_and_have_one_time(story: Log) -> None:
    story.other.record(RAID)
    with story.one.append() as append:
        append.record({**TALKS, "citations": [{"source": PAPER}]})
        append.update("talks", {"tags.-": "port"})
        append.record({**RAID, "event_id": "raid-2"})
        append.merge("raid-2", "raid")
        append.record_actor({"actor_id": "rutte", "name": "Mark Rutte"})
        append.withdraw_source("paper", WHY)
        append.retract("talks", WHY)
        append.reinstate("talks")
    assert story.said[1:] == [
        ("source.recorded", "source/paper", 1),
        ("event.recorded", "event/talks", 1),
        ("event.updated", "event/talks", 2),
        ("event.recorded", "event/raid-2", 1),
        ("event.merged", "event/raid-2", 2),
        ("actor.recorded", "actor/rutte", 1),
        ("source.withdrawn", "source/paper", 2),
        ("event.retracted", "event/talks", 3),
        ("event.reinstated", "event/talks", 4),
    ]
    assert len({entry.recorded_at for entry in story.entries[2:]}) == 1


def bad_value(append: Append) -> None:
    append.record({**RAID, "occurred": "yesterday perhaps"})


def bad_reference(append: Append) -> None:
    append.record({**RAID, "relations": [{"type": "follows", "event_id": "nowhere"}]})


def bad_version(append: Append) -> None:
    append.update("talks", {"note": "Seen"}, expect=7)


def own_mistake(append: Append) -> None:
    raise ZeroDivisionError


def ctrl_c(append: Append) -> None:
    raise KeyboardInterrupt


WRONG: dict[Callable[[Append], None], type[BaseException]] = {
    bad_value: InvalidInput,
    bad_reference: InvalidInput,
    bad_version: Conflict,
    own_mistake: ZeroDivisionError,
    ctrl_c: KeyboardInterrupt,
}


def test_an_append_that_fails_leaves_nothing(story: Log) -> None:
    def append_all(wrong: Callable[[Append], None]) -> None:
        with story.one.append() as append:
            append.record(TALKS)
            append.capture(PAPER, Document(TEXT))
            append.attach("talks", png("red"), {"alt": "Red"})
            wrong(append)

    for wrong, error in WRONG.items():
        with pytest.raises(error):
            append_all(wrong)
    assert story.said == []
    for table in ("source_texts", "media_files", "events", "sources"):
        assert story.ask(f"SELECT count(*) FROM {table}") == [(0,)]
    story.other.record(TALKS)
    story.one.record(RAID)
    assert len(story.said) == 2


def test_a_dry_run_says_all_and_keeps_nothing(story: Log) -> None:
    with story.one.append(dry_run=True) as append:
        receipt = append.record(TALKS)
        append.capture(PAPER, Document(TEXT))
        append.attach("talks", png("red"), {"alt": "Red"})
        append.update_log({"time_zone": "Europe/Kyiv"})
    assert (receipt.seq, receipt.version) == (1, 1)
    with pytest.raises(InvalidInput), story.other.append(dry_run=True) as append:
        bad_value(append)
    assert story.said == []
    assert story.other.record(TALKS).seq == 1


def test_an_append_of_nothing_adds_nothing(story: Log) -> None:
    with story.one.append():
        pass
    assert story.other.record([]) == []
    assert story.said == []


def test_an_append_inside_another_one_is_refused(story: Log) -> None:
    with story.one.append() as append:
        append.record(TALKS)
        with pytest.raises(Refused):
            story.one.record(RAID)
    assert len(story.said) == 1


# --- Versions and ids ---------------------------------------------------------------------


def test_a_version_is_made_once(story: Log) -> None:
    story.one.record(TALKS)
    assert story.other.update("talks", {"note": "Seen"}, expect=1).version == 2
    with pytest.raises(Conflict) as caught:
        story.one.update("talks", {"note": "Not seen"}, expect=1)
    assert (caught.value.expected, caught.value.actual) == (1, 2)
    assert story.one.update("talks", {"tags.-": "port"}).version == 3
    assert story.other.update("talks", {"tags.-": "quay"}).version == 4
    assert story.one.update("talks", {"tags.-": "pier"}, expect=4).version == 5
    story.catch_up()
    for writer in (story.one, story.other):
        event = writer.get("talks")
        assert (event["note"], event["tags"]) == ("Seen", ["port", "quay", "pier"])
    assert len(story.said) == 5


def test_the_same_said_twice_is_one_entry_and_one_receipt(story: Log) -> None:
    plain = {"title": "Talks in Odesa", "occurred": "2025-04-15"}
    cases: list[tuple[dict[str, Any], str | None]] = [
        (TALKS, None),
        ({**plain, "external_ids": ["agency:1"]}, None),
        (plain, "job-2025-04-15"),
        ({**plain, "citations": [{"source": PAPER}]}, "job-2025-04-16"),
    ]
    for event, entry_id in cases:
        first = story.one.record(event, entry_id=entry_id)
        for writer in (story.other, story.one):
            again = writer.record(event, entry_id=entry_id)
            assert again.unchanged
            assert place(again) == place(first)
            with pytest.raises(AlreadyRecorded):
                writer.record({**event, "title": "Talks in Lviv"}, entry_id=entry_id)
    assert [kind for kind, _, _ in story.said] == [
        *("event.recorded", "event.recorded", "event.recorded"),
        *("source.recorded", "event.recorded"),
    ]


def place(receipt: Receipt) -> tuple[object, ...]:
    return receipt.subject, receipt.entry_id, receipt.seq, receipt.version, receipt.recorded_at


def test_a_change_with_an_id_is_made_once(story: Log) -> None:
    story.one.record(TALKS)
    first = story.one.update("talks", {"tags.-": "port"}, entry_id="job-1")
    again = story.other.update("talks", {"tags.-": "port"}, entry_id="job-1")
    assert again.unchanged
    assert place(again) == place(first)
    with pytest.raises(AlreadyRecorded):
        story.other.update("talks", {"tags.-": "quay"}, entry_id="job-1")
    with pytest.raises(NothingChanged):
        story.other.update("talks", {"title": TALKS["title"]})
    assert len(story.said) == 2


def test_a_source_is_known_by_its_address_whoever_brought_it(story: Log) -> None:
    paper = {"title": "A paper", "url": "https://example.org/a"}
    story.one.record({**TALKS, "citations": [{"source": paper}]})
    story.other.record({**RAID, "citations": [{"source": paper}]})
    kinds = [kind for kind, _, _ in story.said]
    assert kinds == ["source.recorded", "event.recorded", "event.recorded"]
    cited = {writer.get(key)["citations"][0]["source_id"] for writer, key in both(story)}
    assert len(cited) == 1


def both(story: Log) -> Iterator[tuple[Timeline, str]]:
    story.catch_up()
    for writer in (story.one, story.other):
        for event_id in ("talks", "raid"):
            yield writer, event_id


def test_what_is_not_there_is_not_found_by_either(story: Log) -> None:
    story.one.record(TALKS)
    for writer in (story.one, story.other):
        with pytest.raises(NotFound):
            writer.update("nowhere", {"note": "Seen"})
        with pytest.raises(NotFound):
            writer.merge("talks", "nowhere")
    assert len(story.said) == 1


def test_a_merge_never_goes_in_a_circle(story: Log) -> None:
    story.one.record([TALKS, RAID])
    story.one.merge("talks", "raid")
    with pytest.raises(Refused):
        story.other.merge("raid", "talks")
    story.other.reinstate("talks")
    assert story.one.merge("raid", "talks").version == 2


# --- The log itself -----------------------------------------------------------------------


def test_a_new_time_zone_holds_for_both(story: Log) -> None:
    story.one.record({**TALKS, "occurred": "2025-04-15T22:30:00Z"})
    story.other.about(time_zone="Europe/Kyiv", title="The story")
    story.one.record({**RAID, "occurred": "2025-04-15T22:30:00Z"})
    asked = story.ask("SELECT occurred_from FROM events ORDER BY event_id")
    assert asked == [("2025-04-16T01:30:00",)] * 2
    assert {writer.info["title"] for writer in (story.one, story.other)} == {"The story"}


# --- Texts and files ----------------------------------------------------------------------


def test_a_text_holds_the_quotes_of_both(story: Log) -> None:
    receipt = story.one.capture(TEXT, PAPER)
    quote = {"source_id": receipt.id, "quote": "two houses burnt down"}
    invented = {"source_id": receipt.id, "quote": "ten houses burnt down"}
    story.other.record({**TALKS, "citations": [quote]})
    for writer in (story.one, story.other):
        with pytest.raises(InvalidInput, match="quote"):
            writer.record({**RAID, "citations": [invented]})
    assert story.other.capture(TEXT, PAPER).unchanged
    story.other.capture(TEXT.replace("two", "three"), PAPER)
    story.catch_up()
    for writer in (story.one, story.other):
        assert [each["event_id"] for each in writer.lost_quotes(receipt.id)] == ["talks"]
    kinds = [kind for kind, _, _ in story.said]
    assert kinds == ["source.recorded", "event.recorded", "source.updated"]
    kept = story.ask("SELECT text_sha256, body, captured_at, original_sha256 FROM source_texts")
    assert len(kept) == 2


def test_a_file_is_kept_once_and_shown_by_both(story: Log) -> None:
    story.one.record([TALKS, RAID])
    shown = story.one.attach("talks", png("red"), {"alt": "Red"})
    assert story.other.attach("talks", png("red"), {"alt": "Red"}).unchanged
    assert story.other.attach("raid", png("red"), {"alt": "The same"}).version == 2
    assert shown.version == 2
    with pytest.raises(InvalidInput):
        story.one.attach("talks", b"no picture", {"alt": "None"})
    assert story.ask("SELECT count(*), min(length(body)) > 0 FROM media_bytes") == [(1, 1)]
    assert len(story.said) == 4


# --- Erasure ------------------------------------------------------------------------------


def words_left(story: Log, word: str) -> list[str]:
    """The files of both writers that have a word in their bytes."""
    return [
        file.name
        for path in story.paths
        for file in path.parent.glob(f"{path.name}*")
        if word.encode() in file.read_bytes()
    ]


def test_an_entry_is_erased_for_both_and_once(story: Log) -> None:
    secret = story.one.record({**TALKS, "title": "Zyxomma was seen"})
    story.other.update("talks", {"title": "Something was seen"})
    story.catch_up()
    assert words_left(story, "Zyxomma")
    (erased,) = story.one.erase([secret.entry_id], reason="A court").receipts
    (again,) = story.other.erase([secret.entry_id], reason="A court").receipts
    assert again.unchanged
    assert place(again) == place(erased)
    assert [kind for kind, _, _ in story.said] == [
        "event.recorded",
        "event.updated",
        "entry.erased",
    ]
    assert words_left(story, "Zyxomma") == []
    assert story.ask("SELECT payload, salt FROM log WHERE seq = 1") == [(None, None)]


def test_a_text_is_erased_with_the_last_entry_that_names_it(story: Log) -> None:
    receipt = story.one.capture("Zyxomma was seen.", PAPER)
    story.other.erase([receipt.entry_id], reason="A court")
    assert story.ask("SELECT body FROM source_texts") == [(None,)]
    for writer in (story.one, story.other):
        with pytest.raises(Refused):
            writer.capture("Zyxomma was seen.", PAPER)
    assert words_left(story, "Zyxomma") == []


def test_a_file_is_erased_for_both_and_never_comes_back(story: Log) -> None:
    story.one.record(TALKS)
    story.one.attach("talks", png("red"), {"alt": "Red"})
    story.catch_up()
    ((sha256,),) = story.ask("SELECT sha256 FROM media_files")
    name = sha256.replace("sha256:", "media/")
    (erased,) = story.other.erase([name], reason="A court").receipts
    assert erased.kind == "media.erased"
    assert story.ask("SELECT count(*) FROM media_bytes") == [(0,)]
    for writer in (story.one, story.other):
        with pytest.raises(Refused):
            writer.attach("talks", png("red"), {"alt": "Red"})


def test_what_cannot_be_erased_is_refused_and_nothing_is(story: Log) -> None:
    receipt = story.one.record(TALKS)
    opened = story.entries[0].id
    for ids in ([receipt.entry_id, "nobody"], [receipt.entry_id, opened]):
        with pytest.raises(TimelineError):
            story.other.erase(ids, reason="A court")
    with pytest.raises(InvalidInput):
        story.one.erase([receipt.entry_id], reason="about Talks in Odesa")
    assert len(story.said) == 1


# --- Commands -----------------------------------------------------------------------------


def test_commands_write_into_it(story: Log) -> None:
    one, other = (("-d", path) for path in story.paths)
    printed = done(*one, "append", "--title", "Talks", "--occurred", "2025-04-15", "--id", "talks")
    assert printed.endswith("entry 1, version 1\n")
    assert done(*other, "update", "talk", "--set", "note=Seen").endswith("entry 2, version 2\n")
    assert done(*one, "correct", "talks@2", "--set", "note=Seen twice", "--reason", "It was").count(
        "version 3"
    )
    assert "version 3" in one_line(run(*other, "retract", "talks@2", "--reason", "No"))
    done(*other, "actor", "add", "Mark Rutte", "--alias", "M. Rutte")
    done(*one, "actor", "alias", "Mark Rutte", "Rutte")
    done(*other, "erase", "talks@1", "--reason", "A court")
    kinds = [kind for kind, _, _ in story.said]
    assert kinds == [
        *("event.recorded", "event.updated", "event.corrected"),
        *("actor.recorded", "actor.updated", "entry.erased"),
    ]


SHEET = "id,title,occurred,note\ntalks,Talks,2025-04-15,\nraid,Raid,2025-04-16,\n"


def test_a_sheet_is_taken_in_by_either_and_the_same_one_adds_nothing(
    story: Log, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    one, other = (("-d", path, "sync", sheet, "--yes") for path in story.paths)
    sheet.write_text(SHEET)
    done(*one)
    done(*other)
    assert len(story.said) == 2
    sheet.write_text(SHEET.replace("Talks,2025-04-15,", "Talks,2025-04-15,Seen"))
    done(*other, "--dry-run")
    assert len(story.said) == 2
    done(*other)
    sheet.write_text("\n".join(sheet.read_text().splitlines()[:2]))
    done(*one)
    assert story.said[2:] == [
        ("event.updated", "event/talks", 2),
        ("event.retracted", "event/raid", 2),
    ]
    sheet.write_text("id,title,occurred\ntalks,,soon\n")
    assert run(*other).exit_code == 1
    assert len(story.said) == 4


MAPPING = 'scheme = "m"\nid = "id"\n[fields]\ntitle = "title"\noccurred = "day"\n'


def test_a_publishers_file_is_imported_by_either_and_the_same_one_adds_nothing(
    story: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(MAPPING)
    Path("rows.csv").write_text("id,title,day\na,Talks,2025-04-15\nb,Raid,2025-04-16\n")
    whole = ("--complete", "--yes", "--reported-at")
    one, other = (
        ("-d", path, "import", "mapped", "rows.csv", "--map", "map.toml") for path in story.paths
    )
    done(*one, *whole, "2025-04-17")
    done(*other)
    assert len(story.said) == 2
    Path("rows.csv").write_text("id,title,day\na,Talks in Odesa,2025-04-15\n")
    done(*other, *whole, "2025-04-18")
    assert [(kind, version) for kind, _, version in story.said[2:]] == [
        ("event.updated", 2),
        ("event.retracted", 2),
    ]


def test_what_either_exports_is_the_same_log_again(story: Log, tmp_path: Path) -> None:
    story.one.record([TALKS, RAID])
    story.other.update("talks", {"note": "Seen"})
    story.catch_up()
    exports = [done("-d", path, "export", "jsonl") for path in story.paths]
    assert exports[0] == exports[1]
    copy = tmp_path / "copy.db"
    with Timeline.restore(copy, io.BytesIO(exports[0].encode()), now=story.clock):
        pass
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM log").fetchone()
    assert count == len(story.entries) == 4
    assert verify.verify(copy).findings == []
