"""The file: how it is made, opened and locked, and what is said when it cannot be."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import CHECKOUT

from timeline.errors import (
    Busy,
    NotATimeline,
    NotWritable,
    Replaced,
    StorageFull,
    StoreError,
    TooNew,
)
from timeline.store import log, schema, storage
from timeline.store.appender import Appender
from timeline.store.codec import encode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "timeline.db"
    with storage.new_file(path):
        pass
    return path


@contextlib.contextmanager
def connected(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=write)) as connection:
        yield connection


def opened(seq: int = 0, size: int = 10) -> tuple[object, ...]:
    return encode(
        seq=seq,
        id=f"entry-{seq}",
        kind="log.opened",
        subject="log",
        version=seq + 1,
        recorded_at="2025-04-15T10:00:00.000000Z",
        reported_at=None,
        payload="x" * size,
    )


def insert(connection: sqlite3.Connection, seq: int = 0, size: int = 10) -> None:
    Appender(connection).append(opened(seq, size))  # type: ignore[arg-type]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def one_line(error: BaseException, path: Path) -> str:
    """The message of an error: one line, which begins with the path as it was given."""
    message = str(error)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


# --- Opening ----------------------------------------------------------------------------------


def a_missing_file(path: Path) -> None: ...


def a_folder(path: Path) -> None:
    path.mkdir()


def an_empty_file(path: Path) -> None:
    path.touch()


def a_short_text(path: Path) -> None:
    path.write_text("id,title\n")


def a_long_text(path: Path) -> None:
    path.write_text("2025-04-15 Talks in Odesa\n" * 1000)


def another_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY)")


def another_application(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1196444487")
        connection.execute("CREATE TABLE t (a)")


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (a_missing_file, "does not exist; timeline init makes one"),
        (a_dangling_link, "does not exist; timeline init makes one"),
        (a_folder, "is not a file"),
        (an_empty_file, "is empty"),
        (a_short_text, "is no database, or a damaged one (file is not a database)"),
        (a_long_text, "is no database, or a damaged one (file is not a database)"),
        (another_database, "is a database, but not a timeline"),
        (another_application, "is a database, but not a timeline"),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_what_is_no_timeline_is_not_opened_and_not_touched(
    tmp_path: Path, make: object, problem: str, write: bool
) -> None:
    path = tmp_path / "odd ?#%20 name.db"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    names = files(tmp_path)
    with pytest.raises(NotATimeline) as caught:
        storage.connect(path, write=write)
    assert one_line(caught.value, path) == problem
    assert (path.read_bytes() if path.is_file() else None) == before
    assert files(tmp_path) == names


@pytest.mark.parametrize("write", [False, True])
def test_a_file_of_a_newer_timeline_is_refused_and_not_touched(path: Path, write: bool) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(TooNew) as caught:
        storage.connect(path, write=write)
    assert one_line(caught.value, path).startswith(
        f"has schema {schema.SCHEMA_VERSION + 1}; this Timeline knows up to {schema.SCHEMA_VERSION}"
    )
    assert path.read_bytes() == before


def test_a_refused_file_is_closed_again(tmp_path: Path) -> None:
    """An open connection would say so: ResourceWarning is an error in these tests."""
    another_database(tmp_path / "other.db")
    for _ in range(20):
        with pytest.raises(NotATimeline):
            storage.connect(tmp_path / "other.db")
    open_files = Path("/proc/self/fd")
    if open_files.is_dir():
        names = [str(name.readlink()) for name in open_files.iterdir() if name.is_symlink()]
        assert not any("other.db" in name for name in names)


def test_a_name_with_odd_characters_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "Одеса 1?mode=rw#%41&.db"
    with storage.new_file(path) as connection:
        insert(connection)
    assert files(tmp_path) == {path.name}
    with connected(path) as connection:
        assert log.newest(connection) is not None


def test_a_relative_path_is_taken_from_the_folder_one_is_in(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with contextlib.closing(storage.connect("timeline.db")) as connection:
        assert log.newest(connection) is None


# --- Connections ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM checkpoints",
        "CREATE TABLE t (a)",
        "DROP TABLE log",
        "PRAGMA user_version = 7",
        "PRAGMA application_id = 7",
        "VACUUM",
        "INSERT INTO publications VALUES ('x', 0, zeroblob(32), NULL)",
    ],
)
def test_a_read_connection_cannot_write(path: Path, statement: str) -> None:
    before = path.read_bytes()
    with connected(path) as connection:
        with pytest.raises(NotWritable) as caught, storage.storage_errors(path):
            connection.execute(statement)
        assert one_line(caught.value, path) == "is read-only for this user; nothing was written"
    assert path.read_bytes() == before


@pytest.mark.parametrize("journal_mode", ["wal", "delete", "truncate"])
def test_a_writers_commits_survive_a_power_failure(path: Path, journal_mode: str) -> None:
    """Write-ahead log and synchronous FULL (2), whatever the file was left in."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
    with connected(path, write=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_new_file_is_written_as_durably(tmp_path: Path) -> None:
    with storage.new_file(tmp_path / "new.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_connections_are_in_autocommit_mode_and_rows_are_tuples(path: Path) -> None:
    for write in (False, True):
        with connected(path, write=write) as connection:
            assert connection.isolation_level is None
            assert connection.execute("SELECT 1, 2").fetchone() == (1, 2)
            assert not connection.in_transaction


# --- New files --------------------------------------------------------------------------------


def test_a_new_file_is_a_timeline_of_this_schema(path: Path) -> None:
    assert files(path.parent) == {"timeline.db"}
    with connected(path) as connection:
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        scripts = list((CHECKOUT / "db" / "migrations").glob("*.sql"))
    assert {"log", "source_texts", "checkpoints", "publications"} <= tables
    assert version == schema.SCHEMA_VERSION == len(scripts)
    assert application_id.to_bytes(4, "big") == b"TLOG"


def test_a_new_file_appears_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with storage.new_file(path) as connection:
        insert(connection)
        assert not path.exists()
        with pytest.raises(NotATimeline):
            storage.connect(path)
    assert files(tmp_path) == {"new.db"}
    with connected(path) as connection:
        assert log.newest(connection) is not None


def test_the_name_of_a_new_file_survives_a_power_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), files(tmp_path)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    with storage.new_file(tmp_path / "new.db") as connection:
        insert(connection)
    assert synced == [(tmp_path, {"new.db"})]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), sqlite3.Error("x")])
