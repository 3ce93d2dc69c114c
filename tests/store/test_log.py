"""The log against any SQLite client, whatever its pragmas, with triggers on and schema whole."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from timeline.store import codec, log, storage
from timeline.store.appender import Appender
from timeline.store.codec import Entry

NEXT = 5
"""The number of the entry that comes next in the file of these tests."""

PRAGMAS = {
    "none": (),
    "recursive triggers": ("recursive_triggers = ON",),
    "no checks": ("ignore_check_constraints = ON",),
    "schema not trusted": ("trusted_schema = OFF",),
    "foreign keys": ("foreign_keys = ON", "defer_foreign_keys = ON"),
    "no foreign keys": ("foreign_keys = OFF",),
    "legacy": ("legacy_alter_table = ON", "reverse_unordered_selects = ON"),
    "all": (
        "recursive_triggers = ON",
        "ignore_check_constraints = ON",
        "trusted_schema = OFF",
        "foreign_keys = ON",
    ),
}


def an_entry(seq: int, subject: str, version: int, kind: str, **fields: str) -> Entry:
    return codec.encode(
        seq=seq,
        id=fields.get("id", f"entry-{seq}"),
        kind=kind,
        subject=subject,
        version=version,
        recorded_at=f"2025-04-15T10:00:0{seq // 2}.000000Z",
        reported_at="2025-04-15",
        payload=codec.encode_payload("mk", None, {"title": f"Statement {seq}"}),
    )


ENTRIES = (
    an_entry(0, "log", 1, "log.opened"),
    an_entry(1, "event/odesa-visit", 1, "event.recorded"),
    an_entry(2, "event/odesa-visit", 2, "event.updated"),
    an_entry(3, "event/port-strike", 1, "event.recorded"),
    an_entry(4, "entry/entry-1", 1, "entry.erased"),
)
TEXT = "What the mayor said."
TEXT_SHA256 = "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "template.db"
    with storage.new_file(path) as connection, storage.immediate(connection):
        Appender(connection).append(*ENTRIES)
        connection.execute(
            "INSERT INTO source_texts VALUES (?, ?, '2025-04-15T10:00:00.000000Z', NULL, NULL)",
            (TEXT_SHA256, TEXT),
        )
    return path


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "timeline.db"))


@contextlib.contextmanager
def client(path: Path, pragmas: tuple[str, ...] = ()) -> Iterator[sqlite3.Connection]:
    """A fresh connection as any program opens it, with no word to this package."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        yield connection


def dump(path: Path) -> list[tuple[object, ...]]:
    """All rows of the protected tables, with the type of every value."""
    rows: list[tuple[object, ...]] = []
    with client(path) as connection:
        for table, columns in (
            ("log", log.COLUMNS),
            ("source_texts", "text_sha256, body, captured_at, original_sha256, erased_by"),
        ):
            shown = ", ".join(f"typeof({name}), quote({name})" for name in columns.split(", "))
            rows += connection.execute(f"SELECT {shown} FROM {table} ORDER BY 2")
    return rows


def row(**changes: object) -> tuple[object, ...]:
    """The values of a legal next entry, some of them changed."""
    entry = an_entry(NEXT, "event/port-strike", 2, "event.updated")._asdict()
    return tuple({**entry, **changes}.values())


