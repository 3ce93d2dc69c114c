"""What `timeline import` says it did: exit codes, rejects by their own place, exact totals."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import done, one_line, run

MAPPING = """
scheme = "aid"
id = "Nr"
[fields]
title = "What"
occurred = "Day"
"quantities.0.measure" = { value = "pledged" }
"quantities.0.unit" = { value = "EUR" }
"quantities.0.value" = "Sum"
"quantities.0.low" = "From"
"quantities.0.high" = "To"
"""
HEADER = "Nr,What,Day,Kind,Sum,From,To\n"
GOOD = "1,Tents,2024-03-01,pledged,10.10,9.9,11\n"
COMPLETE = ("--complete", "--reported-at", "2024-04-01", "--yes")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(MAPPING)
    done("init", "--title", "Aid")
    return tmp_path


def put(text: str, *options: str, name: str = "aid.csv") -> Any:
    Path(name).write_text(text)
    return run("import", "mapped", name, "--map", "map.toml", *options)


def entries() -> int:
    with closing(sqlite3.connect("timeline.db")) as connection:
        (found,) = connection.execute("SELECT count(*) FROM log").fetchone()
        return int(found)


def rejected(name: str = "aid.csv") -> list[dict[str, str]]:
    with Path(f"{name}.rejects.csv").open(newline="") as file:
        return [*csv.DictReader(file)]


# --- Exit codes ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [GOOD, GOOD + GOOD, GOOD + "2,,2024,,,,\n"])
def test_something_usable_is_success_also_if_it_was_there(rows: str) -> None:
    assert put(HEADER + rows).exit_code == 0
    assert put(HEADER + rows).exit_code == 0


def test_rows_that_all_fail_for_one_reason_are_said_once() -> None:
    result = put(HEADER + "".join(f"{n},Tents,day {n},,,,\n" for n in range(1, 41)))
    assert result.exit_code == 1
    assert result.stdout.startswith("40 rows: 40 rejected.")
    last = result.stderr.splitlines()[-1]
    assert last.startswith('Error: aid.csv: no row could be imported: Day: "day 1" ')
    assert last.endswith("(all 40 rows; the first is line 2)")
    assert result.stderr.count("Error:") == 1
    assert len(rejected()) == 40


def test_the_commonest_of_several_reasons_is_said() -> None:
    result = put(HEADER + "1,,2024,,,,\n2,T,soon,,,,\n3,T,later,,,,\n", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["rejected"] == 3
    assert '"soon"' in result.stderr
    assert "(2 of 3 rows; the first is line 3)" in result.stderr


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n\n", "[]"])
def test_a_file_without_rows_is_never_complete(text: str) -> None:
    assert put(HEADER + GOOD).exit_code == 0
    before = entries()
    for options in ((), COMPLETE, (*COMPLETE, "--dry-run")):
        assert one_line(put(text, *options)).startswith("aid.csv has no rows")
    assert entries() == before


def test_nothing_is_retracted_if_no_row_could_be_used() -> None:
    assert put(HEADER + GOOD).exit_code == 0
    before = entries()
    result = put(HEADER + "7,Boats,soon,,,,\n", *COMPLETE)
    assert result.exit_code == 1
    assert entries() == before


def test_an_empty_file_is_named() -> None:
    assert one_line(put("")).startswith("aid.csv is empty")


# --- Rejects ------------------------------------------------------------------------------


def test_an_id_that_stands_twice_names_both_lines_and_what_differs() -> None:
    result = put(HEADER + GOOD + "2,Boats,2024,,,,\n" + GOOD.replace("Tents", "Tarps"))
    assert result.exit_code == 0
    assert [(row["line"], row["field"], row["reason"]) for row in rejected()] == [
        (line, "Nr", "aid:1 stands twice: lines 2 and 4, which differ in What") for line in "24"
    ]


def test_rows_in_one_line_of_json_are_named_by_their_number() -> None:
    rows = [
        {"Nr": number, "What": "T", "Day": day}
        for number, day in enumerate(("2024", "soon", "2024", "2024"), 1)
    ]
    rows[3]["Nr"] = 3
    rows[3]["What"] = "Other"
    result = put(json.dumps(rows), "--dry-run", name="aid.json")
    assert "Would put item 2 aside: Day: " in result.stdout
    assert put(json.dumps(rows), name="aid.json").exit_code == 0
    assert [(row["line"], row["item"]) for row in rejected("aid.json")] == [
        ("1", "2"), ("1", "3"), ("1", "4")
    ]  # fmt: skip
    assert "stands twice: items 3 and 4" in rejected("aid.json")[1]["reason"]
    strict = put(json.dumps(rows[:2]), "--strict", name="aid.json")
    assert "line 1, event 2: Day" in one_line(strict)


def test_an_id_that_is_too_long_names_its_column() -> None:
    assert put(HEADER + GOOD + GOOD.replace("1", "x" * 201, 1)).exit_code == 0
    (row,) = rejected()
    assert (row["field"], row["reason"]) == ("Nr", "is too long for an id: at most 196 characters")


def test_a_dry_run_writes_no_rejects_and_prints_the_first_of_them() -> None:
    text = HEADER + GOOD + "".join(f"{n},,2024,,,,\n" for n in range(2, 27))
    result = put(text, "--dry-run")
    assert result.stdout.count("Would put line ") == 20
    assert "Would put 5 more aside: --json lists all of them." in result.stdout
    found = json.loads(put(text, "--dry-run", "--json").stdout)
    assert (len(found["rejects"]), found["rejects_file"]) == (25, None)
    assert not Path("aid.csv.rejects.csv").exists()


# --- Totals -------------------------------------------------------------------------------


def test_totals_are_exact_and_aligned() -> None:
    sums = ("23417159.978473667", "21811411.865664043", "299999999999.3339191")
    rows = "".join(f"{n},T,2024,pledged,{each},1.1,\n" for n, each in enumerate(sums))
    lines = put(HEADER + rows).stdout.splitlines()[2:5]
    assert [line.split() for line in lines] == [
        ["figure", "file", "log"],
        ["pledged,", "low", "3.3", "3.3"],
        ["pledged,", "value", *["300,045,228,571.17805681"] * 2],
    ]
    assert len({len(line) for line in lines}) == 1


def test_figures_are_added_up_by_a_measure_that_is_a_column() -> None:
    Path("map.toml").write_text(MAPPING.replace('{ value = "pledged" }', '"Kind"'))
    rows = "1,T,2024,pledged,10.10,9.9,11\n2,T,2024,Delivered,5.5,,\n3,T,2024,pledged,0.2,,\n"
    figures = json.loads(put(HEADER + rows, "--json").stdout)["figures"]
    assert [(each["measure"], each["field"], each["file"], each["log"]) for each in figures] == [
        ("delivered", "value", "5.5", "5.5"),
        ("pledged", "high", "11", "11"),
        ("pledged", "low", "9.9", "9.9"),
        ("pledged", "value", "10.3", "10.3"),
    ]
    too_large = put(HEADER + rows + "4,T,2024,pledged,1e40,,\n", "--json")
    figures = json.loads(too_large.stdout)["figures"]
    assert [each["reconciles"] for each in figures] == [True, True, True, False]
    assert figures[3]["log"] == "10.3"


@settings(max_examples=5, deadline=None)
@given(st.lists(st.decimals(-(10**20), 10**20, places=12, allow_nan=False), min_size=1, max_size=9))
def test_both_sums_are_the_sum(amounts: list[Decimal]) -> None:
    Path("timeline.db").unlink()
    done("init", "--title", "Aid")
    rows = "".join(f"{n},T,2024,pledged,{each:f},,\n" for n, each in enumerate(amounts))
    (figure,) = json.loads(put(HEADER + rows, "--json").stdout)["figures"]
    with localcontext(prec=60):
        assert Decimal(figure["file"]) == Decimal(figure["log"]) == sum(amounts, Decimal(0))
    assert figure["reconciles"]
