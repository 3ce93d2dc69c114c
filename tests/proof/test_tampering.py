"""Thousands of ways to change a file: each is found, or changes nothing that anybody can read.

The ordinary run takes a sample. `make torture` goes on for an hour; TORTURE_SECONDS says for how
long, and TORTURE_SEED which changes come first.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import os
import random
import shutil
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from quick_verify import QuickVerify, finds
from readings import LEAVE_NO_TRACE, exports, pages, rows, searches
from signed_story import build, short_segments
from tampering import edit, places

from timeline import Timeline
from timeline.proof import verify
from timeline.proof.checks import schema
from timeline.store import storage

SAMPLE = 40
"""Changes of each kind in an ordinary run."""
SECONDS = float(os.environ.get("TORTURE_SECONDS") or 3600)
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
SEED = int(os.environ.get("TORTURE_SEED") or int(RUN[:5], 16))
WHOLE = 100
"""One in so many changes is verified by verify alone, and to the end; the others quickly, up to the
first finding."""
WITH_PAGES = 5
"""One in so many of these is looked for on the pages of the site, too, if verify finds nothing."""

SHM = Path("/dev/shm")
long_and_short = pytest.mark.parametrize(
    ("seed", "changes"),
    [(0, SAMPLE), pytest.param(SEED, None, marks=pytest.mark.torture, id=f"SEED={SEED}")],
)


@dataclass
class Original:
    """A file that nobody has changed, and all that it says."""

    path: Path
    quick: QuickVerify
    rows: dict[str, set[str]]
    readings: list[object]

    def is_read_in(self, path: Path, *, with_pages: bool) -> bool:
        looked = (searches, exports, pages) if with_pages else (searches, exports)
        return [read(path) for read in looked] == self.readings[: len(looked)]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    path = tmp_path_factory.mktemp("tampering") / "timeline.db"
    with short_segments(), pytest.MonkeyPatch.context() as patch:
        build(path)
        patch.setattr(schema, "_new_file", cache(schema._new_file))  # the same each time
        assert verify.verify(path).findings == []
        empty = {name for name, path_rows in rows(path).items() if not path_rows}
        # Of a node, nothing but its guard is compared; of whom we follow and ask, nothing.
        assert empty == {"scrub_pending", "node", "follows", "witnesses"}
        yield Original(
            path, QuickVerify(path), rows(path), [searches(path), exports(path), pages(path)]
        )


@pytest.fixture
def path(tmp_path: Path, original: Original) -> Iterator[Path]:
    """A copy of the file, in memory where there is such a folder."""
    folder = SHM if SHM.is_dir() else tmp_path
    path = folder / f"{tmp_path.name}-{os.getpid()}.db"
    shutil.copy(original.path, path)
    yield path
    for left in (path, *storage.beside(path)):
        left.unlink(missing_ok=True)


def is_named(before: dict[str, set[str]], after: dict[str, set[str]]) -> bool:
    """Whether only that differs of which verify says that it leaves no trace."""
    if before.keys() != after.keys():
        return False
    for table, kept in before.items():
        if table not in LEAVE_NO_TRACE and after[table] != kept:
            return False
        added = after[table] - kept
        if table == "checkpoints":
            if not all(any(_has_fewer_keys(row, other) for other in kept) for row in added):
                return False
        elif (
            added
            and table not in ("publications", "mirror", "witnesses")
            and not all(table == "source_texts" and ", None, " in row for row in added)
        ):
            return False
    return True


def _has_fewer_keys(row: str, other: str) -> bool:
    """Whether a checkpoint lacks the key of a witness: then verify names its signature."""
    *values, keys = ast.literal_eval(row)
    *others, all_keys = ast.literal_eval(other)
    return values == others and {*keys.splitlines()} < {*all_keys.splitlines()}


def verdict(path: Path, original: Original, number: int, changed: str) -> str:
    """What verify, and who reads the file, make of a change."""
    try:
        if number % WHOLE == 0:
            found = finds(path)
        else:
            quickly = original.quick.finds(path, changed) if changed else None
            if quickly is False:
                return "harmless"
            found = quickly or original.quick.finds_at_last(path)
        if found:
            return "found"
        after = rows(path)
        if after != original.rows:
            return "named" if is_named(original.rows, after) else "unnoticed"
        same = original.is_read_in(path, with_pages=not number % (WHOLE * WITH_PAGES))
    except Exception as error:  # noqa: BLE001 - whatever happens is reported with the change
        return f"{type(error).__name__}: {error}"
    return "harmless" if same else "unnoticed"


def count(
    changes: Iterator[tuple[str, str]],
    path: Path,
    original: Original,
    limit: int | None,
    record: Callable[[Counter[str]], None],
) -> None:
    """Try changes until there are enough of them; keep the files in which one went unnoticed.

    Each comes with the table or index whose bytes were changed; "" for the header, and for edits.
    """
    counts: Counter[str] = Counter()
    unnoticed = []
    end = time.monotonic() + SECONDS
    for number, (changed, change) in enumerate(changes):
        found = verdict(path, original, number, changed)
        counts[found if found in ("found", "harmless", "named") else "unnoticed"] += 1
        if found not in ("found", "harmless", "named"):
            unnoticed.append(f"{found}: {change}")
            shutil.copy(path, original.path.with_name(f"unnoticed-{len(unnoticed)}.db"))
        if number + 1 == limit or (limit is None and time.monotonic() > end) or len(unnoticed) > 50:
            break
    record(counts)
    assert counts["found"]
    assert not unnoticed, "\n".join((f"see {original.path.parent}", *unnoticed))


def test_verify_finds_what_is_found_quickly(path: Path, original: Original) -> None:
    data = original.path.read_bytes()
    said: Counter[bool | None] = Counter()
    for owner, place in itertools.islice(places(original.path, random.Random(3)), 2 * SAMPLE):
        if place >= 100:
            for left in storage.beside(path):
                left.unlink(missing_ok=True)
            path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            quickly = original.quick.finds(path, owner)
            at_last = original.quick.finds_at_last(path)
            assert {quickly, at_last} - {None} == {finds(path)}, (owner, place)
            said[quickly] += 1
    assert min(said[True], said[False]) > 3, said


@long_and_short
def test_a_bit_of_the_file(
    path: Path,
    original: Original,
    seed: int,
    changes: int | None,
    record_property: Callable[[str, object], None],
) -> None:
    maker = random.Random(seed)
    data = original.path.read_bytes()

    def flipped() -> Iterator[tuple[str, str]]:
        while True:
            for owner, place in places(original.path, maker):
                bit = 1 << maker.randrange(8)
                for left in storage.beside(path):
                    left.unlink(missing_ok=True)
                with path.open("r+b", buffering=0) as file:
                    os.pwrite(file.fileno(), bytes([data[place] ^ bit]), place)
                yield "" if place < 100 else owner, f"byte {place}, {owner}, bit {bit}"
                path.write_bytes(data)

    def record(counts: Counter[str]) -> None:
        covered = min(counts.total(), len(data))
        what = f"bits flipped, in {covered:,} of {len(data):,} bytes"
        record_property("tampered", (what, dict(counts)))

    count(flipped(), path, original, changes, record)


@long_and_short
def test_an_edit_by_sql(
    path: Path,
    original: Original,
    seed: int,
    changes: int | None,
    record_property: Callable[[str, object], None],
) -> None:
    maker = random.Random(seed)

    def edited() -> Iterator[tuple[str, str]]:
        while True:
            shutil.copy(original.path, path)
            for left in storage.beside(path):
                left.unlink(missing_ok=True)
            with contextlib.suppress(sqlite3.Error, sqlite3.Warning):
                yield "", edit(path, maker)

    def record(counts: Counter[str]) -> None:
        record_property("tampered", ("edits by SQL", dict(counts)))

    count(edited(), path, original, changes, record)


def test_a_damaged_mark_that_a_word_was_lost_is_found(tmp_path: Path) -> None:
    """Four events lose a word, and three get it back: their marks stand where nobody reads them."""
    path, copy = tmp_path / "story.db", tmp_path / "copy.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record(
            {"event_id": f"event-{number}", "title": "A quay", "occurred": "2025"}
            for number in range(5)
        )
        timeline.update({f"event-{number}": {"title": "A pier"} for number in range(1, 5)})
        timeline.update({f"event-{number}": {"title": "A quay"} for number in range(2, 5)})
    was_found = searches(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        blocks = connection.execute("SELECT id, block FROM event_search_data").fetchall()
    changed = [
        (row, block[:place] + bytes([byte ^ 2]) + block[place + 1 :])
        for row, block in blocks
        for place, byte in enumerate(block)
        if byte == 1 and row > 10  # the rows before are no part of the index
    ]
    missed = []
    for row, other in changed:
        shutil.copy(path, copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute("UPDATE event_search_data SET block = ? WHERE id = ?", (other, row))
        if not verify.verify(copy).findings and searches(copy) != was_found:
            missed.append(other)
    assert missed == []
