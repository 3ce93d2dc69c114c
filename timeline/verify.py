"""Checking a whole file: everything that can be derived from the bytes is, and compared.

Guarantees: reads one moment of the file and writes nothing to it. It shares the codec, the
tree and the fold with the writer and nothing else, so that a mistake of the writer is seen.
What only somebody outside could know - that the whole file was replaced by another that
agrees with itself - it cannot see, and says so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from timeline import clock, merkle, projection, schema
from timeline.codec import ENVELOPE, KINDS, decode_content, parse_envelope
from timeline.errors import (
    Damaged,
    InvalidInput,
    InvalidValue,
    ProjectionOutdated,
    ProofError,
    TooNew,
)
from timeline.signed_note import VerifierKey
from timeline.tlog import Checkpoint, parse_checkpoint

__all__ = ["Finding", "Report", "verify"]

_SHOWN = 100
"""Findings of one kind that are told apart; the rest are counted."""

Progress = Callable[[str, int], object]
Row = tuple[Any, ...]


class Finding(NamedTuple):
    """One thing that does not hold."""

    what: str
    """What was checked, such as "leaf" or "table events"."""
    where: str
    """Such as "#41", or the key of a row."""
    expected: str
    found: str


@dataclass
class Report:
    """What a file says, and what does not hold."""

    origin: str = ""
    size: int = 0
    """Entries in the log."""
    root: bytes = b""
    erased: int = 0
    """Entries whose payload was taken out."""
    checkpoints: int = 0
    signed: int = 0
    """Entries that the newest checkpoint covers."""
    texts: int = 0
    texts_absent: int = 0
    """Texts of sources that are not in this file: left out of it, or erased."""
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    """Findings beyond those in `findings`."""
    unnoticed: list[str] = field(default_factory=list)
    """What this check could not have seen, in sentences."""

    def add(self, what: str, where: object, expected: object, found: object) -> None:
        """Keep a finding, or count it if there are many of the kind."""
        if sum(known.what == what for known in self.findings) < _SHOWN:
            self.findings.append(Finding(what, str(where), str(expected), str(found)))
        else:
            self.unlisted += 1


def verify(
    path: str | os.PathLike[str],
    *,
    checkpoints: Mapping[str, str] | None = None,
    keys: Collection[VerifierKey] = (),
    progress: Progress = lambda part, count: None,
) -> Report:
    """Check the file, and that it goes on from every checkpoint of it.

    `checkpoints` are signed notes that somebody kept elsewhere, by the name that a finding
    gives them. With `keys` every checkpoint, stored or given, must be signed by one of them.
    `progress` is called with a part ("log", "tables") and a count of entries.

    Raises StoreError for what is no timeline, TooNew, and ProjectionOutdated if nothing but
    the version of the tables is wrong.
    """
    report = Report()
    try:
        with (
            schema.storage_errors(path),
            contextlib.closing(schema.connect(path)) as connection,
        ):
            # Temporary tables need no journal; the file's own are only read.
            connection.execute("PRAGMA temp.journal_mode = OFF")
            connection.execute("BEGIN")
            _check_file(connection, report)
            _check_log(connection, report, checkpoints or {}, keys, progress)
            _check_texts(connection, report)
            _check_tables(connection, report, os.fspath(path), progress)
    except (Damaged, sqlite3.DatabaseError) as error:
        report.add("file", path, "a database that can be read", error)
    return report


# --- The file -----------------------------------------------------------------------------


def _check_file(connection: sqlite3.Connection, report: Report) -> None:
    """The pages and indexes, by SQLite itself; the tables and triggers, by a new file's."""
    for (problem,) in connection.execute("PRAGMA integrity_check(20)"):
        if problem != "ok":
            report.add("file", "integrity_check", "ok", problem)
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.migrate(new)
        projection.create(new)
        ours = dict(new.execute(_DEFINITIONS))
    own_tables = {name.partition(" ")[2] for name in ours}
    theirs = dict(connection.execute(_DEFINITIONS))
    for name, sql in ours.items():
        if theirs.get(name) != sql:
            report.add("schema", name, sql, theirs.get(name, "nothing"))
    triggers = connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    for name, table in triggers:
        if table in own_tables and f"trigger {name}" not in ours:
            report.add("schema", f"trigger {name}", "nothing", f"a trigger on {table}")


_DEFINITIONS = """
SELECT type || ' ' || name, sql FROM sqlite_master
 WHERE sql IS NOT NULL AND name NOT GLOB '_sqlite_migrations*' AND name NOT GLOB 'sqlite_*'
"""


# --- The log and its tree -----------------------------------------------------------------

