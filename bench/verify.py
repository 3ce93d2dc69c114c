"""Measure how fast a file is verified: its log beside bare hashlib, its tables beside a rebuild.

Bare hashlib scans `log` and `tree_hashes` once, hashes the same bytes (two hashes for each
entry, one for each inner node), and compares nothing.
Run: python bench/verify.py [EVENTS]
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import story

from timeline.projection import tables
from timeline.proof.checks.entries import check_entries
from timeline.proof.checks.file import check_pages
from timeline.proof.checks.report import Report
from timeline.proof.checks.tables import check_tables
from timeline.store import storage

ROUNDS = 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        story.build(path, count)
        with contextlib.closing(storage.connect(path)) as connection:
            (entries,) = connection.execute("SELECT count(*) FROM log").fetchone()
            print(f"{count:,} events, {entries:,} entries; medians of {ROUNDS}")
            checks = Checks(connection)
            hashed, log = in_turn(lambda: bare(connection), checks.log)
            print(f"  bare hashlib and scan  {hashed:8.2f} s")
            print(f"  log and tree           {log:8.2f} s   speed {hashed / log:.2f} of it")
            print(f"  pages and indexes      {timed(checks.file):8.2f} s")
        rebuilt, compared = in_turn(lambda: rebuild(path), lambda: compare(path))
        print(f"  rebuild                {rebuilt:8.2f} s")
        print(f"  tables                 {compared:8.2f} s   time {compared / rebuilt:.2f} of it")


def bare(connection: sqlite3.Connection) -> None:
    """Hash everything that `verify` must hash, and do nothing else."""
    sha256 = hashlib.sha256
    connection.text_factory = bytes
    for *_, envelope, payload, salt, _ in connection.execute("SELECT * FROM log ORDER BY seq"):
        sha256(b"\x00" + envelope).digest()
        sha256(salt + payload).digest()
    for _, stored in connection.execute("SELECT * FROM tree_hashes"):
        sha256(b"\x01" + stored + stored).digest()
    connection.text_factory = str


class Checks:
    """Runs the parts of `verify` that read the log, one by one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def log(self) -> None:
        report = Report()
        check_entries(self.connection, report, (), lambda part, count: None)
        assert not report.findings, report.findings

    def file(self) -> None:
        report = Report()
        check_pages(self.connection, report)
        assert not report.findings, report.findings


def compare(path: Path) -> None:
    with contextlib.closing(storage.connect(path)) as connection:
        connection.execute("PRAGMA temp.journal_mode = OFF")
        connection.execute("PRAGMA temp.cache_size = -64000")
        connection.execute("BEGIN")
        report = Report()
        check_tables(connection, report, str(path), lambda part, count: None)
        assert not report.findings, report.findings


def rebuild(path: Path) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        tables.rebuild(connection)


def in_turn(*functions: Callable[[], object]) -> list[float]:
    """Return the median seconds of each function; the functions run in turn, round by round."""
    rounds = [[timed(function) for function in functions] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def timed(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
