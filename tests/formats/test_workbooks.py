"""Workbooks give the same rows as the CSV that a spreadsheet would save of them."""

from __future__ import annotations

import contextlib
import datetime
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import done, one_line, run
from workbooks import ods, xlsx, zipped

from timeline.errors import InvalidInput
from timeline.formats.importers import workbooks
from timeline.formats.importers.packed import plain
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Row, importer

DAY = datetime.datetime(2025, 4, 13)  # noqa: DTZ001
MAPPING = 'scheme = "desk"\nid = "ref"\n[fields]\ntitle = "headline"\noccurred = "on"\n'


def read(content: bytes, form: FileForm | None = None) -> list[Any]:
    """The cells of each row with its number, and the texts of notes."""
    return [
        (row.line, row.cells) if isinstance(row, Row) else row[-1]
        for row in rows(plain(io.BytesIO(content)), form or FileForm())
    ]


def test_cells_are_texts_as_a_publisher_would_write_them() -> None:
    values = {
        "text": ("Bridge,\n closed", "Bridge,\n closed"),
        "day": (DAY, "2025-04-13"),
        "time": (DAY.replace(hour=14, minute=30, second=5), "2025-04-13T14:30:05"),
        "clock": (datetime.time(14, 30), "14:30"),
        "length": (datetime.timedelta(hours=26, minutes=5), "26:05"),
        "whole": (34.0, "34"),
        "large": (12345678901, "12345678901"),
        "share": (0.1 + 0.2, "0.3"),
        "tiny": (0.00000125, "0.00000125"),
        "below": (-1.5, "-1.5"),
        "yes": (True, "true"),
        "serial": (45760, "45760"),
        "empty": (None, ""),
        "last": ("x", "x"),
    }
    content = xlsx({"Data": [[*values], [value for value, _ in values.values()]]})
    assert read(content) == [(2, {name: text for name, (_, text) in values.items()})]


def test_a_sheet_of_libreoffice_is_read_alike() -> None:
    content = ods([["ref", "on", "dead"], ["k1 & co", "date:2025-04-13", "float:34"]])
    assert read(content) == [(2, {"ref": "k1 & co", "on": "2025-04-13", "dead": "34"})]


def test_the_first_sheet_with_rows_is_read_and_the_others_are_named() -> None:
    table = [["ref", "on"], ["k1", DAY]]
    content = xlsx(
        {"Codes": table, "Cover": [["Incidents"]], "Data": table, "Old": table}, hidden=["Codes"]
    )
    assert read(content) == [
        'read from the sheet "Data"; "Cover", "Old", "Codes" are not read',
        (2, {"ref": "k1", "on": "2025-04-13"}),
    ]
    note, *found = read(content, FileForm(sheet="Codes"))
    assert note.startswith('read from the sheet "Codes"')
    assert len(found) == 1
    with pytest.raises(InvalidInput, match='the workbook has no "Date": did you mean Data'):
        read(content, FileForm(sheet="Date"))
    assert read(xlsx({"A": table, "B": []}, hidden=["A"]))[0].startswith('read from the sheet "A"')


def test_the_sheet_that_has_the_wanted_columns_or_is_a_table_is_read() -> None:
    about = [["About these data"], ["They were collected by hand."], ["Ask us."]]
    codes = [["code", "means"], ["a", "Aid"]]
    table = [["Incidents"], [], ["ref", "on"], ["k1", DAY]]
    content = xlsx({"About": about, "Codes": codes, "Main data": table})
    assert read(content)[0] == 'read from the sheet "Codes"; "About", "Main data" are not read'
    note, _, row = read(content, FileForm(columns=frozenset(("on", "ref"))))
    assert note == 'read from the sheet "Main data"; "About", "Codes" are not read'
    assert row == (4, {"ref": "k1", "on": "2025-04-13"})
    assert read(xlsx({"About": about}))[0] == (2, {"About these data": about[1][0]})


def test_cells_with_an_error_are_empty_and_counted() -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["ref", "dead"])
    sheet.append(["k1", "#REF!"])
    sheet.append(["k2", "#N/A"])
    file = io.BytesIO()
    book.save(file)
    note, *found = read(file.getvalue())
    assert note == "2 cells have an error such as #REF! in the workbook, and count as empty"
    assert [cells["dead"] for _, cells in found] == ["", ""]


