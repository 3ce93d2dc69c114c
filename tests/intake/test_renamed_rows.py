"""A sheet without ids, whose rows are told apart by title and date: an edit makes no new event."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from running import done

MAPPING = """
scheme = "desk"
id = ["What", "When"]
[fields]
title = "What"
occurred = "When"
"place.name" = "Where"
summary = "Notes"
"citations.0.source.url" = "Link"
"quantities.0.measure" = { value = "injured" }
"quantities.0.value" = "Hurt"
"""
COLUMNS = ("What", "When", "Where", "Notes", "Link", "Hurt", "Editor")
Sheet = list[dict[str, str]]


def sheet(seed: int, count: int = 24) -> Sheet:
    """Rows as a desk has them: some cells empty, many alike."""
    maker = Random(seed)
    what = ("Road closed", "Bridge closed", "Shelter opened", "Power is out", "Rain")
    return [
        {
            "What": f"{maker.choice(what)} near {maker.choice('ABCDEFGH')}{number}",
            "When": f"2024-0{maker.randint(1, 9)}-{maker.randint(10, 28)}",
            "Where": maker.choice(("Port", "Old Town", "Harbour", "")),
            "Notes": maker.choice(("", f"Told by witness {number}", "seen on the spot")),
            "Link": maker.choice(("", f"https://example.org/{number}")),
            "Hurt": maker.choice(("", str(maker.randint(0, 60)))),
            "Editor": maker.choice(("ann", "bo")),
        }
        for number in range(count)
    ]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(MAPPING)
    done("init", "--title", "Desk")
    return tmp_path


def put(rows: Sheet, *options: str) -> dict[str, Any]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    Path("desk.csv").write_text(text.getvalue())
    found: dict[str, Any] = json.loads(
        done("import", "mapped", "desk.csv", "--map", "map.toml", "--json", *options)
    )
    return found


def complete(day: int) -> tuple[str, ...]:
    return ("--complete", "--reported-at", f"2024-10-{day:02d}", "--yes")


def changes(outcome: dict[str, Any]) -> tuple[int, ...]:
    names = ("recorded", "updated", "retracted", "rejected")
    return tuple(outcome[name] for name in names)


def count_events() -> int:
    with closing(sqlite3.connect("timeline.db")) as connection:
        (found,) = connection.execute("SELECT count(*) FROM events").fetchone()
        return int(found)


@pytest.mark.parametrize("seed", [1, 2])
def test_one_cell_that_changes_is_one_update(seed: int) -> None:
    maker = Random(seed)
    rows = sheet(seed)
    assert changes(put(rows, *complete(1))) == (len(rows), 0, 0, 0)
    for day, column in enumerate((*COLUMNS, *COLUMNS), 2):
        row = maker.choice([row for row in rows if row["Link"] and row["Where"]])
        new = {
            "When": "2024-09-29",
            "Hurt": str(100 + day),
            "Link": f"https://example.org/new/{day}",
        }.get(column, f"Another text {day}")
        row[column] = new
        outcome = put(rows, *complete(day))
        assert changes(outcome) == (0, 1, 0, 0), column
        if column in ("What", "When"):
            assert "stays the same event" in outcome["notes"][0]
        assert put(rows, *complete(day))["unchanged"] == len(rows)
    assert count_events() == len(rows)
    done("verify")


def test_a_row_keeps_both_ids() -> None:
    rows = sheet(3)
    put(rows)
    rows[4]["What"] = "Renamed"
    outcome = put(rows)
    assert changes(outcome) == (0, 1, 0, 0)
    event_id = outcome["notes"][0].split(": ")[1].split(" ")[0]
    event = json.loads(done("show", event_id, "--json"))
    assert event["title"] == "Renamed"
    assert len(event["external_ids"]) == 2
    assert event["extra"]["desk"]["What"] == "Renamed"


def test_title_and_date_may_change_if_the_link_is_the_same_and_the_rest_too() -> None:
    rows = sheet(4)
    rows[5] = {**rows[5], "Where": "Port", "Notes": "n", "Link": "https://example.org/x"}
    put(rows)
    rows[5] = {**rows[5], "What": "Renamed", "When": "2024-09-29"}
    assert changes(put(rows)) == (0, 1, 0, 0)


def test_title_date_and_link_together_make_a_new_row() -> None:
    rows = sheet(5)
    put(rows, *complete(1))
    rows[5] = {**rows[5], "What": "New", "When": "2024-09-29", "Link": "https://example.org/y"}
    assert changes(put(rows, *complete(2))) == (1, 0, 1, 0)


def test_a_part_of_a_sheet_renames_nothing() -> None:
    rows = sheet(6)
    put(rows)
    part = [{**row, "When": "2024-09-29"} for row in rows[:3]]
    assert changes(put(part)) == (3, 0, 0, 0)


def test_rows_that_could_be_the_same_in_two_ways_are_new() -> None:
    rows = sheet(7)
    twin = {**rows[0], "What": "Alike", "Where": "Port", "Notes": "n", "Link": ""}
    rows += [{**twin, "When": "2024-01-10"}, {**twin, "When": "2024-01-11"}]
    put(rows)
    rows[-2:] = [{**twin, "When": "2024-01-12"}]
    assert changes(put(rows)) == (1, 0, 0, 0)


def test_a_title_that_another_event_had_before_is_put_aside() -> None:
    rows = sheet(8)
    put(rows)
    old = dict(rows[3])
    rows[3]["What"] = "Renamed"
    put(rows)
    outcome = put([*rows, {**old, "Notes": "once more", "Where": "Elsewhere"}])
    assert changes(outcome) == (0, 0, 0, 1)
    with Path("desk.csv.rejects.csv").open(newline="") as file:
        (reject,) = csv.DictReader(file)
    assert "was called before: give it another title" in reject["reason"]


def test_a_publishers_own_id_that_changes_makes_another_event() -> None:
    Path("map.toml").write_text(MAPPING.replace('["What", "When"]', '"Editor"'))
    rows = [{**row, "Editor": f"e{number}"} for number, row in enumerate(sheet(9))]
    put(rows, *complete(1))
    rows[2]["Editor"] = "other"
    assert changes(put(rows, *complete(2))) == (1, 0, 1, 0)