def test_a_block_that_fails_leaves_nothing_behind(tmp_path: Path, error: BaseException) -> None:
    def fail() -> None:
        with storage.new_file(tmp_path / "new.db") as connection:
            insert(connection, size=100_000)
            raise error

    with pytest.raises(type(error)):
        fail()
    assert files(tmp_path) == set()


def test_a_disk_that_is_full_leaves_no_new_file_behind(tmp_path: Path) -> None:
    path = tmp_path / "new.db"

    def fill() -> None:
        with storage.new_file(path) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 1}")
            with storage.immediate(connection):
                insert(connection, size=100_000)

    with pytest.raises(StorageFull) as caught:
        fill()
    assert one_line(caught.value, path) == "the disk is full; nothing was written"
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    "make", [a_folder, an_empty_file, a_short_text, another_database, a_dangling_link]
)
def test_a_taken_name_is_refused_and_what_has_it_is_not_touched(
    tmp_path: Path, make: object
) -> None:
    path = tmp_path / "timeline.db"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    names = files(tmp_path)
    with pytest.raises(StoreError) as caught, storage.new_file(path):
        pytest.fail("the block ran")
    assert one_line(caught.value, path) == "exists already; it was not touched"
    assert (path.read_bytes() if path.is_file() else None) == before
    assert files(tmp_path) == names


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_name_beside_which_another_log_is_left_is_refused(tmp_path: Path, suffix: str) -> None:
    """SQLite would read the old one into the new database."""
    path = tmp_path / "timeline.db"
    left = tmp_path / f"timeline.db{suffix}"
    left.write_bytes(b"old")
    with pytest.raises(StoreError) as caught, storage.new_file(path):
        pytest.fail("the block ran")
    problem = f"timeline.db{suffix} is left of another database: move it away"
    assert one_line(caught.value, path) == problem
    assert files(tmp_path) == {left.name}
    assert left.read_bytes() == b"old"


