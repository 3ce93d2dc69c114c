"""Each way of changing the file, and the finding that it gives; nothing found where nothing was."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import Operation, begin, stories, tell
from running import done, dump, one_line, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import ProjectionOutdated, StoreError
from timeline.model.clock import utc
from timeline.model.content import Said
from timeline.projection import facet_segments, tables
from timeline.proof import checkpoints, verify
from timeline.proof.signed_note import SigningKey, parse
from timeline.store import codec, log, merkle, storage
from timeline.writing import erasure

KEY = SigningKey("example.org/story", b"k" * 32)
ERASED, ERASING = 3, 11
SIGNED_AT = datetime(2025, 4, 13, 18, tzinfo=UTC)
TEXT = "What the mayor said."
TEXT_SHA256 = "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()

Tamper = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def template(segments_of_four_entries: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen entries, one of them erased, a captured text, two checkpoints."""
    path = tmp_path_factory.mktemp("verify") / "template.db"
    clock = TickingClock()
    with Timeline.create(path, title="A story", origin="example.org/story", now=clock) as timeline:
        with timeline.append() as append:
            append.record_source({"source_id": "paper", "title": "P", "text_sha256": TEXT_SHA256})
            append.record_actor({"actor_id": "nato", "name": "NATO", "aliases": ["the alliance"]})
        for number in range(4):
            timeline.record(
                {
                    "event_id": f"event-{number}",
                    "title": f"Event {number}",
                    "occurred": "2025-04-15",
                    "tags": ["a tag"],
                    "place": {"name": "Odesa", "country": "UKR"},
                    "participants": [{"name": "NATO"}],
                    "quantities": [{"measure": "killed", "value": 3}],
                    "claims": [{"speaker": "S", "statement": "so"}],
                    "relations": [{"type": "follows", "event_id": "event-0"}] if number else [],
                    "citations": [{"source_id": "paper", "quote": "the mayor"}],
                    "media": [{"kind": "video", "url": "https://example.org/film"}],
                    "external_ids": [f"gdelt:{number}"],
                }
            )
        timeline.correct("event-1", {"quantities.0.value": 4}, reason="a recount")
        timeline.retract("event-2", reason="a rumour")
        with timeline.append() as append:
            append.withdraw_source("paper", Said(reason="made up"))
        timeline.merge("event-3", into="event-1")
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        connection.execute(
            "INSERT INTO source_texts (text_sha256, body, captured_at) VALUES (?, ?, ?)",
            (TEXT_SHA256, TEXT, utc(clock())),
        )
        checkpoints.sign(connection, KEY, now=lambda: SIGNED_AT)
        first = log.entry_at(connection, ERASED)
        assert first is not None
        erasure.erase(connection, str(path), [first.id], Said(reason="a court"), now=clock)
        with Timeline.open(path, now=clock) as timeline:
            timeline.record({"event_id": "event-9", "title": "The last", "occurred": "2025"})
        checkpoints.sign(connection, KEY)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="module", autouse=True)
def segments_of_four_entries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_segments, "SIZE", 4)
        yield


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "timeline.db"))


