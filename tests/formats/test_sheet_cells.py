"""Sheets as files: what is written is read back, whatever a spreadsheet does to it between."""

from __future__ import annotations

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidCell, InvalidInput, InvalidSheet
from timeline.formats.sheet import cells
from timeline.formats.sheet.reading import Sheet
from timeline.model.content import Event, Said

HEADER = "id,title,occurred"

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)


def _read(text: str | bytes) -> list[dict[str, str]]:
    return [row.cells for row in Sheet(text.encode() if isinstance(text, str) else text)]


@given(st.lists(st.lists(texts, min_size=3, max_size=3), max_size=4))
def test_cells_that_are_written_are_read_back(rows: list[list[str]]) -> None:
    columns = ("id", "title", "summary")
    written_rows = [dict(zip(columns, map(cells.clean, row), strict=True)) for row in rows]
    written = "".join(cells.write(written_rows, columns))
    assert _read(written) == [row for row in written_rows if any(row.values())]


@given(st.lists(texts.map(cells.clean)))
def test_items_that_are_joined_are_taken_apart_again(items: list[str]) -> None:
    expected = items if any(items) else [""]
    assert cells.several(cells.joined(items)) == expected


def test_the_template_has_the_columns_of_the_contract() -> None:
    contract = (
        "id,title,occurred,type,place,country,lat,lon,actors,tags,killed,injured,"
        "source_url,source_title,reported_at,summary,reason\r\n"
    )
    assert [*cells.write(())] == [contract]


def test_every_column_is_about_a_field_that_there_is() -> None:
    fields = {path.partition(".")[0] for path in cells.PATHS.values()}
    assert fields - {*Event.model_fields, *Said.model_fields} == set()


@pytest.mark.parametrize(
    "content",
    [
        b"id,title,occurred\na1,Talks,2025\n",
        b"\xef\xbb\xbfid,title,occurred\r\na1,Talks,2025\r\n",
        b"id;title;occurred\na1;Talks;2025\n",
        b"id\ttitle\toccurred\na1\tTalks\t2025\n",
        b"sep=;\r\nid;title;occurred\r\na1;Talks;2025\r\n",
        "sep=;\r\nid;title;occurred\r\na1;Talks;2025\r\n".encode("utf-8-sig"),
        "id\ttitle\toccurred\r\na1\tTalks\t2025".encode("utf-16"),
        b"id,title,occurred\ra1,Talks,2025\r",
        b"ID, Title ,OCCURRED,,\n a1 , Talks ,2025,,\n,,,,\n,,,\n",
        b"\n\nid,title,occurred\n\na1,Talks,2025\n\n",
        b'"id","title","occurred"\n"a1","Talks","2025"',
    ],
)
def test_the_habits_of_spreadsheets_are_survived(content: bytes) -> None:
    assert _read(content) == [{"id": "a1", "title": "Talks", "occurred": "2025"}]


def test_a_cell_may_hold_line_breaks_quotes_and_separators() -> None:
    (row,) = _read('id;summary\r\na1;"One, ""two"";\r\nthree"\r\n')
    assert row == {"id": "a1", "summary": 'One, "two";\nthree'}


def test_a_decimal_comma_is_understood_where_the_comma_does_not_separate() -> None:
    (row,) = _read("id;lat;lon;title\na1;46,48;-30,7;3,5\n")
    assert (row["lat"], row["lon"], row["title"]) == ("46.48", "-30.7", "3,5")


@pytest.mark.parametrize("text", ["=1+1", "+ten", "-- so", "@here", "'=1", "''-x"])
def test_a_text_that_looks_like_a_formula_is_none_in_a_spreadsheet(text: str) -> None:
    (line,) = [*cells.write([{"title": text}], ["title"])][1:]
    (cell,) = next(csv.reader(io.StringIO(line)))
    assert cell == f"'{text}"
    assert _read(f"title\n{line}") == [{"title": text}]


@pytest.mark.parametrize("number", ["-30.7", "+5", "-5", "12"])
def test_a_number_stays_a_number_in_a_spreadsheet(number: str) -> None:
    assert [*cells.write([{"lat": number}], ["lat"])][1:] == [f"{number}\r\n"]


def test_rows_know_their_line_and_their_number_in_a_spreadsheet() -> None:
    rows = [*Sheet(b'sep=,\nid,summary\na1,"one\ntwo\nthree"\n\na2,x\n')]
    assert [(row.line, row.number) for row in rows] == [(3, 3), (7, 5)]
    assert str(rows[1].invalid("summary", "is wrong")) == "line 7: cell B5, summary: is wrong"
    assert str(rows[1].invalid("place", "is wrong")) == "line 7: place: is wrong"