def test_a_name_whose_file_was_read_and_removed_is_free_again(path: Path) -> None:
    with connected(path):
        pass
    path.unlink()
    assert files(path.parent) == {"timeline.db-wal", "timeline.db-shm"}  # as readers leave them
    with storage.new_file(path) as connection:
        insert(connection)
    assert files(path.parent) == {"timeline.db"}
    assert count(path) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "timeline.db"
    with pytest.raises(NotATimeline) as caught, storage.new_file(path):
        pytest.fail("the block ran")
    assert one_line(caught.value, path) == f"there is no folder {path.parent}"


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(NotWritable) as caught, storage.new_file(path):
        pytest.fail("the block ran")
    assert one_line(caught.value, path) == "cannot be made: File name too long"


def test_what_a_killed_process_left_half_built_is_removed(tmp_path: Path) -> None:
    left = tmp_path / f".timeline-new-{'0' * 16}"
    left.mkdir()
    another_database(left / "timeline.db")
    with storage.new_file(tmp_path / "timeline.db") as connection:
        insert(connection)
    assert files(tmp_path) == {"timeline.db"}


def test_of_two_attempts_in_one_process_the_first_to_end_gets_the_name(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"

    def two_attempts() -> None:
        with storage.new_file(path), storage.new_file(path) as second:
            insert(second)

    with pytest.raises(StoreError, match="exists already; it was not touched"):
        two_attempts()
    with connected(path) as connection:
        assert log.newest(connection) is not None
    assert files(tmp_path) == {"timeline.db", "timeline.db-wal", "timeline.db-shm"}


RACE = """
import sys, time
from pathlib import Path
from timeline.errors import StoreError
from timeline.store import storage
path, number = Path(sys.argv[1]), sys.argv[2]
import sqlite_utils
path.with_name(number).touch()
while not path.with_name("go").exists():
    pass
try:
    with storage.new_file(path) as connection:
        connection.execute("INSERT INTO publications VALUES ('', ?, zeroblob(32), 0)", (number,))
    print("made it")
except StoreError as error:
    print(error)
"""


def test_of_processes_that_race_for_one_name_one_wins(tmp_path: Path) -> None:
    path, racers = tmp_path / "timeline.db", 4
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(path), str(number)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(racers)
    ]
    while not {str(number) for number in range(racers)} <= files(tmp_path):
        assert all(process.poll() is None for process in running)
    (tmp_path / "go").touch()
    answers = [process.communicate()[0].strip() for process in running]
    lost = f"{path}: exists already; it was not touched"
    assert sorted(answers) == sorted(["made it"] + [lost] * (racers - 1))
    assert files(tmp_path) == {"timeline.db", "go", *map(str, range(racers))}
    with connected(path) as connection:
        written = connection.execute("SELECT size FROM publications").fetchall()
    assert written == [(answers.index("made it"),)]


# --- Transactions -----------------------------------------------------------------------------


def count(path: Path) -> int:
    with connected(path) as connection:
        (found,) = connection.execute("SELECT count(*) FROM log").fetchone()
        return int(found)


def test_a_transaction_keeps_all(path: Path) -> None:
    with connected(path, write=True) as connection:
        with storage.immediate(connection):
            insert(connection, 0)
            insert(connection, 1)
            assert count(path) == 0
        assert not connection.in_transaction
    assert count(path) == 2


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_a_transaction_that_fails_keeps_nothing(path: Path, error: BaseException) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with storage.immediate(connection):
            insert(connection)
            raise error

    with connected(path, write=True) as connection:
        with pytest.raises(type(error)) as caught:
            fail(connection)
        assert caught.value is error
        assert not connection.in_transaction
        with storage.immediate(connection):  # the lock is free again
            insert(connection)
    assert count(path) == 1