_COLUMNS = ("id", "kind", "subject", "version", "recorded_at", "reported_at")
_CLASSES = {
    kind.encode(): None if what == "log" else what.encode()
    for what, kinds in KINDS.items()
    for kind in kinds
}


def _check_log(
    connection: sqlite3.Connection,
    report: Report,
    given: Mapping[str, str],
    keys: Collection[VerifierKey],
    progress: Progress,
) -> None:
    connection.text_factory = bytes  # what is hashed, whether or not it is UTF-8
    roots = dict.fromkeys(_sizes(connection, given), merkle.root([]))
    absent: dict[bytes, int] = {}
    erasures: list[tuple[int, bytes]] = []
    ends: list[bytes] = []
    inner = iter(connection.execute("SELECT position, hash FROM tree_hashes ORDER BY position"))
    last_recorded = b""
    number = -1
    sha256, match, grow, classes = hashlib.sha256, ENVELOPE.fullmatch, merkle.grow, _CLASSES
    unreadable = merkle.leaf_hash(b"")
    rows = connection.execute(
        "SELECT seq, id, kind, subject, version, recorded_at, reported_at, envelope, payload,"
        " salt, leaf FROM log ORDER BY seq"
    )
    for number, row in enumerate(rows):
        hashed = unreadable
        try:
            seq, entry_id, kind, subject, version, recorded, reported = row[:7]
            envelope, payload, salt, leaf = row[7:]
            hashed = sha256(b"\x00" + envelope).digest()
            if seq != number:
                report.add("seq", f"#{seq}", number, seq)
            if hashed != leaf:
                report.add("leaf", f"#{seq}", hashed.hex(), leaf.hex())
            said = match(envelope)
            if said is None or said.groups() != (
                entry_id,
                kind,
                subject,
                classes.get(kind, b""),
                b"%d" % version,
                recorded,
                reported,
                b"" if payload is None else sha256(salt + payload).hexdigest().encode(),
            ):
                _compare_entry(report, row)
            if payload is None:
                absent[entry_id] = seq
            if kind == b"entry.erased":
                erasures.append((seq, subject.removeprefix(b"entry/")))
            if recorded != last_recorded:
                if recorded < last_recorded or not _is_instant(recorded):
                    report.add(
                        "recorded_at", f"#{seq}", f"after {_text(last_recorded)}", _text(recorded)
                    )
                last_recorded = recorded
            if reported is not None and not _is_reported(reported):
                report.add("reported_at", f"#{seq}", "a day or a time", _text(reported))
        except (TypeError, AttributeError):
            types = ", ".join(type(value).__name__ for value in row)
            report.add("row", f"#{number}", "values of the types of table log", types)
        for made in grow(ends, number, hashed):
            _, stored = next(inner, (None, b""))
            if stored != made:
                report.add("tree", f"above #{number}", made.hex(), stored.hex() or "nothing")
        if number + 1 in roots:
            roots[number + 1] = merkle.root_of(ends)
        if not number % 1000:
            progress("log", number)
    for place, stored in inner:
        report.add("tree", f"hash {place}", "nothing", stored.hex())
    report.size, report.root, report.erased = number + 1, merkle.root_of(ends), len(absent)
    _check_erasures(report, absent, erasures)
    _check_versions(connection, report)
    connection.text_factory = str
    _check_checkpoints(connection, report, given, keys, roots)


def _compare_entry(report: Report, row: tuple[Any, ...]) -> None:
    """What in a row is not as its envelope says."""
    seq, *columns, envelope, payload, salt, _ = row
    try:
        said = parse_envelope(envelope.decode(), seq)
    except (InvalidInput, TooNew, UnicodeDecodeError) as error:
        report.add("envelope", f"#{seq}", "as a Timeline writes it", error)
        return
    for column, value in zip(_COLUMNS, columns, strict=True):
        shown = _text(value) if isinstance(value, bytes) else value
        if said[column] != shown:
            report.add(f"column {column}", f"#{seq}", said[column], shown)
    if payload is not None:
        hashed = "sha256:" + hashlib.sha256(salt + payload).hexdigest()
        if said["payload_hash"] != hashed:
            report.add("payload", f"#{seq}", said["payload_hash"], hashed)


def _check_erasures(
    report: Report, absent: Mapping[bytes, int], erasures: Collection[tuple[int, bytes]]
) -> None:
    """A payload is absent because a later `entry.erased` has taken it out, and only so."""
    excused = {entry_id for seq, entry_id in erasures if absent.get(entry_id, seq) < seq}
    for entry_id, seq in absent.items():
        if entry_id not in excused:
            report.add("erasure", f"#{seq}", "a payload, or a later entry.erased", "neither")
    for seq, entry_id in erasures:
        if entry_id not in absent:
            report.add("erasure", f"#{seq}", f"no payload of entry {_text(entry_id)}", "one")


