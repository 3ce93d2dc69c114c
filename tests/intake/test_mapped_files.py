"""Files as publishers have them, imported with a mapping by the command itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from running import done, one_line, run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")


def write(mapping: str, content: str, name: str = "file.csv") -> tuple[str, ...]:
    """The command that imports a file with a mapping of the columns no, what and more."""
    head = 'scheme = "s"\nid = "no"\n'
    settings, _, fields = mapping.rpartition("[fields]")
    Path("map.toml").write_text(f'{head}{settings}[fields]\ntitle = "what"\n{fields}', "utf-8")
    Path(name).write_text(content, "utf-8")
    return ("import", "mapped", name, "--map", "map.toml")


def put(mapping: str, content: str, name: str = "file.csv") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done(*write(mapping, content, name), "--json"))
    return found


def dates() -> dict[str, str]:
    """The date of each event, by its title."""
    return {row["title"]: row["occurred"] for row in json.loads(done("list", "--json"))}


def event(number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("show", f"s-{number}", "--json"))
    return found


def rejected() -> list[tuple[str, str]]:
    with Path("file.csv.rejects.csv").open(newline="") as file:
        return [(row["line"], row["field"]) for row in csv.DictReader(file)]


def test_a_pattern_that_lacks_a_month_or_a_year_invents_none() -> None:
    put('occurred = { column = "y", date = "%Y" }', "no,what,y\n1,Canal opens,1869\n")
    assert dates() == {"Canal opens": "1869"}
    mapping = 'occurred = { column = "d", date = ["%d %B", "%d.%m.%Y %H:%M:%S"] }'
    outcome = put(mapping, "no,what,d\n2,A,7 May\n3,B,07.05.2025 06:05:04\n")
    assert (outcome["recorded"], outcome["rejected"], rejected()) == (1, 1, [("2", "d")])
    assert dates()["B"] == "2025-05-07T06:05:04"


def test_codes_of_precision_make_dates_coarser() -> None:
    codes = '{ 1 = "day", 2 = "week", 3 = "month" }'
    mapping = f'occurred = {{ column = "d", precision = "p", precisions = {codes} }}'
    put(mapping, "no,what,d,p\n1,A,2025-05-07,1\n2,B,2025-05-07,2\n3,C,2025-05-07,3\n")
    assert dates() == {"A": "2025-05-07", "B": "2025-05-04/2025-05-10", "C": "2025-05"}


@pytest.mark.parametrize(
    "occurred",
    ['{ text = "{Year}-{Month}-{Day}" }', '{ year = "Year", month = "Month", day = "Day" }'],
)
def test_parts_of_dates_that_are_unknown_are_not_in_the_date(occurred: str) -> None:
    rows = ("1,A,1988,3,4", "2,B,1988,3,", "3,C,1988,,", "4,D,1988,0,0", "5,E,1988,11,12")
    put(f"occurred = {occurred}", "\n".join(("no,what,Year,Month,Day", *rows)) + "\n")
    assert [*dates().values()] == ["1988", "1988", "1988-03", "1988-03-04", "1988-11-12"]


@pytest.mark.parametrize("occurred", ['{ text = "{from}/{to}" }', '{ start = "from", end = "to" }'])
def test_a_span_of_days_has_an_end_or_is_one_day_and_is_never_reversed(occurred: str) -> None:
    rows = ("1,A,2025-05-07,2025-05-09", "2,B,2025-05-07,2025-05-07", "3,C,2025-05-07,",
            "4,D,2025-05-09,2025-05-07")  # fmt: skip
    outcome = put(f"occurred = {occurred}", "\n".join(("no,what,from,to", *rows)) + "\n")
    assert (outcome["recorded"], rejected()) == (3, [("5", "to")])
    assert dates() == {"A": "2025-05-07/2025-05-09", "B": "2025-05-07", "C": "2025-05-07"}


def test_what_r_writes_for_nothing_is_in_no_field() -> None:
    mapping = """
occurred = "day"
summary = "note"
"place.name" = "town"
"place.country" = "country"
"participants.0.name" = "who"
"participants.1.name" = "whom"
tags = { column = "kinds", split = ";" }
"quantities.0.measure" = { value = "killed" }
"quantities.0.value" = "dead"
"""
    content = (
        "no,what,day,town,country,who,whom,kinds,dead,note\n"
        '1,"A",2025-05-07,"Oshakati","NA","Crowd",NA,NA,NA,NA\n'
    )
    assert put(mapping, content)["recorded"] == 1
    found = event()
    assert (found["place"]["country"], found["participants"]) == ("NAM", [{"name": "Crowd"}])
    assert found.keys().isdisjoint(("summary", "tags", "quantities"))


@pytest.mark.parametrize(
    "rule",
    [
        'participants = { column = "who", split = ";" }',
        '"participants.0.name" = { column = "who", split = ";" }',
    ],
)
def test_a_cell_of_several_names_gives_several_participants(rule: str) -> None:
    put(f'occurred = "day"\n{rule}', 'no,what,day,who\n1,A,2025-05-07,"Teachers (Oran); Miners"\n')
    assert [each["name"] for each in event()["participants"]] == ["Teachers (Oran)", "Miners"]


MISSPELT = """
occurred = "day"
tags = "topics"
"place.country" = "cuontry"
"quantities.0.measure" = { value = "killed" }
"quantities.0.value" = "kiled"
"""
ROWS = '[{"no": 1, "what": "A", "day": "2025-05-07", "topics": ["port", "aid"],'
ROWS += ' "country": "Chad", "killed": 3}]'


def test_columns_that_no_object_of_json_has_are_refused_together() -> None:
    refused = one_line(run(*write(MISSPELT, ROWS, "file.json")))
    assert "no row has cuontry, kiled: did you mean country, killed?" in refused
    assert done("list", "--json") == "[]\n"
    put(MISSPELT.replace("cuontry", "country").replace("kiled", "killed"), ROWS, "file.json")
    assert event()["tags"] == ["port", "aid"]


def test_a_file_of_other_columns_retracts_nothing_even_without_a_row() -> None:
    whole = ("--complete", "--yes", "--reported-at", "2025-05-08")
    mapping = 'occurred = "day"'
    done(*write(mapping, "no,what,day\n1,A,2025-05-07\n"), *whole)
    refused = one_line(run(*write(mapping, "ref;headline;when\n"), *whole))
    assert "no such columns in the header" in refused
    assert dates() == {"A": "2025-05-07"}


def test_a_column_for_a_list_that_nothing_splits_is_refused_once() -> None:
    command = write(
        'occurred = "day"\ntags = "kind"', "no,what,day,kind\n1,A,2025-05-07,x\n2,B,2025-05-07,y\n"
    )
    refused = one_line(run(*command))
    assert "tags: wants a list: add split to fields.tags, or write tags.0" in refused
    assert not Path("file.csv.rejects.csv").exists()


def test_a_changed_list_of_json_is_a_change_of_its_event() -> None:
    mapping = 'occurred = "day"\ntags = "topics"\ncitations = "links.url"'
    rows = {"no": 1, "what": "A", "day": "2025-05-07", "topics": ["port"]}
    put(mapping, json.dumps([{**rows, "links": [{"url": "https://a.example"}]}]), "file.json")
    rows["topics"] = ["port", "aid"]
    later = json.dumps([{**rows, "links": [{"url": "https://a.example"}]}])
    assert put(mapping, later, "file.json")["updated"] == 1
    assert put(mapping, later, "file.json")["unchanged"] == 1
    assert event()["tags"] == ["port", "aid"]