def test_a_transaction_whose_commit_fails_keeps_nothing(path: Path) -> None:
    def fail_at_commit(connection: sqlite3.Connection) -> None:
        with storage.immediate(connection):
            insert(connection)
            connection.execute("INSERT INTO child VALUES (1)")
            assert connection.in_transaction

    with connected(path, write=True) as connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            fail_at_commit(connection)
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (0,)
    assert count(path) == 0


def test_a_transaction_that_sqlite_rolled_back_itself_raises_what_sqlite_said(path: Path) -> None:
    with connected(path, write=True) as connection:
        insert(connection)
        with pytest.raises(sqlite3.IntegrityError), storage.immediate(connection):
            connection.execute("INSERT OR ROLLBACK INTO publications VALUES ('x', -1, x'', NULL)")
        assert not connection.in_transaction


def test_the_lock_is_taken_at_once(path: Path) -> None:
    with connected(path, write=True) as one, connected(path, write=True) as other:
        other.execute("PRAGMA busy_timeout = 0")
        with storage.immediate(one):
            with (
                pytest.raises(Busy) as caught,
                storage.storage_errors(path),
                storage.immediate(other),
            ):
                pytest.fail("the block ran")
            message = one_line(caught.value, path)
        assert message == "another process has been writing for 60 seconds"
        with storage.immediate(other):
            insert(other)
    assert count(path) == 1


def test_a_writer_waits_for_another_for_a_minute(path: Path) -> None:
    with connected(path, write=True) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (60_000,)


# --- What SQLite says of the file -------------------------------------------------------------


def test_a_full_disk_is_said_to_be_full_and_the_append_is_taken_back(path: Path) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        with storage.storage_errors(path), storage.immediate(connection):
            insert(connection, 1)
            insert(connection, 2, size=100_000)

    with connected(path, write=True) as connection:
        with storage.immediate(connection):
            insert(connection)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageFull) as caught:
            fill(connection)
        assert not connection.in_transaction
    assert one_line(caught.value, path) == "the disk is full; nothing was written"
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert count(path) == 1


def test_an_error_of_the_program_is_not_blamed_on_the_file(path: Path) -> None:
    with connected(path) as connection:
        for statement, error in (
            ("SELECT nothing", sqlite3.OperationalError),
            ("SELECT ?", sqlite3.ProgrammingError),
        ):
            with pytest.raises(error), storage.storage_errors(path):
                connection.execute(statement)
    with pytest.raises(ZeroDivisionError), storage.storage_errors(path):
        _ = 1 / 0


def test_a_damaged_page_is_said_to_be_damaged(path: Path) -> None:
    with connected(path, write=True) as connection:
        insert(connection, size=100_000)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with (
        pytest.raises(NotATimeline) as caught,
        storage.storage_errors(path),
        connected(path) as connection,
    ):
        list(log.read(connection))
    assert "damaged" in one_line(caught.value, path)


