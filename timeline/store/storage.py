"""Open the file of a timeline for reading or for writing, and make a new one.

Guarantees: what `connect` returns is a timeline database of a schema that this package knows, or
a StoreError says in one line why not. A new file appears under its name only when it is whole. A
writer's connection is in WAL mode with synchronous FULL, so that everything that was committed
survives a power failure. Every sqlite3 error that a user can cause is raised as a StoreError.

Knows no table: `schema` makes the tables of the log, and other modules fill them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from timeline.errors import (
    Busy,
    Damaged,
    NotATimeline,
    NotWritable,
    Replaced,
    StorageFull,
    StoreError,
)
from timeline.store import atomic, schema
from timeline.store.open_files import identity
from timeline.store.scratch_folder import locked_folder, shared_scratch_folder

APPLICATION_ID = 0x544C4F47
"""The number in the header of every timeline database: "TLOG"."""

PATIENCE = 60.0
"""The seconds for which a writer waits for another one, unless it is told otherwise."""

_CACHE = -65_536
"""The page cache of a writer, in KiB, negative as SQLite wants it. With SQLite's own 2 MiB, an
append of thousands of entries writes and reads the same pages many times."""

_STEP = 200
"""The milliseconds for which a waiting writer does not notice Ctrl-C."""

_NOT_FOR_READERS = (
    "to read a file that is written to, this user must be able to write in its folder;"
    " timeline publish makes a copy for readers"
)
"""Explains NotWritable to a reader: a file in WAL mode that nobody has open needs its -shm file."""

_WITH_ITS_LOG = (
    "is on a read-only disk, and its newest entries are in {wal}: copy both files into a folder"
    " that you can write in, and open the copy"
)
"""Explains NotWritable to a reader: SQLite needs a -shm file to read a write-ahead log."""

_IN_DOUBT = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC)
"""The errors of a commit that SQLite takes back although it may have reached the disk. SQLite
finds it there if every process that has the file open dies before the next commit."""


@contextlib.contextmanager
def storage_errors(path: str | os.PathLike[str], *, patience: float = PATIENCE) -> Iterator[None]:
    """Turn the errors of SQLite about the file into a StoreError of one line.

    `patience` are the seconds for which the connection waits for another writer.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        refusal = _as_store_error(os.fspath(path), error, patience)
        if refusal is None:
            raise
        raise refusal from error


def _as_store_error(path: str, error: sqlite3.DatabaseError, patience: float) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)
    match code & 0xFF if code is not None else None:
        case sqlite3.SQLITE_FULL:
            return StorageFull(path, "the disk is full; nothing was written")
        case sqlite3.SQLITE_IOERR if code in _IN_DOUBT:
            return StorageFull(
                path, "the disk fails or is full; look whether it was written before you repeat it"
            )
        case sqlite3.SQLITE_IOERR:
            return StorageFull(path, "the disk fails or is full; nothing was written")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return NotWritable(path, "is read-only for this user; nothing was written")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy(path, f"another process has been writing for {patience:.0f} seconds")
        case sqlite3.SQLITE_CORRUPT:
            return Damaged(path, f"is damaged ({error}): timeline verify says what it can")
        case sqlite3.SQLITE_NOTADB:
            return NotATimeline(path, f"is no database, or a damaged one ({error})")
        case sqlite3.SQLITE_CANTOPEN:
            return NotATimeline(path, "cannot be opened: is the folder there, and yours to use?")
        case _:
            return None


def connect(
    path: str | os.PathLike[str],
    *,
    write: bool = False,
    older: bool = False,
    patience: float = PATIENCE,
) -> Connection:
    """Open a timeline database in autocommit mode; rows are tuples.

    A connection without `write` cannot write. A file on a read-only disk is read as it is, without
    locks (`Connection.is_immutable`), unless it has a write-ahead log. A writer waits for another
    one for `patience` seconds.

    Raises NotATimeline for a missing or foreign file, TooNew for one that a newer Timeline made,
    and TooOld for one that an older Timeline made, unless `older` ones are wanted.
    """
    name = os.fspath(path)
    if not Path(name).is_file():
        raise NotATimeline(
            name,
            "is not a file" if Path(name).exists() else "does not exist; timeline init makes one",
        )
    try:
        return _connected(name, "rw" if write else "ro", older=older, patience=patience)
    except (NotATimeline, NotWritable) as error:
        if isinstance(error, Damaged) or not is_on_read_only_disk(name):
            if isinstance(error, NotWritable) and not write:
                raise NotWritable(name, _NOT_FOR_READERS) from None
            raise
    if write:
        raise NotWritable(name, "is on a read-only disk; nothing was written")
    wal, *_ = beside(Path(os.path.realpath(name)))
    if wal.exists() and wal.stat().st_size:
        raise NotWritable(name, _WITH_ITS_LOG.format(wal=wal.name))
    return _connected(name, "immutable", older=older)