def test_columns_beyond_z_have_two_letters() -> None:
    columns = [f"extra.csv.c{number}" for number in range(60)]
    (row,) = Sheet(f"{','.join(columns)}\n{','.join('x' * 60)}\n".encode())
    wrong = [row.invalid(column, "") for column in columns]
    addresses = [error.cell for error in wrong if isinstance(error, InvalidCell)]
    assert [addresses[index] for index in (0, 25, 26, 51, 52, 59)] == [
        "A2", "Z2", "AA2", "AZ2", "BA2", "BH2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"", None, "is empty: `timeline template` prints a header"),
        (b"\n\n ,,\n", None, "is empty"),
        (b"id,titel\n", 1, 'cell B1, titel: is not a column: did you mean title?'),
        (b"Wann,Was,,Wo\n", 1, "no column is known: known are id, title"),
        (b"id,x,tgs,tag\n", 1, "cell C1, tgs: is not a column: did you mean tags? rename it, or"),
        (b"id,place .admin1\n", 1, "did you mean place.admin1?"),
        (b"id,title,ID\n", 1, "cell C1, ID: stands twice in the header"),
        (b"id,place.name\n", 1, "is what the column place holds: write place"),
        (b"id,event_type\n", 1, "write type"),
        (b"id,source_title\n", 1, "needs the column source_url"),
        (b"id,place..x\n", 1, "is not a path"),
        (HEADER.encode() + b"\na1,Talks,2025,x\n", 2, 'more cells than the header: "x"'),
        (HEADER.encode() + b"\na1,Talks,\xff\n", 2, 'is not UTF-8: in Excel, save as "CSV UTF-8"'),
        (HEADER.encode() + b'\na1,"Talks,2025\n', 2, "cannot be read as CSV"),
        (HEADER.encode() + b'\nx,y,2025\na1,"Talks"s,2025\n', 3, "cannot be read as CSV"),
        (b"<!DOCTYPE html><html>", 1, "is a web page, not a sheet"),
        (b"\xff\xfe\x00", 1, "is not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_sheet_is_refused(content: bytes, line: int | None, problem: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        [*Sheet(content)]
    assert (refusal.value.line, problem in str(refusal.value)) == (line, True), refusal.value


@pytest.mark.parametrize(
    ("content", "left_out"),
    [
        (",id,title,occurred\n0,a1,Talks,2025\n1,,,\n", "column A (without a name) left out"),
        ('"","id","title","occurred"\n"1","a1","Talks","2025"\n', "column A (without a name)"),
        ("id,Status,title,Owner,occurred\na1,ok,Talks,me,2025\n", "columns Status, Owner left out"),
        ("id,title,comment,occurred,comment\na1,Talks,x,2025,y\n", "column comment left out"),
        ("id,Notes,title,occurred,Date\na1,n,Talks,2025,d\n", "columns Notes, Date left out"),
        ("id,titles,title,occurred\na1,t,Talks,2025\n", "column titles left out"),
        ("id,title,occurred,\na1,Talks,2025,call her\n", "column D (without a name) left out"),
        ("id,Status,title,occurred,,\na1,,Talks,2025\n", ""),
        ("id,title,occurred,Link\na1,Talks,2025\n", ""),
    ],
)
def test_a_column_that_is_none_of_ours_is_left_out_and_named_if_it_holds_anything(
    content: str, left_out: str
) -> None:
    sheet = Sheet(content.encode())
    assert {"id": "a1", "title": "Talks", "occurred": "2025"} in [row.cells for row in sheet]
    assert bool(sheet.notes) == bool(left_out)
    assert all(note.startswith(left_out) for note in sheet.notes)


def test_a_wrong_cell_is_found_beside_columns_that_are_left_out() -> None:
    (row,) = Sheet(b",id,Status,title,occurred\n0,a1,ok,Talks,never\n")
    assert str(row.invalid("occurred", "is wrong")) == "line 2: cell E2, occurred: is wrong"


def test_a_name_means_what_a_person_says() -> None:
    content = b"id,tittle,ocurred,Status\na1,Talks,2025,ok\n"
    assert Sheet(content).slips() == {"tittle": "title", "ocurred": "occurred"}
    sheet = Sheet(content, meant={"Tittle": "title", "ocurred": None})
    assert sheet.slips() == {}
    assert [row.cells for row in sheet] == [{"id": "a1", "title": "Talks"}]
    assert sheet.notes == [
        "columns ocurred, Status left out: `timeline template` prints those that are known"
    ]


def test_everything_that_is_wrong_with_a_header_and_its_rows_is_said_at_once() -> None:
    content = b"id,titel,place.name,ID,source_title\na1,T,Sumy,,,\nb2,T,Sumy,,,x\n"
    with pytest.raises(InvalidSheet) as refusal:
        [*Sheet(content)]
    said = [str(problem).split(": ", 2)[1:] for problem in refusal.value.problems]
    assert said == [
        ["cell B1, titel", "is not a column: did you mean title? rename it, or pass"
        " --ignore-column titel"],
        ["cell C1, place.name", "is what the column place holds: write place"],
        ["cell D1, ID", "stands twice in the header"],
        ["cell E1, source_title", "needs the column source_url beside it"],
        ["has more cells than the header", '"x"'],
    ]  # fmt: skip


@given(
    st.lists(
        st.sampled_from(
            (b"id", b"title", b",", b";", b"\t", b"\n", b"\r", b'"', b"'", b"=", b"sep=;")
        )
        | st.binary(max_size=3)
    ).map(b"".join)
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for header in (b"", b"id,title\n"):
        with contextlib.suppress(InvalidInput, InvalidSheet):
            assert all(row.cells for row in Sheet(header + content))


def test_codes_stand_beside_the_column_that_they_repeat() -> None:
    (row,) = Sheet(b"id,Type,Event type,country_code,country\r\nx,Aid,AID,UKR,Ukraine\r\n")
    assert row.cells["event_type"] == "AID"
    assert row.cells["country_code"] == "UKR"
    with pytest.raises(InvalidCell, match="is what the column country holds: write country"):
        [*Sheet(b"id,country_code\r\nx,UKR\r\n")]