def _check_versions(connection: sqlite3.Connection, report: Report) -> None:
    for subject, count, first, last in connection.execute(
        "SELECT subject, count(*), min(version), max(version) FROM log GROUP BY subject"
        " HAVING min(version) <> 1 OR max(version) <> count(*)"
    ):
        report.add("versions", _text(subject), f"1 to {count}", f"{first} to {last}")
    opening = connection.execute("SELECT kind FROM log WHERE seq = 0").fetchone()
    if opening != (b"log.opened",):
        report.add("kind", "#0", "log.opened", _text(opening[0]) if opening else "no entry")


@functools.lru_cache
def _is_instant(text: bytes) -> bool:
    try:
        return clock.utc(clock.parse(text.decode())) == text.decode()
    except ValueError:
        return False


@functools.lru_cache
def _is_reported(text: bytes) -> bool:
    try:
        return clock.reported(text.decode()) == text.decode()
    except ValueError:
        return False


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


# --- Checkpoints --------------------------------------------------------------------------


def _sizes(connection: sqlite3.Connection, given: Mapping[str, str]) -> Iterator[int]:
    """The sizes at which a root will be asked for."""
    yield from (size for (size,) in connection.execute("SELECT size FROM checkpoints"))
    yield from (size for (size,) in connection.execute("SELECT size FROM publications"))
    for text in given.values():
        with contextlib.suppress(ProofError):
            yield parse_checkpoint(text)[0].size


def _check_checkpoints(
    connection: sqlite3.Connection,
    report: Report,
    given: Mapping[str, str],
    keys: Collection[VerifierKey],
    roots: Mapping[int, bytes],
) -> None:
    """Hold the log to what was signed, here and elsewhere, and to what was published."""
    report.origin = _origin(connection)
    for size, root, text, stored_keys in connection.execute(
        "SELECT size, root, note, verifier_keys FROM checkpoints ORDER BY size, note"
    ):
        report.checkpoints += 1
        checkpoint = _check_note(
            report, f"stored, over {size}", text, stored_keys.splitlines(), keys, roots
        )
        if checkpoint and (checkpoint.size, checkpoint.root) != (size, root):
            report.add(
                "checkpoint",
                f"stored, over {size}",
                f"size {checkpoint.size}, root {checkpoint.root.hex()}",
                f"size {size}, root {root.hex()}",
            )
    for name, text in given.items():
        _check_note(report, name, text, (), keys, roots)
    for when, size, root in connection.execute(
        "SELECT published_at, size, root FROM publications ORDER BY published_at"
    ):
        _hold_to(report, f"publication {when}", Checkpoint(report.origin, size, root), roots)
    _say_what_went_unnoticed(report, given, keys)


def _check_note(
    report: Report,
    name: str,
    text: str,
    stored_keys: Collection[str],
    keys: Collection[VerifierKey],
    roots: Mapping[int, bytes],
) -> Checkpoint | None:
    """Check a note: all keys stored with it must have signed it, and one of those given."""
    try:
        checkpoint, note = parse_checkpoint(text)
        note.verify([VerifierKey.parse(key) for key in stored_keys])
        signers = {(signature.name, signature.key_id) for signature in note.signatures}
        trusted = [key for key in keys if (key.name, key.key_id) in signers]
        if keys and not trusted:
            raise ProofError(f"is signed by {note.signatures[0].key}, whose key was not given")
        note.verify(trusted)
    except (ProofError, InvalidValue) as error:
        report.add("checkpoint", name, "a signed note that holds", error)
        return None
    _hold_to(report, name, checkpoint, roots)
    report.signed = max(report.signed, min(checkpoint.size, report.size))
    return checkpoint


def _hold_to(report: Report, name: str, checkpoint: Checkpoint, roots: Mapping[int, bytes]) -> None:
    """The log must go on from what a checkpoint or a publication says."""
    if checkpoint.origin != report.origin:
        report.add("checkpoint", name, f"one of {report.origin}", f"one of {checkpoint.origin}")
    elif checkpoint.size > report.size:
        report.add("checkpoint", name, f"{checkpoint.size} entries", f"{report.size} entries")
    elif checkpoint.root != roots[checkpoint.size]:
        report.add("checkpoint", name, checkpoint.root.hex(), roots[checkpoint.size].hex())


def _origin(connection: sqlite3.Connection) -> str:
    """What the log was opened as; an origin never changes."""
    row = connection.execute("SELECT payload FROM log WHERE seq = 0").fetchone()
    try:
        return str((decode_content(row[0]) or {})["origin"])
    except (TypeError, KeyError, ValueError):
        return ""