def test_the_empty_rows_that_libreoffice_repeats_cost_nothing() -> None:
    content = ods([["ref", "on"], ["k1", "date:2025-04-13"]])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rest = (
        b'<table:table-row table:number-rows-repeated="1048574">'
        b'<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    members["content.xml"] = members["content.xml"].replace(
        b"</table:table>", rest + b"</table:table>"
    )
    assert read(zipped(members)) == [(2, {"ref": "k1", "on": "2025-04-13"})]


def test_a_title_above_the_header_is_skipped_and_rows_keep_their_numbers() -> None:
    content = xlsx(
        {"Data": [["Incidents of the desk"], [], [None, "ref", "headline", "on"],
                  [None, "k1", "Bridge", DAY], [], [None, "k2", "Road", DAY]]}
    )  # fmt: skip
    note, *found = read(content)
    assert note == 'the header is row 3: what stands before it was skipped: "Incidents of the desk"'
    assert [line for line, _ in found] == [4, 6]


def test_a_workbook_is_imported_like_any_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("map.toml").write_text(MAPPING)
    table = [["ref", "headline", "on"], ["k1", "Bridge", DAY]]
    Path("file.xlsx").write_bytes(xlsx({"Data": table}))
    assert done("import", "mapped", "file.xlsx", "--map", "map.toml").startswith("1 row: 1 rec")
    zip_file = zipped({"incidents.xlsx": xlsx({"Data": table}), "README.txt": b"Read me."})
    Path("file.zip").write_bytes(zip_file)
    assert done("import", "mapped", "file.zip", "--map", "map.toml").startswith("1 row: 1 unch")
    Path("file.xlsx").write_bytes(xlsx({"Data": [["ref", "on"], ["k1", DAY]]}))
    assert one_line(run("import", "mapped", "file.xlsx", "--map", "map.toml")) == (
        'line 1: headline: no such column in the header, that of the sheet "Data": "ref", "on"'
    )


def test_a_workbook_for_a_format_of_text_and_without_its_reader_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = xlsx({"Data": [["ref"], ["k1"]]})
    with pytest.raises(InvalidInput, match="is a workbook or another ZIP file: save its sheet"):
        [*importer("gdelt").read(plain(io.BytesIO(content)))]
    monkeypatch.setattr(workbooks, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match=re.escape("pip install 'timeline-store[sheets]'")):
        read(content)


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    content = zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b"0" * 2**25})
    with pytest.raises(InvalidInput, match="unpacks to more than 200 times its size"):
        read(content)


def test_two_cells_far_from_each_other_end_in_a_refusal() -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = sheet["B2"] = "x"
    sheet["XFD1048576"] = "y"
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(InvalidInput, match="takes too much memory or time as a workbook"):
        read(file.getvalue())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "cannot be read as a workbook"),
        (zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b"<"}), "cannot be read as a"),
        (zipped({"[Content_Types].xml": b"", "word/document.xml": b""}), "is a document, not a"),
        (zipped({"mimetype": b"", "content.xml": b""}), "cannot be read as a workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read(content)


def test_a_workbook_without_a_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no sheet with a header and a row"):
        read(xlsx({"A": [["only a title"]], "B": []}))


def test_a_reader_that_stops_early_leaves_no_process() -> None:
    table = [["ref"], *([f"k{number}"] for number in range(50_000))]
    found = rows(plain(io.BytesIO(xlsx({"Data": table}))))
    assert isinstance(next(found), Row)
    found.close()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_a_damaged_workbook_ends_in_rows_or_a_refusal(seed: int) -> None:
    import random

    maker = random.Random(seed)
    content = bytearray(ods([["ref", "on"], ["k1", "date:2025-04-13"]]))
    for _ in range(maker.randint(1, 4)):
        content[maker.randrange(4, len(content))] = maker.randrange(256)
    with contextlib.suppress(InvalidInput):
        assert isinstance(read(bytes(content)), list)