def as_nobody(folder: Path, script: str) -> str:
    """What a script prints that is run as a user who owns nothing here."""
    prelude = """
        import os, sys
        from pathlib import Path
        from timeline.errors import StoreError
        from timeline.store import storage
        import sqlite_utils
        folder = Path(sys.argv[1])
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

        def said(call):
            try:
                return call()
            except StoreError as error:
                return f"{type(error).__name__}: {str(error).removeprefix(str(folder))}"

        def write():
            with storage.storage_errors(folder / "timeline.db"):
                connection = storage.connect(folder / "timeline.db", write=True)
                with storage.immediate(connection):
                    connection.execute("DELETE FROM checkpoints")

        def read():
            connection = storage.connect(folder / "timeline.db")
            return connection.execute("SELECT count(*) FROM log").fetchone()[0]

        def make():
            with storage.new_file(folder / "new.db"):
                pass
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(script), str(folder)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that all may enter and read (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with storage.new_file(folder / "timeline.db") as connection:
            insert(connection)
        (folder / "timeline.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_a_read_only_file_is_said_to_be_read_only(public_folder: Path) -> None:
    public_folder.chmod(0o755)
    with connected(public_folder / "timeline.db"):  # its -shm is there, for others to read
        public_folder.chmod(0o555)
        answers = as_nobody(public_folder, "print(said(write))\nprint(said(read))\n")
    assert answers.splitlines() == [
        "NotWritable: /timeline.db: is read-only for this user; nothing was written",
        "1",
    ]


def test_a_reader_is_told_what_an_idle_file_needs(public_folder: Path) -> None:
    answer = as_nobody(public_folder, "print(said(read))\n")
    assert answer.startswith("NotWritable: /timeline.db: to read a file that is written to")
    assert "timeline publish" in answer


def test_a_copy_that_is_not_in_wal_mode_can_be_read_by_all_and_written_by_none(
    public_folder: Path,
) -> None:
    public_folder.chmod(0o755)
    (public_folder / "timeline.db").chmod(0o644)
    with contextlib.closing(sqlite3.connect(public_folder / "timeline.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    public_folder.chmod(0o555)
    (public_folder / "timeline.db").chmod(0o444)
    answers = as_nobody(public_folder, "print(said(read))\nprint(said(write))\n").splitlines()
    assert answers[0] == "1"
    assert answers[1].startswith("NotWritable: /timeline.db: is read-only for this user")


def test_a_read_only_folder_takes_no_new_file(public_folder: Path) -> None:
    answer = as_nobody(public_folder, "print(said(make))\n")
    assert answer == "NotWritable: /new.db: its folder is read-only for this user\n"
    assert files(public_folder) == {"timeline.db"}


# --- Another file under its name --------------------------------------------------------------


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    with storage.new_file(path.with_name("other.db")):
        pass
    for left in storage.beside(path):  # the new file would take its entries for its own
        left.unlink(missing_ok=True)
    path.with_name("other.db").replace(path)


def led_elsewhere(path: Path) -> None:
    with storage.new_file(path.with_name("other.db")):
        pass
    path.rename(path.with_name("away.db"))
    path.symlink_to(path.with_name("other.db"))


def insert_while(connection: sqlite3.Connection, change: Callable[[], None]) -> None:
    with storage.immediate(connection):
        insert(connection)
        change()


@pytest.mark.parametrize("change", [removed, replaced, led_elsewhere])
@pytest.mark.parametrize("when", ["before", "while"])
def test_what_is_written_into_a_file_that_lost_its_name_is_said_to_be_lost(
    path: Path, change: Callable[[Path], None], when: str
) -> None:
    with connected(path, write=True) as connection:
        if when == "before":
            change(path)
        with pytest.raises(Replaced) as caught:
            insert_while(connection, lambda: change(path))
        assert not connection.in_transaction
        assert (log.newest(connection) is not None) == (when == "while")
    message = one_line(caught.value, path)
    assert message.startswith("was replaced or removed")
    assert message.endswith(
        "nothing was written: repeat it"
        if when == "before"
        else "look whether it was written before you repeat it"
    )
    if change is not removed:
        assert count(path) == 0
        with connected(path, write=True) as connection, storage.immediate(connection):
            insert(connection)
        assert count(path) == 1


def test_a_file_that_is_only_renamed_through_a_link_in_its_way_is_the_same(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    with connected(link, write=True) as connection, storage.immediate(connection):
        insert(connection)
        other = path.with_name("there")
        other.mkdir()
        link.unlink()
        link.symlink_to(f"{other}/../{path.name}")
    assert count(path) == 1


# --- Scripts ----------------------------------------------------------------------------------


def test_a_script_runs_inside_the_transaction_that_is_open(path: Path) -> None:
    script = (
        "CREATE TABLE a (b); -- ;\nCREATE TRIGGER t BEFORE INSERT ON a BEGIN\n SELECT 1;\nEND;\n"
    )
    with connected(path, write=True) as connection:
        connection.execute("BEGIN")
        schema.run_script(connection, script)
        assert connection.in_transaction
        connection.execute("INSERT INTO a VALUES (1)")
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'a'").fetchall() == []