def _say_what_went_unnoticed(
    report: Report, given: Mapping[str, str], keys: Collection[VerifierKey]
) -> None:
    if not given:
        report.unnoticed.append(
            "Nothing from outside this file was looked at: had the whole log been written anew, "
            "or put back to an older state, it would look the same. Keep a checkpoint elsewhere, "
            "and hand it in with --checkpoint."
        )
    if (report.checkpoints or given) and not keys:
        report.unnoticed.append(
            "Whose signatures these are was not checked: hand in the log's verifier key with --key."
        )
    if report.signed < report.size:
        report.unnoticed.append(
            f"The last {report.size - report.signed} of {report.size} entries are under no "
            "checkpoint yet: timeline checkpoint signs them."
        )


# --- Texts and tables ---------------------------------------------------------------------


def _check_texts(connection: sqlite3.Connection, report: Report) -> None:
    connection.text_factory = bytes
    for name, body in connection.execute(
        "SELECT text_sha256, body FROM source_texts WHERE body IS NOT NULL"
    ):
        report.texts += 1
        hashed = "sha256:" + hashlib.sha256(body).hexdigest()
        if hashed != _text(name):
            report.add("text", _text(name), _text(name), hashed)
    connection.text_factory = str


_KEYS = {
    "events": ("event_key",),
    "event_search": ("rowid",),
    "projection_state": ("entry_version",),
}
"""The keys of tables whose primary key is none, or in no good order to read them in."""


def _check_tables(
    connection: sqlite3.Connection, report: Report, path: str, progress: Progress
) -> None:
    """Fold the log once more, into temporary tables, and compare those of the file.

    Raises ProjectionOutdated where that is all that is wrong.
    """
    try:
        projection.check(connection, path)
    except ProjectionOutdated:
        if not report.findings:
            raise
        report.unnoticed.append("The tables are of another version and were not compared.")
        return
    try:
        projection.create_apart(connection)
        projection.fold_all(connection, functools.partial(progress, "tables"))
    except (LookupError, TypeError, ValueError, AttributeError, sqlite3.DatabaseError) as error:
        # What no writer wrote, though its hashes may hold.
        report.add("tables", "all", "a log that can be folded", repr(error))
        return
    (report.texts_absent,) = connection.execute(
        "SELECT count(DISTINCT text_sha256) FROM temp.sources WHERE text_sha256 NOT IN"
        " (SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL)"
    ).fetchone()
    for table, kind in projection.tables().items():
        if kind == "TABLE":
            try:
                _compare_table(connection, report, table)
            except (sqlite3.DatabaseError, TypeError) as error:
                report.add(f"table {table}", "all", "a table that can be read", error)
    try:
        projection.check_search(connection)
    except sqlite3.DatabaseError as error:
        report.add("table event_search", "index", "an index of its words", error)


def _compare_table(connection: sqlite3.Connection, report: Report, table: str) -> None:
    """Compare a table with the one made anew, row by row in the order of its key."""
    described = connection.execute("SELECT name, pk FROM pragma_table_info(?, 'temp')", (table,))
    columns = described.fetchall()
    keys = _KEYS.get(table) or tuple(name for name, place in columns if place)
    names = (*keys, *(name for name, _ in columns))
    connection.text_factory = bytes
    select = f"SELECT {', '.join(names)} FROM {{}}.{table} ORDER BY {', '.join(keys)}"  # noqa: S608
    expected, found = (iter(connection.execute(select.format(part))) for part in ("temp", "main"))
    for right, wrong in _differing(expected, found, len(keys)):
        either = right or wrong or ()
        where = ", ".join(
            f"{name} {_shown(value)}" for name, value in zip(keys, either, strict=False)
        )
        if right is None or wrong is None:
            sides = ("a row", "no row") if right else ("no row", "a row")
            report.add(f"table {table}", where, *sides)
        else:
            for name, one, other in zip(names, right, wrong, strict=True):
                if one != other:
                    report.add(f"table {table}", f"{where}, {name}", _shown(one), _shown(other))
    connection.text_factory = str


def _differing(
    expected: Iterator[Row], found: Iterator[Row], width: int
) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows in which two tables differ, both in the order of their first `width` columns."""
    right, wrong = next(expected, None), next(found, None)
    while right is not None or wrong is not None:
        if right == wrong:
            right, wrong = next(expected, None), next(found, None)
        elif wrong is None or (right is not None and right[:width] < wrong[:width]):
            yield right, None
            right = next(expected, None)
        elif right is None or wrong[:width] < right[:width]:
            yield None, wrong
            wrong = next(found, None)
        else:
            yield right, wrong
            right, wrong = next(expected, None), next(found, None)


def _shown(value: object) -> str:
    return _text(value) if isinstance(value, bytes) else "nothing" if value is None else str(value)