@contextlib.contextmanager
def forging(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without the triggers that stand in the way; they are there again afterwards."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def found(path: Path, **given: object) -> set[tuple[str, str]]:
    report = verify.verify(path, **given)  # type: ignore[arg-type]
    return {
        (finding.what, finding.where.removeprefix(f"{path.parent}/")) for finding in report.findings
    }


def make_tree_anew(connection: sqlite3.Connection) -> None:
    """Leaves and inner hashes of the envelopes as they are now: a forger's care."""
    rows = connection.execute("SELECT seq, envelope FROM log ORDER BY seq").fetchall()
    connection.execute("DELETE FROM tree_hashes")
    ends: list[bytes] = []
    inner: list[bytes] = []
    for size, (seq, envelope) in enumerate(rows):
        leaf = merkle.leaf_hash(envelope.encode())
        connection.execute("UPDATE log SET leaf = ? WHERE seq = ?", (leaf, seq))
        inner += merkle.grow(ends, size, leaf)
    connection.executemany("INSERT INTO tree_hashes VALUES (?, ?)", enumerate(inner))


def rewrite(connection: sqlite3.Connection, seq: int, old: str, new: str) -> None:
    """Change what an entry says, and every hash that depends on it."""
    entry = log.entry_at(connection, seq)
    assert entry is not None
    assert entry.payload is not None
    assert entry.salt is not None
    payload = entry.payload.replace(old, new)
    assert payload != entry.payload
    envelope = entry.envelope.replace(
        codec.payload_hash(entry.salt, entry.payload), codec.payload_hash(entry.salt, payload)
    )
    connection.execute(
        "UPDATE log SET payload = ?, envelope = ? WHERE seq = ?", (payload, envelope, seq)
    )
    make_tree_anew(connection)
    tables.make_anew(connection)


# --- A whole file -----------------------------------------------------------------------------


def test_a_whole_file_holds_and_says_what_was_not_checked(path: Path) -> None:
    report = verify.verify(path)
    assert report.findings == []
    assert (report.size, report.erased, report.checkpoints, report.signed) == (13, 1, 2, 13)
    assert (report.texts, report.texts_absent) == (1, 0)
    with contextlib.closing(storage.connect(path)) as connection:
        assert report.root == log.root_at(connection, 13)
        (note, *_) = (stored.note for stored in checkpoints.stored(connection))
    outside, key, only_here = report.unnoticed
    assert "Nothing from outside this file" in outside
    assert "--key" in key
    fuller = verify.verify(path, checkpoints={"mine": note}, keys=[KEY.verifier])
    assert (fuller.findings, fuller.unnoticed) == ([], [only_here])
    for table, columns in UNPROVEN.items():
        assert all(column in only_here for column in columns), table


def test_verify_changes_nothing_and_a_reader_may_do_it(path: Path) -> None:
    before, bytes_before = dump(path), path.read_bytes()
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    bytes_before = path.read_bytes()
    path.chmod(0o444)
    assert found(path) == set()
    assert (dump(path), path.read_bytes()) == (before, bytes_before)


def test_an_append_meanwhile_is_not_a_finding(path: Path) -> None:
    with Timeline.open(path) as timeline:
        first = True

        def append(part: str, count: int) -> None:
            nonlocal first
            if first:
                timeline.record({"title": "Meanwhile", "occurred": "2025"})
            first = False

        report = verify.verify(path, progress=append)
        assert (report.findings, report.size) == ([], 13)
    assert verify.verify(path).size == 14


@settings(max_examples=25)
@given(stories, st.randoms(use_true_random=False))
def test_whatever_was_told_and_erased_holds(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[list[Operation]],
    chance: random.Random,
) -> None:
    path = tmp_path_factory.mktemp("told") / "timeline.db"
    with Timeline.create(path, title="T", origin="example.org/story") as timeline:
        begin(timeline)
        for operations in told:
            tell(timeline, operations)
    assert found(path) == set()
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        entries = [entry for entry in log.read(connection) if entry.subject != "log"]
        chosen = chance.sample(entries, min(len(entries), 5))
        erasure.erase(connection, str(path), [entry.id for entry in chosen], Said(reason="_"))
    assert found(path) == set()


# --- The tamper table -------------------------------------------------------------------------

CHANGES: dict[str, tuple[Tamper, set[tuple[str, str]]]] = {
    "a payload": (
        lambda c: c.execute("UPDATE log SET payload = payload || ' '"),
        {("payload", "#4"), ("payload", "#12")},
    ),
    "a salt": (
        lambda c: c.execute("UPDATE log SET salt = zeroblob(16) WHERE seq = 5"),
        {("payload", "#5")},
    ),
    "an envelope": (
        lambda c: c.execute(
            "UPDATE log SET envelope = replace(envelope, 'event-1', 'event-7') WHERE seq = 4"
        ),
        {("leaf", "#4"), ("column subject", "#4"), ("tree", "above #5")},
    ),
    "an envelope, its columns and its leaf": (
        lambda c: (
            c.execute(
                "UPDATE log SET envelope = replace(envelope, 'event-2', 'event-7'),"
                " subject = 'event/event-7' WHERE subject = 'event/event-2'"
            ),
            c.executemany(
                "UPDATE log SET leaf = ? WHERE seq = ?",
                [
                    (merkle.leaf_hash(envelope.encode()), seq)
                    for seq, envelope in c.execute("SELECT seq, envelope FROM log").fetchall()
                ],
            ),
        ),
        {("tree", "above #5"), ("checkpoint", "stored, over 11")},
    ),
    "a column": (
        lambda c: c.execute("UPDATE log SET recorded_at = '2025-04-13T12:00:03.000000Z'"),
        {("column recorded_at", "#4")},
    ),
    "a leaf": (
        lambda c: c.execute("UPDATE log SET leaf = zeroblob(32) WHERE seq = 4"),
        {("leaf", "#4")},
    ),
    "two entries swapped": (
        lambda c: c.executescript(
            "UPDATE log SET seq = -1 WHERE seq = 4; UPDATE log SET seq = 4 WHERE seq = 5;"
            " UPDATE log SET seq = 5 WHERE seq = -1"
        ),
        {("tree", "above #5"), ("recorded_at", "#5")},
    ),
    "an entry taken out": (
        lambda c: c.execute("DELETE FROM log WHERE seq = 5"),
        {("seq", "#6"), ("tree", "above #5")},
    ),
    "the last dropped": (
        lambda c: c.execute("DELETE FROM log WHERE seq = 12"),
        {("checkpoint", "stored, over 13"), ("table events", "event_key 12")},
    ),
    "a row replaced": (
        lambda c: c.execute(
            "INSERT OR REPLACE INTO log SELECT 12, 'another', kind, subject, version,"
            " recorded_at, reported_at, envelope, payload, salt, leaf FROM log WHERE seq = 12"
        ),
        {("column id", "#12")},
    ),
    "an entry of no known kind": (
        lambda c: c.execute("UPDATE log SET kind = 'event.forgotten' WHERE seq = 12"),
        {("column kind", "#12")},
    ),
    "a version left out": (
        lambda c: c.execute("UPDATE log SET version = 7 WHERE seq = 12"),
        {("column version", "#12"), ("versions", "event/event-9")},
    ),
    "a number for bytes": (
        lambda c: c.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '')"
            " WHERE name = 'log'; PRAGMA writable_schema = RESET;"
            " UPDATE log SET salt = 5 WHERE seq = 4"
        ),
        {("schema", "table log"), ("row", "#4")},
    ),
    "text that is not UTF-8": (
        lambda c: c.execute("UPDATE log SET payload = CAST(x'7b22ff' AS TEXT) WHERE seq = 12"),
        {("payload", "#12"), ("file", "timeline.db")},
    ),
    "a hash of the tree": (
        lambda c: c.execute("UPDATE tree_hashes SET hash = zeroblob(32) WHERE position = 2"),
        {("tree", "above #3")},
    ),
    "a hash too many": (
        lambda c: c.execute("INSERT INTO tree_hashes VALUES (99, zeroblob(32))"),
        {("tree", "hash 99")},
    ),
    "the newest hash put further away": (
        lambda c: c.execute(
            "UPDATE tree_hashes SET position = position + 1024"
            " WHERE position = (SELECT max(position) FROM tree_hashes)"
        ),
        {("tree", "above #11, position")},
    ),
    "the hashes dropped": (
        lambda c: c.execute("DELETE FROM tree_hashes"),
        {("tree", "above #1"), ("tree", "above #11")},
    ),
    "a payload taken out without an entry": (
        lambda c: c.execute("UPDATE log SET payload = NULL, salt = NULL WHERE seq = 12"),
        {("erasure", "#12")},
    ),
    "an erased payload put back": (
        lambda c: c.execute(
            "UPDATE log SET payload = '{}', salt = zeroblob(16) WHERE seq = ?", (ERASED,)
        ),
        {("erasure", f"#{ERASING}"), ("payload", f"#{ERASED}")},
    ),
    "a salt that was left behind": (
        lambda c: c.execute("UPDATE log SET salt = zeroblob(16) WHERE seq = ?", (ERASED,)),
        {("salt", f"#{ERASED}")},
    ),
    "a byte moved from the payload to the salt": (
        lambda c: c.execute(
            "UPDATE log SET salt = CAST(salt || substr(payload, 1, 1) AS BLOB),"
            " payload = substr(payload, 2) WHERE seq = 4"
        ),
        {("salt", "#4")},
    ),
    "a text that is here and erased": (
        lambda c: c.execute("UPDATE source_texts SET erased_by = 'nobody'"),
        {("text", f"{TEXT_SHA256}, erased_by")},
    ),
    "a publication of less than nothing": (
        lambda c: c.execute(
            "INSERT INTO publications VALUES ('2025-04-13T18:00:00.000000Z', -1, ?, NULL)",
            (merkle.root([]),),
        ),
        {("publication", "publication 2025-04-13T18:00:00.000000Z, size")},
    ),
    "a captured text": (
        lambda c: c.execute("UPDATE source_texts SET body = body || '!'"),
        {("text", TEXT_SHA256)},
    ),
    "the root of a checkpoint": (
        lambda c: c.execute("UPDATE checkpoints SET root = zeroblob(32) WHERE size = 11"),
        {("checkpoint", "stored, over 11")},
    ),
    "a signature": (
        lambda c: c.execute(
            "UPDATE checkpoints SET note = replace(note, '\u2014 ', '\u2014 x') WHERE size = 11"
        ),
        {("checkpoint", "stored, over 11, verifier_keys")},
    ),
    "a checkpoint of another size than its note": (
        lambda c: c.execute("UPDATE checkpoints SET size = 7 WHERE size = 11"),
        {("checkpoint", "stored, over 7")},
    ),
    "a note over another size than its row": (
        lambda c: c.execute(
            "UPDATE checkpoints SET note = replace(note, char(10) || '11' || char(10),"
            " char(10) || '7' || char(10)) WHERE size = 11"
        ),
        {("checkpoint", "stored, over 11")},
    ),
    "a checkpoint without keys": (
        lambda c: c.execute("UPDATE checkpoints SET verifier_keys = '' WHERE size = 11"),
        {("checkpoint", "stored, over 11, verifier_keys")},
    ),
    "a checkpoint with the key of somebody who did not sign": (
        lambda c: c.execute(
            "UPDATE checkpoints SET verifier_keys = verifier_keys || char(10) || ?",
            (str(SigningKey.generate("witness").verifier),),
        ),
        {("checkpoint", "stored, over 11, verifier_keys")},
    ),
    "a blank behind the keys": (
        lambda c: c.execute("UPDATE checkpoints SET verifier_keys = verifier_keys || ' '"),
        {("checkpoint", "stored, over 11, verifier_keys")},
    ),
    "a time that is none": (
        lambda c: c.execute("UPDATE checkpoints SET stored_at = 'today' WHERE size = 11"),
        {("checkpoint", "stored, over 11, stored_at")},
    ),
    "a publication of something else": (
        lambda c: c.execute("INSERT INTO publications VALUES ('today', 5, zeroblob(32), NULL)"),
        {("checkpoint", "publication today")},
    ),
    "a publication signed up to a size that was not": (
        lambda c: c.execute(
            "INSERT INTO publications SELECT stored_at, size, root, 12 FROM checkpoints"
        ),
        {("publication", f"publication {utc(SIGNED_AT)}, checkpoint_size")},
    ),
    "a mirror of another log": (
        lambda c: c.execute("INSERT INTO mirror VALUES ('example.org/other', 'yesterday')"),
        {("mirror", "example.org/other"), ("mirror", "example.org/other, since")},
    ),
    "a text emptied by nobody": (
        lambda c: c.execute("UPDATE source_texts SET body = NULL, erased_by = 'nobody'"),
        {("text", f"{TEXT_SHA256}, erased_by")},
    ),
    "a text emptied by an erasure of something else": (
        lambda c: c.execute(
            "UPDATE source_texts SET body = NULL, erased_by = (SELECT id FROM log WHERE seq = ?)",
            (ERASING,),
        ),
        {("text", f"{TEXT_SHA256}, erased_by")},
    ),
    "a text that no entry names": (
        lambda c: c.execute(
            "INSERT INTO source_texts SELECT ?, 'More', captured_at, NULL, NULL FROM source_texts",
            ("sha256:" + hashlib.sha256(b"More").hexdigest(),),
        ),
        {("text", "sha256:" + hashlib.sha256(b"More").hexdigest())},
    ),
    "a page of a text that has no hash": (
        lambda c: c.execute("UPDATE source_texts SET original_sha256 = 'sha256:1'"),
        {("text", f"{TEXT_SHA256}, original_sha256")},
    ),
    "a text captured at no time": (
        lambda c: c.execute("UPDATE source_texts SET captured_at = '2025-04-15'"),
        {("text", f"{TEXT_SHA256}, captured_at")},
    ),
    "a row of a table": (
        lambda c: c.execute("UPDATE event_quantities SET value = 5 WHERE event_id = 'event-1'"),
        {("table event_quantities", "event_id event-1, position 1, value")},
    ),
    "a row more": (
        lambda c: c.execute("INSERT INTO event_tags VALUES ('event-1', 'forged')"),
        {("table event_tags", "event_id event-1, tag forged")},
    ),
    "a row less": (
        lambda c: c.execute("DELETE FROM citations WHERE event_id = 'event-1'"),
        {("table citations", "event_id event-1, position 1")},
    ),
    "a word in the place of another": (
        lambda c: c.executescript(
            "INSERT INTO event_search (event_search, rowid, title)"
            " VALUES ('delete', 12, 'The last');"
            " INSERT INTO event_search (rowid, title) VALUES (12, 'The lost')"
        ),
        {("table event_search", "index, word last"), ("table event_search", "index, word lost")},
    ),
    "the index that is searched": (
        lambda c: c.execute("DELETE FROM event_search_data WHERE id > 100"),
        {("table event_search", "index")},
    ),
    "the order in which matches are shown": (
        lambda c: c.execute("INSERT INTO event_search_config VALUES ('rank', 'bm25(10.0)')"),
        {("table event_search", "configuration rank")},
    ),
    "a word that is indexed where it is not": (
        lambda c: c.executescript(
            "CREATE TEMP TABLE kept AS SELECT * FROM event_search_docsize WHERE id = 12;"
            " CREATE TEMP TABLE totals AS SELECT * FROM event_search_data WHERE id = 1;"
            " INSERT INTO event_search (rowid, title) VALUES (12, 'Forged');"
            " REPLACE INTO event_search_docsize SELECT * FROM kept;"
            " REPLACE INTO event_search_data SELECT * FROM totals"
        ),
        {("table event_search", "index, word forged")},
    ),
    "an event that no search finds": (
        lambda c: c.execute(
            "INSERT INTO event_search (event_search, rowid, title)"
            " VALUES ('delete', 12, 'The last')"
        ),
        {("table event_search", "rowid 12"), ("table event_search", "index, word last")},
    ),
    "how many words an event has": (
        lambda c: c.execute("UPDATE event_search_docsize SET sz = x'0900000000' WHERE id = 12"),
        {("table event_search", "rowid 12, numbers of words")},
    ),
    "how many words all events have": (
        lambda c: c.execute("UPDATE event_search_data SET block = x'0509' WHERE id = 1"),
        {("table event_search", "rowid all, numbers of words")},
    ),
    "a number written as another kind of number": (
        lambda c: c.execute(
            "UPDATE event_quantities SET value = CAST(value AS REAL) WHERE event_id = 'event-1'"
        ),
        {("table event_quantities", "event_id event-1, position 1, typeof(value)")},
    ),
    "how many words an event has, as a text": (
        lambda c: c.execute("UPDATE event_search_docsize SET sz = CAST(sz AS TEXT) WHERE id = 12"),
        {("table event_search", "rowid 12, typeof(sz)")},
    ),
    "a table dropped": (
        lambda c: c.execute("DROP TABLE event_claims"),
        {("schema", "table event_claims"), ("table event_claims", "all")},
    ),
    "a column more": (
        lambda c: c.execute("ALTER TABLE log ADD COLUMN more TEXT"),
        {("schema", "table log")},
    ),
    "a view that says otherwise": (
        lambda c: c.executescript(
            "DROP VIEW current_events; CREATE VIEW current_events AS SELECT * FROM events"
        ),
        {("schema", "view current_events")},
    ),
    "an index dropped": (
        lambda c: c.execute("DROP INDEX log_recorded_at"),
        {("schema", "index log_recorded_at")},
    ),
    "a trigger of a stranger": (
        lambda c: c.execute(
            "CREATE TRIGGER helpful AFTER INSERT ON log BEGIN DELETE FROM event_tags; END"
        ),
        {("schema", "trigger helpful")},
    ),
    "a trigger on a table in capitals": (
        lambda c: c.execute(
            "CREATE TRIGGER helpful AFTER INSERT ON LOG BEGIN DELETE FROM event_tags; END"
        ),
        {("schema", "trigger helpful")},
    ),
    "a trigger on a table of migrations": (
        lambda c: c.execute(
            "CREATE TRIGGER helpful AFTER INSERT ON _sqlite_migrations BEGIN SELECT 1; END"
        ),
        {("schema", "trigger helpful")},
    ),
    "a trigger on a table of the index that is searched": (
        lambda c: c.execute(
            "CREATE TRIGGER helpful AFTER INSERT ON event_search_idx BEGIN SELECT 1; END"
        ),
        {("schema", "trigger helpful")},
    ),
    "an index more": (
        lambda c: c.execute("CREATE INDEX titles ON events (title)"),
        {("schema", "index titles")},
    ),
    "a unique index more": (
        lambda c: c.execute("CREATE UNIQUE INDEX once ON log (payload)"),
        {("schema", "index once")},
    ),
    "a view more": (
        lambda c: c.execute("CREATE VIEW nice_events AS SELECT 1 AS title"),
        {("schema", "view nice_events")},
    ),
    "a view in other letters": (
        lambda c: c.executescript(
            "DROP VIEW current_events; CREATE VIEW Current_Events AS SELECT 1 AS title"
        ),
        {("schema", "view current_events"), ("schema", "view Current_Events")},
    ),
    "a table in the place of a function": (
        lambda c: c.execute("CREATE TABLE json_each (value)"),
        {("schema", "table json_each")},
    ),
    "a table like a list of the file's own fields": (
        lambda c: c.execute("CREATE TABLE pragma_table_info (name)"),
        {("schema", "table pragma_table_info")},
    ),
    "a trigger on a table of a user": (
        lambda c: c.executescript(
            "CREATE TABLE mine (a); CREATE TRIGGER helpful AFTER INSERT ON mine"
            " BEGIN DELETE FROM event_tags; END"
        ),
        {("schema", "trigger helpful")},
    ),
    "a table that is searched in another way": (
        lambda c: c.execute("CREATE VIRTUAL TABLE mine USING fts5(title)"),
        {("schema", "table mine")},
    ),
    "a table of migrations with a rule": (
        lambda c: c.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql ="
            " replace(sql, '\"name\" TEXT', '\"name\" TEXT CHECK (1)')"
            " WHERE name = '_sqlite_migrations'; PRAGMA writable_schema = RESET"
        ),
        {("schema", "table _sqlite_migrations")},
    ),
    "an index of migrations on a table in capitals": (
        lambda c: c.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET tbl_name = upper(tbl_name)"
            " WHERE type = 'index' AND sql GLOB '*_sqlite_migrations*';"
            " PRAGMA writable_schema = RESET"
        ),
        {("schema", "index idx__sqlite_migrations_migration_set_name")},
    ),
    "a definition in bytes": (
        lambda c: c.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = CAST(sql AS BLOB)"
            " WHERE name = 'sources'; PRAGMA writable_schema = RESET"
        ),
        {("schema", "table sources")},
    ),
    "statistics that mislead": (
        lambda c: c.executescript("ANALYZE; UPDATE sqlite_stat1 SET stat = '1 1'"),
        {("schema", "table sqlite_stat1")},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_way_of_changing_the_file_is_found(path: Path, change: str) -> None:
    tamper, expected = CHANGES[change]
    with forging(path) as connection:
        tamper(connection)
    assert found(path) >= expected
    assert run("-d", path, "verify").exit_code == 3


MINE = """
CREATE TABLE "my notes" (event_id TEXT PRIMARY KEY REFERENCES events, note TEXT UNIQUE);
CREATE TABLE Numbered (a INTEGER PRIMARY KEY AUTOINCREMENT, b);
CREATE INDEX by_b ON NUMBERED (b);
CREATE TABLE keyed (a TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO "my notes" VALUES ('event-1', 'Words of a user');
INSERT INTO Numbered (b) VALUES (3);
"""


def test_tables_of_a_user_are_named_and_stay(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(MINE)
    report = verify.verify(path)
    assert report.findings == []
    assert "Tables that Timeline did not make: my notes, Numbered, keyed." in report.unnoticed
    assert run("-d", path, "rebuild").exit_code == 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute('SELECT * FROM "my notes"').fetchall()


TABLES = [
    name
    for name, kind in tables.tables().items()
    if kind == "TABLE"
    and name != "projection_state"  # without it they are of no version
    and name != "event_search"  # it has no rows, only an index
]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_gone_from_any_table_is_found(path: Path, table: str) -> None:
    with forging(path) as connection:
        assert connection.execute(f"DELETE FROM {table}").rowcount
    assert f"table {table}" in {what for what, _ in found(path)}


@pytest.mark.parametrize(
    "column",
    ["id", "kind", "subject", "recorded_at", "reported_at", "envelope", "payload", "salt", "leaf"],
)
def test_a_byte_of_an_entry_flipped_anywhere_is_found(path: Path, column: str) -> None:
    with forging(path) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM log WHERE seq = 4").fetchone()
        raw = value.encode() if isinstance(value, str) else value
        kind = "TEXT" if isinstance(value, str) else "BLOB"
    for place in range(0, len(raw), 9):
        with forging(path) as connection:
            spoiled = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            connection.execute(
                f"UPDATE log SET {column} = CAST(? AS {kind}) WHERE seq = 4", (spoiled,)
            )
        assert "#4" in {where for _, where in found(path)}, place


def matches(connection: sqlite3.Connection) -> list[object]:
    """The events in which a search finds each word in the table `words`, and its beginnings."""
    return connection.execute(
        "WITH asked AS (SELECT '\"' || term || '\"' AS words FROM temp.words UNION"
        " SELECT '\"' || substr(term, 1, value) || '\" *' FROM temp.words, json_each('[2, 4, 5]'))"
        " SELECT words, (SELECT group_concat(rowid) FROM event_search"
        " WHERE event_search MATCH words) FROM asked"
    ).fetchall()


def keep_words(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE VIRTUAL TABLE temp.now USING fts5vocab(main, event_search, row)")
    connection.execute("CREATE TEMP TABLE words AS SELECT term FROM temp.now")
    connection.execute("DROP TABLE temp.now")


def test_a_word_that_a_search_does_not_find_any_more_is_found(path: Path, tmp_path: Path) -> None:
    """Also where the check of FTS5, a XOR, sees nothing since the changes cancel each other out."""
    with Timeline.open(path) as timeline:
        titles = ("A ship sails", "Another", "A ship sails")
        timeline.record({"title": title, "occurred": "2025"} for title in titles)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        keep_words(connection)
        before = matches(connection)
        blocks = connection.execute("SELECT id, block FROM event_search_data WHERE id > 10")
        missed: list[tuple[int, bytes]] = []
        for number, block in blocks.fetchall():
            for place in range(len(block)):
                changed = block[:place] + bytes([block[place] ^ 1]) + block[place + 1 :]
                connection.execute("BEGIN")
                connection.execute(
                    "UPDATE event_search_data SET block = ? WHERE id = ?", (changed, number)
                )
                with contextlib.suppress(sqlite3.DatabaseError):
                    connection.execute(
                        "INSERT INTO event_search (event_search) VALUES ('integrity-check')"
                    )
                    if matches(connection) != before:
                        missed.append((number, changed))
                connection.execute("ROLLBACK")
    assert missed
    for number, changed in missed[:5] + missed[-5:]:  # of words, and of beginnings of words
        shutil.copy(path, tmp_path / "changed.db")
        with contextlib.closing(sqlite3.connect(tmp_path / "changed.db")) as connection, connection:
            connection.execute(
                "UPDATE event_search_data SET block = ? WHERE id = ?", (changed, number)
            )
        assert "table event_search" in {what for what, _ in found(tmp_path / "changed.db")}


WAYS_TO_MISLEAD_A_SEARCH = (
    "DELETE FROM event_search_idx WHERE segid = ?1 AND term = ?2",
    "UPDATE event_search_idx SET term = substr(?2, 1, length(?2) - 1)"
    " WHERE segid = ?1 AND term = ?2",
    "UPDATE event_search_idx SET term = ?2 || x'7a7a' WHERE segid = ?1 AND term = ?2",
    "UPDATE event_search_idx SET pgno = pgno + 2 WHERE segid = ?1 AND term = ?2",
    "UPDATE event_search_idx SET pgno = pgno - 2 WHERE segid = ?1 AND term = ?2",
    "UPDATE event_search_idx SET pgno = pgno + 1 WHERE segid = ?1 AND term = ?2",
    "INSERT INTO event_search_idx VALUES (?1, ?2 || x'61', 2)",
)


def test_a_search_that_is_led_to_another_page_of_the_index_is_found(
    path: Path, tmp_path: Path
) -> None:
    with Timeline.open(path) as timeline:
        chance = random.Random(1)
        for _ in range(2):  # segments with many pages
            timeline.record(
                {"title": f"{chance.randrange(10**6):x} and", "occurred": "2025"}
                for _ in range(700)
            )
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        keep_words(connection)
        before = matches(connection)
        words = connection.execute("SELECT term FROM words").fetchall()
        rows = connection.execute("SELECT segid, term FROM event_search_idx").fetchall()
    assert len(rows) > 9
    changed, misled = tmp_path / "changed.db", 0
    for change, row in itertools.product(WAYS_TO_MISLEAD_A_SEARCH, chance.sample(rows, 6)):
        shutil.copy(path, changed)
        with contextlib.closing(sqlite3.connect(changed, isolation_level=None)) as connection:
            try:
                connection.execute(change, row)
            except sqlite3.IntegrityError:
                continue
            connection.execute("CREATE TEMP TABLE words (term)")
            connection.executemany("INSERT INTO words VALUES (?)", words)
            try:
                same = matches(connection) == before
            except sqlite3.DatabaseError:
                same = False
        if not same:
            misled += 1
            assert "table event_search" in {what for what, _ in found(changed)}, (change, row)
    assert misled > 9


FIELDS_OF_THE_HEADER = {
    "write version": (18, b"\x01"),
    "read version": (19, b"\x01"),
    "schema format": (47, b"\x01"),
    "default cache size": (48, b"\x7f"),
    "auto-vacuum": (55, b"\x01"),
    "text encoding": (59, b"\x00"),
    "user version": (63, b"\x00"),
    "incremental vacuum": (67, b"\x01"),
    "application id": (68, b"\x00"),
    "reserved bytes": (80, b"a word"),
}


@pytest.mark.parametrize("name", FIELDS_OF_THE_HEADER)
def test_a_field_of_the_header_that_means_something_is_held_to_its_value(
    path: Path, name: str
) -> None:
    place, changed = FIELDS_OF_THE_HEADER[name]
    with path.open("r+b") as file:
        file.seek(place)
        file.write(changed)
    result = run("-d", path, "verify")
    if name in ("application id", "user version"):  # a file that no command reads
        assert one_line(result)
    else:
        assert (result.exit_code, "header" in result.stdout) == (3, True)


def test_no_lock_of_the_process_is_lost_to_a_look_at_the_header(path: Path) -> None:
    with Timeline.open(path) as timeline, contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert found(path) == set()
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')"
        late = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
        assert "locked" in late.stderr
        other.rollback()
        assert timeline.list()


def test_a_trigger_that_was_dropped_for_an_update_is_missed(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER log_never_changes")
        connection.execute("UPDATE log SET payload = '{}' WHERE seq = 4")
    assert found(path) >= {("schema", "trigger log_never_changes"), ("payload", "#4")}


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8, 0.99])
def test_a_file_that_was_cut_off_is_found(path: Path, part: float) -> None:
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    assert "file" in {what for what, _ in found(path)}
    assert run("-d", path, "verify").exit_code == 3


@settings(max_examples=150)
@given(st.data())
def test_any_byte_of_the_file_flipped_is_found_or_changes_nothing(
    template: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = bytearray(template.read_bytes())
    place = data.draw(st.integers(100, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flipped") / "timeline.db"
    path.write_bytes(raw)
    try:
        findings = verify.verify(path).findings
    except StoreError:
        return
    if not findings:
        assert said_by(path) == said_by(template)


UNPROVEN = {
    "_sqlite_migrations": ("applied_at",),
    "checkpoints": ("stored_at",),
    "mirror": ("since",),
    "publications": ("published_at",),
    "source_texts": ("captured_at", "original_sha256"),
}
"""What is written down in the file, and nowhere else; verify says so."""


def said_by(path: Path) -> dict[str, list[object]]:
    """All that a file holds that can be known to have changed."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        made = connection.execute(
            "SELECT type, name, CAST(sql AS TEXT) FROM sqlite_master WHERE sql IS NOT NULL"
            " AND name NOT GLOB 'event_search_*'"  # the index, of which the words are compared
            " AND name <> '_sqlite_migrations'"  # as sqlite-utils makes it
        )
        said: dict[str, list[object]] = {"": sorted(made, key=repr)}
        for kind, raw, _ in said[""]:  # type: ignore[misc]
            if kind == b"table":
                name = raw.decode()
                columns = [
                    row[1].decode()
                    for row in connection.execute(f"PRAGMA table_info({name})")
                    if row[1].decode() not in UNPROVEN.get(name, ())
                ]
                said[name] = connection.execute(
                    f"SELECT {', '.join(columns)} FROM {name}"
                ).fetchall()
        return said


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE _sqlite_migrations SET name = '0099_log' WHERE id = 1",
        "UPDATE _sqlite_migrations SET applied_at = CAST(x'32fe' AS TEXT)",
        "DELETE FROM _sqlite_migrations",
        "INSERT INTO _sqlite_migrations SELECT 99, 'timeline', '0099_more', applied_at"
        " FROM _sqlite_migrations WHERE id = 1",
    ],
)
def test_other_migrations_than_ours_are_found(path: Path, change: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    assert ("schema", "migrations") in found(path)


def test_a_value_of_another_type_than_its_column_has_is_found(path: Path) -> None:
    """As one bit makes it; what was to be done with the value cannot be."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'checkpoints'")
        change = "UPDATE sqlite_master SET sql = ? WHERE name = 'checkpoints'"
        connection.execute(change, (made[0].replace("STRICT, ", ""),))
        connection.commit()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        triggers = [name for (name,) in names if name.startswith("checkpoints")]
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE checkpoints SET verifier_keys = CAST(verifier_keys AS BLOB)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(change, made)
    assert ("file", "integrity_check") in found(path)


# --- What only an outsider sees ---------------------------------------------------------------


def newest_note(path: Path) -> str:
    with contextlib.closing(storage.connect(path)) as connection:
        return checkpoints.stored(connection)[0].note


def test_a_log_rewritten_with_care_fails_by_its_checkpoints(path: Path) -> None:
    note = newest_note(path)
    with forging(path) as connection:
        rewrite(connection, 4, "Event 1", "Nothing")
    assert found(path) == {("checkpoint", "stored, over 11"), ("checkpoint", "stored, over 13")}
    with forging(path) as connection:
        connection.execute("DELETE FROM checkpoints")
    report = verify.verify(path)
    assert report.findings == []
    assert "written anew" in report.unnoticed[0]
    assert found(path, checkpoints={"mine": note}) == {("checkpoint", "mine")}


def test_a_log_signed_anew_by_somebody_else_fails_by_its_key(path: Path) -> None:
    note, forger = newest_note(path), SigningKey.generate("example.org/story")
    with forging(path) as connection:
        connection.execute("DELETE FROM checkpoints")
        rewrite(connection, 4, "Event 1", "Nothing")
        checkpoints.sign(connection, forger)
    assert found(path) == set()
    assert found(path, keys=[KEY.verifier]) == {("checkpoint", "stored, over 13")}
    assert found(path, checkpoints={"mine": note}) == {("checkpoint", "mine")}


@pytest.mark.parametrize("keep", range(1, 13))
def test_a_log_that_lost_its_tail_fails_by_a_checkpoint_kept_elsewhere(
    path: Path, keep: int
) -> None:
    note = newest_note(path)
    with forging(path) as connection:
        connection.execute("DELETE FROM log WHERE seq >= ?", (keep,))
        connection.execute("DELETE FROM checkpoints WHERE size > ?", (keep,))
        if keep == 1:  # the entry that names the text is gone
            connection.execute("DELETE FROM source_texts")
        make_tree_anew(connection)
        tables.make_anew(connection)
    inside = {("erasure", f"#{ERASED}")} if ERASED < keep <= ERASING else set()
    assert found(path) == inside
    assert found(path, checkpoints={"mine": note}) == inside | {("checkpoint", "mine")}


def test_an_old_backup_fails_by_a_checkpoint_kept_elsewhere(path: Path) -> None:
    backup = Path(shutil.copy(path, path.with_name("backup.db")))
    with Timeline.open(path) as timeline:
        timeline.record({"title": "New", "occurred": "2025"})
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        note = checkpoints.sign(connection, KEY).note
    assert found(path, checkpoints={"mine": note}) == set()
    assert found(backup) == set()
    assert found(backup, checkpoints={"mine": note}) == {("checkpoint", "mine")}


def test_a_broken_signature_does_not_count_as_signed(path: Path) -> None:
    with forging(path) as connection:
        connection.execute(
            "UPDATE checkpoints SET verifier_keys = '',"
            " note = substr(note, 1, length(note) - 6) || 'AAAA=' || char(10)"
        )
    assert verify.verify(path).signed == 0


def test_a_note_whose_key_nobody_gave_does_not_count_as_signed(path: Path) -> None:
    note = SigningKey.generate(KEY.name).sign(parse(newest_note(path)).text)
    with forging(path) as connection:
        connection.execute("DELETE FROM checkpoints")
    report = verify.verify(path, checkpoints={"mine": str(note)})
    assert (report.findings, report.signed) == ([], 0)
    assert any("No signature of mine was checked" in said for said in report.unnoticed)


def test_a_signature_broken_in_a_note_is_found_by_the_key_that_is_stored(path: Path) -> None:
    note = newest_note(path)
    broken = note[:-8] + ("A" if note[-8] != "A" else "B") + note[-7:]
    assert found(path, checkpoints={"mine": broken}) == {("checkpoint", "mine")}


def test_a_text_erased_with_its_entry_holds_and_one_erased_too_early_does_not(path: Path) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        first = log.newest(connection, "source/paper")
        recorded = log.entry_at(connection, 1)
        assert recorded is not None
        assert first is not None
        erasure.erase(connection, str(path), [recorded.id], Said(reason="a court"))
    assert found(path) == set()
    with forging(path) as connection:
        row = connection.execute("SELECT erased_by FROM source_texts").fetchone()
        assert row != (None,)
    with Timeline.open(path) as timeline, timeline.append() as append:
        append.record_source({"source_id": "radio", "title": "R", "text_sha256": TEXT_SHA256})
    assert found(path) == set()  # the later entry names a text that was erased before


def test_a_checkpoint_of_another_log_or_that_is_none_is_a_finding(path: Path) -> None:
    other = SigningKey.generate("example.org/other")
    root = base64.b64encode(b"r" * 32).decode()
    for text in ("", "nonsense", str(other.sign(f"example.org/other\n3\n{root}\n"))):
        assert found(path, checkpoints={"mine": text}) == {("checkpoint", "mine")}


def test_entries_behind_the_newest_checkpoint_are_counted(path: Path) -> None:
    with Timeline.open(path) as timeline:
        timeline.record({"title": "New", "occurred": "2025"})
    assert any(
        "1 of 14 entries are under no checkpoint" in sentence
        for sentence in verify.verify(path).unnoticed
    )


# --- The command ------------------------------------------------------------------------------


def test_tables_of_another_version_end_in_1_and_never_hide_a_finding(path: Path) -> None:
    with forging(path) as connection:
        connection.execute("UPDATE projection_state SET projection_version = 99")
    with pytest.raises(ProjectionOutdated):
        verify.verify(path)
    assert "run timeline rebuild" in one_line(run("-d", path, "verify"))
    with forging(path) as connection:
        connection.execute("UPDATE log SET payload = '{}' WHERE seq = 4")
    result = run("-d", path, "verify")
    assert (result.exit_code, "#4" in result.stdout) == (3, True)
    assert "were not compared" in result.stdout


def test_many_findings_of_a_kind_are_counted_not_listed(path: Path) -> None:
    with Timeline.open(path) as timeline:
        timeline.record({"title": f"E {number}", "occurred": "2025"} for number in range(150))
    with forging(path) as connection:
        connection.execute("UPDATE log SET leaf = zeroblob(32)")
    report = verify.verify(path)
    assert sum(finding.what == "leaf" for finding in report.findings) == 100
    assert report.unlisted == 63
    assert "and 63 more" in run("-d", path, "verify").stdout


def test_the_command_says_what_holds_and_what_was_not_checked(path: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    note.write_text(newest_note(path))
    printed = done("-d", path, "verify")
    assert "".join(printed.split()).startswith(f"{path}holds.")
    assert "13 entries of example.org/story, 1 erased" in printed
    assert printed.count("Not checked: ") == 3
    fuller = done("-d", path, "verify", "--checkpoint", note, "--key", KEY.verifier)
    assert fuller.count("Not checked: ") == 1
    answer = json.loads(done("-d", path, "verify", "--json"))
    assert (answer["holds"], answer["size"]) == (True, 13)
    assert run("-d", path, "verify", "--checkpoint", tmp_path / "missing").exit_code == 2


def test_what_is_no_timeline_is_refused(tmp_path: Path) -> None:
    for content in (None, b"", b"nonsense" * 1000):
        file = tmp_path / "file.db"
        if content is not None:
            file.write_bytes(content)
        one_line(run("-d", file, "verify"))
