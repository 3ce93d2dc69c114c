"""Checks of entries: this hashes the bytes of every entry, and builds the tree over them.

Guarantees: nothing is serialised again to be checked; text is hashed as it is stored, UTF-8 or
not. It takes one pass over two tables, and at most twice the time of hashing them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from timeline.errors import InvalidInput, TooNew
from timeline.model import clock
from timeline.proof.checks.report import OnProgress, Report, text_of
from timeline.store import merkle, node
from timeline.store.codec import (
    KINDS,
    decode_payload,
    format_of,
    parse_envelope,
    quick_envelope,
)

_NEW_FIELDS = re.compile(
    rb'"(?:proposed_by|media|highlight|origin|description|publisher|contact|homepage)":'
)
"""Matches what a payload of format v 2 has, and few payloads of v 1 have."""
_COLUMNS = ("id", "kind", "subject", "version", "recorded_at", "reported_at")
_CLASSES = {
    kind.encode(): None if what == "log" else what.encode()
    for what, kinds in KINDS.items()
    for kind in kinds
}


def check_entries(
    connection: sqlite3.Connection, report: Report, sizes: Iterable[int], progress: OnProgress
) -> dict[int, bytes]:
    """Check every entry and every hash; return the roots of the tree at these sizes."""
    roots = dict.fromkeys(sizes, merkle.root([]))
    connection.text_factory = bytes  # bytes are hashed, whether or not they are UTF-8
    absent: dict[bytes, int] = {}
    erasures: list[tuple[int, bytes]] = []
    ends: list[bytes] = []
    inner = iter(connection.execute("SELECT position, hash FROM tree_hashes ORDER BY position"))
    last_recorded = b""
    number, places = -1, 0
    sha256, grow, classes = hashlib.sha256, merkle.grow, _CLASSES
    of_1, of_2 = quick_envelope(1), quick_envelope(2)
    first, second = of_1.fullmatch, of_2.fullmatch
    is_maybe_new = _NEW_FIELDS.search
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
            said = first(envelope) or second(envelope)
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
            if payload and (said is None or said.re is not of_1 or is_maybe_new(payload)):
                _check_format(report, row)
            if payload is None:
                absent[entry_id] = seq
            if (salt and len(salt)) != (None if payload is None else 16):
                expected = "nothing without a payload" if payload is None else "16 bytes"
                report.add("salt", f"#{seq}", expected, salt and salt.hex())
            if kind == b"entry.erased":
                erasures.append((seq, subject.removeprefix(b"entry/")))
            if recorded != last_recorded:
                if recorded < last_recorded or not is_instant(recorded):
                    report.add(
                        "recorded_at",
                        f"#{seq}",
                        f"after {text_of(last_recorded)}",
                        text_of(recorded),
                    )
                last_recorded = recorded
            if reported is not None and not _is_reported(reported):
                report.add("reported_at", f"#{seq}", "a day or a time", text_of(reported))
        except (TypeError, AttributeError):
            types = ", ".join(type(value).__name__ for value in row)
            report.add("row", f"#{number}", "values of the types of table log", types)
        for made in grow(ends, number, hashed):
            place, stored = next(inner, (None, b""))
            if stored != made:
                report.add("tree", f"above #{number}", made.hex(), stored.hex() or "nothing")
            elif place != places:
                report.add("tree", f"above #{number}, position", places, place)
            places += 1
        if number + 1 in roots:
            roots[number + 1] = merkle.root_of(ends)
        if not number % 1000:
            progress("log", number)
    for place, stored in inner:
        report.add("tree", f"hash {place}", "nothing", stored.hex())
    report.size, report.root, report.erased = number + 1, merkle.root_of(ends), len(absent)
    _check_versions(connection, report)
    connection.text_factory = str
    _check_erasures(report, absent, erasures, _awaited(connection, report, absent))
    return roots


def _compare_entry(report: Report, row: tuple[Any, ...]) -> None:
    """Report the columns of a row that differ from its envelope."""
    seq, *columns, envelope, payload, salt, _ = row
    try:
        said = parse_envelope(envelope.decode(), seq)
    except (InvalidInput, TooNew, UnicodeDecodeError) as error:
        report.add("envelope", f"#{seq}", "as a Timeline writes it", error)
        return
    for column, value in zip(_COLUMNS, columns, strict=True):
        shown = text_of(value) if isinstance(value, bytes) else value
        if said[column] != shown:
            report.add(f"column {column}", f"#{seq}", said[column], shown)
    if payload is not None:
        hashed = "sha256:" + hashlib.sha256(salt + payload).hexdigest()
        if said["payload_hash"] != hashed:
            report.add("payload", f"#{seq}", said["payload_hash"], hashed)


def _check_format(report: Report, row: tuple[Any, ...]) -> None:
    """Report an entry whose `v` is not the lowest that can say its payload."""
    seq, _, kind, *_, envelope, payload, _, _ = row
    with contextlib.suppress(ValueError, TooNew):
        expected = format_of(kind.decode(), decode_payload(payload.decode()))
        found = parse_envelope(envelope.decode(), seq)["v"]
        if found != expected:
            report.add("v", f"#{seq}", expected, found)


def _awaited(
    connection: sqlite3.Connection, report: Report, absent: Mapping[bytes, int]
) -> set[bytes]:
    """Return the entries of a node without a payload whose erasure is still to come.

    `check_node` reports a list of them that cannot be read.
    """
    awaited: set[bytes] = set()
    with contextlib.suppress(ValueError):
        for entry_id, seq in node.awaiting(connection).items():
            if absent.get(entry_id.encode()) == seq:
                awaited.add(entry_id.encode())
            else:
                report.add("erasure", f"#{seq}", "no payload, as the row in table node says", "one")
    if awaited:
        seqs = ", ".join(f"#{absent[entry_id]}" for entry_id in awaited)
        report.unnoticed.append(
            f"Whether the payloads of {seqs} were erased: the entries that say so are still to come"
            " from the cluster."
        )
    return awaited


def _check_erasures(
    report: Report,
    absent: Mapping[bytes, int],
    erasures: Collection[tuple[int, bytes]],
    awaited: Collection[bytes],
) -> None:
    """Check that exactly the payloads that a later `entry.erased` has erased are absent.

    In a node, the erasure of an entry that is `awaited` may still be to come.
    """
    excused = {entry_id for seq, entry_id in erasures if absent.get(entry_id, seq) < seq}
    for entry_id in excused & {*awaited}:
        report.add("erasure", f"#{absent[entry_id]}", "erased, or to be erased", "both")
    excused |= {*awaited}
    for entry_id, seq in absent.items():
        if entry_id not in excused:
            report.add("erasure", f"#{seq}", "a payload, or a later entry.erased", "neither")
    for seq, entry_id in erasures:
        if entry_id not in absent:
            report.add("erasure", f"#{seq}", f"no payload of entry {text_of(entry_id)}", "one")


def _check_versions(connection: sqlite3.Connection, report: Report) -> None:
    for subject, count, first, last in connection.execute(
        "SELECT subject, count(*), min(version), max(version) FROM log GROUP BY subject"
        " HAVING min(version) <> 1 OR max(version) <> count(*)"
    ):
        report.add("versions", text_of(subject), f"1 to {count}", f"{first} to {last}")
    opening = connection.execute("SELECT kind FROM log WHERE seq = 0").fetchone()
    if opening != (b"log.opened",):
        report.add("kind", "#0", "log.opened", text_of(opening[0]) if opening else "no entry")


@functools.lru_cache
def is_instant(text: bytes) -> bool:
    """Return whether a text is an instant in the form in which `clock.utc` writes it."""
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
