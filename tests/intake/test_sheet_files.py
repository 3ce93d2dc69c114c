"""Sheets as people have them: workbooks, packed files, other encodings, columns of their own."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from answering import answer, answering
from running import done, entries, one_line, run
from workbooks import xlsx

HEADER = ["id", "title", "occurred", "lat", "lon", "killed", "Owner", "reason"]
TEN_PM = datetime(2025, 4, 14, 22, 30)  # noqa: DTZ001 - as workbooks have it
ROWS = [
    ["quay-fire", "Fire at the quay", date(2025, 4, 12), 46.48, 30.73, 3, "me", None],
    ["ice", "Ice on the river", TEN_PM, None, None, None, None, None],
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "A story", "--time-zone", "UTC")
    return path


def test_a_workbook_is_synced_and_appended_as_its_csv_is(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "story.xlsx"
    sheet.write_bytes(xlsx({"April": [HEADER, *ROWS]}))
    result = run("-d", log, "sync", sheet)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 recorded."), result.output
    assert "column Owner left out" in result.stderr
    event = json.loads(done("-d", log, "show", "quay-fire", "--json"))
    assert event["occurred"] == "2025-04-12"
    assert (event["place"]["lat"], event["quantities"][0]["value"]) == ("46.48", "3")
    assert json.loads(done("-d", log, "show", "ice", "--json"))["occurred"] == "2025-04-14T22:30:00"
    before = entries(log)
    assert run("-d", log, "sync", sheet).stdout == "2 unchanged.\n"
    assert done("-d", log, "append", "--csv", sheet).count("unchanged") == 2
    assert entries(log) == before


def test_a_wrong_cell_of_a_workbook_is_named_by_its_address(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "story.xlsx"
    bad = ["", "Storm", "soon", None, None, None, None, None]
    sheet.write_bytes(xlsx({"April": [HEADER, [None] * 8, *ROWS, bad]}))
    lines = run("-d", log, "sync", sheet).stderr.splitlines()
    assert [line.split(": ")[1:3] for line in lines] == [
        ["line 5", "cell C5, occurred"],
        ["line 5", "cell A5, id"],
    ]


def test_columns_of_a_workbook_without_a_name_are_left_out(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "story.xlsx"
    rows = [["", "id", "title", "occurred"], [0, "ice", "Ice", 2025], [1, "fog", "Fog", 2024, "?"]]
    sheet.write_bytes(xlsx({"April": rows, "May": [["x"], ["y"]]}))
    result = run("-d", log, "sync", sheet, columns=120)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 recorded."), result.output
    assert 'read from the sheet "April"; "May" is not read' in result.stderr
    assert "columns column 1, column 5 left out" in result.stderr


def test_ids_are_not_written_into_a_workbook(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "story.xlsx"
    content = xlsx({"April": [["title", "occurred"], ["Fire", 2025]]})
    sheet.write_bytes(content)
    result = run("-d", log, "sync", "--write-ids", sheet)
    assert (result.exit_code, "--write-ids goes with a CSV file" in result.stderr) == (2, True)
    assert one_line(run("-d", log, "sync", sheet)) == (
        "line 2: id: is empty: write fire (in a CSV file, --write-ids does it)"
    )
    assert sheet.read_bytes() == content


def test_a_sheet_in_a_zip_file_is_read(log: Path, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("story.csv", "id,title,occurred\nquay-fire,Fire,2025\n")
    sheet = tmp_path / "story.zip"
    sheet.write_bytes(packed.getvalue())
    assert "1 recorded." in done("-d", log, "sync", sheet)


def test_a_sheet_of_another_encoding_is_read_if_it_is_named(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "story.csv"
    content = "title;occurred\r\nBouaké;2025\r\n".encode("cp1252")
    sheet.write_bytes(content)
    assert "--encoding cp1252" in one_line(run("-d", log, "sync", sheet))
    assert "--encoding cp1252" in one_line(run("-d", log, "append", "--csv", sheet))
    done("-d", log, "append", "--csv", "--encoding", "cp1252", "--dry-run", sheet)
    done("-d", log, "sync", "--encoding", "cp1252", "--write-ids", sheet)
    assert sheet.read_bytes() == b"id;title;occurred\r\nbouake;Bouak\xe9;2025\r\n"
    assert json.loads(done("-d", log, "show", "bouake", "--json"))["title"] == "Bouaké"
    assert "is unknown" in one_line(run("-d", log, "sync", "--encoding", "cp999999", sheet))
    assert (
        run("append", "--encoding", "cp1252", "--title", "T", "--occurred", "2025").exit_code == 2
    )


MAPPING = """\
scheme = "desk"
id = "No"
[fields]
title = "Headline"
occurred = "Day"
"""


def test_a_sheet_with_columns_of_its_own_is_synced_by_a_mapping(log: Path, tmp_path: Path) -> None:
    done("-d", log, "append", "--title", "Another", "--occurred", "2025", "--id", "another")
    mapping = tmp_path / "desk.toml"
    mapping.write_text(MAPPING)
    rows = [f"{n},Fire {n},2025-04-{n:02d}" for n in range(1, 11)]

    def synced(*lines: str, exit_code: int = 0) -> str:
        sheet = tmp_path / "desk.csv"
        sheet.write_text("\n".join(["No,Headline,Day", *lines, ""]))
        result = run("-d", log, "sync", sheet, "--map", mapping)
        assert result.exit_code == exit_code, result.output
        return result.stdout + result.stderr

    assert "10 recorded" in synced(*rows)
    before = entries(log)
    assert "10 unchanged" in synced(*rows)
    assert "not a date" in synced(*rows[:9], "10,Fire 10,never", exit_code=1)
    assert entries(log) == before
    assert "1 retracted" in synced(*rows[1:])
    states = {each["title"]: each["state"] for each in json.loads(
        done("-d", log, "list", "--state", "all", "--json"))}  # fmt: skip
    assert (states["Another"], states["Fire 1"], states["Fire 2"]) == (
        "current",
        "retracted",
        "current",
    )
    sheet = "\n".join(["No,Headline,Day", *rows[1:], ""]).encode()
    with answering({"/desk.csv": answer(sheet)}) as server:
        url = f"{server.address}/desk.csv"
        assert "9 unchanged" in done("-d", log, "sync", url, "--map", mapping)
        assert "9 unchanged" in done("-d", log, "import", "mapped", url, "--map", mapping)
    result = run("-d", log, "sync", "x.csv", "--map", mapping, "--write-ids")
    assert (result.exit_code, "go without --map" in result.stderr) == (2, True)
