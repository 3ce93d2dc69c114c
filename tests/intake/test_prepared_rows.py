"""New rows of a file, which another process prepares, become what one process makes of them."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from helped import all_answered, none_answered
from publisher import MAPPING, State, made_up_row, written
from running import done

from timeline.intake.dataset import steps
from timeline.writing.many_events import ManyEvents
from timeline.writing.prepared import Prepared
from timeline.writing.receipt import Receipt

ROWS: State = {f"r-{n}": made_up_row(random.Random(n), f"r-{n}") for n in range(60)}
BAD: State = {
    "r-7": {**ROWS["r-7"], "Dead": "many"},
    "r-9": {**ROWS["r-9"], "Country": "Atlantis"},
    "r-11": {**ROWS["r-11"], "Day": "never"},
}


def imported(
    folder: Path, helped: Callable[[], AbstractContextManager[None]]
) -> tuple[list[Any], list[Any]]:
    """What the reports of two imports say, and the entries that they left."""
    folder.mkdir()
    (folder / "map.toml").write_text(MAPPING)
    reports = []
    with contextlib.chdir(folder), helped():
        done("init", "--title", "A story")
        for state in ({**ROWS, **BAD}, {**ROWS, "r-9": {**ROWS["r-9"], "Dead": "3"}}):
            Path("file.csv").write_bytes(written(state))
            command = ("import", "mapped", "file.csv", "--map", "map.toml", "--json")
            reports.append(json.loads(done(*command, "--reported-at", "2025-06-01")))
        with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
            entries = connection.execute(
                "SELECT kind, subject, version, reported_at, payload FROM log WHERE seq > 0"
            ).fetchall()
    return reports, entries


def test_prepared_rows_become_the_entries_of_an_ordinary_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    record = ManyEvents.record_prepared

    def counted(append: ManyEvents, prepared: Prepared) -> Receipt | None:
        receipt = record(append, prepared)
        taken.append(receipt)
        return receipt

    monkeypatch.setattr(ManyEvents, "record_prepared", counted)
    monkeypatch.setattr(steps, "_ALONE", 0)
    alone = imported(tmp_path / "alone", none_answered)
    assert not taken
    helped = imported(tmp_path / "helped", all_answered)
    assert sum(receipt is not None for receipt in taken) >= len(ROWS) - len(BAD)
    assert helped == alone