VALUES = "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERTS = {
    "a used seq": row(seq=1),
    "the newest seq": row(seq=NEXT - 1),
    "seq 0": row(seq=0),
    "a gap in seq": row(seq=NEXT + 1),
    "a far seq": row(seq=2**62),
    "no seq": row(seq=None),
    "a negative seq": row(seq=-1),
    "a very negative seq": row(seq=-(2**63)),
    "a used id": row(id="entry-1"),
    "the newest id": row(id="entry-4"),
    "a used version": row(version=1),
    "a used version of another subject": row(subject="event/odesa-visit", version=2),
    "a gap in version": row(version=3),
    "version 0": row(version=0),
    "a first version that is not 1": row(subject="event/new", version=2),
    "a negative version": row(subject="event/new", version=-1),
    "no version": row(version=None),
    "a used seq, id and version": tuple(ENTRIES[1]),
    "the seq of one and the id of another": row(seq=1, id="entry-3"),
    "the id of one and the version of another": row(id="entry-3", subject="log", version=1),
}
VERBS = {
    "INSERT": f"INSERT INTO log {VALUES}",
    "OR ABORT": f"INSERT OR ABORT INTO log {VALUES}",
    "OR FAIL": f"INSERT OR FAIL INTO log {VALUES}",
    "OR ROLLBACK": f"INSERT OR ROLLBACK INTO log {VALUES}",
    "OR IGNORE": f"INSERT OR IGNORE INTO log {VALUES}",
    "OR REPLACE": f"INSERT OR REPLACE INTO log {VALUES}",
    "REPLACE": f"REPLACE INTO log {VALUES}",
    "upsert": f"INSERT INTO log {VALUES} ON CONFLICT DO UPDATE SET kind = excluded.kind",
    "upsert of nothing": f"INSERT INTO log {VALUES} ON CONFLICT DO NOTHING",
    "upsert by seq": f"INSERT INTO log {VALUES} ON CONFLICT (seq) DO UPDATE SET id = 'x'",
    "upsert by id": f"INSERT INTO log {VALUES} ON CONFLICT (id) DO UPDATE SET payload = NULL",
}


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_nothing_but_the_next_entry_can_be_inserted(
    path: Path, verb: str, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection:
        for values in INSERTS.values():
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(verb, values)
            assert dump(path) == before
        connection.execute(VERBS["INSERT"], row())  # the file is as good as it was
    after = dump(path)
    assert [line for line in after if line in before] == before
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_one_bad_row_of_many_keeps_out_all(path: Path, pragmas: tuple[str, ...]) -> None:
    before = dump(path)
    two = f"INSERT OR REPLACE INTO log {VALUES}, {VALUES.removeprefix('VALUES')}"
    with client(path, pragmas) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(two, (*row(), *row(seq=NEXT + 1, id="other", version=9)))
    assert dump(path) == before


CHANGES = {
    "seq": "100",
    "rowid": "100",
    "_rowid_": "-1",
    "oid": "3",
    "id": "'other'",
    "kind": "'event.corrected'",
    "subject": "'event/other'",
    "version": "9",
    "recorded_at": "'2025-04-16T10:00:00.000000Z'",
    "reported_at": "NULL",
    "envelope": "'{}'",
    "payload": "'{}'",
    "salt": "zeroblob(16)",
    "leaf": "zeroblob(32)",
}
UPDATES = (
    "UPDATE log SET {column} = {value} WHERE seq = {seq}",
    "UPDATE OR REPLACE log SET {column} = {value} WHERE seq = {seq}",
    "UPDATE OR IGNORE log SET {column} = {value} WHERE seq = {seq}",
    "UPDATE log SET {column} = {value}",
    # With the one change that is allowed, of the entry that may be erased.
    "UPDATE log SET payload = NULL, salt = NULL, {column} = {value} WHERE seq = {seq}",
    "UPDATE OR REPLACE log SET payload = NULL, salt = NULL, {column} = {value} WHERE seq = {seq}",
)


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize("column", CHANGES)
def test_no_column_of_any_entry_can_be_updated(
    path: Path, column: str, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection:
        for update in UPDATES:
            for seq in range(NEXT):
                statement = update.format(column=column, value=CHANGES[column], seq=seq)
                with pytest.raises(sqlite3.DatabaseError):
                    connection.execute(statement)
                assert dump(path) == before


OTHER_CHANGES = (
    "DELETE FROM log",
    "DELETE FROM log WHERE seq = 4",
    "DELETE FROM log WHERE id = 'entry-1' RETURNING seq",
    "UPDATE log SET kind = kind",
    "UPDATE log SET seq = seq + 1",
    "UPDATE log SET seq = -seq",
    "UPDATE log SET (id, subject) = (SELECT 'x', 'log')",
    "UPDATE OR REPLACE log SET id = 'entry-2' WHERE seq = 1",
    "UPDATE OR REPLACE log SET seq = 2 WHERE seq = 1",
    "UPDATE OR REPLACE log SET version = 2 WHERE seq = 1",
    "UPDATE log AS l SET payload = o.payload FROM log AS o WHERE l.seq = 1 AND o.seq = 2",
    "INSERT INTO log SELECT * FROM log",
    "INSERT OR REPLACE INTO log SELECT * FROM log WHERE seq = 4",
    "INSERT OR REPLACE INTO log SELECT seq, 'x', kind, subject, version, recorded_at, reported_at,"
    " envelope, payload, salt, leaf FROM log WHERE seq = 3",
    "INSERT INTO log (rowid, id, kind, subject, version, recorded_at, envelope, leaf)"
    " VALUES (1, 'x', 'k', 's', 1, 'r', 'e', zeroblob(32))",
    "INSERT INTO log (id, kind, subject, version, recorded_at, envelope, leaf)"
    " VALUES ('x', 'k', 's', 1, 'r', 'e', zeroblob(32))",
    "INSERT INTO log DEFAULT VALUES",
)


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize("statement", OTHER_CHANGES)
def test_no_other_statement_changes_the_log(
    path: Path, statement: str, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute(statement).fetchall()
    assert dump(path) == before


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_a_transaction_that_goes_on_after_a_refusal_keeps_only_what_is_legal(
    path: Path, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection:
        connection.execute("BEGIN")
        connection.execute(VERBS["INSERT"], row())
        for statement in OTHER_CHANGES:
            with pytest.raises(sqlite3.DatabaseError):
                connection.execute(statement).fetchall()
        connection.execute("COMMIT")
    assert len(dump(path)) == len(before) + 1


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_entries_stay_one_after_the_other_when_many_are_inserted(
    path: Path, pragmas: tuple[str, ...]
) -> None:
    more = [an_entry(NEXT + n, "event/new", n + 1, "event.updated") for n in range(4)]
    with client(path, pragmas) as connection:
        Appender(connection).append(*more)
        assert list(log.read(connection)) == [*ENTRIES, *more]


# --- Types ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": "five"},
        {"seq": 5.5},
        {"seq": b"5"},
        {"id": None},
        {"id": b"entry-9"},
        {"kind": None},
        {"subject": None},
        {"version": "two"},
        {"recorded_at": None},
        {"recorded_at": b"2025"},
        {"envelope": None},
        {"envelope": b"{}"},
        {"payload": b"{}"},
        {"salt": "0123456789abcdef"},
        {"leaf": "0" * 32},
        {"leaf": None},
    ],
)
@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_a_value_of_another_type_is_refused(
    path: Path, changes: dict[str, object], pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute(VERBS["INSERT"], row(**changes))
    assert dump(path) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": bytes(15)},
        {"salt": bytes(17)},
        {"leaf": bytes(31)},
        {"leaf": bytes(33)},
        {"salt": None},
        {"payload": None},
    ],
)
def test_a_salt_or_leaf_of_another_length_and_half_an_erasure_are_refused(
    path: Path, changes: dict[str, object]
) -> None:
    before = dump(path)
    with client(path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(VERBS["INSERT"], row(**changes))
    assert dump(path) == before


def test_a_text_that_looks_like_a_number_stays_a_text(path: Path) -> None:
    with client(path) as connection:
        connection.execute(VERBS["INSERT"], row(id="007", payload="007"))
        found = connection.execute("SELECT id, payload FROM log WHERE seq = ?", (NEXT,)).fetchone()
    assert found == ("007", "007")


# --- Erasure ----------------------------------------------------------------------------------

ERASE = "UPDATE log SET payload = NULL, salt = NULL WHERE seq = ?"


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_an_entry_that_an_erasure_names_can_lose_payload_and_salt_and_nothing_else(
    path: Path, pragmas: tuple[str, ...]
) -> None:
    with client(path, pragmas) as connection:
        assert connection.execute(ERASE, (1,)).rowcount == 1
        erased = ENTRIES[1]._replace(payload=None, salt=None)
        assert list(log.read(connection)) == [ENTRIES[0], erased, *ENTRIES[2:]]


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize("seq", [0, 2, 3, 4])
def test_an_entry_that_no_erasure_names_stays(
    path: Path, seq: int, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(ERASE, (seq,))
    assert dump(path) == before


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_erasing_all_entries_at_once_erases_none(path: Path, pragmas: tuple[str, ...]) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE log SET payload = NULL, salt = NULL")
    assert dump(path) == before


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize(
    "assignments",
    [
        "payload = NULL",
        "salt = NULL",
        "payload = '{}', salt = NULL",
        "payload = NULL, salt = zeroblob(16)",
        "payload = '', salt = zeroblob(16)",
        "payload = NULL, salt = NULL, reported_at = NULL",
        "payload = NULL, salt = NULL, recorded_at = 'x'",
    ],
)
def test_an_erasure_takes_payload_and_salt_together_or_nothing(
    path: Path, assignments: str, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE log SET {assignments} WHERE seq = 1")
    assert dump(path) == before


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_what_is_erased_is_not_erased_twice_and_does_not_come_back(
    path: Path, pragmas: tuple[str, ...]
) -> None:
    with client(path, pragmas) as connection:
        connection.execute(ERASE, (1,))
        before = dump(path)
        for statement, values in (
            (ERASE, (1,)),
            ("UPDATE log SET payload = ?, salt = ? WHERE seq = 1", (ENTRIES[1].payload, bytes(16))),
            ("UPDATE log SET payload = '{}' WHERE seq = 1", ()),
            ("DELETE FROM log WHERE seq = 1", ()),
            (VERBS["OR REPLACE"], tuple(ENTRIES[1])),
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement, values)
            assert dump(path) == before


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("entry.noted", "entry/entry-3"),
        ("event.updated", "entry/entry-3"),
        ("entry.erased", "entry/entry-30"),
        ("entry.erased", "entry/ENTRY-3"),
        ("entry.erased", "event/entry-3"),
        ("entry.erased", "entry-3"),
        ("entry.erased", "entry/entry-%"),
        ("entry.erased", f"entry/entry-{NEXT}"),
        ("entry.erased", f"entry/entry-{NEXT + 1}"),
    ],
)
def test_only_an_erasure_of_exactly_this_earlier_entry_allows_it(
    path: Path, kind: str, subject: str
) -> None:
    with client(path) as connection:
        Appender(connection).append(
            an_entry(NEXT, subject, 1, kind),
            an_entry(NEXT + 1, "event/later", 1, "event.recorded"),
        )
        before = dump(path)
        for seq in (3, NEXT, NEXT + 1):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(ERASE, (seq,))
        assert dump(path) == before


def test_an_entry_can_come_in_erased_as_an_export_has_it(path: Path) -> None:
    with client(path) as connection:
        connection.execute(VERBS["INSERT"], row(payload=None, salt=None))
        found = log.entry_at(connection, NEXT)
    assert found is not None
    assert (found.payload, found.salt) == (None, None)


# --- Texts of sources -------------------------------------------------------------------------

TEXT_CHANGES = (
    "UPDATE source_texts SET body = 'other'",
    "UPDATE source_texts SET body = ''",
    "UPDATE source_texts SET body = body",
    "UPDATE source_texts SET text_sha256 = 'sha256:00'",
    "UPDATE source_texts SET captured_at = 'x'",
    "UPDATE source_texts SET body = NULL",
    "UPDATE source_texts SET body = NULL, erased_by = 'entry-1'",
    "UPDATE source_texts SET body = NULL, erased_by = 'nobody'",
    "UPDATE source_texts SET erased_by = 'entry-4'",
    "UPDATE source_texts SET body = NULL, erased_by = 'entry-4', captured_at = 'x'",
    "UPDATE source_texts SET body = NULL, erased_by = 'entry-4', original_sha256 = 'x'",
    "UPDATE OR REPLACE source_texts SET body = NULL, erased_by = 'entry-4', text_sha256 = 'x'",
    "DELETE FROM source_texts",
    f"INSERT INTO source_texts VALUES ('{TEXT_SHA256}', 'other', 'x', NULL, NULL)",
    f"INSERT OR REPLACE INTO source_texts VALUES ('{TEXT_SHA256}', 'other', 'x', NULL, NULL)",
    f"REPLACE INTO source_texts VALUES ('{TEXT_SHA256}', NULL, 'x', NULL, NULL)",
    f"INSERT OR IGNORE INTO source_texts VALUES ('{TEXT_SHA256}', 'other', 'x', NULL, NULL)",
    f"INSERT INTO source_texts VALUES ('{TEXT_SHA256}', 'other', 'x', NULL, NULL)"
    " ON CONFLICT DO UPDATE SET body = excluded.body",
    f"INSERT INTO source_texts VALUES ('{TEXT_SHA256}', 'other', 'x', NULL, NULL)"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO source_texts VALUES (NULL, 'other', 'x', NULL, NULL)",
    "INSERT INTO source_texts VALUES ('new', x'00', 'x', NULL, NULL)",
    "INSERT INTO source_texts VALUES ('new', 'other', NULL, NULL, NULL)",
)


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
@pytest.mark.parametrize("statement", TEXT_CHANGES)
def test_a_captured_text_is_never_changed_replaced_or_deleted(
    path: Path, statement: str, pragmas: tuple[str, ...]
) -> None:
    before = dump(path)
    with client(path, pragmas) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    assert dump(path) == before


@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_an_erasure_takes_a_captured_text_out_once_and_for_ever(
    path: Path, pragmas: tuple[str, ...]
) -> None:
    erase = "UPDATE source_texts SET body = NULL, erased_by = 'entry-4'"
    with client(path, pragmas) as connection:
        connection.execute("INSERT INTO source_texts VALUES ('new', 'Another.', 'now', NULL, NULL)")
        assert connection.execute(erase).rowcount == 2
        before = dump(path)
        for statement in (
            erase,
            f"UPDATE source_texts SET body = '{TEXT}'",
            f"REPLACE INTO source_texts VALUES ('{TEXT_SHA256}', '{TEXT}', 'x', NULL, NULL)",
            "DELETE FROM source_texts",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
        assert dump(path) == before


# --- Reading ----------------------------------------------------------------------------------


def test_entries_are_read_in_their_order_from_any_of_them_on(path: Path) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        connection.execute("PRAGMA reverse_unordered_selects = ON")
        assert list(log.read(connection)) == list(ENTRIES)
        assert list(log.read(connection, after=2)) == list(ENTRIES[3:])
        assert list(log.read(connection, after=NEXT)) == []


def test_an_entry_is_found_by_number_and_by_id_and_not_when_there_is_none(path: Path) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        assert log.entry_at(connection, 2) == ENTRIES[2]
        assert log.entry_by_id(connection, "entry-2") == ENTRIES[2]
        for seq in (-1, NEXT):
            assert log.entry_at(connection, seq) is None
        for entry_id in ("entry", "ENTRY-2", ""):
            assert log.entry_by_id(connection, entry_id) is None


def test_the_newest_entry_is_that_of_all_or_of_one_subject(path: Path, tmp_path: Path) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        assert log.newest(connection) == ENTRIES[4]
        assert log.newest(connection, "event/odesa-visit") == ENTRIES[2]
        assert log.newest(connection, "event/none") is None
    with storage.new_file(tmp_path / "new.db") as empty:
        assert log.newest(empty) is None
        assert log.position_at(empty, "2025-04-15T10:00:00.000000Z") == -1


@pytest.mark.parametrize(
    ("recorded_at", "seq"),
    [
        ("2025-04-15T09:59:59.999999Z", -1),
        ("2025-04-15T10:00:00.000000Z", 1),
        ("2025-04-15T10:00:00.999999Z", 1),
        ("2025-04-15T10:00:01.000000Z", 3),
        ("2025-04-15T10:00:02.000000Z", 4),
        ("2026-01-01T00:00:00.000000Z", 4),
    ],
)
def test_a_moment_is_the_end_of_the_last_batch_recorded_until_then(
    path: Path, recorded_at: str, seq: int
) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        assert log.position_at(connection, recorded_at) == seq