def _connected(name: str, mode: str, *, older: bool, patience: float = PATIENCE) -> Connection:
    with storage_errors(name, patience=patience):
        connection = open_file(Path(name), mode, patience)
        try:
            _check_header(name, connection, older=older)
            if mode == "rw":
                make_durable(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def is_on_read_only_disk(path: str | os.PathLike[str]) -> bool:
    """Return whether nobody can write where a file is: on a read-only disk, or in a snapshot."""
    folder = Path(os.path.realpath(path)).parent
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return True
    # The file system of a snapshot may call itself writable, but whoever may write cannot.
    status, user = folder.stat(), os.geteuid()
    may_write = user == 0 or (user == status.st_uid and bool(status.st_mode & stat.S_IWUSR))
    return may_write and not os.access(folder, os.W_OK)


def address(path: str | os.PathLike[str], mode: str) -> str:
    """Return the URI by which SQLite opens a file: to read it ("ro"), or also to write it ("rw").

    With "immutable" it is read as it is, without locks and without its write-ahead log.
    """
    options = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    return f"{Path(path).absolute().as_uri()}?{options}"


class Connection(sqlite3.Connection):
    """A connection that knows which file it has open, whatever has the name of the file later."""

    path: Path
    address: str
    """The URI by which SQLite opened the file."""
    is_immutable = False
    """Whether the file is on a read-only disk, and read as it is, without locks."""
    identity: tuple[int, int] | None = None

    @property
    def note(self) -> str | None:
        """Say what a person should know about how the file is read; None if it is as usual."""
        if not self.is_immutable:
            return None
        return f"{self.path.name} is on a read-only disk: it is read as it is, without locks"


def open_file(path: Path, mode: str, patience: float = PATIENCE) -> Connection:
    """Open a database of any kind, by a mode of `address` or "rwc", which makes a new one.

    Raises Replaced, and the errors of SQLite.
    """
    before = identity(path)
    connection = sqlite3.connect(
        address(path, mode),
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.path, connection.address = path.absolute(), address(path, mode)
    connection.is_immutable = mode == "immutable"
    connection.identity = identity(path)
    if before not in (None, connection.identity):
        connection.close()
        raise Replaced(os.fspath(path), "was replaced while it was opened: repeat it")
    return connection


def make_durable(connection: sqlite3.Connection) -> None:
    """Set a write-ahead log, and a sync at every commit: NORMAL would lose the last commits."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = {_CACHE}")


def _check_header(name: str, connection: sqlite3.Connection, *, older: bool) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        empty = not Path(name).stat().st_size
        raise NotATimeline(name, "is empty" if empty else "is a database, but not a timeline")
    schema.check(connection, name, older=older)


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Make a new database with the schema in it, and yield a connection for its first entry.

    It is built aside, and gets its name when the block ends well; otherwise nothing is left. Raises
    StoreError if something has this name, before the block or at its end.
    """
    target = Path(path)
    with _making(target) as building, storage_errors(target):
        connection = open_file(building, "rwc")
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            make_durable(connection)
            schema.migrate(connection)
            yield connection
            flush(connection)
        finally:
            connection.close()
    atomic.sync_folder(target.parent)


def flush(connection: sqlite3.Connection) -> None:
    """Move what was committed into the database itself, which then needs no -wal file.

    The last connection does so too when it is closed, but without a message if the disk is full.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _making(target: Path) -> Iterator[Path]:
    """Yield the path of a file to make, which is then moved to a name that is free, or removed.

    Raises StoreError.
    """
    with contextlib.ExitStack() as stack:
        with _new_file_errors(target):
            _check_free(target)
            new = stack.enter_context(shared_scratch_folder(target.parent))
        yield new / target.name
        with _new_file_errors(target), locked_folder(target.parent):
            _check_free(target)
            for left in beside(target):  # readers leave empty files there
                left.unlink(missing_ok=True)
            atomic.put_new(new / target.name, target)


def _check_free(target: Path) -> None:
    """Raise an error unless a new database may have this name."""
    if not target.parent.is_dir():
        raise NotATimeline(str(target), f"there is no folder {target.parent}")
    if os.path.lexists(target):
        raise FileExistsError
    for left in beside(target):
        if left.exists() and left.stat().st_size and not left.name.endswith("-shm"):
            problem = f"{left.name} is left of another database: move it away"
            raise StoreError(str(target), problem)


@contextlib.contextmanager
def _new_file_errors(target: Path) -> Iterator[None]:
    """Turn the errors of the system about a new file into a StoreError of one line."""
    try:
        yield
    except FileExistsError:
        raise StoreError(str(target), "exists already; it was not touched") from None
    except PermissionError:
        raise NotWritable(str(target), "its folder is read-only for this user") from None
    except OSError as error:
        raise NotWritable(str(target), f"cannot be made: {error.strerror}") from None


def beside(path: Path) -> list[Path]:
    """Return the files that SQLite keeps beside a database; it would read them into a new one."""
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def temporary_folder() -> Path:
    """Return the folder in which SQLite makes temporary files, also those of VACUUM.

    Source: https://www.sqlite.org/tempfiles.html, section 5.
    """
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"))
    folders = (*named, "/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - SQLite looks there
    found = (Path(folder) for folder in folders if folder and os.access(folder, os.W_OK | os.X_OK))
    return next((folder for folder in found if folder.is_dir()), Path())


@contextlib.contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one write transaction: everything in it is kept, or nothing.

    The lock is taken at the start. A deferred BEGIN that reads first would fail when others write,
    whatever the timeout. Raises Replaced if the file lost its name to another one: what is written
    into it then is lost.
    """
    _begin(connection)
    try:
        _check_in_place(connection, "was replaced or removed; nothing was written: repeat it")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _check_in_place(
        connection,
        "was replaced or removed meanwhile; look whether it was written before you repeat it",
    )


def _check_in_place(connection: sqlite3.Connection, problem: str) -> None:
    """Raise Replaced unless the file that is open still has its name."""
    if isinstance(connection, Connection) and identity(connection.path) != connection.identity:
        raise Replaced(os.fspath(connection.path), problem)


def _begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction; wait for the lock as long as the connection would, but notice Ctrl-C."""
    patience = patience_of(connection)
    give_up = time.monotonic() + patience
    milliseconds = round(patience * 1000)
    connection.execute(f"PRAGMA busy_timeout = {min(milliseconds, _STEP)}")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= give_up:
                    raise
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def patience_of(connection: sqlite3.Connection) -> float:
    """Return the seconds for which a connection waits for another writer."""
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    return float(milliseconds) / 1000
